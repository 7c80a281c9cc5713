/*-------------------------------------------------------------------------
 * test_network.c
 *		A stored network gives what the weights give, and a damaged one an error.
 *
 *	test_network --write-networks DIRECTORY
 *
 * writes the small networks with which test/fuzz/fuzz_network.c begins.
 *-------------------------------------------------------------------------
 */
#include "core/model/network.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/layer/layers.h"
#include "test_host.h"

/* A network of three labels or values */
typedef struct Kind
{
	const char *name;
	const char *layers;
	AiShape		shape;
	AiNetworkInput input;
	AiNetworkTask task;
	AiActivation head;
} Kind;

/* Together they have every kind of layer. */
static const Kind kinds[] = {
	{"numbers", "[{\"flatten\": true}, {\"dense\": 5, \"activation\": \"relu\"},"
		" {\"dense\": 3, \"name\": \"out\"}]",
	{2, {2, 4}}, AI_NETWORK_NUMBERS, AI_NETWORK_CLASSES, AI_ACT_SOFTMAX},
	{"image", "[{\"rescale\": 2}, {\"conv2d\": 2, \"kernel_size\": 3, \"padding\": \"same\"},"
		" \"batch_norm\", {\"max_pool\": 2}, {\"conv2d\": 3, \"kernel_size\": 2}, {\"avg_pool\": [2, 1]},"
		" \"flatten\", {\"dropout\": 0.5}, {\"dense\": 3}]",
	{3, {6, 6, 1}}, AI_NETWORK_PIXELS, AI_NETWORK_CLASSES, AI_ACT_SOFTMAX},
	{"words", "[{\"embedding\": 4, \"input_dim\": 6, \"mask_zero\": true, \"name\": \"e\"},"
		" \"positional_embedding\", {\"attention\": 2, \"causal\": true}, {\"add\": \"e\"},"
		" \"layer_norm\", {\"bidirectional\": {\"lstm\": 2}}, {\"dense\": 3}]",
	{1, {5}}, AI_NETWORK_WORDS, AI_NETWORK_LABELS, AI_ACT_SIGMOID},
	{"steps", "[{\"gru\": 3, \"return_sequences\": true, \"name\": \"g\"},"
		" {\"simple_rnn\": 2, \"return_sequences\": true}, {\"concatenate\": \"g\"}, {\"dense\": 3}]",
	{2, {4, 2}}, AI_NETWORK_NUMBERS, AI_NETWORK_STEPS, AI_ACT_SOFTMAX},
	{"values", "[\"normalize\", {\"reshape\": [4, 2]}, {\"conv1d\": 2, \"kernel_size\": 2},"
		" {\"activation\": \"gelu\"}, \"global_pool\", {\"dense\": 3}]",
	{1, {8}}, AI_NETWORK_NUMBERS, AI_NETWORK_VALUES, AI_ACT_LINEAR},
};

static const char *const labels[] = {"a", "bb", "c"};
static const size_t label_lens[] = {1, 2, 1};

enum
{
	N_KINDS = sizeof(kinds) / sizeof(kinds[0]),
	N_ROWS = AI_SHARD_ROWS,
	N_INPUTS = 8				/* of the first kind */
};

typedef struct Source
{
	AiArena		arena;
	AiGraph		graph;
	float	   *weights;
	float	   *states;
	AiNetworkParts parts;
} Source;

static void
make_source_of(Source *source, const Kind *kind)
{
	static const uint64_t hashes[] = {3, 5, 7};
	static const int32_t numbers[] = {AI_WORD_FIRST + 1, AI_WORD_FIRST, AI_WORD_FIRST + 2};
	static const double history[2 * AI_NETWORK_HISTORY] = {0.5, 0.25};
	AiDefinition definition;

	memset(source, 0, sizeof(*source));
	ai_arena_init(&source->arena, ai_malloc_host());
	assert_int_equal(ai_definition_parse(&definition, &source->arena, ai_layer_types,
										 kind->layers, strlen(kind->layers), NULL), AI_OK);
	assert_int_equal(ai_graph_create(&source->graph, &source->arena, &definition, &kind->shape,
									 NULL), AI_OK);
	source->weights = ai_arena_alloc_zero(&source->arena, source->graph.n_weights, sizeof(float));
	source->states = ai_arena_alloc_zero(&source->arena, source->graph.n_states + 1, sizeof(float));
	assert_int_equal(ai_graph_initialise(&source->graph, source->weights, source->states, 1,
										 ai_malloc_host(), NULL), AI_OK);
	source->parts = (AiNetworkParts) {
		.definition = kind->layers, .shape = kind->shape, .input = kind->input,
		.task = kind->task, .head = kind->head, .labels = labels, .label_lens = label_lens,
		.n_labels = kind->task == AI_NETWORK_VALUES ? 0 : 3,
		.weights = source->weights, .n_weights = source->graph.n_weights,
		.states = source->states, .n_states = source->graph.n_states,
		.history = history, .n_epochs = 2
	};
	if (kind->input == AI_NETWORK_WORDS)
		source->parts.words = (AiWords) {hashes, numbers, 3};
}

