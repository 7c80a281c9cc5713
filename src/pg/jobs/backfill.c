/*-------------------------------------------------------------------------
 * backfill.c
 *		Giving embeddings to the rows that have none yet.
 *
 * Rows are taken in the order of the primary key, and locked before their texts are read, so
 * nobody's change of a text meanwhile is answered with the embedding of the old one.  Rows
 * that others have locked are skipped, so several may do this at once.  What is done is
 * committed after each batch, and the next call looks for what is left.
 */
#include "postgres.h"

#include "pg/jobs/keep.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "pg/stats/stats.h"

#define FUNCTION_NAME "ai_embed_backfill"
#define MS_PER_NOTICE 10000

typedef struct Backfill
{
	const AiaasKept *kept;
	const char *first_query;	/* that locks the first rows, and the ones after some row */
	const char *next_query;
	const char *update;
	Oid		   *key_types;		/* [n_keys] */
	Oid		   *array_types;	/* [n_keys] */
	Datum	   *last;			/* key of the last row; NULL: none yet */
	MemoryContext last_context;
	int64		n_rows;			/* that have got an embedding */
} Backfill;

/*
 * The queries
 */

/* Append: t's key from column i on comes after that of the parameters */
static void
append_after(StringInfo sql, const AiaasKept *kept, int i)
{
	const AiaasKeyColumn *key = &kept->keys[i];
	const char *column = psprintf("t.%s", key->name);
	const char *last = psprintf("$%d", i + 1);

	if (i + 1 == kept->n_keys)
	{
		generate_operator_clause(sql, column, key->type, key->greater, last, key->type);
		return;
	}
	/* the first of these is for the index */
	generate_operator_clause(sql, column, key->type, key->greater_equal, last, key->type);
	appendStringInfoString(sql, " AND (");
	generate_operator_clause(sql, column, key->type, key->greater, last, key->type);
	appendStringInfoString(sql, " OR ");
	append_after(sql, kept, i + 1);
	appendStringInfoChar(sql, ')');
}

static void
append_keys(StringInfo sql, const AiaasKept *kept)
{
	for (int i = 0; i < kept->n_keys; i++)
		appendStringInfo(sql, "%st.%s", i > 0 ? ", " : "", kept->keys[i].name);
}

static const char *
locking_query(const AiaasKept *kept, bool is_first, int batch_rows)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	append_keys(&sql, kept);
	appendStringInfo(&sql, " FROM %s AS t WHERE t.%s IS NULL AND t.%s IS NOT NULL", kept->table,
					 kept->embedding, kept->text);
	if (!is_first)
	{
		appendStringInfoString(&sql, " AND ");
		append_after(&sql, kept, 0);
	}
	appendStringInfoString(&sql, " ORDER BY ");
	append_keys(&sql, kept);
	appendStringInfo(&sql, " LIMIT %d FOR UPDATE SKIP LOCKED", batch_rows);
	return sql.data;
}

static const char *
updating_query(const AiaasKept *kept)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "UPDATE %s AS t SET %s = ", kept->table, kept->embedding);
	aiaas_kept_embed(&sql, kept);
	appendStringInfoString(&sql, " FROM ROWS FROM (");
	for (int i = 0; i < kept->n_keys; i++)
		appendStringInfo(&sql, "%spg_catalog.unnest($%d)", i > 0 ? ", " : "", i + 1);
	appendStringInfoString(&sql, ") AS b (");
	for (int i = 0; i < kept->n_keys; i++)
		appendStringInfo(&sql, "%s%s", i > 0 ? ", " : "", kept->keys[i].name);
	appendStringInfoString(&sql, ") WHERE ");
	aiaas_kept_join(&sql, kept, "t", "b");
	return sql.data;
}

static Oid
array_type(Oid type)
{
	Oid			array = get_array_type(type);

	if (!OidIsValid(array))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("could not find array type for data type %s", format_type_be(type))));
	return array;
}

static void
prepare(Backfill *b, const AiaasKept *kept, int batch_rows)
{
	*b = (Backfill) {
		.kept = kept,
		.first_query = locking_query(kept, true, batch_rows),
		.next_query = locking_query(kept, false, batch_rows),
		.update = updating_query(kept),
		.key_types = palloc(kept->n_keys * sizeof(Oid)),
		.array_types = palloc(kept->n_keys * sizeof(Oid)),
		.last_context = AllocSetContextCreate(CurrentMemoryContext, "aiaas back-fill",
											  ALLOCSET_SMALL_SIZES)
	};
	for (int i = 0; i < kept->n_keys; i++)
	{
		b->key_types[i] = kept->keys[i].type;
		b->array_types[i] = array_type(kept->keys[i].type);
	}
}

