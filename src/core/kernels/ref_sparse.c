/*-------------------------------------------------------------------------
 * ref_sparse.c
 *		Products of sparse rows with dense weights: the plain loops.
 *
 * They say what the other levels compute and run where there is no other.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

float
ai_sparse_dot_ref(const uint32_t *index, const float *value, size_t n, const float *w)
{
	float		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += value[i] * w[index[i]];
	return sum;
}

void
ai_sparse_axpy_ref(float *w, const uint32_t *index, const float *value, size_t n, float a)
{
	for (size_t i = 0; i < n; i++)
		w[index[i]] += a * value[i];
}

void
ai_sparse_rows_dot_ref(float *y, const uint32_t *index, const float *value, size_t n,
					const float *w, size_t width)
{
	for (size_t c = 0; c < width; c++)
		y[c] = 0;
	for (size_t i = 0; i < n; i++)
	{
		const float *row = w + index[i] * width;

		for (size_t c = 0; c < width; c++)
			y[c] += value[i] * row[c];
	}
}

void
ai_sparse_rows_axpy_ref(float *w, const uint32_t *index, const float *value, size_t n,
					 const float *a, size_t width)
{
	for (size_t i = 0; i < n; i++)
	{
		float	   *row = w + index[i] * width;

		for (size_t c = 0; c < width; c++)
			row[c] += a[c] * value[i];
	}
}
