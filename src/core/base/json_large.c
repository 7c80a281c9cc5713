/*-------------------------------------------------------------------------
 * json_large.c
 *		Large JSON as a tree in an arena: files of a model, as vocabularies.
 *
 * From the tokens of json_scan.c, so that it can be stopped, and takes no more memory than the
 * tree and its values once more.  The items of what is open wait on a stack, and move to the
 * arena when its end comes.
 *-------------------------------------------------------------------------
 */
#include "core/base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"
#include "core/base/json_scan.h"
#include "core/base/sort.h"

#define VALUES_PER_ASK 4096
#define MAX_COMPARED 16			/* keys that are compared with each other */

/* An array or object that is open */
typedef struct Open
{
	AiJson		value;
	size_t		first;			/* of its items on the stack */
} Open;

typedef struct Parse
{
	AiArena    *arena;
	AiJsonScan	scan;
	AiBuf		stack;			/* of AiJson */
	Open		open[AI_JSON_MAX_DEPTH];
	int			depth;
	const char *key;			/* of the next value; NULL: none */
	size_t		n_values;
	AiJson	   *root;
	AiError    *err;
} Parse;

static AiCode
wrong_key(const Parse *parse, const char *key)
{
	return ai_fail(parse->err, AI_ERR_FORMAT, "invalid JSON: key \"%.100s\" is there twice", key);
}

/*
 * Keys
 */
static AiCode
compare_all(const Parse *parse, const AiJson *items, size_t n)
{
	for (size_t i = 1; i < n; i++)
	{
		for (size_t j = 0; j < i; j++)
		{
			if (strcmp(items[i].key, items[j].key) == 0)
				return wrong_key(parse, items[i].key);
		}
	}
	return AI_OK;
}

/* hashes rise, so that equal keys are near; keys of equal hash are few, or somebody made them so */
static AiCode
compare_equal(const Parse *parse, const AiSortItem *hashes, const AiJson *items, size_t n)
{
	for (size_t i = 1; i < n; i++)
	{
		size_t		j = i;

		while (j > 0 && i - j < MAX_COMPARED && hashes[j - 1].hash == hashes[i].hash)
		{
			const char *key = items[hashes[--j].tag].key;

			if (strcmp(key, items[hashes[i].tag].key) == 0)
				return wrong_key(parse, key);
		}
		if (i - j == MAX_COMPARED)
			return ai_fail(parse->err, AI_ERR_LIMIT, "JSON has too many keys of one hash");
	}
	return AI_OK;
}

static AiCode
check_keys(const Parse *parse, const AiJson *items, size_t n)
{
	const AiHost *host = parse->arena->host;
	AiSortItem *hashes;
	AiCode		code;

	if (n <= MAX_COMPARED)
		return compare_all(parse, items, n);
	hashes = ai_host_alloc(host, n * sizeof(AiSortItem));
	if (hashes == NULL)
		return ai_out_of_memory(parse->err, n * sizeof(AiSortItem), "JSON");
	for (size_t i = 0; i < n; i++)
		hashes[i] = (AiSortItem) {ai_hash64(items[i].key, strlen(items[i].key), 0), i};
	code = ai_sort(hashes, n, 0, host, parse->err);
	if (code == AI_OK)
		code = compare_equal(parse, hashes, items, n);
	ai_host_release(host, hashes);
	return code;
}

/*
 * Values
 */
static AiCode
add_value(Parse *parse, AiJson value)
{
	if (parse->depth > 0)
		return ai_buf_append(&parse->stack, &value, sizeof(value), parse->err);
	*parse->root = value;
	return AI_OK;
}

static AiCode
open_value(Parse *parse, AiJson value)
{
	if (parse->depth == AI_JSON_MAX_DEPTH)
	{
		ai_fail(parse->err, AI_ERR_LIMIT, "JSON is nested too deeply");
		ai_detail(parse->err, "At most %d levels are read.", AI_JSON_MAX_DEPTH);
		return AI_ERR_LIMIT;
	}
	parse->open[parse->depth++] = (Open) {value, parse->stack.len / sizeof(AiJson)};
	return AI_OK;
}

static AiCode
close_value(Parse *parse)
{
	Open	   *open = &parse->open[--parse->depth];
	size_t		n = parse->stack.len / sizeof(AiJson) - open->first;

	if (n > 0)
	{
		AiJson	   *items = ai_arena_alloc(parse->arena, n * sizeof(AiJson));

		if (items == NULL)
			return ai_out_of_memory(parse->err, n * sizeof(AiJson), "JSON");
		memcpy(items, (AiJson *) parse->stack.data + open->first, n * sizeof(AiJson));
		parse->stack.len = open->first * sizeof(AiJson);
		if (open->value.kind == AI_JSON_OBJECT)
			AI_TRY(check_keys(parse, items, n));
		open->value.n = (int) n;
		open->value.items = items;
	}
	return add_value(parse, open->value);
}

