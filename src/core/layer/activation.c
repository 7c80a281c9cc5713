/*-------------------------------------------------------------------------
 * activation.c
 *		An activation as a layer of its own.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include "core/layer/prepare.h"

static const AiOption options[] = {
	{.name = "activation", .kind = AI_OPTION_CHOICE, .is_needed = true,
	 .offset = offsetof(AiActivationConfig, activation), .choices = ai_activation_names},
	{.name = NULL}
};

static AiCode
prepare(AiLayer *layer, AiError *err)
{
	const AiActivationConfig *config = layer->config;

	if (config->activation == AI_ACT_SOFTMAX)
		AI_TRY(ai_prepare_dims(layer, 1, AI_SHAPE_MAX_DIMS, "features", err));
	layer->output = layer->input[0];
	layer->passes_mask = true;
	return AI_OK;
}

const AiLayerType ai_layer_activation = {
	.name = "activation",
	.keras_name = "Activation",
	.config_size = sizeof(AiActivationConfig),
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
};
