/*-------------------------------------------------------------------------
 * test_tokenizer.c
 *		Texts become the tokens that Hugging Face's tokenizers make of them.
 *
 * test/golden/tokenizers.txt has their answers for small tokenizers of each kind;
 * make check-tokenizers compares more texts, with real tokenizers.
 */
#include "core/text/tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_golden.h"
#include "test_host.h"

#define GOLDEN "test/golden/tokenizers.txt"
#define FLAG_SPECIAL 1
#define FLAG_ONLY_FIRST 2
#define FLAG_ONLY_SECOND 4
#define MAX_LINE ((size_t) 1 << 20)

static const char *const names[] = {"bert", "roberta", "xlmr"};

/* A tokenizer and all that it needs */
typedef struct Subject
{
	AiBuf		block;
	AiTokenizer tokenizer;
	AiTokenizerScratch *scratch;
} Subject;

static char *
read_file(const char *name, size_t *len)
{
	char		path[128];
	FILE	   *file;
	char	   *text = malloc(MAX_LINE);

	snprintf(path, sizeof(path), "test/data/tokenizers/%s.json", name);
	file = fopen(path, "rb");
	if (file == NULL)
		fail_msg("cannot open %s", path);
	*len = fread(text, 1, MAX_LINE, file);
	fclose(file);
	return text;
}

static Subject
must_build(const AiTokenizerSource *source)
{
	Subject		s;
	AiError		err = {.message = ""};
	const AiHost *host = ai_malloc_host();

	ai_buf_init(&s.block, host);
	if (ai_tokenizer_build(&s.block, source, host, &err) != AI_OK ||
		ai_tokenizer_check(s.block.data, s.block.len, host, &err) != AI_OK ||
		ai_tokenizer_open(&s.tokenizer, s.block.data, s.block.len, &err) != AI_OK ||
		ai_tokenizer_scratch_create(&s.scratch, host, &err) != AI_OK)
		fail_msg("%s", err.message);
	return s;
}

static Subject
must_load(const char *name)
{
	size_t		len;
	char	   *text = read_file(name, &len);
	Subject		s = must_build(&(AiTokenizerSource) {.json = {text, len}});

	free(text);
	return s;
}

static void
drop(Subject *s)
{
	ai_tokenizer_scratch_destroy(s->scratch);
	ai_buf_free(&s->block);
}

static AiTokens
must_tokenize(const Subject *s, const char *text, size_t max_tokens)
{
	AiTokens	tokens;
	AiError		err;

	if (ai_tokenize(&s->tokenizer, s->scratch,
					&(AiTokenizeInput) {.text = text, .len = strlen(text)},
					&(AiTokenizeOptions) {
						.adds_special = true, .wants_spans = true, .max_tokens = max_tokens
					}, &tokens, &err) != AI_OK)
		fail_msg("%s", err.message);
	return tokens;
}

/* Hex digits as bytes; "-" is none of them */
static char *
unhex(const char *hex, size_t *len)
{
	char	   *bytes = malloc(strlen(hex) / 2 + 1);

	*len = 0;
	if (strcmp(hex, "-") == 0)
		return bytes;
	for (; *hex != '\0'; hex += 2)
	{
		unsigned	byte;

		assert_int_equal(sscanf(hex, "%2x", &byte), 1);
		bytes[(*len)++] = (char) byte;
	}
	return bytes;
}

static AiTokenizeOptions
options_of(size_t max_tokens, int flags)
{
	return (AiTokenizeOptions) {
		.adds_special = flags & FLAG_SPECIAL,
		.wants_spans = true,
		.truncation = flags & FLAG_ONLY_FIRST ? AI_TRUNCATE_ONLY_FIRST :
			flags & FLAG_ONLY_SECOND ? AI_TRUNCATE_ONLY_SECOND : AI_TRUNCATE_LONGEST_FIRST,
		.max_tokens = max_tokens
	};
}

