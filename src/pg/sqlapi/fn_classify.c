/*-------------------------------------------------------------------------
 * fn_classify.c
 *		ai_classify, ai_scores, ai_score, ai_predict, ai_transform, ai_embed, and what there is of
 *		them by pins: verbs (pg/engine/verb.h).
 *
 * Every verb has two entries: _text for texts, and _any for values whose type is looked
 * at.  The model is the last argument, if given; in the place of its name the _pinned
 * functions take a pin.  A call of an entry is a batch of one row.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/memutils.h"

#include "pg/engine/batch.h"
#include "pg/engine/gather.h"
#include "pg/engine/work.h"
#include "pg/host/compat.h"
#include "pg/host/raise.h"
#include "pg/sqlapi/answers.h"
#include "pg/sqlapi/verbs.h"

/* How answers become results */
typedef struct Results
{
	AiaasMakeResult make;
	bool		needs_probabilities;	/* of text classifiers */
	bool		is_shared;		/* equal inputs have one result */
} Results;

static const Results results_of[] = {
	[AIAAS_ANSWER_LABEL] = {aiaas_make_label, false, true},
	[AIAAS_ANSWER_SCORES] = {aiaas_make_scores, true, true},
	[AIAAS_ANSWER_SCORE] = {aiaas_make_score, true, false},
	[AIAAS_ANSWER_VALUE] = {aiaas_make_value, false, false},
	[AIAAS_ANSWER_NUMBERS] = {aiaas_make_numbers, false, true},
	[AIAAS_ANSWER_LAYER] = {aiaas_make_numbers, false, true},
	[AIAAS_ANSWER_EMBEDDING] = {aiaas_make_numbers, false, true}
};

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
store_results(const Results *results, AiaasAnswers *answers, const AiaasGathered *gathered,
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
		if (same_as != i && results->is_shared)
			result->value = batch->results[gathered->rows[same_as].row].value;
		else
			result->value = results->make(answers, input, row->label);
		result->isnull = false;
		batch->is_done[row->row] = true;
	}
	MemoryContextSwitchTo(old_context);
}

static pg_attribute_always_inline void
run_gathered(const AiaasSignature *signature, AiaasEngine *engine, const AiaasGathered *gathered,
			 AiaasBatch *batch, int first)
{
	const Results *results = &results_of[signature->answer];
	AiaasAnswers answers = {
		.engine = engine, .task = aiaas_engine_task(engine),
		.network = aiaas_engine_network(engine), .layer = gathered->request.layer
	};
	AiError		err;

	if (results->needs_probabilities && aiaas_engine_n_numbers(engine, AI_NETWORK_ANSWER) == 0)
		alloc_probabilities(gathered, engine);
	if (batch->n_rows > 1)
	{
		answers.labels = palloc0(aiaas_engine_n_labels(engine) * sizeof(Datum));
		answers.garbage = AllocSetContextCreate(CurrentMemoryContext, "aiaas results",
												ALLOCSET_DEFAULT_SIZES);
	}
	aiaas_engine_run_many(engine, gathered->inputs, gathered->n, &gathered->request,
						  &batch->counts, &err);
	if (gathered->rows[0].row == first && gathered->inputs[0].code != AI_OK)
		aiaas_raise(&err);
	store_results(results, &answers, gathered, batch);
}

/* In a memory context of its own where there are many rows */
static pg_attribute_always_inline void
run(const AiaasSignature *signature, FunctionCallInfo fcinfo, AiaasBatch *batch, int first)
{
	MemoryContext context = batch->context;
	MemoryContext old_context;
	AiaasGathered gathered;
	AiaasCall  *call;

	if (batch->n_rows > 1)
		context = AllocSetContextCreate(batch->context, "aiaas inputs", ALLOCSET_DEFAULT_SIZES);
	old_context = MemoryContextSwitchTo(context);
	call = aiaas_gather(&gathered, signature, fcinfo, batch, first);
	if (call != NULL && gathered.n > 0)
		run_gathered(signature, aiaas_call_engine(call), &gathered, batch, first);
	if (call != NULL)
		aiaas_call_end_work(call, signature->function, &batch->counts);
	MemoryContextSwitchTo(old_context);
	if (batch->n_rows > 1)
		MemoryContextDelete(context);
}

static void
run_rows(const AiaasSignature *signature, FunctionCallInfo fcinfo, AiaasBatch *batch, int first)
{
	run(signature, fcinfo, batch, first);
}

/* The call of a function of SQL, which is strict */
static Datum
run_row(const AiaasSignature *signature, FunctionCallInfo fcinfo)
{
	AiaasOneRow row;

	aiaas_one_row_init(&row, fcinfo);
	run(signature, fcinfo, &row.batch, 0);
	fcinfo->isnull = row.result.isnull;
	return row.result.value;
}

static void
size_batch(const AiaasSignature *signature, FunctionCallInfo fcinfo, AiaasBatchSize *size)
{
	const AiaasCall *call = fcinfo->flinfo->fn_extra;
	bool		is_known = aiaas_call_model(fcinfo) != NULL;
	bool		has_layer = is_known && signature->answer == AIAAS_ANSWER_LAYER;

	aiaas_batch_size(is_known ? aiaas_call_engine(call) : NULL, signature->answer,
					 has_layer ? aiaas_call_named(call) : AI_NETWORK_ANSWER, size);
}

/*
 * The verbs: name, what they answer, type of the input, numbers of the arguments that name a label
 * or layer, allow truncation, and name the model; the setting that else does, how the model is
 * named, costs
 */
