/*-------------------------------------------------------------------------
 * text_words.h
 *		What a model knows of single words, remembered.
 *
 * Most words of a text are among some thousand frequent ones, and most of a
 * word's n-grams lie inside it.  So their numbers are looked up when a word is
 * first met and kept with it.  A word is its normalised characters and their
 * kinds, compared in full: what was read before never changes an answer.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TEXT_WORDS_H
#define AI_TEXT_WORDS_H

#include "core/model/text_model.h"

#define AI_TEXT_WORD_MAX_LEN 24 /* characters of a word that is kept; a multiple of 4 */

/* Four characters, each with its kind in the upper 8 bits */
typedef uint32_t AiFourChars __attribute__((vector_size(16)));

#define AI_N_FOURS(n) (((n) + 3) / 4)

/* Numbers are those of features, from 1; 0: not known to the model. */
typedef struct AiTextWord
{
	AiNgramToken token;
	uint32_t	word;			/* number of the word by itself */
	uint32_t	shape;			/* number of its shape */
	uint32_t	len;			/* characters */
	uint32_t	n_chars;		/* known n-grams of characters */
	AiFourChars data[];			/* the characters, then numbers:[n_chars], both in fours */
} AiTextWord;

/* numbers:[n_chars], and up to 3 more may be read */
static inline const uint32_t *
ai_text_word_numbers(const AiTextWord *word)
{
	return (const uint32_t *) (word->data + AI_N_FOURS(word->len));
}

/* A word of the text, and where it is kept or will be */
typedef struct AiTextWordPlace
{
	AiFourChars packed[AI_N_FOURS(AI_TEXT_WORD_MAX_LEN)];
	uint32_t   *slot;			/* NULL: too long */
} AiTextWordPlace;

typedef struct AiTextWords AiTextWords;

/* known and ngrams, whose options count, are borrowed. */
extern AiCode ai_text_words_create(AiTextWords **words, const AiTextKnown *known,
								   const AiNgramReader *ngrams, const AiHost *host,
								   AiError *err);
extern void ai_text_words_destroy(AiTextWords *words);

/* places:[n] of those of the runs that are one token, and ask for their memory. */
extern void ai_text_words_look_ahead(AiTextWords *words, AiTextWordPlace *places,
									 const AiNgramRun *runs, size_t n);

/* The word, valid until the next call.  Places stay valid. */
extern const AiTextWord *ai_text_words_get(AiTextWords *words, const AiTextWordPlace *place,
										   const AiNgramRun *token);

#endif							/* AI_TEXT_WORDS_H */
