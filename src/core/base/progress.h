/*-------------------------------------------------------------------------
 * progress.h
 *		How far long work has come, and how long it may still take.
 *
 * Work is a sequence of parts.  Each begins with a guess of its own time and of what
 * comes after it; a part that counts its units is soon measured instead, and what
 * comes after can be told in times of this part.  The share that is done never falls,
 * whatever the guesses.
 *
 * Units may be counted by any thread; all else belongs to the main thread.
 *-------------------------------------------------------------------------
 */
#ifndef AI_PROGRESS_H
#define AI_PROGRESS_H

#include <stdatomic.h>

/* What is known; what is not is negative */
typedef struct AiProgress
{
	const char *phase;			/* a literal */
	double		share;			/* done, 0 to 1 */
	double		seconds_left;
	int			epoch;			/* passes over the rows in this phase */
	double		loss;
} AiProgress;

/* A part: seconds, all guesses */
typedef struct AiPart
{
	const char *phase;
	double		seconds;		/* that it takes */
	int			n_units;		/* 0: they are not counted */
	double		parts_after;	/* what comes after it, in times of this part */
	double		seconds_after;	/* and besides */
} AiPart;

typedef struct AiTracker
{
	double		started;		/* ai_clock() */
	double		part_started;
	AiPart		part;
	atomic_int	n_done;			/* units */
	atomic_int	epoch;
	double		loss;
	double		max_seconds;	/* after which it ends anyway; 0: none */
	double		share;			/* the highest that was told */
} AiTracker;

/* Seconds of a clock that never steps back */
extern double ai_clock(void);

extern void ai_tracker_init(AiTracker *tracker);

/* The part before ends: the seconds that it took. */
extern double ai_tracker_begin(AiTracker *tracker, const AiPart *part);

/* Some task of this part has done so many units more, and made so many passes in all. */
extern void ai_tracker_count(AiTracker *tracker, int n_units, int epoch);

/* While nothing can be guessed, share is 0 and seconds_left negative. */
extern void ai_tracker_get(AiTracker *tracker, AiProgress *progress);

#endif							/* AI_PROGRESS_H */
