/*-------------------------------------------------------------------------
 * test_chunks.c
 *		Chunks of a text fit, are cut where the text allows it, and lose nothing.
 */
#include "core/model/chunks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "core/base/utf8.h"
#include "core/text/breaks.h"
#include "test_host.h"

#define MAX_FILE ((size_t) 1 << 20)

static const char *const names[] = {"bert", "roberta", "xlmr"};

/* Kept for all tests */
static AiBuf blocks[3];
static AiTokenizerScratch *scratch;

static int
load_tokenizers(void **state)
{
	char	   *text = malloc(MAX_FILE);
	AiError		err;

	(void) state;
	assert_int_equal(ai_tokenizer_scratch_create(&scratch, ai_malloc_host(), &err), AI_OK);
	for (int i = 0; i < 3; i++)
	{
		char		path[128];
		FILE	   *file;
		AiTokenizerSource source = {0};

		snprintf(path, sizeof(path), "test/data/tokenizers/%s.json", names[i]);
		file = fopen(path, "rb");
		if (file == NULL)
			fail_msg("cannot open %s", path);
		source.json = (AiTokenizerFile) {text, fread(text, 1, MAX_FILE, file)};
		fclose(file);
		ai_buf_init(&blocks[i], ai_malloc_host());
		if (ai_tokenizer_build(&blocks[i], &source, ai_malloc_host(), &err) != AI_OK)
			fail_msg("%s", err.message);
	}
	free(text);
	return 0;
}

static int
drop_tokenizers(void **state)
{
	(void) state;
	ai_tokenizer_scratch_destroy(scratch);
	for (int i = 0; i < 3; i++)
		ai_buf_free(&blocks[i]);
	return 0;
}

static AiTokenizer
tokenizer_of(int i)
{
	AiTokenizer tokenizer;
	AiError		err;

	assert_int_equal(ai_tokenizer_open(&tokenizer, blocks[i].data, blocks[i].len, &err), AI_OK);
	return tokenizer;
}

static size_t
count_tokens(const AiTokenizer *tokenizer, const char *text, size_t len)
{
	AiTokens	tokens;
	AiError		err;

	assert_int_equal(ai_tokenize(tokenizer, scratch,
								 &(AiTokenizeInput) {.text = text, .len = len},
								 &(AiTokenizeOptions) {.adds_special = true, .counts_only = true},
								 &tokens, &err), AI_OK);
	return tokens.n;
}

/* What every list of chunks must be; the number of them */
static size_t
check_chunks(int which, const char *text, size_t len, size_t max_tokens, size_t overlap)
{
	AiTokenizer tokenizer = tokenizer_of(which);
	AiChunkOptions options = {max_tokens, overlap, true, NULL, 0};
	AiChunker  *chunker;
	AiChunk		chunk;
	AiChunk		last = {0, 0, 0};
	size_t		n = 0;
	AiError		err;

	assert_int_equal(ai_chunker_create(&chunker, &tokenizer, text, len, &options,
									   ai_malloc_host(), &err), AI_OK);
	for (;; n++)
	{
		uint32_t	code;

		if (ai_chunker_next(chunker, &chunk, &err) != AI_OK)
			fail_msg("%s", err.message);
		if (chunk.start == chunk.end)
			break;
		assert_true(chunk.end > last.end && chunk.end <= len);
		assert_true(n == 0 || chunk.start > last.start);
		assert_true(overlap > 0 || chunk.start >= last.end);
		assert_true(chunk.n_tokens <= max_tokens);
		assert_int_equal(chunk.n_tokens,
						 count_tokens(&tokenizer, text + chunk.start, chunk.end - chunk.start));
		ai_utf8_at(&code, text, len, chunk.start);
		assert_false(ai_is_space(code));
		ai_utf8_before(&code, text, chunk.end);
		assert_false(ai_is_space(code));
		for (size_t at = last.end; at < chunk.start; at += ai_utf8_at(&code, text, len, at))
		{
			ai_utf8_at(&code, text, len, at);
			assert_true(ai_is_space(code));
		}
		last = chunk;
	}
	for (size_t at = last.end; at < len;)
	{
		uint32_t	code;

		at += ai_utf8_at(&code, text, len, at);
		assert_true(ai_is_space(code));
	}
	ai_chunker_destroy(chunker);
	return n;
}

