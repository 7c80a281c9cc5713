/*-------------------------------------------------------------------------
 * network_head.c
 *		What follows from a network's target.
 *-------------------------------------------------------------------------
 */
#include "core/train/network_head.h"

#include "core/graph/options.h"
#include "core/layer/layers.h"

static AiLossKind
choose_loss(const AiTrainingOptions *options, AiNetworkTask task, int64_t n_outputs)
{
	/* Keras smooths no labels that are numbers; as a distribution they are the same. */
	if (options->loss == AI_LOSS_SPARSE && options->label_smoothing > 0)
		return AI_LOSS_CATEGORICAL;
	if (options->loss != AI_LOSS_AUTO)
		return (AiLossKind) options->loss;
	if (task == AI_NETWORK_VALUES)
		return AI_LOSS_MSE;
	if (task == AI_NETWORK_LABELS || n_outputs == 1)
		return AI_LOSS_BINARY;
	return options->label_smoothing > 0 ? AI_LOSS_CATEGORICAL : AI_LOSS_SPARSE;
}

static AiCode
check_loss(AiLossKind kind, AiNetworkTask task, int64_t n_outputs, AiError *err)
{
	bool		is_softmax = kind == AI_LOSS_SPARSE || kind == AI_LOSS_CATEGORICAL;

	if (kind == AI_LOSS_SPARSE && (task == AI_NETWORK_VALUES || task == AI_NETWORK_LABELS))
	{
		ai_fail(err, AI_ERR_PARAM, "loss \"%s\" is for targets of one label", ai_loss_name(kind));
		ai_hint(err, "Leave \"loss\" out, or use one that fits the target.");
		return AI_ERR_PARAM;
	}
	if (is_softmax && n_outputs == 1)
	{
		ai_fail(err, AI_ERR_PARAM, "loss \"%s\" needs an output for each label",
				ai_loss_name(kind));
		ai_hint(err, "The network has one output: use \"binary_crossentropy\", or more units in the "
				"last layer.");
		return AI_ERR_PARAM;
	}
	return AI_OK;
}

/* Where the last layer keeps its activation; NULL: it has none */
static int *
last_activation(AiDefinition *definition)
{
	AiLayerDefinition *last = &definition->layers[definition->n_layers - 1];

	if (last->type == &ai_layer_activation)
		return &((AiActivationConfig *) last->config)->activation;
	if (last->type == &ai_layer_dense)
		return &((AiDenseConfig *) last->config)->activation;
	return NULL;
}

/* From now on the last layer puts out sums. */
static AiCode
take_off(AiDefinition *definition, AiActivation head, AiLossKind kind, AiError *err)
{
	const AiLayerDefinition *last = &definition->layers[definition->n_layers - 1];
	int		   *activation = last_activation(definition);

	if (activation == NULL || *activation == AI_ACT_LINEAR)
		return AI_OK;
	if (*activation == (int) head)
	{
		*activation = AI_ACT_LINEAR;
		return AI_OK;
	}
	ai_fail(err, AI_ERR_PARAM, "the activation of the last layer, \"%s\", does not fit the loss "
			"\"%s\"", last->name, ai_loss_name(kind));
	ai_hint(err, "Use \"%s\", or leave it out.", head == AI_ACT_SOFTMAX ? "softmax" : "sigmoid");
	return AI_ERR_PARAM;
}

AiCode
ai_network_head_choose(AiNetworkHead *head, AiDefinition *definition,
					   const AiTrainingOptions *options, AiNetworkTask task, int64_t n_outputs,
					   AiError *err)
{
	AiLossKind	kind = choose_loss(options, task, n_outputs);

	AI_TRY(check_loss(kind, task, n_outputs, err));
	*head = (AiNetworkHead) {
		.loss = {
			.kind = kind, .delta = options->delta, .label_smoothing = options->label_smoothing
		},
		.activation = AI_ACT_LINEAR
	};
	if (kind == AI_LOSS_SPARSE || kind == AI_LOSS_CATEGORICAL)
		head->activation = AI_ACT_SOFTMAX;
	else if (kind == AI_LOSS_BINARY)
		head->activation = AI_ACT_SIGMOID;
	if (head->activation != AI_ACT_LINEAR)
	{
		AI_TRY(take_off(definition, head->activation, kind, err));
		head->loss.from_logits = true;
	}
	head->place_size = ai_loss_target_size(&head->loss, (size_t) n_outputs);
	head->score = task == AI_NETWORK_VALUES ? AI_SCORE_MAE :
		task == AI_NETWORK_LABELS || n_outputs == 1 ? AI_SCORE_BINARY_ACCURACY : AI_SCORE_ACCURACY;
	return AI_OK;
}
