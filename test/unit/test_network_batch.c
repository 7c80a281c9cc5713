/*-------------------------------------------------------------------------
 * test_network_batch.c
 *		Many inputs at once have the answers that each has by itself, bit for bit.
 *
 * The test's host aborts when a thread of the pool calls it, so every test with
 * threads also guards that they grow nothing of the host's.
 *-------------------------------------------------------------------------
 */
#include "core/model/network_batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/layer/layers.h"
#include "test_host.h"

enum
{
	N_LABELS = 3,
	MAX_THREADS = 4,
	MAX_ROWS = 130,
	MAX_INPUT = 512				/* bytes */
};

/*
 * A network, and rows for it
 */
typedef struct Kind
{
	const char *layers;
	AiShape		shape;
	AiNetworkInput input;
	AiNetworkTask task;
} Kind;

static const Kind kinds[] = {
	{"[{\"dense\": 33, \"activation\": \"relu\", \"name\": \"inner\"}, {\"dense\": 3}]",
	{1, {70}}, AI_NETWORK_NUMBERS, AI_NETWORK_CLASSES},
	{"[{\"conv2d\": 5, \"kernel_size\": 3, \"activation\": \"relu\", \"name\": \"inner\"},"
		" {\"max_pool\": 2}, {\"flatten\": true}, {\"dense\": 3}]",
	{3, {9, 8, 1}}, AI_NETWORK_PIXELS, AI_NETWORK_CLASSES},
	{"[{\"lstm\": 7, \"return_sequences\": true, \"name\": \"inner\"}, {\"dense\": 3}]",
	{2, {11, 5}}, AI_NETWORK_NUMBERS, AI_NETWORK_STEPS},
	{"[{\"embedding\": 6, \"input_dim\": 9, \"mask_zero\": true, \"name\": \"inner\"},"
		" {\"lstm\": 5}, {\"dense\": 3}]",
	{1, {8}}, AI_NETWORK_NUMBERS, AI_NETWORK_LABELS}
};

enum
{
	N_KINDS = sizeof(kinds) / sizeof(kinds[0]),
	TOKENS = N_KINDS - 1		/* the one that reads whole numbers */
};

typedef struct Model
{
	void	   *bytes;
	AiNetwork  *network;
	float		input[MAX_ROWS][MAX_INPUT / sizeof(float)];
	int			inner;			/* number of a layer */
	float	   *answer[2];		/* [MAX_ROWS, size] one by one: of the network, of the layer */
} Model;

static void
store(Model *model, const Kind *kind)
{
	static const char *const labels[N_LABELS] = {"a", "bb", "c"};
	static const size_t label_lens[N_LABELS] = {1, 2, 1};
	static const double history[AI_NETWORK_HISTORY];
	AiDefinition definition;
	AiArena		arena;
	AiGraph		graph;
	AiNetworkParts parts;
	float	   *weights;
	float		states[1];
	size_t		size;

	ai_arena_init(&arena, ai_malloc_host());
	assert_int_equal(ai_definition_parse(&definition, &arena, ai_layer_types, kind->layers,
										 strlen(kind->layers), NULL), AI_OK);
	assert_int_equal(ai_graph_create(&graph, &arena, &definition, &kind->shape, NULL), AI_OK);
	weights = ai_arena_alloc_zero(&arena, graph.n_weights, sizeof(float));
	assert_int_equal(ai_graph_initialise(&graph, weights, states, 3, ai_malloc_host(), NULL),
					 AI_OK);
	parts = (AiNetworkParts) {
		.definition = kind->layers, .shape = kind->shape, .input = kind->input,
		.task = kind->task, .head = AI_ACT_SOFTMAX, .labels = labels,
		.label_lens = label_lens, .n_labels = N_LABELS, .weights = weights,
		.n_weights = graph.n_weights, .states = states, .n_states = graph.n_states,
		.history = history, .n_epochs = 1
	};
	model->inner = ai_graph_find(&graph, "inner", strlen("inner"));
	assert_int_equal(ai_network_store(&model->bytes, &size, ai_malloc_host(), &parts, NULL), AI_OK);
	assert_int_equal(ai_network_open(&model->network, ai_malloc_host(), model->bytes, size, NULL),
					 AI_OK);
	ai_arena_free(&arena);
}

