/*-------------------------------------------------------------------------
 * attention_dpbf16_avx512.c
 *		Attention of one head over one text, in bf16, AVX-512 with BF16.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

#include "core/kernels/x86/attention_avx512.h"

#define PER_WORD 2

static inline __m512
add_words(__m512 sums, __m512i x, __m512i words)
{
	return _mm512_dpbf16_ps(sums, (__m512bh) x, (__m512bh) words);
}

static inline void
lay_out_keys(const AiAttention *a, uint32_t *keys, size_t n_keys)
{
	lay_out_keys_of_bf16(a, keys, n_keys);
}

static inline void
lay_out_values(const AiAttention *a, uint32_t *values, size_t n_keys)
{
	lay_out_values_of_bf16(a, values, n_keys);
}

static inline void
lay_out_query(uint32_t *query, const float *q, size_t d, float factor)
{
	for (size_t p = 0; p < d; p += STEP)
		_mm512_store_si512(query + p / PER_WORD, round_numbers(q + p, factor));
}

static inline void
store_weights(uint32_t *weights, const __m512 *powers)
{
	_mm512_store_si512(weights, (__m512i) _mm512_cvtne2ps_pbh(powers[1], powers[0]));
}

#include "core/kernels/x86/attention_blocks.h"

size_t
ai_attention_dpbf16_avx512_scratch(size_t n_tokens, size_t d)
{
	return scratch_of(n_tokens, d);
}

void
ai_attention_dpbf16_avx512(const AiAttention *a)
{
	attend_by_blocks(a);
}
