/*-------------------------------------------------------------------------
 * keras_layer.c
 *		Layers of Keras, and wrappers around them.
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "core/graph/keras_internal.h"

/* Keras's classes by our kinds */
typedef struct KerasClass
{
	const char *name;
	const char *type;
	const char *choice;			/* the first option's value, where the class says it */
} KerasClass;

static const KerasClass classes[] = {
	{"Activation", "activation", NULL},
	{"Add", "add", NULL},
	{"AveragePooling1D", "avg_pool", NULL},
	{"AveragePooling2D", "avg_pool", NULL},
	{"BatchNormalization", "batch_norm", NULL},
	{"Concatenate", "concatenate", NULL},
	{"Conv1D", "conv1d", NULL},
	{"Conv2D", "conv2d", NULL},
	{"Dense", "dense", NULL},
	{"Dropout", "dropout", NULL},
	{"ELU", "activation", "elu"},
	{"Embedding", "embedding", NULL},
	{"Flatten", "flatten", NULL},
	{"GRU", "gru", NULL},
	{"GlobalAveragePooling1D", "global_pool", "average"},
	{"GlobalAveragePooling2D", "global_pool", "average"},
	{"GlobalMaxPooling1D", "global_pool", "max"},
	{"GlobalMaxPooling2D", "global_pool", "max"},
	{"LSTM", "lstm", NULL},
	{"LayerNormalization", "layer_norm", NULL},
	{"LeakyReLU", "activation", "leaky_relu"},
	{"MaxPooling1D", "max_pool", NULL},
	{"MaxPooling2D", "max_pool", NULL},
	{"MultiHeadAttention", "attention", NULL},
	{"Normalization", "normalize", NULL},
	{"ReLU", "activation", "relu"},
	{"Rescaling", "rescale", NULL},
	{"Reshape", "reshape", NULL},
	{"SimpleRNN", "simple_rnn", NULL},
	{"Softmax", "activation", "softmax"},
	{NULL, NULL, NULL}
};

static const char supported_hint[] =
	"Layers that can be read are Dense, Conv and pooling layers (1D and 2D), Flatten, Reshape, "
	"Embedding, LSTM, GRU, SimpleRNN, Bidirectional, TimeDistributed, MultiHeadAttention, "
	"BatchNormalization, LayerNormalization, Dropout, Activation, ReLU, ELU, LeakyReLU, Softmax, "
	"Add, Concatenate, Normalization and Rescaling.";

/* What TimeDistributed may hold: what treats each step alone anyway */
static const char *const stepwise[] = {
	"Activation", "Dense", "Dropout", "LayerNormalization", "ReLU", "ELU", "LeakyReLU", NULL
};

static void
read_trainable(AiDefiner *d, int number, const AiJson *config)
{
	if (ai_keras_is_false(ai_json_member(config, "trainable")))
		d->definition->layers[number].is_frozen = true;
}

static const KerasClass *
find_class(const AiDefiner *d, const char *name)
{
	for (const KerasClass *kind = classes; kind->name != NULL; kind++)
	{
		if (strcmp(kind->name, name) == 0 && ai_define_find_type(d, kind->type) != NULL)
			return kind;
	}
	return NULL;
}

static AiCode
begin_layer(AiDefiner *d, int number, const KerasClass **kind, const char *class_name)
{
	*kind = find_class(d, class_name);
	if (*kind != NULL)
		return ai_define_type(d, number, ai_define_find_type(d, (*kind)->type));
	ai_fail(d->err, AI_ERR_UNSUPPORTED, "Keras's layer \"%s\" is not supported", class_name);
	ai_hint(d->err, "%s", supported_hint);
	return AI_ERR_UNSUPPORTED;
}

static AiCode
set_bool(AiDefiner *d, int number, const char *name, uint32_t *given)
{
	const AiLayerType *type = d->definition->layers[number].type;
	const AiOption *option = ai_option_find(type->options, name);
	AiJson		yes = {.kind = AI_JSON_BOOL, .truth = true};

	if (option == NULL)
		return ai_fail(d->err, AI_ERR_UNSUPPORTED, "a layer of kind \"%s\" cannot be %s", type->name,
					   name);
	return ai_define_option(d, number, option, &yes, given);
}

static AiCode
read_config(AiDefiner *d, int number, const KerasClass *kind, const AiJson *config,
			uint32_t *given)
{
	const AiLayerType *type = d->definition->layers[number].type;

	if (kind->choice != NULL)
	{
		AiJson		choice = {.kind = AI_JSON_STRING, .string = kind->choice};

		AI_TRY(ai_define_option(d, number, &type->options[0], &choice, given));
	}
	for (int i = 0; i < config->n; i++)
		AI_TRY(ai_keras_read_argument(d, number, kind->name, &config->items[i], given));
	read_trainable(d, number, config);
	return AI_OK;
}

