/*-------------------------------------------------------------------------
 * reshape.c
 *		The same numbers in another shape, of which one dimension may be -1: the rest.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

typedef struct ReshapeConfig
{
	AiSizes		target_shape;
} ReshapeConfig;

static const AiOption options[] = {
	{.name = "target_shape", .kind = AI_OPTION_SIZES, .is_needed = true,
	 .offset = offsetof(ReshapeConfig, target_shape), .min = -1, .max = AI_SHAPE_MAX_SIZE},
	{.name = NULL}
};

static AiCode
prepare(AiLayer *layer, AiError *err)
{
	const ReshapeConfig *config = layer->config;
	const AiShape *input = &layer->input[0];
	AiShape    *output = &layer->output;
	size_t		rest = ai_shape_size(input);
	int64_t    *open = NULL;
	char		from[AI_SHAPE_TEXT_SIZE];
	char		to[AI_SHAPE_TEXT_SIZE];

	output->n_dims = config->target_shape.n;
	for (int i = 0; i < output->n_dims; i++)
	{
		int64_t		dim = config->target_shape.size[i];

		output->dims[i] = dim;
		if (dim == 0)
			return ai_fail(err, AI_ERR_SHAPE, "option \"target_shape\" must not have a 0");
		if (dim == -1 && open != NULL)
			return ai_fail(err, AI_ERR_SHAPE, "option \"target_shape\" must not have -1 twice");
		if (dim == -1)
			open = &output->dims[i];
		else
			rest = rest % (size_t) dim == 0 ? rest / (size_t) dim : 0;
	}
	if (rest == 0 || (open == NULL && rest != 1))
		return ai_fail(err, AI_ERR_SHAPE, "%s cannot be reshaped into %s", ai_shape_text(from, input),
					   ai_shape_text(to, output));
	if (open != NULL)
		*open = (int64_t) rest;
	layer->is_view = true;
	return AI_OK;
}

const AiLayerType ai_layer_reshape = {
	.name = "reshape",
	.keras_name = "Reshape",
	.config_size = sizeof(ReshapeConfig),
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
};
