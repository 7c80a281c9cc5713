/*-------------------------------------------------------------------------
 * explain.c
 *		What EXPLAIN says of a BatchProject: one group of lines for each call.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/exec/node_internal.h"

#include "commands/explain.h"
#include "executor/instrument.h"
#include "nodes/extensible.h"
#include "utils/ruleutils.h"

#include "pg/exec/cost.h"
#include "pg/host/compat.h"

/* Of those that have run, or else the one that will */
static void
explain_model(const BatchCall *call, const AiaasBatchTotals *totals, ExplainState *es)
{
	const AiaasModel *model;

	if (totals->version > 0)
		ExplainPropertyText("Model", psprintf("%s@%d", totals->model, totals->version), es);
	else if ((model = aiaas_planned_model(call->expression)) != NULL)
		ExplainPropertyText("Model", psprintf("%s@%d", model->name, model->version), es);
}

static void
explain_counts(const AiaasBatchTotals *totals, ExplainState *es)
{
	ExplainPropertyInteger("Batches", NULL, totals->counts.batches, es);
	ExplainPropertyInteger("Batched Rows", NULL, totals->counts.rows, es);
	ExplainPropertyInteger("Largest Batch", NULL, totals->largest, es);
	ExplainPropertyInteger("Distinct Inputs", NULL, totals->counts.distinct, es);
	if (totals->counts.tokens > 0)
		ExplainPropertyInteger("Tokens", NULL, totals->counts.tokens, es);
	if (totals->counts.truncated > 0)
		ExplainPropertyInteger("Truncated Inputs", NULL, totals->counts.truncated, es);
	if (es->timing)
		ExplainPropertyFloat("Model Time", "ms", totals->counts.model_time / 1e6, 3, es);
}

/* What the node takes beside its child and its models; workers' time is in all of these */
static void
explain_rest(AiaasBatchState *state, ExplainState *es)
{
	Instrumentation *own = state->css.ss.ps.instrument;
	Instrumentation *child = outerPlanState(state)->instrument;
	double		rest;

	if (!es->timing || own == NULL || child == NULL)
		return;
	InstrEndLoop(child);
	rest = 1000 * (own->total - child->total);
	for (int i = 0; i < state->n_calls; i++)
		rest -= state->totals[i].counts.model_time / 1e6;
	ExplainPropertyFloat("Time Beside Models", "ms", Max(rest, 0), 3, es);
}

void
aiaas_batch_explain(CustomScanState *node, List *ancestors, ExplainState *es)
{
	AiaasBatchState *state = (AiaasBatchState *) node;
	List	   *context = set_deparse_context_plan(es->deparse_cxt, node->ss.ps.plan, ancestors);
	bool		with_prefix = es->verbose || list_length(es->rtable) > 1;

	ExplainOpenGroup("Batched Calls", "Batched Calls", false, es);
	for (int i = 0; i < state->n_calls; i++)
	{
		const BatchCall *call = &state->calls[i];
		const AiaasBatchTotals *totals = &state->totals[i];

		ExplainOpenGroup("Call", NULL, true, es);
		ExplainPropertyText("Batched Call", deparse_expression((Node *) call->expression, context,
															   with_prefix, false), es);
		explain_model(call, totals, es);
		if (es->analyze)
			explain_counts(totals, es);
		ExplainCloseGroup("Call", NULL, true, es);
	}
	ExplainCloseGroup("Batched Calls", "Batched Calls", false, es);
	if (es->analyze)
		explain_rest(state, es);
}
