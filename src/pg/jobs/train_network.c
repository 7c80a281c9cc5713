/*-------------------------------------------------------------------------
 * train_network.c
 *		What training a neural network is: algorithm 'network'.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/jobs/trainer_internal.h"

#include "catalog/pg_type.h"
#include "core/graph/summary.h"
#include "core/model/network_batch.h"
#include "utils/builtins.h"

#include "pg/engine/kind.h"
#include "pg/host/compat.h"
#include "pg/host/datum.h"
#include "pg/host/guc.h"
#include "pg/host/host.h"
#include "pg/host/raise.h"
#include "pg/jobs/network_options.h"
#include "pg/jobs/network_query.h"
#include "pg/jobs/spill.h"

#define N_SPILLS 2				/* as the core asks for */

typedef struct NetworkRun
{
	AiaasTrainRun *run;
	AiaasNetworkOptions options;
	AiaasModel *base;			/* whose weights are begun with; NULL: none */
	AiaasNetworkQuery query;
	AiaasNetworkQuery validation;	/* where options.validation is not NULL */
	AiSpill		spills[N_SPILLS];
	AiNetworkTrainer *trainer;
} NetworkRun;

static NetworkRun *
state_of(const AiaasTrainRun *run)
{
	return run->state;
}

/*
 * Check
 */

/* Its weights become part of the new model, so who trains must be one who may read them. */
static const AiNetwork *
open_base(NetworkRun *state)
{
	const AiNetwork *network;

	if (state->options.base == NULL)
		return NULL;
	state->base = aiaas_model_resolve(state->options.base, AIAAS_READ);
	network = aiaas_engine_network(aiaas_engine_acquire(state->base));
	if (network == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("model \"%s\" is not a network", state->base->name),
				 errdetail("Its kind is \"%s\".", state->base->kind),
				 errhint("The \"base\" of a training is a network, whose weights are begun with.")));
	return network;
}

static void
open_queries(NetworkRun *state)
{
	const AiaasTrainRequest *request = state->run->request;
	const AiaasNetworkOptions *options = &state->options;

	aiaas_network_query_open(&state->query, request->query, request->target, NULL, options->loss,
							 options->skips_bad_rows ? AIAAS_BAD_ROWS_SKIP : AIAAS_BAD_ROWS_FAIL);
	if (options->validation != NULL)
		aiaas_network_query_open_like(&state->validation, options->validation, &state->query);
	state->run->target = state->query.target.name;
	state->run->target_type = state->query.target.type;
}

static void
create_trainer(NetworkRun *state, const AiNetwork *base)
{
	AiNetworkFormat format = {
		.input = state->query.input,
		.n_inputs = aiaas_network_query_n_inputs(&state->query),
		.task = state->query.task
	};
	AiError		err;

	AIAAS_CHECK(ai_network_trainer_create(&state->trainer, state->run->host, state->options.core,
										  state->options.core_len, &format, base, state->spills,
										  aiaas_n_threads(),
										  (size_t) aiaas_max_train_memory * 1024 * 1024,
										  &err), &err);
	aiaas_train_watch(state->run);
}

static void
open_gate(NetworkRun *state)
{
	const AiaasTrainRun *run = state->run;
	AiaasHeldOut held_out = {
		.input = state->query.input,
		.task = state->query.task,
		.share = ai_network_trainer_validation(state->trainer),
		.query = state->options.validation
	};

	aiaas_gate_open(&state->run->gate, run->request->model, state->options.deploy, &held_out);
}

static void
begin_network(AiaasTrainRun *run)
{
	NetworkRun *state = palloc0(sizeof(NetworkRun));
	const AiNetwork *base;

	state->run = run;
	run->state = state;
	aiaas_network_options_parse(&state->options, run->request->options);
	run->max_time = state->options.max_time;
	base = open_base(state);
	for (int i = 0; i < N_SPILLS; i++)
		aiaas_spill_init(&state->spills[i], run->host);
	open_queries(state);
	create_trainer(state, base);
	open_gate(state);
}

static void
destroy_network(void *arg)
{
	NetworkRun *state = arg;

	if (state != NULL)
		ai_network_trainer_destroy(state->trainer);
}

/*
 * Read and learn
 */
static void
show_network_progress(const AiaasTrainRun *run, AiProgress *progress)
{
	ai_network_trainer_progress(state_of(run)->trainer, progress);
}

