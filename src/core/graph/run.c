/*-------------------------------------------------------------------------
 * run.c
 *		Rows through a graph: a program is gone through shard by shard.
 *
 * Forward through all layers, the loss, backward.  Where sums of the whole batch are
 * needed the program has a meeting: all lanes come up to it, the sums of shards are added
 * in their order, all go on.
 *-------------------------------------------------------------------------
 */
#include "core/graph/run.h"

#include <string.h>

#include "core/base/tiny.h"
#include "core/graph/run_internal.h"
#include "core/kernels/kernels.h"

/* Derived numbers that are worth another thread */
#define DERIVED_FOR_POOL ((size_t) 128 * 1024)

/*
 * One shard at one layer
 */

typedef struct Shard
{
	AiRun	   *run;
	int			lane;
	int			thread;
	int			number;
	int64_t		first_row;
	int			n_rows;
	bool		is_first;		/* of its lane */
	float	   *slot;
} Shard;

static const float *
output_of(const Shard *shard, int layer)
{
	const AiRun *run = shard->run;

	layer = ai_run_owner(run->graph, layer);
	if (layer == AI_INPUT)
		return run->input + (size_t) shard->first_row * ai_shape_size(&run->graph->input);
	return shard->slot + run->places[layer].output;
}

static float *
gradient_of(const Shard *shard, int layer)
{
	layer = ai_run_owner(shard->run->graph, layer);
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
		run->lane_gradients + (size_t) shard->lane * run->graph->n_dense : NULL;

	for (int i = 0; i < it->layer.n_weights; i++)
	{
		const AiWeight *w = &it->layer.weight[i];

		weight[i] = (w->is_state ? run->states : run->weights) + w->offset;
		d_weight[i] = w->is_state || w->is_rows || it->is_frozen || gradients == NULL ||
			ai_run_is_late(run, it, w) ? NULL : gradients + w->offset;
	}
}

static void
set_pass(AiPass *pass, const Shard *shard, int number, const float *const *weight,
		 float *const *d_weight)
{
	AiRun	   *run = shard->run;
	const AiGraphLayer *it = &run->graph->layers[number];
	const AiRunPlaces *places = &run->places[number];
	bool		is_training = run->pool != NULL && !run->batch->is_applied;

	*pass = (AiPass) {
		.n_rows = shard->n_rows,
		.first_row = shard->first_row,
		.batch_rows = run->n_rows,
		.is_training = is_training,
		.seed = is_training ? seed_of(run, number) : 0,
		.mask = mask_of_input(shard, it),
		.output_mask = (uint8_t *) (shard->slot + places->mask),
		.output = shard->slot + places->output,
		.saved = shard->slot + places->saved,
		.scratch = run->scratch + (size_t) shard->lane * run->scratch_size,
		.weight = weight,
		.derived = run->derived != NULL ? run->derived + it->derived : NULL,
		.d_weight = d_weight,
		.is_first = shard->is_first,
		.keeps = ai_run_keeps(run, it),
		.pool = run->pool,
		.thread = shard->thread
	};
	for (int i = 0; i < it->layer.n_inputs; i++)
		pass->input[i] = output_of(shard, it->input[i]);
}

