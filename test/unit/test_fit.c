/*-------------------------------------------------------------------------
 * test_fit.c
 *		Networks learn what can be learnt, the same bits whatever the threads and the order
 *		of rows, and stop when they should.
 *-------------------------------------------------------------------------
 */
#include "core/train/fit.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/hash.h"
#include "core/layer/layers.h"
#include "test_host.h"

enum
{
	N_INPUTS = 2,
	N_ROWS = 900,
	MEMORY = 64 << 20
};

/* Points of the plane: is the product of the coordinates positive? */
typedef struct Record
{
	float		x[N_INPUTS];
	float		target;
} Record;

typedef struct Run
{
	AiArena		arena;
	AiDefinition definition;
	AiGraph		graph;
	AiSamples  *samples;
	AiPool	   *pool;
	AiFit	   *fit;
	float	   *weights;
	float	   *states;
	AiFitOptions options;
} Run;

static void
read_input(const void *ud, const void *record, float *input)
{
	(void) ud;
	memcpy(input, ((const Record *) record)->x, sizeof(((const Record *) record)->x));
}

static void
read_target(const void *ud, const void *record, float *target)
{
	(void) ud;
	*target = ((const Record *) record)->target;
}

static const AiFitReader reader = {read_input, read_target, NULL, NULL};

static void
set_options(AiFitOptions *options)
{
	*options = (AiFitOptions) {
		.epochs = 20, .batch_size = 64, .seed = 1, .score = AI_SCORE_ACCURACY,
		.loss = {.kind = AI_LOSS_SPARSE, .from_logits = true}
	};
	ai_optimiser_default(&options->optimiser, AI_OPT_ADAM);
	options->optimiser.learning_rate = 0.02;
	ai_stopping_default(&options->stopping);
}

static AiCode
add_rows(AiSamples *samples, uint32_t step, AiError *err)
{
	for (uint32_t i = 0; i < N_ROWS; i++)
	{
		uint32_t	row = i * step % N_ROWS;
		AiRng		rng = {row};
		void	   *place;
		Record		record;

		for (int j = 0; j < N_INPUTS; j++)
			record.x[j] = (float) (2 * ai_rng_uniform(&rng) - 1);
		record.target = record.x[0] * record.x[1] > 0;
		AI_TRY(ai_samples_add(samples, &place, ai_hash64(&record, sizeof(record), 1), row % 5 == 0,
							  err));
		memcpy(place, &record, sizeof(record));
	}
	return ai_samples_finish(samples, err);
}

static AiCode
make_run(Run *run, const AiHost *host, const char *layers, uint32_t step, int n_threads,
		 const AiFitOptions *options, AiError *err)
{
	static const AiShape input = {1, {N_INPUTS}};

	memset(run, 0, sizeof(*run));
	ai_arena_init(&run->arena, host);
	AI_TRY(ai_definition_parse(&run->definition, &run->arena, ai_layer_types, layers,
							   strlen(layers), err));
	AI_TRY(ai_graph_create(&run->graph, &run->arena, &run->definition, &input, err));
	run->weights = ai_arena_alloc_zero(&run->arena, run->graph.n_weights, sizeof(float));
	run->states = ai_arena_alloc_zero(&run->arena, run->graph.n_states + 1, sizeof(float));
	if (run->weights == NULL || run->states == NULL)
		return ai_out_of_memory(err, run->graph.n_weights, "weights");
	AI_TRY(ai_graph_initialise(&run->graph, run->weights, run->states, 1, host, err));
	AI_TRY(ai_samples_create(&run->samples, host, sizeof(Record), MEMORY, NULL, err));
	AI_TRY(add_rows(run->samples, step, err));
	AI_TRY(ai_pool_create(&run->pool, host, n_threads, err));
	return ai_fit_create(&run->fit, host, run->pool, &run->graph, options, run->samples, &reader,
						 run->weights, run->states, MEMORY, err);
}

static void
free_run(Run *run)
{
	ai_fit_destroy(run->fit);
	ai_samples_destroy(run->samples);
	ai_pool_destroy(run->pool);
	ai_arena_free(&run->arena);
}

