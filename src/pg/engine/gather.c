/*-------------------------------------------------------------------------
 * gather.c
 *		The rows of a batch that one run of a model can answer.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/engine/gather.h"

#include "core/model/network_batch.h"
#include "miscadmin.h"

#include "pg/host/guc.h"

static inline void
set_arguments(FunctionCallInfo fcinfo, const AiaasBatch *batch, int row)
{
	if (batch->args[0].values == fcinfo->args)
		return;
	for (int i = 0; i < fcinfo->nargs; i++)
		fcinfo->args[i] = *aiaas_batch_argument(batch, i, row);
}

/* For rows that nobody has asked for yet: one that has begun, else that of the first of them */
static AiaasCall *
try_begin_call(const AiaasModelArg *model, Oid type, FunctionCallInfo fcinfo,
			   const AiaasBatch *batch)
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
	return aiaas_call_try_begin(fcinfo, model, type);
}

static inline AiaasCall *
begin_call(const AiaasModelArg *model, Oid type, FunctionCallInfo fcinfo,
		   const AiaasBatch *batch, int first)
{
	if (first < 0)
		return try_begin_call(model, type, fcinfo, batch);
	set_arguments(fcinfo, batch, first);
	return aiaas_call_begin(fcinfo, model);
}

AiaasCall *
aiaas_batch_begin(const AiaasModelArg *model, Oid type, FunctionCallInfo fcinfo,
				  const AiaasBatch *batch, int first)
{
	return begin_call(model, type, fcinfo, batch, first);
}

static void
add_row(AiaasGathered *gathered, const void *bytes, size_t len, int row, int label)
{
	AiInput    *input = &gathered->inputs[gathered->n];

	input->bytes = bytes;
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

static bool
refuses_long(const AiaasSignature *signature, const AiaasBatch *batch, int row)
{
	return signature->truncate_arg > 0 &&
		!DatumGetBool(aiaas_batch_argument(batch, signature->truncate_arg, row)->value);
}

static void
gather_first(AiaasGathered *gathered, const AiaasSignature *signature, AiaasCall *call,
			 FunctionCallInfo fcinfo, AiaasBatch *batch, int first)
{
	int			label = 0;
	const void *bytes;
	size_t		len;

	gathered->request.refuses_long = refuses_long(signature, batch, first);
	if (signature->answer == AIAAS_ANSWER_LAYER)
		gathered->request.layer = aiaas_call_layer(call, fcinfo, signature->name_arg);
	else if (signature->name_arg > 0)
		label = aiaas_call_label(call, fcinfo, signature->name_arg);
	if (aiaas_call_input(call, fcinfo, signature->type, &bytes, &len))
		add_row(gathered, bytes, len, first, label);
	else
		finish_null(batch, first);
}

/* The label that a row asks for, which nobody has asked for yet; -1: it has to wait. */
static int
try_label(const AiaasSignature *signature, const AiaasCall *call, const AiaasBatch *batch,
		  int row)
{
	if (signature->name_arg == 0 || signature->answer == AIAAS_ANSWER_LAYER)
		return 0;
	return aiaas_call_try_label(call,
								aiaas_batch_argument(batch, signature->name_arg, row)->value);
}

/* All rows ask for the same layer, or wait. */
static bool
try_layer(AiaasGathered *gathered, const AiaasSignature *signature, const AiaasCall *call,
		  const AiaasBatch *batch, int row)
{
	int			layer;

	if (signature->answer != AIAAS_ANSWER_LAYER)
		return true;
	layer = aiaas_call_try_layer(call,
								 aiaas_batch_argument(batch, signature->name_arg, row)->value);
	if (layer >= 0 && gathered->request.layer == AI_NETWORK_ANSWER)
		gathered->request.layer = layer;
	return layer >= 0 && layer == gathered->request.layer;
}

/* Likewise: whether longer inputs are refused */
static bool
try_truncation(AiaasGathered *gathered, const AiaasSignature *signature, const AiaasBatch *batch,
			   int row)
{
	bool		refuses = refuses_long(signature, batch, row);

	if (gathered->n == 0)
		gathered->request.refuses_long = refuses;
	return refuses == gathered->request.refuses_long;
}

/* One that nobody has asked for yet */
static void
gather_other(AiaasGathered *gathered, const AiaasSignature *signature, const AiaasCall *call,
			 FunctionCallInfo fcinfo, AiaasBatch *batch, int row)
{
	int			label;
	const void *bytes;
	size_t		len;

	if (!aiaas_call_is_for(call, &signature->model, fcinfo->nargs > signature->model.arg ?
						   aiaas_batch_argument(batch, signature->model.arg, row) : NULL))
		return;
	label = try_label(signature, call, batch, row);
	if (label < 0 || !try_layer(gathered, signature, call, batch, row) ||
		!try_truncation(gathered, signature, batch, row))
		return;
	switch (aiaas_call_try_input(call, aiaas_batch_argument(batch, 0, row)->value, &bytes, &len))
	{
		case AIAAS_READING_DONE:
			add_row(gathered, bytes, len, row, label);
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
			  FunctionCallInfo fcinfo, AiaasBatch *batch, int first)
{
	double		limit = aiaas_max_batch_memory * 1024.0;
	double		row_bytes = sizeof(AiInput) +
		aiaas_answer_bytes(aiaas_call_engine(call), signature->answer, gathered->request.layer);

	for (int row = 0; row < batch->n_rows; row++)
	{
		if (batch->is_done[row] || row == first)
			continue;
		if ((double) gathered->n_bytes + gathered->n * row_bytes >= limit)
			break;
		CHECK_FOR_INTERRUPTS();
		gather_other(gathered, signature, call, fcinfo, batch, row);
	}
}

AiaasCall *
aiaas_gather(AiaasGathered *gathered, const AiaasSignature *signature, FunctionCallInfo fcinfo,
			 AiaasBatch *batch, int first)
{
	AiaasCall  *call = begin_call(&signature->model, signature->type, fcinfo, batch, first);
	Size		n = batch->n_rows;

	if (call == NULL)
		return NULL;
	if (unlikely(!aiaas_can_answer(aiaas_call_engine(call), signature->answer)))
	{
		if (first >= 0)
			aiaas_check_answer(aiaas_call_engine(call), aiaas_call_model(fcinfo),
							   signature->answer);
		return NULL;
	}
	aiaas_call_start_work(call, signature->function);
	gathered->n = 0;
	gathered->n_bytes = 0;
	gathered->request = (AiRequest) {.layer = AI_NETWORK_ANSWER};
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
		gather_others(gathered, signature, call, fcinfo, batch, first);
	return call;
}
