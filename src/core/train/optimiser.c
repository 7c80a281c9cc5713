/*-------------------------------------------------------------------------
 * optimiser.c
 *		How gradients change weights.
 *
 * The formulas are with the kernels that compute them (kernels.h).  What depends on the
 * number of the step is computed here in double: 1 - beta2^t is small at first, and in
 * float would lose half of its digits.
 *-------------------------------------------------------------------------
 */
#include "core/train/optimiser.h"

#include <math.h>

#include "core/train/names.h"

#define NADAM_DECAY 0.96

/* In the order of AiOptimiserKind */
static const char *const names[] = {
	"sgd", "rmsprop", "adagrad", "adadelta", "adam", "adamw", "adamax", "nadam", "lion"
};

#define N_KINDS ((int) (sizeof(names) / sizeof(names[0])))

void
ai_optimiser_default(AiOptimiser *optimiser, AiOptimiserKind kind)
{
	*optimiser = (AiOptimiser) {
		.kind = kind,
		.learning_rate = kind == AI_OPT_SGD ? 0.01 : 0.001,
		.rho = kind == AI_OPT_ADADELTA ? 0.95 : 0.9,
		.beta1 = 0.9,
		.beta2 = kind == AI_OPT_LION ? 0.99 : 0.999,
		.epsilon = 1e-7,
		.weight_decay = kind == AI_OPT_ADAMW ? 0.004 : 0,
		.initial_accumulator = 0.1
	};
}

const char *
ai_optimiser_name(AiOptimiserKind kind)
{
	return names[kind];
}

bool
ai_optimiser_find(AiOptimiserKind *kind, const char *name, size_t len)
{
	int			found = ai_name_find(names, N_KINDS, name, len);

	if (found >= 0)
		*kind = (AiOptimiserKind) found;
	return found >= 0;
}

int
ai_optimiser_n_slots(const AiOptimiser *optimiser)
{
	switch (optimiser->kind)
	{
		case AI_OPT_SGD:
			return optimiser->momentum != 0;
		case AI_OPT_RMSPROP:
			return 1 + (optimiser->momentum != 0) + optimiser->centered;
		case AI_OPT_ADAGRAD:
		case AI_OPT_LION:
			return 1;
		default:
			return 2;
	}
}

bool
ai_optimiser_rests(const AiOptimiser *optimiser)
{
	if (optimiser->weight_decay != 0)
		return false;
	return optimiser->kind == AI_OPT_ADAGRAD ||
		(optimiser->kind == AI_OPT_SGD && optimiser->momentum == 0);
}

float
ai_optimiser_initial(const AiOptimiser *optimiser, int slot)
{
	(void) slot;
	return optimiser->kind == AI_OPT_ADAGRAD ? (float) optimiser->initial_accumulator : 0;
}

/* The momentum of step t */
static double
nadam_momentum(const AiOptimiser *optimiser, double t)
{
	return optimiser->beta1 * (1 - 0.5 * pow(NADAM_DECAY, t));
}

static void
begin_nadam(const AiOptimiser *optimiser, AiOptimiserState *state, double t, AiUpdate *update)
{
	double		now = nadam_momentum(optimiser, t);
	double		next = nadam_momentum(optimiser, t + 1);

	state->product = (state->step == 1 ? 1 : state->product) * now;
	update->correction1 = next / (1 - state->product * next);
	update->correction2 = (1 - now) / (1 - state->product);
	update->correction3 = 1 / (1 - pow(optimiser->beta2, t));
}

void
ai_optimiser_begin(const AiOptimiser *optimiser, AiOptimiserState *state, double learning_rate,
				   AiUpdate *update)
{
	double		t = (double) ++state->step;

	*update = (AiUpdate) {
		.rate = learning_rate,
		.beta1 = optimiser->beta1,
		.beta2 = optimiser->beta2,
		.epsilon = optimiser->epsilon,
		.decay = optimiser->weight_decay * learning_rate,
		.scale = 1,
		.clip = optimiser->clip_value
	};
	switch (optimiser->kind)
	{
		case AI_OPT_SGD:
		case AI_OPT_RMSPROP:
		case AI_OPT_ADADELTA:
			update->beta1 = optimiser->momentum;
			update->beta2 = optimiser->rho;
			break;
		case AI_OPT_ADAM:
		case AI_OPT_ADAMW:
			update->rate *= sqrt(1 - pow(optimiser->beta2, t)) / (1 - pow(optimiser->beta1, t));
			break;
		case AI_OPT_ADAMAX:
			update->rate /= 1 - pow(optimiser->beta1, t);
			break;
		case AI_OPT_NADAM:
			begin_nadam(optimiser, state, t, update);
			break;
		case AI_OPT_ADAGRAD:
		case AI_OPT_LION:
			break;
	}
}

double
ai_optimiser_scale(double max_norm, double sum_squares)
{
	double		norm = sqrt(sum_squares);

	return max_norm <= 0 || norm <= max_norm ? 1 : max_norm / norm;
}

static inline double
sign(double x)
{
	return (x > 0) - (x < 0);
}

double
ai_optimiser_sum_squares(const float *w, const float *g, size_t n, double l1, double l2)
{
	double		sum = 0;

	if (l1 == 0 && l2 == 0)
		return ai_kernels()->sum_squares(g, n);
	for (size_t i = 0; i < n; i++)
	{
		double		whole = g[i] + l1 * sign(w[i]) + 2 * l2 * w[i];

		sum += whole * whole;
	}
	return sum;
}

double
ai_optimiser_penalty(const float *w, size_t n, double l1, double l2)
{
	double		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += l1 * fabs(w[i]) + l2 * w[i] * w[i];
	return sum;
}

static void
update_rmsprop(const AiOptimiser *optimiser, const AiUpdate *update, float *w, const float *g,
			   float *const *slot, size_t n)
{
	bool		has_momentum = optimiser->momentum != 0;
	float	   *m = has_momentum ? slot[1] : NULL;
	float	   *mean = optimiser->centered ? slot[1 + has_momentum] : NULL;

	ai_kernels()->update_rmsprop(w, slot[0], m, mean, g, n, update);
}

void
ai_optimiser_update(const AiOptimiser *optimiser, const AiUpdate *update, float *w,
					const float *g, float *const *slot, size_t n)
{
	const AiKernels *kernels = ai_kernels();

	switch (optimiser->kind)
	{
		case AI_OPT_SGD:
			kernels->update_sgd(w, optimiser->momentum != 0 ? slot[0] : NULL, g, n, update,
								optimiser->nesterov);
			break;
		case AI_OPT_RMSPROP:
			update_rmsprop(optimiser, update, w, g, slot, n);
			break;
		case AI_OPT_ADAGRAD:
			kernels->update_adagrad(w, slot[0], g, n, update);
			break;
		case AI_OPT_ADADELTA:
			kernels->update_adadelta(w, slot[0], slot[1], g, n, update);
			break;
		case AI_OPT_ADAM:
		case AI_OPT_ADAMW:
			kernels->update_adam(w, slot[0], slot[1], g, n, update);
			break;
		case AI_OPT_ADAMAX:
			kernels->update_adamax(w, slot[0], slot[1], g, n, update);
			break;
		case AI_OPT_NADAM:
			kernels->update_nadam(w, slot[0], slot[1], g, n, update);
			break;
		case AI_OPT_LION:
			kernels->update_lion(w, slot[0], g, n, update);
			break;
	}
}
