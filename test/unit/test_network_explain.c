/*-------------------------------------------------------------------------
 * test_network_explain.c
 *		Contributions add up to the score, are exact where a network is linear, and leave out what
 *		it does not look at.
 *-------------------------------------------------------------------------
 */
#include "core/model/network_explain.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/layer/layers.h"
#include "test_host.h"

static const char *const names[] = {"a", "b", "c"};
static const size_t lens[] = {1, 1, 1};

typedef struct Case
{
	const char *layers;
	AiShape		shape;
	AiNetworkInput input;
	AiNetworkTask task;
	AiActivation head;
	int			n_labels;
} Case;

typedef struct Made
{
	AiArena		arena;
	void	   *bytes;
	AiNetwork  *network;
} Made;

/* A network with the weights of its initialisers */
static void
make(Made *made, const Case *c, const AiWords *words)
{
	AiDefinition definition;
	AiGraph		graph;
	float	   *weights;
	float	   *states;
	size_t		size;
	AiError		err;

	ai_arena_init(&made->arena, ai_malloc_host());
	assert_int_equal(ai_definition_parse(&definition, &made->arena, ai_layer_types, c->layers,
										 strlen(c->layers), NULL), AI_OK);
	assert_int_equal(ai_graph_create(&graph, &made->arena, &definition, &c->shape, NULL), AI_OK);
	weights = ai_arena_alloc_zero(&made->arena, graph.n_weights + 1, sizeof(float));
	states = ai_arena_alloc_zero(&made->arena, graph.n_states + 1, sizeof(float));
	assert_int_equal(ai_graph_initialise(&graph, weights, states, 3, ai_malloc_host(), NULL),
					 AI_OK);
	if (ai_network_store(&made->bytes, &size, ai_malloc_host(), &(AiNetworkParts) {
		.definition = c->layers, .shape = c->shape, .input = c->input, .task = c->task,
		.head = c->head, .labels = names, .label_lens = lens, .n_labels = c->n_labels,
		.words = words != NULL ? *words : (AiWords) {0}, .weights = weights,
		.n_weights = graph.n_weights, .states = states, .n_states = graph.n_states
	}, &err) != AI_OK || ai_network_open(&made->network, ai_malloc_host(), made->bytes, size, &err))
		fail_msg("%s", err.message);
}

static void
end(Made *made)
{
	ai_network_close(made->network);
	free(made->bytes);
	ai_arena_free(&made->arena);
}

/* What the network puts out before its head */
static void
find_sums(float *sums, const Made *made, const AiNetworkRow *row, size_t n)
{
	AiNetworkScratch *scratch;

	assert_int_equal(ai_network_scratch_create(&scratch, ai_malloc_host(), made->network, NULL),
					 AI_OK);
	memcpy(sums, ai_network_transform(made->network, scratch, row, 1,
									  ai_network_graph(made->network)->n_layers - 1),
		   n * sizeof(float));
	ai_network_scratch_destroy(scratch);
}

static void
explain(AiNetworkExplanation *explanation, Made *made, const AiNetworkRow *row, int answer)
{
	double		sum;

	assert_int_equal(ai_network_explain(explanation, &made->arena, made->network, row, answer,
										NULL), AI_OK);
	sum = explanation->baseline + explanation->gap;
	for (size_t i = 0; i < explanation->n; i++)
	{
		sum += explanation->contributions[i].contribution;
		assert_true(i == 0 || fabs(explanation->contributions[i].contribution) <=
					fabs(explanation->contributions[i - 1].contribution));
	}
	assert_true(fabs(sum - explanation->score) < 1e-6);
	assert_true(fabs(explanation->gap) <=
				0.05 * fabs(explanation->score - explanation->baseline) + 1e-6);
}

static void
test_linear(void **state)
{
	static const Case linear = {
		"[{\"dense\": 2}]", {1, {3}}, AI_NETWORK_NUMBERS, AI_NETWORK_VALUES, AI_ACT_LINEAR, 0
	};
	static const float x[] = {2, -1, 0.5F};
	AiNetworkRow row = {x, sizeof(x)};
	AiNetworkExplanation explanation;
	Made		made;
	const float *weights;

	(void) state;
	make(&made, &linear, NULL);
	weights = ai_network_parts(made.network)->weights;
	explain(&explanation, &made, &row, 1);
	assert_int_equal(explanation.n, 3);
	for (size_t i = 0; i < 3; i++)
	{
		const AiNetworkContribution *it = &explanation.contributions[i];

		assert_true(it->value == (double) x[it->number]);
		assert_true(fabs(it->contribution -
						 (double) (x[it->number] * weights[2 * it->number + 1])) < 1e-6);
	}
	assert_true(fabs(explanation.gap) < 1e-6);
	end(&made);
}

