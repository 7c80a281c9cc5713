/*-------------------------------------------------------------------------
 * pool.c
 *		What pooling along one and two axes shares.
 *-------------------------------------------------------------------------
 */
#include "core/layer/pool.h"

const AiOption ai_pool_options[] = {
	AI_OPTION_SIZES_ROW(AiPoolConfig, pool_size, 1, AI_MAX_WINDOW),
	AI_OPTION_SIZES_ROW(AiPoolConfig, strides, 1, AI_MAX_WINDOW),
	AI_OPTION_CHOICE_ROW(AiPoolConfig, padding, AI_PADDING_VALID, ai_padding_names),
	{.name = NULL}
};

AiCode
ai_pool_windows(AiWindow *windows, int *n_axes, const AiLayer *layer, AiError *err)
{
	const AiPoolConfig *config = layer->config;

	*n_axes = layer->input[0].n_dims - 1;
	return ai_prepare_windows(windows, layer, *n_axes, &config->pool_size, "pool_size", 2,
							  &config->strides, 0, config->padding, err);
}

AiCode
ai_pool_prepare(AiLayer *layer, AiError *err)
{
	AiWindow	windows[2];
	int			n_axes;

	AI_TRY(ai_prepare_dims(layer, 2, 3, "[steps, channels] or [height, width, channels]", err));
	AI_TRY(ai_pool_windows(windows, &n_axes, layer, err));
	layer->output = layer->input[0];
	for (int i = 0; i < n_axes; i++)
		layer->output.dims[i] = windows[i].output;
	return AI_OK;
}
