/*-------------------------------------------------------------------------
 * node.c
 *		The executor's node BatchProject.
 *
 * Rows of the child are read ahead: of each the columns that are passed on and the
 * arguments of the calls are kept.  When the first of them is emitted, its verbs
 * compute it and as many others as they can; quals and the rest of the target list
 * are evaluated at emission, row by row.  So what a call raises belongs to its row:
 * it comes when that row's turn comes, or never.
 *
 * How far is read ahead: as far as a LIMIT above is known to want, otherwise 1, 2, 4,
 * ... rows, and batches of full size where all rows will be read anyway.  What ends a
 * batch earlier is the work it holds, or its memory.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/exec/node_internal.h"

#include "access/detoast.h"
#include "access/parallel.h"
#include "catalog/objectaccess.h"
#include "executor/executor.h"
#include "nodes/extensible.h"
#include "nodes/nodeFuncs.h"
#include "utils/acl.h"
#include "utils/datum.h"
#include "utils/expandeddatum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "pg/host/compat.h"
#include "pg/host/guc.h"

#define FIRST_CAPACITY 16
#define CHUNK_SIZE ((Size) 64 * 1024)

uint64		aiaas_batch_n_begun = 0;

static Node *create_state(CustomScan *plan);

const CustomScanMethods aiaas_batch_methods = {"BatchProject", create_state};

bool
aiaas_is_batch_plan(const Plan *plan)
{
	return IsA(plan, CustomScan) && ((const CustomScan *) plan)->methods == &aiaas_batch_methods;
}

/*
 * Memory of a batch
 */

static void *
batch_alloc(AiaasBatchState *state, Size size)
{
	char	   *result;

	size = MAXALIGN(size);
	if (size > state->chunk_size - state->chunk_used)
	{
		state->chunk_size = Max(size, CHUNK_SIZE);
		state->chunk = MemoryContextAllocHuge(state->batch_context, state->chunk_size);
		state->chunk_used = 0;
	}
	result = state->chunk + state->chunk_used;
	state->chunk_used += size;
	state->n_bytes += size;
	return result;
}

/* A copy that lives as long as the batch; what is stored out of line stays there. */
static inline Datum
keep_value(AiaasBatchState *state, Datum value, int16 length, bool is_by_value)
{
	Size		size;
	char	   *copy;

	if (is_by_value)
		return value;
	if (length == -1 && VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)))
	{
		ExpandedObjectHeader *object = DatumGetEOHP(value);

		size = EOH_get_flat_size(object);
		copy = batch_alloc(state, size);
		EOH_flatten_into(object, copy, size);
	}
	else
	{
		size = datumGetSize(value, false, length);
		copy = batch_alloc(state, size);
		memcpy(copy, DatumGetPointer(value), size);
	}
	return PointerGetDatum(copy);
}

/*
 * Beginning
 */

static Node *
create_state(CustomScan *plan)
{
	AiaasBatchState *state = (AiaasBatchState *) newNode(sizeof(AiaasBatchState),
														 T_CustomScanState);

	state->css.methods = &aiaas_batch_exec_methods;
	return (Node *) state;
}

/* As the executor does for a call that it evaluates itself */
static void
check_function(Oid function)
{
	AclResult	result = aiaas_function_aclcheck(function, GetUserId());

	if (result != ACLCHECK_OK)
		aclcheck_error(result, OBJECT_FUNCTION, get_func_name(function));
	InvokeFunctionExecuteHook(function);
}

static void
init_argument(AiaasBatchState *state, BatchArgument *argument, Expr *expression)
{
	Oid			type = exprType((Node *) expression);

	argument->is_constant = !aiaas_has_leaf((Node *) expression);
	if (IsA(expression, Var))
		argument->source = ((Var *) expression)->varattno;
	else
		argument->expression = ExecInitExpr(expression, &state->css.ss.ps);
	get_typlenbyval(type, &argument->length, &argument->is_by_value);
}

