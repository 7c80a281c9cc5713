/*-------------------------------------------------------------------------
 * json.c
 *		JSON as a tree in an arena, by jansson.
 *
 * jansson is asked to parse and for nothing else: PostgreSQL exports functions named
 * like some of those that make values, json_object() is one, and ours would be bound
 * to the server's.  (Its own calls among themselves are bound when it is built.)
 *-------------------------------------------------------------------------
 */
#include "core/base/json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static AiCode
too_large(AiError *err, const char *what, size_t max, const char *unit)
{
	ai_fail(err, AI_ERR_LIMIT, "JSON %s", what);
	ai_detail(err, "At most %zu %s are read.", max, unit);
	return AI_ERR_LIMIT;
}

/* Before anything is allocated for it: how deep and how much it can be */
static AiCode
check_size(const char *text, size_t len, AiError *err)
{
	size_t		n_values = 1;
	int			depth = 0;
	bool		in_string = false;

	if (len > AI_JSON_MAX_SIZE)
		return too_large(err, "is too long", AI_JSON_MAX_SIZE, "bytes");
	for (size_t i = 0; i < len; i++)
	{
		char		c = text[i];

		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (in_string)
			continue;
		else if (c == '[' || c == '{')
		{
			n_values++;
			if (++depth > AI_JSON_MAX_DEPTH)
				return too_large(err, "is nested too deeply", AI_JSON_MAX_DEPTH, "levels");
		}
		else if (c == ']' || c == '}')
			depth--;
		else if (c == ',')
			n_values++;
	}
	if (n_values > AI_JSON_MAX_VALUES)
		return too_large(err, "has too many values", AI_JSON_MAX_VALUES, "values");
	return AI_OK;
}

/* From jansson's values to ours */
typedef struct Copy
{
	AiArena    *arena;
	char	   *strings;		/* where the next one goes; there is room for all */
	AiError    *err;
} Copy;

static const char *
copy_string(Copy *copy, const char *string, size_t len)
{
	char	   *place = copy->strings;

	memcpy(place, string, len);
	place[len] = '\0';
	copy->strings += len + 1;
	return place;
}

static AiCode copy_value(Copy *copy, AiJson *to, const json_t *from);

static AiCode
reserve_items(Copy *copy, AiJson **items, AiJson *to, size_t n)
{
	*items = ai_arena_alloc_zero(copy->arena, n, sizeof(AiJson));
	if (*items == NULL)
		return ai_out_of_memory(copy->err, n * sizeof(AiJson), "JSON");
	to->n = (int) n;
	to->items = *items;
	return AI_OK;
}

static AiCode
copy_array(Copy *copy, AiJson *to, const json_t *from)
{
	size_t		n = json_array_size(from);
	AiJson	   *items;

	to->kind = AI_JSON_ARRAY;
	if (n == 0)
		return AI_OK;
	AI_TRY(reserve_items(copy, &items, to, n));
	for (size_t i = 0; i < n; i++)
		AI_TRY(copy_value(copy, &items[i], json_array_get(from, i)));
	return AI_OK;
}

static AiCode
copy_object(Copy *copy, AiJson *to, json_t *from)
{
	size_t		n = json_object_size(from);
	AiJson	   *item;

	to->kind = AI_JSON_OBJECT;
	if (n == 0)
		return AI_OK;
	AI_TRY(reserve_items(copy, &item, to, n));
	for (void *at = json_object_iter(from); at != NULL; at = json_object_iter_next(from, at))
	{
		const char *key = json_object_iter_key(at);

		item->key = copy_string(copy, key, strlen(key));
		AI_TRY(copy_value(copy, item, json_object_iter_value(at)));
		item++;
	}
	return AI_OK;
}

