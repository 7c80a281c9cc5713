/*-------------------------------------------------------------------------
 * test_definition.c
 *		What users and Keras write becomes layers; what is wrong is told by name.
 *
 * test/golden/definitions.txt holds shapes and numbers of weights as Keras tells them of
 * the models in test/data/keras.
 *-------------------------------------------------------------------------
 */
#include "core/graph/definition.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "definition_walk.h"
#include "test_host.h"

#include "core/base/json.h"

#define GOLDEN "test/golden/definitions.txt"
#define MAX_TEXT ((size_t) 2 << 20)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char text[MAX_TEXT];

static size_t
read_file(const char *path)
{
	FILE	   *file = fopen(path, "rb");
	size_t		len;

	if (file == NULL)
		fail_msg("cannot open %s", path);
	len = fread(text, 1, sizeof(text), file);
	fclose(file);
	return len;
}

static size_t
read_model(const char *name)
{
	char		path[128];

	snprintf(path, sizeof(path), "test/data/keras/%s.json", name);
	return read_file(path);
}

static void
must_parse(AiDefinition *definition, AiArena *arena, const char *json, size_t len)
{
	AiError		err;

	ai_arena_init(arena, ai_malloc_host());
	if (ai_definition_parse(definition, arena, ai_layer_types, json, len, &err) != AI_OK)
		fail_msg("%.200s: %s", json, err.message);
}

static const char *
must_write(const AiDefinition *definition, AiArena *arena)
{
	const char *json;
	AiError		err;

	if (ai_definition_write(&json, definition, arena, &err) != AI_OK)
		fail_msg("%s", err.message);
	return json;
}

/* A definition that is written and parsed is the same, and so is its text. */
static void
check_round(const char *json, size_t len)
{
	AiDefinition first;
	AiDefinition second;
	AiArena		arena;
	AiArena		again;
	const char *written;

	must_parse(&first, &arena, json, len);
	written = must_write(&first, &arena);
	must_parse(&second, &again, written, strlen(written));
	assert_int_equal(first.n_layers, second.n_layers);
	assert_int_equal(first.has_input, second.has_input);
	if (first.has_input)
	{
		assert_int_equal(first.input.n_dims, second.input.n_dims);
		assert_memory_equal(first.input.dims, second.input.dims, sizeof(first.input.dims));
	}
	for (int i = 0; i < first.n_layers; i++)
	{
		const AiLayerDefinition *a = &first.layers[i];
		const AiLayerDefinition *b = &second.layers[i];

		assert_ptr_equal(a->type, b->type);
		assert_string_equal(a->name, b->name);
		assert_int_equal(a->is_frozen, b->is_frozen);
		assert_int_equal(a->n_inputs, b->n_inputs);
		assert_memory_equal(a->input, b->input, sizeof(a->input));
		if (a->type->config_size > 0)
			assert_memory_equal(a->config, b->config, a->type->config_size);
	}
	assert_string_equal(written, must_write(&second, &again));
	ai_arena_free(&arena);
	ai_arena_free(&again);
}

/*
 * Keras tells the same shapes and numbers of weights
 */
static void
shape_as_golden(char *out, size_t size, const AiShape *shape)
{
	size_t		len = 0;

	for (int i = 0; i < shape->n_dims; i++)
		len += (size_t) snprintf(out + len, size - len, "%s%lld", i > 0 ? "," : "",
								 (long long) shape->dims[i]);
}

static const AiLayer *
find_layer(const AiLayer *layers, int n, const char *name)
{
	for (int i = 0; i < n; i++)
	{
		if (strcmp(layers[i].name, name) == 0)
			return &layers[i];
	}
	fail_msg("no layer \"%s\"", name);
	return NULL;
}

static void
check_golden_layer(const AiLayer *layer, const char *shape, size_t n_weights)
{
	char		found[128];
	size_t		count;

	assert_true(layer_count(&count, layer));
	if (count != n_weights)
		fail_msg("layer \"%s\" has %zu weights, not %zu", layer->name, count, n_weights);
	shape_as_golden(found, sizeof(found), &layer->output);
	if (strchr(shape, '?') == NULL && strcmp(found, shape) != 0)
		fail_msg("layer \"%s\" has shape %s, not %s", layer->name, found, shape);
}

static void
test_golden(void **state)
{
	static AiLayer layers[32];
	const AiShape variable = {.n_dims = 1, .dims = {7}};
	FILE	   *golden = fopen(GOLDEN, "r");
	AiDefinition definition;
	AiArena		arena;
	char		line[256];
	char		name[64];
	char		shape[64];
	size_t		n;
	size_t		total = 0;
	int			n_models = 0;
	AiError		err;

	(void) state;
	assert_non_null(golden);
	while (fgets(line, sizeof(line), golden) != NULL)
	{
		int			failed;

		if (sscanf(line, "model %63s", name) == 1)
		{
			must_parse(&definition, &arena, text, read_model(name));
			assert_true(definition.n_layers <= (int) COUNT(layers));
			if (!definition.has_input)
				definition.input = variable;
			if (definition_walk(layers, &failed, &definition, &definition.input, &err) != AI_OK)
				fail_msg("%s: %s", name, err.message);
			n_models++;
			total = 0;
		}
		else if (sscanf(line, "layer %63s %63s %zu", name, shape, &n) == 3)
		{
			check_golden_layer(find_layer(layers, definition.n_layers, name), shape, n);
			total += n;
		}
		else if (sscanf(line, "total %zu", &n) == 1)
		{
			assert_int_equal(total, n);
			ai_arena_free(&arena);
		}
	}
	fclose(golden);
	assert_int_equal(n_models, 11);
}

/*
 * Both forms, and what they are written as
 */
typedef struct Written
{
	const char *json;
	const char *written;		/* NULL: the same */
} Written;

