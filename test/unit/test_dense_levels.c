/*-------------------------------------------------------------------------
 * test_dense_levels.c
 *		Updates of weights by their formulas, and that all levels give the same bits.
 *
 * The formulas, here in double precision, are those of kernels.h.
 *-------------------------------------------------------------------------
 */
#include "dense_arrays.h"

#define N_STATES 3
#define N_STEPS 4

typedef enum Rule
{
	SGD,
	SGD_MOMENTUM,
	SGD_NESTEROV,
	RMSPROP,
	RMSPROP_MOMENTUM,
	RMSPROP_CENTERED,
	RMSPROP_BOTH,
	ADAGRAD,
	ADADELTA,
	ADAM,
	ADAMAX,
	NADAM,
	LION,
	N_RULES
} Rule;

static void
update(Rule rule, float *w, float *const *s, const float *g, size_t n, const AiUpdate *u)
{
	const AiKernels *k = ai_kernels();

	switch (rule)
	{
		case SGD:
			k->update_sgd(w, NULL, g, n, u, false);
			break;
		case SGD_MOMENTUM:
		case SGD_NESTEROV:
			k->update_sgd(w, s[0], g, n, u, rule == SGD_NESTEROV);
			break;
		case RMSPROP:
			k->update_rmsprop(w, s[0], NULL, NULL, g, n, u);
			break;
		case RMSPROP_MOMENTUM:
			k->update_rmsprop(w, s[0], s[1], NULL, g, n, u);
			break;
		case RMSPROP_CENTERED:
			k->update_rmsprop(w, s[0], NULL, s[2], g, n, u);
			break;
		case RMSPROP_BOTH:
			k->update_rmsprop(w, s[0], s[1], s[2], g, n, u);
			break;
		case ADAGRAD:
			k->update_adagrad(w, s[0], g, n, u);
			break;
		case ADADELTA:
			k->update_adadelta(w, s[0], s[1], g, n, u);
			break;
		case ADAM:
			k->update_adam(w, s[0], s[1], g, n, u);
			break;
		case ADAMAX:
			k->update_adamax(w, s[0], s[1], g, n, u);
			break;
		case NADAM:
			k->update_nadam(w, s[0], s[1], g, n, u);
			break;
		default:
			k->update_lion(w, s[0], g, n, u);
	}
}

static double
sign(double x)
{
	return (x > 0) - (x < 0);
}

/* What is subtracted from the weight after its decay */
static double
exact_change(Rule rule, double *s, double g, const AiUpdate *u)
{
	double		spread;
	double		change;

	switch (rule)
	{
		case SGD:
			return g * u->rate;
		case SGD_MOMENTUM:
		case SGD_NESTEROV:
			s[0] = s[0] * u->beta1 - g * u->rate;
			return rule == SGD_MOMENTUM ? -s[0] : g * u->rate - s[0] * u->beta1;
		case RMSPROP:
		case RMSPROP_MOMENTUM:
		case RMSPROP_CENTERED:
		case RMSPROP_BOTH:
			s[0] = s[0] * u->beta2 + g * g * (1 - u->beta2);
			s[2] = s[2] * u->beta2 + g * (1 - u->beta2);
			spread = s[0] - (rule >= RMSPROP_CENTERED ? s[2] * s[2] : 0);
			change = g * u->rate / sqrt(spread + u->epsilon);
			s[1] = s[1] * u->beta1 + change;
			return rule == RMSPROP_MOMENTUM || rule == RMSPROP_BOTH ? s[1] : change;
		case ADAGRAD:
			s[0] += g * g;
			return g * u->rate / sqrt(s[0] + u->epsilon);
		case ADADELTA:
			s[0] = s[0] * u->beta2 + g * g * (1 - u->beta2);
			change = g * sqrt(s[1] + u->epsilon) / sqrt(s[0] + u->epsilon);
			s[1] = s[1] * u->beta2 + change * change * (1 - u->beta2);
			return change * u->rate;
		case ADAM:
			s[0] += (g - s[0]) * (1 - u->beta1);
			s[1] += (g * g - s[1]) * (1 - u->beta2);
			return s[0] * u->rate / (sqrt(s[1]) + u->epsilon);
		case ADAMAX:
			s[0] += (g - s[0]) * (1 - u->beta1);
			s[1] = fmax(s[1] * u->beta2, fabs(g));
			return s[0] * u->rate / (s[1] + u->epsilon);
		case NADAM:
			s[0] += (g - s[0]) * (1 - u->beta1);
			s[1] += (g * g - s[1]) * (1 - u->beta2);
			return (s[0] * u->correction1 + g * u->correction2) * u->rate /
				(sqrt(s[1] * u->correction3) + u->epsilon);
		default:
			change = u->rate * sign(s[0] * u->beta1 + g * (1 - u->beta1));
			s[0] = s[0] * u->beta2 + g * (1 - u->beta2);
			return change;
	}
}

