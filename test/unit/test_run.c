/*-------------------------------------------------------------------------
 * test_run.c
 *		Graphs of small layers: gradients are those of finite differences, and no thread,
 *		no shard and no reuse of memory changes a bit.
 *
 * The layers are the test's own, written as plainly as can be.
 *-------------------------------------------------------------------------
 */
#include "core/graph/run.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_gradients.h"
#include "test_host.h"

#define COUNT(array) ((int) (sizeof(array) / sizeof((array)[0])))

/*
 * y = x * w, to as many outputs as config says
 */
static AiCode
prepare_linear(AiLayer *layer, AiError *err)
{
	int64_t		n = ai_shape_last(&layer->input[0]);
	int64_t		m = *(const int64_t *) layer->config;

	(void) err;
	layer->output = (AiShape) {1, {m}};
	layer->n_weights = 1;
	layer->weight[0] = (AiWeight) {.name = "kernel", .n_dims = 2, .dims = {n, m}};
	layer->derived_size = (size_t) (n * m);
	layer->needs_input = true;
	return AI_OK;
}

static void
derive_linear(const AiLayer *layer, float *derived, const float *const *weight)
{
	memcpy(derived, weight[0], layer->weight[0].size * sizeof(float));
}

static void
linear(const AiLayer *layer, const AiPass *pass)
{
	int64_t		n = layer->weight[0].dims[0];
	int64_t		m = layer->weight[0].dims[1];

	for (int64_t r = 0; r < pass->n_rows; r++)
	{
		for (int64_t j = 0; j < m; j++)
		{
			float		sum = 0;

			for (int64_t i = 0; i < n; i++)
				sum += pass->input[0][r * n + i] * pass->weight[0][i * m + j];
			pass->output[r * m + j] = sum;
		}
	}
}

static void
linear_back(const AiLayer *layer, const AiPass *pass)
{
	int64_t		n = layer->weight[0].dims[0];
	int64_t		m = layer->weight[0].dims[1];

	for (int64_t r = 0; r < pass->n_rows; r++)
	{
		for (int64_t i = 0; i < n; i++)
		{
			float		sum = 0;

			for (int64_t j = 0; j < m; j++)
			{
				float		d = pass->d_output[r * m + j];

				if (pass->d_weight[0] != NULL)
					pass->d_weight[0][i * m + j] += pass->input[0][r * n + i] * d;
				sum += d * pass->derived[i * m + j];
			}
			if (pass->d_input[0] != NULL)
				pass->d_input[0][r * n + i] = sum;
		}
	}
}

static const AiLayerType linear_type = {
	.name = "linear", .prepare = prepare_linear, .derive = derive_linear,
	.forward = linear, .backward = linear_back
};

/*
 * y = tanh(x), from the output on the way back
 */
static AiCode
prepare_same(AiLayer *layer, AiError *err)
{
	(void) err;
	layer->output = layer->input[0];
	layer->passes_mask = true;
	layer->needs_output = true;
	layer->saved_size = 1;
	return AI_OK;
}

static void
squash(const AiLayer *layer, const AiPass *pass)
{
	size_t		n = ai_shape_size(&layer->output);

	for (size_t i = 0; i < n * (size_t) pass->n_rows; i++)
		pass->output[i] = tanhf(pass->input[0][i]);
	for (int r = 0; r < pass->n_rows; r++)
		pass->saved[r] = pass->output[(size_t) r * n];
}

static void
squash_back(const AiLayer *layer, const AiPass *pass)
{
	size_t		n = ai_shape_size(&layer->output);

	for (size_t i = 0; i < n * (size_t) pass->n_rows; i++)
		pass->d_input[0][i] = pass->d_output[i] * (1 - pass->output[i] * pass->output[i]);
	for (int r = 0; r < pass->n_rows; r++)
		assert_true(pass->saved[r] == pass->output[(size_t) r * n]);
}

static const AiLayerType squash_type = {
	.name = "squash", .prepare = prepare_same, .forward = squash, .backward = squash_back
};

/*
 * y = sum of the inputs
 */
