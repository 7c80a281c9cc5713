/*-------------------------------------------------------------------------
 * global_pool.c
 *		The mean or the largest value of each channel, over all steps or places.
 *
 * Steps that are masked do not count in a mean; the largest value is of all, as in Keras.  The mean
 * of no steps is 0, where Keras has NaN.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include <string.h>

#include "core/layer/prepare.h"

enum
{
	MODE_AVERAGE,
	MODE_MAX
};

typedef struct GlobalPoolConfig
{
	int			mode;
} GlobalPoolConfig;

static const char *const modes[] = {"average|avg", "max", NULL};

static const AiOption options[] = {
	AI_OPTION_CHOICE_ROW(GlobalPoolConfig, mode, MODE_AVERAGE, modes),
	{.name = NULL}
};

static AiCode
prepare(AiLayer *layer, AiError *err)
{
	AI_TRY(ai_prepare_dims(layer, 2, 3, "[steps, channels] or [height, width, channels]", err));
	layer->output = (AiShape) {.n_dims = 1, .dims = {ai_shape_last(&layer->input[0])}};
	if (((const GlobalPoolConfig *) layer->config)->mode == MODE_MAX)
		layer->saved_size = ai_shape_size(&layer->output);	/* places, as int32_t */
	return AI_OK;
}

/* All places, as one row of a window */
static AiImageWindow
window_of(const AiLayer *layer)
{
	size_t		n = (size_t) ai_shape_last(&layer->input[0]);

	return (AiImageWindow) {
		.n_rows = 1, .n_columns = ai_shape_size(&layer->input[0]) / n, .n = n
	};
}

/* 1 / how many steps count; 0 where there is none */
static float
factor_of(const uint8_t *mask, size_t n_steps)
{
	size_t		n = 0;

	for (size_t i = 0; i < n_steps; i++)
		n += mask == NULL || mask[i] != 0;
	return n > 0 ? 1 / (float) n : 0;
}

static void
average_steps(float *output, const float *input, const uint8_t *mask, const AiImageWindow *window)
{
	memset(output, 0, window->n * sizeof(float));
	for (size_t i = 0; i < window->n_columns; i++)
	{
		if (mask[i] != 0)
			ai_kernels()->add(output, input + i * window->n, window->n);
	}
	ai_kernels()->scale(output, output, window->n, factor_of(mask, window->n_columns), 0);
}

static void
forward(const AiLayer *layer, const AiPass *pass)
{
	const GlobalPoolConfig *config = layer->config;
	AiImageWindow window = window_of(layer);

	for (size_t r = 0; r < (size_t) pass->n_rows; r++)
	{
		const float *input = pass->input[0] + r * window.n_columns * window.n;
		float	   *output = pass->output + r * window.n;

		if (config->mode == MODE_MAX)
			ai_kernels()->window_max(output, (int32_t *) pass->saved + r * window.n, input,
									 &window);
		else if (pass->mask != NULL)
			average_steps(output, input, pass->mask + r * window.n_columns, &window);
		else
			ai_kernels()->window_sum(output, input, &window, factor_of(NULL, window.n_columns));
	}
}

static void
average_back(float *d_input, const float *d_output, const uint8_t *mask,
			 const AiImageWindow *window)
{
	float		factor = factor_of(mask, window->n_columns);

	for (size_t i = 0; i < window->n_columns; i++)
		ai_kernels()->scale(d_input + i * window->n, d_output, window->n,
							mask == NULL || mask[i] != 0 ? factor : 0, 0);
}

static void
backward(const AiLayer *layer, const AiPass *pass)
{
	const GlobalPoolConfig *config = layer->config;
	AiImageWindow window = window_of(layer);
	size_t		size = window.n_columns * window.n;

	for (size_t r = 0; r < (size_t) pass->n_rows; r++)
	{
		float	   *d_input = pass->d_input[0] + r * size;
		const float *d_output = pass->d_output + r * window.n;

		if (config->mode == MODE_MAX)
		{
			memset(d_input, 0, size * sizeof(float));
			ai_kernels()->window_max_back(d_input, d_output,
										  (const int32_t *) pass->saved + r * window.n, &window);
		}
		else
			average_back(d_input, d_output,
						 pass->mask == NULL ? NULL : pass->mask + r * window.n_columns, &window);
	}
}

const AiLayerType ai_layer_global_pool = {
	.name = "global_pool",
	.keras_name = "GlobalPooling",
	.config_size = sizeof(GlobalPoolConfig),
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
	.forward = forward,
	.backward = backward
};
