/*-------------------------------------------------------------------------
 * definition_walk.h
 *		From layer to layer of a definition: shapes and weights, for tests.
 *-------------------------------------------------------------------------
 */
#ifndef AI_DEFINITION_WALK_H
#define AI_DEFINITION_WALK_H

#include <string.h>

#include "core/layer/layers.h"
#include "core/graph/definition.h"

/* Numbers of a layer's weights, and whether all of them fit a size */
static inline bool
layer_count(size_t *count, const AiLayer *layer)
{
	*count = 0;
	for (int i = 0; i < layer->n_weights; i++)
	{
		size_t		size = 1;

		for (int j = 0; j < layer->weight[i].n_dims; j++)
		{
			if (!ai_mul_size(&size, size, (size_t) layer->weight[i].dims[j]))
				return false;
		}
		if (!ai_add_size(count, *count, size))
			return false;
	}
	return true;
}

/* layers:[n_layers]; *failed is the layer that does not fit */
static inline AiCode
definition_walk(AiLayer *layers, int *failed, const AiDefinition *definition, const AiShape *input,
				AiError *err)
{
	memset(layers, 0, (size_t) definition->n_layers * sizeof(AiLayer));
	for (int i = 0; i < definition->n_layers; i++)
	{
		const AiLayerDefinition *it = &definition->layers[i];
		AiLayer    *layer = &layers[i];

		*failed = i;
		layer->name = it->name;
		layer->type = it->type;
		layer->config = it->config;
		layer->n_inputs = it->n_inputs;
		for (int j = 0; j < it->n_inputs; j++)
			layer->input[j] = it->input[j] == AI_INPUT ? *input : layers[it->input[j]].output;
		AI_TRY(it->type->prepare(layer, err));
		AI_TRY(ai_shape_check(&layer->output, err));
	}
	return AI_OK;
}

#endif							/* AI_DEFINITION_WALK_H */
