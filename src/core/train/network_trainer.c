/*-------------------------------------------------------------------------
 * network_trainer.c
 *		Training a network: from rows to an aim block and a report.
 *-------------------------------------------------------------------------
 */
#include "core/train/network_trainer.h"

#include <math.h>
#include <string.h>

#include "core/train/network_build.h"
#include "core/train/network_measure.h"

/* Of those that are learnt from, so many are measured in the end, or a tenth of what was learnt */
#define MIN_MEASURED_ROWS 1000
#define MAX_MEASURED_ROWS 10000
#define ROWS_SHARE 0.75			/* of the memory, for rows that are kept */

/* A text's length and words, while they are not known */
#define SOME_STEPS 64
#define SOME_WORDS 1

/* Where many rows are learnt from, a word that occurs once says nothing about others. */
#define MANY_ROWS 1000

#define DEFAULT_MAX_STEPS 512

struct AiNetworkTrainer
{
	AiHost		host;			/* a copy */
	AiArena		arena;
	AiPool	   *pool;
	size_t		max_memory;
	AiTrainingOptions options;
	char	   *options_json;
	size_t		options_len;
	AiNetworkBuild build;
	AiNetworkRows rows;
	bool		is_checked;		/* shapes are */
	AiWords		words;
	AiFit	   *fit;
	AiTracker	reading;
	void	   *model;
	size_t		model_size;
	AiNetwork  *network;
	AiNetworkReport report;
};

/*
 * Creating
 */

/* {"layers":[...],"epochs":5,...} */
static AiCode
write_options(AiNetworkTrainer *t, AiBuf *buf, AiError *err)
{
	const char *layers;

	AI_TRY(ai_definition_write(&layers, &t->build.definition, &t->arena, err));
	AI_TRY(ai_json_write(buf, "{\"layers\":", err));
	AI_TRY(ai_json_write(buf, layers, err));
	AI_TRY(ai_training_options_write(buf, &t->options, err));
	AI_TRY(ai_json_write(buf, "}", err));
	t->options_json = ai_arena_alloc(&t->arena, buf->len);
	if (t->options_json == NULL)
		return ai_out_of_memory(err, buf->len, "options");
	memcpy(t->options_json, buf->data, buf->len);
	t->options_len = buf->len;
	return AI_OK;
}

static AiCode
keep_options(AiNetworkTrainer *t, AiError *err)
{
	AiBuf		buf;
	AiCode		code;

	ai_buf_init(&buf, &t->host);
	code = write_options(t, &buf, err);
	ai_buf_free(&buf);
	return code;
}

/* What texts are while nobody has seen one */
static AiNetworkFormat
some_text(const AiNetworkTrainer *t)
{
	AiNetworkFormat format = t->rows.format;

	format.n_inputs = t->options.sequence_length > 0 ? (size_t) t->options.sequence_length :
		SOME_STEPS;
	return format;
}

/* As soon as the size of a sample is known */
static AiCode
check_shapes(AiNetworkTrainer *t, AiError *err)
{
	bool		is_text = t->rows.format.input == AI_NETWORK_WORDS;
	AiNetworkFormat format = is_text ? some_text(t) : t->rows.format;
	AiShape		shape;

	if (!is_text && t->rows.format.n_inputs == 0)
		return AI_OK;
	AI_TRY(ai_network_build_shape(&t->build, &shape, &format, err));
	AI_TRY(ai_network_build_check(&t->build, &format, SOME_WORDS, &t->rows.n_tokens, err));
	t->is_checked = true;
	return AI_OK;
}

static AiCode
create(AiNetworkTrainer *t, const char *options, size_t options_len, int n_threads, AiError *err)
{
	AiNetworkRows *rows = &t->rows;

	rows->arena = &t->arena;
	rows->max_memory = (size_t) ((double) t->max_memory * ROWS_SHARE);
	AI_TRY(ai_network_rows_init(rows, &t->host, err));
	AI_TRY(ai_training_options_parse(&t->options, &t->arena, options, options_len, err));
	rows->validation = t->options.validation;
	t->build.arena = &t->arena;
	t->build.options = &t->options;
	AI_TRY(ai_network_build_read(&t->build, err));
	AI_TRY(keep_options(t, err));
	AI_TRY(check_shapes(t, err));
	return ai_pool_create(&t->pool, &t->host, n_threads, err);
}

