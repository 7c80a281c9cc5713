/*-------------------------------------------------------------------------
 * jit.c
 *		JIT compilation is decided by what the server does, not by what models do.
 *
 * The planner compiles the expressions of a plan that costs more than jit_above_cost.
 * Calls of models soon cost that much, and gain nothing by it, while compiling takes
 * up to a second.  So their share is taken out and the decision made again.
 *
 * The share is not in the plan and has to be worked out from rows and costs of its
 * nodes.  A target list is evaluated for each row that a node puts out.  How many rows
 * a node's quals have seen is not kept: as many as its own cost pays for, if calls are
 * all that it does with them.  Grouping and some other nodes are charged once more for
 * expressions that the node below has computed for them.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/exec/cost.h"

#include "jit/jit.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/plancat.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"

#include "pg/exec/exec_internal.h"

/* What calls cost in a subtree: before its first row, as below a Sort, and after */
typedef struct Calls
{
	Cost		startup;
	Cost		run;
} Calls;

/* The expressions of a node */
typedef struct Expressions
{
	const PlannedStmt *stmt;
	const Plan *plan;
	bool		is_charged_again;	/* for what the child has computed */
	bool		is_aggregated;	/* inside the arguments of an aggregate */

	/* Of their calls */
	Cost		once;
	Cost		per_row;
	Cost		per_input;		/* row of the child, by arguments of aggregates */
} Expressions;

static Calls plan_calls(const PlannedStmt *stmt, const Plan *plan);

/*
 * The width of inputs
 */

static int32
column_width(const RangeTblEntry *entry, const Var *var, const char *name)
{
	AttrNumber	number = var->varattno;

	if (entry->rtekind != RTE_RELATION)
		return 0;
	if (number == InvalidAttrNumber && name != NULL)
		number = get_attnum(entry->relid, name);
	return number > 0 ? get_attavgwidth(entry->relid, number) : 0;
}

/* The plan below that makes what var refers to, or NULL */
static const Plan *
find_child(const PlannedStmt *stmt, const Plan *plan, const Var *var)
{
	if (var->varno == OUTER_VAR)
		return IsA(plan, Append) ? linitial(((const Append *) plan)->appendplans) :
			IsA(plan, MergeAppend) ? linitial(((const MergeAppend *) plan)->mergeplans) :
			plan->lefttree;
	if (var->varno == INNER_VAR)
		return plan->righttree;
	if (IsA(plan, SubqueryScan))
		return ((const SubqueryScan *) plan)->subplan;
	if (IsA(plan, CteScan))
		return list_nth(stmt->subplans, ((const CteScan *) plan)->ctePlanId - 1);
	return NULL;
}

/* The expression that var refers to, and whose it is; NULL: not one of the plan */
static Expr *
find_source(const PlannedStmt *stmt, const Plan **plan, const Var *var)
{
	const Plan *child = find_child(stmt, *plan, var);
	List	   *tlist = NIL;

	if (child != NULL)
	{
		*plan = child;
		tlist = child->targetlist;
	}
	else if (var->varno == INDEX_VAR && IsA(*plan, IndexOnlyScan))
		tlist = ((const IndexOnlyScan *) *plan)->indextlist;
	if (var->varattno <= 0 || var->varattno > list_length(tlist))
		return NULL;
	return list_nth_node(TargetEntry, tlist, var->varattno - 1)->expr;
}

static int32
plan_width(void *arg, const Var *var, const char *name)
{
	const Expressions *expressions = arg;
	const PlannedStmt *stmt = expressions->stmt;
	const Plan *plan = expressions->plan;

	for (;;)
	{
		Expr	   *source = find_source(stmt, &plan, var);

		if (source == NULL)
			return IS_SPECIAL_VARNO(var->varno) ? 0 :
				column_width(rt_fetch(var->varno, stmt->rtable), var, name);
		if (!IsA(source, Var))
			return 0;
		var = (Var *) source;
	}
}

/*
 * Expressions
 */

static void
add_call(Expressions *expressions, const FuncExpr *call)
{
	QualCost	cost = {0, 0};

	if (!aiaas_call_cost(&cost.per_tuple, call, plan_width, expressions))
		add_function_cost(NULL, call->funcid, NULL, &cost);
	if (expressions->is_aggregated)
		expressions->per_input += cost.per_tuple;
	else
		expressions->per_row += cost.per_tuple;
}

