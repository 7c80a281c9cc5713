/*-------------------------------------------------------------------------
 * simple_rnn.c
 *		h = act(x W + h U + b), step by step.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include <string.h>

#include "core/layer/recurrent.h"

static const AiOption options[] = {
	AI_RECURRENT_ROWS,
	AI_OPTION_CHOICE_ROW(AiRecurrentConfig, activation, AI_ACT_TANH, ai_activation_names),
	{.name = NULL}
};

/* Sums stay in gates, and what they are after the activation is kept. */
static void
step_forward(const AiRecurrentStep *step)
{
	size_t		n = step->n_rows * step->n;

	if (step->activation == AI_ACT_SOFTMAX)
		ai_kernels()->softmax(step->kept_new, step->gates, step->n_rows, step->n);
	else
		ai_kernels()->activate(step->kept_new, step->gates, n, step->activation);
	memcpy(step->h_new, step->kept_new, n * sizeof(float));
}

static void
step_backward(const AiRecurrentStep *step)
{
	size_t		n = step->n_rows * step->n;

	if (step->activation == AI_ACT_SOFTMAX)
		ai_kernels()->softmax_back(step->gates, step->d_h, step->kept_new, step->n_rows, step->n);
	else
		ai_kernels()->activate_back(step->gates, step->d_h, step->gates, step->kept_new, n,
									step->activation);
	memset(step->d_h, 0, n * sizeof(float));
}

static const AiRecurrent kind = {
	.n_gates = 1,
	.has_kept = true,
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

const AiLayerType ai_layer_simple_rnn = {
	.name = "simple_rnn",
	.keras_name = "SimpleRNN",
	.config_size = sizeof(AiRecurrentConfig),
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
	.derive = ai_recurrent_derive,
	.forward = forward,
	.backward = backward
};
