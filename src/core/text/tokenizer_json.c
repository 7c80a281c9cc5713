/*-------------------------------------------------------------------------
 * tokenizer_json.c
 *		Reading tokenizer.json.
 *
 * Each part of the pipeline is an object with a type, and known members that may be
 * missing.  What is not built is named, never passed over: one step left out would give
 * other ids.
 *-------------------------------------------------------------------------
 */
#include "core/text/tokenizer_build.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static AiCode
damaged(TokenizerPlan *plan, const char *what)
{
	return ai_fail(plan->err, AI_ERR_FORMAT, "invalid tokenizer.json: %s", what);
}

static AiCode
unsupported(TokenizerPlan *plan, const char *part, const char *name)
{
	return ai_fail(plan->err, AI_ERR_UNSUPPORTED, "%s \"%.100s\" of a tokenizer is not supported",
				   part, name);
}

/* Unchanged where there is no such member */
AiCode
read_bool(TokenizerPlan *plan, const AiJson *object, const char *key, bool *value)
{
	const AiJson *member = ai_json_member(object, key);

	if (member == NULL || member->kind == AI_JSON_NULL)
		return AI_OK;
	if (member->kind != AI_JSON_BOOL)
	{
		ai_fail(plan->err, AI_ERR_FORMAT, "invalid tokenizer: \"%s\" must be true or false", key);
		return AI_ERR_FORMAT;
	}
	*value = member->truth;
	return AI_OK;
}

static AiCode
read_string(TokenizerPlan *plan, const AiJson *object, const char *key, const char **value)
{
	const AiJson *member = ai_json_member(object, key);

	*value = NULL;
	if (member == NULL || member->kind == AI_JSON_NULL)
		return AI_OK;
	if (member->kind != AI_JSON_STRING)
		return damaged(plan, "a string is expected");
	*value = member->string;
	return AI_OK;
}

static bool
is_nothing(const AiJson *value)
{
	return value == NULL || value->kind == AI_JSON_NULL;
}

static AiCode
type_of(TokenizerPlan *plan, const AiJson *part, const char **type)
{
	AI_TRY(read_string(plan, part, "type", type));
	return *type == NULL ? damaged(plan, "a part has no type") : AI_OK;
}

static AiCode
read_u32(TokenizerPlan *plan, const AiJson *value, uint32_t max, uint32_t *number)
{
	if (value == NULL || value->kind != AI_JSON_NUMBER || !(value->number >= 0) ||
		value->number > max || value->number != (double) (uint32_t) value->number)
		return damaged(plan, "a number is missing or out of range");
	*number = (uint32_t) value->number;
	return AI_OK;
}

static AiCode
read_id(TokenizerPlan *plan, const AiJson *value, uint32_t *id)
{
	return read_u32(plan, value, AI_TOKENIZER_MAX_IDS - 1, id);
}

/*
 * A part, or those of a sequence in their order.  A sequence within one is read, too, but
 * no deeper.
 */
static AiCode
read_sequence(TokenizerPlan *plan, const AiJson *part, const char *key, int depth,
			  AiCode (*read) (TokenizerPlan *plan, const AiJson *part))
{
	const char *type;
	const AiJson *list;

	if (is_nothing(part))
		return AI_OK;
	AI_TRY(type_of(plan, part, &type));
	if (strcmp(type, "Sequence") != 0)
		return read(plan, part);
	list = ai_json_member(part, key);
	if (list == NULL || list->kind != AI_JSON_ARRAY || depth > 1)
		return damaged(plan, "a sequence has no list");
	for (int i = 0; i < list->n; i++)
		AI_TRY(read_sequence(plan, &list->items[i], key, depth + 1, read));
	return AI_OK;
}

static AiCode
read_flag(TokenizerPlan *plan, const AiJson *object, const char *key, bool value, uint32_t flag,
		  uint32_t *flags)
{
	AI_TRY(read_bool(plan, object, key, &value));
	*flags = value ? *flags | flag : *flags & ~flag;
	return AI_OK;
}

