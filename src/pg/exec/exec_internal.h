/*-------------------------------------------------------------------------
 * exec_internal.h
 *		What the files of pg/exec share.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_EXEC_INTERNAL_H
#define AIAAS_EXEC_INTERNAL_H

#include "commands/explain.h"
#include "nodes/execnodes.h"
#include "nodes/extensible.h"
#include "nodes/plannodes.h"

#include "pg/exec/exec.h"

/*
 * recognise.c
 */
extern void aiaas_recognise_init(const AiaasVerb *const *verbs);

/* The verb behind a function, or NULL; asks the catalog once for a function */
extern const AiaasVerb *aiaas_recognise(Oid function);

/*
 * debug.c, in builds for tests: all functions of the server as verbs
 */
#ifdef AIAAS_DEBUG_BATCH
extern void aiaas_debug_init(void);
extern const AiaasVerb *aiaas_debug_recognise(Oid function);
extern int	aiaas_debug_batch_rows;	/* 0: as the verb says */

/* Turn the operators that a plan node evaluates into calls of their functions */
extern void aiaas_debug_spell_operators(Plan *plan);
#endif

/*
 * calls.c: where in expressions calls stand
 */

/* Does it hold anything that has to run once per row and in the order of rows? */
extern bool aiaas_is_volatile(const PlannedStmt *stmt, Node *node);

/*
 * Append to calls what a row is sure to evaluate in this expression: calls whose
 * arguments hold no further call.  Each stands once in the list.
 */
extern List *aiaas_calls_collect(const PlannedStmt *stmt, List *calls, Node *node);

/* A value that the plan node makes itself and that cannot be taken apart */
extern bool aiaas_is_leaf(const Node *node);
extern bool aiaas_has_leaf(Node *node);

/* The position of an equal expression, from 0; -1: none */
extern int	aiaas_list_find(const List *list, const Node *node);

/*
 * tree.c: what plans read
 */

/* Does it read its input to the end before it puts out a row? */
extern bool aiaas_reads_first(const Plan *plan);

/*
 * Does running this subtree a row further have effects that can be seen?  One that
 * runs again may start at any row, as the inner side of a nested loop does.
 */
extern bool aiaas_plan_is_volatile(const PlannedStmt *stmt, Plan *plan, bool runs_again);

/* The same but for its own target list and quals */
extern bool aiaas_inputs_are_volatile(const PlannedStmt *stmt, Plan *plan, bool runs_again);

/*
 * carry.c: a column of a child of plan that holds the result of call, which is over the
 * children's output.  Columns are added on the way; NULL: nothing below computes it.
 */
extern Node *aiaas_carry(Plan *plan, FuncExpr *call);

/*
 * rewrite.c
 */

/* Put BatchProject nodes into a finished plan; false: nothing to do */
extern bool aiaas_batch_plan(PlannedStmt *stmt);

/*
 * cursor.c: the same for what a cursor may run, stmt itself where it must stay as it is
 */
extern PlannedStmt *aiaas_batch_cursor(PlannedStmt *stmt, int cursor_options);

/*
 * node.c.  The plan node is a CustomScan: its custom_scan_tlist has, in any
 * order, a Var of the child's output for each column that is passed on, and
 * the FuncExpr of each call.  What the arguments of calls refer to are the child's
 * output columns; everything else is free of Vars.
 */

/* custom_private: one integer, flags */
#define AIAAS_BATCH_READS_ALL 1 /* who is above reads to the end */
#define AIAAS_BATCH_KEEPS_ROWS 2	/* rows of the table that is scanned below may be asked for */
#define AIAAS_BATCH_DEFERS 4	/* calls that fail are NULL; who is above computes them again */

extern const CustomScanMethods aiaas_batch_methods;

typedef struct AiaasBatchState AiaasBatchState;

extern bool aiaas_is_batch_plan(const Plan *plan);
extern bool aiaas_is_batch_state(const PlanState *state);

/*
 * Who asks for rows, where that is known: how many more are wanted at least is
 * never less than one.
 */
typedef struct AiaasDemand
{
	const LimitState *limit;
	const AiaasBatchState *reader;
	const LimitState *bound;	/* wants no more rows of the node than it passes on itself */
} AiaasDemand;

extern void aiaas_batch_set_demand(PlanState *state, const AiaasDemand *demand);

/* How many BatchProject nodes this backend has begun so far */
extern uint64 aiaas_batch_n_begun;

/*
 * demand.c: tell each node below this one who asks it for rows
 */
extern void aiaas_demand_bind(PlanState *state);

/*
 * explain.c
 */
extern void aiaas_batch_explain(CustomScanState *node, List *ancestors, ExplainState *es);

#endif							/* AIAAS_EXEC_INTERNAL_H */
