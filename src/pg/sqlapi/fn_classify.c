/*-------------------------------------------------------------------------
 * fn_classify.c
 *		ai_classify, ai_scores, ai_score, and the same by pins: verbs (pg/engine/verb.h).
 *
 * Every verb has two entries: _text for texts, and _any for values whose type is looked
 * at.  The model is the last argument, if given; in the place of its name the _pinned
 * functions take a pin.  A call of an entry is a batch of one row.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include "pg/engine/batch.h"
#include "pg/engine/gather.h"
#include "pg/engine/work.h"
#include "pg/host/compat.h"
#include "pg/host/json.h"
#include "pg/host/raise.h"
#include "pg/sqlapi/verbs.h"

#define MAX_ARGS 3

/* While the answers of a run become results */
typedef struct Answers
{
	AiaasEngine *engine;
	Datum	   *labels;			/* [n_labels] that rows share, 0: not yet; NULL: one row only */
	MemoryContext garbage;		/* emptied now and then; NULL: one row only */
} Answers;

/* An answer as a result, in the current memory context; raises nothing */
typedef Datum (*MakeResult) (Answers *answers, const AiInput *input, int label);

typedef struct TextVerb
{
	AiaasSignature signature;
	MakeResult	make;
	bool		needs_probabilities;
	bool		is_shared;		/* equal inputs have one result */
	int			label_bytes;	/* that an answer takes for each label of the model */
} TextVerb;

/*
 * Results
 */
static Datum
make_label(Answers *answers, const AiInput *input, int label)
{
	const text *name;
	text	   *copy;

	(void) label;
	if (answers->labels != NULL && answers->labels[input->best] != (Datum) 0)
		return answers->labels[input->best];

	/* A copy, since the engine may be gone before the result is used. */
	name = aiaas_engine_label(answers->engine, input->best);
	copy = palloc(VARSIZE(name));
	memcpy(copy, name, VARSIZE(name));
	if (answers->labels != NULL)
		answers->labels[input->best] = PointerGetDatum(copy);
	return PointerGetDatum(copy);
}

static Datum
make_json(const Answers *answers, const double *probability)
{
	int			n_labels = aiaas_engine_n_labels(answers->engine);
	AiaasJson	json = {0};

	aiaas_json_begin(&json, NULL);
	for (int i = 0; i < n_labels; i++)
		aiaas_json_float(&json, text_to_cstring(aiaas_engine_label(answers->engine, i)),
						 probability[i]);
	aiaas_json_end(&json);
	return JsonbPGetDatum(aiaas_json_finish(&json));
}

static Datum
make_scores(Answers *answers, const AiInput *input, int label)
{
	MemoryContext context;
	Datum		result;

	(void) label;
	if (answers->garbage == NULL)
		return make_json(answers, input->probability);
	context = MemoryContextSwitchTo(answers->garbage);
	result = make_json(answers, input->probability);
	MemoryContextSwitchTo(context);
	result = datumCopy(result, false, -1);
	MemoryContextReset(answers->garbage);
	return result;
}

static Datum
make_score(Answers *answers, const AiInput *input, int label)
{
	(void) answers;
	return Float8GetDatum(input->probability[label]);
}

/*
 * Running.  What is inlined is compiled once more for a call, which is a batch of one row:
 * beside a short text that counts.
 */
static void
alloc_probabilities(const AiaasGathered *gathered, const AiaasEngine *engine)
{
	int			n_labels = aiaas_engine_n_labels(engine);
	double	   *probability = MemoryContextAllocHuge(CurrentMemoryContext, (Size) gathered->n *
													 n_labels * sizeof(double));

	for (int i = 0; i < gathered->n; i++)
		gathered->inputs[i].probability = probability + (Size) i * n_labels;
}

/* What could not be computed is left. */
static pg_attribute_always_inline void
store_results(const TextVerb *verb, Answers *answers, const AiaasGathered *gathered,
			  AiaasBatch *batch)
{
	MemoryContext old_context = MemoryContextSwitchTo(batch->context);

	for (int i = 0; i < gathered->n; i++)
	{
		int			same_as = gathered->inputs[i].same_as;
		const AiInput *input = &gathered->inputs[same_as];
		const AiaasGatheredRow *row = &gathered->rows[i];
		NullableDatum *result = &batch->results[row->row];

		if (input->code != AI_OK)
			continue;
		if (same_as != i && verb->is_shared)
			result->value = batch->results[gathered->rows[same_as].row].value;
		else
			result->value = verb->make(answers, input, row->label);
		result->isnull = false;
		batch->is_done[row->row] = true;
	}
	MemoryContextSwitchTo(old_context);
}

static pg_attribute_always_inline void
run_gathered(const TextVerb *verb, AiaasEngine *engine, const AiaasGathered *gathered,
			 AiaasBatch *batch, int first)
{
	Answers		answers = {.engine = engine};
	AiError		err;

	if (verb->needs_probabilities)
		alloc_probabilities(gathered, engine);
	if (batch->n_rows > 1)
	{
		answers.labels = palloc0(aiaas_engine_n_labels(engine) * sizeof(Datum));
		answers.garbage = AllocSetContextCreate(CurrentMemoryContext, "aiaas results",
												ALLOCSET_DEFAULT_SIZES);
	}
	aiaas_engine_run_many(engine, gathered->inputs, gathered->n, &batch->counts, &err);
	if (gathered->rows[0].row == first && gathered->inputs[0].code != AI_OK)
		aiaas_raise(&err);
	store_results(verb, &answers, gathered, batch);
}

