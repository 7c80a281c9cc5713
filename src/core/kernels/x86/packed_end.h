/*-------------------------------------------------------------------------
 * packed_end.h
 *		What becomes of the sums of a product with packed weights.
 *-------------------------------------------------------------------------
 */
#ifndef AI_PACKED_END_H
#define AI_PACKED_END_H

#include "core/kernels/packed_internal.h"

#include "core/kernels/loops/vectors.h"
#include "core/kernels/x86/tiles.h"

/* Numbers of x, in bytes, that all weights pass by before others: they stay in the second cache */
#define PART_SIZE ((size_t) 512 * 1024)

/* What belongs to some rows and to the columns from one on */
typedef struct AiPackedEnd
{
	const AiRowScale *x_scales;
	const float *bias;
	const float *scales;
	const int32_t *sums;
	const float *residual;
	size_t		residual_row;
	float	   *y;
	size_t		y_row;
} AiPackedEnd;

static inline AiPackedEnd
end_of(const AiPackedProduct *product, size_t row, size_t column)
{
	const AiPacked *w = product->weights;
	AiPackedEnd end = {
		.bias = w->bias + column,
		.residual_row = product->residual_row,
		.y = product->y + row * product->y_row + column,
		.y_row = product->y_row
	};

	if (w->precision == AI_PRECISION_INT8)
	{
		end.x_scales = product->x_scales + row;
		end.scales = w->scales + column;
		end.sums = w->sums + column;
	}
	if (product->residual != NULL)
		end.residual = product->residual + row * product->residual_row + column;
	return end;
}

static inline Floats
scaled_sums(const AiPackedEnd *end, size_t row, size_t column, Integers sums)
{
	Integers	column_sums;
	Floats		scales;

	LOAD(column_sums, end->sums + column);
	LOAD(scales, end->scales + column);
	return __builtin_convertvector(sums - column_sums * end->x_scales[row].zero, Floats) *
		(scales * end->x_scales[row].scale);
}

static inline void
store_sums(const AiPackedEnd *end, size_t row, size_t column, Floats sums)
{
	Floats		bias;
	Floats		residual;

	LOAD(bias, end->bias + column);
	sums += bias;
	if (end->residual != NULL)
	{
		LOAD(residual, end->residual + row * end->residual_row + column);
		sums += residual;
	}
	STORE(end->y + row * end->y_row + column, sums);
}

/* For columns that fill no tile: the end of a tile beside y, result:[n_rows, result_row] */
static inline AiPackedEnd
end_beside(const AiPackedEnd *end, float *result, size_t result_row)
{
	AiPackedEnd beside = *end;

	beside.residual = NULL;
	beside.y = result;
	beside.y_row = result_row;
	return beside;
}

/* From there to y */
static inline void
copy_beside(const AiPackedEnd *end, const AiPackedEnd *beside, size_t n_rows, size_t n_columns)
{
	for (size_t r = 0; r < n_rows; r++)
	{
		for (size_t j = 0; j < n_columns; j++)
		{
			float		residual =
				end->residual != NULL ? end->residual[r * end->residual_row + j] : 0;

			end->y[r * end->y_row + j] = beside->y[r * beside->y_row + j] + residual;
		}
	}
}

static inline void
activate_end(const AiPackedEnd *end, const AiKernels *kernels, AiActivation act, size_t n_rows,
			 size_t n_columns)
{
	for (size_t r = 0; r < n_rows && act != AI_ACT_LINEAR; r++)
		kernels->activate(end->y + r * end->y_row, end->y + r * end->y_row, n_columns, act);
}

#endif							/* AI_PACKED_END_H */
