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

#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/host/compat.h"
#include "pg/host/host.h"
#include "pg/host/raise.h"
#include "pg/jobs/limits.h"
#include "pg/jobs/trainer_internal.h"
#include "pg/stats/stats.h"

#define ROWS_PER_LOOK 100		/* by others, at how far reading has come */

/*
 * Check
 */

static const AiaasAlgorithm *const algorithms[] = {&aiaas_train_network, &aiaas_train_text};

/* 'auto': layers are what only a network has. */
static const AiaasAlgorithm *
choose_algorithm(const AiaasTrainRequest *request)
{
	const char *name = request->algorithm;

	if (strcmp(name, "auto") == 0)
		return aiaas_json_member(request->options, "layers") != NULL ? &aiaas_train_network :
			&aiaas_train_text;
	for (int i = 0; i < (int) lengthof(algorithms); i++)
	{
		if (strcmp(name, algorithms[i]->name) == 0)
			return algorithms[i];
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no algorithm \"%s\"", name),
			 errhint("The algorithms are \"auto\", \"network\" and \"text\".")));
	return NULL;
}

static void
destroy_state(void *arg)
{
	AiaasTrainRun *run = arg;

	run->algorithm->destroy(run->state);
	run->state = NULL;
}

/* Threads of the core's trainer must end before its memory goes, on whatever way we leave. */
static void
create_host(AiaasTrainRun *run)
{
	run->host = aiaas_host_create(run->context);
	run->destroy.func = destroy_state;
	run->destroy.arg = run;
	MemoryContextRegisterResetCallback(aiaas_host_context(run->host), &run->destroy);
}

/* Called while the core works */
static void
show_progress(void *arg)
{
	AiaasTrainRun *run = arg;
	AiProgress	progress;

	run->algorithm->progress(run, &progress);
	aiaas_activity_progress(&progress);
}

void
aiaas_train_watch(AiaasTrainRun *run)
{
	aiaas_host_watch(run->host, show_progress, run);
}

void
aiaas_train_show(AiaasTrainRun *run)
{
	show_progress(run);
}

void
aiaas_train_count_row(AiaasTrainRun *run)
{
	run->n_rows++;
	aiaas_activity_rows(1);
	if (run->n_rows % ROWS_PER_LOOK == 0)
		show_progress(run);
}

int64
aiaas_train_elapsed(const AiaasTrainRun *run)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, run->start);
	return (int64) INSTR_TIME_GET_MICROSEC(now);
}

/*
 * Store
 */
static void
put_prf(AiaasJson *json, const char *average, const AiPrf *prf)
{
	aiaas_json_float(json, psprintf("precision_%s", average), prf->precision);
	aiaas_json_float(json, psprintf("recall_%s", average), prf->recall);
	aiaas_json_float(json, psprintf("f1_%s", average), prf->f1);
}

void
aiaas_put_class_metrics(AiaasJson *json, const char *key, const AiClassMetrics *metrics)
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

/* All is learnt; how long it takes to store it is not guessed. */
static void
show_storing(const AiaasTrainRun *run)
{
	AiProgress	progress;

	run->algorithm->progress(run, &progress);
	progress.phase = "storing";
	progress.share = 1;
	progress.seconds_left = -1;
	aiaas_activity_progress(&progress);
}

/* The best so far is a valid model, but whoever reads its score should know. */
static void
notice_stopped(const AiaasTrainRun *run)
{
	if (run->algorithm->was_stopped(run))
		ereport(NOTICE,
				(errmsg("training stopped at the best so far because max_time is %g s",
						run->max_time)));
}

static Jsonb *
lineage_json(const AiaasTrainRun *run, const AiaasModelLock *lock)
{
	AiaasJson	json = {0};

	aiaas_json_begin(&json, NULL);
	aiaas_json_string(&json, "query", run->request->query);
	aiaas_json_string(&json, "target", run->target);
	aiaas_json_string(&json, "target_type", format_type_be(run->target_type));
	aiaas_json_int(&json, "rows", run->n_rows);
	run->algorithm->put_lineage(run, &json);
	aiaas_json_string(&json, "user", GetUserNameFromId(GetUserId(), false));
	aiaas_json_string(&json, "server_version", GetConfigOption("server_version", false, false));
	if (lock->deployed > 0)
		aiaas_json_int(&json, "parent", lock->deployed);
	aiaas_json_end(&json);
	return aiaas_json_finish(&json);
}

static void
fill_result(AiaasTrainResult *result, const AiaasModelLock *lock,
			const AiaasNewVersion *version, bool is_deployed)
{
	strlcpy(result->model, lock->name, sizeof(result->model));
	result->version = lock->version;
	result->algorithm = version->algorithm;
	result->n_train_rows = version->n_train_rows;
	result->n_validation_rows = version->n_validation_rows;
	result->metric = version->metric;
	result->train_score = version->train_score;
	result->validation_score = version->validation_score;
	result->is_deployed = is_deployed;
}

static void
store_version(AiaasTrainRun *run)
{
	AiaasNewVersion version = {
		.algorithm = run->algorithm->name,
		.kind = run->algorithm->kind
	};
	AiaasModelLock lock;
	bool		is_deployed;

	show_storing(run);
	notice_stopped(run);
	run->algorithm->describe(run, &version);
	aiaas_check_model_size(version.n_bytes);
	aiaas_model_lock(&lock, run->request->model);
	version.lineage = lineage_json(run, &lock);
	is_deployed = aiaas_gate_decide(&run->gate, &lock, version.metric,
									version.validation_score);
	fill_result(run->result, &lock, &version, is_deployed);
	run->result->duration = aiaas_train_elapsed(run);
	version.duration = run->result->duration / 1e6;
	aiaas_version_store(&lock, &version, is_deployed);
}

static void
run_training(void *arg)
{
	AiaasTrainRun *run = arg;
	AiError		err;

	INSTR_TIME_SET_CURRENT(run->start);
	aiaas_activity_begin("ai_train", run->request->model, 0);
	aiaas_model_check_trainable(run->request->model);
	run->algorithm = choose_algorithm(run->request);
	create_host(run);
	run->algorithm->begin(run);
	show_progress(run);
	run->algorithm->read(run);
	AIAAS_CHECK(run->algorithm->fit(run, &err), &err);
	aiaas_host_check(run->host);
	store_version(run);
	run->algorithm->end(run);
	aiaas_activity_end();
}

void
aiaas_train(AiaasTrainResult *result, const AiaasTrainRequest *request)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "aiaas train",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	AiaasTrainRun *run = palloc0(sizeof(AiaasTrainRun));

	run->request = request;
	run->result = result;
	run->context = context;
	aiaas_require_writable("ai_train()");
	aiaas_run_in_time(run_training, run);

	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
}
