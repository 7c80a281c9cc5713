/*-------------------------------------------------------------------------
 * lanes_of_eight.h
 *		A part of a vector of AVX2.
 *-------------------------------------------------------------------------
 */
#ifndef AI_LANES_OF_EIGHT_H
#define AI_LANES_OF_EIGHT_H

#include <immintrin.h>

/* the lowest n lanes of 8, 0 < n <= 8 */
static inline __m256i
lanes_below(size_t n)
{
	return _mm256_cmpgt_epi32(_mm256_set1_epi32((int) n),
							  _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

#endif							/* AI_LANES_OF_EIGHT_H */