static void
init_call(AiaasBatchState *state, BatchCall *call, FuncExpr *expression, AttrNumber target)
{
	ListCell   *cell;

	call->expression = expression;
	call->target = target;
	call->verb = aiaas_recognise(expression->funcid);
	if (call->verb == NULL)
		elog(ERROR, "function %u is no verb", expression->funcid);
	check_function(expression->funcid);
	fmgr_info(expression->funcid, &call->flinfo);
	fmgr_info_set_expr((Node *) expression, &call->flinfo);

	call->n_arguments = list_length(expression->args);
	call->arguments = palloc0(call->n_arguments * sizeof(BatchArgument));
	call->columns = palloc0(call->n_arguments * sizeof(AiaasColumn));
	call->fcinfo = palloc0(SizeForFunctionCallInfo(call->n_arguments));
	InitFunctionCallInfoData(*call->fcinfo, &call->flinfo, call->n_arguments,
							 expression->inputcollid, NULL, NULL);
	foreach(cell, expression->args)
		init_argument(state, &call->arguments[foreach_current_index(cell)], lfirst(cell));
}

/* Which of the child's columns are read, and where they go */
static void
init_columns(AiaasBatchState *state, List *scan)
{
	ListCell   *cell;

	state->columns = palloc0(list_length(scan) * sizeof(BatchColumn));
	state->calls = palloc0(list_length(scan) * sizeof(BatchCall));
	foreach(cell, scan)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, cell);

		if (IsA(entry->expr, Var))
		{
			BatchColumn *column = &state->columns[state->n_columns++];

			column->source = ((Var *) entry->expr)->varattno;
			column->target = entry->resno;
			get_typlenbyval(((Var *) entry->expr)->vartype, &column->length,
							&column->is_by_value);
			state->last_source = Max(state->last_source, column->source);
		}
		else
			init_call(state, &state->calls[state->n_calls++], castNode(FuncExpr, entry->expr),
					  entry->resno);
	}
	for (int i = 0; i < state->n_calls; i++)
	{
		for (int j = 0; j < state->calls[i].n_arguments; j++)
			state->last_source = Max(state->last_source, state->calls[i].arguments[j].source);
	}
}

static void
begin(CustomScanState *node, EState *estate, int eflags)
{
	AiaasBatchState *state = (AiaasBatchState *) node;
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;

	eflags &= ~(EXEC_FLAG_BACKWARD | EXEC_FLAG_MARK);
	outerPlanState(node) = ExecInitNode(outerPlan(plan), estate, eflags);
	state->reads_all = (intVal(linitial(plan->custom_private)) & AIAAS_BATCH_READS_ALL) != 0;
	state->ramp = 1;
	init_columns(state, plan->custom_scan_tlist);
	state->batch_context = AllocSetContextCreate(CurrentMemoryContext, "aiaas batch",
												 ALLOCSET_DEFAULT_SIZES);
	state->totals = palloc0(state->n_calls * sizeof(AiaasBatchTotals));
	aiaas_batch_n_begun++;
}

/*
 * Reading ahead
 */

/* An array for one more round of rows, in the current memory context */
static void *
grow_array(void *array, Size size, int capacity)
{
	Size		n_bytes = Max(size, 1) * capacity;

	if (array == NULL)
		return MemoryContextAllocHuge(CurrentMemoryContext, n_bytes);
	return repalloc_huge(array, n_bytes);
}

static void
grow(AiaasBatchState *state)
{
	int			capacity = state->capacity > 0 ? state->capacity * 2 : FIRST_CAPACITY;
	MemoryContext old_context = MemoryContextSwitchTo(state->css.ss.ps.state->es_query_cxt);

	state->values = grow_array(state->values, state->n_columns * sizeof(Datum), capacity);
	state->nulls = grow_array(state->nulls, state->n_columns * sizeof(bool), capacity);
	for (int i = 0; i < state->n_calls; i++)
	{
		BatchCall  *call = &state->calls[i];

		call->results = grow_array(call->results, sizeof(NullableDatum), capacity);
		call->is_done = grow_array(call->is_done, sizeof(bool), capacity);
		for (int j = 0; j < call->n_arguments; j++)
		{
			BatchArgument *argument = &call->arguments[j];

			argument->values = grow_array(argument->values, sizeof(NullableDatum),
										  argument->is_constant ? 1 : capacity);
			call->columns[j].values = argument->values;
			call->columns[j].stride = argument->is_constant ? 0 : 1;
		}
	}
	state->capacity = capacity;
	MemoryContextSwitchTo(old_context);
}

