/*-------------------------------------------------------------------------
 * fn_similarity.c
 *		ai_similarity, of texts and embeddings, and ai_rerank.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "core/model/network_batch.h"
#include "core/model/similarity.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "pg/engine/batch.h"
#include "pg/engine/work.h"
#include "pg/host/datum.h"
#include "pg/host/numbers.h"
#include "pg/host/raise.h"
#include "pg/host/rows.h"
#include "pg/sqlapi/verbs.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_similarity_vectors);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_rerank);

/* Rows of a batch that compares stored embeddings with one text */
#define ROWS_OF_VECTORS 1000

/*
 * Embeddings as they are stored: real[]
 */
typedef struct Vector
{
	const float *x;				/* NULL: it has a NULL */
	size_t		n;
} Vector;

static Vector
open_vector(Datum value)
{
	ArrayType  *array = DatumGetArrayTypeP(value);

	return (Vector) {
		array_contains_nulls(array) ? NULL : (const float *) ARR_DATA_PTR(array),
		(size_t) ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array))
	};
}

/* NaN: that would raise. */
static double
similarity_of(const Vector *a, const Vector *b)
{
	return a->x == NULL || b->x == NULL || a->n != b->n ? NAN : ai_cosine(a->x, b->x, a->n);
}

static _Noreturn void
reject_vectors(const Vector *a, const Vector *b)
{
	if (a->x == NULL || b->x == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("an embedding must not contain nulls")));
	if (a->n != b->n)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("embeddings have different numbers of elements: %zu and %zu", a->n, b->n),
				 errhint("Compare embeddings of one model.")));
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("an embedding must not contain NaN or infinity")));
}

Datum
aiaas_similarity_vectors(PG_FUNCTION_ARGS)
{
	Vector		a = open_vector(PG_GETARG_DATUM(0));
	Vector		b = open_vector(PG_GETARG_DATUM(1));
	double		similarity = similarity_of(&a, &b);

	if (isnan(similarity))
		reject_vectors(&a, &b);
	PG_RETURN_FLOAT8(similarity);
}

/*
 * Two texts
 */
static bool
read_texts(AiaasTexts *texts, AiaasTextsRow *row, bool is_first)
{
	for (int arg = 0; arg < 2; arg++)
	{
		const char *utf8;
		size_t		len;

		if (!aiaas_texts_read(texts, row->row, arg, is_first, &utf8, &len))
			return false;
		aiaas_texts_add(texts, utf8, len);
	}
	return true;
}

static bool
compare_texts(const AiaasTexts *texts, const AiaasTextsRow *row, Datum *result)
{
	*result = Float8GetDatum(ai_cosine(aiaas_texts_answer(texts, row, 0),
									   aiaas_texts_answer(texts, row, 1),
									   ai_encoder_n_outputs(texts->encoder)));
	return true;
}

static const AiaasTextsVerb texts_verb = {
	.function = "ai_similarity",
	.model = {2, AIAAS_DEFAULT_EMBEDDER, AIAAS_CALL_USE},
	.needs = "an embedder",
	.read = read_texts,
	.make = compare_texts
};

AIAAS_DEFINE_TEXTS(aiaas_similarity_texts, texts_verb)

static void
cost_texts(const AiaasModel *model, AiaasVerbCost *cost)
{
	aiaas_input_cost(model, cost);
	cost->per_row *= 2;
	cost->per_byte *= 2;
}

/*
 * A stored embedding and a text, which mostly is the same for all rows
 */

static bool
read_vector(AiaasTexts *texts, AiaasTextsRow *row, bool is_first)
{
	const char *utf8;
	size_t		len;
	const float *known;

	if (!aiaas_texts_read(texts, row->row, 1, is_first, &utf8, &len))
		return false;
	row->own = DatumGetArrayTypeP(aiaas_batch_argument(texts->batch, 0, row->row)->value);
	known = aiaas_call_recall(texts->call, utf8, len);
	if (known != NULL)
		texts->known = known;
	else
		aiaas_texts_add(texts, utf8, len);
	return true;
}

static Vector
vector_of(const AiaasTexts *texts, const AiaasTextsRow *row)
{
	return (Vector) {
		row->n > 0 ? aiaas_texts_answer(texts, row, 0) : texts->known,
		ai_encoder_n_outputs(texts->encoder)
	};
}

static bool
compare_vector(const AiaasTexts *texts, const AiaasTextsRow *row, Datum *result)
{
	Vector		a = open_vector(PointerGetDatum(row->own));
	Vector		b = vector_of(texts, row);
	double		similarity = similarity_of(&a, &b);

	*result = Float8GetDatum(similarity);
	return !isnan(similarity);
}

static void
reject_vector(const AiaasTexts *texts, const AiaasTextsRow *row)
{
	Vector		a = open_vector(PointerGetDatum(row->own));
	Vector		b = vector_of(texts, row);

	reject_vectors(&a, &b);
}

static const AiaasTextsVerb vector_verb = {
	.function = "ai_similarity",
	.model = {2, AIAAS_DEFAULT_EMBEDDER, AIAAS_CALL_USE},
	.needs = "an embedder",
	.remembers = true,
	.read = read_vector,
	.make = compare_vector,
	.reject = reject_vector
};

AIAAS_DEFINE_TEXTS(aiaas_similarity_vector, vector_verb)

static void
size_vectors(FunctionCallInfo fcinfo, AiaasBatchSize *size)
{
	(void) fcinfo;
	*size = (AiaasBatchSize) {AIAAS_WORK_ROWS, ROWS_OF_VECTORS, ROWS_OF_VECTORS};
}

