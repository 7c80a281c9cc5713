/*-------------------------------------------------------------------------
 * debug.c
 *		In builds for tests: every function of the server is a verb.
 *
 * So the server's own tests run through BatchProject.  Functions written in C inside
 * the server are computed for the whole batch; one that raises leaves its row and
 * those after it undone, as verbs do.  Others may hold more than an error here could
 * give back, so they are computed one by one.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#ifdef AIAAS_DEBUG_BATCH

#include "pg/exec/exec_internal.h"

#include <limits.h>

#include "access/htup_details.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

static bool debug_batch_all;
int			aiaas_debug_batch_rows;

static bool
is_pseudotype(Oid type)
{
	return get_typtype(type) == TYPTYPE_PSEUDO;
}

/* One row in a memory context that goes with it */
static void
compute(FunctionCallInfo fcinfo, AiaasBatch *batch, int row, MemoryContext context)
{
	MemoryContext old_context = MemoryContextSwitchTo(context);
	NullableDatum *result = &batch->results[row];
	int16		length;
	bool		is_by_value;

	for (int i = 0; i < fcinfo->nargs; i++)
		fcinfo->args[i] = batch->args[i].values[(Size) row * batch->args[i].stride];
	fcinfo->isnull = false;
	result->value = FunctionCallInvoke(fcinfo);
	result->isnull = fcinfo->isnull;
	MemoryContextSwitchTo(batch->context);
	if (!result->isnull)
	{
		get_typlenbyval(get_fn_expr_rettype(fcinfo->flinfo), &length, &is_by_value);
		result->value = datumCopy(result->value, is_by_value, length);
	}
	MemoryContextSwitchTo(old_context);
	MemoryContextReset(context);
	batch->is_done[row] = true;
	batch->counts.rows++;
}

static bool
is_internal(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	bool		result = HeapTupleIsValid(tuple) &&
		((Form_pg_proc) GETSTRUCT(tuple))->prolang == INTERNALlanguageId;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return result;
}

static void
compute_others(FunctionCallInfo fcinfo, AiaasBatch *batch, int first, MemoryContext context)
{
	volatile int row = first;

	PG_TRY();
	{
		for (row = first + 1; row < batch->n_rows; row++)
		{
			if (!batch->is_done[row])
				compute(fcinfo, batch, row, context);
		}
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(batch->context);
		FlushErrorState();
	}
	PG_END_TRY();
}

static void
run(FunctionCallInfo fcinfo, AiaasBatch *batch, int first)
{
	MemoryContext context = AllocSetContextCreate(batch->context, "aiaas debug",
												  ALLOCSET_SMALL_SIZES);

	batch->counts.batches = 1;
	if (first >= 0)
		compute(fcinfo, batch, first, context);
	if (is_internal(fcinfo->flinfo->fn_oid))
		compute_others(fcinfo, batch, first, context);
	batch->counts.distinct = batch->counts.rows;
	MemoryContextDelete(context);
}

static void
size(FunctionCallInfo fcinfo, AiaasBatchSize *result)
{
	(void) fcinfo;
	*result = (AiaasBatchSize) {.unit = AIAAS_WORK_ROWS, .target = INT64_MAX, .max_rows = 64};
}

static const AiaasVerb any_function = {.name = "function", .run = run, .size = size};

const AiaasVerb *
aiaas_debug_recognise(Oid function)
{
	HeapTuple	tuple;
	bool		is_verb;

	if (!debug_batch_all)
		return NULL;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	if (!HeapTupleIsValid(tuple))
		return NULL;
	is_verb = ((Form_pg_proc) GETSTRUCT(tuple))->provolatile != PROVOLATILE_VOLATILE &&
		!is_pseudotype(((Form_pg_proc) GETSTRUCT(tuple))->prorettype);
	for (int i = 0; is_verb && i < ((Form_pg_proc) GETSTRUCT(tuple))->pronargs; i++)
		is_verb = !is_pseudotype(((Form_pg_proc) GETSTRUCT(tuple))->proargtypes.values[i]);
	ReleaseSysCache(tuple);
	return is_verb ? &any_function : NULL;
}

void
aiaas_debug_init(void)
{
	DefineCustomBoolVariable("aiaas.debug_batch_all",
							 "Batches every immutable and stable function.", NULL,
							 &debug_batch_all, false, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("aiaas.debug_batch_rows",
							"Largest number of rows in a batch; 0 for what the function wants.", NULL,
							&aiaas_debug_batch_rows, 0, 0, INT_MAX, PGC_USERSET, 0,
							NULL, NULL, NULL);
}

#endif							/* AIAAS_DEBUG_BATCH */
