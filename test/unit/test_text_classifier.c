/*-------------------------------------------------------------------------
 * test_text_classifier.c
 *		Training and applying a text classifier, through its door.
 *
 * Texts are made of words that speak for a label and words that do not; real
 * ones are in test/data/sms.tsv.
 *
 *	test_text_classifier --write-models DIRECTORY
 *
 * writes the small models with which test/fuzz/fuzz_model.c begins.
 *-------------------------------------------------------------------------
 */
#include "core/model/text_classifier.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "core/format/aim.h"
#include "core/kernels/kernels.h"
#include "test_host.h"

#define MODELS_DIR "test/fuzz/corpus/fuzz_model"
#define SMS_FILE "test/data/sms.tsv"
#define N_SMS 1500				/* rows of it that are learnt from here: enough, and fast */
#define NO_LIMIT SIZE_MAX

/* Which of "text 0" to "text 39" validate, fixed for ever */
#define TENTH_VALIDATES UINT64_C(0x0400000000)
#define HALF_VALIDATES UINT64_C(0x57891067AF)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Rows
 */
typedef struct Row
{
	char	   *text;
	size_t		text_len;
	char	   *label;
	size_t		label_len;
	bool		is_validation;	/* as the trainer said */
} Row;

typedef struct Rows
{
	Row		   *row;			/* [n] */
	int			n;
} Rows;

static void *
copy_of(const void *data, size_t size)
{
	void	   *copy = malloc(size > 0 ? size : 1);

	memcpy(copy, data, size);
	return copy;
}

static void
add_row(Rows *rows, const char *text, size_t text_len, const char *label, size_t label_len)
{
	rows->row = realloc(rows->row, (size_t) (rows->n + 1) * sizeof(Row));
	rows->row[rows->n++] = (Row) {
		copy_of(text, text_len), text_len, copy_of(label, label_len), label_len, false
	};
}

static void
add_strings(Rows *rows, const char *text, const char *label)
{
	add_row(rows, text, strlen(text), label, strlen(label));
}

static void
free_rows(Rows *rows)
{
	for (int i = 0; i < rows->n; i++)
	{
		free(rows->row[i].text);
		free(rows->row[i].label);
	}
	free(rows->row);
	*rows = (Rows) {0};
}

static void
shuffle(Rows *rows, uint64_t seed)
{
	AiRng		rng = {seed};

	for (int i = rows->n - 1; i > 0; i--)
	{
		uint32_t	j = ai_rng_below(&rng, (uint32_t) i + 1);
		Row			row = rows->row[i];

		rows->row[i] = rows->row[j];
		rows->row[j] = row;
	}
}

/* n texts in turn of n_labels labels: some of five words of the label, and common ones */
static Rows
make_rows(int n, int n_labels)
{
	Rows		rows = {0};
	AiRng		rng = {42};

	for (int i = 0; i < n; i++)
	{
		char		text[512];
		char		label[32];
		int			len = 0;

		snprintf(label, sizeof(label), "label %d", i % n_labels);
		for (int w = 0; w < 8; w++)
		{
			if (ai_rng_below(&rng, 3) == 0)
				len += snprintf(text + len, sizeof(text) - (size_t) len, "Topic%dx%u ",
								i % n_labels, ai_rng_below(&rng, 5));
			else
				len += snprintf(text + len, sizeof(text) - (size_t) len, "common%u, ",
								ai_rng_below(&rng, 40));
		}
		add_strings(&rows, text, label);
	}
	return rows;
}

static Rows
read_sms(void)
{
	Rows		rows = {0};
	char		line[4096];
	FILE	   *file = fopen(SMS_FILE, "r");

	assert_non_null(file);
	while (rows.n < N_SMS && fgets(line, sizeof(line), file) != NULL)
	{
		char	   *tab = strchr(line, '\t');

		assert_non_null(tab);
		*tab = '\0';
		tab[1 + strcspn(tab + 1, "\n")] = '\0';
		add_strings(&rows, tab + 1, line);
	}
	fclose(file);
	return rows;
}

/*
 * Training
 */
typedef struct Trained
{
	void	   *bytes;			/* a copy of the model, exact */
	size_t		size;
	AiTextReport report;
} Trained;

static AiTextOptions
default_options(void)
{
	AiTextOptions options;

	ai_text_options_default(&options);
	return options;
}

static void
take_results(Trained *trained, const AiTextTrainer *trainer)
{
	const void *bytes = ai_text_trainer_model(trainer, &trained->size);

	trained->bytes = NULL;
	assert_int_equal(posix_memalign(&trained->bytes, AI_ALIGNMENT, trained->size), 0);
	memcpy(trained->bytes, bytes, trained->size);
	trained->report = *ai_text_trainer_report(trainer);
}

static AiCode
train(Trained *trained, const Rows *rows, const AiTextOptions *options, int n_threads,
	  size_t max_memory, const AiHost *host, AiError *err)
{
	AiTextTrainer *trainer;
	AiCode		code = AI_OK;

	AI_TRY(ai_text_trainer_create(&trainer, host, options, n_threads, max_memory, err));
	for (int i = 0; i < rows->n && code == AI_OK; i++)
	{
		Row		   *row = &rows->row[i];

		code = ai_text_trainer_add(trainer, &row->is_validation, row->text, row->text_len,
								   row->label, row->label_len, err);
	}
	if (code == AI_OK)
		code = ai_text_trainer_fit(trainer, err);
	if (code == AI_OK && trained != NULL)
		take_results(trained, trainer);
	ai_text_trainer_destroy(trainer);
	return code;
}

static Trained
must_train(const Rows *rows, const AiTextOptions *options, int n_threads)
{
	TestHost	test;
	Trained		trained;
	AiError		err;

	test_host_init(&test, 0, 0);
	if (train(&trained, rows, options, n_threads, NO_LIMIT, &test.host, &err) != AI_OK)
		fail_msg("%s (%s)", err.message, err.detail);
	assert_int_equal(test.n_live, 0);
	return trained;
}

/* Training fails so, with these words in the message and in the detail or hint. */
static void
check_train_error(const Rows *rows, const AiTextOptions *options, AiCode code,
				  const char *message, const char *more)
{
	TestHost	test;
	AiError		err;

	test_host_init(&test, 0, 0);
	assert_int_equal(train(NULL, rows, options, 1, NO_LIMIT, &test.host, &err), code);
	assert_string_equal(err.message, message);
	if (strstr(err.detail, more) == NULL && strstr(err.hint, more) == NULL)
		fail_msg("detail \"%s\", hint \"%s\"", err.detail, err.hint);
	assert_int_equal(test.n_live, 0);
}

/*
 * Applying
 */
typedef struct Opened
{
	AiTextClassifier *model;
	AiTextScratch *scratch;
	int			n_labels;
	double	   *probability;	/* [n_labels] of the last text */
	int			best;
} Opened;

static Opened
must_open(const Trained *trained)
{
	Opened		opened;
	AiError		err;

	if (ai_text_classifier_open(&opened.model, ai_malloc_host(), trained->bytes, trained->size,
								&err) != AI_OK)
		fail_msg("%s", err.message);
	assert_int_equal(ai_text_scratch_create(&opened.scratch, opened.model, ai_malloc_host(),
											NULL), AI_OK);
	opened.n_labels = ai_text_classifier_n_labels(opened.model);
	opened.probability = malloc((size_t) opened.n_labels * sizeof(double));
	return opened;
}

