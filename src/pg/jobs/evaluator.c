/*-------------------------------------------------------------------------
 * evaluator.c
 *		A model's answers beside the truth.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/jobs/evaluator.h"

#include "core/model/network_batch.h"
#include "core/train/training_options.h"
#include "utils/memutils.h"

#include "pg/engine/batch.h"
#include "pg/engine/input.h"
#include "pg/engine/kind.h"
#include "pg/host/guc.h"
#include "pg/host/host.h"
#include "pg/host/raise.h"

#define FIRST_CAPACITY 1024
#define MEGABYTE ((Size) 1024 * 1024)

/* Rows that are computed together */
#define MAX_WAITING 1024
#define MAX_WAITING_BYTES (4 * MEGABYTE)

/*
 * Room for answers
 */

/* One answer of labels or values is a row of numbers, of others a label. */
static bool
gives_numbers(const AiaasEvaluation *evaluation)
{
	return evaluation->width > 0;
}

static Size
answer_size(const AiaasEvaluation *evaluation)
{
	if (gives_numbers(evaluation))
		return 2 * evaluation->width * sizeof(float);
	return 2 * sizeof(int32) +
		(evaluation->probability != NULL ? evaluation->n_labels * sizeof(double) : 0);
}

static void
make_room(AiaasEvaluation *evaluation, bool with_probabilities)
{
	evaluation->capacity = FIRST_CAPACITY;
	if (gives_numbers(evaluation))
	{
		Size		size = evaluation->capacity * evaluation->width * sizeof(float);

		evaluation->given = MemoryContextAllocHuge(CurrentMemoryContext, size);
		evaluation->answered = MemoryContextAllocHuge(CurrentMemoryContext, size);
		return;
	}
	evaluation->truth = palloc(evaluation->capacity * sizeof(int32));
	evaluation->predicted = palloc(evaluation->capacity * sizeof(int32));
	if (with_probabilities)
		evaluation->probability = MemoryContextAllocHuge(CurrentMemoryContext,
														 evaluation->capacity *
														 evaluation->n_labels * sizeof(double));
}

static void
grow(AiaasEvaluation *evaluation)
{
	int64		capacity = evaluation->capacity * 2;
	Size		need = capacity * answer_size(evaluation);

	if (need > aiaas_max_train_memory * MEGABYTE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the query has too many rows to evaluate the model on"),
				 errdetail("More than %lld rows with %d labels need %zu MB, "
						   "and aiaas.max_train_memory is %d MB.",
						   (long long) evaluation->capacity,
						   Max(evaluation->n_labels, evaluation->width),
						   need / MEGABYTE + 1, aiaas_max_train_memory),
				 errhint("Evaluate a sample of the rows, for example with TABLESAMPLE or LIMIT.")));

	evaluation->capacity = capacity;
	if (gives_numbers(evaluation))
	{
		Size		size = capacity * evaluation->width * sizeof(float);

		evaluation->given = repalloc_huge(evaluation->given, size);
		evaluation->answered = repalloc_huge(evaluation->answered, size);
		return;
	}
	evaluation->truth = repalloc_huge(evaluation->truth, capacity * sizeof(int32));
	evaluation->predicted = repalloc_huge(evaluation->predicted, capacity * sizeof(int32));
	if (evaluation->probability != NULL)
		evaluation->probability = repalloc_huge(evaluation->probability,
												capacity * evaluation->n_labels *
												sizeof(double));
}

/* The number of the next answer */
static int64
add_answer(AiaasEvaluation *evaluation)
{
	if (evaluation->n == evaluation->capacity)
		grow(evaluation);
	return evaluation->n++;
}

/*
 * Opening
 */
