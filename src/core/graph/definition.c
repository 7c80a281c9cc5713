/*-------------------------------------------------------------------------
 * definition.c
 *		A network as a user writes it: the own form, and what both forms share.
 *
 * Layers are read three times: for their kinds and given names, for the names of the
 * others, and for options and inputs, which may name any earlier layer.
 *
 * The server stores objects with their keys in an order of its own, so the key that
 * names the kind is found by what it is: no other key is an option of it the other way
 * round.
 *-------------------------------------------------------------------------
 */
#include "core/graph/definition.h"

#include <stdio.h>
#include <string.h>

#include "core/graph/definition_internal.h"

#define MAX_PARTS 3

/* {"bidirectional": {"lstm": {"units": 64}}} has three objects with options. */
typedef struct Entry
{
	const AiLayerType *type;
	const AiJson *value;		/* of the kind's key; NULL: nothing is given */
	const char *name;			/* given, or NULL */
	bool		is_bidirectional;
	int			n_parts;
	struct
	{
		const AiJson *object;
		const char *kind;		/* its key that is no option; NULL: none */
	}			part[MAX_PARTS];
} Entry;

static const char *const common_options[] = {"name", "input", "frozen", "trainable", NULL};

/*
 * What both forms share
 */
AiCode
ai_define_layers(AiDefiner *d, int n)
{
	AiDefinition *definition = d->definition;

	if (n < 1)
	{
		ai_fail(d->err, AI_ERR_PARAM, "there are no layers");
		ai_hint(d->err, "Write, for example, [{\"dense\": 64, \"activation\": \"relu\"}, {\"dense\": 10}].");
		return AI_ERR_PARAM;
	}
	if (n > AI_MAX_LAYERS)
		return ai_fail(d->err, AI_ERR_PARAM, "there are %d layers, more than %d", n, AI_MAX_LAYERS);
	definition->n_layers = n;
	definition->layers = ai_arena_alloc_zero(d->arena, (size_t) n, sizeof(AiLayerDefinition));
	if (definition->layers == NULL)
		return ai_out_of_memory(d->err, (size_t) n * sizeof(AiLayerDefinition), "layers");
	return AI_OK;
}

const AiLayerType *
ai_define_find_type(const AiDefiner *d, const char *name)
{
	for (const AiLayerType *const *type = d->types; *type != NULL; type++)
	{
		if (strcmp((*type)->name, name) == 0)
			return *type;
	}
	return NULL;
}

AiCode
ai_define_type(AiDefiner *d, int number, const AiLayerType *type)
{
	AiLayerDefinition *it = &d->definition->layers[number];

	it->type = type;
	it->config = ai_arena_alloc_zero(d->arena, 1, type->config_size);
	if (it->config == NULL)
		return ai_out_of_memory(d->err, type->config_size, "layers");
	ai_options_initialise(it->config, type->options);
	return AI_OK;
}

static bool
is_printable(const char *name)
{
	for (; *name != '\0'; name++)
	{
		if ((unsigned char) *name < 0x20 || *name == 0x7F)
			return false;
	}
	return true;
}

static AiCode
set_name(AiDefiner *d, int number, const char *name)
{
	size_t		size = strlen(name) + 1;
	char	   *copy = ai_arena_alloc(d->arena, size);

	if (copy == NULL)
		return ai_out_of_memory(d->err, size, "layers");
	memcpy(copy, name, size);
	d->definition->layers[number].name = copy;
	return AI_OK;
}

/* AI_INPUT: no layer of those before "end" has it */
static int
find_layer(const AiDefiner *d, int end, const char *name)
{
	for (int i = 0; i < end; i++)
	{
		const char *other = d->definition->layers[i].name;

		if (other != NULL && strcmp(other, name) == 0)
			return i;
	}
	return AI_INPUT;
}

