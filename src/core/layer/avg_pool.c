/*-------------------------------------------------------------------------
 * avg_pool.c
 *		The mean of each window; places beyond the border do not count.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include <string.h>

#include "core/layer/pool.h"

static float
factor_of(const AiPoolCursor *cursor)
{
	return 1 / (float) (cursor->window.n_rows * cursor->window.n_columns);
}

static void
forward(const AiLayer *layer, const AiPass *pass)
{
	const AiKernels *kernels = ai_kernels();

	for (AiPoolCursor it = ai_pool_begin(layer, pass); !ai_pool_is_at_end(&it); ai_pool_next(&it))
		kernels->window_sum(pass->output + it.to, pass->input[0] + it.from, &it.window,
							factor_of(&it));
}

static void
backward(const AiLayer *layer, const AiPass *pass)
{
	const AiKernels *kernels = ai_kernels();
	float	   *d_input = pass->d_input[0];
	size_t		n_all = (size_t) pass->n_rows * ai_shape_size(&layer->input[0]);
	size_t		n_zeroed = 0;

	for (AiPoolCursor it = ai_pool_begin(layer, pass); !ai_pool_is_at_end(&it); ai_pool_next(&it))
	{
		n_zeroed = ai_pool_zero(d_input, n_zeroed, &it);
		kernels->window_sum_back(d_input + it.from, pass->d_output + it.to, &it.window,
								 factor_of(&it));
	}
	memset(d_input + n_zeroed, 0, (n_all - n_zeroed) * sizeof(float));
}

const AiLayerType ai_layer_avg_pool = {
	.name = "avg_pool",
	.keras_name = "AveragePooling",
	.config_size = sizeof(AiPoolConfig),
	.options = ai_pool_options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = ai_pool_prepare,
	.forward = forward,
	.backward = backward
};
