/*-------------------------------------------------------------------------
 * carry.c
 *		A call that a BatchProject further down has computed is carried up.
 *
 * SELECT f(a.x) ... WHERE f(a.x) = 'y' over a join evaluates the call in the scan of a,
 * and again above the join.  The result of the first becomes one more column of each
 * node between them.  It stands behind the others, so none of these is numbered again.
 *
 * Outer joins make the column NULL where they make the columns of its arguments NULL,
 * which is right where that alone makes the call NULL.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/exec/exec_internal.h"

#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "utils/lsyscache.h"

/* Replace Vars by what they refer to */
typedef struct Expansion
{
	int		varno;
	const List *tlist;			/* of TargetEntry */
	bool		is_possible;
} Expansion;

static Node *
expand_mutator(Node *node, void *context)
{
	Expansion  *expansion = context;

	if (node == NULL)
		return NULL;
	if (IsA(node, Var) && ((Var *) node)->varno == expansion->varno)
	{
		AttrNumber	number = ((Var *) node)->varattno;

		if (number > 0 && number <= list_length(expansion->tlist))
			return copyObject((Node *) list_nth_node(TargetEntry, expansion->tlist,
													 number - 1)->expr);
		expansion->is_possible = false;
	}
	return expression_tree_mutator(node, expand_mutator, context);
}

/* NULL: it refers to what is not there */
static Node *
expand(Node *node, int varno, const List *tlist)
{
	Expansion	expansion = {varno, tlist, true};
	Node	   *result = expand_mutator(node, &expansion);

	return expansion.is_possible ? result : NULL;
}

/* The one varno of all leaves */
typedef struct Side
{
	int		varno;
	bool		is_single;
} Side;

static bool
side_walker(Node *node, void *context)
{
	Side	   *side = context;

	if (node == NULL)
		return false;
	if (aiaas_is_leaf(node))
	{
		int		varno = IsA(node, Var) ? ((Var *) node)->varno : 0;

		side->is_single &= varno != 0 && (side->varno == 0 || side->varno == varno);
		side->varno = varno;
		return false;
	}
	return expression_tree_walker(node, side_walker, context);
}

/* 0: there are several, or others than Vars */
static int
side_of(Node *node)
{
	Side		side = {0, true};

	(void) side_walker(node, &side);
	return side.is_single ? side.varno : 0;
}

/* A child refers to its own output by OUTER_VAR here, on whichever side it is. */
static Node *
turn_mutator(Node *node, void *context)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
	{
		Var		   *var = copyObject((Var *) node);

		var->varno = OUTER_VAR;
		return (Node *) var;
	}
	return expression_tree_mutator(node, turn_mutator, context);
}

static AttrNumber
add_entry(List **tlist, int varno, AttrNumber number, Node *call)
{
	Var		   *var = makeVar(varno, number, exprType(call), exprTypmod(call),
							  exprCollation(call), 0);
	ListCell   *cell;

	foreach(cell, *tlist)
	{
		if (equal(lfirst_node(TargetEntry, cell)->expr, var))
			return lfirst_node(TargetEntry, cell)->resno;
	}
	*tlist = lappend(*tlist, makeTargetEntry((Expr *) var, list_length(*tlist) + 1, NULL, false));
	return list_length(*tlist);
}

static AttrNumber carry_from(Plan *plan, Node *call);

/* call is over the node's child.  A call's argument may be a column that the child computes. */
static AttrNumber
carry_from_batch(CustomScan *node, Node *call)
{
	Plan	   *child = outerPlan(node);
	bool		defers = (intVal(linitial(node->custom_private)) & AIAAS_BATCH_DEFERS) != 0;
	Node	   *wanted = defers ? NULL : expand(call, OUTER_VAR, child->targetlist);
	AttrNumber	number = 0;
	ListCell   *cell;

	foreach(cell, node->custom_scan_tlist)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, cell);

		if (wanted != NULL && IsA(entry->expr, FuncExpr) &&
			equal(expand((Node *) entry->expr, OUTER_VAR, child->targetlist), wanted))
			number = entry->resno;
	}
	if (number == 0)
	{
		AttrNumber	source = carry_from(child, call);

		if (source > 0)
			number = add_entry(&node->custom_scan_tlist, OUTER_VAR, source, call);
	}
	return number > 0 ? add_entry(&node->scan.plan.targetlist, INDEX_VAR, number, call) : 0;
}

/* Is it NULL where all columns that it refers to are? */
static bool
is_null_of_nulls(const FuncExpr *call)
{
	ListCell   *cell;

	if (!func_strict(call->funcid))
		return false;
	foreach(cell, call->args)
	{
		if (aiaas_has_leaf(lfirst(cell)) && !contain_nonstrict_functions(lfirst(cell)))
			return true;
	}
	return false;
}

/* The column of the child that side means */
static AttrNumber
carry_from_child(Plan *plan, Node *call, int side)
{
	bool		is_join = IsA(plan, NestLoop) || IsA(plan, MergeJoin) || IsA(plan, HashJoin);

	if (is_join && ((Join *) plan)->jointype != JOIN_INNER &&
		((Join *) plan)->jointype != JOIN_SEMI && !is_null_of_nulls((FuncExpr *) call))
		return 0;
	if (side == OUTER_VAR && plan->lefttree != NULL)
		return carry_from(plan->lefttree, call);
	if (side == INNER_VAR && plan->righttree != NULL)
		return carry_from(plan->righttree, turn_mutator(call, NULL));
	return 0;
}

/* The same as a column of the node's output */
static AttrNumber
carry_from_side(Plan *plan, Node *call, int side)
{
	AttrNumber	number = carry_from_child(plan, call, side);

	return number > 0 ? add_entry(&plan->targetlist, side, number, call) : 0;
}

/* The column of the plan's output with this call, which is over that output; 0: none */
static AttrNumber
carry_from(Plan *plan, Node *call)
{
	Node	   *inside;

	check_stack_depth();
	inside = expand(call, OUTER_VAR, plan->targetlist);
	if (inside == NULL)
		return 0;
	switch (nodeTag(plan))
	{
		case T_CustomScan:
			if (!aiaas_is_batch_plan(plan))
				return 0;
			inside = expand(inside, INDEX_VAR, ((CustomScan *) plan)->custom_scan_tlist);
			if (inside == NULL || side_of(inside) != OUTER_VAR)
				return 0;
			return carry_from_batch((CustomScan *) plan, inside);
		case T_NestLoop:
		case T_MergeJoin:
		case T_HashJoin:
		case T_Hash:
		case T_Sort:
		case T_IncrementalSort:
		case T_Material:
		case T_Memoize:
		case T_Limit:
		case T_LockRows:
		case T_Gather:
		case T_GatherMerge:
			return carry_from_side(plan, inside, side_of(inside));
		default:
			return 0;
	}
}

Node *
aiaas_carry(Plan *plan, FuncExpr *call)
{
	int			side = side_of((Node *) call);
	AttrNumber	number = carry_from_child(plan, (Node *) call, side);

	if (number == 0)
		return NULL;
	return (Node *) makeVar(side, number, exprType((Node *) call), exprTypmod((Node *) call),
							exprCollation((Node *) call), 0);
}