/* Chunks of a text, with "|" between them */
static const char *
chunks_of(int which, const char *text, size_t max_tokens, size_t overlap)
{
	static char joined[4096];
	AiTokenizer tokenizer = tokenizer_of(which);
	AiChunkOptions options = {max_tokens, overlap, true, NULL, 0};
	AiChunker  *chunker;
	AiChunk		chunk;
	size_t		n = 0;
	AiError		err;

	check_chunks(which, text, strlen(text), max_tokens, overlap);
	assert_int_equal(ai_chunker_create(&chunker, &tokenizer, text, strlen(text), &options,
									   ai_malloc_host(), &err), AI_OK);
	for (;;)
	{
		assert_int_equal(ai_chunker_next(chunker, &chunk, &err), AI_OK);
		if (chunk.start == chunk.end)
			break;
		if (n > 0)
			joined[n++] = '|';
		memcpy(joined + n, text + chunk.start, chunk.end - chunk.start);
		n += chunk.end - chunk.start;
	}
	joined[n] = '\0';
	ai_chunker_destroy(chunker);
	return joined;
}

static void
chunks_end_where_sentences_do(void **state)
{
	const char *text = " I am here. You are there!  We all go. ";

	(void) state;
	assert_string_equal(chunks_of(0, text, 6, 0), "I am here.|You are there!|We all go.");
	assert_string_equal(chunks_of(0, text, 11, 0), "I am here. You are there!|We all go.");
	assert_string_equal(chunks_of(0, text, 14, 0), "I am here. You are there!  We all go.");
	assert_string_equal(chunks_of(0, "", 14, 0), "");
	assert_string_equal(chunks_of(0, " \n\t ", 14, 0), "");
}

static void
long_sentences_are_cut_between_words(void **state)
{
	(void) state;
	assert_string_equal(chunks_of(0, "we are all here and you are there. So go.", 6, 0),
						"we are all here|and you are|there.|So go.");
	assert_string_equal(chunks_of(0, "So go. We are all here and you are there.", 6, 0),
						"So go.|We are all here|and you are|there.");
}

static void
long_words_are_cut_between_characters(void **state)
{
	(void) state;
	assert_string_equal(chunks_of(0, "1234567890123456789", 7, 0),
						"12345678|90123456|789");
	for (int i = 0; i < 3; i++)
	{
		check_chunks(i, "e\xCC\x81\xCC\x81\xCC\x81\xCC\x81\xCC\x81", 11, 12, 0);
		check_chunks(i, "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x9A\x80", 11, 8, 0);
		check_chunks(i, "\xFF\xFF\xFF\x80\x80\xE2\x82", 7, 8, 0);
	}
}

static void
overlaps_are_whole_sentences_or_words(void **state)
{
	const char *text = "I am here. You are there! We all go.";

	(void) state;
	assert_string_equal(chunks_of(0, text, 11, 4),
						"I am here. You are there!|You are there! We all go.");
	assert_string_equal(chunks_of(0, text, 11, 3),
						"I am here. You are there!|are there! We all go.");
	assert_string_equal(chunks_of(0, text, 6, 3), "I am here.|You are there!|We all go.");
	assert_string_equal(chunks_of(0, "we are all here and you are there now", 7, 2),
						"we are all here and|and you are there now");
}

/* A text of pieces of all kinds, often the same ones */
static size_t
make_text(char *text, size_t size, AiRng *rng)
{
	static const char *const pieces[] = {
		" ", " ", " ", " ", ". ", "! ", "\n", "\r\n", "  ", ". ", "the", "you", "are", "I", "Here",
		"internationalization", "42", "3.14", "\xE6\x97\xA5", "\xE6\x9C\xAC", "\xE3\x80\x82",
		"\xE0\xB8\x97\xE0\xB8\xB5\xE0\xB9\x88", "e\xCC\x81", "\xF0\x9F\x98\x80", "\xC2\xA0",
		"\xE2\x80\xA9", "\xFF", "\xE2\x82", "<s>", "[SEP]", "(", ")", "\"", "aaaaaaaaaaaaaaaa",
		"\xEF\xB7\xBA", "\xE2\x80\x8B", "\x01"
	};
	const size_t n_pieces = sizeof(pieces) / sizeof(pieces[0]);
	size_t		n_used = 2 + ai_rng_below(rng, n_pieces - 1);
	size_t		len = 0;

	while (len + 32 < size)
	{
		const char *piece = pieces[ai_rng_below(rng, n_used)];

		memcpy(text + len, piece, strlen(piece));
		len += strlen(piece);
	}
	return len;
}

static void
random_texts_lose_nothing(void **state)
{
	char		text[2048];
	AiRng		rng = ai_rng_stream(7, 0, 0);

	(void) state;
	for (int i = 0; i < 600; i++)
	{
		size_t		len = make_text(text, 64 + ai_rng_below(&rng, sizeof(text) - 64), &rng);
		size_t		max_tokens = 24 + ai_rng_below(&rng, 40);

		size_t		overlap = i % 2 == 0 ? 0 : ai_rng_below(&rng, (uint32_t) max_tokens - 4);

		check_chunks(i % 3, text, len, max_tokens, overlap);
	}
}

