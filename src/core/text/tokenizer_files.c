/*-------------------------------------------------------------------------
 * tokenizer_files.c
 *		Tokenizers of models without tokenizer.json: vocab.txt and its like.
 *
 * What tokenizer.json would say follows from the kind of tokenizer that
 * tokenizer_config.json names, with the defaults of that kind.
 *-------------------------------------------------------------------------
 */
#include "core/text/tokenizer_build.h"

#include <string.h>

/* "[CLS]", or {"content": "[CLS]", ...}; NULL where it is neither */
static const char *
token_content(const AiJson *value)
{
	if (value != NULL && value->kind == AI_JSON_OBJECT)
		value = ai_json_member(value, "content");
	return value != NULL && value->kind == AI_JSON_STRING ? value->string : NULL;
}

static void
read_special_names(TokenizerPlan *plan, const AiJson *object)
{
	static const char *const keys[AI_N_SPECIAL_TOKENS] = {
		[AI_TOKEN_CLS] = "cls_token",
		[AI_TOKEN_SEP] = "sep_token",
		[AI_TOKEN_PAD] = "pad_token",
		[AI_TOKEN_UNK] = "unk_token",
		[AI_TOKEN_MASK] = "mask_token",
		[AI_TOKEN_BOS] = "bos_token",
		[AI_TOKEN_EOS] = "eos_token"
	};

	for (int i = 0; i < AI_N_SPECIAL_TOKENS; i++)
	{
		const char *content = token_content(ai_json_member(object, keys[i]));

		if (content != NULL)
			plan->special[i] = content;
	}
}

AiCode
parse_tokenizer_file(TokenizerPlan *plan, const AiTokenizerFile *file, const char *name,
					 const AiJson **value)
{
	AiCode		code;

	*value = NULL;
	if (file->text == NULL)
		return AI_OK;
	code = ai_json_parse_large(value, plan->arena, file->text, file->len, plan->err);
	if (plan->err != NULL && code != AI_OK && code != AI_ERR_NOMEM)
	{
		AiError		found = *plan->err;

		ai_fail(plan->err, code, "file \"%s\" of the model: %s", name, found.message);
		ai_detail(plan->err, "%s", found.detail);
	}
	return code;
}

AiCode
read_tokenizer_config(TokenizerPlan *plan, const AiTokenizerSource *source, const AiJson **config)
{
	const AiJson *special;
	const AiJson *length;

	AI_TRY(parse_tokenizer_file(plan, &source->special, "special_tokens_map.json", &special));
	AI_TRY(parse_tokenizer_file(plan, &source->config, "tokenizer_config.json", config));
	read_special_names(plan, special);
	read_special_names(plan, *config);
	length = ai_json_member(*config, "model_max_length");
	/* a very large number says that nobody knows */
	if (length != NULL && length->kind == AI_JSON_NUMBER && length->number >= 1 &&
		length->number < 1e9)
		plan->head.model_max_length = (int64_t) length->number;
	return AI_OK;
}

static bool
is_class(const AiJson *config, const char *name)
{
	const AiJson *member = ai_json_member(config, "tokenizer_class");

	return member != NULL && member->kind == AI_JSON_STRING &&
		strncmp(member->string, name, strlen(name)) == 0;
}

static void
default_special(TokenizerPlan *plan, const char *const names[AI_N_SPECIAL_TOKENS])
{
	for (int i = 0; i < AI_N_SPECIAL_TOKENS; i++)
	{
		if (plan->special[i] == NULL)
			plan->special[i] = names[i];
	}
}

/* What the configuration lists, else the special tokens */
static AiCode
add_tokens(TokenizerPlan *plan, const AiJson *config, bool mask_takes_space)
{
	const AiJson *list = ai_json_member(config, "added_tokens_decoder");

	if (list != NULL && list->kind == AI_JSON_OBJECT)
	{
		for (int i = 0; i < list->n; i++)
			AI_TRY(read_added_token(plan, &list->items[i]));
	}
	for (int i = 0; i < AI_N_SPECIAL_TOKENS; i++)
	{
		bool		takes_space = mask_takes_space && i == AI_TOKEN_MASK;
		bool		is_listed = false;
		const PlanAdded *added = (const PlanAdded *) plan->added.data;

		if (plan->special[i] == NULL)
			continue;
		for (size_t k = 0; k < plan->added.len / sizeof(*added); k++)
			is_listed |= strcmp(added[k].content, plan->special[i]) == 0;
		if (!is_listed)
			AI_TRY(plan_added(plan, plan->special[i],
							  ADDED_SPECIAL | (takes_space ? ADDED_LSTRIP : 0)));
	}
	return AI_OK;
}

