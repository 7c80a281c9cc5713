/*-------------------------------------------------------------------------
 * debug.c
 *		In builds for tests: every function of the server is a verb, and so are operators.
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
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
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

/* A batch whose rows are computed in a memory context of their own */
typedef struct Run
{
	FunctionCallInfo fcinfo;
	AiaasBatch *batch;
	MemoryContext context;
	int16		length;			/* of a result */
	bool		is_by_value;
} Run;

static inline void
compute(const Run *run, int row)
{
	FunctionCallInfo fcinfo = run->fcinfo;
	AiaasBatch *batch = run->batch;
	NullableDatum *result = &batch->results[row];

	for (int i = 0; i < fcinfo->nargs; i++)
		fcinfo->args[i] = batch->args[i].values[(Size) row * batch->args[i].stride];
	fcinfo->isnull = false;
	result->value = FunctionCallInvoke(fcinfo);
	result->isnull = fcinfo->isnull;
	if (!run->is_by_value && !result->isnull)
	{
		MemoryContextSwitchTo(batch->context);
		result->value = datumCopy(result->value, false, run->length);
		MemoryContextSwitchTo(run->context);
	}
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
compute_others(const Run *run, int first)
{
	PG_TRY();
	{
		for (int row = first + 1; row < run->batch->n_rows; row++)
		{
			if (!run->batch->is_done[row])
				compute(run, row);
		}
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(run->context);
		FlushErrorState();
	}
	PG_END_TRY();
}

static void
run_batch(FunctionCallInfo fcinfo, AiaasBatch *batch, int first)
{
	Run			run = {
		fcinfo, batch,
		AllocSetContextCreate(batch->context, "aiaas debug", ALLOCSET_SMALL_SIZES), 0, false
	};
	MemoryContext old_context = MemoryContextSwitchTo(run.context);

	get_typlenbyval(get_fn_expr_rettype(fcinfo->flinfo), &run.length, &run.is_by_value);
	batch->counts.batches = 1;
	if (first >= 0)
		compute(&run, first);
	if (is_internal(fcinfo->flinfo->fn_oid))
		compute_others(&run, first);
	batch->counts.distinct = batch->counts.rows;
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(run.context);
}

static void
size(FunctionCallInfo fcinfo, AiaasBatchSize *result)
{
	(void) fcinfo;
	*result = (AiaasBatchSize) {.unit = AIAAS_WORK_ROWS, .target = INT64_MAX, .max_rows = 64};
}

static const AiaasVerb any_function = {.name = "function", .run = run_batch, .size = size};

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

/*
 * What a hashed subquery compares, and quals that it has taken from there, must stay
 * operators; set-returning ones are no calls.
 */
static Node *
spell_mutator(Node *node, void *context)
{
	OpExpr	   *old = (OpExpr *) node;
	FuncExpr   *call;

	if (node == NULL || IsA(node, SubPlan) || IsA(node, AlternativeSubPlan))
		return node;
	if (!IsA(node, OpExpr) || old->opretset)
		return expression_tree_mutator(node, spell_mutator, context);
	call = makeFuncExpr(old->opfuncid, old->opresulttype,
						(List *) spell_mutator((Node *) old->args, context),
						old->opcollid, old->inputcollid, COERCE_EXPLICIT_CALL);
	call->location = old->location;
	return (Node *) call;
}

void
aiaas_debug_spell_operators(Plan *plan)
{
	if (!debug_batch_all || IsA(plan, ModifyTable) || IsA(plan, ForeignScan) ||
		IsA(plan, CustomScan))
		return;
	plan->targetlist = (List *) spell_mutator((Node *) plan->targetlist, NULL);
	plan->qual = (List *) spell_mutator((Node *) plan->qual, NULL);
	if (IsA(plan, NestLoop) || IsA(plan, MergeJoin) || IsA(plan, HashJoin))
		((Join *) plan)->joinqual = (List *) spell_mutator((Node *) ((Join *) plan)->joinqual,
														   NULL);
}

void
aiaas_debug_init(void)
{
	DefineCustomBoolVariable("aiaas.debug_batch_all",
							 "Batches every immutable and stable function, and operators.", NULL,
							 &debug_batch_all, false, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("aiaas.debug_batch_rows",
							"Largest number of rows in a batch; 0 for what the function wants.", NULL,
							&aiaas_debug_batch_rows, 0, 0, INT_MAX, PGC_USERSET, 0,
							NULL, NULL, NULL);
}

#endif							/* AIAAS_DEBUG_BATCH */
