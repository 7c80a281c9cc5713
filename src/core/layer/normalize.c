/*-------------------------------------------------------------------------
 * normalize.c
 *		Each feature with mean 0 and variance 1 over the data that are learnt from.
 *
 * Mean and variance are states, which whoever knows the data sets before training.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include <math.h>
#include <string.h>

#include "core/layer/prepare.h"

#define LEAST_DEVIATION 1e-7F	/* Keras's epsilon */

enum
{
	MEAN,
	VARIANCE
};

typedef struct NormalizeConfig
{
	int64_t		axis;
} NormalizeConfig;

static const AiOption options[] = {
	AI_OPTION_LAST_AXIS_ROW(NormalizeConfig, axis),
	{.name = NULL}
};

static AiCode
prepare(AiLayer *layer, AiError *err)
{
	const NormalizeConfig *config = layer->config;
	int64_t		n = ai_shape_last(&layer->input[0]);

	AI_TRY(ai_prepare_last_axis(layer, config->axis, err));
	ai_prepare_weight(layer, "mean", AI_INIT_ZEROS, 1, &n)->is_state = true;
	ai_prepare_weight(layer, "variance", AI_INIT_ONES, 1, &n)->is_state = true;
	layer->scratch_fixed = 2 * (size_t) n;
	return AI_OK;
}

/* (x - mean) / deviation, in which the way back has no mean */
static void
divide(float *y, const float *x, const float *mean, const AiLayer *layer, const AiPass *pass)
{
	size_t		n = (size_t) ai_shape_last(&layer->input[0]);
	float	   *zeros = pass->scratch;
	float	   *factor = zeros + n;

	memset(zeros, 0, n * sizeof(float));
	for (size_t j = 0; j < n; j++)
		factor[j] = 1 / fmaxf(sqrtf(pass->weight[VARIANCE][j]), LEAST_DEVIATION);
	ai_kernels()->shift_columns(y, x, mean != NULL ? mean : zeros, factor, zeros,
								(size_t) pass->n_rows * ai_shape_size(&layer->input[0]) / n, n);
}

static void
forward(const AiLayer *layer, const AiPass *pass)
{
	divide(pass->output, pass->input[0], pass->weight[MEAN], layer, pass);
}

static void
backward(const AiLayer *layer, const AiPass *pass)
{
	divide(pass->d_input[0], pass->d_output, NULL, layer, pass);
}

const AiLayerType ai_layer_normalize = {
	.name = "normalize",
	.keras_name = "Normalization",
	.config_size = sizeof(NormalizeConfig),
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
	.forward = forward,
	.backward = backward
};