AiCode
ai_define_name(AiDefiner *d, int number, const char *name)
{
	int			other;

	if (name[0] == '\0' || strlen(name) > AI_LAYER_NAME_MAX || !is_printable(name))
	{
		ai_fail(d->err, AI_ERR_PARAM, "its name must have 1 to %d bytes, without control characters",
				AI_LAYER_NAME_MAX);
		return AI_ERR_PARAM;
	}
	if (strcmp(name, "input") == 0)
	{
		ai_fail(d->err, AI_ERR_PARAM, "no layer can have the name \"input\"");
		ai_detail(d->err, "It stands for what goes into the network.");
		return AI_ERR_PARAM;
	}
	other = find_layer(d, d->definition->n_layers, name);
	if (other != AI_INPUT)
		return ai_fail(d->err, AI_ERR_PARAM, "layer %d has the name \"%s\", too", other + 1, name);
	return set_name(d, number, name);
}

AiCode
ai_define_option(AiDefiner *d, int number, const AiOption *option, const AiJson *value,
				 uint32_t *given)
{
	AiLayerDefinition *it = &d->definition->layers[number];
	uint32_t	bit = UINT32_C(1) << (option - it->type->options);

	if (*given & bit)
		return ai_fail(d->err, AI_ERR_PARAM, "option \"%s\" is given twice", option->name);
	*given |= bit;
	return ai_option_set(it->config, option, value, d->err);
}

static void
list_options(AiNameList *list, char what[96], const AiLayerType *type)
{
	snprintf(what, 96, "Options of %s are", type->name);
	for (const AiOption *o = type->options; o->name != NULL; o++)
		ai_name_list_add(list, o->name);
	for (int i = 0; common_options[i] != NULL; i++)
		ai_name_list_add(list, common_options[i]);
}

AiCode
ai_define_end_layer(AiDefiner *d, int number, uint32_t given)
{
	const AiLayerDefinition *it = &d->definition->layers[number];
	const AiLayerType *type = it->type;

	for (const AiOption *o = type->options; o->name != NULL; o++)
	{
		AiNameList	list = {.len = 0};
		AiGuess		guess = {.meant = NULL};
		char		what[96];

		if (!o->is_needed || (given & UINT32_C(1) << (o - type->options)))
			continue;
		ai_fail(d->err, AI_ERR_PARAM, "option \"%s\" is missing", o->name);
		list_options(&list, what, type);
		ai_hint_names(d->err, &guess, what, &list);
		return AI_ERR_PARAM;
	}
	if (it->n_inputs >= type->min_inputs && it->n_inputs <= type->max_inputs)
		return AI_OK;
	if (type->min_inputs == type->max_inputs)
		ai_fail(d->err, AI_ERR_PARAM, "it takes the output of %d layer, not of %d",
				type->min_inputs, it->n_inputs);
	else
		ai_fail(d->err, AI_ERR_PARAM, "it takes the outputs of %d to %d layers, not of %d",
				type->min_inputs, type->max_inputs, it->n_inputs);
	if (it->n_inputs < type->min_inputs)
		ai_hint(d->err, "{\"%s\": \"NAME\"} takes those of the layer before and of an earlier one; "
				"\"input\" lists all by their names.", type->name);
	return AI_ERR_PARAM;
}

AiCode
ai_define_shape(AiShape *shape, bool *is_known, const AiJson *list, int first, AiError *err)
{
	*shape = (AiShape) {.n_dims = list->n - first};
	*is_known = true;
	if (shape->n_dims < 0 || shape->n_dims > AI_SHAPE_MAX_DIMS)
		return ai_fail(err, AI_ERR_PARAM, "the shape of the input must have at most %d dimensions",
					   AI_SHAPE_MAX_DIMS);
	for (int i = 0; i < shape->n_dims; i++)
	{
		const AiJson *dim = &list->items[first + i];

		if (dim->kind == AI_JSON_NULL)
		{
			*is_known = false;
			shape->dims[i] = 1;
			continue;
		}
		if (dim->kind != AI_JSON_NUMBER || !(dim->number >= 1) ||
			dim->number > (double) AI_SHAPE_MAX_SIZE ||
			dim->number != (double) (int64_t) dim->number)
			return ai_fail(err, AI_ERR_PARAM,
						   "the shape of the input must be a list of whole numbers from 1 to %lld",
						   (long long) AI_SHAPE_MAX_SIZE);
		shape->dims[i] = (int64_t) dim->number;
	}
	return ai_shape_check(shape, err);
}