static void
close_opened(Opened *opened)
{
	ai_text_scratch_destroy(opened->scratch);
	ai_text_classifier_close(opened->model);
	free(opened->probability);
}

/* Label a text; its probabilities are always ones. */
static void
run(Opened *opened, const char *text, size_t len)
{
	double		sum = 0;
	double		largest = 0;
	char	   *copy = copy_of(text, len);	/* exact, for a sanitizer */

	assert_int_equal(ai_text_classifier_run(opened->model, opened->scratch, opened->probability,
											&opened->best, copy, len, NULL, NULL), AI_OK);
	free(copy);
	for (int k = 0; k < opened->n_labels; k++)
	{
		assert_true(opened->probability[k] >= 0 && opened->probability[k] <= 1);
		sum += opened->probability[k];
		largest = fmax(largest, opened->probability[k]);
	}
	assert_true(fabs(sum - 1) < 1e-12);
	assert_true(opened->probability[opened->best] == largest);
}

static int
label_of(const Opened *opened, const Row *row)
{
	return ai_text_classifier_find_label(opened->model, row->label, row->label_len);
}

static double
accuracy(const Trained *trained, const Rows *rows)
{
	Opened		opened = must_open(trained);
	int			n_right = 0;

	for (int i = 0; i < rows->n; i++)
	{
		run(&opened, rows->row[i].text, rows->row[i].text_len);
		n_right += opened.best == label_of(&opened, &rows->row[i]);
	}
	close_opened(&opened);
	return (double) n_right / rows->n;
}

static double
log_odds(const Opened *opened, int label, int other)
{
	return log(opened->probability[label] / opened->probability[other]);
}

/* The sum of the contributions to a label's score; *sizes the sum of their sizes */
static double
explained(Opened *opened, double *sizes, int label, const Row *row)
{
	const AiTextContribution *item;
	int64_t		n;
	double		sum = 0;

	*sizes = 0;
	assert_int_equal(ai_text_classifier_explain(opened->model, opened->scratch, &item, &n, label,
												row->text, row->text_len, NULL, NULL), AI_OK);
	assert_true(n >= 1);
	assert_string_equal(item[0].kind, "intercept");
	for (int64_t i = 0; i < n; i++)
	{
		sum += item[i].contribution;
		*sizes += fabs(item[i].contribution);
		if (i == 0)
			continue;
		assert_true(item[i].count >= 1 && item[i].value > 0 && item[i].feature_len > 0);
		if (i > 1)
			assert_true(fabs(item[i].contribution) <= fabs(item[i - 1].contribution));
		if (strcmp(item[i].kind, "characters") != 0)
			assert_non_null(memmem(row->text, row->text_len, item[i].feature,
								   item[i].feature_len));
	}
	return sum;
}

/*
 * Tests of training
 */

/* the order of rows and the number of threads leave no trace in the model */
static void
test_same_bytes_in_any_order(void **state)
{
	(void) state;
	for (int set = 0; set < 5; set++)
	{
		static const int n_rows[] = {200, 200, 400, 7000};
		static const int n_labels[] = {2, 5, 40, 3};	/* 40: several blocks of columns */
		Rows		rows = set == 0 ? read_sms() : make_rows(n_rows[set - 1], n_labels[set - 1]);
		AiTextOptions options = default_options();
		Trained		first;

		if (set == 4)			/* many rows: held out in part */
			options.char_ngrams_max = 0;
		first = must_train(&rows, &options, 1);
		for (int n_threads = 1; n_threads <= 3; n_threads++)
		{
			Trained		other;

			shuffle(&rows, (uint64_t) n_threads);
			other = must_train(&rows, &options, n_threads);
			assert_int_equal(first.size, other.size);
			assert_memory_equal(first.bytes, other.bytes, first.size);
			assert_true(first.report.validation.macro.f1 == other.report.validation.macro.f1);
			assert_true(first.report.l2 == other.report.l2);
			free(other.bytes);
		}
		free(first.bytes);
		free_rows(&rows);
	}
}

/* another seed is another model, about as good */
static void
test_seed(void **state)
{
	Rows		rows = read_sms();
	AiTextOptions options = default_options();
	Trained		one;
	Trained		two;

	(void) state;
	one = must_train(&rows, &options, 1);
	options.seed = 2;
	two = must_train(&rows, &options, 1);
	assert_true(one.size != two.size || memcmp(one.bytes, two.bytes, one.size) != 0);
	assert_true(fabs(accuracy(&one, &rows) - accuracy(&two, &rows)) < 0.01);
	free(one.bytes);
	free(two.bytes);
	free_rows(&rows);
}

/* what the report says of validation is what the stored model does to those rows */
static void
test_report(void **state)
{
	(void) state;
	for (int set = 0; set < 2; set++)
	{
		Rows		rows = set == 0 ? read_sms() : make_rows(300, 4);
		AiTextOptions options = default_options();
		Trained		trained = must_train(&rows, &options, 2);
		Opened		opened = must_open(&trained);

		for (int side = 0; side < 2; side++)
		{
			const AiClassMetrics *said = side ? &trained.report.validation : &trained.report.train;
			int32_t    *truth = malloc((size_t) rows.n * sizeof(int32_t));
			int32_t    *predicted = malloc((size_t) rows.n * sizeof(int32_t));
			double	   *p = malloc((size_t) (rows.n * opened.n_labels) * sizeof(double));
			AiClassMetrics found;
			int			n = 0;

			for (int i = 0; i < rows.n; i++)
			{
				if (rows.row[i].is_validation != (side == 1))
					continue;
				run(&opened, rows.row[i].text, rows.row[i].text_len);
				memcpy(p + n * opened.n_labels, opened.probability,
					   (size_t) opened.n_labels * sizeof(double));
				truth[n] = label_of(&opened, &rows.row[i]);
				predicted[n++] = opened.best;
			}
			assert_int_equal(ai_metrics_classify(&found, NULL, truth, predicted, p, n,
												 opened.n_labels, ai_malloc_host(), NULL), AI_OK);
			assert_int_equal(said->n, n);
			assert_int_equal(side ? trained.report.n_validation_rows :
							 trained.report.n_train_rows, n);
			assert_true(found.macro.f1 == said->macro.f1);
			assert_true(found.accuracy == said->accuracy);
			assert_true(fabs(found.log_loss - said->log_loss) < 1e-12);
			free(truth);
			free(predicted);
			free(p);
		}
		assert_false(trained.report.is_cross_validated);
		assert_true(trained.report.has_converged);
		assert_int_equal(trained.report.n_labels, opened.n_labels);
		assert_int_equal(trained.report.n_features, ai_text_classifier_n_features(opened.model));
		assert_true(trained.report.validation.accuracy > 0.85);
		assert_true(trained.report.l2 > 0 && trained.report.temperature > 0);
		assert_true(trained.report.n_epochs > 0 && trained.report.peak_memory > 0);
		close_opened(&opened);
		free(trained.bytes);
		free_rows(&rows);
	}
}