static AiNetworkTask
task_of(const AiaasEngine *engine, const AiaasModel *model)
{
	static const AiNetworkTask tasks[AIAAS_N_TASKS] = {
		[AIAAS_TASK_CLASSES] = AI_NETWORK_CLASSES,
		[AIAAS_TASK_LABELS] = AI_NETWORK_LABELS,
		[AIAAS_TASK_VALUES] = AI_NETWORK_VALUES,
		[AIAAS_TASK_STEPS] = AI_NETWORK_STEPS
	};
	AiaasTask	task = aiaas_engine_task(engine);

	if (task == AIAAS_TASK_EMBEDDING)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("model \"%s\" gives embeddings, which cannot be compared with a target",
						model->name),
				 errhint("Train a classifier on them: ai_train(..., options => "
						 "'{\"embedder\": \"%s\"}').", model->name)));
	return tasks[task];
}

static void
prepare_waiting(AiaasEvaluation *evaluation)
{
	if (evaluation->task == AI_NETWORK_VALUES)
		evaluation->width = (int) aiaas_engine_n_numbers(evaluation->engine, AI_NETWORK_ANSWER);

	/* The last number stands for labels that the model does not know. */
	else if (evaluation->task == AI_NETWORK_LABELS)
		evaluation->width = evaluation->n_labels + 1;
	evaluation->waiting = AllocSetContextCreate(CurrentMemoryContext, "aiaas waiting rows",
												ALLOCSET_DEFAULT_SIZES);
	evaluation->inputs = palloc(MAX_WAITING * sizeof(AiInput));
	evaluation->truths = palloc(MAX_WAITING * sizeof(AiaasTruth));
}

void
aiaas_evaluation_open(AiaasEvaluation *evaluation, const AiaasModel *model,
					  bool with_probabilities)
{
	MemSet(evaluation, 0, sizeof(AiaasEvaluation));
	evaluation->engine = aiaas_engine_acquire(model);
	evaluation->network = aiaas_engine_network(evaluation->engine);
	evaluation->waits = evaluation->network != NULL ||
		aiaas_engine_encoder(evaluation->engine) != NULL;
	evaluation->task = task_of(evaluation->engine, model);
	evaluation->n_labels = aiaas_engine_n_labels(evaluation->engine);
	evaluation->labels = aiaas_labels_create();
	for (int i = 0; i < evaluation->n_labels; i++)
	{
		size_t		len;
		const char *label = aiaas_engine_utf8_label(evaluation->engine, i, &len);

		aiaas_labels_add(evaluation->labels, label, len);
	}
	if (evaluation->waits)
		prepare_waiting(evaluation);
	make_room(evaluation, with_probabilities);
}

/*
 * Rows
 */

/* Every row a label of its own is a mistake in the choice of the target. */
static int
number_label(AiaasEvaluation *evaluation, const char *label, size_t len)
{
	int			number = aiaas_labels_add(evaluation->labels, label, len);

	if (number - evaluation->n_labels >= AI_TEXT_MAX_LABELS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the target has more than %d labels that the model does not know",
						AI_TEXT_MAX_LABELS),
				 errhint("Check that the target is the column of the labels.")));
	return number;
}

void
aiaas_evaluation_add_text(AiaasEvaluation *evaluation, const AiaasExample *example)
{
	int64		number = add_answer(evaluation);
	AiInput		input = {.bytes = example->text, .len = example->text_len};
	const AiRequest request = {.layer = AI_NETWORK_ANSWER};
	AiError		err;

	if (evaluation->probability != NULL)
		input.probability = evaluation->probability + number * evaluation->n_labels;
	aiaas_engine_run_many(evaluation->engine, &input, 1, &request, &evaluation->counts, &err);
	if (input.code != AI_OK)
		aiaas_raise(&err);
	evaluation->truth[number] = number_label(evaluation, example->label, example->label_len);
	evaluation->predicted[number] = input.best;
	evaluation->n_rows++;
}