static AiCode
prepare_sum(AiLayer *layer, AiError *err)
{
	if (ai_shape_size(&layer->input[0]) != ai_shape_size(&layer->input[layer->n_inputs - 1]))
		return ai_fail(err, AI_ERR_SHAPE, "its inputs differ");
	layer->output = layer->input[0];
	return AI_OK;
}

static void
sum(const AiLayer *layer, const AiPass *pass)
{
	for (size_t i = 0; i < ai_shape_size(&layer->output) * (size_t) pass->n_rows; i++)
	{
		pass->output[i] = 0;
		for (int j = 0; j < layer->n_inputs; j++)
			pass->output[i] += pass->input[j][i];
	}
}

static void
sum_back(const AiLayer *layer, const AiPass *pass)
{
	for (int j = 0; j < layer->n_inputs; j++)
	{
		if (pass->d_input[j] != NULL)
			memcpy(pass->d_input[j], pass->d_output,
				   ai_shape_size(&layer->output) * (size_t) pass->n_rows * sizeof(float));
	}
}

static const AiLayerType sum_type = {
	.name = "sum", .prepare = prepare_sum, .forward = sum, .backward = sum_back
};

/*
 * y = x - mean over the batch; a state keeps the mean of the last batch
 */
static AiCode
prepare_centre(AiLayer *layer, AiError *err)
{
	(void) err;
	layer->output = layer->input[0];
	layer->n_sums = (int) ai_shape_size(&layer->output);
	layer->n_weights = 1;
	layer->weight[0] = (AiWeight) {
		.name = "mean", .n_dims = 1, .dims = {layer->n_sums}, .is_state = true
	};
	return AI_OK;
}

static void
sum_inputs(const AiLayer *layer, const AiPass *pass)
{
	for (int i = 0; i < pass->n_rows * layer->n_sums; i++)
		pass->sums[i % layer->n_sums] += (double) pass->input[0][i];
}

static void
sum_gradients(const AiLayer *layer, const AiPass *pass)
{
	for (int i = 0; i < pass->n_rows * layer->n_sums; i++)
		pass->back_sums[i % layer->n_sums] += (double) pass->d_output[i];
}

static void
keep_mean(const AiLayer *layer, float *const *state, const double *sums, int64_t batch_rows)
{
	for (int i = 0; i < layer->n_sums; i++)
		state[0][i] = (float) (sums[i] / (double) batch_rows);
}

static void
centre(const AiLayer *layer, const AiPass *pass)
{
	for (int i = 0; i < pass->n_rows * layer->n_sums; i++)
	{
		int			j = i % layer->n_sums;

		pass->output[i] = pass->input[0][i] - (pass->is_training ?
											   (float) (pass->sums[j] / (double) pass->batch_rows) :
											   pass->weight[0][j]);
	}
}

static void
centre_back(const AiLayer *layer, const AiPass *pass)
{
	for (int i = 0; i < pass->n_rows * layer->n_sums; i++)
		pass->d_input[0][i] = pass->d_output[i] -
			(float) (pass->back_sums[i % layer->n_sums] / (double) pass->batch_rows);
}

static const AiLayerType centre_type = {
	.name = "centre", .prepare = prepare_centre, .sum_forward = sum_inputs,
	.sum_backward = sum_gradients, .update_state = keep_mean, .forward = centre,
	.backward = centre_back
};

/*
 * The same numbers in a flat shape
 */
static AiCode
prepare_flat(AiLayer *layer, AiError *err)
{
	(void) err;
	layer->output = (AiShape) {1, {(int64_t) ai_shape_size(&layer->input[0])}};
	layer->is_view = true;
	return AI_OK;
}

static const AiLayerType flat_type = {.name = "flat", .prepare = prepare_flat};

/*
 * Rows of a table by number; 0 is padding
 */
static AiCode
prepare_lookup(AiLayer *layer, AiError *err)
{
	(void) err;
	layer->output = (AiShape) {2, {layer->input[0].dims[0], 3}};
	layer->n_weights = 1;
	layer->weight[0] = (AiWeight) {
		.name = "table", .n_dims = 2, .dims = {50, 3}, .is_rows = true
	};
	layer->makes_mask = true;
	return AI_OK;
}

