/*-------------------------------------------------------------------------
 * gemm_sparse_avx2.c
 *		Products of which one matrix has many zeros, AVX2 and FMA.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

#include <immintrin.h>

#include "core/kernels/x86/gemm_blocks.h"
#include "core/kernels/x86/gemm_sparse.h"
#include "core/kernels/x86/lanes_of_eight.h"

#define LANES 8

static inline void
list_terms(AiTerms *terms, const float *a, const uint32_t *rows, size_t n)
{
	terms->n = 0;
	for (size_t p = 0; p < n; p += LANES)
	{
		__m256		value = _mm256_maskload_ps(a + p, lanes_below(n - p < LANES ? n - p : LANES));
		__m256		compared = _mm256_cmp_ps(value, _mm256_setzero_ps(), _CMP_NEQ_UQ);
		unsigned	is_term = (unsigned) _mm256_movemask_ps(compared);

		for (; is_term != 0; is_term &= is_term - 1)
		{
			size_t		at = p + (size_t) __builtin_ctz(is_term);

			terms->value[terms->n] = a[at];
			terms->row[terms->n++] = rows[at];
		}
	}
}

static inline __attribute__((always_inline)) void
add_terms(float *c, const AiTerms *terms, const float *b, int n_vectors, size_t n_last)
{
	__m256i		last = lanes_below(n_last);
	__m256		sum[PANEL_VECTORS];

	AI_UNROLL
	for (int v = 0; v < n_vectors; v++)
		sum[v] = v == n_vectors - 1 ? _mm256_maskload_ps(c + 8 * v, last) :
			_mm256_loadu_ps(c + 8 * v);
	for (size_t i = 0; i < terms->n; i++)
	{
		const float *row = b + terms->row[i];
		__m256		value = _mm256_set1_ps(terms->value[i]);

		AI_UNROLL
		for (int v = 0; v < n_vectors; v++)
		{
			__m256		numbers = v == n_vectors - 1 ? _mm256_maskload_ps(row + 8 * v, last) :
				_mm256_loadu_ps(row + 8 * v);

			sum[v] = _mm256_fmadd_ps(value, numbers, sum[v]);
		}
	}
	AI_UNROLL
	for (int v = 0; v < n_vectors; v++)
	{
		if (v == n_vectors - 1)
			_mm256_maskstore_ps(c + 8 * v, last, sum[v]);
		else
			_mm256_storeu_ps(c + 8 * v, sum[v]);
	}
}

void
ai_gemm_sparse_avx2(const AiSparseGemm *product)
{
	ai_gemm_of_terms(product, LANES);
}
