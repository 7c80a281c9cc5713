/*-------------------------------------------------------------------------
 * embedding.c
 *		A row of numbers for each whole number from 0 on.
 *
 * With mask_zero, steps of the number 0 are not there for the layers after it.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include "core/layer/prepare.h"

static const AiOption options[] = {
	AI_OPTION_UNITS_ROW(AiEmbeddingConfig, output_dim),
	{.name = "input_dim", .kind = AI_OPTION_INT, .offset = offsetof(AiEmbeddingConfig, input_dim),
	 .min = 1, .max = AI_MAX_UNITS},
	AI_OPTION_BOOL_ROW(AiEmbeddingConfig, mask_zero, false),
	AI_OPTION_CHOICE_ROW(AiEmbeddingConfig, embeddings_initializer, AI_INIT_UNIFORM,
						 ai_initialiser_names),
	{.name = NULL}
};

static AiCode
prepare(AiLayer *layer, AiError *err)
{
	const AiEmbeddingConfig *config = layer->config;
	AiWeight   *embeddings;

	if (config->input_dim == 0)
	{
		ai_fail(err, AI_ERR_PARAM, "option \"input_dim\" is missing");
		ai_hint(err, "It says how many different numbers there are, the largest one plus 1.");
		return AI_ERR_PARAM;
	}
	AI_TRY(ai_prepare_dims(layer, 0, AI_SHAPE_MAX_DIMS - 1, "[steps]", err));
	layer->output = layer->input[0];
	layer->output.dims[layer->output.n_dims++] = config->output_dim;
	layer->makes_mask = config->mask_zero && layer->input[0].n_dims == 1;
	embeddings = ai_prepare_weight(layer, "embeddings", config->embeddings_initializer, 2,
								   (int64_t[]) {config->input_dim, config->output_dim});
	embeddings->is_rows = true;
	return AI_OK;
}

const AiLayerType ai_layer_embedding = {
	.name = "embedding",
	.keras_name = "Embedding",
	.config_size = sizeof(AiEmbeddingConfig),
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
};
