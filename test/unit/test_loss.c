/*-------------------------------------------------------------------------
 * test_loss.c
 *		Losses and their gradients are those of Keras 3.
 *
 * test/golden/losses.txt holds the cases and Keras's numbers; its format is described in
 * test/golden/make_losses.py.
 *-------------------------------------------------------------------------
 */
#include "core/train/loss.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "core/kernels/kernels.h"
#include "test_golden.h"

#define MAX_NUMBERS 256

typedef struct Case
{
	char		name[64];
	AiLoss		loss;
	size_t		n_places;
	size_t		n;
	bool		has_weight;
	bool		is_single;		/* Keras computed in float */
	float		output[MAX_NUMBERS];
	float		target[MAX_NUMBERS];
	float		weight[MAX_NUMBERS];
	double		value;
	double		gradient[MAX_NUMBERS];
} Case;

/* false at the end of the file */
static bool
read_case(FILE *file, Case *c)
{
	char		kind[64];
	char		precision[16];
	int			from_logits;
	int			has_weight;
	size_t		n_target;

	if (fscanf(file, " case %63s %63s %zu %zu %d %lf %lf %zu %d %15s", c->name, kind,
			   &c->n_places, &c->n, &from_logits, &c->loss.delta, &c->loss.label_smoothing,
			   &n_target, &has_weight, precision) != 10)
		return false;
	assert_true(ai_loss_find(&c->loss.kind, kind, strlen(kind)));
	c->loss.from_logits = from_logits;
	c->has_weight = has_weight;
	c->is_single = strcmp(precision, "float32") == 0;
	assert_in_range(c->n_places * c->n, 1, MAX_NUMBERS);
	assert_int_equal(n_target, ai_loss_target_size(&c->loss, c->n));
	golden_floats(file, c->output, c->n_places * c->n);
	golden_floats(file, c->target, c->n_places * n_target);
	if (c->has_weight)
		golden_floats(file, c->weight, c->n_places);
	c->value = golden_number(file);
	golden_doubles(file, c->gradient, c->n_places * c->n);
	return true;
}

static bool
has_softmax(const AiLoss *loss)
{
	return loss->from_logits && (loss->kind == AI_LOSS_CATEGORICAL || loss->kind == AI_LOSS_SPARSE);
}

static void
check_near(const Case *c, const char *what, size_t i, double value, double expected)
{
	double		tolerance = 1e-6 * fabs(expected);

	/*
	 * A probability less its target is as good as both are, in Keras's floats and in ours; Keras in
	 * doubles still has the rounding of 1.
	 */
	tolerance += c->is_single || has_softmax(&c->loss) ? 2e-7 : 1e-15;
	if (!(fabs(value - expected) <= tolerance))
		fail_msg("%s %s: %s[%zu] is %.9g, not %.9g", ai_loss_name(c->loss.kind), c->name, what,
				 i, value, expected);
}

static void
check_cases(void)
{
	FILE	   *file = golden_open("test/golden/losses.txt");
	Case		c;
	int			n_cases = 0;

	for (; read_case(file, &c); n_cases++)
	{
		const float *weight = c.has_weight ? c.weight : NULL;
		float		gradient[MAX_NUMBERS];
		double		value;

		value = ai_loss_run(&c.loss, c.output, c.target, weight, c.n_places, c.n, gradient, 1);
		check_near(&c, "value", 0, value, c.value);
		for (size_t i = 0; i < c.n_places * c.n; i++)
			check_near(&c, "gradient", i, gradient[i], c.gradient[i]);

		/* the value is the same without a gradient, and scale is the gradient's alone */
		check_near(&c, "value alone", 0, ai_loss_run(&c.loss, c.output, c.target, weight,
													 c.n_places, c.n, NULL, 1), c.value);
		assert_true(value == ai_loss_run(&c.loss, c.output, c.target, weight, c.n_places, c.n,
										 gradient, 0.125));
		for (size_t i = 0; i < c.n_places * c.n; i++)
			check_near(&c, "scaled gradient", i, gradient[i] * 8, c.gradient[i]);
	}
	assert_in_range(n_cases, 60, 1000);
	fclose(file);
}

/* at every level that this machine has */
static void
test_keras(void **state)
{
	(void) state;
	for (int level = AI_CPU_PORTABLE; level <= (int) ai_kernels_best_level(); level++)
	{
		assert_int_equal(ai_kernels_select(level, NULL), AI_OK);
		check_cases();
	}
	assert_int_equal(ai_kernels_select(ai_kernels_best_level(), NULL), AI_OK);
}

