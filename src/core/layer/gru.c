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

static AiCode
prepare(AiLayer *layer, AiError *err)
{
	return ai_recurrent_prepare(layer, 3, 2, AI_INIT_ZEROS, err);
}

const AiLayerType ai_layer_gru = {
	.name = "gru",
	.keras_name = "GRU",
	.config_size = sizeof(AiRecurrentConfig),
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
};
