/*-------------------------------------------------------------------------
 * test_initialise.c
 *		Weights before training have Keras's distributions, and are the same everywhere.
 *-------------------------------------------------------------------------
 */
#include "core/graph/graph.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_host.h"

#define N_ROWS 100
#define N_COLS 2000
#define N_DRAWN (N_ROWS * N_COLS)
#define N_MATRICES 20000
#define N_EACH 8				/* of seeds, first and second numbers of streams */
#define N_STREAMS (N_EACH * N_EACH * N_EACH)

static AiWeight
make_weight(AiInitialiser initialiser, int n_dims, const int64_t *dims)
{
	AiWeight	weight = {.name = "kernel", .n_dims = n_dims, .initialiser = initialiser, .size = 1};

	for (int i = 0; i < n_dims; i++)
	{
		weight.dims[i] = dims[i];
		weight.size *= (size_t) dims[i];
	}
	return weight;
}

static void
initialise(const AiWeight *weight, float *number, uint64_t seed)
{
	assert_int_equal(ai_weight_initialise(weight, number, ai_rng_stream(seed, 2, 1),
										  ai_malloc_host(), NULL), AI_OK);
}

static float *
draw(AiInitialiser initialiser, int64_t fan_in, int64_t fan_out, uint64_t seed)
{
	AiWeight	weight = make_weight(initialiser, 2, (int64_t[]) {N_ROWS, N_COLS});
	float	   *number = malloc(N_DRAWN * sizeof(float));

	weight.fan_in = fan_in;
	weight.fan_out = fan_out;
	initialise(&weight, number, seed);
	return number;
}

/* The share of numbers whose size is below this */
static double
share_below(const float *number, double limit)
{
	int			n = 0;

	for (int i = 0; i < N_DRAWN; i++)
		n += fabs(number[i]) < limit;
	return (double) n / N_DRAWN;
}

/* mean 0 and this variance, within five deviations of what a sample has */
static void
check_moments(const float *number, double variance, double kurtosis)
{
	double		sum = 0;
	double		squares = 0;

	for (int i = 0; i < N_DRAWN; i++)
	{
		sum += number[i];
		squares += (double) number[i] * number[i];
	}
	assert_true(fabs(sum / N_DRAWN) < 5 * sqrt(variance / N_DRAWN));
	assert_true(fabs(squares / N_DRAWN / variance - 1) < 5 * sqrt((kurtosis - 1) / N_DRAWN));
}

static void
check_uniform(AiInitialiser initialiser, int64_t fan_in, int64_t fan_out, double variance)
{
	float	   *number = draw(initialiser, fan_in, fan_out, 1);
	double		limit = sqrt(3 * variance);

	check_moments(number, variance, 1.8);
	assert_true(share_below(number, (float) limit * 1.0000001) == 1);
	assert_true(share_below(number, limit * 0.9999) < 1);
	for (int part = 1; part < 10; part++)
		assert_true(fabs(share_below(number, limit * part / 10) - part / 10.0) < 0.006);
	free(number);
}

/*
 * Cut at two deviations of the normal distribution, whose variance is then the one that is
 * wanted by Keras's correction
 */
static void
check_normal(AiInitialiser initialiser, int64_t fan_in, int64_t fan_out, double variance)
{
	float	   *number = draw(initialiser, fan_in, fan_out, 1);
	double		deviation = sqrt(variance) / 0.87962566103423978;
	double		whole = erf(2 / sqrt(2));

	check_moments(number, variance, 2.4);
	assert_true(share_below(number, (float) (2 * deviation) * 1.0000001) == 1);
	assert_true(share_below(number, 1.999 * deviation) < 1);
	for (int part = 1; part < 20; part++)
		assert_true(fabs(share_below(number, deviation * part / 10) -
						 erf(part / 10.0 / sqrt(2)) / whole) < 0.006);
	free(number);
}

static void
test_distributions(void **state)
{
	(void) state;
	check_uniform(AI_INIT_GLOROT_UNIFORM, 100, 200, 1 / 150.0);
	check_uniform(AI_INIT_HE_UNIFORM, 100, 200, 2 / 100.0);
	check_uniform(AI_INIT_LECUN_UNIFORM, 100, 200, 1 / 100.0);
	check_uniform(AI_INIT_UNIFORM, 100, 200, 0.05 * 0.05 / 3);
	check_uniform(AI_INIT_GLOROT_UNIFORM, 0, 1, 1);
	check_uniform(AI_INIT_LECUN_UNIFORM, 0, 9, 1);
	check_normal(AI_INIT_GLOROT_NORMAL, 100, 200, 1 / 150.0);
	check_normal(AI_INIT_HE_NORMAL, 100, 200, 2 / 100.0);
	check_normal(AI_INIT_LECUN_NORMAL, 100, 200, 1 / 100.0);
}

