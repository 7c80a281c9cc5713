/*-------------------------------------------------------------------------
 * pool.h
 *		What pooling along one and two axes shares.
 *-------------------------------------------------------------------------
 */
#ifndef AI_POOL_LAYER_H
#define AI_POOL_LAYER_H

#include "core/layer/prepare.h"

typedef struct AiPoolConfig
{
	AiSizes		pool_size;		/* 2, if it is not given */
	AiSizes		strides;		/* the same as pool_size, if they are not given */
	int			padding;		/* AiPadding */
} AiPoolConfig;

extern const AiOption ai_pool_options[];

/* windows:[2]; how many axes there are follows from the input: *n_axes */
extern AiCode ai_pool_windows(AiWindow *windows, int *n_axes, const AiLayer *layer, AiError *err);

extern AiCode ai_pool_prepare(AiLayer *layer, AiError *err);

#endif							/* AI_POOL_LAYER_H */
