/*-------------------------------------------------------------------------
 * test_gemm.c
 *		Products of dense matrices and transposing, at every level of this machine.
 *
 * The truth is a sum in double precision; the budget is that of kernels.h.  Arrays begin 4 bytes
 * beside a vector's place and have exactly the size that a call may touch, so that a sanitizer
 * sees one element too many.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define C_GAP 3					/* numbers between two rows of C, which nobody may touch */

/* How A lies */
typedef enum Layout
{
	BY_ROW,						/* a_col is 1 */
	BY_TABLE,					/* rows is given */
	BY_COLUMN,					/* a_row is 1 */
	N_LAYOUTS
} Layout;

typedef struct Array
{
	void	   *memory;
	float	   *x;
	size_t		n;
} Array;

static Array
make_array(AiRng *rng, size_t n)
{
	Array		array = {.memory = malloc((n + 1) * sizeof(float)), .n = n};

	assert_non_null(array.memory);
	array.x = (float *) array.memory + 1;
	for (size_t i = 0; i < n; i++)
		array.x[i] = (float) ((ai_rng_uniform(rng) - 0.5) * exp(4 * ai_rng_uniform(rng)));
	return array;
}

/* A product and its arrays; before is C as it was */
typedef struct Case
{
	AiGemm		gemm;
	Array		a;
	Array		b;
	Array		bias;
	Array		c;
	Array		before;
	ptrdiff_t  *rows;
} Case;

static Case
make_case(AiRng *rng, size_t m, size_t n, size_t k, size_t n_taps, Layout layout)
{
	Case		c = {.rows = NULL};
	size_t		last_tap = n_taps > 0 ? n_taps - 1 : 0;
	ptrdiff_t	a_tap = 5;
	size_t		a_row = layout == BY_COLUMN ? 1 : k + 2;
	size_t		a_col = layout == BY_COLUMN ? m + 1 : 1;
	bool		is_empty = m == 0 || k == 0 || n_taps == 0;
	size_t		a_size = is_empty ? 0 : (m - 1) * a_row + (k - 1) * a_col + last_tap * (size_t) a_tap + 1;
	ptrdiff_t	b_tap = (ptrdiff_t) (k * (n + 1));

	c.a = make_array(rng, a_size);
	c.b = make_array(rng, k * n_taps * n == 0 ? 0 : last_tap * (size_t) b_tap + (k - 1) * (n + 1) + n);
	c.bias = make_array(rng, n);
	c.c = make_array(rng, m * n == 0 ? 0 : (m - 1) * (n + C_GAP) + n);
	c.before = make_array(rng, c.c.n);
	memcpy(c.before.x, c.c.x, c.c.n * sizeof(float));
	if (layout == BY_TABLE)
	{
		c.rows = malloc((m + 1) * sizeof(*c.rows));
		assert_non_null(c.rows);
		for (size_t i = 0; i < m; i++)
			c.rows[i] = (ptrdiff_t) (ai_rng_below(rng, (uint32_t) m) * a_row);
	}
	c.gemm = (AiGemm) {
		.m = m, .n = n, .k = k, .n_taps = n_taps,
		.a = c.a.x, .a_row = (ptrdiff_t) a_row, .a_col = (ptrdiff_t) a_col, .a_tap = a_tap,
		.rows = c.rows,
		.b = c.b.x, .b_row = (ptrdiff_t) n + 1, .b_tap = b_tap,
		.c = c.c.x, .c_row = (ptrdiff_t) n + C_GAP,
		.bias = ai_rng_below(rng, 2) == 0 ? c.bias.x : NULL,
		.adds = ai_rng_below(rng, 2) == 0,
		.act = ai_rng_below(rng, 2) == 0 ? AI_ACT_RELU : AI_ACT_LINEAR
	};
	return c;
}

static void
free_case(Case *c)
{
	free(c->a.memory);
	free(c->b.memory);
	free(c->bias.memory);
	free(c->c.memory);
	free(c->before.memory);
	free(c->rows);
}

static ptrdiff_t
place_of_a(const AiGemm *g, size_t t, size_t i, size_t p)
{
	ptrdiff_t	tap = (ptrdiff_t) t * g->a_tap;

	if (g->rows != NULL)
		return tap + g->rows[i] + (ptrdiff_t) p;
	return tap + (ptrdiff_t) i * g->a_row + (ptrdiff_t) p * g->a_col;
}

