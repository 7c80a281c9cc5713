/*-------------------------------------------------------------------------
 * fn_watch.c
 *		ai_activity, ai_stats, ai_stats_reset.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "pg/catalog/catalog.h"
#include "pg/host/rows.h"
#include "pg/sqlapi/arguments.h"
#include "pg/stats/stats.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_show_activity);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_show_stats);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_reset_stats);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_reset_model_stats);

/* A row that is filled from left to right */
typedef struct Row
{
	Datum		values[18];
	bool		is_null[18];
	int			n;
} Row;

static void
put(Row *row, Datum value)
{
	row->values[row->n] = value;
	row->is_null[row->n++] = false;
}

static void
put_null(Row *row)
{
	row->values[row->n] = (Datum) 0;
	row->is_null[row->n++] = true;
}

static void
put_text(Row *row, const char *text)
{
	if (text[0] != '\0')
		put(row, CStringGetTextDatum(text));
	else
		put_null(row);
}

/* 0 is none. */
static void
put_number(Row *row, int number)
{
	if (number > 0)
		put(row, Int32GetDatum(number));
	else
		put_null(row);
}

/* What is negative is not known. */
static void
put_float(Row *row, double value)
{
	if (value >= 0)
		put(row, Float8GetDatum(value));
	else
		put_null(row);
}

static void
put_seconds(Row *row, double seconds)
{
	Interval   *interval = palloc0(sizeof(Interval));

	interval->time = (TimeOffset) (seconds * USECS_PER_SEC);
	if (seconds >= 0)
		put(row, IntervalPGetDatum(interval));
	else
		put_null(row);
}

/*
 * Activity
 */
static bool
sees_all(void)
{
	return has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
}

static double
seconds_between(TimestampTz from, TimestampTz to)
{
	return Max(to - from, 0) / (double) USECS_PER_SEC;
}

/* A function with the rights of its owner may use models that who calls it cannot see. */
static void
put_model(Row *row, const AiaasActivity *it)
{
	bool		is_visible = sees_all() || has_privs_of_role(GetUserId(), it->user);

	put_text(row, is_visible ? it->model : "");
	put_number(row, is_visible ? it->version : 0);
}

static void
fill_activity(Row *row, const AiaasActivity *it)
{
	TimestampTz now = GetCurrentTimestamp();
	double		counted_for = seconds_between(it->started,
											  it->rows_until != 0 ? it->rows_until : now);

	put(row, Int32GetDatum(it->pid));
	put_number(row, it->leader);
	put(row, ObjectIdGetDatum(it->database));
	put(row, ObjectIdGetDatum(it->login));
	put_text(row, it->function);
	put_model(row, it);
	put_text(row, it->phase);
	put_number(row, it->n_threads);
	put(row, Int64GetDatum(it->rows));
	put_float(row, counted_for > 0 ? it->rows / counted_for : -1);
	put(row, Int64GetDatum(it->bytes));
	put_float(row, it->share);
	put_number(row, it->epoch);
	put_float(row, it->loss);
	put(row, TimestampTzGetDatum(it->started));
	put_seconds(row, seconds_between(it->started, now));
	put_seconds(row, it->seconds_left);
}

Datum
aiaas_show_activity(PG_FUNCTION_ARGS)
{
	AiaasRows	rows;
	int			n_places = aiaas_activity_n_places();

	aiaas_rows_begin(&rows, fcinfo);
	for (int i = 0; i < n_places; i++)
	{
		AiaasActivity activity;
		Row			row = {.n = 0};

		if (!aiaas_activity_read(&activity, i) ||
			!(sees_all() || has_privs_of_role(GetUserId(), activity.login)))
			continue;
		fill_activity(&row, &activity);
		aiaas_rows_put(&rows, row.values, row.is_null);
	}
	return (Datum) 0;
}

/*
 * Counters
 */
static void
fill_stats(Row *row, const AiaasStatsRow *it)
{
	bool		is_named = it->model != 0;

	if (is_named)
		put(row, Int64GetDatum(it->model));
	else
		put_null(row);
	put_number(row, it->version);
	put_text(row, it->function);
	put(row, Int64GetDatum(it->counts.calls));
	put(row, Int64GetDatum(it->counts.rows));
	put(row, Int64GetDatum(it->counts.batches));
	put(row, Int64GetDatum(it->counts.distinct));
	put(row, Int64GetDatum(it->counts.tokens));
	put(row, Int64GetDatum(it->counts.truncated));
	put(row, Int64GetDatum(it->counts.errors));
	put(row, Float8GetDatum(it->counts.model_time / 1e6));
	put(row, Int64GetDatum(it->builds));
	put(row, Int64GetDatum(it->hits));
	if (is_named)
		put(row, TimestampTzGetDatum(it->since));
	else
		put_null(row);
}

/* Of other databases' models there are sums in what had no room. */
static bool
is_visible(const AiaasStatsRow *it)
{
	bool		is_empty = it->counts.calls == 0 && it->hits == 0 && it->builds == 0;

	return it->model != 0 || (sees_all() && !is_empty);
}

Datum
aiaas_show_stats(PG_FUNCTION_ARGS)
{
	AiaasRows	rows;
	int			n_places = aiaas_stats_n_places();

	aiaas_rows_begin(&rows, fcinfo);
	for (int i = 0; i < n_places; i++)
	{
		AiaasStatsRow stats;
		Row			row = {.n = 0};

		if (!aiaas_stats_read(&stats, i) || !is_visible(&stats))
			continue;
		fill_stats(&row, &stats);
		aiaas_rows_put(&rows, row.values, row.is_null);
	}
	return (Datum) 0;
}

Datum
aiaas_reset_stats(PG_FUNCTION_ARGS)
{
	aiaas_stats_reset(0, 0);
	PG_RETURN_VOID();
}

/* All versions, where the reference names none */
Datum
aiaas_reset_model_stats(PG_FUNCTION_ARGS)
{
	char	   *reference = aiaas_text_argument(fcinfo, 0, "model");
	const AiaasModel *model = aiaas_model_resolve(reference, AIAAS_ADMIN);
	AiaasModelRef ref;

	aiaas_model_ref_parse(&ref, reference);
	aiaas_stats_reset(model->id, ref.version);
	PG_RETURN_VOID();
}
