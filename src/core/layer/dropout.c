/*-------------------------------------------------------------------------
 * dropout.c
 *		In training, each number is 0 with probability rate, else divided by 1 - rate.
 *
 * What is drawn follows from the step and the row of the batch, and is drawn again on the way back.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include <string.h>

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

static void
drop_rows(float *y, const float *x, const AiLayer *layer, const AiPass *pass)
{
	double		rate = ((const DropoutConfig *) layer->config)->rate;
	size_t		n = ai_shape_size(&layer->output);

	if (!pass->is_training)
		memcpy(y, x, (size_t) pass->n_rows * n * sizeof(float));
	for (int i = 0; i < pass->n_rows && pass->is_training; i++, y += n, x += n)
	{
		AiRng		stream = ai_rng_stream(pass->seed, (uint64_t) (pass->first_row + i), 0);

		ai_kernels()->drop(y, x, n, stream.state, rate);
	}
}

static void
forward(const AiLayer *layer, const AiPass *pass)
{
	drop_rows(pass->output, pass->input[0], layer, pass);
}

static void
backward(const AiLayer *layer, const AiPass *pass)
{
	drop_rows(pass->d_input[0], pass->d_output, layer, pass);
}

const AiLayerType ai_layer_dropout = {
	.name = "dropout",
	.keras_name = "Dropout",
	.config_size = sizeof(DropoutConfig),
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = ai_prepare_same,
	.forward = forward,
	.backward = backward
};
