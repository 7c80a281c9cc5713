/*-------------------------------------------------------------------------
 * packed_dpbf16_avx512.c
 *		Products with packed weights, bf16, AVX-512 with BF16.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

#include <immintrin.h>

#define FETCHES_AHEAD
#define TILE_ROWS 6
#define TILE_VECTORS 4
#define NO_SUMS _mm512_setzero_ps()

typedef __m512 Sums;
typedef __m512i Words;
typedef __m512i Factor;

static inline Words
words_at(const uint32_t *words)
{
	return _mm512_load_si512((const __m512i *) words);
}

static inline Factor
factor_of(const char *x)
{
	return _mm512_set1_epi32(*(const int32_t *) x);
}

static inline Sums
add_terms(Sums sums, Factor factor, Words words)
{
	return _mm512_dpbf16_ps(sums, (__m512bh) factor, (__m512bh) words);
}

#include "core/kernels/x86/packed_tiles.h"

void
ai_packed_dpbf16_avx512(const AiPackedProduct *product)
{
	compute_product(product, &ai_kernels_avx512);
}
