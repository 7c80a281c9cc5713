/*-------------------------------------------------------------------------
 * tree.c
 *		Whether reading a row of a plan has effects that can be seen.
 *
 * A node that reads ahead runs what is below it earlier, and perhaps for rows that
 * nobody wants.  That is seen where volatile functions, data-modifying statements
 * or row locks are below.  What has run to its end before the first row comes is not
 * seen, unless it runs again for a later row.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/exec/exec_internal.h"

#include "miscadmin.h"

bool
aiaas_reads_first(const Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_Sort:
		case T_Hash:
			return true;
		case T_Agg:
			return ((const Agg *) plan)->aggstrategy == AGG_PLAIN ||
				((const Agg *) plan)->aggstrategy == AGG_HASHED;
		default:
			return false;
	}
}

/* Members of an Append start when rows have come already, so they count as if they ran again. */
static bool
any_is_volatile(const PlannedStmt *stmt, List *plans)
{
	ListCell   *cell;

	foreach(cell, plans)
	{
		if (aiaas_plan_is_volatile(stmt, lfirst(cell), true))
			return true;
	}
	return false;
}

/* Expressions beside target list and quals, and children beside the two usual ones */
static bool
special_is_volatile(const PlannedStmt *stmt, Plan *plan, bool runs_again)
{
	switch (nodeTag(plan))
	{
		case T_ModifyTable:
		case T_LockRows:
			return true;
		case T_Result:
			return aiaas_is_volatile(stmt, ((Result *) plan)->resconstantqual);
		case T_Append:
			return any_is_volatile(stmt, ((Append *) plan)->appendplans);
		case T_MergeAppend:
			return any_is_volatile(stmt, ((MergeAppend *) plan)->mergeplans);
		case T_SubqueryScan:
			return aiaas_plan_is_volatile(stmt, ((SubqueryScan *) plan)->subplan, runs_again);
		case T_CteScan:
			return aiaas_plan_is_volatile(stmt, list_nth(stmt->subplans,
														 ((CteScan *) plan)->ctePlanId - 1),
										  runs_again);
		case T_ValuesScan:
			return aiaas_is_volatile(stmt, (Node *) ((ValuesScan *) plan)->values_lists);
		case T_NestLoop:
		case T_MergeJoin:
		case T_HashJoin:
			return aiaas_is_volatile(stmt, (Node *) ((Join *) plan)->joinqual);
		case T_Limit:
			return aiaas_is_volatile(stmt, ((Limit *) plan)->limitOffset) ||
				aiaas_is_volatile(stmt, ((Limit *) plan)->limitCount);
		case T_WindowAgg:
			return aiaas_is_volatile(stmt, ((WindowAgg *) plan)->startOffset) ||
				aiaas_is_volatile(stmt, ((WindowAgg *) plan)->endOffset);
		case T_ForeignScan:
			return ((ForeignScan *) plan)->operation != CMD_SELECT;
		case T_CustomScan:
			return any_is_volatile(stmt, ((CustomScan *) plan)->custom_plans);

			/* These run when the first row is asked for. */
		case T_FunctionScan:
			return runs_again &&
				aiaas_is_volatile(stmt, (Node *) ((FunctionScan *) plan)->functions);
		case T_TableFuncScan:
			return runs_again &&
				aiaas_is_volatile(stmt, (Node *) ((TableFuncScan *) plan)->tablefunc);
		case T_SampleScan:
			return runs_again &&
				aiaas_is_volatile(stmt, (Node *) ((SampleScan *) plan)->tablesample);
		default:
			return false;
	}
}

bool
aiaas_inputs_are_volatile(const PlannedStmt *stmt, Plan *plan, bool runs_again)
{
	bool		right_runs_again = runs_again || IsA(plan, NestLoop) || IsA(plan, RecursiveUnion);

	if (aiaas_reads_first(plan) && !runs_again)
		return false;
	return special_is_volatile(stmt, plan, runs_again) ||
		aiaas_plan_is_volatile(stmt, plan->lefttree, runs_again) ||
		aiaas_plan_is_volatile(stmt, plan->righttree, right_runs_again);
}

bool
aiaas_plan_is_volatile(const PlannedStmt *stmt, Plan *plan, bool runs_again)
{
	if (plan == NULL)
		return false;
	check_stack_depth();
	return aiaas_is_volatile(stmt, (Node *) plan->targetlist) ||
		aiaas_is_volatile(stmt, (Node *) plan->qual) ||
		aiaas_inputs_are_volatile(stmt, plan, runs_again);
}