static const Written forms[] = {
	{"[{\"dense\":3,\"name\":\"dense\"}]", NULL},
	{"[{\"dense\": 64, \"activation\": \"relu\"}, {\"dropout\": 0.2}, {\"dense\": 10, \"name\": \"out\"}]",
	 "[{\"dense\":64,\"activation\":\"relu\",\"name\":\"dense\"},\n"
	 "{\"dropout\":0.2,\"name\":\"dropout\"},\n"
	 "{\"dense\":10,\"name\":\"out\"}]"},
	/* the server's order of keys */
	{"[{\"name\": \"x\", \"dense\": 3, \"activation\": \"tanh\"}]",
	 "[{\"dense\":3,\"activation\":\"tanh\",\"name\":\"x\"}]"},
	{"[{\"activation\": \"tanh\", \"dense\": 3}, {\"activation\": \"swish\"}]",
	 "[{\"dense\":3,\"activation\":\"tanh\",\"name\":\"dense\"},\n"
	 "{\"activation\":\"silu\",\"name\":\"activation\"}]"},
	/* nothing to say of a kind */
	{"[\"flatten\", {\"flatten\": true}, {\"flatten\": {}}, {\"flatten\": {\"name\": \"f\"}}]",
	 "[{\"flatten\":true,\"name\":\"flatten\"},\n"
	 "{\"flatten\":true,\"name\":\"flatten_1\"},\n"
	 "{\"flatten\":true,\"name\":\"flatten_2\"},\n"
	 "{\"flatten\":true,\"name\":\"f\"}]"},
	/* options in the value */
	{"[{\"dense\": {\"units\": 3, \"use_bias\": false}, \"trainable\": false}]",
	 "[{\"dense\":3,\"use_bias\":false,\"frozen\":true,\"name\":\"dense\"}]"},
	{"[{\"dense\": 3, \"trainable\": true}, {\"dense\": 4, \"frozen\": true}]",
	 "[{\"dense\":3,\"name\":\"dense\"},\n{\"dense\":4,\"frozen\":true,\"name\":\"dense_1\"}]"},
	/* names that are made leave out those that are given */
	{"[{\"dense\": 1}, {\"dense\": 2, \"name\": \"dense\"}, {\"dense\": 3}, {\"dense\": 4, \"name\": \"dense_1\"}]",
	 "[{\"dense\":1,\"name\":\"dense_2\"},\n{\"dense\":2,\"name\":\"dense\"},\n"
	 "{\"dense\":3,\"name\":\"dense_3\"},\n{\"dense\":4,\"name\":\"dense_1\"}]"},
	/* two directions, in both ways */
	{"[{\"bidirectional\": {\"lstm\": 4, \"return_sequences\": true}, \"merge_mode\": \"sum\"}]",
	 "[{\"lstm\":4,\"return_sequences\":true,\"bidirectional\":true,\"merge_mode\":\"sum\",\"name\":\"lstm\"}]"},
	{"[{\"lstm\": 4, \"bidirectional\": true}]",
	 "[{\"lstm\":4,\"bidirectional\":true,\"name\":\"lstm\"}]"},
	{"[{\"bidirectional\": {\"gru\": {\"units\": 4}}, \"name\": \"both\"}]",
	 "[{\"gru\":4,\"bidirectional\":true,\"name\":\"both\"}]"},
	/* inputs */
	{"[{\"dense\": 4, \"name\": \"a\"}, {\"dense\": 4}, {\"add\": \"a\"}, {\"concatenate\": [\"a\", \"input\"]}]",
	 "[{\"dense\":4,\"name\":\"a\"},\n{\"dense\":4,\"name\":\"dense\"},\n"
	 "{\"add\":true,\"input\":[\"dense\",\"a\"],\"name\":\"add\"},\n"
	 "{\"concatenate\":true,\"input\":[\"add\",\"a\",\"input\"],\"name\":\"concatenate\"}]"},
	{"[{\"dense\": 4}, {\"dense\": 5, \"input\": \"input\"}, {\"concatenate\": true, \"input\": [\"dense\", \"dense_1\"]}]",
	 "[{\"dense\":4,\"name\":\"dense\"},\n{\"dense\":5,\"input\":[\"input\"],\"name\":\"dense_1\"},\n"
	 "{\"concatenate\":true,\"input\":[\"dense\",\"dense_1\"],\"name\":\"concatenate\"}]"},
	/* sizes, numbers, what goes in */
	{"[{\"input\": [28, 28, 1]}, {\"conv2d\": 4, \"kernel_size\": 3}, {\"conv2d\": 4, \"kernel_size\": [3, 2]}]",
	 "[{\"input\":[28, 28, 1]},\n{\"conv2d\":4,\"kernel_size\":3,\"name\":\"conv2d\"},\n"
	 "{\"conv2d\":4,\"kernel_size\":[3,2],\"name\":\"conv2d_1\"}]"},
	{"[{\"input\": []}, {\"reshape\": 1}, {\"layer_norm\": 1e-6}, {\"rescale\": 0.1, \"offset\": -0.30000000000000004}]",
	 "[{\"input\":[]},\n{\"reshape\":1,\"name\":\"reshape\"},\n{\"layer_norm\":1e-06,\"name\":\"layer_norm\"},\n"
	 "{\"rescale\":0.1,\"offset\":-0.30000000000000004,\"name\":\"rescale\"}]"},
	{"[{\"input\": [null, 4]}, {\"lstm\": 2}]", "[{\"lstm\":2,\"name\":\"lstm\"}]"},
	{"[{\"global_pool\": \"avg\"}, {\"global_pool\": \"max\", \"name\": \"\\u00e9\\\"\\\\\"}]",
	 "[{\"global_pool\":true,\"name\":\"global_pool\"},\n{\"global_pool\":\"max\",\"name\":\"\xc3\xa9\\\"\\\\\"}]"},
};

static void
check_written(const char *json, size_t len, const char *expected)
{
	AiDefinition definition;
	AiArena		arena;

	must_parse(&definition, &arena, json, len);
	assert_string_equal(must_write(&definition, &arena), expected);
	ai_arena_free(&arena);
	check_round(json, len);
}

static void
test_forms(void **state)
{
	(void) state;
	for (size_t i = 0; i < COUNT(forms); i++)
		check_written(forms[i].json, strlen(forms[i].json),
					  forms[i].written != NULL ? forms[i].written : forms[i].json);
}

