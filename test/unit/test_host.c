/*-------------------------------------------------------------------------
 * test_host.c
 *		A host that counts, fails the n-th allocation and stops when told.
 *-------------------------------------------------------------------------
 */
#include "test_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* in front of every block: its size, padded to keep the alignment */
#define PREFIX_SIZE AI_ALIGNMENT
#define FILL_BYTE 0xA5
#define MAX_BLOCK_SIZE ((size_t) 1 << 36)	/* a sanitizer takes more for a mistake */

static void
check_thread(const TestHost *test)
{
	if (!pthread_equal(test->thread, pthread_self()))
	{
		fprintf(stderr, "the host was called from another thread\n");
		abort();
	}
}

static void *
test_alloc(void *ud, size_t size)
{
	TestHost   *test = ud;
	size_t		with_prefix;
	void	   *block;

	check_thread(test);
	test->n_allocs++;
	if (test->n_allocs == test->fail_at || size > MAX_BLOCK_SIZE ||
		!ai_add_size(&with_prefix, size, PREFIX_SIZE) ||
		posix_memalign(&block, AI_ALIGNMENT, with_prefix) != 0)
		return NULL;

	memset(block, FILL_BYTE, with_prefix);
	memcpy(block, &size, sizeof(size));
	test->n_live++;
	test->live_bytes += size;
	if (test->live_bytes > test->peak_bytes)
		test->peak_bytes = test->live_bytes;
	return (char *) block + PREFIX_SIZE;
}

static void
test_release(void *ud, void *ptr)
{
	TestHost   *test = ud;
	char	   *block;
	size_t		size;

	check_thread(test);
	if (ptr == NULL)
		return;
	block = (char *) ptr - PREFIX_SIZE;
	memcpy(&size, block, sizeof(size));
	memset(block, ~FILL_BYTE, PREFIX_SIZE + size);
	test->n_live--;
	test->live_bytes -= size;
	free(block);
}

static bool
test_should_stop(void *ud)
{
	TestHost   *test = ud;

	check_thread(test);
	test->n_asks++;
	return test->stop_at > 0 && test->n_asks >= test->stop_at;
}

static void
test_log(void *ud, AiLogLevel level, const char *line)
{
	TestHost   *test = ud;

	check_thread(test);
	test->n_logs++;
	test->log_level = level;
	snprintf(test->log_line, sizeof(test->log_line), "%s", line);
}

void
test_host_init(TestHost *test, int64_t fail_at, int64_t stop_at)
{
	*test = (TestHost) {
		.host = {
			.alloc = test_alloc, .release = test_release, .should_stop = test_should_stop,
			.log = test_log, .ud = test
		},
		.fail_at = fail_at,
		.stop_at = stop_at,
		.thread = pthread_self()
	};
}

/* One disturbed run: it must fail as expected and keep nothing. */
static void
check_failure(TestEntry entry, void *arg, TestHost *test, AiCode expected)
{
	AiError		err = {.code = AI_OK};

	assert_int_equal(entry(&test->host, arg, &err), expected);
	assert_int_equal(err.code, expected);
	assert_true(err.message[0] != '\0');
	assert_int_equal(test->n_live, 0);
}

/* The undisturbed run; test holds its counts afterwards. */
static void
check_success(TestEntry entry, void *arg, TestHost *test)
{
	AiError		err = {.code = AI_OK};

	test_host_init(test, 0, 0);
	if (entry(&test->host, arg, &err) != AI_OK)
		fail_msg("%s (%s)", err.message, err.detail);
	assert_int_equal(test->n_live, 0);
}

void
test_every_failed_alloc(TestEntry entry, void *arg)
{
	TestHost	whole;

	check_success(entry, arg, &whole);
	for (int64_t fail_at = 1; fail_at <= whole.n_allocs; fail_at++)
	{
		TestHost	test;

		test_host_init(&test, fail_at, 0);
		check_failure(entry, arg, &test, AI_ERR_NOMEM);
	}
}

void
test_every_stop(TestEntry entry, void *arg)
{
	TestHost	whole;

	check_success(entry, arg, &whole);
	for (int64_t stop_at = 1; stop_at <= whole.n_asks; stop_at++)
	{
		TestHost	test;

		test_host_init(&test, 0, stop_at);
		check_failure(entry, arg, &test, AI_ERR_CANCELLED);
	}
}
