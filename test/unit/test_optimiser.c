/*-------------------------------------------------------------------------
 * test_optimiser.c
 *		Weights move as Keras 3's optimisers move them.
 *
 * test/golden/optimisers.txt holds the cases and Keras's weights; its format is described in
 * test/golden/make_optimisers.py.  The formulas of kernels.h stand here once more, in double:
 * so what is computed of a step's number is held to Keras in float64, and the kernels to how
 * far Keras in float32 is from that.
 *-------------------------------------------------------------------------
 */
#include "core/train/optimiser.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "test_golden.h"

#define GOLDEN_FILE "test/golden/optimisers.txt"
#define MAX_WEIGHTS 32
#define MAX_STEPS 32
#define N_CHECKED 4
#define N_ARRAYS 2

typedef struct Problem
{
	size_t		n;				/* weights of both arrays */
	size_t		begin[N_ARRAYS + 1];	/* of the arrays */
	int			n_steps;
	float		weight[MAX_WEIGHTS];
	float		gradient[MAX_STEPS][MAX_WEIGHTS];
} Problem;

typedef struct Case
{
	char		name[64];
	AiOptimiser optimiser;
	double		l1;				/* of the first array */
	double		l2;
	int			step[N_CHECKED];
	double		exact[N_CHECKED][MAX_WEIGHTS];
	double		single[N_CHECKED][MAX_WEIGHTS];
} Case;

static void
read_problem(FILE *file, Problem *problem)
{
	size_t		n[N_ARRAYS];

	assert_int_equal(fscanf(file, " problem %zu %zu %d", &n[0], &n[1], &problem->n_steps), 3);
	problem->begin[0] = 0;
	problem->begin[1] = n[0];
	problem->begin[2] = problem->n = n[0] + n[1];
	assert_in_range(problem->n, 1, MAX_WEIGHTS);
	assert_in_range(problem->n_steps, 1, MAX_STEPS);
	golden_floats(file, problem->weight, problem->n);
	for (int t = 0; t < problem->n_steps; t++)
		golden_floats(file, problem->gradient[t], problem->n);
}

/* Takes an option over, unless Keras has none of this name */
static void
read_option(FILE *file, double *value)
{
	char		word[64];

	assert_int_equal(fscanf(file, "%63s", word), 1);
	if (strcmp(word, "-") != 0)
		*value = strtod(word, NULL);
}

static void
read_flag(FILE *file, bool *value)
{
	double		number = *value;

	read_option(file, &number);
	*value = number != 0;
}

/* false at the end of the file */
static bool
read_case(FILE *file, const Problem *problem, Case *c)
{
	AiOptimiser *o = &c->optimiser;
	AiOptimiserKind kind;
	char		name[64];

	if (fscanf(file, " case %63s %63s", c->name, name) != 2)
		return false;
	assert_true(ai_optimiser_find(&kind, name, strlen(name)));
	ai_optimiser_default(o, kind);
	read_option(file, &o->learning_rate);
	read_option(file, &o->momentum);
	read_flag(file, &o->nesterov);
	read_option(file, &o->rho);
	read_flag(file, &o->centered);
	read_option(file, &o->beta1);
	read_option(file, &o->beta2);
	read_option(file, &o->epsilon);
	read_option(file, &o->weight_decay);
	read_option(file, &o->initial_accumulator);
	read_option(file, &o->clip_norm);
	read_option(file, &o->clip_value);
	read_option(file, &o->global_clip_norm);
	c->l1 = golden_number(file);
	c->l2 = golden_number(file);
	for (int i = 0; i < N_CHECKED; i++)
	{
		assert_int_equal(fscanf(file, " step %d", &c->step[i]), 1);
		golden_doubles(file, c->exact[i], problem->n);
		golden_doubles(file, c->single[i], problem->n);
	}
	return true;
}

/* A weight and what is kept of it, in double */
typedef struct Weight
{
	double		w;
	double		slot[AI_OPTIMISER_MAX_SLOTS];
} Weight;

