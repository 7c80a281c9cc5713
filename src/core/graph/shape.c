/*-------------------------------------------------------------------------
 * shape.c
 *		The shape of one sample.
 *-------------------------------------------------------------------------
 */
#include "core/graph/shape.h"

#include <stdio.h>

size_t
ai_shape_size(const AiShape *shape)
{
	size_t		size = 1;

	for (int i = 0; i < shape->n_dims; i++)
		size *= (size_t) shape->dims[i];
	return size;
}

AiCode
ai_shape_check(const AiShape *shape, AiError *err)
{
	char		text[AI_SHAPE_TEXT_SIZE];
	size_t		size = 1;

	if (shape->n_dims < 0 || shape->n_dims > AI_SHAPE_MAX_DIMS)
		return ai_fail(err, AI_ERR_SHAPE, "a shape has at most %d dimensions, not %d",
					   AI_SHAPE_MAX_DIMS, shape->n_dims);
	for (int i = 0; i < shape->n_dims; i++)
	{
		if (shape->dims[i] < 1)
			return ai_fail(err, AI_ERR_SHAPE, "dimensions must be positive, not as in %s",
						   ai_shape_text(text, shape));
		if (!ai_mul_size(&size, size, (size_t) shape->dims[i]) || size > AI_SHAPE_MAX_SIZE)
			return ai_fail(err, AI_ERR_SHAPE, "shape %s is too large: one sample has at most %lld numbers",
						   ai_shape_text(text, shape), (long long) AI_SHAPE_MAX_SIZE);
	}
	return AI_OK;
}

const char *
ai_shape_text(char *text, const AiShape *shape)
{
	size_t		len = (size_t) snprintf(text, AI_SHAPE_TEXT_SIZE, "[");

	for (int i = 0; i < shape->n_dims && i < AI_SHAPE_MAX_DIMS; i++)
		len += (size_t) snprintf(text + len, AI_SHAPE_TEXT_SIZE - len, "%s%lld",
								 i > 0 ? ", " : "", (long long) shape->dims[i]);
	snprintf(text + len, AI_SHAPE_TEXT_SIZE - len, "]");
	return text;
}