#define VERBS(VERB) \
	VERB(aiaas_classify_text, "ai_classify", LABEL, TEXTOID, 0, 0, 1, CLASSIFIER, USE, input) \
	VERB(aiaas_classify_any, "ai_classify", LABEL, InvalidOid, 0, 0, 1, CLASSIFIER, USE, input) \
	VERB(aiaas_scores_text, "ai_scores", SCORES, TEXTOID, 0, 0, 1, CLASSIFIER, USE, scores) \
	VERB(aiaas_scores_any, "ai_scores", SCORES, InvalidOid, 0, 0, 1, CLASSIFIER, USE, scores) \
	VERB(aiaas_score_text, "ai_score", SCORE, TEXTOID, 1, 0, 2, CLASSIFIER, USE, input) \
	VERB(aiaas_score_any, "ai_score", SCORE, InvalidOid, 1, 0, 2, CLASSIFIER, USE, input) \
	VERB(aiaas_predict_text, "ai_predict", VALUE, TEXTOID, 0, 0, 1, CLASSIFIER, USE, input) \
	VERB(aiaas_predict_any, "ai_predict", VALUE, InvalidOid, 0, 0, 1, CLASSIFIER, USE, input) \
	VERB(aiaas_transform_text, "ai_transform", NUMBERS, TEXTOID, 0, 0, 1, CLASSIFIER, USE, input) \
	VERB(aiaas_transform_any, "ai_transform", NUMBERS, InvalidOid, 0, 0, 1, CLASSIFIER, USE, input) \
	VERB(aiaas_transform_layer_text, "ai_transform", LAYER, TEXTOID, 2, 0, 1, CLASSIFIER, USE, input) \
	VERB(aiaas_transform_layer_any, "ai_transform", LAYER, InvalidOid, 2, 0, 1, CLASSIFIER, USE, input) \
	VERB(aiaas_embed_text, "ai_embed", EMBEDDING, TEXTOID, 0, 0, 1, EMBEDDER, USE, input) \
	VERB(aiaas_embed_any, "ai_embed", EMBEDDING, InvalidOid, 0, 0, 1, EMBEDDER, USE, input) \
	VERB(aiaas_embed_whole_text, "ai_embed", EMBEDDING, TEXTOID, 0, 2, 1, EMBEDDER, USE, input) \
	VERB(aiaas_embed_whole_any, "ai_embed", EMBEDDING, InvalidOid, 0, 2, 1, EMBEDDER, USE, input) \
	VERB(aiaas_embed_default_whole_text, "ai_embed", EMBEDDING, TEXTOID, 0, 1, 2, EMBEDDER, USE, input) \
	VERB(aiaas_classify_pinned_text, "ai_classify_pinned", LABEL, TEXTOID, 0, 0, 1, CLASSIFIER, PINNED, input) \
	VERB(aiaas_classify_pinned_any, "ai_classify_pinned", LABEL, InvalidOid, 0, 0, 1, CLASSIFIER, PINNED, input) \
	VERB(aiaas_scores_pinned_text, "ai_scores_pinned", SCORES, TEXTOID, 0, 0, 1, CLASSIFIER, PINNED, scores) \
	VERB(aiaas_scores_pinned_any, "ai_scores_pinned", SCORES, InvalidOid, 0, 0, 1, CLASSIFIER, PINNED, scores) \
	VERB(aiaas_score_pinned_text, "ai_score_pinned", SCORE, TEXTOID, 1, 0, 2, CLASSIFIER, PINNED, input) \
	VERB(aiaas_score_pinned_any, "ai_score_pinned", SCORE, InvalidOid, 1, 0, 2, CLASSIFIER, PINNED, input) \
	VERB(aiaas_embed_pinned_text, "ai_embed_pinned", EMBEDDING, TEXTOID, 0, 0, 1, EMBEDDER, PINNED, input) \
	VERB(aiaas_embed_pinned_any, "ai_embed_pinned", EMBEDDING, InvalidOid, 0, 0, 1, EMBEDDER, PINNED, input)

/* Its entry, and what the table of verbs refers to */
#define DEFINE_VERB(entry, name, answer, type, name_arg, truncate_arg, model_arg, setting, mode, \
					cost) \
	PGDLLEXPORT PG_FUNCTION_INFO_V1(entry); \
	static const AiaasSignature entry##_signature = { \
		name, AIAAS_ANSWER_##answer, type, name_arg, truncate_arg, \
		{model_arg, AIAAS_DEFAULT_##setting, AIAAS_CALL_##mode} \
	}; \
	Datum \
	entry(PG_FUNCTION_ARGS) \
	{ \
		return run_row(&entry##_signature, fcinfo); \
	} \
	static void \
	entry##_run(FunctionCallInfo fcinfo, AiaasBatch *batch, int first) \
	{ \
		run_rows(&entry##_signature, fcinfo, batch, first); \
	} \
	static void \
	entry##_size(FunctionCallInfo fcinfo, AiaasBatchSize *size) \
	{ \
		size_batch(&entry##_signature, fcinfo, size); \
	}

#define LIST_VERB(entry, name, answer, type, name_arg, truncate_arg, model_arg, setting, mode, \
				  cost) \
	{name, entry, {model_arg, AIAAS_DEFAULT_##setting, AIAAS_CALL_##mode}, entry##_run, \
	 entry##_size, aiaas_##cost##_cost},

VERBS(DEFINE_VERB)

const AiaasVerb aiaas_classify_verbs[] = {
	VERBS(LIST_VERB)
	{0}
};