/* Every seventh row is the same as the first. */
static void
make_rows(Model *model, const Kind *kind)
{
	AiRng		rng = {1};

	for (int i = 0; i < MAX_ROWS; i++)
	{
		for (size_t j = 0; j < MAX_INPUT / sizeof(float); j++)
			model->input[i][j] = kind == &kinds[TOKENS] ? (float) ai_rng_below(&rng, 9) :
				(float) (2 * ai_rng_uniform(&rng) - 1);
		if (i % 7 == 6)
			memcpy(model->input[i], model->input[0], sizeof(model->input[i]));
	}
}

static AiNetworkRow
row_of(const Model *model, int i)
{
	return (AiNetworkRow) {model->input[i], ai_network_input_bytes(model->network)};
}

static void
compute_alone(Model *model)
{
	size_t		size = ai_network_answer_size(model->network, AI_NETWORK_ANSWER);
	size_t		inner_size = ai_network_answer_size(model->network, model->inner);
	AiNetworkScratch *scratch;

	model->answer[0] = calloc(MAX_ROWS * size, sizeof(float));
	model->answer[1] = calloc(MAX_ROWS * inner_size, sizeof(float));
	assert_int_equal(ai_network_scratch_create(&scratch, ai_malloc_host(), model->network, NULL),
					 AI_OK);
	for (int i = 0; i < MAX_ROWS; i++)
	{
		AiNetworkRow row = row_of(model, i);

		assert_int_equal(ai_network_check(model->network, &row, NULL), AI_OK);
		ai_network_apply(model->network, scratch, &row, 1, model->answer[0] + (size_t) i * size);
		memcpy(model->answer[1] + (size_t) i * inner_size,
			   ai_network_transform(model->network, scratch, &row, 1, model->inner),
			   inner_size * sizeof(float));
	}
	ai_network_scratch_destroy(scratch);
}

static Model *
make_model(const Kind *kind)
{
	Model	   *model = calloc(1, sizeof(Model));

	store(model, kind);
	assert_true(ai_network_input_bytes(model->network) <= MAX_INPUT);
	make_rows(model, kind);
	compute_alone(model);
	return model;
}

static void
free_model(Model *model)
{
	ai_network_close(model->network);
	free(model->answer[0]);
	free(model->answer[1]);
	free(model->bytes);
	free(model);
}

/*
 * Threads, each with a scratch
 */
typedef struct Threads
{
	TestHost	test;
	AiPool	   *pool;
	AiNetworkScratch *scratch[MAX_THREADS];
} Threads;

static void
start_threads(Threads *threads, const Model *model)
{
	test_host_init(&threads->test, 0, 0);
	assert_int_equal(ai_pool_create(&threads->pool, &threads->test.host, MAX_THREADS, NULL), AI_OK);
	for (int t = 0; t < MAX_THREADS; t++)
		assert_int_equal(ai_network_scratch_create(&threads->scratch[t],
												   ai_pool_thread_host(threads->pool, t),
												   model->network, NULL), AI_OK);
}

static void
end_threads(Threads *threads)
{
	for (int t = 0; t < MAX_THREADS; t++)
		ai_network_scratch_destroy(threads->scratch[t]);
	ai_pool_destroy(threads->pool);
	assert_int_equal(threads->test.n_live, 0);
}

static int
best_of(const float *probability)
{
	int			best = 0;

	for (int i = 1; i < N_LABELS; i++)
		best = probability[i] > probability[best] ? i : best;
	return best;
}

static void
check_answer(const Model *model, const AiInput *inputs, int i, int layer)
{
	size_t		size = ai_network_answer_size(model->network, layer);
	const float *alone = model->answer[layer != AI_NETWORK_ANSWER] + (size_t) i * size;
	const AiInput *first = &inputs[inputs[i].same_as];

	assert_int_equal(inputs[i].same_as, i % 7 == 6 ? 0 : i);
	assert_int_equal(first->code, AI_OK);
	assert_memory_equal(first->answer, alone, size * sizeof(float));
	if (layer == AI_NETWORK_ANSWER && ai_network_parts(model->network)->task == AI_NETWORK_CLASSES)
		assert_int_equal(first->best, best_of(alone));
}