/* labels are kept in bytewise order, with their numbers of rows */
static void
test_labels(void **state)
{
	Rows		rows = make_rows(120, 12);
	AiTextOptions options = default_options();
	AiTextTrainer *trainer;
	const char *before = "";

	(void) state;
	assert_int_equal(ai_text_trainer_create(&trainer, ai_malloc_host(), &options, 1, NO_LIMIT,
											NULL), AI_OK);
	for (int i = 0; i < rows.n; i++)
		assert_int_equal(ai_text_trainer_add(trainer, &rows.row[i].is_validation,
											 rows.row[i].text, rows.row[i].text_len,
											 rows.row[i].label, rows.row[i].label_len, NULL),
						 AI_OK);
	assert_int_equal(ai_text_trainer_fit(trainer, NULL), AI_OK);
	for (int k = 0; k < 12; k++)
	{
		size_t		len;
		int64_t		n_rows;
		const char *label = ai_text_trainer_label(trainer, k, &len, &n_rows);
		char	   *copy = strndup(label, len);

		assert_true(k == 0 || strcmp(before, copy) < 0);
		if (k > 0)
			free((char *) before);
		before = copy;
		assert_int_equal(n_rows, 10);
	}
	free((char *) before);
	ai_text_trainer_destroy(trainer);
	free_rows(&rows);
}

/* Which of the texts "text 0" to "text 39" validate, as bits; with rows before and after */
static uint64_t
validation_bits(double share, uint64_t seed, const char *label)
{
	AiTextOptions options = default_options();
	AiTextTrainer *trainer;
	uint64_t	bits = 0;

	options.validation = share;
	options.seed = seed;
	assert_int_equal(ai_text_trainer_create(&trainer, ai_malloc_host(), &options, 1, NO_LIMIT,
											NULL), AI_OK);
	for (int i = 0; i < 40; i++)
	{
		char		text[16];
		bool		is_validation;

		snprintf(text, sizeof(text), "text %d", i);
		assert_int_equal(ai_text_trainer_add(trainer, &is_validation, text, strlen(text), label,
											 strlen(label), NULL), AI_OK);
		bits |= (uint64_t) is_validation << i;
	}
	ai_text_trainer_destroy(trainer);
	return bits;
}

/* whether a text validates depends on the text alone, for ever */
static void
test_validation_membership(void **state)
{
	uint64_t	tenth = validation_bits(0.1, 1, "a");
	uint64_t	half = validation_bits(0.5, 1, "a");

	(void) state;
	assert_true(tenth == TENTH_VALIDATES);
	assert_true(half == HALF_VALIDATES);
	assert_true(validation_bits(0.1, 99, "b") == tenth);
	assert_true(validation_bits(0, 1, "a") == 0);
	assert_true((tenth & ~half) == 0);
}

/* without validation every row is learnt from, and cross-validation measures */
static void
test_cross_validation(void **state)
{
	Rows		rows = make_rows(300, 3);
	AiTextOptions options = default_options();
	Trained		trained;

	(void) state;
	options.validation = 0;
	trained = must_train(&rows, &options, 2);
	assert_true(trained.report.is_cross_validated);
	assert_int_equal(trained.report.n_train_rows, 300);
	assert_int_equal(trained.report.n_validation_rows, 0);
	assert_int_equal(trained.report.train.n, 300);
	assert_int_equal(trained.report.validation.n, 300);
	assert_true(trained.report.validation.accuracy > 0.85);
	assert_true(trained.report.validation.accuracy <= trained.report.train.accuracy);
	assert_true(accuracy(&trained, &rows) == trained.report.train.accuracy);
	free(trained.bytes);
	free_rows(&rows);
}

/* every level of the kernels learns about the same */
static void
test_every_level(void **state)
{
	Rows		rows = read_sms();
	AiTextOptions options = default_options();
	double		portable = 0;

	(void) state;
	for (int level = AI_CPU_PORTABLE; level <= (int) ai_kernels_best_level(); level++)
	{
		Trained		trained;

		assert_int_equal(ai_kernels_select((AiCpuLevel) level, NULL), AI_OK);
		trained = must_train(&rows, &options, 1);
		if (level == AI_CPU_PORTABLE)
			portable = trained.report.validation.accuracy;
		assert_true(portable > 0.95);
		assert_true(fabs(trained.report.validation.accuracy - portable) < 0.015);
		free(trained.bytes);
	}
	free_rows(&rows);
}

/* a given penalty is used; a large one leaves the labels' shares, a small one fits the rows */
static void
test_l2(void **state)
{
	Rows		rows = make_rows(200, 3);
	AiTextOptions options = default_options();
	double		before = INFINITY;

	(void) state;
	for (double l2 = 1e6; l2 > 1e-7; l2 /= 1000)
	{
		Trained		trained;

		options.l2 = l2;
		trained = must_train(&rows, &options, 1);
		assert_true(fabs(trained.report.l2 / l2 - 1) < 1e-12);
		assert_true(isfinite(trained.report.train.log_loss));
		assert_true(trained.report.train.log_loss < before + 0.05);
		before = trained.report.train.log_loss;
		free(trained.bytes);
	}
	free_rows(&rows);
}

/* Words say little about the labels, of which one has four times the rows of the other. */
static Rows
make_uneven_rows(void)
{
	Rows		rows = make_rows(500, 1);
	AiRng		rng = {4};

	for (int i = 0; i < rows.n; i++)
	{
		bool		has_word = memmem(rows.row[i].text, rows.row[i].text_len, "x1", 2) != NULL;

		rows.row[i].label[6] = ai_rng_below(&rng, 10) < (has_word ? 4 : 1) ? '1' : '0';
	}
	return rows;
}

/* weights of labels move the border between them */
static void
test_class_weights(void **state)
{
	static const AiClassWeighting weighting[] = {
		AI_CLASS_WEIGHT_NONE, AI_CLASS_WEIGHT_BALANCED, AI_CLASS_WEIGHT_GIVEN
	};
	Rows		rows = make_uneven_rows();
	AiTextOptions options = default_options();
	AiClassWeight weights[] = {{"label 1", 7, 100}};
	int			n_ones[3] = {0};

	(void) state;
	options.l2 = 10;
	options.class_weights = weights;
	options.n_class_weights = 1;
	for (int m = 0; m < 3; m++)
	{
		Trained		trained;
		Opened		opened;

		options.class_weighting = weighting[m];
		trained = must_train(&rows, &options, 1);
		opened = must_open(&trained);
		for (int i = 0; i < rows.n; i++)
		{
			run(&opened, rows.row[i].text, rows.row[i].text_len);
			n_ones[m] += opened.best == 1;
		}
		close_opened(&opened);
		free(trained.bytes);
	}
	assert_true(n_ones[1] > n_ones[0] + 20);
	assert_true(n_ones[2] > n_ones[1] + 20);

	weights[0].label = "label 3";
	check_train_error(&rows, &options, AI_ERR_PARAM,
					  "option \"class_weight\" names the label \"label 3\", which no row has", "");
	free_rows(&rows);
}

/* time that has run out stops learning, and the model is usable */
static void
test_max_time(void **state)
{
	Rows		rows = read_sms();
	AiTextOptions options = default_options();
	struct timespec begin;
	struct timespec end;
	Trained		trained;

	(void) state;
	options.max_time = 1e-6;
	options.l2 = 1e-5;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	trained = must_train(&rows, &options, 1);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_true(end.tv_sec - begin.tv_sec < 30);
	assert_false(trained.report.has_converged);
	assert_true(accuracy(&trained, &rows) > 0.5);
	free(trained.bytes);
	free_rows(&rows);
}

