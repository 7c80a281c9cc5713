/*-------------------------------------------------------------------------
 * text_trainer.c
 *		Training a text classifier: from rows to an aim block and a report.
 *
 * Rows are put into canonical order, by a hash of the text and then the label,
 * before anything looks at them as a sequence; so their order of arrival and
 * the threads that read them leave no trace.  Which rows validate, and in which
 * fold of cross-validation a row is held out, depends on the text alone: equal
 * texts are never on both sides.
 *-------------------------------------------------------------------------
 */
#include "core/model/text_classifier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"
#include "core/base/pool.h"
#include "core/base/split.h"
#include "core/base/utf8.h"
#include "core/classic/calibrate.h"
#include "core/model/text_fit.h"
#include "core/model/labels.h"
#include "core/model/text_matrix.h"
#include "core/model/text_model.h"
#include "core/model/text_rows.h"
#include "core/model/text_strongest.h"
#include "core/model/text_vocabulary.h"

#define SCORES_PER_QUESTION 65536	/* whether to stop: about a millisecond */
#define LEARNING_SHARE 1.8		/* memory of rows and learning, to that of rows */

struct AiTextTrainer
{
	AiHost		host;			/* a copy */
	AiTextOptions options;
	size_t		max_memory;
	AiTracker	tracker;
	double		last_notice;
	int64_t		n_expected;		/* rows; 0: not known */
	int64_t		n_tracked;		/* rows that the tracker knows of */
	double		read_seconds;	/* that reading takes, without the query */

	AiArena		arena;			/* everything below but the pool and the writer */
	AiPool	   *pool;
	AiVocabulary vocabulary;
	AiTextRows *rows;
	bool		is_over_memory;	/* rows are counted only, to name the need */
	int64_t		n_rows;
	size_t		text_bytes;		/* of all rows */
	size_t		kept_bytes;		/* of the rows that were kept */
	bool		is_read;		/* all rows are there, and their n-grams */
	float	   *dense;			/* [n_rows, n_dense] at unit length; NULL: none are wanted */

	AiLabels labels;

	AiAimWriter writer;
	const void *model;
	size_t		model_size;
	AiTextReport report;
};

/*
 * Options
 */
void
ai_text_options_default(AiTextOptions *options)
{
	*options = (AiTextOptions) {
		.word_ngrams = 3, .char_ngrams_min = 3, .char_ngrams_max = 5,
		.min_count = 0, .max_features = 1 << 22, .lowercase = true,
		.validation = 0.1, .seed = 1
	};
}

static bool
has_ngrams(const AiTextOptions *o)
{
	return o->word_ngrams > 0 || o->char_ngrams_max > 0;
}

static AiCode
check_range(double value, double min, double max, const char *name, AiError *err)
{
	if (value >= min && value <= max)
		return AI_OK;
	return ai_fail(err, AI_ERR_PARAM, "option \"%s\" must be between %.12g and %.12g, not %.12g",
				   name, min, max, value);
}

AiCode
ai_text_options_check(const AiTextOptions *o, AiError *err)
{
	AI_TRY(check_range(o->word_ngrams, 0, AI_NGRAM_MAX_WORDS, "word_ngrams", err));
	AI_TRY(check_range(o->char_ngrams_max, 0, AI_NGRAM_MAX_CHARS, "char_ngrams", err));
	if (o->char_ngrams_max > 0)
		AI_TRY(check_range(o->char_ngrams_min, 1, o->char_ngrams_max, "char_ngrams", err));
	AI_TRY(check_range(o->min_count, 0, 1000000, "min_count", err));
	AI_TRY(check_range((double) o->max_features, 1 << 10, AI_TEXT_MAX_FEATURES, "max_features", err));
	AI_TRY(check_range(o->validation, 0, 0.5, "validation", err));
	if (o->l2 != 0)
		AI_TRY(check_range(o->l2, 1e-6, 1e6, "l2", err));
	AI_TRY(check_range(o->max_time, 0, 1e9, "max_time", err));
	if (o->n_dense < 0 || o->n_dense > AI_TEXT_MAX_DENSE)
		return ai_fail(err, AI_ERR_PARAM, "embeddings of %d numbers cannot be learnt from",
					   o->n_dense);
	if (o->n_dense == 0 && !has_ngrams(o))
	{
		ai_fail(err, AI_ERR_PARAM,
				"options \"word_ngrams\" and \"char_ngrams\" must not both be 0");
		return AI_ERR_PARAM;
	}
	for (int i = 0; i < o->n_class_weights; i++)
		AI_TRY(check_range(o->class_weights[i].weight, 1e-6, 1e6, "class_weight", err));
	return AI_OK;
}