/* Models of Keras, by name */
static const Written models[] = {
	{"mlp",
	 "[{\"input\":[20]},\n"
	 "{\"dense\":16,\"activation\":\"relu\",\"kernel_initializer\":\"he_normal\",\"name\":\"dense\"},\n"
	 "{\"dropout\":0.2,\"name\":\"dropout\"},\n"
	 "{\"batch_norm\":0.9,\"name\":\"batch_normalization\"},\n"
	 "{\"dense\":8,\"activation\":\"silu\",\"use_bias\":false,\"name\":\"dense_1\"},\n"
	 "{\"dense\":3,\"activation\":\"softmax\",\"name\":\"out\"}]"},
	{"transformer",
	 "[{\"input\":[10]},\n"
	 "{\"embedding\":6,\"input_dim\":40,\"mask_zero\":true,\"name\":\"embedding\"},\n"
	 "{\"attention\":2,\"key_dim\":5,\"value_dim\":5,\"name\":\"multi_head_attention\"},\n"
	 "{\"add\":true,\"input\":[\"embedding\",\"multi_head_attention\"],\"name\":\"add\"},\n"
	 "{\"layer_norm\":true,\"name\":\"layer_normalization\"},\n"
	 "{\"attention\":3,\"key_dim\":4,\"value_dim\":2,\"causal\":true,\"use_bias\":false,"
	 "\"name\":\"multi_head_attention_1\"},\n"
	 "{\"concatenate\":true,\"input\":[\"layer_normalization\",\"multi_head_attention_1\"],"
	 "\"name\":\"concatenate\"},\n"
	 "{\"dense\":7,\"name\":\"time_distributed\"},\n"
	 "{\"activation\":\"relu\",\"name\":\"activation\"},\n"
	 "{\"global_pool\":true,\"name\":\"global_average_pooling1d\"},\n"
	 "{\"dense\":2,\"name\":\"dense_1\"}]"},
	{"residual",
	 "[{\"input\":[8]},\n"
	 "{\"dense\":8,\"activation\":\"relu\",\"name\":\"dense\"},\n"
	 "{\"dense\":8,\"name\":\"dense_1\"},\n"
	 "{\"add\":true,\"input\":[\"input\",\"dense_1\"],\"name\":\"add\"},\n"
	 "{\"concatenate\":true,\"input\":[\"add\",\"dense_1\",\"input\"],\"name\":\"concatenate\"},\n"
	 "{\"dense\":2,\"name\":\"dense_2\"}]"},
	{"variable",
	 "[{\"embedding\":4,\"input_dim\":30,\"name\":\"embedding\"},\n"
	 "{\"global_pool\":true,\"name\":\"global_average_pooling1d\"},\n"
	 "{\"dense\":1,\"name\":\"dense\"}]"},
	{"keras2_sequential",
	 "[{\"input\":[10, 10, 3]},\n"
	 "{\"conv2d\":4,\"kernel_size\":[3,3],\"strides\":[1,1],\"padding\":\"same\",\"activation\":\"relu\","
	 "\"kernel_initializer\":\"he_normal\",\"l2\":0.0010000000474974513,\"name\":\"conv2d\"},\n"
	 "{\"batch_norm\":true,\"axis\":3,\"name\":\"batch_normalization\"},\n"
	 "{\"max_pool\":[2,2],\"strides\":[2,2],\"name\":\"max_pooling2d\"},\n"
	 "{\"flatten\":true,\"name\":\"flatten\"},\n"
	 "{\"dense\":5,\"name\":\"dense\"},\n"
	 "{\"activation\":\"leaky_relu\",\"name\":\"leaky_re_lu\"},\n"
	 "{\"dropout\":0.5,\"name\":\"dropout\"},\n"
	 "{\"dense\":2,\"activation\":\"softmax\",\"frozen\":true,\"name\":\"dense_1\"}]"},
	{"keras2_functional",
	 "[{\"input\":[8]},\n"
	 "{\"embedding\":6,\"input_dim\":30,\"mask_zero\":true,\"name\":\"embedding\"},\n"
	 "{\"lstm\":3,\"return_sequences\":true,\"bidirectional\":true,\"name\":\"bidirectional\"},\n"
	 "{\"attention\":2,\"key_dim\":4,\"value_dim\":4,\"name\":\"multi_head_attention\"},\n"
	 "{\"add\":true,\"input\":[\"bidirectional\",\"multi_head_attention\"],\"name\":\"add\"},\n"
	 "{\"global_pool\":true,\"name\":\"global_average_pooling1d\"},\n"
	 "{\"dense\":1,\"activation\":\"sigmoid\",\"name\":\"dense\"}]"},
};

static void
test_keras(void **state)
{
	(void) state;
	for (size_t i = 0; i < COUNT(models); i++)
		check_written(text, read_model(models[i].json), models[i].written);
}

/*
 * Errors
 */
typedef struct Wrong
{
	const char *json;
	const char *message;
	const char *hint;			/* how it begins; NULL: none */
} Wrong;

#define KINDS "Kinds are \"dense\", \"conv1d\", \"conv2d\", \"max_pool\""
#define DENSE_OPTIONS \
	"Options of dense are \"units\", \"activation\", \"use_bias\", \"kernel_initializer\", " \
	"\"l1\", \"l2\", \"name\", \"input\", \"frozen\", \"trainable\"."
#define EXAMPLE "Write, for example, [{\"dense\": 64, \"activation\": \"relu\"}, {\"dense\": 10}]."