static AiCode
special_id(TokenizerPlan *plan, AiSpecialToken token, int32_t *id)
{
	*id = plan->special[token] == NULL ? -1 : plan_find(plan, plan->special[token]);
	if (*id < 0)
		return ai_fail(plan->err, AI_ERR_FORMAT,
					   "invalid tokenizer: special token \"%.100s\" is not in the vocabulary",
					   plan->special[token] == NULL ? "" : plan->special[token]);
	return AI_OK;
}

/* CLS A SEP B SEP, with n_between SEP between the texts; the second has a type */
static AiCode
make_template(TokenizerPlan *plan, int n_between, uint32_t second_type)
{
	int32_t		cls;
	int32_t		sep;

	AI_TRY(special_id(plan, AI_TOKEN_CLS, &cls));
	AI_TRY(special_id(plan, AI_TOKEN_SEP, &sep));
	for (int is_pair = 0; is_pair < 2; is_pair++)
	{
		AI_TRY(plan_part(plan, cls, 0));
		AI_TRY(plan_part(plan, TEMPLATE_FIRST, 0));
		for (int i = 0; i < (is_pair ? n_between : 1); i++)
			AI_TRY(plan_part(plan, sep, 0));
	}
	AI_TRY(plan_part(plan, TEMPLATE_SECOND, second_type));
	AI_TRY(plan_part(plan, sep, second_type));
	plan->head.n_single = 3;
	plan->head.n_pair = (uint32_t) n_between + 4;
	return AI_OK;
}

/* One piece per line; a line that is empty has a number, too */
static AiCode
read_lines(TokenizerPlan *plan, const AiTokenizerFile *file)
{
	const char *at = file->text;
	const char *end = file->text + file->len;

	for (uint32_t id = 0; at < end; id++)
	{
		const char *line_end = memchr(at, '\n', (size_t) (end - at));
		size_t		len = (size_t) ((line_end == NULL ? end : line_end) - at);

		if (id >= AI_TOKENIZER_MAX_IDS)
			return ai_fail(plan->err, AI_ERR_LIMIT, "vocabulary is too large");
		if (len > 0 && at[len - 1] == '\r')
			len--;
		if (len > 0)
			AI_TRY(plan_piece(plan, at, len, id));
		at = line_end == NULL ? end : line_end + 1;
	}
	return plan->pieces.len > 0 ? AI_OK :
		ai_fail(plan->err, AI_ERR_FORMAT, "invalid vocab.txt: it is empty");
}

