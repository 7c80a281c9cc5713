/*-------------------------------------------------------------------------
 * trainer.c
 *		The stages of a run: check, read, learn, store.
 *
 * Until the last stage nothing is written and no model is locked, so a run that
 * fails, is cancelled or dies leaves nothing behind, and a long one blocks
 * nobody.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/jobs/trainer.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "core/model/text_classifier.h"
#include "lib/stringinfo.h"
#include "portability/instr_time.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/engine/features.h"
#include "pg/host/compat.h"
#include "pg/host/datum.h"
#include "pg/host/guc.h"
#include "pg/host/host.h"
#include "pg/host/json.h"
#include "pg/host/raise.h"
#include "pg/jobs/gate.h"
#include "pg/jobs/limits.h"
#include "pg/stats/stats.h"

#define METRIC "macro_f1"
#define ROWS_PER_LOOK 100		/* by others, at how far reading has come */

typedef struct TrainRun
{
	/* Settings */
	const AiaasTrainRequest *request;
	AiaasTrainResult *result;	/* borrowed, filled at the end */
	AiaasTrainOptions options;
	const char *algorithm;
	instr_time	start;

	/* Reading */
	AiaasQuery	query;
	AiaasGate	gate;

	/* Learning */
	const AiHost *host;
	AiTextTrainer *trainer;		/* destroyed with the host's context */
	MemoryContextCallback destroy;
} TrainRun;

/*
 * Check
 */

/* 'auto' is what fits the columns; so far one algorithm does. */
static const char *
choose_algorithm(const char *name)
{
	static const char *const algorithms[] = {"auto", "text"};

	for (int i = 0; i < (int) lengthof(algorithms); i++)
		if (strcmp(name, algorithms[i]) == 0)
			return "text";
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no algorithm \"%s\"", name),
			 errhint("The algorithms are \"auto\" and \"text\".")));
	return NULL;
}

static void
destroy_trainer(void *arg)
{
	TrainRun   *run = arg;

	ai_text_trainer_destroy(run->trainer);
	run->trainer = NULL;
}

/* Called while the core works */
static void
show_progress(void *arg)
{
	TrainRun   *run = arg;
	AiProgress	progress;

	ai_text_trainer_progress(run->trainer, &progress);
	aiaas_activity_progress(&progress);
}

/* All is learnt; how long it takes to store it is not guessed. */
static void
show_storing(TrainRun *run)
{
	AiProgress	progress;

	ai_text_trainer_progress(run->trainer, &progress);
	progress.phase = "storing";
	progress.share = 1;
	progress.seconds_left = -1;
	aiaas_activity_progress(&progress);
}

/* Its threads must end before its memory goes, on whatever way we leave. */
static void
create_trainer(TrainRun *run)
{
	AiError		err;

	run->host = aiaas_host_create(CurrentMemoryContext);
	AIAAS_CHECK(ai_text_trainer_create(&run->trainer, run->host, &run->options.text,
									   aiaas_n_threads(),
									   (size_t) aiaas_max_train_memory * 1024 * 1024,
									   &err), &err);
	run->destroy.func = destroy_trainer;
	run->destroy.arg = run;
	MemoryContextRegisterResetCallback(aiaas_host_context(run->host), &run->destroy);
	aiaas_host_watch(run->host, show_progress, run);
}

/*
 * Read
 */
static void
learn_example(void *ud, const AiaasExample *example)
{
	TrainRun   *run = ud;
	bool		is_validation;
	AiError		err;

	AIAAS_CHECK(ai_text_trainer_add(run->trainer, &is_validation,
									example->text, example->text_len,
									example->label, example->label_len, &err), &err);
	if (is_validation)
		aiaas_gate_add(&run->gate, example);
	aiaas_activity_rows(1);
	if (run->query.n_rows % ROWS_PER_LOOK == 0)
		show_progress(run);
}

