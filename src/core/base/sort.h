/*-------------------------------------------------------------------------
 * sort.h
 *		Sorting millions of items, which can be stopped.
 *-------------------------------------------------------------------------
 */
#ifndef AI_SORT_H
#define AI_SORT_H

#include "core/base/host.h"

typedef struct AiSortItem
{
	uint64_t	hash;
	uint64_t	tag;			/* what comes before the hash, and what goes with it */
} AiSortItem;

/*
 * items:[n] rise by the bits of their tags that are in mask, then by hash; those where both are
 * equal keep their order.  n / 2 more are taken from the host meanwhile.
 */
extern AiCode ai_sort(AiSortItem *items, size_t n, uint64_t mask, const AiHost *host,
					  AiError *err);

#endif							/* AI_SORT_H */
