/*-------------------------------------------------------------------------
 * shape.h
 *		The shape of one sample, without the axis of the batch.
 *
 * Arrays are row-major with the channels last: an image is [height, width, channels],
 * a sequence [steps, features], what a dense layer takes [features].
 *-------------------------------------------------------------------------
 */
#ifndef AI_SHAPE_H
#define AI_SHAPE_H

#include "core/base/status.h"

#define AI_SHAPE_MAX_DIMS 4
#define AI_SHAPE_MAX_SIZE ((int64_t) 1 << 28)	/* numbers of one sample */

typedef struct AiShape
{
	int			n_dims;			/* 0: one number */
	int64_t		dims[AI_SHAPE_MAX_DIMS];	/* each 1 or more */
} AiShape;

#define AI_SHAPE_TEXT_SIZE 96

/* How many numbers; the shape has been checked. */
extern size_t ai_shape_size(const AiShape *shape);

/* AI_ERR_SHAPE unless every dimension is positive and all together are no more than the limit */
extern AiCode ai_shape_check(const AiShape *shape, AiError *err);

/* "[28, 28, 1]", into text:[AI_SHAPE_TEXT_SIZE], which is returned */
extern const char *ai_shape_text(char *text, const AiShape *shape);

static inline int64_t
ai_shape_last(const AiShape *shape)
{
	return shape->n_dims > 0 ? shape->dims[shape->n_dims - 1] : 1;
}

#endif							/* AI_SHAPE_H */
