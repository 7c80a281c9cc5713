/*-------------------------------------------------------------------------
 * positional_embedding.c
 *		Adds to each step of a sequence a row of numbers of its own, which is learnt.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include "core/layer/prepare.h"

typedef struct PositionalEmbeddingConfig
{
	int			embeddings_initializer; /* AiInitialiser */
} PositionalEmbeddingConfig;

static const AiOption options[] = {
	AI_OPTION_CHOICE_ROW(PositionalEmbeddingConfig, embeddings_initializer, AI_INIT_UNIFORM,
						 ai_initialiser_names),
	{.name = NULL}
};

static AiCode
prepare(AiLayer *layer, AiError *err)
{
	const PositionalEmbeddingConfig *config = layer->config;

	AI_TRY(ai_prepare_dims(layer, 2, 2, "[steps, features]", err));
	layer->output = layer->input[0];
	layer->passes_mask = true;
	ai_prepare_weight(layer, "embeddings", config->embeddings_initializer, 2,
					  layer->input[0].dims);
	return AI_OK;
}

const AiLayerType ai_layer_positional_embedding = {
	.name = "positional_embedding",
	.config_size = sizeof(PositionalEmbeddingConfig),
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
};