static void
read_rows(TrainRun *run)
{
	ai_text_trainer_expect(run->trainer, (int64) aiaas_select_n_rows(&run->query.select));
	show_progress(run);
	aiaas_query_run(&run->query, learn_example, run);
	if (run->query.n_null_rows > 0)
		ereport(NOTICE,
				(errmsg_plural("%lld row with a null text or target was left out",
							   "%lld rows with a null text or target were left out",
							   (unsigned long) run->query.n_null_rows,
							   (long long) run->query.n_null_rows)));
}

/*
 * Store
 */
static ArrayType *
label_array(const TrainRun *run)
{
	int			n_labels = ai_text_trainer_report(run->trainer)->n_labels;
	Datum	   *labels = palloc(n_labels * sizeof(Datum));

	for (int i = 0; i < n_labels; i++)
	{
		size_t		len;
		int64_t		n_rows;
		const char *label = ai_text_trainer_label(run->trainer, i, &len, &n_rows);

		labels[i] = PointerGetDatum(aiaas_utf8_to_text(label, len));
	}
	return construct_array(labels, n_labels, TEXTOID, -1, false, TYPALIGN_INT);
}

static void
put_prf(AiaasJson *json, const char *average, const AiPrf *prf)
{
	aiaas_json_float(json, psprintf("precision_%s", average), prf->precision);
	aiaas_json_float(json, psprintf("recall_%s", average), prf->recall);
	aiaas_json_float(json, psprintf("f1_%s", average), prf->f1);
}

static void
put_metrics(AiaasJson *json, const char *key, const AiClassMetrics *metrics)
{
	aiaas_json_begin(json, key);
	aiaas_json_int(json, "rows", metrics->n);
	aiaas_json_float(json, "accuracy", metrics->accuracy);
	aiaas_json_float(json, "balanced_accuracy", metrics->balanced_accuracy);
	put_prf(json, "macro", &metrics->macro);
	put_prf(json, "micro", &metrics->micro);
	put_prf(json, "weighted", &metrics->weighted);
	aiaas_json_float(json, "matthews", metrics->matthews);
	aiaas_json_float(json, "log_loss", metrics->log_loss);
	aiaas_json_float(json, "roc_auc", metrics->roc_auc);
	aiaas_json_float(json, "calibration_error", metrics->calibration_error);
	aiaas_json_end(json);
}

/* Rows per label, in the order of the labels */
static void
put_label_rows(AiaasJson *json, const TrainRun *run, int n_labels)
{
	aiaas_json_begin_array(json, "label_rows");
	for (int i = 0; i < n_labels; i++)
	{
		size_t		len;
		int64_t		n_rows;

		ai_text_trainer_label(run->trainer, i, &len, &n_rows);
		aiaas_json_int(json, NULL, n_rows);
	}
	aiaas_json_end_array(json);
}

static Jsonb *
metrics_json(const TrainRun *run)
{
	const AiTextReport *report = ai_text_trainer_report(run->trainer);
	AiaasJson	json = {0};

	aiaas_json_begin(&json, NULL);
	aiaas_json_bool(&json, "is_cross_validated", report->is_cross_validated);
	put_metrics(&json, "train", &report->train);
	if (report->validation.n > 0)
		put_metrics(&json, "validation", &report->validation);
	put_label_rows(&json, run, report->n_labels);
	aiaas_json_float(&json, "l2", report->l2);
	aiaas_json_float(&json, "temperature", report->temperature);
	aiaas_json_int(&json, "epochs", report->n_epochs);
	aiaas_json_bool(&json, "has_converged", report->has_converged);
	aiaas_json_int(&json, "peak_memory", (int64) report->peak_memory);
	aiaas_json_end(&json);
	return aiaas_json_finish(&json);
}

static Jsonb *
lineage_json(const TrainRun *run, const AiaasModelLock *lock)
{
	AiaasJson	json = {0};

	aiaas_json_begin(&json, NULL);
	aiaas_json_string(&json, "query", run->query.sql);
	aiaas_json_string(&json, "target", run->query.target.name);
	aiaas_json_string(&json, "target_type", format_type_be(run->query.target.type));
	aiaas_json_int(&json, "rows", run->query.n_rows);
	aiaas_json_int(&json, "null_rows", run->query.n_null_rows);
	aiaas_json_string(&json, "user", GetUserNameFromId(GetUserId(), false));
	aiaas_json_string(&json, "server_version", GetConfigOption("server_version", false, false));
	if (lock->deployed > 0)
		aiaas_json_int(&json, "parent", lock->deployed);
	aiaas_json_end(&json);
	return aiaas_json_finish(&json);
}

