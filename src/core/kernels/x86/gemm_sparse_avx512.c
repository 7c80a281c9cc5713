/*-------------------------------------------------------------------------
 * gemm_sparse_avx512.c
 *		Products of which one matrix has many zeros, AVX-512.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

#include <immintrin.h>

#include "core/kernels/x86/gemm_blocks.h"
#include "core/kernels/x86/gemm_sparse.h"

#define LANES 16

static inline void
list_terms(AiTerms *terms, const float *a, const uint32_t *rows, size_t n)
{
	terms->n = 0;
	for (size_t p = 0; p < n; p += LANES)
	{
		__mmask16	here = (__mmask16) (n - p < LANES ? (1u << (n - p)) - 1 : 0xFFFF);
		__m512		value = _mm512_maskz_loadu_ps(here, a + p);
		__m512i		row = _mm512_maskz_loadu_epi32(here, rows + p);
		__mmask16	is_term = _mm512_cmp_ps_mask(value, _mm512_setzero_ps(), _CMP_NEQ_UQ);

		_mm512_storeu_ps(terms->value + terms->n, _mm512_maskz_compress_ps(is_term, value));
		_mm512_storeu_si512(terms->row + terms->n, _mm512_maskz_compress_epi32(is_term, row));
		terms->n += (size_t) __builtin_popcount(is_term);
	}
}

static inline __attribute__((always_inline)) void
add_terms(float *c, const AiTerms *terms, const float *b, int n_vectors, size_t n_last)
{
	__mmask16	last = (__mmask16) ((1u << n_last) - 1);
	__m512		sum[PANEL_VECTORS];

	AI_UNROLL
	for (int v = 0; v < n_vectors; v++)
		sum[v] = v == n_vectors - 1 ? _mm512_maskz_loadu_ps(last, c + 16 * v) :
			_mm512_loadu_ps(c + 16 * v);
	for (size_t i = 0; i < terms->n; i++)
	{
		const float *row = b + terms->row[i];
		__m512		value = _mm512_set1_ps(terms->value[i]);

		AI_UNROLL
		for (int v = 0; v < n_vectors; v++)
		{
			__m512		numbers = v == n_vectors - 1 ? _mm512_maskz_loadu_ps(last, row + 16 * v) :
				_mm512_loadu_ps(row + 16 * v);

			sum[v] = _mm512_fmadd_ps(value, numbers, sum[v]);
		}
	}
	AI_UNROLL
	for (int v = 0; v < n_vectors; v++)
	{
		if (v == n_vectors - 1)
			_mm512_mask_storeu_ps(c + 16 * v, last, sum[v]);
		else
			_mm512_storeu_ps(c + 16 * v, sum[v]);
	}
}

void
ai_gemm_sparse_avx512(const AiSparseGemm *product)
{
	ai_gemm_of_terms(product, LANES);
}
