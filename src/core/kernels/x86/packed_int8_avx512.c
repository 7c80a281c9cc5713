/*-------------------------------------------------------------------------
 * packed_int8_avx512.c
 *		Products with packed weights, int8, AVX-512 without VNNI.
 *
 * Bytes are made 16 bits first: the instruction that multiplies bytes does not hold the sum of two
 * products.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

#include <immintrin.h>

#define TILE_ROWS 4
#define TILE_VECTORS 4
#define NO_SUMS _mm512_setzero_si512()
#define SUMS_ARE_INTEGERS

typedef __m512i Sums;

/* Of each 32 bits the bytes 0 and 2, and 1 and 3, as 16 bits each */
typedef struct Words
{
	__m512i		even;
	__m512i		odd;
} Words;

typedef Words Factor;

static inline Words
words_at(const uint32_t *words)
{
	__m512i		bytes = _mm512_load_si512((const __m512i *) words);

	return (Words) {
		.even = _mm512_srai_epi16(_mm512_slli_epi16(bytes, 8), 8),
		.odd = _mm512_srai_epi16(bytes, 8)
	};
}

static inline Factor
factor_of(const char *x)
{
	__m512i		bytes = _mm512_set1_epi32(*(const int32_t *) x);

	return (Factor) {
		.even = _mm512_and_si512(bytes, _mm512_set1_epi16(0xff)),
		.odd = _mm512_srli_epi16(bytes, 8)
	};
}

static inline Sums
add_terms(Sums sums, Factor factor, Words words)
{
	sums = _mm512_add_epi32(sums, _mm512_madd_epi16(factor.even, words.even));
	return _mm512_add_epi32(sums, _mm512_madd_epi16(factor.odd, words.odd));
}

#include "core/kernels/x86/packed_tiles.h"

void
ai_packed_int8_avx512(const AiPackedProduct *product)
{
	compute_product(product, &ai_kernels_avx512);
}
