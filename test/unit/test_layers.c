/*-------------------------------------------------------------------------
 * test_layers.c
 *		Layers give what Keras gives, forward and backward, at every CPU level.
 *
 * test/golden/layers_*.txt hold networks of a layer or two with their numbers; the format is
 * described in test/golden/layer_cases.py.  Each case runs as it is and as a batch of many
 * copies, and each of its rows alone, which has to give the same bits.
 *-------------------------------------------------------------------------
 */
#include "core/graph/run.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "core/kernels/kernels.h"
#include "core/layer/layers.h"
#include "test_golden.h"
#include "test_gradients.h"

#define MAX_TYPES 64
#define MIN_MANY 130			/* rows of the batch of copies: shards of different size */

/*
 * A layer that passes everything on and tells the gradient that comes back
 */
typedef struct ProbeConfig
{
	bool		mask;			/* of the steps that have a number other than 0 */
} ProbeConfig;

static float *probed;			/* [rows of the batch, shape] */

static const AiOption probe_options[] = {
	{.name = "mask", .kind = AI_OPTION_BOOL, .offset = offsetof(ProbeConfig, mask)},
	{.name = NULL}
};

/* Its weight is there so that the way back leads to it. */
static AiCode
prepare_probe(AiLayer *layer, AiError *err)
{
	const ProbeConfig *config = layer->config;

	(void) err;
	layer->output = layer->input[0];
	layer->makes_mask = config->mask;
	layer->n_weights = 1;
	layer->weight[0] = (AiWeight) {.name = "none", .n_dims = 1, .dims = {1}};
	return AI_OK;
}

static void
probe_forward(const AiLayer *layer, const AiPass *pass)
{
	size_t		n = (size_t) pass->n_rows * ai_shape_size(&layer->output);
	size_t		last = (size_t) ai_shape_last(&layer->output);

	memcpy(pass->output, pass->input[0], n * sizeof(float));
	if (!layer->makes_mask)
		return;
	memset(pass->output_mask, 0, n / last);
	for (size_t i = 0; i < n; i++)
		pass->output_mask[i / last] |= pass->output[i] != 0;
}

static void
probe_backward(const AiLayer *layer, const AiPass *pass)
{
	size_t		n = ai_shape_size(&layer->output);

	memcpy(probed + (size_t) pass->first_row * n, pass->d_output,
		   (size_t) pass->n_rows * n * sizeof(float));
}

static const AiLayerType probe_type = {
	.name = "probe", .keras_name = "", .config_size = sizeof(ProbeConfig), .options = probe_options,
	.min_inputs = 1, .max_inputs = 1, .prepare = prepare_probe, .forward = probe_forward,
	.backward = probe_backward
};

static const AiLayerType *types[MAX_TYPES];

/*
 * A case: numbers as they are in the file
 */
typedef struct Case
{
	char		name[64];
	bool		applies;
	bool		trains;
	int64_t		n_rows;
	bool		has_probe;
	bool		has_sums;		/* rows look at each other */
	AiArena		arena;
	AiDefinition definition;
	AiGraph		graph;
	size_t		n_in;			/* numbers of a row */
	size_t		n_out;
	float	   *input;			/* [n_rows, n_in] */
	float	   *weights;		/* [graph.n_weights] */
	float	   *states;			/* [graph.n_states] */
	float	   *d_output;		/* [n_rows, n_out] */
	double	   *output;
	double	   *d_input;		/* [n_rows, n_in] */
	double	   *d_weights;		/* [graph.n_weights] */
	double	   *states_after;
} Case;

/* What our layers give */
typedef struct Answer
{
	const Case *c;
	int64_t		first;			/* the case's row that is row 0 of the batch */
	int64_t		n_rows;
	float	   *output;			/* [n_rows, n_out] */
	float	   *d_input;
	float	   *d_weights;
	float	   *states;
} Answer;

static void *
zeros(Case *c, size_t n, size_t size)
{
	void	   *result = ai_arena_alloc_zero(&c->arena, n + 1, size);

	assert_non_null(result);
	return result;
}

