/*-------------------------------------------------------------------------
 * layer_norm.c
 *		The last axis with mean 0 and variance 1, then scaled and shifted.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include "core/layer/prepare.h"

typedef struct LayerNormConfig
{
	double		epsilon;
	bool		center;			/* has beta */
	bool		scale;			/* has gamma */
	int64_t		axis;
} LayerNormConfig;

static const AiOption options[] = {
	AI_OPTION_FLOAT_ROW(LayerNormConfig, epsilon, 0.001, 1e-12, 1),
	AI_OPTION_BOOL_ROW(LayerNormConfig, center, true),
	AI_OPTION_BOOL_ROW(LayerNormConfig, scale, true),
	AI_OPTION_LAST_AXIS_ROW(LayerNormConfig, axis),
	{.name = NULL}
};

static AiCode
prepare(AiLayer *layer, AiError *err)
{
	const LayerNormConfig *config = layer->config;
	int64_t		n = ai_shape_last(&layer->input[0]);

	AI_TRY(ai_prepare_dims(layer, 1, AI_SHAPE_MAX_DIMS, "features", err));
	AI_TRY(ai_prepare_last_axis(layer, config->axis, err));
	layer->output = layer->input[0];
	layer->passes_mask = true;
	if (config->scale)
		ai_prepare_weight(layer, "gamma", AI_INIT_ONES, 1, &n);
	if (config->center)
		ai_prepare_weight(layer, "beta", AI_INIT_ZEROS, 1, &n);
	return AI_OK;
}

const AiLayerType ai_layer_layer_norm = {
	.name = "layer_norm",
	.keras_name = "LayerNormalization",
	.config_size = sizeof(LayerNormConfig),
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
};