void
ai_layer_error(AiError *err, int number, const char *name)
{
	AiError		inner = *err;

	if (name != NULL)
		ai_fail(err, inner.code, "layer %d, \"%s\": %s", number + 1, name, inner.message);
	else
		ai_fail(err, inner.code, "layer %d: %s", number + 1, inner.message);
	ai_detail(err, "%s", inner.detail);
	ai_hint(err, "%s", inner.hint);
}

AiCode
ai_define_say_layer(AiDefiner *d, int number, AiCode code)
{
	if (code == AI_OK || code == AI_ERR_NOMEM)
		return code;
	ai_layer_error(d->err, number, d->definition->layers[number].name);
	return code;
}

/*
 * Kinds
 */
static void
guess_kind(AiGuess *guess, const AiDefiner *d, const char *written)
{
	ai_guess_init(guess, written);
	for (const AiLayerType *const *type = d->types; *type != NULL; type++)
	{
		ai_guess_try(guess, (*type)->name, (*type)->name);
		if ((*type)->keras_name != NULL)
			ai_guess_try(guess, (*type)->keras_name, (*type)->name);
	}
}

static AiCode
reject_kind(AiDefiner *d, const char *written)
{
	AiNameList	list = {.len = 0};
	AiGuess		guess;

	guess_kind(&guess, d, written);
	for (const AiLayerType *const *type = d->types; *type != NULL; type++)
		ai_name_list_add(&list, (*type)->name);
	ai_fail(d->err, AI_ERR_PARAM, "there is no kind of layer \"%s\"", written);
	ai_hint_names(d->err, &guess, "Kinds are", &list);
	for (const AiLayerType *const *type = d->types; *type != NULL; type++)
	{
		const AiOption *first = (*type)->options;

		if (first->name != NULL && first->is_needed && first->kind == AI_OPTION_CHOICE &&
			ai_option_choice(first, written) >= 0)
			ai_hint(d->err, "Write {\"%s\": \"%s\"}.", (*type)->name, written);
	}
	return AI_ERR_PARAM;
}

static bool
is_common(const char *key)
{
	for (int i = 0; common_options[i] != NULL; i++)
	{
		if (strcmp(common_options[i], key) == 0)
			return true;
	}
	return false;
}

static bool
is_wrapper(const AiJson *member)
{
	return strcmp(member->key, "bidirectional") == 0 && member->kind == AI_JSON_OBJECT;
}

/* Whether every other key that names a kind is an option of this one */
static bool
owns_other_kinds(const AiDefiner *d, const AiJson *object, const AiJson *kind)
{
	const AiLayerType *type = ai_define_find_type(d, kind->key);

	for (int i = 0; i < object->n; i++)
	{
		const AiJson *other = &object->items[i];

		if (other == kind || (ai_define_find_type(d, other->key) == NULL && !is_wrapper(other)))
			continue;
		if (type == NULL || ai_option_find(type->options, other->key) == NULL)
			return false;
	}
	return true;
}

/* No key names a kind: the one that comes nearest is blamed. */
static AiCode
reject_object(AiDefiner *d, const AiJson *object)
{
	const AiJson *blamed = NULL;

	for (int i = 0; i < object->n; i++)
	{
		AiGuess		guess;

		if (is_common(object->items[i].key))
			continue;
		guess_kind(&guess, d, object->items[i].key);
		if (blamed == NULL || guess.meant != NULL)
			blamed = &object->items[i];
		if (guess.meant != NULL)
			break;
	}
	if (blamed != NULL)
		return reject_kind(d, blamed->key);
	ai_fail(d->err, AI_ERR_PARAM, "it does not say which kind of layer it is");
	ai_hint(d->err, "Write, for example, {\"dense\": 64}.");
	return AI_ERR_PARAM;
}

