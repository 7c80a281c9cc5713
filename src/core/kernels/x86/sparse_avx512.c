/*-------------------------------------------------------------------------
 * sparse_avx512.c
 *		Products of sparse rows with dense weights, AVX-512.
 *
 * A dot product keeps two accumulators of 16, the tail masked into the first.
 * Up to 16 columns one masked register holds the row of weights; more are
 * walked row by row for each block of 64, whose sums stay in registers.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

#include <immintrin.h>

/* the lowest n lanes of 16; n may be more */
static inline __mmask16
lanes_below(size_t n)
{
	return n >= 16 ? (__mmask16) 0xFFFF : (__mmask16) ((1u << n) - 1);
}

static float
sparse_dot_avx512(const uint32_t *index, const float *value, size_t n, const float *w)
{
	__m512		acc0 = _mm512_setzero_ps();
	__m512		acc1 = _mm512_setzero_ps();
	size_t		i = 0;

	for (; i + 32 <= n; i += 32)
	{
		__m512i		i0 = _mm512_loadu_si512(index + i);
		__m512i		i1 = _mm512_loadu_si512(index + i + 16);

		acc0 = _mm512_fmadd_ps(_mm512_loadu_ps(value + i),
							   _mm512_i32gather_ps(i0, w, 4), acc0);
		acc1 = _mm512_fmadd_ps(_mm512_loadu_ps(value + i + 16),
							   _mm512_i32gather_ps(i1, w, 4), acc1);
	}
	for (; i < n; i += 16)
	{
		__mmask16	mask = lanes_below(n - i);
		__m512i		at = _mm512_maskz_loadu_epi32(mask, index + i);
		__m512		row = _mm512_mask_i32gather_ps(_mm512_setzero_ps(), mask, at, w, 4);

		acc0 = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, value + i), row, acc0);
	}
	return _mm512_reduce_add_ps(_mm512_add_ps(acc0, acc1));
}

static void
sparse_axpy_avx512(float *w, const uint32_t *index, const float *value, size_t n, float a)
{
	__m512		step = _mm512_set1_ps(a);

	for (size_t i = 0; i < n; i += 16)
	{
		__mmask16	mask = lanes_below(n - i);
		__m512i		at = _mm512_maskz_loadu_epi32(mask, index + i);
		__m512		row = _mm512_mask_i32gather_ps(_mm512_setzero_ps(), mask, at, w, 4);

		row = _mm512_fmadd_ps(step, _mm512_maskz_loadu_ps(mask, value + i), row);
		_mm512_mask_i32scatter_ps(w, mask, at, row, 4);
	}
}

/* y[c .. c + 16 * n_regs) for a block of columns; the last register is masked */
static inline __attribute__((always_inline)) void
rows_dot_block(float *y, const uint32_t *index, const float *value, size_t n,
			   const float *w, size_t n_cols, int n_regs, __mmask16 last)
{
	__m512		acc[4];

	for (int r = 0; r < n_regs; r++)
		acc[r] = _mm512_setzero_ps();
	for (size_t i = 0; i < n; i++)
	{
		const float *row = w + index[i] * n_cols;
		__m512		v = _mm512_set1_ps(value[i]);

		for (int r = 0; r < n_regs - 1; r++)
			acc[r] = _mm512_fmadd_ps(v, _mm512_loadu_ps(row + 16 * r), acc[r]);
		acc[n_regs - 1] = _mm512_fmadd_ps(v, _mm512_maskz_loadu_ps(last, row + 16 * (n_regs - 1)),
										  acc[n_regs - 1]);
	}
	for (int r = 0; r < n_regs - 1; r++)
		_mm512_storeu_ps(y + 16 * r, acc[r]);
	_mm512_mask_storeu_ps(y + 16 * (n_regs - 1), last, acc[n_regs - 1]);
}

static void
sparse_rows_dot_avx512(float *y, const uint32_t *index, const float *value, size_t n,
					   const float *w, size_t n_cols)
{
	size_t		c = 0;

	for (; n_cols - c > 16; c += 64)
	{
		size_t		n_left = n_cols - c;

		if (n_left >= 64)
			rows_dot_block(y + c, index, value, n, w + c, n_cols, 4, 0xFFFF);
		else if (n_left > 48)
			rows_dot_block(y + c, index, value, n, w + c, n_cols, 4, lanes_below(n_left - 48));
		else if (n_left > 32)
			rows_dot_block(y + c, index, value, n, w + c, n_cols, 3, lanes_below(n_left - 32));
		else
			rows_dot_block(y + c, index, value, n, w + c, n_cols, 2, lanes_below(n_left - 16));
		if (n_left <= 64)
			return;
	}
	rows_dot_block(y + c, index, value, n, w + c, n_cols, 1, lanes_below(n_cols - c));
}

static void
sparse_rows_axpy_avx512(float *w, const uint32_t *index, const float *value, size_t n,
						const float *a, size_t n_cols)
{
	if (n_cols <= 16)
	{
		__mmask16	mask = lanes_below(n_cols);
		__m512		step = _mm512_maskz_loadu_ps(mask, a);

		for (size_t i = 0; i < n; i++)
		{
			float	   *row = w + index[i] * n_cols;
			__m512		sum = _mm512_fmadd_ps(_mm512_set1_ps(value[i]), step,
											  _mm512_maskz_loadu_ps(mask, row));

			_mm512_mask_storeu_ps(row, mask, sum);
		}
		return;
	}
	for (size_t i = 0; i < n; i++)
	{
		float	   *row = w + index[i] * n_cols;
		__m512		v = _mm512_set1_ps(value[i]);

		for (size_t c = 0; c < n_cols; c += 16)
		{
			__mmask16	mask = lanes_below(n_cols - c);
			__m512		sum = _mm512_fmadd_ps(v, _mm512_maskz_loadu_ps(mask, a + c),
											  _mm512_maskz_loadu_ps(mask, row + c));

			_mm512_mask_storeu_ps(row + c, mask, sum);
		}
	}
}

const AiKernels ai_kernels_avx512 = {
	sparse_dot_avx512, sparse_axpy_avx512, sparse_rows_dot_avx512, sparse_rows_axpy_avx512
};
