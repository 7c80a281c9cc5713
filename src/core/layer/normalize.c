/*-------------------------------------------------------------------------
 * normalize.c
 *		Each feature with mean 0 and variance 1 over the data that are learnt from.
 *
 * Mean and variance are states, which whoever knows the data sets before training.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include "core/layer/prepare.h"

typedef struct NormalizeConfig
{
	int64_t		axis;
} NormalizeConfig;

static const AiOption options[] = {
	AI_OPTION_LAST_AXIS_ROW(NormalizeConfig, axis),
	{.name = NULL}
};

static AiCode
prepare(AiLayer *layer, AiError *err)
{
	const NormalizeConfig *config = layer->config;
	int64_t		n = ai_shape_last(&layer->input[0]);

	AI_TRY(ai_prepare_dims(layer, 1, AI_SHAPE_MAX_DIMS, "features", err));
	AI_TRY(ai_prepare_last_axis(layer, config->axis, err));
	layer->output = layer->input[0];
	layer->passes_mask = true;
	ai_prepare_weight(layer, "mean", AI_INIT_ZEROS, 1, &n)->is_state = true;
	ai_prepare_weight(layer, "variance", AI_INIT_ONES, 1, &n)->is_state = true;
	return AI_OK;
}

const AiLayerType ai_layer_normalize = {
	.name = "normalize",
	.keras_name = "Normalization",
	.config_size = sizeof(NormalizeConfig),
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
};
