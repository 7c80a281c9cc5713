/*-------------------------------------------------------------------------
 * test_kernels_images.c
 *		Kernels of images and columns: every level gives what is written here plainly.
 *
 * Products keep the budget of kernels.h; all others give the same bits at every level.
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

#define COUNT(array) ((int) (sizeof(array) / sizeof((array)[0])))
#define MAX_NUMBERS 40000

static const size_t sizes[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 127};

static float x[MAX_NUMBERS];
static float y[MAX_NUMBERS];
static float z[MAX_NUMBERS];

/* Whole 64ths, so that sums of a few are exact and their order does not matter */
static void
fill(float *number, size_t n, double share, AiRng *rng)
{
	assert_true(n <= MAX_NUMBERS);
	for (size_t i = 0; i < n; i++)
	{
		number[i] = (float) ((int) ai_rng_below(rng, 257) - 128) / 64;
		if (ai_rng_uniform(rng) >= share)
			number[i] = 0;
	}
}

static void
check_sparse(const AiSparseGemm *g, size_t c_size)
{
	double		expected[2048] = {0};
	float	   *c = calloc(c_size, sizeof(float));
	AiSparseGemm product = *g;

	assert_true(c_size <= COUNT(expected));
	for (size_t i = 0; i < g->m * g->n_taps * g->n * g->k; i++)
	{
		size_t		p = i % g->k;
		size_t		j = i / g->k % g->n;
		size_t		t = i / g->k / g->n % g->n_taps;
		size_t		r = i / g->k / g->n / g->n_taps;

		expected[g->c_rows[r] + t * (size_t) g->c_tap + j] +=
			(double) g->a[r * (size_t) g->a_row + p] *
			(double) g->b[g->b_rows[p] + t * (size_t) g->b_tap + j];
	}
	product.c = c;
	ai_kernels()->gemm_sparse(&product);
	for (size_t i = 0; i < c_size; i++)
	{
		if ((double) c[i] != expected[i])
			fail_msg("level %s, n %zu, k %zu: c[%zu] is %g, not %g",
					 ai_cpu_level_name(ai_kernels_level()), g->n, g->k, i, (double) c[i],
					 expected[i]);
	}
	free(c);
}

/* rows of c overlap, as those of images do */
static void
check_gemm_sparse(void)
{
	static const size_t lengths[] = {1, 15, 16, 17, 255, 256, 257, 600};
	uint32_t	b_rows[600];
	uint32_t	c_rows[3] = {0, 5, 300};
	AiRng		rng = {1};

	for (int l = 0; l < COUNT(lengths); l++)
	{
		for (int s = 0; s < COUNT(sizes); s++)
		{
			AiSparseGemm g = {
				.m = 3, .n = sizes[s], .k = lengths[l], .n_taps = 2, .a = x,
				.a_row = (ptrdiff_t) lengths[l] + 1, .b = y, .b_rows = b_rows, .b_tap = 40,
				.c_rows = c_rows, .c_tap = 150
			};

			fill(x, 3 * (lengths[l] + 1), l % 2 == 0 ? 0.2 : 1, &rng);
			fill(y, 2000, 1, &rng);
			for (size_t p = 0; p < g.k; p++)
				b_rows[p] = ai_rng_below(&rng, 1500);
			check_sparse(&g, 600);
		}
	}
}

static void
check_window(const AiImageWindow *window, size_t n_numbers)
{
	float		max[127];
	float		sum[127];
	int32_t		place[127];

	ai_kernels()->window_max(max, place, x, window);
	ai_kernels()->window_sum(sum, x, window, 0.5F);
	memset(y, 0, n_numbers * sizeof(float));
	memset(z, 0, n_numbers * sizeof(float));
	ai_kernels()->window_max_back(y, sum, place, window);
	ai_kernels()->window_sum_back(z, sum, window, 0.5F);
	for (size_t c = 0; c < window->n; c++)
	{
		float		expected_sum = 0;

		for (size_t i = 0; i < window->n_rows * window->n_columns; i++)
		{
			size_t		at = i / window->n_columns * window->row_step +
				i % window->n_columns * window->n + c;

			assert_true(x[at] <= max[c] && (x[at] < max[c] || (int32_t) i >= place[c]));
			assert_true((int32_t) i != place[c] || x[at] == max[c]);
			assert_true(y[at] == ((int32_t) i == place[c] ? sum[c] : 0));
			assert_true(z[at] == sum[c] / 2);
			expected_sum += x[at];
		}
		assert_true(sum[c] == expected_sum / 2);
	}
}

