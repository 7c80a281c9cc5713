/*-------------------------------------------------------------------------
 * attention_fp32_avx512.c
 *		Attention of one head over one text, in fp32, AVX-512.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

#include "core/kernels/x86/attention_avx512.h"

#define PER_WORD 1

static inline __m512
add_words(__m512 sums, __m512i x, __m512i words)
{
	return _mm512_fmadd_ps((__m512) x, (__m512) words, sums);
}

static inline void
lay_out_keys(const AiAttention *a, uint32_t *keys, size_t n_keys)
{
	for (size_t first = 0; first < n_keys; first += LANES, keys += a->d * LANES)
	{
		size_t		n_there = first >= a->n_tokens ? 0 :
			a->n_tokens - first < LANES ? a->n_tokens - first : LANES;

		if (n_there < LANES)
			memset(keys, 0, a->d * LANES * sizeof(*keys));
		ai_transpose_avx2((float *) keys, LANES, a->k + first * a->row, (ptrdiff_t) a->row,
						  n_there, a->d);
	}
}

static inline void
lay_out_values(const AiAttention *a, uint32_t *values, size_t n_keys)
{
	for (size_t first = 0; first < n_keys; first += LANES)
	{
		for (size_t p = 0; p < a->d; p += LANES)
		{
			for (size_t t = first; t < first + LANES; t++, values += LANES)
				_mm512_store_ps(values, t >= a->n_tokens ? _mm512_setzero_ps() :
								_mm512_loadu_ps(a->v + t * a->row + p));
		}
	}
}

static inline void
lay_out_query(uint32_t *query, const float *q, size_t d, float factor)
{
	for (size_t p = 0; p < d; p += LANES)
		_mm512_store_ps(query + p, _mm512_mul_ps(_mm512_loadu_ps(q + p),
												 _mm512_set1_ps(factor)));
}

static inline void
store_weights(uint32_t *weights, const __m512 *powers)
{
	_mm512_store_ps(weights, powers[0]);
}

#include "core/kernels/x86/attention_blocks.h"

size_t
ai_attention_fp32_avx512_scratch(size_t n_tokens, size_t d)
{
	return scratch_of(n_tokens, d);
}

void
ai_attention_fp32_avx512(const AiAttention *a)
{
	attend_by_blocks(a);
}