/* The tokens of a line "tokens ..." and the text of the next one */
static void
check_answer(const Subject *s, const AiTokens *tokens, char *line, FILE *file)
{
	char	   *word = strtok(line + strlen("tokens"), " \n");
	AiBuf		text;
	char	   *expected;
	size_t		len;
	AiError		err;

	assert_int_equal(tokens->is_truncated, atoi(word));
	for (size_t i = 0; i < tokens->n; i++)
	{
		char		got[64];

		word = strtok(NULL, " \n");
		snprintf(got, sizeof(got), "%d:%d:%u:%u", (int) tokens->id[i], tokens->type[i],
				 (unsigned) tokens->span[i].start, (unsigned) tokens->span[i].end);
		assert_non_null(word);
		assert_string_equal(got, word);
	}
	assert_null(strtok(NULL, " \n"));

	assert_non_null(fgets(line, (int) MAX_LINE, file));
	line[strcspn(line, "\n")] = '\0';
	expected = unhex(line + strlen("text "), &len);
	ai_buf_init(&text, ai_malloc_host());
	assert_int_equal(ai_detokenize(&s->tokenizer, tokens->id, tokens->n, true, &text, &err), AI_OK);
	assert_int_equal(text.len, len);
	if (len > 0)
		assert_memory_equal(text.data, expected, len);
	ai_buf_free(&text);
	free(expected);
}

static void
check_case(const Subject *s, char *line, FILE *file)
{
	char	   *text_hex = strtok(line + strlen("case"), " ");
	char	   *pair_hex = strtok(NULL, " ");
	size_t		max_tokens = (size_t) atol(strtok(NULL, " "));
	AiTokenizeOptions options = options_of(max_tokens, atoi(strtok(NULL, " ")));
	AiTokenizeInput input = {0};
	AiTokens	tokens;
	AiError		err;
	char	   *text = unhex(text_hex, &input.len);
	char	   *pair = strcmp(pair_hex, "none") == 0 ? NULL : unhex(pair_hex, &input.pair_len);
	size_t		n_counted;
	AiCode		code;

	input.text = text;
	input.pair = pair;
	options.counts_only = true;
	code = ai_tokenize(&s->tokenizer, s->scratch, &input, &options, &tokens, &err);
	n_counted = tokens.n;
	options.counts_only = false;
	assert_int_equal(ai_tokenize(&s->tokenizer, s->scratch, &input, &options, &tokens, &err), code);
	assert_non_null(fgets(line, (int) MAX_LINE, file));
	if (code != AI_OK)
		assert_string_equal(line, "error\n");
	else
	{
		assert_int_equal(tokens.n, n_counted);
		check_answer(s, &tokens, line, file);
	}
	free(text);
	free(pair);
}

static void
answers_are_the_reference_s(void **state)
{
	FILE	   *file = fopen(GOLDEN, "r");
	char	   *line = malloc(MAX_LINE);
	Subject		s = {.scratch = NULL};
	int			n_cases = 0;

	(void) state;
	assert_non_null(file);
	while (fgets(line, (int) MAX_LINE, file) != NULL)
	{
		if (strncmp(line, "tokenizer ", 10) == 0)
		{
			line[strcspn(line, "\n")] = '\0';
			if (s.scratch != NULL)
				drop(&s);
			s = must_load(line + 10);
			continue;
		}
		check_case(&s, line, file);
		n_cases++;
	}
	assert_true(n_cases > 250);
	drop(&s);
	free(line);
	fclose(file);
}

static void
long_texts_are_cut_into_chunks_without_effect(void **state)
{
	static const char sentence[] = "Free entry, call 08712 now \xc3\xa9t\xc3\xa9 won't \xe4\xb8\xad \xef\xac\x81x  ok ";
	size_t		size = sizeof(sentence) - 1;
	size_t		n = 400;
	char	   *text = malloc(n * size + 1);

	(void) state;
	for (size_t i = 0; i < n; i++)
		memcpy(text + i * size, sentence, size);
	text[n * size] = '\0';
	for (size_t k = 0; k < 3; k++)
	{
		Subject		s = must_load(names[k]);
		AiTokens	tokens = must_tokenize(&s, text, 0);
		size_t		per_sentence = (tokens.n - 2) / n;

		/* in the middle, each sentence's tokens are those of the one before it */
		for (size_t i = 2 * per_sentence; i + 2 * per_sentence < tokens.n; i++)
		{
			assert_int_equal(tokens.id[i], tokens.id[i + per_sentence]);
			assert_int_equal(tokens.span[i].start + size, tokens.span[i + per_sentence].start);
		}
		drop(&s);
	}
	free(text);
}

