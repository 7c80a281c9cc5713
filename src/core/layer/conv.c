/*-------------------------------------------------------------------------
 * conv.c
 *		What convolutions along one and two axes share.
 *-------------------------------------------------------------------------
 */
#include "core/layer/conv.h"

const AiOption ai_conv_options[] = {
	AI_OPTION_UNITS_ROW(AiConvConfig, filters),
	{.name = "kernel_size", .kind = AI_OPTION_SIZES, .is_needed = true,
	 .offset = offsetof(AiConvConfig, kernel_size), .min = 1, .max = AI_MAX_WINDOW},
	AI_OPTION_SIZES_ROW(AiConvConfig, strides, 1, AI_MAX_WINDOW),
	AI_OPTION_CHOICE_ROW(AiConvConfig, padding, AI_PADDING_VALID, ai_padding_names),
	AI_OPTION_CHOICE_ROW(AiConvConfig, activation, AI_ACT_LINEAR, ai_activation_names),
	AI_OPTION_BOOL_ROW(AiConvConfig, use_bias, true),
	AI_OPTION_CHOICE_ROW(AiConvConfig, kernel_initializer, AI_INIT_GLOROT_UNIFORM,
						 ai_initialiser_names),
	AI_OPTION_PENALTY_ROW(AiConvConfig, l1, "kernel_regularizer"),
	AI_OPTION_PENALTY_ROW(AiConvConfig, l2, "kernel_regularizer"),
	{.name = NULL}
};

AiCode
ai_conv_windows(AiWindow *windows, const AiLayer *layer, int n_axes, AiError *err)
{
	const AiConvConfig *config = layer->config;

	return ai_prepare_windows(windows, layer, n_axes, &config->kernel_size, "kernel_size", 1,
							  &config->strides, 1, config->padding, err);
}

AiCode
ai_conv_prepare(AiLayer *layer, int n_axes, AiError *err)
{
	const AiConvConfig *config = layer->config;
	AiWindow	windows[2];
	int64_t		dims[4];
	AiWeight   *kernel;

	AI_TRY(ai_prepare_dims(layer, n_axes + 1, n_axes + 1,
						   n_axes == 1 ? "[steps, channels]" : "[height, width, channels]", err));
	AI_TRY(ai_conv_windows(windows, layer, n_axes, err));
	layer->output.n_dims = n_axes + 1;
	for (int i = 0; i < n_axes; i++)
	{
		dims[i] = windows[i].size;
		layer->output.dims[i] = windows[i].output;
	}
	dims[n_axes] = ai_shape_last(&layer->input[0]);
	dims[n_axes + 1] = config->filters;
	layer->output.dims[n_axes] = config->filters;
	kernel = ai_prepare_weight(layer, "kernel", config->kernel_initializer, n_axes + 2, dims);
	kernel->l1 = config->l1;
	kernel->l2 = config->l2;
	if (config->use_bias)
		ai_prepare_weight(layer, "bias", AI_INIT_ZEROS, 1, &config->filters);
	return AI_OK;
}
