/*-------------------------------------------------------------------------
 * manage.c
 *		Deploying, renaming, commenting, dropping and describing models.
 *
 * Every writer locks the model's row first, so what it decides on stays true
 * until its transaction ends.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/catalog/catalog_internal.h"

#include "catalog/pg_type.h"
#include "pg/host/compat.h"
#include "utils/builtins.h"

static CatalogQuery select_version = {
	"SELECT v.hash FROM aiaas.version v WHERE v.model OPERATOR(pg_catalog.=) $1"
	" AND v.number OPERATOR(pg_catalog.=) $2",
	2, {INT8OID, INT4OID}, NULL
};

static CatalogQuery count_versions = {
	"SELECT pg_catalog.count(*) FROM aiaas.version v WHERE v.model OPERATOR(pg_catalog.=) $1",
	1, {INT8OID}, NULL
};

static CatalogQuery update_deployed = {
	"UPDATE aiaas.model SET deployed = $2 WHERE id OPERATOR(pg_catalog.=) $1",
	2, {INT8OID, INT4OID}, NULL
};

static CatalogQuery update_name = {
	"UPDATE aiaas.model SET name = $2 WHERE id OPERATOR(pg_catalog.=) $1",
	2, {INT8OID, TEXTOID}, NULL
};

static CatalogQuery update_comment = {
	"UPDATE aiaas.model SET comment = $2 WHERE id OPERATOR(pg_catalog.=) $1",
	2, {INT8OID, TEXTOID}, NULL
};

/* Version $2, or all when that is NULL; contents in one order for everybody */
static CatalogQuery delete_versions = {
	"WITH gone AS (DELETE FROM aiaas.version v WHERE v.model OPERATOR(pg_catalog.=) $1"
	" AND ($2 IS NULL OR v.number OPERATOR(pg_catalog.=) $2) RETURNING v.hash)"
	" SELECT DISTINCT hash FROM gone ORDER BY hash",
	2, {INT8OID, INT4OID}, NULL
};

static CatalogQuery delete_model = {
	"WITH gone AS (DELETE FROM aiaas.privilege p WHERE p.model OPERATOR(pg_catalog.=) $1)"
	" DELETE FROM aiaas.model m WHERE m.id OPERATOR(pg_catalog.=) $1",
	1, {INT8OID}, NULL
};

static CatalogQuery describe = {
	"SELECT pg_catalog.jsonb_build_object("
	"'model', m.name, 'version', v.number,"
	" 'deployed', v.number OPERATOR(pg_catalog.=) m.deployed IS TRUE,"
	" 'algorithm', v.algorithm, 'kind', v.kind, 'task', v.task,"
	" 'labels', v.labels, 'features', v.features, 'options', v.options,"
	" 'train_rows', v.train_rows, 'validation_rows', v.validation_rows,"
	" 'metric', v.metric, 'train_score', v.train_score,"
	" 'validation_score', v.validation_score, 'metrics', v.metrics,"
	" 'duration', v.duration, 'lineage', v.lineage,"
	" 'hash', pg_catalog.encode(v.hash, 'hex'), 'bytes', c.bytes,"
	" 'owner', r.rolname, 'created', v.created, 'comment', m.comment)"
	" OPERATOR(pg_catalog.||) CASE WHEN v.needs IS NULL THEN '{}'::pg_catalog.jsonb"
	" ELSE pg_catalog.jsonb_build_object('embedder', pg_catalog.jsonb_build_object("
	"'name', e.name, 'version', e.number, 'hash', pg_catalog.encode(v.needs, 'hex'))) END"
	" FROM aiaas.model m"
	" JOIN aiaas.version v ON v.model OPERATOR(pg_catalog.=) m.id"
	" LEFT JOIN aiaas.content c ON c.hash OPERATOR(pg_catalog.=) v.hash"
	" LEFT JOIN aiaas.privilege p ON p.model OPERATOR(pg_catalog.=) m.id"
	" AND p.privilege OPERATOR(pg_catalog.=) 'owner'"
	" LEFT JOIN pg_catalog.pg_roles r"
	" ON r.oid OPERATOR(pg_catalog.=) p.grantee::pg_catalog.oid"
	" LEFT JOIN LATERAL (SELECT n.name, o.number FROM aiaas.version o"
	" JOIN aiaas.model n ON n.id OPERATOR(pg_catalog.=) o.model"
	" WHERE o.hash OPERATOR(pg_catalog.=) v.needs ORDER BY o.model, o.number LIMIT 1) e ON true"
	" WHERE m.id OPERATOR(pg_catalog.=) $1 AND v.number OPERATOR(pg_catalog.=) $2",
	2, {INT8OID, INT4OID}, NULL
};

static void
check_version_exists(const CatalogSession *session, const ModelRow *row, int version)
{
	Datum		values[2] = {Int64GetDatum(row->model.id), Int32GetDatum(version)};

	if (aiaas_catalog_run(session, &select_version, values, NULL) == 0)
		aiaas_raise_no_version(session, row, version);
}

