/*-------------------------------------------------------------------------
 * lstm.c
 *		Long short-term memory, gates in the order input, forget, cell, output.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include "core/layer/recurrent.h"

static const AiOption options[] = {
	AI_RECURRENT_ROWS,
	AI_OPTION_BOOL_ROW(AiRecurrentConfig, unit_forget_bias, true),
	{.name = NULL}
};

static AiCode
prepare(AiLayer *layer, AiError *err)
{
	const AiRecurrentConfig *config = layer->config;

	return ai_recurrent_prepare(layer, 4, 1,
								config->unit_forget_bias ? AI_INIT_LSTM_BIAS : AI_INIT_ZEROS, err);
}

const AiLayerType ai_layer_lstm = {
	.name = "lstm",
	.keras_name = "LSTM",
	.config_size = sizeof(AiRecurrentConfig),
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
};
