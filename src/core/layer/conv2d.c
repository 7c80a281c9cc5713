/*-------------------------------------------------------------------------
 * conv2d.c
 *		Convolution over the places of an image.
 *
 * kernel:[height, width, channels, filters]
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include "core/layer/conv.h"

static AiCode
prepare(AiLayer *layer, AiError *err)
{
	return ai_conv_prepare(layer, 2, err);
}

const AiLayerType ai_layer_conv2d = {
	.name = "conv2d",
	.keras_name = "Conv2D",
	.config_size = sizeof(AiConvConfig),
	.options = ai_conv_options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
};
