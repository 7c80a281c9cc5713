/*-------------------------------------------------------------------------
 * keras.c
 *		Models as Keras 2 and 3 write them by model.to_json().
 *
 * A config of Keras holds every argument of a layer.  Each is an option of ours, or has
 * one value that we can do (fixed_values), or says nothing of the result, or is null or
 * false; anything else is refused by name, so that no model is quietly another one.
 *
 * A functional model also lists what computes masks, from Keras 3 on as operations of
 * their own: they reach other layers as the argument "mask" only.  So the layers that
 * count are found from the output back, along all other arguments.
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/graph/definition_internal.h"

#define MAX_LISTED (4 * AI_MAX_LAYERS)	/* layers and operations for masks */

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

/* Arguments that are no options of ours */
typedef struct FixedValue
{
	const char *class_name;		/* NULL: of any class */
	const char *key;
	enum
	{
		FIXED_ANY,				/* makes no difference */
		FIXED_NUMBER,			/* this one, or a list of it */
		FIXED_STRING,
		FIXED_TRUE,
		FIXED_INITIALISER
	}			kind;
	double		number;
	const char *string;
	const char *hint;
} FixedValue;

static const FixedValue fixed_values[] = {
	{NULL, "name", FIXED_ANY, 0, NULL, NULL},
	{NULL, "trainable", FIXED_ANY, 0, NULL, NULL},
	{NULL, "dtype", FIXED_ANY, 0, NULL, NULL},
	{NULL, "batch_input_shape", FIXED_ANY, 0, NULL, NULL},
	{NULL, "batch_shape", FIXED_ANY, 0, NULL, NULL},
	{NULL, "input_shape", FIXED_ANY, 0, NULL, NULL},
	{NULL, "input_length", FIXED_ANY, 0, NULL, NULL},
	{NULL, "seed", FIXED_ANY, 0, NULL, NULL},
	{NULL, "implementation", FIXED_ANY, 0, NULL, NULL},
	{NULL, "unroll", FIXED_ANY, 0, NULL, NULL},
	{NULL, "zero_output_for_mask", FIXED_ANY, 0, NULL, NULL},
	{NULL, "renorm_momentum", FIXED_ANY, 0, NULL, NULL},
	{NULL, "query_shape", FIXED_ANY, 0, NULL, NULL},
	{NULL, "key_shape", FIXED_ANY, 0, NULL, NULL},
	{NULL, "value_shape", FIXED_ANY, 0, NULL, NULL},
	{NULL, "fused", FIXED_ANY, 0, NULL, NULL},
	{NULL, "data_format", FIXED_STRING, 0, "channels_last", "Build the model with the channels last."},
	{NULL, "groups", FIXED_NUMBER, 1, NULL, NULL},
	{NULL, "dilation_rate", FIXED_NUMBER, 1, NULL, NULL},
	{NULL, "attention_axes", FIXED_NUMBER, 1, NULL, NULL},
	{NULL, "bias_initializer", FIXED_INITIALISER, 0, "zeros", NULL},
	{NULL, "beta_initializer", FIXED_INITIALISER, 0, "zeros", NULL},
	{NULL, "gamma_initializer", FIXED_INITIALISER, 0, "ones", NULL},
	{NULL, "moving_mean_initializer", FIXED_INITIALISER, 0, "zeros", NULL},
	{NULL, "moving_variance_initializer", FIXED_INITIALISER, 0, "ones", NULL},
	{NULL, "dropout", FIXED_NUMBER, 0, NULL, "Use a layer of its own for dropout."},
	{NULL, "recurrent_dropout", FIXED_NUMBER, 0, NULL, "Use a layer of its own for dropout."},
	{"GRU", "activation", FIXED_STRING, 0, "tanh", NULL},
	{"GRU", "recurrent_activation", FIXED_STRING, 0, "sigmoid", NULL},
	{"GRU", "reset_after", FIXED_TRUE, 0, NULL, NULL},
	{"LSTM", "activation", FIXED_STRING, 0, "tanh", NULL},
	{"LSTM", "recurrent_activation", FIXED_STRING, 0, "sigmoid", NULL},
	{"ELU", "alpha", FIXED_NUMBER, 1, NULL, NULL},
	{"LeakyReLU", "alpha", FIXED_NUMBER, 0.2, NULL, "Build the model with a slope of 0.2."},
	{"LeakyReLU", "negative_slope", FIXED_NUMBER, 0.2, NULL, "Build the model with a slope of 0.2."},
	{"ReLU", "negative_slope", FIXED_NUMBER, 0, NULL, NULL},
	{"ReLU", "threshold", FIXED_NUMBER, 0, NULL, NULL},
	{"Softmax", "axis", FIXED_NUMBER, -1, NULL, NULL},
	{NULL, NULL, FIXED_ANY, 0, NULL, NULL}
};

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