/* these numbers never change, on no machine: a seed stands for a model */
static void
test_same_everywhere(void **state)
{
	static const float uniform[] = {
		0x1.93a99ap-4f, 0x1.5e7376p-4f, -0x1.538d4ap-6f, -0x1.21dd5p-5f, -0x1.71a9f6p-6f,
		0x1.6b1658p-4f
	};
	static const float normal[] = {
		0x1.19d4b2p-4f, 0x1.e95bdap-5f, -0x1.725154p-3f, -0x1.3c20d6p-2f, -0x1.ace47cp-5f,
		0x1.a5431ep-3f
	};
	static const double orthogonal[] = {
		0.18636805640564647, 0.2671779181842105, 0.16180069987941958, -0.200888186462882,
		-0.4897646620609919, 0.8221199372960711, -0.8361925955582206, -0.4608456414839024
	};
	AiWeight	weight = make_weight(AI_INIT_ORTHOGONAL, 2, (int64_t[]) {4, 2});
	float		q[8];
	float	   *number;

	(void) state;
	number = draw(AI_INIT_GLOROT_UNIFORM, 100, 200, 5);
	assert_memory_equal(number, uniform, sizeof(uniform));
	free(number);
	number = draw(AI_INIT_HE_NORMAL, 100, 200, 5);
	assert_memory_equal(number, normal, sizeof(normal));
	free(number);
	initialise(&weight, q, 5);
	for (int i = 0; i < 8; i++)
		assert_true(q[i] == (float) orthogonal[i]);
}

static void
test_constants(void **state)
{
	static const float lstm_bias[] = {0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0};
	float		number[24];
	AiWeight	weight = make_weight(AI_INIT_LSTM_BIAS, 1, (int64_t[]) {12});

	(void) state;
	initialise(&weight, number, 1);
	assert_memory_equal(number, lstm_bias, sizeof(lstm_bias));
	weight = make_weight(AI_INIT_LSTM_BIAS, 2, (int64_t[]) {2, 12});
	initialise(&weight, number, 1);
	assert_memory_equal(number, lstm_bias, sizeof(lstm_bias));
	assert_memory_equal(number + 12, lstm_bias, sizeof(lstm_bias));
	weight.initialiser = AI_INIT_ONES;
	initialise(&weight, number, 1);
	for (int i = 0; i < 24; i++)
		assert_true(number[i] == 1);
	weight.initialiser = AI_INIT_ZEROS;
	initialise(&weight, number, 1);
	for (int i = 0; i < 24; i++)
		assert_true(number[i] == 0);
}

/* Of rows, or of columns where these are fewer: their products are those of unit vectors */
static void
check_orthogonal(const float *number, size_t rows, size_t cols)
{
	bool		is_wide = rows < cols;
	size_t		n = is_wide ? rows : cols;
	size_t		length = is_wide ? cols : rows;

	for (size_t a = 0; a < n; a++)
	{
		for (size_t b = a; b < n; b++)
		{
			double		sum = 0;

			for (size_t i = 0; i < length; i++)
				sum += is_wide ? (double) number[a * cols + i] * number[b * cols + i] :
					(double) number[i * cols + a] * number[i * cols + b];
			assert_true(fabs(sum - (a == b)) < 1e-6);
		}
	}
}

static void
test_orthogonal(void **state)
{
	static const int64_t shapes[][4] = {
		{1, 1, 1, 1}, {1, 1, 1, 5}, {1, 1, 5, 1}, {1, 1, 16, 16}, {1, 1, 17, 17}, {1, 1, 64, 256},
		{1, 1, 100, 33}, {3, 3, 4, 8}, {1, 2, 3, 50}
	};

	(void) state;
	for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++)
	{
		AiWeight	weight = make_weight(AI_INIT_ORTHOGONAL, 4, shapes[s]);
		float	   *number = malloc(weight.size * sizeof(float));
		size_t		cols = (size_t) shapes[s][3];

		initialise(&weight, number, 3);
		check_orthogonal(number, weight.size / cols, cols);
		free(number);
	}
}

/*
 * Of many matrices each entry has mean 0 and variance 1/3, and the determinant either sign:
 * no direction is preferred
 */
static void
test_orthogonal_uniform(void **state)
{
	AiWeight	weight = make_weight(AI_INIT_ORTHOGONAL, 2, (int64_t[]) {3, 3});
	double		sum[9] = {0};
	double		squares[9] = {0};
	double		determinants = 0;

	(void) state;
	for (uint64_t seed = 0; seed < N_MATRICES; seed++)
	{
		float		q[9];

		initialise(&weight, q, seed);
		for (int i = 0; i < 9; i++)
		{
			sum[i] += q[i];
			squares[i] += q[i] * q[i];
		}
		determinants += q[0] * (q[4] * q[8] - q[5] * q[7]) - q[1] * (q[3] * q[8] - q[5] * q[6]) +
			q[2] * (q[3] * q[7] - q[4] * q[6]);
	}
	for (int i = 0; i < 9; i++)
	{
		assert_true(fabs(sum[i] / N_MATRICES) < 5 * sqrt(1 / 3.0 / N_MATRICES));
		assert_true(fabs(squares[i] / N_MATRICES - 1 / 3.0) < 5 * sqrt(4 / 45.0 / N_MATRICES));
	}
	assert_true(fabs(determinants / N_MATRICES) < 5 / sqrt(N_MATRICES));
}

