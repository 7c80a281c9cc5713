/*-------------------------------------------------------------------------
 * version.c
 *		Reading back what a version was stored with.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/catalog/catalog_internal.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "pg/host/compat.h"

static CatalogQuery select_stored = {
	"SELECT v.labels, v.metrics, v.lineage, v.train_rows, v.validation_rows, v.metric,"
	" v.train_score, v.duration, v.created"
	" FROM aiaas.version v WHERE v.model OPERATOR(pg_catalog.=) $1"
	" AND v.number OPERATOR(pg_catalog.=) $2",
	2, {INT8OID, INT4OID}, NULL
};

static double
stored_score(int column)
{
	bool		is_null;
	Datum		value = aiaas_catalog_value(0, column, FLOAT8OID, &is_null);

	return is_null ? NAN : DatumGetFloat8(value);
}

static ArrayType *
stored_labels(const CatalogSession *session, int column)
{
	bool		is_null;
	Datum		value = aiaas_catalog_value(0, column, TEXTARRAYOID, &is_null);
	MemoryContext old_context;
	ArrayType  *copy;

	if (is_null)
		return NULL;
	old_context = MemoryContextSwitchTo(session->caller);
	copy = DatumGetArrayTypePCopy(value);
	MemoryContextSwitchTo(old_context);
	return copy;
}

static char *
stored_metric(const CatalogSession *session, int column)
{
	bool		is_null;

	(void) aiaas_catalog_value(0, column, TEXTOID, &is_null);
	return is_null ? NULL : aiaas_catalog_text(session, 0, column);
}

void
aiaas_version_read(AiaasNewVersion *version, TimestampTz *created, const AiaasModel *model)
{
	CatalogSession session;
	Datum		values[2] = {Int64GetDatum(model->id), Int32GetDatum(model->version)};

	*version = (AiaasNewVersion) {
		.algorithm = model->algorithm,
		.kind = model->kind,
		.task = model->task,
		.options = model->options,
		.features = model->features,
		.validation_score = model->validation_score,
		.needs = model->needs
	};
	aiaas_catalog_begin(&session, CATALOG_READ);
	if (aiaas_catalog_run(&session, &select_stored, values, NULL) == 0)
		elog(ERROR, "version %d of model %s has vanished", model->version, model->name);
	version->labels = stored_labels(&session, 1);
	version->metrics = aiaas_catalog_jsonb(&session, 0, 2);
	version->lineage = aiaas_catalog_jsonb(&session, 0, 3);
	version->n_train_rows = DatumGetInt64(aiaas_catalog_value(0, 4, INT8OID, NULL));
	version->n_validation_rows = DatumGetInt64(aiaas_catalog_value(0, 5, INT8OID, NULL));
	version->metric = stored_metric(&session, 6);
	version->train_score = stored_score(7);
	version->duration = stored_score(8);
	*created = DatumGetTimestampTz(aiaas_catalog_value(0, 9, TIMESTAMPTZOID, NULL));
	aiaas_catalog_end(&session);
}
