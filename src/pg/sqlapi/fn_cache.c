/*-------------------------------------------------------------------------
 * fn_cache.c
 *		ai_loaded, ai_check.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "pg/cache/cache.h"
#include "pg/host/rows.h"
#include "pg/stats/stats.h"
#include "utils/builtins.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_loaded);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_check_all);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_check_model);

Datum
aiaas_loaded(PG_FUNCTION_ARGS)
{
	AiaasRows	rows;
	ListCell   *cell;

	aiaas_rows_begin(&rows, fcinfo);
	foreach(cell, aiaas_model_list(NULL, AIAAS_USE))
	{
		const AiaasModel *model = lfirst(cell);
		AiaasCacheEntry entry;
		Datum		values[6];
		bool		is_null[6] = {false};

		CHECK_FOR_INTERRUPTS();
		if (!aiaas_cache_find(&entry, model->hash))
			continue;
		values[0] = CStringGetTextDatum(model->name);
		values[1] = Int32GetDatum(model->version);
		values[2] = Int64GetDatum(entry.n_bytes);
		values[3] = Int32GetDatum(entry.n_backends);
		values[4] = TimestampTzGetDatum(entry.built);
		values[5] = TimestampTzGetDatum(entry.last_used);
		aiaas_rows_put(&rows, values, is_null);
	}
	return (Datum) 0;
}

static const char *
state_name(AiaasCacheState state)
{
	switch (state)
	{
		case AIAAS_CACHE_NONE:
			return NULL;
		case AIAAS_CACHE_GOOD:
			return "ok";
		case AIAAS_CACHE_REMOVED:
			return "The file was damaged and has been removed.";
	}
	return NULL;
}

static void
put_check(AiaasRows *rows, const AiaasModel *model)
{
	const char *damage = aiaas_content_damage(model);
	const char *state = state_name(aiaas_cache_verify(model));
	Datum		values[5] = {
		CStringGetTextDatum(model->name),
		Int32GetDatum(model->version),
		Int64GetDatum(model->n_bytes),
		CStringGetTextDatum(damage != NULL ? damage : "ok"),
		state != NULL ? CStringGetTextDatum(state) : (Datum) 0
	};
	bool		is_null[5] = {false, false, model->n_bytes < 0, false, state == NULL};

	aiaas_rows_put(rows, values, is_null);
}

static Datum
check(FunctionCallInfo fcinfo, const char *reference)
{
	AiaasRows	rows;
	ListCell   *cell;

	aiaas_rows_begin(&rows, fcinfo);
	foreach(cell, aiaas_model_list(reference, AIAAS_READ))
	{
		const AiaasModel *model = lfirst(cell);

		aiaas_activity_begin("ai_check", model->name, model->version);
		put_check(&rows, model);
		aiaas_activity_end();
	}
	return (Datum) 0;
}

Datum
aiaas_check_all(PG_FUNCTION_ARGS)
{
	return check(fcinfo, NULL);
}

Datum
aiaas_check_model(PG_FUNCTION_ARGS)
{
	return check(fcinfo, text_to_cstring(PG_GETARG_TEXT_PP(0)));
}
