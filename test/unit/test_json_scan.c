/*-------------------------------------------------------------------------
 * test_json_scan.c
 *		The scanner gives the tokens of what is JSON, and refuses the rest.
 *
 * What is JSON and what is not, it agrees on with json.c, which asks jansson.
 *-------------------------------------------------------------------------
 */
#include "core/base/json_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/json.h"

/* The text's tokens, one letter each, strings in quotation marks, numbers as they stand */
static AiCode
scan_all(char *out, const char *json, size_t len, AiError *err)
{
	static const char letters[] = "{}[]ks#tfn.";
	char	   *text = malloc(len > 0 ? len : 1);
	AiJsonScan	scan;
	AiJsonToken token;
	AiCode		code;

	memcpy(text, json, len);
	ai_json_scan_init(&scan, text, len);
	do
	{
		code = ai_json_scan_next(&scan, &token, err);
		if (code != AI_OK)
			break;
		*out++ = letters[token.kind];
		if (token.bytes != NULL)
		{
			memcpy(out, token.bytes, token.len);
			out += token.len;
			*out++ = ';';
		}
	} while (token.kind != AI_JSON_TOKEN_END);
	*out = '\0';
	free(text);
	return code;
}

/* tokens come in order, with what strings mean */
static void
test_tokens(void **state)
{
	static const char *const cases[][2] = {
		{"{}", "{}."},
		{" [ ] ", "[]."},
		{"{\"a\": [1, -2.5e+3, true, false, null, {\"b\": \"c\"}], \"\": 0}",
		"{ka;[#1;#-2.5e+3;tfn{kb;sc;}]k;#0;}."},
		{"\"x\\n\\u0041\\ud83d\\ude00\\\"\"", "sx\nA\xf0\x9f\x98\x80\";."},
		{"7", "#7;."},
	};
	char		out[200];
	AiError		err;

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		assert_int_equal(scan_all(out, cases[i][0], strlen(cases[i][0]), &err), AI_OK);
		assert_string_equal(out, cases[i][1]);
	}
}

/* the scanner and jansson agree on what is JSON */
static void
test_same_as_tree(void **state)
{
	static const char *const texts[] = {
		"", " ", "{", "}", "[", "]", "{]", "[}", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
		"{,}", "{\"a\" 1}", "{a:1}", "[1 2]", "01", "-", "-0", "1.", ".5", "1e", "1e+", "1E5", "+1",
		"tru", "true", "nul", "nulll", "\"", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u0000\"",
		"\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\xff\"", "\"\xc0\x80\"", "\"a\nb\"",
		"[1] x", "[1][2]", "{\"a\":1 \"b\":2}", "\"\\u00e9\"", "[[[[]]]]", "[[[[]]]",
		"{\"a\":{\"b\":[{}]}}", "\xef\xbb\xbf{}", "[1,\f2]", "0x10", "NaN", "Infinity", "'a'",
		"\"\\/\"", "[\"\\ud83d\\ude00\"]", "1e400"
	};
	char		out[200];
	AiError		err;

	(void) state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		AiArena		arena;
		const AiJson *tree;
		bool		is_tree;
		bool		is_scanned;

		ai_arena_init(&arena, ai_malloc_host());
		is_tree = ai_json_parse(&tree, &arena, texts[i], strlen(texts[i]), &err) == AI_OK;
		is_scanned = scan_all(out, texts[i], strlen(texts[i]), &err) == AI_OK;
		/* numbers that no double holds are grammar all the same */
		if (is_tree != is_scanned && strcmp(texts[i], "1e400") != 0)
			fail_msg("%s: tree %d, scanner %d", texts[i], is_tree, is_scanned);
		ai_arena_free(&arena);
	}
}

/* every beginning of a text is refused, and a byte 0 anywhere */
static void
test_cut(void **state)
{
	static const char text[] = "{\"a\\n\": [1, -2.5e+3, true], \"b\": {\"c\": \"\\u00e9\xc3\xa9\"}}";
	size_t		len = sizeof(text) - 1;
	char		out[200];
	AiError		err;

	(void) state;
	for (size_t n = 0; n < len; n++)
	{
		char		zeroed[sizeof(text)];

		assert_int_equal(scan_all(out, text, n, &err), AI_ERR_FORMAT);
		memcpy(zeroed, text, len);
		zeroed[n] = '\0';
		assert_int_equal(scan_all(out, zeroed, len, &err), AI_ERR_FORMAT);
	}
}

/* depth is bounded, and nothing is read by recursion */
static void
test_deep(void **state)
{
	size_t		n = 1000000;
	char	   *text = malloc(n);
	char		out[200];
	AiError		err;

	(void) state;
	memset(text, '[', n);
	assert_int_equal(scan_all(out, text, n, &err), AI_ERR_LIMIT);
	assert_string_equal(err.message, "JSON is nested too deeply");
	memset(text, '[', AI_JSON_SCAN_MAX_DEPTH);
	memset(text + AI_JSON_SCAN_MAX_DEPTH, ']', AI_JSON_SCAN_MAX_DEPTH);
	assert_int_equal(scan_all(out, text, 2 * AI_JSON_SCAN_MAX_DEPTH, &err), AI_OK);
	free(text);
}

/* a value is passed with all that is in it */
static void
test_skip(void **state)
{
	char		text[] = "{\"a\": {\"b\": [1, {\"c\": []}]}, \"d\": 2}";
	AiJsonScan	scan;
	AiJsonToken token;

	(void) state;
	ai_json_scan_init(&scan, text, strlen(text));
	for (int i = 0; i < 3; i++)
		assert_int_equal(ai_json_scan_next(&scan, &token, NULL), AI_OK);
	assert_int_equal(ai_json_scan_skip(&scan, &token, NULL), AI_OK);
	assert_int_equal(ai_json_scan_next(&scan, &token, NULL), AI_OK);
	assert_int_equal(token.kind, AI_JSON_TOKEN_KEY);
	assert_string_equal(token.bytes, "d");
}

/* whole numbers are exact to the last of 64 bits */
static void
test_whole_numbers(void **state)
{
	char		text[] = "[0, 18446744073709551615, 18446744073709551616, -1, 1.0, 1e3, \"1\"]";
	static const bool is_whole[] = {true, true, false, false, false, false, false};
	AiJsonScan	scan;
	AiJsonToken token;
	uint64_t	number;

	(void) state;
	ai_json_scan_init(&scan, text, strlen(text));
	assert_int_equal(ai_json_scan_next(&scan, &token, NULL), AI_OK);
	for (int i = 0; i < 7; i++)
	{
		assert_int_equal(ai_json_scan_next(&scan, &token, NULL), AI_OK);
		assert_int_equal(ai_json_token_u64(&token, &number), is_whole[i]);
		if (i == 1)
			assert_true(number == UINT64_MAX);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_same_as_tree),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_skip),
		cmocka_unit_test(test_whole_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
