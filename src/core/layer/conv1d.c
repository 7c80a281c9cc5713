/*-------------------------------------------------------------------------
 * conv1d.c
 *		Convolution over the steps of a sequence.
 *
 * kernel:[size, channels, filters]
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include "core/layer/conv.h"

static AiCode
prepare(AiLayer *layer, AiError *err)
{
	return ai_conv_prepare(layer, 1, err);
}

const AiLayerType ai_layer_conv1d = {
	.name = "conv1d",
	.keras_name = "Conv1D",
	.config_size = sizeof(AiConvConfig),
	.options = ai_conv_options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
};