static double
sign(double x)
{
	return (x > 0) - (x < 0);
}

static void
plain_rmsprop(const AiOptimiser *optimiser, const AiUpdate *u, Weight *x, double g)
{
	double	   *v = &x->slot[0];
	double	   *m = &x->slot[1];
	double	   *mean = &x->slot[optimiser->momentum != 0 ? 2 : 1];
	double		d;

	*v = *v * u->beta2 + g * g * (1 - u->beta2);
	d = *v;
	if (optimiser->centered)
	{
		*mean = *mean * u->beta2 + g * (1 - u->beta2);
		d -= *mean * *mean;
	}
	d = g * u->rate / sqrt(d + u->epsilon);
	if (optimiser->momentum != 0)
		d = *m = *m * u->beta1 + d;
	x->w -= d;
}

static void
plain_update(const AiOptimiser *optimiser, const AiUpdate *u, Weight *x, double gradient)
{
	double		g = (gradient + u->l1 * sign(x->w) + 2 * u->l2 * x->w) * u->scale;
	double	   *m = &x->slot[0];
	double	   *v = &x->slot[1];
	double		e;

	if (u->clip > 0)
		g = fmin(fmax(g, -u->clip), u->clip);
	x->w -= x->w * u->decay;
	switch (optimiser->kind)
	{
		case AI_OPT_SGD:
			*m = *m * u->beta1 - g * u->rate;
			x->w += optimiser->nesterov ? *m * u->beta1 - g * u->rate : *m;
			break;
		case AI_OPT_RMSPROP:
			plain_rmsprop(optimiser, u, x, g);
			break;
		case AI_OPT_ADAGRAD:
			x->slot[0] += g * g;
			x->w -= g * u->rate / sqrt(x->slot[0] + u->epsilon);
			break;
		case AI_OPT_ADADELTA:
			x->slot[0] = x->slot[0] * u->beta2 + g * g * (1 - u->beta2);
			e = g * sqrt(x->slot[1] + u->epsilon) / sqrt(x->slot[0] + u->epsilon);
			x->slot[1] = x->slot[1] * u->beta2 + e * e * (1 - u->beta2);
			x->w -= e * u->rate;
			break;
		case AI_OPT_ADAM:
		case AI_OPT_ADAMW:
			*m += (g - *m) * (1 - u->beta1);
			*v += (g * g - *v) * (1 - u->beta2);
			x->w -= *m * u->rate / (sqrt(*v) + u->epsilon);
			break;
		case AI_OPT_ADAMAX:
			*m += (g - *m) * (1 - u->beta1);
			*v = fmax(*v * u->beta2, fabs(g));
			x->w -= *m * u->rate / (*v + u->epsilon);
			break;
		case AI_OPT_NADAM:
			*m += (g - *m) * (1 - u->beta1);
			*v += (g * g - *v) * (1 - u->beta2);
			x->w -= (*m * u->correction1 + g * u->correction2) * u->rate /
				(sqrt(*v * u->correction3) + u->epsilon);
			break;
		case AI_OPT_LION:
			x->w -= u->rate * sign(*m * u->beta1 + g * (1 - u->beta1));
			*m = *m * u->beta2 + g * (1 - u->beta2);
			break;
	}
}

/* The updates of a step's arrays; weight:[n] as floats */
static void
begin_step(const Problem *problem, const Case *c, AiOptimiserState *state, const float *weight,
		   const float *gradient, AiUpdate update[N_ARRAYS])
{
	const AiOptimiser *o = &c->optimiser;
	double		squares[N_ARRAYS];

	ai_optimiser_begin(o, state, o->learning_rate, &update[0]);
	update[1] = update[0];
	update[0].l1 = c->l1;
	update[0].l2 = c->l2;
	if (o->clip_norm == 0 && o->global_clip_norm == 0)
		return;
	for (int a = 0; a < N_ARRAYS; a++)
	{
		size_t		begin = problem->begin[a];

		squares[a] = ai_optimiser_sum_squares(weight + begin, gradient + begin,
											  problem->begin[a + 1] - begin, update[a].l1,
											  update[a].l2);
	}
	for (int a = 0; a < N_ARRAYS; a++)
		update[a].scale = ai_optimiser_scale(o->clip_norm, squares[a]) *
			ai_optimiser_scale(o->global_clip_norm, squares[0] + squares[1]);
}

