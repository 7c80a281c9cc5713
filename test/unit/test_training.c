/*-------------------------------------------------------------------------
 * test_training.c
 *		Two hundred steps of small networks stay as near to exact ones as PyTorch's, at every
 *		CPU level.
 *
 * test/golden/training_*.txt hold the cases: what PyTorch and Keras make of them in float64, and
 * how far they are from it in float32; the format is described in test/golden/make_training.py.
 * An epoch of the fit is one batch here: when it is told, the next rows come in.
 *-------------------------------------------------------------------------
 */
#include "core/train/fit.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "core/graph/run.h"
#include "core/kernels/kernels.h"
#include "core/layer/layers.h"
#include "test_golden.h"
#include "test_gradients.h"

enum
{
	BATCH = 16,
	BATCHES = 10,
	N_CHECKED = 4,
	MAX_ARRAYS = 32,
	MEMORY = 64 << 20
};

#define MAX_GRADIENT_ERROR 1e-5

/* Times what float costs PyTorch, and what one more rounding of each number is */
#define MAX_DEVIATION 2
#define ALWAYS_ALLOWED 0x1p-23

/* The portable level rounds products before it adds them, PyTorch does not. */
#define MAX_PORTABLE_DEVIATION 3

typedef struct Array
{
	const AiWeight *weight;
	double		offset;			/* of its first numbers */
	double		scale;
	double	   *gradient;
	double	   *exact[N_CHECKED];
	double		cost[N_CHECKED];	/* PyTorch's deviation */
} Array;

typedef struct Case
{
	char		name[64];
	AiArena		arena;
	AiDefinition definition;
	AiGraph		graph;
	AiOptimiser optimiser;
	uint32_t	n_classes;
	uint32_t	n_words;		/* 0: inputs are no words */
	size_t		min_words;
	size_t		n_in;
	int			n_arrays;
	Array		array[MAX_ARRAYS];
	double		loss;
	int			step[N_CHECKED];
	float	   *inputs;			/* [BATCHES * BATCH, n_in] */
	float	   *classes;		/* [BATCHES * BATCH] */
	float	   *weights;
	float	   *states;

	/* While it is trained */
	int			n_steps;		/* that have been made */
	int			n_kept;
	float	   *kept[N_CHECKED];	/* weights */
} Case;

static const AiLoss cross_entropy = {.kind = AI_LOSS_SPARSE, .from_logits = true};

/*
 * Reading
 */

static void *
zeros(Case *c, size_t n, size_t size)
{
	void	   *result = ai_arena_alloc_zero(&c->arena, n + 1, size);

	assert_non_null(result);
	return result;
}

/* In [0, 1) */
static double
uniform(AiRng *rng)
{
	return (double) (ai_rng_next(rng) >> 40) * 0x1p-24;
}

static uint32_t
below(AiRng *rng, uint32_t n)
{
	return (uint32_t) (uniform(rng) * n);
}

static void
make_words(const Case *c, AiRng *rng, float *row)
{
	size_t		n = c->min_words + below(rng, (uint32_t) (c->n_in + 1 - c->min_words));

	for (size_t i = 0; i < c->n_in; i++)
	{
		uint32_t	word = 1 + below(rng, c->n_words - 1);

		row[i] = i < n ? (float) word : 0;
	}
}

static void
make_rows(Case *c)
{
	AiRng		of_classes = {2};
	AiRng		of_inputs = {3};

	c->inputs = zeros(c, BATCHES * BATCH * c->n_in, sizeof(float));
	c->classes = zeros(c, BATCHES * BATCH, sizeof(float));
	for (size_t i = 0; i < BATCHES * BATCH; i++)
	{
		c->classes[i] = (float) below(&of_classes, c->n_classes);
		if (c->n_words > 0)
			make_words(c, &of_inputs, c->inputs + i * c->n_in);
		for (size_t j = 0; j < c->n_in && c->n_words == 0; j++)
			c->inputs[i * c->n_in + j] = (float) (2 * uniform(&of_inputs) - 1);
	}
}

