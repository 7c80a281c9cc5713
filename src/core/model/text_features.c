/*-------------------------------------------------------------------------
 * text_features.c
 *		A text as the features that a model knows of it.
 *
 * What is inside a word is remembered (text_words.h); only the n-grams that reach
 * back to the words before it are looked up each time.
 *
 * A text is read in batches: numbers are gathered, what has to be looked up is
 * asked for from memory at once and taken later, and then all are counted.
 *-------------------------------------------------------------------------
 */
#include "core/model/text_features.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/model/text_counts.h"
#include "core/model/text_words.h"

#define BATCH AI_NGRAM_PORTION
#define MAX_BATCH AI_NGRAM_MAX_PORTION
#define MAX_AHEAD 32			/* runs that are read before the first is taken */

/*
 * What a text has of one kind.  Words and shapes come in rows, one for each token:
 * column k - 1 is the n-gram of k tokens that ends with it.
 */
typedef struct Kind
{
	/* In the batch: numbers of features, from 1; 0: absent or not known */
	size_t		n_numbers;
	uint32_t   *numbers;		/* in space, where the row before the first is kept */
	uint32_t	space[AI_NGRAM_MAX_WORDS + MAX_BATCH + 4];
	AiBuf		number_spans;	/* AiNgramSpan [n_numbers]; with spans only */

	/* In the text so far: features by first places */
	AiBuf		feature;		/* of uint32_t */
	AiBuf		span;			/* of AiNgramSpan; with spans only */
} Kind;

struct AiTextReader
{
	const AiHost *host;			/* borrowed */
	const AiTextKnown *known;	/* borrowed */
	bool		with_spans;
	AiNgramReader *ngrams;
	AiTextCounts *counts;
	AiTextWords *words;			/* without spans only */

	/* The batch and the text in work */
	Kind		kinds[AI_NGRAM_N_KINDS];
	size_t		n_before;		/* tokens before this batch */
	size_t		n_tokens;		/* in it */
	AiNgramToken *tokens;		/* in token_space, where those before the first are kept */
	AiNgramToken token_space[AI_NGRAM_MAX_WORDS + MAX_BATCH];
	uint32_t	last[MAX_BATCH];	/* tokens with which n-grams end */
	uint64_t	hash[MAX_BATCH];	/* of n-grams that are looked up */
	AiNgramRun	runs[MAX_AHEAD];
	AiTextWordPlace places[MAX_AHEAD];

	AiTextFeatures features;
	AiBuf		result;			/* all its arrays */
};

/*
 * Life
 */
static AiCode
alloc_reader(AiTextReader *r, AiError *err)
{
	AI_TRY(ai_ngram_reader_create(&r->ngrams, r->host, &r->known->options, r->with_spans, err));
	ai_ngram_reader_stop_with(r->ngrams, r->host);
	AI_TRY(ai_text_counts_create(&r->counts, r->known, r->with_spans ? 0 : AI_TEXT_N_PLACES,
								 r->host, err));
	if (!r->with_spans)
		AI_TRY(ai_text_words_create(&r->words, r->known, r->ngrams, r->host, err));
	return AI_OK;
}

AiCode
ai_text_reader_create(AiTextReader **reader, const AiTextKnown *known, const AiHost *host,
					  bool with_spans, AiError *err)
{
	AiTextReader *r = ai_host_alloc(host, sizeof(AiTextReader));
	AiCode		code;

	if (r == NULL)
		return ai_out_of_memory(err, sizeof(AiTextReader), "reading texts");
	memset(r, 0, sizeof(AiTextReader));
	r->host = host;
	r->known = known;
	r->with_spans = with_spans;
	r->tokens = r->token_space + AI_NGRAM_MAX_WORDS;
	for (int k = 0; k < AI_NGRAM_N_KINDS; k++)
	{
		r->kinds[k].numbers = r->kinds[k].space + AI_NGRAM_MAX_WORDS;
		ai_buf_init(&r->kinds[k].number_spans, host);
		ai_buf_init(&r->kinds[k].feature, host);
		ai_buf_init(&r->kinds[k].span, host);
	}
	ai_buf_init(&r->result, host);
	code = alloc_reader(r, err);
	if (code != AI_OK)
	{
		ai_text_reader_destroy(r);
		return code;
	}
	*reader = r;
	return AI_OK;
}

