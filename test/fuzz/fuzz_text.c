/*-------------------------------------------------------------------------
 * fuzz_text.c
 *		Any bytes have n-grams that stand where they say, and probabilities.
 *
 * The first byte chooses the options of n-grams, the second how many spaces
 * stand before the text when it is read again: they bring the window of the
 * reader to other places, which must leave no trace.
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/text_classifier.h"
#include "core/text/ngram.h"

#define MAX_TEXT 20000

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool claim, const char *what)
{
	if (!claim)
	{
		fprintf(stderr, "%s\n", what);
		abort();
	}
}

/* One n-gram of a text after the other */
typedef struct Cursor
{
	AiNgramReader *reader;
	const uint64_t *hash;
	const AiNgramSpan *span;
	size_t		n;
	size_t		at;
} Cursor;

/* On to the next; false at the end */
static bool
step(Cursor *cursor)
{
	if (++cursor->at < cursor->n)
		return true;
	cursor->n = ai_ngram_reader_next(cursor->reader, &cursor->hash, &cursor->span);
	cursor->at = 0;
	return cursor->n > 0;
}

static Cursor
begin(const AiNgramOptions *options, const char *text, size_t len)
{
	Cursor		cursor = {0};

	check(ai_ngram_reader_create(&cursor.reader, ai_malloc_host(), options, true, NULL) == AI_OK,
		  "no memory");
	ai_ngram_reader_start(cursor.reader, text, len);
	return cursor;
}

static void
check_ngrams(const AiNgramOptions *options, const char *text, size_t len, size_t n_spaces)
{
	char	   *shifted = malloc(n_spaces + len + 1);
	Cursor		a = begin(options, text, len);
	Cursor		b;

	memset(shifted, ' ', n_spaces);
	memcpy(shifted + n_spaces, text, len);
	b = begin(options, shifted, n_spaces + len);
	while (step(&a))
	{
		const AiNgramSpan *x = &a.span[a.at];

		check(step(&b), "n-grams are missing after spaces");
		check(a.hash[a.at] == b.hash[b.at], "an n-gram is another after spaces");
		check(x->start < x->end && x->end <= len, "a span is outside of the text");
		check(x->start + n_spaces == b.span[b.at].start && x->end + n_spaces == b.span[b.at].end,
			  "a span is another after spaces");
	}
	check(!step(&b), "n-grams are added after spaces");
	ai_ngram_reader_destroy(a.reader);
	ai_ngram_reader_destroy(b.reader);
	free(shifted);
}

/*
 * A small model, learnt once; its bytes are the trainer's
 */
static AiTextTrainer *trainer;
static AiTextClassifier *model;
static AiTextScratch *scratch;

static void
learn(void)
{
	static const char *const texts[] = {
		"Free entry! Call 08712 now", ("win a PRIZE \xc2\xa3" "100"), "are you coming home",
		"see you at 5", "\xe4\xbd\xa0\xe5\xa5\xbd\xe4\xb8\x96\xe7\x95\x8c", "\xf0\x9f\x98\x80 ok",
		"http://a.org/?q=1", "caf\xc3\xa9 a b c"
	};
	AiTextOptions options;
	bool		is_validation;
	const void *bytes;
	size_t		size;

	ai_text_options_default(&options);
	options.validation = 0;
	check(ai_text_trainer_create(&trainer, ai_malloc_host(), &options, 1, SIZE_MAX, NULL) == AI_OK,
		  "no trainer");
	for (int i = 0; i < 24; i++)
	{
		check(ai_text_trainer_add(trainer, &is_validation, texts[i % 8], strlen(texts[i % 8]),
								  i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "c", 1, NULL) == AI_OK,
			  "a row is refused");
	}
	check(ai_text_trainer_fit(trainer, NULL) == AI_OK, "nothing was learnt");
	bytes = ai_text_trainer_model(trainer, &size);
	check(ai_text_classifier_open(&model, ai_malloc_host(), bytes, size, NULL) == AI_OK &&
		  ai_text_scratch_create(&scratch, model, ai_malloc_host(), NULL) == AI_OK,
		  "the model does not open");
}

static double
explained(int label, const char *text, size_t len)
{
	const AiTextContribution *items;
	int64_t		n_items;
	double		sum = 0;

	check(ai_text_classifier_explain(model, scratch, &items, &n_items, label, text, len, NULL,
									 NULL) == AI_OK, "no explanation");
	for (int64_t i = 0; i < n_items; i++)
		sum += items[i].contribution;
	return sum;
}

static void
check_model(const char *text, size_t len)
{
	double		p[3];
	double		again[3];
	int			best;

	check(ai_text_classifier_run(model, scratch, p, &best, text, len, NULL, NULL) == AI_OK, "no label");
	check(fabs(p[0] + p[1] + p[2] - 1) < 1e-9, "probabilities do not sum to 1");
	for (int k = 1; k < 3; k++)
		check(fabs(explained(k, text, len) - explained(0, text, len) - log(p[k] / p[0])) < 1e-3,
			  "contributions do not sum to the score");
	check(ai_text_classifier_run(model, scratch, again, NULL, text, len, NULL, NULL) == AI_OK,
		  "no label");
	check(memcmp(p, again, sizeof(p)) == 0, "a text was labelled in two ways");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const AiNgramOptions options[] = {
		{2, 2, 5, true, true}, {5, 1, 8, true, true}, {0, 3, 3, false, false},
		{1, 1, 0, true, false}
	};
	char	   *text;
	size_t		len;

	if (size < 2)
		return 0;
	if (model == NULL)
		learn();
	len = size - 2 < MAX_TEXT ? size - 2 : MAX_TEXT;
	text = malloc(len > 0 ? len : 1);	/* exact, so that one byte too far is seen */
	memcpy(text, data + 2, len);
	check_ngrams(&options[data[0] % 4], text, len, (size_t) data[1] * 9);
	check_model(text, len);
	free(text);
	return 0;
}