static void
make_source(Source *source)
{
	make_source_of(source, &kinds[0]);
}

static void
make_rows(AiNetworkRow *rows, float *numbers)
{
	AiRng		rng = {1};

	for (int i = 0; i < N_ROWS * N_INPUTS; i++)
		numbers[i] = (float) (2 * ai_rng_uniform(&rng) - 1);
	for (int i = 0; i < N_ROWS; i++)
		rows[i] = (AiNetworkRow) {numbers + i * N_INPUTS, N_INPUTS * sizeof(float)};
}

/* Open the bytes, whatever they hold, and use them if they can be opened. */
static AiCode
use(const AiHost *host, const void *bytes, size_t size, float *output, AiError *err)
{
	float		numbers[N_ROWS * N_INPUTS];
	AiNetworkRow rows[N_ROWS];
	AiNetwork  *network;
	AiNetworkScratch *scratch;
	AiCode		code = ai_network_open(&network, host, bytes, size, err);

	if (code != AI_OK)
		return code;
	make_rows(rows, numbers);
	code = ai_network_scratch_create(&scratch, host, network, err);
	if (code == AI_OK && ai_network_check(network, &rows[0], NULL) == AI_OK &&
		ai_network_n_answers(network) == 3)
		ai_network_apply(network, scratch, rows, N_ROWS, output);
	if (code == AI_OK)
		ai_network_scratch_destroy(scratch);
	ai_network_close(network);
	return code;
}

static void
test_round(void **state)
{
	Source		source;
	AiNetwork  *network;
	AiNetworkScratch *scratch;
	void	   *bytes;
	size_t		size;
	size_t		len;
	float		numbers[N_ROWS * N_INPUTS];
	AiNetworkRow rows[N_ROWS];
	float		output[N_ROWS * 3];
	const float *sums;

	(void) state;
	make_source(&source);
	make_rows(rows, numbers);
	assert_int_equal(ai_network_store(&bytes, &size, ai_malloc_host(), &source.parts, NULL), AI_OK);
	assert_int_equal(ai_network_open(&network, ai_malloc_host(), bytes, size, NULL), AI_OK);
	assert_int_equal(ai_network_parts(network)->n_epochs, 2);
	assert_true(ai_network_parts(network)->history[1] == 0.25);
	assert_string_equal(ai_graph_last(ai_network_graph(network))->name, "out");
	assert_int_equal(ai_network_find_label(network, "bb", 2), 1);
	assert_int_equal(ai_network_find_label(network, "b", 1), -1);
	assert_memory_equal(ai_network_label(network, 2, &len), "c", 1);
	/* weights are where the block is */
	assert_true((const char *) ai_network_parts(network)->weights > (const char *) bytes &&
				(const char *) ai_network_parts(network)->weights < (const char *) bytes + size);

	assert_int_equal(ai_network_scratch_create(&scratch, ai_malloc_host(), network, NULL), AI_OK);
	ai_network_apply(network, scratch, rows, N_ROWS, output);
	sums = ai_network_transform(network, scratch, rows, N_ROWS, 2);
	for (int i = 0; i < N_ROWS; i++)
	{
		double		total = 0;

		for (int j = 0; j < 3; j++)
			total += exp((double) sums[3 * i + j]);
		for (int j = 0; j < 3; j++)
			assert_true(fabs((double) output[3 * i + j] - exp((double) sums[3 * i + j]) / total) <
						1e-6);
	}
	ai_network_scratch_destroy(scratch);
	ai_network_close(network);
	free(bytes);
	ai_arena_free(&source.arena);
}

static void
expect_damage(const AiNetworkParts *parts, const char *message)
{
	void	   *bytes;
	size_t		size;
	float		output[N_ROWS * 3];
	AiError		err;

	assert_int_equal(ai_network_store(&bytes, &size, ai_malloc_host(), parts, NULL), AI_OK);
	assert_int_equal(use(ai_malloc_host(), bytes, size, output, &err), AI_ERR_FORMAT);
	assert_string_equal(err.message, message);
	free(bytes);
}