static AiCode
copy_value(Copy *copy, AiJson *to, const json_t *from)
{
	switch (json_typeof(from))
	{
		case JSON_OBJECT:
			return copy_object(copy, to, (json_t *) from);
		case JSON_ARRAY:
			return copy_array(copy, to, from);
		case JSON_STRING:
			to->kind = AI_JSON_STRING;
			to->string = copy_string(copy, json_string_value(from), json_string_length(from));
			return AI_OK;
		case JSON_INTEGER:
		case JSON_REAL:
			to->kind = AI_JSON_NUMBER;
			to->number = json_number_value(from);
			return AI_OK;
		case JSON_TRUE:
		case JSON_FALSE:
			to->kind = AI_JSON_BOOL;
			to->truth = json_is_true(from);
			return AI_OK;
		case JSON_NULL:
			break;
	}
	to->kind = AI_JSON_NULL;
	return AI_OK;
}

static AiCode
copy_tree(const AiJson **value, AiArena *arena, const json_t *root, size_t len, AiError *err)
{
	AiJson	   *to = ai_arena_alloc_zero(arena, 1, sizeof(AiJson));
	Copy		copy = {.arena = arena, .err = err};

	/* A string needs no more than between its quotation marks, and one byte for its end. */
	copy.strings = ai_arena_alloc(arena, len);
	if (to == NULL || copy.strings == NULL)
		return ai_out_of_memory(err, len, "JSON");
	*value = to;
	return copy_value(&copy, to, root);
}

AiCode
ai_json_parse(const AiJson **value, AiArena *arena, const char *text, size_t len, AiError *err)
{
	json_error_t error = {.text = ""};
	json_t	   *root;
	AiCode		code;

	AI_TRY(check_size(text, len, err));
	root = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL | JSON_DECODE_ANY,
					  &error);
	if (root == NULL)
	{
		/* it does not always say why */
		if (error.text[0] == '\0' || json_error_code(&error) == json_error_out_of_memory)
			return ai_out_of_memory(err, len, "JSON");
		ai_fail(err, AI_ERR_FORMAT, "invalid JSON: %s", error.text);
		ai_detail(err, "This is in line %d, column %d.", error.line, error.column);
		return AI_ERR_FORMAT;
	}
	code = copy_tree(value, arena, root, len, err);
	json_decref(root);
	return code;
}

const AiJson *
ai_json_member(const AiJson *object, const char *key)
{
	if (object == NULL || object->kind != AI_JSON_OBJECT)
		return NULL;
	for (int i = 0; i < object->n; i++)
	{
		if (strcmp(object->items[i].key, key) == 0)
			return &object->items[i];
	}
	return NULL;
}

bool
ai_json_is_string(const AiJson *value, const char *string)
{
	return value != NULL && value->kind == AI_JSON_STRING && strcmp(value->string, string) == 0;
}

const char *
ai_json_kind_name(const AiJson *value)
{
	static const char *const names[] = {
		"null", "a boolean", "a number", "a string", "a list", "an object"
	};

	return names[value->kind];
}

AiCode
ai_json_write(AiBuf *buf, const char *json, AiError *err)
{
	return ai_buf_append(buf, json, strlen(json), err);
}

AiCode
ai_json_write_string(AiBuf *buf, const char *string, AiError *err)
{
	AI_TRY(ai_json_write(buf, "\"", err));
	for (const char *c = string; *c != '\0'; c++)
	{
		char		escape[8];

		if (*c == '"' || *c == '\\')
			snprintf(escape, sizeof(escape), "\\%c", *c);
		else if ((unsigned char) *c < 0x20)
			snprintf(escape, sizeof(escape), "\\u%04x", (unsigned) *c);
		else
			snprintf(escape, sizeof(escape), "%c", *c);
		AI_TRY(ai_json_write(buf, escape, err));
	}
	return ai_json_write(buf, "\"", err);
}

AiCode
ai_json_write_number(AiBuf *buf, double number, AiError *err)
{
	char		digits[40];
	int			precision = 15;

	do
		snprintf(digits, sizeof(digits), "%.*g", precision, number);
	while (precision++ < 17 && strtod(digits, NULL) != number);
	return ai_json_write(buf, digits, err);
}
