/*-------------------------------------------------------------------------
 * fn_network.c
 *		ai_history, ai_summary.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "core/graph/summary.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "pg/engine/engine.h"
#include "pg/host/datum.h"
#include "pg/host/host.h"
#include "pg/host/raise.h"
#include "pg/host/rows.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_history_model);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_summary_model);

static const AiNetwork *
find_network(FunctionCallInfo fcinfo, const char *what)
{
	const AiaasModel *model = aiaas_model_resolve(text_to_cstring(PG_GETARG_TEXT_PP(0)),
												  AIAAS_READ);
	const AiNetwork *network = aiaas_engine_network(aiaas_engine_acquire(model));

	if (network == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("model \"%s\" has no %s", model->name, what),
				 errdetail("It is no network: its kind is \"%s\".", model->kind),
				 errhint("See ai_describe() for what is known of it.")));
	return network;
}

/* An epoch; what was not measured is NULL. */
static void
put_epoch(AiaasRows *rows, int number, const double *measured)
{
	Datum		values[AI_NETWORK_HISTORY + 1];
	bool		is_null[AI_NETWORK_HISTORY + 1] = {false};
	Interval   *duration = palloc0(sizeof(Interval));

	values[0] = Int32GetDatum(number);
	for (int i = 0; i < AI_NETWORK_HISTORY - 1; i++)
	{
		values[i + 1] = Float8GetDatum(measured[i]);
		is_null[i + 1] = isnan(measured[i]);
	}
	duration->time = (int64) (measured[AI_NETWORK_HISTORY - 1] * USECS_PER_SEC);
	values[AI_NETWORK_HISTORY] = IntervalPGetDatum(duration);
	aiaas_rows_put(rows, values, is_null);
}

Datum
aiaas_history_model(PG_FUNCTION_ARGS)
{
	AiaasRows	rows;
	const AiNetworkParts *parts;

	aiaas_rows_begin(&rows, fcinfo);
	parts = ai_network_parts(find_network(fcinfo, "history of epochs"));
	for (int i = 0; i < parts->n_epochs; i++)
		put_epoch(&rows, i + 1, parts->history + (size_t) i * AI_NETWORK_HISTORY);
	return (Datum) 0;
}

Datum
aiaas_summary_model(PG_FUNCTION_ARGS)
{
	const AiNetwork *network = find_network(fcinfo, "layers");
	AiBuf		table;
	AiError		err;

	ai_buf_init(&table, aiaas_host_create(CurrentMemoryContext));
	AIAAS_CHECK(ai_summary_write(&table, ai_network_graph(network), &err), &err);

	/* Without the end of the last line */
	PG_RETURN_TEXT_P(aiaas_utf8_to_text((const char *) table.data, table.len - 1));
}