static void
cost_vectors(const AiaasModel *model, AiaasVerbCost *cost)
{
	(void) model;
	*cost = (AiaasVerbCost) {.per_row = 0.3e-6, .per_byte = 0.1e-9};
}

const AiaasVerb aiaas_similarity_verbs[] = {
	{
		"ai_similarity", aiaas_similarity_texts, {2, AIAAS_DEFAULT_EMBEDDER, AIAAS_CALL_USE},
		aiaas_similarity_texts_run, aiaas_texts_size, cost_texts
	},
	{
		"ai_similarity", aiaas_similarity_vector, {2, AIAAS_DEFAULT_EMBEDDER, AIAAS_CALL_USE},
		aiaas_similarity_vector_run, size_vectors, cost_vectors
	},
	{0}
};

/*
 * Sorting documents by how well they answer a query
 */
typedef struct Document
{
	int			position;		/* in the array, from 1 */
	Datum		text;
	double		score;
} Document;

static bool
reads_pairs(const AiEncoder *encoder)
{
	return ai_encoder_shape(encoder)->answer == AI_ANSWER_VALUES &&
		ai_encoder_n_outputs(encoder) == 1;
}

/* What is NULL is no document. */
static Document *
open_documents(Datum value, int *n_documents)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	Datum	   *values;
	bool	   *is_null;
	int			n;
	Document   *documents;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &values, &is_null, &n);
	documents = palloc(Max(n, 1) * sizeof(Document));
	*n_documents = 0;
	for (int i = 0; i < n; i++)
	{
		if (!is_null[i])
			documents[(*n_documents)++] = (Document) {i + 1, values[i], 0};
	}
	return documents;
}

/* The query and a 0 byte before the document */
static const char *
make_pair(const char *query, size_t query_len, const char *document, size_t *len)
{
	char	   *pair = MemoryContextAllocHuge(CurrentMemoryContext, query_len + 1 + *len);

	memcpy(pair, query, query_len);
	pair[query_len] = '\0';
	memcpy(pair + query_len + 1, document, *len);
	*len += query_len + 1;
	return pair;
}

/* inputs:[n + 1], of an embedder the query comes last */
static void
score_documents(AiaasCall *call, Document *documents, int n, Datum query)
{
	AiaasEngine *engine = aiaas_call_engine(call);
	const AiEncoder *encoder = aiaas_engine_encoder(engine);
	AiRequest	request = {.layer = AI_NETWORK_ANSWER, .is_pair = reads_pairs(encoder)};
	AiInput    *inputs = palloc0((Size) (n + 1) * sizeof(AiInput));
	AiaasCounts counts = {0};
	const char *query_text;
	size_t		query_len;
	AiError		err;

	aiaas_call_text(call, query, &query_text, &query_len);
	for (int i = 0; i < n; i++)
	{
		const char *utf8;
		size_t		len;

		CHECK_FOR_INTERRUPTS();
		aiaas_call_text(call, documents[i].text, &utf8, &len);
		inputs[i].bytes = request.is_pair ? make_pair(query_text, query_len, utf8, &len) : utf8;
		inputs[i].len = len;
	}
	inputs[n].bytes = query_text;
	inputs[n].len = query_len;
	aiaas_engine_run_many(engine, inputs, request.is_pair ? n : n + 1, &request, &counts, &err);
	for (int i = 0; i < n + !request.is_pair; i++)
	{
		if (inputs[inputs[i].same_as].code != AI_OK)
			aiaas_engine_raise(engine, &inputs[i], &request);
	}
	for (int i = 0; i < n; i++)
	{
		const float *answer = inputs[inputs[i].same_as].answer;

		documents[i].score = request.is_pair ? answer[0] :
			ai_cosine(answer, inputs[inputs[n].same_as].answer, ai_encoder_n_outputs(encoder));
	}
	aiaas_call_end_work(call, "ai_rerank", &counts);
}

static int
compare_scores(const void *a, const void *b)
{
	const Document *x = a;
	const Document *y = b;

	if (x->score != y->score)
		return x->score < y->score ? 1 : -1;
	return x->position - y->position;
}

Datum
aiaas_rerank(PG_FUNCTION_ARGS)
{
	static const AiaasModelArg model_arg = {2, AIAAS_DEFAULT_EMBEDDER, AIAAS_CALL_USE};
	AiaasCall  *call = aiaas_call_begin(fcinfo, &model_arg);
	const AiEncoder *encoder = aiaas_engine_encoder(aiaas_call_engine(call));
	int			n;
	Document   *documents = open_documents(PG_GETARG_DATUM(1), &n);
	AiaasRows	rows;

	aiaas_rows_begin(&rows, fcinfo);
	if (encoder == NULL || (!reads_pairs(encoder) &&
							ai_encoder_shape(encoder)->answer != AI_ANSWER_EMBEDDING))
		aiaas_reject_encoder(aiaas_call_model(fcinfo), "a cross-encoder or an embedder");
	if (n == 0)
		return (Datum) 0;
	aiaas_call_start_work(call, "ai_rerank");
	score_documents(call, documents, n, PG_GETARG_DATUM(0));
	qsort(documents, n, sizeof(Document), compare_scores);
	for (int i = 0; i < n; i++)
	{
		Datum		values[3] = {
			Int32GetDatum(documents[i].position), documents[i].text,
			Float8GetDatum(documents[i].score)
		};
		bool		is_null[3] = {false};

		aiaas_rows_put(&rows, values, is_null);
	}
	return (Datum) 0;
}
