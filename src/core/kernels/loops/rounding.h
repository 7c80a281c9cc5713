/*-------------------------------------------------------------------------
 * rounding.h
 *		Rows of numbers in fewer bits.
 *-------------------------------------------------------------------------
 */
#ifndef AI_LOOPS_ROUNDING_H
#define AI_LOOPS_ROUNDING_H

#include "core/kernels/kernels.h"
#include "core/kernels/loops/functions.h"
#include "core/kernels/loops/rows.h"

/* The least and the greatest of 0 and x; a NaN is beyond them */
static void
row_range(const float *x, size_t n, float *least, float *greatest)
{
	int32_t		min = 0;
	int32_t		max = 0;

	for (size_t i = 0; i < n; i++)
	{
		int32_t		order = order_of_bits((int32_t) bits_of_float(x[i]));

		min = order < min ? order : min;
		max = order > max ? order : max;
	}
	*least = float_of_bits((uint32_t) order_of_bits(min));
	*greatest = float_of_bits((uint32_t) order_of_bits(max));
}

static void
quantise_row(uint8_t *q, AiRowScale *scale, const float *x, size_t n)
{
	const float round = 0x1.8p23f;
	float		least;
	float		greatest;
	float		range;
	float		factor;
	int32_t		zero;

	row_range(x, n, &least, &greatest);
	range = greatest - least;
	if (!(range >= 0x1p-100f && range <= 0x1p127f))
	{
		memset(q, 0, n);
		*scale = (AiRowScale) {.scale = range < 0x1p-100f ? 0 : NAN};
		return;
	}
	factor = 255 / range;
	zero = (int32_t) (bits_of_float(round - least * factor) - bits_of_float(round));
	*scale = (AiRowScale) {.scale = range / 255, .zero = zero};
	AI_LANES
	for (size_t i = 0; i < n; i++)
	{
		int32_t		near = (int32_t) (bits_of_float(x[i] * factor + round) -
									  bits_of_float(round)) + zero;

		near = near < 0 ? 0 : near;
		q[i] = (uint8_t) (near > 255 ? 255 : near);
	}
}

static void
quantise_rows(uint8_t *q, size_t q_row, AiRowScale *scales, const float *x, size_t x_row,
			  size_t n_rows, size_t n)
{
	for (size_t r = 0; r < n_rows; r++, q += q_row, x += x_row)
	{
		quantise_row(q, &scales[r], x, n);
		memset(q + n, 0, q_row - n);
	}
}

/* NaN keeps its upper bits and becomes a quiet one */
AI_LANE uint16_t
bf16_of(float x)
{
	uint32_t	bits = bits_of_float(x);
	uint32_t	rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
	uint32_t	quiet = bits >> 16 | 0x40;

	return (uint16_t) ((bits & 0x7fffffff) > 0x7f800000 ? quiet : rounded);
}

static void
round_rows(uint16_t *y, size_t y_row, const float *x, size_t x_row, size_t n_rows, size_t n)
{
	for (size_t r = 0; r < n_rows; r++, y += y_row, x += x_row)
	{
		AI_LANES
		for (size_t i = 0; i < n; i++)
			y[i] = bf16_of(x[i]);
		memset(y + n, 0, (y_row - n) * sizeof(*y));
	}
}

#endif							/* AI_LOOPS_ROUNDING_H */