/* The first n rows; whether all went well */
static AiCode
run(const Model *model, Threads *threads, int n, int n_threads, int layer)
{
	AiInput		input[MAX_ROWS];
	AiInputs	inputs;
	AiError		err;
	AiCode		code;
	float	   *answers;

	for (int i = 0; i < n; i++)
	{
		AiNetworkRow row = row_of(model, i);

		input[i] = (AiInput) {.bytes = row.bytes, .len = row.len, .code = AI_ERR_BUG, .best = -1};
	}
	assert_int_equal(ai_inputs_init(&inputs, input, (size_t) n, &threads->test.host, NULL), AI_OK);
	answers = calloc(inputs.n_distinct * ai_network_answer_size(model->network, layer),
					 sizeof(float));
	code = ai_network_batch_run(&inputs, model->network, threads->scratch, layer, answers,
								n_threads, n_threads > 1 ? threads->pool : NULL, &err);
	for (int i = 0; code == AI_OK && i < n; i++)
		check_answer(model, input, i, layer);
	if (code != AI_OK)
		assert_int_equal(err.code, code);
	free(answers);
	ai_inputs_free(&inputs);
	return code;
}

/* any number of inputs on any number of threads has the bits that each input has by itself */
static void
test_same_answers(void **state)
{
	(void) state;
	for (int k = 0; k < N_KINDS; k++)
	{
		Model	   *model = make_model(&kinds[k]);
		Threads		threads;

		start_threads(&threads, model);
		for (int n = 1; n <= MAX_ROWS; n++)
		{
			for (int n_threads = 1; n_threads <= MAX_THREADS; n_threads++)
			{
				assert_int_equal(run(model, &threads, n, n_threads, AI_NETWORK_ANSWER), AI_OK);
				assert_int_equal(run(model, &threads, n, n_threads, model->inner), AI_OK);
			}
		}
		end_threads(&threads);
		free_model(model);
	}
}

/* whenever the host says stop, the batch is cancelled, and the next one is as if nothing were */
static void
test_cancel(void **state)
{
	Model	   *model = make_model(&kinds[0]);

	(void) state;
	for (int n_threads = 1; n_threads <= MAX_THREADS; n_threads++)
	{
		for (int stop_at = 1; stop_at <= 3; stop_at++)
		{
			Threads		threads;
			AiCode		code;

			start_threads(&threads, model);
			threads.test.stop_at = stop_at;
			code = run(model, &threads, MAX_ROWS, n_threads, AI_NETWORK_ANSWER);
			if (threads.test.n_asks >= stop_at)
				assert_int_equal(code, AI_ERR_CANCELLED);
			if (n_threads == 1)
				assert_int_equal(code, stop_at <= 2 ? AI_ERR_CANCELLED : AI_OK);
			threads.test.stop_at = 0;
			assert_int_equal(run(model, &threads, MAX_ROWS, n_threads, AI_NETWORK_ANSWER), AI_OK);
			end_threads(&threads);
		}
	}
	free_model(model);
}

/* what an input costs follows from the shapes */
static void
test_work(void **state)
{
	Model	   *dense = make_model(&kinds[0]);
	Model	   *lstm = make_model(&kinds[2]);
	double		n_dense = 70 * 33 + 33 * 3;
	double		n_lstm = 11 * (4 * 7 * (5 + 7) + 7 * 3);

	(void) state;
	assert_true(ai_network_work(dense->network) >= n_dense &&
				ai_network_work(dense->network) < 1.2 * n_dense);
	assert_true(ai_network_work(lstm->network) >= n_lstm &&
				ai_network_work(lstm->network) < 1.2 * n_lstm);
	free_model(dense);
	free_model(lstm);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_answers),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
