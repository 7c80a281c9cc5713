/*-------------------------------------------------------------------------
 * query.c
 *		SPI as the owner of the catalog's tables.
 *
 * The tables are closed to everybody but their owner.  The switch of user
 * lasts for our own statements only, whose names and operators are all
 * qualified; the restricted context keeps triggers that the owner may have
 * added from reaching into the session of whoever called.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/catalog/catalog_internal.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "pg/host/compat.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

static Oid
model_table(void)
{
	return get_relname_relid("model", get_namespace_oid("aiaas", true));
}

bool
aiaas_catalog_exists(void)
{
	return OidIsValid(model_table());
}

static Oid
catalog_owner(void)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(model_table()));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("extension \"aiaas\" is not installed in this database"),
				 errhint("Run CREATE EXTENSION aiaas.")));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

void
aiaas_catalog_begin(CatalogSession *session, CatalogMode mode)
{
	Oid			owner = catalog_owner();

	session->mode = mode;
	session->caller = CurrentMemoryContext;
	GetUserIdAndSecContext(&session->user, &session->sec_context);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	/* Immutable functions are also called where nobody has set one. */
	session->has_snapshot = mode == CATALOG_READ_LATEST ||
		(mode == CATALOG_READ && !ActiveSnapshotSet());
	if (session->has_snapshot)
		PushActiveSnapshot(mode == CATALOG_READ_LATEST ?
						   GetLatestSnapshot() : GetTransactionSnapshot());
	SetUserIdAndSecContext(owner, session->sec_context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION);
}

void
aiaas_catalog_end(const CatalogSession *session)
{
	SetUserIdAndSecContext(session->user, session->sec_context);
	if (session->has_snapshot)
		PopActiveSnapshot();
	SPI_finish();
}

int64
aiaas_catalog_run(const CatalogSession *session, CatalogQuery *query,
				  const Datum *values, const char *nulls)
{
	int			result;

	if (query->plan == NULL)
	{
		/* All go by keys, so no parameter is worth a plan of its own. */
		SPIPlanPtr	plan = SPI_prepare_cursor(query->sql, query->n_params, query->param_types,
											  CURSOR_OPT_GENERIC_PLAN);

		if (plan == NULL)
			elog(ERROR, "could not prepare a query of the catalog: %s",
				 SPI_result_code_string(SPI_result));
		SPI_keepplan(plan);
		query->plan = plan;
	}
	result = SPI_execute_plan(query->plan, (Datum *) values, nulls,
							  session->mode != CATALOG_WRITE, 0);
	if (result < 0)
		elog(ERROR, "could not run a query of the catalog: %s",
			 SPI_result_code_string(result));
	return (int64) SPI_processed;
}

Datum
aiaas_catalog_value(int64 row, int column, Oid type, bool *is_null)
{
	bool		is_value_null;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column,
									  &is_value_null);

	if (SPI_gettypeid(SPI_tuptable->tupdesc, column) != type ||
		(is_value_null && is_null == NULL))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("tables of schema \"aiaas\" have been altered"),
				 errdetail("Column \"%s\" has another type or lost its NOT NULL constraint.",
						   SPI_fname(SPI_tuptable->tupdesc, column))));
	if (is_null != NULL)
		*is_null = is_value_null;
	return value;
}

char *
aiaas_catalog_text(const CatalogSession *session, int64 row, int column)
{
	Datum		value = aiaas_catalog_value(row, column, TEXTOID, NULL);
	MemoryContext old = MemoryContextSwitchTo(session->caller);
	char	   *copy = TextDatumGetCString(value);

	MemoryContextSwitchTo(old);
	return copy;
}

uint8 *
aiaas_catalog_hash(const CatalogSession *session, int64 row, int column)
{
	bool		is_null;
	Datum		value = aiaas_catalog_value(row, column, BYTEAOID, &is_null);
	bytea	   *hash = is_null ? NULL : DatumGetByteaPP(value);
	uint8	   *copy;

	if (hash == NULL || VARSIZE_ANY_EXHDR(hash) != AIAAS_HASH_SIZE)
		return NULL;
	copy = MemoryContextAlloc(session->caller, AIAAS_HASH_SIZE);
	memcpy(copy, VARDATA_ANY(hash), AIAAS_HASH_SIZE);
	return copy;
}

Jsonb *
aiaas_catalog_jsonb(const CatalogSession *session, int64 row, int column)
{
	bool		is_null;
	Datum		value = aiaas_catalog_value(row, column, JSONBOID, &is_null);
	MemoryContext old;
	Jsonb	   *copy;

	if (is_null)
		return NULL;
	old = MemoryContextSwitchTo(session->caller);
	copy = DatumGetJsonbPCopy(value);
	MemoryContextSwitchTo(old);
	return copy;
}

Datum
aiaas_hash_datum(const uint8 *hash)
{
	bytea	   *value = palloc(VARHDRSZ + AIAAS_HASH_SIZE);

	SET_VARSIZE(value, VARHDRSZ + AIAAS_HASH_SIZE);
	memcpy(VARDATA(value), hash, AIAAS_HASH_SIZE);
	return PointerGetDatum(value);
}
