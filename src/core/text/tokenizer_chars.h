/*-------------------------------------------------------------------------
 * tokenizer_chars.h
 *		Characters as Hugging Face's tokenizers know them.
 *
 * Not as unicode.h knows them: the reference has tables of several Unicode versions, and
 * its ids follow from them.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TOKENIZER_CHARS_H
#define AI_TOKENIZER_CHARS_H

#include <stddef.h>
#include <stdint.h>

/* Flags, in the order of make_tokenizer_tables.py */
#define AI_TCHAR_DROPPED 1		/* BERT's cleaning drops it */
#define AI_TCHAR_SPACE 2
#define AI_TCHAR_PUNCTUATION 4	/* BERT's */
#define AI_TCHAR_IDEOGRAPH 8	/* BERT puts spaces around it */
#define AI_TCHAR_NONSPACING 16	/* BERT takes it for an accent */
#define AI_TCHAR_LETTER 32		/* \p{L} */
#define AI_TCHAR_NUMBER 64		/* \p{N} */
#define AI_TCHAR_WORD 128		/* \w */
#define AI_TCHAR_MARK 256		/* an accent for the normalizer StripAccents */
#define AI_TCHAR_CUT 512		/* letter or number, also when it is taken apart: see chunk.c */

/* Grapheme_Cluster_Break, in the order of make_tokenizer_tables.py */
typedef enum AiGraphemeBreak
{
	AI_BREAK_OTHER,
	AI_BREAK_CR,
	AI_BREAK_LF,
	AI_BREAK_CONTROL,
	AI_BREAK_EXTEND,
	AI_BREAK_ZWJ,
	AI_BREAK_REGIONAL,
	AI_BREAK_PREPEND,
	AI_BREAK_SPACING,
	AI_BREAK_HANGUL_L,
	AI_BREAK_HANGUL_V,
	AI_BREAK_HANGUL_T,
	AI_BREAK_HANGUL_LV,
	AI_BREAK_HANGUL_LVT,
	AI_BREAK_PICTOGRAPH
} AiGraphemeBreak;

typedef struct AiTokenizerChar
{
	int32_t		lower_delta;	/* to the lower case, but see ai_tokenizer_lower() */
	uint16_t	flags;
	uint8_t		combining;		/* Canonical_Combining_Class */
	uint8_t		grapheme_break; /* an AiGraphemeBreak */
} AiTokenizerChar;

#define AI_MAX_DECOMPOSITION 4

/* Code points of these functions are at most AI_MAX_CODE_POINT. */
extern const AiTokenizerChar *ai_tokenizer_char(uint32_t code);

/* NFD of one character; the number of its parts */
extern size_t ai_tokenizer_decompose(uint32_t out[AI_MAX_DECOMPOSITION], uint32_t code);

/* 1, or 2 characters */
extern size_t ai_tokenizer_lower(uint32_t out[2], uint32_t code);

#endif							/* AI_TOKENIZER_CHARS_H */
