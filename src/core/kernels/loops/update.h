/*-------------------------------------------------------------------------
 * update.h
 *		The updates of the optimisers; kernels.h has their formulas.
 *
 * Numbers of a step are rounded to float once, after what is taken from 1 has been.
 *-------------------------------------------------------------------------
 */
#ifndef AI_LOOPS_UPDATE_H
#define AI_LOOPS_UPDATE_H

#include "core/kernels/kernels.h"
#include "core/kernels/loops/functions.h"

typedef struct Step
{
	float		rate;
	float		beta1;
	float		beta2;
	float		rest1;			/* 1 - beta1 */
	float		rest2;
	float		epsilon;
	float		decay;
	float		correction1;
	float		correction2;
	float		correction3;
	float		l1;
	float		l2;				/* twice */
	float		scale;
	float		clip;
} Step;

static inline Step
step_of(const AiUpdate *update)
{
	return (Step) {
		.rate = (float) update->rate,
		.beta1 = (float) update->beta1,
		.beta2 = (float) update->beta2,
		.rest1 = (float) (1 - update->beta1),
		.rest2 = (float) (1 - update->beta2),
		.epsilon = (float) update->epsilon,
		.decay = (float) update->decay,
		.correction1 = (float) update->correction1,
		.correction2 = (float) update->correction2,
		.correction3 = (float) update->correction3,
		.l1 = (float) update->l1,
		.l2 = (float) (2 * update->l2),
		.scale = (float) update->scale,
		.clip = update->clip > 0 ? (float) update->clip : INFINITY
	};
}

/* a with the sign of x; 0 where x is 0 */
AI_LANE float
signed_like(float a, float x)
{
	return x > 0 ? a : x < 0 ? -a : 0;
}

AI_LANE float
gradient_of(const Step *s, float g, float w)
{
	float		penalised = (g + signed_like(s->l1, w) + s->l2 * w) * s->scale;

	return at_least(at_most(penalised, s->clip), -s->clip);
}

AI_LANE float
decayed(const Step *s, float w)
{
	return w - w * s->decay;
}

AI_LANE void
sgd_loop(float *w, float *m, const float *grad, size_t n, const Step *s, bool has_momentum,
		 bool is_nesterov)
{
	AI_LANES
	for (size_t i = 0; i < n; i++)
	{
		float		step = gradient_of(s, grad[i], w[i]) * s->rate;
		float		change = -step;

		if (has_momentum)
		{
			m[i] = m[i] * s->beta1 - step;
			change = is_nesterov ? m[i] * s->beta1 - step : m[i];
		}
		w[i] = decayed(s, w[i]) + change;
	}
}

static void
update_sgd(float *w, float *m, const float *g, size_t n, const AiUpdate *update, bool is_nesterov)
{
	Step		s = step_of(update);

	if (m == NULL)
		sgd_loop(w, NULL, g, n, &s, false, false);
	else if (is_nesterov)
		sgd_loop(w, m, g, n, &s, true, true);
	else
		sgd_loop(w, m, g, n, &s, true, false);
}

AI_LANE void
rmsprop_loop(float *w, float *v, float *m, float *mean, const float *grad, size_t n, const Step *s,
			 bool has_momentum, bool is_centered)
{
	AI_LANES
	for (size_t i = 0; i < n; i++)
	{
		float		g = gradient_of(s, grad[i], w[i]);
		float		square = v[i] * s->beta2 + g * g * s->rest2;
		float		spread = square;
		float		change;

		v[i] = square;
		if (is_centered)
		{
			mean[i] = mean[i] * s->beta2 + g * s->rest2;
			spread -= mean[i] * mean[i];
		}
		change = g * s->rate / sqrtf(spread + s->epsilon);
		if (has_momentum)
		{
			change += m[i] * s->beta1;
			m[i] = change;
		}
		w[i] = decayed(s, w[i]) - change;
	}
}

