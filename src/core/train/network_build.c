/*-------------------------------------------------------------------------
 * network_build.c
 *		A graph and its first weights.
 *-------------------------------------------------------------------------
 */
#include "core/train/network_build.h"

#include <stdio.h>
#include <string.h>

#include "core/layer/layers.h"

#define ROWS_PER_QUESTION 1024	/* whether to stop */

/*
 * The definition
 */
static AiCode
freeze_one(AiDefinition *definition, const char *name, AiError *err)
{
	for (int i = 0; i < definition->n_layers; i++)
	{
		if (strcmp(definition->layers[i].name, name) == 0)
		{
			definition->layers[i].is_frozen = true;
			return AI_OK;
		}
	}
	return ai_fail(err, AI_ERR_PARAM, "option \"freeze\" names the layer \"%s\", which there is not",
				   name);
}

static AiCode
freeze(AiDefinition *definition, const AiJson *names, AiError *err)
{
	if (names == NULL)
		return AI_OK;
	if (names->kind == AI_JSON_STRING)
		return freeze_one(definition, names->string, err);
	for (int i = 0; names->kind == AI_JSON_ARRAY && i < names->n; i++)
	{
		if (names->items[i].kind != AI_JSON_STRING)
			break;
		AI_TRY(freeze_one(definition, names->items[i].string, err));
		if (i == names->n - 1)
			return AI_OK;
	}
	return ai_fail(err, AI_ERR_PARAM, "option \"freeze\" must be a list of the names of layers");
}

AiCode
ai_network_build_read(AiNetworkBuild *build, AiError *err)
{
	const AiJson *layers = build->options->layers;

	if (layers != NULL)
		AI_TRY(ai_definition_read(&build->definition, build->arena, ai_layer_types, layers, err));
	else if (build->base != NULL)
	{
		const char *json = ai_network_parts(build->base)->definition;

		AI_TRY(ai_definition_parse(&build->definition, build->arena, ai_layer_types, json,
								   strlen(json), err));
	}
	else
	{
		ai_fail(err, AI_ERR_PARAM, "a network needs the option \"layers\"");
		ai_hint(err, "Write, for example, {\"layers\": [{\"dense\": 64, \"activation\": \"relu\"}, "
				"{\"dense\": 10}]}.");
		return AI_ERR_PARAM;
	}
	return freeze(&build->definition, build->options->freeze, err);
}

/*
 * Shapes
 */
static bool
find_shape(const AiNetworkBuild *build, AiShape *shape)
{
	const AiSizes *given = &build->options->input;

	if (given->n > 0)
	{
		shape->n_dims = given->n;
		memcpy(shape->dims, given->size, sizeof(shape->dims));
		return true;
	}
	*shape = build->definition.input;
	if (build->definition.has_input)
		return true;
	if (build->base != NULL)
		*shape = ai_network_parts(build->base)->shape;
	return build->base != NULL;
}

AiCode
ai_network_build_shape(const AiNetworkBuild *build, AiShape *shape, const AiNetworkFormat *format,
					   AiError *err)
{
	char		text[AI_SHAPE_TEXT_SIZE];

	if (format->input == AI_NETWORK_WORDS || !find_shape(build, shape))
	{
		*shape = (AiShape) {.n_dims = 1, .dims = {(int64_t) format->n_inputs}};
		return AI_OK;
	}
	AI_TRY(ai_shape_check(shape, err));
	if (ai_shape_size(shape) == format->n_inputs)
		return AI_OK;
	ai_fail(err, AI_ERR_PARAM, "rows have %zu %s, and the shape of the input is %s",
			format->n_inputs, format->input == AI_NETWORK_PIXELS ? "bytes" : "numbers",
			ai_shape_text(text, shape));
	ai_hint(err, "Set \"input\" to the shape of one row, such as [28, 28, 1].");
	return AI_ERR_PARAM;
}

/* An embedding that does not say how many words it has gets as many as there are. */
static void
take_words(AiDefinition *definition, size_t n_words)
{
	for (int i = 0; i < definition->n_layers; i++)
	{
		AiEmbeddingConfig *config = definition->layers[i].config;

		if (definition->layers[i].type != &ai_layer_embedding || config->input_dim > 0)
			continue;
		config->input_dim = (int64_t) n_words + AI_WORD_FIRST;
		config->mask_zero = true;
	}
}

static AiCode
make_graph(AiNetworkBuild *build, const AiNetworkFormat *format, size_t n_words, AiError *err)
{
	AiShape		shape;

	if (format->input == AI_NETWORK_WORDS)
		take_words(&build->definition, n_words);
	AI_TRY(ai_network_build_shape(build, &shape, format, err));
	AI_TRY(ai_graph_create(&build->graph, build->arena, &build->definition, &shape, err));
	if (format->input != AI_NETWORK_WORDS || ai_network_n_tokens(&build->graph) > 0)
		return AI_OK;
	ai_fail(err, AI_ERR_PARAM, "a network that reads texts needs an embedding");
	ai_hint(err, "Begin \"layers\" with {\"embedding\": 64}.");
	return AI_ERR_PARAM;
}

