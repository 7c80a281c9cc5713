/*-------------------------------------------------------------------------
 * test_dense.c
 *		Activations and their slopes, against the functions of libm in double precision.
 *
 * The budgets are those of kernels.h.
 *-------------------------------------------------------------------------
 */
#include "dense_arrays.h"

#define SQRT_2_OVER_PI 0.79788456080286535588
#define SELU_SCALE 1.05070098735548049342
#define SELU_ALPHA 1.67326324235437728482

static double
sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}

static double
normal(double x)
{
	return 0.5 * erfc(-x * M_SQRT1_2);
}

static double
gelu_tanh_argument(double x)
{
	return 2 * SQRT_2_OVER_PI * (x + 0.044715 * x * x * x);
}

static double
exact_value(double x, AiActivation act)
{
	switch (act)
	{
		case AI_ACT_RELU:
			return x < 0 ? 0 : x;
		case AI_ACT_LEAKY_RELU:
			return x < 0 ? 0.2 * x : x;
		case AI_ACT_ELU:
			return x < 0 ? expm1(x) : x;
		case AI_ACT_SELU:
			return SELU_SCALE * (x < 0 ? SELU_ALPHA * expm1(x) : x);
		case AI_ACT_GELU:
			return x * normal(x);
		case AI_ACT_GELU_TANH:
			return x * sigmoid(gelu_tanh_argument(x));
		case AI_ACT_SILU:
			return x * sigmoid(x);
		case AI_ACT_SIGMOID:
			return sigmoid(x);
		case AI_ACT_TANH:
			return tanh(x);
		case AI_ACT_SOFTPLUS:
			return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
		default:
			return x;
	}
}

static double
exact_slope(double x, AiActivation act)
{
	double		s;

	switch (act)
	{
		case AI_ACT_RELU:
			return x > 0;
		case AI_ACT_LEAKY_RELU:
			return x > 0 ? 1 : 0.2;
		case AI_ACT_ELU:
			return x < 0 ? exp(x) : 1;
		case AI_ACT_SELU:
			return SELU_SCALE * (x > 0 ? 1 : SELU_ALPHA * exp(x));
		case AI_ACT_GELU:
			return normal(x) + x * exp(-x * x / 2) / sqrt(2 * M_PI);
		case AI_ACT_GELU_TANH:
			s = sigmoid(gelu_tanh_argument(x));
			return s + x * s * (1 - s) * 2 * SQRT_2_OVER_PI * (1 + 3 * 0.044715 * x * x);
		case AI_ACT_SILU:
			s = sigmoid(x);
			return s + x * s * (1 - s);
		case AI_ACT_SIGMOID:
			s = sigmoid(x);
			return s * (1 - s);
		case AI_ACT_TANH:
			return 1 - tanh(x) * tanh(x);
		case AI_ACT_SOFTPLUS:
			return sigmoid(x);
		default:
			return 1;
	}
}

static bool
is_of_x(AiActivation act)
{
	return act == AI_ACT_GELU || act == AI_ACT_GELU_TANH || act == AI_ACT_SILU;
}

static void
check_close(double result, double exact, double budget, double x, AiActivation act)
{
	if (!(fabs(result - exact) <= budget + 0x1p-125))
		fail_msg("%s: %.9g instead of %.9g, activation %d of %.9g",
				 ai_cpu_level_name(ai_kernels_level()), result, exact, act, x);
}

/* Near 0, of the size that layers have, and far out, of both signs */
static float
random_x(AiRng *rng)
{
	double		sign = ai_rng_below(rng, 2) == 0 ? -1 : 1;

	switch (ai_rng_below(rng, 3))
	{
		case 0:
			return (float) (sign * exp(-60 * ai_rng_uniform(rng)));
		case 1:
			return (float) (sign * 6 * ai_rng_uniform(rng));
		default:
			return (float) (sign * 110 * ai_rng_uniform(rng));
	}
}

static void
check_activation(AiRng *rng, AiActivation act, size_t n)
{
	float	   *x = make_floats(rng, n);
	float	   *y = make_floats(rng, n);
	float	   *dy = make_floats(rng, n);

	for (size_t i = 0; i < n; i++)
		x[i] = random_x(rng);
	ai_kernels()->activate(y, x, n, act);
	for (size_t i = 0; i < n; i++)
	{
		double		exact = exact_value(x[i], act);

		check_close(y[i], exact, 0x1p-21 * fabs(is_of_x(act) ? x[i] : exact), x[i], act);
		dy[i] = 1;
	}
	ai_kernels()->activate_back(dy, dy, is_of_x(act) ? x : NULL, y, n, act);
	for (size_t i = 0; i < n; i++)
		check_close(dy[i], exact_slope(x[i], act), 0x1p-20, x[i], act);
	ai_kernels()->activate(x, x, n, act);
	assert_memory_equal(x, y, n * sizeof(float));
	free_floats(x);
	free_floats(y);
	free_floats(dy);
}

static void
check_activations(void)
{
	AiRng		rng = {1};

	for (int act = 0; act < AI_ACT_SOFTMAX; act++)
	{
		for (size_t n = 0; n <= 40; n++)
			check_activation(&rng, (AiActivation) act, n);
		check_activation(&rng, (AiActivation) act, 50001);
	}
}

