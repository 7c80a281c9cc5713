/*-------------------------------------------------------------------------
 * cursor.c
 *		Plans of cursors keep what they could do.
 *
 * A cursor may be moved backward if its plan can, and WHERE CURRENT OF needs a plan
 * that is a scan of the table.  BatchProject can do neither.  So the plan of a scan
 * stays as it is, and what could go backward does so from a store of the rows.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/exec/exec_internal.h"

#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "optimizer/tlist.h"

/* As WHERE CURRENT OF looks for the table */
static bool
is_scan(const Plan *plan)
{
	ListCell   *cell;

	if (plan == NULL)
		return false;
	switch (nodeTag(plan))
	{
		case T_SeqScan:
		case T_SampleScan:
		case T_IndexScan:
		case T_IndexOnlyScan:
		case T_BitmapHeapScan:
		case T_TidScan:
		case T_TidRangeScan:
		case T_ForeignScan:
		case T_CustomScan:
			return true;
		case T_Result:
		case T_Limit:
			return is_scan(plan->lefttree);
		case T_SubqueryScan:
			return is_scan(((const SubqueryScan *) plan)->subplan);
		case T_Append:
			foreach(cell, ((const Append *) plan)->appendplans)
			{
				if (is_scan(lfirst(cell)))
					return true;
			}
			return false;
		default:
			return false;
	}
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
	PlannedStmt *copy;

	if (stmt->rowMarks == NIL && is_scan(stmt->planTree))
		return stmt;
	copy = copyObject(stmt);
	if (!aiaas_batch_plan(copy))
		return stmt;
	if (is_backward && !ExecSupportsBackwardScan(copy->planTree))
		copy->planTree = materialize(copy->planTree);
	return copy;
}
