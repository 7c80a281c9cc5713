/*-------------------------------------------------------------------------
 * max_pool.c
 *		The largest value of each window; where it is several times, the first one.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include <string.h>

#include "core/layer/pool.h"

/* Where each maximum is in its window is saved, as int32_t. */
static AiCode
prepare(AiLayer *layer, AiError *err)
{
	AI_TRY(ai_pool_prepare(layer, err));
	layer->saved_size = ai_shape_size(&layer->output);
	return AI_OK;
}

static void
forward(const AiLayer *layer, const AiPass *pass)
{
	const AiKernels *kernels = ai_kernels();
	int32_t    *place = (int32_t *) pass->saved;

	for (AiPoolCursor it = ai_pool_begin(layer, pass); !ai_pool_is_at_end(&it); ai_pool_next(&it))
		kernels->window_max(pass->output + it.to, place + it.to, pass->input[0] + it.from,
							&it.window);
}

static void
backward(const AiLayer *layer, const AiPass *pass)
{
	const AiKernels *kernels = ai_kernels();
	const int32_t *place = (const int32_t *) pass->saved;
	float	   *d_input = pass->d_input[0];
	size_t		n_all = (size_t) pass->n_rows * ai_shape_size(&layer->input[0]);
	size_t		n_zeroed = 0;

	for (AiPoolCursor it = ai_pool_begin(layer, pass); !ai_pool_is_at_end(&it); ai_pool_next(&it))
	{
		n_zeroed = ai_pool_zero(d_input, n_zeroed, &it);
		kernels->window_max_back(d_input + it.from, pass->d_output + it.to, place + it.to,
								 &it.window);
	}
	memset(d_input + n_zeroed, 0, (n_all - n_zeroed) * sizeof(float));
}

const AiLayerType ai_layer_max_pool = {
	.name = "max_pool",
	.keras_name = "MaxPooling",
	.config_size = sizeof(AiPoolConfig),
	.options = ai_pool_options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
	.forward = forward,
	.backward = backward
};
