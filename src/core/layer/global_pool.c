/*-------------------------------------------------------------------------
 * global_pool.c
 *		The mean or the largest value of each channel, over all steps or places.
 *
 * Steps that are masked do not count in a mean; the largest value is of all, as in Keras.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include "core/layer/prepare.h"

enum
{
	MODE_AVERAGE,
	MODE_MAX
};

typedef struct GlobalPoolConfig
{
	int			mode;
} GlobalPoolConfig;

static const char *const modes[] = {"average|avg", "max", NULL};

static const AiOption options[] = {
	AI_OPTION_CHOICE_ROW(GlobalPoolConfig, mode, MODE_AVERAGE, modes),
	{.name = NULL}
};

static AiCode
prepare(AiLayer *layer, AiError *err)
{
	AI_TRY(ai_prepare_dims(layer, 2, 3, "[steps, channels] or [height, width, channels]", err));
	layer->output = (AiShape) {.n_dims = 1, .dims = {ai_shape_last(&layer->input[0])}};
	return AI_OK;
}

const AiLayerType ai_layer_global_pool = {
	.name = "global_pool",
	.keras_name = "GlobalPooling",
	.config_size = sizeof(GlobalPoolConfig),
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
};
