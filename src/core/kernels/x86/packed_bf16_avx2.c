/*-------------------------------------------------------------------------
 * packed_bf16_avx2.c
 *		Products with packed weights, bf16, AVX2 without instructions for it.
 *
 * A bf16 is the upper half of a float, so that pairs become floats by a shift and a mask.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

#include <immintrin.h>

#define TILE_ROWS 4
#define TILE_VECTORS 2
#define NO_SUMS _mm256_setzero_ps()

typedef __m256 Sums;

/* The first and the second bf16 of each 32 bits */
typedef struct Words
{
	__m256		first;
	__m256		second;
} Words;

typedef Words Factor;

static inline Words
split(__m256i words)
{
	__m256i		upper = _mm256_set1_epi32((int) 0xffff0000);

	return (Words) {
		.first = _mm256_castsi256_ps(_mm256_slli_epi32(words, 16)),
		.second = _mm256_castsi256_ps(_mm256_and_si256(words, upper))
	};
}

static inline Words
words_at(const uint32_t *words)
{
	return split(_mm256_load_si256((const __m256i *) words));
}

static inline Factor
factor_of(const char *x)
{
	return split(_mm256_set1_epi32(*(const int32_t *) x));
}

static inline Sums
add_terms(Sums sums, Factor factor, Words words)
{
	sums = _mm256_fmadd_ps(factor.first, words.first, sums);
	return _mm256_fmadd_ps(factor.second, words.second, sums);
}

#include "core/kernels/x86/packed_tiles.h"

void
ai_packed_bf16_avx2(const AiPackedProduct *product)
{
	compute_product(product, &ai_kernels_avx2);
}
