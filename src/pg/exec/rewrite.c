/*-------------------------------------------------------------------------
 * rewrite.c
 *		Puts BatchProject nodes into a finished plan.
 *
 * Above: where a node's target list or quals evaluate calls, the node is left with
 * what they need, and the rest of its work moves into a BatchProject above it.  That
 * has the same output columns, so nothing further up has to be numbered again.
 *
 * Below: where arguments of aggregates or window functions hold calls, a BatchProject
 * under the node adds the results as columns behind its child's.
 *
 * Each round takes the calls that the next qual, or else the target list, evaluates;
 * what is left is the next round's, which stacks another node on the first.  So a
 * call never sees a row that an earlier qual rejects.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/exec/exec_internal.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/tlist.h"
#include "utils/lsyscache.h"

#include "pg/host/compat.h"

/* Numbers of our nodes: far from those that the planner counts from 0 */
#define FIRST_NODE_ID (1 << 24)

typedef struct Rewrite
{
	PlannedStmt *stmt;
	int			next_id;
	bool		has_changed;
} Rewrite;

/* What is known of the node above */
typedef struct Above
{
	bool		reads_all;		/* once it has begun to read */
	bool		is_barrier;		/* and nothing else runs meanwhile */
	bool		may_mark;		/* may want to go back to a marked row */
	bool		is_gathered;	/* there is a Gather above */
} Above;

/*
 * Expressions over the child's output, and over the scan tuple of our node
 */
typedef struct Split
{
	List	   *calls;			/* that this round takes */
	List	   *sources;		/* of Node: what the child puts out */
	List	   *scan;			/* of Node, as in the old expressions: leaves and calls */
} Split;

/* The number of an equal member of a list, from 1; added if there is none */
static AttrNumber
number_in(List **list, Node *node)
{
	int			index = aiaas_list_find(*list, node);

	if (index < 0)
	{
		*list = lappend(*list, node);
		index = list_length(*list) - 1;
	}
	return index + 1;
}

static Var *
make_var(int varno, AttrNumber number, Node *node)
{
	return makeVar(varno, number, exprType(node), exprTypmod(node), exprCollation(node), 0);
}

/* An expression of the old node as one over the scan tuple */
static Node *
over_scan(Node *node, void *context)
{
	Split	   *split = context;

	if (node == NULL)
		return NULL;
	if (aiaas_is_leaf(node) || aiaas_list_find(split->calls, node) >= 0)
		return (Node *) make_var(INDEX_VAR, number_in(&split->scan, node), node);
	return expression_tree_mutator(node, over_scan, context);
}

/* A call as an entry of the scan tuple; its arguments are computed by the child. */
static Node *
call_over_child(Split *split, FuncExpr *call)
{
	FuncExpr   *copy = copyObject(call);
	ListCell   *cell;

	foreach(cell, copy->args)
	{
		Node	   *argument = lfirst(cell);

		if (aiaas_has_leaf(argument))
			lfirst(cell) = make_var(OUTER_VAR, number_in(&split->sources, argument), argument);
	}
	return (Node *) copy;
}

static List *
scan_tlist(Split *split)
{
	List	   *tlist = NIL;
	ListCell   *cell;

	foreach(cell, split->scan)
	{
		Node	   *node = lfirst(cell);
		Node	   *entry = aiaas_is_leaf(node) ?
			(Node *) make_var(OUTER_VAR, number_in(&split->sources, node), node) :
			call_over_child(split, (FuncExpr *) node);

		tlist = lappend(tlist, makeTargetEntry((Expr *) entry, list_length(tlist) + 1, NULL,
											   false));
	}
	return tlist;
}

static List *
source_tlist(const Split *split)
{
	List	   *tlist = NIL;
	ListCell   *cell;

	foreach(cell, split->sources)
		tlist = lappend(tlist, makeTargetEntry(lfirst(cell), list_length(tlist) + 1, NULL,
											   false));
	return tlist;
}