static void
read_weights(FILE *file, Case *c)
{
	c->weights = zeros(c, c->graph.n_weights, sizeof(float));
	c->states = zeros(c, c->graph.n_states, sizeof(float));
	for (int i = 0; i < c->graph.n_layers; i++)
	{
		const AiLayer *layer = &c->graph.layers[i].layer;

		c->has_sums |= layer->n_sums > 0;
		c->has_probe |= layer->type == &probe_type;
		for (int j = 0; j < layer->n_weights && layer->type != &probe_type; j++)
			golden_floats(file, (layer->weight[j].is_state ? c->states : c->weights) +
						  layer->weight[j].offset, layer->weight[j].size);
	}
}

/* Numbers of all weights, or of all states */
static double *
read_numbers(FILE *file, Case *c, bool is_state)
{
	size_t		n = is_state ? c->graph.n_states : c->graph.n_weights;
	double	   *numbers = zeros(c, n, sizeof(double));

	for (int i = 0; i < c->graph.n_layers; i++)
	{
		const AiLayer *layer = &c->graph.layers[i].layer;

		for (int j = 0; j < layer->n_weights && layer->type != &probe_type; j++)
		{
			if (layer->weight[j].is_state == is_state)
				golden_doubles(file, numbers + layer->weight[j].offset, layer->weight[j].size);
		}
	}
	return numbers;
}

static void
make_graph(Case *c, const char *json, const AiShape *input)
{
	AiError		err;

	ai_arena_init(&c->arena, ai_malloc_host());
	if (ai_definition_parse(&c->definition, &c->arena, types, json, strlen(json), &err) != AI_OK ||
		ai_graph_create(&c->graph, &c->arena, &c->definition, input, &err) != AI_OK)
		fail_msg("%s: %s", c->name, err.message);
	c->n_in = ai_shape_size(input);
	c->n_out = ai_shape_size(&ai_graph_last(&c->graph)->output);
}

/* false at the end of the file */
static bool
read_case(FILE *file, Case *c)
{
	static char json[4096];
	char		mode[16];
	AiShape		input = {0};

	memset(c, 0, sizeof(*c));
	if (fscanf(file, " case %63s %15s", c->name, mode) != 2)
		return false;
	c->n_rows = (int64_t) golden_number(file);
	input.n_dims = (int) golden_number(file);
	for (int i = 0; i < input.n_dims; i++)
		input.dims[i] = (int64_t) golden_number(file);
	assert_int_equal(fscanf(file, " %4095[^\n]", json), 1);
	make_graph(c, json, &input);
	c->applies = strcmp(mode, "train") != 0;
	c->trains = strcmp(mode, "apply") != 0;

	c->input = zeros(c, (size_t) c->n_rows * c->n_in, sizeof(float));
	c->output = zeros(c, (size_t) c->n_rows * c->n_out, sizeof(double));
	golden_floats(file, c->input, (size_t) c->n_rows * c->n_in);
	read_weights(file, c);
	golden_doubles(file, c->output, (size_t) c->n_rows * c->n_out);
	if (!c->trains)
		return true;
	c->d_output = zeros(c, (size_t) c->n_rows * c->n_out, sizeof(float));
	golden_floats(file, c->d_output, (size_t) c->n_rows * c->n_out);
	c->d_input = zeros(c, (size_t) c->n_rows * c->n_in, sizeof(double));
	if (c->has_probe)
		golden_doubles(file, c->d_input, (size_t) c->n_rows * c->n_in);
	c->d_weights = read_numbers(file, c, false);
	if (!c->applies)
		c->states_after = read_numbers(file, c, true);
	return true;
}

/*
 * Running
 */

static size_t
case_row(const Answer *answer, int64_t row)
{
	return (size_t) ((answer->first + row) % answer->c->n_rows);
}

static void
load(void *arg, int lane, int64_t first_row, int n_rows, float *input)
{
	const Answer *answer = arg;
	size_t		n = answer->c->n_in;

	(void) lane;
	for (int i = 0; i < n_rows; i++)
		memcpy(input + (size_t) i * n, answer->c->input + case_row(answer, first_row + i) * n,
			   n * sizeof(float));
}

