/*-------------------------------------------------------------------------
 * texts.c
 *		Calls that give an encoder several texts each.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/engine/texts.h"

#include "catalog/pg_type.h"
#include "core/model/network_batch.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "pg/engine/batch.h"
#include "pg/engine/gather.h"
#include "pg/engine/work.h"
#include "pg/host/compat.h"
#include "pg/host/guc.h"
#include "pg/host/raise.h"

#define FIRST_INPUTS 8
#define MAX_REMEMBERED 65536

void
aiaas_reject_encoder(const AiaasModel *model, const char *needs)
{
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("model \"%s\" is not %s", model->name, needs),
			 errdetail("Its kind is \"%s\", and its task \"%s\".", model->kind, model->task),
			 errhint("Import a pre-trained model with ai_import_file() or ai_import().")));
}

/*
 * Reading
 */
bool
aiaas_texts_read(const AiaasTexts *texts, int row, int arg, bool is_first, const char **utf8,
				 size_t *len)
{
	Datum		value = aiaas_batch_argument(texts->batch, arg, row)->value;
	const void *bytes;

	if (is_first)
	{
		aiaas_call_text(texts->call, value, utf8, len);
		return true;
	}
	if (aiaas_call_try_input(texts->call, value, &bytes, len) != AIAAS_READING_DONE)
		return false;
	*utf8 = bytes;
	return true;
}

void
aiaas_texts_add(AiaasTexts *texts, const void *bytes, size_t len)
{
	if (texts->n_inputs == texts->max_inputs)
	{
		texts->max_inputs *= 2;
		texts->inputs = repalloc_huge(texts->inputs, texts->max_inputs * sizeof(AiInput));
	}
	texts->inputs[texts->n_inputs++] = (AiInput) {.bytes = bytes, .len = len};
	texts->n_bytes += len;
}

static bool
read_row(AiaasTexts *texts, const AiaasTextsVerb *verb, int row, bool is_first)
{
	AiaasTextsRow it = {.row = row, .first = texts->n_inputs};

	if (!verb->read(texts, &it, is_first))
	{
		texts->n_inputs = it.first;
		return false;
	}
	it.n = texts->n_inputs - it.first;
	texts->rows[texts->n_rows++] = it;
	return true;
}

/* Until all are there, or they take too much memory */
static void
read_others(AiaasTexts *texts, const AiaasTextsVerb *verb, FunctionCallInfo fcinfo, int first)
{
	const AiaasBatch *batch = texts->batch;
	Size		limit = (Size) aiaas_max_batch_memory * 1024;
	Size		input_bytes = sizeof(AiInput) +
		ai_encoder_n_outputs(texts->encoder) * sizeof(float);

	for (int row = 0; row < batch->n_rows; row++)
	{
		if (batch->is_done[row] || row == first ||
			!aiaas_call_is_for(texts->call, &verb->model, fcinfo->nargs > verb->model.arg ?
							   aiaas_batch_argument(batch, verb->model.arg, row) : NULL))
			continue;
		if (texts->n_bytes + texts->n_inputs * input_bytes >= limit)
			break;
		CHECK_FOR_INTERRUPTS();
		(void) read_row(texts, verb, row, false);
	}
}

/*
 * Running
 */
const float *
aiaas_texts_answer(const AiaasTexts *texts, const AiaasTextsRow *row, int i)
{
	return texts->inputs[texts->inputs[row->first + i].same_as].answer;
}

static bool
has_answers(const AiaasTexts *texts, const AiaasTextsRow *row, int first)
{
	for (int i = row->first; i < row->first + row->n; i++)
	{
		if (texts->inputs[texts->inputs[i].same_as].code == AI_OK)
			continue;
		if (row->row == first)
			aiaas_engine_raise(aiaas_call_engine(texts->call), &texts->inputs[i],
							   &texts->request);
		return false;
	}
	return true;
}