/* Over child; target list and quals are the caller's to set */
static CustomScan *
make_node(Rewrite *rewrite, Plan *child, const Above *above, List *scan)
{
	CustomScan *node = makeNode(CustomScan);
	Plan	   *plan = &node->scan.plan;

	plan->startup_cost = child->startup_cost;
	plan->total_cost = child->total_cost;
	plan->plan_rows = child->plan_rows;
	plan->plan_width = child->plan_width;
	plan->parallel_safe = child->parallel_safe;

	/* The server offers shared memory, for the counters, to nodes that say this. */
	plan->parallel_aware = above->is_gathered;
	plan->plan_node_id = rewrite->next_id++;
	plan->extParam = bms_copy(child->extParam);
	plan->allParam = bms_copy(child->allParam);
	plan->lefttree = child;
	if (ExecSupportsBackwardScan(child))
		node->flags = CUSTOMPATH_SUPPORT_BACKWARD_SCAN;
	node->custom_scan_tlist = scan;
	node->custom_private = list_make1(makeInteger(above->reads_all ? AIAAS_BATCH_READS_ALL : 0));
	node->methods = &aiaas_batch_methods;
	rewrite->has_changed = true;
	return node;
}

/*
 * Above
 */

static bool
has_multiexpr_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, SubPlan) && ((SubPlan *) node)->subLinkType == MULTIEXPR_SUBLINK)
		return true;
	return expression_tree_walker(node, has_multiexpr_walker, context);
}

/* Does this node evaluate its target list and its quals row by row, as an expression? */
static bool
is_projecting(const Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_SeqScan:
		case T_SampleScan:
		case T_IndexScan:
		case T_IndexOnlyScan:
		case T_BitmapHeapScan:
		case T_TidScan:
		case T_TidRangeScan:
		case T_SubqueryScan:
		case T_FunctionScan:
		case T_ValuesScan:
		case T_TableFuncScan:
		case T_CteScan:
		case T_NamedTuplestoreScan:
		case T_WorkTableScan:
		case T_NestLoop:
		case T_MergeJoin:
		case T_HashJoin:
		case T_Group:
		case T_Gather:
		case T_GatherMerge:
			return true;
		case T_Agg:
			return !DO_AGGSPLIT_SKIPFINAL(((const Agg *) plan)->aggsplit);
		case T_WindowAgg:
			return plan->qual == NIL && !aiaas_has_run_condition((const WindowAgg *) plan);
		case T_Result:
			return plan->lefttree != NULL;
		case T_ForeignScan:
			return ((const ForeignScan *) plan)->operation == CMD_SELECT;
		case T_CustomScan:
			return aiaas_is_batch_plan(plan);
		default:
			return false;
	}
}

/* The first qual that evaluates calls, and these; the length of the list: none */
static int
find_qual(const Rewrite *rewrite, const List *quals, List **calls)
{
	ListCell   *cell;

	*calls = NIL;
	foreach(cell, quals)
	{
		*calls = aiaas_calls_collect(rewrite->stmt, NIL, lfirst(cell));
		if (*calls != NIL)
			return foreach_current_index(cell);
	}
	return list_length(quals);
}

/*
 * Conditions of an inner join are as good as quals of its rows, if it looks at each pair
 * and not only for the first match.
 */
static void
lift_join_quals(const Rewrite *rewrite, Plan *plan)
{
	Join	   *join = (Join *) plan;
	List	   *calls;
	int			n_kept;

	if (join->jointype != JOIN_INNER)
		return;
	n_kept = find_qual(rewrite, join->joinqual, &calls);
	if (calls == NIL)
		return;
	plan->qual = list_concat(list_copy_tail(join->joinqual, n_kept), plan->qual);
	join->joinqual = list_copy_head(join->joinqual, n_kept);
	join->inner_unique = false;
}

static List *
find_in_targets(const Rewrite *rewrite, const Plan *plan)
{
	List	   *calls = NIL;
	ListCell   *cell;

	foreach(cell, plan->targetlist)
		calls = aiaas_calls_collect(rewrite->stmt, calls, lfirst(cell));
	return calls;
}

/*
 * Reading ahead must not be seen.  What stays in the plan runs earlier than it would;
 * if that has effects, everything must be read anyway, and what runs meanwhile must not
 * have any.
 */