static AiCode
read_bert_normalizer(TokenizerPlan *plan, const AiJson *part)
{
	NormalizeStep step = {.kind = STEP_BERT};

	for (uint32_t i = 0; i < plan->head.n_steps; i++)
	{
		if (plan->head.step[i].kind == STEP_BERT)
			return unsupported(plan, "second normalizer", "BertNormalizer");
	}
	AI_TRY(read_flag(plan, part, "clean_text", true, BERT_CLEANS, &step.flags));
	AI_TRY(read_flag(plan, part, "handle_chinese_chars", true, BERT_SPACES_IDEOGRAPHS, &step.flags));
	AI_TRY(read_flag(plan, part, "lowercase", true, BERT_LOWERS, &step.flags));
	AI_TRY(read_flag(plan, part, "strip_accents", (step.flags & BERT_LOWERS) != 0,
					 BERT_STRIPS_ACCENTS, &step.flags));
	return plan_step(plan, step);
}

static AiCode
read_normalizer(TokenizerPlan *plan, const AiJson *part)
{
	const char *type;

	AI_TRY(type_of(plan, part, &type));
	if (strcmp(type, "BertNormalizer") == 0)
		return read_bert_normalizer(plan, part);
	return unsupported(plan, "normalizer", type);
}

static AiCode
read_byte_level(TokenizerPlan *plan, const AiJson *part)
{
	bool		prepends = true;
	bool		cuts = true;

	AI_TRY(read_bool(plan, part, "add_prefix_space", &prepends));
	AI_TRY(read_bool(plan, part, "use_regex", &cuts));
	plan->head.split = SPLIT_BYTES;
	plan->head.split_prepends = prepends;
	plan->head.split_cuts = cuts;
	return AI_OK;
}

static AiCode
read_pre_tokenizer(TokenizerPlan *plan, const AiJson *part)
{
	AiTokenizerHead *head = &plan->head;
	const char *type;

	AI_TRY(type_of(plan, part, &type));
	if (head->split != SPLIT_NONE)
		return unsupported(plan, "second pre-tokenizer", type);
	if (strcmp(type, "BertPreTokenizer") == 0)
		head->split = SPLIT_BERT;
	else if (strcmp(type, "Whitespace") == 0)
		head->split = SPLIT_WORDS;
	else if (strcmp(type, "WhitespaceSplit") == 0)
		head->split = SPLIT_SPACES;
	else if (strcmp(type, "ByteLevel") == 0)
		return read_byte_level(plan, part);
	else
		return unsupported(plan, "pre-tokenizer", type);
	return AI_OK;
}

/* An object of pieces and their ids */
static AiCode
read_vocab_object(TokenizerPlan *plan, const AiJson *vocab)
{
	if (vocab == NULL || vocab->kind != AI_JSON_OBJECT || vocab->n == 0)
		return damaged(plan, "there is no vocabulary");
	for (int i = 0; i < vocab->n; i++)
	{
		uint32_t	id = 0;

		AI_TRY(read_id(plan, &vocab->items[i], &id));
		AI_TRY(plan_piece(plan, vocab->items[i].key, strlen(vocab->items[i].key), id));
	}
	return AI_OK;
}

static AiCode
read_wordpiece(TokenizerPlan *plan, const AiJson *model)
{
	const char *prefix;

	plan->head.model = MODEL_WORDPIECE;
	plan->head.max_chars = 100;
	AI_TRY(read_vocab_object(plan, ai_json_member(model, "vocab")));
	AI_TRY(read_string(plan, model, "unk_token", &plan->unk));
	AI_TRY(read_string(plan, model, "continuing_subword_prefix", &prefix));
	if (!is_nothing(ai_json_member(model, "max_input_chars_per_word")))
		AI_TRY(read_u32(plan, ai_json_member(model, "max_input_chars_per_word"), INT32_MAX,
						&plan->head.max_chars));
	return plan_string(plan, &plan->head.prefix, prefix == NULL ? "##" : prefix);
}

