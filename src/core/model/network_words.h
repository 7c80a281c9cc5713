/*-------------------------------------------------------------------------
 * network_words.h
 *		Texts as numbers for an embedding: each word that the training knew has its own.
 *
 * 0 pads, 1 is any word that is not known, and words that are have 2 and more, the most
 * frequent first.  A word is a token of text/ngram.h, found by its hash.
 *-------------------------------------------------------------------------
 */
#ifndef AI_NETWORK_WORDS_H
#define AI_NETWORK_WORDS_H

#include "core/base/arena.h"
#include "core/text/ngram.h"

#define AI_WORD_PADDING 0
#define AI_WORD_UNKNOWN 1
#define AI_WORD_FIRST 2

#define AI_MAX_SEQUENCE 4096	/* words of a text that a network reads, at most */

/* The known words: hashes rise, borrowed */
typedef struct AiWords
{
	const uint64_t *hash;		/* [n] */
	const int32_t *number;		/* [n], AI_WORD_FIRST .. AI_WORD_FIRST + n - 1, each once */
	size_t		n;
} AiWords;

/* AI_WORD_UNKNOWN: it is none of them */
extern int32_t ai_words_find(const AiWords *words, uint64_t hash);

/* Reads texts into hashes of words; one for each thread. */
typedef struct AiWordReader AiWordReader;

extern AiCode ai_word_reader_create(AiWordReader **reader, const AiHost *host, AiError *err);
extern void ai_word_reader_destroy(AiWordReader *reader);

/*
 * hash:[max_words], the first words of a text of any bytes; how many there are, at most max_words.
 */
extern size_t ai_word_reader_read(AiWordReader *reader, const char *text, size_t len,
								  uint64_t *hash, size_t max_words);

/* number:[n_steps] of a text's first words, padded at the end */
extern void ai_words_read(const AiWords *words, AiWordReader *reader, const char *text, size_t len,
						  float *number, size_t n_steps);

/* span:[max], the bytes of a text's first words; *n of them */
extern AiCode ai_words_find_spans(AiNgramSpan *span, size_t *n, size_t max, const char *text,
								  size_t len, const AiHost *host, AiError *err);

#endif							/* AI_NETWORK_WORDS_H */
