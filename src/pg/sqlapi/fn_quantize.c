/*-------------------------------------------------------------------------
 * fn_quantize.c
 *		ai_quantize.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"

#include "pg/jobs/importer.h"
#include "pg/jobs/quantizer.h"
#include "pg/sqlapi/arguments.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_quantize_model);

static Datum
result_row(FunctionCallInfo fcinfo, const AiaasQuantizeResult *result, AiPrecision precision)
{
	TupleDesc	desc;
	Datum		values[10];
	bool		nulls[10] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = CStringGetTextDatum(result->model);
	values[1] = Int32GetDatum(result->version);
	values[2] = CStringGetTextDatum(ai_precision_name(precision));
	values[3] = Int64GetDatum(result->bytes_before);
	values[4] = Int64GetDatum(result->bytes_after);
	values[5] = Float8GetDatum(result->speed_before);
	values[6] = Float8GetDatum(result->speed_after);
	values[7] = Float8GetDatum(result->mean_cosine);
	values[8] = Float8GetDatum(result->min_cosine);
	values[9] = BoolGetDatum(result->is_deployed);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

Datum
aiaas_quantize_model(PG_FUNCTION_ARGS)
{
	AiaasQuantizeRequest request = {
		.model = aiaas_text_argument(fcinfo, 0, "model"),
		.precision = aiaas_precision_parse(aiaas_text_argument(fcinfo, 1, "weights")),
		.query = PG_ARGISNULL(2) ? NULL : aiaas_text_argument(fcinfo, 2, "query")
	};
	AiaasQuantizeResult result;

	aiaas_require_argument(fcinfo, 3, "deploy");
	request.deploy = PG_GETARG_BOOL(3);
	aiaas_quantize(&result, &request);
	return result_row(fcinfo, &result, request.precision);
}
