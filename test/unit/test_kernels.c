/*-------------------------------------------------------------------------
 * test_kernels.c
 *		Every kernel at every level of this machine computes what its head says.
 *
 * The truth is a sum in double precision; the budget is that of kernels.h.
 * Arrays have exactly the size that a call may touch, so that a sanitizer
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

#define N_ROWS 1100				/* of w: more than the longest sum, so that some stay untouched */
#define MAX_WIDTH 1008

static const size_t lengths[] = {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 127, 1023};
static const size_t widths[] = {4, 8, 16, 48, 64, 80, MAX_WIDTH};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One call's input */
typedef struct Sum
{
	size_t		n;
	size_t		width;			/* 1 for the kernels of one column */
	uint32_t   *index;			/* [n] distinct */
	float	   *value;			/* [n] */
	float	   *w;				/* [N_ROWS, width] */
	float	   *column;			/* [width] y or a */
} Sum;

static void *
exact_array(size_t n, size_t item_size)
{
	void	   *array = NULL;

	assert_int_equal(posix_memalign(&array, 64, n * item_size + (n == 0)), 0);
	return array;
}

static float
random_value(AiRng *rng)
{
	return (float) ((ai_rng_uniform(rng) - 0.5) * exp(6 * ai_rng_uniform(rng)));
}

static Sum
make_sum(AiRng *rng, size_t n, size_t width)
{
	Sum			sum = {
		.n = n, .width = width,
		.index = exact_array(n, sizeof(uint32_t)), .value = exact_array(n, sizeof(float)),
		.w = exact_array(N_ROWS * width, sizeof(float)),
		.column = exact_array(width, sizeof(float))
	};
	uint32_t	place[N_ROWS];

	for (uint32_t i = 0; i < N_ROWS; i++)
		place[i] = i;
	for (size_t i = 0; i < n; i++)
	{
		size_t		j = i + ai_rng_below(rng, (uint32_t) (N_ROWS - i));

		sum.index[i] = place[j];
		place[j] = place[i];
		sum.value[i] = random_value(rng);
	}
	for (size_t i = 0; i < N_ROWS * width; i++)
		sum.w[i] = random_value(rng);
	for (size_t c = 0; c < width; c++)
		sum.column[c] = random_value(rng);
	return sum;
}

static void
free_sum(Sum *sum)
{
	free(sum->index);
	free(sum->value);
	free(sum->w);
	free(sum->column);
}

static void
check_budget(double result, double exact, double sum_of_sizes, size_t n)
{
	double		budget = ((double) n + 2) * 0x1p-24 * sum_of_sizes;

	if (!(fabs(result - exact) <= budget))
		fail_msg("%s: %g instead of %g, n = %zu, budget %g",
				 ai_cpu_level_name(ai_kernels_level()), result, exact, n, budget);
}

/* y:[width] is the sum of the rows of w that index names, times value. */
static void
check_dot(const Sum *sum, const float *y)
{
	for (size_t c = 0; c < sum->width; c++)
	{
		double		exact = 0;
		double		sizes = 0;

		for (size_t i = 0; i < sum->n; i++)
		{
			double		term = (double) sum->value[i] * sum->w[sum->index[i] * sum->width + c];

			exact += term;
			sizes += fabs(term);
		}
		check_budget(y[c], exact, sizes, sum->n);
	}
}

/* sum->w has become what before, a copy, and the steps make; other rows are untouched. */
static void
check_axpy(const Sum *sum, const float *before)
{
	size_t		size = sum->width * sizeof(float);
	bool		is_named[N_ROWS] = {false};

	for (size_t i = 0; i < sum->n; i++)
	{
		is_named[sum->index[i]] = true;
		for (size_t c = 0; c < sum->width; c++)
		{
			size_t		at = sum->index[i] * sum->width + c;
			double		step = (double) sum->value[i] * sum->column[c];

			check_budget(sum->w[at], before[at] + step, fabs(before[at]) + fabs(step), 2);
		}
	}
	for (size_t r = 0; r < N_ROWS; r++)
	{
		if (!is_named[r])
			assert_memory_equal(sum->w + r * sum->width, before + r * sum->width, size);
	}
}

