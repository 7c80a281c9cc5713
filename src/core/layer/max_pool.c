/*-------------------------------------------------------------------------
 * max_pool.c
 *		The largest value of each window.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include "core/layer/pool.h"

const AiLayerType ai_layer_max_pool = {
	.name = "max_pool",
	.keras_name = "MaxPooling",
	.config_size = sizeof(AiPoolConfig),
	.options = ai_pool_options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = ai_pool_prepare,
};
