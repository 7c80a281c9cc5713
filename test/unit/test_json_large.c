/*-------------------------------------------------------------------------
 * test_json_large.c
 *		Large JSON becomes the tree that small JSON becomes, and can be stopped.
 *-------------------------------------------------------------------------
 */
#include "core/base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_host.h"

static void
assert_same(const AiJson *a, const AiJson *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_true((a->key == NULL) == (b->key == NULL));
	if (a->key != NULL)
		assert_string_equal(a->key, b->key);
	switch (a->kind)
	{
		case AI_JSON_NULL:
			break;
		case AI_JSON_BOOL:
			assert_int_equal(a->truth, b->truth);
			break;
		case AI_JSON_NUMBER:
			assert_memory_equal(&a->number, &b->number, sizeof(double));
			break;
		case AI_JSON_STRING:
			assert_string_equal(a->string, b->string);
			break;
		case AI_JSON_ARRAY:
		case AI_JSON_OBJECT:
			assert_int_equal(a->n, b->n);
			for (int i = 0; i < a->n; i++)
				assert_same(&a->items[i], &b->items[i]);
	}
}

/* both readers, of which one is jansson, agree on what is JSON and on what it says */
static void
test_same(void **state)
{
	static const char *const texts[] = {
		"null", "true", " [ ] ", "{}", "1", "-0.5e-3", "123456789012345678901234567890",
		"\"a\\u00e9\\n\\ud83d\\ude00\"", "[1, [2, [3, {}]], \"x\", false]",
		"{\"a\": {\"b\": [1, 2, {\"c\": null}]}, \"d\": 4}",
		"", "{", "[1,", "[1 2]", "{\"a\"}", "{\"a\": 1,}", "nul", "[\"\\u0000\"]", "{\"\\u0000\": 1}",
		"\"\xff\"", "1e999", "[-1e999]", "01", "{\"a\": 1, \"a\": 2}", "1 2",
	};

	(void) state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		AiArena		arena;
		const AiJson *small;
		const AiJson *large;
		AiError		err;
		AiCode		expected;

		ai_arena_init(&arena, ai_malloc_host());
		expected = ai_json_parse(&small, &arena, texts[i], strlen(texts[i]), &err);
		assert_int_equal(ai_json_parse_large(&large, &arena, texts[i], strlen(texts[i]), &err),
						 expected);
		if (expected == AI_OK)
			assert_same(small, large);
		ai_arena_free(&arena);
	}
}

/* {"0": 0, "1": 1, ...}, and at the end a key once more */
static char *
many_keys(int n, int again)
{
	char	   *text = malloc((size_t) n * 24 + 100);
	char	   *to = text + sprintf(text, "{");

	for (int i = 0; i < n; i++)
		to += sprintf(to, "\"%d\": %d, ", i, i);
	sprintf(to, "\"%d\": 0}", again);
	return text;
}

/* a key that is there twice is found among many */
static void
test_keys(void **state)
{
	(void) state;
	for (int n = 2; n < 100000; n *= 7)
	{
		char	   *twice = many_keys(n, n / 2);
		char	   *once = many_keys(n, n);
		AiArena		arena;
		const AiJson *json;
		AiError		err;
		char		message[100];

		ai_arena_init(&arena, ai_malloc_host());
		assert_int_equal(ai_json_parse_large(&json, &arena, once, strlen(once), &err), AI_OK);
		assert_int_equal(json->n, n + 1);
		assert_int_equal(ai_json_parse_large(&json, &arena, twice, strlen(twice), &err),
						 AI_ERR_FORMAT);
		sprintf(message, "invalid JSON: key \"%d\" is there twice", n / 2);
		assert_string_equal(err.message, message);
		ai_arena_free(&arena);
		free(once);
		free(twice);
	}
}

/* what is too deep or too much is told, and the host can stop it */
static void
test_limits(void **state)
{
	size_t		n = AI_JSON_MAX_LARGE_VALUES;
	char	   *text = malloc(2 * n + 3);
	AiArena		arena;
	const AiJson *json;
	AiError		err;

	(void) state;
	ai_arena_init(&arena, ai_malloc_host());
	memset(text, '[', 2 * n);
	assert_int_equal(ai_json_parse_large(&json, &arena, text, AI_JSON_MAX_DEPTH + 1, &err),
					 AI_ERR_LIMIT);
	for (size_t i = 0; i < n; i++)
		memcpy(text + 2 * i, "1,", 2);
	memcpy(text, "[0", 2);
	text[2 * n] = '1';
	text[2 * n + 1] = ']';
	assert_int_equal(ai_json_parse_large(&json, &arena, text, 2 * n + 2, &err), AI_ERR_FORMAT);
	text[1] = ' ';
	assert_int_equal(ai_json_parse_large(&json, &arena, text, 2 * n + 2, &err), AI_ERR_LIMIT);
	assert_string_equal(err.message, "JSON has too many values");
	assert_int_equal(ai_json_parse_large(&json, &arena, text, AI_JSON_MAX_LARGE_SIZE + 1, &err),
					 AI_ERR_LIMIT);
	ai_arena_free(&arena);
	free(text);
}

static AiCode
parse_one(const AiHost *host, void *arg, AiError *err)
{
	AiArena		arena;
	const AiJson *json;
	AiCode		code;

	ai_arena_init(&arena, host);
	code = ai_json_parse_large(&json, &arena, arg, strlen(arg), err);
	ai_arena_free(&arena);
	return code;
}

static void
test_failures(void **state)
{
	char	   *text = many_keys(20000, 20000);

	(void) state;
	test_every_failed_alloc(parse_one, text);
	test_every_stop(parse_one, text);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
