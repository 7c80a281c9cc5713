/*-------------------------------------------------------------------------
 * keras.c
 *		Models as Keras 2 and 3 write them by model.to_json().
 *
 * A functional model also lists what computes masks, from Keras 3 on as operations of
 * their own: they reach other layers as the argument "mask" only.  So the layers that
 * count are found from the output back, along all other arguments.  What each of them
 * is, keras_layer.c reads.
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "core/graph/keras_internal.h"

#define MAX_LISTED (4 * AI_MAX_LAYERS)	/* layers and operations for masks */

/* One layer of the list */
typedef struct KerasLayer
{
	const AiJson *json;
	const char *class_name;
	const AiJson *config;
	const char *name;
	bool		is_kept;
	int			number;			/* among the layers that are kept; AI_INPUT */
	int			n_inputs;
	const char *input[AI_LAYER_MAX_INPUTS]; /* names */
	bool		has_mask;		/* it is given one */
	bool		is_causal;
} KerasLayer;

typedef struct KerasModel
{
	AiDefiner  *d;
	bool		is_sequential;
	int			n;
	KerasLayer *layers;
} KerasModel;

/* Of the first end ones; -1: there is none of this name */
static int
find_listed(const KerasModel *model, int end, const char *name)
{
	for (int i = 0; i < end; i++)
	{
		if (strcmp(model->layers[i].name, name) == 0)
			return i;
	}
	return -1;
}

/*
 * What a layer of a functional model takes
 */

/* ["dense", 0, 0] is the output of a layer; NULL: it is something else */
static const char *
history_name(const AiJson *value)
{
	if (value == NULL || value->kind != AI_JSON_ARRAY || value->n < 3 ||
		value->items[1].kind != AI_JSON_NUMBER || value->items[2].kind != AI_JSON_NUMBER)
		return NULL;
	return ai_keras_string(&value->items[0]);
}

static AiCode
add_tensor(AiDefiner *d, KerasLayer *layer, const AiJson *history)
{
	if (!ai_keras_is_number(&history->items[1], 0) || !ai_keras_is_number(&history->items[2], 0))
		return ai_fail(d->err, AI_ERR_UNSUPPORTED,
					   "a layer that is used more than once, \"%s\", is not supported",
					   history->items[0].string);
	if (layer->n_inputs == AI_LAYER_MAX_INPUTS)
		return ai_fail(d->err, AI_ERR_UNSUPPORTED, "a layer has at most %d inputs",
					   AI_LAYER_MAX_INPUTS);
	layer->input[layer->n_inputs++] = history->items[0].string;
	return AI_OK;
}

/* Keras 3: a tensor, or a list of them */
static AiCode
add_tensors(AiDefiner *d, KerasLayer *layer, const AiJson *value, const char *argument)
{
	const AiJson *history = ai_json_member(ai_json_member(value, "config"), "keras_history");

	if (history_name(history) != NULL)
		return add_tensor(d, layer, history);
	if (history_name(value) != NULL)
		return add_tensor(d, layer, value);
	if (value->kind == AI_JSON_NULL || ai_keras_is_false(value))
		return AI_OK;
	if (value->kind != AI_JSON_ARRAY)
		return ai_keras_unsupported(d, layer->class_name, argument, NULL);
	for (int i = 0; i < value->n; i++)
		AI_TRY(add_tensors(d, layer, &value->items[i], argument));
	return AI_OK;
}

/* Arguments by name, of both versions */
static AiCode
add_named(AiDefiner *d, KerasLayer *layer, const AiJson *arguments)
{
	static const char *const tensors[] = {"inputs", "query", "value", "key", NULL};

	for (int i = 0; arguments != NULL && arguments->kind == AI_JSON_OBJECT && i < arguments->n; i++)
	{
		const AiJson *value = &arguments->items[i];
		const char *const *name = tensors;

		if (strcmp(value->key, "mask") == 0)
		{
			layer->has_mask |= value->kind != AI_JSON_NULL;
			continue;
		}
		if (strcmp(value->key, "use_causal_mask") == 0)
		{
			layer->is_causal |= ai_keras_is_true(value);
			continue;
		}
		while (*name != NULL && strcmp(*name, value->key) != 0)
			name++;
		if (*name != NULL)
			AI_TRY(add_tensors(d, layer, value, value->key));
		else if (value->kind != AI_JSON_NULL && !ai_keras_is_false(value))
			return ai_keras_unsupported(d, layer->class_name, value->key, NULL);
	}
	return AI_OK;
}

/* Keras 2: [["a", 0, 0, {}], ["b", 0, 0, {}]] */
static AiCode
add_calls(AiDefiner *d, KerasLayer *layer, const AiJson *node)
{
	for (int i = 0; i < node->n; i++)
	{
		const AiJson *call = &node->items[i];

		if (history_name(call) == NULL)
			return ai_keras_unsupported(d, layer->class_name, "inbound_nodes", NULL);
		AI_TRY(add_tensor(d, layer, call));
		if (call->n > 3)
			AI_TRY(add_named(d, layer, &call->items[3]));
	}
	return AI_OK;
}