AiCode
ai_network_trainer_create(AiNetworkTrainer **trainer, const AiHost *host, const char *options,
						  size_t options_len, const AiNetworkFormat *format, const AiNetwork *base,
						  const AiSpill *spills, int n_threads, size_t max_memory, AiError *err)
{
	AiNetworkTrainer *t = ai_host_alloc(host, sizeof(AiNetworkTrainer));
	AiCode		code;

	*trainer = NULL;
	if (t == NULL)
		return ai_out_of_memory(err, sizeof(AiNetworkTrainer), "training");
	memset(t, 0, sizeof(*t));
	t->host = *host;
	t->max_memory = max_memory;
	t->build.base = base;
	t->rows.format = *format;
	t->rows.spills = spills;
	ai_arena_init(&t->arena, &t->host);
	ai_tracker_init(&t->reading);
	ai_tracker_begin(&t->reading, &(AiPart) {.phase = "reading"});
	code = create(t, options, options_len, n_threads, err);
	if (code == AI_OK)
		*trainer = t;
	else
		ai_network_trainer_destroy(t);
	return code;
}

void
ai_network_trainer_destroy(AiNetworkTrainer *t)
{
	AiHost		host;

	if (t == NULL)
		return;
	host = t->host;
	ai_network_close(t->network);
	ai_host_release(&host, t->model);
	ai_fit_destroy(t->fit);
	ai_network_rows_free(&t->rows);
	ai_pool_destroy(t->pool);
	ai_arena_free(&t->arena);
	ai_host_release(&host, t);
}

double
ai_network_trainer_validation(const AiNetworkTrainer *t)
{
	return t->options.validation;
}

void
ai_network_trainer_hold_out(AiNetworkTrainer *t)
{
	t->rows.is_held_out = true;
}

/*
 * Rows
 */
/* The first row tells how long rows are. */
static AiCode
check_first(AiNetworkTrainer *t, const AiNetworkRow *input, AiError *err)
{
	size_t		size = t->rows.format.input == AI_NETWORK_PIXELS ? 1 : sizeof(float);

	if (input->len == 0)
		return ai_fail(err, AI_ERR_DATA, "the row has an empty input");
	t->rows.format.n_inputs = input->len / size;
	return check_shapes(t, err);
}

AiCode
ai_network_trainer_add(AiNetworkTrainer *t, bool *is_validation, const AiNetworkExample *example,
					   AiError *err)
{
	if (!t->is_checked)
		AI_TRY(check_first(t, &example->input, err));
	return ai_network_rows_add(&t->rows, is_validation, example, err);
}

/*
 * Fitting
 */
static AiCode
choose_words(AiNetworkTrainer *t, size_t *n_steps, AiError *err)
{
	AiNetworkRows *rows = &t->rows;
	uint32_t	min_count = rows->n_rows[0] < MANY_ROWS ? 1 : 2;
	size_t		length;

	*n_steps = 0;
	if (rows->format.input != AI_NETWORK_WORDS)
		return AI_OK;
	if (t->build.base != NULL && ai_network_parts(t->build.base)->input == AI_NETWORK_WORDS)
	{
		const AiNetworkParts *base = ai_network_parts(t->build.base);

		t->words = base->words;
		*n_steps = (size_t) base->shape.dims[0];
		return ai_word_counts_take(&rows->counts, &t->words, err);
	}
	length = ai_network_rows_length(rows);
	*n_steps = t->options.sequence_length > 0 ? (size_t) t->options.sequence_length :
		length < DEFAULT_MAX_STEPS ? length : DEFAULT_MAX_STEPS;
	return ai_word_counts_choose(&rows->counts, &t->words, &t->arena, min_count,
								 ai_network_build_max_words(&t->build), err);
}

static AiCode
check_labels(const AiNetworkTrainer *t, AiError *err)
{
	const AiLabels *labels = &t->rows.labels;
	AiNetworkTask task = t->rows.format.task;

	if (task == AI_NETWORK_VALUES || labels->n >= (task == AI_NETWORK_LABELS ? 1 : 2))
		return AI_OK;
	if (labels->n == 0)
		return ai_fail(err, AI_ERR_DATA, "no row has a label");
	ai_fail(err, AI_ERR_DATA, "all rows have the same label, \"%.*s\"",
			ai_label_shown(labels->items[0].bytes, labels->items[0].len, 64),
			labels->items[0].bytes);
	ai_hint(err, "A classifier needs rows of at least two labels.");
	return AI_ERR_DATA;
}

static AiCode
finish_rows(AiNetworkTrainer *t, AiError *err)
{
	size_t		n_steps;

	if (t->rows.n_rows[0] == 0)
	{
		ai_fail(err, AI_ERR_DATA, "there are no rows to learn from");
		if (t->rows.n_rows[1] > 0)
			ai_detail(err, "All %lld rows are held out for validation.",
					  (long long) t->rows.n_rows[1]);
		return AI_ERR_DATA;
	}
	AI_TRY(check_labels(t, err));
	AI_TRY(ai_labels_sort(&t->rows.labels, err));
	AI_TRY(choose_words(t, &n_steps, err));
	AI_TRY(ai_network_rows_finish(&t->rows, n_steps, err));
	t->report.n_words = (int64_t) t->words.n;
	t->report.n_steps = (int64_t) n_steps;
	return AI_OK;
}