static AiNgramOptions
ngram_options(const AiTextOptions *o)
{
	if (o->uses_ngrams == AI_TEXT_USE_NEVER)
		return (AiNgramOptions) {.char_min = 1, .fold_case = o->lowercase};
	return (AiNgramOptions) {
		.word_max = o->word_ngrams,
		.char_min = o->char_ngrams_max > 0 ? o->char_ngrams_min : 1,
		.char_max = o->char_ngrams_max, .has_shapes = true, .fold_case = o->lowercase
	};
}

/*
 * Creating
 */
AiCode
ai_text_trainer_create(AiTextTrainer **trainer, const AiHost *host,
					   const AiTextOptions *options, int n_threads,
					   size_t max_memory, AiError *err)
{
	AiNgramOptions ngrams;
	AiTextTrainer *t;
	AiCode		code;

	AI_TRY(ai_text_options_check(options, err));
	t = ai_host_alloc(host, sizeof(AiTextTrainer));
	if (t == NULL)
		return ai_out_of_memory(err, sizeof(AiTextTrainer), "training");
	memset(t, 0, sizeof(AiTextTrainer));
	t->host = *host;
	t->options = *options;
	if (options->n_dense == 0)
	{
		t->options.uses_ngrams = AI_TEXT_USE_ALWAYS;
		t->options.uses_embeddings = AI_TEXT_USE_NEVER;
	}
	else if (!has_ngrams(options) || options->uses_ngrams == AI_TEXT_USE_NEVER)
	{
		t->options.uses_ngrams = AI_TEXT_USE_NEVER;
		t->options.uses_embeddings = AI_TEXT_USE_ALWAYS;
	}
	ngrams = ngram_options(&t->options);
	t->max_memory = max_memory;
	t->labels.arena = &t->arena;
	t->labels.max = AI_TEXT_MAX_LABELS;
	ai_tracker_init(&t->tracker);
	t->tracker.max_seconds = options->max_time;
	t->last_notice = t->tracker.started;
	ai_tracker_begin(&t->tracker, &(AiPart) {.phase = "reading"});
	ai_arena_init(&t->arena, &t->host);
	ai_aim_writer_init(&t->writer, &t->host, AI_TEXT_CLASSIFIER_KIND);
	code = ai_pool_create(&t->pool, &t->host, n_threads, err);
	if (code == AI_OK)
		code = ai_vocabulary_init(&t->vocabulary, &t->arena, t->pool, err);
	if (code == AI_OK)
		code = ai_text_rows_create(&t->rows, &t->arena, t->pool, &ngrams, &t->vocabulary,
								   max_memory, err);
	if (code != AI_OK)
	{
		ai_text_trainer_destroy(t);
		return code;
	}
	*trainer = t;
	return AI_OK;
}

void
ai_text_trainer_destroy(AiTextTrainer *t)
{
	AiHost		host;

	if (t == NULL)
		return;
	if (t->rows != NULL)
		ai_text_rows_end(t->rows);
	ai_pool_destroy(t->pool);
	ai_aim_writer_free(&t->writer);
	ai_arena_free(&t->arena);
	host = t->host;
	ai_host_release(&host, t);
}

void
ai_text_trainer_expect(AiTextTrainer *t, int64_t n_rows)
{
	t->n_expected = n_rows;
}

void
ai_text_trainer_progress(AiTextTrainer *t, AiProgress *progress)
{
	ai_tracker_get(&t->tracker, progress);
}

/* A line at most once a second, and none in the first */
static void
report_progress(void *arg)
{
	AiTextTrainer *t = arg;
	double		now = ai_clock();
	AiProgress	progress;
	char		line[80];

	if (now - t->last_notice < 1)
		return;
	t->last_notice = now;
	ai_tracker_get(&t->tracker, &progress);
	snprintf(line, sizeof(line), "training: %d %% done after %.0f s",
			 (int) (progress.share * 100), now - t->tracker.started);
	t->host.log(t->host.ud, AI_LOG_NOTICE, line);
}

/*
 * Guesses of what comes after reading, in times of what reading takes, beside the fit
 */
#define MATRIX_TO_READING 0.5
#define END_TO_READING 0.05