/* Query, value and key of attention have to be one. */
static AiCode
merge_attention(AiDefiner *d, KerasLayer *layer)
{
	for (int i = 1; i < layer->n_inputs; i++)
	{
		if (strcmp(layer->input[i], layer->input[0]) != 0)
			return ai_fail(d->err, AI_ERR_UNSUPPORTED,
						   "attention of one sequence to another, \"%s\" to \"%s\", is not supported",
						   layer->input[0], layer->input[i]);
	}
	if (layer->n_inputs > 1)
		layer->n_inputs = 1;
	return AI_OK;
}

static AiCode
read_inputs(AiDefiner *d, KerasLayer *layer)
{
	const AiJson *nodes = ai_json_member(layer->json, "inbound_nodes");
	const AiJson *args;

	if (nodes == NULL || nodes->kind != AI_JSON_ARRAY || nodes->n == 0)
		return ai_fail(d->err, AI_ERR_PARAM, "it takes the output of no layer");
	if (nodes->n > 1)
		return ai_fail(d->err, AI_ERR_UNSUPPORTED,
					   "a layer that is used more than once is not supported");
	args = ai_json_member(&nodes->items[0], "args");
	if (args != NULL)
	{
		AI_TRY(add_tensors(d, layer, args, "args"));
		AI_TRY(add_named(d, layer, ai_json_member(&nodes->items[0], "kwargs")));
	}
	else if (nodes->items[0].kind == AI_JSON_ARRAY)
		AI_TRY(add_calls(d, layer, &nodes->items[0]));
	if (layer->n_inputs == 0)
		return ai_fail(d->err, AI_ERR_PARAM, "it takes the output of no layer");
	if (strcmp(layer->class_name, "MultiHeadAttention") == 0)
		return merge_attention(d, layer);
	return AI_OK;
}

/*
 * Models
 */

/* While layers have no numbers of ours yet: an error, and in which layer of the list */
static AiCode
say_listed(AiDefiner *d, const KerasLayer *layer, AiCode code)
{
	AiError		inner;

	if (code == AI_OK || code == AI_ERR_NOMEM)
		return code;
	inner = *d->err;
	ai_fail(d->err, code, "layer \"%s\": %s", layer->name, inner.message);
	ai_detail(d->err, "%s", inner.detail);
	ai_hint(d->err, "%s", inner.hint);
	return code;
}

static AiCode
read_list(KerasModel *model, const AiJson *list)
{
	AiDefiner  *d = model->d;

	if (list == NULL || list->kind != AI_JSON_ARRAY || list->n == 0)
		return ai_fail(d->err, AI_ERR_PARAM, "the model of Keras has no layers");
	if (list->n > MAX_LISTED)
		return ai_fail(d->err, AI_ERR_PARAM, "the model of Keras has %d layers, more than %d",
					   list->n, AI_MAX_LAYERS);
	model->n = list->n;
	model->layers = ai_arena_alloc_zero(d->arena, (size_t) list->n, sizeof(KerasLayer));
	if (model->layers == NULL)
		return ai_out_of_memory(d->err, (size_t) list->n * sizeof(KerasLayer), "layers");
	for (int i = 0; i < list->n; i++)
	{
		KerasLayer *layer = &model->layers[i];

		layer->json = &list->items[i];
		layer->class_name = ai_keras_string(ai_json_member(layer->json, "class_name"));
		layer->config = ai_json_member(layer->json, "config");
		layer->name = ai_keras_string(ai_json_member(layer->config, "name"));
		if (layer->name == NULL)
			layer->name = ai_keras_string(ai_json_member(layer->json, "name"));
		if (layer->class_name == NULL || layer->config == NULL ||
			layer->config->kind != AI_JSON_OBJECT || layer->name == NULL)
		{
			ai_fail(d->err, AI_ERR_PARAM, "item %d of the layers of Keras has no class, config or name",
					i + 1);
			ai_hint(d->err, "Write the model by model.to_json().");
			return AI_ERR_PARAM;
		}
	}
	return AI_OK;
}

static bool
is_input_layer(const KerasLayer *layer)
{
	return strcmp(layer->class_name, "InputLayer") == 0;
}

/* The one layer that input_layers or output_layers tells: ["a", 0, 0], in lists or not */
static const char *
only_layer(const AiJson *list)
{
	while (list != NULL && list->kind == AI_JSON_ARRAY && list->n == 1)
		list = &list->items[0];
	return history_name(list);
}

static AiCode
keep_used(KerasModel *model, const AiJson *config)
{
	AiDefiner  *d = model->d;
	const char *output = only_layer(ai_json_member(config, "output_layers"));
	int			last = output == NULL ? -1 : find_listed(model, model->n, output);

	if (only_layer(ai_json_member(config, "input_layers")) == NULL || output == NULL)
	{
		ai_fail(d->err, AI_ERR_UNSUPPORTED, "a model of Keras must have one input and one output");
		ai_hint(d->err, "Join inputs into one, or make a model for each output.");
		return AI_ERR_UNSUPPORTED;
	}
	if (last < 0)
		return ai_fail(d->err, AI_ERR_PARAM, "the output of the model, \"%s\", is none of its layers",
					   output);
	model->layers[last].is_kept = true;
	for (int i = last; i >= 0; i--)
	{
		KerasLayer *layer = &model->layers[i];

		if (!layer->is_kept || is_input_layer(layer))
			continue;
		AI_TRY(say_listed(d, layer, read_inputs(d, layer)));
		for (int j = 0; j < layer->n_inputs; j++)
		{
			int			from = find_listed(model, i, layer->input[j]);

			if (from < 0)
				return say_listed(d, layer, ai_fail(d->err, AI_ERR_PARAM,
													"there is no layer \"%s\" before it",
													layer->input[j]));
			model->layers[from].is_kept = true;
		}
	}
	return AI_OK;
}