static void
run_rows(AiaasTexts *texts, const AiaasTextsVerb *verb, AiaasBatch *batch, int first)
{
	MemoryContext old_context;
	AiError		err;

	if (texts->n_inputs > 0)
		aiaas_engine_run_many(aiaas_call_engine(texts->call), texts->inputs, texts->n_inputs,
							  &texts->request, &batch->counts, &err);
	else
		batch->counts.rows += texts->n_rows;
	for (int i = 0; i < texts->n_rows; i++)
	{
		const AiaasTextsRow *row = &texts->rows[i];
		NullableDatum *result = &batch->results[row->row];

		if (!has_answers(texts, row, first))
			continue;
		old_context = MemoryContextSwitchTo(batch->context);
		result->isnull = false;
		batch->is_done[row->row] = verb->make(texts, row, &result->value);
		MemoryContextSwitchTo(old_context);
		if (!batch->is_done[row->row] && row->row == first)
			verb->reject(texts, row);
	}
}

/* What the last text was answered, for the next batch or call */
static void
remember_last(const AiaasTexts *texts)
{
	const AiInput *last = &texts->inputs[texts->n_inputs - 1];
	const AiInput *same = &texts->inputs[last->same_as];

	if (same->code == AI_OK && last->len <= MAX_REMEMBERED)
		aiaas_call_remember(texts->call, last->bytes, last->len, same->answer,
							ai_encoder_n_outputs(texts->encoder));
}

static bool
can_use(const AiaasTextsVerb *verb, const AiEncoder *encoder)
{
	if (encoder == NULL)
		return false;
	return verb->can != NULL ? verb->can(encoder) :
		ai_encoder_shape(encoder)->answer == AI_ANSWER_EMBEDDING;
}

static void
run_call(const AiaasTextsVerb *verb, FunctionCallInfo fcinfo, AiaasBatch *batch, int first)
{
	AiaasTexts	texts = {.batch = batch, .request.layer = AI_NETWORK_ANSWER};

	texts.call = aiaas_batch_begin(&verb->model, TEXTOID, fcinfo, batch, first);
	if (texts.call == NULL)
		return;
	texts.encoder = aiaas_engine_encoder(aiaas_call_engine(texts.call));
	if (!can_use(verb, texts.encoder))
	{
		if (first >= 0)
			aiaas_reject_encoder(aiaas_call_model(fcinfo), verb->needs);
		return;
	}
	aiaas_call_start_work(texts.call, verb->function);
	if (verb->ask != NULL)
		verb->ask(&texts.request, texts.encoder);
	texts.max_inputs = FIRST_INPUTS;
	texts.inputs = palloc(texts.max_inputs * sizeof(AiInput));
	texts.rows = MemoryContextAllocHuge(CurrentMemoryContext,
										(Size) batch->n_rows * sizeof(AiaasTextsRow));
	if (first >= 0)
		(void) read_row(&texts, verb, first, true);
	read_others(&texts, verb, fcinfo, first);
	run_rows(&texts, verb, batch, first);
	if (verb->remembers && texts.n_inputs > 0)
		remember_last(&texts);
	aiaas_call_end_work(texts.call, verb->function, &batch->counts);
}

void
aiaas_texts_run(const AiaasTextsVerb *verb, FunctionCallInfo fcinfo, AiaasBatch *batch, int first)
{
	MemoryContext context = AllocSetContextCreate(batch->context, "aiaas texts",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);

	run_call(verb, fcinfo, batch, first);
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
}

void
aiaas_texts_size(FunctionCallInfo fcinfo, AiaasBatchSize *size)
{
	const AiaasCall *call = fcinfo->flinfo->fn_extra;

	aiaas_batch_size(aiaas_call_model(fcinfo) != NULL ? aiaas_call_engine(call) : NULL,
					 AIAAS_ANSWER_NUMBERS, AI_NETWORK_ANSWER, size);
}

Datum
aiaas_texts_call(const AiaasTextsVerb *verb, FunctionCallInfo fcinfo)
{
	AiaasOneRow row;

	aiaas_one_row_init(&row, fcinfo);
	aiaas_texts_run(verb, fcinfo, &row.batch, 0);
	return row.result.value;
}
