/*-------------------------------------------------------------------------
 * tiles.h
 *		Sharing out, and loops that the compiler has to unroll.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TILES_H
#define AI_TILES_H

#include <stddef.h>

/* Before each loop over the rows or vectors of a tile, or the sums are not kept in registers */
#ifdef __clang__
#define AI_UNROLL _Pragma("unroll")
#else
#define AI_UNROLL _Pragma("GCC unroll 16")
#endif

static inline size_t
ai_least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Where the i-th of n parts begins, which share out a whole as evenly as can be */
static inline size_t
ai_part_begin(size_t whole, size_t n, size_t i)
{
	return whole / n * i + ai_least(i, whole % n);
}

#endif							/* AI_TILES_H */
