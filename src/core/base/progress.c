/*-------------------------------------------------------------------------
 * progress.c
 *		How far long work has come, and how long it may still take.
 *-------------------------------------------------------------------------
 */
#include "core/base/progress.h"

#include <time.h>

/* Units done, of all, from which on a part's time is measured and no guess */
#define MEASURED_FROM 0.05

/* While there is something left, however wrong the guesses */
#define MAX_SHARE 0.99

double
ai_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

void
ai_tracker_init(AiTracker *tracker)
{
	*tracker = (AiTracker) {.started = ai_clock(), .loss = -1};
	tracker->part_started = tracker->started;
}

double
ai_tracker_begin(AiTracker *tracker, const AiPart *part)
{
	double		now = ai_clock();
	double		seconds = now - tracker->part_started;

	tracker->part = *part;
	tracker->part_started = now;
	atomic_store(&tracker->n_done, 0);
	atomic_store(&tracker->epoch, 0);
	return seconds;
}

void
ai_tracker_count(AiTracker *tracker, int n_units, int epoch)
{
	int			highest = atomic_load(&tracker->epoch);

	atomic_fetch_add(&tracker->n_done, n_units);
	while (epoch > highest && !atomic_compare_exchange_weak(&tracker->epoch, &highest, epoch))
		;
}

/* Time that the part in work takes, or 0 */
static double
part_time(const AiTracker *tracker, double elapsed)
{
	const AiPart *part = &tracker->part;
	double		done = part->n_units > 0 ?
		(double) atomic_load(&tracker->n_done) / part->n_units : 0;

	if (done >= MEASURED_FROM)
		return done < 1 ? elapsed / done : elapsed;
	return part->seconds > elapsed || part->seconds <= 0 ? part->seconds : elapsed;
}

void
ai_tracker_get(AiTracker *tracker, AiProgress *progress)
{
	const AiPart *part = &tracker->part;
	double		now = ai_clock();
	double		elapsed = now - tracker->part_started;
	double		seconds = part_time(tracker, elapsed);
	double		left = seconds - elapsed + seconds * part->parts_after + part->seconds_after;
	double		done = now - tracker->started;

	if (tracker->max_seconds > 0 && left > tracker->max_seconds - done)
		left = tracker->max_seconds - done;
	*progress = (AiProgress) {
		.phase = part->phase, .share = tracker->share, .seconds_left = -1,
		.epoch = atomic_load(&tracker->epoch), .loss = tracker->loss
	};
	if (seconds <= 0)
		return;
	left = left > 0 ? left : 0;
	progress->seconds_left = left;
	progress->share = done / (done + left);
	if (progress->share > MAX_SHARE)
		progress->share = MAX_SHARE;
	if (progress->share < tracker->share)
		progress->share = tracker->share;
	tracker->share = progress->share;
}