/* Many bytes of one kind, also where each chunk begins far back */
static void
large_texts_take_linear_time(void **state)
{
	static const char *const units[] = {
		"x", "\n", "a\n", ". ", "word ", "1", "\xCC\x81", "\xE6\x97\xA5", "Hello there. ", "\xFF",
		")."
	};
	const size_t size = 200000;
	char	   *text = malloc(size);

	(void) state;
	for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++)
	{
		size_t		unit_len = strlen(units[u]);
		size_t		len = size / unit_len * unit_len;

		for (size_t at = 0; at < len; at += unit_len)
			memcpy(text + at, units[u], unit_len);
		for (int i = 0; i < 3; i++)
			check_chunks(i, text, len, 256, i * 40);
	}
	free(text);
}

static void
expect_error(size_t max_tokens, size_t overlap, const char *text, const char *message)
{
	AiTokenizer tokenizer = tokenizer_of(1);
	AiChunkOptions options = {max_tokens, overlap, true, NULL, 0};
	AiChunker  *chunker;
	AiChunk		chunk;
	AiError		err;
	AiCode		code = ai_chunker_create(&chunker, &tokenizer, text, strlen(text), &options,
										 ai_malloc_host(), &err);

	if (code == AI_OK)
		code = ai_chunker_next(chunker, &chunk, &err);
	assert_int_equal(code, AI_ERR_PARAM);
	assert_string_equal(err.message, message);
	ai_chunker_destroy(chunker);
}

static void
sizes_without_room_are_errors(void **state)
{
	(void) state;
	expect_error(0, 0, "a", "chunks of 0 tokens have no room for a text");
	expect_error(2, 0, "a", "chunks of 2 tokens have no room for a text");
	expect_error(5, 3, "a", "overlap of 3 tokens leaves no room for more text in chunks of 5");
	expect_error(5, 1000, "a",
				 "overlap of 1000 tokens leaves no room for more text in chunks of 5");
	expect_error(3, 0, "\xF0\x9F\x98\x80",
				 "chunks of 3 tokens have no room for a character of the text");
}

static void
prompts_take_their_room(void **state)
{
	const char *text = "I am here. You are there!  We all go.";
	AiTokenizer tokenizer = tokenizer_of(0);
	AiChunkOptions options = {12, 0, true, "you are ", 8};
	AiChunker  *chunker;
	AiChunk		chunk;
	AiError		err;

	(void) state;
	assert_int_equal(ai_chunker_create(&chunker, &tokenizer, text, strlen(text), &options,
									   ai_malloc_host(), &err), AI_OK);
	assert_int_equal(ai_chunker_next(chunker, &chunk, &err), AI_OK);
	assert_int_equal(chunk.start, 0);
	assert_int_equal(chunk.end, strlen("I am here. You are there!"));
	assert_int_equal(chunk.n_tokens, 12);
	ai_chunker_destroy(chunker);
	options.max_tokens = 4;
	assert_int_equal(ai_chunker_create(&chunker, &tokenizer, text, strlen(text), &options,
									   ai_malloc_host(), &err), AI_ERR_PARAM);
	assert_string_equal(err.detail, "The model reads 4 tokens beside it.");
}

static AiCode
make_chunks(const AiHost *host, void *arg, AiError *err)
{
	AiTokenizer tokenizer = tokenizer_of(0);
	AiChunkOptions options = {16, 4, true, "go ", 3};
	AiChunker  *chunker;
	AiChunk		chunk = {0, 1, 0};
	AiCode		code;

	code = ai_chunker_create(&chunker, &tokenizer, arg, strlen(arg), &options, host, err);
	while (code == AI_OK && chunk.start < chunk.end)
		code = ai_chunker_next(chunker, &chunk, err);
	ai_chunker_destroy(chunker);
	return code;
}

static void
memory_that_ends_and_stops_are_told(void **state)
{
	char		text[] = "You are here. We are there and all the others are too. Go! Where?";

	(void) state;
	test_every_failed_alloc(make_chunks, text);
	test_every_stop(make_chunks, text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks_end_where_sentences_do),
		cmocka_unit_test(long_sentences_are_cut_between_words),
		cmocka_unit_test(long_words_are_cut_between_characters),
		cmocka_unit_test(overlaps_are_whole_sentences_or_words),
		cmocka_unit_test(random_texts_lose_nothing),
		cmocka_unit_test(large_texts_take_linear_time),
		cmocka_unit_test(sizes_without_room_are_errors),
		cmocka_unit_test(prompts_take_their_room),
		cmocka_unit_test(memory_that_ends_and_stops_are_told)
	};

	return cmocka_run_group_tests(tests, load_tokenizers, drop_tokenizers);
}
