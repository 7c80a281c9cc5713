/*-------------------------------------------------------------------------
 * fn_evaluate.c
 *		ai_evaluate, ai_confusion.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/host/datum.h"
#include "pg/host/rows.h"
#include "pg/jobs/evaluator.h"
#include "pg/sqlapi/arguments.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_evaluate_query);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_confusion_query);

static void
evaluate(AiaasEvaluation *evaluation, FunctionCallInfo fcinfo, const char *function,
		 AiaasEvaluationUse use)
{
	const char *model = PG_ARGISNULL(0) ? aiaas_default_model_get(AIAAS_DEFAULT_CLASSIFIER) :
		aiaas_text_argument(fcinfo, 0, "model");
	const char *query = aiaas_text_argument(fcinfo, 1, "query");
	const char *target = PG_ARGISNULL(2) ? NULL : aiaas_text_argument(fcinfo, 2, "target");

	aiaas_evaluate(evaluation, function, model, query, target, use);
}

static void
put_metric(AiaasRows *rows, const char *name, double value)
{
	Datum		values[2] = {CStringGetTextDatum(name), Float8GetDatum(value)};
	bool		is_null[2] = {false, isnan(value)};

	aiaas_rows_put(rows, values, is_null);
}

static void
put_average(AiaasRows *rows, const char *average, const AiPrf *prf)
{
	put_metric(rows, psprintf("precision_%s", average), prf->precision);
	put_metric(rows, psprintf("recall_%s", average), prf->recall);
	put_metric(rows, psprintf("f1_%s", average), prf->f1);
}

static void
put_classes(AiaasRows *rows, const AiaasEvaluation *evaluation)
{
	AiClassMetrics metrics;

	aiaas_evaluation_measure(evaluation, &metrics);
	if (evaluation->task == AI_NETWORK_STEPS)
		put_metric(rows, "steps", metrics.n);
	put_metric(rows, "accuracy", metrics.accuracy);
	put_metric(rows, "balanced_accuracy", metrics.balanced_accuracy);
	put_average(rows, "macro", &metrics.macro);
	put_average(rows, "micro", &metrics.micro);
	put_average(rows, "weighted", &metrics.weighted);
	put_metric(rows, "matthews", metrics.matthews);
	put_metric(rows, "log_loss", metrics.log_loss);
	put_metric(rows, "roc_auc", metrics.roc_auc);
	put_metric(rows, "calibration_error", metrics.calibration_error);
}

static void
put_sets(AiaasRows *rows, const AiaasEvaluation *evaluation)
{
	AiLabelsMetrics metrics;

	aiaas_evaluation_measure_labels(evaluation, &metrics);
	put_metric(rows, "subset_accuracy", metrics.subset_accuracy);
	put_metric(rows, "accuracy", metrics.accuracy);
	put_average(rows, "macro", &metrics.macro);
	put_average(rows, "micro", &metrics.micro);
}

static void
put_values(AiaasRows *rows, const AiaasEvaluation *evaluation)
{
	AiValueMetrics metrics;

	aiaas_evaluation_measure_values(evaluation, &metrics);
	put_metric(rows, "r2", metrics.r2);
	put_metric(rows, "mae", metrics.mae);
	put_metric(rows, "mse", metrics.mse);
	put_metric(rows, "rmse", metrics.rmse);
	put_metric(rows, "median_absolute_error", metrics.median_absolute_error);
	put_metric(rows, "explained_variance", metrics.explained_variance);
}

Datum
aiaas_evaluate_query(PG_FUNCTION_ARGS)
{
	AiaasEvaluation evaluation;
	AiaasRows	rows;

	aiaas_rows_begin(&rows, fcinfo);
	evaluate(&evaluation, fcinfo, "ai_evaluate", AIAAS_FOR_METRICS);
	put_metric(&rows, "rows", evaluation.n_rows);
	if (evaluation.task == AI_NETWORK_VALUES)
		put_values(&rows, &evaluation);
	else if (evaluation.task == AI_NETWORK_LABELS)
		put_sets(&rows, &evaluation);
	else
		put_classes(&rows, &evaluation);
	return (Datum) 0;
}

/*
 * A line for every pair of labels that occur, also for pairs without a row, so
 * that the result can be pivoted.
 */
static void
put_confusion(AiaasRows *rows, const AiaasEvaluation *evaluation, const int64 *n_rows)
{
	int			n_labels = aiaas_labels_count(evaluation->labels);
	int		   *order = palloc(n_labels * sizeof(int));
	Datum	   *label = palloc(n_labels * sizeof(Datum));
	bool	   *occurs = palloc0(n_labels * sizeof(bool));
	bool		is_null[3] = {false};

	aiaas_labels_sort(evaluation->labels, order);
	for (int i = 0; i < n_labels; i++)
	{
		size_t		len;
		const char *utf8 = aiaas_labels_get(evaluation->labels, i, &len);

		label[i] = PointerGetDatum(aiaas_utf8_to_text(utf8, len));
	}
	for (int64 i = 0; i < evaluation->n; i++)
	{
		occurs[evaluation->truth[i]] = true;
		occurs[evaluation->predicted[i]] = true;
	}

	for (int i = 0; i < n_labels; i++)
		for (int j = 0; j < n_labels; j++)
		{
			int			actual = order[i];
			int			predicted = order[j];
			Datum		values[3] = {label[actual], label[predicted], 0};

			if (!occurs[actual] || !occurs[predicted])
				continue;
			if (predicted < evaluation->n_labels)
				values[2] = Int64GetDatum(n_rows[(Size) actual * evaluation->n_labels + predicted]);
			else
				values[2] = Int64GetDatum(0);
			aiaas_rows_put(rows, values, is_null);
		}
}

Datum
aiaas_confusion_query(PG_FUNCTION_ARGS)
{
	AiaasEvaluation evaluation;
	AiaasRows	rows;
	int64	   *n_rows;			/* [labels, n_labels] */

	aiaas_rows_begin(&rows, fcinfo);
	evaluate(&evaluation, fcinfo, "ai_confusion", AIAAS_FOR_CONFUSION);
	n_rows = palloc0((Size) aiaas_labels_count(evaluation.labels) * evaluation.n_labels *
					 sizeof(int64));
	for (int64 i = 0; i < evaluation.n; i++)
		n_rows[(Size) evaluation.truth[i] * evaluation.n_labels + evaluation.predicted[i]]++;
	put_confusion(&rows, &evaluation, n_rows);
	return (Datum) 0;
}
