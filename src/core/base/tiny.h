/*-------------------------------------------------------------------------
 * tiny.h
 *		Numbers too small for a float's usual form count as zero, for a while.
 *
 * Gradients that die out leave such numbers (below 1.2e-38) behind, and processors take
 * a hundred times longer over them.  Around the arithmetic of networks they are zeros; the
 * server around it never sees the difference.  begin and end are of one thread and nest.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TINY_H
#define AI_TINY_H

#ifdef __SSE2__
#include <xmmintrin.h>

#define AI_TINY_FLUSH 0x8040	/* results and operands: FTZ and DAZ of MXCSR */

static inline unsigned
ai_tiny_begin(void)
{
	unsigned	before = _mm_getcsr();

	_mm_setcsr(before | AI_TINY_FLUSH);
	return before;
}

static inline void
ai_tiny_end(unsigned before)
{
	_mm_setcsr(before);
}

#else

static inline unsigned
ai_tiny_begin(void)
{
	return 0;
}

static inline void
ai_tiny_end(unsigned before)
{
	(void) before;
}

#endif

#endif							/* AI_TINY_H */