/* activations and slopes are within the budget, at all lengths, and in place the same */
static void
test_activations(void **state)
{
	(void) state;
	for_each_level(check_activations);
}

static void
check_limits(void)
{
	/* at -infinity, at infinity */
	static const float limits[AI_ACT_SOFTMAX][2] = {
		[AI_ACT_LINEAR] = {-INFINITY, INFINITY},
		[AI_ACT_RELU] = {0, INFINITY},
		[AI_ACT_LEAKY_RELU] = {-INFINITY, INFINITY},
		[AI_ACT_ELU] = {-1, INFINITY},
		[AI_ACT_SELU] = {(float) (-SELU_SCALE * SELU_ALPHA), INFINITY},
		[AI_ACT_GELU] = {0, INFINITY},
		[AI_ACT_GELU_TANH] = {0, INFINITY},
		[AI_ACT_SILU] = {0, INFINITY},
		[AI_ACT_SIGMOID] = {0, 1},
		[AI_ACT_TANH] = {-1, 1},
		[AI_ACT_SOFTPLUS] = {0, INFINITY},
	};

	for (int act = 0; act < AI_ACT_SOFTMAX; act++)
	{
		float		x[20];
		float		y[20];
		float		slope[20];

		for (size_t i = 0; i < COUNT(x); i++)
		{
			static const float far[] = {-INFINITY, INFINITY, -3e38f, 3e38f, NAN};

			x[i] = far[i % COUNT(far)];
			slope[i] = 1;
		}
		ai_kernels()->activate(y, x, COUNT(x), (AiActivation) act);
		ai_kernels()->activate_back(slope, slope, x, y, COUNT(x), (AiActivation) act);
		for (size_t i = 0; i < COUNT(x); i++)
		{
			if (isnan(x[i]))
			{
				assert_true(isnan(y[i]));
				continue;
			}
			if (isinf(x[i]))
				assert_true(y[i] == limits[act][x[i] > 0]);
			else
				check_close(y[i], exact_value(x[i], (AiActivation) act), 0x1p-21 * fabsf(y[i]),
							x[i], (AiActivation) act);
			assert_true(isfinite(slope[i]));
		}
	}
}

/* limits at infinity are exact, slopes there finite, and what is not a number stays so */
static void
test_limits(void **state)
{
	(void) state;
	for_each_level(check_limits);
}

static void
check_softmax(void)
{
	static const size_t sizes[] = {1, 2, 10, 16, 17, 40, 1000, 5000};
	AiRng		rng = {2};

	for (size_t s = 0; s < COUNT(sizes); s++)
	{
		size_t		n = sizes[s];
		size_t		n_rows = 1 + 700 / n;
		float	   *x = make_floats(&rng, n_rows * n);
		float	   *y = make_floats(&rng, n_rows * n);

		x[0] = -INFINITY;
		if (n == 1)
			x[0] = 0;
		ai_kernels()->softmax(y, x, n_rows, n);
		for (size_t r = 0; r < n_rows; r++)
		{
			const float *row = x + r * n;
			double		max = -INFINITY;
			double		sum = 0;

			for (size_t i = 0; i < n; i++)
				max = fmax(max, row[i]);
			for (size_t i = 0; i < n; i++)
				sum += exp(row[i] - max);
			for (size_t i = 0; i < n; i++)
			{
				double		exact = exp(row[i] - max) / sum;
				double		terms = isinf(row[i]) ? 0 : (double) n / 16 + 12 + max - row[i];

				check_close(y[r * n + i], exact, 0x1p-24 * terms * exact, row[i], AI_ACT_SOFTMAX);
			}
		}
		ai_kernels()->softmax(x, x, n_rows, n);
		assert_memory_equal(x, y, n_rows * n * sizeof(float));
		free_floats(x);
		free_floats(y);
	}
	ai_kernels()->softmax(NULL, NULL, 0, 10);
	ai_kernels()->softmax(NULL, NULL, 10, 0);
}

static void
test_softmax(void **state)
{
	(void) state;
	for_each_level(check_softmax);
}

static void
check_softmax_of_no_numbers(void)
{
	float		x[3][20];
	float		y[3][20];

	for (size_t i = 0; i < 20; i++)
		x[0][i] = x[1][i] = x[2][i] = (float) i;
	x[1][7] = NAN;
	x[2][7] = -1e9f;
	x[2][9] = 3e38f;
	ai_kernels()->softmax(y[0], x[0], 3, 20);
	for (size_t i = 0; i < 20; i++)
	{
		assert_true(isfinite(y[0][i]));
		assert_true(isnan(y[1][i]));
		assert_true(y[2][i] == (i == 9 ? 1 : 0));
	}
}

/* one number of a row that is none makes the row so; far ones make others 0 */
static void
test_softmax_of_no_numbers(void **state)
{
	(void) state;
	for_each_level(check_softmax_of_no_numbers);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_activations),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_softmax),
		cmocka_unit_test(test_softmax_of_no_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