AiCode
read_vocab_text(TokenizerPlan *plan, const AiTokenizerFile *file, const AiJson *config)
{
	static const char *const bert[AI_N_SPECIAL_TOKENS] = {
		[AI_TOKEN_CLS] = "[CLS]",
		[AI_TOKEN_SEP] = "[SEP]",
		[AI_TOKEN_PAD] = "[PAD]",
		[AI_TOKEN_UNK] = "[UNK]",
		[AI_TOKEN_MASK] = "[MASK]"
	};
	static const char *const mpnet[AI_N_SPECIAL_TOKENS] = {
		[AI_TOKEN_CLS] = "<s>",
		[AI_TOKEN_SEP] = "</s>",
		[AI_TOKEN_PAD] = "<pad>",
		[AI_TOKEN_UNK] = "[UNK]",
		[AI_TOKEN_MASK] = "<mask>",
		[AI_TOKEN_BOS] = "<s>",
		[AI_TOKEN_EOS] = "</s>"
	};
	NormalizeStep step = {.kind = STEP_BERT, .flags = BERT_CLEANS};
	bool		is_mpnet = is_class(config, "MPNet");
	bool		lowers = true;
	bool		spaces_ideographs = true;
	bool		strips;

	AI_TRY(read_bool(plan, config, "do_lower_case", &lowers));
	AI_TRY(read_bool(plan, config, "tokenize_chinese_chars", &spaces_ideographs));
	strips = lowers;
	AI_TRY(read_bool(plan, config, "strip_accents", &strips));
	step.flags |= (lowers ? BERT_LOWERS : 0) | (strips ? BERT_STRIPS_ACCENTS : 0) |
		(spaces_ideographs ? BERT_SPACES_IDEOGRAPHS : 0);
	AI_TRY(plan_step(plan, step));
	default_special(plan, is_mpnet ? mpnet : bert);
	plan->head.split = SPLIT_BERT;
	plan->head.model = MODEL_WORDPIECE;
	plan->head.max_chars = 100;
	plan->head.decoder = DECODER_WORDPIECE;
	plan->head.decoder_flag = true;
	plan->unk = plan->special[AI_TOKEN_UNK];
	AI_TRY(plan_string(plan, &plan->head.prefix, "##"));
	plan->head.decoder_string = plan->head.prefix;
	AI_TRY(read_lines(plan, file));
	plan->has_lines = true;
	AI_TRY(add_tokens(plan, config, is_mpnet));
	return make_template(plan, is_mpnet ? 2 : 1, 1);
}

/* "a b" by line; the first line may name a version */
static AiCode
read_merge_lines(TokenizerPlan *plan, const AiTokenizerFile *file)
{
	const char *at = file->text;
	const char *end = file->text + file->len;

	while (at < end)
	{
		const char *line_end = memchr(at, '\n', (size_t) (end - at));
		size_t		len = (size_t) ((line_end == NULL ? end : line_end) - at);
		const char *space;

		if (len > 0 && at[len - 1] == '\r')
			len--;
		if (len > 0 && (len < 8 || memcmp(at, "#version", 8) != 0))
		{
			space = memchr(at, ' ', len);
			if (space == NULL)
				return ai_fail(plan->err, AI_ERR_FORMAT, "invalid merges.txt: a line is no pair");
			AI_TRY(plan_merge(plan, at, (size_t) (space - at), space + 1,
							  len - (size_t) (space + 1 - at)));
		}
		at = line_end == NULL ? end : line_end + 1;
	}
	return AI_OK;
}

AiCode
read_vocab_json(TokenizerPlan *plan, const AiTokenizerSource *source, const AiJson *config)
{
	static const char *const roberta[AI_N_SPECIAL_TOKENS] = {
		[AI_TOKEN_CLS] = "<s>",
		[AI_TOKEN_SEP] = "</s>",
		[AI_TOKEN_PAD] = "<pad>",
		[AI_TOKEN_UNK] = "<unk>",
		[AI_TOKEN_MASK] = "<mask>",
		[AI_TOKEN_BOS] = "<s>",
		[AI_TOKEN_EOS] = "</s>"
	};
	static const char *const gpt2[AI_N_SPECIAL_TOKENS] = {
		[AI_TOKEN_UNK] = "<|endoftext|>",
		[AI_TOKEN_BOS] = "<|endoftext|>",
		[AI_TOKEN_EOS] = "<|endoftext|>"
	};
	bool		is_gpt2 = is_class(config, "GPT2");
	bool		prepends = false;
	const AiJson *vocab;

	AI_TRY(parse_tokenizer_file(plan, &source->vocab_json, "vocab.json", &vocab));
	AI_TRY(read_vocab_object(plan, vocab));
	AI_TRY(read_merge_lines(plan, &source->merges));
	AI_TRY(read_bool(plan, config, "add_prefix_space", &prepends));
	default_special(plan, is_gpt2 ? gpt2 : roberta);
	plan->head.model = MODEL_BPE;
	plan->head.decoder = DECODER_BYTES;
	plan->head.split = SPLIT_BYTES;
	plan->head.split_prepends = prepends;
	plan->head.split_cuts = true;
	AI_TRY(add_tokens(plan, config, !is_gpt2));
	if (is_gpt2)
		return AI_OK;
	plan->head.trims_spans = true;
	plan->head.trim_keeps_prefix = prepends;
	return make_template(plan, 2, 0);
}
