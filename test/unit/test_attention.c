/*-------------------------------------------------------------------------
 * test_attention.c
 *		Attention against double precision, in every way that the machine has.
 *
 * The budgets are those of attention.h.
 *-------------------------------------------------------------------------
 */
#include "dense_arrays.h"

#include "core/base/host.h"
#include "core/kernels/attention.h"

#define GAP 5					/* numbers between two rows of y, which nobody may touch */

static const AiAttentionWay *way;

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

	if (way->precision != AI_PRECISION_FP32)
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
					 way->name, ai_cpu_level_name(ai_kernels_level()),
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
		.precision = way->precision, .n_tokens = n_tokens, .d = d,
		.q = x, .k = x + d, .v = x + 2 * d, .row = row,
		.scale = spread / sqrtf((float) d),
		.by_distance = has_distances ? distances + n_tokens - 1 : NULL,
		.y = y, .y_row = d + GAP,
		.scratch = ai_host_alloc(ai_malloc_host(), ai_attention_scratch(n_tokens, d))
	};

	assert_non_null(a.scratch);
	if (!ai_attention_way_takes(way, &a))
		goto done;
	for (size_t i = 0; i < n_tokens * row; i++)
		x[i] = (float) (ai_rng_uniform(rng) - 0.5) * 4;
	memcpy(before, y, n_tokens * (d + GAP) * sizeof(float));
	way->attend(&a);
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
	way->attend(&a);
	for (size_t i = 0; i < n_tokens; i++)
		assert_memory_equal(before + i * d, y + i * (d + GAP), d * sizeof(float));
done:
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
	static const size_t widths[] = {16, 32, 64, 128, 256, 24, 1};
	AiRng		rng = {3};

	for (size_t t = 0; t < COUNT(tokens); t++)
	{
		for (size_t w = 0; w < COUNT(widths); w++)
			check_text(&rng, tokens[t], widths[w], w % 2 == 0 ? 1 : 12, (t + w) % 2 == 0);
	}
}

static void
test_ways(void **state)
{
	(void) state;
	for (size_t i = 0; (way = ai_attention_way(i)) != NULL; i++)
		for_each_level(check_texts);
}

/* What is chosen has the bits of the last way that can: is it the best that the machine has? */
static void
test_choice(void **state)
{
	enum
	{
		N_TOKENS = 40, D = 32
	};
	AiRng		rng = {5};
	float	   *x = make_floats(&rng, N_TOKENS * 3 * D);
	float	   *y = make_floats(&rng, N_TOKENS * D);
	float	   *chosen = make_floats(&rng, N_TOKENS * D);
	AiAttention a = {
		.n_tokens = N_TOKENS, .d = D, .q = x, .k = x + D, .v = x + 2 * D, .row = 3 * D,
		.scale = 0.2f, .y_row = D,
		.scratch = ai_host_alloc(ai_malloc_host(), ai_attention_scratch(N_TOKENS, D))
	};

	(void) state;
	for (a.precision = AI_PRECISION_FP32; a.precision < AI_N_PRECISIONS; a.precision++)
	{
		a.y = y;
		for (size_t i = 0; (way = ai_attention_way(i)) != NULL; i++)
		{
			if (ai_attention_way_takes(way, &a))
				way->attend(&a);
		}
		a.y = chosen;
		ai_attention(&a);
		assert_memory_equal(y, chosen, N_TOKENS * D * sizeof(float));
	}
	ai_host_release(ai_malloc_host(), a.scratch);
	free_floats(x);
	free_floats(y);
	free_floats(chosen);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