/* ["a", "b"], or "a b" */
static AiCode
read_merge(TokenizerPlan *plan, const AiJson *merge)
{
	const char *left;
	const char *right;
	size_t		left_len;

	if (merge->kind == AI_JSON_ARRAY && merge->n == 2 &&
		merge->items[0].kind == AI_JSON_STRING && merge->items[1].kind == AI_JSON_STRING)
	{
		left = merge->items[0].string;
		left_len = strlen(left);
		right = merge->items[1].string;
	}
	else if (merge->kind == AI_JSON_STRING && strchr(merge->string, ' ') != NULL)
	{
		left = merge->string;
		right = strchr(left, ' ') + 1;
		left_len = (size_t) (right - left) - 1;
	}
	else
		return damaged(plan, "a merge is no pair");
	return plan_merge(plan, left, left_len, right, strlen(right));
}

/* Members that change a byte pair encoding, and must not be there */
static AiCode
refuse_bpe_options(TokenizerPlan *plan, const AiJson *model)
{
	static const char *const affixes[] = {"continuing_subword_prefix", "end_of_word_suffix"};
	const AiJson *dropout = ai_json_member(model, "dropout");
	bool		falls_back = false;

	for (size_t i = 0; i < COUNT(affixes); i++)
	{
		const char *affix;

		AI_TRY(read_string(plan, model, affixes[i], &affix));
		if (affix != NULL && affix[0] != '\0')
			return unsupported(plan, "option of BPE", affixes[i]);
	}
	AI_TRY(read_bool(plan, model, "byte_fallback", &falls_back));
	if (falls_back)
		return unsupported(plan, "option of BPE", "byte_fallback");
	if (!is_nothing(dropout) && (dropout->kind != AI_JSON_NUMBER || dropout->number != 0))
		return unsupported(plan, "option of BPE", "dropout");
	return AI_OK;
}

static AiCode
read_bpe(TokenizerPlan *plan, const AiJson *model)
{
	const AiJson *merges = ai_json_member(model, "merges");

	plan->head.model = MODEL_BPE;
	if (plan->head.split != SPLIT_BYTES)
		return unsupported(plan, "model", "BPE over characters");
	AI_TRY(refuse_bpe_options(plan, model));
	AI_TRY(read_flag(plan, model, "fuse_unk", false, 1, &plan->head.bpe_fuses_unk));
	AI_TRY(read_flag(plan, model, "ignore_merges", false, 1, &plan->head.bpe_ignores_merges));
	AI_TRY(read_string(plan, model, "unk_token", &plan->unk));
	AI_TRY(read_vocab_object(plan, ai_json_member(model, "vocab")));
	if (merges == NULL || merges->kind != AI_JSON_ARRAY)
		return damaged(plan, "there are no merges");
	for (int i = 0; i < merges->n; i++)
		AI_TRY(read_merge(plan, &merges->items[i]));
	return AI_OK;
}

static AiCode
read_model(TokenizerPlan *plan, const AiJson *model)
{
	const char *type;

	if (is_nothing(model))
		return damaged(plan, "there is no model");
	AI_TRY(read_string(plan, model, "type", &type));
	if (type == NULL || strcmp(type, "WordPiece") == 0)
		return read_wordpiece(plan, model);
	if (strcmp(type, "BPE") == 0)
		return read_bpe(plan, model);
	return unsupported(plan, "model", type);
}

AiCode
read_added_token(TokenizerPlan *plan, const AiJson *token)
{
	const char *content;
	uint32_t	flags = 0;

	AI_TRY(read_string(plan, token, "content", &content));
	if (content == NULL)
		return damaged(plan, "an added token has no content");
	AI_TRY(read_flag(plan, token, "special", false, ADDED_SPECIAL, &flags));
	AI_TRY(read_flag(plan, token, "single_word", false, ADDED_SINGLE_WORD, &flags));
	AI_TRY(read_flag(plan, token, "lstrip", false, ADDED_LSTRIP, &flags));
	AI_TRY(read_flag(plan, token, "rstrip", false, ADDED_RSTRIP, &flags));
	AI_TRY(read_flag(plan, token, "normalized", !(flags & ADDED_SPECIAL), ADDED_NORMALIZED, &flags));
	return plan_added(plan, content, flags);
}