/* rows that cannot be learnt from say why */
static void
test_data_errors(void **state)
{
	AiTextOptions options = default_options();
	Rows		rows = {0};

	(void) state;
	check_train_error(&rows, &options, AI_ERR_DATA, "there are no rows to learn from", "null");
	add_strings(&rows, "a b", "x");
	add_strings(&rows, "c d", "x");
	check_train_error(&rows, &options, AI_ERR_DATA, "all rows have the same label, \"x\"",
					  "two labels");
	add_strings(&rows, "e f", "y");
	check_train_error(&rows, &options, AI_ERR_DATA, "one label has only one row",
					  "Only one row: \"y\".");
	add_strings(&rows, "e f", "z");
	check_train_error(&rows, &options, AI_ERR_DATA, "2 labels have only one row",
					  "Only one row: \"y\", \"z\".");
	free_rows(&rows);

	for (int i = 0; i < 8; i++)
		add_strings(&rows, i % 4 < 2 ? "" : " \n", i % 2 ? "x" : "y");
	options.validation = 0;
	check_train_error(&rows, &options, AI_ERR_DATA, "the texts hold nothing to learn from",
					  "empty");
	free_rows(&rows);

	rows = make_rows(40, 2);
	options.min_count = 1000;
	check_train_error(&rows, &options, AI_ERR_DATA, "the texts hold nothing to learn from",
					  "1000 rows or more");
	free_rows(&rows);

	options.validation = 0.5;
	for (int i = 0; i < 40; i++)	/* the first validates, see above, the other does not */
		add_strings(&rows, i % 2 ? "text 0" : "text 4", i % 2 ? "x" : "y");
	options.min_count = 0;
	check_train_error(&rows, &options, AI_ERR_DATA,
					  "too few rows: those to learn from have one label only",
					  "Of 40 rows 20 are held out");
	free_rows(&rows);
}

/* a message shows a long label cut between two characters */
static void
test_long_label_in_messages(void **state)
{
	AiTextOptions options = default_options();
	Rows		rows = {0};
	char		label[82] = "x";
	char		message[200];

	(void) state;
	for (int i = 0; i < 40; i++)
		strcat(label, "\xc3\xa4");
	add_strings(&rows, "a b", label);
	add_strings(&rows, "c d", label);
	snprintf(message, sizeof(message), "all rows have the same label, \"%.63s\"", label);
	check_train_error(&rows, &options, AI_ERR_DATA, message, "");
	free_rows(&rows);
	add_strings(&rows, "a b", label);
	add_strings(&rows, "c d", "y");
	snprintf(message, sizeof(message), "Only one row: \"%.31s...\", \"y\".", label);
	check_train_error(&rows, &options, AI_ERR_DATA, "2 labels have only one row", message);
	free_rows(&rows);
}

/* one label more than the limit is an error as soon as it comes */
static void
test_too_many_labels(void **state)
{
	AiTextOptions options = default_options();
	AiTextTrainer *trainer;
	AiError		err;
	bool		is_validation;
	char		label[16];

	(void) state;
	assert_int_equal(ai_text_trainer_create(&trainer, ai_malloc_host(), &options, 1, NO_LIMIT,
											NULL), AI_OK);
	for (int i = 0; i < 2 * AI_TEXT_MAX_LABELS; i++)
	{
		snprintf(label, sizeof(label), "%d", i % AI_TEXT_MAX_LABELS);
		assert_int_equal(ai_text_trainer_add(trainer, &is_validation, "x", 1, label,
											 strlen(label), NULL), AI_OK);
	}
	assert_int_equal(ai_text_trainer_add(trainer, &is_validation, "x", 1, "one more", 8, &err),
					 AI_ERR_DATA);
	assert_string_equal(err.message, "target has more than 1000 different values");
	ai_text_trainer_destroy(trainer);
}

/* as many labels as there may be are learnt */
static void
test_thousand_labels(void **state)
{
	Rows		rows = {0};
	AiTextOptions options = default_options();
	Trained		trained;

	(void) state;
	for (int i = 0; i < 3 * AI_TEXT_MAX_LABELS; i++)
	{
		char		text[64];
		char		label[16];

		snprintf(text, sizeof(text), "w%d common%d", i % AI_TEXT_MAX_LABELS,
				 i / AI_TEXT_MAX_LABELS);
		snprintf(label, sizeof(label), "%d", i % AI_TEXT_MAX_LABELS);
		add_strings(&rows, text, label);
	}
	options.word_ngrams = 1;
	options.char_ngrams_max = 0;
	options.l2 = 1;
	trained = must_train(&rows, &options, 2);
	rows.n = 300;
	assert_int_equal(trained.report.n_labels, AI_TEXT_MAX_LABELS);
	assert_true(accuracy(&trained, &rows) > 0.7);
	rows.n = 3 * AI_TEXT_MAX_LABELS;
	free(trained.bytes);
	free_rows(&rows);
}

/* A host that looks at the progress whenever it is asked whether to stop */
typedef struct Watcher
{
	AiHost		host;
	AiTextTrainer *trainer;
	AiProgress	last;
	int			n_phases;
} Watcher;

static bool
watch(void *ud)
{
	Watcher    *watcher = ud;
	AiProgress	progress;

	if (watcher->trainer == NULL)
		return false;
	ai_text_trainer_progress(watcher->trainer, &progress);
	assert_true(progress.share >= watcher->last.share && progress.share < 1);
	watcher->n_phases += watcher->last.phase == NULL ||
		strcmp(progress.phase, watcher->last.phase) != 0;
	watcher->last = progress;
	return false;
}

/* whoever watches a training sees its phases, and a share that never falls */
static void
test_progress(void **state)
{
	AiTextOptions options = default_options();
	Rows		rows = read_sms();

	(void) state;
	for (int n_threads = 1; n_threads <= 3; n_threads++)
	{
		Watcher		watcher = {.host = *ai_malloc_host()};
		bool		is_validation;

		watcher.host.should_stop = watch;
		watcher.host.ud = &watcher;
		assert_int_equal(ai_text_trainer_create(&watcher.trainer, &watcher.host, &options,
												n_threads, NO_LIMIT, NULL), AI_OK);
		ai_text_trainer_expect(watcher.trainer, rows.n);
		for (int i = 0; i < rows.n; i++)
			assert_int_equal(ai_text_trainer_add(watcher.trainer, &is_validation,
												 rows.row[i].text, rows.row[i].text_len,
												 rows.row[i].label, rows.row[i].label_len,
												 NULL), AI_OK);
		watch(&watcher);
		assert_string_equal(watcher.last.phase, "reading");
		assert_true(watcher.last.share > 0);
		assert_true(watcher.last.seconds_left > 0);
		assert_int_equal(ai_text_trainer_fit(watcher.trainer, NULL), AI_OK);
		watch(&watcher);
		assert_string_equal(watcher.last.phase, "measuring");
		assert_true(watcher.last.loss > 0 && watcher.last.loss < 0.5);
		assert_int_equal(watcher.n_phases, 5);
		ai_text_trainer_destroy(watcher.trainer);
	}
	free_rows(&rows);
}