static const Wrong wrong[] = {
	{"3", "layers must be a list or a model written by Keras, not a number", EXAMPLE},
	{"{\"dense\": 4}", "layers must be a list or a model written by Keras, not an object", EXAMPLE},
	{"[]", "there are no layers", EXAMPLE},
	{"[{\"input\": [3]}]", "there are no layers", EXAMPLE},
	{"[{\"input\": 3}, \"flatten\"]", "the shape of the input must be a list, not a number", NULL},
	{"[{\"input\": [3, 0]}, \"flatten\"]",
	 "the shape of the input must be a list of whole numbers from 1 to 268435456", NULL},
	{"[{\"input\": [1, 2, 3, 4, 5]}, \"flatten\"]",
	 "the shape of the input must have at most 4 dimensions", NULL},
	{"[{\"input\": [268435456, 2]}, \"flatten\"]",
	 "shape [268435456, 2] is too large: one sample has at most 268435456 numbers", NULL},

	/* kinds */
	{"[{\"dense\": 4}, 5]", "layer 2: it must be an object or the name of a kind, not a number", NULL},
	{"[{}]", "layer 1: it does not say which kind of layer it is",
	 "Write, for example, {\"dense\": 64}."},
	{"[{\"name\": \"x\"}]", "layer 1: it does not say which kind of layer it is",
	 "Write, for example, {\"dense\": 64}."},
	{"[{\"dens\": 4, \"activation\": \"relu\"}]",
	 "layer 1, \"activation\": there is no kind of layer \"dens\"",
	 "Perhaps you meant \"dense\". " KINDS},
	{"[{\"dens\": 4}]", "layer 1: there is no kind of layer \"dens\"",
	 "Perhaps you meant \"dense\". " KINDS},
	{"[{\"Conv2D\": 4}]", "layer 1: there is no kind of layer \"Conv2D\"",
	 "Perhaps you meant \"conv2d\". " KINDS},
	{"[\"BatchNormalization\"]", "layer 1: there is no kind of layer \"BatchNormalization\"",
	 "Perhaps you meant \"batch_norm\". " KINDS},
	{"[{\"something\": 4}]", "layer 1: there is no kind of layer \"something\"", KINDS},
	{"[{\"relu\": true}]", "layer 1: there is no kind of layer \"relu\"",
	 "Write {\"activation\": \"relu\"}."},
	{"[{\"dense\": 4, \"conv2d\": 3}]", "layer 1: it is of two kinds, \"dense\" and \"conv2d\"",
	 "Make each layer an object of its own."},
	{"[{\"bidirectional\": {\"dense\": 4}}]",
	 "layer 1, \"dense\": a layer of kind \"dense\" cannot be bidirectional", NULL},
	{"[{\"bidirectional\": {\"bidirectional\": {\"lstm\": 4}}}]",
	 "layer 1: it is bidirectional twice", NULL},
	{"[{\"bidirectional\": {\"lstm\": 4, \"bidirectional\": false}}]",
	 "layer 1, \"lstm\": option \"bidirectional\" is given twice", NULL},
	{"[{\"flatten\": 3}]", "layer 1, \"flatten\": it takes no value, and has a number",
	 "Write {\"flatten\": true}."},
	{"[{\"flatten\": false}]", "layer 1, \"flatten\": it takes no value, and has a boolean",
	 "Write {\"flatten\": true}."},

	/* names */
	{"[{\"dense\": 4, \"name\": 4}]", "layer 1: option \"name\" must be a string, not a number", NULL},
	{"[{\"dense\": 4, \"name\": \"\"}]",
	 "layer 1: its name must have 1 to 63 bytes, without control characters", NULL},
	{"[{\"dense\": 4, \"name\": \"a\\nb\"}]",
	 "layer 1: its name must have 1 to 63 bytes, without control characters", NULL},
	{"[{\"dense\": 4, \"name\": \"input\"}]", "layer 1: no layer can have the name \"input\"", NULL},
	{"[{\"dense\": 4, \"name\": \"a\"}, {\"dense\": 4, \"name\": \"a\"}]",
	 "layer 2: layer 1 has the name \"a\", too", NULL},
	{"[{\"dense\": {\"name\": \"a\", \"units\": 3}, \"name\": \"b\"}]",
	 "layer 1: option \"name\" is given twice", NULL},

	/* options */
	{"[{\"dense\": 64, \"unit\": 3}]", "layer 1, \"dense\": there is no option \"unit\"",
	 "Perhaps you meant \"units\". " DENSE_OPTIONS},
	{"[{\"dense\": 64, \"colour\": 3}]", "layer 1, \"dense\": there is no option \"colour\"",
	 DENSE_OPTIONS},
	{"[{\"dense\": 64, \"useBias\": true}]", "layer 1, \"dense\": there is no option \"useBias\"",
	 "Perhaps you meant \"use_bias\". " DENSE_OPTIONS},
	{"[\"flatten\", \"dense\"]", "layer 2, \"dense\": option \"units\" is missing", DENSE_OPTIONS},
	{"[{\"dense\": 4, \"units\": 5}]", "layer 1, \"dense\": option \"units\" is given twice", NULL},
	{"[{\"dense\": null}]", "layer 1, \"dense\": option \"units\" must be a whole number, not null",
	 NULL},
	{"[{\"dense\": 2.5}]", "layer 1, \"dense\": option \"units\" must be a whole number, not 2.5", NULL},
	{"[{\"dense\": 0}]", "layer 1, \"dense\": option \"units\" must be between 1 and 16777216, not 0",
	 NULL},
	{"[{\"dense\": -3}]", "layer 1, \"dense\": option \"units\" must be between 1 and 16777216, not -3",
	 NULL},
	{"[{\"dense\": 1000000000}]",
	 "layer 1, \"dense\": option \"units\" must be between 1 and 16777216, not 1000000000", NULL},
	{"[{\"dropout\": 1}]", "layer 1, \"dropout\": option \"rate\" must be between 0 and 0.999, not 1",
	 NULL},
	{"[{\"dropout\": \"a\"}]", "layer 1, \"dropout\": option \"rate\" must be a number, not a string",
	 NULL},
	{"[{\"dense\": 3, \"use_bias\": 1}]",
	 "layer 1, \"dense\": option \"use_bias\" must be true or false, not a number", NULL},
	{"[{\"dense\": 3, \"frozen\": 1}]",
	 "layer 1, \"dense\": option \"frozen\" must be true or false, not a number", NULL},
	{"[{\"dense\": 3, \"activation\": \"rellu\"}]",
	 "layer 1, \"dense\": option \"activation\" cannot be \"rellu\"",
	 "Perhaps you meant \"relu\". It is one of \"linear\", \"relu\", \"leaky_relu\", \"elu\", "
	 "\"selu\", \"gelu\", \"gelu_tanh\", \"silu\", \"sigmoid\", \"tanh\", \"softplus\", \"softmax\"."},
	{"[{\"dense\": 3, \"activation\": \"\"}]",
	 "layer 1, \"dense\": option \"activation\" cannot be \"\"", "It is one of \"linear\""},
	{"[{\"dense\": 3, \"activation\": 3}]",
	 "layer 1, \"dense\": option \"activation\" must be a string, not a number", NULL},
	{"[{\"max_pool\": []}]",
	 "layer 1, \"max_pool\": option \"pool_size\" must have 1 to 4 numbers, not 0", NULL},
	{"[{\"max_pool\": [1, 2, 3, 4, 5]}]",
	 "layer 1, \"max_pool\": option \"pool_size\" must have 1 to 4 numbers, not 5", NULL},
	{"[{\"max_pool\": [1, \"a\"]}]",
	 "layer 1, \"max_pool\": option \"pool_size\" must be a whole number or a list of them, not a string",
	 NULL},
	{"[{\"max_pool\": 0}]",
	 "layer 1, \"max_pool\": option \"pool_size\" must be between 1 and 65536, not 0", NULL},

	/* inputs */
	{"[{\"dense\": 4, \"name\": \"first\"}, {\"dense\": 4}, {\"add\": \"firsd\"}]",
	 "layer 3, \"add\": there is no layer \"firsd\" before it",
	 "Perhaps you meant \"first\". Layers before it are \"dense\", \"first\"."},
	{"[{\"add\": \"b\"}, {\"dense\": 4, \"name\": \"b\"}]",
	 "layer 1, \"add\": there is no layer \"b\" before it", NULL},
	{"[{\"dense\": 4, \"input\": \"dense\"}]",
	 "layer 1, \"dense\": there is no layer \"dense\" before it", NULL},
	{"[{\"dense\": 4, \"input\": 3}]",
	 "layer 1, \"dense\": an input must be the name of a layer, not a number", NULL},
	{"[{\"dense\": 4}, {\"add\": true}]",
	 "layer 2, \"add\": it takes the outputs of 2 to 16 layers, not of 1",
	 "{\"add\": \"NAME\"} takes those of the layer before and of an earlier one; \"input\" lists all"},
	{"[{\"dense\": 4}, {\"dense\": 4, \"input\": [\"input\", \"dense\"]}]",
	 "layer 2, \"dense_1\": it takes the output of 1 layer, not of 2", NULL},
	{"[{\"dense\": 4}, {\"add\": \"dense\", \"input\": [\"dense\"]}]",
	 "layer 2, \"add\": its inputs are given twice", NULL},
	{"[\"flatten\", {\"add\": [\"input\", \"input\", \"input\", \"input\", \"input\", \"input\", \"input\", "
	 "\"input\", \"input\", \"input\", \"input\", \"input\", \"input\", \"input\", \"input\", \"input\"]}]",
	 "layer 2, \"add\": a layer has at most 16 inputs", NULL},
};

static void
check_wrong(const char *json, size_t len, AiCode code, const Wrong *expected)
{
	AiDefinition definition;
	AiArena		arena;
	AiError		err;

	memset(&err, 0, sizeof(err));
	ai_arena_init(&arena, ai_malloc_host());
	if (ai_definition_parse(&definition, &arena, ai_layer_types, json, len, &err) == AI_OK)
		fail_msg("%.200s is accepted", json);
	assert_string_equal(err.message, expected->message);
	if (expected->hint == NULL)
		assert_string_equal(err.hint, "");
	else if (strncmp(err.hint, expected->hint, strlen(expected->hint)) != 0)
		assert_string_equal(err.hint, expected->hint);
	if (code != AI_OK)
		assert_int_equal(err.code, code);
	assert_int_not_equal(ai_definition_parse(&definition, &arena, ai_layer_types, json, len, NULL),
						 AI_OK);
	ai_arena_free(&arena);
}