/* What comes after reading takes its time from rows, not from the query that brings them. */
static double
seconds_after_reading(const AiTextTrainer *t, double read_seconds)
{
	int			n_labels = t->labels.n > 2 ? t->labels.n : 2;
	int64_t		n_rows = t->n_rows > t->n_expected ? t->n_rows : t->n_expected;

	return read_seconds * (MATRIX_TO_READING + END_TO_READING) +
		ai_text_fit_seconds(read_seconds, n_rows, n_labels, ai_pool_n_threads(t->pool),
							t->options.validation == 0, t->options.l2 > 0);
}

/* A row came; to take it, and to read the n-grams of those that had waited, took so long. */
static void
track_reading(AiTextTrainer *t, double seconds)
{
	int64_t		n_read = ai_text_rows_n_read(t->rows);

	t->read_seconds += seconds;
	if (t->n_expected == 0 || n_read == t->n_tracked)
		return;
	ai_tracker_count(&t->tracker, (int) (n_read - t->n_tracked), 0);
	t->n_tracked = n_read;
	t->tracker.part.n_units = (int) (t->n_expected < INT32_MAX ? t->n_expected : INT32_MAX);
	t->tracker.part.seconds_after =
		seconds_after_reading(t, t->read_seconds / (double) n_read * (double) t->n_expected);
}

/*
 * Adding rows
 */
AiCode
ai_text_trainer_add(AiTextTrainer *t, bool *is_validation, const char *text, size_t text_len,
					const char *label, size_t label_len, AiError *err)
{
	AiTextRow	row = {.text = text, .text_len = (uint32_t) text_len};
	double		started = ai_clock();

	if (text_len > UINT32_MAX / 4)
		return ai_fail(err, AI_ERR_LIMIT, "text of %zu bytes is too long", text_len);
	AI_TRY(ai_labels_add(&t->labels, &row.label, label, label_len, err));
	t->n_rows++;
	t->text_bytes += text_len;
	row.is_validation = ai_is_held_out(text, text_len, t->options.validation);
	*is_validation = row.is_validation;
	if (t->is_over_memory)
		return AI_OK;

	t->kept_bytes += text_len;
	row.key = ai_hash128(text, text_len);
	AI_TRY(ai_text_rows_add(t->rows, &row, err));
	t->is_over_memory = t->arena.total > t->max_memory;
	if (t->arena.total > t->report.peak_memory)
		t->report.peak_memory = t->arena.total;
	track_reading(t, ai_clock() - started);
	report_progress(t);
	return AI_OK;
}

/*
 * Checks before learning
 */
static AiCode
check_rows(const AiTextTrainer *t, AiError *err)
{
	if (t->n_rows == 0)
	{
		ai_fail(err, AI_ERR_DATA, "there are no rows to learn from");
		ai_hint(err, "The query must return rows in which neither the text nor the target is null.");
		return AI_ERR_DATA;
	}
	return ai_labels_check(&t->labels, err);
}

static AiCode
memory_error(AiTextTrainer *t, double need, AiError *err)
{
	ai_fail(err, AI_ERR_LIMIT, "training needs about %.0f MB, more than the limit of %.0f MB",
			need / 1048576 + 1, (double) t->max_memory / 1048576);
	ai_detail(err, "There are %lld rows with %.1f MB of text.", (long long) t->n_rows,
			  (double) t->text_bytes / 1048576);
	ai_hint(err, "Raise aiaas.max_train_memory, learn from fewer rows, or set the options "
			"\"char_ngrams\", \"min_count\" or \"max_features\" to keep fewer n-grams.");
	return AI_ERR_LIMIT;
}

/* Labels are numbered, and waiting n-grams read; once. */
static AiCode
finish_reading(AiTextTrainer *t, AiError *err)
{
	double		started = ai_clock();

	if (t->is_read)
		return AI_OK;
	AI_TRY(ai_labels_sort(&t->labels, err));
	AI_TRY(check_rows(t, err));
	if (!t->is_over_memory)
		AI_TRY(ai_text_rows_flush(t->rows, err));
	t->read_seconds += ai_clock() - started;
	ai_text_rows_end(t->rows);
	if (t->is_over_memory)
		return memory_error(t, (double) t->arena.total * LEARNING_SHARE *
							((double) t->text_bytes + 1) / ((double) t->kept_bytes + 1), err);
	t->is_read = true;
	return AI_OK;
}

/*
 * Embeddings
 */

/*
 * Where embeddings were left to choice: with more rows than this for each label n-grams
 * learn from the rows themselves most of what an embedding knows, and cost far less.
 */
