/*-------------------------------------------------------------------------
 * cursor.c
 *		Plans of cursors keep what they could do.
 *
 * A cursor may be moved backward if its plan can: BatchProject can if its child can,
 * and what no longer can does so from a store of the rows.  WHERE CURRENT OF looks for
 * the scan of a table in the plan: BatchProject stands for the scan that it reads.  Where
 * it cannot, the plan stays as it is.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/exec/exec_internal.h"

#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "optimizer/tlist.h"

static bool
is_scan(const Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_SeqScan:
		case T_SampleScan:
		case T_IndexScan:
		case T_BitmapHeapScan:
		case T_TidScan:
		case T_TidRangeScan:
			return true;
		default:
			return false;
	}
}

/* Below nodes that make at most one row of one row */
static Plan *
find_source(Plan *plan)
{
	while (plan != NULL && (IsA(plan, Result) || IsA(plan, Limit) || IsA(plan, SubqueryScan)))
		plan = IsA(plan, SubqueryScan) ? ((SubqueryScan *) plan)->subplan : plan->lefttree;
	return plan;
}

/* Let it know its rows, if it can; it is all that is found of what is below it. */
static bool
keep_rows(CustomScan *node)
{
	Plan	   *source = find_source(outerPlan(node));
	int			flags = intVal(linitial(node->custom_private));

	if (source == NULL ||
		!(is_scan(source) || (aiaas_is_batch_plan(source) && keep_rows((CustomScan *) source))))
		return false;
	node->custom_private = list_make1(makeInteger(flags | AIAAS_BATCH_KEEPS_ROWS));
	return true;
}

/* False: scans of the old plan would not be found in the new one. */
static bool
keep_scans(Plan *old, Plan *new)
{
	ListCell   *old_cell;
	ListCell   *new_cell;

	old = find_source(old);
	new = find_source(new);
	if (old == NULL)
		return true;
	if (IsA(old, Append))
	{
		forboth(old_cell, ((Append *) old)->appendplans, new_cell, ((Append *) new)->appendplans)
		{
			if (!keep_scans(lfirst(old_cell), lfirst(new_cell)))
				return false;
		}
		return true;
	}
	if (is_scan(old))
		return is_scan(new) || keep_rows((CustomScan *) new);
	return !IsA(old, IndexOnlyScan) && !IsA(old, ForeignScan) && !IsA(old, CustomScan);
}

/* A store of rows on top, which every cursor can go back in */
static Plan *
materialize(Plan *child)
{
	Material   *node = makeNode(Material);
	Plan	   *plan = &node->plan;
	ListCell   *cell;

	*plan = (Plan) {
		.type = T_Material,
		.startup_cost = child->startup_cost,
		.total_cost = child->total_cost,
		.plan_rows = child->plan_rows,
		.plan_width = child->plan_width,
		.plan_node_id = child->plan_node_id + 1,
		.extParam = bms_copy(child->extParam),
		.allParam = bms_copy(child->allParam),
		.lefttree = child
	};
	foreach(cell, child->targetlist)
	{
		TargetEntry *entry = flatCopyTargetEntry(lfirst_node(TargetEntry, cell));
		Node	   *value = (Node *) entry->expr;

		entry->expr = (Expr *) makeVar(OUTER_VAR, entry->resno, exprType(value),
									   exprTypmod(value), exprCollation(value), 0);
		plan->targetlist = lappend(plan->targetlist, entry);
	}
	return plan;
}

PlannedStmt *
aiaas_batch_cursor(PlannedStmt *stmt, int cursor_options)
{
	bool		is_backward = ExecSupportsBackwardScan(stmt->planTree) &&
		(cursor_options & CURSOR_OPT_NO_SCROLL) == 0;
	PlannedStmt *copy = copyObject(stmt);

	if (!aiaas_batch_plan(copy) ||
		(stmt->rowMarks == NIL && !keep_scans(stmt->planTree, copy->planTree)))
		return stmt;
	if (is_backward && !ExecSupportsBackwardScan(copy->planTree))
		copy->planTree = materialize(copy->planTree);
	return copy;
}
