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

extern AiCode ai_pool_prepare(AiLayer *layer, AiError *err);

/*
 * Goes through the windows of all images, in the order of what comes out, each cut to the places
 * that exist
 */
typedef struct AiPoolCursor
{
	AiWindow	y;
	AiWindow	x;
	int			n_left;			/* images, with this one; 0: the end */
	size_t		image;			/* its first number */
	int64_t		row;			/* of the output */
	int64_t		column;
	AiImageWindow window;
	size_t		from;			/* the window's first number in the images */
	size_t		to;				/* the first of its numbers in the output */
} AiPoolCursor;

extern AiPoolCursor ai_pool_begin(const AiLayer *layer, const AiPass *pass);
extern void ai_pool_next(AiPoolCursor *cursor);

/*
 * Before gradients are added in a window: zeros in all images up to its end, from n_zeroed on;
 * where they end now.  So what is added to is in the first cache.
 */
extern size_t ai_pool_zero(float *d_input, size_t n_zeroed, const AiPoolCursor *cursor);

static inline bool
ai_pool_is_at_end(const AiPoolCursor *cursor)
{
	return cursor->n_left == 0;
}

#endif							/* AI_POOL_LAYER_H */
