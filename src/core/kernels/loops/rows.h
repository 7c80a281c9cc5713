/*-------------------------------------------------------------------------
 * rows.h
 *		Sums, softmax and layer normalisation of rows.
 *
 * A sum keeps LANES partial sums, the i-th term going to the (i mod LANES)-th, which are added
 * as a tree: the order is the same whatever vectors a level has.
 *-------------------------------------------------------------------------
 */
#ifndef AI_LOOPS_ROWS_H
#define AI_LOOPS_ROWS_H

#include "core/kernels/loops/functions.h"
#include "core/kernels/loops/vectors.h"

#define LANES 16

/* sum = the sum of term, an expression of i, over i < n */
#define SUM(type, sum, term) \
	do \
	{ \
		type		lane[LANES] = {0}; \
		size_t		i = 0; \
		size_t		first = 0; \
		for (; first + LANES <= n; first += LANES) \
		{ \
			for (size_t l = 0; l < LANES; l++) \
			{ \
				i = first + l; \
				lane[l] += (term); \
			} \
		} \
		for (i = first; i < n; i++) \
			lane[i - first] += (term); \
		for (size_t half = LANES / 2; half > 0; half /= 2) \
		{ \
			for (size_t l = 0; l < half; l++) \
				lane[l] += lane[l + half]; \
		} \
		sum = lane[0]; \
	} while (0)

/* A float's bits as an integer of the same order: its greatest may be found in any order. */
AI_LANE int32_t
order_of_bits(int32_t bits)
{
	return bits ^ ((bits >> 31) & INT32_MAX);
}

static float
row_max(const float *x, size_t n)
{
	int32_t		max = INT32_MIN;

	for (size_t i = 0; i < n; i++)
	{
		int32_t		order = order_of_bits((int32_t) bits_of_float(x[i]));

		max = order > max ? order : max;
	}
	return float_of_bits((uint32_t) order_of_bits(max));
}

/* Rows may be short: exp runs over all of them at once, in blocks that stay in the cache. */
static void
softmax_rows(float *y, const float *x, size_t n_rows, size_t n)
{
	for (size_t r = 0; r < n_rows; r++)
	{
		float		max = row_max(x + r * n, n);

		AI_LANES
		for (size_t i = 0; i < n; i++)
			y[r * n + i] = x[r * n + i] - max;
	}
	AI_LANES
	for (size_t i = 0; i < n_rows * n; i++)
		y[i] = exp_of(y[i]);
	for (size_t r = 0; r < n_rows; r++)
	{
		float	   *row = y + r * n;
		float		sum;
		float		inverse;

		SUM(float, sum, row[i]);
		inverse = 1 / sum;
		AI_LANES
		for (size_t i = 0; i < n; i++)
			row[i] *= inverse;
	}
}

static void
softmax(float *y, const float *x, size_t n_rows, size_t n)
{
	size_t		block = n > 4096 ? 1 : 4096 / (n + (n == 0));

	if (n == 0)
		return;
	for (size_t r = 0; r < n_rows; r += block)
		softmax_rows(y + r * n, x + r * n, n_rows - r < block ? n_rows - r : block, n);
}

static void
softmax_back(float *dx, const float *dy, const float *y, size_t n_rows, size_t n)
{
	for (size_t r = 0; r < n_rows; r++, dx += n, dy += n, y += n)
	{
		float		sum;

		SUM(float, sum, dy[i] * y[i]);
		AI_LANES
		for (size_t i = 0; i < n; i++)
			dx[i] = y[i] * (dy[i] - sum);
	}
}

static void
add(float *y, const float *x, size_t n)
{
	AI_LANES
	for (size_t i = 0; i < n; i++)
		y[i] += x[i];
}

static void
sum_arrays(float *sum, const float *x, size_t stride, size_t n_arrays, size_t n)
{
	if (n_arrays < 2)
	{
		memcpy(sum, x, n * sizeof(float));
		return;
	}
	AI_LANES
	for (size_t i = 0; i < n; i++)
		sum[i] = x[i] + x[stride + i];
	for (size_t a = 2; a < n_arrays; a++)
		add(sum, x + a * stride, n);
}

/* Two vectors of columns at a time, whose sums stay in registers */
static void
add_rows(float *sum, const float *x, size_t n_rows, size_t n)
{
	size_t		j = 0;

	for (; j + 2 * N_FLOATS <= n; j += 2 * N_FLOATS)
	{
		Floats		left;
		Floats		right;

		LOAD(left, sum + j);
		LOAD(right, sum + j + N_FLOATS);
		for (size_t r = 0; r < n_rows; r++)
		{
			Floats		x_left;
			Floats		x_right;

			LOAD(x_left, x + r * n + j);
			LOAD(x_right, x + r * n + j + N_FLOATS);
			left += x_left;
			right += x_right;
		}
		STORE(sum + j, left);
		STORE(sum + j + N_FLOATS, right);
	}
	for (size_t r = 0; r < n_rows && j < n; r++)
		add(sum + j, x + r * n + j, n - j);
}

