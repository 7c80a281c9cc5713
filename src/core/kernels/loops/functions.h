/*-------------------------------------------------------------------------
 * functions.h
 *		exp and what follows from it, of one number: for loops over many.
 *
 * Without branches, so that a compiler makes vectors of loops over them, and without fused
 * operations, so that every machine gives the same bits.  The budgets are in kernels.h.
 *
 * exp(x) = 2^n * exp(r), n = round(x / ln 2), |r| <= ln(2) / 2: r is exact, as ln 2 is taken off in
 * two parts, the first of which times n is a float; exp(r) is a polynomial whose relative error
 * is below 2^-26.  n is rounded by adding 1.5 * 2^23, which leaves it in the low bits.
 *-------------------------------------------------------------------------
 */
#ifndef AI_LOOPS_FUNCTIONS_H
#define AI_LOOPS_FUNCTIONS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/*
 * Stands before a loop of which no step reads what another one writes; arrays may be the same.
 * Clang warns where it makes no vectors, and with sanitizers it makes none.
 */
#ifndef __clang__
#define AI_LANES _Pragma("GCC ivdep")
#elif __has_feature(address_sanitizer)
#define AI_LANES
#else
#define AI_LANES _Pragma("clang loop vectorize(assume_safety)")
#endif

#define AI_LANE static inline __attribute__((always_inline))

#define LEAST_EXP (-87.3f)		/* exp of less is not a normal number */

