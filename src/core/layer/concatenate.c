/*-------------------------------------------------------------------------
 * concatenate.c
 *		Several outputs side by side, along the last axis.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include <string.h>

#include "core/layer/prepare.h"

typedef struct ConcatenateConfig
{
	int64_t		axis;
} ConcatenateConfig;

static const AiOption options[] = {
	AI_OPTION_LAST_AXIS_ROW(ConcatenateConfig, axis),
	{.name = NULL}
};

static AiCode
prepare(AiLayer *layer, AiError *err)
{
	const ConcatenateConfig *config = layer->config;
	const AiShape *first = &layer->input[0];
	int			last = first->n_dims - 1;
	char		text[AI_SHAPE_TEXT_SIZE];
	char		other[AI_SHAPE_TEXT_SIZE];

	AI_TRY(ai_prepare_dims(layer, 1, AI_SHAPE_MAX_DIMS, "features", err));
	AI_TRY(ai_prepare_last_axis(layer, config->axis, err));
	layer->output = *first;
	for (int i = 1; i < layer->n_inputs; i++)
	{
		const AiShape *shape = &layer->input[i];

		if (shape->n_dims != first->n_dims ||
			memcmp(shape->dims, first->dims, (size_t) last * sizeof(int64_t)) != 0)
			return ai_fail(err, AI_ERR_SHAPE, "it cannot put %s and %s side by side",
						   ai_shape_text(text, first), ai_shape_text(other, shape));
		layer->output.dims[last] += shape->dims[last];
	}
	layer->passes_mask = true;
	return AI_OK;
}

const AiLayerType ai_layer_concatenate = {
	.name = "concatenate",
	.keras_name = "Concatenate",
	.config_size = sizeof(ConcatenateConfig),
	.options = options,
	.min_inputs = 2,
	.max_inputs = AI_LAYER_MAX_INPUTS,
	.prepare = prepare,
};