static bool
may_read_ahead(const Rewrite *rewrite, Plan *plan, int n_kept, const Split *split,
			   const Above *above)
{
	PlannedStmt *stmt = rewrite->stmt;
	List	   *kept = list_copy_head(plan->qual, n_kept);
	List	   *moved = list_copy_tail(plan->qual, n_kept);

	/* Sources are volatile inside of aggregates and window functions only. */
	if (!aiaas_is_volatile(stmt, (Node *) kept) &&
		(aiaas_reads_first(plan) || !aiaas_is_volatile(stmt, (Node *) split->sources)) &&
		!aiaas_inputs_are_volatile(stmt, plan, false))
		return true;
	return above->is_barrier && !aiaas_is_volatile(stmt, (Node *) moved) &&
		!aiaas_is_volatile(stmt, (Node *) plan->targetlist);
}

/* One round; NULL: no calls, or none that may be batched */
static Plan *
wrap_once(Rewrite *rewrite, Plan *plan, const Above *above)
{
	Split		split = {NIL, NIL, NIL};
	int			n_kept = find_qual(rewrite, plan->qual, &split.calls);
	List	   *targets = NIL;
	List	   *quals;
	CustomScan *node;
	List	   *scan;
	ListCell   *cell;

	if (split.calls == NIL)
		split.calls = find_in_targets(rewrite, plan);
	if (split.calls == NIL)
		return NULL;

	/* In the order of the target list, so that there is often nothing to project. */
	foreach(cell, plan->targetlist)
	{
		TargetEntry *entry = flatCopyTargetEntry(lfirst_node(TargetEntry, cell));

		entry->expr = (Expr *) over_scan((Node *) entry->expr, &split);
		targets = lappend(targets, entry);
	}
	quals = (List *) over_scan((Node *) list_copy_tail(plan->qual, n_kept), &split);
	scan = scan_tlist(&split);
	if (!may_read_ahead(rewrite, plan, n_kept, &split, above))
		return NULL;
	node = make_node(rewrite, plan, above, scan);
	node->scan.plan.targetlist = targets;
	node->scan.plan.qual = quals;
	plan->targetlist = source_tlist(&split);
	plan->qual = list_copy_head(plan->qual, n_kept);
	return (Plan *) node;
}

/* Which nodes can take a result of their child's in the place of a call */
static bool
is_carrying(const Plan *plan)
{
	return IsA(plan, NestLoop) || IsA(plan, MergeJoin) || IsA(plan, HashJoin) ||
		IsA(plan, Gather) || IsA(plan, GatherMerge) || IsA(plan, Result);
}

/* Calls and, at the same places, what stands for them */
typedef struct Carried
{
	List	   *calls;
	List	   *columns;
} Carried;

static Node *
replace_carried(Node *node, void *context)
{
	Carried    *carried = context;
	int			index;

	if (node == NULL)
		return NULL;
	index = aiaas_list_find(carried->calls, node);
	if (index >= 0)
		return copyObject(list_nth(carried->columns, index));
	return expression_tree_mutator(node, replace_carried, context);
}

static Carried
carry_calls(Plan *plan, List *calls)
{
	Carried		carried = {NIL, NIL};
	ListCell   *cell;

	foreach(cell, calls)
	{
		Node	   *column = aiaas_carry(plan, lfirst(cell));

		if (column != NULL)
		{
			carried.calls = lappend(carried.calls, lfirst(cell));
			carried.columns = lappend(carried.columns, column);
		}
	}
	return carried;
}

static void
carry(Rewrite *rewrite, Plan *plan)
{
	List	   *calls = find_in_targets(rewrite, plan);
	Carried		carried;
	ListCell   *cell;

	foreach(cell, plan->qual)
		calls = aiaas_calls_collect(rewrite->stmt, calls, lfirst(cell));
	carried = carry_calls(plan, calls);
	if (carried.calls == NIL)
		return;
	plan->targetlist = (List *) replace_carried((Node *) plan->targetlist, &carried);
	plan->qual = (List *) replace_carried((Node *) plan->qual, &carried);
}

static Plan *
wrap(Rewrite *rewrite, Plan *plan, const Above *above)
{
	/* A foreign scan that runs asynchronously has to stand right under its Append. */
	if (above->may_mark || plan->async_capable || !is_projecting(plan) ||
		has_multiexpr_walker((Node *) plan->targetlist, NULL))
		return plan;
	if (IsA(plan, NestLoop) || IsA(plan, MergeJoin) || IsA(plan, HashJoin))
		lift_join_quals(rewrite, plan);
	if (is_carrying(plan))
		carry(rewrite, plan);
	for (;;)
	{
		Plan	   *node = wrap_once(rewrite, plan, above);

		if (node == NULL)
			return plan;
		plan = node;
	}
}