void
ai_text_reader_destroy(AiTextReader *r)
{
	if (r == NULL)
		return;
	for (int k = 0; k < AI_NGRAM_N_KINDS; k++)
	{
		ai_buf_free(&r->kinds[k].number_spans);
		ai_buf_free(&r->kinds[k].feature);
		ai_buf_free(&r->kinds[k].span);
	}
	ai_buf_free(&r->result);
	ai_ngram_reader_destroy(r->ngrams);
	ai_text_counts_destroy(r->counts);
	ai_text_words_destroy(r->words);
	ai_host_release(r->host, r);
}

/*
 * The n-grams of k tokens that end with the tokens of the batch.  An n-gram can be
 * known only if both of its parts of k - 1 tokens are, which spares most of the
 * look-ups in texts that are new to the model.
 */
static void
find_back(AiTextReader *r, AiNgramKind kind, size_t width, size_t k)
{
	const AiTextTable table = r->known->table;
	uint32_t   *numbers = r->kinds[kind].numbers + k - 1;
	const uint32_t *later = numbers - 1;	/* the two parts of k - 1 tokens */
	const uint32_t *earlier = later - width;
	uint32_t   *last = r->last;
	size_t		n = 0;

	if (r->known->is_closed)
	{
		for (size_t t = 0; t < r->n_tokens; t++)
		{
			last[n] = (uint32_t) t;
			n += later[t * width] != 0 && earlier[t * width] != 0;
		}
	}
	else
	{
		for (size_t t = k - 1 > r->n_before ? k - 1 - r->n_before : 0; t < r->n_tokens; t++)
			last[n++] = (uint32_t) t;
	}
	ai_ngram_of_tokens(r->hash, kind, r->tokens, last, n, (int) k);
	for (size_t i = 0; i < n; i++)
		ai_text_table_ask(&table, r->hash[i]);
	for (size_t i = 0; i < n; i++)
		numbers[last[i] * width] = ai_text_table_find(&table, r->hash[i]);
}

/* The n-grams of several tokens in the batch */
static void
find_all_back(AiTextReader *r, AiNgramKind kind, size_t width)
{
	uint32_t   *numbers = r->kinds[kind].numbers;

	for (size_t k = 2; k <= width; k++)
		find_back(r, kind, width, k);
	memcpy(numbers - width, numbers + r->kinds[kind].n_numbers - width, width * sizeof(uint32_t));
}

/*
 * Gathering
 */
static void
add_token(AiTextReader *r, const AiTextWord *word)
{
	size_t		word_max = (size_t) r->known->options.word_max;
	Kind	   *words = &r->kinds[AI_NGRAM_WORD];
	Kind	   *shapes = &r->kinds[AI_NGRAM_SHAPE];
	Kind	   *chars = &r->kinds[AI_NGRAM_CHARS];

	r->tokens[r->n_tokens++] = word->token;
	if (word_max > 0)
	{
		uint32_t   *row = words->numbers + words->n_numbers;

		row[0] = word->word;
		for (size_t k = 1; k < word_max; k++)
			row[k] = 0;
		words->n_numbers += word_max;
	}
	if (r->known->options.has_shapes)
	{
		shapes->numbers[shapes->n_numbers] = word->shape;
		shapes->numbers[shapes->n_numbers + 1] = 0;
		shapes->n_numbers += 2;
	}
	for (size_t i = 0; i < word->n_chars; i += 4)
		memcpy(chars->numbers + chars->n_numbers + i, ai_text_word_numbers(word) + i,
			   sizeof(AiFourChars));
	chars->n_numbers += word->n_chars;
}

