/*-------------------------------------------------------------------------
 * test_sort.c
 *		Items come out as qsort would order them, and equal ones as they came.
 *-------------------------------------------------------------------------
 */
#include "core/base/sort.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "test_host.h"

#define HIGH ((uint64_t) UINT32_MAX << 32)
#define N_LARGE 100000

/* By tags of few values, hashes of many or few, and then by what else the tag says: how it came */
static int
compare(const void *a, const void *b)
{
	const AiSortItem *x = a;
	const AiSortItem *y = b;

	if ((x->tag & HIGH) != (y->tag & HIGH))
		return x->tag < y->tag ? -1 : 1;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->tag > y->tag) - (x->tag < y->tag);
}

static AiSortItem *
make_items(size_t n, uint64_t n_hashes)
{
	AiSortItem *items = malloc(n * sizeof(AiSortItem) + 1);
	AiRng		rng = {n};

	for (size_t i = 0; i < n; i++)
		items[i] = (AiSortItem) {ai_rng_next(&rng) % n_hashes, (ai_rng_next(&rng) % 7) << 32 | i};
	return items;
}

static void
check(size_t n, uint64_t n_hashes)
{
	AiSortItem *items = make_items(n, n_hashes);
	AiSortItem *expected = make_items(n, n_hashes);

	qsort(expected, n, sizeof(AiSortItem), compare);
	assert_int_equal(ai_sort(items, n, HIGH, ai_malloc_host(), NULL), AI_OK);
	assert_memory_equal(items, expected, n * sizeof(AiSortItem));
	free(items);
	free(expected);
}

static void
test_order(void **state)
{
	(void) state;
	for (size_t n = 0; n < 200; n++)
	{
		check(n, UINT64_MAX);
		check(n, 5);
	}
	check(N_LARGE, UINT64_MAX);
	check(N_LARGE, 1000);
}

/* without a mask tags say nothing */
static void
test_hashes_alone(void **state)
{
	AiSortItem	items[] = {{3, 1}, {1, UINT64_MAX}, {3, 0}, {2, 7}};
	static const AiSortItem sorted[] = {{1, UINT64_MAX}, {2, 7}, {3, 1}, {3, 0}};

	(void) state;
	assert_int_equal(ai_sort(items, 4, 0, ai_malloc_host(), NULL), AI_OK);
	assert_memory_equal(items, sorted, sizeof(sorted));
}

static AiCode
sort_many(const AiHost *host, void *arg, AiError *err)
{
	AiSortItem *items = make_items(N_LARGE, UINT64_MAX);
	AiCode		code = ai_sort(items, N_LARGE, HIGH, host, err);

	(void) arg;
	free(items);
	return code;
}

static void
test_interruptions(void **state)
{
	TestHost	test;

	(void) state;
	test_every_failed_alloc(sort_many, NULL);
	test_every_stop(sort_many, NULL);
	test_host_init(&test, 0, 0);
	assert_int_equal(sort_many(&test.host, NULL, NULL), AI_OK);
	assert_true(test.n_asks >= 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_hashes_alone),
		cmocka_unit_test(test_interruptions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