static void
test_errors(void **state)
{
	(void) state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		check_wrong(wrong[i].json, strlen(wrong[i].json), AI_OK, &wrong[i]);
}

/*
 * Errors in a model of Keras: one with a layer and the changed argument
 */
typedef struct WrongKeras
{
	const char *class_name;
	const char *config;			/* beside the name */
	const char *message;
	const char *hint;
} WrongKeras;

static const WrongKeras wrong_keras[] = {
	{"Dense", "\"units\": 0", "layer 1, \"x\": option \"units\" must be between 1 and 16777216, not 0",
	 NULL},
	{"Dense", "\"use_bias\": true", "layer 1, \"x\": option \"units\" is missing", DENSE_OPTIONS},
	{"ConvLSTM2D", "\"filters\": 3", "layer 1, \"x\": Keras's layer \"ConvLSTM2D\" is not supported",
	 "Layers that can be read are Dense, Conv and pooling layers (1D and 2D), Flatten, Reshape, "},
	{"Conv2D", "\"data_format\": \"channels_first\"",
	 "layer 1, \"x\": \"data_format\" of Keras's layer \"Conv2D\" is not supported as it is here",
	 "Build the model with the channels last."},
	{"Conv2D", "\"dilation_rate\": [2, 2]",
	 "layer 1, \"x\": \"dilation_rate\" of Keras's layer \"Conv2D\" is not supported as it is here", NULL},
	{"Conv1D", "\"padding\": \"causal\"",
	 "layer 1, \"x\": \"padding\" of Keras's layer \"Conv1D\" is not supported as it is here", NULL},
	{"Dense", "\"activation\": \"hard_sigmoid\"",
	 "layer 1, \"x\": \"activation\" of Keras's layer \"Dense\" is not supported as it is here", NULL},
	{"Dense", "\"activation\": {\"class_name\": \"LeakyReLU\", \"config\": {}}",
	 "layer 1, \"x\": \"activation\" of Keras's layer \"Dense\" is not supported as it is here", NULL},
	{"Dense", "\"kernel_initializer\": {\"class_name\": \"RandomNormal\", \"config\": {}}",
	 "layer 1, \"x\": \"kernel_initializer\" of Keras's layer \"Dense\" is not supported as it is here",
	 NULL},
	{"Dense", "\"kernel_initializer\": {\"class_name\": \"VarianceScaling\", \"config\": {\"scale\": 3}}",
	 "layer 1, \"x\": \"kernel_initializer\" of Keras's layer \"Dense\" is not supported as it is here",
	 NULL},
	{"Embedding", "\"embeddings_initializer\": {\"class_name\": \"RandomUniform\", \"config\": {\"maxval\": 1}}",
	 "layer 1, \"x\": \"embeddings_initializer\" of Keras's layer \"Embedding\" is not supported as it is here",
	 NULL},
	{"Dense", "\"bias_initializer\": {\"class_name\": \"Ones\", \"config\": {}}",
	 "layer 1, \"x\": \"bias_initializer\" of Keras's layer \"Dense\" is not supported as it is here", NULL},
	{"Dense", "\"bias_regularizer\": {\"class_name\": \"L2\", \"config\": {\"l2\": 0.1}}",
	 "layer 1, \"x\": \"bias_regularizer\" of Keras's layer \"Dense\" is not supported as it is here", NULL},
	{"Dense", "\"kernel_regularizer\": {\"class_name\": \"Orthogonal\", \"config\": {}}",
	 "layer 1, \"x\": \"kernel_regularizer\" of Keras's layer \"Dense\" is not supported as it is here",
	 "Regularizers that can be read are objects of L1, L2 and L1L2."},
	{"Dense", "\"kernel_constraint\": {\"class_name\": \"MaxNorm\"}",
	 "layer 1, \"x\": \"kernel_constraint\" of Keras's layer \"Dense\" is not supported as it is here", NULL},
	{"Dense", "\"something_new\": true",
	 "layer 1, \"x\": \"something_new\" of Keras's layer \"Dense\" is not supported as it is here", NULL},
	{"LSTM", "\"dropout\": 0.2",
	 "layer 1, \"x\": \"dropout\" of Keras's layer \"LSTM\" is not supported as it is here",
	 "Use a layer of its own for dropout."},
	{"LSTM", "\"go_backwards\": true",
	 "layer 1, \"x\": \"go_backwards\" of Keras's layer \"LSTM\" is not supported as it is here", NULL},
	{"LSTM", "\"activation\": \"relu\"",
	 "layer 1, \"x\": \"activation\" of Keras's layer \"LSTM\" is not supported as it is here", NULL},
	{"GRU", "\"reset_after\": false",
	 "layer 1, \"x\": \"reset_after\" of Keras's layer \"GRU\" is not supported as it is here", NULL},
	{"LeakyReLU", "\"negative_slope\": 0.3",
	 "layer 1, \"x\": \"negative_slope\" of Keras's layer \"LeakyReLU\" is not supported as it is here",
	 "Build the model with a slope of 0.2."},
	{"Bidirectional", "\"layer\": 3", "layer 1, \"x\": it holds no layer", NULL},
	{"Bidirectional", "\"layer\": {\"class_name\": \"Dense\", \"config\": {\"units\": 3}}",
	 "layer 1, \"x\": a layer of kind \"dense\" cannot be bidirectional", NULL},
	{"Bidirectional", "\"merge_mode\": null, \"layer\": {\"class_name\": \"LSTM\", \"config\": {\"units\": 3}}",
	 "layer 1, \"x\": \"merge_mode\" of Keras's layer \"Bidirectional\" is not supported as it is here", NULL},
	{"Bidirectional", "\"layer\": {\"class_name\": \"LSTM\", \"config\": {\"units\": 3, \"go_backwards\": true}}",
	 "layer 1, \"x\": \"go_backwards\" of Keras's layer \"LSTM\" is not supported as it is here", NULL},
	{"Bidirectional", "\"layer\": {\"class_name\": \"LSTM\", \"config\": {\"units\": 3}}, "
	 "\"backward_layer\": {\"class_name\": \"LSTM\", \"config\": {\"units\": 4, \"go_backwards\": true}}",
	 "layer 1, \"x\": \"backward_layer\" of Keras's layer \"Bidirectional\" is not supported as it is here",
	 "Both directions must have the same options."},
	{"TimeDistributed", "\"layer\": {\"class_name\": \"LSTM\", \"config\": {\"units\": 3}}",
	 "layer 1, \"x\": Keras's layer \"TimeDistributed\" of \"LSTM\" is not supported", NULL},
	{"Add", "\"trainable\": true", "layer 1, \"x\": it takes the outputs of 2 to 16 layers, not of 1",
	 "{\"add\": \"NAME\"}"},
};