static const char *
string_of(const AiJson *value)
{
	return value != NULL && value->kind == AI_JSON_STRING ? value->string : NULL;
}

static bool
is_true(const AiJson *value)
{
	return value != NULL && value->kind == AI_JSON_BOOL && value->truth;
}

static bool
is_false(const AiJson *value)
{
	return value != NULL && value->kind == AI_JSON_BOOL && !value->truth;
}

/* Keras 2 writes what was a float: 0.2 is 0.20000000298023224. */
static bool
is_number(const AiJson *value, double number)
{
	return value->kind == AI_JSON_NUMBER && fabs(value->number - number) <= 1e-7;
}

static AiCode
unsupported(AiDefiner *d, const char *class_name, const char *key, const char *hint)
{
	ai_fail(d->err, AI_ERR_UNSUPPORTED, "\"%s\" of Keras's layer \"%s\" is not supported as it is here",
			key, class_name);
	if (hint != NULL)
		ai_hint(d->err, "%s", hint);
	return AI_ERR_UNSUPPORTED;
}

/* "GlorotUniform" is "glorot_uniform". */
static void
small_letters(char name[AI_OPTION_NAME_SIZE], const char *class_name)
{
	size_t		n = 0;

	for (const char *c = class_name; *c != '\0' && n + 2 < AI_OPTION_NAME_SIZE; c++)
	{
		bool		is_capital = *c >= 'A' && *c <= 'Z';

		if (is_capital && n > 0)
			name[n++] = '_';
		name[n++] = is_capital ? (char) (*c - 'A' + 'a') : *c;
	}
	name[n] = '\0';
}

/*
 * Initialisers, activations, penalties
 */
typedef struct Scaling
{
	double		scale;
	const char *mode;
	const char *distribution;
	const char *name;
} Scaling;

static const Scaling scalings[] = {
	{1, "fan_avg", "uniform", "glorot_uniform"},
	{1, "fan_avg", "truncated_normal", "glorot_normal"},
	{2, "fan_in", "uniform", "he_uniform"},
	{2, "fan_in", "truncated_normal", "he_normal"},
	{1, "fan_in", "uniform", "lecun_uniform"},
	{1, "fan_in", "truncated_normal", "lecun_normal"},
	{0, NULL, NULL, NULL}
};

static const char *
scaling_name(const AiJson *config)
{
	const AiJson *scale = ai_json_member(config, "scale");

	for (const Scaling *s = scalings; s->name != NULL; s++)
	{
		if (scale != NULL && is_number(scale, s->scale) &&
			ai_json_is_string(ai_json_member(config, "mode"), s->mode) &&
			ai_json_is_string(ai_json_member(config, "distribution"), s->distribution))
			return s->name;
	}
	return NULL;
}

static bool
member_is(const AiJson *config, const char *key, double number)
{
	const AiJson *value = ai_json_member(config, key);

	return value == NULL || is_number(value, number);
}

/* The name of an initialiser or an activation, as ours are written; false: it is none */
static bool
choice_name(char name[AI_OPTION_NAME_SIZE], const AiJson *value)
{
	const char *class_name = string_of(ai_json_member(value, "class_name"));
	const AiJson *config = ai_json_member(value, "config");

	if (value->kind == AI_JSON_STRING)
		small_letters(name, value->string);
	else if (value->kind == AI_JSON_NULL)
		snprintf(name, AI_OPTION_NAME_SIZE, "linear");
	else if (class_name == NULL)
		return false;
	else if (strcmp(class_name, "function") == 0 && string_of(config) != NULL)
		small_letters(name, config->string);
	else if (strcmp(class_name, "VarianceScaling") == 0)
	{
		const char *found = scaling_name(config);

		snprintf(name, AI_OPTION_NAME_SIZE, "%s", found != NULL ? found : "");
		return found != NULL;
	}
	else if (strcmp(class_name, "RandomUniform") == 0 || strcmp(class_name, "Orthogonal") == 0)
	{
		small_letters(name, class_name);
		return member_is(config, "minval", -0.05) && member_is(config, "maxval", 0.05) &&
			member_is(config, "gain", 1);
	}
	else
		small_letters(name, class_name);
	return true;
}

static AiCode
set_choice(AiDefiner *d, int number, const char *class_name, const AiOption *option,
		   const AiJson *value, uint32_t *given)
{
	char		name[AI_OPTION_NAME_SIZE];
	AiJson		choice = {.kind = AI_JSON_STRING, .string = name};

	if (!choice_name(name, value) || ai_option_choice(option, name) < 0)
	{
		unsupported(d, class_name, value->key, NULL);
		if (value->kind == AI_JSON_STRING)
			ai_detail(d->err, "It is \"%s\".", value->string);
		return AI_ERR_UNSUPPORTED;
	}
	return ai_define_option(d, number, option, &choice, given);
}

