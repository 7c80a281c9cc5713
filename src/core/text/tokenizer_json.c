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

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN_PENALTY 10.0	/* of Unigram, SentencePiece's */

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

static int
base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *place = c == '\0' ? NULL : strchr(digits, c);

	return place == NULL ? -1 : (int) (place - digits);
}

/* Base64 of: the size of an array of numbers, these, and a text */
static AiCode
read_charsmap(TokenizerPlan *plan, const AiJson *part)
{
	const char *text;
	uint8_t    *bytes;
	size_t		n = 0;
	uint32_t	bits = 0;
	uint32_t	size;

	AI_TRY(read_string(plan, part, "precompiled_charsmap", &text));
	if (text == NULL || text[0] == '\0')
		return AI_OK;
	if (plan->charsmap.len > 0)
		return unsupported(plan, "second normalizer", "Precompiled");
	bytes = ai_arena_alloc(plan->arena, strlen(text));
	if (bytes == NULL)
		return ai_out_of_memory(plan->err, strlen(text), "a map of characters");
	for (size_t i = 0; text[i] != '\0' && text[i] != '='; i++)
	{
		int			digit = base64_digit(text[i]);

		if (digit < 0)
			return damaged(plan, "the map of characters is not Base64");
		bits = bits << 6 | (uint32_t) digit;
		if (i % 4 != 0)
			bytes[n++] = (uint8_t) (bits >> (6 - 2 * (i % 4)));
	}
	if (n < sizeof(size))
		return damaged(plan, "the map of characters is cut");
	memcpy(&size, bytes, sizeof(size));
	if (size > n - sizeof(size) || size % sizeof(uint32_t) != 0)
		return damaged(plan, "the map of characters is cut");
	AI_TRY(ai_buf_append(&plan->charsmap, bytes + sizeof(size), size, plan->err));
	AI_TRY(ai_buf_append(&plan->charsmap_text, bytes + sizeof(size) + size,
						 n - sizeof(size) - size, plan->err));
	return plan_step(plan, (NormalizeStep) {.kind = STEP_CHARSMAP});
}

static AiCode
read_strip(TokenizerPlan *plan, const AiJson *part)
{
	NormalizeStep step = {.kind = STEP_STRIP};

	AI_TRY(read_flag(plan, part, "strip_left", true, STRIP_LEFT, &step.flags));
	AI_TRY(read_flag(plan, part, "strip_right", true, STRIP_RIGHT, &step.flags));
	return plan_step(plan, step);
}

/* A string, or of regular expressions the one that SentencePiece's converters write: "X{2,}" */
static AiCode
read_replace(TokenizerPlan *plan, const AiJson *part)
{
	static const char repeated[] = "{2,}";
	NormalizeStep step = {.kind = STEP_REPLACE};
	const AiJson *pattern = ai_json_member(part, "pattern");
	const char *string;
	const char *content;

	AI_TRY(read_string(plan, pattern, "String", &string));
	AI_TRY(read_string(plan, part, "content", &content));
	if (content == NULL)
		return damaged(plan, "a replacement is missing");
	if (string == NULL)
	{
		AI_TRY(read_string(plan, pattern, "Regex", &string));
		if (string == NULL || string[0] != ' ' || strcmp(string + 1, repeated) != 0)
			return unsupported(plan, "pattern", string == NULL ? "" : string);
		step.flags = REPLACE_RUNS;
		string = " ";
	}
	AI_TRY(plan_string(plan, &step.pattern, string));
	AI_TRY(plan_string(plan, &step.content, content));
	return plan_step(plan, step);
}

static AiCode
read_prepend(TokenizerPlan *plan, const AiJson *part)
{
	NormalizeStep step = {.kind = STEP_PREPEND};
	const char *content;

	AI_TRY(read_string(plan, part, "prepend", &content));
	if (content == NULL)
		return damaged(plan, "what is prepended is missing");
	AI_TRY(plan_string(plan, &step.content, content));
	return plan_step(plan, step);
}