static void
make_weights(Case *c)
{
	AiRng		rng = {1};

	for (int a = 0; a < c->n_arrays; a++)
	{
		const Array *array = &c->array[a];

		for (size_t i = 0; i < array->weight->size; i++)
			c->weights[array->weight->offset + i] =
				(float) (array->offset + array->scale * (2 * uniform(&rng) - 1));
	}
}

static void
read_arrays(FILE *file, Case *c)
{
	int			n = 0;

	for (int i = 0; i < c->graph.n_layers; i++)
	{
		const AiLayer *layer = &c->graph.layers[i].layer;

		for (int j = 0; j < layer->n_weights; j++, n++)
		{
			Array	   *array = &c->array[n];

			assert_in_range(n, 0, c->n_arrays - 1);
			array->weight = &layer->weight[j];
			assert_int_equal((size_t) golden_number(file), array->weight->size);
			array->offset = golden_number(file);
			array->scale = golden_number(file);
		}
	}
	assert_int_equal(n, c->n_arrays);
}

static double *
read_numbers(FILE *file, Case *c, size_t n)
{
	double	   *numbers = zeros(c, n, sizeof(double));

	golden_doubles(file, numbers, n);
	return numbers;
}

static void
read_results(FILE *file, Case *c)
{
	c->loss = golden_number(file);
	for (int a = 0; a < c->n_arrays; a++)
		c->array[a].gradient = read_numbers(file, c, c->array[a].weight->size);
	for (int i = 0; i < N_CHECKED; i++)
	{
		assert_int_equal(fscanf(file, " step %d", &c->step[i]), 1);
		for (int a = 0; a < c->n_arrays; a++)
			c->array[a].exact[i] = read_numbers(file, c, c->array[a].weight->size);
		for (int a = 0; a < c->n_arrays; a++)
			c->array[a].cost[i] = golden_number(file);
	}
}

static void
make_graph(FILE *file, Case *c, const AiShape *input)
{
	static char json[4096];
	AiError		err;

	assert_int_equal(fscanf(file, " %4095[^\n]", json), 1);
	if (ai_definition_parse(&c->definition, &c->arena, ai_layer_types, json, strlen(json), &err) ||
		ai_graph_create(&c->graph, &c->arena, &c->definition, input, &err))
		fail_msg("%s: %s", c->name, err.message);
	c->n_in = ai_shape_size(input);
	c->weights = zeros(c, c->graph.n_weights, sizeof(float));
	c->states = zeros(c, c->graph.n_states, sizeof(float));
	for (int i = 0; i < N_CHECKED; i++)
		c->kept[i] = zeros(c, c->graph.n_weights, sizeof(float));
}

static void
read_optimiser(FILE *file, Case *c)
{
	AiOptimiserKind kind;
	char		name[64];

	assert_int_equal(fscanf(file, " %63s", name), 1);
	assert_true(ai_optimiser_find(&kind, name, strlen(name)));
	ai_optimiser_default(&c->optimiser, kind);
	c->optimiser.learning_rate = golden_number(file);
}

/* false at the end of the file */
static bool
read_case(FILE *file, Case *c)
{
	AiShape		input = {0};

	memset(c, 0, sizeof(*c));
	if (fscanf(file, " case %63s", c->name) != 1)
		return false;
	ai_arena_init(&c->arena, ai_malloc_host());
	read_optimiser(file, c);
	c->n_classes = (uint32_t) golden_number(file);
	c->n_words = (uint32_t) golden_number(file);
	c->min_words = (size_t) golden_number(file);
	input.n_dims = (int) golden_number(file);
	for (int i = 0; i < input.n_dims; i++)
		input.dims[i] = (int64_t) golden_number(file);
	c->n_arrays = (int) golden_number(file);
	assert_in_range(c->n_arrays, 1, MAX_ARRAYS);
	make_graph(file, c, &input);
	read_arrays(file, c);
	read_results(file, c);
	make_rows(c);
	return true;
}

