/*-------------------------------------------------------------------------
 * network_explain.c
 *		Integrated gradients.
 *
 * The way is watched at one layer: at an embedding, whose output is bent to a part of what it is,
 * or at a layer put in front that changes nothing.  A batch of a run is some steps of the way, with
 * all weights frozen and layers doing what they do when the network is applied.
 *-------------------------------------------------------------------------
 */
#include "core/model/network_explain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/pool.h"
#include "core/graph/run.h"
#include "core/layer/layers.h"
#include "core/model/network_internal.h"

#define BATCH_STEPS 64
#define MAX_STEPS 1024
#define SMALL_GAP 0.01			/* of the score's way */

typedef struct Explaining
{
	AiArena    *arena;			/* borrowed, like network and row */
	const AiNetwork *network;
	const AiNetworkRow *row;
	int			answer;

	AiDefinition definition;
	AiGraph		graph;
	int			watched;
	bool		is_embedding;
	AiPool	   *pool;
	AiRun	   *run;

	float	   *input;			/* [n_inputs] */
	float	   *baseline;		/* [n_inputs] */
	size_t		n_inputs;
	size_t		n_watched;		/* numbers of the watched output */
	double	   *gradient;		/* [n_watched], summed over steps; NULL: nobody asks */

	/* The batch: places on the way, 0 to 1 */
	double		place[BATCH_STEPS];
	double		score[BATCH_STEPS];
} Explaining;

/*
 * The graph
 */
static int
find_embedding(const AiNetwork *network)
{
	for (int i = 0; i < network->graph.n_layers; i++)
	{
		if (network->definition.layers[i].type == &ai_layer_embedding)
			return i;
	}
	return AI_INPUT;
}

static AiCode
add_front(Explaining *e, AiError *err)
{
	static const char json[] = "[{\"rescale\": 1}]";
	AiDefinition front;

	AI_TRY(ai_definition_parse(&front, e->arena, ai_layer_types, json, sizeof(json) - 1, err));
	e->definition.layers[0] = front.layers[0];
	e->definition.layers[0].name = "";
	return AI_OK;
}

static AiCode
copy_definition(Explaining *e, AiError *err)
{
	const AiDefinition *from = &e->network->definition;
	int			shift = e->is_embedding ? 0 : 1;

	e->definition = *from;
	e->definition.n_layers = from->n_layers + shift;
	e->definition.layers = ai_arena_alloc(e->arena, (size_t) e->definition.n_layers *
										  sizeof(AiLayerDefinition));
	if (e->definition.layers == NULL)
		return ai_out_of_memory(err, (size_t) from->n_layers * sizeof(AiLayerDefinition), "layers");
	if (!e->is_embedding)
		AI_TRY(add_front(e, err));
	for (int i = 0; i < from->n_layers; i++)
	{
		AiLayerDefinition *layer = &e->definition.layers[i + shift];

		*layer = from->layers[i];
		layer->is_frozen = true;
		for (int j = 0; j < layer->n_inputs && !e->is_embedding; j++)
			layer->input[j] = layer->input[j] == AI_INPUT ? 0 : layer->input[j] + shift;
	}
	return AI_OK;
}

/* Weights have the places that they have in the network: the layer in front has none. */
static AiCode
make_graph(Explaining *e, AiError *err)
{
	AiGraph    *graph = &e->graph;

	AI_TRY(copy_definition(e, err));
	AI_TRY(ai_graph_create(graph, e->arena, &e->definition, &e->network->parts.shape, err));
	for (int i = 0; i < graph->n_layers; i++)
	{
		AiGraphLayer *it = &graph->layers[i];

		it->has_gradient = i == e->watched;
		for (int j = 0; j < it->layer.n_inputs; j++)
			it->has_gradient |= it->input[j] != AI_INPUT &&
				graph->layers[it->input[j]].has_gradient;
	}
	e->n_watched = ai_shape_size(&graph->layers[e->watched].layer.output);
	return AI_OK;
}

/*
 * The way
 */

/* Where numbers are normalised first, their mean says the least. */
static void
find_baseline(Explaining *e)
{
	const AiGraph *graph = &e->network->graph;

	memset(e->baseline, 0, e->n_inputs * sizeof(float));
	for (int i = 0; i < graph->n_layers && !e->is_embedding; i++)
	{
		const AiLayer *layer = &graph->layers[i].layer;

		if (layer->type != &ai_layer_normalize || graph->layers[i].input[0] != AI_INPUT)
			continue;
		for (size_t j = 0; j < e->n_inputs; j++)
			e->baseline[j] = e->network->parts.states[layer->weight[0].offset +
													  j % layer->weight[0].size];
	}
}