static void
pixels(float *y, const uint8_t *x, size_t n)
{
	const float inverse = 1.0F / 255;

	AI_LANES
	for (size_t i = 0; i < n; i++)
	{
		float		number = (float) x[i];
		float		quotient = number * inverse;

		/* The bits of number / 255, which takes several times as long */
		y[i] = fmaf(fmaf(-quotient, 255, number), inverse, quotient);
	}
}

static void
scale(float *y, const float *x, size_t n, float a, float b)
{
	AI_LANES
	for (size_t i = 0; i < n; i++)
		y[i] = x[i] * a + b;
}

#define MAX_COUNT ((size_t) 1 << 24)	/* at once, so that no lane overflows */

static size_t
count_terms(const float *x, size_t n)
{
	size_t		count = 0;
	size_t		i = 0;

	while (i + 2 * N_FLOATS <= n)
	{
		size_t		end = n - i < MAX_COUNT ? n : i + MAX_COUNT;
		Integers	left = {0};
		Integers	right = {0};

		/* a comparison that is true is -1 */
		for (; i + 2 * N_FLOATS <= end; i += 2 * N_FLOATS)
		{
			Floats		it;

			LOAD(it, x + i);
			left -= it != 0;
			LOAD(it, x + i + N_FLOATS);
			right -= it != 0;
		}
		left += right;
		for (size_t l = 0; l < N_FLOATS; l++)
			count += (size_t) left[l];
	}
	for (; i < n; i++)
		count += x[i] != 0;
	return count;
}

static double
sum_squares(const float *x, size_t n)
{
	double		sum;

	SUM(double, sum, (double) x[i] * x[i]);
	return sum;
}

static double
dot(const float *x, const float *y, size_t n)
{
	double		sum;

	SUM(double, sum, (double) x[i] * y[i]);
	return sum;
}

static void
row_means(float *mean, const float *x, size_t n_rows, size_t n)
{
	for (size_t r = 0; r < n_rows; r++, x += n)
	{
		float		sum;

		SUM(float, sum, x[i]);
		mean[r] = sum / (float) n;
	}
}

/* Two passes: the variance by one pass loses its digits where the mean is large beside it. */
static void
row_factors(float *factor, const float *x, const float *means, size_t n_rows, size_t n,
			float epsilon)
{
	for (size_t r = 0; r < n_rows; r++, x += n)
	{
		const float mean = means[r];
		float		sum;

		SUM(float, sum, (x[i] - mean) * (x[i] - mean));
		factor[r] = 1 / sqrtf(sum / (float) n + epsilon);
	}
}

#define NORM_ROWS 8				/* whose sums run side by side, and which stay in the first cache */

static void
layer_norm(float *y, float *norm, float *inverse, const float *x, const float *gamma,
		   const float *beta, size_t n_rows, size_t n, float epsilon)
{
	float		mean[NORM_ROWS];
	float		factor[NORM_ROWS];

	for (size_t first = 0; first < n_rows; first += NORM_ROWS)
	{
		size_t		n_there = n_rows - first < NORM_ROWS ? n_rows - first : NORM_ROWS;

		row_means(mean, x + first * n, n_there, n);
		row_factors(factor, x + first * n, mean, n_there, n, epsilon);
		if (inverse != NULL)
			memcpy(inverse + first, factor, n_there * sizeof(float));
		for (size_t r = 0; r < n_there; r++)
		{
			const float *from = x + (first + r) * n;
			float	   *to = y + (first + r) * n;

			if (norm != NULL)
			{
				AI_LANES
				for (size_t i = 0; i < n; i++)
					norm[(first + r) * n + i] = (from[i] - mean[r]) * factor[r];
			}
			AI_LANES
			for (size_t i = 0; i < n; i++)
				to[i] = (from[i] - mean[r]) * factor[r] * gamma[i] + beta[i];
		}
	}
}

/* dx = inverse * (e - mean(e) - norm * mean(e * norm)), e = dy * gamma */
static void
layer_norm_back(float *dx, float *d_gamma, float *d_beta, const float *dy, const float *norm,
				const float *inverse, const float *gamma, size_t n_rows, size_t n)
{
	for (size_t r = 0; r < n_rows; r++, dx += n, dy += n, norm += n)
	{
		float		mean;
		float		slope;

		SUM(float, mean, dy[i] * gamma[i]);
		SUM(float, slope, dy[i] * gamma[i] * norm[i]);
		mean /= (float) n;
		slope /= (float) n;
		AI_LANES
		for (size_t i = 0; i < n; i++)
		{
			d_gamma[i] += dy[i] * norm[i];
			d_beta[i] += dy[i];
			dx[i] = inverse[r] * (dy[i] * gamma[i] - mean - norm[i] * slope);
		}
	}
}

#endif							/* AI_LOOPS_ROWS_H */
