/*-------------------------------------------------------------------------
 * train_text.c
 *		What training a text classifier is: algorithm 'text'.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/jobs/trainer_internal.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "core/model/network_batch.h"
#include "core/model/text_classifier.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/engine/batch.h"
#include "pg/engine/features.h"
#include "pg/engine/texts.h"
#include "pg/host/compat.h"
#include "pg/host/datum.h"
#include "pg/host/guc.h"
#include "pg/host/raise.h"

#define METRIC "macro_f1"

typedef struct TextRun
{
	AiaasTrainRun *run;
	AiaasTrainOptions options;
	AiaasQuery	query;
	AiTextTrainer *trainer;
	AiaasModel *embedder;		/* NULL: none */
	AiaasEngine *embedder_engine;
} TextRun;

static TextRun *
state_of(const AiaasTrainRun *run)
{
	return run->state;
}

/* The user has to have the right to use it now; who uses the model later does not. */
static void
open_embedder(TextRun *state)
{
	AiaasTrainOptions *options = &state->options;
	const char *reference = options->embedder;

	if (!options->has_embedder)
		return;
	if (reference == NULL)
		reference = aiaas_default_model_get(AIAAS_DEFAULT_EMBEDDER);
	state->embedder = aiaas_model_resolve(reference, AIAAS_USE);
	state->embedder_engine = aiaas_engine_acquire(state->embedder);
	if (!aiaas_engine_embeds(state->embedder_engine, 0))
		aiaas_reject_encoder(state->embedder, "an embedder");
	options->embedder = psprintf("%s@%d", state->embedder->name, state->embedder->version);
	options->text.n_dense = (int) aiaas_engine_n_numbers(state->embedder_engine,
														 AI_NETWORK_ANSWER);
	memcpy(options->text.embedder, state->embedder->hash, AIAAS_HASH_SIZE);
}

static void
begin_text(AiaasTrainRun *run)
{
	TextRun    *state = palloc0(sizeof(TextRun));
	AiaasHeldOut held_out = {.input = AI_NETWORK_WORDS, .task = AI_NETWORK_CLASSES};
	AiError		err;

	state->run = run;
	run->state = state;
	aiaas_options_parse(&state->options, run->request->options);
	open_embedder(state);
	run->max_time = state->options.text.max_time;
	held_out.share = state->options.text.validation;
	aiaas_gate_open(&run->gate, run->request->model, state->options.deploy, &held_out);
	AIAAS_CHECK(ai_text_trainer_create(&state->trainer, run->host, &state->options.text,
									   aiaas_n_threads(),
									   (size_t) aiaas_max_train_memory * 1024 * 1024,
									   &err), &err);
	aiaas_train_watch(run);
	aiaas_query_open(&state->query, run->request->query, run->request->target);
	run->target = state->query.target.name;
	run->target_type = state->query.target.type;
}

static void
destroy_text(void *arg)
{
	TextRun    *state = arg;

	if (state != NULL)
		ai_text_trainer_destroy(state->trainer);
}

static void
show_text_progress(const AiaasTrainRun *run, AiProgress *progress)
{
	ai_text_trainer_progress(state_of(run)->trainer, progress);
}

static void
learn_example(void *ud, const AiaasExample *example)
{
	TextRun    *state = ud;
	bool		is_validation;
	AiError		err;

	AIAAS_CHECK(ai_text_trainer_add(state->trainer, &is_validation,
									example->text, example->text_len,
									example->label, example->label_len, &err), &err);
	if (is_validation)
		aiaas_gate_add_text(&state->run->gate, example);
	aiaas_train_count_row(state->run);
}

static void
read_texts(AiaasTrainRun *run)
{
	TextRun    *state = run->state;
	AiaasQuery *query = &state->query;

	ai_text_trainer_expect(state->trainer, (int64) aiaas_select_n_rows(&query->select));
	aiaas_query_run(query, learn_example, state);
	if (query->n_null_rows > 0)
		ereport(NOTICE,
				(errmsg_plural("%lld row with a null text or target was left out",
							   "%lld rows with a null text or target were left out",
							   (unsigned long) query->n_null_rows,
							   (long long) query->n_null_rows)));
}

/* Texts first .. end - 1, whose memory goes with the current context */
static void
embed_texts(TextRun *state, int64 first, int64 end)
{
	static const AiRequest request = {.layer = AI_NETWORK_ANSWER};
	int64		n = end - first;
	AiInput    *inputs = palloc0(n * sizeof(AiInput));
	AiaasCounts counts = {0};
	AiError		err;

	for (int64 i = 0; i < n; i++)
		inputs[i].bytes = ai_text_trainer_text(state->trainer, first + i, &inputs[i].len);
	aiaas_engine_run_many(state->embedder_engine, inputs, n, &request, &counts, &err);
	for (int64 i = 0; i < n; i++)
	{
		const AiInput *input = &inputs[inputs[i].same_as];

		if (input->code != AI_OK)
			aiaas_engine_raise(state->embedder_engine, input, &request);
		ai_text_trainer_set_embedding(state->trainer, first + i, input->answer);
	}
}

