/*-------------------------------------------------------------------------
 * packed_bf16_avx512.c
 *		Products with packed weights, bf16, AVX-512 without instructions for it.
 *
 * A bf16 is the upper half of a float, so that pairs become floats by a shift and a mask.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

#include <immintrin.h>

#define TILE_ROWS 4
#define TILE_VECTORS 4
#define NO_SUMS _mm512_setzero_ps()

typedef __m512 Sums;

/* The first and the second bf16 of each 32 bits */
typedef struct Words
{
	__m512		first;
	__m512		second;
} Words;

typedef Words Factor;

static inline Words
split(__m512i words)
{
	__m512i		upper = _mm512_set1_epi32((int) 0xffff0000);

	return (Words) {
		.first = _mm512_castsi512_ps(_mm512_slli_epi32(words, 16)),
		.second = _mm512_castsi512_ps(_mm512_and_si512(words, upper))
	};
}

static inline Words
words_at(const uint32_t *words)
{
	return split(_mm512_load_si512((const __m512i *) words));
}

static inline Factor
factor_of(const char *x)
{
	return split(_mm512_set1_epi32(*(const int32_t *) x));
}

static inline Sums
add_terms(Sums sums, Factor factor, Words words)
{
	sums = _mm512_fmadd_ps(factor.first, words.first, sums);
	return _mm512_fmadd_ps(factor.second, words.second, sums);
}

#include "core/kernels/x86/packed_tiles.h"

void
ai_packed_bf16_avx512(const AiPackedProduct *product)
{
	compute_product(product, &ai_kernels_avx512);
}