static void
lookup(const AiLayer *layer, const AiPass *pass)
{
	for (int64_t i = 0; i < pass->n_rows * layer->input[0].dims[0]; i++)
	{
		int			row = (int) pass->input[0][i];

		memcpy(pass->output + i * 3, pass->weight[0] + row * 3, 3 * sizeof(float));
		pass->output_mask[i] = row != 0;
	}
}

static void
lookup_back(const AiLayer *layer, const AiPass *pass)
{
	(void) layer;
	assert_null(pass->d_weight[0]);
	assert_null(pass->d_input[0]);
}

static const AiLayerType lookup_type = {
	.name = "lookup", .prepare = prepare_lookup, .forward = lookup, .backward = lookup_back
};

/*
 * Sum over the steps that the mask lets through
 */
static AiCode
prepare_pool(AiLayer *layer, AiError *err)
{
	if (!layer->has_mask)
		return ai_fail(err, AI_ERR_SHAPE, "there is no mask");
	layer->output = (AiShape) {1, {layer->input[0].dims[1]}};
	return AI_OK;
}

static void
pool(const AiLayer *layer, const AiPass *pass)
{
	int64_t		n_steps = layer->input[0].dims[0];
	int64_t		n = layer->input[0].dims[1];

	memset(pass->output, 0, (size_t) (pass->n_rows * n) * sizeof(float));
	for (int64_t i = 0; i < pass->n_rows * n_steps; i++)
	{
		for (int64_t j = 0; j < n && pass->mask[i]; j++)
			pass->output[i / n_steps * n + j] += pass->input[0][i * n + j];
	}
}

static void
pool_back(const AiLayer *layer, const AiPass *pass)
{
	int64_t		n_steps = layer->input[0].dims[0];
	int64_t		n = layer->input[0].dims[1];

	for (int64_t i = 0; i < pass->n_rows * n_steps; i++)
	{
		for (int64_t j = 0; j < n; j++)
			pass->d_input[0][i * n + j] = pass->mask[i] ? pass->d_output[i / n_steps * n + j] : 0;
	}
}

static const AiLayerType pool_type = {
	.name = "pool", .prepare = prepare_pool, .forward = pool, .backward = pool_back
};

/*
 * Networks of them
 */
#define MAX_LAYERS 12

typedef struct Step
{
	const AiLayerType *type;
	int64_t		size;
	int			n_inputs;		/* 0: the layer before */
	int			input[3];
	bool		is_frozen;
} Step;

typedef struct Network
{
	AiArena		arena;
	AiDefinition definition;
	AiLayerDefinition layers[MAX_LAYERS];
	char		names[MAX_LAYERS][24];
	int64_t		sizes[MAX_LAYERS];
	AiGraph		graph;
	AiShape		input;
	bool		has_numbers;	/* of words go in */
	float	   *weights;
	float	   *states;
	float	   *gradients;
	float	   *rows;			/* [max_rows, input] */
} Network;

#define MAX_ROWS 600

static float
made_number(AiRng *rng)
{
	return (float) (2 * ai_rng_uniform(rng) - 1);
}

static float *
made_array(Network *network, size_t n)
{
	return ai_arena_alloc_zero(&network->arena, n + 1, sizeof(float));
}

static AiCode
make_network(Network *network, const Step *steps, int n, AiShape input, AiError *err)
{
	AiRng		rng = {7};
	AiCode		code;

	memset(network, 0, sizeof(*network));
	ai_arena_init(&network->arena, ai_malloc_host());
	network->definition = (AiDefinition) {.n_layers = n, .layers = network->layers};
	network->input = input;
	network->has_numbers = steps[0].type == &lookup_type;
	for (int i = 0; i < n; i++)
	{
		snprintf(network->names[i], sizeof(network->names[i]), "layer_%d", i);
		network->sizes[i] = steps[i].size;
		network->layers[i] = (AiLayerDefinition) {
			.type = steps[i].type, .name = network->names[i], .config = &network->sizes[i],
			.is_frozen = steps[i].is_frozen,
			.n_inputs = steps[i].n_inputs > 0 ? steps[i].n_inputs : 1
		};
		network->layers[i].input[0] = i - 1;
		if (steps[i].n_inputs > 0)
			memcpy(network->layers[i].input, steps[i].input, sizeof(steps[i].input));
	}
	code = ai_graph_create(&network->graph, &network->arena, &network->definition, &input, err);
	if (code != AI_OK)
		return code;
	network->weights = made_array(network, network->graph.n_weights);
	network->gradients = made_array(network, network->graph.n_weights);
	network->states = made_array(network, network->graph.n_states);
	network->rows = made_array(network, MAX_ROWS * ai_shape_size(&input));
	for (size_t i = 0; i < network->graph.n_weights; i++)
		network->weights[i] = made_number(&rng) / 2;
	for (size_t i = 0; i < MAX_ROWS * ai_shape_size(&input); i++)
		network->rows[i] = network->has_numbers ? (float) ai_rng_below(&rng, 20) :
			made_number(&rng);
	return AI_OK;
}