static AiCode
read_added_tokens(TokenizerPlan *plan, const AiJson *list)
{
	if (is_nothing(list))
		return AI_OK;
	if (list->kind != AI_JSON_ARRAY)
		return damaged(plan, "added tokens are no list");
	for (int i = 0; i < list->n; i++)
		AI_TRY(read_added_token(plan, &list->items[i]));
	return AI_OK;
}

/* The ids that a name in a template stands for */
static AiCode
read_template_token(TokenizerPlan *plan, const AiJson *special, const char *name, uint32_t type)
{
	const AiJson *ids = ai_json_member(ai_json_member(special, name), "ids");

	if (ids == NULL || ids->kind != AI_JSON_ARRAY)
		return damaged(plan, "a token of the template is missing");
	for (int i = 0; i < ids->n; i++)
	{
		uint32_t	id = 0;

		AI_TRY(read_id(plan, &ids->items[i], &id));
		AI_TRY(plan_part(plan, (int32_t) id, type));
	}
	return AI_OK;
}

static AiCode
read_template_part(TokenizerPlan *plan, const AiJson *part, const AiJson *special)
{
	const AiJson *token = ai_json_member(part, "SpecialToken");
	const AiJson *text = ai_json_member(part, "Sequence");
	const AiJson *member = token != NULL ? token : text;
	const AiJson *type = ai_json_member(member, "type_id");
	const char *id;
	uint32_t	type_id = 0;

	AI_TRY(read_string(plan, member, "id", &id));
	if (id == NULL)
		return damaged(plan, "a part of the template has no name");
	if (type != NULL)
		AI_TRY(read_u32(plan, type, UINT8_MAX, &type_id));
	if (token != NULL)
		return read_template_token(plan, special, id, type_id);
	return plan_part(plan, strcmp(id, "B") == 0 ? TEMPLATE_SECOND : TEMPLATE_FIRST, type_id);
}

static AiCode
read_template(TokenizerPlan *plan, const AiJson *part)
{
	const AiJson *special = ai_json_member(part, "special_tokens");
	static const char *const keys[] = {"single", "pair"};

	for (size_t k = 0; k < COUNT(keys); k++)
	{
		const AiJson *list = ai_json_member(part, keys[k]);

		if (list == NULL || list->kind != AI_JSON_ARRAY || list->n > 64)
			return damaged(plan, "a template is no list");
		for (int i = 0; i < list->n; i++)
			AI_TRY(read_template_part(plan, &list->items[i], special));
		if (k == 0)
			plan->head.n_single = (uint32_t) (plan->parts.len / sizeof(TemplatePart));
	}
	plan->head.n_pair = (uint32_t) (plan->parts.len / sizeof(TemplatePart)) - plan->head.n_single;
	return AI_OK;
}

/* ["[SEP]", 102] */
static AiCode
read_named_id(TokenizerPlan *plan, const AiJson *pair, uint32_t *id)
{
	if (pair == NULL || pair->kind != AI_JSON_ARRAY || pair->n != 2)
		return damaged(plan, "a special token has no id");
	return read_id(plan, &pair->items[1], id);
}