AiCode
ai_network_build_check(const AiNetworkBuild *build, const AiNetworkFormat *format, size_t n_words,
					   int64_t *n_tokens, AiError *err)
{
	AiNetworkBuild trial = *build;

	AI_TRY(ai_network_build_read(&trial, err));
	AI_TRY(make_graph(&trial, format, n_words, err));
	*n_tokens = ai_network_n_tokens(&trial.graph);
	return AI_OK;
}

size_t
ai_network_build_max_words(const AiNetworkBuild *build)
{
	int64_t		max = build->options->max_tokens;

	for (int i = 0; i < build->definition.n_layers; i++)
	{
		const AiLayerDefinition *it = &build->definition.layers[i];
		const AiEmbeddingConfig *config = it->config;

		if (it->type == &ai_layer_embedding && config->input_dim > 0 &&
			config->input_dim - AI_WORD_FIRST < max)
			max = config->input_dim - AI_WORD_FIRST;
	}
	return max > 0 ? (size_t) max : 0;
}

/*
 * Does the output fit the target?
 */
static AiCode
wrong_outputs(const AiNetworkBuild *build, const char *target, AiError *err)
{
	const AiLayer *last = ai_graph_last(&build->graph);
	char		shape[AI_SHAPE_TEXT_SIZE];

	ai_fail(err, AI_ERR_PARAM, "the output of the network has the shape %s, and the target %s",
			ai_shape_text(shape, &last->output), target);
	ai_hint(err, "Change the last layer, \"%s\": a dense layer has as many outputs as units.",
			last->name);
	return AI_ERR_PARAM;
}

static AiCode
check_outputs(const AiNetworkBuild *build, const AiNetworkRows *rows, AiError *err)
{
	const AiShape *output = &ai_graph_last(&build->graph)->output;
	int64_t		n_outputs = ai_shape_last(output);
	int64_t		n_labels = rows->labels.n;
	char		target[80];

	switch (rows->format.task)
	{
		case AI_NETWORK_VALUES:
			if (ai_shape_size(output) == rows->n_targets)
				return AI_OK;
			snprintf(target, sizeof(target), "%zu numbers", rows->n_targets);
			break;
		case AI_NETWORK_STEPS:
			if (output->n_dims == 2 && output->dims[0] == (int64_t) rows->n_targets &&
				n_outputs == n_labels)
				return AI_OK;
			snprintf(target, sizeof(target), "%zu steps of %lld labels", rows->n_targets,
					 (long long) n_labels);
			break;
		case AI_NETWORK_CLASSES:
		case AI_NETWORK_LABELS:
		case AI_NETWORK_N_TASKS:
			if (output->n_dims == 1 &&
				(n_outputs == n_labels || (n_outputs == 1 && n_labels == 2 &&
										   rows->format.task == AI_NETWORK_CLASSES)))
				return AI_OK;
			snprintf(target, sizeof(target), "%lld labels", (long long) n_labels);
			break;
	}
	return wrong_outputs(build, target, err);
}

/*
 * Weights
 */

/* An array of the base's: same layer, same name, same dimensions */
static const float *
find_base_weight(const AiNetwork *base, const AiLayer *layer, const AiWeight *weight)
{
	const AiNetworkParts *parts = ai_network_parts(base);
	const AiGraph *graph = ai_network_graph(base);
	int			number = ai_graph_find(graph, layer->name, strlen(layer->name));

	if (number == AI_INPUT || graph->layers[number].layer.type != layer->type)
		return NULL;
	for (int i = 0; i < graph->layers[number].layer.n_weights; i++)
	{
		const AiWeight *it = &graph->layers[number].layer.weight[i];

		if (strcmp(it->name, weight->name) == 0 && it->n_dims == weight->n_dims &&
			memcmp(it->dims, weight->dims, (size_t) it->n_dims * sizeof(int64_t)) == 0)
			return (it->is_state ? parts->states : parts->weights) + it->offset;
	}
	return NULL;
}

/* How many arrays were taken */
static int
take_base_weights(AiNetworkBuild *build)
{
	int			n = 0;

	for (int i = 0; i < build->graph.n_layers; i++)
	{
		const AiLayer *layer = &build->graph.layers[i].layer;

		for (int j = 0; j < layer->n_weights; j++)
		{
			const AiWeight *weight = &layer->weight[j];
			const float *from = find_base_weight(build->base, layer, weight);

			if (from == NULL)
				continue;
			memcpy((weight->is_state ? build->states : build->weights) + weight->offset, from,
				   weight->size * sizeof(float));
			n++;
		}
	}
	return n;
}

