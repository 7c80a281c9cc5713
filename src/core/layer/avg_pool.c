/*-------------------------------------------------------------------------
 * avg_pool.c
 *		The mean of each window; places beyond the border do not count.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include "core/layer/pool.h"

const AiLayerType ai_layer_avg_pool = {
	.name = "avg_pool",
	.keras_name = "AveragePooling",
	.config_size = sizeof(AiPoolConfig),
	.options = ai_pool_options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = ai_pool_prepare,
};