static AiCode
find_kind(const AiJson **kind, AiDefiner *d, const AiJson *object)
{
	const AiJson *other = NULL;

	*kind = NULL;
	for (int i = 0; i < object->n; i++)
	{
		const AiJson *member = &object->items[i];

		if (ai_define_find_type(d, member->key) == NULL && !is_wrapper(member))
			continue;
		if (owns_other_kinds(d, object, member))
		{
			*kind = member;
			return AI_OK;
		}
		if (other != NULL)
		{
			ai_fail(d->err, AI_ERR_PARAM, "it is of two kinds, \"%s\" and \"%s\"", other->key,
					member->key);
			ai_hint(d->err, "Make each layer an object of its own.");
			return AI_ERR_PARAM;
		}
		other = member;
	}
	return reject_object(d, object);
}

static AiCode
read_given_name(AiDefiner *d, Entry *entry, const AiJson *object)
{
	const AiJson *name = ai_json_member(object, "name");

	if (name == NULL)
		return AI_OK;
	if (name->kind != AI_JSON_STRING)
		return ai_fail(d->err, AI_ERR_PARAM, "option \"name\" must be a string, not %s",
					   ai_json_kind_name(name));
	if (entry->name != NULL)
		return ai_fail(d->err, AI_ERR_PARAM, "option \"name\" is given twice");
	entry->name = name->string;
	return AI_OK;
}

static AiCode
add_part(AiDefiner *d, Entry *entry, const AiJson *object, const char *kind)
{
	entry->part[entry->n_parts].object = object;
	entry->part[entry->n_parts].kind = kind;
	entry->n_parts++;
	return read_given_name(d, entry, object);
}

static AiCode
read_kind(AiDefiner *d, Entry *entry, const AiJson *json)
{
	const AiJson *kind;

	if (json->kind == AI_JSON_STRING)
	{
		entry->type = ai_define_find_type(d, json->string);
		return entry->type != NULL ? AI_OK : reject_kind(d, json->string);
	}
	if (json->kind != AI_JSON_OBJECT)
		return ai_fail(d->err, AI_ERR_PARAM, "it must be an object or the name of a kind, not %s",
					   ai_json_kind_name(json));
	AI_TRY(find_kind(&kind, d, json));
	AI_TRY(add_part(d, entry, json, kind->key));
	if (is_wrapper(kind))
	{
		if (entry->is_bidirectional)
			return ai_fail(d->err, AI_ERR_PARAM, "it is bidirectional twice");
		entry->is_bidirectional = true;
		return read_kind(d, entry, kind);
	}
	entry->type = ai_define_find_type(d, kind->key);
	if (kind->kind == AI_JSON_OBJECT)
		return add_part(d, entry, kind, NULL);
	if (kind->kind != AI_JSON_BOOL || !kind->truth)
		entry->value = kind;
	return AI_OK;
}

/*
 * Names as Keras makes them: the kind, and from the second one on a number
 */
static AiCode
make_names(AiDefiner *d, const Entry *entries)
{
	AiDefinition *definition = d->definition;
	int			n_types = 0;
	int		   *next;

	while (d->types[n_types] != NULL)
		n_types++;
	next = ai_arena_alloc_zero(d->arena, (size_t) n_types, sizeof(int));
	if (next == NULL)
		return ai_out_of_memory(d->err, (size_t) n_types * sizeof(int), "layers");
	for (int i = 0; i < definition->n_layers; i++)
	{
		char		name[AI_LAYER_NAME_MAX + 1];
		int			type = 0;

		if (definition->layers[i].name != NULL)
			continue;
		while (d->types[type] != entries[i].type)
			type++;
		do
		{
			int			number = next[type]++;

			if (number == 0)
				snprintf(name, sizeof(name), "%s", entries[i].type->name);
			else
				snprintf(name, sizeof(name), "%s_%d", entries[i].type->name, number);
		} while (find_layer(d, definition->n_layers, name) != AI_INPUT);
		AI_TRY(set_name(d, i, name));
	}
	return AI_OK;
}

/*
 * Options and inputs
 */
static AiCode
reject_input(AiDefiner *d, int number, const char *name)
{
	AiNameList	list = {.len = 0};
	AiGuess		guess;

	ai_guess_init(&guess, name);
	for (int i = number - 1; i >= 0; i--)
	{
		const char *other = d->definition->layers[i].name;

		ai_guess_try(&guess, other, other);
		ai_name_list_add(&list, other);
	}
	ai_fail(d->err, AI_ERR_PARAM, "there is no layer \"%s\" before it", name);
	ai_hint_names(d->err, &guess, "Layers before it are", &list);
	return AI_ERR_PARAM;
}