/* Each ideograph is a token, and the n-grams of characters are the run's. */
static void
add_ideographs(AiTextReader *r, const AiNgramRun *run)
{
	Kind	   *chars = &r->kinds[AI_NGRAM_CHARS];

	for (size_t i = 0; i < run->len; i++)
	{
		AiNgramRun	token = {run->code + i, run->kind + i, 1, true};
		AiTextWordPlace place;

		ai_text_words_look_ahead(r->words, &place, &token, 1);
		add_token(r, ai_text_words_get(r->words, &place, &token));
	}
	chars->n_numbers += ai_text_table_find_known(&r->known->table,
												 chars->numbers + chars->n_numbers, r->hash,
												 ai_ngram_chars(r->ngrams, run, r->hash));
}

/*
 * Counting
 */
/* The numbers of the batch are counted, and those that are new to the text listed. */
static AiCode
count_numbers(AiTextReader *r, Kind *kind, AiError *err)
{
	size_t		n_new;

	AI_TRY(ai_buf_reserve(&kind->feature, (kind->n_numbers + 1) * sizeof(uint32_t), err));
	AI_TRY(ai_text_counts_add(r->counts, (uint32_t *) (kind->feature.data + kind->feature.len),
							  &n_new, kind->numbers, kind->n_numbers, err));
	kind->feature.len += n_new * sizeof(uint32_t);
	return AI_OK;
}

/* For explaining: also where each is first */
static AiCode
count_spans(AiTextReader *r, Kind *kind, AiError *err)
{
	const AiNgramSpan *span = (AiNgramSpan *) kind->number_spans.data;

	for (size_t i = 0; i < kind->n_numbers; i++)
	{
		uint32_t	feature[2];
		size_t		n_new = 0;

		if (kind->numbers[i] != 0)
			AI_TRY(ai_text_counts_add(r->counts, feature, &n_new, &kind->numbers[i], 1, err));
		if (n_new == 0)
			continue;
		AI_TRY(ai_buf_append(&kind->feature, feature, sizeof(uint32_t), err));
		AI_TRY(ai_buf_append(&kind->span, &span[i], sizeof(AiNgramSpan), err));
	}
	return AI_OK;
}

static AiCode
count_batch(AiTextReader *r, AiError *err)
{
	for (int k = 0; k < AI_NGRAM_N_KINDS; k++)
	{
		if (r->with_spans)
			AI_TRY(count_spans(r, &r->kinds[k], err));
		else
			AI_TRY(count_numbers(r, &r->kinds[k], err));
		r->kinds[k].n_numbers = 0;
		r->kinds[k].number_spans.len = 0;
	}
	if (ai_host_should_stop(r->host))
		return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
	return AI_OK;
}

/*
 * The result
 */
/* Lists for all features of the text */
static AiCode
size_result(AiTextReader *r, AiError *err)
{
	AiTextFeatures *f = &r->features;
	size_t		n_spans;

	f->n = 0;
	for (int k = 0; k < AI_NGRAM_N_KINDS; k++)
	{
		f->n_of[k] = r->kinds[k].feature.len / sizeof(uint32_t);
		f->n += f->n_of[k];
	}
	n_spans = r->with_spans ? f->n : 0;
	AI_TRY(ai_buf_reserve(&r->result, 1 + f->n * (sizeof(uint32_t) + sizeof(float) + 2) +
						  n_spans * (sizeof(AiNgramSpan) + sizeof(uint32_t)), err));
	f->feature = (uint32_t *) r->result.data;
	f->value = (float *) (f->feature + f->n);
	f->span = (AiNgramSpan *) (f->value + f->n);
	f->occurrences = (uint32_t *) (f->span + n_spans);
	f->times = (uint8_t *) (f->occurrences + n_spans);
	f->idf_code = f->times + f->n;
	return AI_OK;
}