static int64
elapsed_microseconds(const TrainRun *run)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, run->start);
	return (int64) INSTR_TIME_GET_MICROSEC(now);
}

static void
store_version(const TrainRun *run, const AiaasModelLock *lock, const AiaasTrainResult *result)
{
	AiaasNewVersion version = {
		.algorithm = result->algorithm,
		.kind = AI_TEXT_CLASSIFIER_KIND,
		.task = "classification",
		.options = aiaas_options_to_jsonb(&run->options),
		.labels = label_array(run),
		.features = aiaas_features_create(run->query.text.name, run->query.text.type,
										  ai_text_trainer_report(run->trainer)->n_features),
		.metrics = metrics_json(run),
		.lineage = lineage_json(run, lock),
		.n_train_rows = result->n_train_rows,
		.n_validation_rows = result->n_validation_rows,
		.metric = result->metric,
		.train_score = result->train_score,
		.validation_score = result->validation_score,
		.duration = result->duration / 1e6
	};

	version.bytes = ai_text_trainer_model(run->trainer, &version.n_bytes);
	aiaas_version_store(lock, &version, result->is_deployed);
}

/* The best so far is a valid model, but whoever reads its score should know. */
static void
notice_stopped(const TrainRun *run)
{
	double		max_time = run->options.text.max_time;

	if (max_time > 0 && elapsed_microseconds(run) >= max_time * 1e6 &&
		!ai_text_trainer_report(run->trainer)->has_converged)
		ereport(NOTICE,
				(errmsg("training stopped at the best so far because max_time is %g s",
						max_time)));
}

static void
finish_run(TrainRun *run)
{
	AiaasTrainResult *result = run->result;
	const AiTextReport *report = ai_text_trainer_report(run->trainer);
	AiaasModelLock lock;
	size_t		n_bytes;

	show_storing(run);
	notice_stopped(run);
	(void) ai_text_trainer_model(run->trainer, &n_bytes);
	aiaas_check_model_size(n_bytes);
	aiaas_model_lock(&lock, run->request->model);
	strlcpy(result->model, lock.name, sizeof(result->model));
	result->version = lock.version;
	result->algorithm = run->algorithm;
	result->n_train_rows = report->n_train_rows;
	result->n_validation_rows = report->n_validation_rows;
	result->metric = METRIC;
	result->train_score = report->train.n > 0 ? report->train.macro.f1 : NAN;
	result->validation_score = report->validation.n > 0 ? report->validation.macro.f1 : NAN;
	result->is_deployed = aiaas_gate_decide(&run->gate, &lock, result->validation_score);
	result->duration = elapsed_microseconds(run);
	store_version(run, &lock, result);
}

static void
run_training(void *arg)
{
	TrainRun   *run = arg;
	const AiaasTrainRequest *request = run->request;
	AiError		err;

	INSTR_TIME_SET_CURRENT(run->start);
	aiaas_activity_begin("ai_train", request->model, 0);
	aiaas_model_check_trainable(request->model);
	run->algorithm = choose_algorithm(request->algorithm);
	aiaas_options_parse(&run->options, request->options);
	aiaas_gate_open(&run->gate, request->model, &run->options);
	create_trainer(run);

	aiaas_query_open(&run->query, request->query, request->target);
	read_rows(run);
	AIAAS_CHECK(ai_text_trainer_fit(run->trainer, &err), &err);
	aiaas_host_check(run->host);
	finish_run(run);
	aiaas_query_close(&run->query);
	aiaas_activity_end();
}

void
aiaas_train(AiaasTrainResult *result, const AiaasTrainRequest *request)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "aiaas train",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	TrainRun   *run = palloc0(sizeof(TrainRun));

	run->request = request;
	run->result = result;
	aiaas_require_writable("ai_train()");
	aiaas_run_in_time(run_training, run);

	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
}
