/*-------------------------------------------------------------------------
 * sparse_avx2.c
 *		Products of sparse rows with dense weights, AVX2 and FMA.
 *
 * A dot product keeps two accumulators of 8 and adds them up as a tree.
 * AVX2 has no scatter, so sparse_axpy is a loop that only fuses.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

#include <immintrin.h>

#include "core/kernels/x86/rows_of_four.h"

static inline float
sum_lanes(__m256 x)
{
	__m128		s = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));

	s = _mm_add_ps(s, _mm_movehl_ps(s, s));
	s = _mm_add_ss(s, _mm_movehdup_ps(s));
	return _mm_cvtss_f32(s);
}

float
ai_sparse_dot_avx2(const uint32_t *index, const float *value, size_t n, const float *w)
{
	__m256		acc0 = _mm256_setzero_ps();
	__m256		acc1 = _mm256_setzero_ps();
	size_t		i = 0;
	float		sum;

	for (; i + 16 <= n; i += 16)
	{
		__m256i		i0 = _mm256_loadu_si256((const __m256i *) (index + i));
		__m256i		i1 = _mm256_loadu_si256((const __m256i *) (index + i + 8));

		acc0 = _mm256_fmadd_ps(_mm256_loadu_ps(value + i),
							   _mm256_i32gather_ps(w, i0, 4), acc0);
		acc1 = _mm256_fmadd_ps(_mm256_loadu_ps(value + i + 8),
							   _mm256_i32gather_ps(w, i1, 4), acc1);
	}
	sum = sum_lanes(_mm256_add_ps(acc0, acc1));
	for (; i < n; i++)
		sum = __builtin_fmaf(value[i], w[index[i]], sum);
	return sum;
}

void
ai_sparse_axpy_avx2(float *w, const uint32_t *index, const float *value, size_t n, float a)
{
	for (size_t i = 0; i < n; i++)
		w[index[i]] = __builtin_fmaf(a, value[i], w[index[i]]);
}

static inline void
rows_dot_block(float *y, const uint32_t *index, const float *value, size_t n,
			   const float *w, size_t width)
{
	__m256		acc0 = _mm256_setzero_ps();
	__m256		acc1 = _mm256_setzero_ps();
	size_t		i = 0;

	for (; i + 2 <= n; i += 2)
	{
		acc0 = _mm256_fmadd_ps(_mm256_set1_ps(value[i]),
							   _mm256_loadu_ps(w + index[i] * width), acc0);
		acc1 = _mm256_fmadd_ps(_mm256_set1_ps(value[i + 1]),
							   _mm256_loadu_ps(w + index[i + 1] * width), acc1);
	}
	if (i < n)
		acc0 = _mm256_fmadd_ps(_mm256_set1_ps(value[i]),
							   _mm256_loadu_ps(w + index[i] * width), acc0);
	_mm256_storeu_ps(y, _mm256_add_ps(acc0, acc1));
}

void
ai_sparse_rows_dot_avx2(float *y, const uint32_t *index, const float *value, size_t n,
					 const float *w, size_t width)
{
	if (width == 4)
	{
		ai_rows_of_four_dot(y, index, value, n, w);
		return;
	}
	for (size_t c = 0; c < width; c += 8)
		rows_dot_block(y + c, index, value, n, w + c, width);
}

void
ai_sparse_rows_axpy_avx2(float *w, const uint32_t *index, const float *value, size_t n,
					  const float *a, size_t width)
{
	if (width == 4)
	{
		__m128		step = _mm_load_ps(a);

		for (size_t i = 0; i < n; i++)
		{
			float	   *row = w + index[i] * (size_t) 4;

			_mm_store_ps(row, _mm_fmadd_ps(_mm_set1_ps(value[i]), step, _mm_load_ps(row)));
		}
		return;
	}
	for (size_t i = 0; i < n; i++)
	{
		float	   *row = w + index[i] * width;
		__m256		v = _mm256_set1_ps(value[i]);

		for (size_t c = 0; c < width; c += 8)
			_mm256_storeu_ps(row + c, _mm256_fmadd_ps(v, _mm256_loadu_ps(a + c),
													  _mm256_loadu_ps(row + c)));
	}
}
