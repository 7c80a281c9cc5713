/*-------------------------------------------------------------------------
 * unicode.h
 *		Any bytes in, normalised characters and their kinds out.
 *
 * Two spellings of a text that a reader takes for the same should be the same
 * to a model: precomposed or not, full width or not, with or without a soft
 * hyphen, and with fold_case in capitals or not.  With M(c) taken from the
 * Unicode Character Database 15.0.0 the result is NFC(M(c1) M(c2) ...), where
 *
 *	fold_case	M(c) is the property NFKC_Casefold of c: so the whole is
 *				toNFKC_Casefold() of the standard (section 3.13, R5).
 *	otherwise	M(c) is the same without the folding of case, that is NFKD(c),
 *				or nothing when c is Default_Ignorable_Code_Point: the whole is
 *				NFKC of the text without its ignorable characters.
 *
 * The tables are frozen with the source, not taken from the machine, because
 * a model must read a text in ten years as it did when it learnt.  There are
 * three departures from the standard:
 *
 *	- U+200B (zero width space), ignorable by the standard, becomes U+0020:
 *	  it separates words.  The other ignorable characters vanish: soft hyphen,
 *	  joiners, variation selectors, direction marks, tags, Hangul fillers.  So
 *	  an emoji sequence becomes its parts.
 *	- A byte that no valid UTF-8 character contains is taken for the Latin-1
 *	  character with its number, so every byte string has a result.
 *	- Of more than 30 non-starters (combining marks, as mapped) in a row, each
 *	  group of 30 is put in order and composed by itself, and only the first
 *	  with the character before, as if UAX #15's Stream-Safe Text Process had
 *	  been run first.  Real text has fewer than 10.
 *-------------------------------------------------------------------------
 */
#ifndef AI_UNICODE_H
#define AI_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a normalised character is to one who looks for words.  By General_Category
 * of the normalised character, where nothing else is said:
 *
 *	SPACE		White_Space, controls (Cc), U+FFF9..U+FFFB.
 *	LETTER		L, unless IDEOGRAPH.  Hangul, which has spaces, is LETTER, and
 *				so is Tibetan, whose syllables are set apart by punctuation.
 *	DIGIT		N: digits and number signs of any script, unless IDEOGRAPH.
 *	MARK		M, unless IDEOGRAPH, and the format controls of Egyptian
 *				hieroglyphs: belongs to the character before it.  Note that
 *				vowel signs of Indic scripts are marks.
 *	IDEOGRAPH	letters, letter numbers and marks of scripts written without
 *				spaces: Line_Break is ID (Han, Hiragana, Katakana, Bopomofo, Yi,
 *				Tangut, Nushu ...), CJ (small kana) or SA (Thai, Lao, Khmer,
 *				Myanmar, Tai Le, Tai Lue, Tai Tham, Tai Viet, Ahom), or the
 *				scripts that use it are among Han, Hiragana, Katakana and
 *				Bopomofo.  The vowel and tone signs of the SA scripts are
 *				IDEOGRAPH too, so a run of Thai is one run of this kind, and its
 *				n-grams run over letters and signs alike.
 *	SYMBOL		everything else, each one a token: punctuation, symbols, emoji,
 *				private use, unassigned.
 */
typedef enum AiCharKind
{
	AI_CHAR_SPACE = 0,
	AI_CHAR_LETTER,
	AI_CHAR_DIGIT,
	AI_CHAR_MARK,
	AI_CHAR_IDEOGRAPH,
	AI_CHAR_SYMBOL
} AiCharKind;

/* A kind byte is an AiCharKind in the low bits, and a flag. */
#define AI_CHAR_KIND_MASK 0x07
#define AI_CHAR_UPPER 0x80		/* the source character was upper or title case */

#define AI_NORMALIZER_MIN_OUT 64	/* least room for output */
#define AI_NORMALIZER_MAX_MARKS 30	/* non-starters ordered together */

/* A mapped character that may still be moved or composed */
typedef struct AiHeldChar
{
	uint32_t	code;
	uint32_t	start;
	uint32_t	end;
	uint8_t		ccc;			/* Canonical_Combining_Class */
	uint8_t		upper;			/* AI_CHAR_UPPER or 0 */
} AiHeldChar;

/* Reading state; its fields are unicode.c's own. */
typedef struct AiNormalizer
{
	/* Settings */
	const char *bytes;			/* borrowed while in use */
	size_t		len;
	bool		fold_case;

	/* Progress */
	size_t		pos;			/* of the next character to read */
	int			n_held;
	AiHeldChar	held[1 + AI_NORMALIZER_MAX_MARKS];	/* at most one starter, first */
} AiNormalizer;

/* bytes may hold anything, also zero bytes; len is at most UINT32_MAX. */
extern void ai_normalizer_init(AiNormalizer *n, const char *bytes, size_t len,
							   bool fold_case);

/*
 * Write the next normalised characters, at least one and at most max, and
 * return their number: 0 only at the end.  The sequence of all calls does not
 * depend on max, which is at least AI_NORMALIZER_MIN_OUT.  Array elements past
 * the returned number, up to max, have undefined content.
 *
 * start and end are byte offsets in the source: a character made of several
 * (letter and accent) spans them all, and the characters made of one (the two
 * s of a sharp s) have the same span.  Both may be NULL.  Offsets of the
 * starters never decrease; those of marks may, where marks were reordered.
 * A source byte gives at most 6 characters (U+FDFA: 3 bytes, 18 characters).
 */
extern size_t ai_normalizer_next(AiNormalizer *n, uint32_t *code, uint8_t *kind,
								 uint32_t *start, uint32_t *end, size_t max);

#endif							/* AI_UNICODE_H */
