/*-------------------------------------------------------------------------
 * utf8.h
 *		One character of UTF-8, in and out.
 *-------------------------------------------------------------------------
 */
#ifndef AI_UTF8_H
#define AI_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AI_MAX_CODE_POINT UINT32_C(0x10FFFF)

static inline bool
ai_utf8_is_tail(unsigned char byte)
{
	return (byte & 0xC0) == 0x80;
}

/*
 * Read the character that bytes begin with.  Returns its length, 1 to 4, or 0
 * when there is none: no bytes, a cut or overlong form, a surrogate, or a
 * number above U+10FFFF; code is then unchanged.
 */
static inline size_t
ai_utf8_decode(uint32_t *code, const char *bytes, size_t len)
{
	const unsigned char *s = (const unsigned char *) bytes;
	uint32_t	c;

	if (len == 0)
		return 0;
	if (s[0] < 0x80)
	{
		*code = s[0];
		return 1;
	}
	if (s[0] < 0xE0)
	{
		if (s[0] < 0xC2 || len < 2 || !ai_utf8_is_tail(s[1]))
			return 0;
		*code = (s[0] & 0x1Fu) << 6 | (s[1] & 0x3Fu);
		return 2;
	}
	if (s[0] < 0xF0)
	{
		if (len < 3 || !ai_utf8_is_tail(s[1]) || !ai_utf8_is_tail(s[2]))
			return 0;
		c = (s[0] & 0x0Fu) << 12 | (s[1] & 0x3Fu) << 6 | (s[2] & 0x3Fu);
		if (c < 0x800 || (c & 0xF800) == 0xD800)
			return 0;
		*code = c;
		return 3;
	}
	if (s[0] > 0xF4 || len < 4 || !ai_utf8_is_tail(s[1]) ||
		!ai_utf8_is_tail(s[2]) || !ai_utf8_is_tail(s[3]))
		return 0;
	c = (s[0] & 0x07u) << 18 | (s[1] & 0x3Fu) << 12 | (s[2] & 0x3Fu) << 6 | (s[3] & 0x3Fu);
	if (c < 0x10000 || c > AI_MAX_CODE_POINT)
		return 0;
	*code = c;
	return 4;
}

#define AI_REPLACEMENT_CHARACTER UINT32_C(0xFFFD)

/*
 * The character at a place, or before it; a byte that no character contains counts as
 * U+FFFD.  Returns its length; 0 at the end, or the begin.
 */
static inline size_t
ai_utf8_at(uint32_t *code, const char *bytes, size_t len, size_t at)
{
	size_t		size = at < len ? ai_utf8_decode(code, bytes + at, len - at) : 0;

	if (size > 0)
		return size;
	*code = AI_REPLACEMENT_CHARACTER;
	return at < len ? 1 : 0;
}

static inline size_t
ai_utf8_before(uint32_t *code, const char *bytes, size_t at)
{
	for (size_t size = 1; size <= 4 && size <= at; size++)
	{
		if (ai_utf8_decode(code, bytes + at - size, size) == size)
			return size;
	}
	*code = AI_REPLACEMENT_CHARACTER;
	return at > 0 ? 1 : 0;
}

/* code is at most AI_MAX_CODE_POINT and no surrogate; returns the length. */
static inline size_t
ai_utf8_encode(char out[4], uint32_t code)
{
	if (code < 0x80)
	{
		out[0] = (char) code;
		return 1;
	}
	if (code < 0x800)
	{
		out[0] = (char) (0xC0 | code >> 6);
		out[1] = (char) (0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000)
	{
		out[0] = (char) (0xE0 | code >> 12);
		out[1] = (char) (0x80 | (code >> 6 & 0x3F));
		out[2] = (char) (0x80 | (code & 0x3F));
		return 3;
	}
	out[0] = (char) (0xF0 | code >> 18);
	out[1] = (char) (0x80 | (code >> 12 & 0x3F));
	out[2] = (char) (0x80 | (code >> 6 & 0x3F));
	out[3] = (char) (0x80 | (code & 0x3F));
	return 4;
}

#endif							/* AI_UTF8_H */