static void
test_damage(void **state)
{
	static const char *const unordered[] = {"bb", "a", "c"};
	static const size_t unordered_lens[] = {2, 1, 1};
	Source		source;
	AiNetworkParts parts;

	(void) state;
	make_source(&source);
	parts = source.parts;
	parts.definition = "[{\"dense\": 0}]";
	expect_damage(&parts, "invalid network: layer 1, \"dense\": option \"units\" must be between 1"
				  " and 16777216, not 0");
	parts = source.parts;
	parts.n_labels = 2;
	expect_damage(&parts, "invalid network: 2 labels for 3 outputs");
	parts = source.parts;
	parts.labels = unordered;
	parts.label_lens = unordered_lens;
	expect_damage(&parts, "invalid network: labels are not in order");
	parts = source.parts;
	source.weights[3] = NAN;
	expect_damage(&parts, "invalid network: \"weights\" holds nan");
	source.weights[3] = 2e18F;
	expect_damage(&parts, "invalid network: \"weights\" holds 2e+18");
	ai_arena_free(&source.arena);
}

/* Any byte may be any other. */
static void
test_flips(void **state)
{
	Source		source;
	void	   *bytes;
	size_t		size;
	AiRng		rng = {5};
	int			n_opened = 0;

	(void) state;
	make_source(&source);
	assert_int_equal(ai_network_store(&bytes, &size, ai_malloc_host(), &source.parts, NULL), AI_OK);
	for (int i = 0; i < 20000; i++)
	{
		uint8_t    *byte = (uint8_t *) bytes + ai_rng_below(&rng, (uint32_t) size);
		uint8_t		was = *byte;
		float		output[N_ROWS * 3];

		*byte = (uint8_t) ai_rng_next(&rng);
		n_opened += use(ai_malloc_host(), bytes, size, output, NULL) == AI_OK;
		*byte = was;
	}
	assert_in_range(n_opened, 1, 19999);
	free(bytes);
	ai_arena_free(&source.arena);
}

static AiCode
store_and_use(const AiHost *host, void *arg, AiError *err)
{
	const AiNetworkParts *parts = arg;
	float		output[N_ROWS * 3];
	void	   *bytes;
	size_t		size;
	AiCode		code = ai_network_store(&bytes, &size, host, parts, err);

	if (code == AI_OK)
		code = use(host, bytes, size, output, err);
	ai_host_release(host, bytes);
	return code;
}

static void
test_interruptions(void **state)
{
	Source		source;

	(void) state;
	make_source(&source);
	test_every_failed_alloc(store_and_use, &source.parts);
	test_every_stop(store_and_use, &source.parts);
	ai_arena_free(&source.arena);
}

/* Every kind of layer can be stored, opened and applied. */
static void
test_kinds(void **state)
{
	(void) state;
	for (int i = 0; i < N_KINDS; i++)
	{
		uint8_t		input[64] = {0};
		float		answer[12];
		Source		source;
		AiNetwork  *network;
		AiNetworkScratch *scratch;
		AiNetworkRow row = {input, 0};
		void	   *bytes;
		size_t		size;

		make_source_of(&source, &kinds[i]);
		assert_int_equal(ai_network_store(&bytes, &size, ai_malloc_host(), &source.parts, NULL),
						 AI_OK);
		assert_int_equal(ai_network_open(&network, ai_malloc_host(), bytes, size, NULL), AI_OK);
		assert_int_equal(ai_network_scratch_create(&scratch, ai_malloc_host(), network, NULL),
						 AI_OK);
		row.len = ai_network_input_bytes(network);
		assert_int_equal(ai_network_n_answers(network), 3);
		assert_int_equal(ai_network_check(network, &row, NULL), AI_OK);
		ai_network_apply(network, scratch, &row, 1, answer);
		assert_true(isfinite(answer[0]));
		ai_network_scratch_destroy(scratch);
		ai_network_close(network);
		free(bytes);
		ai_arena_free(&source.arena);
	}
}

static int
write_networks(const char *directory)
{
	bool		is_written = true;

	for (int i = 0; i < N_KINDS; i++)
	{
		Source		source;
		char		path[1024];
		FILE	   *file;
		void	   *bytes;
		size_t		size;

		make_source_of(&source, &kinds[i]);
		if (ai_network_store(&bytes, &size, ai_malloc_host(), &source.parts, NULL) != AI_OK)
			return EXIT_FAILURE;
		snprintf(path, sizeof(path), "%s/%s", directory, kinds[i].name);
		file = fopen(path, "wb");
		is_written = is_written && file != NULL && fwrite(bytes, 1, size, file) == size;
		if (file != NULL && fclose(file) != 0)
			is_written = false;
		free(bytes);
		ai_arena_free(&source.arena);
	}
	return is_written ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_flips),
		cmocka_unit_test(test_interruptions),
		cmocka_unit_test(test_kinds),
	};

	if (argc == 3 && strcmp(argv[1], "--write-networks") == 0)
		return write_networks(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