static double
exact_gradient(double g, double w, const AiUpdate *u)
{
	double		penalised = (g + u->l1 * sign(w) + 2 * u->l2 * w) * u->scale;

	return u->clip > 0 ? fmin(fmax(penalised, -u->clip), u->clip) : penalised;
}

static AiUpdate
make_update(bool is_plain)
{
	AiUpdate	u = {
		.rate = 0.01, .beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-7,
		.correction1 = 1.7, .correction2 = 0.6, .correction3 = 3.1, .scale = 1
	};

	if (!is_plain)
	{
		u.decay = 0.001;
		u.l1 = 0.01;
		u.l2 = 0.02;
		u.scale = 0.7;
		u.clip = 1.5;
	}
	return u;
}

/* Some steps with one rule, from states of 0 */
static void
check_rule(AiRng *rng, Rule rule, size_t n, const AiUpdate *u)
{
	float	   *w = make_floats(rng, n);
	float	   *g = make_floats(rng, N_STEPS * n);
	float	   *s[N_STATES];
	double	   *exact = calloc((N_STATES + 1) * n + 1, sizeof(double));

	assert_non_null(exact);
	for (int i = 0; i < N_STATES; i++)
	{
		s[i] = make_floats(rng, n);
		memset(s[i], 0, n * sizeof(float));
	}
	if (n > 2)
		w[2] = 0;
	for (size_t j = 0; j < n; j++)
		exact[j * (N_STATES + 1)] = w[j];
	for (size_t step = 0; step < N_STEPS; step++)
		update(rule, w, s, g + step * n, n, u);
	for (size_t j = 0; j < n; j++)
	{
		double	   *e = exact + j * (N_STATES + 1);
		double		size = fabs(*e);

		for (size_t step = 0; step < N_STEPS; step++)
		{
			double		gradient = exact_gradient(g[step * n + j], *e, u);
			double		change = exact_change(rule, e + 1, gradient, u);

			*e -= *e * u->decay + change;
			size += fabs(change);
		}
		if (!(fabs(w[j] - *e) <= 0x1p-18 * size))
			fail_msg("%s: rule %d gives %.9g instead of %.9g at %zu of %zu",
					 ai_cpu_level_name(ai_kernels_level()), rule, w[j], *e, j, n);
	}
	for (int i = 0; i < N_STATES; i++)
		free_floats(s[i]);
	free_floats(w);
	free_floats(g);
	free(exact);
}

static void
check_rules(void)
{
	AiRng		rng = {1};

	for (int rule = 0; rule < N_RULES; rule++)
	{
		for (size_t n = 0; n <= 70; n += n < 35 ? 1 : 35)
		{
			AiUpdate	plain = make_update(true);
			AiUpdate	full = make_update(false);

			check_rule(&rng, (Rule) rule, n, &plain);
			check_rule(&rng, (Rule) rule, n, &full);
		}
	}
}

static void
test_rules(void **state)
{
	(void) state;
	for_each_level(check_rules);
}

/*
 * What is one code for all levels: from one seed, with the arrays that the calls make one after
 * the other in out
 */