static void
test_keras_errors(void **state)
{
	(void) state;
	for (size_t i = 0; i < COUNT(wrong_keras); i++)
	{
		const WrongKeras *it = &wrong_keras[i];
		Wrong		expected = {NULL, it->message, it->hint};
		int			len = snprintf(text, sizeof(text),
								   "{\"class_name\": \"Sequential\", \"config\": {\"layers\": ["
								   "{\"class_name\": \"%s\", \"config\": {\"name\": \"x\", %s}}]}}",
								   it->class_name, it->config);

		check_wrong(text, (size_t) len, AI_OK, &expected);
	}
}

/* Functional models: layers are dense, of the given names and calls. */
typedef struct WrongCalls
{
	const char *ends;			/* input_layers and output_layers */
	const char *layers;
	const char *message;
	const char *hint;
} WrongCalls;

#define ENDS "\"input_layers\": [[\"in\", 0, 0]], \"output_layers\": [[\"b\", 0, 0]]"
#define IN "{\"class_name\": \"InputLayer\", \"config\": {\"name\": \"in\"}, \"inbound_nodes\": []}"
#define DENSE(name, nodes) \
	"{\"class_name\": \"Dense\", \"config\": {\"name\": \"" name "\", \"units\": 3}, " \
	"\"inbound_nodes\": " nodes "}"

static const WrongCalls wrong_calls[] = {
	{"\"input_layers\": [[\"in\", 0, 0], [\"in\", 0, 0]], \"output_layers\": [[\"b\", 0, 0]]", IN,
	 "a model of Keras must have one input and one output",
	 "Join inputs into one, or make a model for each output."},
	{"\"input_layers\": [\"in\", 0, 0]", IN, "a model of Keras must have one input and one output",
	 "Join inputs into one, or make a model for each output."},
	{ENDS, IN, "the output of the model, \"b\", is none of its layers", NULL},
	{ENDS, IN ", {\"class_name\": \"Dense\", \"config\": {}}",
	 "item 2 of the layers of Keras has no class, config or name", "Write the model by model.to_json()."},
	{ENDS, IN ", " DENSE("b", "[]"), "layer \"b\": it takes the output of no layer", NULL},
	{ENDS, IN ", " DENSE("b", "[[]]"), "layer \"b\": it takes the output of no layer", NULL},
	{ENDS, IN ", " DENSE("b", "3"), "layer \"b\": it takes the output of no layer", NULL},
	{ENDS, IN ", " DENSE("b", "[3]"), "layer \"b\": it takes the output of no layer", NULL},
	{ENDS, IN ", " DENSE("b", "[[[\"in\", 0, 0, {}]], [[\"in\", 0, 0, {}]]]"),
	 "layer \"b\": a layer that is used more than once is not supported", NULL},
	{ENDS, IN ", " DENSE("b", "[[[\"in\", 1, 0, {}]]]"),
	 "layer \"b\": a layer that is used more than once, \"in\", is not supported", NULL},
	{ENDS, IN ", " DENSE("b", "[[[\"b\", 0, 0, {}]]]"), "layer \"b\": there is no layer \"b\" before it",
	 NULL},
	/* a cycle */
	{ENDS, IN ", " DENSE("a", "[[[\"b\", 0, 0, {}]]]") ", " DENSE("b", "[[[\"a\", 0, 0, {}]]]"),
	 "layer \"a\": there is no layer \"b\" before it", NULL},
	{ENDS, IN ", " DENSE("b", "[[[\"in\", 0, 0, {\"training\": true}]]]"),
	 "layer \"b\": \"training\" of Keras's layer \"Dense\" is not supported as it is here", NULL},
	{ENDS, IN ", " DENSE("b", "[[[\"in\", 0, 0, {\"mask\": [\"in\", 0, 0]}]]]"),
	 "layer \"b\": \"mask\" of Keras's layer \"Dense\" is not supported as it is here",
	 "Give the Embedding layer mask_zero=True, which makes the mask."},
	{ENDS, IN ", " DENSE("b", "[[[\"in\", 0, 0, {\"use_causal_mask\": true}]]]"),
	 "layer 1, \"b\": a layer of kind \"dense\" cannot be causal", NULL},
	{ENDS, IN ", " DENSE("a", "[[[\"in\", 0, 0, {}]]]") ", {\"class_name\": \"MultiHeadAttention\", "
	 "\"config\": {\"name\": \"b\"}, \"inbound_nodes\": [[[\"a\", 0, 0, {\"value\": [\"in\", 0, 0]}]]]}",
	 "layer \"b\": attention of one sequence to another, \"a\" to \"in\", is not supported", NULL},
	{ENDS, IN ", " DENSE("b", "[[[\"in\", 0, 0, {}], [\"in\", 0, 0, {}]]]"),
	 "layer 1, \"b\": it takes the output of 1 layer, not of 2", NULL},
	{ENDS, IN ", " DENSE("a", "[[[\"in\", 0, 0, {}]]]") ", " DENSE("a", "[[[\"in\", 0, 0, {}]]]") ", "
	 DENSE("b", "[{\"args\": [{\"class_name\": \"__keras_tensor__\"}], \"kwargs\": {}}]"),
	 "layer \"b\": \"args\" of Keras's layer \"Dense\" is not supported as it is here", NULL},
	{"\"input_layers\": [\"in\", 0, 0], \"output_layers\": [\"in\", 0, 0]", IN, "there are no layers",
	 EXAMPLE},
};

static void
test_keras_calls(void **state)
{
	(void) state;
	for (size_t i = 0; i < COUNT(wrong_calls); i++)
	{
		const WrongCalls *it = &wrong_calls[i];
		Wrong		expected = {NULL, it->message, it->hint};
		int			len = snprintf(text, sizeof(text),
								   "{\"class_name\": \"Functional\", \"config\": {%s, \"layers\": [%s]}}",
								   it->ends, it->layers);

		check_wrong(text, (size_t) len, AI_OK, &expected);
	}
}

static const Wrong wrong_models[] = {
	{"{\"class_name\": \"Vae\"}", "Keras's class \"Vae\" is not supported as a model",
	 "Sequential and functional models can be read."},
	{"{\"class_name\": \"Sequential\"}", "the model of Keras has no layers", NULL},
	{"{\"class_name\": \"Sequential\", \"config\": []}", "the model of Keras has no layers", NULL},
	{"{\"class_name\": \"Functional\", \"config\": {\"layers\": 3}}", "the model of Keras has no layers",
	 NULL},
	{"{\"class_name\": \"Sequential\", \"config\": [{\"class_name\": \"Dense\", \"config\": "
	 "{\"name\": \"a\", \"units\": 3, \"batch_input_shape\": [null, 0]}}]}",
	 "the shape of the input must be a list of whole numbers from 1 to 268435456", NULL},
	{"{\"class_name\": \"Sequential\", \"config\": [{\"class_name\": \"Dense\", \"config\": "
	 "{\"name\": \"a\", \"units\": 3, \"batch_input_shape\": []}}]}",
	 "the shape of the input must have at most 4 dimensions", NULL},
};