static AiCode
check_string(const Parse *parse, const AiJsonToken *token)
{
	if (memchr(token->bytes, '\0', token->len) != NULL)
		return ai_fail(parse->err, AI_ERR_FORMAT, "invalid JSON: a string has \\u0000");
	return AI_OK;
}

/* What follows its digits is no part of it, and there is a zero behind the text. */
static AiCode
read_number(const Parse *parse, double *number, const AiJsonToken *token)
{
	*number = strtod(token->bytes, NULL);
	if (!isfinite(*number))
		return ai_fail(parse->err, AI_ERR_FORMAT, "invalid JSON: a number is too large");
	return AI_OK;
}

static AiCode
take_value(Parse *parse, const AiJsonToken *token)
{
	AiJson		value = {.key = parse->key};

	parse->key = NULL;
	switch (token->kind)
	{
		case AI_JSON_TOKEN_OBJECT:
		case AI_JSON_TOKEN_ARRAY:
			value.kind = token->kind == AI_JSON_TOKEN_OBJECT ? AI_JSON_OBJECT : AI_JSON_ARRAY;
			return open_value(parse, value);
		case AI_JSON_TOKEN_STRING:
			AI_TRY(check_string(parse, token));
			value.kind = AI_JSON_STRING;
			value.string = token->bytes;
			break;
		case AI_JSON_TOKEN_NUMBER:
			value.kind = AI_JSON_NUMBER;
			AI_TRY(read_number(parse, &value.number, token));
			break;
		case AI_JSON_TOKEN_TRUE:
		case AI_JSON_TOKEN_FALSE:
			value.kind = AI_JSON_BOOL;
			value.truth = token->kind == AI_JSON_TOKEN_TRUE;
			break;
		default:
			break;				/* null */
	}
	return add_value(parse, value);
}

static AiCode
count_value(Parse *parse)
{
	if (++parse->n_values > AI_JSON_MAX_LARGE_VALUES)
	{
		ai_fail(parse->err, AI_ERR_LIMIT, "JSON has too many values");
		ai_detail(parse->err, "At most %d values are read.", AI_JSON_MAX_LARGE_VALUES);
		return AI_ERR_LIMIT;
	}
	if (parse->n_values % VALUES_PER_ASK == 0 && ai_host_should_stop(parse->arena->host))
		return ai_fail(parse->err, AI_ERR_CANCELLED, "cancelled");
	return AI_OK;
}

static AiCode
parse_tokens(Parse *parse)
{
	for (;;)
	{
		AiJsonToken token;

		AI_TRY(ai_json_scan_next(&parse->scan, &token, parse->err));
		switch (token.kind)
		{
			case AI_JSON_TOKEN_END:
				return AI_OK;
			case AI_JSON_TOKEN_KEY:
				AI_TRY(check_string(parse, &token));
				parse->key = token.bytes;
				break;
			case AI_JSON_TOKEN_OBJECT_END:
			case AI_JSON_TOKEN_ARRAY_END:
				AI_TRY(close_value(parse));
				break;
			default:
				AI_TRY(count_value(parse));
				AI_TRY(take_value(parse, &token));
		}
	}
}

AiCode
ai_json_parse_large(const AiJson **value, AiArena *arena, const char *text, size_t len,
					AiError *err)
{
	Parse		parse = {.arena = arena, .err = err};
	char	   *copy;
	AiCode		code;

	if (len > AI_JSON_MAX_LARGE_SIZE)
	{
		ai_fail(err, AI_ERR_LIMIT, "JSON is too long");
		ai_detail(err, "At most %zu bytes are read.", AI_JSON_MAX_LARGE_SIZE);
		return AI_ERR_LIMIT;
	}
	copy = ai_arena_alloc(arena, len + 1);
	parse.root = ai_arena_alloc_zero(arena, 1, sizeof(AiJson));
	if (copy == NULL || parse.root == NULL)
		return ai_out_of_memory(err, len + 1, "JSON");
	if (len > 0)
		memcpy(copy, text, len);
	copy[len] = '\0';
	ai_json_scan_init(&parse.scan, copy, len);
	ai_buf_init(&parse.stack, arena->host);
	code = parse_tokens(&parse);
	ai_buf_free(&parse.stack);
	*value = parse.root;
	return code;
}