/*
 * A batch
 */
static void
expect(int result, int expected)
{
	if (result != expected)
		elog(ERROR, "could not run a query of " FUNCTION_NAME ": %s",
			 SPI_result_code_string(result));
}

/* The rows' keys are then in SPI_tuptable. */
static int
lock_rows(const Backfill *b)
{
	if (b->last == NULL)
		expect(SPI_execute(b->first_query, false, 0), SPI_OK_SELECT);
	else
		expect(SPI_execute_with_args(b->next_query, b->kept->n_keys, b->key_types, b->last, NULL,
									 false, 0), SPI_OK_SELECT);
	return (int) SPI_processed;
}

/* One column of all rows that are locked */
static Datum
key_array(const Backfill *b, int i, int n)
{
	Datum	   *values = palloc(n * sizeof(Datum));
	int16		len;
	bool		by_value;
	char		align;
	bool		is_null;

	for (int row = 0; row < n; row++)
		values[row] = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, i + 1,
									&is_null);
	get_typlenbyvalalign(b->key_types[i], &len, &by_value, &align);
	return PointerGetDatum(construct_array(values, n, b->key_types[i], len, by_value, align));
}

static void
remember_last(Backfill *b, int n)
{
	MemoryContext old_context;
	bool		is_null;

	MemoryContextReset(b->last_context);
	old_context = MemoryContextSwitchTo(b->last_context);
	b->last = palloc(b->kept->n_keys * sizeof(Datum));
	for (int i = 0; i < b->kept->n_keys; i++)
	{
		Datum		value = SPI_getbinval(SPI_tuptable->vals[n - 1], SPI_tuptable->tupdesc, i + 1,
										  &is_null);
		int16		len;
		bool		by_value;

		get_typlenbyval(b->key_types[i], &len, &by_value);
		b->last[i] = datumCopy(value, by_value, len);
	}
	MemoryContextSwitchTo(old_context);
}

/* False: there are no more rows. */
static bool
run_batch(Backfill *b)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "aiaas batch",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context;
	SPITupleTable *locked;
	Datum	   *keys;
	int			n = lock_rows(b);

	locked = SPI_tuptable;
	if (n > 0)
	{
		remember_last(b, n);
		old_context = MemoryContextSwitchTo(context);
		keys = palloc(b->kept->n_keys * sizeof(Datum));
		for (int i = 0; i < b->kept->n_keys; i++)
			keys[i] = key_array(b, i, n);
		MemoryContextSwitchTo(old_context);
		expect(SPI_execute_with_args(b->update, b->kept->n_keys, b->array_types, keys, NULL, false,
									 0), SPI_OK_UPDATE);
		b->n_rows += SPI_processed;
		aiaas_activity_rows(SPI_processed);
	}
	SPI_freetuptable(locked);
	MemoryContextDelete(context);
	return n > 0;
}

/*
 * All batches
 */
static int
message(const Backfill *b)
{
	return errmsg_plural("filled in %lld embedding of %s", "filled in %lld embeddings of %s",
						 (unsigned long) b->n_rows, (long long) b->n_rows, b->kept->table);
}

static void
notice_progress(const Backfill *b, TimestampTz *noticed)
{
	TimestampTz now = GetCurrentTimestamp();

	if (!TimestampDifferenceExceeds(*noticed, now, MS_PER_NOTICE))
		return;
	ereport(NOTICE, (message(b)));
	*noticed = now;
}

static void
notice_end(const Backfill *b)
{
	const AiaasKept *kept = b->kept;
	bool		is_left;

	expect(SPI_execute(psprintf("SELECT FROM %s AS t WHERE t.%s IS NULL AND t.%s IS NOT NULL "
								"LIMIT 1", kept->table, kept->embedding, kept->text),
					   false, 0), SPI_OK_SELECT);
	is_left = SPI_processed > 0;
	ereport(NOTICE,
			(message(b),
			 is_left ? errdetail("Other rows have none: they were locked, or have come since.") : 0,
			 is_left ? errhint("Call " FUNCTION_NAME " again.") : 0));
}

void
aiaas_backfill(const AiaasKept *kept, const char *model, int batch_rows)
{
	TimestampTz noticed = GetCurrentTimestamp();
	Backfill	b;
	bool		has_more = true;

	prepare(&b, kept, batch_rows);
	while (has_more)
	{
		CHECK_FOR_INTERRUPTS();
		aiaas_activity_begin(FUNCTION_NAME, model, 0);
		has_more = run_batch(&b);
		aiaas_activity_end();
		SPI_commit();
		SPI_start_transaction();	/* a part of the commit in later versions */
		notice_progress(&b, &noticed);
	}
	notice_end(&b);
}
