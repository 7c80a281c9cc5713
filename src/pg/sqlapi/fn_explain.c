/*-------------------------------------------------------------------------
 * fn_explain.c
 *		ai_explain, ai_importance.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"

#include "pg/engine/batch.h"
#include "pg/engine/call.h"
#include "pg/host/datum.h"
#include "pg/host/rows.h"
#include "pg/sqlapi/explain_network.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_explain_text);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_explain_any);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_importance_model);

static const AiaasModelArg model_arg = {1, AIAAS_DEFAULT_CLASSIFIER, AIAAS_CALL_READ};
static const AiaasModelArg only_model = {0, AIAAS_DEFAULT_CLASSIFIER, AIAAS_CALL_READ};

/* The label that argument 2 names, else the one that the text is given */
static int
explained_label(AiaasCall *call, FunctionCallInfo fcinfo, const void *utf8, size_t len)
{
	int			best;

	if (PG_NARGS() > 2)
		return aiaas_call_label(call, fcinfo, 2);
	aiaas_engine_run(aiaas_call_engine(call), NULL, &best, utf8, len);
	return best;
}

static Datum
feature_datum(const char *utf8, size_t len)
{
	return PointerGetDatum(aiaas_utf8_to_text(utf8, len));
}

static void
explain(AiaasRows *rows, AiaasCall *call, FunctionCallInfo fcinfo,
		const void *utf8, size_t len)
{
	const AiTextContribution *contributions;
	int64_t		n_contributions;
	int			label;

	if (aiaas_engine_network(aiaas_call_engine(call)) != NULL)
	{
		aiaas_explain_network(rows, call, fcinfo, utf8, len);
		return;
	}
	label = explained_label(call, fcinfo, utf8, len);
	aiaas_engine_explain(aiaas_call_engine(call), &contributions, &n_contributions, label,
						 utf8, len);
	for (int64_t i = 0; i < n_contributions; i++)
	{
		const AiTextContribution *it = &contributions[i];
		Datum		values[5] = {
			feature_datum(it->feature, it->feature_len),
			CStringGetTextDatum(it->kind),
			Int64GetDatum(it->count),
			Float8GetDatum(it->value),
			Float8GetDatum(it->contribution + 0.0)	/* -0 becomes 0 */
		};
		bool		is_null[5] = {strcmp(it->kind, "embedding") == 0};

		aiaas_rows_put(rows, values, is_null);
	}
}

Datum
aiaas_explain_text(PG_FUNCTION_ARGS)
{
	AiaasCall  *call = aiaas_call_begin(fcinfo, &model_arg);
	AiaasRows	rows;
	const void *utf8;
	size_t		len;

	aiaas_rows_begin(&rows, fcinfo);
	(void) aiaas_call_input(call, fcinfo, TEXTOID, &utf8, &len);
	explain(&rows, call, fcinfo, utf8, len);
	return (Datum) 0;
}

Datum
aiaas_explain_any(PG_FUNCTION_ARGS)
{
	AiaasCall  *call = aiaas_call_begin(fcinfo, &model_arg);
	AiaasRows	rows;
	const void *utf8;
	size_t		len;

	aiaas_rows_begin(&rows, fcinfo);
	if (aiaas_call_input(call, fcinfo, InvalidOid, &utf8, &len))
		explain(&rows, call, fcinfo, utf8, len);
	return (Datum) 0;
}

Datum
aiaas_importance_model(PG_FUNCTION_ARGS)
{
	AiaasEngine *engine = aiaas_call_engine(aiaas_call_begin(fcinfo, &only_model));
	const AiTextClassifier *classifier = aiaas_engine_classifier(engine);
	int64_t		n_importances = ai_text_classifier_n_importances(classifier);
	AiaasRows	rows;

	aiaas_rows_begin(&rows, fcinfo);
	for (int64_t i = 0; i < n_importances; i++)
	{
		AiTextImportance it = ai_text_classifier_importance(classifier, i);
		Datum		values[5] = {
			PointerGetDatum(aiaas_engine_label(engine, it.label)),
			feature_datum(it.feature, it.feature_len),
			CStringGetTextDatum(it.kind),
			Float8GetDatum(it.weight),
			Int64GetDatum(it.n_rows)
		};
		bool		is_null[5] = {false};

		aiaas_rows_put(&rows, values, is_null);
	}
	return (Datum) 0;
}