static void
fail_at(const Case *c, const char *what, int step, double error, double allowed)
{
	fail_msg("%s, %s, level %s, step %d: %s is off by %g, not at most %g", c->name,
			 ai_optimiser_name(c->optimiser.kind), ai_cpu_level_name(ai_kernels_level()), step,
			 what, error, allowed);
}

/* The length of what an array is off the exact one */
static double
distance(const float *number, const double *exact, size_t n)
{
	double		sum = 0;

	for (size_t i = 0; i < n; i++)
	{
		double		d = (double) number[i] - exact[i];

		sum += d * d;
	}
	return sqrt(sum);
}

static double
length(const double *number, size_t n)
{
	double		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += number[i] * number[i];
	return sqrt(sum);
}

/*
 * The first step's loss and gradients
 */

static void
load_first(void *arg, int lane, int64_t first_row, int n_rows, float *input)
{
	const Case *c = arg;

	(void) lane;
	memcpy(input, c->inputs + (size_t) first_row * c->n_in,
		   (size_t) n_rows * c->n_in * sizeof(float));
}

static double
lose_first(void *arg, int lane, int64_t first_row, int n_rows, const float *output,
		   const uint8_t *mask, float *d_output)
{
	const Case *c = arg;

	(void) lane;
	(void) mask;
	return ai_loss_run(&cross_entropy, output, c->classes + first_row, NULL, (size_t) n_rows,
					   c->n_classes, d_output, 1.0 / BATCH);
}

/* Arrays whose gradients are nothing but roundings have to be small beside the largest array's. */
static void
check_gradients(const Case *c, const float *gradients)
{
	double		largest = 0;

	for (int a = 0; a < c->n_arrays; a++)
		largest = fmax(largest, length(c->array[a].gradient, c->array[a].weight->size));
	for (int a = 0; a < c->n_arrays; a++)
	{
		const Array *array = &c->array[a];
		size_t		n = array->weight->size;
		double		scale = length(array->gradient, n);
		double		error = distance(gradients + array->weight->offset, array->gradient, n);

		error /= scale > 1e-9 * largest ? scale : largest;
		if (!(error <= MAX_GRADIENT_ERROR))
			fail_at(c, array->weight->name, 1, error, MAX_GRADIENT_ERROR);
	}
}

static void
check_first_step(Case *c)
{
	AiRunBatch	batch = {BATCH, 1, c, load_first, lose_first};
	float	   *gradients = zeros(c, c->graph.n_weights, sizeof(float));
	AiPool	   *pool;
	AiRun	   *run;
	double		loss;

	make_weights(c);
	assert_int_equal(ai_pool_create(&pool, ai_malloc_host(), 1, NULL), AI_OK);
	assert_int_equal(ai_run_create_training(&run, ai_malloc_host(), &c->graph, pool, BATCH, NULL),
					 AI_OK);
	assert_int_equal(ai_run_step(run, c->weights, c->states, &batch, &loss, NULL), AI_OK);
	loss = fabs(loss / BATCH - c->loss) / c->loss;
	if (!(loss <= MAX_GRADIENT_ERROR))
		fail_at(c, "the loss", 1, loss, MAX_GRADIENT_ERROR);
	take_gradients(gradients, &c->graph, run);
	check_gradients(c, gradients);
	ai_run_destroy(run);
	ai_pool_destroy(pool);
}

/*
 * All steps
 */

/* A record is a row's number in its batch. */
static size_t
row_of(const Case *c, const void *record)
{
	return (size_t) (c->n_steps % BATCHES * BATCH) + *(const uint8_t *) record;
}

static void
read_input(const void *ud, const void *record, float *input)
{
	const Case *c = ud;

	memcpy(input, c->inputs + row_of(c, record) * c->n_in, c->n_in * sizeof(float));
}