static AiCode
add_input(AiDefiner *d, int number, const AiJson *name)
{
	AiLayerDefinition *it = &d->definition->layers[number];
	int			from;

	if (name->kind != AI_JSON_STRING)
		return ai_fail(d->err, AI_ERR_PARAM, "an input must be the name of a layer, not %s",
					   ai_json_kind_name(name));
	if (it->n_inputs == AI_LAYER_MAX_INPUTS)
		return ai_fail(d->err, AI_ERR_PARAM, "a layer has at most %d inputs", AI_LAYER_MAX_INPUTS);
	from = find_layer(d, number, name->string);
	if (from == AI_INPUT && strcmp(name->string, "input") != 0)
		return reject_input(d, number, name->string);
	it->input[it->n_inputs++] = from;
	return AI_OK;
}

static AiCode
add_inputs(AiDefiner *d, int number, const AiJson *names)
{
	if (names->kind != AI_JSON_ARRAY)
		return add_input(d, number, names);
	for (int i = 0; i < names->n; i++)
		AI_TRY(add_input(d, number, &names->items[i]));
	return AI_OK;
}

/* The value of the kind's key: of layers that merge, what is merged with the layer before */
static AiCode
read_value(AiDefiner *d, int number, const AiJson *value, uint32_t *given)
{
	AiLayerDefinition *it = &d->definition->layers[number];
	const AiLayerType *type = it->type;

	if (type->min_inputs > 1 && (value->kind == AI_JSON_STRING || value->kind == AI_JSON_ARRAY))
	{
		it->input[it->n_inputs++] = number - 1;
		return add_inputs(d, number, value);
	}
	if (type->min_inputs == 1 && type->options[0].name != NULL)
		return ai_define_option(d, number, &type->options[0], value, given);
	ai_fail(d->err, AI_ERR_PARAM, "it takes no value, and has %s", ai_json_kind_name(value));
	ai_hint(d->err, "Write {\"%s\": true}.", type->name);
	return AI_ERR_PARAM;
}

/* Where nearly a kind is written, it was to be one: {"dens": 4, "activation": "relu"} */
static AiCode
reject_option(AiDefiner *d, const AiLayerType *type, const char *key)
{
	AiNameList	list = {.len = 0};
	AiGuess		guess;
	AiGuess		kind;
	char		what[96];

	ai_guess_init(&guess, key);
	for (const AiOption *o = type->options; o->name != NULL; o++)
		ai_guess_try(&guess, o->name, o->name);
	for (int i = 0; common_options[i] != NULL; i++)
		ai_guess_try(&guess, common_options[i], common_options[i]);
	guess_kind(&kind, d, key);
	if (guess.meant == NULL && kind.meant != NULL)
		return reject_kind(d, key);
	list_options(&list, what, type);
	ai_fail(d->err, AI_ERR_PARAM, "there is no option \"%s\"", key);
	ai_hint_names(d->err, &guess, what, &list);
	return AI_ERR_PARAM;
}

static AiCode
read_member(AiDefiner *d, int number, const AiJson *member, uint32_t *given)
{
	AiLayerDefinition *it = &d->definition->layers[number];
	const AiOption *option = ai_option_find(it->type->options, member->key);
	bool		is_frozen = strcmp(member->key, "frozen") == 0;

	if (option != NULL)
		return ai_define_option(d, number, option, member, given);
	if (strcmp(member->key, "name") == 0)
		return AI_OK;
	if (strcmp(member->key, "input") == 0)
	{
		if (it->n_inputs > 0)
			return ai_fail(d->err, AI_ERR_PARAM, "its inputs are given twice");
		return add_inputs(d, number, member);
	}
	if (!is_frozen && strcmp(member->key, "trainable") != 0)
		return reject_option(d, it->type, member->key);
	if (member->kind != AI_JSON_BOOL)
		return ai_fail(d->err, AI_ERR_PARAM, "option \"%s\" must be true or false, not %s",
					   member->key, ai_json_kind_name(member));
	it->is_frozen = member->truth == is_frozen;
	return AI_OK;
}

