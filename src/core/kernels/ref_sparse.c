/*-------------------------------------------------------------------------
 * ref_sparse.c
 *		Products of sparse rows with dense weights: the plain loops.
 *
 * They say what the other levels compute and run where there is no other.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

static float
ref_sparse_dot(const uint32_t *index, const float *value, size_t n, const float *w)
{
	float		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += value[i] * w[index[i]];
	return sum;
}

static void
ref_sparse_axpy(float *w, const uint32_t *index, const float *value, size_t n, float a)
{
	for (size_t i = 0; i < n; i++)
		w[index[i]] += a * value[i];
}

static void
ref_sparse_rows_dot(float *y, const uint32_t *index, const float *value, size_t n,
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

static void
ref_sparse_rows_axpy(float *w, const uint32_t *index, const float *value, size_t n,
					 const float *a, size_t width)
{
	for (size_t i = 0; i < n; i++)
	{
		float	   *row = w + index[i] * width;

		for (size_t c = 0; c < width; c++)
			row[c] += a[c] * value[i];
	}
}

const AiKernels ai_kernels_portable = {
	ref_sparse_dot, ref_sparse_axpy, ref_sparse_rows_dot, ref_sparse_rows_axpy
};
