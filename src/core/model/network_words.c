/*-------------------------------------------------------------------------
 * network_words.c
 *		Texts as numbers of words.
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

size_t
ai_word_reader_read(AiWordReader *reader, const char *text, size_t len, uint64_t *hash,
					size_t max_words)
{
	const uint64_t *portion;
	const AiNgramSpan *spans;
	size_t		n = 0;
	size_t		n_portion;

	ai_ngram_reader_start(reader->ngrams, text, len);
	while (n < max_words &&
		   (n_portion = ai_ngram_reader_next(reader->ngrams, &portion, &spans)) > 0)
	{
		for (size_t i = 0; i < n_portion && n < max_words; i++)
			hash[n++] = portion[i];
	}
	return n;
}

void
ai_words_read(const AiWords *words, AiWordReader *reader, const char *text, size_t len,
			  float *number, size_t n_steps)
{
	const uint64_t *portion;
	const AiNgramSpan *spans;
	size_t		n = 0;
	size_t		n_portion;

	ai_ngram_reader_start(reader->ngrams, text, len);
	while (n < n_steps &&
		   (n_portion = ai_ngram_reader_next(reader->ngrams, &portion, &spans)) > 0)
	{
		for (size_t i = 0; i < n_portion && n < n_steps; i++)
			number[n++] = (float) ai_words_find(words, portion[i]);
	}
	while (n < n_steps)
		number[n++] = AI_WORD_PADDING;
}

AiCode
ai_words_find_spans(AiNgramSpan *span, size_t *n, size_t max, const char *text, size_t len,
					const AiHost *host, AiError *err)
{
	AiNgramReader *reader;
	const uint64_t *hash;
	const AiNgramSpan *portion;
	size_t		n_portion;

	*n = 0;
	AI_TRY(ai_ngram_reader_create(&reader, host, &options, true, err));
	ai_ngram_reader_start(reader, text, len);
	while (*n < max && (n_portion = ai_ngram_reader_next(reader, &hash, &portion)) > 0)
	{
		for (size_t i = 0; i < n_portion && *n < max; i++)
			span[(*n)++] = portion[i];
	}
	ai_ngram_reader_destroy(reader);
	return AI_OK;
}