static AiCode
make_bidirectional(AiDefiner *d, int number, uint32_t *given)
{
	const AiLayerType *type = d->definition->layers[number].type;
	const AiOption *option = ai_option_find(type->options, "bidirectional");
	AiJson		yes = {.kind = AI_JSON_BOOL, .truth = true};

	if (option == NULL)
		return ai_fail(d->err, AI_ERR_PARAM, "a layer of kind \"%s\" cannot be bidirectional",
					   type->name);
	return ai_define_option(d, number, option, &yes, given);
}

static AiCode
read_layer(AiDefiner *d, int number, const Entry *entry)
{
	AiLayerDefinition *it = &d->definition->layers[number];
	uint32_t	given = 0;

	AI_TRY(ai_define_type(d, number, entry->type));
	if (entry->is_bidirectional)
		AI_TRY(make_bidirectional(d, number, &given));
	if (entry->value != NULL)
		AI_TRY(read_value(d, number, entry->value, &given));
	for (int i = 0; i < entry->n_parts; i++)
	{
		const AiJson *object = entry->part[i].object;
		const char *kind = entry->part[i].kind;

		for (int j = 0; j < object->n; j++)
		{
			if (kind == NULL || strcmp(object->items[j].key, kind) != 0)
				AI_TRY(read_member(d, number, &object->items[j], &given));
		}
	}
	if (it->n_inputs == 0)
		it->input[it->n_inputs++] = number - 1;
	return ai_define_end_layer(d, number, given);
}

/* {"input": [28, 28, 1]}, which may stand before the layers */
static bool
is_input(const AiJson *json)
{
	return json->kind == AI_JSON_OBJECT && json->n == 1 && strcmp(json->items[0].key, "input") == 0;
}

static AiCode
read_input(AiDefiner *d, const AiJson *shape)
{
	AiDefinition *definition = d->definition;

	if (shape->kind != AI_JSON_ARRAY)
		return ai_fail(d->err, AI_ERR_PARAM, "the shape of the input must be a list, not %s",
					   ai_json_kind_name(shape));
	return ai_define_shape(&definition->input, &definition->has_input, shape, 0, d->err);
}

static AiCode
read_list(AiDefiner *d, const AiJson *list)
{
	AiDefinition *definition = d->definition;
	const AiJson *items = list->items;
	int			first = list->n > 0 && is_input(&items[0]) ? 1 : 0;
	Entry	   *entries;

	if (first > 0)
		AI_TRY(read_input(d, &items[0].items[0]));
	AI_TRY(ai_define_layers(d, list->n - first));
	entries = ai_arena_alloc_zero(d->arena, (size_t) definition->n_layers, sizeof(Entry));
	if (entries == NULL)
		return ai_out_of_memory(d->err, (size_t) definition->n_layers * sizeof(Entry), "layers");
	for (int i = 0; i < definition->n_layers; i++)
	{
		AI_TRY(ai_define_say_layer(d, i, read_kind(d, &entries[i], &items[first + i])));
		if (entries[i].name != NULL)
			AI_TRY(ai_define_say_layer(d, i, ai_define_name(d, i, entries[i].name)));
	}
	AI_TRY(make_names(d, entries));
	for (int i = 0; i < definition->n_layers; i++)
		AI_TRY(ai_define_say_layer(d, i, read_layer(d, i, &entries[i])));
	return AI_OK;
}

AiCode
ai_definition_parse(AiDefinition *definition, AiArena *arena, const AiLayerType *const *types,
					const char *json, size_t len, AiError *err)
{
	AiError		unused;
	AiDefiner	d = {definition, arena, types, err != NULL ? err : &unused};
	const AiJson *value;

	memset(definition, 0, sizeof(*definition));
	AI_TRY(ai_json_parse(&value, arena, json, len, d.err));
	if (ai_keras_is_model(value))
		return ai_keras_define(&d, value);
	if (value->kind == AI_JSON_ARRAY)
		return read_list(&d, value);
	ai_fail(d.err, AI_ERR_PARAM, "layers must be a list or a model written by Keras, not %s",
			ai_json_kind_name(value));
	ai_hint(d.err, "Write, for example, [{\"dense\": 64, \"activation\": \"relu\"}, {\"dense\": 10}].");
	return AI_ERR_PARAM;
}

