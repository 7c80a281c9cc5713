/*-------------------------------------------------------------------------
 * fit_internal.h
 *		Fitting as its files know it: fit.c makes epochs of steps, fit_update.c changes the
 *		weights, fit_measure.c finds losses and scores.
 *-------------------------------------------------------------------------
 */
#ifndef AI_FIT_INTERNAL_H
#define AI_FIT_INTERNAL_H

#include "core/graph/run.h"
#include "core/train/batches.h"
#include "core/train/fit.h"

/* Weights of one array that are updated together */
typedef struct AiFitPiece
{
	size_t		first;
	size_t		n;
	int			array;
} AiFitPiece;

/* One array of weights that is trained */
typedef struct AiFitArray
{
	const AiWeight *weight;
	int			layer;			/* whose weight of this number it is */
	int			number;
	int			rows;			/* number in ai_run_rows(), or -1 */
	size_t		width;			/* of a row, or 1 */
	uint32_t   *place;			/* [rows]: in found, from 1 on; 0: it has no gradient now */
	bool	   *is_moving;		/* [rows]: it has had one, or needs none to move */
	AiRunRows	found;			/* of this step */
	double		sum_squares;	/* of its gradient, in this step, when clipped by norm */
	double		scale;
} AiFitArray;

/* What a lane, or a task of validation, has measured */
typedef struct AiFitMeasured
{
	double		loss;
	double		score;
	double		n_places;		/* that count */
} AiFitMeasured;

struct AiFit
{
	AiArena		arena;
	const AiGraph *graph;
	AiPool	   *pool;
	AiFitOptions options;
	const AiSamples *samples;
	AiFitReader reader;
	float	   *weights;
	float	   *states;

	/* Shapes of the output and the target of a row */
	size_t		n_outputs;		/* numbers of a place */
	size_t		n_places;		/* 1, or the steps of a sequence */
	size_t		target_size;	/* numbers of a place */

	/* fit_update.c */
	AiFitArray *arrays;
	int			n_arrays;
	AiFitPiece *pieces;
	int			n_pieces;
	double	   *piece_sums;		/* [n_pieces] */
	bool		has_penalty;
	float	   *gradients;		/* [n_dense] */
	size_t		n_zeros;
	float	   *zeros;			/* [n_zeros]: the gradient of rows that have none */
	float	   *slots[AI_OPTIMISER_MAX_SLOTS];	/* [n_weights] */
	AiOptimiserState state;
	AiUpdate	update;
	bool		clips_norms;

	/* The batch */
	AiRun	   *run;
	AiBatches	batches;
	const void **records;		/* [batch_size] */
	uint8_t    *record_buffer;	/* [batch_size] records from the file; NULL: all in memory */
	float	   *targets;		/* [batch_size, n_places, target_size] */
	float	   *place_weights;	/* [batch_size, n_places] */
	double		batch_places;	/* that the batch's loss is the mean of */
	AiFitMeasured lanes[AI_MAX_LANES];

	/* Validation */
	AiRun	  **applying;		/* [threads]; NULL: nothing is held out */
	float	  **inputs;			/* [threads][AI_SHARD_ROWS, input] */
	float	  **held_targets;	/* [threads][AI_SHARD_ROWS, n_places, target_size] */
	float	  **held_weights;	/* [threads][AI_SHARD_ROWS, n_places] */
	uint8_t    *held_records;	/* of a round, from the file; NULL: all in memory */
	AiFitMeasured *tasks;		/* [tasks of a round] */
	int64_t		first_task;		/* of the round */

	/* The history */
	AiEpoch    *epochs;			/* [options.epochs] */
	int			n_epochs;
	int			best;
	float	   *best_weights;	/* NULL: the last ones are kept */
	float	   *best_states;
	double		rate;			/* before the schedule: plateaus reduce it */
	double		started;
	bool		is_complete;
	AiTracker	tracker;
};

/* Make what updates need, once. */
extern AiCode ai_fit_prepare_updates(AiFit *fit, AiError *err);

/* After a step of the run; *penalty is what l1 and l2 add to the loss, as weights were. */
extern AiCode ai_fit_update(AiFit *fit, double learning_rate, double *penalty, AiError *err);

/* The target and the weight of each place of a record; how many places count */
extern double ai_fit_read_target(const AiFit *fit, const void *record, float *target,
								 float *place_weight);

/* Add the loss and score of n_rows rows; d_output, which may be NULL, is scaled. */
extern void ai_fit_measure(const AiFit *fit, AiFitMeasured *measured, const float *output,
						   const float *target, const float *place_weight, int n_rows,
						   float *d_output, double scale);

extern AiCode ai_fit_prepare_validation(AiFit *fit, AiError *err);
extern AiCode ai_fit_validate(AiFit *fit, AiFitMeasured *measured, AiError *err);

#endif							/* AI_FIT_INTERNAL_H */
