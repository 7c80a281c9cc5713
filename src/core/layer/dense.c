/*-------------------------------------------------------------------------
 * dense.c
 *		y = act(x W + b), on the last axis.
 *
 * On a sequence it works at each step alone: rows are then those of all steps.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include <string.h>

#include "core/layer/prepare.h"
#include "core/layer/sums.h"

enum
{
	KERNEL,						/* [inputs, units] */
	BIAS						/* [units] */
};

static const AiOption options[] = {
	AI_OPTION_UNITS_ROW(AiDenseConfig, units),
	AI_OPTION_CHOICE_ROW(AiDenseConfig, activation, AI_ACT_LINEAR, ai_activation_names),
	AI_OPTION_BOOL_ROW(AiDenseConfig, use_bias, true),
	AI_OPTION_CHOICE_ROW(AiDenseConfig, kernel_initializer, AI_INIT_GLOROT_UNIFORM,
						 ai_initialiser_names),
	AI_OPTION_PENALTY_ROW(AiDenseConfig, l1, "kernel_regularizer"),
	AI_OPTION_PENALTY_ROW(AiDenseConfig, l2, "kernel_regularizer"),
	{.name = NULL}
};

static AiCode
prepare(AiLayer *layer, AiError *err)
{
	const AiDenseConfig *config = layer->config;
	int64_t		n = ai_shape_last(&layer->input[0]);
	AiWeight   *kernel;

	AI_TRY(ai_prepare_dims(layer, 1, AI_SHAPE_MAX_DIMS, "features", err));
	layer->output = layer->input[0];
	layer->output.dims[layer->output.n_dims - 1] = config->units;
	layer->passes_mask = true;
	layer->needs_input = true;
	layer->needs_output = config->activation != AI_ACT_LINEAR;
	kernel = ai_prepare_weight(layer, "kernel", config->kernel_initializer, 2,
							   (int64_t[]) {n, config->units});
	kernel->is_late = layer->input[0].n_dims == 1;
	kernel->l1 = config->l1;
	kernel->l2 = config->l2;
	if (config->use_bias)
		ai_prepare_weight(layer, "bias", AI_INIT_ZEROS, 1, &config->units);
	layer->derived_size = (size_t) (n * config->units);
	layer->scratch_size = ai_shape_size(&layer->output);
	if (kernel->is_late || ai_sums_are_needed(config->activation))
		layer->saved_size = ai_shape_size(&layer->output);
	return AI_OK;
}

static size_t
n_inputs(const AiLayer *layer)
{
	return (size_t) ai_shape_last(&layer->input[0]);
}

static size_t
n_places(const AiLayer *layer)
{
	return ai_shape_size(&layer->input[0]) / n_inputs(layer);
}

static void
forward(const AiLayer *layer, const AiPass *pass)
{
	const AiDenseConfig *dense = layer->config;
	AiGemm		product = {
		.m = (size_t) pass->n_rows * n_places(layer),
		.n = (size_t) dense->units,
		.k = n_inputs(layer),
		.n_taps = 1,
		.a = pass->input[0],
		.a_row = (ptrdiff_t) n_inputs(layer),
		.a_col = 1,
		.b = pass->weight[KERNEL],
		.b_row = (ptrdiff_t) dense->units,
		.c = pass->output,
		.c_row = (ptrdiff_t) dense->units,
		.bias = dense->use_bias ? pass->weight[BIAS] : NULL
	};

	ai_sums_product(pass, &product, dense->activation,
					ai_sums_are_needed(dense->activation) ? pass->saved : NULL);
}

/* Rows of the kernel's gradient, from first on: (+)= input transposed * d_sums */
static void
add_kernel_gradient(const AiLayer *layer, const AiPass *pass, const float *d_sums,
					float *gradient, size_t first, size_t n)
{
	size_t		units = (size_t) layer->weight[KERNEL].dims[1];
	AiGemm		product = {
		.m = n,
		.n = units,
		.k = (size_t) pass->n_rows * n_places(layer),
		.n_taps = 1,
		.a = pass->input[0] + first,
		.a_row = 1,
		.a_col = (ptrdiff_t) n_inputs(layer),
		.b = d_sums,
		.b_row = (ptrdiff_t) units,
		.c = gradient,
		.c_row = (ptrdiff_t) units,
		.adds = !pass->is_first
	};

	ai_product(pass, &product);
}

static void
add_bias_gradient(const AiLayer *layer, const AiPass *pass, const float *d_sums, size_t n_rows)
{
	size_t		units = layer->weight[BIAS].size;

	if (pass->is_first)
		memset(pass->d_weight[BIAS], 0, units * sizeof(float));
	ai_kernels()->add_rows(pass->d_weight[BIAS], d_sums, n_rows, units);
}

/* input = d_sums * kernel transposed */
static void
write_input_gradient(const AiLayer *layer, const AiPass *pass, const float *d_sums, size_t n_rows)
{
	size_t		units = (size_t) layer->weight[KERNEL].dims[1];
	AiGemm		product = {
		.m = n_rows,
		.n = n_inputs(layer),
		.k = units,
		.n_taps = 1,
		.a = d_sums,
		.a_row = (ptrdiff_t) units,
		.a_col = 1,
		.b = pass->derived,
		.b_row = (ptrdiff_t) n_inputs(layer),
		.c = pass->d_input[0],
		.c_row = (ptrdiff_t) n_inputs(layer)
	};

	ai_product(pass, &product);
}

static void
backward(const AiLayer *layer, const AiPass *pass)
{
	const AiDenseConfig *dense = layer->config;
	size_t		n_rows = (size_t) pass->n_rows * n_places(layer);
	size_t		units = (size_t) dense->units;
	const float *d_sums = ai_sums_back(pass->scratch, pass->d_output, pass->saved, pass->output,
									   n_rows, units, dense->activation);

	if (pass->keeps)
		memcpy(pass->saved, d_sums, n_rows * units * sizeof(float));
	else if (pass->d_weight[KERNEL] != NULL)
		add_kernel_gradient(layer, pass, d_sums, pass->d_weight[KERNEL], 0, n_inputs(layer));
	if (dense->use_bias && pass->d_weight[BIAS] != NULL)
		add_bias_gradient(layer, pass, d_sums, n_rows);
	if (pass->d_input[0] != NULL)
		write_input_gradient(layer, pass, d_sums, n_rows);
}

static void
late_gradient(const AiLayer *layer, const AiPass *pass, float *gradient, size_t first, size_t n)
{
	add_kernel_gradient(layer, pass, pass->saved, gradient, first, n);
}

/* The kernel transposed */
static void
derive(const AiLayer *layer, float *derived, const float *const *weight)
{
	const AiWeight *kernel = &layer->weight[KERNEL];

	ai_kernels()->transpose(derived, (ptrdiff_t) kernel->dims[0], weight[KERNEL],
							(ptrdiff_t) kernel->dims[1], (size_t) kernel->dims[0],
							(size_t) kernel->dims[1]);
}

const AiLayerType ai_layer_dense = {
	.name = "dense",
	.keras_name = "Dense",
	.config_size = sizeof(AiDenseConfig),
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
	.derive = derive,
	.forward = forward,
	.backward = backward,
	.sets_gradients = true,
	.late_gradient = late_gradient
};