static double
loss(void *arg, int lane, int64_t first_row, int n_rows, const float *output,
	 const uint8_t *mask, float *d_output)
{
	const Answer *answer = arg;
	size_t		n = answer->c->n_out;

	(void) lane;
	(void) mask;
	memcpy(answer->output + (size_t) first_row * n, output, (size_t) n_rows * n * sizeof(float));
	for (int i = 0; i < n_rows && d_output != NULL; i++)
		memcpy(d_output + (size_t) i * n, answer->c->d_output + case_row(answer, first_row + i) * n,
			   n * sizeof(float));
	return 0;
}

static void
make_answer(Answer *answer, const Case *c, int64_t first, int64_t n_rows)
{
	*answer = (Answer) {
		.c = c, .first = first, .n_rows = n_rows,
		.output = calloc((size_t) n_rows * c->n_out, sizeof(float)),
		.d_input = calloc((size_t) n_rows * c->n_in, sizeof(float)),
		.d_weights = calloc(c->graph.n_weights + 1, sizeof(float)),
		.states = calloc(c->graph.n_states + 1, sizeof(float))
	};
	memcpy(answer->states, c->states, c->graph.n_states * sizeof(float));
}

static void
free_answer(Answer *answer)
{
	free(answer->output);
	free(answer->d_input);
	free(answer->d_weights);
	free(answer->states);
}

/* Some of a case's rows, in turn, as a batch of training */
static void
train(Answer *answer, const Case *c, int64_t first, int64_t n_rows, int n_threads)
{
	AiRunBatch	batch = {.n_rows = n_rows, .seed = 1, .arg = answer, .load = load, .loss = loss};
	AiPool	   *pool;
	AiRun	   *run;
	double		sum;

	make_answer(answer, c, first, n_rows);
	probed = answer->d_input;
	assert_int_equal(ai_pool_create(&pool, ai_malloc_host(), n_threads, NULL), AI_OK);
	assert_int_equal(ai_run_create_training(&run, ai_malloc_host(), &c->graph, pool, n_rows, NULL),
					 AI_OK);
	assert_int_equal(ai_run_step(run, c->weights, answer->states, &batch, &sum, NULL), AI_OK);
	take_gradients(answer->d_weights, &c->graph, run);
	ai_run_destroy(run);
	ai_pool_destroy(pool);
}

static void
apply(Answer *answer, const Case *c, int64_t first, int64_t n_rows)
{
	float	   *input = calloc((size_t) n_rows * c->n_in, sizeof(float));
	AiRun	   *run;

	make_answer(answer, c, first, n_rows);
	load(answer, 0, 0, (int) n_rows, input);
	assert_int_equal(ai_run_create(&run, ai_malloc_host(), &c->graph, (int) n_rows, NULL), AI_OK);
	memcpy(answer->output, ai_run_apply(run, c->weights, c->states, input, (int) n_rows,
										c->graph.n_layers - 1),
		   (size_t) n_rows * c->n_out * sizeof(float));
	ai_run_destroy(run);
	free(input);
}

/*
 * Comparing
 */

static double
largest_of(const double *number, size_t n)
{
	double		largest = 0;

	for (size_t i = 0; i < n; i++)
		largest = fmax(largest, fabs(number[i]));
	return largest;
}

/*
 * Within 1e-6 of scale, the largest number.  Numbers repeat after period; all are divided by
 * divisor, as sums of so many copies, which are less exact.
 */
static void
check_near(const Case *c, const char *what, const float *value, const double *expected, size_t n,
		   size_t period, double scale, double divisor)
{
	double		budget = (divisor > 1 ? 4e-6 : 1e-6) * scale;

	for (size_t i = 0; i < n; i++)
	{
		double		it = (double) value[i] / divisor;

		if (!(fabs(it - expected[i % period]) <= budget))
			fail_msg("%s, level %s, %zu rows: %s[%zu] is %.9g, not %.9g", c->name,
					 ai_cpu_level_name(ai_kernels_level()), (size_t) divisor * (size_t) c->n_rows,
					 what, i, it, expected[i % period]);
	}
}