static bool
is_penalty_class(const char *name)
{
	return strcmp(name, "L1") == 0 || strcmp(name, "L2") == 0 || strcmp(name, "L1L2") == 0;
}

/* Options "l1", "l2" or "recurrent_l1", "recurrent_l2" from an object */
static AiCode
set_penalties(AiDefiner *d, int number, const char *class_name, const AiJson *value,
			  uint32_t *given)
{
	const AiLayerType *type = d->definition->layers[number].type;
	const char *penalty = string_of(ai_json_member(value, "class_name"));
	const AiJson *config = ai_json_member(value, "config");
	bool		is_done = false;

	if (penalty == NULL || !is_penalty_class(penalty))
		return unsupported(d, class_name, value->key,
						   "Regularizers that can be read are objects of L1, L2 and L1L2.");
	for (const AiOption *o = type->options; o->name != NULL; o++)
	{
		const AiJson *number_of;

		if (o->keras_name == NULL || strcmp(o->keras_name, value->key) != 0)
			continue;
		is_done = true;
		number_of = ai_json_member(config, o->name + strlen(o->name) - 2);
		if (number_of != NULL)
			AI_TRY(ai_define_option(d, number, o, number_of, given));
	}
	return is_done ? AI_OK : unsupported(d, class_name, value->key, NULL);
}

/*
 * Arguments
 */
static bool
has_fixed_value(const FixedValue *fixed, const AiJson *value)
{
	char		name[AI_OPTION_NAME_SIZE];

	switch (fixed->kind)
	{
		case FIXED_ANY:
			return true;
		case FIXED_TRUE:
			return is_true(value);
		case FIXED_STRING:
			return ai_json_is_string(value, fixed->string);
		case FIXED_INITIALISER:
			return choice_name(name, value) && strcmp(name, fixed->string) == 0;
		case FIXED_NUMBER:
			break;
	}
	if (value->kind != AI_JSON_ARRAY)
		return is_number(value, fixed->number);
	for (int i = 0; i < value->n; i++)
	{
		if (!is_number(&value->items[i], fixed->number))
			return false;
	}
	return true;
}

static AiCode
check_fixed(AiDefiner *d, const char *class_name, const AiJson *value)
{
	for (const FixedValue *fixed = fixed_values; fixed->key != NULL; fixed++)
	{
		if (strcmp(fixed->key, value->key) != 0 ||
			(fixed->class_name != NULL && strcmp(fixed->class_name, class_name) != 0))
			continue;
		if (has_fixed_value(fixed, value) ||
			(value->kind == AI_JSON_NULL && fixed->kind == FIXED_NUMBER))
			return AI_OK;
		unsupported(d, class_name, value->key, fixed->hint);
		if (fixed->kind == FIXED_NUMBER)
			ai_detail(d->err, "It has to be %.12g.", fixed->number);
		else
			ai_detail(d->err, "It has to be %s.", fixed->kind == FIXED_TRUE ? "true" : fixed->string);
		return AI_ERR_UNSUPPORTED;
	}
	if (value->kind == AI_JSON_NULL || is_false(value))
		return AI_OK;
	return unsupported(d, class_name, value->key, NULL);
}

static const AiOption *
find_option(const AiLayerType *type, const char *key)
{
	for (const AiOption *o = type->options; o->name != NULL; o++)
	{
		if (strcmp(o->keras_name != NULL ? o->keras_name : o->name, key) == 0)
			return o;
	}
	return NULL;
}

static AiCode
read_argument(AiDefiner *d, int number, const char *class_name, const AiJson *value,
			  uint32_t *given)
{
	static const char penalty[] = "_regularizer";
	const AiOption *option = find_option(d->definition->layers[number].type, value->key);
	size_t		len = strlen(value->key);

	if (len > sizeof(penalty) && strcmp(value->key + len - sizeof(penalty) + 1, penalty) == 0 &&
		value->kind != AI_JSON_NULL)
		return set_penalties(d, number, class_name, value, given);
	if (option == NULL)
		return check_fixed(d, class_name, value);
	if (option->kind == AI_OPTION_CHOICE)
		return set_choice(d, number, class_name, option, value, given);
	if (value->kind == AI_JSON_NULL)
		return AI_OK;
	if (option->kind == AI_OPTION_INT && value->kind == AI_JSON_ARRAY && value->n == 1)
		value = &value->items[0];
	return ai_define_option(d, number, option, value, given);
}

