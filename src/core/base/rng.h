/*-------------------------------------------------------------------------
 * rng.h
 *		SplitMix64: a seed gives the same numbers on every machine, for ever.
 *
 * Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014.
 *-------------------------------------------------------------------------
 */
#ifndef AI_RNG_H
#define AI_RNG_H

#include <stdint.h>

typedef struct AiRng
{
	uint64_t	state;
} AiRng;

static inline uint64_t
ai_rng_next(AiRng *rng)
{
	uint64_t	z = (rng->state += UINT64_C(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

/* A stream of its own for each pair of numbers under a seed */
static inline AiRng
ai_rng_stream(uint64_t seed, uint64_t a, uint64_t b)
{
	AiRng		rng = {seed};

	rng.state = ai_rng_next(&rng) + a;
	rng.state = ai_rng_next(&rng) + b;
	rng.state = ai_rng_next(&rng);
	return rng;
}

/* uniform in [0, n), n > 0; the bias of 2^-32 * n is below what sampling shows */
static inline uint32_t
ai_rng_below(AiRng *rng, uint32_t n)
{
	return (uint32_t) (((ai_rng_next(rng) >> 32) * (uint64_t) n) >> 32);
}

/* uniform in [0, 1) */
static inline double
ai_rng_uniform(AiRng *rng)
{
	return (double) (ai_rng_next(rng) >> 11) * 0x1p-53;
}

#endif							/* AI_RNG_H */
