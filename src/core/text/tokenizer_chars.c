/*-------------------------------------------------------------------------
 * tokenizer_chars.c
 *		Characters as Hugging Face's tokenizers know them.
 *-------------------------------------------------------------------------
 */
#include "core/text/tokenizer_chars.h"

#include "core/text/tokenizer_tables.h"

/* Hangul syllables are computed: The Unicode Standard, section 3.12 */
#define HANGUL_L 0x1100u
#define HANGUL_V 0x1161u
#define HANGUL_T 0x11A7u		/* before the first trailing consonant */
#define HANGUL_S 0xAC00u
#define HANGUL_N_V 21u
#define HANGUL_N_T 28u
#define HANGUL_N_S 11172u

#define SEQUENCE_CODE 0xFFFFFFu /* of a word; the first one's high byte is the length */

#define CAPITAL_I_WITH_DOT 0x130u	/* the only one whose lower case is two characters */
#define DOT_ABOVE 0x307u

const AiTokenizerChar *
ai_tokenizer_char(uint32_t code)
{
	uint32_t	block = record_blocks[code >> BLOCK_BITS];

	return &char_records[record_numbers[block << BLOCK_BITS | (code & BLOCK_MASK)]];
}

size_t
ai_tokenizer_decompose(uint32_t out[AI_MAX_DECOMPOSITION], uint32_t code)
{
	uint32_t	syllable = code - HANGUL_S;
	uint32_t	block = sequence_blocks[code >> BLOCK_BITS];
	uint32_t	place = sequence_places[block << BLOCK_BITS | (code & BLOCK_MASK)];
	size_t		n = sequence_words[place] >> 24;

	if (syllable < HANGUL_N_S)
	{
		uint32_t	tail = syllable % HANGUL_N_T;

		out[0] = HANGUL_L + syllable / (HANGUL_N_V * HANGUL_N_T);
		out[1] = HANGUL_V + syllable % (HANGUL_N_V * HANGUL_N_T) / HANGUL_N_T;
		out[2] = HANGUL_T + tail;
		return tail == 0 ? 2 : 3;
	}
	if (place == 0)
	{
		out[0] = code;
		return 1;
	}
	for (size_t i = 0; i < n; i++)
		out[i] = sequence_words[place + i] & SEQUENCE_CODE;
	return n;
}

size_t
ai_tokenizer_lower(uint32_t out[2], uint32_t code)
{
	if (code == CAPITAL_I_WITH_DOT)
	{
		out[0] = 'i';
		out[1] = DOT_ABOVE;
		return 2;
	}
	out[0] = (uint32_t) ((int32_t) code + ai_tokenizer_char(code)->lower_delta);
	return 1;
}