/* How many rows are sure to be wanted; 0: not known */
static int64
demanded(const AiaasBatchState *state)
{
	const LimitState *limit = state->demand.limit;
	const AiaasBatchState *reader = state->demand.reader;
	int64		demand = 0;

	if (limit != NULL && !limit->noCount)
		demand = limit->offset + limit->count - limit->position;
	else if (reader != NULL)
		demand = reader->n_wanted - reader->n_rows;
	return Max(demand, 0);
}

/* The limits of the next batch */
static void
plan_batch(AiaasBatchState *state)
{
	int			max_rows = INT_MAX;
	int64		demand = demanded(state);
	int64		n;

	for (int i = 0; i < state->n_calls; i++)
	{
		BatchCall  *call = &state->calls[i];

		call->verb->size(call->fcinfo, &call->size);
		call->work = 0;
		max_rows = Min(max_rows, call->size.max_rows);
	}
#ifdef AIAAS_DEBUG_BATCH
	if (aiaas_debug_batch_rows > 0)
		max_rows = Min(max_rows, aiaas_debug_batch_rows);
#endif
	if (!aiaas_batch)
		max_rows = 1;

	if (state->reads_all)
		n = max_rows;
	else
	{
		n = demand;
		if (demand == 0 || state->css.ss.ps.qual != NULL)
		{
			n = Max(demand, state->ramp);
			state->ramp = Min(state->ramp * 2, max_rows);
		}
	}
	state->n_wanted = (int) Max(Min(n, max_rows), 1);
}

static inline void
read_argument(AiaasBatchState *state, BatchArgument *argument, TupleTableSlot *slot, int row)
{
	NullableDatum *to;
	Datum		value;
	bool		is_null;

	if (argument->is_constant && row > 0)
		return;
	if (argument->source > 0)
	{
		value = slot->tts_values[argument->source - 1];
		is_null = slot->tts_isnull[argument->source - 1];
	}
	else
	{
		ExprContext *econtext = state->css.ss.ps.ps_ExprContext;

		ResetExprContext(econtext);
		econtext->ecxt_outertuple = slot;
		value = ExecEvalExprSwitchContext(argument->expression, econtext, &is_null);
	}
	to = &argument->values[row];
	to->isnull = is_null;
	to->value = is_null ? (Datum) 0 :
		keep_value(state, value, argument->length, argument->is_by_value);
}

static inline int64
work_of(AiaasBatchState *state, const BatchCall *call, int row)
{
	const BatchArgument *argument = &call->arguments[0];
	const NullableDatum *input = &argument->values[argument->is_constant ? 0 : row];

	if (call->size.unit == AIAAS_WORK_ROWS || input->isnull || argument->length != -1)
		return call->size.unit == AIAAS_WORK_ROWS ? 1 : argument->length;
	return toast_raw_datum_size(input->value) - VARHDRSZ;
}

/* False: the batch holds enough work. */
static inline bool
read_call(AiaasBatchState *state, BatchCall *call, TupleTableSlot *slot, int row)
{
	bool		has_null = false;

	for (int i = 0; i < call->n_arguments; i++)
	{
		BatchArgument *argument = &call->arguments[i];

		read_argument(state, argument, slot, row);
		has_null |= argument->values[argument->is_constant ? 0 : row].isnull;
	}
	call->is_done[row] = has_null && call->flinfo.fn_strict;
	call->results[row].value = (Datum) 0;
	call->results[row].isnull = true;
	if (!call->is_done[row])
		call->work += work_of(state, call, row);
	return call->work < call->size.target;
}

/* False: the batch is full. */
static bool
read_row(AiaasBatchState *state, TupleTableSlot *slot)
{
	int			row = state->n_rows;
	Datum	   *values;
	bool	   *nulls;
	bool		has_room = true;

	if (row >= state->capacity)
		grow(state);
	slot_getsomeattrs(slot, state->last_source);
	values = &state->values[(Size) row * state->n_columns];
	nulls = &state->nulls[(Size) row * state->n_columns];
	for (int i = 0; i < state->n_columns; i++)
	{
		const BatchColumn *column = &state->columns[i];

		nulls[i] = slot->tts_isnull[column->source - 1];
		values[i] = nulls[i] ? (Datum) 0 :
			keep_value(state, slot->tts_values[column->source - 1], column->length,
					   column->is_by_value);
	}
	for (int i = 0; i < state->n_calls; i++)
		has_room &= read_call(state, &state->calls[i], slot, row);
	state->n_rows++;
	return has_room && state->n_bytes < (Size) aiaas_max_batch_memory * 1024;
}

