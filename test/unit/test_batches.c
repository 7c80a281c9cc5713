/*-------------------------------------------------------------------------
 * test_batches.c
 *		Orders of rows are permutations, the same for a seed, and all as likely.
 *-------------------------------------------------------------------------
 */
#include "core/train/batches.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_host.h"

static void
shuffle(uint32_t *order, uint32_t n, uint64_t seed, uint64_t epoch)
{
	AiBatches	batches = {n, 1, order};

	assert_int_equal(ai_batches_shuffle(&batches, seed, epoch, ai_malloc_host(), NULL), AI_OK);
}

static void
test_permutation(void **state)
{
	static const uint32_t sizes[] = {0, 1, 2, 3, 63, 64, 1000, 70000};

	(void) state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
	{
		uint32_t	n = sizes[s];
		uint32_t   *order = malloc((n + 1) * sizeof(uint32_t));
		bool	   *is_there = calloc(n + 1, sizeof(bool));

		order[n] = 12345;
		shuffle(order, n, 7, s);
		for (uint32_t i = 0; i < n; i++)
		{
			assert_true(order[i] < n && !is_there[order[i]]);
			is_there[order[i]] = true;
		}
		assert_int_equal(order[n], 12345);
		free(order);
		free(is_there);
	}
}

/* these numbers never change: a seed that a user has written down stands for them */
static void
test_same_for_ever(void **state)
{
	static const uint32_t expected[2][10] = {
		{4, 0, 6, 2, 1, 8, 5, 3, 9, 7},
		{1, 3, 7, 5, 8, 6, 2, 0, 4, 9}
	};

	(void) state;
	for (uint64_t epoch = 0; epoch < 2; epoch++)
	{
		uint32_t	order[10];

		shuffle(order, 10, 1, epoch);
		assert_memory_equal(order, expected[epoch], sizeof(order));
	}
}

/* seeds and epochs that are neighbours have nothing to do with each other */
static void
test_others_differ(void **state)
{
	uint32_t	a[1000];
	uint32_t	b[1000];

	(void) state;
	for (uint64_t k = 0; k < 20; k++)
	{
		int			n_same = 0;

		shuffle(a, 1000, k / 2, k % 2);
		shuffle(b, 1000, (k + 1) / 2, (k + 1) % 2);
		for (int i = 0; i < 1000; i++)
			n_same += a[i] == b[i];
		/* 1 on average */
		assert_in_range(n_same, 0, 8);
	}
}

/* Chi-squared of counts that should be equal */
static double
chi_squared(const int *count, int n, double expected)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
		sum += (count[i] - expected) * (count[i] - expected) / expected;
	return sum;
}

/* every order of four rows is as frequent as any other, over epochs and over seeds */
static void
test_small_orders(void **state)
{
	(void) state;
	for (int by_seed = 0; by_seed < 2; by_seed++)
	{
		int			count[256] = {0};
		int			seen[24];
		int			n_seen = 0;

		for (uint64_t k = 0; k < 24000; k++)
		{
			uint32_t	o[4];

			shuffle(o, 4, by_seed ? k : 3, by_seed ? 0 : k);
			count[o[0] * 64 + o[1] * 16 + o[2] * 4 + o[3]]++;
		}
		for (int i = 0; i < 256; i++)
			if (count[i] > 0)
				seen[n_seen++ % 24] = count[i];
		assert_int_equal(n_seen, 24);
		/* 23 degrees of freedom: beyond 58 once in 10,000 */
		assert_true(chi_squared(seen, 24, 1000) < 58);
	}
}

/* every row is as often at every place */
static void
test_places(void **state)
{
	static int	count[40 * 40];

	(void) state;
	for (uint64_t epoch = 0; epoch < 40000; epoch++)
	{
		uint32_t	order[40];

		shuffle(order, 40, 11, epoch);
		for (int i = 0; i < 40; i++)
			count[i * 40 + order[i]]++;
	}
	/* 39 * 39 = 1,521 degrees of freedom, standard deviation 55 */
	assert_true(chi_squared(count, 1600, 1000) < 1521 + 4 * 55);
}

static void
test_cut(void **state)
{
	uint32_t	order[] = {4, 3, 2, 1, 0, 6, 5};
	AiBatches	batches = {7, 3, order};

	(void) state;
	assert_int_equal(ai_batches_count(&batches), 3);
	assert_int_equal(ai_batch_rows(&batches, 0), 3);
	assert_int_equal(ai_batch_rows(&batches, 1), 3);
	assert_int_equal(ai_batch_rows(&batches, 2), 1);
	assert_int_equal(ai_batch_first(&batches, 2), 6);
	assert_int_equal(ai_batch_row(&batches, 0, 2), 2);
	assert_int_equal(ai_batch_row(&batches, 1, 2), 6);
	assert_int_equal(ai_batch_row(&batches, 2, 0), 5);
	batches.order = NULL;
	assert_int_equal(ai_batch_row(&batches, 1, 2), 5);
	batches.batch_rows = 7;
	assert_int_equal(ai_batches_count(&batches), 1);
	assert_int_equal(ai_batch_rows(&batches, 0), 7);
	batches.batch_rows = UINT32_MAX;
	assert_int_equal(ai_batches_count(&batches), 1);
	assert_int_equal(ai_batch_rows(&batches, 0), 7);
	batches.n_rows = 0;
	assert_int_equal(ai_batches_count(&batches), 0);
}

static AiCode
shuffle_many(const AiHost *host, void *arg, AiError *err)
{
	AiBatches	batches = {200000, 32, arg};

	return ai_batches_shuffle(&batches, 1, 1, host, err);
}

static void
test_stops(void **state)
{
	uint32_t   *order = malloc(200000 * sizeof(uint32_t));

	(void) state;
	test_every_stop(shuffle_many, order);
	free(order);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_permutation),
		cmocka_unit_test(test_same_for_ever),
		cmocka_unit_test(test_others_differ),
		cmocka_unit_test(test_small_orders),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
