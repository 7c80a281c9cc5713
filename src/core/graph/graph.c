/*-------------------------------------------------------------------------
 * graph.c
 *		From a definition to a network whose shapes fit.
 *-------------------------------------------------------------------------
 */
#include "core/graph/graph.h"

#include <string.h>

#define WEIGHT_STEP 16			/* numbers: each array begins on a cache line */

static size_t
align_numbers(size_t n)
{
	return (n + WEIGHT_STEP - 1) / WEIGHT_STEP * WEIGHT_STEP;
}

static int
mask_of(const AiGraph *graph, int number)
{
	return number == AI_INPUT ? AI_INPUT : graph->layers[number].mask;
}

static void
take_inputs(const AiGraph *graph, AiGraphLayer *it, const AiLayerDefinition *definition)
{
	it->layer.n_inputs = definition->n_inputs;
	for (int i = 0; i < definition->n_inputs; i++)
	{
		int			from = definition->input[i];

		it->input[i] = from;
		it->layer.input[i] = from == AI_INPUT ? graph->input : graph->layers[from].layer.output;
	}
	it->layer.has_mask = mask_of(graph, it->input[0]) != AI_INPUT;
}

static AiCode
measure_weight(AiGraph *graph, AiWeight *weight, bool is_trained, AiError *err)
{
	size_t	   *n = weight->is_state ? &graph->n_states : &graph->n_weights;
	size_t		size = 1;
	bool		fits = true;

	for (int i = 0; i < weight->n_dims; i++)
		fits = fits && ai_mul_size(&size, size, (size_t) weight->dims[i]);
	if (!fits || size > AI_MAX_WEIGHTS || *n > AI_MAX_WEIGHTS - align_numbers(size))
	{
		ai_fail(err, AI_ERR_LIMIT, "the network has too many weights");
		ai_detail(err, "A network has at most %zu.", AI_MAX_WEIGHTS);
		return AI_ERR_LIMIT;
	}
	weight->size = size;
	*n += align_numbers(size);
	graph->n_counted += (int64_t) size;
	if (is_trained)
		graph->n_trained += (int64_t) size;
	return AI_OK;
}

static AiCode
add_layer(AiGraph *graph, int number, const AiLayerDefinition *definition, AiError *err)
{
	AiGraphLayer *it = &graph->layers[number];
	AiLayer    *layer = &it->layer;

	layer->name = definition->name;
	layer->type = definition->type;
	layer->config = definition->config;
	it->is_frozen = definition->is_frozen;
	take_inputs(graph, it, definition);
	AI_TRY(layer->type->prepare(layer, err));
	AI_TRY(ai_shape_check(&layer->output, err));

	it->mask = layer->makes_mask ? number :
		layer->passes_mask ? mask_of(graph, it->input[0]) : AI_INPUT;
	for (int i = 0; i < layer->n_weights; i++)
	{
		bool		is_trained = !it->is_frozen && !layer->weight[i].is_state;

		AI_TRY(measure_weight(graph, &layer->weight[i], is_trained, err));
		it->has_gradient |= is_trained;
	}
	for (int i = 0; i < layer->n_inputs; i++)
		it->has_gradient |= it->input[i] != AI_INPUT && graph->layers[it->input[i]].has_gradient;
	it->derived = graph->n_derived;
	graph->n_derived += align_numbers(layer->derived_size);
	return AI_OK;
}

/* Places of all weights of one sort behind each other; where they end */
static size_t
place_weights(AiGraph *graph, size_t first, bool is_state, bool is_rows)
{
	for (int i = 0; i < graph->n_layers; i++)
	{
		AiLayer    *layer = &graph->layers[i].layer;

		for (int j = 0; j < layer->n_weights; j++)
		{
			AiWeight   *weight = &layer->weight[j];

			if (weight->is_state != is_state || weight->is_rows != is_rows)
				continue;
			weight->offset = first;
			first += align_numbers(weight->size);
		}
	}
	return first;
}

/* Its rows are looked up by what goes into the network, which stays until the batch ends. */
static AiCode
check_rows(const AiGraph *graph, int number, AiError *err)
{
	const AiGraphLayer *it = &graph->layers[number];
	int			from = it->input[0];

	while (from != AI_INPUT && graph->layers[from].layer.is_view)
		from = graph->layers[from].input[0];
	for (int i = 0; i < it->layer.n_weights; i++)
	{
		if (it->layer.weight[i].is_rows && from != AI_INPUT)
		{
			ai_fail(err, AI_ERR_SHAPE, "this kind of layer has to be the first one");
			ai_detail(err, "It takes numbers of words, which no layer puts out.");
			return AI_ERR_SHAPE;
		}
	}
	return AI_OK;
}

static AiCode
check_use(const AiGraph *graph, int number, AiError *err)
{
	for (int i = number + 1; i < graph->n_layers; i++)
	{
		for (int j = 0; j < graph->layers[i].layer.n_inputs; j++)
		{
			if (graph->layers[i].input[j] == number)
				return AI_OK;
		}
	}
	if (number == graph->n_layers - 1)
		return AI_OK;
	ai_fail(err, AI_ERR_PARAM, "no layer takes its output");
	ai_hint(err, "Name it as an \"input\" of a later layer, or leave it out.");
	return AI_ERR_PARAM;
}

AiCode
ai_graph_create(AiGraph *graph, AiArena *arena, const AiDefinition *definition,
				const AiShape *input, AiError *err)
{
	AiError		inner;

	memset(graph, 0, sizeof(*graph));
	memset(&inner, 0, sizeof(inner));
	AI_TRY(ai_shape_check(input, err));
	graph->input = *input;
	graph->n_layers = definition->n_layers;
	graph->layers = ai_arena_alloc_zero(arena, (size_t) definition->n_layers, sizeof(AiGraphLayer));
	if (graph->layers == NULL)
		return ai_out_of_memory(err, (size_t) definition->n_layers * sizeof(AiGraphLayer),
								"a network");
	for (int i = 0; i < graph->n_layers; i++)
	{
		AiCode		code = add_layer(graph, i, &definition->layers[i], &inner);

		if (code == AI_OK)
			code = check_rows(graph, i, &inner);
		if (code == AI_OK)
			continue;
		ai_layer_error(&inner, i, graph->layers[i].layer.name);
		if (err != NULL)
			*err = inner;
		return code;
	}
	for (int i = 0; i < graph->n_layers; i++)
	{
		if (check_use(graph, i, &inner) == AI_OK)
			continue;
		ai_layer_error(&inner, i, graph->layers[i].layer.name);
		if (err != NULL)
			*err = inner;
		return inner.code;
	}
	(void) place_weights(graph, 0, true, false);
	graph->n_dense = place_weights(graph, 0, false, false);
	(void) place_weights(graph, graph->n_dense, false, true);
	return AI_OK;
}

int
ai_graph_find(const AiGraph *graph, const char *name, size_t len)
{
	for (int i = 0; i < graph->n_layers; i++)
	{
		const char *other = graph->layers[i].layer.name;

		if (strlen(other) == len && memcmp(other, name, len) == 0)
			return i;
	}
	return AI_INPUT;
}
