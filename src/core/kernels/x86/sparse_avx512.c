/*-------------------------------------------------------------------------
 * sparse_avx512.c
 *		Products of sparse rows with dense weights, AVX-512.
 *
 * A dot product keeps two accumulators of 16, the tail masked into the first.
 * Rows of 4 and 8 keep four accumulators; wider ones are walked once for each
 * block of columns, whose sums stay in registers.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

#include <immintrin.h>

#include "core/kernels/x86/rows_of_four.h"

/* the lowest n lanes of 16; n may be more */
static inline __mmask16
lanes_below(size_t n)
{
	return n >= 16 ? (__mmask16) 0xFFFF : (__mmask16) ((1u << n) - 1);
}

float
ai_sparse_dot_avx512(const uint32_t *index, const float *value, size_t n, const float *w)
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

void
ai_sparse_axpy_avx512(float *w, const uint32_t *index, const float *value, size_t n, float a)
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

static void
rows_dot_8(float *y, const uint32_t *index, const float *value, size_t n, const float *w)
{
	__m256		acc[4];
	size_t		i = 0;

	for (int r = 0; r < 4; r++)
		acc[r] = _mm256_setzero_ps();
	for (; i + 4 <= n; i += 4)
	{
		for (int r = 0; r < 4; r++)
			acc[r] = _mm256_fmadd_ps(_mm256_set1_ps(value[i + r]),
									 _mm256_loadu_ps(w + index[i + r] * (size_t) 8), acc[r]);
	}
	for (; i < n; i++)
		acc[0] = _mm256_fmadd_ps(_mm256_set1_ps(value[i]),
								 _mm256_loadu_ps(w + index[i] * (size_t) 8), acc[0]);
	_mm256_storeu_ps(y, _mm256_add_ps(_mm256_add_ps(acc[0], acc[1]),
									  _mm256_add_ps(acc[2], acc[3])));
}

/* y[0 .. 16 * n_regs) for a block of columns */
static inline __attribute__((always_inline)) void
rows_dot_block(float *y, const uint32_t *index, const float *value, size_t n,
			   const float *w, size_t width, int n_regs)
{
	__m512		acc[4];

	for (int r = 0; r < n_regs; r++)
		acc[r] = _mm512_setzero_ps();
	for (size_t i = 0; i < n; i++)
	{
		const float *row = w + index[i] * width;
		__m512		v = _mm512_set1_ps(value[i]);

		for (int r = 0; r < n_regs; r++)
			acc[r] = _mm512_fmadd_ps(v, _mm512_loadu_ps(row + 16 * r), acc[r]);
	}
	for (int r = 0; r < n_regs; r++)
		_mm512_storeu_ps(y + 16 * r, acc[r]);
}

void
ai_sparse_rows_dot_avx512(float *y, const uint32_t *index, const float *value, size_t n,
					   const float *w, size_t width)
{
	size_t		c = 0;

	if (width == 4)
		ai_rows_of_four_dot(y, index, value, n, w);
	else if (width == 8)
		rows_dot_8(y, index, value, n, w);
	else
	{
		for (; c + 64 <= width; c += 64)
			rows_dot_block(y + c, index, value, n, w + c, width, 4);
		for (; c < width; c += 16)
			rows_dot_block(y + c, index, value, n, w + c, width, 1);
	}
}

void
ai_sparse_rows_axpy_avx512(float *w, const uint32_t *index, const float *value, size_t n,
						const float *a, size_t width)
{
	for (size_t i = 0; i < n; i++)
	{
		float	   *row = w + index[i] * width;

		if (width == 4)
			_mm_store_ps(row, _mm_fmadd_ps(_mm_set1_ps(value[i]), _mm_load_ps(a),
										   _mm_load_ps(row)));
		else if (width == 8)
			_mm256_storeu_ps(row, _mm256_fmadd_ps(_mm256_set1_ps(value[i]), _mm256_loadu_ps(a),
												  _mm256_loadu_ps(row)));
		else
		{
			__m512		v = _mm512_set1_ps(value[i]);

			for (size_t c = 0; c < width; c += 16)
				_mm512_storeu_ps(row + c, _mm512_fmadd_ps(v, _mm512_loadu_ps(a + c),
														  _mm512_loadu_ps(row + c)));
		}
	}
}