/* Rows of each label that are learnt from, by its number in the model */
static AiCode
weigh_labels(AiNetworkTrainer *t, AiError *err)
{
	AiLabels   *labels = &t->rows.labels;
	int64_t    *n_rows;

	if (t->options.class_weighting == AI_CLASS_WEIGHT_NONE)
		return AI_OK;
	if (t->rows.format.task == AI_NETWORK_VALUES || t->rows.format.task == AI_NETWORK_LABELS)
		return ai_fail(err, AI_ERR_PARAM, "option \"class_weight\" is for targets of one label");
	n_rows = ai_arena_alloc(&t->arena, (size_t) labels->n * sizeof(int64_t));
	t->rows.label_weights = ai_arena_alloc(&t->arena, (size_t) labels->n * sizeof(double));
	if (n_rows == NULL || t->rows.label_weights == NULL)
		return ai_out_of_memory(err, (size_t) labels->n * sizeof(double), "class weights");
	for (int i = 0; i < labels->n; i++)
		n_rows[labels->items[i].final] = t->rows.n_label_train[i];
	return ai_labels_weigh(labels, t->rows.label_weights, t->options.class_weighting,
						   t->options.class_weights, t->options.n_class_weights, n_rows, err);
}

static AiCode
run_fit(AiNetworkTrainer *t, AiError *err)
{
	const AiTrainingOptions *o = &t->options;
	AiFitReader reader = ai_network_rows_reader(&t->rows);
	AiFitOptions options = {
		.epochs = (int) o->epochs, .batch_size = (int) o->batch_size, .loss = t->build.head.loss,
		.score = t->build.head.score, .optimiser = o->optimiser, .schedule = o->schedule,
		.stopping = o->stopping, .restores_best = o->restores_best, .max_time = o->max_time,
		.seed = (uint64_t) o->seed
	};
	size_t		used = ai_samples_memory(t->rows.samples);

	AI_TRY(ai_fit_create(&t->fit, &t->host, t->pool, &t->build.graph, &options, t->rows.samples,
						 &reader, t->build.weights, t->build.states,
						 t->max_memory > used ? t->max_memory - used : 0, err));
	return ai_fit_run(t->fit, err);
}

/*
 * What came of it
 */
static AiCode
measure(AiNetworkTrainer *t, AiError *err)
{
	AiNetworkReport *report = &t->report;
	AiNetworkMeasure measure = {
		.rows = &t->rows, .graph = &t->build.graph, .head = &t->build.head,
		.weights = t->build.weights, .states = t->build.states, .pool = t->pool,
		.max_rows = t->rows.n_rows[0] / 10 * ai_fit_n_epochs(t->fit)
	};

	if (measure.max_rows < MIN_MEASURED_ROWS)
		measure.max_rows = MIN_MEASURED_ROWS;
	if (measure.max_rows > MAX_MEASURED_ROWS)
		measure.max_rows = MAX_MEASURED_ROWS;

	report->metric = t->rows.format.task == AI_NETWORK_VALUES ? "r2" : "macro_f1";
	AI_TRY(ai_network_measure(&measure, &t->host, err));
	report->train_score = measure.score;
	report->train = measure.classes;
	measure.is_validation = true;
	measure.max_rows = INT64_MAX;
	AI_TRY(ai_network_measure(&measure, &t->host, err));
	report->validation_score = measure.score;
	report->validation = measure.classes;
	return AI_OK;
}

/* Beside the model, so that the same training gives the same bytes */
static AiCode
take_seconds(AiNetworkTrainer *t, AiError *err)
{
	size_t		n = (size_t) t->report.n_epochs;
	double	   *seconds = ai_arena_alloc(&t->arena, n * sizeof(double) + 1);

	if (seconds == NULL)
		return ai_out_of_memory(err, n * sizeof(double), "the history");
	for (size_t i = 0; i < n; i++)
		seconds[i] = ai_fit_epoch(t->fit, (int) i)->seconds;
	t->report.epoch_seconds = seconds;
	return AI_OK;
}

