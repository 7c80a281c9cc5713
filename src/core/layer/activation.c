/*-------------------------------------------------------------------------
 * activation.c
 *		An activation as a layer of its own.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include "core/layer/prepare.h"
#include "core/layer/sums.h"

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
	layer->needs_output = true;
	layer->needs_input = ai_sums_are_needed(config->activation);
	return AI_OK;
}

static void
forward(const AiLayer *layer, const AiPass *pass)
{
	const AiActivationConfig *config = layer->config;
	size_t		n = ai_shape_size(&layer->output) * (size_t) pass->n_rows;
	size_t		last = (size_t) ai_shape_last(&layer->output);

	if (config->activation == AI_ACT_SOFTMAX)
		ai_kernels()->softmax(pass->output, pass->input[0], n / last, last);
	else
		ai_kernels()->activate(pass->output, pass->input[0], n, config->activation);
}

static void
backward(const AiLayer *layer, const AiPass *pass)
{
	const AiActivationConfig *config = layer->config;
	size_t		n = ai_shape_size(&layer->output) * (size_t) pass->n_rows;
	size_t		last = (size_t) ai_shape_last(&layer->output);

	if (config->activation == AI_ACT_SOFTMAX)
		ai_kernels()->softmax_back(pass->d_input[0], pass->d_output, pass->output, n / last, last);
	else
		ai_kernels()->activate_back(pass->d_input[0], pass->d_output, pass->input[0], pass->output,
									n, config->activation);
}

const AiLayerType ai_layer_activation = {
	.name = "activation",
	.keras_name = "Activation",
	.config_size = sizeof(AiActivationConfig),
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
	.forward = forward,
	.backward = backward
};