static void
test_keras_models(void **state)
{
	(void) state;
	for (size_t i = 0; i < COUNT(wrong_models); i++)
		check_wrong(wrong_models[i].json, strlen(wrong_models[i].json), AI_OK, &wrong_models[i]);
}

/*
 * Shapes that do not fit
 */
typedef struct WrongShape
{
	const char *json;			/* with its input */
	int			layer;
	const char *message;
} WrongShape;

static const WrongShape wrong_shapes[] = {
	{"[{\"input\":[5]},{\"conv2d\":3,\"kernel_size\":3}]", 0, "it takes [height, width, channels], and gets [5]"},
	{"[{\"input\":[5]},{\"conv1d\":3,\"kernel_size\":3}]", 0, "it takes [steps, channels], and gets [5]"},
	{"[{\"input\":[5]},{\"max_pool\":3}]", 0,
	 "it takes [steps, channels] or [height, width, channels], and gets [5]"},
	{"[{\"input\":[5]},{\"lstm\":3}]", 0, "it takes [steps, features], and gets [5]"},
	{"[{\"input\":[5,2]},{\"lstm\":3},{\"gru\":3}]", 1, "it takes [steps, features], and gets [3]"},
	{"[{\"input\":[]},{\"dense\":3}]", 0, "it takes features, and gets []"},
	{"[{\"input\":[2,2,2,2]},{\"embedding\":3,\"input_dim\":4}]", 0, "it takes [steps], and gets [2, 2, 2, 2]"},
	{"[{\"input\":[5]},{\"embedding\":3}]", 0, "option \"input_dim\" is missing"},
	{"[{\"input\":[5,6,3]},{\"conv2d\":3,\"kernel_size\":[3,7]}]", 0,
	 "option \"kernel_size\" is 7, but the input has only 6 places there"},
	{"[{\"input\":[2,6,3]},\"max_pool\",\"max_pool\"]", 1,
	 "option \"pool_size\" is 2, but the input has only 1 places there"},
	{"[{\"input\":[5,6,3]},{\"conv2d\":3,\"kernel_size\":[3,7,2]}]", 0,
	 "option \"kernel_size\" must have 1 or 2 numbers, not 3"},
	{"[{\"input\":[5,6]},{\"conv1d\":3,\"kernel_size\":3,\"strides\":[1,1]}]", 0,
	 "option \"strides\" must have 1 number, not 2"},
	{"[{\"input\":[5,6]},{\"reshape\":[7,-1]}]", 0, "[5, 6] cannot be reshaped into [7, -1]"},
	{"[{\"input\":[5,6]},{\"reshape\":[5,5]}]", 0, "[5, 6] cannot be reshaped into [5, 5]"},
	{"[{\"input\":[5,6]},{\"reshape\":[-1,-1]}]", 0, "option \"target_shape\" must not have -1 twice"},
	{"[{\"input\":[5,6]},{\"reshape\":[0,-1]}]", 0, "option \"target_shape\" must not have a 0"},
	{"[{\"input\":[5,6]},{\"attention\":4}]", 0, "6 features cannot be shared by 4 heads"},
	{"[{\"input\":[5,6]},{\"batch_norm\":true,\"axis\":1}]", 0, "option \"axis\" must be -1 or 2, not 1"},
	{"[{\"input\":[5,6]},{\"dense\":3},{\"add\":\"input\"}]", 1, "it cannot add [5, 3] and [5, 6]"},
	{"[{\"input\":[5,6]},\"flatten\",{\"concatenate\":\"input\"}]", 1,
	 "it cannot put [30] and [5, 6] side by side"},
	{"[{\"input\":[1000,1000]},{\"dense\":16777216}]", 0,
	 "shape [1000, 16777216] is too large: one sample has at most 268435456 numbers"},
	{"[{\"input\":[268435456]},{\"concatenate\":\"input\"}]", 0,
	 "shape [536870912] is too large: one sample has at most 268435456 numbers"},
};

static void
test_shapes(void **state)
{
	AiLayer		layers[4];

	(void) state;
	for (size_t i = 0; i < COUNT(wrong_shapes); i++)
	{
		const WrongShape *it = &wrong_shapes[i];
		AiDefinition definition;
		AiArena		arena;
		AiError		err;
		int			failed;

		must_parse(&definition, &arena, it->json, strlen(it->json));
		if (definition_walk(layers, &failed, &definition, &definition.input, &err) == AI_OK)
			fail_msg("%s fits", it->json);
		assert_string_equal(err.message, it->message);
		assert_int_equal(failed, it->layer);
		ai_arena_free(&arena);
	}
}

/*
 * Weights as Keras has them
 */
typedef struct Weight
{
	const char *name;
	const char *dims;
	AiInitialiser initialiser;
	int64_t		fan_in;
	int64_t		fan_out;
} Weight;

static void
check_weights(const char *json, const Weight *expected, int n)
{
	AiDefinition definition;
	AiArena		arena;
	AiLayer		layers[2];
	AiLayer    *layer;
	AiError		err;
	int			failed;

	must_parse(&definition, &arena, json, strlen(json));
	if (definition_walk(layers, &failed, &definition, &definition.input, &err) != AI_OK)
		fail_msg("%s", err.message);
	layer = &layers[definition.n_layers - 1];
	assert_int_equal(layer->n_weights, n);
	for (int i = 0; i < n; i++)
	{
		const AiWeight *weight = &layer->weight[i];
		AiShape		shape = {.n_dims = weight->n_dims};
		char		dims[AI_SHAPE_TEXT_SIZE];

		memcpy(shape.dims, weight->dims, sizeof(shape.dims));
		assert_string_equal(weight->name, expected[i].name);
		assert_string_equal(ai_shape_text(dims, &shape), expected[i].dims);
		assert_int_equal(weight->initialiser, expected[i].initialiser);
		if (expected[i].fan_in == 0)
			continue;
		assert_int_equal(weight->fan_in, expected[i].fan_in);
		assert_int_equal(weight->fan_out, expected[i].fan_out);
	}
	ai_arena_free(&arena);
}

