/*-------------------------------------------------------------------------
 * cost.h
 *		What calls cost, for the planner, and what is decided without that.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_COST_H
#define AIAAS_COST_H

#include "nodes/plannodes.h"
#include "nodes/primnodes.h"

#include "pg/catalog/catalog.h"

/*
 * The average bytes of a column, 0: not known.  name is that of the field that
 * counts where var is a whole row.
 */
typedef int32 (*AiaasVarWidth) (void *arg, const Var *var, const char *name);

/*
 * One evaluation of a call, in the planner's units, from what is known of its model;
 * false: not known, so the function's COST has to do.  support.c
 */
extern bool aiaas_call_cost(Cost *cost, const FuncExpr *call, AiaasVarWidth width, void *arg);

/*
 * How often the planner has asked about our functions in this backend.  It asks for each
 * call when it folds constants, so a plan during which it did not ask has no calls.
 */
extern uint64 aiaas_n_support_requests;

/*
 * Take back what the planner has decided about JIT compilation because calls are
 * expensive: a model's arithmetic is compiled already.  stmt is as the planner made
 * it.  jit.c
 */
extern void aiaas_jit_without_calls(PlannedStmt *stmt);

/* The model that a call is going to use, where its plan tells and the user may know; or NULL */
extern const AiaasModel *aiaas_planned_model(const FuncExpr *call);

#endif							/* AIAAS_COST_H */
