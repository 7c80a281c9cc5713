/*-------------------------------------------------------------------------
 * demand.c
 *		Who asks a BatchProject for rows, and how many it wants.
 *
 * A LIMIT stops reading exactly when it has enough, and its state tells how many that
 * are.  Nodes that make at most one row of one row pass the demand on: whoever wants ten
 * rows of them wants at least ten of what is below.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/exec/exec_internal.h"

#include "miscadmin.h"
#include "nodes/nodeFuncs.h"

static void bind_demand(PlanState *state, const AiaasDemand *demand);

static const AiaasDemand nobody = {NULL, NULL};

static bool
bind_walker(PlanState *state, void *context)
{
	(void) context;
	bind_demand(state, &nobody);
	return false;
}

static void
bind_subplans(List *subplans)
{
	ListCell   *cell;

	foreach(cell, subplans)
		bind_demand(((SubPlanState *) lfirst(cell))->planstate, &nobody);
}

static void
bind_append(AppendState *append, const AiaasDemand *demand)
{
	for (int i = 0; i < append->as_nplans; i++)
		bind_demand(append->appendplans[i], demand);
}

static void
bind_demand(PlanState *state, const AiaasDemand *demand)
{
	AiaasDemand own = {NULL, NULL};

	check_stack_depth();
	if (IsA(state, LimitState))
	{
		own.limit = (LimitState *) state;
		demand = &own;
	}
	else if (aiaas_is_batch_state(state))
	{
		aiaas_batch_set_demand(state, demand);
		own.reader = (AiaasBatchState *) state;
		demand = &own;
	}
	else if (!IsA(state, ResultState) && !IsA(state, SubqueryScanState) &&
			 !IsA(state, LockRowsState) && !IsA(state, AppendState))
	{
		(void) planstate_tree_walker(state, bind_walker, NULL);
		return;
	}

	bind_subplans(state->initPlan);
	bind_subplans(state->subPlan);
	if (IsA(state, SubqueryScanState))
		bind_demand(((SubqueryScanState *) state)->subplan, demand);
	else if (IsA(state, AppendState))
		bind_append((AppendState *) state, demand);
	else if (outerPlanState(state) != NULL)
		bind_demand(outerPlanState(state), demand);
}

void
aiaas_demand_bind(PlanState *state)
{
	bind_demand(state, &nobody);
}