static AiCode
fill_report(AiNetworkTrainer *t, AiError *err)
{
	AiNetworkReport *report = &t->report;
	int			best = ai_fit_best(t->fit);

	report->n_train_rows = t->rows.n_rows[0];
	report->n_validation_rows = t->rows.n_rows[1];
	report->n_labels = t->rows.labels.n;
	report->n_weights = t->build.graph.n_counted;
	report->n_trained = t->build.graph.n_trained;
	report->n_epochs = ai_fit_n_epochs(t->fit);
	report->best_epoch = best + 1;
	report->is_complete = ai_fit_is_complete(t->fit);
	report->peak_memory = t->arena.total + ai_samples_memory(t->rows.samples) +
		ai_fit_memory(t->fit);
	report->train_loss = ai_fit_epoch(t->fit, best)->loss;
	report->validation_loss = ai_fit_epoch(t->fit, best)->validation_loss;
	return take_seconds(t, err);
}

static AiCode
take_history(AiNetworkTrainer *t, const double **history, AiError *err)
{
	size_t		n = (size_t) ai_fit_n_epochs(t->fit);
	double	   *numbers = ai_arena_alloc(&t->arena, n * AI_NETWORK_HISTORY * sizeof(double) + 1);

	if (numbers == NULL)
		return ai_out_of_memory(err, n * AI_NETWORK_HISTORY * sizeof(double), "the history");
	*history = numbers;
	for (size_t i = 0; i < n; i++, numbers += AI_NETWORK_HISTORY)
	{
		const AiEpoch *epoch = ai_fit_epoch(t->fit, (int) i);

		numbers[0] = epoch->loss;
		numbers[1] = epoch->score;
		numbers[2] = epoch->validation_loss;
		numbers[3] = epoch->validation_score;
		numbers[4] = epoch->learning_rate;
	}
	return AI_OK;
}

static AiCode
take_labels(AiNetworkTrainer *t, AiNetworkParts *parts, AiError *err)
{
	size_t		n = (size_t) t->rows.labels.n;
	const char **label = ai_arena_alloc(&t->arena, n * sizeof(char *) + 1);
	size_t	   *len = ai_arena_alloc(&t->arena, n * sizeof(size_t) + 1);

	if (label == NULL || len == NULL)
		return ai_out_of_memory(err, n * sizeof(size_t), "labels");
	for (size_t i = 0; i < n; i++)
	{
		label[i] = t->rows.labels.sorted[i]->bytes;
		len[i] = t->rows.labels.sorted[i]->len;
	}
	parts->labels = label;
	parts->label_lens = len;
	parts->n_labels = (int) n;
	return AI_OK;
}

static AiCode
store(AiNetworkTrainer *t, AiError *err)
{
	const AiGraph *graph = &t->build.graph;
	AiNetworkParts parts = {
		.shape = graph->input, .input = t->rows.format.input, .task = t->rows.format.task,
		.head = t->build.head.activation, .words = t->words, .weights = t->build.weights,
		.n_weights = graph->n_weights, .states = t->build.states, .n_states = graph->n_states,
		.n_epochs = ai_fit_n_epochs(t->fit)
	};

	AI_TRY(ai_definition_write(&parts.definition, &t->build.definition, &t->arena, err));
	AI_TRY(take_labels(t, &parts, err));
	AI_TRY(take_history(t, &parts.history, err));
	AI_TRY(ai_network_store(&t->model, &t->model_size, &t->host, &parts, err));
	return ai_network_open(&t->network, &t->host, t->model, t->model_size, err);
}

AiCode
ai_network_trainer_fit(AiNetworkTrainer *t, AiError *err)
{
	AI_TRY(finish_rows(t, err));
	AI_TRY(ai_network_build_finish(&t->build, &t->rows, t->words.n, &t->host, err));
	AI_TRY(weigh_labels(t, err));
	AI_TRY(run_fit(t, err));
	AI_TRY(measure(t, err));
	AI_TRY(fill_report(t, err));
	return store(t, err);
}

void
ai_network_trainer_progress(AiNetworkTrainer *t, AiProgress *progress)
{
	if (t->fit != NULL)
		ai_fit_progress(t->fit, progress);
	else
		ai_tracker_get(&t->reading, progress);
}

const AiNetworkReport *
ai_network_trainer_report(const AiNetworkTrainer *t)
{
	return &t->report;
}

const void *
ai_network_trainer_model(const AiNetworkTrainer *t, size_t *size)
{
	*size = t->model_size;
	return t->model;
}

const AiNetwork *
ai_network_trainer_network(const AiNetworkTrainer *t)
{
	return t->network;
}

int64_t
ai_network_trainer_label_rows(const AiNetworkTrainer *t, int index)
{
	return t->rows.labels.sorted[index]->n_rows;
}

const char *
ai_network_trainer_options(const AiNetworkTrainer *t, size_t *len)
{
	*len = t->options_len;
	return t->options_json;
}