static void
load(void *arg, int lane, int64_t first_row, int n_rows, float *input)
{
	const Network *network = arg;
	size_t		n = ai_shape_size(&network->input);

	(void) lane;
	memcpy(input, network->rows + (size_t) first_row * n, (size_t) n_rows * n * sizeof(float));
}

/* sum over rows and outputs j of (y - 0.1 j)^2 / 2 */
static double
loss(void *arg, int lane, int64_t first_row, int n_rows, const float *output,
	 const uint8_t *mask, float *d_output)
{
	const Network *network = arg;
	int64_t		n = (int64_t) ai_shape_size(&ai_graph_last(&network->graph)->output);
	double		result = 0;

	(void) lane;
	(void) first_row;
	(void) mask;
	for (int64_t i = 0; i < n * n_rows; i++)
	{
		float		difference = output[i] - 0.1F * (float) (i % n);

		d_output[i] = difference;
		result += (double) difference * (double) difference / 2;
	}
	return result;
}

static double
one_step(Network *network, AiRun *run, int64_t n_rows)
{
	AiRunBatch	batch = {
		.n_rows = n_rows, .seed = 1, .arg = network, .load = load, .loss = loss
	};
	double		result;

	assert_int_equal(ai_run_step(run, network->weights, network->states, &batch, &result, NULL),
					 AI_OK);
	memset(network->gradients, 0, network->graph.n_weights * sizeof(float));
	take_gradients(network->gradients, &network->graph, run);
	return result;
}

static bool
is_frozen_weight(const Network *network, size_t i)
{
	for (int l = 0; l < network->graph.n_layers; l++)
	{
		const AiGraphLayer *it = &network->graph.layers[l];

		for (int w = 0; w < it->layer.n_weights; w++)
		{
			const AiWeight *weight = &it->layer.weight[w];

			if (!weight->is_state && i >= weight->offset && i < weight->offset + weight->size)
				return it->is_frozen;
		}
	}
	return true;				/* between two arrays */
}

static void
check_gradients(Network *network, int64_t n_rows)
{
	AiPool	   *threads;
	AiRun	   *run;
	size_t		n = network->graph.n_weights;
	double	   *told = malloc((n + 1) * sizeof(double));

	assert_int_equal(ai_pool_create(&threads, ai_malloc_host(), 1, NULL), AI_OK);
	assert_int_equal(ai_run_create_training(&run, ai_malloc_host(), &network->graph, threads,
											n_rows, NULL), AI_OK);
	(void) one_step(network, run, n_rows);
	for (size_t i = 0; i < n; i++)
		told[i] = (double) network->gradients[i];
	for (size_t i = 0; i < n; i++)
	{
		float		w = network->weights[i];
		float		step = 1.0F / 128;
		double		more;
		double		less;

		if (is_frozen_weight(network, i))
		{
			assert_true(told[i] == 0);
			continue;
		}
		network->weights[i] = w + step;
		more = one_step(network, run, n_rows);
		network->weights[i] = w - step;
		less = one_step(network, run, n_rows);
		network->weights[i] = w;
		if (fabs((more - less) * 64 - told[i]) > 2e-3 * (1 + fabs(told[i])))
			fail_msg("weight %zu: %g by differences, %g told", i, (more - less) * 64, told[i]);
	}
	free(told);
	ai_run_destroy(run);
	ai_pool_destroy(threads);
}

