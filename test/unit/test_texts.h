/*-------------------------------------------------------------------------
 * test_texts.h
 *		Texts that try whatever reads n-grams, and all n-grams of one.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TEST_TEXTS_H
#define AI_TEST_TEXTS_H

#include "core/text/ngram.h"

typedef struct TestText
{
	char	   *bytes;			/* [len]; what is made is exact, for a sanitizer */
	size_t		len;
} TestText;

typedef struct TestTexts
{
	TestText   *text;			/* [n] */
	size_t		n;
} TestTexts;

/*
 * Empty and tiny ones, words and runs of ideographs of all lengths, many scripts,
 * bytes that are no UTF-8, more n-grams than a portion, ... and 100 kB.
 */
extern TestTexts make_texts(void);
extern void free_texts(TestTexts *texts);

/* n words from number first on: each even one small, and once more with a capital */
extern TestText make_words(uint32_t first, uint32_t n);

/* n_times the string */
extern TestText make_repeated(const char *string, size_t n_times);

/* All n-grams of one text */
typedef struct Ngrams
{
	size_t		n;
	size_t		capacity;
	uint64_t   *hash;			/* [n] */
	AiNgramSpan *span;			/* [n] */
} Ngrams;

extern Ngrams read_ngrams(const AiNgramOptions *options, const char *text, size_t len,
						  bool with_spans);
extern void free_ngrams(Ngrams *ngrams);

#endif /* AI_TEST_TEXTS_H */
