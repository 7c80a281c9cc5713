/*-------------------------------------------------------------------------
 * columns.h
 *		Sums of columns, and rows whose columns are scaled, as normalising takes them.
 *
 * Sums run over the rows in their order, some columns at a time in registers.
 *-------------------------------------------------------------------------
 */
#ifndef AI_LOOPS_COLUMNS_H
#define AI_LOOPS_COLUMNS_H

#include "core/base/rng.h"
#include "core/kernels/loops/functions.h"
#include "core/kernels/loops/vectors.h"

static void
column_sums(double *sum, double *products, const float *x, const float *y, const uint8_t *mask,
			size_t n_rows, size_t n)
{
	size_t		j = 0;

	for (; j + N_DOUBLES <= n; j += N_DOUBLES)
	{
		Doubles sum_here;
		Doubles products_here;

		LOAD(sum_here, sum + j);
		LOAD(products_here, products + j);
		for (size_t i = 0; i < n_rows; i++)
		{
			HalfFloats		a;
			HalfFloats		b;

			if (mask != NULL && mask[i] == 0)
				continue;
			LOAD(a, x + i * n + j);
			LOAD(b, y + i * n + j);
			sum_here += __builtin_convertvector(a, Doubles);
			products_here += __builtin_convertvector(a, Doubles) *
				__builtin_convertvector(b, Doubles);
		}
		STORE(sum + j, sum_here);
		STORE(products + j, products_here);
	}
	for (; j < n; j++)
	{
		for (size_t i = 0; i < n_rows; i++)
		{
			if (mask != NULL && mask[i] == 0)
				continue;
			sum[j] += (double) x[i * n + j];
			products[j] += (double) x[i * n + j] * (double) y[i * n + j];
		}
	}
}

static void
shift_columns(float *y, const float *x, const float *mean, const float *factor,
			  const float *shift, size_t n_rows, size_t n)
{
	for (size_t i = 0; i < n_rows; i++, y += n, x += n)
	{
		AI_LANES
		for (size_t j = 0; j < n; j++)
			y[j] = (x[j] - mean[j]) * factor[j] + shift[j];
	}
}

static void
add_columns(float *y, const float *x, const float *factor, size_t n_rows, size_t n)
{
	for (size_t i = 0; i < n_rows; i++, y += n, x += n)
	{
		AI_LANES
		for (size_t j = 0; j < n; j++)
			y[j] += x[j] * factor[j];
	}
}

static void
add_overlapping(float *y, size_t y_row, const float *x, size_t x_row, size_t n_rows, size_t n)
{
	for (size_t i = 0; i < n_rows; i++, y += y_row, x += x_row)
	{
		AI_LANES
		for (size_t j = 0; j < n; j++)
			y[j] += x[j];
	}
}

/* Each drawn number is for two of x, its halves, so that every level can compute it fast. */
static void
drop(float *y, const float *x, size_t n, uint64_t seed, double rate)
{
	uint32_t	least = (uint32_t) (rate * 0x1p32);
	float		factor = (float) (1 / (1 - rate));

	AI_LANES
	for (size_t i = 0; i < n / 2; i++)
	{
		AiRng		rng = {seed + i * UINT64_C(0x9E3779B97F4A7C15)};
		uint64_t	drawn = ai_rng_next(&rng);

		y[2 * i] = (uint32_t) drawn < least ? 0 : x[2 * i] * factor;
		y[2 * i + 1] = (uint32_t) (drawn >> 32) < least ? 0 : x[2 * i + 1] * factor;
	}
	if (n % 2 == 1)
	{
		AiRng		rng = {seed + n / 2 * UINT64_C(0x9E3779B97F4A7C15)};

		y[n - 1] = (uint32_t) ai_rng_next(&rng) < least ? 0 : x[n - 1] * factor;
	}
}

#endif							/* AI_LOOPS_COLUMNS_H */
