/*-------------------------------------------------------------------------
 * test_text_counts.c
 *		Features are counted as by hand, with a place each and without.
 *-------------------------------------------------------------------------
 */
#include "core/model/text_counts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "test_host.h"

#define N_FEATURES 5000
#define MAX_NUMBERS 20000
#define PORTION 777

static uint8_t idf_code[N_FEATURES];
static float weight[N_FEATURES];
static const AiTextKnown known = {
	.n_features = N_FEATURES, .idf = {NULL, idf_code}, .weight = weight, .width = 1
};

/* A text, and what is expected of it */
typedef struct Text
{
	uint32_t	numbers[MAX_NUMBERS];
	size_t		n_numbers;
	uint32_t	times[N_FEATURES];
	uint32_t	feature[N_FEATURES];	/* by first places */
	size_t		n;
} Text;

/* Low numbers are frequent, some are none, and one occurs very often. */
static void
make_text(Text *text, size_t n_numbers, AiRng *rng)
{
	memset(text, 0, sizeof(Text));
	text->n_numbers = n_numbers;
	for (size_t i = 0; i < n_numbers; i++)
	{
		uint32_t	number = ai_rng_below(rng, 1 + ai_rng_below(rng, N_FEATURES + 1));

		if (i % 10 == 0)
			number = N_FEATURES;
		text->numbers[i] = number;
		if (number > 0 && text->times[number - 1]++ == 0)
			text->feature[text->n++] = number - 1;
	}
}

static AiCode
add_text(AiTextCounts *counts, uint32_t *feature, size_t *n, const Text *text, AiError *err)
{
	*n = 0;
	for (size_t i = 0; i < text->n_numbers; i += PORTION)
	{
		size_t		n_more = text->n_numbers - i < PORTION ? text->n_numbers - i : PORTION;
		size_t		n_new;

		AI_TRY(ai_text_counts_add(counts, feature + *n, &n_new, text->numbers + i, n_more, err));
		*n += n_new;
	}
	return AI_OK;
}

static void
check_text(AiTextCounts *counts, const Text *text, bool has_occurrences)
{
	static uint32_t feature[N_FEATURES + 1];
	static uint32_t occurrences[N_FEATURES];
	static uint8_t times[N_FEATURES];
	static uint8_t code[N_FEATURES];
	size_t		n;

	assert_int_equal(add_text(counts, feature, &n, text, NULL), AI_OK);
	assert_int_equal(n, text->n);
	ai_text_counts_take(counts, times, code, has_occurrences ? occurrences : NULL, feature, n);
	for (size_t i = 0; i < n; i++)
	{
		uint32_t	all = text->times[feature[i]];

		assert_int_equal(feature[i], text->feature[i]);
		assert_int_equal(times[i], all < UINT8_MAX ? all : UINT8_MAX);
		assert_int_equal(code[i], idf_code[feature[i]]);
		if (has_occurrences)
			assert_int_equal(occurrences[i], all);
	}
}

/* texts of all lengths one after the other, some given up; with all, few and no places */
static void
test_counts(void **state)
{
	static const size_t n_places[] = {0, 1, 100, N_FEATURES - 1, N_FEATURES, 2 * N_FEATURES};
	static const size_t lengths[] = {0, 1, 100, MAX_NUMBERS, 5, 3000, 300};
	static Text text;
	static uint32_t feature[N_FEATURES + 1];

	(void) state;
	for (size_t p = 0; p < sizeof(n_places) / sizeof(n_places[0]); p++)
	{
		AiTextCounts *counts;
		AiRng		rng = {p};
		size_t		n;

		assert_int_equal(ai_text_counts_create(&counts, &known, n_places[p], ai_malloc_host(),
											   NULL), AI_OK);
		for (int round = 0; round < 20; round++)
		{
			make_text(&text, lengths[round % 7], &rng);
			if (round % 3 == 1)
			{
				assert_int_equal(add_text(counts, feature, &n, &text, NULL), AI_OK);
				ai_text_counts_clear(counts);
			}
			check_text(counts, &text, n_places[p] == 0);
		}
		ai_text_counts_destroy(counts);
	}
}

static AiCode
count_once(const AiHost *host, void *arg, AiError *err)
{
	static uint32_t feature[N_FEATURES + 1];
	AiTextCounts *counts;
	AiCode		code;
	size_t		n;

	AI_TRY(ai_text_counts_create(&counts, &known, 10, host, err));
	code = add_text(counts, feature, &n, arg, err);
	ai_text_counts_destroy(counts);
	return code;
}

/* memory that runs out is an error */
static void
test_out_of_memory(void **state)
{
	static Text text;
	AiRng		rng = {1};

	(void) state;
	make_text(&text, MAX_NUMBERS, &rng);
	test_every_failed_alloc(count_once, &text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_out_of_memory),
	};
	AiRng		rng = {0};

	for (int i = 0; i < N_FEATURES; i++)
		idf_code[i] = (uint8_t) ai_rng_next(&rng);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
