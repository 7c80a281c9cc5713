/*-------------------------------------------------------------------------
 * fit.h
 *		Epochs: a graph's weights from samples.
 *
 * The result depends on the samples, the options and the seed, never on the threads or on
 * the order in which rows came in.
 *-------------------------------------------------------------------------
 */
#ifndef AI_FIT_H
#define AI_FIT_H

#include "core/base/pool.h"
#include "core/base/progress.h"
#include "core/graph/graph.h"
#include "core/train/loss.h"
#include "core/train/optimiser.h"
#include "core/train/samples.h"
#include "core/train/schedule.h"
#include "core/train/stopping.h"

/* From a record to numbers, on any thread */
typedef struct AiFitReader
{
	void		(*input) (const void *ud, const void *record, float *input);
	void		(*target) (const void *ud, const void *record, float *target);
	float		(*weight) (const void *ud, const void *record, size_t place);	/* NULL: all 1 */
	const void *ud;
} AiFitReader;

/* What is told of an epoch beside its loss */
typedef enum AiScore
{
	AI_SCORE_ACCURACY,			/* share of places whose largest output is that of the target */
	AI_SCORE_BINARY_ACCURACY,	/* share of outputs on the right side of 0.5, or of 0 for logits */
	AI_SCORE_MAE				/* mean absolute error */
} AiScore;

typedef struct AiFitOptions
{
	int			epochs;
	int			batch_size;
	AiLoss		loss;
	AiScore		score;
	AiOptimiser optimiser;
	AiSchedule	schedule;
	AiStopping	stopping;		/* watches the validation's loss, or the training's without one */
	bool		restores_best;	/* weights of the best epoch in the end */
	double		max_time;		/* seconds; 0: none */
	uint64_t	seed;
} AiFitOptions;

typedef struct AiEpoch
{
	double		loss;			/* with penalties: the mean over the epoch's batches */
	double		score;
	double		validation_loss;	/* NaN: nothing is held out */
	double		validation_score;
	double		learning_rate;	/* of its last step */
	double		seconds;
} AiEpoch;

typedef struct AiFit AiFit;

/*
 * graph, samples and reader are borrowed.  weights:[n_weights] and states:[n_states] are the
 * caller's, as they are to begin with, and change.  max_memory: of all that it takes, bytes;
 * AI_ERR_LIMIT tells what it would need.
 */
extern AiCode ai_fit_create(AiFit **fit, const AiHost *host, AiPool *pool, const AiGraph *graph,
							const AiFitOptions *options, const AiSamples *samples,
							const AiFitReader *reader, float *weights, float *states,
							size_t max_memory, AiError *err);

/*
 * Until the epochs are made, early stopping or max_time.  AI_ERR_DIVERGED when the loss is
 * no number any more.  Each epoch is logged as a NOTICE.
 */
extern AiCode ai_fit_run(AiFit *fit, AiError *err);

extern int	ai_fit_n_epochs(const AiFit *fit);
extern const AiEpoch *ai_fit_epoch(const AiFit *fit, int number);

/* The epoch whose weights they are, counted from 0 */
extern int	ai_fit_best(const AiFit *fit);

/* false: max_time has come first */
extern bool ai_fit_is_complete(const AiFit *fit);

/* Bytes that it holds */
extern size_t ai_fit_memory(const AiFit *fit);

/* At any time on the main thread */
extern void ai_fit_progress(AiFit *fit, AiProgress *progress);

extern void ai_fit_destroy(AiFit *fit);

#endif							/* AI_FIT_H */
