/*-------------------------------------------------------------------------
 * test_text_vocabulary.c
 *		Which n-grams of the training rows are kept.
 *-------------------------------------------------------------------------
 */
#include "core/model/text_vocabulary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "test_host.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MAX_ROWS 5
#define PLENTY AI_VOCABULARY_PLENTY

/* n_held[r] n-grams that r rows hold; [0]: only rows that do not count */
typedef struct Held
{
	uint32_t	n_held[MAX_ROWS + 1];
	uint32_t	min_count;		/* that follows */
} Held;

/* An empty vocabulary and all that it stands on */
typedef struct Fixture
{
	TestHost	test;
	AiArena		arena;
	AiPool	   *pool;
	AiVocabulary vocabulary;
} Fixture;

static void
set_up(Fixture *f, int n_threads)
{
	test_host_init(&f->test, 0, 0);
	ai_arena_init(&f->arena, &f->test.host);
	assert_int_equal(ai_pool_create(&f->pool, &f->test.host, n_threads, NULL), AI_OK);
	assert_int_equal(ai_vocabulary_init(&f->vocabulary, &f->arena, f->pool, NULL), AI_OK);
}

static void
tear_down(Fixture *f)
{
	ai_arena_free(&f->arena);
	ai_pool_destroy(f->pool);
	assert_int_equal(f->test.n_live, 0);
}

/* One row of hash:[n], added part by part; number:[n] in that order */
static void
add_row(AiVocabulary *vocabulary, uint32_t *number, const uint64_t *hash, size_t n, bool counts)
{
	size_t		n_more[AI_VOCABULARY_N_PARTS] = {0};
	uint32_t   *places = malloc((n + 1) * sizeof(uint32_t));

	for (size_t i = 0; i < n; i++)
		n_more[ai_vocabulary_part(hash[i])]++;
	assert_int_equal(ai_vocabulary_make_room(vocabulary, n_more, NULL), AI_OK);
	for (int p = 0; p < AI_VOCABULARY_N_PARTS; p++)
	{
		size_t		n_places = 0;

		for (size_t i = 0; i < n; i++)
		{
			if (ai_vocabulary_part(hash[i]) == p)
				places[n_places++] = (uint32_t) (2 * i + counts);
		}
		ai_vocabulary_add(vocabulary, p, 0, number, hash, places, n_places);
		number += n_places;
	}
	free(places);
}

static void
add_rows(AiVocabulary *vocabulary, const Held *held)
{
	uint32_t	n_all = 0;
	uint64_t   *hash;
	uint32_t   *number;
	AiRng		rng = {4};

	for (int r = 0; r <= MAX_ROWS; r++)
		n_all += held->n_held[r];
	hash = malloc(n_all * sizeof(uint64_t));
	number = malloc(n_all * sizeof(uint32_t));
	for (uint32_t i = 0; i < n_all; i++)
		hash[i] = ai_rng_next(&rng);

	/* Row 0 does not count and holds all; row r holds what r and more rows hold. */
	for (uint32_t r = 0, first = 0; r <= MAX_ROWS; first += held->n_held[r++])
		add_row(vocabulary, number, hash + first, n_all - first, r > 0);
	free(hash);
	free(number);
}

/* By falling number of rows, then by hash */
static void
check_order(const AiVocabularyOrder *order)
{
	for (uint32_t i = 0; i < order->n_features; i++)
	{
		assert_true(order->n_rows[i] >= order->min_count);
		if (i > 0)
			assert_true(order->n_rows[i - 1] > order->n_rows[i] ||
						(order->n_rows[i - 1] == order->n_rows[i] &&
						 order->hash[i - 1] < order->hash[i]));
	}
}

/* The least number of rows is as it should be, and keeps what so many rows hold. */
static void
check_held(const Held *held, int n_threads)
{
	Fixture		f;
	AiVocabularyOrder order;
	uint32_t	n_kept = 0;

	set_up(&f, n_threads);
	add_rows(&f.vocabulary, held);
	assert_int_equal(ai_vocabulary_order(&order, &f.vocabulary, 0, INT64_MAX, NULL), AI_OK);
	assert_int_equal(order.min_count, held->min_count);
	for (uint32_t r = held->min_count; r <= MAX_ROWS; r++)
		n_kept += held->n_held[r];
	assert_int_equal(order.n_features, n_kept);
	assert_true(order.n_features > 0 && order.is_complete);
	check_order(&order);
	tear_down(&f);
}

/* The more n-grams there are, the more rows must hold one; but some are always kept */
static void
test_min_count(void **state)
{
	static const Held held[] = {
		{{0, 1}, 1}, {{0, 1000, 200, 50, 10, 5}, 1}, {{50, 0, 0, 3}, 1},
		{{0, PLENTY}, 1}, {{0, PLENTY - 2, 1, 1}, 1}, {{10, PLENTY - 1, 1}, 1},
		{{0, PLENTY, 1}, 2}, {{0, 1, PLENTY}, 2}, {{0, PLENTY, PLENTY}, 2},
		{{0, 1, PLENTY, 1}, 3}, {{0, 0, PLENTY, 1}, 3}, {{0, 1, 1, PLENTY}, 3},
		{{0, 1, 1, PLENTY, 1}, 4}, {{0, 0, 0, 0, PLENTY + 1}, 4}, {{0, 1, 0, 0, 0, PLENTY + 1}, 4},
		{{0, PLENTY + 1}, 1}, {{9, 0, PLENTY + 1}, 2}, {{0, 0, 0, PLENTY + 1}, 3},
		{{0, 5, PLENTY + 1}, 2}
	};

	(void) state;
	for (size_t i = 0; i < COUNT(held); i++)
		check_held(&held[i], 1 + (int) i % 2);
}

/* Hashes that agree in many bits are ordered too, and numbers lead to their features. */
static void
test_order(void **state)
{
	enum
	{
		N = 3000
	};
	static uint64_t hash[N];
	static uint32_t number[N];
	static uint32_t again[N];

	(void) state;
	for (uint64_t i = 0; i < N; i++)
		hash[i] = (i % 5) << 60 | (i % 7) << 40 | (N - i) << 2;
	for (int64_t max_features = 1; max_features <= 2 * N; max_features *= 3)
	{
		Fixture		f;
		AiVocabularyOrder order;
		uint32_t	n_found = 0;

		set_up(&f, 2);
		for (int row = 0; row < 300; row++)	/* one held by more than a byte counts */
			add_row(&f.vocabulary, number, hash, 1, true);
		add_row(&f.vocabulary, number, hash, N, true);
		add_row(&f.vocabulary, again, hash, N / 2, true);
		assert_int_equal(ai_vocabulary_order(&order, &f.vocabulary, 1, max_features, NULL), AI_OK);
		assert_int_equal(order.n_features, max_features < N ? max_features : N);
		assert_int_equal(order.is_complete, max_features >= N);
		assert_int_equal(order.n_rows[0], 302);
		check_order(&order);
		for (int i = 0, p = 0; p < AI_VOCABULARY_N_PARTS; p++)
		{
			for (int j = 0; j < N; j++)
			{
				uint32_t	feature;

				if (ai_vocabulary_part(hash[j]) != p)
					continue;
				feature = order.feature[number[i++]];
				if (feature == AI_NO_FEATURE)
					continue;
				assert_true(order.hash[feature] == hash[j]);
				n_found++;
			}
		}
		assert_int_equal(n_found, order.n_features);
		tear_down(&f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_min_count),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
