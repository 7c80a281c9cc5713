/*-------------------------------------------------------------------------
 * keras_argument.c
 *		One argument of a layer of Keras.
 *
 * A config of Keras holds every argument of a layer.  Each is an option of ours, or has
 * one value that we can do (fixed_values), or says nothing of the result, or is null or
 * false; anything else is refused by name, so that no model is quietly another one.
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <string.h>

#include "core/graph/keras_internal.h"

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

AiCode
ai_keras_unsupported(AiDefiner *d, const char *class_name, const char *key, const char *hint)
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
		if (scale != NULL && ai_keras_is_number(scale, s->scale) &&
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

	return value == NULL || ai_keras_is_number(value, number);
}

/* The name of an initialiser or an activation, as ours are written; false: it is none */
static bool
choice_name(char name[AI_OPTION_NAME_SIZE], const AiJson *value)
{
	const char *class_name = ai_keras_string(ai_json_member(value, "class_name"));
	const AiJson *config = ai_json_member(value, "config");

	if (value->kind == AI_JSON_STRING)
		small_letters(name, value->string);
	else if (value->kind == AI_JSON_NULL)
		snprintf(name, AI_OPTION_NAME_SIZE, "linear");
	else if (class_name == NULL)
		return false;
	else if (strcmp(class_name, "function") == 0 && ai_keras_string(config) != NULL)
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
		ai_keras_unsupported(d, class_name, value->key, NULL);
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
	const char *penalty = ai_keras_string(ai_json_member(value, "class_name"));
	const AiJson *config = ai_json_member(value, "config");
	bool		is_done = false;

	if (penalty == NULL || !is_penalty_class(penalty))
		return ai_keras_unsupported(d, class_name, value->key,
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
	return is_done ? AI_OK : ai_keras_unsupported(d, class_name, value->key, NULL);
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
			return ai_keras_is_true(value);
		case FIXED_STRING:
			return ai_json_is_string(value, fixed->string);
		case FIXED_INITIALISER:
			return choice_name(name, value) && strcmp(name, fixed->string) == 0;
		case FIXED_NUMBER:
			break;
	}
	if (value->kind != AI_JSON_ARRAY)
		return ai_keras_is_number(value, fixed->number);
	for (int i = 0; i < value->n; i++)
	{
		if (!ai_keras_is_number(&value->items[i], fixed->number))
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
		ai_keras_unsupported(d, class_name, value->key, fixed->hint);
		if (fixed->kind == FIXED_NUMBER)
			ai_detail(d->err, "It has to be %.12g.", fixed->number);
		else
			ai_detail(d->err, "It has to be %s.", fixed->kind == FIXED_TRUE ? "true" : fixed->string);
		return AI_ERR_UNSUPPORTED;
	}
	if (value->kind == AI_JSON_NULL || ai_keras_is_false(value))
		return AI_OK;
	return ai_keras_unsupported(d, class_name, value->key, NULL);
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

AiCode
ai_keras_read_argument(AiDefiner *d, int number, const char *class_name, const AiJson *value,
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
