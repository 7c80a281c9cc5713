/*-------------------------------------------------------------------------
 * fn_zero_shot.c
 *		ai_classify and ai_scores by labels that come with the call.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "core/model/network_batch.h"
#include "core/model/similarity.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"

#include "pg/engine/work.h"
#include "pg/host/datum.h"
#include "pg/host/json.h"
#include "pg/sqlapi/verbs.h"

#define MAX_LABELS 1000

/* Labels of a call are mostly a few; a batch is made as if they were these. */
#define USUAL_LABELS 4

/*
 * Labels
 */
typedef struct Labels
{
	Datum	   *text;			/* [n] */
	int			n;
} Labels;

static Labels
open_labels(Datum value)
{
	Labels		labels;

	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT, &labels.text,
					  NULL, &labels.n);
	return labels;
}

static int
compare_texts(const void *a, const void *b)
{
	const text *x = DatumGetTextPP(*(const Datum *) a);
	const text *y = DatumGetTextPP(*(const Datum *) b);
	size_t		x_len = VARSIZE_ANY_EXHDR(x);
	size_t		y_len = VARSIZE_ANY_EXHDR(y);
	int			order = memcmp(VARDATA_ANY(x), VARDATA_ANY(y), Min(x_len, y_len));

	return order != 0 ? order : (x_len > y_len) - (x_len < y_len);
}

static void
check_distinct(const Labels *labels)
{
	Datum	   *sorted = palloc(labels->n * sizeof(Datum));

	memcpy(sorted, labels->text, labels->n * sizeof(Datum));
	qsort(sorted, labels->n, sizeof(Datum), compare_texts);
	for (int i = 1; i < labels->n; i++)
	{
		if (compare_texts(&sorted[i - 1], &sorted[i]) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("label \"%s\" is given twice", TextDatumGetCString(sorted[i]))));
	}
}

/* Raises where a text cannot be given one of these labels. */
static void
check_labels(Datum value)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	Labels		labels;

	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there must be at least one label")));
	if (n > MAX_LABELS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("there must not be more than %d labels", MAX_LABELS)));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a label must not be null")));
	labels = open_labels(value);
	check_distinct(&labels);
}

/* Has a row the labels of the row before, which have been checked?  Else it waits. */
static bool
are_same_labels(const AiaasTexts *texts, int row)
{
	int			other = texts->n_rows > 0 ? texts->rows[0].row : row;
	Datum		a = aiaas_batch_argument(texts->batch, 1, row)->value;
	Datum		b = aiaas_batch_argument(texts->batch, 1, other)->value;

	return texts->n_rows > 0 && (a == b || datumIsEqual(a, b, false, -1));
}

/*
 * What the encoder reads
 */
static void
ask(AiRequest *request, const AiEncoder *encoder)
{
	request->is_pair = request->is_raw = ai_zero_shot_reads_pairs(encoder);
}

/* text, 0, hypothesis */
static void
add_pair(AiaasTexts *texts, const char *utf8, size_t len, const char *label, size_t label_len)
{
	const size_t n_begin = strlen(AI_HYPOTHESIS_BEGIN);
	const size_t n_end = strlen(AI_HYPOTHESIS_END);
	size_t		size = len + 1 + n_begin + label_len + n_end;
	char	   *pair = MemoryContextAllocHuge(CurrentMemoryContext, size);
	char	   *hypothesis = pair + len + 1;

	memcpy(pair, utf8, len);
	pair[len] = '\0';
	memcpy(hypothesis, AI_HYPOTHESIS_BEGIN, n_begin);
	memcpy(hypothesis + n_begin, label, label_len);
	memcpy(hypothesis + n_begin + label_len, AI_HYPOTHESIS_END, n_end);
	aiaas_texts_add(texts, pair, size);
}

