/*-------------------------------------------------------------------------
 * json_scan.c
 *		JSON as a sequence of tokens.
 *
 * What has been opened is one bit for each level, and what may come next one of
 * the states below: so the whole state is some words, however hostile the text is.
 * A string never grows by decoding, and its quotation mark makes room for its 0.
 *-------------------------------------------------------------------------
 */
#include "core/base/json_scan.h"

#include <string.h>

#include "core/base/utf8.h"

enum
{
	EXPECT_VALUE,
	EXPECT_VALUE_OR_END,		/* an array has just been opened */
	EXPECT_KEY,
	EXPECT_KEY_OR_END,			/* an object has just been opened */
	EXPECT_COMMA_OR_END,
	EXPECT_NOTHING
};

void
ai_json_scan_init(AiJsonScan *scan, char *text, size_t len)
{
	*scan = (AiJsonScan) {.text = text, .len = len, .expected = EXPECT_VALUE};
}

static AiCode
wrong(const AiJsonScan *scan, const char *what, AiError *err)
{
	ai_fail(err, AI_ERR_FORMAT, "invalid JSON: %s", what);
	ai_detail(err, "This is at byte %zu.", scan->at);
	return AI_ERR_FORMAT;
}

/* The next byte, or 0 at the end; a byte 0 of the text is wrong wherever it is looked at. */
static char
peek(const AiJsonScan *scan)
{
	return scan->at < scan->len ? scan->text[scan->at] : '\0';
}

static void
skip_space(AiJsonScan *scan)
{
	while (scan->at < scan->len &&
		   (scan->text[scan->at] == ' ' || scan->text[scan->at] == '\n' ||
			scan->text[scan->at] == '\r' || scan->text[scan->at] == '\t'))
		scan->at++;
}

/* A value is complete. */
static void
end_value(AiJsonScan *scan)
{
	scan->expected = scan->depth > 0 ? EXPECT_COMMA_OR_END : EXPECT_NOTHING;
}

static bool
in_object(const AiJsonScan *scan)
{
	return scan->depth > 0 && (scan->is_object >> (scan->depth - 1) & 1) != 0;
}

/*
 * Strings
 */

/* Four hexadecimal digits, or -1 */
static int
read_hex(AiJsonScan *scan)
{
	int			code = 0;

	if (scan->len - scan->at < 4)
		return -1;
	for (int i = 0; i < 4; i++)
	{
		char		c = scan->text[scan->at + i];

		if (c >= '0' && c <= '9')
			code = code * 16 + c - '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			code = code * 16 + (c | 0x20) - 'a' + 10;
		else
			return -1;
	}
	scan->at += 4;
	return code;
}

/* Behind \u: the character, of two escapes if it takes a pair of surrogates */
static AiCode
read_code(AiJsonScan *scan, uint32_t *code, AiError *err)
{
	int			high = read_hex(scan);
	int			low;

	if (high <= 0)
		return wrong(scan, high < 0 ? "an escape is cut short" : "a string contains a zero byte", err);
	*code = (uint32_t) high;
	if ((high & 0xF800) != 0xD800)
		return AI_OK;
	if ((high & 0xFC00) != 0xD800 || scan->len - scan->at < 2 ||
		memcmp(scan->text + scan->at, "\\u", 2) != 0)
		return wrong(scan, "half a surrogate pair", err);
	scan->at += 2;
	low = read_hex(scan);
	if (low < 0 || (low & 0xFC00) != 0xDC00)
		return wrong(scan, "half a surrogate pair", err);
	*code = 0x10000 + ((uint32_t) (high & 0x3FF) << 10) + (uint32_t) (low & 0x3FF);
	return AI_OK;
}

