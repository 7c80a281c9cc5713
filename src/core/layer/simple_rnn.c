/*-------------------------------------------------------------------------
 * simple_rnn.c
 *		h = act(x W + h U + b), step by step.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include "core/layer/recurrent.h"

static const AiOption options[] = {
	AI_RECURRENT_ROWS,
	AI_OPTION_CHOICE_ROW(AiRecurrentConfig, activation, AI_ACT_TANH, ai_activation_names),
	{.name = NULL}
};

static AiCode
prepare(AiLayer *layer, AiError *err)
{
	return ai_recurrent_prepare(layer, 1, 1, AI_INIT_ZEROS, err);
}

const AiLayerType ai_layer_simple_rnn = {
	.name = "simple_rnn",
	.keras_name = "SimpleRNN",
	.config_size = sizeof(AiRecurrentConfig),
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
};