/* One label, of a row or a step */
static void
take_label(AiaasEvaluation *evaluation, int32 truth, const float *answer)
{
	int64		number = add_answer(evaluation);
	int			n_labels = evaluation->n_labels;

	evaluation->truth[number] = truth;
	evaluation->predicted[number] = ai_network_best(answer, n_labels);
	for (int i = 0; evaluation->probability != NULL && i < n_labels; i++)
		evaluation->probability[number * n_labels + i] = answer[i];
}

static void
take_answer(AiaasEvaluation *evaluation, const AiaasTruth *truth, const float *answer)
{
	int			width = evaluation->width;
	int64		number;

	if (!gives_numbers(evaluation))
	{
		for (size_t i = 0; i < truth->n; i++)
		{
			if (truth->labels[i] >= 0)
				take_label(evaluation, truth->labels[i], answer + i * evaluation->n_labels);
		}
		return;
	}
	number = add_answer(evaluation);
	memcpy(evaluation->given + number * width, truth->numbers, width * sizeof(float));
	memcpy(evaluation->answered + number * width, answer,
		   (evaluation->n_labels > 0 ? evaluation->n_labels : width) * sizeof(float));
	if (evaluation->n_labels > 0)
		evaluation->answered[(number + 1) * width - 1] = 0;
}

static void
run_waiting(AiaasEvaluation *evaluation)
{
	MemoryContext caller = MemoryContextSwitchTo(evaluation->waiting);
	const AiRequest request = {.layer = AI_NETWORK_ANSWER};
	AiError		err;

	if (evaluation->n_waiting > 0)
		aiaas_engine_run_many(evaluation->engine, evaluation->inputs, evaluation->n_waiting,
							  &request, &evaluation->counts, &err);
	for (size_t i = 0; i < evaluation->n_waiting; i++)
	{
		const AiInput *input = &evaluation->inputs[evaluation->inputs[i].same_as];

		if (input->code != AI_OK)
			aiaas_engine_raise(evaluation->engine, input, &request);
		take_answer(evaluation, &evaluation->truths[i], input->answer);
	}
	evaluation->n_waiting = 0;
	evaluation->n_waiting_bytes = 0;
	MemoryContextSwitchTo(caller);
	MemoryContextReset(evaluation->waiting);
}

/* Labels by their numbers */
static AiCode
keep_labels(AiaasEvaluation *evaluation, AiaasTruth *truth, const AiNetworkExample *example,
			AiError *err)
{
	size_t		n_places = evaluation->network != NULL ?
		ai_network_n_places(evaluation->network) : 1;
	int32	   *labels;

	if (example->n_labels != n_places)
		return ai_fail(err, AI_ERR_DATA, "the row has a target of %zu labels instead of %zu",
					   example->n_labels, n_places);
	labels = MemoryContextAlloc(evaluation->waiting, example->n_labels * sizeof(int32) + 1);
	for (size_t i = 0; i < example->n_labels; i++)
	{
		const AiNetworkLabel *label = &example->labels[i];

		labels[i] = label->text == NULL ? -1 : number_label(evaluation, label->text, label->len);
	}
	*truth = (AiaasTruth) {.n = example->n_labels, .labels = labels};
	return AI_OK;
}

/* A set of labels as 0 and 1 */
static void
keep_set(AiaasEvaluation *evaluation, AiaasTruth *truth, const AiNetworkExample *example)
{
	float	   *numbers = MemoryContextAllocZero(evaluation->waiting,
												 evaluation->width * sizeof(float));

	for (size_t i = 0; i < example->n_labels; i++)
	{
		int			number = number_label(evaluation, example->labels[i].text,
										  example->labels[i].len);

		numbers[Min(number, evaluation->n_labels)] = 1;
	}
	*truth = (AiaasTruth) {.n = evaluation->width, .numbers = numbers};
}

