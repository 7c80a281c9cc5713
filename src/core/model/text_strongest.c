/*-------------------------------------------------------------------------
 * text_strongest.c
 *		The n-grams that a model holds to be the strongest for each label.
 *
 * The text of an n-gram is read again, from the first row in canonical order
 * that holds it.
 *-------------------------------------------------------------------------
 */
#include "core/model/text_strongest.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "core/text/unicode.h"

#define MAX_PER_LABEL 50
#define MAX_TOTAL 20000
#define MAX_TEXT 256			/* bytes kept of one n-gram */

typedef struct Candidate
{
	uint32_t	feature;
	float		weight;			/* for the label */
	double		gain;
} Candidate;

static int
n_per_label(int n_labels)
{
	int			n = MAX_TOTAL / n_labels;

	return n < MAX_PER_LABEL ? n : MAX_PER_LABEL;
}

static float
weight_for(const AiTextFit *fit, uint32_t feature, int label)
{
	const float *w = fit->model.weight + (size_t) feature * fit->model.width;

	if (fit->model.n_cols == 1)
		return label == 1 ? w[0] : -w[0];
	return w[label];
}

/* best:[max] by falling gain, kept so by insertion; the new number of them */
static int
offer(Candidate *best, int n, int max, Candidate candidate)
{
	int			at = n < max ? n : max - 1;

	if (n == max && best[max - 1].gain >= candidate.gain)
		return n;
	while (at > 0 && best[at - 1].gain < candidate.gain)
	{
		best[at] = best[at - 1];
		at--;
	}
	best[at] = candidate;
	return n < max ? n + 1 : n;
}

static int
compare_weights(const void *a, const void *b)
{
	const Candidate *x = a;
	const Candidate *y = b;

	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return x->feature < y->feature ? -1 : x->feature > y->feature;
}

void
ai_text_mass(double *mass, const AiSparseRow *rows, int64_t n_rows, AiPool *pool, int thread)
{
	for (int64_t r = 0; r < n_rows && !ai_pool_should_stop(pool, thread); r++)
	{
		for (uint32_t j = 0; j < rows[r].n; j++)
			mass[rows[r].index[j]] += rows[r].value[j];
	}
}

static int
choose(Candidate *best, const AiTextStrongestInput *input, int label)
{
	int			max = n_per_label(input->fit->n_labels);
	int			n = 0;

	for (uint32_t f = 0; f < input->order->n_features; f++)
	{
		float		w = weight_for(input->fit, f, label);

		if (w > 0)
			n = offer(best, n, max, (Candidate) {f, w, w * input->mass[f]});
	}
	qsort(best, (size_t) n, sizeof(Candidate), compare_weights);
	return n;
}

/*
 * What stands for a character in the text of an n-gram: itself or, in a shape,
 * 9 for a digit and X or x for a letter, of which a run shows two at most, as
 * ngram.c counts them.  0: nothing.
 */
static uint32_t
shown_as(uint32_t code, uint8_t kind, bool is_shape, uint32_t last, uint32_t before_last)
{
	uint32_t	shown;

	if (!is_shape)
		return code;
	switch ((AiCharKind) (kind & AI_CHAR_KIND_MASK))
	{
		case AI_CHAR_SPACE:
			return last == ' ' ? 0 : ' ';
		case AI_CHAR_DIGIT:
			return '9';
		case AI_CHAR_LETTER:
		case AI_CHAR_MARK:
			shown = (kind & AI_CHAR_UPPER) ? 'X' : 'x';
			return shown == last && shown == before_last ? 0 : shown;
		default:
			return code;
	}
}

/* The n-gram of the span as the model sees it, NUL-terminated */
static const char *
normalised_text(AiArena *arena, const char *text, const AiNgramSpan *span, bool is_shape,
				bool fold_case)
{
	AiNormalizer normalizer;
	uint32_t	code[AI_NORMALIZER_MIN_OUT];
	uint8_t		kind[AI_NORMALIZER_MIN_OUT];
	char		out[MAX_TEXT + 8];
	uint32_t	last = 0;
	uint32_t	before_last = 0;
	size_t		used = 0;
	size_t		n;
	char	   *copy;

	if (span->at_start)
		out[used++] = ' ';
	ai_normalizer_init(&normalizer, text + span->start, span->end - span->start, fold_case);
	while ((n = ai_normalizer_next(&normalizer, code, kind, NULL, NULL,
								   AI_NORMALIZER_MIN_OUT)) > 0)
	{
		for (size_t i = 0; i < n && used < MAX_TEXT; i++)
		{
			uint32_t	shown = shown_as(code[i], kind[i], is_shape, last, before_last);

			if (shown == 0)
				continue;
			used += ai_utf8_encode(out + used, shown);
			before_last = last;
			last = shown;
		}
	}
	if (span->at_end)
		out[used++] = ' ';
	out[used++] = '\0';
	copy = ai_arena_alloc(arena, used);
	if (copy != NULL)
		memcpy(copy, out, used);
	return copy;
}

/* A wanted feature of the row in work */
typedef struct Sought
{
	uint64_t	hash;
	uint32_t	feature;
} Sought;

/* Features that are wanted, and where their texts go */
typedef struct Wanted
{
	const char **text;			/* [n_features] */
	uint8_t    *is_wanted;		/* [n_features] */
	int64_t		n_left;
	Sought	   *sought;			/* [n_left at the start] scratch, by hash */
} Wanted;

static int
compare_hashes(const void *a, const void *b)
{
	uint64_t	x = ((const Sought *) a)->hash;
	uint64_t	y = ((const Sought *) b)->hash;

	return (x > y) - (x < y);
}