static AiCode
learn_example(void *ud, const AiNetworkExample *example, AiError *err)
{
	NetworkRun *state = ud;
	bool		is_validation;

	AI_TRY(ai_network_trainer_add(state->trainer, &is_validation, example, err));
	if (is_validation)
		aiaas_gate_add(&state->run->gate, example);
	aiaas_train_count_row(state->run);
	return AI_OK;
}

static void
read_rows(NetworkRun *state, AiaasNetworkQuery *query)
{
	aiaas_network_query_run(query, learn_example, state);
	if (query->n_skipped > 0)
		ereport(NOTICE,
				(errmsg_plural("%lld row%s that does not fit was left out",
							   "%lld rows%s that do not fit were left out",
							   (unsigned long) query->n_skipped,
							   (long long) query->n_skipped, query->name)));
}

static void
read_network(AiaasTrainRun *run)
{
	NetworkRun *state = run->state;

	read_rows(state, &state->query);
	if (state->options.validation == NULL)
		return;
	ai_network_trainer_hold_out(state->trainer);
	read_rows(state, &state->validation);
	if (state->validation.n_rows == state->validation.n_skipped)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("the validation query has no rows to measure the network on")));
}

static AiCode
fit_network(AiaasTrainRun *run, AiError *err)
{
	return ai_network_trainer_fit(state_of(run)->trainer, err);
}

static bool
was_network_stopped(const AiaasTrainRun *run)
{
	return !ai_network_trainer_report(state_of(run)->trainer)->is_complete;
}

/*
 * What is stored
 */
static ArrayType *
label_array(const AiNetwork *network)
{
	int			n_labels = ai_network_parts(network)->n_labels;
	Datum	   *labels = palloc((n_labels + 1) * sizeof(Datum));

	if (n_labels == 0)
		return NULL;
	for (int i = 0; i < n_labels; i++)
	{
		size_t		len;
		const char *label = ai_network_label(network, i, &len);

		labels[i] = PointerGetDatum(aiaas_utf8_to_text(label, len));
	}
	return construct_array(labels, n_labels, TEXTOID, -1, false, TYPALIGN_INT);
}

static void
put_shape(AiaasJson *json, const char *key, const AiShape *shape)
{
	aiaas_json_begin_array(json, key);
	for (int i = 0; i < shape->n_dims; i++)
		aiaas_json_int(json, NULL, shape->dims[i]);
	aiaas_json_end_array(json);
}

static void
put_layers(AiaasJson *json, const AiGraph *graph)
{
	aiaas_json_begin_array(json, "layers");
	for (int i = 0; i < graph->n_layers; i++)
	{
		AiLayerSummary layer = ai_layer_summary(graph, i);

		aiaas_json_begin(json, NULL);
		aiaas_json_string(json, "name", aiaas_utf8_to_cstring(layer.name, strlen(layer.name)));
		aiaas_json_string(json, "type", layer.type);
		put_shape(json, "output", layer.output);
		aiaas_json_int(json, "parameters", layer.n_weights);
		aiaas_json_end(json);
	}
	aiaas_json_end_array(json);
}

static Jsonb *
features_json(const NetworkRun *state, const AiNetwork *network)
{
	const AiNetworkParts *parts = ai_network_parts(network);
	const AiNetworkReport *report = ai_network_trainer_report(state->trainer);
	AiaasJson	json = {0};

	aiaas_json_begin(&json, NULL);
	aiaas_json_begin_array(&json, "columns");
	for (int i = 0; i < state->query.n_columns; i++)
	{
		aiaas_json_begin(&json, NULL);
		aiaas_json_string(&json, "name", state->query.columns[i].name);
		aiaas_json_string(&json, "type", format_type_be(state->query.columns[i].type));
		if (parts->input != AI_NETWORK_WORDS)
			aiaas_json_int(&json, "size", (int64) state->query.columns[i].n);
		aiaas_json_end(&json);
	}
	aiaas_json_end_array(&json);
	aiaas_json_string(&json, "input", aiaas_network_input_name(parts->input));
	put_shape(&json, "shape", &parts->shape);
	put_layers(&json, ai_network_graph(network));
	aiaas_json_int(&json, "parameters", report->n_weights);
	aiaas_json_int(&json, "trained", report->n_trained);
	aiaas_json_float(&json, "work", ai_network_work(network));
	aiaas_json_end(&json);
	return aiaas_json_finish(&json);
}