AI_LANE float
float_of_bits(uint32_t bits)
{
	float		x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

AI_LANE uint32_t
bits_of_float(float x)
{
	uint32_t	bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

/* x, or a bound; NaN stays what it is, as in all comparisons here */
AI_LANE float
at_least(float x, float bound)
{
	return x < bound ? bound : x;
}

AI_LANE float
at_most(float x, float bound)
{
	return x > bound ? bound : x;
}

AI_LANE float
power_of_two(int32_t n)
{
	return float_of_bits((uint32_t) (n + 127) << 23);
}

/* n, and exp(r) - 1 */
AI_LANE float
exp_parts(float x, int32_t *n)
{
	const float round = 0x1.8p23f;
	float		shifted = x * 1.44269504088896341f + round;
	float		whole = shifted - round;
	float		r = x - whole * 0.693145751953125f - whole * 1.42860682030941723e-6f;
	float		q = 0.00138145399f;

	q = q * r + 0.00836874513f;
	q = q * r + 0.0416683908f;
	q = q * r + 0.166665204f;
	q = q * r + 0.499999934f;
	*n = (int32_t) (bits_of_float(shifted) - bits_of_float(round));
	return r + r * r * q;
}

/* LEAST_EXP <= x <= 88 */
AI_LANE float
exp_of_normal(float x)
{
	int32_t		n;
	float		p = exp_parts(x, &n);

	return (1 + p) * power_of_two(n);
}

/* The power in two steps: the first one is exact, the second one rounds what is too small. */
AI_LANE float
exp_of(float x)
{
	bool		is_zero = x < -104;
	int32_t		n;
	float		p = exp_parts(at_most(is_zero ? 0 : x, 89), &n);
	float		y = (1 + p) * power_of_two(n >> 1) * power_of_two(n - (n >> 1));

	return is_zero ? 0 : y;
}

/* exp(x) - 1, x <= 88: without loss near 0, where 2^n - 1 is 0 */
AI_LANE float
expm1_of(float x)
{
	int32_t		n;
	float		p = exp_parts(at_least(x, LEAST_EXP), &n);
	float		power = power_of_two(n);

	return power * p + (power - 1);
}

/* log(1 + x), 0 <= x <= 1: 2 atanh(x / (2 + x)) */
AI_LANE float
log1p_of(float x)
{
	float		s = x / (2 + x);
	float		s2 = s * s;
	float		p = 0.14006007f;

	p = p * s2 + 0.140009f;
	p = p * s2 + 0.20010764f;
	p = p * s2 + 0.33333208f;
	return 2 * (s + s * s2 * p);
}

/* rest = 1 - sigmoid(x), with all its digits */
AI_LANE float
sigmoid_and_rest(float x, float *rest)
{
	float		e = exp_of_normal(at_most(at_least(-x, LEAST_EXP), 88));
	float		y = 1 / (1 + e);

	*rest = e * y;
	return x < LEAST_EXP ? 0 : y;
}

AI_LANE float
sigmoid_of(float x)
{
	float		rest;

	return sigmoid_and_rest(x, &rest);
}

/* By expm1, so that no digits are lost near 0 */
AI_LANE float
tanh_of(float x)
{
	float		e = expm1_of(-2 * at_most(fabsf(x), 10));

	return copysignf(e / (2 + e), x);
}

AI_LANE float
softplus_of(float x)
{
	return at_least(x, 0) + log1p_of(exp_of(-fabsf(x)));
}

/*
 * The normal distribution up to x, by its tail: exp(-x^2 / 2) times a polynomial of
 * t = 1 / (1 + 0.29 |x|), whose relative error is below 1.1e-8 for |x| <= 6
 */
AI_LANE float
normal_of(float x, float *density)
{
	float		t = 1 / (1 + 0.29f * fabsf(x));
	float		e = exp_of(-0.5f * x * x);
	float		p = 0.039499275386333466f;
	float		tail;

	p = p * t - 0.19308573007583618f;
	p = p * t + 0.3051874041557312f;
	p = p * t - 0.1480553150177002f;
	p = p * t + 0.1816934049129486f;
	p = p * t + 0.07954562455415726f;
	p = p * t + 0.11979635804891586f;
	p = p * t + 0.11541897803544998f;
	tail = e * t * p;
	*density = 0.39894228040143268f * e;
	return x > 0 ? 1 - tail : tail;
}

/* Factors x of what goes to 0 sooner than x grows: so that they do not make 0 * infinity */
AI_LANE float
bounded(float x)
{
	return at_most(at_least(x, -1e4f), 1e4f);
}

/*
 * x times the normal distribution up to x: without its tails beyond 5, which are below 2.9e-7, it
 * is 0.5 + x * p(x^2), a polynomial whose error is below 1.6e-7.  That takes half the time of
 * normal_of(), whose tail has all its digits.
 */
AI_LANE float
gelu_of(float x)
{
	float		t = x * x * 0.08f - 1;
	float		t2 = t * t;
	float		t4 = t2 * t2;
	float		p;

	/* in pairs of pairs: one term after the other would wait for each other */
	p = 0.006410510744899511f - t * 0.002685573883354664f +
		t2 * (0.0017227990319952369f - t * 0.0016132656019181013f) + t4 * 0.0006087274523451924f;
	p = 0.031442172825336456f - t * 0.023268653079867363f +
		t2 * (0.016402173787355423f - t * 0.011164340190589428f) + t4 * p;
	p = 0.14136378467082977f - t * 0.0702962800860405f +
		t2 * (0.05152052268385887f - t * 0.040442608296871185f) + t4 * p;
	p = x > 5 ? 1 : 0.5f + x * p;
	return at_least(x, -1e4f) * (x < -5 ? 0 : p);
}

AI_LANE float
gelu_slope(float x)
{
	float		density;
	float		p = normal_of(x, &density);

	return p + bounded(x) * density;
}

/* x * sigmoid(2 u), u = sqrt(2 / pi) * (x + 0.044715 x^3) */
AI_LANE float
gelu_tanh_of(float x)
{
	return at_least(x, -1e4f) *
		sigmoid_of(x * (1.5957691216057308f + 0.071354816272600248f * x * x));
}

AI_LANE float
gelu_tanh_slope(float x)
{
	float		near = bounded(x);
	float		rest;
	float		s = sigmoid_and_rest(near * (1.5957691216057308f +
											 0.071354816272600248f * near * near), &rest);

	return s + near * (s * rest) * (1.5957691216057308f + 0.21406444881780073f * near * near);
}

AI_LANE float
silu_of(float x)
{
	return at_least(x, -1e4f) * sigmoid_of(x);
}

AI_LANE float
silu_slope(float x)
{
	float		rest;
	float		s = sigmoid_and_rest(x, &rest);

	return s + bounded(x) * (s * rest);
}

#endif							/* AI_LOOPS_FUNCTIONS_H */