/*
 * Wrappers
 */

/* The config of the layer that a wrapper holds, and its class's name; NULL: there is none */
static const AiJson *
held_layer(const char **class_name, const AiJson *config, const char *key)
{
	const AiJson *layer = ai_json_member(config, key);
	const AiJson *held = ai_json_member(layer, "config");

	*class_name = ai_keras_string(ai_json_member(layer, "class_name"));
	return *class_name != NULL && held != NULL && held->kind == AI_JSON_OBJECT ? held : NULL;
}

/* Arguments of the wrapper itself: merge_mode is the option of the layer that is held. */
static AiCode
read_wrapper(AiDefiner *d, int number, const char *class_name, const AiJson *config,
			 uint32_t *given)
{
	for (int i = 0; i < config->n; i++)
	{
		const AiJson *value = &config->items[i];

		if (strcmp(value->key, "layer") == 0 || strcmp(value->key, "backward_layer") == 0)
			continue;
		if (strcmp(value->key, "merge_mode") == 0 && value->kind == AI_JSON_NULL)
			return ai_keras_unsupported(d, class_name, value->key, NULL);
		AI_TRY(ai_keras_read_argument(d, number, class_name, value, given));
	}
	read_trainable(d, number, config);
	return AI_OK;
}

/* go_backwards is what makes the one layer differ from the other. */
static AiCode
read_held(AiDefiner *d, int number, const KerasClass *kind, const AiJson *config,
		  bool is_backward, uint32_t *given)
{
	const AiJson *backwards = ai_json_member(config, "go_backwards");

	if (ai_keras_is_true(backwards) != is_backward)
		return ai_keras_unsupported(d, kind->name, "go_backwards", NULL);
	for (int i = 0; i < config->n; i++)
	{
		if (&config->items[i] != backwards)
			AI_TRY(ai_keras_read_argument(d, number, kind->name, &config->items[i], given));
	}
	read_trainable(d, number, config);
	return AI_OK;
}

static AiCode
read_bidirectional(AiDefiner *d, int number, const AiJson *config, uint32_t *given)
{
	AiLayerDefinition *it = &d->definition->layers[number];
	const KerasClass *kind;
	const char *class_name;
	const char *backward_name;
	const AiJson *forward = held_layer(&class_name, config, "layer");
	const AiJson *backward = held_layer(&backward_name, config, "backward_layer");
	uint32_t	backward_given = 0;
	void	   *forward_config;

	if (forward == NULL)
		return ai_fail(d->err, AI_ERR_PARAM, "it holds no layer");
	AI_TRY(begin_layer(d, number, &kind, class_name));
	if (backward != NULL)
	{
		if (strcmp(backward_name, class_name) != 0)
			return ai_keras_unsupported(d, "Bidirectional", "backward_layer", NULL);
		AI_TRY(read_held(d, number, kind, backward, true, &backward_given));
	}
	forward_config = it->config;
	AI_TRY(ai_define_type(d, number, it->type));
	AI_TRY(read_held(d, number, kind, forward, false, given));
	if (backward != NULL && memcmp(forward_config, it->config, it->type->config_size) != 0)
		return ai_keras_unsupported(d, "Bidirectional", "backward_layer",
									"Both directions must have the same options.");
	AI_TRY(set_bool(d, number, "bidirectional", given));
	return read_wrapper(d, number, "Bidirectional", config, given);
}

static AiCode
read_time_distributed(AiDefiner *d, int number, const AiJson *config, uint32_t *given)
{
	const KerasClass *kind;
	const char *class_name;
	const AiJson *held = held_layer(&class_name, config, "layer");

	if (held == NULL)
		return ai_fail(d->err, AI_ERR_PARAM, "it holds no layer");
	for (const char *const *name = stepwise; strcmp(*name, class_name) != 0;)
	{
		if (*++name == NULL)
			return ai_fail(d->err, AI_ERR_UNSUPPORTED,
						   "Keras's layer \"TimeDistributed\" of \"%s\" is not supported", class_name);
	}
	AI_TRY(begin_layer(d, number, &kind, class_name));
	AI_TRY(read_config(d, number, kind, held, given));
	return read_wrapper(d, number, "TimeDistributed", config, given);
}

AiCode
ai_keras_read_layer(AiDefiner *d, int number, const char *class_name, const AiJson *config,
					bool is_causal, uint32_t *given)
{
	const KerasClass *kind;

	if (strcmp(class_name, "Bidirectional") == 0)
		AI_TRY(read_bidirectional(d, number, config, given));
	else if (strcmp(class_name, "TimeDistributed") == 0)
		AI_TRY(read_time_distributed(d, number, config, given));
	else
	{
		AI_TRY(begin_layer(d, number, &kind, class_name));
		AI_TRY(read_config(d, number, kind, config, given));
	}
	return is_causal ? set_bool(d, number, "causal", given) : AI_OK;
}
