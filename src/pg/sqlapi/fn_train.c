/*-------------------------------------------------------------------------
 * fn_train.c
 *		ai_train.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "pg/jobs/trainer.h"
#include "pg/sqlapi/arguments.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_train_query);

static Datum
interval_datum(int64 microseconds)
{
	Interval   *interval = palloc0(sizeof(Interval));

	interval->time = microseconds;
	return IntervalPGetDatum(interval);
}

static Datum
result_row(FunctionCallInfo fcinfo, const AiaasTrainResult *result)
{
	TupleDesc	desc;
	Datum		values[10];
	bool		nulls[10] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = CStringGetTextDatum(result->model);
	values[1] = Int32GetDatum(result->version);
	values[2] = CStringGetTextDatum(result->algorithm);
	values[3] = Int64GetDatum(result->n_train_rows);
	values[4] = Int64GetDatum(result->n_validation_rows);
	values[5] = CStringGetTextDatum(result->metric);
	values[6] = Float8GetDatum(result->train_score);
	nulls[6] = isnan(result->train_score);
	values[7] = Float8GetDatum(result->validation_score);
	nulls[7] = isnan(result->validation_score);
	values[8] = interval_datum(result->duration);
	values[9] = BoolGetDatum(result->is_deployed);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

Datum
aiaas_train_query(PG_FUNCTION_ARGS)
{
	AiaasTrainRequest request = {
		.model = aiaas_text_argument(fcinfo, 0, "model"),
		.query = aiaas_text_argument(fcinfo, 1, "query"),
		.target = PG_ARGISNULL(2) ? NULL : aiaas_text_argument(fcinfo, 2, "target"),
		.algorithm = aiaas_text_argument(fcinfo, 3, "algorithm")
	};
	AiaasTrainResult result;

	aiaas_require_argument(fcinfo, 4, "options");
	request.options = PG_GETARG_JSONB_P(4);
	aiaas_train(&result, &request);
	return result_row(fcinfo, &result);
}
