/*-------------------------------------------------------------------------
 * run_layout.c
 *		Where each array of a shard lies in its slot.
 *
 * Moments: 0 .. n - 1 forward through the layers, n the loss, n + 1 .. 2n backward, 2n + 1
 * what comes after the last shard.
 *-------------------------------------------------------------------------
 */
#include "core/graph/run_internal.h"

#include "core/graph/plan.h"

static int
back_moment(const AiGraph *graph, int layer)
{
	return 2 * graph->n_layers - layer;
}

static int
after_all(const AiGraph *graph)
{
	return 2 * graph->n_layers + 1;
}

static bool
reads_input_backward(const AiGraphLayer *it)
{
	return it->has_gradient && it->layer.needs_input;
}

static void
extend(AiPlanned *array, int moment)
{
	array->from = moment < array->from ? moment : array->from;
	array->to = moment > array->to ? moment : array->to;
}

enum
{
	OUTPUT,
	SAVED,
	MASK,
	D_OUTPUT,
	EXTRA,
	N_ARRAYS = EXTRA + AI_LAYER_MAX_INPUTS
};

static void
plan_output(const AiRun *run, AiPlanned *arrays, int number, size_t rows, bool is_training)
{
	const AiGraph *graph = run->graph;
	const AiGraphLayer *it = &graph->layers[number];
	AiPlanned  *output = &arrays[number * N_ARRAYS + OUTPUT];

	output->size = rows * ai_shape_size(&it->layer.output);
	output->from = output->to = number;
	if (number == ai_run_owner(graph, graph->n_layers - 1))
		extend(output, graph->n_layers);
	if (is_training && it->has_gradient && it->layer.needs_output)
		extend(output, back_moment(graph, number));
	for (int i = number + 1; i < graph->n_layers; i++)
	{
		const AiGraphLayer *reader = &graph->layers[i];

		for (int j = 0; j < reader->layer.n_inputs; j++)
		{
			if (reader->layer.is_view || ai_run_owner(graph, reader->input[j]) != number)
				continue;
			extend(output, i);
			if (is_training && reads_input_backward(reader))
				extend(output, back_moment(graph, i));
			if (ai_run_keeps(run, reader))
				extend(output, after_all(graph));
		}
	}
}

/*
 * The gradient of an output: written by the last of its readers, which comes first on the
 * way back; what the others give is added to it.
 */
static void
plan_gradient(const AiGraph *graph, AiPlanned *arrays, AiRunPlaces *places, int number,
			  size_t rows)
{
	const AiGraphLayer *it = &graph->layers[number];
	AiPlanned  *gradient = &arrays[number * N_ARRAYS + D_OUTPUT];
	bool		is_written = number == ai_run_owner(graph, graph->n_layers - 1);

	if (!it->has_gradient)
		return;
	gradient->size = rows * ai_shape_size(&it->layer.output);
	gradient->from = gradient->to = back_moment(graph, number);
	if (is_written)
		extend(gradient, graph->n_layers);

	/* Rows of embeddings are gathered when all shards are done. */
	for (int i = 0; i < it->layer.n_weights; i++)
	{
		if (it->layer.weight[i].is_rows)
			extend(gradient, after_all(graph));
	}
	for (int i = graph->n_layers - 1; i > number; i--)
	{
		const AiGraphLayer *reader = &graph->layers[i];

		for (int j = 0; j < reader->layer.n_inputs; j++)
		{
			AiPlanned  *extra = &arrays[i * N_ARRAYS + EXTRA + j];

			if (reader->layer.is_view || ai_run_owner(graph, reader->input[j]) != number)
				continue;
			extend(gradient, back_moment(graph, i));
			if (is_written)
			{
				extra->size = gradient->size;
				extra->from = extra->to = back_moment(graph, i);
				places[i].is_extra[j] = true;
			}
			is_written = true;
		}
	}
}

static void
plan_layers(const AiRun *run, AiPlanned *arrays, size_t rows, bool is_training)
{
	const AiGraph *graph = run->graph;

	for (int i = 0; i < graph->n_layers; i++)
	{
		const AiLayer *layer = &graph->layers[i].layer;
		AiPlanned  *own = &arrays[i * N_ARRAYS];

		if (layer->is_view)
			continue;
		plan_output(run, arrays, i, rows, is_training);
		if (is_training)
			plan_gradient(graph, arrays, run->places, i, rows);
		own[SAVED] = (AiPlanned) {
			rows * layer->saved_size, i, is_training ? back_moment(graph, i) : i, 0
		};
		if (ai_run_keeps(run, &graph->layers[i]))
			extend(&own[SAVED], after_all(graph));
		if (layer->makes_mask)
			own[MASK] = (AiPlanned) {
				(rows * (size_t) layer->output.dims[0] + sizeof(float) - 1) / sizeof(float),
				i, after_all(graph), 0
			};
	}
}

static void
take_places(const AiGraph *graph, const AiPlanned *arrays, AiRunPlaces *places)
{
	for (int i = 0; i < graph->n_layers; i++)
	{
		const AiPlanned *own = &arrays[i * N_ARRAYS];

		places[i].output = own[OUTPUT].offset;
		places[i].saved = own[SAVED].offset;
		places[i].mask = own[MASK].offset;
		places[i].d_output = own[D_OUTPUT].offset;
		for (int j = 0; j < AI_LAYER_MAX_INPUTS; j++)
			places[i].d_extra[j] = own[EXTRA + j].offset;
	}
}

AiCode
ai_run_lay_out(AiRun *run, AiError *err)
{
	const AiGraph *graph = run->graph;
	size_t		rows = (size_t) run->slot_rows;
	bool		is_training = run->pool != NULL;
	int			n = graph->n_layers * N_ARRAYS;
	AiPlanned  *arrays = ai_arena_alloc_zero(&run->arena, (size_t) n, sizeof(AiPlanned));
	int		   *scratch = ai_arena_alloc(&run->arena, 2 * (size_t) n * sizeof(int));

	run->places = ai_arena_alloc_zero(&run->arena, (size_t) graph->n_layers, sizeof(AiRunPlaces));
	if (arrays == NULL || scratch == NULL || run->places == NULL)
		return ai_out_of_memory(err, (size_t) n * sizeof(AiPlanned), "the plan of a network");
	plan_layers(run, arrays, rows, is_training);
	run->slot_size = ai_plan(arrays, n, scratch);
	take_places(graph, arrays, run->places);
	for (int i = 0; i < graph->n_layers; i++)
	{
		const AiLayer *layer = &graph->layers[i].layer;
		size_t		size = rows * layer->scratch_size + layer->scratch_fixed;

		run->scratch_size = size > run->scratch_size ? size : run->scratch_size;
	}
	run->scratch_size = (run->scratch_size + 15) / 16 * 16;
	return AI_OK;
}