#define N_LAYERS 3
#define N_WEIGHTS 112			/* of the graph below, in all */
#define N_STATES 32

static void
add_weight(AiGraphLayer *layer, AiWeight weight, size_t offset, bool is_state)
{
	weight.offset = offset;
	weight.is_state = is_state;
	layer->layer.weight[layer->layer.n_weights++] = weight;
}

/* Layers with two, two and one arrays of weights; the last one has two of states */
static void
make_graph(AiGraph *graph, AiGraphLayer layers[N_LAYERS])
{
	const AiWeight kernel = make_weight(AI_INIT_GLOROT_UNIFORM, 2, (int64_t[]) {5, 6});
	const AiWeight four = make_weight(AI_INIT_HE_NORMAL, 1, (int64_t[]) {4});
	const AiWeight ones = make_weight(AI_INIT_ONES, 1, (int64_t[]) {4});

	memset(layers, 0, N_LAYERS * sizeof(AiGraphLayer));
	add_weight(&layers[0], kernel, 0, false);
	add_weight(&layers[0], kernel, 30, false);
	add_weight(&layers[1], four, 64, false);
	add_weight(&layers[1], four, 68, false);
	add_weight(&layers[2], four, 80, false);
	add_weight(&layers[2], four, 0, true);
	add_weight(&layers[2], ones, 4, true);
	*graph = (AiGraph) {.n_layers = N_LAYERS, .layers = layers, .n_weights = N_WEIGHTS,
		.n_states = N_STATES};
}

/* Each array at its place, all zero between; each layer and each array has its own numbers */
static void
test_graph(void **state)
{
	AiGraph		graph;
	AiGraphLayer layers[N_LAYERS];
	float		weights[2][N_WEIGHTS];
	float		states[2][N_STATES];

	(void) state;
	make_graph(&graph, layers);
	memset(weights, 0xFF, sizeof(weights));
	memset(states, 0xFF, sizeof(states));
	for (int k = 0; k < 2; k++)
		assert_int_equal(ai_graph_initialise(&graph, weights[k], states[k], 9, ai_malloc_host(),
											 NULL), AI_OK);
	assert_memory_equal(weights[0], weights[1], sizeof(weights[0]));
	assert_memory_equal(states[0], states[1], sizeof(states[0]));
	for (int i = 0; i < N_WEIGHTS; i++)
		assert_int_equal(weights[0][i] != 0, i < 60 || (i >= 64 && i < 72) || (i >= 80 && i < 84));
	for (int i = 0; i < N_STATES; i++)
		assert_true(i < 4 ? states[0][i] != 0 : states[0][i] == (i < 8));
	for (int i = 0; i < 30; i++)
		assert_true(weights[0][i] != weights[0][30 + i]);
	for (int i = 0; i < 4; i++)
	{
		assert_true(weights[0][64 + i] != weights[0][68 + i]);
		assert_true(weights[0][64 + i] != weights[0][80 + i]);
		assert_true(weights[0][80 + i] != states[0][i]);
	}

	assert_int_equal(ai_graph_initialise(&graph, weights[1], states[1], 10, ai_malloc_host(),
										 NULL), AI_OK);
	for (int i = 0; i < 60; i++)
		assert_true(weights[0][i] != weights[1][i]);
}

/* The streams of neighbours have nothing in common */
static void
test_streams(void **state)
{
	double		first[N_STREAMS];

	(void) state;
	for (uint64_t i = 0; i < N_STREAMS; i++)
	{
		AiRng		rng = ai_rng_stream(i / N_EACH / N_EACH, i / N_EACH % N_EACH, i % N_EACH);

		first[i] = ai_rng_uniform(&rng);
		for (uint64_t j = 0; j < i; j++)
			assert_true(first[i] != first[j]);
	}
	for (int lag = 1; lag <= N_EACH * N_EACH; lag *= N_EACH)
	{
		double		sum = 0;

		for (int i = 0; i < N_STREAMS; i++)
			sum += (first[i] - 0.5) * (first[(i + lag) % N_STREAMS] - 0.5);
		assert_true(fabs(sum * 12 / N_STREAMS) < 5 / sqrt(N_STREAMS));
	}
}

static AiCode
initialise_graph(const AiHost *host, void *arg, AiError *err)
{
	AiGraph		graph;
	AiGraphLayer layers[N_LAYERS];
	float		weights[N_WEIGHTS];
	float		states[N_STATES];

	(void) arg;
	make_graph(&graph, layers);
	layers[0].layer.weight[0].initialiser = AI_INIT_ORTHOGONAL;
	return ai_graph_initialise(&graph, weights, states, 1, host, err);
}

static void
test_failures(void **state)
{
	(void) state;
	test_every_failed_alloc(initialise_graph, NULL);
	test_every_stop(initialise_graph, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_distributions),
		cmocka_unit_test(test_same_everywhere),
		cmocka_unit_test(test_constants),
		cmocka_unit_test(test_orthogonal),
		cmocka_unit_test(test_orthogonal_uniform),
		cmocka_unit_test(test_graph),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
