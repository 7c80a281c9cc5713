/*-------------------------------------------------------------------------
 * gru.c
 *		Gated recurrent units, gates in the order update, reset, new; reset after the product.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include "core/layer/recurrent.h"

static const AiOption options[] = {
	AI_RECURRENT_ROWS,
	{.name = NULL}
};

static void
step_forward(const AiRecurrentStep *step)
{
	ai_kernels()->gru_cell(step->gates, step->h_new, step->inner, step->h, step->n_rows, step->n);
}

static void
step_backward(const AiRecurrentStep *step)
{
	ai_kernels()->gru_cell_back(step->gates, step->inner, step->d_h, step->gates, step->inner,
								step->h, step->n_rows, step->n);
}

static const AiRecurrent kind = {
	.n_gates = 3,
	.has_inner = true,
	.forward = step_forward,
	.backward = step_backward
};

static AiCode
prepare(AiLayer *layer, AiError *err)
{
	return ai_recurrent_prepare(layer, &kind, AI_INIT_ZEROS, err);
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

const AiLayerType ai_layer_gru = {
	.name = "gru",
	.keras_name = "GRU",
	.config_size = sizeof(AiRecurrentConfig),
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
	.derive = ai_recurrent_derive,
	.forward = forward,
	.backward = backward
};
