/*-------------------------------------------------------------------------
 * run.c
 *		Rows through a graph: laying out the memory, forward, backward.
 *
 * Training goes through a program of operations, made once: forward through all layers,
 * the loss, backward.  Where sums of the whole batch are needed the program has a meeting:
 * all lanes come up to it, the sums of shards are added in their order, all go on.
 *-------------------------------------------------------------------------
 */
#include "core/graph/run.h"

#include <string.h>

#include "core/graph/plan.h"
#include "core/kernels/kernels.h"

#define MIN_SHARD_ROWS 16
#define MIN_SHARDS 4			/* as long as they are not smaller than that */
#define NUMBERS_PER_TASK 16384	/* of gradients that are added up */

/* What lies in a slot: the memory of one shard */
typedef struct LayerPlaces
{
	size_t		output;
	size_t		saved;
	size_t		mask;
	size_t		d_output;		/* the gradient of the loss by the output */
	size_t		d_extra[AI_LAYER_MAX_INPUTS];	/* a second gradient of an input, until it is added */
	bool		is_extra[AI_LAYER_MAX_INPUTS];
} LayerPlaces;

/* Gradients of the rows of an embedding */
typedef struct Rows
{
	int			layer;
	const AiWeight *weight;
	size_t		n_places;		/* that look a row up, of one row of the batch */
	uint32_t   *place;			/* [dims[0]] in index; NOWHERE between steps */
	AiRunRows	found;
	uint32_t   *index;			/* [max_rows * n_places] */
	float	   *gradient;
} Rows;

#define NOWHERE UINT32_MAX

typedef enum Action
{
	LOAD,
	FORWARD,
	SUM_FORWARD,
	LOSS,
	SUM_BACKWARD,
	BACKWARD,
	MEET						/* sums are complete */
} Action;

typedef struct Operation
{
	Action		action;
	int			layer;
	bool		is_backward;	/* of a meeting */
} Operation;

struct AiRun
{
	AiArena		arena;
	const AiGraph *graph;		/* borrowed */
	AiPool	   *pool;			/* borrowed; NULL: applies only */
	int64_t		max_rows;
	int			slot_rows;		/* rows that a slot has room for */
	int			n_slots;
	int			n_lanes;		/* at most */
	bool		has_meetings;

	/* Memory */
	LayerPlaces *places;		/* [n_layers] */
	size_t		slot_size;		/* numbers */
	float	   *slots;			/* [n_slots, slot_size] */
	size_t		scratch_size;
	float	   *scratch;		/* [n_lanes, scratch_size] */
	float	   *loaded;			/* [max_rows, shape], in training */
	float	   *derived;		/* [graph->n_derived] */
	float	   *lane_gradients; /* [n_lanes, graph->n_weights] */
	double	   *sums;			/* [n_slots, n_sums]; slot 0 gets those of the batch */
	size_t		n_sums;
	size_t	   *layer_sums;		/* [n_layers]: where a layer's begin, forward and then backward */
	Rows	   *rows;			/* [n_rows_weights] */
	int			n_rows_weights;
	float	   *result;			/* [max_rows, what was asked for], when applying */

	Operation  *program;
	int			n_operations;

	/* The batch */
	const AiRunBatch *batch;
	const float *weights;
	float	   *states;
	const float *input;			/* [n_rows, shape] */
	int64_t		n_rows;
	int			shard_rows;
	int			n_shards;
	int			n_batch_lanes;
	double		loss_sum[AI_MAX_LANES];
	float	   *gradients;
	int			begin;			/* the operations of this round */
	int			end;
};

int
ai_shard_rows(int64_t batch_rows)
{
	int64_t		n = (batch_rows + MIN_SHARDS - 1) / MIN_SHARDS;

	n = (n + 7) / 8 * 8;
	n = n > MIN_SHARD_ROWS ? n : MIN_SHARD_ROWS;
	return (int) (n < AI_SHARD_ROWS ? n : AI_SHARD_ROWS);
}

