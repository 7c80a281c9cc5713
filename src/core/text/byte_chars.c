/*-------------------------------------------------------------------------
 * byte_chars.c
 *		Bytes as visible characters, as vocabularies over bytes write them.
 *
 * GPT-2's table: a byte that is a visible character of Latin-1 is itself, the other 68
 * are U+0100 and what follows, in order.
 *-------------------------------------------------------------------------
 */
#include "core/text/tokenizer_internal.h"

#define FIRST_OTHER 0x100u

static bool
is_visible(uint32_t byte)
{
	return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) ||
		(byte >= 0xAE && byte <= 0xFF);
}

uint32_t
char_of_byte(uint8_t byte)
{
	uint32_t	n_before = 0;

	if (is_visible(byte))
		return byte;
	for (uint32_t other = 0; other < byte; other++)
		n_before += !is_visible(other);
	return FIRST_OTHER + n_before;
}

int
byte_of_char(uint32_t code)
{
	if (code < FIRST_OTHER)
		return is_visible(code) ? (int) code : -1;
	code -= FIRST_OTHER;
	if (code <= 0x20)			/* 0x00 to 0x20 */
		return (int) code;
	if (code <= 0x20 + 0x22)	/* 0x7F to 0xA0 */
		return (int) (0x7F + code - 0x21);
	return code == 0x43 ? 0xAD : -1;
}
