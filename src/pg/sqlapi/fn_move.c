/*-------------------------------------------------------------------------
 * fn_move.c
 *		ai_export, ai_import, ai_import_query, ai_import_file.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"

#include "pg/host/rows.h"
#include "pg/jobs/exporter.h"
#include "pg/jobs/importer.h"
#include "pg/sqlapi/arguments.h"
#include "pg/stats/stats.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_export_model);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_import_value);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_import_object);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_import_rows);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_import_path);

Datum
aiaas_export_model(PG_FUNCTION_ARGS)
{
	AiaasRows	rows;

	aiaas_rows_begin(&rows, fcinfo);
	aiaas_export(&rows, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	return (Datum) 0;
}

/* The arguments of all forms: model, source, deploy, weights (PRECISION is a word of SQL) */
static AiaasImporter *
begin_import(FunctionCallInfo fcinfo, const char *function, const char *source)
{
	const char *model = PG_ARGISNULL(0) ? NULL : aiaas_text_argument(fcinfo, 0, "model");
	const char *precision = PG_ARGISNULL(3) ? NULL : aiaas_text_argument(fcinfo, 3, "weights");

	aiaas_require_argument(fcinfo, 1, source);
	aiaas_require_argument(fcinfo, 2, "deploy");
	aiaas_activity_begin(function, model != NULL ? model : "", 0);
	return aiaas_importer_begin(model, precision);
}

static Datum
finish_import(FunctionCallInfo fcinfo, AiaasImporter *importer)
{
	AiaasImportResult result;
	TupleDesc	desc;
	Datum		values[7];
	bool		nulls[7] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	aiaas_importer_finish(importer, PG_GETARG_BOOL(2), &result);
	aiaas_activity_end();
	values[0] = CStringGetTextDatum(result.model);
	values[1] = Int32GetDatum(result.version);
	values[2] = CStringGetTextDatum(result.algorithm);
	values[3] = CStringGetTextDatum(result.task);
	values[4] = Int32GetDatum(result.n_labels);
	values[5] = Int64GetDatum(result.n_bytes);
	values[6] = BoolGetDatum(result.is_deployed);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

Datum
aiaas_import_value(PG_FUNCTION_ARGS)
{
	AiaasImporter *importer = begin_import(fcinfo, "ai_import", "source");

	aiaas_import_bytea(importer, PG_GETARG_DATUM(1));
	return finish_import(fcinfo, importer);
}

Datum
aiaas_import_object(PG_FUNCTION_ARGS)
{
	AiaasImporter *importer = begin_import(fcinfo, "ai_import", "source");

	aiaas_import_large_object(importer, PG_GETARG_OID(1));
	return finish_import(fcinfo, importer);
}

Datum
aiaas_import_rows(PG_FUNCTION_ARGS)
{
	AiaasImporter *importer = begin_import(fcinfo, "ai_import_query", "query");

	aiaas_import_query(importer, aiaas_text_argument(fcinfo, 1, "query"));
	return finish_import(fcinfo, importer);
}

Datum
aiaas_import_path(PG_FUNCTION_ARGS)
{
	AiaasImporter *importer = begin_import(fcinfo, "ai_import_file", "path");

	aiaas_import_file(importer, aiaas_text_argument(fcinfo, 1, "path"));
	return finish_import(fcinfo, importer);
}