/*
 * A BatchProject that is read by another must not raise for a row that nobody has
 * asked for yet.  It then seems to end, and says that it is held.
 */
static bool
read_child(AiaasBatchState *state)
{
	PlanState  *child = outerPlanState(state);
	AiaasBatchState *batch = aiaas_is_batch_state(child) ? (AiaasBatchState *) child : NULL;
	TupleTableSlot *slot;

	if (batch != NULL)
		batch->is_ahead = state->n_rows > 0;
	slot = ExecProcNode(child);
	if (!TupIsNull(slot))
		return read_row(state, slot);
	if (batch != NULL && batch->is_held)
		batch->is_held = false;
	else
		state->is_at_end = true;
	return false;
}

static void
clear_batch(AiaasBatchState *state)
{
	MemoryContextReset(state->batch_context);
	state->chunk = NULL;
	state->chunk_size = state->chunk_used = 0;
	state->n_bytes = 0;
	state->n_rows = state->position = 0;
}

static void
fill(AiaasBatchState *state)
{
	clear_batch(state);
	plan_batch(state);
	while (state->n_rows < state->n_wanted && read_child(state))
		;
	state->n_wanted = 0;
}

/*
 * Emitting
 */

static void
add_counts(AiaasCounts *sum, const AiaasCounts *counts)
{
	sum->calls += counts->calls;
	sum->rows += counts->rows;
	sum->batches += counts->batches;
	sum->distinct += counts->distinct;
	sum->tokens += counts->tokens;
	sum->truncated += counts->truncated;
	sum->errors += counts->errors;
	sum->model_time += counts->model_time;
}

static void
count_run(AiaasBatchState *state, int call, const AiaasBatch *batch)
{
	AiaasBatchTotals *totals = &state->totals[call];
	const AiaasModel *model = aiaas_call_model(state->calls[call].fcinfo);

	totals->largest = Max(totals->largest, batch->counts.rows);
	add_counts(&totals->counts, &batch->counts);
	if (model != NULL && model->version != totals->version)
	{
		strlcpy(totals->model, model->name, sizeof(totals->model));
		totals->version = model->version;
	}
	if (state->shared != NULL && IsParallelWorker())
		state->shared[ParallelWorkerNumber * state->n_calls + call] = *totals;
}

static void
run_call(AiaasBatchState *state, int index, int first)
{
	BatchCall  *call = &state->calls[index];
	AiaasBatch	batch = {
		.n_rows = state->n_rows,
		.args = call->columns,
		.results = call->results,
		.is_done = call->is_done,
		.context = state->batch_context
	};
	MemoryContext old_context = MemoryContextSwitchTo(state->batch_context);

	call->verb->run(call->fcinfo, &batch, first);
	MemoryContextSwitchTo(old_context);
	count_run(state, index, &batch);
}

/* False: it may raise, and nobody has asked for it yet. */
static inline bool
compute_row(AiaasBatchState *state, int row)
{
	for (int i = 0; i < state->n_calls; i++)
	{
		const bool *is_done = &state->calls[i].is_done[row];

		if (likely(*is_done))
			continue;
		run_call(state, i, state->is_ahead ? -1 : row);
		if (!*is_done)
			return false;
	}
	return true;
}

static inline void
load_row(AiaasBatchState *state, int row)
{
	TupleTableSlot *slot = state->css.ss.ss_ScanTupleSlot;
	const Datum *values = &state->values[(Size) row * state->n_columns];
	const bool *nulls = &state->nulls[(Size) row * state->n_columns];

	ExecClearTuple(slot);
	for (int i = 0; i < state->n_columns; i++)
	{
		AttrNumber	target = state->columns[i].target - 1;

		slot->tts_values[target] = values[i];
		slot->tts_isnull[target] = nulls[i];
	}
	for (int i = 0; i < state->n_calls; i++)
	{
		const BatchCall *call = &state->calls[i];

		slot->tts_values[call->target - 1] = call->results[row].value;
		slot->tts_isnull[call->target - 1] = call->results[row].isnull;
	}
	ExecStoreVirtualTuple(slot);
}

