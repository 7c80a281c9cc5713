/*-------------------------------------------------------------------------
 * prepare.c
 *		What options and shape inference of several kinds of layers share.
 *-------------------------------------------------------------------------
 */
#include "core/layer/prepare.h"

#include <string.h>

const char *const ai_activation_names[] = {
	[AI_ACT_LINEAR] = "linear",
	[AI_ACT_RELU] = "relu",
	[AI_ACT_LEAKY_RELU] = "leaky_relu",
	[AI_ACT_ELU] = "elu",
	[AI_ACT_SELU] = "selu",
	[AI_ACT_GELU] = "gelu",
	[AI_ACT_GELU_TANH] = "gelu_tanh",
	[AI_ACT_SILU] = "silu|swish",
	[AI_ACT_SIGMOID] = "sigmoid",
	[AI_ACT_TANH] = "tanh",
	[AI_ACT_SOFTPLUS] = "softplus",
	[AI_ACT_SOFTMAX] = "softmax",
	[AI_ACT_N] = NULL
};

const char *const ai_initialiser_names[] = {
	[AI_INIT_ZEROS] = "zeros",
	[AI_INIT_ONES] = "ones",
	[AI_INIT_GLOROT_UNIFORM] = "glorot_uniform",
	[AI_INIT_GLOROT_NORMAL] = "glorot_normal",
	[AI_INIT_HE_UNIFORM] = "he_uniform",
	[AI_INIT_HE_NORMAL] = "he_normal",
	[AI_INIT_LECUN_UNIFORM] = "lecun_uniform",
	[AI_INIT_LECUN_NORMAL] = "lecun_normal",
	[AI_INIT_ORTHOGONAL] = "orthogonal",
	[AI_INIT_UNIFORM] = "uniform|random_uniform",
	NULL
};

const char *const ai_padding_names[] = {"valid", "same", NULL};

AiCode
ai_prepare_dims(const AiLayer *layer, int min, int max, const char *what, AiError *err)
{
	const AiShape *input = &layer->input[0];
	char		text[AI_SHAPE_TEXT_SIZE];

	if (input->n_dims >= min && input->n_dims <= max)
		return AI_OK;
	return ai_fail(err, AI_ERR_SHAPE, "it takes %s, and gets %s", what, ai_shape_text(text, input));
}

AiCode
ai_prepare_same(AiLayer *layer, AiError *err)
{
	(void) err;
	layer->output = layer->input[0];
	layer->passes_mask = true;
	return AI_OK;
}

AiCode
ai_prepare_last_axis(AiLayer *layer, int64_t axis, AiError *err)
{
	int			last = layer->input[0].n_dims;

	AI_TRY(ai_prepare_dims(layer, 1, AI_SHAPE_MAX_DIMS, "features", err));
	if (axis == -1 || axis == last)
		return ai_prepare_same(layer, err);
	ai_fail(err, AI_ERR_SHAPE, "option \"axis\" must be -1 or %d, not %lld", last, (long long) axis);
	ai_detail(err, "Only the last axis is supported.");
	return AI_ERR_SHAPE;
}

AiWeight *
ai_prepare_weight(AiLayer *layer, const char *name, int initialiser, int n_dims,
				  const int64_t *dims)
{
	AiWeight   *weight = &layer->weight[layer->n_weights++];

	*weight = (AiWeight) {
		.name = name, .n_dims = n_dims, .initialiser = (AiInitialiser) initialiser,
		.fan_in = dims[n_dims > 1 ? n_dims - 2 : 0], .fan_out = dims[n_dims - 1]
	};
	memcpy(weight->dims, dims, (size_t) n_dims * sizeof(int64_t));
	for (int i = 0; i < n_dims - 2; i++)
	{
		weight->fan_in *= dims[i];
		weight->fan_out *= dims[i];
	}
	return weight;
}

static AiCode
check_sizes(const AiSizes *sizes, const char *name, int n_axes, AiError *err)
{
	if (sizes->n <= 1 || sizes->n == n_axes)
		return AI_OK;
	return ai_fail(err, AI_ERR_SHAPE, "option \"%s\" must have 1%s number%s, not %d", name,
				   n_axes > 1 ? " or 2" : "", n_axes > 1 ? "s" : "", sizes->n);
}

static int64_t
size_of(const AiSizes *sizes, int axis, int64_t initial)
{
	return sizes->n == 0 ? initial : sizes->n == 1 ? sizes->size[0] : sizes->size[axis];
}

static AiCode
place_window(AiWindow *window, const char *name, int padding, AiError *err)
{
	int64_t		missing;

	if (padding == AI_PADDING_VALID)
	{
		if (window->input < window->size)
		{
			ai_fail(err, AI_ERR_SHAPE, "option \"%s\" is %lld, but the input has only %lld places there",
					name, (long long) window->size, (long long) window->input);
			ai_hint(err, "Use a smaller one, \"padding\": \"same\", or fewer pooling layers before.");
			return AI_ERR_SHAPE;
		}
		window->output = (window->input - window->size) / window->stride + 1;
		window->before = 0;
		return AI_OK;
	}
	window->output = (window->input - 1) / window->stride + 1;
	missing = (window->output - 1) * window->stride + window->size - window->input;
	window->before = missing > 0 ? missing / 2 : 0;
	return AI_OK;
}

AiCode
ai_prepare_windows(AiWindow *windows, const AiLayer *layer, int n_axes, const AiSizes *sizes,
				   const char *sizes_name, int64_t initial_size, const AiSizes *strides,
				   int64_t initial_stride, int padding, AiError *err)
{
	AI_TRY(check_sizes(sizes, sizes_name, n_axes, err));
	AI_TRY(check_sizes(strides, "strides", n_axes, err));
	for (int i = 0; i < n_axes; i++)
	{
		AiWindow   *window = &windows[i];

		window->input = layer->input[0].dims[i];
		window->size = size_of(sizes, i, initial_size);
		window->stride = size_of(strides, i, initial_stride > 0 ? initial_stride : window->size);
		AI_TRY(place_window(window, sizes_name, padding, err));
	}
	return AI_OK;
}
