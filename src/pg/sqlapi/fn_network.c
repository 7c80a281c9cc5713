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
#include "pg/host/json.h"
#include "pg/host/raise.h"
#include "pg/host/rows.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_history_model);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_summary_model);

#define MAX_SECONDS 1e12		/* whose microseconds an interval can hold */

/* The network that the first argument names, for whom may read it */
static const AiNetwork *
find_network(const AiaasModel **model, FunctionCallInfo fcinfo, const char *what)
{
	const AiNetwork *network;

	*model = aiaas_model_resolve(text_to_cstring(PG_GETARG_TEXT_PP(0)), AIAAS_READ);
	network = aiaas_engine_network(aiaas_engine_acquire(*model));
	if (network == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("model \"%s\" has no %s", (*model)->name, what),
				 errdetail("It is no network: its kind is \"%s\".", (*model)->kind),
				 errhint("See ai_describe() for what is known of it.")));
	return network;
}

/* How long an epoch took, which stands beside the model; NULL: not known */
static Interval *
epoch_duration(const Jsonb *metrics, int number)
{
	JsonbValue *seconds = aiaas_json_member(metrics, "epoch_seconds");
	JsonbValue *it = NULL;
	Interval   *duration;
	double		n;

	if (seconds != NULL && seconds->type == jbvBinary &&
		JsonContainerIsArray(seconds->val.binary.data))
		it = getIthJsonbValueFromContainer(seconds->val.binary.data, (uint32) number);
	n = aiaas_json_value_number(it);
	if (!(n >= 0 && n <= MAX_SECONDS))
		return NULL;
	duration = palloc0(sizeof(Interval));
	duration->time = (int64) (n * USECS_PER_SEC);
	return duration;
}

/* What was not measured is NULL. */
static void
put_epoch(AiaasRows *rows, int number, const double *measured, Interval *duration)
{
	Datum		values[AI_NETWORK_HISTORY + 2];
	bool		is_null[AI_NETWORK_HISTORY + 2] = {false};

	values[0] = Int32GetDatum(number + 1);
	for (int i = 0; i < AI_NETWORK_HISTORY; i++)
	{
		values[i + 1] = Float8GetDatum(measured[i]);
		is_null[i + 1] = isnan(measured[i]);
	}
	values[AI_NETWORK_HISTORY + 1] = PointerGetDatum(duration);
	is_null[AI_NETWORK_HISTORY + 1] = duration == NULL;
	aiaas_rows_put(rows, values, is_null);
}

Datum
aiaas_history_model(PG_FUNCTION_ARGS)
{
	const AiaasModel *model;
	const AiNetworkParts *parts;
	AiaasNewVersion stored;
	TimestampTz created;
	AiaasRows	rows;

	aiaas_rows_begin(&rows, fcinfo);
	parts = ai_network_parts(find_network(&model, fcinfo, "history of epochs"));
	aiaas_version_read(&stored, &created, model);
	for (int i = 0; i < parts->n_epochs; i++)
		put_epoch(&rows, i, parts->history + (size_t) i * AI_NETWORK_HISTORY,
				  epoch_duration(stored.metrics, i));
	return (Datum) 0;
}

Datum
aiaas_summary_model(PG_FUNCTION_ARGS)
{
	const AiaasModel *model;
	const AiNetwork *network = find_network(&model, fcinfo, "layers");
	AiBuf		table;
	AiError		err;

	ai_buf_init(&table, aiaas_host_create(CurrentMemoryContext));
	AIAAS_CHECK(ai_summary_write(&table, ai_network_graph(network), &err), &err);

	/* Without the end of the last line */
	PG_RETURN_TEXT_P(aiaas_utf8_to_text((const char *) table.data, table.len - 1));
}
