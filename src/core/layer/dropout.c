/*-------------------------------------------------------------------------
 * dropout.c
 *		In training, each number is 0 with probability rate, else divided by 1 - rate.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include "core/layer/prepare.h"

typedef struct DropoutConfig
{
	double		rate;
} DropoutConfig;

static const AiOption options[] = {
	{.name = "rate", .kind = AI_OPTION_FLOAT, .offset = offsetof(DropoutConfig, rate),
	 .is_needed = true, .max = 0.999},
	{.name = NULL}
};

static AiCode
prepare(AiLayer *layer, AiError *err)
{
	(void) err;
	layer->output = layer->input[0];
	layer->passes_mask = true;
	return AI_OK;
}

const AiLayerType ai_layer_dropout = {
	.name = "dropout",
	.keras_name = "Dropout",
	.config_size = sizeof(DropoutConfig),
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
};
