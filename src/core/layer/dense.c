/*-------------------------------------------------------------------------
 * dense.c
 *		y = act(x W + b), on the last axis.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include "core/layer/prepare.h"

static const AiOption options[] = {
	AI_OPTION_UNITS_ROW(AiDenseConfig, units),
	AI_OPTION_CHOICE_ROW(AiDenseConfig, activation, AI_ACT_LINEAR, ai_activation_names),
	AI_OPTION_BOOL_ROW(AiDenseConfig, use_bias, true),
	AI_OPTION_CHOICE_ROW(AiDenseConfig, kernel_initializer, AI_INIT_GLOROT_UNIFORM,
						 ai_initialiser_names),
	AI_OPTION_PENALTY_ROW(AiDenseConfig, l1, "kernel_regularizer"),
	AI_OPTION_PENALTY_ROW(AiDenseConfig, l2, "kernel_regularizer"),
	{.name = NULL}
};

static AiCode
prepare(AiLayer *layer, AiError *err)
{
	const AiDenseConfig *config = layer->config;
	int64_t		n = ai_shape_last(&layer->input[0]);
	AiWeight   *kernel;

	AI_TRY(ai_prepare_dims(layer, 1, AI_SHAPE_MAX_DIMS, "features", err));
	layer->output = layer->input[0];
	layer->output.dims[layer->output.n_dims - 1] = config->units;
	layer->passes_mask = true;
	kernel = ai_prepare_weight(layer, "kernel", config->kernel_initializer, 2,
							   (int64_t[]) {n, config->units});
	kernel->l1 = config->l1;
	kernel->l2 = config->l2;
	if (config->use_bias)
		ai_prepare_weight(layer, "bias", AI_INIT_ZEROS, 1, &config->units);
	return AI_OK;
}

const AiLayerType ai_layer_dense = {
	.name = "dense",
	.keras_name = "Dense",
	.config_size = sizeof(AiDenseConfig),
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
};
