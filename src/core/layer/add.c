/*-------------------------------------------------------------------------
 * add.c
 *		The sum of several outputs of one shape.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include <string.h>

static const AiOption options[] = {
	{.name = NULL}
};

static AiCode
prepare(AiLayer *layer, AiError *err)
{
	const AiShape *first = &layer->input[0];
	char		text[AI_SHAPE_TEXT_SIZE];
	char		other[AI_SHAPE_TEXT_SIZE];

	for (int i = 1; i < layer->n_inputs; i++)
	{
		const AiShape *shape = &layer->input[i];

		if (shape->n_dims != first->n_dims ||
			memcmp(shape->dims, first->dims, (size_t) first->n_dims * sizeof(int64_t)) != 0)
			return ai_fail(err, AI_ERR_SHAPE, "it cannot add %s and %s", ai_shape_text(text, first),
						   ai_shape_text(other, shape));
	}
	layer->output = *first;
	layer->passes_mask = true;
	return AI_OK;
}

const AiLayerType ai_layer_add = {
	.name = "add",
	.keras_name = "Add",
	.options = options,
	.min_inputs = 2,
	.max_inputs = AI_LAYER_MAX_INPUTS,
	.prepare = prepare,
};
