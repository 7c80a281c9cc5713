/*-------------------------------------------------------------------------
 * evaluator.c
 *		Running a model over a query's rows.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/jobs/evaluator.h"

#include "portability/instr_time.h"
#include "utils/memutils.h"

#include "pg/engine/batch.h"
#include "pg/engine/input.h"
#include "pg/host/guc.h"
#include "pg/host/host.h"
#include "pg/host/raise.h"
#include "pg/jobs/query.h"

#define FIRST_CAPACITY 1024
#define MEGABYTE ((Size) 1024 * 1024)

static Size
row_size(const AiaasEvaluation *evaluation, bool with_probabilities)
{
	return 2 * sizeof(int32) +
		(with_probabilities ? evaluation->n_labels * sizeof(double) : 0);
}

static void
open_evaluation(AiaasEvaluation *evaluation, const AiaasModel *model, bool with_probabilities)
{
	const AiTextClassifier *classifier;

	evaluation->engine = aiaas_engine_acquire(model);
	evaluation->n_labels = aiaas_engine_n_labels(evaluation->engine);
	evaluation->labels = aiaas_labels_create();
	classifier = aiaas_engine_classifier(evaluation->engine);
	for (int i = 0; i < evaluation->n_labels; i++)
	{
		size_t		len;
		const char *label = ai_text_classifier_label(classifier, i, &len);

		aiaas_labels_add(evaluation->labels, label, len);
	}

	evaluation->capacity = FIRST_CAPACITY;
	evaluation->truth = palloc(evaluation->capacity * sizeof(int32));
	evaluation->predicted = palloc(evaluation->capacity * sizeof(int32));
	if (with_probabilities)
		evaluation->probability = palloc(evaluation->capacity * evaluation->n_labels *
										 sizeof(double));
}

static void
grow(AiaasEvaluation *evaluation)
{
	int64		capacity = evaluation->capacity * 2;
	Size		need = capacity * row_size(evaluation, evaluation->probability != NULL);

	if (need > aiaas_max_train_memory * MEGABYTE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the query has too many rows to evaluate the model on"),
				 errdetail("More than %lld rows with %d labels need %zu MB, "
						   "and aiaas.max_train_memory is %d MB.",
						   (long long) evaluation->capacity, evaluation->n_labels,
						   need / MEGABYTE + 1, aiaas_max_train_memory),
				 errhint("Evaluate a sample of the rows, for example with TABLESAMPLE or LIMIT.")));

	evaluation->capacity = capacity;
	evaluation->truth = repalloc_huge(evaluation->truth, capacity * sizeof(int32));
	evaluation->predicted = repalloc_huge(evaluation->predicted, capacity * sizeof(int32));
	if (evaluation->probability != NULL)
		evaluation->probability = repalloc_huge(evaluation->probability,
												capacity * evaluation->n_labels *
												sizeof(double));
}

/* Every row a label of its own is a mistake in the choice of the target. */
static void
check_label_count(const AiaasEvaluation *evaluation)
{
	int			n_unknown = aiaas_labels_count(evaluation->labels) - evaluation->n_labels;

	if (n_unknown > AI_TEXT_MAX_LABELS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the target has more than %d labels that the model does not know",
						AI_TEXT_MAX_LABELS),
				 errhint("Check that the target is the column of the labels.")));
}

static void
answer_example(void *ud, const AiaasExample *example)
{
	AiaasEvaluation *evaluation = ud;
	double	   *probability = NULL;
	instr_time	start;
	instr_time	end;
	int			best;

	if (evaluation->n_rows == evaluation->capacity)
		grow(evaluation);
	if (evaluation->probability != NULL)
		probability = evaluation->probability + evaluation->n_rows * evaluation->n_labels;
	aiaas_check_input(example->text_len);
	INSTR_TIME_SET_CURRENT(start);
	aiaas_engine_run(evaluation->engine, probability, &best, example->text, example->text_len);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, start);
	evaluation->model_time += (int64) (INSTR_TIME_GET_DOUBLE(end) * 1e9);
	aiaas_activity_rows(1);
	evaluation->truth[evaluation->n_rows] =
		aiaas_labels_add(evaluation->labels, example->label, example->label_len);
	evaluation->predicted[evaluation->n_rows] = best;
	evaluation->n_rows++;
	check_label_count(evaluation);
}

static void
count_evaluation(const AiaasEvaluation *evaluation)
{
	aiaas_stats_add(&evaluation->key, &(AiaasCounts) {
		.calls = 1, .rows = evaluation->n_rows, .batches = evaluation->n_rows,
		.distinct = evaluation->n_rows, .model_time = evaluation->model_time
	});
}

void
aiaas_evaluate(AiaasEvaluation *evaluation, const char *function, const char *reference,
			   const char *query, const char *target, bool with_probabilities)
{
	const AiaasModel *model = aiaas_model_resolve(reference, AIAAS_USE);
	AiaasQuery	examples;

	MemSet(evaluation, 0, sizeof(AiaasEvaluation));
	evaluation->key = (AiaasStatsKey) {model->id, model->version, function};
	aiaas_activity_begin(function, model->name, model->version);
	aiaas_activity_model(model->id);
	open_evaluation(evaluation, model, with_probabilities);
	aiaas_query_open(&examples, query, target);
	aiaas_query_run(&examples, answer_example, evaluation);
	aiaas_query_close(&examples);
	count_evaluation(evaluation);
	aiaas_activity_end();
	if (evaluation->n_rows == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("the query has no rows to evaluate the model on")));
}

void
aiaas_evaluation_measure(const AiaasEvaluation *evaluation, AiClassMetrics *metrics)
{
	const AiHost *host = aiaas_host_create(CurrentMemoryContext);
	int32	   *truth = MemoryContextAllocHuge(CurrentMemoryContext,
											   evaluation->n_rows * sizeof(int32));
	AiError		err;

	/* To the metrics, labels that the model does not know are one. */
	for (int64 i = 0; i < evaluation->n_rows; i++)
		truth[i] = evaluation->truth[i] < evaluation->n_labels ? evaluation->truth[i] : -1;
	AIAAS_CHECK(ai_metrics_classify(metrics, NULL, truth, evaluation->predicted,
									evaluation->probability, evaluation->n_rows,
									evaluation->n_labels, host, &err), &err);
}
