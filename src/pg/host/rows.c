/*-------------------------------------------------------------------------
 * rows.c
 *		Returning rows; the server's own helper for it came with 15.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/host/rows.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"

void
aiaas_rows_begin(AiaasRows *rows, FunctionCallInfo fcinfo)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext old_context;

	if (result == NULL || !IsA(result, ReturnSetInfo) ||
		(result->allowedModes & SFRM_Materialize) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-valued function called in context that cannot accept a set")));

	old_context = MemoryContextSwitchTo(result->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, NULL, &rows->desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	rows->desc = CreateTupleDescCopy(rows->desc);
	rows->store = tuplestore_begin_heap((result->allowedModes & SFRM_Materialize_Random) != 0,
										false, work_mem);
	MemoryContextSwitchTo(old_context);

	result->returnMode = SFRM_Materialize;
	result->setResult = rows->store;
	result->setDesc = rows->desc;
}

void
aiaas_rows_put(AiaasRows *rows, Datum *values, bool *is_null)
{
	tuplestore_putvalues(rows->store, rows->desc, values, is_null);
}