static void
nothing_is_read_behind_the_limit(void **state)
{
	size_t		size = (size_t) 32 << 20;
	char	   *text = malloc(size + 1);

	(void) state;
	for (size_t i = 0; i < size; i++)
		text[i] = "some words "[i % 11];
	text[size] = '\0';
	for (size_t k = 0; k < 3; k++)
	{
		Subject		s = must_load(names[k]);
		TestHost	test;
		AiTokens	tokens;
		AiError		err;
		AiTokenizerScratch *scratch;

		test_host_init(&test, 0, 0);
		assert_int_equal(ai_tokenizer_scratch_create(&scratch, &test.host, &err), AI_OK);
		assert_int_equal(ai_tokenize(&s.tokenizer, scratch,
									 &(AiTokenizeInput) {.text = text, .len = size},
									 &(AiTokenizeOptions) {.adds_special = true, .max_tokens = 100},
									 &tokens, &err), AI_OK);
		assert_int_equal(tokens.n, 100);
		assert_true(tokens.is_truncated);
		assert_true(test.peak_bytes < 256 * 1024);
		ai_tokenizer_scratch_destroy(scratch);
		assert_int_equal(test.n_live, 0);
		drop(&s);
	}
	free(text);
}

static void
wrong_bytes_are_replacement_characters(void **state)
{
	(void) state;
	for (size_t k = 0; k < 3; k++)
	{
		Subject		s = must_load(names[k]);
		AiTokens	tokens = must_tokenize(&s, "a\xef\xbf\xbd" "b \xef\xbf\xbd\xef\xbf\xbd", 0);
		int32_t		id[64];
		size_t		n = tokens.n;

		memcpy(id, tokens.id, n * sizeof(*id));
		tokens = must_tokenize(&s, "a\xff" "b \xe4\xb8", 0);
		assert_int_equal(tokens.n, n);
		assert_memory_equal(tokens.id, id, n * sizeof(*id));
		assert_true(tokens.span[n - 2].end <= 6);
		drop(&s);
	}
}

static void
pieces_are_found_by_what_they_say(void **state)
{
	(void) state;
	for (size_t k = 0; k < 3; k++)
	{
		Subject		s = must_load(names[k]);

		for (int32_t id = 0; id < (int32_t) s.tokenizer.n_ids; id++)
		{
			size_t		len;
			const char *piece = ai_tokenizer_piece(&s.tokenizer, id, &len);
			int32_t		found;
			size_t		found_len;

			if (piece == NULL)
				continue;
			/* two ids may say the same */
			found = ai_tokenizer_find(&s.tokenizer, piece, len);
			assert_true(found >= 0);
			assert_memory_equal(ai_tokenizer_piece(&s.tokenizer, found, &found_len), piece, len);
			assert_int_equal(found_len, len);
		}
		assert_int_equal(ai_tokenizer_find(&s.tokenizer, "no such piece", 13), -1);
		assert_null(ai_tokenizer_piece(&s.tokenizer, -1, &(size_t) {0}));
		assert_null(ai_tokenizer_piece(&s.tokenizer, (int32_t) s.tokenizer.n_ids, &(size_t) {0}));
		assert_true(s.tokenizer.special[AI_TOKEN_CLS] >= 0);
		assert_true(s.tokenizer.special[AI_TOKEN_UNK] >= 0);
		drop(&s);
	}
}