#define MAX_OUT 40000

typedef struct Output
{
	float		x[MAX_OUT];
	size_t		n;
} Output;

static void
keep(Output *out, const float *x, size_t n)
{
	assert_true(out->n + n <= MAX_OUT);
	memcpy(out->x + out->n, x, n * sizeof(float));
	out->n += n;
}

static void
run_loops(Output *out, size_t n_rows, size_t n)
{
	const AiKernels *k = ai_kernels();
	AiUpdate	u = make_update(false);
	AiRng		rng = {n};
	size_t		size = n_rows * n;
	float	   *a[8];
	double		squares;

	for (size_t i = 0; i < COUNT(a); i++)
		a[i] = make_floats(&rng, 4 * size);
	for (int act = 0; act < AI_ACT_SOFTMAX; act++)
	{
		k->activate(a[1], a[0], size, (AiActivation) act);
		k->activate_back(a[2], a[3], a[0], a[1], size, (AiActivation) act);
		keep(out, a[1], size);
		keep(out, a[2], size);
	}
	k->softmax(a[1], a[0], n_rows, n);
	k->softmax_back(a[2], a[3], a[1], n_rows, n);
	keep(out, a[1], size);
	keep(out, a[2], size);
	k->layer_norm(a[1], a[2], a[3], a[0], a[4], a[5], n_rows, n, 1e-3f);
	keep(out, a[1], size);
	k->layer_norm_back(a[6], a[4], a[5], a[0], a[2], a[3], a[7], n_rows, n);
	keep(out, a[6], size);
	k->add_rows(a[4], a[0], n_rows, n);
	keep(out, a[4], n);
	squares = k->sum_squares(a[0], size);
	keep(out, (const float *) &squares, 2);
	squares = k->dot(a[0], a[1], size);
	keep(out, (const float *) &squares, 2);
	k->lstm_cell(a[0], a[1], a[2], a[3], n_rows, n);
	k->lstm_cell_back(a[4], a[5], a[6], a[0], a[3], a[1], n_rows, n);
	keep(out, a[2], size);
	keep(out, a[4], 4 * size);
	k->gru_cell(a[5], a[1], a[6], a[3], n_rows, n);
	k->gru_cell_back(a[4], a[7], a[2], a[5], a[6], a[3], n_rows, n);
	keep(out, a[1], size);
	keep(out, a[7], 3 * size);
	for (int rule = 0; rule < N_RULES; rule++)
	{
		for (size_t i = 1; i <= N_STATES; i++)
			k->activate(a[i], a[i], size, AI_ACT_SIGMOID);
		update((Rule) rule, a[0], a + 1, a[6], size, &u);
		keep(out, a[0], size);
	}
	for (size_t i = 0; i < COUNT(a); i++)
		free_floats(a[i]);
}

/* but for products, a level gives the bits of the portable one */
static void
test_same_bits(void **state)
{
	static const size_t lengths[] = {1, 5, 16, 23, 40, 64, 107};
	static Output portable;
	static Output other;

	(void) state;
	for (size_t l = 0; l < COUNT(lengths); l++)
	{
		portable.n = 0;
		assert_int_equal(ai_kernels_select(AI_CPU_PORTABLE, NULL), AI_OK);
		run_loops(&portable, 5, lengths[l]);
		for (int level = AI_CPU_PORTABLE + 1; level <= (int) ai_kernels_best_level(); level++)
		{
			other.n = 0;
			assert_int_equal(ai_kernels_select((AiCpuLevel) level, NULL), AI_OK);
			run_loops(&other, 5, lengths[l]);
			for (size_t i = 0; i < portable.n; i++)
			{
				if (memcmp(&portable.x[i], &other.x[i], sizeof(float)) != 0)
					fail_msg("%s: %.9g instead of %.9g at %zu, length %zu",
							 ai_cpu_level_name((AiCpuLevel) level), other.x[i], portable.x[i], i,
							 lengths[l]);
			}
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_same_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