static void
load(void *arg, int lane, int64_t first_row, int n_rows, float *input)
{
	const Explaining *e = arg;

	(void) lane;
	for (int i = 0; i < n_rows; i++, input += e->n_inputs)
	{
		double		place = e->place[first_row + i];

		memcpy(input, e->input, e->n_inputs * sizeof(float));
		for (size_t j = 0; j < e->n_inputs && !e->is_embedding; j++)
			input[j] = (float) ((double) e->baseline[j] +
								place * ((double) e->input[j] - (double) e->baseline[j]));
	}
}

static void
bend(void *arg, int64_t first_row, int n_rows, float *output)
{
	const Explaining *e = arg;

	for (int i = 0; i < n_rows; i++, output += e->n_watched)
	{
		for (size_t j = 0; j < e->n_watched; j++)
			output[j] *= (float) e->place[first_row + i];
	}
}

static void
see(void *arg, int64_t first_row, int n_rows, const float *d_output)
{
	Explaining *e = arg;

	(void) first_row;
	for (int i = 0; i < n_rows && e->gradient != NULL; i++, d_output += e->n_watched)
	{
		for (size_t j = 0; j < e->n_watched; j++)
			e->gradient[j] += (double) d_output[j];
	}
}

/* The score of an output, and its gradient */
static double
score_of(const Explaining *e, const float *output, float *d_output)
{
	bool		is_classes = e->network->parts.task == AI_NETWORK_CLASSES;
	size_t		n = ai_shape_size(&ai_graph_last(&e->graph)->output);
	int			other = 1 - e->answer;

	memset(d_output, 0, n * sizeof(float));
	if (is_classes && n == 1)
	{
		d_output[0] = e->answer == 1 ? 1 : -1;
		return (double) (d_output[0] * output[0]);
	}
	d_output[e->answer] = 1;
	if (!is_classes || n > 2)
		return (double) output[e->answer];
	d_output[other] = -1;
	return (double) output[e->answer] - (double) output[other];
}

static double
measure(void *arg, int lane, int64_t first_row, int n_rows, const float *output,
		const uint8_t *mask, float *d_output)
{
	Explaining *e = arg;
	size_t		n = ai_shape_size(&ai_graph_last(&e->graph)->output);

	(void) lane;
	(void) mask;
	for (int i = 0; i < n_rows; i++)
		e->score[first_row + i] = score_of(e, output + (size_t) i * n, d_output + (size_t) i * n);
	return 0;
}

static AiCode
run_batch(Explaining *e, int n_rows, AiError *err)
{
	AiRunBatch	batch = {
		.n_rows = n_rows, .arg = e, .load = load, .loss = measure, .is_applied = true,
		.watched = e->watched, .bend = e->is_embedding ? bend : NULL, .see = see
	};
	double		unused;

	return ai_run_step(e->run, e->network->parts.weights, (float *) e->network->parts.states,
					   &batch, &unused, err);
}

static AiCode
find_ends(Explaining *e, AiNetworkExplanation *explanation, AiError *err)
{
	double	   *gradient = e->gradient;

	e->gradient = NULL;
	e->place[0] = 0;
	e->place[1] = 1;
	AI_TRY(run_batch(e, 2, err));
	e->gradient = gradient;
	explanation->baseline = e->score[0];
	explanation->score = e->score[1];
	return AI_OK;
}

/* In the middle of each of n_steps parts of the way */
static AiCode
walk(Explaining *e, int n_steps, AiError *err)
{
	memset(e->gradient, 0, e->n_watched * sizeof(double));
	for (int first = 0; first < n_steps; first += BATCH_STEPS)
	{
		for (int i = 0; i < BATCH_STEPS; i++)
			e->place[i] = (first + i + 0.5) / n_steps;
		AI_TRY(run_batch(e, BATCH_STEPS, err));
	}
	for (size_t j = 0; j < e->n_watched; j++)
		e->gradient[j] /= n_steps;
	return AI_OK;
}

/*
 * Contributions
 */
static double
contribution_of(const Explaining *e, size_t number)
{
	const AiLayer *layer = &e->graph.layers[e->watched].layer;
	size_t		width = e->is_embedding ? (size_t) layer->weight[0].dims[1] : 1;
	const float *row;
	double		sum = 0;

	if (!e->is_embedding)
		return e->gradient[number] * ((double) e->input[number] - (double) e->baseline[number]);
	row = e->network->parts.weights + layer->weight[0].offset + (size_t) e->input[number] * width;
	for (size_t j = 0; j < width; j++)
		sum += e->gradient[number * width + j] * (double) row[j];
	return sum;
}

