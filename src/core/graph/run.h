/*-------------------------------------------------------------------------
 * run.h
 *		Rows through a graph: forward, and backward in training.
 *
 * All memory is laid out when a run is created, for a number of rows; nothing is
 * allocated after.  A batch is cut into shards of rows, shards into at most AI_MAX_LANES
 * lanes of neighbours, both by the number of rows and the network alone.  A lane is a task
 * of the pool: it goes through the layers for one shard after the other and sums their
 * gradients.  Layers that need sums of the whole batch (batch_norm) end a task: all lanes meet
 * before and after them.  The gradients of lanes are added in the order of lanes.
 * In small batches weights that are_late need none: whoever asks for their gradients, a few
 * rows at a time, has them made of the rows of all shards, and finds them in the cache.
 *-------------------------------------------------------------------------
 */
#ifndef AI_RUN_H
#define AI_RUN_H

#include "core/base/pool.h"
#include "core/graph/graph.h"

#define AI_MAX_LANES 8

typedef struct AiRun AiRun;

/*
 * To apply: up to max_rows rows at once, on one thread, without a pool and without states
 * that change.  Memory is reused as soon as no later layer reads it.
 */
extern AiCode ai_run_create(AiRun **run, const AiHost *host, const AiGraph *graph, int max_rows,
							AiError *err);

/* To train, with batches of up to max_rows rows, on the threads of a pool */
extern AiCode ai_run_create_training(AiRun **run, const AiHost *host, const AiGraph *graph,
									 AiPool *pool, int64_t max_rows, AiError *err);
extern void ai_run_destroy(AiRun *run);

/* Bytes that it holds */
extern size_t ai_run_memory(const AiRun *run);

/*
 * input:[n_rows, shape]; the output, [n_rows, shape], is the run's until it runs again.
 * layer: whose output, mostly the last one's.
 */
extern const float *ai_run_apply(AiRun *run, const float *weights, const float *states,
								 const float *input, int n_rows, int layer);

/*
 * A batch of training.  Its rows are numbered from 0; load and loss are called for some
 * neighbours at a time, on any thread, each row once.
 */
typedef struct AiRunBatch
{
	int64_t		n_rows;
	uint64_t	seed;			/* what is drawn in this step follows from it */
	void	   *arg;

	/* Write input:[n_rows, shape] */
	void		(*load) (void *arg, int lane, int64_t first_row, int n_rows, float *input);

	/*
	 * Return the sum of the rows' losses, and write its gradient by the output, divided by what
	 * the batch's losses are averaged over, to d_output.  mask:[n_rows, steps], or NULL.
	 */
	double		(*loss) (void *arg, int lane, int64_t first_row, int n_rows,
						 const float *output, const uint8_t *mask, float *d_output);

	/*
	 * To look into a network that is not trained: layers do what they do when it is applied.
	 * bend may change the output of a layer, [n_rows, shape], before others read it; see gets
	 * the gradient by that output.  Either may be NULL.
	 */
	bool		is_applied;
	int			watched;		/* the layer */
	void		(*bend) (void *arg, int64_t first_row, int n_rows, float *output);
	void		(*see) (void *arg, int64_t first_row, int n_rows, const float *d_output);
} AiRunBatch;

/*
 * Forward, loss, backward.  What is told of gradients below is of this step, until the next
 * one.  States move on.  Fails only by AI_ERR_CANCELLED.
 */
extern AiCode ai_run_step(AiRun *run, const float *weights, float *states,
						  const AiRunBatch *batch, double *loss_sum, AiError *err);

/*
 * gradient:[n], of a weight's numbers from first on; of one that is_late, whole rows.  Not of
 * is_rows.  Several threads may ask at once.
 */
extern void ai_run_gradients(AiRun *run, float *gradient, int layer, int weight, size_t first,
							 size_t n, int thread);

/* The rows of weights with is_rows that have gradients, in the order of the batch */
typedef struct AiRunRows
{
	int			layer;
	int			weight;
	size_t		n;
	size_t		width;
	const uint32_t *index;		/* [n] */
	const float *gradient;		/* [n, width] */
} AiRunRows;

extern int	ai_run_n_rows(const AiRun *run);
extern AiRunRows ai_run_rows(const AiRun *run, int number);

#endif							/* AI_RUN_H */