/* So many texts that the embedder's threads have enough to do, and few enough to show progress */
#define TEXTS_PER_BATCH 128

static void
embed_all(AiaasTrainRun *run)
{
	TextRun    *state = run->state;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "aiaas embeddings",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	int64_t		n_texts;
	AiError		err;

	AIAAS_CHECK(ai_text_trainer_begin_embedding(state->trainer, &n_texts, &err), &err);
	for (int64 i = 0; i < n_texts; i += TEXTS_PER_BATCH)
	{
		aiaas_train_show(run);
		embed_texts(state, i, Min(i + TEXTS_PER_BATCH, n_texts));
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
}

static AiCode
fit_text(AiaasTrainRun *run, AiError *err)
{
	if (state_of(run)->embedder != NULL)
		embed_all(run);
	return ai_text_trainer_fit(state_of(run)->trainer, err);
}

static bool
was_text_stopped(const AiaasTrainRun *run)
{
	return run->max_time > 0 && aiaas_train_elapsed(run) >= run->max_time * 1e6 &&
		!ai_text_trainer_report(state_of(run)->trainer)->has_converged;
}

/*
 * What is stored
 */
static ArrayType *
label_array(const TextRun *state)
{
	int			n_labels = ai_text_trainer_report(state->trainer)->n_labels;
	Datum	   *labels = palloc(n_labels * sizeof(Datum));

	for (int i = 0; i < n_labels; i++)
	{
		size_t		len;
		int64_t		n_rows;
		const char *label = ai_text_trainer_label(state->trainer, i, &len, &n_rows);

		labels[i] = PointerGetDatum(aiaas_utf8_to_text(label, len));
	}
	return construct_array(labels, n_labels, TEXTOID, -1, false, TYPALIGN_INT);
}

/* Rows per label, in the order of the labels */
static void
put_label_rows(AiaasJson *json, const TextRun *state, int n_labels)
{
	aiaas_json_begin_array(json, "label_rows");
	for (int i = 0; i < n_labels; i++)
	{
		size_t		len;
		int64_t		n_rows;

		ai_text_trainer_label(state->trainer, i, &len, &n_rows);
		aiaas_json_int(json, NULL, n_rows);
	}
	aiaas_json_end_array(json);
}

static Jsonb *
metrics_json(const TextRun *state, const AiTextReport *report)
{
	AiaasJson	json = {0};

	aiaas_json_begin(&json, NULL);
	aiaas_json_bool(&json, "is_cross_validated", report->is_cross_validated);
	aiaas_put_class_metrics(&json, "train", &report->train);
	if (report->validation.n > 0)
		aiaas_put_class_metrics(&json, "validation", &report->validation);
	put_label_rows(&json, state, report->n_labels);
	aiaas_json_float(&json, "l2", report->l2);
	aiaas_json_float(&json, "temperature", report->temperature);
	aiaas_json_int(&json, "epochs", report->n_epochs);
	aiaas_json_bool(&json, "has_converged", report->has_converged);
	aiaas_json_int(&json, "peak_memory", (int64) report->peak_memory);
	aiaas_json_end(&json);
	return aiaas_json_finish(&json);
}

static void
describe_text(const AiaasTrainRun *run, AiaasNewVersion *version)
{
	TextRun    *state = run->state;
	const AiTextReport *report = ai_text_trainer_report(state->trainer);
	AiTextOptions *options = &state->options.text;

	options->uses_ngrams = report->uses_ngrams ? AI_TEXT_USE_ALWAYS : AI_TEXT_USE_NEVER;
	options->uses_embeddings = report->uses_embeddings ? AI_TEXT_USE_ALWAYS : AI_TEXT_USE_NEVER;
	version->needs = report->uses_embeddings ? state->embedder->hash : NULL;
	version->task = "classification";
	version->options = aiaas_options_to_jsonb(&state->options);
	version->labels = label_array(state);
	version->features = aiaas_features_create(state->query.text.name, state->query.text.type,
											  report->n_features,
											  report->uses_embeddings ? state->embedder : NULL);
	version->metrics = metrics_json(state, report);
	version->n_train_rows = report->n_train_rows;
	version->n_validation_rows = report->n_validation_rows;
	version->metric = METRIC;
	version->train_score = report->train.n > 0 ? report->train.macro.f1 : NAN;
	version->validation_score = report->validation.n > 0 ? report->validation.macro.f1 : NAN;
	version->bytes = ai_text_trainer_model(state->trainer, &version->n_bytes);
}

static void
put_text_lineage(const AiaasTrainRun *run, AiaasJson *json)
{
	aiaas_json_int(json, "null_rows", state_of(run)->query.n_null_rows);
}

static void
end_text(AiaasTrainRun *run)
{
	aiaas_query_close(&state_of(run)->query);
}

const AiaasAlgorithm aiaas_train_text = {
	.name = "text",
	.kind = AI_TEXT_CLASSIFIER_KIND,
	.begin = begin_text,
	.read = read_texts,
	.fit = fit_text,
	.progress = show_text_progress,
	.was_stopped = was_text_stopped,
	.describe = describe_text,
	.put_lineage = put_text_lineage,
	.end = end_text,
	.destroy = destroy_text
};