/*
 * Below
 */

typedef struct Arguments
{
	const PlannedStmt *stmt;
	Plan	   *plan;
	bool		is_deferred;	/* the row that a call fails for may be none that is looked at */
	const List *fallbacks;		/* of earlier rounds: a column, or else the call itself */
	List	   *calls;			/* in arguments of aggregates and window functions */
	List	   *columns;		/* that take their places */
	bool		is_inside;		/* an argument */
} Arguments;

/*
 * What of an aggregate or window function is evaluated for every row: its arguments, or the filter
 * that says for which rows they are
 */
static List *
row_arguments(Node *node)
{
	if (IsA(node, Aggref))
	{
		Aggref	   *aggregate = (Aggref *) node;

		return aggregate->aggfilter == NULL ? aggregate->args : list_make1(aggregate->aggfilter);
	}
	if (IsA(node, WindowFunc) && ((WindowFunc *) node)->aggfilter == NULL)
		return ((WindowFunc *) node)->args;
	return NIL;
}

/*
 * Window functions that are no aggregates look at some rows only; frames may leave rows
 * out, and a run condition all that come later.
 */
static bool
takes_all_rows(const Plan *plan, Node *node)
{
	const WindowAgg *window = (const WindowAgg *) plan;

	return IsA(node, Aggref) ||
		(((WindowFunc *) node)->winagg && !aiaas_has_run_condition(window) &&
		 (window->frameOptions &
		  (FRAMEOPTION_START_OFFSET_FOLLOWING | FRAMEOPTION_END_OFFSET_PRECEDING |
		   FRAMEOPTION_EXCLUDE_CURRENT_ROW | FRAMEOPTION_EXCLUDE_GROUP)) == 0);
}

static bool
has_fallback_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (aiaas_list_find(context, node) >= 0)
		return true;
	return expression_tree_walker(node, has_fallback_walker, context);
}

/*
 * May this call, in an argument of node, be computed for all rows?  If it is deferred, an
 * earlier call that failed must make this one fail, too, and no expression may raise for a
 * row that is never looked at.
 */
static bool
may_compute(const Arguments *arguments, Node *node, FuncExpr *call)
{
	ListCell   *cell;

	if (!arguments->is_deferred)
		return true;
	if (!func_strict(call->funcid))
		return false;
	foreach(cell, call->args)
	{
		Node	   *value = lfirst(cell);

		while (IsA(value, RelabelType))
			value = (Node *) ((RelabelType *) value)->arg;
		if (aiaas_list_find(arguments->fallbacks, value) >= 0 || IsA(value, Var) ||
			IsA(value, Const) || IsA(value, Param))
			continue;
		if (!takes_all_rows(arguments->plan, node) ||
			has_fallback_walker(value, (void *) arguments->fallbacks))
			return false;
	}
	return true;
}

static bool
find_arguments_walker(Node *node, void *context)
{
	Arguments  *arguments = context;
	List	   *calls = NIL;
	ListCell   *cell;

	if (node == NULL)
		return false;
	if (!IsA(node, Aggref) && !IsA(node, WindowFunc))
		return expression_tree_walker(node, find_arguments_walker, context);
	foreach(cell, row_arguments(node))
		calls = aiaas_calls_collect(arguments->stmt, calls, lfirst(cell));
	foreach(cell, calls)
	{
		if (may_compute(arguments, node, lfirst(cell)))
			arguments->calls = list_append_unique(arguments->calls, lfirst(cell));
	}
	return false;
}

/* Calls in arguments become the child's columns. */
static Node *
replace_arguments(Node *node, void *context)
{
	Arguments  *arguments = context;
	bool		was_inside = arguments->is_inside;
	Node	   *copy;

	if (node == NULL)
		return NULL;
	if (was_inside)
	{
		int			index = aiaas_list_find(arguments->calls, node);

		if (index >= 0)
			return copyObject(list_nth(arguments->columns, index));
	}
	if (row_arguments(node) != NIL)
		arguments->is_inside = true;
	copy = expression_tree_mutator(node, replace_arguments, context);
	arguments->is_inside = was_inside;
	return copy;
}