static AiCode
read_normalizer(TokenizerPlan *plan, const AiJson *part)
{
	const char *type;

	AI_TRY(type_of(plan, part, &type));
	if (strcmp(type, "BertNormalizer") == 0)
		return read_bert_normalizer(plan, part);
	if (strcmp(type, "Precompiled") == 0)
		return read_charsmap(plan, part);
	if (strcmp(type, "Lowercase") == 0)
		return plan_step(plan, (NormalizeStep) {.kind = STEP_LOWER});
	if (strcmp(type, "StripAccents") == 0)
		return plan_step(plan, (NormalizeStep) {.kind = STEP_STRIP_ACCENTS});
	if (strcmp(type, "Nmt") == 0)
		return plan_step(plan, (NormalizeStep) {.kind = STEP_NMT});
	if (strcmp(type, "Strip") == 0)
		return read_strip(plan, part);
	if (strcmp(type, "Replace") == 0)
		return read_replace(plan, part);
	if (strcmp(type, "Prepend") == 0)
		return read_prepend(plan, part);
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

/* Where SentencePiece's mark stands, and which character it is */
static AiCode
read_meta(TokenizerPlan *plan, const AiJson *part, uint32_t *prepends, StoredString *mark)
{
	static const char *const schemes[N_PREPEND_KINDS] = {
		[PREPEND_ALWAYS] = "always",
		[PREPEND_FIRST] = "first",
		[PREPEND_NEVER] = "never"
	};
	const char *scheme;
	const char *replacement;
	uint32_t	code;
	bool		has_prefix = true;

	AI_TRY(read_string(plan, part, "prepend_scheme", &scheme));
	AI_TRY(read_string(plan, part, "replacement", &replacement));
	AI_TRY(read_bool(plan, part, "add_prefix_space", &has_prefix));
	*prepends = PREPEND_ALWAYS;
	while (scheme != NULL && *prepends < N_PREPEND_KINDS && strcmp(scheme, schemes[*prepends]) != 0)
		(*prepends)++;
	if (*prepends == N_PREPEND_KINDS)
		return unsupported(plan, "prepend_scheme", scheme);
	if (!has_prefix)
		*prepends = PREPEND_NEVER;
	if (replacement == NULL || replacement[0] == '\0' ||
		ai_utf8_decode(&code, replacement, strlen(replacement)) != strlen(replacement))
		return damaged(plan, "the mark of spaces is no character");
	return plan_string(plan, mark, replacement);
}

static AiCode
read_metaspace(TokenizerPlan *plan, const AiJson *part)
{
	AiTokenizerHead *head = &plan->head;
	bool		cuts = true;

	head->split_spaces_first = head->split == SPLIT_SPACES;
	head->split = SPLIT_META;
	AI_TRY(read_bool(plan, part, "split", &cuts));
	head->split_cuts = cuts;
	return read_meta(plan, part, &head->split_prepends, &head->mark);
}

static AiCode
read_pre_tokenizer(TokenizerPlan *plan, const AiJson *part)
{
	AiTokenizerHead *head = &plan->head;
	const char *type;

	AI_TRY(type_of(plan, part, &type));
	if (strcmp(type, "Metaspace") == 0 && (head->split == SPLIT_NONE || head->split == SPLIT_SPACES))
		return read_metaspace(plan, part);
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
AiCode
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

/* The nearest number, 0 to 308 */
static double
power_of_ten(int exponent)
{
	char		text[8];

	snprintf(text, sizeof(text), "1e%d", exponent);
	return strtod(text, NULL);
}

/*
 * A score as the reference reads it: its digits as one whole number, divided by a power of
 * ten, which may be off by the last bit.  That decides between ways of equal score.  The
 * digits are taken to be the fewest that tell the number, as all writers of JSON put them.
 */
static double
reference_score(double number)
{
	char		text[40];
	int			precision = 14;
	uint64_t	digits = 0;
	int			exponent;

	do
		snprintf(text, sizeof(text), "%.*e", precision, fabs(number));
	while (precision++ < 16 && strtod(text, NULL) != fabs(number));
	exponent = atoi(strchr(text, 'e') + 1) + 1;
	for (char *c = strchr(text, 'e') - 1; c > text && *c == '0'; c--)
		*c = 'e';
	for (const char *c = text; *c != 'e'; c++)
	{
		if (*c == '.')
			continue;
		digits = digits * 10 + (uint64_t) (*c - '0');
		exponent--;
	}
	if (exponent < -300 || exponent > 300)
		return number;
	return copysign(exponent < 0 ? (double) digits / power_of_ten(-exponent) :
					(double) digits * power_of_ten(exponent), number);
}

static AiCode
read_unigram(TokenizerPlan *plan, const AiJson *model)
{
	const AiJson *vocab = ai_json_member(model, "vocab");
	const AiJson *unk = ai_json_member(model, "unk_id");
	double		least = INFINITY;

	plan->head.model = MODEL_UNIGRAM;
	if (vocab == NULL || vocab->kind != AI_JSON_ARRAY || vocab->n == 0)
		return damaged(plan, "there is no vocabulary");
	for (int i = 0; i < vocab->n; i++)
	{
		const AiJson *pair = &vocab->items[i];
		const char *piece;
		double		score;

		if (pair->kind != AI_JSON_ARRAY || pair->n != 2 || pair->items[0].kind != AI_JSON_STRING ||
			pair->items[1].kind != AI_JSON_NUMBER)
			return damaged(plan, "a piece has no score");
		piece = pair->items[0].string;
		AI_TRY(plan_piece(plan, piece, strlen(piece), (uint32_t) i));
		score = reference_score(pair->items[1].number);
		AI_TRY(ai_buf_append(&plan->scores, &score, sizeof(score), plan->err));
		if (score < least)
			least = score;
	}
	plan->head.unk_score = least - UNKNOWN_PENALTY;
	if (!is_nothing(unk))
	{
		AI_TRY(read_u32(plan, unk, (uint32_t) vocab->n - 1, &plan->head.unk_id));
		plan->head.has_unk = true;
	}
	return read_flag(plan, model, "byte_fallback", false, 1, &plan->head.unigram_falls_back);
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
	if (strcmp(type, "Unigram") == 0)
		return read_unigram(plan, model);
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
	if (strcmp(type, "Metaspace") == 0)
	{
		plan->head.decoder = DECODER_META;
		return read_meta(plan, part, &plan->head.decoder_flag, &plan->head.decoder_string);
	}
	return unsupported(plan, "decoder", type);
}

AiCode
read_tokenizer_json(TokenizerPlan *plan, const AiTokenizerFile *file)
{
	const AiJson *root;

	AI_TRY(parse_tokenizer_file(plan, file, "tokenizer.json", &root));
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