#define PLENTY_OF_ROWS 1000

static bool
has_plenty_of_rows(const AiTextTrainer *t)
{
	return t->n_rows / t->labels.n > PLENTY_OF_ROWS;
}

AiCode
ai_text_trainer_begin_embedding(AiTextTrainer *t, int64_t *n_texts, AiError *err)
{
	size_t		size = (size_t) t->options.n_dense * sizeof(float);

	*n_texts = 0;
	AI_TRY(finish_reading(t, err));
	if (t->options.uses_embeddings == AI_TEXT_USE_AUTO && has_plenty_of_rows(t))
		t->options.uses_embeddings = AI_TEXT_USE_NEVER;
	if (t->options.uses_embeddings == AI_TEXT_USE_NEVER)
		return AI_OK;
	if ((double) t->arena.total + (double) size * (double) t->n_rows > (double) t->max_memory)
		return memory_error(t, (double) t->arena.total * LEARNING_SHARE +
							(double) size * (double) t->n_rows, err);
	t->dense = ai_arena_alloc_zero(&t->arena, (size_t) t->n_rows, size);
	if (t->dense == NULL)
		return ai_out_of_memory(err, (size_t) t->n_rows * size, "embeddings");
	ai_tracker_begin(&t->tracker, &(AiPart) {
		.phase = "embedding", .n_units = (int) (t->n_rows < INT32_MAX ? t->n_rows : INT32_MAX),
		.seconds_after = seconds_after_reading(t, t->read_seconds)
	});
	*n_texts = t->n_rows;
	return AI_OK;
}

const char *
ai_text_trainer_text(const AiTextTrainer *t, int64_t number, size_t *len)
{
	int64_t		n_rows;
	const AiTextRow *row = &ai_text_rows_get(t->rows, &n_rows)[number];

	*len = row->text_len;
	return row->text;
}

void
ai_text_trainer_set_embedding(AiTextTrainer *t, int64_t number, const float *x)
{
	int64_t		n_rows;
	AiTextRow  *row = &ai_text_rows_get(t->rows, &n_rows)[number];
	float	   *dense = t->dense + (size_t) number * (size_t) t->options.n_dense;

	ai_text_unit(dense, x, (size_t) t->options.n_dense);
	row->dense = dense;
	ai_tracker_count(&t->tracker, 1, 0);
	report_progress(t);
}

/*
 * Costs
 */
static AiCode
label_costs(AiTextTrainer *t, double *cost, const AiTextMatrix *matrix, AiError *err)
{
	const AiTextOptions *o = &t->options;
	int64_t		n_rows[AI_TEXT_MAX_LABELS] = {0};

	for (int64_t i = 0; i < matrix->n_train; i++)
		n_rows[matrix->rows[i].label]++;
	return ai_labels_weigh(&t->labels, cost, o->class_weighting, o->class_weights,
						   o->n_class_weights, n_rows, err);
}

/*
 * Measuring
 */
typedef struct Scored
{
	const float *logit;			/* [n, width] */
	int32_t    *label;			/* [n] */
	int64_t		n;
} Scored;

static AiCode
measure(AiTextTrainer *t, AiClassMetrics *metrics, const Scored *scored, AiError *err)
{
	int			width = ai_linear_width(t->labels.n);
	int32_t    *predicted = ai_arena_alloc(&t->arena, (size_t) scored->n * sizeof(int32_t));
	double	   *probability = ai_arena_alloc(&t->arena, (size_t) scored->n *
											 (size_t) t->labels.n * sizeof(double));

	if (predicted == NULL || probability == NULL)
		return ai_out_of_memory(err, (size_t) scored->n * (size_t) t->labels.n * sizeof(double),
								"measuring");
	for (int64_t i = 0; i < scored->n; i++)
	{
		const float *logit = scored->logit + i * width;

		if (i * width % SCORES_PER_QUESTION < width && ai_host_should_stop(&t->host))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		predicted[i] = ai_linear_best(logit, t->labels.n);
		ai_probabilities(probability + i * t->labels.n, logit, t->labels.n);
	}
	return ai_metrics_classify(metrics, NULL, scored->label, predicted, probability, scored->n,
							   t->labels.n, &t->host, err);
}

typedef struct ScoreTask
{
	const AiSparseRow *rows;
	int64_t		n;
	const AiLinearModel *model;
	float	   *logit;			/* [n, width] */
} ScoreTask;

