/*-------------------------------------------------------------------------
 * fn_classify.c
 *		ai_classify, ai_scores, ai_score, and the same by pins.
 *
 * Every verb has two entries: _text for texts, which is the fast one, and _any
 * for values whose type is looked at.  The model is the last argument, if given;
 * in the place of its name the _pinned functions take a pin.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "pg/engine/call.h"
#include "pg/host/compat.h"
#include "pg/host/json.h"
#include "pg/sqlapi/verbs.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_classify_text);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_classify_any);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_scores_text);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_scores_any);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_score_text);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_score_any);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_classify_pinned_text);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_classify_pinned_any);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_scores_pinned_text);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_scores_pinned_any);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_score_pinned_text);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_score_pinned_any);

static Datum
classify(const AiaasCall *call, const char *utf8, size_t len)
{
	AiaasEngine *engine = aiaas_call_engine(call);
	text	   *label;
	text	   *result;
	int			best;

	aiaas_engine_run(engine, NULL, &best, utf8, len);

	/* A copy, since the engine may be gone before the result is used. */
	label = aiaas_engine_label(engine, best);
	result = palloc(VARSIZE(label));
	memcpy(result, label, VARSIZE(label));
	PG_RETURN_TEXT_P(result);
}

static Datum
scores(const AiaasCall *call, const char *utf8, size_t len)
{
	AiaasEngine *engine = aiaas_call_engine(call);
	int			n_labels = aiaas_engine_n_labels(engine);
	double	   *probability = palloc(n_labels * sizeof(double));
	AiaasJson	json = {0};

	aiaas_engine_run(engine, probability, NULL, utf8, len);
	aiaas_json_begin(&json, NULL);
	for (int i = 0; i < n_labels; i++)
		aiaas_json_float(&json, text_to_cstring(aiaas_engine_label(engine, i)), probability[i]);
	aiaas_json_end(&json);
	PG_RETURN_JSONB_P(aiaas_json_finish(&json));
}

static Datum
score(const AiaasCall *call, const char *utf8, size_t len, int label)
{
	PG_RETURN_FLOAT8(aiaas_engine_probability(aiaas_call_engine(call), utf8, len, label));
}

static Datum
classify_text(FunctionCallInfo fcinfo, AiaasCallMode mode)
{
	AiaasCall  *call = aiaas_call_begin(fcinfo, 1, mode);
	const char *utf8;
	size_t		len;

	aiaas_call_text(fcinfo, &utf8, &len);
	return classify(call, utf8, len);
}

static Datum
classify_any(FunctionCallInfo fcinfo, AiaasCallMode mode)
{
	AiaasCall  *call = aiaas_call_begin(fcinfo, 1, mode);
	const char *utf8;
	size_t		len;

	if (!aiaas_call_any(call, fcinfo, &utf8, &len))
		PG_RETURN_NULL();
	return classify(call, utf8, len);
}

static Datum
scores_text(FunctionCallInfo fcinfo, AiaasCallMode mode)
{
	AiaasCall  *call = aiaas_call_begin(fcinfo, 1, mode);
	const char *utf8;
	size_t		len;

	aiaas_call_text(fcinfo, &utf8, &len);
	return scores(call, utf8, len);
}

static Datum
scores_any(FunctionCallInfo fcinfo, AiaasCallMode mode)
{
	AiaasCall  *call = aiaas_call_begin(fcinfo, 1, mode);
	const char *utf8;
	size_t		len;

	if (!aiaas_call_any(call, fcinfo, &utf8, &len))
		PG_RETURN_NULL();
	return scores(call, utf8, len);
}

static Datum
score_text(FunctionCallInfo fcinfo, AiaasCallMode mode)
{
	AiaasCall  *call = aiaas_call_begin(fcinfo, 2, mode);
	int			label = aiaas_call_label(call, fcinfo, 1);
	const char *utf8;
	size_t		len;

	aiaas_call_text(fcinfo, &utf8, &len);
	return score(call, utf8, len, label);
}

static Datum
score_any(FunctionCallInfo fcinfo, AiaasCallMode mode)
{
	AiaasCall  *call = aiaas_call_begin(fcinfo, 2, mode);
	int			label = aiaas_call_label(call, fcinfo, 1);
	const char *utf8;
	size_t		len;

	if (!aiaas_call_any(call, fcinfo, &utf8, &len))
		PG_RETURN_NULL();
	return score(call, utf8, len, label);
}

Datum
aiaas_classify_text(PG_FUNCTION_ARGS)
{
	return classify_text(fcinfo, AIAAS_CALL_USE);
}

