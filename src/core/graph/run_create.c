/*-------------------------------------------------------------------------
 * run_create.c
 *		Making a run: its program, its memory.
 *-------------------------------------------------------------------------
 */
#include "core/graph/run_internal.h"

#include <string.h>

#include "core/kernels/kernels.h"

#define MIN_SHARD_ROWS 16

/* Shards of a batch, as long as they are not smaller than that */
#define FEW_SHARDS 2
#define SOME_SHARDS 4
#define LARGE_ROW 4096			/* numbers of all layers together */

/*
 * Every shard reads all weights, and every lane has gradients of its own.  Where rows are small, or
 * those are more than the numbers of all rows, fewer shards are faster, even on some threads.
 */
static int
min_shards(const AiGraph *graph)
{
	size_t		n_row = 0;

	for (int i = 0; i < graph->n_layers; i++)
		n_row += ai_shape_size(&graph->layers[i].layer.output);
	return n_row < LARGE_ROW || n_row * AI_SHARD_ROWS < graph->n_dense ? FEW_SHARDS : SOME_SHARDS;
}

int
ai_run_shard_rows(const AiRun *run, int64_t batch_rows)
{
	int64_t		n = (batch_rows + run->min_shards - 1) / run->min_shards;

	n = (n + 7) / 8 * 8;
	n = n > MIN_SHARD_ROWS ? n : MIN_SHARD_ROWS;
	return (int) (n < AI_SHARD_ROWS ? n : AI_SHARD_ROWS);
}

/* The most that a batch of up to so many rows has */
static int
max_shards(const AiRun *run)
{
	int64_t		max_rows = run->max_rows;
	int64_t		n_small = (max_rows + MIN_SHARD_ROWS - 1) / MIN_SHARD_ROWS;
	int64_t		n_large = (max_rows + AI_SHARD_ROWS - 1) / AI_SHARD_ROWS;

	n_small = n_small < run->min_shards ? n_small : run->min_shards;
	return (int) (n_small > n_large ? n_small : n_large);
}

/*
 * The program
 */

static void
add_operation(AiRun *run, AiRunAction action, int layer, bool is_backward)
{
	run->program[run->n_operations++] = (AiRunOperation) {action, layer, is_backward};
}

static void
add_meeting(AiRun *run, AiRunAction action, int layer)
{
	if (run->graph->layers[layer].layer.n_sums == 0)
		return;
	add_operation(run, action, layer, false);
	add_operation(run, AI_RUN_MEET, layer, action == AI_RUN_SUM_BACKWARD);
	run->has_meetings = true;
}

static AiCode
write_program(AiRun *run, AiError *err)
{
	const AiGraph *graph = run->graph;
	size_t		n_most = 6 * (size_t) graph->n_layers + 2;

	run->program = ai_arena_alloc(&run->arena, n_most * sizeof(AiRunOperation));
	run->layer_sums = ai_arena_alloc(&run->arena, (size_t) graph->n_layers * sizeof(size_t));
	if (run->program == NULL || run->layer_sums == NULL)
		return ai_out_of_memory(err, n_most * sizeof(AiRunOperation), "the plan of a network");
	if (run->pool != NULL)
		add_operation(run, AI_RUN_LOAD, 0, false);
	for (int i = 0; i < graph->n_layers; i++)
	{
		run->layer_sums[i] = run->n_sums;
		run->n_sums += 2 * (size_t) graph->layers[i].layer.n_sums;
		if (graph->layers[i].layer.is_view)
			continue;
		if (run->pool != NULL)
			add_meeting(run, AI_RUN_SUM_FORWARD, i);
		add_operation(run, AI_RUN_FORWARD, i, false);
	}
	if (run->pool == NULL)
		return AI_OK;
	add_operation(run, AI_RUN_LOSS, graph->n_layers - 1, false);
	for (int i = graph->n_layers - 1; i >= 0; i--)
	{
		if (graph->layers[i].layer.is_view || !graph->layers[i].has_gradient)
			continue;
		add_meeting(run, AI_RUN_SUM_BACKWARD, i);
		add_operation(run, AI_RUN_BACKWARD, i, false);
	}
	return AI_OK;
}

/*
 * Making
 */

static void *
alloc_numbers(AiRun *run, size_t n_items, size_t n_numbers)
{
	size_t		n;

	if (!ai_mul_size(&n, n_items, n_numbers) || !ai_mul_size(&n, n, sizeof(float)))
		return NULL;
	return ai_arena_alloc(&run->arena, n > 0 ? n : 1);
}

static size_t
largest_output(const AiGraph *graph)
{
	size_t		largest = 0;

	for (int i = 0; i < graph->n_layers; i++)
	{
		size_t		size = ai_shape_size(&graph->layers[i].layer.output);

		largest = size > largest ? size : largest;
	}
	return largest;
}