/* Layers that do something else in training: what is explained is what is answered. */
static void
test_images(void **state)
{
	static const Case image = {
		"[{\"conv2d\": 4, \"kernel_size\": 3, \"activation\": \"relu\"}, \"batch_norm\","
		" {\"dropout\": 0.5}, {\"max_pool\": 2}, \"flatten\", {\"dense\": 5, \"activation\": \"tanh\"},"
		" {\"dense\": 3}]", {3, {8, 8, 1}}, AI_NETWORK_PIXELS, AI_NETWORK_CLASSES, AI_ACT_SOFTMAX, 3
	};
	AiNetworkExplanation explanation;
	Made		made;
	uint8_t		pixels[64];
	AiNetworkRow row = {pixels, sizeof(pixels)};
	float		sums[3];

	(void) state;
	for (int i = 0; i < 64; i++)
		pixels[i] = (uint8_t) (i * 37 % 256 * (i % 3 > 0));
	make(&made, &image, NULL);
	find_sums(sums, &made, &row, 3);
	for (int k = 0; k < 3; k++)
	{
		explain(&explanation, &made, &row, k);
		assert_true(fabs(explanation.score - (double) sums[k]) < 1e-6);
		assert_int_equal(explanation.n, 64);
		for (size_t i = 0; i < 64; i++)
			assert_true(pixels[explanation.contributions[i].number] != 0 ||
						explanation.contributions[i].contribution == 0);
	}
	end(&made);
}

static void
test_texts(void **state)
{
	static const Case text = {
		"[{\"embedding\": 6, \"input_dim\": 4, \"mask_zero\": true}, {\"lstm\": 5}, {\"dense\": 1}]",
		{1, {5}}, AI_NETWORK_WORDS, AI_NETWORK_CLASSES, AI_ACT_SIGMOID, 2
	};
	static const char words_of[] = "Good BAD";
	static const char of[] = "Good, bad";
	AiNetworkRow row = {of, sizeof(of) - 1};
	AiNetworkExplanation explanation;
	AiWordReader *reader;
	Made		made;
	uint64_t	hash[2];
	int32_t		number[2] = {2, 3};
	float		sum;

	(void) state;
	assert_int_equal(ai_word_reader_create(&reader, ai_malloc_host(), NULL), AI_OK);
	assert_int_equal(ai_word_reader_read(reader, words_of, sizeof(words_of) - 1, hash, 2), 2);
	ai_word_reader_destroy(reader);
	if (hash[0] > hash[1])
	{
		uint64_t	first = hash[0];

		hash[0] = hash[1];
		hash[1] = first;
		number[0] = 3;
		number[1] = 2;
	}
	make(&made, &text, &(AiWords) {hash, number, 2});
	find_sums(&sum, &made, &row, 1);
	explain(&explanation, &made, &row, 0);
	assert_true(fabs(explanation.score + (double) sum) < 1e-6);
	/* three words: the comma is one; what pads is none */
	assert_int_equal(explanation.n, 3);
	for (size_t i = 0; i < 3; i++)
	{
		const AiNetworkContribution *it = &explanation.contributions[i];

		assert_true(it->value == 1);
		if (it->number == 0)
			assert_memory_equal(of + it->start, "Good", it->end - it->start);
		if (it->number == 2)
			assert_memory_equal(of + it->start, "bad", it->end - it->start);
	}
	end(&made);
}

static void
test_steps(void **state)
{
	static const Case steps = {
		"[{\"gru\": 2, \"return_sequences\": true}, {\"dense\": 2}]", {2, {3, 1}},
		AI_NETWORK_NUMBERS, AI_NETWORK_STEPS, AI_ACT_SOFTMAX, 2
	};
	static const float x[3];
	AiNetworkRow row = {x, sizeof(x)};
	AiNetworkExplanation explanation;
	Made		made;

	(void) state;
	make(&made, &steps, NULL);
	assert_int_equal(ai_network_explain(&explanation, &made.arena, made.network, &row, 0, NULL),
					 AI_ERR_UNSUPPORTED);
	end(&made);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_linear),
		cmocka_unit_test(test_images),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_steps)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