Datum
aiaas_classify_any(PG_FUNCTION_ARGS)
{
	return classify_any(fcinfo, AIAAS_CALL_USE);
}

Datum
aiaas_scores_text(PG_FUNCTION_ARGS)
{
	return scores_text(fcinfo, AIAAS_CALL_USE);
}

Datum
aiaas_scores_any(PG_FUNCTION_ARGS)
{
	return scores_any(fcinfo, AIAAS_CALL_USE);
}

Datum
aiaas_score_text(PG_FUNCTION_ARGS)
{
	return score_text(fcinfo, AIAAS_CALL_USE);
}

Datum
aiaas_score_any(PG_FUNCTION_ARGS)
{
	return score_any(fcinfo, AIAAS_CALL_USE);
}

Datum
aiaas_classify_pinned_text(PG_FUNCTION_ARGS)
{
	return classify_text(fcinfo, AIAAS_CALL_PINNED);
}

Datum
aiaas_classify_pinned_any(PG_FUNCTION_ARGS)
{
	return classify_any(fcinfo, AIAAS_CALL_PINNED);
}

Datum
aiaas_scores_pinned_text(PG_FUNCTION_ARGS)
{
	return scores_text(fcinfo, AIAAS_CALL_PINNED);
}

Datum
aiaas_scores_pinned_any(PG_FUNCTION_ARGS)
{
	return scores_any(fcinfo, AIAAS_CALL_PINNED);
}

Datum
aiaas_score_pinned_text(PG_FUNCTION_ARGS)
{
	return score_text(fcinfo, AIAAS_CALL_PINNED);
}

Datum
aiaas_score_pinned_any(PG_FUNCTION_ARGS)
{
	return score_any(fcinfo, AIAAS_CALL_PINNED);
}

/*
 * The verbs
 */

/* A row at a time, by the function itself */
static void
run_one(FunctionCallInfo fcinfo, AiaasBatch *batch, int first)
{
	MemoryContext old_context = CurrentMemoryContext;
	NullableDatum *result;

	if (first < 0)
		return;
	result = &batch->results[first];
	MemoryContextSwitchTo(batch->context);
	for (int i = 0; i < fcinfo->nargs; i++)
		fcinfo->args[i] = batch->args[i].values[(Size) first * batch->args[i].stride];
	fcinfo->isnull = false;
	result->value = FunctionCallInvoke(fcinfo);
	result->isnull = fcinfo->isnull;
	batch->is_done[first] = true;
	MemoryContextSwitchTo(old_context);
}

static void
size_text(FunctionCallInfo fcinfo, AiaasBatchSize *size)
{
	*size = (AiaasBatchSize) {.unit = AIAAS_WORK_BYTES, .target = 128 * 1024, .max_rows = 1024};
}

/* About what the text classifier takes with AVX2 */
static void
cost_text(const AiaasModel *model, AiaasVerbCost *cost)
{
	(void) model;
	*cost = (AiaasVerbCost) {.per_row = 1e-6, .per_byte = 30e-9};
}

#define TEXT_VERB(name, entry, model_arg, mode) \
	{name, entry, model_arg, mode, run_one, size_text, cost_text}

const AiaasVerb aiaas_verbs[] = {
	TEXT_VERB("ai_classify", aiaas_classify_text, 1, AIAAS_CALL_USE),
	TEXT_VERB("ai_classify", aiaas_classify_any, 1, AIAAS_CALL_USE),
	TEXT_VERB("ai_scores", aiaas_scores_text, 1, AIAAS_CALL_USE),
	TEXT_VERB("ai_scores", aiaas_scores_any, 1, AIAAS_CALL_USE),
	TEXT_VERB("ai_score", aiaas_score_text, 2, AIAAS_CALL_USE),
	TEXT_VERB("ai_score", aiaas_score_any, 2, AIAAS_CALL_USE),
	TEXT_VERB("ai_classify_pinned", aiaas_classify_pinned_text, 1, AIAAS_CALL_PINNED),
	TEXT_VERB("ai_classify_pinned", aiaas_classify_pinned_any, 1, AIAAS_CALL_PINNED),
	TEXT_VERB("ai_scores_pinned", aiaas_scores_pinned_text, 1, AIAAS_CALL_PINNED),
	TEXT_VERB("ai_scores_pinned", aiaas_scores_pinned_any, 1, AIAAS_CALL_PINNED),
	TEXT_VERB("ai_score_pinned", aiaas_score_pinned_text, 2, AIAAS_CALL_PINNED),
	TEXT_VERB("ai_score_pinned", aiaas_score_pinned_any, 2, AIAAS_CALL_PINNED),
	{0}
};
