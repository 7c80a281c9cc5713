/*-------------------------------------------------------------------------
 * node.c
 *		The executor's node BatchProject.
 *
 * Rows of the child are read ahead: of each the columns that are passed on and the
 * arguments of the calls are kept.  When the first of them is emitted, its verbs
 * compute it and as many others as they can; quals and the rest of the target list
 * are evaluated at emission, row by row.  So what a call raises belongs to its row:
 * it comes when that row's turn comes, or never.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/exec/node_internal.h"

#include "access/parallel.h"
#include "catalog/objectaccess.h"
#include "executor/executor.h"
#include "nodes/extensible.h"
#include "nodes/nodeFuncs.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "pg/host/compat.h"

uint64		aiaas_batch_n_begun = 0;

static Node *create_state(CustomScan *plan);

const CustomScanMethods aiaas_batch_methods = {"BatchProject", create_state};

bool
aiaas_is_batch_plan(const Plan *plan)
{
	return IsA(plan, CustomScan) && ((const CustomScan *) plan)->methods == &aiaas_batch_methods;
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

/* The scan that the child's rows come from, one row of one row */
static ScanState *
find_scan(PlanState *state)
{
	while (IsA(state, ResultState) || IsA(state, LimitState) || IsA(state, SubqueryScanState))
		state = IsA(state, SubqueryScanState) ? ((SubqueryScanState *) state)->subplan :
			outerPlanState(state);
	return (ScanState *) state;
}

/* For WHERE CURRENT OF, which takes the table and the row from a scan's state */
static void
init_table(AiaasBatchState *state)
{
	ScanState  *scan = find_scan(outerPlanState(state));

	state->css.ss.ss_currentRelation = scan->ss_currentRelation;
	state->table_slot = scan->ss_ScanTupleSlot;
}

static void
begin(CustomScanState *node, EState *estate, int eflags)
{
	AiaasBatchState *state = (AiaasBatchState *) node;
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	int			flags = intVal(linitial(plan->custom_private));

	outerPlanState(node) = ExecInitNode(outerPlan(plan), estate, eflags);
	if (aiaas_is_batch_state(outerPlanState(node)))
		state->source = (AiaasBatchState *) outerPlanState(node);
	state->reads_all = (flags & AIAAS_BATCH_READS_ALL) != 0;
	state->defers = (flags & AIAAS_BATCH_DEFERS) != 0;
	if ((flags & AIAAS_BATCH_KEEPS_ROWS) != 0)
		init_table(state);
	init_columns(state, plan->custom_scan_tlist);
	aiaas_batch_init(state);
	state->totals = palloc0(state->n_calls * sizeof(AiaasBatchTotals));
	aiaas_batch_n_begun++;
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
	const BatchCall *computed = &state->calls[call];
	const AiaasModel *model = computed->verb->model.arg > 0 ?
		aiaas_call_model(computed->fcinfo) : NULL;

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

/*
 * False: it may raise, and nobody has asked for it yet.  What is deferred has one try, with
 * the first row of the batch.
 */
static inline bool
compute_row(AiaasBatchState *state, int row)
{
	for (int i = 0; i < state->n_calls; i++)
	{
		const bool *is_done = &state->calls[i].is_done[row];

		if (likely(*is_done) || (state->defers && row > 0))
			continue;
		run_call(state, i, state->is_ahead || state->defers ? -1 : row);
		if (state->defers)
			continue;
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

	/* Nobody but who has materialized it gives the slot anything to free. */
	if (unlikely(TTS_SHOULDFREE(slot)))
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
	slot->tts_flags &= ~TTS_FLAG_EMPTY;
	slot->tts_nvalid = slot->tts_tupleDescriptor->natts;
	if (state->table_slot != NULL)
	{
		slot->tts_tableOid = RelationGetRelid(state->css.ss.ss_currentRelation);
		slot->tts_tid = state->tids[row];
	}
}

/* Who asks for the current row then finds none. */
static TupleTableSlot *
no_row(CustomScanState *node)
{
	ExecClearTuple(node->ss.ss_ScanTupleSlot);
	return NULL;
}

/*
 * Forget what has been read ahead: the child goes back to the row that was emitted last.
 * From there rows are read one by one as long as the direction is backward.
 */
static void
step_back(AiaasBatchState *state)
{
	int64		n_steps = state->n_rejected;

	if (state->n_rows > 0)
		n_steps += state->n_rows - state->position + (state->is_at_end ? 1 : 0);
	aiaas_batch_clear(state);
	state->n_rejected = 0;
	state->is_at_end = false;
	state->ramp = 1;

	/* It has been here before, so it has no reason to hold a row back. */
	if (state->source != NULL)
		state->source->is_ahead = false;
	for (int64 i = 0; i < n_steps; i++)
		(void) ExecProcNode(outerPlanState(state));
}

static TupleTableSlot *
next_row(CustomScanState *node)
{
	AiaasBatchState *state = (AiaasBatchState *) node;
	ExprContext *econtext = node->ss.ps.ps_ExprContext;
	ProjectionInfo *projection = node->ss.ps.ps_ProjInfo;
	ExprState  *qual = node->ss.ps.qual;

	if (unlikely(ScanDirectionIsBackward(node->ss.ps.state->es_direction)))
		step_back(state);
	for (;;)
	{
		if (state->position >= state->n_rows)
		{
			aiaas_batch_fill(state);
			if (state->n_rows == 0)
			{
				if (!state->is_held)
					state->n_rejected = 0;
				return no_row(node);
			}
		}
		if (!compute_row(state, state->position))
		{
			state->is_held = true;
			return no_row(node);
		}
		load_row(state, state->position++);
		if (qual == NULL && projection == NULL)
			return node->ss.ss_ScanTupleSlot;
		ResetExprContext(econtext);
		econtext->ecxt_scantuple = node->ss.ss_ScanTupleSlot;
		if (qual != NULL && !ExecQual(qual, econtext))
		{
			state->n_rejected++;
			InstrCountFiltered1(node, 1);
		}
		else
		{
			state->n_rejected = 0;
			return projection != NULL ? ExecProject(projection) : node->ss.ss_ScanTupleSlot;
		}
	}
}

static void
rescan(CustomScanState *node)
{
	AiaasBatchState *state = (AiaasBatchState *) node;

	aiaas_batch_clear(state);
	aiaas_batch_pass_bound(state);
	state->is_at_end = state->is_held = false;
	state->n_rejected = 0;
	state->ramp = 1;
	if (outerPlanState(node)->chgParam == NULL)
		ExecReScan(outerPlanState(node));
}

static void
end(CustomScanState *node)
{
	aiaas_batch_clear((AiaasBatchState *) node);
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