/* options out of their range are named */
static void
test_option_ranges(void **state)
{
	AiClassWeight weight = {"x", 1, 1};
	AiTextOptions options = default_options();
	AiError		err;

	(void) state;
	assert_int_equal(ai_text_options_check(&options, NULL), AI_OK);
	options.class_weights = &weight;
	options.n_class_weights = 1;
#define CHECK(field, value, code, name) \
	do \
	{ \
		AiTextOptions	changed = options; \
		changed.field = value; \
		assert_int_equal(ai_text_options_check(&changed, &err), code); \
		if (code != AI_OK) \
			assert_non_null(strstr(err.message, "option \"" name "\"")); \
	} while (0)
	CHECK(word_ngrams, -1, AI_ERR_PARAM, "word_ngrams");
	CHECK(word_ngrams, 6, AI_ERR_PARAM, "word_ngrams");
	CHECK(word_ngrams, 0, AI_OK, "");
	CHECK(char_ngrams_max, 0, AI_OK, "");
	CHECK(char_ngrams_max, 9, AI_ERR_PARAM, "char_ngrams");
	CHECK(char_ngrams_max, -1, AI_ERR_PARAM, "char_ngrams");
	CHECK(char_ngrams_max, 1, AI_ERR_PARAM, "char_ngrams");
	CHECK(char_ngrams_min, 0, AI_ERR_PARAM, "char_ngrams");
	CHECK(min_count, -1, AI_ERR_PARAM, "min_count");
	CHECK(max_features, 1023, AI_ERR_PARAM, "max_features");
	CHECK(max_features, (1 << 26) + 1, AI_ERR_PARAM, "max_features");
	CHECK(validation, -0.1, AI_ERR_PARAM, "validation");
	CHECK(validation, 0.51, AI_ERR_PARAM, "validation");
	CHECK(validation, NAN, AI_ERR_PARAM, "validation");
	CHECK(l2, -1, AI_ERR_PARAM, "l2");
	CHECK(l2, 1e-7, AI_ERR_PARAM, "l2");
	CHECK(l2, INFINITY, AI_ERR_PARAM, "l2");
	CHECK(l2, NAN, AI_ERR_PARAM, "l2");
	CHECK(max_time, -1, AI_ERR_PARAM, "max_time");
	CHECK(max_time, NAN, AI_ERR_PARAM, "max_time");
#undef CHECK
	weight.weight = 0;
	assert_int_equal(ai_text_options_check(&options, &err), AI_ERR_PARAM);
	weight.weight = 1;
	options.word_ngrams = options.char_ngrams_max = 0;
	assert_int_equal(ai_text_options_check(&options, &err), AI_ERR_PARAM);
	assert_string_equal(err.message,
						"options \"word_ngrams\" and \"char_ngrams\" must not both be 0");
}

/* texts and labels of unusual kinds are learnt from like others */
static void
test_unusual_rows(void **state)
{
	Rows		rows = make_rows(60, 2);
	AiTextOptions options = default_options();
	char	   *long_label = malloc(10240);
	Trained		trained;
	Opened		opened;

	(void) state;
	memset(long_label, 'L', 10240);
	for (int i = 0; i < 20; i++)
	{
		char		text[64];
		int			len = snprintf(text, sizeof(text), "%c\xff\xc3 \xf0\x9f\x98\x80 zero%d", 0, i);

		add_row(&rows, text, (size_t) len, "a\0b", 3);
		add_row(&rows, "", 0, "a", 1);
		len = snprintf(text, sizeof(text), "long label %d", i);
		add_row(&rows, text, (size_t) len, long_label, 10240);
		add_row(&rows, text, (size_t) len, "", 0);
	}
	trained = must_train(&rows, &options, 1);
	opened = must_open(&trained);
	assert_int_equal(opened.n_labels, 6);
	assert_int_equal(ai_text_classifier_find_label(opened.model, "", 0), 0);
	assert_int_equal(ai_text_classifier_find_label(opened.model, long_label, 10240), 1);
	assert_int_equal(ai_text_classifier_find_label(opened.model, "a", 1), 2);
	assert_int_equal(ai_text_classifier_find_label(opened.model, "a\0b", 3), 3);
	assert_int_equal(ai_text_classifier_find_label(opened.model, long_label, 10239), -1);
	run(&opened, "", 0);
	run(&opened, "\0\0", 2);
	run(&opened, "\xff", 1);
	close_opened(&opened);
	free(trained.bytes);
	free(long_label);
	free_rows(&rows);
}

/* texts that are all the same can be learnt from, and say how often each label was right */
static void
test_identical_texts(void **state)
{
	Rows		rows = {0};
	AiTextOptions options = default_options();
	Trained		trained;
	Opened		opened;

	(void) state;
	for (int i = 0; i < 100; i++)
		add_strings(&rows, "the same", i % 4 == 0 ? "rare" : "usual");
	options.validation = 0;
	trained = must_train(&rows, &options, 1);
	opened = must_open(&trained);
	run(&opened, "the same", 8);
	assert_true(opened.probability[1] > 0.5);
	close_opened(&opened);
	free(trained.bytes);
	free_rows(&rows);
}

/* Random words, so that nearly every n-gram is new */
static char *
make_long_text(size_t len)
{
	char	   *text = malloc(len);
	AiRng		rng = {8};

	for (size_t i = 0; i < len; i++)
		text[i] = ai_rng_below(&rng, 8) == 0 ? ' ' : (char) ('a' + ai_rng_below(&rng, 26));
	return text;
}

/* a text of megabytes among short ones is learnt from, labelled and explained */
static void
test_long_text(void **state)
{
	const size_t len = 2 * 1024 * 1024;
	Rows		rows = make_rows(100, 2);
	AiTextOptions options = default_options();
	char	   *text = make_long_text(len);
	Trained		trained;
	Opened		opened;
	double		sizes;
	double		sum;
	struct timespec begin;
	struct timespec end;

	(void) state;
	add_row(&rows, text, len, "label 0", 7);
	options.validation = 0;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	trained = must_train(&rows, &options, 1);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_true(end.tv_sec - begin.tv_sec < 30);
	opened = must_open(&trained);
	run(&opened, text, len);
	sum = explained(&opened, &sizes, 1, &rows.row[100]);
	assert_true(fabs(sum - log_odds(&opened, 1, 0)) < 1e-4 * sizes);
	close_opened(&opened);
	free(trained.bytes);
	free(text);
	free_rows(&rows);
}

/* What one thread reads rows with; it is given back before learning, and not in the estimate. */
#define READING_SIZE ((size_t) 6 * 1024 * 1024)

/* what training takes stays below its limit, or an error names the need before */
static void
check_memory_limit(const Rows *rows, int n_threads)
{
	AiTextOptions options = default_options();
	TestHost	test;
	size_t		peak;
	AiError		err;

	test_host_init(&test, 0, 0);
	assert_int_equal(train(NULL, rows, &options, n_threads, NO_LIMIT, &test.host, &err), AI_OK);
	peak = test.peak_bytes;
	for (int part = 1; part <= 6; part++)
	{
		size_t		limit = peak * (size_t) part / 4;
		AiCode		code;

		test_host_init(&test, 0, 0);
		code = train(NULL, rows, &options, n_threads, limit, &test.host, &err);
		assert_int_equal(test.n_live, 0);
		if (code == AI_OK)
		{
			if (test.peak_bytes > limit + (size_t) n_threads * READING_SIZE)
				fail_msg("%d threads: took %zu bytes, the limit was %zu", n_threads,
						 test.peak_bytes, limit);
			continue;
		}
		assert_int_equal(code, AI_ERR_LIMIT);
		assert_non_null(strstr(err.message, "training needs about"));
		assert_non_null(strstr(err.detail, "rows with"));
		assert_true(part < 6);	/* what is enough is not refused */
	}
}