static void
check_element(const Case *c, size_t i, size_t j)
{
	const AiGemm *g = &c->gemm;
	size_t		at = i * (size_t) g->c_row + j;
	double		exact = (g->adds ? c->before.x[at] : 0) + (g->bias != NULL ? g->bias[j] : 0);
	double		sizes = (g->adds ? fabsf(c->before.x[at]) : 0) +
		(g->bias != NULL ? fabsf(g->bias[j]) : 0);
	double		budget;

	for (size_t t = 0; t < g->n_taps; t++)
	{
		for (size_t p = 0; p < g->k; p++)
		{
			double		b = g->b[(ptrdiff_t) t * g->b_tap + (ptrdiff_t) p * g->b_row + (ptrdiff_t) j];
			double		term = g->a[place_of_a(g, t, i, p)] * b;

			exact += term;
			sizes += fabs(term);
		}
	}
	if (g->act == AI_ACT_RELU && exact < 0)
		exact = 0;
	budget = ((double) (g->n_taps * g->k) + 4) * 0x1p-24 * sizes;
	if (!(fabs(g->c[at] - exact) <= budget))
		fail_msg("%s: %g instead of %g at %zu, %zu of %zu, %zu; k = %zu, budget %g",
				 ai_cpu_level_name(ai_kernels_level()), g->c[at], exact, i, j, g->m, g->n, g->k,
				 budget);
}

/* The numbers between the rows of C are as before. */
static void
check_gaps(const Case *c)
{
	for (size_t i = 0; i + 1 < c->gemm.m; i++)
	{
		size_t		at = i * (size_t) c->gemm.c_row + c->gemm.n;

		if (c->gemm.n > 0)
			assert_memory_equal(c->c.x + at, c->before.x + at, C_GAP * sizeof(float));
	}
}

/* One column of one row alone has the same bits as in the whole product. */
static void
check_alone(const Case *c, size_t i, size_t j)
{
	AiGemm		alone = c->gemm;
	float		result = c->before.x[i * (size_t) c->gemm.c_row + j];

	alone.m = alone.n = 1;
	alone.a += place_of_a(&c->gemm, 0, i, 0) * (c->a.n > 0);
	alone.rows = NULL;
	if (c->gemm.rows != NULL)
		alone.a_col = 1;
	alone.b += j * (c->b.n > 0);
	alone.bias = c->gemm.bias != NULL ? c->gemm.bias + j : NULL;
	alone.c = &result;
	ai_kernels()->gemm(&alone);
	assert_memory_equal(&result, c->c.x + i * (size_t) c->gemm.c_row + j, sizeof(float));
}

static void
check_case(AiRng *rng, size_t m, size_t n, size_t k, size_t n_taps, Layout layout)
{
	Case		c = make_case(rng, m, n, k, n_taps, layout);
	size_t		step = m * n * k * n_taps > 100000 ? 7 : 1;

	ai_kernels()->gemm(&c.gemm);
	for (size_t e = 0; e < m * n; e += step)
		check_element(&c, e / n, e % n);
	check_gaps(&c);
	for (int e = 0; e < 5 && m * n > 0; e++)
		check_alone(&c, ai_rng_below(rng, (uint32_t) m), ai_rng_below(rng, (uint32_t) n));
	free_case(&c);
}

static void
for_each_level(void (*check) (void))
{
	for (int level = AI_CPU_PORTABLE; level <= (int) ai_kernels_best_level(); level++)
	{
		assert_int_equal(ai_kernels_select((AiCpuLevel) level, NULL), AI_OK);
		check();
	}
}

static void
check_sizes(void)
{
	static const size_t ms[] = {0, 1, 2, 5, 6, 7, 8, 9, 13, 16, 17};
	static const size_t ns[] = {0, 1, 7, 8, 10, 15, 16, 17, 33, 48, 63, 64, 65, 80, 100};
	static const size_t ks[] = {0, 1, 2, 9, 33};
	AiRng		rng = {1};

	for (size_t i = 0; i < COUNT(ms) * COUNT(ns) * COUNT(ks); i++)
	{
		for (int layout = 0; layout < N_LAYOUTS; layout++)
			check_case(&rng, ms[i % COUNT(ms)], ns[i / COUNT(ms) % COUNT(ns)],
					   ks[i / COUNT(ms) / COUNT(ns)], ai_rng_below(&rng, 4), (Layout) layout);
	}
}