/* [CLS] A [SEP] B [SEP], or with two [SEP] between as RoBERTa has them */
static AiCode
read_fixed_template(TokenizerPlan *plan, const AiJson *part, bool is_roberta)
{
	uint32_t	cls = 0;
	uint32_t	sep = 0;
	uint32_t	second = is_roberta ? 0 : 1;

	AI_TRY(read_named_id(plan, ai_json_member(part, "cls"), &cls));
	AI_TRY(read_named_id(plan, ai_json_member(part, "sep"), &sep));
	for (int is_pair = 0; is_pair < 2; is_pair++)
	{
		AI_TRY(plan_part(plan, (int32_t) cls, 0));
		AI_TRY(plan_part(plan, TEMPLATE_FIRST, 0));
		AI_TRY(plan_part(plan, (int32_t) sep, 0));
	}
	if (is_roberta)
		AI_TRY(plan_part(plan, (int32_t) sep, 0));
	AI_TRY(plan_part(plan, TEMPLATE_SECOND, second));
	AI_TRY(plan_part(plan, (int32_t) sep, second));
	plan->head.n_single = 3;
	plan->head.n_pair = is_roberta ? 6 : 5;
	return AI_OK;
}

static AiCode
read_trimming(TokenizerPlan *plan, const AiJson *part)
{
	bool		trims = true;
	bool		keeps_prefix = true;

	AI_TRY(read_bool(plan, part, "trim_offsets", &trims));
	AI_TRY(read_bool(plan, part, "add_prefix_space", &keeps_prefix));
	if (trims && plan->head.trims_spans)
		return unsupported(plan, "second post-processor", "ByteLevel");
	if (trims)
	{
		plan->head.trims_spans = true;
		plan->head.trim_keeps_prefix = keeps_prefix;
	}
	return AI_OK;
}

static AiCode
read_post_processor(TokenizerPlan *plan, const AiJson *part)
{
	const char *type;

	AI_TRY(type_of(plan, part, &type));
	if (strcmp(type, "ByteLevel") == 0)
		return read_trimming(plan, part);
	if (plan->parts.len > 0)
		return unsupported(plan, "second post-processor", type);
	if (strcmp(type, "TemplateProcessing") == 0)
		return read_template(plan, part);
	if (strcmp(type, "BertProcessing") == 0)
		return read_fixed_template(plan, part, false);
	if (strcmp(type, "RobertaProcessing") == 0)
	{
		AI_TRY(read_trimming(plan, part));
		return read_fixed_template(plan, part, true);
	}
	return unsupported(plan, "post-processor", type);
}

static AiCode
read_decoder(TokenizerPlan *plan, const AiJson *part)
{
	const char *type;
	const char *prefix;
	bool		cleans = true;

	if (is_nothing(part))
		return AI_OK;
	AI_TRY(type_of(plan, part, &type));
	if (strcmp(type, "WordPiece") == 0)
	{
		plan->head.decoder = DECODER_WORDPIECE;
		AI_TRY(read_bool(plan, part, "cleanup", &cleans));
		plan->head.decoder_flag = cleans;
		AI_TRY(read_string(plan, part, "prefix", &prefix));
		return plan_string(plan, &plan->head.decoder_string, prefix == NULL ? "##" : prefix);
	}
	if (strcmp(type, "ByteLevel") == 0)
	{
		plan->head.decoder = DECODER_BYTES;
		return AI_OK;
	}
	return unsupported(plan, "decoder", type);
}

AiCode
read_tokenizer_json(TokenizerPlan *plan, const AiTokenizerFile *file)
{
	const AiJson *root;

	AI_TRY(ai_json_parse_large(&root, plan->arena, file->text, file->len, plan->err));
	if (root->kind != AI_JSON_OBJECT)
		return damaged(plan, "it is no object");
	AI_TRY(read_sequence(plan, ai_json_member(root, "normalizer"), "normalizers", 0, read_normalizer));
	AI_TRY(read_sequence(plan, ai_json_member(root, "pre_tokenizer"), "pretokenizers", 0,
						 read_pre_tokenizer));
	AI_TRY(read_model(plan, ai_json_member(root, "model")));
	AI_TRY(read_added_tokens(plan, ai_json_member(root, "added_tokens")));
	AI_TRY(read_sequence(plan, ai_json_member(root, "post_processor"), "processors", 0,
						 read_post_processor));
	return read_decoder(plan, ai_json_member(root, "decoder"));
}