/* the limit holds for few and for many labels and threads */
static void
test_memory_limit(void **state)
{
	AiTextOptions options = default_options();
	Rows		rows = read_sms();
	AiError		err;

	(void) state;
	assert_int_equal(train(NULL, &rows, &options, 1, 1024 * 1024, ai_malloc_host(), &err),
					 AI_ERR_LIMIT);
	assert_non_null(strstr(err.message, "more than the limit of 1 MB"));
	assert_non_null(strstr(err.detail, "There are 1500 rows with 0.1 MB of text."));
	check_memory_limit(&rows, 1);
	check_memory_limit(&rows, 3);
	free_rows(&rows);
	rows = make_rows(600, 60);
	check_memory_limit(&rows, 1);
	check_memory_limit(&rows, 3);
	free_rows(&rows);
}

/*
 * Failing
 */
static AiCode
train_and_apply(const AiHost *host, void *arg, AiError *err)
{
	AiTextOptions options = default_options();
	Trained		trained = {0};
	AiTextClassifier *model = NULL;
	AiTextScratch *scratch = NULL;
	const AiTextContribution *items;
	int64_t		n_items;
	const Rows *rows = arg;
	AiCode		code;

	options.char_ngrams_max = 3;
	code = train(&trained, rows, &options, 1, NO_LIMIT, host, err);
	if (code == AI_OK)
		code = ai_text_classifier_open(&model, host, trained.bytes, trained.size, err);
	if (code == AI_OK)
		code = ai_text_scratch_create(&scratch, model, host, err);
	for (int i = 0; i < 3 && code == AI_OK; i++)
	{
		code = ai_text_classifier_run(model, scratch, NULL, NULL, rows->row[i].text,
									  rows->row[i].text_len, NULL, err);
		if (code == AI_OK)
			code = ai_text_classifier_explain(model, scratch, &items, &n_items, 0,
											  rows->row[i].text, rows->row[i].text_len, NULL, err);
	}
	ai_text_scratch_destroy(scratch);
	ai_text_classifier_close(model);
	free(trained.bytes);
	return code;
}

/* whichever allocation fails, training and applying say so and keep nothing */
static void
test_every_allocation_fails(void **state)
{
	Rows		rows = make_rows(30, 3);

	(void) state;
	test_every_failed_alloc(train_and_apply, &rows);
	free_rows(&rows);
}

/* whenever the host says stop, it is cancelled and nothing is kept */
static void
test_every_cancel(void **state)
{
	Rows		rows = make_rows(30, 2);

	(void) state;
	test_every_stop(train_and_apply, &rows);
	free_rows(&rows);
}

/* with several threads a stop may come too late, but never leaves anything */
static void
test_cancel_with_threads(void **state)
{
	Rows		rows = make_rows(300, 20);
	AiTextOptions options = default_options();
	int			n_cancelled = 0;

	(void) state;
	for (int64_t stop_at = 1; stop_at < 3000; stop_at = stop_at * 3 / 2 + 1)
	{
		TestHost	test;
		AiError		err;
		AiCode		code;

		test_host_init(&test, 0, stop_at);
		code = train(NULL, &rows, &options, 3, NO_LIMIT, &test.host, &err);
		assert_true(code == AI_ERR_CANCELLED || (code == AI_OK && test.n_asks < stop_at));
		assert_int_equal(test.n_live, 0);
		n_cancelled += code == AI_ERR_CANCELLED;
	}
	assert_true(n_cancelled > 3);
	free_rows(&rows);
}

/* a scratch is as good as new after a failure in the middle of a text */
static void
test_scratch_after_cancel(void **state)
{
	Rows		rows = make_rows(100, 2);
	AiTextOptions options = default_options();
	Trained		trained = must_train(&rows, &options, 1);
	Opened		opened = must_open(&trained);
	TestHost	test;
	AiTextScratch *scratch;
	char		text[40000];
	double		p[2];

	(void) state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = "Topic0x1 common3 "[i % 17];
	test_host_init(&test, 0, 3);
	assert_int_equal(ai_text_scratch_create(&scratch, opened.model, &test.host, NULL), AI_OK);
	assert_int_equal(ai_text_classifier_run(opened.model, scratch, p, NULL, text, sizeof(text),
											NULL, NULL), AI_ERR_CANCELLED);
	test.stop_at = 0;
	for (int i = 0; i < rows.n; i++)
	{
		run(&opened, rows.row[i].text, rows.row[i].text_len);
		assert_int_equal(ai_text_classifier_run(opened.model, scratch, p, NULL, rows.row[i].text,
												rows.row[i].text_len, NULL, NULL), AI_OK);
		assert_true(p[0] == opened.probability[0] && p[1] == opened.probability[1]);
	}
	ai_text_scratch_destroy(scratch);
	assert_int_equal(test.n_live, 0);
	close_opened(&opened);
	free(trained.bytes);
	free_rows(&rows);
}

/* a text that has nothing to read for a long time stops there, too */
static void
test_cancel_in_blanks(void **state)
{
	Rows		rows = make_rows(100, 2);
	AiTextOptions options = default_options();
	Trained		trained = must_train(&rows, &options, 1);
	Opened		opened = must_open(&trained);
	const size_t len = 1000 * 1000;
	char	   *blanks = malloc(len);
	const AiTextContribution *contributions;
	int64_t		n_contributions;

	(void) state;
	memset(blanks, ' ', len);
	for (int stop_at = 1; stop_at <= 3; stop_at++)
	{
		TestHost	test;
		AiTextScratch *scratch;
		int			best;

		test_host_init(&test, 0, stop_at);
		assert_int_equal(ai_text_scratch_create(&scratch, opened.model, &test.host, NULL), AI_OK);
		assert_int_equal(ai_text_classifier_run(opened.model, scratch, NULL, &best, blanks, len,
												NULL, NULL), AI_ERR_CANCELLED);
		assert_int_equal(test.n_asks, stop_at + 1);
		test.n_asks = 0;
		assert_int_equal(ai_text_classifier_explain(opened.model, scratch, &contributions,
													&n_contributions, 0, blanks, len, NULL, NULL),
						 AI_ERR_CANCELLED);
		assert_int_equal(test.n_asks, stop_at + 1);
		ai_text_scratch_destroy(scratch);
		assert_int_equal(test.n_live, 0);
	}
	free(blanks);
	close_opened(&opened);
	free(trained.bytes);
	free_rows(&rows);
}

/*
 * Tests of applying
 */

/* a text has the same probabilities whatever was read or explained before it */
static void
test_scratch_is_clean(void **state)
{
	Rows		rows = make_rows(200, 3);
	AiTextOptions options = default_options();
	Trained		trained = must_train(&rows, &options, 1);
	Opened		opened = must_open(&trained);
	double		first[3];
	double		sizes;

	(void) state;
	for (int i = 0; i < 50; i++)
	{
		const Row  *row = &rows.row[i];
		const Row  *other = &rows.row[i + 100];

		run(&opened, row->text, row->text_len);
		memcpy(first, opened.probability, sizeof(first));
		run(&opened, other->text, other->text_len);
		explained(&opened, &sizes, i % 3, other);
		run(&opened, row->text, row->text_len);
		assert_memory_equal(first, opened.probability, sizeof(first));
	}
	close_opened(&opened);
	free(trained.bytes);
	free_rows(&rows);
}

