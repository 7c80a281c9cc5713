/*-------------------------------------------------------------------------
 * packed.h
 *		The steps of a shard's sequences, those that are there, for recurrent layers.
 *
 * Rows are put in the order of their lengths, the longest first, so that those that have
 * a step s are the first ones: their numbers stand together, step behind step, and nothing
 * is computed for what is padding behind.  A step that is masked before the last one
 * that is not is a gap: it has a place, and what is computed there is not used.
 *
 * The backward direction goes from the last step of each row to its first one, so for both
 * directions step 0 is where states begin.
 *-------------------------------------------------------------------------
 */
#ifndef AI_PACKED_H
#define AI_PACKED_H

#include "core/graph/layer.h"

typedef struct AiPacked
{
	size_t		n_rows;			/* with steps or without */
	size_t		n_times;		/* steps of a row, padding and all */
	size_t		n_steps;		/* of the longest row */
	size_t		n_places;		/* of all rows' steps */
	bool		has_gaps;
	const uint8_t *mask;		/* [n_rows, n_times], or NULL */
	int			row[AI_SHARD_ROWS]; /* from the longest to the shortest */
	size_t		length[AI_SHARD_ROWS];	/* in the same order */
} AiPacked;

/* mask is kept; NULL: all steps are there */
extern void ai_packed_init(AiPacked *packed, const uint8_t *mask, size_t n_rows, size_t n_times);

/* How many rows have a step */
extern size_t ai_packed_rows(const AiPacked *packed, size_t step);

/* Where the i-th row's step lies in arrays of [n_rows, n_times] */
static inline size_t
ai_packed_place(const AiPacked *packed, size_t i, size_t step, bool is_backward)
{
	size_t		time = is_backward ? packed->length[i] - 1 - step : step;

	return (size_t) packed->row[i] * packed->n_times + time;
}

/* to:[n_places, n] = from:[n_rows, n_times, n] */
extern void ai_packed_take(float *to, const AiPacked *packed, const float *from, size_t n,
						   bool is_backward);

#endif							/* AI_PACKED_H */
