/*-------------------------------------------------------------------------
 * json.h
 *		JSON from outside as a tree in an arena, and pieces of JSON written.
 *
 * The door to jansson, which json.c uses and nobody else: its values are counted by
 * references and live in malloc, and several of its names are the server's, too.
 *-------------------------------------------------------------------------
 */
#ifndef AI_JSON_H
#define AI_JSON_H

#include "core/base/arena.h"
#include "core/base/buf.h"

#define AI_JSON_MAX_SIZE ((size_t) 1 << 20) /* bytes */
#define AI_JSON_MAX_VALUES 200000
#define AI_JSON_MAX_DEPTH 64

/* The same for files that only a model's owner brings, as vocabularies */
#define AI_JSON_MAX_LARGE_SIZE ((size_t) 64 << 20)
#define AI_JSON_MAX_LARGE_VALUES 2500000

typedef enum AiJsonKind
{
	AI_JSON_NULL,
	AI_JSON_BOOL,
	AI_JSON_NUMBER,
	AI_JSON_STRING,
	AI_JSON_ARRAY,
	AI_JSON_OBJECT
} AiJsonKind;

typedef struct AiJson
{
	AiJsonKind	kind;
	int			n;				/* of an array or object: how many are in it */
	const char *key;			/* of a member of an object, else NULL */
	union
	{
		bool		truth;
		double		number;		/* finite */
		const char *string;		/* valid UTF-8, no byte 0 in it but the last */
		const struct AiJson *items;
	};
} AiJson;

/*
 * Any value.  AI_ERR_FORMAT when the text is none, or an object has a key twice;
 * AI_ERR_LIMIT when it is too long, has too many values or is nested too deeply.
 */
extern AiCode ai_json_parse(const AiJson **value, AiArena *arena, const char *text, size_t len,
							AiError *err);

/* The same with the larger limits; AI_ERR_CANCELLED when the arena's host asks to stop */
extern AiCode ai_json_parse_large(const AiJson **value, AiArena *arena, const char *text,
								  size_t len, AiError *err);

/* NULL when there is none, or the value is no object or NULL */
extern const AiJson *ai_json_member(const AiJson *object, const char *key);

/* false for NULL, too */
extern bool ai_json_is_string(const AiJson *value, const char *string);

/* "a string", for messages */
extern const char *ai_json_kind_name(const AiJson *value);

extern AiCode ai_json_write(AiBuf *buf, const char *json, AiError *err);
extern AiCode ai_json_write_string(AiBuf *buf, const char *string, AiError *err);

/* With as many digits as give the same number back */
extern AiCode ai_json_write_number(AiBuf *buf, double number, AiError *err);

#endif							/* AI_JSON_H */