static void
check_windows(void)
{
	AiRng		rng = {2};

	for (int s = 0; s < COUNT(sizes); s++)
	{
		for (size_t rows = 1; rows <= 3; rows++)
		{
			for (size_t columns = 1; columns <= 4; columns++)
			{
				AiImageWindow window = {rows, columns, (columns + 2) * sizes[s], sizes[s]};

				fill(x, rows * window.row_step, 0.7, &rng);
				check_window(&window, rows * window.row_step);
			}
		}
	}
}

static void
check_column_sums(size_t n_rows, size_t n, const uint8_t *mask)
{
	double		sum[127] = {0};
	double		products[127] = {0};
	float		total[127] = {0};

	ai_kernels()->column_sums(sum, products, x, y, mask, n_rows, n);
	ai_kernels()->add_rows(total, x, n_rows, n);
	for (size_t j = 0; j < n; j++)
	{
		for (size_t i = 0; i < n_rows; i++)
		{
			total[j] -= x[i * n + j];
			if (mask != NULL && mask[i] == 0)
				continue;
			sum[j] -= (double) x[i * n + j];
			products[j] -= (double) x[i * n + j] * (double) y[i * n + j];
		}
		assert_true(sum[j] == 0 && products[j] == 0 && total[j] == 0);
	}
}

static void
check_scaled_columns(size_t n_rows, size_t n)
{
	const float *mean = y;
	const float *factor = y + n;
	const float *shift = y + 2 * n;

	ai_kernels()->shift_columns(z, x, mean, factor, shift, n_rows, n);
	for (size_t i = 0; i < n_rows * n; i++)
		assert_true(z[i] == (x[i] - mean[i % n]) * factor[i % n] + shift[i % n]);
	ai_kernels()->add_columns(z, x, factor, n_rows, n);
	for (size_t i = 0; i < n_rows * n; i++)
	{
		size_t		j = i % n;

		assert_true(z[i] == (x[i] - mean[j]) * factor[j] + shift[j] + x[i] * factor[j]);
	}
}

static void
check_columns(void)
{
	uint8_t		mask[20];
	AiRng		rng = {3};

	for (int s = 0; s < COUNT(sizes); s++)
	{
		size_t		n = sizes[s];
		size_t		n_terms = 0;

		fill(x, 20 * n, 0.5, &rng);
		fill(y, 20 * n, 1, &rng);
		for (int i = 0; i < 20; i++)
			mask[i] = (uint8_t) ai_rng_below(&rng, 2);
		check_column_sums(20, n, NULL);
		check_column_sums(20, n, mask);
		check_scaled_columns(20, n);
		for (size_t i = 0; i < 20 * n; i++)
			n_terms += x[i] != 0;
		assert_int_equal(ai_kernels()->count_terms(x, 20 * n), n_terms);
	}
}

static void
check_overlapping(void)
{
	AiRng		rng = {4};

	for (int s = 0; s < COUNT(sizes); s++)
	{
		size_t		n = sizes[s];
		size_t		step = n / 2;

		fill(x, 9 * (n + 3), 1, &rng);
		memset(z, 0, 20 * n * sizeof(float));
		ai_kernels()->add_overlapping(z, step, x, n + 3, 9, n);
		for (size_t i = 0; i < 9 * n; i++)
			z[i / n * step + i % n] -= x[i / n * (n + 3) + i % n];
		for (size_t i = 0; i < 20 * n; i++)
			assert_true(z[i] == 0);
	}
}

/* The same numbers for ever: they are part of a training's result. */
static void
check_drop(void)
{
	AiRng		rng = {99};
	uint64_t	first = ai_rng_next(&rng);
	uint64_t	second = ai_rng_next(&rng);
	uint32_t	drawn[] = {
		(uint32_t) first, (uint32_t) (first >> 32), (uint32_t) second
	};

	for (size_t i = 0; i < 1001; i++)
		x[i] = 3;
	for (double rate = 0; rate < 1; rate += 0.125)
	{
		for (size_t n = 1; n <= COUNT(drawn); n++)
		{
			ai_kernels()->drop(y, x, n, 99, rate);
			for (size_t i = 0; i < n; i++)
			{
				float		kept = x[i] * (float) (1 / (1 - rate));

				assert_true(y[i] == (drawn[i] < rate * 0x1p32 ? 0 : kept));
			}
		}
		ai_kernels()->drop(y, x, 1001, 99, rate);
		ai_kernels()->drop(z, x, 501, 99, rate);
		assert_memory_equal(y, z, 501 * sizeof(float));
	}
}

static void
test_levels(void **state)
{
	(void) state;
	for (int level = 0; level <= (int) ai_kernels_best_level(); level++)
	{
		assert_int_equal(ai_kernels_select((AiCpuLevel) level, NULL), AI_OK);
		check_gemm_sparse();
		check_windows();
		check_columns();
		check_overlapping();
		check_drop();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
