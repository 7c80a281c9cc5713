/*-------------------------------------------------------------------------
 * batch_norm.c
 *		Each channel with mean 0 and variance 1 over the batch, then scaled and shifted.
 *
 * When a model is applied, mean and variance are moving averages of those in training.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include "core/layer/prepare.h"

typedef struct BatchNormConfig
{
	double		momentum;		/* of the moving averages */
	double		epsilon;
	bool		center;			/* has beta */
	bool		scale;			/* has gamma */
	int64_t		axis;
} BatchNormConfig;

static const AiOption options[] = {
	AI_OPTION_FLOAT_ROW(BatchNormConfig, momentum, 0.99, 0, 1),
	AI_OPTION_FLOAT_ROW(BatchNormConfig, epsilon, 0.001, 1e-12, 1),
	AI_OPTION_BOOL_ROW(BatchNormConfig, center, true),
	AI_OPTION_BOOL_ROW(BatchNormConfig, scale, true),
	AI_OPTION_LAST_AXIS_ROW(BatchNormConfig, axis),
	{.name = NULL}
};

static AiCode
prepare(AiLayer *layer, AiError *err)
{
	const BatchNormConfig *config = layer->config;
	int64_t		n = ai_shape_last(&layer->input[0]);

	AI_TRY(ai_prepare_dims(layer, 1, AI_SHAPE_MAX_DIMS, "features", err));
	AI_TRY(ai_prepare_last_axis(layer, config->axis, err));
	layer->output = layer->input[0];
	layer->passes_mask = true;
	if (config->scale)
		ai_prepare_weight(layer, "gamma", AI_INIT_ONES, 1, &n);
	if (config->center)
		ai_prepare_weight(layer, "beta", AI_INIT_ZEROS, 1, &n);
	ai_prepare_weight(layer, "moving_mean", AI_INIT_ZEROS, 1, &n)->is_state = true;
	ai_prepare_weight(layer, "moving_variance", AI_INIT_ONES, 1, &n)->is_state = true;
	return AI_OK;
}

const AiLayerType ai_layer_batch_norm = {
	.name = "batch_norm",
	.keras_name = "BatchNormalization",
	.config_size = sizeof(BatchNormConfig),
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
};
