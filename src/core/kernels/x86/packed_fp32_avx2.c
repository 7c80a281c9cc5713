/*-------------------------------------------------------------------------
 * packed_fp32_avx2.c
 *		Products with packed weights, fp32, AVX2 and FMA.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

#include <immintrin.h>

#define FETCHES_AHEAD
#define TILE_ROWS 6
#define TILE_VECTORS 2
#define NO_SUMS _mm256_setzero_ps()

typedef __m256 Sums;
typedef __m256 Words;
typedef __m256 Factor;

static inline Words
words_at(const uint32_t *words)
{
	return _mm256_load_ps((const float *) words);
}

static inline Factor
factor_of(const char *x)
{
	return _mm256_set1_ps(*(const float *) x);
}

static inline Sums
add_terms(Sums sums, Factor factor, Words words)
{
	return _mm256_fmadd_ps(factor, words, sums);
}

#include "core/kernels/x86/packed_tiles.h"

void
ai_packed_fp32_avx2(const AiPackedProduct *product)
{
	compute_product(product, &ai_kernels_avx2);
}
