/*-------------------------------------------------------------------------
 * dense_arrays.h
 *		Arrays for the tests of dense kernels.
 *
 * They begin 4 bytes beside a vector's place and have exactly the size that is asked for, so that a
 * sanitizer sees one element too many.
 *-------------------------------------------------------------------------
 */
#ifndef AI_DENSE_ARRAYS_H
#define AI_DENSE_ARRAYS_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "core/kernels/kernels.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Numbers of all sizes up to about 30 */
static inline float *
make_floats(AiRng *rng, size_t n)
{
	void	   *memory = NULL;
	float	   *x;

	assert_int_equal(posix_memalign(&memory, 64, (n + 1) * sizeof(float)), 0);
	x = memory;
	for (size_t i = 0; i <= n; i++)
		x[i] = (float) ((ai_rng_uniform(rng) - 0.5) * exp(4 * ai_rng_uniform(rng)));
	return x + 1;
}

static inline void
free_floats(float *x)
{
	free(x - 1);
}

/* At each level that this machine has */
static inline void
for_each_level(void (*check) (void))
{
	for (int level = AI_CPU_PORTABLE; level <= (int) ai_kernels_best_level(); level++)
	{
		assert_int_equal(ai_kernels_select((AiCpuLevel) level, NULL), AI_OK);
		check();
	}
}

#endif							/* AI_DENSE_ARRAYS_H */
