/*-------------------------------------------------------------------------
 * schedule.c
 *		The learning rate of each step.
 *-------------------------------------------------------------------------
 */
#include "core/train/schedule.h"

#include <math.h>

#include "core/train/names.h"

#define PI 3.14159265358979323846

/* In the order of AiScheduleKind */
static const char *const names[] = {
	"constant", "step", "exponential", "cosine", "piecewise"
};

#define N_KINDS ((int) (sizeof(names) / sizeof(names[0])))

const char *
ai_schedule_name(AiScheduleKind kind)
{
	return names[kind];
}

bool
ai_schedule_find(AiScheduleKind *kind, const char *name, size_t len)
{
	int			found = ai_name_find(names, N_KINDS, name, len);

	if (found >= 0)
		*kind = (AiScheduleKind) found;
	return found >= 0;
}

/* Both comparisons are false for NaN. */
static bool
is_rate(double rate)
{
	return rate >= 0 && rate <= 1e6;
}

static AiCode
check_piecewise(const AiSchedule *schedule, AiError *err)
{
	if (schedule->n_boundaries < 1 || schedule->n_boundaries > AI_SCHEDULE_MAX_PIECES)
		return ai_fail(err, AI_ERR_PARAM, "a piecewise schedule must have 1 to %d boundaries",
					   AI_SCHEDULE_MAX_PIECES);
	for (int i = 0; i < schedule->n_boundaries; i++)
	{
		double		last = i > 0 ? schedule->boundary[i - 1] : 0;

		if (!(schedule->boundary[i] > last && isfinite(schedule->boundary[i])))
			return ai_fail(err, AI_ERR_PARAM, "boundaries of a schedule must rise");
	}
	for (int i = 0; i <= schedule->n_boundaries; i++)
		if (!is_rate(schedule->rate[i]))
			return ai_fail(err, AI_ERR_PARAM, "a schedule's learning rate must be 0 or more");
	return AI_OK;
}

AiCode
ai_schedule_check(const AiSchedule *schedule, AiError *err)
{
	if (schedule->kind == AI_SCHEDULE_CONSTANT)
		return AI_OK;
	if (schedule->kind == AI_SCHEDULE_PIECEWISE)
		return check_piecewise(schedule, err);
	if (!(schedule->length > 0 && isfinite(schedule->length)))
		return ai_fail(err, AI_ERR_PARAM, "length of a schedule must be greater than 0");
	if (schedule->kind != AI_SCHEDULE_COSINE)
	{
		if (!(schedule->factor > 0 && schedule->factor <= 1))
			return ai_fail(err, AI_ERR_PARAM,
						   "factor of a schedule must be greater than 0 and at most 1");
		return AI_OK;
	}
	if (!(schedule->alpha >= 0 && schedule->alpha <= 1))
		return ai_fail(err, AI_ERR_PARAM, "alpha of a schedule must be between 0 and 1");
	if (!(schedule->warmup >= 0 && isfinite(schedule->warmup)))
		return ai_fail(err, AI_ERR_PARAM, "warm-up of a schedule must be 0 or longer");
	if (!is_rate(schedule->warmup_target))
		return ai_fail(err, AI_ERR_PARAM, "a schedule's learning rate must be 0 or more");
	return AI_OK;
}

static double
cosine(const AiSchedule *schedule, double base, double step, double unit)
{
	double		from = base;
	double		part;

	if (schedule->warmup_target > 0)
	{
		double		warmup = schedule->warmup * unit;

		from = schedule->warmup_target;
		if (step < warmup)
			return base + (from - base) * step / warmup;
		step -= warmup;
	}
	part = fmin(step / (schedule->length * unit), 1);
	return from * ((1 - schedule->alpha) * 0.5 * (1 + cos(PI * part)) + schedule->alpha);
}

static double
piecewise(const AiSchedule *schedule, double step, double unit)
{
	int			piece = 0;

	while (piece < schedule->n_boundaries)
	{
		double		boundary = schedule->boundary[piece] * unit;

		if (schedule->by_epochs ? step < boundary : step <= boundary)
			break;
		piece++;
	}
	return schedule->rate[piece];
}

double
ai_schedule_rate(const AiSchedule *schedule, double base, int64_t step, int64_t steps_per_epoch)
{
	double		unit = schedule->by_epochs ? (double) steps_per_epoch : 1;
	double		lengths = (double) step / (schedule->length * unit);

	switch (schedule->kind)
	{
		case AI_SCHEDULE_CONSTANT:
			break;
		case AI_SCHEDULE_STEP:
			return base * pow(schedule->factor, floor(lengths));
		case AI_SCHEDULE_EXPONENTIAL:
			return base * pow(schedule->factor, lengths);
		case AI_SCHEDULE_COSINE:
			return cosine(schedule, base, (double) step, unit);
		case AI_SCHEDULE_PIECEWISE:
			return piecewise(schedule, (double) step, unit);
	}
	return base;
}
