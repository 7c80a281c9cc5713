/*-------------------------------------------------------------------------
 * test_arena.c
 *		An arena's memory is aligned, its own, counted, and given back.
 *-------------------------------------------------------------------------
 */
#include "core/base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "test_host.h"

/* requests of all sizes are aligned and do not overlap; one call gives them back */
static void
test_alignment_and_contents(void **state)
{
	enum
	{
		N = 2000
	};
	static unsigned char *block[N];
	static size_t size[N];
	TestHost	test;
	AiArena		arena;
	AiRng		rng = {3};

	(void) state;
	test_host_init(&test, 0, 0);
	ai_arena_init(&arena, &test.host);
	for (int i = 0; i < N; i++)
	{
		size[i] = ai_rng_below(&rng, i % 50 == 0 ? 3 * AI_ARENA_LARGE : 700);
		block[i] = ai_arena_alloc(&arena, size[i]);
		assert_non_null(block[i]);
		assert_int_equal((uintptr_t) block[i] % AI_ALIGNMENT, 0);
		memset(block[i], i & 255, size[i]);
	}
	for (int i = 0; i < N; i++)
	{
		for (size_t b = 0; b < size[i]; b++)
			assert_int_equal(block[i][b], i & 255);
	}
	assert_int_equal(arena.total, test.live_bytes);
	ai_arena_free(&arena);
	assert_int_equal(test.n_live, 0);
}

/* an arena that was freed is an empty one */
static void
test_use_again(void **state)
{
	TestHost	test;
	AiArena		arena;

	(void) state;
	test_host_init(&test, 0, 0);
	ai_arena_init(&arena, &test.host);
	ai_arena_free(&arena);
	for (int i = 0; i < 3; i++)
	{
		assert_non_null(ai_arena_alloc(&arena, 0));
		assert_non_null(ai_arena_alloc(&arena, 100000));
		ai_arena_free(&arena);
		assert_int_equal(arena.total, 0);
		assert_int_equal(test.n_live, 0);
	}
}

/* small requests share what is asked of the host */
static void
test_small_ones_share(void **state)
{
	TestHost	test;
	AiArena		arena;

	(void) state;
	test_host_init(&test, 0, 0);
	ai_arena_init(&arena, &test.host);
	for (int i = 0; i < 1000; i++)
		assert_non_null(ai_arena_alloc(&arena, 64));
	assert_int_equal(test.n_allocs, 1);
	ai_arena_free(&arena);
}

/* a large request goes back early, in any order and between small ones */
static void
test_early_release(void **state)
{
	TestHost	test;
	AiArena		arena;
	char	   *large[6];
	char	   *small[6];

	(void) state;
	for (int first_small = 0; first_small < 2; first_small++)
	{
		test_host_init(&test, 0, 0);
		ai_arena_init(&arena, &test.host);
		if (first_small)
			ai_arena_alloc(&arena, 1);
		for (int i = 0; i < 6; i++)
		{
			large[i] = ai_arena_alloc(&arena, AI_ARENA_LARGE);
			small[i] = i % 2 ? ai_arena_alloc(&arena, 10) : NULL;
			memset(large[i], i, AI_ARENA_LARGE);
			if (small[i])
				memset(small[i], i, 10);
		}
		for (int i = 0; i < 6; i++)
		{
			int			k = i * 5 % 6;	/* 0, 5, 4, ... */
			size_t		total = arena.total;

			ai_arena_release(&arena, large[k]);
			assert_true(arena.total <= total - AI_ARENA_LARGE);
			assert_int_equal(arena.total, test.live_bytes);
			memset(ai_arena_alloc(&arena, 10), 0xFF, 10);
		}
		for (int i = 1; i < 6; i += 2)
		{
			for (int b = 0; b < 10; b++)
				assert_int_equal(small[i][b], i);
		}
		ai_arena_release(&arena, NULL);
		ai_arena_free(&arena);
		assert_int_equal(test.n_live, 0);
	}
}

/* zeroed memory is zero, also where the host's is not */
static void
test_zeroed(void **state)
{
	TestHost	test;
	AiArena		arena;

	(void) state;
	test_host_init(&test, 0, 0);
	ai_arena_init(&arena, &test.host);
	for (size_t n = 0; n < 20000; n = n * 3 + 1)
	{
		unsigned char *block = ai_arena_alloc_zero(&arena, n, 7);

		for (size_t b = 0; b < 7 * n; b++)
			assert_int_equal(block[b], 0);
	}
	ai_arena_free(&arena);
}

/* sizes that do not fit into size_t are no memory, not a small block */
static void
test_overflow(void **state)
{
	TestHost	test;
	AiArena		arena;

	(void) state;
	test_host_init(&test, 0, 0);
	ai_arena_init(&arena, &test.host);
	for (size_t less = 0; less < 300; less++)
		assert_null(ai_arena_alloc(&arena, SIZE_MAX - less));
	assert_null(ai_arena_alloc_zero(&arena, SIZE_MAX / 2, 3));
	assert_null(ai_arena_alloc_zero(&arena, SIZE_MAX, SIZE_MAX));
	assert_int_equal(arena.total, 0);
	assert_non_null(ai_arena_alloc(&arena, 5));
	ai_arena_free(&arena);
	assert_int_equal(test.n_live, 0);
}

static AiCode
fill_an_arena(const AiHost *host, void *arg, AiError *err)
{
	AiArena		arena;
	AiCode		code = AI_OK;

	(void) arg;
	ai_arena_init(&arena, host);
	for (int i = 0; i < 100 && code == AI_OK; i++)
	{
		size_t		size = i % 10 == 0 ? AI_ARENA_LARGE : 5000;
		void	   *block = ai_arena_alloc(&arena, size);

		if (block == NULL)
			code = ai_out_of_memory(err, size, "a test");
		else
			memset(block, i, size);
	}
	ai_arena_free(&arena);
	return code;
}

/* whichever request the host refuses, the rest is given back */
static void
test_every_allocation_fails(void **state)
{
	(void) state;
	test_every_failed_alloc(fill_an_arena, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alignment_and_contents),
		cmocka_unit_test(test_use_again),
		cmocka_unit_test(test_small_ones_share),
		cmocka_unit_test(test_early_release),
		cmocka_unit_test(test_zeroed),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_every_allocation_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