static void
read_trainable(AiDefiner *d, int number, const AiJson *config)
{
	if (is_false(ai_json_member(config, "trainable")))
		d->definition->layers[number].is_frozen = true;
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
		AI_TRY(read_argument(d, number, kind->name, &config->items[i], given));
	read_trainable(d, number, config);
	return AI_OK;
}

/*
 * Wrappers
 */
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

/* The config of the layer that a wrapper holds, and its class's name; NULL: there is none */
static const AiJson *
held_layer(const char **class_name, const AiJson *config, const char *key)
{
	const AiJson *layer = ai_json_member(config, key);
	const AiJson *held = ai_json_member(layer, "config");

	*class_name = string_of(ai_json_member(layer, "class_name"));
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
			return unsupported(d, class_name, value->key, NULL);
		AI_TRY(read_argument(d, number, class_name, value, given));
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

	if (is_true(backwards) != is_backward)
		return unsupported(d, kind->name, "go_backwards", NULL);
	for (int i = 0; i < config->n; i++)
	{
		if (&config->items[i] != backwards)
			AI_TRY(read_argument(d, number, kind->name, &config->items[i], given));
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
			return unsupported(d, "Bidirectional", "backward_layer", NULL);
		AI_TRY(read_held(d, number, kind, backward, true, &backward_given));
	}
	forward_config = it->config;
	AI_TRY(ai_define_type(d, number, it->type));
	AI_TRY(read_held(d, number, kind, forward, false, given));
	if (backward != NULL && memcmp(forward_config, it->config, it->type->config_size) != 0)
		return unsupported(d, "Bidirectional", "backward_layer",
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

/*
 * Layers
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
		int			from = 0;

		while (strcmp(model->layers[from].name, layer->input[i]) != 0)
			from++;
		it->input[it->n_inputs++] = model->layers[from].number;
	}
}

static AiCode
read_layer(const KerasModel *model, const KerasLayer *layer)
{
	AiDefiner  *d = model->d;
	int			number = layer->number;
	const KerasClass *kind;
	uint32_t	given = 0;

	AI_TRY(ai_define_name(d, number, layer->name));
	if (strcmp(layer->class_name, "Bidirectional") == 0)
		AI_TRY(read_bidirectional(d, number, layer->config, &given));
	else if (strcmp(layer->class_name, "TimeDistributed") == 0)
		AI_TRY(read_time_distributed(d, number, layer->config, &given));
	else
	{
		AI_TRY(begin_layer(d, number, &kind, layer->class_name));
		AI_TRY(read_config(d, number, kind, layer->config, &given));
	}
	if (layer->is_causal)
		AI_TRY(set_bool(d, number, "causal", &given));
	find_inputs(model, layer);
	return ai_define_end_layer(d, number, given);
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
	return string_of(&value->items[0]);
}

static AiCode
add_tensor(AiDefiner *d, KerasLayer *layer, const AiJson *history)
{
	if (!is_number(&history->items[1], 0) || !is_number(&history->items[2], 0))
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
	if (value->kind == AI_JSON_NULL || is_false(value))
		return AI_OK;
	if (value->kind != AI_JSON_ARRAY)
		return unsupported(d, layer->class_name, argument, NULL);
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
			layer->is_causal |= is_true(value);
			continue;
		}
		while (*name != NULL && strcmp(*name, value->key) != 0)
			name++;
		if (*name != NULL)
			AI_TRY(add_tensors(d, layer, value, value->key));
		else if (value->kind != AI_JSON_NULL && !is_false(value))
			return unsupported(d, layer->class_name, value->key, NULL);
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
			return unsupported(d, layer->class_name, "inbound_nodes", NULL);
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
		layer->class_name = string_of(ai_json_member(layer->json, "class_name"));
		layer->config = ai_json_member(layer->json, "config");
		layer->name = string_of(ai_json_member(layer->config, "name"));
		if (layer->name == NULL)
			layer->name = string_of(ai_json_member(layer->json, "name"));
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

		makes_mask |= layer->is_kept && is_true(ai_json_member(layer->config, "mask_zero"));
		if (layer->is_kept && layer->has_mask && !makes_mask)
		{
			unsupported(model->d, layer->class_name, "mask",
						"Give the Embedding layer mask_zero=True, which makes the mask.");
			return say_listed(model->d, layer, AI_ERR_UNSUPPORTED);
		}
	}
	return AI_OK;
}

bool
ai_keras_is_model(const AiJson *json)
{
	return string_of(ai_json_member(json, "class_name")) != NULL;
}

AiCode
ai_keras_define(AiDefiner *d, const AiJson *json)
{
	const char *class_name = string_of(ai_json_member(json, "class_name"));
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