static void
test_weights(void **state)
{
	(void) state;
	check_weights("[{\"input\":[5]},{\"dense\":3}]",
				  (Weight[]) {
					  {"kernel", "[5, 3]", AI_INIT_GLOROT_UNIFORM, 5, 3},
					  {"bias", "[3]", AI_INIT_ZEROS, 0, 0}
				  }, 2);
	check_weights("[{\"input\":[9,9,5]},{\"conv2d\":7,\"kernel_size\":[2,3],\"kernel_initializer\":\"he_normal\"}]",
				  (Weight[]) {
					  {"kernel", "[2, 3, 5, 7]", AI_INIT_HE_NORMAL, 30, 42},
					  {"bias", "[7]", AI_INIT_ZEROS, 0, 0}
				  }, 2);
	check_weights("[{\"input\":[9,5]},{\"lstm\":3,\"bidirectional\":true}]",
				  (Weight[]) {
					  {"kernel", "[5, 12]", AI_INIT_GLOROT_UNIFORM, 5, 12},
					  {"recurrent_kernel", "[3, 12]", AI_INIT_ORTHOGONAL, 3, 12},
					  {"bias", "[12]", AI_INIT_LSTM_BIAS, 0, 0},
					  {"backward_kernel", "[5, 12]", AI_INIT_GLOROT_UNIFORM, 5, 12},
					  {"backward_recurrent_kernel", "[3, 12]", AI_INIT_ORTHOGONAL, 3, 12},
					  {"backward_bias", "[12]", AI_INIT_LSTM_BIAS, 0, 0}
				  }, 6);
	check_weights("[{\"input\":[9,5]},{\"gru\":3}]",
				  (Weight[]) {
					  {"kernel", "[5, 9]", AI_INIT_GLOROT_UNIFORM, 5, 9},
					  {"recurrent_kernel", "[3, 9]", AI_INIT_ORTHOGONAL, 3, 9},
					  {"bias", "[2, 9]", AI_INIT_ZEROS, 0, 0}
				  }, 3);
	check_weights("[{\"input\":[9,6]},{\"attention\":2,\"value_dim\":5}]",
				  (Weight[]) {
					  {"query_kernel", "[6, 2, 3]", AI_INIT_GLOROT_UNIFORM, 6, 6},
					  {"query_bias", "[2, 3]", AI_INIT_ZEROS, 0, 0},
					  {"key_kernel", "[6, 2, 3]", AI_INIT_GLOROT_UNIFORM, 6, 6},
					  {"key_bias", "[2, 3]", AI_INIT_ZEROS, 0, 0},
					  {"value_kernel", "[6, 2, 5]", AI_INIT_GLOROT_UNIFORM, 6, 10},
					  {"value_bias", "[2, 5]", AI_INIT_ZEROS, 0, 0},
					  {"output_kernel", "[2, 5, 6]", AI_INIT_GLOROT_UNIFORM, 10, 6},
					  {"output_bias", "[6]", AI_INIT_ZEROS, 0, 0}
				  }, 8);
	check_weights("[{\"input\":[9]},{\"embedding\":4,\"input_dim\":100}]",
				  (Weight[]) {{"embeddings", "[100, 4]", AI_INIT_UNIFORM, 0, 0}}, 1);
}

/*
 * Texts that are no JSON; how jansson words it differs by its version
 */
static const char *const no_json[] = {
	"", "[", "[{\"dense\": 4,}]", "[{\"dense\": 4, \"dense\": 5}]", "[{\"dense\": 1e999}]",
	"[{\"dense\": NaN}]", "[\"\\u0000\"]", "[\"\xff\"]", "[] []", "[\"\\ud800\"]"
};

static void
test_no_json(void **state)
{
	(void) state;
	for (size_t i = 0; i < COUNT(no_json); i++)
	{
		AiDefinition definition;
		AiArena		arena;
		AiError		err;

		ai_arena_init(&arena, ai_malloc_host());
		assert_int_equal(ai_definition_parse(&definition, &arena, ai_layer_types, no_json[i],
											 strlen(no_json[i]), &err), AI_ERR_FORMAT);
		assert_memory_equal(err.message, "invalid JSON: ", 14);
		assert_memory_equal(err.detail, "This is in line 1, column ", 26);
		ai_arena_free(&arena);
	}
}

/*
 * Limits of the text
 */
static void
test_limits(void **state)
{
	Wrong		expected = {NULL, "JSON is too long", NULL};

	(void) state;
	memset(text, ' ', sizeof(text));
	check_wrong(text, AI_JSON_MAX_SIZE + 1, AI_ERR_LIMIT, &expected);
	memset(text, '[', sizeof(text));
	expected.message = "JSON is nested too deeply";
	check_wrong(text, 65, AI_ERR_LIMIT, &expected);
	memset(text, ',', sizeof(text));
	expected.message = "JSON has too many values";
	check_wrong(text, AI_JSON_MAX_VALUES, AI_ERR_LIMIT, &expected);

	text[0] = '[';
	for (int i = 0; i < 1001; i++)
		memcpy(text + 1 + 10 * i, "\"flatten\",", 10);
	memcpy(text + 1 + 10 * 1000 + 9, "]", 1);
	expected.message = "there are 1001 layers, more than 1000";
	check_wrong(text, 1 + 10 * 1001, AI_ERR_PARAM, &expected);
	memcpy(text + 1 + 10 * 999 + 9, "]", 1);
	check_round(text, 1 + 10 * 1000);
}

static AiCode
parse_and_write(const AiHost *host, void *arg, AiError *err)
{
	const char *json = arg;
	AiDefinition definition;
	AiArena		arena;
	AiCode		code;

	ai_arena_init(&arena, host);
	code = ai_definition_parse(&definition, &arena, ai_layer_types, json, strlen(json), err);
	if (code == AI_OK)
		code = ai_definition_write(&json, &definition, &arena, err);
	ai_arena_free(&arena);
	return code;
}

/* Arenas take memory in blocks, so some are made full. */
static void
test_memory(void **state)
{
	(void) state;
	text[read_model("transformer")] = '\0';
	test_every_failed_alloc(parse_and_write, text);
	text[0] = '\0';
	for (int i = 0; i < 900; i++)
		sprintf(text + strlen(text), "%s{\"conv2d\":4,\"kernel_size\":[3,3]}", i == 0 ? "[" : ",");
	strcat(text, "]");
	test_every_failed_alloc(parse_and_write, text);
}

/* jansson's own memory, of which the n-th request fails */
static int	fail_at;

static void *
alloc_or_fail(size_t size)
{
	return fail_at > 0 && --fail_at == 0 ? NULL : malloc(size);
}

static void
test_jansson_memory(void **state)
{
	static const char json[] = "[{\"dense\": 4, \"name\": \"a\"}, [1, \"b\", {}], true]";
	int			n = 0;
	AiCode		code;

	(void) state;
	json_set_alloc_funcs(alloc_or_fail, free);
	do
	{
		const AiJson *value;
		AiArena		arena;
		AiError		err;

		fail_at = ++n;
		ai_arena_init(&arena, ai_malloc_host());
		code = ai_json_parse(&value, &arena, json, strlen(json), &err);
		/* within a string it calls that an error of syntax */
		assert_true(code == AI_OK || code == AI_ERR_NOMEM || code == AI_ERR_FORMAT);
		ai_arena_free(&arena);
	} while (fail_at == 0);
	assert_int_equal(code, AI_OK);
	assert_true(n > 10);
	json_set_alloc_funcs(malloc, free);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_keras),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_keras_errors),
		cmocka_unit_test(test_keras_calls),
		cmocka_unit_test(test_keras_models),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_no_json),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_jansson_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