/*
 * Writing
 */
static AiCode
write_key(AiBuf *buf, const char *key, AiError *err)
{
	AI_TRY(ai_json_write(buf, ",", err));
	AI_TRY(ai_json_write_string(buf, key, err));
	return ai_json_write(buf, ":", err);
}

static AiCode
write_options(AiBuf *buf, const AiLayerDefinition *it, AiError *err)
{
	const AiOption *o = it->type->options;

	AI_TRY(ai_json_write(buf, "{", err));
	AI_TRY(ai_json_write_string(buf, it->type->name, err));
	AI_TRY(ai_json_write(buf, ":", err));
	if (it->type->min_inputs == 1 && o->name != NULL &&
		(o->is_needed || !ai_option_is_initial(it->config, o)))
		AI_TRY(ai_option_write(buf, it->config, o++, err));
	else
		AI_TRY(ai_json_write(buf, "true", err));
	for (; o->name != NULL; o++)
	{
		if (ai_option_is_initial(it->config, o))
			continue;
		AI_TRY(write_key(buf, o->name, err));
		AI_TRY(ai_option_write(buf, it->config, o, err));
	}
	return AI_OK;
}

static AiCode
write_inputs(AiBuf *buf, const AiDefinition *definition, int number, AiError *err)
{
	const AiLayerDefinition *it = &definition->layers[number];

	if (it->n_inputs == 1 && it->input[0] == number - 1)
		return AI_OK;
	AI_TRY(write_key(buf, "input", err));
	for (int i = 0; i < it->n_inputs; i++)
	{
		int			from = it->input[i];

		AI_TRY(ai_json_write(buf, i == 0 ? "[" : ",", err));
		AI_TRY(ai_json_write_string(buf, from == AI_INPUT ? "input" : definition->layers[from].name,
									err));
	}
	return ai_json_write(buf, "]", err);
}

static AiCode
write_layer(AiBuf *buf, const AiDefinition *definition, int number, AiError *err)
{
	const AiLayerDefinition *it = &definition->layers[number];

	AI_TRY(write_options(buf, it, err));
	AI_TRY(write_inputs(buf, definition, number, err));
	if (it->is_frozen)
		AI_TRY(ai_json_write(buf, ",\"frozen\":true", err));
	AI_TRY(write_key(buf, "name", err));
	AI_TRY(ai_json_write_string(buf, it->name, err));
	return ai_json_write(buf, "}", err);
}

static AiCode
write_all(AiBuf *buf, const AiDefinition *definition, AiError *err)
{
	AI_TRY(ai_json_write(buf, "[", err));
	if (definition->has_input)
	{
		char		text[AI_SHAPE_TEXT_SIZE];

		AI_TRY(ai_json_write(buf, "{\"input\":", err));
		AI_TRY(ai_json_write(buf, ai_shape_text(text, &definition->input), err));
		AI_TRY(ai_json_write(buf, "},\n", err));
	}
	for (int i = 0; i < definition->n_layers; i++)
	{
		if (i > 0)
			AI_TRY(ai_json_write(buf, ",\n", err));
		AI_TRY(write_layer(buf, definition, i, err));
	}
	return ai_buf_append(buf, "]", 2, err);
}

AiCode
ai_definition_write(const char **json, const AiDefinition *definition, AiArena *arena, AiError *err)
{
	AiBuf		buf;
	AiCode		code;

	ai_buf_init(&buf, arena->host);
	code = write_all(&buf, definition, err);
	if (code == AI_OK)
	{
		char	   *copy = ai_arena_alloc(arena, buf.len);

		if (copy == NULL)
			code = ai_out_of_memory(err, buf.len, "layers");
		else
			memcpy(copy, buf.data, buf.len);
		*json = copy;
	}
	ai_buf_free(&buf);
	return code;
}
