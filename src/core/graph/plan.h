/*-------------------------------------------------------------------------
 * plan.h
 *		Where in one block of memory each array of a run lies.
 *
 * An array is wanted from one moment to another; two that are never wanted at once may
 * have the same place.
 *-------------------------------------------------------------------------
 */
#ifndef AI_PLAN_H
#define AI_PLAN_H

#include <stddef.h>

typedef struct AiPlanned
{
	size_t		size;			/* numbers; 0: takes no place */
	int			from;			/* moments, both included */
	int			to;
	size_t		offset;			/* the answer, a multiple of 16 */
} AiPlanned;

/*
 * The size of the block, in numbers; the largest arrays are placed first, each at the
 * lowest free place.  scratch:[2 * n_arrays]
 */
extern size_t ai_plan(AiPlanned *arrays, int n_arrays, int *scratch);

#endif							/* AI_PLAN_H */
