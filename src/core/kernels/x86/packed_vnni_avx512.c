/*-------------------------------------------------------------------------
 * packed_vnni_avx512.c
 *		Products with packed weights, int8, AVX-512 with VNNI.
 *
 * The instruction by its name: gcc moves sums between registers around the intrinsic.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

#include <immintrin.h>

#define FETCHES_AHEAD
#define TILE_ROWS 6
#define TILE_VECTORS 4
#define NO_SUMS _mm512_setzero_si512()
#define SUMS_ARE_INTEGERS

typedef __m512i Sums;
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
	__asm__("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(factor), "v"(words));
	return sums;
}

#include "core/kernels/x86/packed_tiles.h"

void
ai_packed_vnni_avx512(const AiPackedProduct *product)
{
	compute_product(product, &ai_kernels_avx512);
}
