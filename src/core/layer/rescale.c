/*-------------------------------------------------------------------------
 * rescale.c
 *		y = x * scale + offset, such as pixels from 0 to 255 into 0 to 1.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include "core/layer/prepare.h"

typedef struct RescaleConfig
{
	double		scale;
	double		offset;
} RescaleConfig;

static const AiOption options[] = {
	{.name = "scale", .kind = AI_OPTION_FLOAT, .offset = offsetof(RescaleConfig, scale),
	 .is_needed = true, .min = -1e30, .max = 1e30},
	AI_OPTION_FLOAT_ROW(RescaleConfig, offset, 0, -1e30, 1e30),
	{.name = NULL}
};

static void
forward(const AiLayer *layer, const AiPass *pass)
{
	const RescaleConfig *config = layer->config;
	size_t		n = (size_t) pass->n_rows * ai_shape_size(&layer->output);

	ai_kernels()->scale(pass->output, pass->input[0], n, (float) config->scale,
						(float) config->offset);
}

static void
backward(const AiLayer *layer, const AiPass *pass)
{
	const RescaleConfig *config = layer->config;
	size_t		n = (size_t) pass->n_rows * ai_shape_size(&layer->output);

	ai_kernels()->scale(pass->d_input[0], pass->d_output, n, (float) config->scale, 0);
}

const AiLayerType ai_layer_rescale = {
	.name = "rescale",
	.keras_name = "Rescaling",
	.config_size = sizeof(RescaleConfig),
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = ai_prepare_same,
	.forward = forward,
	.backward = backward
};