static void
check_kernels(const AiKernels *kernels, size_t n, size_t width)
{
	AiRng		rng = {n * 10000 + width};
	Sum			sum = make_sum(&rng, n, width);
	float	   *y = exact_array(width, sizeof(float));
	float	   *before = exact_array(N_ROWS * width, sizeof(float));

	for (size_t c = 0; c < width; c++)
		y[c] = NAN;
	memcpy(before, sum.w, N_ROWS * width * sizeof(float));
	if (width == 1)
		y[0] = kernels->sparse_dot(sum.index, sum.value, n, sum.w);
	else
		kernels->sparse_rows_dot(y, sum.index, sum.value, n, sum.w, width);
	assert_memory_equal(sum.w, before, N_ROWS * width * sizeof(float));
	check_dot(&sum, y);

	if (width == 1)
		kernels->sparse_axpy(sum.w, sum.index, sum.value, n, sum.column[0]);
	else
		kernels->sparse_rows_axpy(sum.w, sum.index, sum.value, n, sum.column, width);
	check_axpy(&sum, before);
	free(y);
	free(before);
	free_sum(&sum);
}

/* every level stays within the budget, at lengths and widths around its vectors' */
static void
test_budget(void **state)
{
	(void) state;
	for (int level = AI_CPU_PORTABLE; level <= (int) ai_kernels_best_level(); level++)
	{
		assert_int_equal(ai_kernels_select((AiCpuLevel) level, NULL), AI_OK);
		assert_int_equal(ai_kernels_level(), level);
		for (size_t l = 0; l < COUNT(lengths); l++)
		{
			check_kernels(ai_kernels(), lengths[l], 1);
			for (size_t w = 0; w < COUNT(widths); w++)
				check_kernels(ai_kernels(), lengths[l], widths[w]);
		}
	}
}

/* a level gives the same bits each time */
static void
test_same_bits(void **state)
{
	(void) state;
	for (int level = AI_CPU_PORTABLE; level <= (int) ai_kernels_best_level(); level++)
	{
		AiRng		rng = {7};
		Sum			sum = make_sum(&rng, 1023, 80);
		float		y[80] __attribute__((aligned(64)));
		float		again[80] __attribute__((aligned(64)));

		assert_int_equal(ai_kernels_select((AiCpuLevel) level, NULL), AI_OK);
		ai_kernels()->sparse_rows_dot(y, sum.index, sum.value, sum.n, sum.w, 80);
		ai_kernels()->sparse_rows_dot(again, sum.index, sum.value, sum.n, sum.w, 80);
		assert_memory_equal(y, again, sizeof(y));
		free_sum(&sum);
	}
}

/* a level above the machine's is refused and changes nothing */
static void
test_level_of_another_machine(void **state)
{
	AiCpuLevel	best = ai_kernels_best_level();
	AiError		err;

	(void) state;
	assert_int_equal(ai_kernels_select(best, NULL), AI_OK);
	for (int level = (int) best + 1; level < AI_CPU_N_LEVELS; level++)
	{
		assert_int_equal(ai_kernels_select((AiCpuLevel) level, &err), AI_ERR_PARAM);
		assert_non_null(strstr(err.message, ai_cpu_level_name((AiCpuLevel) level)));
		assert_non_null(strstr(err.detail, ai_cpu_level_name(best)));
		assert_int_equal(ai_kernels_level(), best);
	}
	assert_string_equal(ai_cpu_level_name(AI_CPU_PORTABLE), "portable");
	assert_string_equal(ai_cpu_level_name(AI_CPU_AVX2), "avx2");
	assert_string_equal(ai_cpu_level_name(AI_CPU_AVX512), "avx512");
}

/* the width of rows holds all columns and is one that the kernels know */
static void
test_width(void **state)
{
	(void) state;
	for (size_t n = 1; n <= 1000; n++)
	{
		size_t		width = ai_kernels_width(n);

		assert_true(width >= n && width < n + 16);
		assert_true(width == 4 || width == 8 || width % 16 == 0);
	}
	assert_int_equal(ai_kernels_width(4), 4);
	assert_int_equal(ai_kernels_width(5), 8);
	assert_int_equal(ai_kernels_width(1000), MAX_WIDTH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_same_bits),
		cmocka_unit_test(test_level_of_another_machine),
		cmocka_unit_test(test_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