static void
bert_is_read_from_vocab_text(void **state)
{
	static const char vocab[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\nwor\n##ld\n!\n";
	static const char config[] = "{\"do_lower_case\": true, \"model_max_length\": 512}";
	static const int32_t expected[] = {2, 5, 6, 7, 8, 4, 1, 3};
	Subject		s = must_build(&(AiTokenizerSource) {
		.vocab_text = {vocab, strlen(vocab)},
		.config = {config, strlen(config)}
	});
	AiTokens	tokens = must_tokenize(&s, "H\xc3\x89llo WORLD![MASK] x", 0);

	(void) state;
	assert_int_equal(tokens.n, 8);
	assert_memory_equal(tokens.id, expected, sizeof(expected));
	assert_int_equal(tokens.span[1].end, 6);
	assert_int_equal(s.tokenizer.model_max_length, 512);
	assert_int_equal(s.tokenizer.special[AI_TOKEN_PAD], 0);
	drop(&s);
}

/* texts are lower before anything else, once */
static void
lowering_is_put_first(void **state)
{
	static const char *const jsons[] = {
		"{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"[UNK]\":0,\"ab\":1,\"AB\":2,\"X\":3},\"unk_token\":"
		"\"[UNK]\"},\"pre_tokenizer\":{\"type\":\"Whitespace\"},\"normalizer\":{\"type\":\"Replace\","
		"\"pattern\":{\"String\":\"c\"},\"content\":\"X\"}}",
		"{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"[UNK]\":0,\"ab\":1,\"AB\":2,\"c\":3},\"unk_token\":"
		"\"[UNK]\"},\"pre_tokenizer\":{\"type\":\"Whitespace\"},\"normalizer\":{\"type\":\"BertNormalizer\"}}",
		"{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"[UNK]\":0,\"ab\":1,\"AB\":2,\"c\":3},\"unk_token\":"
		"\"[UNK]\"},\"pre_tokenizer\":{\"type\":\"Whitespace\"}}",
	};
	static const int32_t expected[] = {1, 3, 1};

	(void) state;
	for (int i = 0; i < 3; i++)
	{
		Subject		s = must_build(&(AiTokenizerSource) {
			.json = {jsons[i], strlen(jsons[i])}, .lowers = true
		});
		AiTokens	tokens = must_tokenize(&s, "AB C aB", 0);

		assert_int_equal(tokens.n, 3);
		assert_memory_equal(tokens.id, expected, sizeof(expected));
		drop(&s);
	}
}

static void
refuse(const char *json, AiCode code, const char *message)
{
	AiBuf		block;
	AiError		err = {.message = ""};

	ai_buf_init(&block, ai_malloc_host());
	assert_int_equal(ai_tokenizer_build(&block,
										&(AiTokenizerSource) {.json = {json, strlen(json)}},
										ai_malloc_host(), &err), code);
	assert_string_equal(err.message, message);
	ai_buf_free(&block);
}

static void
what_is_not_built_is_named(void **state)
{
	(void) state;
	refuse("{\"normalizer\": {\"type\": \"NFKC\"}}", AI_ERR_UNSUPPORTED,
		   "normalizer \"NFKC\" of a tokenizer is not supported");
	refuse("{\"pre_tokenizer\": {\"type\": \"Digits\"}}", AI_ERR_UNSUPPORTED,
		   "pre-tokenizer \"Digits\" of a tokenizer is not supported");
	refuse("{\"model\": {\"type\": \"WordLevel\"}}", AI_ERR_UNSUPPORTED,
		   "model \"WordLevel\" of a tokenizer is not supported");
	refuse("{\"model\": {\"type\": \"BPE\"}}", AI_ERR_UNSUPPORTED,
		   "model \"BPE over characters\" of a tokenizer is not supported");
	refuse("{}", AI_ERR_FORMAT, "invalid tokenizer.json: there is no model");
	refuse("[]", AI_ERR_FORMAT, "invalid tokenizer.json: it is no object");
	refuse("{\"model\": {\"vocab\": {\"a\": -1}}}", AI_ERR_FORMAT,
		   "invalid tokenizer.json: a number is missing or out of range");
	refuse("{\"model\": {\"vocab\": {\"a\": 1, \"b\": 1}}}", AI_ERR_FORMAT,
		   "invalid vocabulary: two pieces have number 1");
	refuse("{\"model\": {\"vocab\": {\"a\": 4194304}}}", AI_ERR_FORMAT,
		   "invalid tokenizer.json: a number is missing or out of range");
	refuse("{\"model\": {\"vocab\": {\"a\": 1}, \"unk_token\": \"b\"}}", AI_ERR_FORMAT,
		   "invalid tokenizer: the unknown token is not in the vocabulary");
}

static void
limits_without_room_are_refused(void **state)
{
	Subject		s = must_load("bert");
	AiTokens	tokens;
	AiError		err;
	AiTokenizeInput input = {.text = "a b", .len = 3, .pair = "c d", .pair_len = 3};

	(void) state;
	assert_int_equal(ai_tokenize(&s.tokenizer, s.scratch, &input,
								 &(AiTokenizeOptions) {.adds_special = true, .max_tokens = 2},
								 &tokens, &err), AI_ERR_PARAM);
	assert_string_equal(err.message, "limit of 2 tokens has no room for a text");
	assert_int_equal(ai_tokenize(&s.tokenizer, s.scratch, &input,
								 &(AiTokenizeOptions) {
									 .max_tokens = 1, .truncation = AI_TRUNCATE_ONLY_FIRST
								 }, &tokens, &err), AI_ERR_PARAM);
	assert_string_equal(err.message, "text that may be truncated is too short");
	drop(&s);
}

/* Damage is refused, or does no harm: the sanitizers watch. */
static void
damaged_blocks_do_no_harm(void **state)
{
	(void) state;
	for (size_t k = 0; k < 3; k++)
	{
		Subject		s = must_load(names[k]);
		uint8_t    *block = s.block.data;
		size_t		size = s.block.len;
		uint64_t	random = 1;
		AiError		err;

		for (size_t cut = 0; cut < size; cut += 997)
			assert_int_not_equal(ai_tokenizer_check(block, cut, ai_malloc_host(), &err), AI_OK);
		for (int i = 0; i < 3000; i++)
		{
			size_t		at;
			uint8_t		before;
			AiTokens	tokens;

			random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
			at = (size_t) (random >> 33) % (i % 2 == 0 ? 4096 : size);
			before = block[at];
			block[at] = (uint8_t) (random >> 20);
			if (ai_tokenizer_check(block, size, ai_malloc_host(), &err) == AI_OK)
				ai_tokenize(&s.tokenizer, s.scratch,
							&(AiTokenizeInput) {.text = "Hello W\xc3\xb6rld, call <mask> 1", .len = 27},
							&(AiTokenizeOptions) {.adds_special = true, .wants_spans = true},
							&tokens, &err);
			block[at] = before;
		}
		drop(&s);
	}
}

static AiCode
build_and_use(const AiHost *host, void *arg, AiError *err)
{
	const AiTokenizerSource *source = arg;
	AiBuf		block;
	AiTokenizer tokenizer;
	AiTokenizerScratch *scratch = NULL;
	AiTokens	tokens;
	AiCode		code;

	ai_buf_init(&block, host);
	code = ai_tokenizer_build(&block, source, host, err);
	if (code == AI_OK)
		code = ai_tokenizer_open(&tokenizer, block.data, block.len, err);
	if (code == AI_OK)
		code = ai_tokenizer_scratch_create(&scratch, host, err);
	if (code == AI_OK)
		code = ai_tokenize(&tokenizer, scratch, &(AiTokenizeInput) {.text = "h\xc3\xa9llo x", .len = 8},
						   &(AiTokenizeOptions) {.adds_special = true, .wants_spans = true},
						   &tokens, err);
	ai_tokenizer_scratch_destroy(scratch);
	ai_buf_free(&block);
	return code;
}

static void
memory_that_ends_is_told(void **state)
{
	static const char vocab[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\n";
	AiTokenizerSource source = {.vocab_text = {vocab, strlen(vocab)}};

	(void) state;
	test_every_failed_alloc(build_and_use, &source);
}

typedef struct LongText
{
	AiTokenizer tokenizer;
	const char *unit;
} LongText;

static AiCode
tokenize_long(const AiHost *host, void *arg, AiError *err)
{
	const LongText *l = arg;
	size_t		unit_len = strlen(l->unit);
	size_t		len = 300000 / unit_len * unit_len;
	char	   *text = malloc(len);
	AiTokenizerScratch *scratch = NULL;
	AiTokens	tokens;
	AiCode		code;

	for (size_t at = 0; at < len; at += unit_len)
		memcpy(text + at, l->unit, unit_len);
	code = ai_tokenizer_scratch_create(&scratch, host, err);
	if (code == AI_OK)
		code = ai_tokenize(&l->tokenizer, scratch, &(AiTokenizeInput) {.text = text, .len = len},
						   &(AiTokenizeOptions) {.counts_only = true}, &tokens, err);
	ai_tokenizer_scratch_destroy(scratch);
	free(text);
	return code;
}

static void
long_texts_can_be_stopped(void **state)
{
	(void) state;
	for (int i = 0; i < 3; i++)
	{
		Subject		s = must_load(names[i]);

		test_every_stop(tokenize_long, &(LongText) {s.tokenizer, "word "});
		if (i > 0)
			test_every_stop(tokenize_long, &(LongText) {s.tokenizer, "the"});
		drop(&s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_the_reference_s),
		cmocka_unit_test(long_texts_are_cut_into_chunks_without_effect),
		cmocka_unit_test(nothing_is_read_behind_the_limit),
		cmocka_unit_test(wrong_bytes_are_replacement_characters),
		cmocka_unit_test(pieces_are_found_by_what_they_say),
		cmocka_unit_test(bert_is_read_from_vocab_text),
		cmocka_unit_test(lowering_is_put_first),
		cmocka_unit_test(what_is_not_built_is_named),
		cmocka_unit_test(limits_without_room_are_refused),
		cmocka_unit_test(damaged_blocks_do_no_harm),
		cmocka_unit_test(memory_that_ends_is_told),
		cmocka_unit_test(long_texts_can_be_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