static const char layers[] =
	"[{\"dense\": 16, \"activation\": \"relu\"}, {\"dense\": 16, \"activation\": \"gelu\"},"
	" {\"dense\": 2}]";

static void
fit(Run *run, uint32_t step, int n_threads, const AiFitOptions *options)
{
	AiError		err;

	if (make_run(run, ai_malloc_host(), layers, step, n_threads, options, &err) != AI_OK ||
		ai_fit_run(run->fit, &err) != AI_OK)
		fail_msg("%s", err.message);
}

static void
test_learns(void **state)
{
	AiFitOptions options;

	(void) state;
	for (int kind = AI_OPT_SGD; kind <= AI_OPT_LION; kind++)
	{
		Run			run;
		const AiEpoch *last;

		set_options(&options);
		ai_optimiser_default(&options.optimiser, kind);
		options.optimiser.learning_rate = kind == AI_OPT_SGD ? 0.2 : kind == AI_OPT_ADADELTA ? 20 :
			kind == AI_OPT_ADAGRAD ? 0.1 : kind == AI_OPT_LION ? 0.003 : 0.01;
		options.epochs = 40;
		fit(&run, 1, 1, &options);
		last = ai_fit_epoch(run.fit, 39);
		assert_int_equal(ai_fit_n_epochs(run.fit), 40);
		assert_true(ai_fit_is_complete(run.fit));
		if (!(last->validation_score > 0.9 && last->score > 0.9 && last->validation_loss < 0.4))
			fail_msg("%s: loss %g, score %g", ai_optimiser_name(kind), last->validation_loss,
					 last->validation_score);
		free_run(&run);
	}
}

/* all bits of weights and history */
static void
test_same_bits(void **state)
{
	AiFitOptions options;
	Run			expected;

	(void) state;
	set_options(&options);
	options.epochs = 3;
	options.optimiser.clip_norm = 0.5;
	fit(&expected, 1, 1, &options);
	for (int t = 1; t <= 4; t++)
	{
		Run			run;

		fit(&run, 7, t, &options);
		assert_memory_equal(run.weights, expected.weights,
							expected.graph.n_weights * sizeof(float));
		for (int e = 0; e < 3; e++)
		{
			AiEpoch		a = *ai_fit_epoch(run.fit, e);
			AiEpoch		b = *ai_fit_epoch(expected.fit, e);

			a.seconds = b.seconds = 0;
			assert_memory_equal(&a, &b, sizeof(AiEpoch));
		}
		free_run(&run);
	}
	options.seed = 2;
	{
		Run			run;

		fit(&run, 1, 1, &options);
		assert_memory_not_equal(run.weights, expected.weights,
								expected.graph.n_weights * sizeof(float));
		free_run(&run);
	}
	free_run(&expected);
}

/* The loss that is told is that of the weights, and after the best epoch its weights come back. */
static void
test_best_weights(void **state)
{
	AiFitOptions options;
	Run			run;
	Run			shorter;
	int			best;

	(void) state;
	set_options(&options);
	options.epochs = 60;
	options.optimiser.learning_rate = 0.1;
	options.stopping.patience = 2;
	options.restores_best = true;
	fit(&run, 1, 1, &options);
	best = ai_fit_best(run.fit);
	assert_in_range(ai_fit_n_epochs(run.fit), 3, 59);
	assert_int_equal(ai_fit_n_epochs(run.fit), best + 3);
	assert_true(ai_fit_is_complete(run.fit));
	for (int e = 0; e < ai_fit_n_epochs(run.fit); e++)
		assert_true(ai_fit_epoch(run.fit, e)->validation_loss >=
					ai_fit_epoch(run.fit, best)->validation_loss);

	options.epochs = best + 1;
	fit(&shorter, 1, 1, &options);
	assert_memory_equal(run.weights, shorter.weights, run.graph.n_weights * sizeof(float));
	free_run(&shorter);
	free_run(&run);
}

