/*-------------------------------------------------------------------------
 * split.h
 *		Which rows of a training are held out.
 *
 * That depends on the input's bytes alone, so a row that validates has never been learnt from by
 * any version of a model, and a larger share holds out all that a smaller one does.
 *-------------------------------------------------------------------------
 */
#ifndef AI_SPLIT_H
#define AI_SPLIT_H

#include <stdbool.h>

#include "core/base/hash.h"

/* Fixed for ever */
#define AI_SPLIT_SALT UINT64_C(0x61696161732D7631)

static inline bool
ai_is_held_out(const void *bytes, size_t len, double share)
{
	return share > 0 &&
		(double) (ai_hash64(bytes, len, AI_SPLIT_SALT) >> 11) * 0x1p-53 < share;
}

#endif							/* AI_SPLIT_H */