/* contributions sum to the score: log-odds of two labels, differences of logits of more */
static void
test_explain(void **state)
{
	(void) state;
	for (int n_labels = 2; n_labels <= 5; n_labels++)
	{
		Rows		rows = n_labels == 2 ? read_sms() : make_rows(200, n_labels);
		AiTextOptions options = default_options();
		Trained		trained = must_train(&rows, &options, 1);
		Opened		opened = must_open(&trained);

		add_strings(&rows, "", "");
		add_strings(&rows, "\xe4\xbd\xa0\xe5\xa5\xbd", "");
		for (int i = 0; i < rows.n; i += i < 150 ? 1 : rows.n - 152)
		{
			double		sizes;
			double		other_sizes;
			double		sum = explained(&opened, &sizes, 0, &rows.row[i]);
			double		other = explained(&opened, &other_sizes, 1, &rows.row[i]);

			run(&opened, rows.row[i].text, rows.row[i].text_len);
			if (n_labels == 2)
			{
				assert_true(sum == -other);
				assert_true(fabs(sum - log_odds(&opened, 0, 1)) <= 1e-6 * sizes + 1e-9);
			}
			else
				assert_true(fabs(sum - other - log_odds(&opened, 0, 1)) <=
							1e-6 * (sizes + other_sizes) + 1e-9);
		}
		close_opened(&opened);
		free(trained.bytes);
		free_rows(&rows);
	}
}

/* what a model says of its own n-grams: by label, then by falling weight, as text */
static void
test_importance(void **state)
{
	Rows		rows = make_rows(200, 4);
	AiTextOptions options = default_options();
	Trained		trained = must_train(&rows, &options, 1);
	Opened		opened = must_open(&trained);
	AiTextImportance before = {.label = -1};
	int			n_topics[4] = {0};

	(void) state;
	for (int64_t i = 0; i < ai_text_classifier_n_importances(opened.model); i++)
	{
		AiTextImportance item = ai_text_classifier_importance(opened.model, i);
		char		topic[16];

		assert_true(item.label >= before.label && item.label < 4);
		assert_true(item.label > before.label || item.weight <= before.weight);
		assert_true(item.weight > 0 && item.feature_len > 0);
		assert_true(item.n_rows >= 1 && item.n_rows <= trained.report.n_train_rows);
		snprintf(topic, sizeof(topic), "topic%dx", item.label);
		n_topics[item.label] += memmem(item.feature, item.feature_len, topic, 7) != NULL;
		before = item;
	}
	for (int k = 0; k < 4; k++)
		assert_true(n_topics[k] >= 3);
	close_opened(&opened);
	free(trained.bytes);
	free_rows(&rows);
}

/*
 * Damaged models
 */
static Trained
small_model(int n_labels)
{
	Rows		rows = make_rows(4 * n_labels, n_labels);
	AiTextOptions options = default_options();
	Trained		trained;

	options.char_ngrams_max = 0;
	options.word_ngrams = 1;
	options.validation = 0;
	trained = must_train(&rows, &options, 1);
	free_rows(&rows);
	return trained;
}

/* Use a block as far as it lets itself be used. */
static AiCode
use_block(const void *bytes, size_t size, AiError *err)
{
	static const char text[] = "Topic0x1 common3, common5, topic2x4 other";
	AiTextClassifier *model;
	AiTextScratch *scratch;
	const AiTextContribution *items;
	int64_t		n_items;
	double		probability[AI_TEXT_MAX_LABELS];
	int			best;
	size_t		len;

	AI_TRY(ai_text_classifier_open(&model, ai_malloc_host(), bytes, size, err));
	assert_int_equal(ai_text_scratch_create(&scratch, model, ai_malloc_host(), NULL), AI_OK);
	assert_int_equal(ai_text_classifier_run(model, scratch, probability, &best, text,
											sizeof(text) - 1, NULL, NULL), AI_OK);
	assert_int_equal(ai_text_classifier_explain(model, scratch, &items, &n_items, best, text,
												sizeof(text) - 1, NULL, NULL), AI_OK);
	for (int k = 0; k < ai_text_classifier_n_labels(model); k++)
		assert_non_null(ai_text_classifier_label(model, k, &len));
	for (int64_t i = 0; i < ai_text_classifier_n_importances(model); i++)
		assert_non_null(ai_text_classifier_importance(model, i).kind);
	ai_text_scratch_destroy(scratch);
	ai_text_classifier_close(model);
	return AI_OK;
}

/* a model that was cut short is refused, wherever it was cut */
static void
test_every_truncation(void **state)
{
	Trained		trained = small_model(3);
	AiError		err;

	(void) state;
	assert_int_equal(use_block(trained.bytes, trained.size, &err), AI_OK);
	for (size_t size = 0; size < trained.size; size += size < 2048 ? 1 : 61)
	{
		void	   *copy = NULL;

		assert_int_equal(posix_memalign(&copy, AI_ALIGNMENT, size + (size == 0)), 0);
		memcpy(copy, trained.bytes, size);
		assert_int_not_equal(use_block(copy, size, &err), AI_OK);
		assert_true(err.message[0] != '\0');
		free(copy);
	}
	free(trained.bytes);
}

/* a model with a wrong bit is refused or used within its bounds */
static void
test_bit_flips(void **state)
{
	Trained		trained = small_model(3);
	uint8_t    *bytes = trained.bytes;
	int			n_refused = 0;

	(void) state;
	for (size_t bit = 0; bit < 8 * trained.size; bit += bit < 8 * 2048 ? 3 : 29)
	{
		AiError		err;

		bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
		n_refused += use_block(bytes, trained.size, &err) != AI_OK;
		bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
	}
	assert_true(n_refused > 1000);
	assert_int_equal(use_block(bytes, trained.size, NULL), AI_OK);
	free(trained.bytes);
}

/* numbers that are not finite, or could make sums that are not, are refused */
static void
test_not_finite(void **state)
{
	static const char *const names[] = {"weight", "intercept", "idf"};
	static const int n_dims[] = {2, 1, 1};
	static const float wrong[] = {NAN, INFINITY, -INFINITY, FLT_MAX};
	Trained		trained = small_model(3);
	AiAim		aim;
	const void *strongest;
	int64_t		dims[AI_AIM_MAX_DIMS];

	(void) state;
	assert_int_equal(ai_aim_open(&aim, trained.bytes, trained.size, NULL), AI_OK);
	for (int i = 0; i < 3; i++)
	{
		const void *data;

		assert_int_equal(ai_aim_array(&aim, &data, dims, names[i], AI_DTYPE_F32, n_dims[i],
									  NULL), AI_OK);
		for (size_t w = 0; w < COUNT(wrong); w++)
		{
			float	   *x = (float *) data;
			float		was = *x;
			AiError		err;

			*x = wrong[w];
			assert_int_equal(use_block(trained.bytes, trained.size, &err), AI_ERR_FORMAT);
			assert_non_null(strstr(err.message, names[i]));
			*x = was;
		}
	}
	assert_int_equal(ai_aim_array(&aim, &strongest, dims, "strongest.weight", AI_DTYPE_F64, 1,
								  NULL), AI_OK);
	*(double *) strongest = NAN;
	assert_int_equal(use_block(trained.bytes, trained.size, NULL), AI_ERR_FORMAT);
	free(trained.bytes);
}

