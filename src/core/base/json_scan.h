/*-------------------------------------------------------------------------
 * json_scan.h
 *		JSON from outside as a sequence of tokens: for what is too large for a tree.
 *
 * Nothing is allocated and nothing recurses.  The grammar is checked while it is read, UTF-8
 * and escapes too; whether an object has a key twice is the caller's to see.
 *-------------------------------------------------------------------------
 */
#ifndef AI_JSON_SCAN_H
#define AI_JSON_SCAN_H

#include "core/base/status.h"

#define AI_JSON_SCAN_MAX_DEPTH 64

typedef enum AiJsonTokenKind
{
	AI_JSON_TOKEN_OBJECT,
	AI_JSON_TOKEN_OBJECT_END,
	AI_JSON_TOKEN_ARRAY,
	AI_JSON_TOKEN_ARRAY_END,
	AI_JSON_TOKEN_KEY,
	AI_JSON_TOKEN_STRING,
	AI_JSON_TOKEN_NUMBER,
	AI_JSON_TOKEN_TRUE,
	AI_JSON_TOKEN_FALSE,
	AI_JSON_TOKEN_NULL,
	AI_JSON_TOKEN_END			/* of the text */
} AiJsonTokenKind;

typedef struct AiJsonToken
{
	AiJsonTokenKind kind;
	const char *bytes;			/* of a key or string, with a 0 behind; of a number, as it stands */
	size_t		len;
} AiJsonToken;

typedef struct AiJsonScan
{
	char	   *text;			/* borrowed; strings are decoded in their places */
	size_t		len;
	size_t		at;				/* what is read next */
	int			expected;		/* see json_scan.c */
	int			depth;			/* objects and arrays that are open */
	uint64_t	is_object;		/* bit d - 1: at depth d */
} AiJsonScan;

/* The text changes while it is read, and keys and strings point into it. */
extern void ai_json_scan_init(AiJsonScan *scan, char *text, size_t len);

/* AI_ERR_FORMAT when the text is no JSON, AI_ERR_LIMIT when it is nested too deeply */
extern AiCode ai_json_scan_next(AiJsonScan *scan, AiJsonToken *token, AiError *err);

/* Go behind the value that begins with this token. */
extern AiCode ai_json_scan_skip(AiJsonScan *scan, const AiJsonToken *first, AiError *err);

/* false unless the number is one of 0 to 2^64 - 1 without sign, point and exponent */
extern bool ai_json_token_u64(const AiJsonToken *token, uint64_t *number);

#endif							/* AI_JSON_SCAN_H */