static AiCode
keep_values(AiaasEvaluation *evaluation, AiaasTruth *truth, const AiNetworkExample *example,
			AiError *err)
{
	float	   *numbers;

	if (example->n_values != (size_t) evaluation->width)
		return ai_fail(err, AI_ERR_DATA, "the row has a target of length %zu instead of %d",
					   example->n_values, evaluation->width);
	numbers = MemoryContextAlloc(evaluation->waiting, example->n_values * sizeof(float));
	memcpy(numbers, example->values, example->n_values * sizeof(float));
	*truth = (AiaasTruth) {.n = example->n_values, .numbers = numbers};
	return AI_OK;
}

AiCode
aiaas_evaluation_add(AiaasEvaluation *evaluation, const AiNetworkExample *example, AiError *err)
{
	AiaasTruth *truth;
	size_t		len = example->input.len;
	void	   *bytes;

	if (!evaluation->waits)
	{
		aiaas_evaluation_add_text(evaluation, &(AiaasExample) {
								  example->input.bytes, len,
								  example->labels->text, example->labels->len});
		return AI_OK;
	}
	truth = &evaluation->truths[evaluation->n_waiting];
	if (evaluation->network != NULL)
		AI_TRY(ai_network_check(evaluation->network, &example->input, err));
	if (evaluation->task == AI_NETWORK_VALUES)
		AI_TRY(keep_values(evaluation, truth, example, err));
	else if (evaluation->task == AI_NETWORK_LABELS)
		keep_set(evaluation, truth, example);
	else
		AI_TRY(keep_labels(evaluation, truth, example, err));
	bytes = MemoryContextAllocHuge(evaluation->waiting, len + 1);
	memcpy(bytes, example->input.bytes, len);
	evaluation->inputs[evaluation->n_waiting++] = (AiInput) {.bytes = bytes, .len = len};
	evaluation->n_waiting_bytes += len;
	evaluation->n_rows++;
	if (evaluation->n_waiting == MAX_WAITING || evaluation->n_waiting_bytes >= MAX_WAITING_BYTES)
		run_waiting(evaluation);
	return AI_OK;
}

void
aiaas_evaluation_finish(AiaasEvaluation *evaluation)
{
	if (evaluation->waits)
		run_waiting(evaluation);
}

/*
 * A query's rows
 */
static void
answer_text(void *ud, const AiaasExample *example)
{
	aiaas_check_input(example->text_len, true);
	aiaas_evaluation_add_text(ud, example);
	aiaas_activity_rows(1);
}

static AiCode
answer_row(void *ud, const AiNetworkExample *example, AiError *err)
{
	AI_TRY(aiaas_evaluation_add(ud, example, err));
	aiaas_activity_rows(1);
	return AI_OK;
}

static void
evaluate_texts(AiaasEvaluation *evaluation, const char *sql, const char *target)
{
	AiaasQuery	examples;

	aiaas_query_open(&examples, sql, target);
	aiaas_query_run(&examples, answer_text, evaluation);
	aiaas_query_close(&examples);
}

static void
evaluate_rows(AiaasEvaluation *evaluation, const AiaasModel *model, const char *sql,
			  const char *target)
{
	AiNetworkInput input = evaluation->network != NULL ?
		ai_network_parts(evaluation->network)->input : AI_NETWORK_WORDS;
	AiaasNetworkQuery query;

	aiaas_network_query_open(&query, sql, target, &evaluation->task, AI_LOSS_AUTO,
							 AIAAS_BAD_ROWS_SKIP_NULLS);
	if (query.input != input)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("model \"%s\" reads %s, and the query has %s", model->name,
						aiaas_network_input_name(input), aiaas_network_input_name(query.input)),
				 errdetail("%s", aiaas_select_columns(&query.select))));
	aiaas_network_query_run(&query, answer_row, evaluation);
	aiaas_evaluation_finish(evaluation);
	aiaas_network_query_close(&query);
}

