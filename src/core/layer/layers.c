/*-------------------------------------------------------------------------
 * layers.c
 *		The table of all kinds of layers, in the order in which errors list them.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

const AiLayerType *const ai_layer_types[] = {
	&ai_layer_dense,
	&ai_layer_conv1d,
	&ai_layer_conv2d,
	&ai_layer_max_pool,
	&ai_layer_avg_pool,
	&ai_layer_global_pool,
	&ai_layer_flatten,
	&ai_layer_reshape,
	&ai_layer_embedding,
	&ai_layer_positional_embedding,
	&ai_layer_lstm,
	&ai_layer_gru,
	&ai_layer_simple_rnn,
	&ai_layer_attention,
	&ai_layer_batch_norm,
	&ai_layer_layer_norm,
	&ai_layer_normalize,
	&ai_layer_rescale,
	&ai_layer_dropout,
	&ai_layer_activation,
	&ai_layer_add,
	&ai_layer_concatenate,
	NULL
};
