/*-------------------------------------------------------------------------
 * test_buf.c
 *		A buffer keeps what is appended, and its contents when memory is out.
 *-------------------------------------------------------------------------
 */
#include "core/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "test_host.h"

/* 1 + 2 + ... + 255 bytes, each part of its own value */
static AiCode
fill(AiBuf *buf, AiError *err)
{
	for (int i = 1; i < 256; i++)
	{
		uint8_t		part[256];

		memset(part, i, sizeof(part));
		AI_TRY(ai_buf_append(buf, part, (size_t) i, err));
	}
	return AI_OK;
}

static AiCode
fill_and_free(const AiHost *host, void *arg, AiError *err)
{
	AiBuf		buf;
	AiCode		code;

	(void) arg;
	ai_buf_init(&buf, host);
	code = fill(&buf, err);
	ai_buf_free(&buf);
	return code;
}

/* what is appended stays as it was, however often the buffer moves */
static void
test_append(void **state)
{
	TestHost	test;
	AiBuf		buf;
	const uint8_t *at;

	(void) state;
	test_host_init(&test, 0, 0);
	ai_buf_init(&buf, &test.host);
	assert_int_equal(fill(&buf, NULL), AI_OK);
	assert_int_equal(buf.len, 255 * 256 / 2);
	at = buf.data;
	for (int i = 1; i < 256; i++)
	{
		for (int j = 0; j < i; j++)
			assert_int_equal(*at++, i);
	}
	/* growth by a half: the number of moves is logarithmic */
	assert_in_range(test.n_allocs, 1, 16);
	ai_buf_free(&buf);
	assert_int_equal(test.n_live, 0);
}

/* nothing can be appended to nothing, and freed twice */
static void
test_empty(void **state)
{
	AiBuf		buf;

	(void) state;
	ai_buf_init(&buf, ai_malloc_host());
	assert_int_equal(ai_buf_append(&buf, NULL, 0, NULL), AI_OK);
	assert_int_equal(buf.len, 0);
	ai_buf_free(&buf);
	ai_buf_free(&buf);
}

/* a size that cannot be is out of memory, and leaves the contents alone */
static void
test_overflow(void **state)
{
	AiBuf		buf;
	AiError		err;

	(void) state;
	ai_buf_init(&buf, ai_malloc_host());
	assert_int_equal(ai_buf_append(&buf, "abc", 3, NULL), AI_OK);
	assert_int_equal(ai_buf_reserve(&buf, SIZE_MAX, &err), AI_ERR_NOMEM);
	assert_int_equal(ai_buf_reserve(&buf, SIZE_MAX - 3, &err), AI_ERR_NOMEM);
	assert_int_equal(buf.len, 3);
	assert_memory_equal(buf.data, "abc", 3);
	ai_buf_free(&buf);
}

/* whichever allocation fails is reported, and nothing leaks */
static void
test_every_allocation_fails(void **state)
{
	(void) state;
	test_every_failed_alloc(fill_and_free, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_every_allocation_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