static AiCode
read_shape(AiDefiner *d, const AiJson *shape)
{
	AiDefinition *definition = d->definition;

	if (shape == NULL || shape->kind != AI_JSON_ARRAY || definition->has_input)
		return AI_OK;
	return ai_define_shape(&definition->input, &definition->has_input, shape, 1, d->err);
}

/* The input's shape is where the version and the way of building have put it. */
static AiCode
number_layers(KerasModel *model, const AiJson *config)
{
	AiDefiner  *d = model->d;
	int			n = 0;

	for (int i = 0; i < model->n; i++)
	{
		KerasLayer *layer = &model->layers[i];

		layer->number = AI_INPUT;
		if (!layer->is_kept)
			continue;
		if (n == 0)
		{
			AI_TRY(read_shape(d, ai_json_member(layer->config, "batch_shape")));
			AI_TRY(read_shape(d, ai_json_member(layer->config, "batch_input_shape")));
		}
		if (!is_input_layer(layer))
			layer->number = n++;
	}
	AI_TRY(read_shape(d, ai_json_member(config, "build_input_shape")));
	return ai_define_layers(d, n);
}

/* Masks that the network does not make by itself would be lost. */
static AiCode
check_masks(const KerasModel *model)
{
	bool		makes_mask = false;

	for (int i = 0; i < model->n; i++)
	{
		const KerasLayer *layer = &model->layers[i];

		makes_mask |= layer->is_kept && ai_keras_is_true(ai_json_member(layer->config, "mask_zero"));
		if (layer->is_kept && layer->has_mask && !makes_mask)
		{
			ai_keras_unsupported(model->d, layer->class_name, "mask",
						"Give the Embedding layer mask_zero=True, which makes the mask.");
			return say_listed(model->d, layer, AI_ERR_UNSUPPORTED);
		}
	}
	return AI_OK;
}

/*
 * Layers as ours
 */
static void
find_inputs(const KerasModel *model, const KerasLayer *layer)
{
	AiLayerDefinition *it = &model->d->definition->layers[layer->number];

	if (model->is_sequential)
	{
		it->input[it->n_inputs++] = layer->number - 1;
		return;
	}
	for (int i = 0; i < layer->n_inputs; i++)
	{
		int			from = find_listed(model, model->n, layer->input[i]);

		it->input[it->n_inputs++] = model->layers[from].number;
	}
}

static AiCode
read_layer(const KerasModel *model, const KerasLayer *layer)
{
	AiDefiner  *d = model->d;
	int			number = layer->number;
	uint32_t	given = 0;

	AI_TRY(ai_define_name(d, number, layer->name));
	AI_TRY(ai_keras_read_layer(d, number, layer->class_name, layer->config, layer->is_causal,
							   &given));
	find_inputs(model, layer);
	return ai_define_end_layer(d, number, given);
}

bool
ai_keras_is_model(const AiJson *json)
{
	return ai_keras_string(ai_json_member(json, "class_name")) != NULL;
}

AiCode
ai_keras_define(AiDefiner *d, const AiJson *json)
{
	const char *class_name = ai_keras_string(ai_json_member(json, "class_name"));
	const AiJson *config = ai_json_member(json, "config");
	KerasModel	model = {.d = d};

	model.is_sequential = strcmp(class_name, "Sequential") == 0;
	if (!model.is_sequential && strcmp(class_name, "Functional") != 0 &&
		strcmp(class_name, "Model") != 0)
	{
		ai_fail(d->err, AI_ERR_UNSUPPORTED, "Keras's class \"%s\" is not supported as a model",
				class_name);
		ai_hint(d->err, "Sequential and functional models can be read.");
		return AI_ERR_UNSUPPORTED;
	}
	AI_TRY(read_list(&model, config != NULL && config->kind == AI_JSON_ARRAY ? config :
					 ai_json_member(config, "layers")));
	if (!model.is_sequential)
		AI_TRY(keep_used(&model, config));
	for (int i = 0; model.is_sequential && i < model.n; i++)
		model.layers[i].is_kept = true;
	AI_TRY(number_layers(&model, config));
	AI_TRY(check_masks(&model));
	for (int i = 0; i < model.n; i++)
	{
		const KerasLayer *layer = &model.layers[i];

		if (layer->is_kept && layer->number != AI_INPUT)
			AI_TRY(ai_define_say_layer(d, layer->number, read_layer(&model, layer)));
	}
	return AI_OK;
}
