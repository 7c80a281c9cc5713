/*-------------------------------------------------------------------------
 * calls.c
 *		Where in the expressions of a finished plan calls of verbs stand.
 *
 * A call is taken out of an expression only where each row evaluates it: not in a
 * later arm of CASE, COALESCE, AND and OR.  What stands there stays as it is and
 * runs row by row.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/exec/exec_internal.h"

#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"

bool
aiaas_is_leaf(const Node *node)
{
	return IsA(node, Var) || IsA(node, Aggref) || IsA(node, WindowFunc) ||
		IsA(node, GroupingFunc);
}

static bool
has_leaf_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (aiaas_is_leaf(node))
		return true;
	return expression_tree_walker(node, has_leaf_walker, context);
}

bool
aiaas_has_leaf(Node *node)
{
	return has_leaf_walker(node, NULL);
}

int
aiaas_list_find(const List *list, const Node *node)
{
	ListCell   *cell;

	foreach(cell, list)
	{
		if (equal(lfirst(cell), node))
			return foreach_current_index(cell);
	}
	return -1;
}

/* The plans of subqueries are not part of the expression, but run with it. */
static bool
subplan_walker(Node *node, void *context)
{
	const PlannedStmt *stmt = context;

	if (node == NULL)
		return false;
	if (IsA(node, SubPlan))
	{
		Plan	   *plan = list_nth(stmt->subplans, ((SubPlan *) node)->plan_id - 1);

		if (plan != NULL && aiaas_plan_is_volatile(stmt, plan, true))
			return true;
	}
	return expression_tree_walker(node, subplan_walker, context);
}

bool
aiaas_is_volatile(const PlannedStmt *stmt, Node *node)
{
	return contain_volatile_functions(node) || subplan_walker(node, (void *) stmt);
}

/*
 * What only its surroundings give a value.  context: a node inside which values of
 * CASE stand for its own, or NULL.
 */
static bool
is_bound_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, CoerceToDomainValue) || IsA(node, SetToDefault))
		return true;
	if (IsA(node, CaseTestExpr))
		return context == NULL;
	if (IsA(node, ArrayCoerceExpr) || (IsA(node, CaseExpr) && ((CaseExpr *) node)->arg != NULL))
		context = node;
	return expression_tree_walker(node, is_bound_walker, context);
}

static bool
is_call(const PlannedStmt *stmt, Node *node)
{
	FuncExpr   *call = (FuncExpr *) node;

	return IsA(node, FuncExpr) && !call->funcretset && !call->funcvariadic &&
		aiaas_recognise(call->funcid) != NULL &&
		has_leaf_walker((Node *) call->args, NULL) &&
		!is_bound_walker((Node *) call->args, NULL) &&
		!aiaas_is_volatile(stmt, (Node *) call->args);
}

static List *
collect_list(const PlannedStmt *stmt, List *calls, List *nodes)
{
	ListCell   *cell;

	foreach(cell, nodes)
		calls = aiaas_calls_collect(stmt, calls, lfirst(cell));
	return calls;
}

static List *
collect_function(const PlannedStmt *stmt, List *calls, FuncExpr *function)
{
	List	   *inner = collect_list(stmt, NIL, function->args);
	ListCell   *cell;

	/* Those in the arguments first: with them gone, the next round finds this one. */
	if (inner == NIL && is_call(stmt, (Node *) function))
		inner = list_make1(function);
	foreach(cell, inner)
	{
		if (aiaas_list_find(calls, lfirst(cell)) < 0)
			calls = lappend(calls, lfirst(cell));
	}
	return calls;
}

/* Only the first pair is compared always. */
static List *
collect_row_compare(const PlannedStmt *stmt, List *calls, RowCompareExpr *expression)
{
	calls = aiaas_calls_collect(stmt, calls, linitial(expression->largs));
	return aiaas_calls_collect(stmt, calls, linitial(expression->rargs));
}

/* An element of an array, or an array with an element replaced */
static List *
collect_subscripting(const PlannedStmt *stmt, List *calls, SubscriptingRef *expression)
{
	calls = aiaas_calls_collect(stmt, calls, (Node *) expression->refexpr);
	return aiaas_calls_collect(stmt, calls, (Node *) expression->refassgnexpr);
}

static List *
collect_case(const PlannedStmt *stmt, List *calls, CaseExpr *expression)
{
	if (expression->arg != NULL)
		return aiaas_calls_collect(stmt, calls, (Node *) expression->arg);
	return aiaas_calls_collect(stmt, calls,
							   (Node *) linitial_node(CaseWhen, expression->args)->expr);
}

List *
aiaas_calls_collect(const PlannedStmt *stmt, List *calls, Node *node)
{
	check_stack_depth();
	if (node == NULL)
		return calls;
	switch (nodeTag(node))
	{
		case T_TargetEntry:
			return aiaas_calls_collect(stmt, calls, (Node *) ((TargetEntry *) node)->expr);
		case T_FuncExpr:
			return collect_function(stmt, calls, (FuncExpr *) node);
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			return collect_list(stmt, calls, ((OpExpr *) node)->args);
		case T_ScalarArrayOpExpr:
			return collect_list(stmt, calls, ((ScalarArrayOpExpr *) node)->args);
		case T_RelabelType:
			return aiaas_calls_collect(stmt, calls, (Node *) ((RelabelType *) node)->arg);
		case T_CoerceViaIO:
			return aiaas_calls_collect(stmt, calls, (Node *) ((CoerceViaIO *) node)->arg);
		case T_ArrayCoerceExpr:
			return aiaas_calls_collect(stmt, calls, (Node *) ((ArrayCoerceExpr *) node)->arg);
		case T_CoerceToDomain:
			return aiaas_calls_collect(stmt, calls, (Node *) ((CoerceToDomain *) node)->arg);
		case T_ConvertRowtypeExpr:
			return aiaas_calls_collect(stmt, calls, (Node *) ((ConvertRowtypeExpr *) node)->arg);
		case T_SubscriptingRef:
			return collect_subscripting(stmt, calls, (SubscriptingRef *) node);
		case T_FieldSelect:
			return aiaas_calls_collect(stmt, calls, (Node *) ((FieldSelect *) node)->arg);
		case T_NullTest:
			return aiaas_calls_collect(stmt, calls, (Node *) ((NullTest *) node)->arg);
		case T_BooleanTest:
			return aiaas_calls_collect(stmt, calls, (Node *) ((BooleanTest *) node)->arg);
		case T_MinMaxExpr:
			return collect_list(stmt, calls, ((MinMaxExpr *) node)->args);
		case T_ArrayExpr:
			return collect_list(stmt, calls, ((ArrayExpr *) node)->elements);
		case T_RowExpr:
			return collect_list(stmt, calls, ((RowExpr *) node)->args);
		case T_FieldStore:
			return collect_list(stmt, calls, ((FieldStore *) node)->newvals);
		case T_RowCompareExpr:
			return collect_row_compare(stmt, calls, (RowCompareExpr *) node);
		case T_BoolExpr:
			return aiaas_calls_collect(stmt, calls, linitial(((BoolExpr *) node)->args));
		case T_CoalesceExpr:
			return aiaas_calls_collect(stmt, calls, linitial(((CoalesceExpr *) node)->args));
		case T_CaseExpr:
			return collect_case(stmt, calls, (CaseExpr *) node);
		default:
			return calls;
	}
}
