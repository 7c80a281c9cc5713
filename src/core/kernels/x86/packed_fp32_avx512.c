/*-------------------------------------------------------------------------
 * packed_fp32_avx512.c
 *		Products with packed weights, fp32, AVX-512.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

#include <immintrin.h>

#define FETCHES_AHEAD
#define TILE_ROWS 6
#define TILE_VECTORS 4
#define NO_SUMS _mm512_setzero_ps()

typedef __m512 Sums;
typedef __m512 Words;
typedef __m512 Factor;

static inline Words
words_at(const uint32_t *words)
{
	return _mm512_load_ps((const float *) words);
}

static inline Factor
factor_of(const char *x)
{
	return _mm512_set1_ps(*(const float *) x);
}

static inline Sums
add_terms(Sums sums, Factor factor, Words words)
{
	return _mm512_fmadd_ps(factor, words, sums);
}

#include "core/kernels/x86/packed_tiles.h"

void
ai_packed_fp32_avx512(const AiPackedProduct *product)
{
	compute_product(product, &ai_kernels_avx512);
}
