/*-------------------------------------------------------------------------
 * flatten.c
 *		All numbers of a sample as one row.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

static const AiOption options[] = {
	{.name = NULL}
};

static AiCode
prepare(AiLayer *layer, AiError *err)
{
	(void) err;
	layer->output = (AiShape) {
		.n_dims = 1, .dims = {(int64_t) ai_shape_size(&layer->input[0])}
	};
	layer->is_view = true;
	return AI_OK;
}

const AiLayerType ai_layer_flatten = {
	.name = "flatten",
	.keras_name = "Flatten",
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
};