static void
test_divergence(void **state)
{
	AiFitOptions options;
	Run			run;
	AiError		err;

	(void) state;
	set_options(&options);
	ai_optimiser_default(&options.optimiser, AI_OPT_SGD);
	options.optimiser.learning_rate = 1e30;
	assert_int_equal(make_run(&run, ai_malloc_host(), layers, 1, 1, &options, &err), AI_OK);
	assert_int_equal(ai_fit_run(run.fit, &err), AI_ERR_DIVERGED);
	assert_string_equal(err.message, "training has left the finite numbers");
	assert_non_null(strstr(err.detail, "of epoch 1."));
	free_run(&run);
}

static void
test_max_time(void **state)
{
	AiFitOptions options;
	Run			run;

	(void) state;
	set_options(&options);
	options.epochs = 1000000;
	options.max_time = 0.05;
	fit(&run, 1, 1, &options);
	assert_false(ai_fit_is_complete(run.fit));
	assert_in_range(ai_fit_n_epochs(run.fit), 1, 999999);
	assert_true(isfinite(ai_fit_epoch(run.fit, ai_fit_n_epochs(run.fit) - 1)->validation_loss));
	free_run(&run);
}

/* frozen weights stay, penalties pull the others down */
static void
test_frozen_and_penalties(void **state)
{
	static const char frozen[] =
		"[{\"dense\": 8, \"activation\": \"tanh\", \"frozen\": true}, {\"dense\": 2, \"l2\": 1}]";
	AiFitOptions options;
	Run			run;
	AiError		err;
	float		before[64];
	const AiWeight *kernel;
	double		sum = 0;

	(void) state;
	set_options(&options);
	assert_int_equal(make_run(&run, ai_malloc_host(), frozen, 1, 2, &options, &err), AI_OK);
	memcpy(before, run.weights, 16 * sizeof(float));
	assert_int_equal(ai_fit_run(run.fit, &err), AI_OK);
	assert_memory_equal(run.weights, before, 16 * sizeof(float));
	kernel = &run.graph.layers[1].layer.weight[0];
	for (size_t i = 0; i < kernel->size; i++)
		sum += fabs((double) run.weights[kernel->offset + i]);
	assert_true(sum / (double) kernel->size < 0.02);
	free_run(&run);
}

/*
 * An embedding is a dense layer of words as zeros and a one, all of whose weights are updated in
 * every step.
 */
enum
{
	N_WORDS = 300,
	N_WORD_ROWS = 400,
	N_EMBEDDED = 5
};

static void
read_word(const void *ud, const void *record, float *input)
{
	uint16_t	word = *(const uint16_t *) record;

	if (ud == NULL)
		*input = (float) word;
	else
	{
		memset(input, 0, N_WORDS * sizeof(float));
		input[word] = 1;
	}
}

static void
read_parity(const void *ud, const void *record, float *target)
{
	(void) ud;
	*target = (float) (*(const uint16_t *) record % 2);
}

/* Rare words: some come for the first time late, some never */
static void
add_words(AiSamples *samples)
{
	AiRng		rng = {5};

	for (uint32_t i = 0; i < N_WORD_ROWS; i++)
	{
		void	   *record;

		assert_int_equal(ai_samples_add(samples, &record, i, false, NULL), AI_OK);
		*(uint16_t *) record = (uint16_t) ai_rng_below(&rng, 1 + ai_rng_below(&rng, N_WORDS));
	}
	assert_int_equal(ai_samples_finish(samples, NULL), AI_OK);
}