static bool
may_insert_below(const Plan *plan)
{
	if (plan->lefttree == NULL)
		return false;
	if (IsA(plan, Agg))
		return !DO_AGGSPLIT_COMBINE(((const Agg *) plan)->aggsplit);
	return IsA(plan, WindowAgg);
}

static void
add_target(CustomScan *node, Node *expression, const TargetEntry *old)
{
	AttrNumber	number = list_length(node->custom_scan_tlist) + 1;
	TargetEntry *entry;

	node->custom_scan_tlist = lappend(node->custom_scan_tlist,
									  makeTargetEntry((Expr *) expression, number, NULL, false));
	entry = old != NULL ? flatCopyTargetEntry((TargetEntry *) old) :
		makeTargetEntry(NULL, number, NULL, false);
	entry->expr = (Expr *) make_var(INDEX_VAR, number, expression);
	node->scan.plan.targetlist = lappend(node->scan.plan.targetlist, entry);
}

static void
replace_in_arguments(Arguments *arguments)
{
	Plan	   *plan = arguments->plan;

	plan->targetlist = (List *) replace_arguments((Node *) plan->targetlist, arguments);
	plan->qual = (List *) replace_arguments((Node *) plan->qual, arguments);
}

static bool
find_arguments(Arguments *arguments)
{
	(void) find_arguments_walker((Node *) arguments->plan->targetlist, arguments);
	(void) find_arguments_walker((Node *) arguments->plan->qual, arguments);
	return arguments->calls != NIL;
}

static void
carry_arguments(const Rewrite *rewrite, Plan *plan)
{
	Arguments	arguments = {.stmt = rewrite->stmt, .plan = plan};
	Carried		carried;

	(void) find_arguments(&arguments);
	carried = carry_calls(plan, arguments.calls);
	arguments.calls = carried.calls;
	arguments.columns = carried.columns;
	if (carried.calls != NIL)
		replace_in_arguments(&arguments);
}

/* A call that failed before is NULL, and so is a strict one that takes it. */
static Node *
without_fallbacks(Node *node, void *context)
{
	if (node == NULL)
		return NULL;
	if (aiaas_list_find(context, node) >= 0)
		node = linitial(((CoalesceExpr *) node)->args);
	return expression_tree_mutator(node, without_fallbacks, context);
}

/*
 * The column, but where it is NULL the call itself, which then is NULL or raises.  So an
 * error comes when the value is asked for.
 */
static Node *
make_fallback(Var *column, Node *call)
{
	CoalesceExpr *fallback = makeNode(CoalesceExpr);

	fallback->coalescetype = column->vartype;
	fallback->coalescecollid = column->varcollid;
	fallback->args = list_make2(column, copyObject(call));
	fallback->location = -1;
	return (Node *) fallback;
}

static void
insert_once(Rewrite *rewrite, const Above *above, Arguments *arguments)
{
	Plan	   *child = arguments->plan->lefttree;
	CustomScan *node = make_node(rewrite, child, above, NIL);
	ListCell   *cell;

	foreach(cell, child->targetlist)
	{
		TargetEntry *old = lfirst_node(TargetEntry, cell);

		add_target(node, (Node *) make_var(OUTER_VAR, old->resno, (Node *) old->expr), old);
	}
	foreach(cell, arguments->calls)
	{
		Node	   *call = lfirst(cell);
		Var		   *column;

		add_target(node, without_fallbacks(call, (void *) arguments->fallbacks), NULL);
		column = make_var(OUTER_VAR, list_length(node->custom_scan_tlist), call);
		arguments->columns = lappend(arguments->columns, arguments->is_deferred ?
									 make_fallback(column, call) : (Node *) column);
	}
	if (arguments->is_deferred)
	{
		int			flags = intVal(linitial(node->custom_private));

		node->custom_private = list_make1(makeInteger(flags | AIAAS_BATCH_DEFERS));
	}
	arguments->plan->lefttree = (Plan *) node;
	replace_in_arguments(arguments);
}

/*
 * A window or a group looks at the next row to know that it is at its end, or takes from
 * some rows nothing; if that row is one that a call fails for, that must not be seen.
 */