void
aiaas_model_deploy(const char *name, int version)
{
	CatalogSession session;
	ModelRow	row;
	Datum		values[2];

	aiaas_model_name_check(name);
	if (version < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("version must be greater than zero, not %d", version)));
	aiaas_catalog_begin(&session, CATALOG_WRITE);
	aiaas_catalog_lock_allowed(&session, &row, name, AIAAS_ADMIN);
	check_version_exists(&session, &row, version);
	values[0] = Int64GetDatum(row.model.id);
	values[1] = Int32GetDatum(version);
	aiaas_catalog_run(&session, &update_deployed, values, NULL);
	aiaas_catalog_end(&session);
}

void
aiaas_model_rename(const char *name, const char *new_name)
{
	CatalogSession session;
	AiaasModelRef new_ref = {.version = 0};
	ModelRow	row;
	ModelRow	other;
	Datum		values[2];

	aiaas_model_name_check(name);
	aiaas_model_name_check(new_name);
	strlcpy(new_ref.name, new_name, sizeof(new_ref.name));
	aiaas_catalog_begin(&session, CATALOG_WRITE);
	aiaas_catalog_lock_allowed(&session, &row, name, AIAAS_ADMIN);
	if (aiaas_catalog_find(&session, &other, &new_ref))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("model \"%s\" already exists", new_name)));
	values[0] = Int64GetDatum(row.model.id);
	values[1] = CStringGetTextDatum(new_name);
	aiaas_catalog_run(&session, &update_name, values, NULL);
	aiaas_catalog_end(&session);
}

void
aiaas_model_comment(const char *name, const char *comment)
{
	CatalogSession session;
	ModelRow	row;
	Datum		values[2];

	aiaas_model_name_check(name);
	aiaas_catalog_begin(&session, CATALOG_WRITE);
	aiaas_catalog_lock_allowed(&session, &row, name, AIAAS_ADMIN);
	values[0] = Int64GetDatum(row.model.id);
	values[1] = comment != NULL ? CStringGetTextDatum(comment) : (Datum) 0;
	aiaas_catalog_run(&session, &update_comment, values, comment != NULL ? NULL : " n");
	aiaas_catalog_end(&session);
}

/* version 0: all.  Contents that nobody else refers to go with them. */
static void
drop_versions(const CatalogSession *session, int64 model, int version)
{
	Datum		values[2] = {Int64GetDatum(model), Int32GetDatum(version)};
	int64		n_contents = aiaas_catalog_run(session, &delete_versions, values,
											   version == 0 ? " n" : NULL);
	uint8	   *hashes = palloc(Max(n_contents, 1) * AIAAS_HASH_SIZE);
	int64		n_hashes = 0;

	/* Copied, since the next query replaces the result */
	for (int64 i = 0; i < n_contents; i++)
	{
		bytea	   *hash = DatumGetByteaPP(aiaas_catalog_value(i, 1, BYTEAOID, NULL));

		if (VARSIZE_ANY_EXHDR(hash) == AIAAS_HASH_SIZE)
			memcpy(hashes + AIAAS_HASH_SIZE * n_hashes++, VARDATA_ANY(hash), AIAAS_HASH_SIZE);
	}
	for (int64 i = 0; i < n_hashes; i++)
		aiaas_content_collect(session, hashes + AIAAS_HASH_SIZE * i);
	pfree(hashes);
}

static int64
n_versions_of(const CatalogSession *session, int64 model)
{
	Datum		value = Int64GetDatum(model);

	aiaas_catalog_run(session, &count_versions, &value, NULL);
	return DatumGetInt64(aiaas_catalog_value(0, 1, INT8OID, NULL));
}

void
aiaas_model_drop(const char *reference)
{
	CatalogSession session;
	AiaasModelRef ref;
	ModelRow	row;
	bool		is_last = true;

	aiaas_model_ref_parse(&ref, reference);
	aiaas_catalog_begin(&session, CATALOG_WRITE);
	aiaas_catalog_lock_allowed(&session, &row, ref.name, AIAAS_ADMIN);
	if (ref.version != 0)
	{
		check_version_exists(&session, &row, ref.version);
		is_last = n_versions_of(&session, row.model.id) == 1;
	}
	if (!is_last && ref.version == row.model.deployed)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("cannot drop version %d of model \"%s\" because it is deployed",
						ref.version, ref.name),
				 errhint("Deploy another version first, "
						 "or drop the model with all its versions.")));
	aiaas_catalog_check_not_pinned(&session, &row, ref.version);
	aiaas_catalog_check_not_needed(&session, &row, ref.version);

	drop_versions(&session, row.model.id, ref.version);
	if (is_last)
	{
		Datum		id = Int64GetDatum(row.model.id);

		aiaas_catalog_run(&session, &delete_model, &id, NULL);
	}
	aiaas_catalog_end(&session);
}

Jsonb *
aiaas_model_describe(const char *reference)
{
	AiaasModel *model = aiaas_model_resolve(reference, AIAAS_READ);
	CatalogSession session;
	Datum		values[2] = {Int64GetDatum(model->id), Int32GetDatum(model->version)};
	Jsonb	   *document;

	aiaas_catalog_begin(&session, CATALOG_READ);
	if (aiaas_catalog_run(&session, &describe, values, NULL) == 0)
		elog(ERROR, "version %d of model %s has vanished", model->version, model->name);
	document = aiaas_catalog_jsonb(&session, 0, 1);
	aiaas_catalog_end(&session);
	return document;
}