static void
read_target(const void *ud, const void *record, float *target)
{
	const Case *c = ud;

	*target = c->classes[row_of(c, record)];
}

static void
end_step(void *ud, AiLogLevel level, const char *line)
{
	Case	   *c = ud;

	(void) level;
	(void) line;
	c->n_steps++;
	if (c->n_kept < N_CHECKED && c->n_steps == c->step[c->n_kept])
		memcpy(c->kept[c->n_kept++], c->weights, c->graph.n_weights * sizeof(float));
}

static void
add_records(AiSamples *samples)
{
	for (uint8_t i = 0; i < BATCH; i++)
	{
		void	   *record;

		assert_int_equal(ai_samples_add(samples, &record, i, false, NULL), AI_OK);
		*(uint8_t *) record = i;
	}
	assert_int_equal(ai_samples_finish(samples, NULL), AI_OK);
}

static void
fit(Case *c)
{
	AiFitReader reader = {read_input, read_target, NULL, c};
	AiFitOptions options = {
		.epochs = c->step[N_CHECKED - 1], .batch_size = BATCH, .loss = cross_entropy,
		.score = AI_SCORE_ACCURACY, .optimiser = c->optimiser, .seed = 1
	};
	AiHost		host = *ai_malloc_host();
	AiSamples  *samples;
	AiPool	   *pool;
	AiFit	   *it;

	host.log = end_step;
	host.ud = c;
	ai_stopping_default(&options.stopping);
	assert_int_equal(ai_pool_create(&pool, &host, 1, NULL), AI_OK);
	assert_int_equal(ai_samples_create(&samples, &host, 1, MEMORY, NULL, NULL), AI_OK);
	add_records(samples);
	assert_int_equal(ai_fit_create(&it, &host, pool, &c->graph, &options, samples, &reader,
								   c->weights, c->states, MEMORY, NULL), AI_OK);
	assert_int_equal(ai_fit_run(it, NULL), AI_OK);
	ai_fit_destroy(it);
	ai_samples_destroy(samples);
	ai_pool_destroy(pool);
}

/* Weights after the i-th of the steps that are checked */
static void
check_weights(const Case *c, int i)
{
	double		factor =
		ai_kernels_level() == AI_CPU_PORTABLE ? MAX_PORTABLE_DEVIATION : MAX_DEVIATION;

	for (int a = 0; a < c->n_arrays; a++)
	{
		const Array *array = &c->array[a];
		size_t		n = array->weight->size;
		double		error = distance(c->kept[i] + array->weight->offset, array->exact[i], n) /
			length(array->exact[i], n);
		double		allowed = fmax(factor * array->cost[i], ALWAYS_ALLOWED);

		if (!(error <= allowed))
			fail_at(c, array->weight->name, c->step[i], error, allowed);
	}
}

static void
check_steps(Case *c)
{
	make_weights(c);
	c->n_steps = c->n_kept = 0;
	fit(c);
	assert_int_equal(c->n_kept, N_CHECKED);
	for (int i = 0; i < N_CHECKED; i++)
		check_weights(c, i);
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
			check_first_step(&c);
			check_steps(&c);
		}
		ai_arena_free(&c.arena);
	}
	assert_true(feof(file));
	fclose(file);
}

static void
test_mlp(void **state)
{
	(void) state;
	check_file("test/golden/training_mlp.txt");
}

static void
test_cnn(void **state)
{
	(void) state;
	check_file("test/golden/training_cnn.txt");
}

static void
test_lstm(void **state)
{
	(void) state;
	check_file("test/golden/training_lstm.txt");
}

static void
test_gru(void **state)
{
	(void) state;
	check_file("test/golden/training_gru.txt");
}

static void
test_transformer(void **state)
{
	(void) state;
	check_file("test/golden/training_transformer.txt");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mlp),
		cmocka_unit_test(test_cnn),
		cmocka_unit_test(test_lstm),
		cmocka_unit_test(test_gru),
		cmocka_unit_test(test_transformer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