static void
update_rmsprop(float *w, float *v, float *m, float *mean, const float *g, size_t n,
			   const AiUpdate *update)
{
	Step		s = step_of(update);

	if (m != NULL && mean != NULL)
		rmsprop_loop(w, v, m, mean, g, n, &s, true, true);
	else if (m != NULL)
		rmsprop_loop(w, v, m, NULL, g, n, &s, true, false);
	else if (mean != NULL)
		rmsprop_loop(w, v, NULL, mean, g, n, &s, false, true);
	else
		rmsprop_loop(w, v, NULL, NULL, g, n, &s, false, false);
}

static void
update_adagrad(float *w, float *v, const float *grad, size_t n, const AiUpdate *update)
{
	Step		s = step_of(update);

	AI_LANES
	for (size_t i = 0; i < n; i++)
	{
		float		g = gradient_of(&s, grad[i], w[i]);

		v[i] += g * g;
		w[i] = decayed(&s, w[i]) - g * s.rate / sqrtf(v[i] + s.epsilon);
	}
}

static void
update_adadelta(float *w, float *v, float *d, const float *grad, size_t n, const AiUpdate *update)
{
	Step		s = step_of(update);

	AI_LANES
	for (size_t i = 0; i < n; i++)
	{
		float		g = gradient_of(&s, grad[i], w[i]);
		float		change;

		v[i] = v[i] * s.beta2 + g * g * s.rest2;
		change = g * sqrtf(d[i] + s.epsilon) / sqrtf(v[i] + s.epsilon);
		d[i] = d[i] * s.beta2 + change * change * s.rest2;
		w[i] = decayed(&s, w[i]) - change * s.rate;
	}
}

static void
update_adam(float *w, float *m, float *v, const float *grad, size_t n, const AiUpdate *update)
{
	Step		s = step_of(update);

	AI_LANES
	for (size_t i = 0; i < n; i++)
	{
		float		g = gradient_of(&s, grad[i], w[i]);

		m[i] += (g - m[i]) * s.rest1;
		v[i] += (g * g - v[i]) * s.rest2;
		w[i] = decayed(&s, w[i]) - m[i] * s.rate / (sqrtf(v[i]) + s.epsilon);
	}
}

static void
update_adamax(float *w, float *m, float *v, const float *grad, size_t n, const AiUpdate *update)
{
	Step		s = step_of(update);

	AI_LANES
	for (size_t i = 0; i < n; i++)
	{
		float		g = gradient_of(&s, grad[i], w[i]);

		m[i] += (g - m[i]) * s.rest1;
		v[i] = at_least(v[i] * s.beta2, fabsf(g));
		w[i] = decayed(&s, w[i]) - m[i] * s.rate / (v[i] + s.epsilon);
	}
}

static void
update_nadam(float *w, float *m, float *v, const float *grad, size_t n, const AiUpdate *update)
{
	Step		s = step_of(update);

	AI_LANES
	for (size_t i = 0; i < n; i++)
	{
		float		g = gradient_of(&s, grad[i], w[i]);
		float		ahead;

		m[i] += (g - m[i]) * s.rest1;
		v[i] += (g * g - v[i]) * s.rest2;
		ahead = m[i] * s.correction1 + g * s.correction2;
		w[i] = decayed(&s, w[i]) - ahead * s.rate / (sqrtf(v[i] * s.correction3) + s.epsilon);
	}
}

static void
update_lion(float *w, float *m, const float *grad, size_t n, const AiUpdate *update)
{
	Step		s = step_of(update);

	AI_LANES
	for (size_t i = 0; i < n; i++)
	{
		float		g = gradient_of(&s, grad[i], w[i]);

		w[i] = decayed(&s, w[i]) - signed_like(s.rate, m[i] * s.beta1 + g * s.rest1);
		m[i] = m[i] * s.beta2 + g * s.rest2;
	}
}

#endif							/* AI_LOOPS_UPDATE_H */
