/*-------------------------------------------------------------------------
 * explain.c
 *		What EXPLAIN says of a BatchProject: one group of lines for each call.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/exec/node_internal.h"

#include "commands/explain.h"
#include "nodes/extensible.h"
#include "utils/ruleutils.h"

#include "pg/host/compat.h"

static void
explain_counts(const AiaasBatchTotals *totals, ExplainState *es)
{
	ExplainPropertyInteger("Batches", NULL, totals->counts.batches, es);
	ExplainPropertyInteger("Batched Rows", NULL, totals->counts.rows, es);
	ExplainPropertyInteger("Largest Batch", NULL, totals->largest, es);
	ExplainPropertyInteger("Distinct Inputs", NULL, totals->counts.distinct, es);
	if (totals->counts.tokens > 0)
		ExplainPropertyInteger("Tokens", NULL, totals->counts.tokens, es);
	if (es->timing)
		ExplainPropertyFloat("Model Time", "ms", totals->counts.model_time / 1e6, 3, es);
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
		if (totals->version > 0)
			ExplainPropertyText("Model", psprintf("%s@%d", totals->model, totals->version), es);
		if (es->analyze)
			explain_counts(totals, es);
		ExplainCloseGroup("Call", NULL, true, es);
	}
	ExplainCloseGroup("Batched Calls", "Batched Calls", false, es);
}