static void
insert_below(Rewrite *rewrite, Plan *plan, const Above *above)
{
	List	   *fallbacks = NIL;

	if (aiaas_plan_is_volatile(rewrite->stmt, plan->lefttree, false) && !above->is_barrier)
		return;
	for (;;)
	{
		Arguments	arguments = {
			.stmt = rewrite->stmt,
			.plan = plan,
			.is_deferred = !(IsA(plan, Agg) && above->reads_all),
			.fallbacks = fallbacks
		};

		if (!find_arguments(&arguments))
			return;
		insert_once(rewrite, above, &arguments);
		if (arguments.is_deferred)
			fallbacks = list_concat(fallbacks, arguments.columns);
	}
}

/*
 * The tree
 */

static Plan *rewrite_plan(Rewrite *rewrite, Plan *plan, const Above *above);

static void
rewrite_list(Rewrite *rewrite, List *plans, const Above *above)
{
	ListCell   *cell;

	foreach(cell, plans)
		lfirst(cell) = rewrite_plan(rewrite, lfirst(cell), above);
}

/* How a node reads its (outer) child */
static Above
above_child(const Rewrite *rewrite, Plan *plan, const Above *above)
{
	Above		child = {.is_gathered = above->is_gathered};
	bool		is_volatile = aiaas_is_volatile(rewrite->stmt, (Node *) plan->targetlist) ||
		aiaas_is_volatile(rewrite->stmt, (Node *) plan->qual);

	switch (nodeTag(plan))
	{
		case T_Sort:
		case T_Hash:
			child.reads_all = child.is_barrier = true;
			break;
		case T_ModifyTable:
			child.reads_all = true;
			break;
		case T_Agg:
			child.reads_all = aiaas_reads_first(plan) || above->reads_all;
			child.is_barrier = (aiaas_reads_first(plan) || above->is_barrier) && !is_volatile;
			break;
		case T_Result:
			child.may_mark = above->may_mark;
			/* FALLTHROUGH */
		case T_SubqueryScan:
		case T_Append:
		case T_Unique:
		case T_Group:
		case T_ProjectSet:
			child.reads_all = above->reads_all;
			child.is_barrier = above->is_barrier && !is_volatile;
			break;
		case T_Gather:
		case T_GatherMerge:
			child.is_gathered = true;
			break;
		default:
			break;
	}
	return child;
}

static Plan *
rewrite_plan(Rewrite *rewrite, Plan *plan, const Above *above)
{
	Above		child;

	if (plan == NULL)
		return NULL;
	check_stack_depth();
#ifdef AIAAS_DEBUG_BATCH
	aiaas_debug_spell_operators(plan);
#endif
	child = above_child(rewrite, plan, above);

	switch (nodeTag(plan))
	{
		case T_Append:
			rewrite_list(rewrite, ((Append *) plan)->appendplans, &child);
			break;
		case T_MergeAppend:
			rewrite_list(rewrite, ((MergeAppend *) plan)->mergeplans, &child);
			break;
		case T_SubqueryScan:
			((SubqueryScan *) plan)->subplan =
				rewrite_plan(rewrite, ((SubqueryScan *) plan)->subplan, &child);
			break;

			/* Bitmaps, and what others expect to find right under their own nodes */
		case T_BitmapHeapScan:
		case T_CustomScan:
		case T_ForeignScan:
			break;
		default:
			plan->lefttree = rewrite_plan(rewrite, plan->lefttree, &child);
			if (IsA(plan, MergeJoin))
				child.may_mark = true;
			plan->righttree = rewrite_plan(rewrite, plan->righttree, &child);
			break;
	}

	if (may_insert_below(plan))
	{
		carry_arguments(rewrite, plan);
		insert_below(rewrite, plan, &child);
	}
	return wrap(rewrite, plan, above);
}

bool
aiaas_batch_plan(PlannedStmt *stmt)
{
	Rewrite		rewrite = {stmt, FIRST_NODE_ID, false};
	Above		above = {0};
	ListCell   *cell;

	stmt->planTree = rewrite_plan(&rewrite, stmt->planTree, &above);
	foreach(cell, stmt->subplans)
		lfirst(cell) = rewrite_plan(&rewrite, lfirst(cell), &above);
	return rewrite.has_changed;
}
