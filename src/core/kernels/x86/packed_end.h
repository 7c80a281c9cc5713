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

/* Is more to be done than to store all columns of a tile?  Then it is done beside y. */
static inline bool
ends_beside(const AiPackedProduct *product, size_t n_columns, size_t n_there)
{
	return product->act != AI_ACT_LINEAR || n_there < n_columns;
}

/* The end of a tile beside y, result:[n_rows, n_columns], of which n_there are there */
static inline AiPackedEnd
end_beside(const AiPackedEnd *end, float *result, size_t n_columns, size_t n_there)
{
	AiPackedEnd beside = *end;

	if (n_there < n_columns)
		beside.residual = NULL;
	beside.y = result;
	beside.y_row = n_columns;
	return beside;
}

/* Rows are too short for a call of memcpy */
static inline void
copy_row(float *to, const float *from, size_t n)
{
	size_t		j = 0;

	for (; j + N_FLOATS <= n; j += N_FLOATS)
	{
		Floats		part;

		LOAD(part, from + j);
		STORE(to + j, part);
	}
	for (; j < n; j++)
		to[j] = from[j];
}

/*
 * From there to y.  Activations that are kernels run over all numbers at once, since rows of a tile
 * are short, and then are copied; GELU with AVX-512 writes to y itself.
 */
static inline void
copy_beside(const AiPackedProduct *product, const AiKernels *kernels, const AiPackedEnd *end,
			const AiPackedEnd *beside, size_t n_rows, size_t n_there)
{
	size_t		n_columns = beside->y_row;

	for (size_t r = 0; r < n_rows && end->residual != NULL && beside->residual == NULL; r++)
	{
		for (size_t j = 0; j < n_there; j++)
			beside->y[r * n_columns + j] += end->residual[r * end->residual_row + j];
	}
#ifdef __AVX512F__
	if (product->act == AI_ACT_GELU)
	{
		ai_gelu_rows_avx512(end->y, end->y_row, beside->y, n_columns, n_rows, n_there);
		return;
	}
#endif
	if (product->act != AI_ACT_LINEAR)
		kernels->activate(beside->y, beside->y, n_rows * n_columns, product->act);
	for (size_t r = 0; r < n_rows; r++)
		copy_row(end->y + r * end->y_row, beside->y + r * n_columns, n_there);
}

#endif							/* AI_PACKED_END_H */