/* A part of the rows, as classes if it is those; a loss alone where there is nothing else */
static void
put_measures(AiaasJson *json, const char *key, const AiNetworkReport *report, int64 n_rows,
			 double loss, double score, const AiClassMetrics *classes)
{
	aiaas_json_begin(json, key);
	aiaas_json_int(json, "rows", n_rows);
	aiaas_json_float(json, "loss", loss);
	aiaas_json_float(json, report->metric, score);
	if (classes->n > 0)
		aiaas_put_class_metrics(json, "classes", classes);
	aiaas_json_end(json);
}

static Jsonb *
metrics_json(const NetworkRun *state, const AiNetworkReport *report)
{
	AiaasJson	json = {0};
	uint64		spilled = 0;

	aiaas_json_begin(&json, NULL);
	put_measures(&json, "train", report, report->n_train_rows, report->train_loss,
				 report->train_score, &report->train);
	if (report->n_validation_rows > 0)
		put_measures(&json, "validation", report, report->n_validation_rows,
					 report->validation_loss, report->validation_score, &report->validation);
	if (report->n_labels > 0)
	{
		aiaas_json_begin_array(&json, "label_rows");
		for (int i = 0; i < report->n_labels; i++)
			aiaas_json_int(&json, NULL, ai_network_trainer_label_rows(state->trainer, i));
		aiaas_json_end_array(&json);
	}
	if (state->query.input == AI_NETWORK_WORDS)
	{
		aiaas_json_int(&json, "words", report->n_words);
		aiaas_json_int(&json, "steps", report->n_steps);
	}
	aiaas_json_int(&json, "epochs", report->n_epochs);
	aiaas_json_begin_array(&json, "epoch_seconds");
	for (int i = 0; i < report->n_epochs; i++)
		aiaas_json_float(&json, NULL, report->epoch_seconds[i]);
	aiaas_json_end_array(&json);
	aiaas_json_int(&json, "best_epoch", report->best_epoch);
	aiaas_json_bool(&json, "is_complete", report->is_complete);
	aiaas_json_int(&json, "peak_memory", (int64) report->peak_memory);
	for (int i = 0; i < N_SPILLS; i++)
		spilled += aiaas_spill_size(&state->spills[i]);
	aiaas_json_int(&json, "spilled_bytes", (int64) spilled);
	aiaas_json_end(&json);
	return aiaas_json_finish(&json);
}

static void
describe_network(const AiaasTrainRun *run, AiaasNewVersion *version)
{
	const NetworkRun *state = run->state;
	const AiNetworkReport *report = ai_network_trainer_report(state->trainer);
	const AiNetwork *network = ai_network_trainer_network(state->trainer);
	size_t		len;
	const char *options = ai_network_trainer_options(state->trainer, &len);

	version->task = aiaas_task_name(aiaas_network_task(state->query.task));
	version->options = aiaas_network_options_to_jsonb(&state->options, options, len);
	version->labels = label_array(network);
	version->features = features_json(state, network);
	version->metrics = metrics_json(state, report);
	version->n_train_rows = report->n_train_rows;
	version->n_validation_rows = report->n_validation_rows;
	version->metric = report->metric;
	version->train_score = report->train_score;
	version->validation_score = report->validation_score;
	version->bytes = ai_network_trainer_model(state->trainer, &version->n_bytes);
}

static void
put_network_lineage(const AiaasTrainRun *run, AiaasJson *json)
{
	const NetworkRun *state = run->state;
	int64		n_skipped = state->query.n_skipped;

	if (state->options.validation != NULL)
	{
		aiaas_json_string(json, "validation_query", state->options.validation);
		n_skipped += state->validation.n_skipped;
	}
	aiaas_json_int(json, "skipped_rows", n_skipped);
	if (state->base == NULL)
		return;
	aiaas_json_begin(json, "base");
	aiaas_json_string(json, "model", state->base->name);
	aiaas_json_int(json, "version", state->base->version);
	aiaas_json_end(json);
}

static void
end_network(AiaasTrainRun *run)
{
	NetworkRun *state = run->state;

	if (state->options.validation != NULL)
		aiaas_network_query_close(&state->validation);
	aiaas_network_query_close(&state->query);
	for (int i = 0; i < N_SPILLS; i++)
		aiaas_spill_close(&state->spills[i]);
}

const AiaasAlgorithm aiaas_train_network = {
	.name = "network",
	.kind = AI_NETWORK_KIND,
	.begin = begin_network,
	.read = read_network,
	.fit = fit_network,
	.progress = show_network_progress,
	.was_stopped = was_network_stopped,
	.describe = describe_network,
	.put_lineage = put_network_lineage,
	.end = end_network,
	.destroy = destroy_network
};
