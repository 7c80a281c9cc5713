/*-------------------------------------------------------------------------
 * lstm.c
 *		Long short-term memory, gates in the order input, forget, cell, output.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include <string.h>

#include "core/layer/recurrent.h"

static const AiOption options[] = {
	AI_RECURRENT_ROWS,
	AI_OPTION_BOOL_ROW(AiRecurrentConfig, unit_forget_bias, true),
	{.name = NULL}
};

static void
step_forward(const AiRecurrentStep *step)
{
	ai_kernels()->lstm_cell(step->gates, step->kept_new, step->h_new, step->kept, step->n_rows,
							step->n);
}

static void
step_backward(const AiRecurrentStep *step)
{
	ai_kernels()->lstm_cell_back(step->gates, step->d_kept, step->d_h, step->gates, step->kept,
								 step->kept_new, step->n_rows, step->n);
	memset(step->d_h, 0, step->n_rows * step->n * sizeof(float));
}

static const AiRecurrent kind = {
	.n_gates = 4,
	.has_kept = true,
	.forward = step_forward,
	.backward = step_backward
};

static AiCode
prepare(AiLayer *layer, AiError *err)
{
	const AiRecurrentConfig *config = layer->config;

	return ai_recurrent_prepare(layer, &kind,
								config->unit_forget_bias ? AI_INIT_LSTM_BIAS : AI_INIT_ZEROS, err);
}

static void
forward(const AiLayer *layer, const AiPass *pass)
{
	ai_recurrent_forward(layer, pass, &kind);
}

static void
backward(const AiLayer *layer, const AiPass *pass)
{
	ai_recurrent_backward(layer, pass, &kind);
}

const AiLayerType ai_layer_lstm = {
	.name = "lstm",
	.keras_name = "LSTM",
	.config_size = sizeof(AiRecurrentConfig),
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
	.derive = ai_recurrent_derive,
	.forward = forward,
	.backward = backward
};
