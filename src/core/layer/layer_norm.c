/*-------------------------------------------------------------------------
 * layer_norm.c
 *		The last axis with mean 0 and variance 1, then scaled and shifted.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include <string.h>

#include "core/layer/prepare.h"

typedef struct LayerNormConfig
{
	double		epsilon;
	bool		center;			/* has beta */
	bool		scale;			/* has gamma */
	int64_t		axis;
} LayerNormConfig;

static const AiOption options[] = {
	AI_OPTION_FLOAT_ROW(LayerNormConfig, epsilon, 0.001, 1e-12, 1),
	AI_OPTION_BOOL_ROW(LayerNormConfig, center, true),
	AI_OPTION_BOOL_ROW(LayerNormConfig, scale, true),
	AI_OPTION_LAST_AXIS_ROW(LayerNormConfig, axis),
	{.name = NULL}
};

static size_t
n_places(const AiLayer *layer)
{
	return ai_shape_size(&layer->input[0]) / (size_t) ai_shape_last(&layer->input[0]);
}

/* What is normalised is saved, and behind it 1 / deviation of each place. */
static AiCode
prepare(AiLayer *layer, AiError *err)
{
	const LayerNormConfig *config = layer->config;
	int64_t		n = ai_shape_last(&layer->input[0]);

	AI_TRY(ai_prepare_last_axis(layer, config->axis, err));
	if (config->scale)
		ai_prepare_weight(layer, "gamma", AI_INIT_ONES, 1, &n);
	if (config->center)
		ai_prepare_weight(layer, "beta", AI_INIT_ZEROS, 1, &n);
	layer->saved_size = ai_shape_size(&layer->output) + n_places(layer);
	layer->scratch_fixed = 3 * (size_t) n;
	return AI_OK;
}

/* gamma:[n] or beta; where the layer has none, NULL, all are value */
static const float *
weight_of(float *scratch, const float *weight, float value, size_t n)
{
	if (weight != NULL)
		return weight;
	for (size_t j = 0; j < n; j++)
		scratch[j] = value;
	return scratch;
}

static void
forward(const AiLayer *layer, const AiPass *pass)
{
	const LayerNormConfig *config = layer->config;
	size_t		n = (size_t) ai_shape_last(&layer->input[0]);
	size_t		n_rows = (size_t) pass->n_rows * n_places(layer);
	const float *gamma = weight_of(pass->scratch, config->scale ? pass->weight[0] : NULL, 1, n);
	const float *own_beta = config->center ? pass->weight[config->scale ? 1 : 0] : NULL;
	const float *beta = weight_of(pass->scratch + n, own_beta, 0, n);

	ai_kernels()->layer_norm(pass->output, pass->saved, pass->saved + n_rows * n, pass->input[0],
							 gamma, beta, n_rows, n, (float) config->epsilon);
}

/* Row by row where nobody asks for the gradient by the input, which then needs but a row */
static void
backward(const AiLayer *layer, const AiPass *pass)
{
	const LayerNormConfig *config = layer->config;
	size_t		n = (size_t) ai_shape_last(&layer->input[0]);
	size_t		n_rows = (size_t) pass->n_rows * n_places(layer);
	float	   *d_gamma = config->scale ? pass->d_weight[0] : NULL;
	float	   *d_beta = config->center ? pass->d_weight[config->scale ? 1 : 0] : NULL;
	const float *gamma = weight_of(pass->scratch, config->scale ? pass->weight[0] : NULL, 1, n);
	float	   *unasked = pass->scratch + n;
	size_t		n_together = pass->d_input[0] != NULL ? n_rows : 1;

	memset(unasked, 0, n * sizeof(float));
	for (size_t r = 0; r < n_rows; r += n_together)
		ai_kernels()->layer_norm_back(pass->d_input[0] != NULL ? pass->d_input[0] : unasked + n,
									  d_gamma != NULL ? d_gamma : unasked,
									  d_beta != NULL ? d_beta : unasked, pass->d_output + r * n,
									  pass->saved + r * n, pass->saved + n_rows * n + r, gamma,
									  n_together, n);
}

const AiLayerType ai_layer_layer_norm = {
	.name = "layer_norm",
	.keras_name = "LayerNormalization",
	.config_size = sizeof(LayerNormConfig),
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
	.forward = forward,
	.backward = backward
};
