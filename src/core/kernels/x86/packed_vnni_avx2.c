/*-------------------------------------------------------------------------
 * packed_vnni_avx2.c
 *		Products with packed weights, int8, AVX-VNNI.
 *
 * The instruction by its name: gcc moves sums between registers around the intrinsic.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

#include <immintrin.h>

#define TILE_ROWS 6
#define TILE_VECTORS 2
#define NO_SUMS _mm256_setzero_si256()
#define SUMS_ARE_INTEGERS

typedef __m256i Sums;
typedef __m256i Words;
typedef __m256i Factor;

static inline Words
words_at(const uint32_t *words)
{
	return _mm256_load_si256((const __m256i *) words);
}

static inline Factor
factor_of(const char *x)
{
	return _mm256_set1_epi32(*(const int32_t *) x);
}

static inline Sums
add_terms(Sums sums, Factor factor, Words words)
{
	__asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sums) : "x"(factor), "x"(words));
	return sums;
}

#include "core/kernels/x86/packed_tiles.h"

void
ai_packed_vnni_avx2(const AiPackedProduct *product)
{
	compute_product(product, &ai_kernels_avx2);
}
