/*-------------------------------------------------------------------------
 * recurrent.c
 *		What lstm, gru and simple_rnn share.
 *-------------------------------------------------------------------------
 */
#include "core/layer/recurrent.h"

const char *const ai_merge_mode_names[] = {"concat", "sum", "mul", "ave", NULL};

static const char *const names[2][3] = {
	{"kernel", "recurrent_kernel", "bias"},
	{"backward_kernel", "backward_recurrent_kernel", "backward_bias"}
};

static void
add_direction(AiLayer *layer, int direction, int n_gates, int n_biases,
			  AiInitialiser bias_initialiser)
{
	const AiRecurrentConfig *config = layer->config;
	const char *const *name = names[direction];
	int64_t		n = ai_shape_last(&layer->input[0]);
	int64_t		width = n_gates * config->units;
	AiWeight   *weight;

	weight = ai_prepare_weight(layer, name[0], config->kernel_initializer, 2,
							   (int64_t[]) {n, width});
	weight->l1 = config->l1;
	weight->l2 = config->l2;
	weight = ai_prepare_weight(layer, name[1], config->recurrent_initializer, 2,
							   (int64_t[]) {config->units, width});
	weight->l1 = config->recurrent_l1;
	weight->l2 = config->recurrent_l2;
	if (!config->use_bias)
		return;
	if (n_biases == 1)
		ai_prepare_weight(layer, name[2], bias_initialiser, 1, &width);
	else
		ai_prepare_weight(layer, name[2], bias_initialiser, 2, (int64_t[]) {n_biases, width});
}

AiCode
ai_recurrent_prepare(AiLayer *layer, int n_gates, int n_biases, AiInitialiser bias_initialiser,
					 AiError *err)
{
	const AiRecurrentConfig *config = layer->config;
	bool		is_double = config->bidirectional && config->merge_mode == AI_MERGE_CONCAT;
	AiShape    *output = &layer->output;

	AI_TRY(ai_prepare_dims(layer, 2, 2, "[steps, features]", err));
	if (config->return_sequences)
		output->dims[output->n_dims++] = layer->input[0].dims[0];
	output->dims[output->n_dims++] = config->units * (is_double ? 2 : 1);
	layer->passes_mask = config->return_sequences;
	add_direction(layer, 0, n_gates, n_biases, bias_initialiser);
	if (config->bidirectional)
		add_direction(layer, 1, n_gates, n_biases, bias_initialiser);
	return AI_OK;
}
