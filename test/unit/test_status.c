/*-------------------------------------------------------------------------
 * test_status.c
 *		Errors say what they were told; the host without a server serves.
 *-------------------------------------------------------------------------
 */
#include "core/base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/host.h"
#include "core/base/utf8.h"

/* an error holds its code and texts, and a new one nothing of the last */
static void
test_fill(void **state)
{
	AiError		err;

	(void) state;
	memset(&err, 0xA5, sizeof(err));
	assert_int_equal(ai_fail(&err, AI_ERR_PARAM, "option \"%s\" is %d", "x", 5), AI_ERR_PARAM);
	ai_detail(&err, "It is %s.", "so");
	ai_hint(&err, "Do %d.", 7);
	assert_int_equal(err.code, AI_ERR_PARAM);
	assert_string_equal(err.message, "option \"x\" is 5");
	assert_string_equal(err.detail, "It is so.");
	assert_string_equal(err.hint, "Do 7.");

	assert_int_equal(ai_fail(&err, AI_ERR_DATA, "other"), AI_ERR_DATA);
	assert_string_equal(err.detail, "");
	assert_string_equal(err.hint, "");

	assert_int_equal(ai_out_of_memory(&err, 123, "a test"), AI_ERR_NOMEM);
	assert_int_equal(err.code, AI_ERR_NOMEM);
	assert_string_equal(err.message, "out of memory");
	assert_string_equal(err.detail, "Failed while reserving 123 bytes for a test.");
}

/* who only wants the code passes no error */
static void
test_no_error(void **state)
{
	(void) state;
	assert_int_equal(ai_fail(NULL, AI_ERR_LIMIT, "%d", 1), AI_ERR_LIMIT);
	assert_int_equal(ai_out_of_memory(NULL, 1, "a test"), AI_ERR_NOMEM);
	ai_detail(NULL, "x");
	ai_hint(NULL, "x");
}

/* text that is too long ends at the border of a character, wherever that is */
static void
test_long_text(void **state)
{
	static const char *const characters[] = {
		"x", "\xc3\xa4", "\xe4\xbd\xa0", "\xf0\x9f\x98\x80"
	};
	char		text[1200];
	AiError		err;

	(void) state;
	for (int c = 0; c < 4; c++)
	{
		size_t		width = strlen(characters[c]);

		for (size_t before = 0; before < 8; before++)
		{
			size_t		len = before;
			size_t		at = 0;
			uint32_t	code;

			memset(text, '.', before);
			for (; len < 1000; len += width)
				memcpy(text + len, characters[c], width);
			text[len] = '\0';
			ai_fail(&err, AI_ERR_DATA, "%s", text);
			len = strlen(err.message);
			assert_true(len < sizeof(err.message) && len + 2 * width >= sizeof(err.message));
			assert_memory_equal(err.message, text, len);
			while (at < len)
			{
				size_t		n = ai_utf8_decode(&code, err.message + at, len - at);

				assert_true(n > 0);
				at += n;
			}
		}
	}
}

/* sizes that do not fit are told */
static void
test_sizes(void **state)
{
	size_t		result;

	(void) state;
	assert_true(ai_mul_size(&result, 3, 5) && result == 15);
	assert_true(ai_mul_size(&result, SIZE_MAX, 1) && result == SIZE_MAX);
	assert_false(ai_mul_size(&result, SIZE_MAX / 2 + 1, 2));
	assert_true(ai_add_size(&result, 3, 5) && result == 8);
	assert_false(ai_add_size(&result, SIZE_MAX, 1));
	assert_int_equal(ai_align_size(0), 0);
	assert_int_equal(ai_align_size(1), AI_ALIGNMENT);
	assert_int_equal(ai_align_size(AI_ALIGNMENT), AI_ALIGNMENT);
}

/* memory without a server is aligned, also where nothing is asked for */
static void
test_malloc_host(void **state)
{
	const AiHost *host = ai_malloc_host();

	(void) state;
	for (size_t size = 0; size < 300; size++)
	{
		char	   *block = ai_host_alloc(host, size);

		assert_non_null(block);
		assert_int_equal((uintptr_t) block % AI_ALIGNMENT, 0);
		memset(block, 1, size);
		ai_host_release(host, block);
	}
	assert_null(ai_host_alloc(host, SIZE_MAX));
	ai_host_release(host, NULL);
	assert_false(ai_host_should_stop(host));
	host->log(host->ud, AI_LOG_NOTICE, "unheard");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fill),
		cmocka_unit_test(test_no_error),
		cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_malloc_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