static AiCode
make_result(AiTextReader *r, AiError *err)
{
	AiTextFeatures *f = &r->features;
	size_t		first = 0;

	AI_TRY(size_result(r, err));
	for (int k = 0; k < AI_NGRAM_N_KINDS; k++)
	{
		size_t		n = f->n_of[k];

		if (n == 0)
			continue;
		memcpy(f->feature + first, r->kinds[k].feature.data, n * sizeof(uint32_t));
		if (r->with_spans)
			memcpy(f->span + first, r->kinds[k].span.data, n * sizeof(AiNgramSpan));
		first += n;
	}
	ai_text_counts_take(r->counts, f->times, f->idf_code, r->with_spans ? f->occurrences : NULL,
						f->feature, f->n);
	first = 0;
	for (int k = 0; k < AI_NGRAM_N_KINDS; k++)
	{
		ai_text_values(f->value + first, k, f->times + first, f->idf_code + first,
					   f->n_of[k], r->known->idf.of, &r->known->damping);
		first += f->n_of[k];
	}
	return AI_OK;
}

/*
 * Reading
 */
static AiCode
read_spans(AiTextReader *r, AiError *err)
{
	const AiTextTable table = r->known->table;
	const uint64_t *hash;
	const AiNgramSpan *span;
	size_t		n;

	while ((n = ai_ngram_reader_next(r->ngrams, &hash, &span)) > 0)
	{
		for (size_t i = 0; i < n; i++)
		{
			Kind	   *kind = &r->kinds[AI_NGRAM_KIND(hash[i])];

			kind->numbers[kind->n_numbers++] = ai_text_table_find(&table, hash[i]);
			AI_TRY(ai_buf_append(&kind->number_spans, &span[i], sizeof(AiNgramSpan), err));
		}
		AI_TRY(count_batch(r, err));
	}
	return count_batch(r, err);
}

static AiCode
end_batch(AiTextReader *r, AiError *err)
{
	if (r->known->options.word_max > 0 && r->n_tokens > 0)
		find_all_back(r, AI_NGRAM_WORD, (size_t) r->known->options.word_max);
	if (r->known->options.has_shapes && r->n_tokens > 0)
		find_all_back(r, AI_NGRAM_SHAPE, 2);
	memmove(r->token_space, r->token_space + r->n_tokens,
			AI_NGRAM_MAX_WORDS * sizeof(AiNgramToken));
	r->n_before += r->n_tokens;
	r->n_tokens = 0;
	return count_batch(r, err);
}

static AiCode
read_words(AiTextReader *r, AiError *err)
{
	size_t		n_runs;

	while ((n_runs = ai_ngram_reader_next_runs(r->ngrams, r->runs, MAX_AHEAD)) > 0)
	{
		ai_text_words_look_ahead(r->words, r->places, r->runs, n_runs);
		for (size_t i = 0; i < n_runs; i++)
		{
			size_t		n;

			if (r->runs[i].is_one_token)
				add_token(r, ai_text_words_get(r->words, &r->places[i], &r->runs[i]));
			else
				add_ideographs(r, &r->runs[i]);
			n = r->n_tokens;
			for (int k = 0; k < AI_NGRAM_N_KINDS; k++)
				n += r->kinds[k].n_numbers;
			if (n >= BATCH)
				AI_TRY(end_batch(r, err));
		}
	}
	return end_batch(r, err);
}

AiCode
ai_text_reader_read(AiTextReader *r, const AiTextFeatures **features, const char *text,
					size_t len, AiError *err)
{
	AiCode		code;

	for (int k = 0; k < AI_NGRAM_N_KINDS; k++)
	{
		Kind	   *kind = &r->kinds[k];

		kind->n_numbers = 0;
		memset(kind->space, 0, AI_NGRAM_MAX_WORDS * sizeof(uint32_t));
		kind->number_spans.len = 0;
		kind->feature.len = 0;
		kind->span.len = 0;
	}
	r->n_before = 0;
	r->n_tokens = 0;
	ai_ngram_reader_start(r->ngrams, text, len);
	code = r->with_spans ? read_spans(r, err) : read_words(r, err);
	if (code == AI_OK)
		code = make_result(r, err);
	if (code != AI_OK)
		ai_text_counts_clear(r->counts);
	*features = &r->features;
	return code;
}