/* What the row holds of the wanted features; their number */
static size_t
seek_in_row(Wanted *wanted, const AiTextStrongestInput *input, int64_t row)
{
	const AiSparseRow *matrix_row = &input->matrix_rows[row];
	size_t		n = 0;

	for (uint32_t j = 0; j < matrix_row->n; j++)
	{
		uint32_t	f = matrix_row->index[j];

		if (wanted->is_wanted[f])
			wanted->sought[n++] = (Sought) {input->order->hash[f], f};
	}
	qsort(wanted->sought, n, sizeof(Sought), compare_hashes);
	return n;
}

/* Take the texts of the wanted features that this row holds. */
static AiCode
read_texts(Wanted *wanted, AiArena *arena, AiNgramReader *reader,
		   const AiTextStrongestInput *input, int64_t row, AiError *err)
{
	const AiTextRow *text_row = input->text_rows[row];
	size_t		n_sought = seek_in_row(wanted, input, row);
	size_t		n_left = n_sought;
	const uint64_t *hash;
	const AiNgramSpan *span;
	size_t		n;

	ai_ngram_reader_start(reader, text_row->text, text_row->text_len);
	while (n_left > 0 && (n = ai_ngram_reader_next(reader, &hash, &span)) > 0)
	{
		if (ai_host_should_stop(arena->host))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		for (size_t i = 0; i < n && n_left > 0; i++)
		{
			const Sought *found = bsearch(&(Sought) {.hash = hash[i]}, wanted->sought, n_sought,
										  sizeof(Sought), compare_hashes);

			if (found == NULL || !wanted->is_wanted[found->feature])
				continue;
			wanted->text[found->feature] =
				normalised_text(arena, text_row->text, &span[i],
								AI_NGRAM_KIND(hash[i]) == AI_NGRAM_SHAPE,
								input->options.fold_case);
			if (wanted->text[found->feature] == NULL)
				return ai_out_of_memory(err, MAX_TEXT, "the strongest n-grams");
			wanted->is_wanted[found->feature] = false;
			wanted->n_left--;
			n_left--;
		}
	}
	return AI_OK;
}

static AiCode
find_texts(Wanted *wanted, AiArena *arena, const AiTextStrongestInput *input, AiError *err)
{
	AiNgramReader *reader;
	AiCode		code = AI_OK;

	wanted->sought = ai_arena_alloc(arena, (size_t) wanted->n_left * sizeof(Sought));
	if (wanted->sought == NULL)
		return ai_out_of_memory(err, (size_t) wanted->n_left * sizeof(Sought),
								"the strongest n-grams");
	AI_TRY(ai_ngram_reader_create(&reader, arena->host, &input->options, true, err));
	for (int64_t r = 0; r < input->n_rows && wanted->n_left > 0 && code == AI_OK; r++)
		code = read_texts(wanted, arena, reader, input, r, err);
	ai_ngram_reader_destroy(reader);
	if (code == AI_OK && wanted->n_left > 0)
		code = ai_fail(err, AI_ERR_BUG, "no text holds a chosen n-gram");
	return code;
}

AiCode
ai_text_strongest(AiTextStrongest *strongest, AiArena *arena,
				  const AiTextStrongestInput *input, AiError *err)
{
	const AiTextFit *fit = input->fit;
	size_t		n_features = input->order->n_features;
	size_t		max = (size_t) n_per_label(fit->n_labels) * (size_t) fit->n_labels;
	Candidate  *chosen = ai_arena_alloc(arena, max * sizeof(Candidate));
	Wanted		wanted = {
		.text = ai_arena_alloc_zero(arena, n_features, sizeof(char *)),
		.is_wanted = ai_arena_alloc_zero(arena, n_features, 1)
	};
	int			n_of_label[AI_TEXT_MAX_LABELS];
	Candidate  *next = chosen;

	strongest->n = 0;
	strongest->item = ai_arena_alloc(arena, max * 3 * sizeof(int32_t));
	strongest->weight = ai_arena_alloc(arena, max * sizeof(double));
	strongest->feature = ai_arena_alloc(arena, max * sizeof(char *));
	strongest->feature_len = ai_arena_alloc(arena, max * sizeof(size_t));
	if (chosen == NULL || wanted.text == NULL || wanted.is_wanted == NULL ||
		strongest->item == NULL || strongest->weight == NULL || strongest->feature == NULL ||
		strongest->feature_len == NULL)
		return ai_out_of_memory(err, n_features * 9, "the strongest n-grams");

	for (int k = 0; k < fit->n_labels; k++)
	{
		if (ai_host_should_stop(arena->host))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		n_of_label[k] = choose(next, input, k);
		for (int i = 0; i < n_of_label[k]; i++)
		{
			wanted.n_left += !wanted.is_wanted[next[i].feature];
			wanted.is_wanted[next[i].feature] = true;
		}
		next += n_of_label[k];
	}
	AI_TRY(find_texts(&wanted, arena, input, err));

	next = chosen;
	for (int k = 0; k < fit->n_labels; k++)
	{
		for (int i = 0; i < n_of_label[k]; i++, next++)
		{
			int64_t		at = strongest->n++;
			uint32_t	f = next->feature;

			strongest->item[3 * at] = k;
			strongest->item[3 * at + 1] = AI_NGRAM_KIND(input->order->hash[f]);
			strongest->item[3 * at + 2] = (int32_t) input->order->n_rows[f];
			strongest->weight[at] = next->weight;
			strongest->feature[at] = wanted.text[f];
			strongest->feature_len[at] = strlen(wanted.text[f]);
		}
	}
	return AI_OK;
}
