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

static inline float
sum_lanes(__m256 x)
{
	__m128		s = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));

	s = _mm_add_ps(s, _mm_movehl_ps(s, s));
	s = _mm_add_ss(s, _mm_movehdup_ps(s));
	return _mm_cvtss_f32(s);
}

static float
sparse_dot_avx2(const uint32_t *index, const float *value, size_t n, const float *w)
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

static void
sparse_axpy_avx2(float *w, const uint32_t *index, const float *value, size_t n, float a)
{
	for (size_t i = 0; i < n; i++)
		w[index[i]] = __builtin_fmaf(a, value[i], w[index[i]]);
}

/* the lanes below n_cols - c, for a block of 8 columns */
static inline __m256i
column_mask(size_t n_left)
{
	__m256i		lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);

	return _mm256_cmpgt_epi32(_mm256_set1_epi32(n_left < 8 ? (int) n_left : 8), lane);
}

static void
sparse_rows_dot_avx2(float *y, const uint32_t *index, const float *value, size_t n,
					 const float *w, size_t n_cols)
{
	for (size_t c = 0; c < n_cols; c += 8)
	{
		__m256i		mask = column_mask(n_cols - c);
		__m256		acc = _mm256_setzero_ps();

		for (size_t i = 0; i < n; i++)
		{
			__m256		row = _mm256_maskload_ps(w + index[i] * n_cols + c, mask);

			acc = _mm256_fmadd_ps(_mm256_set1_ps(value[i]), row, acc);
		}
		_mm256_maskstore_ps(y + c, mask, acc);
	}
}

static void
sparse_rows_axpy_avx2(float *w, const uint32_t *index, const float *value, size_t n,
					  const float *a, size_t n_cols)
{
	for (size_t c = 0; c < n_cols; c += 8)
	{
		__m256i		mask = column_mask(n_cols - c);
		__m256		step = _mm256_maskload_ps(a + c, mask);

		for (size_t i = 0; i < n; i++)
		{
			float	   *row = w + index[i] * n_cols + c;
			__m256		sum = _mm256_fmadd_ps(_mm256_set1_ps(value[i]), step,
											  _mm256_maskload_ps(row, mask));

			_mm256_maskstore_ps(row, mask, sum);
		}
	}
}

const AiKernels ai_kernels_avx2 = {
	sparse_dot_avx2, sparse_axpy_avx2, sparse_rows_dot_avx2, sparse_rows_axpy_avx2
};