/* In a memory context of its own where there are many rows */
static pg_attribute_always_inline void
run(const TextVerb *verb, FunctionCallInfo fcinfo, AiaasBatch *batch, int first)
{
	MemoryContext context = batch->context;
	MemoryContext old_context;
	AiaasGathered gathered;
	AiaasCall  *call;

	if (batch->n_rows > 1)
		context = AllocSetContextCreate(batch->context, "aiaas inputs", ALLOCSET_DEFAULT_SIZES);
	old_context = MemoryContextSwitchTo(context);
	call = aiaas_gather(&gathered, &verb->signature, fcinfo, batch, first, verb->label_bytes);
	if (call != NULL && gathered.n > 0)
		run_gathered(verb, aiaas_call_engine(call), &gathered, batch, first);
	if (call != NULL)
		aiaas_call_end_work(call, verb->signature.function, &batch->counts);
	MemoryContextSwitchTo(old_context);
	if (batch->n_rows > 1)
		MemoryContextDelete(context);
}

static void
run_rows(const TextVerb *verb, FunctionCallInfo fcinfo, AiaasBatch *batch, int first)
{
	run(verb, fcinfo, batch, first);
}

/* The call of a function of SQL, which is strict */
static Datum
run_row(const TextVerb *verb, FunctionCallInfo fcinfo)
{
	AiaasColumn args[MAX_ARGS];
	NullableDatum result;
	bool		is_done = false;
	AiaasBatch	batch = {
		.n_rows = 1, .args = args, .results = &result, .is_done = &is_done,
		.context = CurrentMemoryContext
	};

	for (int i = 0; i < fcinfo->nargs; i++)
		args[i] = (AiaasColumn) {&fcinfo->args[i], 0};
	run(verb, fcinfo, &batch, 0);
	fcinfo->isnull = result.isnull;
	return result.value;
}

static void
size_batch(const TextVerb *verb, FunctionCallInfo fcinfo, AiaasBatchSize *size)
{
	const AiaasCall *call = fcinfo->flinfo->fn_extra;
	bool		is_known = aiaas_call_model(fcinfo) != NULL;

	aiaas_text_size(is_known ? aiaas_call_engine(call) : NULL, verb->label_bytes, size);
}

/*
 * The verbs: name, what they answer, type of the input, number of the label and of the
 * model among the arguments, how the model is named, costs
 */
#define LABEL make_label, false, true, 0
#define SCORES make_scores, true, true, 64
#define SCORE make_score, true, false, sizeof(double)

#define TEXT_VERBS(VERB) \
	VERB(aiaas_classify_text, "ai_classify", LABEL, TEXTOID, 0, 1, USE, text) \
	VERB(aiaas_classify_any, "ai_classify", LABEL, InvalidOid, 0, 1, USE, text) \
	VERB(aiaas_scores_text, "ai_scores", SCORES, TEXTOID, 0, 1, USE, scores) \
	VERB(aiaas_scores_any, "ai_scores", SCORES, InvalidOid, 0, 1, USE, scores) \
	VERB(aiaas_score_text, "ai_score", SCORE, TEXTOID, 1, 2, USE, text) \
	VERB(aiaas_score_any, "ai_score", SCORE, InvalidOid, 1, 2, USE, text) \
	VERB(aiaas_classify_pinned_text, "ai_classify_pinned", LABEL, TEXTOID, 0, 1, PINNED, text) \
	VERB(aiaas_classify_pinned_any, "ai_classify_pinned", LABEL, InvalidOid, 0, 1, PINNED, text) \
	VERB(aiaas_scores_pinned_text, "ai_scores_pinned", SCORES, TEXTOID, 0, 1, PINNED, scores) \
	VERB(aiaas_scores_pinned_any, "ai_scores_pinned", SCORES, InvalidOid, 0, 1, PINNED, scores) \
	VERB(aiaas_score_pinned_text, "ai_score_pinned", SCORE, TEXTOID, 1, 2, PINNED, text) \
	VERB(aiaas_score_pinned_any, "ai_score_pinned", SCORE, InvalidOid, 1, 2, PINNED, text)

/* Its entry, and what the table of verbs refers to */
#define DEFINE_VERB(entry, name, answer, type, label_arg, model_arg, mode, cost) \
	PGDLLEXPORT PG_FUNCTION_INFO_V1(entry); \
	static const TextVerb entry##_verb = { \
		{name, type, label_arg, model_arg, AIAAS_CALL_##mode}, answer \
	}; \
	Datum \
	entry(PG_FUNCTION_ARGS) \
	{ \
		return run_row(&entry##_verb, fcinfo); \
	} \
	static void \
	entry##_run(FunctionCallInfo fcinfo, AiaasBatch *batch, int first) \
	{ \
		run_rows(&entry##_verb, fcinfo, batch, first); \
	} \
	static void \
	entry##_size(FunctionCallInfo fcinfo, AiaasBatchSize *size) \
	{ \
		size_batch(&entry##_verb, fcinfo, size); \
	}

#define LIST_VERB(entry, name, answer, type, label_arg, model_arg, mode, cost) \
	{name, entry, model_arg, AIAAS_CALL_##mode, entry##_run, entry##_size, aiaas_##cost##_cost},

TEXT_VERBS(DEFINE_VERB)

const AiaasVerb aiaas_verbs[] = {
	TEXT_VERBS(LIST_VERB)
	{0}
};
