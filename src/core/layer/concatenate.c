/*-------------------------------------------------------------------------
 * concatenate.c
 *		Several outputs side by side, along the last axis.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include <string.h>

#include "core/layer/prepare.h"

typedef struct ConcatenateConfig
{
	int64_t		axis;
} ConcatenateConfig;

static const AiOption options[] = {
	AI_OPTION_LAST_AXIS_ROW(ConcatenateConfig, axis),
	{.name = NULL}
};

static AiCode
prepare(AiLayer *layer, AiError *err)
{
	const ConcatenateConfig *config = layer->config;
	const AiShape *first = &layer->input[0];
	int			last = first->n_dims - 1;
	char		text[AI_SHAPE_TEXT_SIZE];
	char		other[AI_SHAPE_TEXT_SIZE];

	AI_TRY(ai_prepare_last_axis(layer, config->axis, err));
	for (int i = 1; i < layer->n_inputs; i++)
	{
		const AiShape *shape = &layer->input[i];

		if (shape->n_dims != first->n_dims ||
			memcmp(shape->dims, first->dims, (size_t) last * sizeof(int64_t)) != 0)
			return ai_fail(err, AI_ERR_SHAPE, "it cannot put %s and %s side by side",
						   ai_shape_text(text, first), ai_shape_text(other, shape));
		layer->output.dims[last] += shape->dims[last];
	}
	return AI_OK;
}

/* Rows of n numbers, which are to_row and from_row apart */
static void
copy_rows(float *to, size_t to_row, const float *from, size_t from_row, size_t n_rows, size_t n)
{
	for (size_t i = 0; i < n_rows; i++)
		memcpy(to + i * to_row, from + i * from_row, n * sizeof(float));
}

static void
forward(const AiLayer *layer, const AiPass *pass)
{
	size_t		row = (size_t) ai_shape_last(&layer->output);
	size_t		n_rows = (size_t) pass->n_rows * ai_shape_size(&layer->output) / row;
	float	   *output = pass->output;

	for (int i = 0; i < layer->n_inputs; i++)
	{
		size_t		n = (size_t) ai_shape_last(&layer->input[i]);

		copy_rows(output, row, pass->input[i], n, n_rows, n);
		output += n;
	}
}

static void
backward(const AiLayer *layer, const AiPass *pass)
{
	size_t		row = (size_t) ai_shape_last(&layer->output);
	size_t		n_rows = (size_t) pass->n_rows * ai_shape_size(&layer->output) / row;
	const float *d_output = pass->d_output;

	for (int i = 0; i < layer->n_inputs; i++)
	{
		size_t		n = (size_t) ai_shape_last(&layer->input[i]);

		if (pass->d_input[i] != NULL)
			copy_rows(pass->d_input[i], n, d_output, row, n_rows, n);
		d_output += n;
	}
}

const AiLayerType ai_layer_concatenate = {
	.name = "concatenate",
	.keras_name = "Concatenate",
	.config_size = sizeof(ConcatenateConfig),
	.options = options,
	.min_inputs = 2,
	.max_inputs = AI_LAYER_MAX_INPUTS,
	.prepare = prepare,
	.forward = forward,
	.backward = backward
};
