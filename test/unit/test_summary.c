/*-------------------------------------------------------------------------
 * test_summary.c
 *		The table of layers: Keras's numbers, and columns as wide as what is in them.
 *-------------------------------------------------------------------------
 */
#include "core/graph/summary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/layer/layers.h"
#include "test_host.h"

typedef struct Network
{
	AiArena		arena;
	AiGraph		graph;
} Network;

static AiCode
open_network(Network *network, const AiHost *host, const char *layers, AiShape input, AiError *err)
{
	AiDefinition definition;

	ai_arena_init(&network->arena, host);
	AI_TRY(ai_definition_parse(&definition, &network->arena, ai_layer_types, layers,
							   strlen(layers), err));
	return ai_graph_create(&network->graph, &network->arena, &definition, &input, err);
}

static void
check_summary(const char *layers, AiShape input, const char *expected)
{
	Network		network;
	AiBuf		text;
	AiError		err = {0};

	ai_buf_init(&text, ai_malloc_host());
	if (open_network(&network, ai_malloc_host(), layers, input, &err) != AI_OK)
		fail_msg("%s", err.message);
	assert_int_equal(ai_summary_write(&text, &network.graph, &err), AI_OK);
	assert_int_equal(ai_buf_append(&text, "", 1, &err), AI_OK);
	assert_string_equal((char *) text.data, expected);
	ai_buf_free(&text);
	ai_arena_free(&network.arena);
}

/* The numbers are those that Keras prints for this model. */
static void
test_images(void **state)
{
	(void) state;
	check_summary("[{\"conv2d\": 8, \"kernel_size\": 3}, \"batch_norm\", {\"max_pool\": 2},"
				  " \"flatten\", {\"dense\": 10, \"name\": \"head\"}]",
				  (AiShape) {3, {28, 28, 1}},
				  "Layer (type)                      Output Shape        Param #\n"
				  "-------------------------------------------------------------\n"
				  "conv2d (Conv2D)                   (None, 26, 26, 8)        80\n"
				  "batch_norm (BatchNormalization)   (None, 26, 26, 8)        32\n"
				  "max_pool (MaxPooling2D)           (None, 13, 13, 8)         0\n"
				  "flatten (Flatten)                 (None, 1352)              0\n"
				  "head (Dense)                      (None, 10)           13,530\n"
				  "-------------------------------------------------------------\n"
				  "Total params: 13,642 (53.29 KB)\n"
				  "Trainable params: 13,626 (53.23 KB)\n"
				  "Non-trainable params: 16 (64.00 B)\n");
}

/* A frozen layer is not trained; a name of several bytes a character takes its columns. */
static void
test_frozen(void **state)
{
	(void) state;
	check_summary("[{\"embedding\": 4, \"input_dim\": 300000, \"trainable\": false},"
				  " {\"lstm\": 8}, {\"dense\": 1, \"name\": \"größe\"}]",
				  (AiShape) {1, {20}},
				  "Layer (type)            Output Shape      Param #\n"
				  "-------------------------------------------------\n"
				  "embedding (Embedding)   (None, 20, 4)   1,200,000\n"
				  "lstm (LSTM)             (None, 8)             416\n"
				  "größe (Dense)           (None, 1)               9\n"
				  "-------------------------------------------------\n"
				  "Total params: 1,200,425 (4.58 MB)\n"
				  "Trainable params: 425 (1.66 KB)\n"
				  "Non-trainable params: 1,200,000 (4.58 MB)\n");
}

static AiCode
write_summary(const AiHost *host, void *arg, AiError *err)
{
	Network		network;
	AiBuf		text;
	AiCode		code;

	(void) arg;
	ai_buf_init(&text, host);
	code = open_network(&network, host, "[{\"dense\": 3}]", (AiShape) {1, {2}}, err);
	if (code == AI_OK)
		code = ai_summary_write(&text, &network.graph, err);
	ai_buf_free(&text);
	ai_arena_free(&network.arena);
	return code;
}

static void
test_no_memory(void **state)
{
	(void) state;
	test_every_failed_alloc(write_summary, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_images),
		cmocka_unit_test(test_frozen),
		cmocka_unit_test(test_no_memory)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