/* As the planner charges for a subquery, so for its calls */
static void
add_subplan(Expressions *expressions, const SubPlan *subplan)
{
	const Plan *plan = list_nth(expressions->stmt->subplans, subplan->plan_id - 1);
	Calls		calls = plan_calls(expressions->stmt, plan);
	double		share;

	if (plan == NULL || plan->total_cost <= 0)
		return;
	share = Min((calls.startup + calls.run) / plan->total_cost, 1.0);
	expressions->once += share * subplan->startup_cost;
	expressions->per_row += share * subplan->per_call_cost;
}

/* Builds for tests make verbs of functions that have no model. */
static bool
is_call(const Node *node)
{
	const AiaasVerb *verb = IsA(node, FuncExpr) ?
		aiaas_recognise(((const FuncExpr *) node)->funcid) : NULL;

	return verb != NULL && verb->entry != NULL;
}

static bool expression_walker(Node *node, void *context);

/* The expression behind a column of the child */
static void
add_again(Expressions *expressions, const Var *var)
{
	Expressions again = *expressions;
	Expr	   *source = (Expr *) var;

	again.once = again.per_row = again.per_input = 0;
	while (source != NULL && IsA(source, Var))
	{
		if (((Var *) source)->varno != OUTER_VAR)
			return;
		source = find_source(again.stmt, &again.plan, (Var *) source);
	}
	(void) expression_walker((Node *) source, &again);
	expressions->per_row += again.per_row;
}

static bool
expression_walker(Node *node, void *context)
{
	Expressions *expressions = context;
	bool		is_done;

	if (node == NULL)
		return false;
	if (is_call(node))
		add_call(expressions, (FuncExpr *) node);
	else if (IsA(node, SubPlan))
		add_subplan(expressions, (SubPlan *) node);
	else if (IsA(node, Var) && expressions->is_charged_again && !expressions->is_aggregated)
		add_again(expressions, (Var *) node);
	if (!IsA(node, Aggref))
		return expression_tree_walker(node, expression_walker, context);

	expressions->is_aggregated = true;
	is_done = expression_tree_walker(node, expression_walker, context);
	expressions->is_aggregated = false;
	return is_done;
}

static Expressions
price(const PlannedStmt *stmt, const Plan *plan, List *list)
{
	Expressions expressions = {.stmt = stmt, .plan = plan};

	expressions.is_charged_again = IsA(plan, Agg) || IsA(plan, Group) ||
		IsA(plan, WindowAgg) || IsA(plan, ProjectSet) || IsA(plan, Result);
	(void) expression_walker((Node *) list, &expressions);
	return expressions;
}

/*
 * Plans
 */

/* The calls of a node and what the planner charges for all that is below it */
typedef struct Sum
{
	Calls		calls;
	Cost		below;
} Sum;

static void
add_child(Sum *sum, const PlannedStmt *stmt, const Plan *plan, const Plan *child, double loops)
{
	Calls		calls = plan_calls(stmt, child);

	if (child == NULL)
		return;
	sum->below += loops * child->total_cost;
	sum->calls.startup += loops * calls.startup;
	if (plan->startup_cost >= child->total_cost)
		sum->calls.startup += loops * calls.run;
	else
		sum->calls.run += loops * calls.run;
}

static void
add_children(Sum *sum, const PlannedStmt *stmt, const Plan *plan, List *children)
{
	ListCell   *cell;

	foreach(cell, children)
		add_child(sum, stmt, plan, lfirst(cell), 1);
}

/* How often the inner side of a nested loop is run, as the planner charges for it */
static double
count_loops(const Plan *join)
{
	const Plan *inner = join->righttree;
	Cost		charged = join->total_cost - join->lefttree->total_cost;

	if (IsA(inner, Material) || inner->total_cost <= 0)
		return 1;
	return Max(Min(charged / inner->total_cost, join->lefttree->plan_rows), 1);
}