static void
score_rows(void *arg, int64_t index, int thread)
{
	ScoreTask  *task = arg;
	int64_t		last = (index + 1) * AI_TEXT_ROWS_PER_TASK;

	(void) thread;
	for (int64_t i = index * AI_TEXT_ROWS_PER_TASK; i < last && i < task->n; i++)
		ai_linear_scores(task->logit + i * task->model->width, task->model, &task->rows[i]);
}

/* Metrics of the final model on n rows */
static AiCode
measure_rows(AiTextTrainer *t, AiClassMetrics *metrics, const AiSparseRow *rows, int64_t n,
			 const AiTextFit *fit, AiError *err)
{
	ScoreTask	task = {.rows = rows, .n = n, .model = &fit->model};
	Scored		scored = {.n = n};

	task.logit = ai_arena_alloc(&t->arena, (size_t) n * (size_t) fit->model.width *
								sizeof(float));
	scored.label = ai_arena_alloc(&t->arena, (size_t) n * sizeof(int32_t));
	if (task.logit == NULL || scored.label == NULL)
		return ai_out_of_memory(err, (size_t) n * sizeof(int32_t), "measuring");
	AI_TRY(ai_pool_run(t->pool, score_rows, &task, ai_text_n_row_tasks(n), err));
	for (int64_t i = 0; i < n; i++)
		scored.label[i] = rows[i].label;
	scored.logit = task.logit;
	return measure(t, metrics, &scored, err);
}

/* Metrics of cross-validation: of models that had not seen the rows */
static AiCode
measure_held_out(AiTextTrainer *t, AiClassMetrics *metrics, const AiTextFit *fit, AiError *err)
{
	Scored		scored = {.logit = fit->held_out_logit, .n = fit->n_held_out};

	scored.label = ai_arena_alloc(&t->arena, (size_t) scored.n * sizeof(int32_t));
	if (scored.label == NULL)
		return ai_out_of_memory(err, (size_t) scored.n * sizeof(int32_t), "measuring");
	for (int64_t i = 0; i < scored.n; i++)
		scored.label[i] = fit->rows[fit->held_out[i]].label;
	return measure(t, metrics, &scored, err);
}

/*
 * The model's bytes
 */
static AiCode
write_model(AiTextTrainer *t, const AiVocabularyOrder *order, const AiTextIdf *idf,
			const AiTextFit *fit, const AiTextStrongest *strongest, AiError *err)
{
	AiNgramOptions ngrams = ngram_options(&t->options);
	int64_t		options[5] = {
		ngrams.word_max, ngrams.char_min, ngrams.char_max, ngrams.has_shapes, ngrams.fold_case
	};
	uint32_t	n_buckets = ai_text_n_buckets(order->n_features);
	const char *labels[AI_TEXT_MAX_LABELS];
	size_t		label_lens[AI_TEXT_MAX_LABELS];
	int			n_dense = fit->model.n_dense;
	AiAimWriter *w = &t->writer;

	for (int k = 0; k < t->labels.n; k++)
	{
		labels[k] = t->labels.sorted[k]->bytes;
		label_lens[k] = t->labels.sorted[k]->len;
	}
	AI_TRY(ai_aim_add_i64(w, "version", n_dense > 0 ? AI_TEXT_VERSION_EMBEDDING :
						  AI_TEXT_VERSION_NGRAMS, err));
	AI_TRY(ai_aim_add(w, "options", AI_DTYPE_I64, options, 1, (int64_t[]) {5}, err));
	AI_TRY(ai_aim_add_i64(w, "is_closed", order->is_complete, err));
	AI_TRY(ai_aim_add_strings(w, "labels", labels, label_lens, t->labels.n, err));
	AI_TRY(ai_aim_reserve(w, "table", AI_DTYPE_U32, 3,
						  (int64_t[]) {n_buckets, 2, AI_TEXT_BUCKET_SIZE}, err));
	AI_TRY(ai_aim_add(w, "idf", AI_DTYPE_F32, idf->of, 1, (int64_t[]) {AI_TEXT_N_IDF}, err));
	AI_TRY(ai_aim_add(w, "idf.code", AI_DTYPE_U8, idf->code, 1,
					  (int64_t[]) {order->n_features}, err));
	AI_TRY(ai_aim_add(w, "weight", AI_DTYPE_F32, fit->model.weight, 2,
					  (int64_t[]) {order->n_features, fit->model.width}, err));
	AI_TRY(ai_aim_add(w, "intercept", AI_DTYPE_F32, fit->model.intercept, 1,
					  (int64_t[]) {fit->model.width}, err));
	if (n_dense > 0)
	{
		AI_TRY(ai_aim_add(w, "dense.weight", AI_DTYPE_F32, fit->model.dense_weight, 2,
						  (int64_t[]) {n_dense, fit->model.width}, err));
		AI_TRY(ai_aim_add(w, "embedder.hash", AI_DTYPE_U8, t->options.embedder, 1,
						  (int64_t[]) {AI_SHA256_SIZE}, err));
	}
	AI_TRY(ai_aim_add(w, "strongest", AI_DTYPE_I32, strongest->item, 2,
					  (int64_t[]) {strongest->n, 3}, err));
	AI_TRY(ai_aim_add(w, "strongest.weight", AI_DTYPE_F64, strongest->weight, 1,
					  (int64_t[]) {strongest->n}, err));
	AI_TRY(ai_aim_add_strings(w, "strongest.feature", strongest->feature,
							  strongest->feature_len, strongest->n, err));
	AI_TRY(ai_aim_finish(w, &t->model, &t->model_size, err));
	ai_text_table_fill(ai_aim_reserved(w, "table"), n_buckets, order->hash, order->n_features);
	return AI_OK;
}