static AiCode
alloc_all(AiRun *run, AiError *err)
{
	const AiGraph *graph = run->graph;
	bool		is_training = run->pool != NULL;
	bool		has_gradients = is_training && graph->n_trained > 0;

	run->slots = alloc_numbers(run, (size_t) run->n_slots, run->slot_size);
	run->scratch = alloc_numbers(run, (size_t) run->n_lanes, run->scratch_size);
	if (is_training)
	{
		run->loaded = alloc_numbers(run, (size_t) run->max_rows, ai_shape_size(&graph->input));
		run->derived = alloc_numbers(run, 1, graph->n_derived);
		if (has_gradients)
			run->lane_gradients = ai_arena_alloc_zero(&run->arena, (size_t) run->n_lanes,
													  graph->n_dense * sizeof(float));
		run->sums = alloc_numbers(run, (size_t) run->n_slots, 2 * run->n_sums);	/* doubles */
	}
	else
		run->result = alloc_numbers(run, (size_t) run->max_rows, largest_output(graph));
	if (run->slots == NULL || run->scratch == NULL ||
		(is_training && (run->loaded == NULL || run->derived == NULL || run->sums == NULL)) ||
		(has_gradients && run->lane_gradients == NULL) ||
		(!is_training && run->result == NULL))
		return ai_out_of_memory(err, (size_t) run->n_slots * run->slot_size * sizeof(float),
								"the layers of a network");
	return AI_OK;
}

/* Embeddings whose rows are trained */
static AiCode
make_rows(AiRun *run, AiError *err)
{
	const AiGraph *graph = run->graph;

	run->rows = ai_arena_alloc_zero(&run->arena, (size_t) graph->n_layers, sizeof(AiRunEmbedding));
	if (run->rows == NULL)
		return ai_out_of_memory(err, (size_t) graph->n_layers * sizeof(AiRunEmbedding), "a network");
	for (int i = 0; i < graph->n_layers; i++)
	{
		const AiLayer *layer = &graph->layers[i].layer;

		for (int j = 0; j < layer->n_weights && !graph->layers[i].is_frozen; j++)
		{
			if (layer->weight[j].is_rows)
				run->rows[run->n_rows_weights++] = (AiRunEmbedding) {
					.layer = i, .weight = &layer->weight[j],
					.n_places = ai_shape_size(&layer->input[0])
				};
		}
	}
	return AI_OK;
}

static AiCode
alloc_rows(AiRun *run, AiRunEmbedding *rows, AiError *err)
{
	size_t		n_rows = (size_t) rows->weight->dims[0];
	size_t		n = (size_t) run->max_rows * rows->n_places;

	n = n < n_rows ? n : n_rows;
	rows->place = alloc_numbers(run, n_rows, 1);
	rows->index = alloc_numbers(run, n, 1);
	rows->gradient = alloc_numbers(run, n, (size_t) rows->weight->dims[1]);
	if (rows->place == NULL || rows->index == NULL || rows->gradient == NULL)
		return ai_out_of_memory(err, (n_rows + n) * sizeof(float), "the gradients of an embedding");
	memset(rows->place, 0xFF, n_rows * sizeof(uint32_t));
	return AI_OK;
}

static AiCode
create(AiRun *run, AiError *err)
{
	bool		is_training = run->pool != NULL;

	AI_TRY(write_program(run, err));
	run->min_shards = min_shards(run->graph);
	run->slot_rows = is_training ? ai_run_shard_rows(run, run->max_rows) :
		(int) (run->max_rows < AI_SHARD_ROWS ? run->max_rows : AI_SHARD_ROWS);
	run->n_slots = is_training ? max_shards(run) : 1;
	run->n_lanes = run->n_slots < AI_MAX_LANES ? run->n_slots : AI_MAX_LANES;

	/* Inputs of late gradients are kept for all shards; that takes no more memory than lanes do. */
	run->has_late = is_training && run->n_slots <= AI_MAX_LANES;

	/* Only what is looked at after a lane has gone on needs a place for each shard. */
	if (is_training)
		AI_TRY(make_rows(run, err));
	if (!run->has_meetings && run->n_rows_weights == 0)
		run->n_slots = run->n_lanes;
	AI_TRY(ai_run_lay_out(run, err));
	for (int i = 0; i < run->n_rows_weights; i++)
		AI_TRY(alloc_rows(run, &run->rows[i], err));
	return alloc_all(run, err);
}

static AiCode
create_run(AiRun **result, const AiHost *host, const AiGraph *graph, AiPool *pool,
		   int64_t max_rows, AiError *err)
{
	AiRun	   *run = ai_host_alloc(host, sizeof(AiRun));
	AiCode		code;

	*result = NULL;
	if (run == NULL)
		return ai_out_of_memory(err, sizeof(AiRun), "a network");
	memset(run, 0, sizeof(*run));
	ai_arena_init(&run->arena, host);
	run->graph = graph;
	run->pool = pool;
	run->max_rows = max_rows;
	code = create(run, err);
	if (code == AI_OK)
		*result = run;
	else
		ai_run_destroy(run);
	return code;
}

AiCode
ai_run_create(AiRun **run, const AiHost *host, const AiGraph *graph, int max_rows, AiError *err)
{
	return create_run(run, host, graph, NULL, max_rows, err);
}

AiCode
ai_run_create_training(AiRun **run, const AiHost *host, const AiGraph *graph, AiPool *pool,
					   int64_t max_rows, AiError *err)
{
	*run = NULL;
	AI_TRY(ai_blas_prepare(err));
	return create_run(run, host, graph, pool, max_rows, err);
}

size_t
ai_run_memory(const AiRun *run)
{
	return run->arena.total;
}

int
ai_run_n_rows(const AiRun *run)
{
	return run->n_rows_weights;
}

AiRunRows
ai_run_rows(const AiRun *run, int number)
{
	return run->rows[number].found;
}

void
ai_run_destroy(AiRun *run)
{
	const AiHost *host;

	if (run == NULL)
		return;
	host = run->arena.host;
	ai_arena_free(&run->arena);
	ai_host_release(host, run);
}