/* every level stays within the budget, and a row's result does not depend on the others */
static void
test_sizes(void **state)
{
	(void) state;
	for_each_level(check_sizes);
}

static void
check_long_sums(void)
{
	AiRng		rng = {2};

	for (int layout = 0; layout < N_LAYOUTS; layout++)
	{
		check_case(&rng, 17, 70, 256, 1, (Layout) layout);
		check_case(&rng, 9, 20, 257, 2, (Layout) layout);
		check_case(&rng, 7, 64, 784, 1, (Layout) layout);
		check_case(&rng, 20, 40, 96, 7, (Layout) layout);
		check_case(&rng, 3, 5, 11, 50, (Layout) layout);
	}
}

/* sums that are taken in parts are within the budget and the same, too */
static void
test_long_sums(void **state)
{
	(void) state;
	for_each_level(check_long_sums);
}

static void
check_activations(void)
{
	AiRng		rng = {3};

	for (int act = 0; act < AI_ACT_SOFTMAX; act++)
	{
		for (size_t n = 10; n <= 70; n += 20)
		{
			Case		c = make_case(&rng, 9, n, 300, 1, BY_ROW);
			Array		sums = make_array(&rng, c.c.n);

			c.gemm.act = AI_ACT_LINEAR;
			ai_kernels()->gemm(&c.gemm);
			memcpy(sums.x, c.c.x, c.c.n * sizeof(float));
			for (size_t i = 0; i < c.gemm.m; i++)
			{
				float	   *row = sums.x + i * (size_t) c.gemm.c_row;

				ai_kernels()->activate(row, row, n, (AiActivation) act);
			}
			memcpy(c.c.x, c.before.x, c.c.n * sizeof(float));
			c.gemm.act = (AiActivation) act;
			ai_kernels()->gemm(&c.gemm);
			assert_memory_equal(c.c.x, sums.x, c.c.n * sizeof(float));
			free(sums.memory);
			free_case(&c);
		}
	}
}

/* an activation in the product is the same as one after it */
static void
test_activations(void **state)
{
	(void) state;
	for_each_level(check_activations);
}

static void
check_not_numbers(void)
{
	AiRng		rng = {4};
	Case		c = make_case(&rng, 9, 40, 20, 1, BY_ROW);

	c.gemm.act = AI_ACT_RELU;
	c.gemm.adds = false;
	c.a.x[2 * (size_t) c.gemm.a_row + 3] = NAN;
	ai_kernels()->gemm(&c.gemm);
	for (size_t i = 0; i < c.gemm.m; i++)
	{
		for (size_t j = 0; j < c.gemm.n; j++)
			assert_int_equal(isnan(c.c.x[i * (size_t) c.gemm.c_row + j]) != 0, i == 2);
	}
	free_case(&c);
}

/* what is not a number is seen behind relu, and in its own row only */
static void
test_not_numbers(void **state)
{
	(void) state;
	for_each_level(check_not_numbers);
}

static void
check_transpose(void)
{
	static const size_t sizes[] = {0, 1, 3, 7, 8, 9, 16, 17, 40};
	AiRng		rng = {5};

	for (size_t s = 0; s < COUNT(sizes) * COUNT(sizes); s++)
	{
		size_t		n_rows = sizes[s % COUNT(sizes)];
		size_t		n_cols = sizes[s / COUNT(sizes)];
		bool		is_empty = n_rows * n_cols == 0;
		Array		from = make_array(&rng, is_empty ? 0 : (n_rows - 1) * (n_cols + 1) + n_cols);
		Array		to = make_array(&rng, is_empty ? 0 : (n_cols - 1) * (n_rows + 2) + n_rows);

		ai_kernels()->transpose(to.x, (ptrdiff_t) n_rows + 2, from.x, (ptrdiff_t) n_cols + 1,
								n_rows, n_cols);
		for (size_t e = 0; e < n_rows * n_cols; e++)
			assert_true(to.x[e % n_cols * (n_rows + 2) + e / n_cols] ==
						from.x[e / n_cols * (n_cols + 1) + e % n_cols]);
		free(from.memory);
		free(to.memory);
	}
}

static void
test_transpose(void **state)
{
	(void) state;
	for_each_level(check_transpose);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_long_sums),
		cmocka_unit_test(test_activations),
		cmocka_unit_test(test_not_numbers),
		cmocka_unit_test(test_transpose),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