/*
 * Fitting
 */

/* Beyond so many rows both kinds of features are used, rather than one chosen. */
#define MAX_CHOICE_ROWS 20000

/* Less than both kinds of features has to be better by this share of the loss. */
#define CHOICE_GAIN 0.05

/* What may be learnt from; the best comes first where the data tell no difference */
typedef struct Candidate
{
	bool		has_ngrams;
	bool		has_embeddings;
} Candidate;

static const Candidate candidates[] = {{true, true}, {false, true}, {true, false}};

static bool
may_be(AiTextUse use, bool is_used)
{
	return use == AI_TEXT_USE_AUTO || (use == AI_TEXT_USE_ALWAYS) == is_used;
}

static bool
is_candidate(const AiTextTrainer *t, const Candidate *c)
{
	return may_be(t->options.uses_ngrams, c->has_ngrams) &&
		may_be(t->options.uses_embeddings, c->has_embeddings);
}

static void
settle(AiTextUse *use, bool is_used)
{
	if (*use == AI_TEXT_USE_AUTO)
		*use = is_used ? AI_TEXT_USE_ALWAYS : AI_TEXT_USE_NEVER;
}

/* What there is no choice of, whatever the options say */
static void
limit_choices(AiTextTrainer *t, const AiVocabularyOrder *order)
{
	AiTextOptions *o = &t->options;

	if (t->dense == NULL || order->n_features == 0)
	{
		o->uses_embeddings = t->dense != NULL ? AI_TEXT_USE_ALWAYS : AI_TEXT_USE_NEVER;
		o->uses_ngrams = t->dense != NULL ? AI_TEXT_USE_NEVER : AI_TEXT_USE_ALWAYS;
	}
	if (t->n_rows > MAX_CHOICE_ROWS)
	{
		settle(&o->uses_ngrams, true);
		settle(&o->uses_embeddings, true);
	}
}

static int
n_candidates(const AiTextTrainer *t)
{
	int			n = 0;

	for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++)
		n += is_candidate(t, &candidates[i]);
	return n;
}

static AiCode
check_memory(AiTextTrainer *t, const AiTextMatrix *matrix, const AiVocabularyOrder *order,
			 AiError *err)
{
	size_t		width = (size_t) ai_linear_width(t->labels.n);
	size_t		model = (size_t) order->n_features * (width + 4) * sizeof(float);
	size_t		scores = (size_t) matrix->n * (width * 4 + (size_t) t->labels.n * 8 + 8);
	size_t		values = (size_t) ai_text_rows_n_entries(t->rows) * sizeof(float);
	size_t		fit = ai_text_fit_memory(matrix->n_train,
										 order->n_features + t->options.n_dense, t->labels.n,
										 ai_pool_n_threads(t->pool),
										 t->options.validation == 0);
	double		need = (double) t->arena.total + (double) values +
		(double) fit * n_candidates(t) +
		(double) model + (double) scores;

	if (need > (double) t->max_memory)
		return memory_error(t, need, err);
	return AI_OK;
}