/* The model's block with other labels */
static AiCode
open_with_labels(const Trained *trained, const char *const *labels, const size_t *lens,
				 int64_t n_labels, AiError *err)
{
	AiAimWriter writer;
	const void *bytes;
	size_t		size;
	AiAim		aim;
	AiCode		code;

	assert_int_equal(ai_aim_open(&aim, trained->bytes, trained->size, NULL), AI_OK);
	ai_aim_writer_init(&writer, ai_malloc_host(), AI_TEXT_CLASSIFIER_KIND);
	for (int64_t i = 0; i < aim.n_entries; i++)
	{
		AiAimEntry	entry = ai_aim_entry(&aim, i);

		if (strncmp(entry.name, "labels.", 7) != 0)
			assert_int_equal(ai_aim_add(&writer, entry.name, entry.dtype, entry.data,
										entry.n_dims, entry.dims, NULL), AI_OK);
	}
	assert_int_equal(ai_aim_add_strings(&writer, "labels", labels, lens, n_labels, NULL), AI_OK);
	assert_int_equal(ai_aim_finish(&writer, &bytes, &size, NULL), AI_OK);
	code = use_block(bytes, size, err);
	ai_aim_writer_free(&writer);
	return code;
}

/* labels are two to a thousand, each once, in order */
static void
test_other_labels(void **state)
{
	enum
	{
		MILLION = 1000000
	};
	static const size_t lens[] = {1, 1, 2};
	static const char *const wrong[][3] = {
		{"b", "a", "cc"}, {"a", "a", "bb"}, {"b", "c", "bb"}
	};
	Trained		trained = small_model(3);
	const char **many = calloc(MILLION, sizeof(char *));
	size_t	   *none = calloc(MILLION, sizeof(size_t));
	AiError		err;

	(void) state;
	assert_int_equal(open_with_labels(&trained, (const char *const[]) {"a", "b", "bb"}, lens, 3,
									  &err), AI_OK);
	for (size_t i = 0; i < COUNT(wrong); i++)
	{
		assert_int_equal(open_with_labels(&trained, wrong[i], lens, 3, &err), AI_ERR_FORMAT);
		assert_string_equal(err.message, "invalid text model: labels are not in order");
	}
	for (int i = 0; i < MILLION; i++)
		many[i] = "";
	assert_int_equal(open_with_labels(&trained, many, none, MILLION, &err), AI_ERR_FORMAT);
	assert_string_equal(err.message, "invalid text model: 1000000 labels");
	assert_int_equal(open_with_labels(&trained, many, none, 1, &err), AI_ERR_FORMAT);
	assert_int_equal(open_with_labels(&trained, many, none, 0, &err), AI_ERR_FORMAT);
	free(many);
	free(none);
	free(trained.bytes);
}

/* a block of another kind, or of newer n-grams, is not a text classifier */
static void
test_other_blocks(void **state)
{
	Trained		trained = small_model(3);
	AiAimWriter writer;
	const void *bytes;
	size_t		size;
	AiAim		aim;
	const void *version;
	int64_t		dims[AI_AIM_MAX_DIMS];
	AiError		err;

	(void) state;
	ai_aim_writer_init(&writer, ai_malloc_host(), "other");
	assert_int_equal(ai_aim_finish(&writer, &bytes, &size, NULL), AI_OK);
	assert_int_equal(use_block(bytes, size, &err), AI_ERR_FORMAT);
	ai_aim_writer_free(&writer);
	ai_aim_writer_init(&writer, ai_malloc_host(), AI_TEXT_CLASSIFIER_KIND);
	assert_int_equal(ai_aim_finish(&writer, &bytes, &size, NULL), AI_OK);
	assert_int_equal(use_block(bytes, size, &err), AI_ERR_FORMAT);
	ai_aim_writer_free(&writer);

	assert_int_equal(ai_aim_open(&aim, trained.bytes, trained.size, NULL), AI_OK);
	assert_int_equal(ai_aim_array(&aim, &version, dims, "version", AI_DTYPE_I64, 0, NULL), AI_OK);
	*(int64_t *) version += 1;	/* that would have an embedder */
	assert_int_equal(use_block(trained.bytes, trained.size, &err), AI_ERR_FORMAT);
	*(int64_t *) version += 1;
	assert_int_equal(use_block(trained.bytes, trained.size, &err), AI_ERR_UNSUPPORTED);
	free(trained.bytes);
}

/* models that were written earlier open: the fuzzer begins with them, and users have theirs */
static void
test_kept_models(void **state)
{
	(void) state;
	for (int n_labels = 2; n_labels <= 3; n_labels++)
	{
		char		path[64];
		FILE	   *file;
		void	   *bytes = NULL;
		size_t		size;
		AiError		err;

		snprintf(path, sizeof(path), MODELS_DIR "/labels_%d", n_labels);
		file = fopen(path, "rb");
		assert_non_null(file);
		assert_int_equal(posix_memalign(&bytes, AI_ALIGNMENT, 65536), 0);
		size = fread(bytes, 1, 65536, file);
		fclose(file);
		if (use_block(bytes, size, &err) != AI_OK)
			fail_msg("%s", err.message);
		free(bytes);
	}
}

static int
write_models(const char *directory)
{
	bool		is_written = true;

	for (int n_labels = 2; n_labels <= 3; n_labels++)
	{
		Trained		trained = small_model(n_labels);
		char		path[1024];
		FILE	   *file;

		snprintf(path, sizeof(path), "%s/labels_%d", directory, n_labels);
		file = fopen(path, "wb");
		is_written = is_written && file != NULL &&
			fwrite(trained.bytes, 1, trained.size, file) == trained.size;
		if (file != NULL && fclose(file) != 0)
			is_written = false;
		free(trained.bytes);
	}
	return is_written ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_bytes_in_any_order),
		cmocka_unit_test(test_seed),
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_validation_membership),
		cmocka_unit_test(test_cross_validation),
		cmocka_unit_test(test_every_level),
		cmocka_unit_test(test_l2),
		cmocka_unit_test(test_class_weights),
		cmocka_unit_test(test_max_time),
		cmocka_unit_test(test_data_errors),
		cmocka_unit_test(test_long_label_in_messages),
		cmocka_unit_test(test_too_many_labels),
		cmocka_unit_test(test_thousand_labels),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_option_ranges),
		cmocka_unit_test(test_unusual_rows),
		cmocka_unit_test(test_identical_texts),
		cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_memory_limit),
		cmocka_unit_test(test_every_allocation_fails),
		cmocka_unit_test(test_every_cancel),
		cmocka_unit_test(test_cancel_with_threads),
		cmocka_unit_test(test_scratch_after_cancel),
		cmocka_unit_test(test_cancel_in_blanks),
		cmocka_unit_test(test_scratch_is_clean),
		cmocka_unit_test(test_explain),
		cmocka_unit_test(test_importance),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_bit_flips),
		cmocka_unit_test(test_not_finite),
		cmocka_unit_test(test_other_labels),
		cmocka_unit_test(test_other_blocks),
		cmocka_unit_test(test_kept_models),
	};

	if (argc == 3 && strcmp(argv[1], "--write-models") == 0)
		return write_models(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