static TupleTableSlot *
next_row(CustomScanState *node)
{
	AiaasBatchState *state = (AiaasBatchState *) node;
	ExprContext *econtext = node->ss.ps.ps_ExprContext;
	ProjectionInfo *projection = node->ss.ps.ps_ProjInfo;
	ExprState  *qual = node->ss.ps.qual;

	for (;;)
	{
		if (state->position >= state->n_rows)
		{
			if (!state->is_at_end)
				fill(state);
			if (state->position >= state->n_rows)
				return NULL;
		}
		if (!compute_row(state, state->position))
		{
			state->is_held = true;
			return NULL;
		}
		load_row(state, state->position++);
		ResetExprContext(econtext);
		econtext->ecxt_scantuple = node->ss.ss_ScanTupleSlot;
		if (qual != NULL && !ExecQual(qual, econtext))
			InstrCountFiltered1(node, 1);
		else
			return projection != NULL ? ExecProject(projection) : node->ss.ss_ScanTupleSlot;
	}
}

static void
rescan(CustomScanState *node)
{
	AiaasBatchState *state = (AiaasBatchState *) node;

	clear_batch(state);
	state->is_at_end = state->is_held = false;
	state->ramp = 1;
	if (outerPlanState(node)->chgParam == NULL)
		ExecReScan(outerPlanState(node));
}

static void
end(CustomScanState *node)
{
	ExecEndNode(outerPlanState(node));
}

/*
 * Parallel: what workers have done is added up where the statement is explained.
 */

static Size
estimate_shared(CustomScanState *node, ParallelContext *pcxt)
{
	return mul_size(mul_size(((AiaasBatchState *) node)->n_calls, pcxt->nworkers),
					sizeof(AiaasBatchTotals));
}

static void
init_shared(CustomScanState *node, ParallelContext *pcxt, void *place)
{
	AiaasBatchState *state = (AiaasBatchState *) node;

	state->shared = place;
	state->n_shared = pcxt->nworkers;
	memset(place, 0, estimate_shared(node, pcxt));
}

/* Here a worker's share is complete: it is written before the rows it belongs to. */
static void
collect_shared(AiaasBatchState *state)
{
	if (state->shared == NULL || IsParallelWorker())
		return;
	for (int i = 0; i < state->n_shared * state->n_calls; i++)
	{
		const AiaasBatchTotals *from = &state->shared[i];
		AiaasBatchTotals *to = &state->totals[i % state->n_calls];

		to->largest = Max(to->largest, from->largest);
		add_counts(&to->counts, &from->counts);
		if (from->version > 0)
		{
			strlcpy(to->model, from->model, sizeof(to->model));
			to->version = from->version;
		}
	}
}

static void
reinit_shared(CustomScanState *node, ParallelContext *pcxt, void *place)
{
	collect_shared((AiaasBatchState *) node);
	init_shared(node, pcxt, place);
}

static void
attach_shared(CustomScanState *node, shm_toc *toc, void *place)
{
	((AiaasBatchState *) node)->shared = place;
}

static void
shut_down(CustomScanState *node)
{
	AiaasBatchState *state = (AiaasBatchState *) node;

	collect_shared(state);
	state->shared = NULL;
}

const CustomExecMethods aiaas_batch_exec_methods = {
	.CustomName = "BatchProject",
	.BeginCustomScan = begin,
	.ExecCustomScan = next_row,
	.EndCustomScan = end,
	.ReScanCustomScan = rescan,
	.EstimateDSMCustomScan = estimate_shared,
	.InitializeDSMCustomScan = init_shared,
	.ReInitializeDSMCustomScan = reinit_shared,
	.InitializeWorkerCustomScan = attach_shared,
	.ShutdownCustomScan = shut_down,
	.ExplainCustomScan = aiaas_batch_explain
};

bool
aiaas_is_batch_state(const PlanState *state)
{
	return IsA(state, CustomScanState) &&
		((const CustomScanState *) state)->methods == &aiaas_batch_exec_methods;
}

void
aiaas_batch_set_demand(PlanState *state, const AiaasDemand *demand)
{
	((AiaasBatchState *) state)->demand = *demand;
}