static AiCode
check_one_side(AiTextTrainer *t, const AiTextMatrix *matrix, AiError *err)
{
	for (int64_t i = 1; i < matrix->n_train; i++)
	{
		if (matrix->text_rows[i]->label != matrix->text_rows[0]->label)
			return AI_OK;
	}
	ai_fail(err, AI_ERR_DATA, "too few rows: those to learn from have one label only");
	ai_detail(err, "Of %lld rows %lld are held out for validation.", (long long) matrix->n,
			  (long long) (matrix->n - matrix->n_train));
	ai_hint(err, "Add rows, or set the option \"validation\" to 0.%s",
			t->options.validation == 0 ? " Equal texts count as one." : "");
	return AI_ERR_DATA;
}

static void
fill_report(AiTextTrainer *t, const AiTextMatrix *matrix, const AiTextFit *fit)
{
	AiTextReport *report = &t->report;

	report->n_train_rows = matrix->n_train;
	report->n_validation_rows = matrix->n - matrix->n_train;
	report->n_labels = t->labels.n;
	report->n_features = fit->n_features;
	report->uses_ngrams = t->options.uses_ngrams == AI_TEXT_USE_ALWAYS;
	report->uses_embeddings = t->options.uses_embeddings == AI_TEXT_USE_ALWAYS;
	report->is_cross_validated = report->n_validation_rows == 0;
	report->l2 = fit->chosen_l2;
	report->temperature = fit->temperature;
	report->n_epochs = fit->n_passes;
	report->has_converged = fit->has_converged;
	if (t->arena.total > report->peak_memory)
		report->peak_memory = t->arena.total;
}

/* What is done beside the final fit */
typedef struct Mass
{
	double	   *of;				/* [n_features] */
	const AiTextMatrix *matrix;
	AiPool	   *pool;
} Mass;

static void
sum_mass(void *arg, int thread)
{
	Mass	   *mass = arg;

	ai_text_mass(mass->of, mass->matrix->rows, mass->matrix->n_train, mass->pool, thread);
}

/* A fit of the rows with what the candidate has of their features */
static AiCode
set_up_fit(AiTextTrainer *t, AiTextFit *fit, const AiTextMatrix *matrix,
		   const AiVocabularyOrder *order, const Candidate *candidate, const double *cost,
		   AiError *err)
{
	int			n_dense = candidate->has_embeddings ? t->options.n_dense : 0;
	AiSparseRow *rows = matrix->rows;

	if (t->dense != NULL)
	{
		rows = ai_arena_alloc(&t->arena, (size_t) matrix->n * sizeof(AiSparseRow));
		if (rows == NULL)
			return ai_out_of_memory(err, (size_t) matrix->n * sizeof(AiSparseRow), "rows");
		ai_text_matrix_select(rows, matrix, candidate->has_ngrams, n_dense);
	}
	*fit = (AiTextFit) {
		.arena = &t->arena, .pool = t->pool, .rows = rows, .fold = matrix->fold,
		.n_rows = matrix->n_train, .n_features = candidate->has_ngrams ? order->n_features : 0,
		.n_dense = n_dense, .n_labels = t->labels.n,
		.label_cost = cost, .l2 = t->options.l2, .seed = t->options.seed,
		.wants_all_folds = matrix->n == matrix->n_train,
		.max_time = t->options.max_time, .tracker = &t->tracker,
		.read_seconds = t->read_seconds, .seconds_after = t->read_seconds * END_TO_READING,
		.progress = report_progress, .progress_arg = t
	};
	return AI_OK;
}

/* Cross-validation of what may be; the fit that is best, whose features the options then say */
static AiCode
choose_fit(AiTextTrainer *t, AiTextFit **best, const AiTextMatrix *matrix,
		   const AiVocabularyOrder *order, const double *cost, AiError *err)
{
	const Candidate *chosen = NULL;

	*best = NULL;
	for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++)
	{
		AiTextFit  *fit;

		if (!is_candidate(t, &candidates[i]))
			continue;
		fit = ai_arena_alloc(&t->arena, sizeof(AiTextFit));
		if (fit == NULL)
			return ai_out_of_memory(err, sizeof(AiTextFit), "learning");
		AI_TRY(set_up_fit(t, fit, matrix, order, &candidates[i], cost, err));
		AI_TRY(ai_text_fit_search(fit, err));
		if (*best == NULL || fit->loss < (*best)->loss * (1 - CHOICE_GAIN))
		{
			*best = fit;
			chosen = &candidates[i];
		}
	}
	settle(&t->options.uses_ngrams, chosen->has_ngrams);
	settle(&t->options.uses_embeddings, chosen->has_embeddings);
	return AI_OK;
}

