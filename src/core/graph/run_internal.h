/*-------------------------------------------------------------------------
 * run_internal.h
 *		A run as the files of this room know it.
 *
 * run_layout.c says where each array of a shard lies, run_create.c makes a run and its
 * program, run.c goes through it.
 *-------------------------------------------------------------------------
 */
#ifndef AI_RUN_INTERNAL_H
#define AI_RUN_INTERNAL_H

#include "core/graph/run.h"

/* What lies in a slot: the memory of one shard */
typedef struct AiRunPlaces
{
	size_t		output;
	size_t		saved;
	size_t		mask;
	size_t		d_output;		/* the gradient of the loss by the output */
	size_t		d_extra[AI_LAYER_MAX_INPUTS];	/* a second gradient of an input */
	bool		is_extra[AI_LAYER_MAX_INPUTS];
} AiRunPlaces;

/* Gradients of the rows of an embedding */
typedef struct AiRunEmbedding
{
	int			layer;
	const AiWeight *weight;
	size_t		n_places;		/* that look a row up, of one row of the batch */
	uint32_t   *place;			/* [dims[0]] in index; AI_RUN_NOWHERE between steps */
	AiRunRows	found;
	uint32_t   *index;			/* [max_rows * n_places] */
	float	   *gradient;
} AiRunEmbedding;

#define AI_RUN_NOWHERE UINT32_MAX

typedef enum AiRunAction
{
	AI_RUN_LOAD,
	AI_RUN_FORWARD,
	AI_RUN_SUM_FORWARD,
	AI_RUN_LOSS,
	AI_RUN_SUM_BACKWARD,
	AI_RUN_BACKWARD,
	AI_RUN_MEET						/* sums are complete */
} AiRunAction;

typedef struct AiRunOperation
{
	AiRunAction		action;
	int			layer;
	bool		is_backward;	/* of a meeting */
} AiRunOperation;

struct AiRun
{
	AiArena		arena;
	const AiGraph *graph;		/* borrowed */
	AiPool	   *pool;			/* borrowed; NULL: applies only */
	int64_t		max_rows;
	int			slot_rows;		/* rows that a slot has room for */
	int			n_slots;
	int			n_lanes;		/* at most */
	int			min_shards;		/* of a batch that has the rows for them */
	bool		has_meetings;
	bool		has_late;		/* gradients are made after the last shard, where they can be */

	/* Memory */
	AiRunPlaces *places;		/* [n_layers] */
	size_t		slot_size;		/* numbers */
	float	   *slots;			/* [n_slots, slot_size] */
	size_t		scratch_size;
	float	   *scratch;		/* [n_lanes, scratch_size] */
	float	   *loaded;			/* [max_rows, shape], in training */
	float	   *derived;		/* [graph->n_derived] */
	float	   *lane_gradients; /* [n_lanes, graph->n_dense] */
	double	   *sums;			/* [n_slots, n_sums]; slot 0 gets those of the batch */
	size_t		n_sums;
	size_t	   *layer_sums;		/* [n_layers]: where a layer's begin, forward and then backward */
	AiRunEmbedding	   *rows;			/* [n_rows_weights] */
	int			n_rows_weights;
	float	   *result;			/* [max_rows, what was asked for], when applying */

	AiRunOperation  *program;
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
	int			begin;			/* the operations of this round */
	int			end;
};

/* Whose array an output is: views have those that they take. */
static inline int
ai_run_owner(const AiGraph *graph, int layer)
{
	while (layer != AI_INPUT && graph->layers[layer].layer.is_view)
		layer = graph->layers[layer].input[0];
	return layer;
}

/* Is the gradient of one of this layer's weights made after the last shard? */
static inline bool
ai_run_is_late(const AiRun *run, const AiGraphLayer *it, const AiWeight *weight)
{
	return run->has_late && weight->is_late && !it->is_frozen;
}

static inline bool
ai_run_keeps(const AiRun *run, const AiGraphLayer *it)
{
	for (int i = 0; i < it->layer.n_weights; i++)
	{
		if (ai_run_is_late(run, it, &it->layer.weight[i]))
			return true;
	}
	return false;
}

/* Rows of a shard, in a batch of so many */
extern int	ai_run_shard_rows(const AiRun *run, int64_t batch_rows);

/* Set places, slot_size and scratch_size for slots of slot_rows rows. */
extern AiCode ai_run_lay_out(AiRun *run, AiError *err);

#endif							/* AI_RUN_INTERNAL_H */
