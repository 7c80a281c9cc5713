/*-------------------------------------------------------------------------
 * test_attention.c
 *		Attention against double precision, in fp32 at every level and in bf16 where there is AMX.
 *
 * The budgets are those of attention.h.
 *-------------------------------------------------------------------------
 */
#include "dense_arrays.h"

#include "core/base/host.h"
#include "core/kernels/attention.h"

#define GAP 5					/* numbers between two rows of y, which nobody may touch */

static AiPrecision precision;

/* The sizes of scores and values, for the budget */
typedef struct Sizes
{
	double		score;
	double		value;
} Sizes;

static double *
exact_scores(const AiAttention *a, size_t i, Sizes *sizes)
{
	double	   *scores = malloc(a->n_tokens * sizeof(double));

	assert_non_null(scores);
	for (size_t j = 0; j < a->n_tokens; j++)
	{
		double		by_distance =
			a->by_distance != NULL ? a->by_distance[(ptrdiff_t) j - (ptrdiff_t) i] : 0;
		double		size = fabs(by_distance);

		scores[j] = by_distance;
		for (size_t p = 0; p < a->d; p++)
		{
			double		term = (double) a->q[i * a->row + p] * a->k[j * a->row + p] * a->scale;

			scores[j] += term;
			size += fabs(term);
			sizes->value = fmax(sizes->value, fabsf(a->v[j * a->row + p]));
		}
		sizes->score = fmax(sizes->score, size);
	}
	return scores;
}

static void
check_row(const AiAttention *a, size_t i)
{
	Sizes		sizes = {0};
	double	   *scores = exact_scores(a, i, &sizes);
	double		max = -INFINITY;
	double		sum = 0;
	double		budget = 2 * ((double) a->d + 4) * 0x1p-24 * sizes.score +
		((double) a->n_tokens + 16) * 0x1p-23;

	if (a->precision != AI_PRECISION_FP32)
		budget += 3 * 0x1p-8 * sizes.score + 0x1p-7;
	for (size_t j = 0; j < a->n_tokens; j++)
		max = fmax(max, scores[j]);
	for (size_t j = 0; j < a->n_tokens; j++)
		sum += scores[j] = exp(scores[j] - max);
	for (size_t p = 0; p < a->d; p++)
	{
		double		exact = 0;

		for (size_t j = 0; j < a->n_tokens; j++)
			exact += scores[j] / sum * a->v[j * a->row + p];
		if (!(fabs(a->y[i * a->y_row + p] - exact) <= budget * sizes.value))
			fail_msg("%s %s: %g instead of %g, token %zu of %zu, number %zu of %zu, budget %g",
					 ai_precision_name(a->precision), ai_cpu_level_name(ai_kernels_level()),
					 a->y[i * a->y_row + p], exact, i, a->n_tokens, p, a->d, budget * sizes.value);
	}
	free(scores);
}

static void
check_text(AiRng *rng, size_t n_tokens, size_t d, float spread, bool has_distances)
{
	size_t		row = 3 * d + 7;
	size_t		step = n_tokens > 100 ? 23 : 1;
	float	   *x = make_floats(rng, n_tokens * row);
	float	   *distances = make_floats(rng, 2 * n_tokens);
	float	   *y = make_floats(rng, n_tokens * (d + GAP));
	float	   *before = make_floats(rng, n_tokens * (d + GAP));
	AiAttention a = {
		.precision = precision, .n_tokens = n_tokens, .d = d,
		.q = x, .k = x + d, .v = x + 2 * d, .row = row,
		.scale = spread / sqrtf((float) d),
		.by_distance = has_distances ? distances + n_tokens - 1 : NULL,
		.y = y, .y_row = d + GAP,
		.scratch = ai_host_alloc(ai_malloc_host(), ai_attention_scratch(n_tokens, d))
	};

	assert_non_null(a.scratch);
	for (size_t i = 0; i < n_tokens * row; i++)
		x[i] = (float) (ai_rng_uniform(rng) - 0.5) * 4;
	memcpy(before, y, n_tokens * (d + GAP) * sizeof(float));
	ai_attention(&a);
	for (size_t i = 0; i < n_tokens; i += step)
		check_row(&a, i);
	for (size_t i = 0; i < n_tokens; i++)
	{
		assert_memory_equal(y + i * (d + GAP) + d, before + i * (d + GAP) + d,
							GAP * sizeof(float));
		memcpy(before + i * d, y + i * (d + GAP), d * sizeof(float));
	}

	/* What scratch held before does not matter. */
	memset(a.scratch, 0xff, ai_attention_scratch(n_tokens, d));
	ai_attention(&a);
	for (size_t i = 0; i < n_tokens; i++)
		assert_memory_equal(before + i * d, y + i * (d + GAP), d * sizeof(float));
	ai_host_release(ai_malloc_host(), a.scratch);
	free_floats(x);
	free_floats(distances);
	free_floats(y);
	free_floats(before);
}

static void
check_texts(void)
{
	static const size_t tokens[] = {1, 2, 3, 15, 16, 17, 25, 31, 32, 33, 63, 65, 130, 300, 1100};
	static const size_t widths[] = {16, 32, 64, 128, 24, 1};
	AiRng		rng = {3};

	for (size_t t = 0; t < COUNT(tokens); t++)
	{
		for (size_t w = 0; w < COUNT(widths); w++)
			check_text(&rng, tokens[t], widths[w], w % 2 == 0 ? 1 : 12, (t + w) % 2 == 0);
	}
}

static void
test_fp32(void **state)
{
	(void) state;
	precision = AI_PRECISION_FP32;
	for_each_level(check_texts);
}

static void
test_bf16(void **state)
{
	(void) state;
	precision = AI_PRECISION_BF16;
	check_texts();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fp32),
		cmocka_unit_test(test_bf16),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
