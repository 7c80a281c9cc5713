/*-------------------------------------------------------------------------
 * demand.c
 *		Who asks a BatchProject for rows, and how many it wants.
 *
 * A LIMIT stops reading exactly when it has enough, and its state tells how many that
 * are.  Nodes that make at most one row of one row pass the demand on: whoever wants ten
 * rows of them wants at least ten of what is below.  If they make exactly one row of one
 * row it is the most that can be wanted, too.  The server tells that to sorts, but only
 * through nodes of its own, so through a BatchProject we do.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/exec/exec_internal.h"

#include "miscadmin.h"
#include "nodes/nodeFuncs.h"

static void bind_demand(PlanState *state, const AiaasDemand *demand);

static const AiaasDemand nobody = {NULL, NULL, NULL};

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
bind_list(PlanState **states, int n, const AiaasDemand *demand)
{
	for (int i = 0; i < n; i++)
		bind_demand(states[i], demand);
}

/* What a node that passes rows on wants of what is below it */
static AiaasDemand
demand_below(PlanState *state, const AiaasDemand *demand)
{
	AiaasDemand below = *demand;

	if (IsA(state, LimitState))
		return (AiaasDemand) {.limit = (LimitState *) state, .bound = (LimitState *) state};
	if (aiaas_is_batch_state(state))
		below = (AiaasDemand) {.reader = (AiaasBatchState *) state, .bound = demand->bound};
	else if (IsA(state, MergeAppendState))
		below = (AiaasDemand) {.bound = demand->bound};
	if (state->qual != NULL || IsA(state, LockRowsState))
		below.bound = NULL;
	return below;
}

static void
bind_demand(PlanState *state, const AiaasDemand *demand)
{
	AiaasDemand below = demand_below(state, demand);
	AppendState *append = (AppendState *) state;
	MergeAppendState *merge = (MergeAppendState *) state;

	check_stack_depth();
	if (aiaas_is_batch_state(state))
		aiaas_batch_set_demand(state, demand);
	else if (!IsA(state, LimitState) && !IsA(state, ResultState) &&
			 !IsA(state, SubqueryScanState) && !IsA(state, LockRowsState) &&
			 !IsA(state, AppendState) && !IsA(state, MergeAppendState))
	{
		(void) planstate_tree_walker(state, bind_walker, NULL);
		return;
	}

	bind_subplans(state->initPlan);
	bind_subplans(state->subPlan);
	if (IsA(state, SubqueryScanState))
		bind_demand(((SubqueryScanState *) state)->subplan, &below);
	else if (IsA(state, AppendState))
		bind_list(append->appendplans, append->as_nplans, &below);
	else if (IsA(state, MergeAppendState))
		bind_list(merge->mergeplans, merge->ms_nplans, &below);
	else if (outerPlanState(state) != NULL)
		bind_demand(outerPlanState(state), &below);
}

void
aiaas_demand_bind(PlanState *state)
{
	bind_demand(state, &nobody);
}