/* Of the rows of its child a Limit pays for some. */
static void
cut(Sum *sum, const Plan *limit)
{
	const Plan *child = limit->lefttree;
	Cost		run = child->total_cost - child->startup_cost;
	double		share = run > 0 ? (limit->total_cost - child->startup_cost) / run : 1;

	sum->calls.run *= Max(Min(share, 1), 0);
}

static Sum
sum_below(const PlannedStmt *stmt, const Plan *plan)
{
	Sum			sum = {{0, 0}, 0};
	Expressions once = price(stmt, plan, plan->initPlan);

	sum.calls.startup = once.once + once.per_row;
	add_child(&sum, stmt, plan, plan->lefttree, 1);
	add_child(&sum, stmt, plan, plan->righttree, IsA(plan, NestLoop) ? count_loops(plan) : 1);
	switch (nodeTag(plan))
	{
		case T_Append:
			add_children(&sum, stmt, plan, ((const Append *) plan)->appendplans);
			break;
		case T_MergeAppend:
			add_children(&sum, stmt, plan, ((const MergeAppend *) plan)->mergeplans);
			break;
		case T_SubqueryScan:
			add_child(&sum, stmt, plan, ((const SubqueryScan *) plan)->subplan, 1);
			break;
		case T_CustomScan:
			add_children(&sum, stmt, plan, ((const CustomScan *) plan)->custom_plans);
			break;
		case T_Limit:
			cut(&sum, plan);
			break;
		default:
			break;
	}
	return sum;
}

static List *
all_quals(const Plan *plan)
{
	List	   *quals = list_copy(plan->qual);

	if (IsA(plan, NestLoop) || IsA(plan, MergeJoin) || IsA(plan, HashJoin))
		quals = list_concat(quals, ((const Join *) plan)->joinqual);
	if (IsA(plan, HashJoin))
		quals = list_concat(quals, ((const HashJoin *) plan)->hashclauses);
	return quals;
}

/* Rows that quals have seen, which cost own in this node */
static double
count_inputs(const Plan *plan, Cost own, Cost per_row)
{
	if (IsA(plan, Agg) || IsA(plan, WindowAgg) || IsA(plan, Result))
		return plan->plan_rows;
	return Max(plan->plan_rows, own / (per_row + cpu_tuple_cost));
}

static Calls
plan_calls(const PlannedStmt *stmt, const Plan *plan)
{
	Sum			sum = {{0, 0}, 0};
	Expressions targets;
	Expressions quals;
	Cost		aggregated;
	Cost		projected;

	if (plan == NULL)
		return sum.calls;
	check_stack_depth();
	sum = sum_below(stmt, plan);

	/* In parallel, members of an Append share its time. */
	if (sum.below > plan->total_cost && IsA(plan, Append))
	{
		sum.calls.startup *= plan->total_cost / sum.below;
		sum.calls.run *= plan->total_cost / sum.below;
	}

	targets = price(stmt, plan, plan->targetlist);
	quals = price(stmt, plan, all_quals(plan));
	aggregated = plan->lefttree == NULL ? 0 :
		(targets.per_input + quals.per_input) * plan->lefttree->plan_rows;
	projected = targets.per_row * plan->plan_rows;

	sum.calls.startup += targets.once + quals.once;
	if (plan->lefttree != NULL && plan->startup_cost >= plan->lefttree->total_cost)
		sum.calls.startup += aggregated;
	else
		sum.calls.run += aggregated;
	sum.calls.run += projected;
	if (quals.per_row > 0)
		sum.calls.run += quals.per_row *
			count_inputs(plan, plan->total_cost - sum.below - aggregated - projected,
						 quals.per_row);
	return sum.calls;
}

void
aiaas_jit_without_calls(PlannedStmt *stmt)
{
	Calls		calls;
	Cost		cost;

	if ((stmt->jitFlags & PGJIT_PERFORM) == 0)
		return;
	calls = plan_calls(stmt, stmt->planTree);
	cost = stmt->planTree->total_cost - calls.startup - calls.run;
	if (cost <= jit_above_cost)
		stmt->jitFlags = PGJIT_NONE;
	if (cost <= jit_optimize_above_cost)
		stmt->jitFlags &= ~PGJIT_OPT3;
	if (cost <= jit_inline_above_cost)
		stmt->jitFlags &= ~PGJIT_INLINE;
}