/* Bits of everything that a step changes, whatever the threads and the room of the run */
static void
check_threads(Network *network, int64_t n_rows)
{
	size_t		n = network->graph.n_weights;
	double	   *told = malloc((n + 1) * sizeof(double));
	float	   *states = malloc((network->graph.n_states + 1) * sizeof(float));
	double		expected = 0;

	for (int t = 1; t <= 4; t++)
	{
		int64_t		room = t == 3 ? MAX_ROWS : n_rows;
		AiPool	   *threads;
		AiRun	   *run;
		double		result;

		assert_int_equal(ai_pool_create(&threads, ai_malloc_host(), t, NULL), AI_OK);
		assert_int_equal(ai_run_create_training(&run, ai_malloc_host(), &network->graph, threads,
												room, NULL), AI_OK);
		for (int again = 0; again < 2; again++)
		{
			result = one_step(network, run, n_rows);
			if (t == 1 && again == 0)
			{
				expected = result;
				for (size_t i = 0; i < n; i++)
					told[i] = (double) network->gradients[i];
				memcpy(states, network->states, network->graph.n_states * sizeof(float));
			}
			assert_true(result == expected);
			for (size_t i = 0; i < n; i++)
				assert_true((double) network->gradients[i] == told[i]);
			assert_memory_equal(network->states, states, network->graph.n_states * sizeof(float));
		}
		ai_run_destroy(run);
		ai_pool_destroy(threads);
	}
	free(told);
	free(states);
}

/* Rows alone, together and in two rooms; each layer's output on the way */
static void
check_apply(Network *network)
{
	size_t		n_in = ai_shape_size(&network->input);

	for (int layer = 0; layer < network->graph.n_layers; layer++)
	{
		size_t		n = ai_shape_size(&network->graph.layers[layer].layer.output);
		float	   *expected = malloc(150 * n * sizeof(float));

		for (int room = 1; room <= 150; room += 149)
		{
			AiRun	   *run;

			assert_int_equal(ai_run_create(&run, ai_malloc_host(), &network->graph, room, NULL),
							 AI_OK);
			for (int i = 0; i < 150; i += room)
			{
				const float *output = ai_run_apply(run, network->weights, network->states,
												   network->rows + (size_t) i * n_in, room, layer);

				if (room == 1)
					memcpy(expected + (size_t) i * n, output, n * sizeof(float));
				else
					assert_memory_equal(output, expected, 150 * n * sizeof(float));
			}
			ai_run_destroy(run);
		}
		free(expected);
	}
}

static void
check_network(const Step *steps, int n, AiShape input)
{
	static const int64_t sizes[] = {1, 16, 17, 64, 65, 300, 600};
	Network		network;
	AiError		err;

	if (make_network(&network, steps, n, input, &err) != AI_OK)
		fail_msg("%s", err.message);
	check_gradients(&network, 5);
	check_gradients(&network, 70);
	for (int i = 0; i < COUNT(sizes); i++)
		check_threads(&network, sizes[i]);
	check_apply(&network);
	ai_arena_free(&network.arena);
}

static const AiShape image = {3, {2, 3, 2}};
static const AiShape words = {1, {6}};

static void
test_sequence(void **state)
{
	static const Step steps[] = {
		{.type = &flat_type}, {.type = &linear_type, .size = 7}, {.type = &squash_type},
		{.type = &linear_type, .size = 3}
	};

	(void) state;
	check_network(steps, COUNT(steps), image);
}

/* outputs that go several ways, twice into one layer, and through views */
static void
test_branches(void **state)
{
	static const Step steps[] = {
		{.type = &flat_type}, {.type = &linear_type, .size = 4}, {.type = &squash_type},
		{.type = &linear_type, .size = 4}, {.type = &flat_type, .n_inputs = 1, .input = {2}},
		{.type = &sum_type, .n_inputs = 3, .input = {3, 4, 2}},
		{.type = &sum_type, .n_inputs = 3, .input = {5, 5, 1}},
		{.type = &squash_type}, {.type = &flat_type}
	};

	(void) state;
	check_network(steps, COUNT(steps), image);
}

