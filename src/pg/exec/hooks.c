/*-------------------------------------------------------------------------
 * hooks.c
 *		Where the server lets us see plans: after planning, and before they run.
 *
 * Every statement of every user passes here, so one without calls has to pass at once:
 * the planner asks our support function about each call, and where it did not, there
 * is none.
 *
 * The first statement of a session often loads the library itself, by that question.
 * Its planning has begun without us and ends without us, so it is seen only when its
 * plan is about to run.  Then the statement runs a copy that is rewritten, and so does
 * all that looks at it: EXPLAIN, workers, other extensions.  Only plans whose planning
 * began before can be such, and all of them run, or are done with, in the transaction
 * that was loading.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/exec/cost.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "optimizer/planner.h"
#include "tcop/pquery.h"
#include "utils/plancache.h"
#include "utils/syscache.h"

#include "pg/exec/exec_internal.h"
#include "pg/host/compat.h"
#include "pg/host/guc.h"

/* In invalItems: no cache has this number, so nobody else looks at it. */
#define SEEN_PLAN (-1)

static planner_hook_type next_planner = NULL;
static ExecutorStart_hook_type next_executor_start = NULL;

/* The transaction in which the library was loaded, as long as it may have unseen plans */
static LocalTransactionId loading_lxid = InvalidLocalTransactionId;

static PlannedStmt *
rewrite(PlannedStmt *stmt, int cursor_options)
{
	if (!aiaas_batch)
		return stmt;
	if ((cursor_options & (CURSOR_OPT_SCROLL | CURSOR_OPT_FAST_PLAN)) != 0)
		return aiaas_batch_cursor(stmt, cursor_options);
	(void) aiaas_batch_plan(stmt);
	return stmt;
}

static bool
is_loading(void)
{
	if (likely(loading_lxid == InvalidLocalTransactionId))
		return false;
	if (loading_lxid != aiaas_local_transaction_id())
		loading_lxid = InvalidLocalTransactionId;
	return loading_lxid != InvalidLocalTransactionId;
}

static void
mark_as_seen(PlannedStmt *stmt)
{
	PlanInvalItem *item = makeNode(PlanInvalItem);

	item->cacheId = SEEN_PLAN;
	stmt->invalItems = lappend(stmt->invalItems, item);
}

/* n_requests: how often the planner had asked before.  Builds for tests batch more than that. */
static inline bool
may_have_calls(uint64 n_requests)
{
#ifdef AIAAS_DEBUG_BATCH
	n_requests = UINT64_MAX;
#endif
	return unlikely(aiaas_n_support_requests != n_requests);
}

static PlannedStmt *
plan_statement(Query *query, const char *text, int cursor_options, ParamListInfo params)
{
	uint64		n_requests = aiaas_n_support_requests;
	PlannedStmt *stmt = next_planner != NULL ?
		next_planner(query, text, cursor_options, params) :
		standard_planner(query, text, cursor_options, params);

	if (unlikely(is_loading()))
		mark_as_seen(stmt);
	if (!may_have_calls(n_requests))
		return stmt;
	aiaas_jit_without_calls(stmt);
	return rewrite(stmt, cursor_options);
}

/* Our functions are user-defined, and a plan is told to be invalid when one changes. */
static bool
may_be_unseen(const PlannedStmt *stmt)
{
	bool		has_functions = false;
	ListCell   *cell;

	foreach(cell, stmt->invalItems)
	{
		const PlanInvalItem *item = lfirst_node(PlanInvalItem, cell);

		if (item->cacheId == SEEN_PLAN)
			return false;
		has_functions |= item->cacheId == PROCOID;
	}
	return has_functions;
}

/* A cursor's options count for its own plan only. */
static int
options_of(const PlannedStmt *stmt)
{
	if (ActivePortal != NULL && list_member_ptr(ActivePortal->stmts, stmt))
		return ActivePortal->cursorOptions;
	return 0;
}

/*
 * Let the statement run a copy, since the plan may belong to a cache.  What may ask the
 * executor to go back has been promised that by the old plan; where a cursor could be
 * moved, aiaas_batch_cursor() keeps the promise.
 */
static void
replace_unseen(QueryDesc *query, int eflags)
{
	int			options = options_of(query->plannedstmt);
	bool		may_go_back = (eflags & (EXEC_FLAG_REWIND | EXEC_FLAG_BACKWARD |
										 EXEC_FLAG_MARK)) != 0;
	PlannedStmt *copy;

	if (!may_be_unseen(query->plannedstmt))
		return;
	if (may_go_back)
		options |= CURSOR_OPT_SCROLL;
	copy = copyObject(query->plannedstmt);
	aiaas_jit_without_calls(copy);
	query->plannedstmt = rewrite(copy, options);

	/* A cache may hold the old one. */
	ResetPlanCache();
}

static void
start_executor(QueryDesc *query, int eflags)
{
	uint64		n_begun = aiaas_batch_n_begun;

	if (unlikely(is_loading()))
		replace_unseen(query, eflags);
	if (next_executor_start != NULL)
		next_executor_start(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
	if (aiaas_batch_n_begun != n_begun)
		aiaas_demand_bind(query->planstate);
}

void
aiaas_exec_init(const AiaasVerb *const *verbs)
{
	aiaas_recognise_init(verbs);
#ifdef AIAAS_DEBUG_BATCH
	aiaas_debug_init();
#endif
	RegisterCustomScanMethods(&aiaas_batch_methods);
	next_planner = planner_hook;
	planner_hook = plan_statement;
	next_executor_start = ExecutorStart_hook;
	ExecutorStart_hook = start_executor;

	/* A worker's plan is its leader's, and is as that has seen it. */
	if (IsTransactionState() && !IsParallelWorker())
		loading_lxid = aiaas_local_transaction_id();
}
