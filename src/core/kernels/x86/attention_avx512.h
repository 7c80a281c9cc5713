/*-------------------------------------------------------------------------
 * attention_avx512.h
 *		What ways of attention with AVX-512 share: exponentials, and keys and values as bf16.
 *-------------------------------------------------------------------------
 */
#ifndef AI_ATTENTION_AVX512_H
#define AI_ATTENTION_AVX512_H

#include <immintrin.h>
#include <string.h>

#include "core/kernels/attention_internal.h"

#define LANES 16				/* of a vector: keys of a panel */
#define PANEL_SIZE (LANES * LANES)	/* words of a panel of 16 rows */
#define STEP (2 * LANES)		/* bf16 of a vector */
#define LOG2_E 1.44269504f		/* scores are exponents of 2 */
#define LESS_NEAREST 0			/* what _mm512_reduce_ps leaves: x less the nearest whole number */

/*
 * 2^x within 2^-23 * 2^x, x <= 0 or NaN: n is the nearest whole number, 2^(x - n) a polynomial.  Of
 * less than -125 it is what it is there: numbers that are not normal take very long.
 */
static inline __m512
power_of_two(__m512 x)
{
	__m512		bounded = _mm512_max_ps(_mm512_set1_ps(-125), x);
	__m512		r = _mm512_reduce_ps(bounded, LESS_NEAREST);
	__m512		p = _mm512_set1_ps(0.00015345812f);

	p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.0013399931f));
	p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.009618489f));
	p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.055503286f));
	p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.24022646f));
	p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.69314718f));
	p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1));
	return _mm512_scalef_ps(p, _mm512_sub_ps(bounded, r));
}

/* Keys, filled up to whole vectors of bf16 */
static inline size_t
n_keys_of(size_t n_tokens)
{
	return (n_tokens + STEP - 1) / STEP * STEP;
}

#ifdef __AVX512BF16__

/* 32 numbers as bf16, times a factor */
static inline __m512i
round_numbers(const float *x, float factor)
{
	__m512		scale = _mm512_set1_ps(factor);

	return (__m512i) _mm512_cvtne2ps_pbh(_mm512_mul_ps(_mm512_loadu_ps(x + LANES), scale),
										 _mm512_mul_ps(_mm512_loadu_ps(x), scale));
}

/* keys:[n_keys / 16, d / 2, 16], pairs of numbers by keys; n_keys is a multiple of 16 */
static inline void
lay_out_keys_of_bf16(const AiAttention *a, uint32_t *keys, size_t n_keys)
{
	_Alignas(64) uint32_t rows[PANEL_SIZE];

	for (size_t first = 0; first < n_keys; first += LANES)
	{
		for (size_t p = 0; p < a->d; p += STEP, keys += PANEL_SIZE)
		{
			for (size_t r = 0; r < LANES; r++)
			{
				__m512i		row = _mm512_setzero_si512();

				if (first + r < a->n_tokens)
					row = round_numbers(a->k + (first + r) * a->row + p, 1);
				_mm512_store_si512(rows + r * LANES, row);
			}
			ai_transpose_avx2((float *) keys, LANES, (float *) rows, LANES, LANES, LANES);
		}
	}
}

/* values:[n_keys / 32, d / 16, 16, 16], pairs of tokens by numbers; n_keys is a multiple of 32 */
static inline void
lay_out_values_of_bf16(const AiAttention *a, uint32_t *values, size_t n_keys)
{
	const __m512i in_turn = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9,
											 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1,
											 16, 0);

	for (size_t first = 0; first < n_keys; first += STEP)
	{
		for (size_t p = 0; p < a->d; p += LANES, values += PANEL_SIZE)
		{
			for (size_t r = 0; r < LANES; r++)
			{
				size_t		token = first + 2 * r;
				const float *v = a->v + token * a->row + p;
				__m512		even = _mm512_setzero_ps();
				__m512		odd = _mm512_setzero_ps();
				__m512i		both;

				if (token < a->n_tokens)
					even = _mm512_loadu_ps(v);
				if (token + 1 < a->n_tokens)
					odd = _mm512_loadu_ps(v + a->row);
				both = (__m512i) _mm512_cvtne2ps_pbh(odd, even);
				_mm512_store_si512(values + r * LANES,
								   _mm512_permutexvar_epi16(in_turn, both));
			}
		}
	}
}
#endif

#endif							/* AI_ATTENTION_AVX512_H */