static double
largest(const double *x, size_t n)
{
	double		most = 0;

	for (size_t i = 0; i < n; i++)
		most = fmax(most, fabs(x[i]));
	return most;
}

static void
check_weights(const Case *c, int checked, const double *w, const double *tolerance, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!(fabs(w[i] - c->exact[checked][i]) <= tolerance[i]))
			fail_msg("%s %s, step %d: weight %zu is %.9g, not %.9g (%.3g apart, %.3g allowed)",
					 ai_optimiser_name(c->optimiser.kind), c->name, c->step[checked], i, w[i],
					 c->exact[checked][i], fabs(w[i] - c->exact[checked][i]), tolerance[i]);
}

/* The formulas in double, with our factors: Keras in float64 to the last digits */
static void
check_exact(const Problem *problem, const Case *c)
{
	AiOptimiserState state = {0};
	Weight		weight[MAX_WEIGHTS] = {0};
	bool		is_clipped = c->optimiser.clip_norm + c->optimiser.global_clip_norm > 0;
	int			checked = 0;

	for (size_t i = 0; i < problem->n; i++)
	{
		weight[i].w = problem->weight[i];
		for (int s = 0; s < ai_optimiser_n_slots(&c->optimiser); s++)
			weight[i].slot[s] = c->optimiser.kind == AI_OPT_ADAGRAD ?
				c->optimiser.initial_accumulator : 0;
	}
	for (int t = 0; t < problem->n_steps; t++)
	{
		float		w[MAX_WEIGHTS];
		double		after[MAX_WEIGHTS];
		double		tolerance[MAX_WEIGHTS];
		AiUpdate	update[N_ARRAYS];

		for (size_t i = 0; i < problem->n; i++)
			w[i] = (float) weight[i].w;
		begin_step(problem, c, &state, w, problem->gradient[t], update);
		for (size_t i = 0; i < problem->n; i++)
			plain_update(&c->optimiser, &update[i >= problem->begin[1]], &weight[i],
						 problem->gradient[t][i]);
		if (checked == N_CHECKED || c->step[checked] != t + 1)
			continue;
		for (size_t i = 0; i < problem->n; i++)
		{
			after[i] = weight[i].w;
			/* Keras's norms have a step in float, whatever the gradients are */
			tolerance[i] = is_clipped ? 1e-7 : 1e-13;
		}
		check_weights(c, checked++, after, tolerance, problem->n);
	}
	assert_int_equal(checked, N_CHECKED);
}

/* The kernels, in float: no farther from the truth than twice what Keras in float32 is */
static void
check_single(const Problem *problem, const Case *c)
{
	const AiOptimiser *o = &c->optimiser;
	AiOptimiserState state = {0};
	float		w[MAX_WEIGHTS];
	float		slots[AI_OPTIMISER_MAX_SLOTS][MAX_WEIGHTS];
	int			checked = 0;

	memcpy(w, problem->weight, sizeof(w));
	for (int s = 0; s < ai_optimiser_n_slots(o); s++)
		for (size_t i = 0; i < problem->n; i++)
			slots[s][i] = ai_optimiser_initial(o, s);
	for (int t = 0; t < problem->n_steps; t++)
	{
		AiUpdate	update[N_ARRAYS];
		double		after[MAX_WEIGHTS];
		double		tolerance[MAX_WEIGHTS];
		double		apart[MAX_WEIGHTS];

		begin_step(problem, c, &state, w, problem->gradient[t], update);
		for (int a = 0; a < N_ARRAYS; a++)
		{
			size_t		begin = problem->begin[a];
			float	   *slot[AI_OPTIMISER_MAX_SLOTS] = {slots[0] + begin, slots[1] + begin,
				slots[2] + begin};

			ai_optimiser_update(o, &update[a], w + begin, problem->gradient[t] + begin, slot,
								problem->begin[a + 1] - begin);
		}
		if (checked == N_CHECKED || c->step[checked] != t + 1)
			continue;
		for (size_t i = 0; i < problem->n; i++)
		{
			after[i] = w[i];
			apart[i] = c->single[checked][i] - c->exact[checked][i];
		}
		for (size_t i = 0; i < problem->n; i++)
			tolerance[i] = 1e-6 * fabs(c->exact[checked][i]) + 2 * largest(apart, problem->n);
		check_weights(c, checked++, after, tolerance, problem->n);
	}
}

