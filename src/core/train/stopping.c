/*-------------------------------------------------------------------------
 * stopping.c
 *		When training ends early, or goes on at a lower rate.
 *-------------------------------------------------------------------------
 */
#include "core/train/stopping.h"

#include <math.h>

void
ai_stopping_default(AiStopping *stopping)
{
	*stopping = (AiStopping) {
		.plateau_min_delta = 1e-4,
		.factor = 0.1
	};
}

static bool
is_better(const AiWatch *watch, bool is_score, double watched, double min_delta)
{
	if (isnan(watched))
		return false;
	if (!watch->has_best)
		return true;
	return is_score ? watched - min_delta > watch->best : watched + min_delta < watch->best;
}

/* One epoch more, the best one or not */
static bool
watch_epoch(AiWatch *watch, bool is_score, double watched, double min_delta)
{
	watch->wait++;
	if (!is_better(watch, is_score, watched, min_delta))
		return false;
	*watch = (AiWatch) {.has_best = true, .best = watched};
	return true;
}

static bool
reduce_on_plateau(AiStopping *stopping, double watched, double *rate)
{
	AiWatch    *watch = &stopping->plateau;

	if (stopping->cooling > 0)
	{
		stopping->cooling--;
		watch->wait = 0;
	}
	if (watch_epoch(watch, stopping->is_score, watched, stopping->plateau_min_delta))
		return false;
	if (stopping->cooling > 0)
		watch->wait = 0;
	if (stopping->cooling > 0 || watch->wait < stopping->plateau_patience ||
		*rate <= stopping->min_rate)
		return false;
	*rate = fmax(*rate * stopping->factor, stopping->min_rate);
	stopping->cooling = stopping->cooldown;
	watch->wait = 0;
	return true;
}

int
ai_stopping_epoch(AiStopping *stopping, double watched, double *rate)
{
	int			brought = 0;

	if (watch_epoch(&stopping->stop, stopping->is_score, watched, stopping->min_delta))
		brought |= AI_EPOCH_IS_BEST;
	else if (stopping->patience > 0 && stopping->stop.wait >= stopping->patience)
		brought |= AI_EPOCH_STOPS;
	if (stopping->plateau_patience > 0 && reduce_on_plateau(stopping, watched, rate))
		brought |= AI_EPOCH_REDUCED;
	return brought;
}