static AiCode
learn(AiTextTrainer *t, AiTextMatrix *matrix, AiVocabularyOrder *order, AiError *err)
{
	double	   *cost = ai_arena_alloc(&t->arena, (size_t) t->labels.n * sizeof(double));
	float	   *idf_of = ai_arena_alloc(&t->arena, AI_TEXT_N_IDF * sizeof(float));
	uint8_t    *idf_code = ai_arena_alloc(&t->arena, order->n_features);
	AiTextIdf	idf = {idf_of, idf_code};
	Mass		mass = {
		ai_arena_alloc_zero(&t->arena, order->n_features, sizeof(double)), matrix, t->pool
	};
	AiTextStrongest strongest;
	AiTextFit  *fit;

	if (cost == NULL || idf_of == NULL || idf_code == NULL || mass.of == NULL)
		return ai_out_of_memory(err, order->n_features * sizeof(double), "learning");
	ai_text_idf_fill(idf_of, matrix->n_train);
	for (uint32_t f = 0; f < order->n_features; f++)
		idf_code[f] = ai_text_idf_code(order->n_rows[f]);
	AI_TRY(ai_text_matrix_build(matrix, order, &idf, t->pool, &t->arena, err));
	AI_TRY(label_costs(t, cost, matrix, err));
	report_progress(t);

	AI_TRY(choose_fit(t, &fit, matrix, order, cost, err));
	order->n_features = (uint32_t) fit->n_features;
	matrix->rows = (AiSparseRow *) fit->rows;
	fit->meanwhile = sum_mass;
	fit->meanwhile_arg = &mass;
	AI_TRY(ai_text_fit_finish(fit, err));
	fill_report(t, matrix, fit);
	ai_tracker_begin(&t->tracker, &(AiPart) {
		.phase = "measuring", .seconds = t->read_seconds * END_TO_READING
	});
	report_progress(t);

	AI_TRY(measure_rows(t, &t->report.train, matrix->rows, matrix->n_train, fit, err));
	if (t->report.is_cross_validated)
		AI_TRY(measure_held_out(t, &t->report.validation, fit, err));
	else
		AI_TRY(measure_rows(t, &t->report.validation, matrix->rows + matrix->n_train,
							matrix->n - matrix->n_train, fit, err));
	AI_TRY(ai_text_strongest(&strongest, &t->arena, &(AiTextStrongestInput) {
		.matrix_rows = matrix->rows, .text_rows = matrix->text_rows, .n_rows = matrix->n_train,
		.order = order, .fit = fit, .mass = mass.of, .options = ngram_options(&t->options)
	}, err));
	return write_model(t, order, &idf, fit, &strongest, err);
}

AiCode
ai_text_trainer_fit(AiTextTrainer *t, AiError *err)
{
	AiTextMatrix matrix = {0};
	AiVocabularyOrder order;

	AI_TRY(finish_reading(t, err));
	ai_tracker_begin(&t->tracker, &(AiPart) {
		.phase = "preparing", .seconds = t->read_seconds * MATRIX_TO_READING,
		.seconds_after = seconds_after_reading(t, t->read_seconds) -
			t->read_seconds * MATRIX_TO_READING
	});
	AI_TRY(ai_text_matrix_order(&matrix, t->rows, &t->labels, AI_TEXT_N_FOLDS, &t->arena, err));
	AI_TRY(check_one_side(t, &matrix, err));
	AI_TRY(ai_vocabulary_order(&order, &t->vocabulary, (uint32_t) t->options.min_count,
							   t->options.max_features, err));
	limit_choices(t, &order);
	if (order.n_features == 0 && t->dense == NULL)
	{
		ai_fail(err, AI_ERR_DATA, "the texts hold nothing to learn from");
		ai_detail(err, "No n-gram occurs in %u rows or more.", order.min_count);
		ai_hint(err, "The texts may be empty, or option \"min_count\" too large.");
		return AI_ERR_DATA;
	}
	AI_TRY(check_memory(t, &matrix, &order, err));
	return learn(t, &matrix, &order, err);
}

const AiTextReport *
ai_text_trainer_report(const AiTextTrainer *t)
{
	return &t->report;
}

const void *
ai_text_trainer_model(const AiTextTrainer *t, size_t *size)
{
	*size = t->model_size;
	return t->model;
}

const char *
ai_text_trainer_label(const AiTextTrainer *t, int index, size_t *len, int64_t *n_rows)
{
	const AiLabel *label = t->labels.sorted[index];

	*len = label->len;
	*n_rows = label->n_rows;
	return label->bytes;
}