static void
test_sums(void **state)
{
	static const Step steps[] = {
		{.type = &flat_type}, {.type = &linear_type, .size = 4}, {.type = &centre_type},
		{.type = &squash_type}, {.type = &linear_type, .size = 4}, {.type = &centre_type},
		{.type = &sum_type, .n_inputs = 2, .input = {5, 3}}
	};

	(void) state;
	check_network(steps, COUNT(steps), image);
}

static void
test_rows(void **state)
{
	static const Step steps[] = {
		{.type = &lookup_type}, {.type = &squash_type}, {.type = &pool_type},
		{.type = &linear_type, .size = 2}
	};

	(void) state;
	check_network(steps, COUNT(steps), words);
}

static void
test_frozen(void **state)
{
	static const Step steps[] = {
		{.type = &lookup_type, .is_frozen = true}, {.type = &pool_type},
		{.type = &linear_type, .size = 3, .is_frozen = true}, {.type = &squash_type},
		{.type = &linear_type, .size = 2}, {.type = &linear_type, .size = 2, .is_frozen = true}
	};

	(void) state;
	check_network(steps, COUNT(steps), words);
}

static void
expect_error(const Step *steps, int n, AiShape input, const char *message)
{
	Network		network;
	AiError		err;

	assert_int_not_equal(make_network(&network, steps, n, input, &err), AI_OK);
	assert_string_equal(err.message, message);
	ai_arena_free(&network.arena);
}

static void
test_errors(void **state)
{
	static const Step differing[] = {
		{.type = &flat_type}, {.type = &linear_type, .size = 4},
		{.type = &sum_type, .n_inputs = 2, .input = {0, 1}}
	};
	static const Step unused[] = {
		{.type = &flat_type}, {.type = &linear_type, .size = 4},
		{.type = &linear_type, .size = 4, .n_inputs = 1, .input = {0}}
	};
	static const Step late[] = {{.type = &squash_type}, {.type = &lookup_type}};
	static const Step large[] = {
		{.type = &flat_type}, {.type = &linear_type, .size = 1 << 20},
		{.type = &linear_type, .size = 1 << 20}
	};
	static const Step huge[] = {{.type = &linear_type, .size = (int64_t) 1 << 40}};

	(void) state;
	expect_error(differing, COUNT(differing), image, "layer 3, \"layer_2\": its inputs differ");
	expect_error(unused, COUNT(unused), image, "layer 2, \"layer_1\": no layer takes its output");
	expect_error(late, COUNT(late), words,
				 "layer 2, \"layer_1\": this kind of layer has to be the first one");
	expect_error(large, COUNT(large), image, "layer 3, \"layer_2\": the network has too many weights");
	{
		Network		network;

		assert_int_equal(make_network(&network, huge, 1, words, NULL), AI_ERR_SHAPE);
		ai_arena_free(&network.arena);
	}
}

/* Whatever runs out of memory or is stopped leaves nothing. */
static AiCode
train_a_step(const AiHost *host, void *arg, AiError *err)
{
	Network    *network = arg;
	AiRunBatch	batch = {
		.n_rows = 100, .seed = 1, .arg = network, .load = load, .loss = loss
	};
	AiPool	   *threads;
	AiRun	   *run = NULL;
	double		result;
	AiCode		code = ai_pool_create(&threads, host, 1, err);

	if (code != AI_OK)
		return code;
	code = ai_run_create_training(&run, host, &network->graph, threads, 100, err);
	if (code == AI_OK)
		code = ai_run_step(run, network->weights, network->states, &batch, &result, err);
	ai_run_destroy(run);
	ai_pool_destroy(threads);
	return code;
}

static void
test_interruptions(void **state)
{
	static const Step steps[] = {
		{.type = &lookup_type}, {.type = &pool_type}, {.type = &linear_type, .size = 2},
		{.type = &centre_type}
	};
	Network		network;

	(void) state;
	assert_int_equal(make_network(&network, steps, COUNT(steps), words, NULL), AI_OK);
	test_every_failed_alloc(train_a_step, &network);
	test_every_stop(train_a_step, &network);
	ai_arena_free(&network.arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequence),
		cmocka_unit_test(test_branches),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_frozen),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_interruptions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
