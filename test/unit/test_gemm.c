/*-------------------------------------------------------------------------
 * test_gemm.c
 *		Products of dense matrices and transposing, at every level of this machine, and by
 *		OpenBLAS if it is installed.
 *
 * The truth is a sum in double precision; the budget is that of kernels.h.
 *-------------------------------------------------------------------------
 */
#include "dense_arrays.h"

#define C_GAP 3					/* numbers between two rows of C, which nobody may touch */

static bool is_own = true;		/* whose products are tested */

/* Those of each level, and those of the best one with OpenBLAS */
static void
for_all_products(void (*check) (void))
{
	for_each_level(check);
	ai_blas_select(AI_BLAS_OPENBLAS);
	is_own = false;
	if (ai_blas_prepare(NULL) == AI_OK)
		check();
	ai_blas_select(AI_BLAS_OWN);
	is_own = true;
}

/* How A lies */
typedef enum Layout
{
	BY_ROW,						/* a_col is 1 */
	BY_TABLE,					/* rows is given */
	BY_COLUMN,					/* a_row is 1 */
	N_LAYOUTS
} Layout;

/* A product and its arrays; before is C as it was */
typedef struct Case
{
	AiGemm		gemm;
	size_t		a_size;
	size_t		b_size;
	size_t		c_size;
	float	   *a;
	float	   *b;
	float	   *bias;
	float	   *c;
	float	   *before;
	ptrdiff_t  *rows;
} Case;

static Case
make_case(AiRng *rng, size_t m, size_t n, size_t k, size_t n_taps, Layout layout)
{
	size_t		last_tap = n_taps > 0 ? n_taps - 1 : 0;
	size_t		a_tap = 5;
	size_t		a_row = layout == BY_COLUMN ? 1 : k + 2;
	size_t		a_col = layout == BY_COLUMN ? m + 1 : 1;
	size_t		b_row = n + 1;
	size_t		b_tap = k * b_row;
	Case		c = {.rows = NULL};

	if (m * k * n_taps > 0)
		c.a_size = (m - 1) * a_row + (k - 1) * a_col + last_tap * a_tap + 1;
	if (n * k * n_taps > 0)
		c.b_size = (k - 1) * b_row + last_tap * b_tap + n;
	if (m * n > 0)
		c.c_size = (m - 1) * (n + C_GAP) + n;
	c.a = make_floats(rng, c.a_size);
	c.b = make_floats(rng, c.b_size);
	c.bias = make_floats(rng, n);
	c.c = make_floats(rng, c.c_size);
	c.before = make_floats(rng, c.c_size);
	memcpy(c.before, c.c, c.c_size * sizeof(float));
	if (layout == BY_TABLE)
	{
		c.rows = malloc((m + 1) * sizeof(*c.rows));
		assert_non_null(c.rows);
		for (size_t i = 0; i < m; i++)
			c.rows[i] = (ptrdiff_t) (ai_rng_below(rng, (uint32_t) m) * a_row);
	}
	c.gemm = (AiGemm) {
		.m = m, .n = n, .k = k, .n_taps = n_taps,
		.a = c.a, .a_row = (ptrdiff_t) a_row, .a_col = (ptrdiff_t) a_col,
		.a_tap = (ptrdiff_t) a_tap,
		.rows = c.rows,
		.b = c.b, .b_row = (ptrdiff_t) b_row, .b_tap = (ptrdiff_t) b_tap,
		.c = c.c, .c_row = (ptrdiff_t) n + C_GAP,
		.bias = ai_rng_below(rng, 2) == 0 ? c.bias : NULL,
		.adds = ai_rng_below(rng, 2) == 0,
		.act = ai_rng_below(rng, 2) == 0 ? AI_ACT_RELU : AI_ACT_LINEAR
	};
	return c;
}