static AiCode
make_weights(AiNetworkBuild *build, const AiHost *host, AiError *err)
{
	const AiGraph *graph = &build->graph;

	build->weights = ai_arena_alloc_zero(build->arena, graph->n_weights + 1, sizeof(float));
	build->states = ai_arena_alloc_zero(build->arena, graph->n_states + 1, sizeof(float));
	if (build->weights == NULL || build->states == NULL)
		return ai_out_of_memory(err, graph->n_weights * sizeof(float), "the weights of a network");
	AI_TRY(ai_graph_initialise(graph, build->weights, build->states,
							   (uint64_t) build->options->seed, host, err));
	if (build->base == NULL || take_base_weights(build) > 0)
		return AI_OK;
	ai_fail(err, AI_ERR_PARAM, "no layer has the name and the shape of one of the base");
	ai_hint(err, "Layers begin with the base's weights where their \"name\" and shape are the same.");
	return AI_ERR_PARAM;
}

/*
 * Normalisation by the rows that are learnt from
 */
typedef struct Adapting
{
	const AiNetworkRows *rows;
	AiFitReader reader;
	float	   *input;			/* [shape of a sample] */
	double	   *mean;			/* [n] */
	double	   *squares;		/* [n], from the mean */
	size_t		n;
	size_t		n_sample;
} Adapting;

static void
add_sample(Adapting *a, double *count)
{
	for (size_t first = 0; first < a->n_sample; first += a->n)
	{
		*count += 1;
		for (size_t j = 0; j < a->n; j++)
		{
			double		x = (double) a->input[first + j];
			double		before = x - a->mean[j];

			a->mean[j] += before / *count;
			a->squares[j] += before * (x - a->mean[j]);
		}
	}
}

static AiCode
adapt(AiNetworkBuild *build, Adapting *a, const AiLayer *layer, const AiHost *host, AiError *err)
{
	const AiSamples *samples = a->rows->samples;
	void	   *record = ai_arena_alloc(build->arena, ai_samples_record_size(samples));
	float	   *states = build->states;
	double		count = 0;

	a->n = layer->weight[0].size;
	a->mean = ai_arena_alloc_zero(build->arena, a->n, sizeof(double));
	a->squares = ai_arena_alloc_zero(build->arena, a->n, sizeof(double));
	a->input = ai_arena_alloc(build->arena, a->n_sample * sizeof(float));
	if (record == NULL || a->mean == NULL || a->squares == NULL || a->input == NULL)
		return ai_out_of_memory(err, a->n_sample * sizeof(float), "normalisation");
	for (int64_t i = 0; i < ai_samples_n(samples, false); i++)
	{
		if (i % ROWS_PER_QUESTION == 0 && ai_host_should_stop(host))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		AI_TRY(ai_samples_read(samples, false, &i, 1, record, err));
		a->reader.input(a->reader.ud, record, a->input);
		add_sample(a, &count);
	}
	for (size_t j = 0; j < a->n && count > 0; j++)
	{
		states[layer->weight[0].offset + j] = (float) a->mean[j];
		states[layer->weight[1].offset + j] = (float) (a->squares[j] / count);
	}
	return AI_OK;
}

static AiCode
adapt_layers(AiNetworkBuild *build, const AiNetworkRows *rows, const AiHost *host, AiError *err)
{
	for (int i = 0; i < build->graph.n_layers; i++)
	{
		const AiGraphLayer *it = &build->graph.layers[i];
		Adapting	adapting = {
			.rows = rows, .reader = ai_network_rows_reader(rows),
			.n_sample = ai_shape_size(&build->graph.input)
		};
		int			from = it->input[0];

		if (it->layer.type != &ai_layer_normalize ||
			(build->base != NULL &&
			 find_base_weight(build->base, &it->layer, &it->layer.weight[0]) != NULL))
			continue;
		while (from != AI_INPUT && build->graph.layers[from].layer.is_view)
			from = build->graph.layers[from].input[0];
		if (from != AI_INPUT)
		{
			ai_fail(err, AI_ERR_PARAM, "layer \"%s\" cannot be adapted to the data", it->layer.name);
			ai_detail(err, "A normalize layer takes its mean and variance from the rows, so its input "
					  "has to be that of the network.");
			return AI_ERR_PARAM;
		}
		AI_TRY(adapt(build, &adapting, &it->layer, host, err));
	}
	return AI_OK;
}

AiCode
ai_network_build_finish(AiNetworkBuild *build, AiNetworkRows *rows, size_t n_words,
						const AiHost *host, AiError *err)
{
	AI_TRY(make_graph(build, &rows->format, n_words, err));
	AI_TRY(check_outputs(build, rows, err));
	AI_TRY(ai_network_head_choose(&build->head, &build->definition, build->options,
								  rows->format.task,
								  ai_shape_last(&ai_graph_last(&build->graph)->output), err));
	/* once more, since the head may have taken the last activation */
	AI_TRY(make_graph(build, &rows->format, n_words, err));
	rows->place_size = build->head.place_size;
	AI_TRY(make_weights(build, host, err));
	return adapt_layers(build, rows, host, err);
}