/* Rows of numbers, as many times as the case's own fit in */
static void
check_rows(const Case *c, const char *what, const float *value, const double *expected,
		   int64_t n_rows, size_t width)
{
	size_t		period = (size_t) c->n_rows * width;

	check_near(c, what, value, expected, (size_t) n_rows * width, period,
			   largest_of(expected, period), 1);
}

static void
check_bits(const Case *c, const char *what, const float *value, const float *expected, size_t n)
{
	if (memcmp(value, expected, n * sizeof(float)) != 0)
		fail_msg("%s, level %s: not the same bits in %s", c->name,
				 ai_cpu_level_name(ai_kernels_level()), what);
}

static void
check_weights(const Case *c, const Answer *answer, double copies)
{
	double		largest = largest_of(c->d_weights, c->graph.n_weights);

	for (int i = 0; i < c->graph.n_layers; i++)
	{
		const AiLayer *layer = &c->graph.layers[i].layer;

		for (int j = 0; j < layer->n_weights && layer->type != &probe_type; j++)
		{
			const AiWeight *weight = &layer->weight[j];

			if (!weight->is_state)
				check_near(c, weight->name, answer->d_weights + weight->offset,
						   c->d_weights + weight->offset, weight->size, weight->size, largest,
						   copies);
			else if (c->states_after != NULL)
				check_near(c, weight->name, answer->states + weight->offset,
						   c->states_after + weight->offset, weight->size, weight->size,
						   largest_of(c->states_after + weight->offset, weight->size), 1);
		}
	}
}

static void
check_trained(const Case *c, const Answer *answer)
{
	int64_t		copies = answer->n_rows / c->n_rows;

	check_rows(c, "output", answer->output, c->output, answer->n_rows, c->n_out);
	if (c->has_probe)
		check_rows(c, "gradient by input", answer->d_input, c->d_input, answer->n_rows, c->n_in);
	check_weights(c, answer, (double) copies);
}

/* Rows alone give the bits of the batch. */
static void
check_alone(const Case *c, const Answer *batch)
{
	for (int64_t i = 0; i < batch->n_rows; i += 1 + batch->n_rows / 7)
	{
		Answer		alone;

		train(&alone, c, i, 1, 1);
		check_bits(c, "the output of a row", alone.output, batch->output + (size_t) i * c->n_out,
				   c->n_out);
		if (c->has_probe)
			check_bits(c, "the gradient by a row", alone.d_input,
					   batch->d_input + (size_t) i * c->n_in, c->n_in);
		free_answer(&alone);
	}
}

static void
check_training(const Case *c)
{
	int64_t		many = (MIN_MANY + c->n_rows - 1) / c->n_rows * c->n_rows;
	Answer		answer;
	Answer		threads;

	train(&answer, c, 0, c->n_rows, 1);
	check_trained(c, &answer);
	free_answer(&answer);

	train(&answer, c, 0, many, 1);
	check_trained(c, &answer);
	train(&threads, c, 0, many, 3);
	check_bits(c, "gradients of threads", threads.d_weights, answer.d_weights, c->graph.n_weights);
	check_bits(c, "states of threads", threads.states, answer.states, c->graph.n_states);
	free_answer(&threads);
	if (!c->has_sums)
		check_alone(c, &answer);
	free_answer(&answer);
}

static void
check_applying(const Case *c)
{
	Answer		batch;

	apply(&batch, c, 0, MIN_MANY / c->n_rows * c->n_rows);
	check_rows(c, "output", batch.output, c->output, batch.n_rows, c->n_out);
	for (int64_t i = 0; i < batch.n_rows; i += 1 + batch.n_rows / 7)
	{
		Answer		alone;

		apply(&alone, c, i, 1);
		check_bits(c, "a row applied to", alone.output, batch.output + (size_t) i * c->n_out, c->n_out);
		free_answer(&alone);
	}
	free_answer(&batch);
}

