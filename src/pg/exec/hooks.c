/*-------------------------------------------------------------------------
 * hooks.c
 *		Where the server lets us see plans: after planning, and before they run.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/exec/exec_internal.h"

#include "executor/executor.h"
#include "nodes/extensible.h"
#include "optimizer/planner.h"

#include "pg/host/guc.h"

static planner_hook_type next_planner = NULL;
static ExecutorStart_hook_type next_executor_start = NULL;

static PlannedStmt *
plan_statement(Query *query, const char *text, int cursor_options, ParamListInfo params)
{
	PlannedStmt *stmt = next_planner != NULL ?
		next_planner(query, text, cursor_options, params) :
		standard_planner(query, text, cursor_options, params);

	if (!aiaas_batch)
		return stmt;
	if ((cursor_options & (CURSOR_OPT_SCROLL | CURSOR_OPT_FAST_PLAN)) != 0)
		return aiaas_batch_cursor(stmt, cursor_options);
	(void) aiaas_batch_plan(stmt);
	return stmt;
}

static void
start_executor(QueryDesc *query, int eflags)
{
	uint64		n_begun = aiaas_batch_n_begun;

	if (next_executor_start != NULL)
		next_executor_start(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
	if (aiaas_batch_n_begun != n_begun)
		aiaas_demand_bind(query->planstate);
}

void
aiaas_exec_init(const AiaasVerb *verbs)
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
}