static void
free_case(Case *c)
{
	free_floats(c->a);
	free_floats(c->b);
	free_floats(c->bias);
	free_floats(c->c);
	free_floats(c->before);
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
	double		exact = (g->adds ? c->before[at] : 0) + (g->bias != NULL ? g->bias[j] : 0);
	double		sizes = (g->adds ? fabsf(c->before[at]) : 0) +
		(g->bias != NULL ? fabsf(g->bias[j]) : 0);
	double		budget;

	for (size_t t = 0; t < g->n_taps; t++)
	{
		for (size_t p = 0; p < g->k; p++)
		{
			const float *b = g->b + (ptrdiff_t) t * g->b_tap + (ptrdiff_t) p * g->b_row;
			double		term = (double) g->a[place_of_a(g, t, i, p)] * b[j];

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
			assert_memory_equal(c->c + at, c->before + at, C_GAP * sizeof(float));
	}
}

/* Some columns of one row alone have the same bits as in the whole product. */
static void
check_alone(const Case *c, size_t i, size_t j, size_t n)
{
	AiGemm		alone = c->gemm;
	size_t		at = i * (size_t) c->gemm.c_row + j;
	float	   *result = malloc(n * sizeof(float));

	assert_non_null(result);
	memcpy(result, c->before + at, n * sizeof(float));
	alone.m = 1;
	alone.n = n;
	alone.a += place_of_a(&c->gemm, 0, i, 0) * (c->a_size > 0);
	alone.rows = NULL;
	if (c->gemm.rows != NULL)
		alone.a_col = 1;
	alone.b += j * (c->b_size > 0);
	alone.bias = c->gemm.bias != NULL ? c->gemm.bias + j : NULL;
	alone.c = result;
	ai_kernels()->gemm(&alone);
	assert_memory_equal(result, c->c + at, n * sizeof(float));
	free(result);
}

static void
check_case(AiRng *rng, size_t m, size_t n, size_t k, size_t n_taps, Layout layout)
{
	Case		c = make_case(rng, m, n, k, n_taps, layout);
	size_t		work = m * n * k * n_taps;
	size_t		step = work > 10000000 ? 97 : work > 100000 ? 7 : 1;

	ai_kernels()->gemm(&c.gemm);
	for (size_t e = 0; e < m * n; e += step)
		check_element(&c, e / n, e % n);
	check_gaps(&c);
	for (int e = 0; e < 5 && m * n > 0; e++)
	{
		check_alone(&c, ai_rng_below(rng, (uint32_t) m), 0, n);
		if (is_own)
			check_alone(&c, ai_rng_below(rng, (uint32_t) m), ai_rng_below(rng, (uint32_t) n), 1);
	}
	free_case(&c);
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
	for_all_products(check_sizes);
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
		check_case(&rng, 200, 20, 2000, 1, (Layout) layout);
	}
}

/* sums that are taken in parts are within the budget and the same, too */
static void
test_long_sums(void **state)
{
	(void) state;
	for_all_products(check_long_sums);
}

static void
check_large(void)
{
	AiRng		rng = {6};

	for (int layout = 0; layout < N_LAYOUTS; layout++)
	{
		check_case(&rng, 1, 1030, 300, 1, (Layout) layout);
		check_case(&rng, 9, 700, 130, 3, (Layout) layout);
	}
	check_case(&rng, 48, 3100, 90, 1, BY_ROW);
	check_case(&rng, 49, 1100, 430, 3, BY_TABLE);
	check_case(&rng, 600, 270, 420, 1, BY_COLUMN);
}

/* so are those whose second matrix is larger than a cache */
static void
test_large(void **state)
{
	(void) state;
	for_all_products(check_large);
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
			float	   *sums = make_floats(&rng, c.c_size);

			c.gemm.act = AI_ACT_LINEAR;
			ai_kernels()->gemm(&c.gemm);
			memcpy(sums, c.c, c.c_size * sizeof(float));
			for (size_t i = 0; i < c.gemm.m; i++)
			{
				float	   *row = sums + i * (size_t) c.gemm.c_row;

				ai_kernels()->activate(row, row, n, (AiActivation) act);
			}
			memcpy(c.c, c.before, c.c_size * sizeof(float));
			c.gemm.act = (AiActivation) act;
			ai_kernels()->gemm(&c.gemm);
			assert_memory_equal(c.c, sums, c.c_size * sizeof(float));
			free_floats(sums);
			free_case(&c);
		}
	}
}

/* an activation in the product is the same as one after it */
static void
test_activations(void **state)
{
	(void) state;
	for_all_products(check_activations);
}

static void
check_not_numbers(void)
{
	AiRng		rng = {4};
	Case		c = make_case(&rng, 9, 40, 20, 1, BY_ROW);

	c.gemm.act = AI_ACT_RELU;
	c.gemm.adds = false;
	c.a[2 * (size_t) c.gemm.a_row + 3] = NAN;
	ai_kernels()->gemm(&c.gemm);
	for (size_t i = 0; i < c.gemm.m; i++)
	{
		for (size_t j = 0; j < c.gemm.n; j++)
			assert_int_equal(isnan(c.c[i * (size_t) c.gemm.c_row + j]) != 0, i == 2);
	}
	free_case(&c);
}

/* what is not a number is seen behind relu, and in its own row only */
static void
test_not_numbers(void **state)
{
	(void) state;
	for_all_products(check_not_numbers);
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
		float	   *from = make_floats(&rng, is_empty ? 0 : (n_rows - 1) * (n_cols + 1) + n_cols);
		float	   *to = make_floats(&rng, is_empty ? 0 : (n_cols - 1) * (n_rows + 2) + n_rows);

		ai_kernels()->transpose(to, (ptrdiff_t) n_rows + 2, from, (ptrdiff_t) n_cols + 1,
								n_rows, n_cols);
		for (size_t e = 0; e < n_rows * n_cols; e++)
			assert_true(to[e % n_cols * (n_rows + 2) + e / n_cols] ==
						from[e / n_cols * (n_cols + 1) + e % n_cols]);
		free_floats(from);
		free_floats(to);
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
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_activations),
		cmocka_unit_test(test_not_numbers),
		cmocka_unit_test(test_transpose),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
