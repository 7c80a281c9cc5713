/*-------------------------------------------------------------------------
 * dense.c
 *		Every output from every input, on the last axis.
 *
 * On a sequence it works at each step alone: rows are then those of all steps.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"
#include "core/layer/sums.h"

typedef struct Dense
{
	int64_t		units;
	int			activation;
	bool		use_bias;
} Dense;

enum
{
	KERNEL,						/* [inputs, units] */
	BIAS						/* [units] */
};

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
	const Dense *dense = layer->config;
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

	ai_sums_product(&product, dense->activation, layer->saved_size > 0 ? pass->saved : NULL);
}

/* kernel += input transposed * d_sums */
static void
add_kernel_gradient(const AiLayer *layer, const AiPass *pass, const float *d_sums, size_t n_rows)
{
	size_t		units = (size_t) layer->weight[KERNEL].dims[1];
	AiGemm		product = {
		.m = n_inputs(layer),
		.n = units,
		.k = n_rows,
		.n_taps = 1,
		.a = pass->input[0],
		.a_row = 1,
		.a_col = (ptrdiff_t) n_inputs(layer),
		.b = d_sums,
		.b_row = (ptrdiff_t) units,
		.c = pass->d_weight[KERNEL],
		.c_row = (ptrdiff_t) units,
		.adds = true
	};

	ai_kernels()->gemm(&product);
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

	ai_kernels()->gemm(&product);
}

static void
backward(const AiLayer *layer, const AiPass *pass)
{
	const Dense *dense = layer->config;
	size_t		n_rows = (size_t) pass->n_rows * n_places(layer);
	size_t		units = (size_t) dense->units;
	const float *d_sums = ai_sums_back(pass->scratch, pass->d_output, pass->saved, pass->output,
									   n_rows, units, dense->activation);

	if (pass->d_weight[KERNEL] != NULL)
		add_kernel_gradient(layer, pass, d_sums, n_rows);
	if (dense->use_bias && pass->d_weight[BIAS] != NULL)
		ai_kernels()->add_rows(pass->d_weight[BIAS], d_sums, n_rows, units);
	if (pass->d_input[0] != NULL)
		write_input_gradient(layer, pass, d_sums, n_rows);
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