static void
check_file(const char *path)
{
	FILE	   *file = golden_open(path);
	Case		c;

	while (read_case(file, &c))
	{
		for (int level = 0; level <= (int) ai_kernels_best_level(); level++)
		{
			assert_int_equal(ai_kernels_select((AiCpuLevel) level, NULL), AI_OK);
			if (c.trains)
				check_training(&c);
			if (c.applies)
				check_applying(&c);
		}
		ai_arena_free(&c.arena);
	}
	assert_true(feof(file));
	fclose(file);
}

static void
test_dense(void **state)
{
	(void) state;
	check_file("test/golden/layers_dense.txt");
}

static void
test_recurrent(void **state)
{
	(void) state;
	check_file("test/golden/layers_recurrent.txt");
}

static void
test_conv(void **state)
{
	(void) state;
	check_file("test/golden/layers_conv.txt");
}

static void
test_norm(void **state)
{
	(void) state;
	check_file("test/golden/layers_norm.txt");
}

/*
 * What is dropped follows from the step and the row alone; the gradient goes where the input went.
 */
#define DROP_RATE 0.3
#define DROP_SIZE 301

static void
make_ones(Case *c, int64_t n_rows)
{
	AiShape		input = {1, {DROP_SIZE}};

	memset(c, 0, sizeof(*c));
	c->n_rows = n_rows;
	c->has_probe = true;
	make_graph(c, "[{\"probe\": true}, {\"dropout\": 0.3}]", &input);
	c->weights = zeros(c, c->graph.n_weights, sizeof(float));
	c->states = zeros(c, c->graph.n_states, sizeof(float));
	c->input = zeros(c, (size_t) n_rows * DROP_SIZE, sizeof(float));
	c->d_output = zeros(c, (size_t) n_rows * DROP_SIZE, sizeof(float));
	for (size_t i = 0; i < (size_t) n_rows * DROP_SIZE; i++)
	{
		c->input[i] = 1;
		c->d_output[i] = 2;
	}
}

static void
check_drops(const Answer *answer)
{
	size_t		n = (size_t) answer->n_rows * DROP_SIZE;
	double		deviation = sqrt((double) n * DROP_RATE * (1 - DROP_RATE));
	size_t		n_same = 0;
	double		n_dropped = 0;

	for (size_t i = 0; i < n; i++)
	{
		assert_true(answer->output[i] == 0 || answer->output[i] == (float) (1 / (1 - DROP_RATE)));
		assert_true(answer->d_input[i] == 2 * answer->output[i]);
		n_dropped += answer->output[i] == 0;
		n_same += i >= DROP_SIZE && answer->output[i] == answer->output[i - DROP_SIZE];
	}
	assert_true(fabs(n_dropped - (double) n * DROP_RATE) < 4 * deviation);

	/* 0.58 of what two rows have is the same by chance */
	assert_true(fabs((double) n_same / (double) (n - DROP_SIZE) - 0.58) < 0.02);
}

static void
test_dropout(void **state)
{
	Case		c;
	Answer		many;
	Answer		few;

	(void) state;
	make_ones(&c, 150);
	for (int level = 0; level <= (int) ai_kernels_best_level(); level++)
	{
		assert_int_equal(ai_kernels_select((AiCpuLevel) level, NULL), AI_OK);
		train(&many, &c, 0, 150, 1);
		check_drops(&many);
		train(&few, &c, 0, 33, 3);
		check_bits(&c, "rows of a smaller batch", few.output, many.output, 33 * DROP_SIZE);
		free_answer(&few);
		free_answer(&many);
	}
	ai_arena_free(&c.arena);
}

static void
add_types(void)
{
	int			n = 0;

	while (ai_layer_types[n] != NULL)
	{
		types[n] = ai_layer_types[n];
		n++;
	}
	types[n] = &probe_type;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dense),
		cmocka_unit_test(test_recurrent),
		cmocka_unit_test(test_conv),
		cmocka_unit_test(test_norm),
		cmocka_unit_test(test_dropout),
	};

	add_types();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
