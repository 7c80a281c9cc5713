/*-------------------------------------------------------------------------
 * test_similarity.c
 *		Cosines, beside sums in double written out.
 *-------------------------------------------------------------------------
 */
#include "core/model/similarity.h"

#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/base/rng.h"

#define MOST 1100

static double
plain_cosine(const float *x, const float *y, size_t n)
{
	double		xy = 0;
	double		xx = 0;
	double		yy = 0;

	for (size_t i = 0; i < n; i++)
	{
		xy += (double) x[i] * y[i];
		xx += (double) x[i] * x[i];
		yy += (double) y[i] * y[i];
	}
	return xy / sqrt(xx * yy);
}

/* of any length */
static void
test_lengths(void **state)
{
	AiRng		rng = {7};
	float		x[MOST];
	float		y[MOST];

	(void) state;
	for (size_t i = 0; i < MOST; i++)
	{
		x[i] = (float) (ai_rng_uniform(&rng) - 0.5);
		y[i] = (float) (ai_rng_uniform(&rng) - 0.3);
	}
	for (size_t n = 1; n <= MOST; n += n < 70 ? 1 : 103)
		assert_true(fabs(ai_cosine(x, y, n) - plain_cosine(x, y, n)) < 1e-12);
}

/* never beyond 1, none without a direction, large and small numbers, what is not finite */
static void
test_bounds(void **state)
{
	const float zero[3] = {0, 0, 0};
	const float a[3] = {0.1F, 0.7F, -0.3F};
	const float large[3] = {1e30F, 7e30F, -3e30F};
	const float small[3] = {-1e-30F, -7e-30F, 3e-30F};
	const float bad[3] = {1, NAN, 0};
	const float endless[3] = {1, INFINITY, 0};

	(void) state;
	assert_true(ai_cosine(a, a, 3) <= 1);
	assert_true(ai_cosine(a, a, 3) > 1 - 1e-12);
	assert_true(ai_cosine(a, zero, 3) == 0);
	assert_true(ai_cosine(zero, zero, 3) == 0);
	assert_true(ai_cosine(a, a, 0) == 0);
	assert_true(ai_cosine(a, large, 3) > 1 - 1e-6);
	assert_true(ai_cosine(large, small, 3) < -1 + 1e-6);
	assert_true(isnan(ai_cosine(a, bad, 3)));
	assert_true(isnan(ai_cosine(a, endless, 3)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
