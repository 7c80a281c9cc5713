/*-------------------------------------------------------------------------
 * network_words.c
 *		Texts as numbers of words.
 *
 * All that is asked of a text's words comes from one walk over its first ones (take_words):
 * their hashes for training, their numbers for a network, their places for explaining.
 *-------------------------------------------------------------------------
 */
#include "core/model/network_words.h"

struct AiWordReader
{
	const AiHost *host;
	AiNgramReader *ngrams;
};

int32_t
ai_words_find(const AiWords *words, uint64_t hash)
{
	size_t		first = 0;
	size_t		n = words->n;

	while (n > 1)
	{
		size_t		half = n / 2;

		first += words->hash[first + half] <= hash ? half : 0;
		n -= half;
	}
	return n == 1 && words->hash[first] == hash ? words->number[first] : AI_WORD_UNKNOWN;
}

static const AiNgramOptions options = {.word_max = 1, .char_min = 1, .fold_case = true};

AiCode
ai_word_reader_create(AiWordReader **result, const AiHost *host, AiError *err)
{
	AiWordReader *reader = ai_host_alloc(host, sizeof(AiWordReader));
	AiCode		code;

	*result = NULL;
	if (reader == NULL)
		return ai_out_of_memory(err, sizeof(AiWordReader), "a reader of words");
	reader->host = host;
	code = ai_ngram_reader_create(&reader->ngrams, host, &options, false, err);
	if (code == AI_OK)
		*result = reader;
	else
		ai_host_release(host, reader);
	return code;
}

void
ai_word_reader_destroy(AiWordReader *reader)
{
	if (reader == NULL)
		return;
	ai_ngram_reader_destroy(reader->ngrams);
	ai_host_release(reader->host, reader);
}

/* Where words go; NULL: not there */
typedef struct Takers
{
	uint64_t   *hash;			/* [max] */
	AiNgramSpan *span;			/* [max] */
	float	   *number;			/* [max], of words */
	const AiWords *words;
} Takers;

/* The first words of a text, at most max; how many there are */
static size_t
take_words(const Takers *takers, size_t max, AiNgramReader *ngrams, const char *text, size_t len)
{
	const uint64_t *hash;
	const AiNgramSpan *span;
	size_t		n = 0;
	size_t		n_portion;

	ai_ngram_reader_start(ngrams, text, len);
	while (n < max && (n_portion = ai_ngram_reader_next(ngrams, &hash, &span)) > 0)
	{
		for (size_t i = 0; i < n_portion && n < max; i++, n++)
		{
			if (takers->hash != NULL)
				takers->hash[n] = hash[i];
			if (takers->span != NULL)
				takers->span[n] = span[i];
			if (takers->number != NULL)
				takers->number[n] = (float) ai_words_find(takers->words, hash[i]);
		}
	}
	return n;
}

size_t
ai_word_reader_read(AiWordReader *reader, const char *text, size_t len, uint64_t *hash,
					size_t max_words)
{
	return take_words(&(Takers) {.hash = hash}, max_words, reader->ngrams, text, len);
}

void
ai_words_read(const AiWords *words, AiWordReader *reader, const char *text, size_t len,
			  float *number, size_t n_steps)
{
	size_t		n = take_words(&(Takers) {.number = number, .words = words}, n_steps,
							   reader->ngrams, text, len);

	while (n < n_steps)
		number[n++] = AI_WORD_PADDING;
}

AiCode
ai_words_find_spans(AiNgramSpan *span, size_t *n, size_t max, const char *text, size_t len,
					const AiHost *host, AiError *err)
{
	AiNgramReader *ngrams;

	AI_TRY(ai_ngram_reader_create(&ngrams, host, &options, true, err));
	*n = take_words(&(Takers) {.span = span}, max, ngrams, text, len);
	ai_ngram_reader_destroy(ngrams);
	return AI_OK;
}