/* Behind a backslash: its character goes to *to, which moves. */
static AiCode
read_escape(AiJsonScan *scan, char **to, AiError *err)
{
	static const char from[] = "\"\\/bfnrt";
	static const char meant[] = "\"\\/\b\f\n\r\t";
	char		c = peek(scan);
	const char *place = c == '\0' ? NULL : strchr(from, c);
	uint32_t	code;

	if (place != NULL)
	{
		*(*to)++ = meant[place - from];
		scan->at++;
		return AI_OK;
	}
	if (c != 'u')
		return wrong(scan, "an escape that does not exist", err);
	scan->at++;
	AI_TRY(read_code(scan, &code, err));
	*to += ai_utf8_encode(*to, code);
	return AI_OK;
}

/* One character as it stands */
static AiCode
copy_character(AiJsonScan *scan, char **to, AiError *err)
{
	uint32_t	code;
	size_t		n = ai_utf8_decode(&code, scan->text + scan->at, scan->len - scan->at);

	if (scan->at == scan->len)
		return wrong(scan, "a string does not end", err);
	if (n == 0)
		return wrong(scan, "a string is not valid UTF-8", err);
	if (code < 0x20)
		return wrong(scan, "a control character in a string", err);
	memmove(*to, scan->text + scan->at, n);
	*to += n;
	scan->at += n;
	return AI_OK;
}

static AiCode
read_string(AiJsonScan *scan, AiJsonToken *token, AiError *err)
{
	char	   *begin = scan->text + ++scan->at;
	char	   *to = begin;

	while (peek(scan) != '"')
	{
		if (peek(scan) == '\\')
		{
			scan->at++;
			AI_TRY(read_escape(scan, &to, err));
		}
		else
			AI_TRY(copy_character(scan, &to, err));
	}
	scan->at++;
	*to = '\0';
	token->bytes = begin;
	token->len = (size_t) (to - begin);
	return AI_OK;
}

/*
 * Other values
 */
static bool
skip_digits(AiJsonScan *scan)
{
	size_t		begin = scan->at;

	while (peek(scan) >= '0' && peek(scan) <= '9')
		scan->at++;
	return scan->at > begin;
}

static AiCode
read_number(AiJsonScan *scan, AiJsonToken *token, AiError *err)
{
	size_t		begin = scan->at;
	bool		is_whole;

	scan->at += peek(scan) == '-';
	if (peek(scan) == '0')
	{
		scan->at++;
		is_whole = true;
	}
	else
		is_whole = skip_digits(scan);
	if (is_whole && peek(scan) == '.')
	{
		scan->at++;
		is_whole = skip_digits(scan);
	}
	if (is_whole && (peek(scan) | 0x20) == 'e')
	{
		scan->at++;
		scan->at += peek(scan) == '+' || peek(scan) == '-';
		is_whole = skip_digits(scan);
	}
	if (!is_whole)
		return wrong(scan, "a number lacks digits", err);
	token->kind = AI_JSON_TOKEN_NUMBER;
	token->bytes = scan->text + begin;
	token->len = scan->at - begin;
	end_value(scan);
	return AI_OK;
}

static AiCode
read_word(AiJsonScan *scan, AiJsonToken *token, AiError *err)
{
	static const struct
	{
		const char *word;
		AiJsonTokenKind kind;
	}			words[] = {
		{"true", AI_JSON_TOKEN_TRUE}, {"false", AI_JSON_TOKEN_FALSE}, {"null", AI_JSON_TOKEN_NULL}
	};

	for (int i = 0; i < 3; i++)
	{
		size_t		n = strlen(words[i].word);

		if (scan->len - scan->at >= n && memcmp(scan->text + scan->at, words[i].word, n) == 0)
		{
			token->kind = words[i].kind;
			scan->at += n;
			end_value(scan);
			return AI_OK;
		}
	}
	return wrong(scan, scan->at == scan->len ? "it ends too early" : "a value is expected", err);
}