/* Pairs of the text and each label, or all labels and then the text */
static bool
read_row(AiaasTexts *texts, AiaasTextsRow *row, bool is_first)
{
	Datum		value = aiaas_batch_argument(texts->batch, 1, row->row)->value;
	const char *utf8;
	size_t		len;
	Labels		labels;

	if (is_first)
		check_labels(value);
	else if (!are_same_labels(texts, row->row))
		return false;
	if (!aiaas_texts_read(texts, row->row, 0, is_first, &utf8, &len))
		return false;
	labels = open_labels(value);
	for (int i = 0; i < labels.n; i++)
	{
		size_t		label_len;
		const char *label = aiaas_text_to_utf8(DatumGetTextPP(labels.text[i]), &label_len);

		if (texts->request.is_pair)
			add_pair(texts, utf8, len, label, label_len);
		else
			aiaas_texts_add(texts, label, label_len);
	}
	if (!texts->request.is_pair)
		aiaas_texts_add(texts, utf8, len);
	return true;
}

/*
 * Results
 */
static double *
score_labels(const AiaasTexts *texts, const AiaasTextsRow *row, int n)
{
	const float **answers = palloc(n * sizeof(float *));
	double	   *probability = palloc(n * sizeof(double));

	for (int i = 0; i < n; i++)
		answers[i] = aiaas_texts_answer(texts, row, i);
	ai_zero_shot_scores(probability, texts->encoder,
						texts->request.is_pair ? NULL : aiaas_texts_answer(texts, row, n),
						answers, n);
	return probability;
}

static bool
make_label(const AiaasTexts *texts, const AiaasTextsRow *row, Datum *result)
{
	Labels		labels = open_labels(aiaas_batch_argument(texts->batch, 1, row->row)->value);
	double	   *probability = score_labels(texts, row, labels.n);
	int			best = 0;

	for (int i = 1; i < labels.n; i++)
		best = probability[i] > probability[best] ? i : best;
	*result = datumCopy(labels.text[best], false, -1);
	return true;
}

static bool
make_scores(const AiaasTexts *texts, const AiaasTextsRow *row, Datum *result)
{
	Labels		labels = open_labels(aiaas_batch_argument(texts->batch, 1, row->row)->value);
	double	   *probability = score_labels(texts, row, labels.n);
	AiaasJson	json = {0};

	aiaas_json_begin(&json, NULL);
	for (int i = 0; i < labels.n; i++)
		aiaas_json_float(&json, TextDatumGetCString(labels.text[i]), probability[i]);
	aiaas_json_end(&json);
	*result = JsonbPGetDatum(aiaas_json_finish(&json));
	return true;
}

/*
 * The verbs
 */
#define NEEDS "an embedder or a classifier of natural-language inference"

static const AiaasTextsVerb label_verb = {
	.function = "ai_classify",
	.model = {2, AIAAS_DEFAULT_ZERO_SHOT, AIAAS_CALL_USE},
	.can = ai_zero_shot_can,
	.needs = NEEDS,
	.ask = ask,
	.read = read_row,
	.make = make_label
};

static const AiaasTextsVerb scores_verb = {
	.function = "ai_scores",
	.model = {2, AIAAS_DEFAULT_ZERO_SHOT, AIAAS_CALL_USE},
	.can = ai_zero_shot_can,
	.needs = NEEDS,
	.ask = ask,
	.read = read_row,
	.make = make_scores
};

AIAAS_DEFINE_TEXTS(aiaas_classify_labels, label_verb)
AIAAS_DEFINE_TEXTS(aiaas_scores_labels, scores_verb)

/* An embedder reads the labels once in a batch, so this is its upper limit. */
static void
cost(const AiaasModel *model, AiaasVerbCost *cost)
{
	aiaas_input_cost(model, cost);
	cost->per_row *= USUAL_LABELS;
	cost->per_byte *= USUAL_LABELS;
}

const AiaasVerb aiaas_zero_shot_verbs[] = {
	{
		"ai_classify", aiaas_classify_labels, {2, AIAAS_DEFAULT_ZERO_SHOT, AIAAS_CALL_USE},
		aiaas_classify_labels_run, aiaas_texts_size, cost
	},
	{
		"ai_scores", aiaas_scores_labels, {2, AIAAS_DEFAULT_ZERO_SHOT, AIAAS_CALL_USE},
		aiaas_scores_labels_run, aiaas_texts_size, cost
	},
	{0}
};