/* the sum of a batch is that of its places in their order, so shards may be summed */
static void
test_places_are_apart(void **state)
{
	FILE	   *file = golden_open("test/golden/losses.txt");
	Case		c;

	(void) state;
	while (read_case(file, &c))
	{
		size_t		n_target = ai_loss_target_size(&c.loss, c.n);
		const float *weight = c.has_weight ? c.weight : NULL;
		float		whole[MAX_NUMBERS];
		float		place[MAX_NUMBERS];
		double		sum = 0;

		for (size_t i = 0; i < c.n_places; i++)
			sum += ai_loss_run(&c.loss, c.output + i * c.n, c.target + i * n_target,
							   weight != NULL ? weight + i : NULL, 1, c.n, place + i * c.n, 0.5);
		assert_true(sum == ai_loss_run(&c.loss, c.output, c.target, weight, c.n_places, c.n,
									   whole, 0.5));
		assert_memory_equal(place, whole, c.n_places * c.n * sizeof(float));
	}
	fclose(file);
}

/* what is left out has no part, whatever it holds */
static void
test_weight_zero(void **state)
{
	static const float weight[] = {0, 1, 0};
	float		output[] = {NAN, INFINITY, 0.25f, 0.5f, -INFINITY, NAN};
	float		target[] = {NAN, NAN, 1, 0, NAN, NAN};

	(void) state;
	for (int kind = AI_LOSS_MSE; kind <= AI_LOSS_HINGE; kind++)
	{
		for (int from_logits = 0; from_logits < 2; from_logits++)
		{
			AiLoss		loss = {kind, from_logits, 1, 0};
			const float *one = target + ai_loss_target_size(&loss, 2);
			float		d[6];
			double		value;

			target[1] = kind == AI_LOSS_SPARSE ? 1 : NAN;
			value = ai_loss_run(&loss, output, target, weight, 3, 2, d, 1);
			assert_true(isfinite(value));
			assert_true(value == ai_loss_run(&loss, output + 2, one, NULL, 1, 2, d + 2, 1));
			assert_true(d[0] == 0 && d[1] == 0 && d[4] == 0 && d[5] == 0);
			assert_true(isfinite(d[2]) && isfinite(d[3]) && d[2] != 0);
		}
	}
}

/* a number that is not finite is seen in the value, which stops the training */
static void
test_nan_is_seen(void **state)
{
	static const float target[] = {1, 0, 0};

	(void) state;
	for (int kind = AI_LOSS_MSE; kind <= AI_LOSS_HINGE; kind++)
	{
		for (int at = 0; at < 3; at++)
		{
			AiLoss		loss = {kind, at % 2 == 0, 1, 0};
			float		output[] = {0.5f, 0.25f, 0.25f};

			output[at] = NAN;
			assert_true(isnan(ai_loss_run(&loss, output, target, NULL, 1, 3, NULL, 1)));
		}
	}
}

/* What is taken from 1 in double has no more digits than 1 */
static void
check_relative(double value, double expected)
{
	if (!(fabs(value - expected) <= 1e-6 * fabs(expected) + 1e-15))
		fail_msg("%.9g, not %.9g", value, expected);
}

/*
 * Where almost all has been learnt, loss and gradient keep their digits, and so they do where a
 * probability is too small for a float, in softmax and sigmoid
 */
static void
test_extremes(void **state)
{
	static const double gaps[] = {0, 1, 5, 15, 20, 85, 100, 200, -1, -5, -20, -85, -100, -200};
	static const float hot[] = {0, 1};
	static const float number[] = {1};

	(void) state;
	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++)
	{
		double		gap = gaps[i];
		float		output[] = {0, (float) gap};
		double		value = log1p(exp(-fabs(gap))) + fmax(-gap, 0);
		double		gradient = -1 / (1 + exp(gap));

		for (int kind = AI_LOSS_BINARY; kind <= AI_LOSS_SPARSE; kind++)
		{
			AiLoss		loss = {kind, true, 1, 0};
			bool		is_binary = kind == AI_LOSS_BINARY;
			const float *y = is_binary ? output + 1 : output;
			const float *target = kind == AI_LOSS_CATEGORICAL ? hot : number;
			size_t		n = is_binary ? 1 : 2;
			float		d[2];

			check_relative(ai_loss_run(&loss, y, target, NULL, 1, n, d, 1), value);
			check_relative(d[n - 1], gradient);
			check_relative(ai_loss_run(&loss, y, target, NULL, 1, n, NULL, 1), value);
		}
	}
}

static void
test_names(void **state)
{
	AiLossKind	kind;

	(void) state;
	for (int k = AI_LOSS_MSE; k <= AI_LOSS_HINGE; k++)
	{
		const char *name = ai_loss_name(k);

		assert_true(ai_loss_find(&kind, name, strlen(name)));
		assert_int_equal(kind, k);
		assert_false(ai_loss_find(&kind, name, strlen(name) - 1));
	}
	assert_true(ai_loss_find(&kind, "mse", 3));
	assert_int_equal(kind, AI_LOSS_MSE);
	assert_true(ai_loss_find(&kind, "maer", 3));
	assert_int_equal(kind, AI_LOSS_MAE);
	assert_false(ai_loss_find(&kind, "", 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keras),
		cmocka_unit_test(test_places_are_apart),
		cmocka_unit_test(test_weight_zero),
		cmocka_unit_test(test_nan_is_seen),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