static AiCode
open_level(AiJsonScan *scan, AiJsonToken *token, bool is_object, AiError *err)
{
	if (scan->depth == AI_JSON_SCAN_MAX_DEPTH)
	{
		ai_fail(err, AI_ERR_LIMIT, "JSON is nested too deeply");
		ai_detail(err, "At most %d levels are read.", AI_JSON_SCAN_MAX_DEPTH);
		return AI_ERR_LIMIT;
	}
	scan->is_object &= ~(UINT64_C(1) << scan->depth);
	scan->is_object |= (uint64_t) is_object << scan->depth;
	scan->depth++;
	scan->at++;
	scan->expected = is_object ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END;
	token->kind = is_object ? AI_JSON_TOKEN_OBJECT : AI_JSON_TOKEN_ARRAY;
	return AI_OK;
}

static AiCode
close_level(AiJsonScan *scan, AiJsonToken *token)
{
	token->kind = in_object(scan) ? AI_JSON_TOKEN_OBJECT_END : AI_JSON_TOKEN_ARRAY_END;
	scan->depth--;
	scan->at++;
	end_value(scan);
	return AI_OK;
}

static AiCode
read_value(AiJsonScan *scan, AiJsonToken *token, AiError *err)
{
	char		c = peek(scan);

	if (c == '{' || c == '[')
		return open_level(scan, token, c == '{', err);
	if (c == '-' || (c >= '0' && c <= '9'))
		return read_number(scan, token, err);
	if (c != '"')
		return read_word(scan, token, err);
	token->kind = AI_JSON_TOKEN_STRING;
	AI_TRY(read_string(scan, token, err));
	end_value(scan);
	return AI_OK;
}

static AiCode
read_key(AiJsonScan *scan, AiJsonToken *token, AiError *err)
{
	if (peek(scan) != '"')
		return wrong(scan, "a key is expected", err);
	token->kind = AI_JSON_TOKEN_KEY;
	AI_TRY(read_string(scan, token, err));
	skip_space(scan);
	if (peek(scan) != ':')
		return wrong(scan, "a colon is expected", err);
	scan->at++;
	scan->expected = EXPECT_VALUE;
	return AI_OK;
}

AiCode
ai_json_scan_next(AiJsonScan *scan, AiJsonToken *token, AiError *err)
{
	char		end = in_object(scan) ? '}' : ']';

	*token = (AiJsonToken) {.bytes = NULL};
	skip_space(scan);
	if (scan->expected == EXPECT_NOTHING)
	{
		token->kind = AI_JSON_TOKEN_END;
		return scan->at == scan->len ? AI_OK : wrong(scan, "something follows its end", err);
	}
	if (scan->expected == EXPECT_COMMA_OR_END && peek(scan) == ',')
	{
		scan->at++;
		skip_space(scan);
		scan->expected = in_object(scan) ? EXPECT_KEY : EXPECT_VALUE;
	}
	else if (scan->expected != EXPECT_VALUE && scan->expected != EXPECT_KEY && peek(scan) == end)
		return close_level(scan, token);
	else if (scan->expected == EXPECT_COMMA_OR_END)
		return wrong(scan, scan->at == scan->len ? "it ends too early" : "a comma is expected", err);
	if (scan->expected == EXPECT_KEY || scan->expected == EXPECT_KEY_OR_END)
		return read_key(scan, token, err);
	return read_value(scan, token, err);
}

AiCode
ai_json_scan_skip(AiJsonScan *scan, const AiJsonToken *first, AiError *err)
{
	int			depth = scan->depth;
	AiJsonToken token;

	if (first->kind != AI_JSON_TOKEN_OBJECT && first->kind != AI_JSON_TOKEN_ARRAY)
		return AI_OK;
	while (scan->depth >= depth)
		AI_TRY(ai_json_scan_next(scan, &token, err));
	return AI_OK;
}

bool
ai_json_token_u64(const AiJsonToken *token, uint64_t *number)
{
	if (token->kind != AI_JSON_TOKEN_NUMBER)
		return false;
	*number = 0;
	for (size_t i = 0; i < token->len; i++)
	{
		char		c = token->bytes[i];

		if (c < '0' || c > '9' || __builtin_mul_overflow(*number, 10, number) ||
			__builtin_add_overflow(*number, (uint64_t) (c - '0'), number))
			return false;
	}
	return true;
}