/* weights:[N_WORDS, N_EMBEDDED], after two epochs */
static void
fit_words(float *weights, bool are_embedded, const AiFitOptions *options)
{
	const char *json = are_embedded ?
		"[{\"embedding\": 5, \"input_dim\": 300}, \"flatten\", {\"dense\": 2}]" :
		"[{\"dense\": 5, \"use_bias\": false}, {\"dense\": 2}]";
	const AiShape shape = {1, {are_embedded ? 1 : N_WORDS}};
	AiFitReader words = {read_word, read_parity, NULL, are_embedded ? NULL : weights};
	Run			run = {0};
	const AiWeight *weight;
	AiRng		rng = {6};

	ai_arena_init(&run.arena, ai_malloc_host());
	assert_int_equal(ai_definition_parse(&run.definition, &run.arena, ai_layer_types, json,
										 strlen(json), NULL), AI_OK);
	assert_int_equal(ai_graph_create(&run.graph, &run.arena, &run.definition, &shape, NULL), AI_OK);
	run.weights = ai_arena_alloc_zero(&run.arena, run.graph.n_weights, sizeof(float));
	run.states = ai_arena_alloc_zero(&run.arena, 1, sizeof(float));
	for (int i = 0; i < run.graph.n_layers; i++)
	{
		weight = &run.graph.layers[i].layer.weight[0];
		for (size_t j = 0; j < weight->size && run.graph.layers[i].layer.n_weights > 0; j++)
			run.weights[weight->offset + j] = (float) (ai_rng_uniform(&rng) - 0.5);
	}
	assert_int_equal(ai_samples_create(&run.samples, ai_malloc_host(), sizeof(uint16_t), MEMORY,
									   NULL, NULL), AI_OK);
	add_words(run.samples);
	assert_int_equal(ai_pool_create(&run.pool, ai_malloc_host(), 1, NULL), AI_OK);
	assert_int_equal(ai_fit_create(&run.fit, ai_malloc_host(), run.pool, &run.graph, options,
								   run.samples, &words, run.weights, run.states, MEMORY, NULL),
					 AI_OK);
	assert_int_equal(ai_fit_run(run.fit, NULL), AI_OK);
	weight = &run.graph.layers[0].layer.weight[0];
	assert_int_equal(weight->size, N_WORDS * N_EMBEDDED);
	memcpy(weights, run.weights + weight->offset, weight->size * sizeof(float));
	free_run(&run);
}

static void
test_rows_of_embeddings(void **state)
{
	static float embedded[N_WORDS * N_EMBEDDED];
	static float expected[N_WORDS * N_EMBEDDED];
	AiFitOptions options;

	(void) state;
	set_options(&options);
	options.epochs = 2;
	options.batch_size = 16;
	for (int kind = AI_OPT_SGD; kind <= AI_OPT_LION; kind++)
	{
		ai_optimiser_default(&options.optimiser, kind);
		for (int i = 0; i < 3; i++)
		{
			options.optimiser.momentum = i == 1 && kind <= AI_OPT_RMSPROP ? 0.5 : 0;
			options.optimiser.clip_value = i == 2 ? 0.01 : 0;
			fit_words(embedded, true, &options);
			fit_words(expected, false, &options);
			assert_memory_equal(embedded, expected, sizeof(expected));
		}
	}
}

/* Epochs are told as they come. */
static void
test_notices(void **state)
{
	TestHost	test;
	AiFitOptions options;
	Run			run;
	AiError		err;

	(void) state;
	test_host_init(&test, 0, 0);
	set_options(&options);
	options.epochs = 2;
	assert_int_equal(make_run(&run, &test.host, layers, 1, 1, &options, &err), AI_OK);
	assert_int_equal(ai_fit_run(run.fit, &err), AI_OK);
	assert_int_equal(test.n_logs, 2);
	assert_int_equal(test.log_level, AI_LOG_NOTICE);
	assert_memory_equal(test.log_line, "epoch 2 of 2: loss 0.", 21);
	assert_non_null(strstr(test.log_line, ", validation accuracy 0."));
	free_run(&run);
	assert_int_equal(test.n_live, 0);
}

static AiCode
fit_and_free(const AiHost *host, void *arg, AiError *err)
{
	AiFitOptions options;
	Run			run;
	AiCode		code;

	(void) arg;
	set_options(&options);
	options.epochs = 1;
	options.restores_best = true;
	code = make_run(&run, host, layers, 1, 1, &options, err);
	if (code == AI_OK)
		code = ai_fit_run(run.fit, err);
	free_run(&run);
	return code;
}

static void
test_interruptions(void **state)
{
	(void) state;
	test_every_failed_alloc(fit_and_free, NULL);
	test_every_stop(fit_and_free, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_learns),
		cmocka_unit_test(test_same_bits),
		cmocka_unit_test(test_best_weights),
		cmocka_unit_test(test_divergence),
		cmocka_unit_test(test_max_time),
		cmocka_unit_test(test_frozen_and_penalties),
		cmocka_unit_test(test_rows_of_embeddings),
		cmocka_unit_test(test_notices),
		cmocka_unit_test(test_interruptions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
