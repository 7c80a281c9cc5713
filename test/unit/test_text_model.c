/*-------------------------------------------------------------------------
 * test_text_model.c
 *		The parts of a text model: frequencies in a byte, the table of n-grams.
 *-------------------------------------------------------------------------
 */
#include "core/model/text_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"

/* a byte tells an inverse document frequency within 0.03, and exactly for rare n-grams */
static void
test_idf(void **state)
{
	static const int64_t n_rows[] = {1, 2, 64, 65, 1000, 100000, 4000000};

	(void) state;
	for (int r = 0; r < 7; r++)
	{
		float		of[AI_TEXT_N_IDF];
		uint8_t		last = 0;

		ai_text_idf_fill(of, n_rows[r]);
		for (uint32_t n = 1; n <= n_rows[r]; n += n < 200 ? 1 : n / 100)
		{
			uint8_t		code = ai_text_idf_code(n);
			double		exact = log((1.0 + (double) n_rows[r]) / (1.0 + n)) + 1;

			assert_true(code >= last);
			assert_true(fabs(of[code] - exact) < (n <= 64 ? 1e-6 : 0.03));
			last = code;
		}
		for (int code = 0; code < AI_TEXT_N_IDF; code++)
			assert_true(of[code] >= 1);
	}
	assert_int_equal(ai_text_idf_code(UINT32_MAX), AI_TEXT_N_IDF - 1);
}

/* every n-gram of the table is found under its number, and hardly any other */
static void
test_table(void **state)
{
	static const uint32_t sizes[] = {0, 1, 7, 8, 9, 100, 10000};

	(void) state;
	for (int s = 0; s < 7; s++)
	{
		uint32_t	n = sizes[s];
		uint32_t	n_buckets = ai_text_n_buckets(n);
		AiTextBucket *buckets = aligned_alloc(64, n_buckets * sizeof(AiTextBucket));
		AiTextTable table = {buckets, n_buckets, n};
		uint64_t   *hash = malloc((n + 1) * sizeof(uint64_t));
		AiRng		rng = {s};

		memset(buckets, 0, n_buckets * sizeof(AiTextBucket));
		for (uint32_t i = 0; i < n; i++)
			hash[i] = ai_rng_next(&rng);
		ai_text_table_fill(buckets, n_buckets, hash, n);
		for (uint32_t i = 0; i < n; i++)
			assert_int_equal(ai_text_table_find(&table, hash[i]), i + 1);
		for (int i = 0; i < 10000; i++)
			assert_int_equal(ai_text_table_find(&table, ai_rng_next(&rng)), 0);
		free(hash);
		free(buckets);
	}
}

/* n-grams that crowd into one bucket go on into the next, also past the last */
static void
test_full_buckets(void **state)
{
	uint64_t	hash[20];
	AiTextBucket *buckets = aligned_alloc(64, 4 * sizeof(AiTextBucket));
	AiTextTable table = {buckets, 4, 20};

	(void) state;
	memset(buckets, 0, 4 * sizeof(AiTextBucket));
	for (int i = 0; i < 20; i++)
		hash[i] = UINT64_C(0xFFFFFFFF00000001) + (uint64_t) i;
	ai_text_table_fill(buckets, 4, hash, 20);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(ai_text_table_find(&table, hash[i]), i + 1);
	assert_int_equal(ai_text_table_find(&table, hash[19] + 1), 0);

	/* a number that no feature has is not given, wherever it came from */
	table.n_features = 19;
	assert_int_equal(ai_text_table_find(&table, hash[18]), 19);
	assert_int_equal(ai_text_table_find(&table, hash[19]), 0);
	free(buckets);
}

/* the values of each kind have a length of their own, whatever the others have */
static void
test_values(void **state)
{
	static const uint8_t code[] = {5, 0, 3, 2, 1};
	static const uint8_t count[] = {1, 2, 255, 3, 1};
	static const double length[AI_NGRAM_N_KINDS] = {
		[AI_NGRAM_WORD] = 1.4, [AI_NGRAM_CHARS] = 1, [AI_NGRAM_SHAPE] = 1
	};
	float		of[AI_TEXT_N_IDF];
	AiTextDamping damping;
	float		value[5];

	(void) state;
	ai_text_idf_fill(of, 100);
	ai_text_damping_init(&damping);
	for (int kind = 0; kind < AI_NGRAM_N_KINDS; kind++)
	{
		for (size_t n = 0; n <= 5; n++)
		{
			double		sum = 0;

			ai_text_values(value, kind, count, code, n, of, &damping);
			for (size_t i = 0; i < n; i++)
				sum += (double) value[i] * value[i];
			assert_true(n == 0 || fabs(sqrt(sum) - length[kind]) < 1e-5);
		}
		assert_true(fabs(value[3] / value[0] - (1 + log(3)) * of[2] / of[5]) < 1e-5);
		assert_true(fabs(value[2] / value[4] - (1 + log(255)) * of[3] / of[1]) < 1e-4);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idf),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_full_buckets),
		cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
