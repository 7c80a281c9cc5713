/*-------------------------------------------------------------------------
 * rows_of_four.h
 *		Products with rows of four weights, the same from AVX2 on.
 *-------------------------------------------------------------------------
 */
#ifndef AI_ROWS_OF_FOUR_H
#define AI_ROWS_OF_FOUR_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

/* Four accumulators, so that additions do not wait for each other */
static inline void
ai_rows_of_four_dot(float *y, const uint32_t *index, const float *value, size_t n, const float *w)
{
	__m128		acc[4];
	size_t		i = 0;

	for (int r = 0; r < 4; r++)
		acc[r] = _mm_setzero_ps();
	for (; i + 4 <= n; i += 4)
	{
		for (int r = 0; r < 4; r++)
			acc[r] = _mm_fmadd_ps(_mm_set1_ps(value[i + r]),
								  _mm_load_ps(w + index[i + r] * (size_t) 4), acc[r]);
	}
	for (; i < n; i++)
		acc[0] = _mm_fmadd_ps(_mm_set1_ps(value[i]), _mm_load_ps(w + index[i] * (size_t) 4),
							  acc[0]);
	_mm_store_ps(y, _mm_add_ps(_mm_add_ps(acc[0], acc[1]), _mm_add_ps(acc[2], acc[3])));
}

#endif							/* AI_ROWS_OF_FOUR_H */
