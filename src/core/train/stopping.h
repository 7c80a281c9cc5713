/*-------------------------------------------------------------------------
 * stopping.h
 *		What follows from a number that is watched over epochs: Keras 3's EarlyStopping
 *		and ReduceLROnPlateau.
 *
 * The caller fills in the options of AiStopping, zero else, and asks after each epoch.
 * Keeping the weights of the best epoch, and going back to them, is its own.
 *-------------------------------------------------------------------------
 */
#ifndef AI_STOPPING_H
#define AI_STOPPING_H

#include "core/base/status.h"

/* The best so far, and how many epochs ago */
typedef struct AiWatch
{
	bool		has_best;
	double		best;
	int64_t		wait;
} AiWatch;

typedef struct AiStopping
{
	/* Options */
	bool		is_score;		/* more of what is watched is better: else it is a loss */
	int64_t		patience;		/* epochs without a better one before the end; 0: no early end */
	double		min_delta;		/* by how much a better one is better, 0 or more */
	int64_t		plateau_patience;	/* before the rate is reduced; 0: never */
	double		plateau_min_delta;
	double		factor;			/* of the rate */
	double		min_rate;
	int64_t		cooldown;		/* epochs after a reduction that do not count as waiting */

	/* State */
	AiWatch		stop;
	AiWatch		plateau;
	int64_t		cooling;		/* epochs of it that are left */
} AiStopping;

/* What an epoch has brought, any of these; 0: training goes on as before */
#define AI_EPOCH_IS_BEST 1
#define AI_EPOCH_REDUCED 2
#define AI_EPOCH_STOPS 4

/* Keras's defaults, with neither of the two at work */
extern void ai_stopping_default(AiStopping *stopping);

/*
 * After an epoch with what is watched, which is never better when it is not a number.
 * *rate is the learning rate, which a schedule may change further; reduced here.
 */
extern int	ai_stopping_epoch(AiStopping *stopping, double watched, double *rate);

#endif							/* AI_STOPPING_H */