/* The most that a batch of up to so many rows has */
static int
max_shards(int64_t max_rows)
{
	int64_t		n_small = (max_rows + MIN_SHARD_ROWS - 1) / MIN_SHARD_ROWS;
	int64_t		n_large = (max_rows + AI_SHARD_ROWS - 1) / AI_SHARD_ROWS;

	n_small = n_small < MIN_SHARDS ? n_small : MIN_SHARDS;
	return (int) (n_small > n_large ? n_small : n_large);
}

/*
 * Laying out
 *
 * Moments: 0 .. n - 1 forward through the layers, n the loss, 2n .. n + 1 backward.
 */

static int
back_moment(const AiGraph *graph, int layer)
{
	return 2 * graph->n_layers - layer;
}

/* Whose array an output is: views have those that they take */
static int
owner_of(const AiGraph *graph, int layer)
{
	while (layer != AI_INPUT && graph->layers[layer].layer.is_view)
		layer = graph->layers[layer].input[0];
	return layer;
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
plan_output(const AiGraph *graph, AiPlanned *arrays, int number, size_t rows, bool is_training)
{
	const AiGraphLayer *it = &graph->layers[number];
	AiPlanned  *output = &arrays[number * N_ARRAYS + OUTPUT];

	output->size = rows * ai_shape_size(&it->layer.output);
	output->from = output->to = number;
	if (number == owner_of(graph, graph->n_layers - 1))
		extend(output, graph->n_layers);
	if (is_training && it->has_gradient && it->layer.needs_output)
		extend(output, back_moment(graph, number));
	for (int i = number + 1; i < graph->n_layers; i++)
	{
		const AiGraphLayer *reader = &graph->layers[i];

		for (int j = 0; j < reader->layer.n_inputs; j++)
		{
			if (reader->layer.is_view || owner_of(graph, reader->input[j]) != number)
				continue;
			extend(output, i);
			if (is_training && reads_input_backward(reader))
				extend(output, back_moment(graph, i));
		}
	}
}

/*
 * The gradient of an output: written by the last of its readers, which comes first on the
 * way back; what the others give is added to it.
 */
static void
plan_gradient(const AiGraph *graph, AiPlanned *arrays, LayerPlaces *places, int number,
			  size_t rows)
{
	const AiGraphLayer *it = &graph->layers[number];
	AiPlanned  *gradient = &arrays[number * N_ARRAYS + D_OUTPUT];
	bool		is_written = number == owner_of(graph, graph->n_layers - 1);

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
			extend(gradient, 2 * graph->n_layers + 1);
	}
	for (int i = graph->n_layers - 1; i > number; i--)
	{
		const AiGraphLayer *reader = &graph->layers[i];

		for (int j = 0; j < reader->layer.n_inputs; j++)
		{
			AiPlanned  *extra = &arrays[i * N_ARRAYS + EXTRA + j];

			if (reader->layer.is_view || owner_of(graph, reader->input[j]) != number)
				continue;
			extend(gradient, back_moment(graph, i));
			if (is_written)
			{
				*extra = (AiPlanned) {gradient->size, back_moment(graph, i), back_moment(graph, i), 0};
				places[i].is_extra[j] = true;
			}
			is_written = true;
		}
	}
}

static void
plan_layers(const AiGraph *graph, AiPlanned *arrays, LayerPlaces *places, size_t rows,
			bool is_training)
{
	for (int i = 0; i < graph->n_layers; i++)
	{
		const AiLayer *layer = &graph->layers[i].layer;
		AiPlanned  *own = &arrays[i * N_ARRAYS];

		if (layer->is_view)
			continue;
		plan_output(graph, arrays, i, rows, is_training);
		if (is_training)
			plan_gradient(graph, arrays, places, i, rows);
		own[SAVED] = (AiPlanned) {
			rows * layer->saved_size, i, is_training ? back_moment(graph, i) : i, 0
		};
		if (layer->makes_mask)
			own[MASK] = (AiPlanned) {
				(rows * (size_t) layer->output.dims[0] + sizeof(float) - 1) / sizeof(float),
				i, 2 * graph->n_layers + 1, 0
			};
	}
}

static void
take_places(const AiGraph *graph, const AiPlanned *arrays, LayerPlaces *places)
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

