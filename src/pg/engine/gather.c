/*-------------------------------------------------------------------------
 * gather.c
 *		The rows of a batch that one run of a model can answer.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/engine/gather.h"

#include "miscadmin.h"

#include "pg/host/guc.h"

static inline const NullableDatum *
argument(const AiaasBatch *batch, int arg, int row)
{
	return &batch->args[arg].values[(Size) row * batch->args[arg].stride];
}

static inline void
set_arguments(FunctionCallInfo fcinfo, const AiaasBatch *batch, int row)
{
	if (batch->args[0].values == fcinfo->args)
		return;
	for (int i = 0; i < fcinfo->nargs; i++)
		fcinfo->args[i] = *argument(batch, i, row);
}

static inline AiaasCall *
begin_call(const AiaasSignature *signature, FunctionCallInfo fcinfo, const AiaasBatch *batch,
		   int first)
{
	set_arguments(fcinfo, batch, first);
	return aiaas_call_begin(fcinfo, signature->model_arg, signature->mode);
}

/* For rows that nobody has asked for yet: one that has begun, else that of the first of them */
static AiaasCall *
try_begin_call(const AiaasSignature *signature, FunctionCallInfo fcinfo, const AiaasBatch *batch)
{
	AiaasCall  *call = aiaas_call_find(fcinfo);
	int			row = 0;

	if (call != NULL)
		return call;
	while (row < batch->n_rows && batch->is_done[row])
		row++;
	if (row == batch->n_rows)
		return NULL;
	set_arguments(fcinfo, batch, row);
	return aiaas_call_try_begin(fcinfo, signature->model_arg, signature->mode, signature->type);
}

static void
add_row(AiaasGathered *gathered, const char *utf8, size_t len, int row, int label)
{
	AiInput *input = &gathered->inputs[gathered->n];

	input->bytes = utf8;
	input->len = len;
	input->probability = NULL;
	gathered->rows[gathered->n] = (AiaasGatheredRow) {row, label};
	gathered->n++;
	gathered->n_bytes += len;
}

static void
finish_null(AiaasBatch *batch, int row)
{
	batch->results[row] = (NullableDatum) {.value = (Datum) 0, .isnull = true};
	batch->is_done[row] = true;
}

static void
gather_first(AiaasGathered *gathered, const AiaasSignature *signature, AiaasCall *call,
			 FunctionCallInfo fcinfo, AiaasBatch *batch, int first)
{
	int			label = 0;
	const char *utf8;
	size_t		len;

	if (signature->label_arg > 0)
		label = aiaas_call_label(call, fcinfo, signature->label_arg);
	if (aiaas_call_input(call, fcinfo, signature->type, &utf8, &len))
		add_row(gathered, utf8, len, first, label);
	else
		finish_null(batch, first);
}

/* One that nobody has asked for yet */
static void
gather_other(AiaasGathered *gathered, const AiaasSignature *signature, const AiaasCall *call,
			 FunctionCallInfo fcinfo, AiaasBatch *batch, int row)
{
	int			label = 0;
	const char *utf8;
	size_t		len;

	if (!aiaas_call_is_for(call, fcinfo->nargs > signature->model_arg ?
						   argument(batch, signature->model_arg, row) : NULL))
		return;
	if (signature->label_arg > 0)
		label = aiaas_call_try_label(call, argument(batch, signature->label_arg, row)->value);
	if (label < 0)
		return;
	switch (aiaas_call_try_input(call, argument(batch, 0, row)->value, &utf8, &len))
	{
		case AIAAS_READING_DONE:
			add_row(gathered, utf8, len, row, label);
			break;
		case AIAAS_READING_NULL:
			finish_null(batch, row);
			break;
		case AIAAS_READING_LEFT:
			break;
	}
}

/* Until all are there, or they take too much memory */
static void
gather_others(AiaasGathered *gathered, const AiaasSignature *signature, const AiaasCall *call,
			  FunctionCallInfo fcinfo, AiaasBatch *batch, int first, int label_bytes)
{
	Size		limit = (Size) aiaas_max_batch_memory * 1024;
	Size		row_bytes = sizeof(AiInput) +
		(Size) label_bytes * aiaas_engine_n_labels(aiaas_call_engine(call));

	for (int row = 0; row < batch->n_rows; row++)
	{
		if (batch->is_done[row] || row == first)
			continue;
		if (gathered->n_bytes + gathered->n * row_bytes >= limit)
			break;
		CHECK_FOR_INTERRUPTS();
		gather_other(gathered, signature, call, fcinfo, batch, row);
	}
}

AiaasCall *
aiaas_gather(AiaasGathered *gathered, const AiaasSignature *signature, FunctionCallInfo fcinfo,
			 AiaasBatch *batch, int first, int label_bytes)
{
	AiaasCall  *call = first >= 0 ? begin_call(signature, fcinfo, batch, first) :
		try_begin_call(signature, fcinfo, batch);
	Size		n = batch->n_rows;

	if (call == NULL)
		return NULL;
	aiaas_call_start_work(call, signature->function);
	gathered->n = 0;
	gathered->n_bytes = 0;
	gathered->inputs = &gathered->one_input;
	gathered->rows = &gathered->one_row;
	if (n > 1)
	{
		gathered->inputs = MemoryContextAllocHuge(CurrentMemoryContext, n * sizeof(AiInput));
		gathered->rows = MemoryContextAllocHuge(CurrentMemoryContext,
												n * sizeof(AiaasGatheredRow));
	}
	if (first >= 0)
		gather_first(gathered, signature, call, fcinfo, batch, first);
	if (n > 1 || first < 0)
		gather_others(gathered, signature, call, fcinfo, batch, first, label_bytes);
	return call;
}