static void
check_confusable(const AiaasEvaluation *evaluation, const AiaasModel *model)
{
	if (gives_numbers(evaluation))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("there is no confusion matrix of model \"%s\"", model->name),
				 errdetail("Its task is %s: it does not give one label.", model->task),
				 errhint("Use ai_evaluate().")));
}

void
aiaas_evaluate(AiaasEvaluation *evaluation, const char *function, const char *reference,
			   const char *query, const char *target, AiaasEvaluationUse use)
{
	const AiaasModel *model = aiaas_model_resolve(reference, AIAAS_USE);

	aiaas_activity_begin(function, model->name, model->version);
	aiaas_activity_model(model->id);
	aiaas_evaluation_open(evaluation, model, use == AIAAS_FOR_METRICS);
	if (use == AIAAS_FOR_CONFUSION)
		check_confusable(evaluation, model);
	evaluation->key = (AiaasStatsKey) {model->id, model->version, function};
	if (!evaluation->waits)
		evaluate_texts(evaluation, query, target);
	else
		evaluate_rows(evaluation, model, query, target);
	evaluation->counts.calls = 1;
	aiaas_stats_add(&evaluation->key, &evaluation->counts);
	aiaas_activity_end();
	if (evaluation->n_rows == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("the query has no rows to evaluate the model on")));
}

/*
 * Measures
 */
static bool
has_unknown_labels(const AiaasEvaluation *evaluation)
{
	return aiaas_labels_count(evaluation->labels) > evaluation->n_labels;
}

void
aiaas_evaluation_measure(const AiaasEvaluation *evaluation, AiClassMetrics *metrics)
{
	const AiHost *host = aiaas_host_create(CurrentMemoryContext);
	int32	   *truth = MemoryContextAllocHuge(CurrentMemoryContext,
											   evaluation->n * sizeof(int32) + 1);
	AiError		err;

	/* To the metrics, labels that the model does not know are one. */
	for (int64 i = 0; i < evaluation->n; i++)
		truth[i] = evaluation->truth[i] < evaluation->n_labels ? evaluation->truth[i] : -1;
	AIAAS_CHECK(ai_metrics_classify(metrics, NULL, truth, evaluation->predicted,
									evaluation->probability, evaluation->n,
									evaluation->n_labels, host, &err), &err);
}

void
aiaas_evaluation_measure_labels(const AiaasEvaluation *evaluation, AiLabelsMetrics *metrics)
{
	const AiHost *host = aiaas_host_create(CurrentMemoryContext);
	AiError		err;

	AIAAS_CHECK(ai_metrics_labels(metrics, evaluation->given, evaluation->answered,
								  evaluation->n, evaluation->width,
								  evaluation->width - !has_unknown_labels(evaluation),
								  host, &err), &err);
}

void
aiaas_evaluation_measure_values(const AiaasEvaluation *evaluation, AiValueMetrics *metrics)
{
	const AiHost *host = aiaas_host_create(CurrentMemoryContext);
	AiError		err;

	AIAAS_CHECK(ai_metrics_regress(metrics, evaluation->given, evaluation->answered,
								   evaluation->n, evaluation->width, host, &err), &err);
}

double
aiaas_evaluation_score(const AiaasEvaluation *evaluation)
{
	const AiHost *host = aiaas_host_create(CurrentMemoryContext);
	AiClassMetrics classes;
	AiLabelsMetrics labels;
	AiValueMetrics values;
	AiError		err;

	switch (evaluation->task)
	{
		case AI_NETWORK_VALUES:
			aiaas_evaluation_measure_values(evaluation, &values);
			return values.r2;
		case AI_NETWORK_LABELS:
			aiaas_evaluation_measure_labels(evaluation, &labels);
			return labels.macro.f1;
		default:
			AIAAS_CHECK(ai_metrics_classify(&classes, NULL, evaluation->truth,
											evaluation->predicted, NULL, evaluation->n,
											aiaas_labels_count(evaluation->labels),
											host, &err), &err);
			return classes.macro.f1;
	}
}