static void
set_backward(AiPass *pass, const Shard *shard, int number)
{
	const AiGraphLayer *it = &shard->run->graph->layers[number];
	const AiRunPlaces *places = &shard->run->places[number];

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
set_sums(AiPass *pass, const Shard *shard, const AiRunOperation *operation)
{
	const AiRun *run = shard->run;
	double	   *batch = run->sums + run->layer_sums[operation->layer];
	double	   *own = batch + (size_t) shard->number * run->n_sums;
	int			n = run->graph->layers[operation->layer].layer.n_sums;

	pass->sums = operation->action == AI_RUN_SUM_FORWARD ? own : batch;
	pass->back_sums = (operation->action == AI_RUN_SUM_BACKWARD ? own : batch) + n;
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
bend(const Shard *shard, int layer)
{
	const AiRunBatch *batch = shard->run->batch;

	if (shard->run->pool != NULL && batch->bend != NULL && layer == batch->watched)
		batch->bend(batch->arg, shard->first_row, shard->n_rows,
					shard->slot + shard->run->places[layer].output);
}

/* Who looks at a layer wants no gradients of what is before it. */
static bool
see(const Shard *shard, int layer, const AiPass *pass)
{
	const AiRunBatch *batch = shard->run->batch;

	if (batch->see == NULL || layer != batch->watched)
		return false;
	batch->see(batch->arg, shard->first_row, shard->n_rows, pass->d_output);
	return true;
}

static void
run_operation(const Shard *shard, const AiRunOperation *operation)
{
	AiRun	   *run = shard->run;
	const AiLayer *layer = &run->graph->layers[operation->layer].layer;
	const float *weight[AI_LAYER_MAX_WEIGHTS];
	float	   *d_weight[AI_LAYER_MAX_WEIGHTS];
	AiPass		pass;

	if (operation->action == AI_RUN_LOAD || operation->action == AI_RUN_LOSS)
	{
		if (operation->action == AI_RUN_LOAD)
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
		case AI_RUN_FORWARD:
			layer->type->forward(layer, &pass);
			bend(shard, operation->layer);
			break;
		case AI_RUN_SUM_FORWARD:
			layer->type->sum_forward(layer, &pass);
			break;
		case AI_RUN_SUM_BACKWARD:
			set_backward(&pass, shard, operation->layer);
			layer->type->sum_backward(layer, &pass);
			break;
		default:
			set_backward(&pass, shard, operation->layer);
			if (see(shard, operation->layer, &pass))
				break;
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

/* Of the layers that add to them */
static void
clear_gradients(AiRun *run, int64_t lane)
{
	const AiGraph *graph = run->graph;

	for (int i = 0; i < graph->n_layers && run->lane_gradients != NULL; i++)
	{
		const AiLayer *layer = &graph->layers[i].layer;

		for (int j = 0; j < layer->n_weights && !layer->type->sets_gradients; j++)
		{
			const AiWeight *w = &layer->weight[j];

			if (!w->is_state && !w->is_rows)
				memset(run->lane_gradients + (size_t) lane * graph->n_dense + w->offset, 0,
					   w->size * sizeof(float));
		}
	}
}

/* A lane's shards, in this round's operations */
static void
run_lane(void *arg, int64_t lane, int thread)
{
	AiRun	   *run = arg;
	int64_t		first = lane * run->n_shards / run->n_batch_lanes;
	int64_t		end = (lane + 1) * run->n_shards / run->n_batch_lanes;
	unsigned	before = ai_tiny_begin();

	if (run->begin == 0)
	{
		clear_gradients(run, lane);
		run->loss_sum[lane] = 0;
	}
	for (int64_t s = first; s < end; s++)
	{
		Shard		shard = shard_of(run, (int) s);

		shard.thread = thread;
		shard.is_first = s == first;
		for (int i = run->begin; i < run->end && !ai_pool_should_stop(run->pool, thread); i++)
			run_operation(&shard, &run->program[i]);
	}
	ai_tiny_end(before);
}

/* What the shards have summed becomes the batch's. */
static void
meet(AiRun *run, const AiRunOperation *operation)
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

/* Derived numbers are for the gradients of inputs, mostly. */
static void
derive(void *arg, int64_t number, int thread)
{
	AiRun	   *run = arg;
	const AiGraphLayer *it = &run->graph->layers[number];
	const float *weight[AI_LAYER_MAX_WEIGHTS];

	(void) thread;
	if (it->layer.derived_size == 0 ||
		!(it->layer.needs_derived ? it->has_gradient : gives_gradient(run->graph, it)))
		return;
	for (int i = 0; i < it->layer.n_weights; i++)
		weight[i] = (it->layer.weight[i].is_state ? run->states : run->weights) +
			it->layer.weight[i].offset;
	it->layer.type->derive(&it->layer, run->derived + it->derived, weight);
}

static AiCode
derive_all(AiRun *run, AiError *err)
{
	if (run->graph->n_derived >= DERIVED_FOR_POOL)
		return ai_pool_run(run->pool, derive, run, run->graph->n_layers, err);
	for (int i = 0; i < run->graph->n_layers && run->graph->n_derived > 0; i++)
		derive(run, i, 0);
	return AI_OK;
}

/* The sums for each row that the batch has looked up, in the order of the batch */
static void
gather_rows(AiRun *run, AiRunEmbedding *rows)
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

			if (rows->place[row] == AI_RUN_NOWHERE)
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
		rows->place[rows->index[i]] = AI_RUN_NOWHERE;
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
		while (run->end < run->n_operations && run->program[run->end].action != AI_RUN_MEET)
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
			double *loss_sum, AiError *err)
{
	run->batch = batch;
	run->weights = weights;
	run->states = states;
	run->input = run->loaded;
	run->n_rows = batch->n_rows;
	run->shard_rows = ai_run_shard_rows(run, run->n_rows);
	run->n_shards = (int) ((run->n_rows + run->shard_rows - 1) / run->shard_rows);
	run->n_batch_lanes = run->n_shards < AI_MAX_LANES ? run->n_shards : AI_MAX_LANES;
	if (run->n_sums > 0)
		memset(run->sums, 0, (size_t) run->n_slots * run->n_sums * sizeof(double));

	AI_TRY(derive_all(run, err));
	AI_TRY(run_program(run, err));
	for (int i = 0; i < run->n_rows_weights; i++)
		gather_rows(run, &run->rows[i]);
	*loss_sum = 0;
	for (int lane = 0; lane < run->n_batch_lanes; lane++)
		*loss_sum += run->loss_sum[lane];
	return AI_OK;
}

/* Rows of a gradient, from all shards in their order */
static void
make_late(AiRun *run, float *gradient, int layer, size_t first_row, size_t n_rows, int thread)
{
	const AiGraphLayer *it = &run->graph->layers[layer];
	const float *weight[AI_LAYER_MAX_WEIGHTS];
	float	   *d_weight[AI_LAYER_MAX_WEIGHTS];

	for (int s = 0; s < run->n_shards; s++)
	{
		Shard		shard = shard_of(run, s);
		AiPass		pass;

		shard.thread = thread;
		shard.is_first = s == 0;
		take_weights(&shard, it, weight, d_weight);
		set_pass(&pass, &shard, layer, weight, d_weight);
		it->layer.type->late_gradient(&it->layer, &pass, gradient, first_row, n_rows);
	}
}

void
ai_run_gradients(AiRun *run, float *gradient, int layer, int weight, size_t first, size_t n,
				 int thread)
{
	const AiGraphLayer *it = &run->graph->layers[layer];
	const AiWeight *w = &it->layer.weight[weight];
	size_t		width = (size_t) w->dims[w->n_dims - 1];

	if (ai_run_is_late(run, it, w))
		make_late(run, gradient, layer, first / width, n / width, thread);
	else
		ai_kernels()->sum_arrays(gradient, run->lane_gradients + w->offset + first,
								 run->graph->n_dense, (size_t) run->n_batch_lanes, n);
}

/*
 * Applying
 */

const float *
ai_run_apply(AiRun *run, const float *weights, const float *states, const float *input,
			 int n_rows, int layer)
{
	int			owner = ai_run_owner(run->graph, layer);
	size_t		size = ai_shape_size(&run->graph->layers[layer].layer.output);
	unsigned	before;

	if (owner == AI_INPUT)
		return input;
	run->weights = weights;
	run->states = (float *) states;
	run->input = input;
	run->n_rows = n_rows;
	before = ai_tiny_begin();
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
	ai_tiny_end(before);
	return run->result;
}