static AiCode
lay_out(AiRun *run, size_t rows, bool is_training, AiError *err)
{
	const AiGraph *graph = run->graph;
	int			n = graph->n_layers * N_ARRAYS;
	AiPlanned  *arrays = ai_arena_alloc_zero(&run->arena, (size_t) n, sizeof(AiPlanned));
	int		   *scratch = ai_arena_alloc(&run->arena, 2 * (size_t) n * sizeof(int));

	run->places = ai_arena_alloc_zero(&run->arena, (size_t) graph->n_layers, sizeof(LayerPlaces));
	if (arrays == NULL || scratch == NULL || run->places == NULL)
		return ai_out_of_memory(err, (size_t) n * sizeof(AiPlanned), "the plan of a network");
	plan_layers(graph, arrays, run->places, rows, is_training);
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

/*
 * The program
 */

static void
add_operation(AiRun *run, Action action, int layer, bool is_backward)
{
	run->program[run->n_operations++] = (Operation) {action, layer, is_backward};
}

static void
add_meeting(AiRun *run, Action action, int layer)
{
	if (run->graph->layers[layer].layer.n_sums == 0)
		return;
	add_operation(run, action, layer, false);
	add_operation(run, MEET, layer, action == SUM_BACKWARD);
	run->has_meetings = true;
}

static AiCode
write_program(AiRun *run, AiError *err)
{
	const AiGraph *graph = run->graph;
	size_t		n_most = 6 * (size_t) graph->n_layers + 2;

	run->program = ai_arena_alloc(&run->arena, n_most * sizeof(Operation));
	run->layer_sums = ai_arena_alloc(&run->arena, (size_t) graph->n_layers * sizeof(size_t));
	if (run->program == NULL || run->layer_sums == NULL)
		return ai_out_of_memory(err, n_most * sizeof(Operation), "the plan of a network");
	if (run->pool != NULL)
		add_operation(run, LOAD, 0, false);
	for (int i = 0; i < graph->n_layers; i++)
	{
		run->layer_sums[i] = run->n_sums;
		run->n_sums += 2 * (size_t) graph->layers[i].layer.n_sums;
		if (graph->layers[i].layer.is_view)
			continue;
		if (run->pool != NULL)
			add_meeting(run, SUM_FORWARD, i);
		add_operation(run, FORWARD, i, false);
	}
	if (run->pool == NULL)
		return AI_OK;
	add_operation(run, LOSS, graph->n_layers - 1, false);
	for (int i = graph->n_layers - 1; i >= 0; i--)
	{
		if (graph->layers[i].layer.is_view || !graph->layers[i].has_gradient)
			continue;
		add_meeting(run, SUM_BACKWARD, i);
		add_operation(run, BACKWARD, i, false);
	}
	return AI_OK;
}

/*
 * One shard at one layer
 */

typedef struct Shard
{
	AiRun	   *run;
	int			lane;
	int			number;
	int64_t		first_row;
	int			n_rows;
	float	   *slot;
} Shard;

static const float *
output_of(const Shard *shard, int layer)
{
	const AiRun *run = shard->run;

	layer = owner_of(run->graph, layer);
	if (layer == AI_INPUT)
		return run->input + (size_t) shard->first_row * ai_shape_size(&run->graph->input);
	return shard->slot + run->places[layer].output;
}

static float *
gradient_of(const Shard *shard, int layer)
{
	layer = owner_of(shard->run->graph, layer);
	if (layer == AI_INPUT || !shard->run->graph->layers[layer].has_gradient)
		return NULL;
	return shard->slot + shard->run->places[layer].d_output;
}

static const uint8_t *
mask_of_input(const Shard *shard, const AiGraphLayer *it)
{
	int			from = it->input[0];
	int			mask = from == AI_INPUT ? AI_INPUT : shard->run->graph->layers[from].mask;

	if (mask == AI_INPUT)
		return NULL;
	return (const uint8_t *) (shard->slot + shard->run->places[mask].mask);
}

static uint64_t
seed_of(const AiRun *run, int layer)
{
	AiRng		rng = {run->batch->seed + (uint64_t) layer};

	return ai_rng_next(&rng);
}

/* Weights of this layer for its pass, and where their gradients are summed */
static void
take_weights(const Shard *shard, const AiGraphLayer *it, const float **weight, float **d_weight)
{
	const AiRun *run = shard->run;
	float	   *gradients = run->lane_gradients != NULL ?
		run->lane_gradients + (size_t) shard->lane * run->graph->n_weights : NULL;

	for (int i = 0; i < it->layer.n_weights; i++)
	{
		const AiWeight *w = &it->layer.weight[i];

		weight[i] = (w->is_state ? run->states : run->weights) + w->offset;
		d_weight[i] = w->is_state || w->is_rows || it->is_frozen || gradients == NULL ? NULL :
			gradients + w->offset;
	}
}

static void
set_pass(AiPass *pass, const Shard *shard, int number, const float *const *weight,
		 float *const *d_weight)
{
	AiRun	   *run = shard->run;
	const AiGraphLayer *it = &run->graph->layers[number];
	const LayerPlaces *places = &run->places[number];

	*pass = (AiPass) {
		.n_rows = shard->n_rows,
		.first_row = shard->first_row,
		.batch_rows = run->n_rows,
		.is_training = run->pool != NULL,
		.seed = run->pool != NULL ? seed_of(run, number) : 0,
		.mask = mask_of_input(shard, it),
		.output_mask = (uint8_t *) (shard->slot + places->mask),
		.output = shard->slot + places->output,
		.saved = shard->slot + places->saved,
		.scratch = run->scratch + (size_t) shard->lane * run->scratch_size,
		.weight = weight,
		.derived = run->derived + it->derived,
		.d_weight = d_weight
	};
	for (int i = 0; i < it->layer.n_inputs; i++)
		pass->input[i] = output_of(shard, it->input[i]);
}

static void
set_backward(AiPass *pass, const Shard *shard, int number)
{
	const AiGraphLayer *it = &shard->run->graph->layers[number];
	const LayerPlaces *places = &shard->run->places[number];

	pass->d_output = gradient_of(shard, number);
	for (int i = 0; i < it->layer.n_inputs; i++)
		pass->d_input[i] = places->is_extra[i] ? shard->slot + places->d_extra[i] :
			gradient_of(shard, it->input[i]);
}

static void
add_extras(const AiPass *pass, const Shard *shard, int number)
{
	const AiGraphLayer *it = &shard->run->graph->layers[number];

	for (int i = 0; i < it->layer.n_inputs; i++)
	{
		if (shard->run->places[number].is_extra[i])
			ai_kernels()->add(gradient_of(shard, it->input[i]), pass->d_input[i],
							  (size_t) shard->n_rows * ai_shape_size(&it->layer.input[i]));
	}
}

/* While sums are being made each shard has its own, afterwards all have the batch's. */
static void
set_sums(AiPass *pass, const Shard *shard, const Operation *operation)
{
	const AiRun *run = shard->run;
	double	   *batch = run->sums + run->layer_sums[operation->layer];
	double	   *own = batch + (size_t) shard->number * run->n_sums;
	int			n = run->graph->layers[operation->layer].layer.n_sums;

	pass->sums = operation->action == SUM_FORWARD ? own : batch;
	pass->back_sums = (operation->action == SUM_BACKWARD ? own : batch) + n;
}

static void
run_load(const Shard *shard)
{
	AiRun	   *run = shard->run;

	run->batch->load(run->batch->arg, shard->lane, shard->first_row, shard->n_rows,
					 run->loaded + (size_t) shard->first_row * ai_shape_size(&run->graph->input));
}

static void
run_loss(const Shard *shard)
{
	AiRun	   *run = shard->run;
	int			last = run->graph->n_layers - 1;
	int			mask = run->graph->layers[last].mask;

	run->loss_sum[shard->lane] +=
		run->batch->loss(run->batch->arg, shard->lane, shard->first_row, shard->n_rows,
						 output_of(shard, last), mask == AI_INPUT ? NULL :
						 (const uint8_t *) (shard->slot + run->places[mask].mask),
						 gradient_of(shard, last));
}

static void
run_operation(const Shard *shard, const Operation *operation)
{
	AiRun	   *run = shard->run;
	const AiLayer *layer = &run->graph->layers[operation->layer].layer;
	const float *weight[AI_LAYER_MAX_WEIGHTS];
	float	   *d_weight[AI_LAYER_MAX_WEIGHTS];
	AiPass		pass;

	if (operation->action == LOAD || operation->action == LOSS)
	{
		if (operation->action == LOAD)
			run_load(shard);
		else
			run_loss(shard);
		return;
	}
	take_weights(shard, &run->graph->layers[operation->layer], weight, d_weight);
	set_pass(&pass, shard, operation->layer, weight, d_weight);
	if (layer->n_sums > 0 && run->sums != NULL)
		set_sums(&pass, shard, operation);
	switch (operation->action)
	{
		case FORWARD:
			layer->type->forward(layer, &pass);
			break;
		case SUM_FORWARD:
			layer->type->sum_forward(layer, &pass);
			break;
		case SUM_BACKWARD:
			set_backward(&pass, shard, operation->layer);
			layer->type->sum_backward(layer, &pass);
			break;
		default:
			set_backward(&pass, shard, operation->layer);
			layer->type->backward(layer, &pass);
			add_extras(&pass, shard, operation->layer);
			break;
	}
}

/*
 * A batch
 */

static int
lane_of(const AiRun *run, int shard)
{
	return (int) (((int64_t) (shard + 1) * run->n_batch_lanes - 1) / run->n_shards);
}

static Shard
shard_of(AiRun *run, int number)
{
	int			lane = lane_of(run, number);
	Shard		shard = {
		.run = run,
		.lane = lane,
		.number = number,
		.first_row = (int64_t) number * run->shard_rows,
		.slot = run->slots + (size_t) (run->n_slots > run->n_lanes ? number : lane) * run->slot_size
	};
	int64_t		n_rows = run->n_rows - shard.first_row;

	shard.n_rows = (int) (n_rows < run->shard_rows ? n_rows : run->shard_rows);
	return shard;
}

/* A lane's shards, in this round's operations */
static void
run_lane(void *arg, int64_t lane, int thread)
{
	AiRun	   *run = arg;
	int64_t		first = lane * run->n_shards / run->n_batch_lanes;
	int64_t		end = (lane + 1) * run->n_shards / run->n_batch_lanes;

	if (run->begin == 0)
	{
		memset(run->lane_gradients + (size_t) lane * run->graph->n_weights, 0,
			   run->graph->n_weights * sizeof(float));
		run->loss_sum[lane] = 0;
	}
	for (int64_t s = first; s < end; s++)
	{
		Shard		shard = shard_of(run, (int) s);

		for (int i = run->begin; i < run->end; i++)
		{
			if (ai_pool_should_stop(run->pool, thread))
				return;
			run_operation(&shard, &run->program[i]);
		}
	}
}

/* What the shards have summed becomes the batch's. */
static void
meet(AiRun *run, const Operation *operation)
{
	const AiGraphLayer *it = &run->graph->layers[operation->layer];
	const AiLayer *layer = &it->layer;
	size_t		n = (size_t) layer->n_sums;
	double	   *sums = run->sums + run->layer_sums[operation->layer] +
		(operation->is_backward ? n : 0);
	float	   *state[AI_LAYER_MAX_WEIGHTS];

	for (int s = 1; s < run->n_shards; s++)
	{
		for (size_t i = 0; i < n; i++)
			sums[i] += sums[(size_t) s * run->n_sums + i];
	}
	if (operation->is_backward || it->is_frozen)
		return;
	for (int i = 0; i < layer->n_weights; i++)
		state[i] = layer->weight[i].is_state ? run->states + layer->weight[i].offset : NULL;
	layer->type->update_state(layer, state, sums, run->n_rows);
}

/* Does a layer before it ask for the gradient of its input? */
static bool
gives_gradient(const AiGraph *graph, const AiGraphLayer *it)
{
	for (int i = 0; i < it->layer.n_inputs; i++)
	{
		if (it->input[i] != AI_INPUT && graph->layers[it->input[i]].has_gradient)
			return true;
	}
	return false;
}

/* Derived numbers are for the gradients of inputs. */
static void
derive(void *arg, int64_t number, int thread)
{
	AiRun	   *run = arg;
	const AiGraphLayer *it = &run->graph->layers[number];
	const float *weight[AI_LAYER_MAX_WEIGHTS];

	(void) thread;
	if (it->layer.derived_size == 0 || !gives_gradient(run->graph, it))
		return;
	for (int i = 0; i < it->layer.n_weights; i++)
		weight[i] = (it->layer.weight[i].is_state ? run->states : run->weights) +
			it->layer.weight[i].offset;
	it->layer.type->derive(&it->layer, run->derived + it->derived, weight);
}

static void
add_lanes(void *arg, int64_t task, int thread)
{
	AiRun	   *run = arg;
	size_t		first = (size_t) task * NUMBERS_PER_TASK;
	size_t		n = run->graph->n_weights - first;
	float	   *sum = run->gradients + first;

	(void) thread;
	n = n < NUMBERS_PER_TASK ? n : NUMBERS_PER_TASK;
	memcpy(sum, run->lane_gradients + first, n * sizeof(float));
	for (int lane = 1; lane < run->n_batch_lanes; lane++)
		ai_kernels()->add(sum, run->lane_gradients + (size_t) lane * run->graph->n_weights + first,
						  n);
}

/* The sums for each row that the batch has looked up, in the order of the batch */
static void
gather_rows(AiRun *run, Rows *rows)
{
	size_t		width = (size_t) rows->weight->dims[1];
	size_t		n_found = 0;

	for (int s = 0; s < run->n_shards; s++)
	{
		Shard		shard = shard_of(run, s);
		const float *input = output_of(&shard, run->graph->layers[rows->layer].input[0]);
		const float *gradient = gradient_of(&shard, rows->layer);

		for (size_t i = 0; i < (size_t) shard.n_rows * rows->n_places; i++)
		{
			uint32_t	row = (uint32_t) input[i];
			float	   *sum;

			if (rows->place[row] == NOWHERE)
			{
				rows->place[row] = (uint32_t) n_found;
				rows->index[n_found] = row;
				memset(rows->gradient + n_found++ * width, 0, width * sizeof(float));
			}
			sum = rows->gradient + rows->place[row] * width;
			ai_kernels()->add(sum, gradient + i * width, width);
		}
	}
	for (size_t i = 0; i < n_found; i++)
		rows->place[rows->index[i]] = NOWHERE;
	rows->found = (AiRunRows) {
		rows->layer, (int) (rows->weight - run->graph->layers[rows->layer].layer.weight),
		n_found, width, rows->index, rows->gradient
	};
}

static AiCode
run_program(AiRun *run, AiError *err)
{
	run->begin = 0;
	while (run->begin < run->n_operations)
	{
		run->end = run->begin;
		while (run->end < run->n_operations && run->program[run->end].action != MEET)
			run->end++;
		AI_TRY(ai_pool_run(run->pool, run_lane, run, run->n_batch_lanes, err));
		if (run->end < run->n_operations)
			meet(run, &run->program[run->end]);
		run->begin = run->end + 1;
	}
	return AI_OK;
}

AiCode
ai_run_step(AiRun *run, const float *weights, float *states, const AiRunBatch *batch,
			float *gradients, double *loss_sum, AiError *err)
{
	int64_t		n_tasks = (int64_t) ((run->graph->n_weights + NUMBERS_PER_TASK - 1) /
									 NUMBERS_PER_TASK);

	run->batch = batch;
	run->weights = weights;
	run->states = states;
	run->input = run->loaded;
	run->n_rows = batch->n_rows;
	run->shard_rows = ai_shard_rows(run->n_rows);
	run->n_shards = (int) ((run->n_rows + run->shard_rows - 1) / run->shard_rows);
	run->n_batch_lanes = run->n_shards < AI_MAX_LANES ? run->n_shards : AI_MAX_LANES;
	run->gradients = gradients;
	if (run->n_sums > 0)
		memset(run->sums, 0, (size_t) run->n_slots * run->n_sums * sizeof(double));

	if (run->graph->n_derived > 0)
		AI_TRY(ai_pool_run(run->pool, derive, run, run->graph->n_layers, err));
	AI_TRY(run_program(run, err));
	AI_TRY(ai_pool_run(run->pool, add_lanes, run, n_tasks, err));
	for (int i = 0; i < run->n_rows_weights; i++)
		gather_rows(run, &run->rows[i]);
	*loss_sum = 0;
	for (int lane = 0; lane < run->n_batch_lanes; lane++)
		*loss_sum += run->loss_sum[lane];
	return AI_OK;
}

/*
 * Applying
 */

const float *
ai_run_apply(AiRun *run, const float *weights, const float *states, const float *input,
			 int n_rows, int layer)
{
	int			owner = owner_of(run->graph, layer);
	size_t		size = ai_shape_size(&run->graph->layers[layer].layer.output);

	if (owner == AI_INPUT)
		return input;
	run->weights = weights;
	run->states = (float *) states;
	run->input = input;
	run->n_rows = n_rows;
	for (int first = 0; first < n_rows; first += run->slot_rows)
	{
		int			n_left = n_rows - first;
		Shard		shard = {
			.run = run,
			.first_row = first,
			.n_rows = n_left < run->slot_rows ? n_left : run->slot_rows,
			.slot = run->slots
		};

		for (int i = 0; i < run->n_operations && run->program[i].layer <= owner; i++)
			run_operation(&shard, &run->program[i]);
		memcpy(run->result + (size_t) first * size, output_of(&shard, layer),
			   (size_t) shard.n_rows * size * sizeof(float));
	}
	return run->result;
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

	run->slots = alloc_numbers(run, (size_t) run->n_slots, run->slot_size);
	run->scratch = alloc_numbers(run, (size_t) run->n_lanes, run->scratch_size);
	if (is_training)
	{
		run->loaded = alloc_numbers(run, (size_t) run->max_rows, ai_shape_size(&graph->input));
		run->derived = alloc_numbers(run, 1, graph->n_derived);
		run->lane_gradients = alloc_numbers(run, (size_t) run->n_lanes, graph->n_weights);
		run->sums = alloc_numbers(run, (size_t) run->n_slots, 2 * run->n_sums);	/* doubles */
	}
	else
		run->result = alloc_numbers(run, (size_t) run->max_rows, largest_output(graph));
	if (run->slots == NULL || run->scratch == NULL ||
		(is_training && (run->loaded == NULL || run->derived == NULL || run->lane_gradients == NULL || run->sums == NULL)) ||
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

	run->rows = ai_arena_alloc_zero(&run->arena, (size_t) graph->n_layers, sizeof(Rows));
	if (run->rows == NULL)
		return ai_out_of_memory(err, (size_t) graph->n_layers * sizeof(Rows), "a network");
	for (int i = 0; i < graph->n_layers; i++)
	{
		const AiLayer *layer = &graph->layers[i].layer;

		for (int j = 0; j < layer->n_weights && !graph->layers[i].is_frozen; j++)
		{
			if (layer->weight[j].is_rows)
				run->rows[run->n_rows_weights++] = (Rows) {
					.layer = i, .weight = &layer->weight[j],
					.n_places = ai_shape_size(&layer->input[0])
				};
		}
	}
	return AI_OK;
}

static AiCode
alloc_rows(AiRun *run, Rows *rows, AiError *err)
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
	run->slot_rows = is_training ? ai_shard_rows(run->max_rows) :
		(int) (run->max_rows < AI_SHARD_ROWS ? run->max_rows : AI_SHARD_ROWS);
	run->n_slots = is_training ? max_shards(run->max_rows) : 1;
	run->n_lanes = run->n_slots < AI_MAX_LANES ? run->n_slots : AI_MAX_LANES;

	/* Only what is looked at after a lane has gone on needs a place for each shard. */
	if (is_training)
		AI_TRY(make_rows(run, err));
	if (!run->has_meetings && run->n_rows_weights == 0)
		run->n_slots = run->n_lanes;
	AI_TRY(lay_out(run, (size_t) run->slot_rows, is_training, err));
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
