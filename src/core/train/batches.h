/*-------------------------------------------------------------------------
 * batches.h
 *		The order of rows in an epoch, and its cut into batches.
 *
 * The order of an epoch follows from seed and epoch alone, not from epochs before it.
 * Every order is as likely as any other.
 *-------------------------------------------------------------------------
 */
#ifndef AI_BATCHES_H
#define AI_BATCHES_H

#include "core/base/host.h"

typedef struct AiBatches
{
	uint32_t	n_rows;
	uint32_t	batch_rows;		/* 1 or more; the last batch may have fewer */
	uint32_t   *order;			/* [n_rows], the caller's; NULL: rows stay in their order */
} AiBatches;

/* Put order into that of an epoch, counted from 0.  Fails only by AI_ERR_CANCELLED. */
extern AiCode ai_batches_shuffle(const AiBatches *batches, uint64_t seed, uint64_t epoch,
								 const AiHost *host, AiError *err);

static inline int64_t
ai_batches_count(const AiBatches *batches)
{
	return ((int64_t) batches->n_rows + batches->batch_rows - 1) / batches->batch_rows;
}

static inline int64_t
ai_batch_first(const AiBatches *batches, int64_t batch)
{
	return batch * batches->batch_rows;
}

static inline uint32_t
ai_batch_rows(const AiBatches *batches, int64_t batch)
{
	int64_t		left = batches->n_rows - ai_batch_first(batches, batch);

	return left < batches->batch_rows ? (uint32_t) left : batches->batch_rows;
}

/* The number of the row at place i of a batch */
static inline uint32_t
ai_batch_row(const AiBatches *batches, int64_t batch, uint32_t i)
{
	int64_t		place = ai_batch_first(batches, batch) + i;

	return batches->order != NULL ? batches->order[place] : (uint32_t) place;
}

#endif							/* AI_BATCHES_H */