static void
for_each_case(void (*check) (const Problem *problem, const Case *c), int least)
{
	FILE	   *file = golden_open(GOLDEN_FILE);
	Problem		problem;
	Case		c;
	int			n = 0;

	read_problem(file, &problem);
	for (; read_case(file, &problem, &c); n++)
		check(&problem, &c);
	assert_in_range(n, least, 1000);
	fclose(file);
}

static void
test_exact(void **state)
{
	(void) state;
	for_each_case(check_exact, 50);
}

/* at every level that this machine has */
static void
test_kernels(void **state)
{
	(void) state;
	for (int level = AI_CPU_PORTABLE; level <= (int) ai_kernels_best_level(); level++)
	{
		assert_int_equal(ai_kernels_select(level, NULL), AI_OK);
		for_each_case(check_single, 50);
	}
	assert_int_equal(ai_kernels_select(ai_kernels_best_level(), NULL), AI_OK);
}

static void
check_default(const Problem *problem, const Case *c)
{
	AiOptimiser optimiser;

	(void) problem;
	if (strcmp(c->name, "default") != 0)
		return;
	ai_optimiser_default(&optimiser, c->optimiser.kind);
#define CHECK(field) assert_true(c->optimiser.field == optimiser.field)
	CHECK(learning_rate);
	CHECK(momentum);
	CHECK(nesterov);
	CHECK(rho);
	CHECK(centered);
	CHECK(beta1);
	CHECK(beta2);
	CHECK(epsilon);
	CHECK(weight_decay);
	CHECK(initial_accumulator);
	CHECK(clip_norm);
	CHECK(clip_value);
	CHECK(global_clip_norm);
#undef CHECK
}

static void
test_defaults(void **state)
{
	(void) state;
	for_each_case(check_default, 9);
}

static void
test_norms(void **state)
{
	static const float w[] = {2, -1, 0};
	static const float g[] = {1, 0, -2};

	(void) state;
	assert_true(ai_optimiser_scale(0, 100) == 1);
	assert_true(ai_optimiser_scale(10, 100) == 1);
	assert_true(ai_optimiser_scale(5, 100) == 0.5);
	assert_true(ai_optimiser_scale(5, 0) == 1);
	assert_true(isnan(ai_optimiser_scale(5, NAN)));
	assert_true(ai_optimiser_sum_squares(w, g, 3, 0, 0) == 5);
	/* 1 + 1 + 2 * 0.5 * 2 = 4, 0 - 1 - 1 = -2, -2 */
	assert_true(ai_optimiser_sum_squares(w, g, 3, 1, 0.5) == 24);
	assert_true(ai_optimiser_penalty(w, 3, 1, 0.5) == 3 + 2.5);
	assert_true(ai_optimiser_penalty(w, 3, 0, 0) == 0);
}

static void
test_names(void **state)
{
	AiOptimiserKind kind;

	(void) state;
	for (int k = AI_OPT_SGD; k <= AI_OPT_LION; k++)
	{
		const char *name = ai_optimiser_name(k);

		assert_true(ai_optimiser_find(&kind, name, strlen(name)));
		assert_int_equal(kind, k);
		assert_false(ai_optimiser_find(&kind, name, strlen(name) - 1) && (int) kind == k);
	}
	assert_false(ai_optimiser_find(&kind, "adamist", 7));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_kernels),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_norms),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