static double
gap_of(const Explaining *e, const AiNetworkExplanation *explanation)
{
	double		gap = explanation->score - explanation->baseline;

	for (size_t i = 0; i < e->n_inputs; i++)
		gap -= contribution_of(e, i);
	return gap;
}

static int
compare_contributions(const void *a, const void *b)
{
	const AiNetworkContribution *x = a;
	const AiNetworkContribution *y = b;

	if (fabs(x->contribution) != fabs(y->contribution))
		return fabs(x->contribution) < fabs(y->contribution) ? 1 : -1;
	return (x->number > y->number) - (x->number < y->number);
}

/* Which bytes of a text each of its words is */
static AiCode
find_spans(const Explaining *e, AiNetworkContribution *contributions, size_t *n, AiError *err)
{
	AiNgramSpan *spans = ai_arena_alloc(e->arena, e->n_inputs * sizeof(AiNgramSpan));

	*n = e->n_inputs;
	if (e->network->parts.input != AI_NETWORK_WORDS)
		return AI_OK;
	if (spans == NULL)
		return ai_out_of_memory(err, e->n_inputs * sizeof(AiNgramSpan), "words");
	AI_TRY(ai_words_find_spans(spans, n, e->n_inputs, e->row->bytes, e->row->len, e->arena->host,
							   err));
	for (size_t i = 0; i < *n; i++)
	{
		contributions[i].start = spans[i].start;
		contributions[i].end = spans[i].end;
	}
	return AI_OK;
}

static AiCode
list_contributions(const Explaining *e, AiNetworkExplanation *explanation, AiError *err)
{
	AiNetworkContribution *list = ai_arena_alloc_zero(e->arena, e->n_inputs,
													  sizeof(AiNetworkContribution));
	bool		is_text = e->network->parts.input == AI_NETWORK_WORDS;
	size_t		n;

	if (list == NULL)
		return ai_out_of_memory(err, e->n_inputs * sizeof(AiNetworkContribution), "contributions");
	AI_TRY(find_spans(e, list, &n, err));
	for (size_t i = 0; i < n; i++)
	{
		list[i].number = i;
		list[i].value = is_text ? 1 : (double) e->input[i];
		list[i].contribution = contribution_of(e, i);
	}
	qsort(list, n, sizeof(AiNetworkContribution), compare_contributions);
	explanation->contributions = list;
	explanation->n = n;
	return AI_OK;
}

/*
 * All together
 */
static AiCode
prepare(Explaining *e, AiError *err)
{
	const AiNetworkParts *parts = &e->network->parts;
	int			embedding = find_embedding(e->network);

	if (parts->task == AI_NETWORK_STEPS)
		return ai_fail(err, AI_ERR_UNSUPPORTED, "labels of steps cannot be explained");
	e->is_embedding = embedding != AI_INPUT;
	e->watched = e->is_embedding ? embedding : 0;
	e->n_inputs = ai_shape_size(&parts->shape);
	AI_TRY(make_graph(e, err));
	e->input = ai_arena_alloc(e->arena, e->n_inputs * sizeof(float));
	e->baseline = ai_arena_alloc(e->arena, e->n_inputs * sizeof(float));
	e->gradient = ai_arena_alloc(e->arena, e->n_watched * sizeof(double));
	if (e->input == NULL || e->baseline == NULL || e->gradient == NULL)
		return ai_out_of_memory(err, e->n_watched * sizeof(double), "gradients");
	AI_TRY(ai_network_read_row(e->network, e->row, e->input, e->arena->host, err));
	find_baseline(e);
	AI_TRY(ai_pool_create(&e->pool, e->arena->host, 1, err));
	return ai_run_create_training(&e->run, e->arena->host, &e->graph, e->pool, BATCH_STEPS, err);
}

static AiCode
explain(Explaining *e, AiNetworkExplanation *explanation, AiError *err)
{
	AI_TRY(prepare(e, err));
	AI_TRY(find_ends(e, explanation, err));
	for (int n = BATCH_STEPS;; n *= 4)
	{
		explanation->n_steps = n;
		AI_TRY(walk(e, n, err));
		explanation->gap = gap_of(e, explanation);
		if (n == MAX_STEPS || fabs(explanation->gap) <=
			SMALL_GAP * fabs(explanation->score - explanation->baseline))
			break;
	}
	return list_contributions(e, explanation, err);
}

AiCode
ai_network_explain(AiNetworkExplanation *explanation, AiArena *arena, const AiNetwork *network,
				   const AiNetworkRow *row, int answer, AiError *err)
{
	Explaining	e = {.arena = arena, .network = network, .row = row, .answer = answer};
	AiCode		code = explain(&e, explanation, err);

	ai_run_destroy(e.run);
	ai_pool_destroy(e.pool);
	return code;
}
