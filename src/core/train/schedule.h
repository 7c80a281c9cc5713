/*-------------------------------------------------------------------------
 * schedule.h
 *		The learning rate of each step, as schedules of Keras 3 have it.
 *-------------------------------------------------------------------------
 */
#ifndef AI_SCHEDULE_H
#define AI_SCHEDULE_H

#include "core/base/status.h"

typedef enum AiScheduleKind
{
	AI_SCHEDULE_CONSTANT,
	AI_SCHEDULE_STEP,			/* times factor after each length: ExponentialDecay, staircase */
	AI_SCHEDULE_EXPONENTIAL,	/* the same, gradually */
	AI_SCHEDULE_COSINE,			/* down to alpha within length, after a warm-up: CosineDecay */
	AI_SCHEDULE_PIECEWISE		/* PiecewiseConstantDecay */
} AiScheduleKind;

#define AI_SCHEDULE_MAX_PIECES 32

typedef struct AiSchedule
{
	AiScheduleKind kind;
	bool		by_epochs;		/* lengths and boundaries are epochs, else steps */
	double		length;
	double		factor;
	double		alpha;			/* least rate, as a part of the one that it falls from */
	double		warmup;			/* how long the rate rises from base to target */
	double		warmup_target;	/* what it falls from then; 0: no warm-up, it falls from base */
	int			n_boundaries;	/* piecewise */
	double		boundary[AI_SCHEDULE_MAX_PIECES];	/* rising */
	double		rate[AI_SCHEDULE_MAX_PIECES + 1];	/* before the first one, and from each on */
} AiSchedule;

extern const char *ai_schedule_name(AiScheduleKind kind);
extern bool ai_schedule_find(AiScheduleKind *kind, const char *name, size_t len);

/* AI_ERR_PARAM where a number is out of its range */
extern AiCode ai_schedule_check(const AiSchedule *schedule, AiError *err);

/*
 * The rate of a step, counted from 0.  A boundary of n epochs lies before the first step of
 * epoch n, one of n steps, as in Keras, behind step n.
 */
extern double ai_schedule_rate(const AiSchedule *schedule, double base, int64_t step,
							   int64_t steps_per_epoch);

#endif							/* AI_SCHEDULE_H */
