/*-------------------------------------------------------------------------
 * test_metrics.c
 *		Metrics equal scikit-learn's, in any order of rows, on any machine.
 *
 * test/golden/metrics.txt holds the cases and scikit-learn's numbers; its
 * format is described in test/golden/make_metrics.py.
 *-------------------------------------------------------------------------
 */
#include "core/classic/metrics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "test_host.h"

#define GOLDEN_FILE "test/golden/metrics.txt"
#define MAX_ROWS 1000
#define MAX_LABELS 64

typedef struct Case
{
	char		name[64];
	int			n;
	int			n_labels;
	int			denominator;	/* 0: without probabilities */
	int32_t		truth[MAX_ROWS];
	int32_t		predicted[MAX_ROWS];
	double		probability[MAX_ROWS * MAX_LABELS];
	AiClassMetrics expected;
	int64_t		confusion[(MAX_LABELS + 1) * MAX_LABELS];
} Case;

static double
read_number(FILE *file)
{
	char		word[64];

	assert_int_equal(fscanf(file, "%63s", word), 1);
	return strtod(word, NULL);
}

static double
read_metric(FILE *file, const char *name)
{
	char		word[64];

	assert_int_equal(fscanf(file, "%63s", word), 1);
	assert_string_equal(word, name);
	return read_number(file);
}

static AiPrf
read_prf(FILE *file, const char *average)
{
	char		name[64];
	AiPrf		prf;

	snprintf(name, sizeof(name), "%s_precision", average);
	prf.precision = read_metric(file, name);
	snprintf(name, sizeof(name), "%s_recall", average);
	prf.recall = read_metric(file, name);
	snprintf(name, sizeof(name), "%s_f1", average);
	prf.f1 = read_metric(file, name);
	return prf;
}

static AiClassMetrics
read_metrics(FILE *file, int n)
{
	AiClassMetrics m = {.n = n};

	m.accuracy = read_metric(file, "accuracy");
	m.balanced_accuracy = read_metric(file, "balanced_accuracy");
	m.macro = read_prf(file, "macro");
	m.micro = read_prf(file, "micro");
	m.weighted = read_prf(file, "weighted");
	m.matthews = read_metric(file, "matthews");
	m.log_loss = read_metric(file, "log_loss");
	m.roc_auc = read_metric(file, "roc_auc");
	m.calibration_error = read_metric(file, "calibration_error");
	return m;
}

/* false at the end of the file */
static bool
read_case(FILE *file, Case *c)
{
	if (fscanf(file, " case %63s %d %d %d", c->name, &c->n, &c->n_labels,
			   &c->denominator) != 4)
		return false;
	assert_in_range(c->n, 1, MAX_ROWS);
	assert_in_range(c->n_labels, 1, MAX_LABELS);
	for (int i = 0; i < c->n; i++)
		c->truth[i] = (int32_t) read_number(file);
	for (int i = 0; i < c->n; i++)
		c->predicted[i] = (int32_t) read_number(file);
	for (int i = 0; c->denominator > 0 && i < c->n * c->n_labels; i++)
		c->probability[i] = read_number(file) / c->denominator;
	c->expected = read_metrics(file, c->n);
	for (int i = 0; i < (c->n_labels + 1) * c->n_labels; i++)
		c->confusion[i] = (int64_t) read_number(file);
	return true;
}

/* scikit-learn's own sums are off by a few units in the last place */
static void
check_value(const char *case_name, const char *name, double value, double expected)
{
	if (isnan(expected) ? isnan(value) : fabs(value - expected) <= 1e-15 * fabs(expected))
		return;
	fail_msg("%s: %s is %.17g, not %.17g", case_name, name, value, expected);
}

static void
check_metrics(const char *name, const AiClassMetrics *m, const AiClassMetrics *expected)
{
	assert_int_equal(m->n, expected->n);
#define CHECK(field) check_value(name, #field, m->field, expected->field)
	CHECK(accuracy);
	CHECK(balanced_accuracy);
	CHECK(macro.precision);
	CHECK(macro.recall);
	CHECK(macro.f1);
	CHECK(micro.precision);
	CHECK(micro.recall);
	CHECK(micro.f1);
	CHECK(weighted.precision);
	CHECK(weighted.recall);
	CHECK(weighted.f1);
	CHECK(matthews);
	CHECK(log_loss);
	CHECK(roc_auc);
	CHECK(calibration_error);
#undef CHECK
}

static AiCode
run_case(const AiHost *host, void *arg, AiError *err)
{
	Case	   *c = arg;
	AiClassMetrics metrics;
	int64_t		confusion[(MAX_LABELS + 1) * MAX_LABELS];

	AI_TRY(ai_metrics_classify(&metrics, confusion, c->truth, c->predicted,
							   c->denominator > 0 ? c->probability : NULL,
							   c->n, c->n_labels, host, err));
	check_metrics(c->name, &metrics, &c->expected);
	assert_memory_equal(confusion, c->confusion,
						sizeof(int64_t) * (size_t) ((c->n_labels + 1) * c->n_labels));
	return AI_OK;
}

/* every case has scikit-learn's numbers, or the failure that was forced */
static void
test_golden(void **state)
{
	static Case c;
	FILE	   *file = fopen(GOLDEN_FILE, "r");
	int			n_cases = 0;

	(void) state;
	assert_non_null(file);
	assert_int_equal(fscanf(file, "#%*[^\n]"), 0);
	while (read_case(file, &c))
	{
		test_every_failed_alloc(run_case, &c);
		test_every_stop(run_case, &c);
		n_cases++;
	}
	assert_true(feof(file));
	assert_in_range(n_cases, 20, 1000);
	fclose(file);
}

/* the area under the ROC curve is the share of rightly ordered pairs */
static void
test_roc_auc_counts_pairs(void **state)
{
	enum
	{
		N = 500
	};
	static int32_t truth[N];
	static int32_t predicted[N];
	static double probability[N * 2];

	(void) state;
	for (int n_scores = 1; n_scores <= 1 << 20; n_scores *= 4)
	{
		AiRng		rng = {(uint64_t) n_scores};
		int64_t		twice_won = 0;
		int64_t		n_pairs = 0;
		AiClassMetrics metrics;

		for (int i = 0; i < N; i++)
		{
			truth[i] = i < 2 ? i : (int) ai_rng_below(&rng, 3) / 2;
			probability[2 * i + 1] = (double) ai_rng_below(&rng, (uint32_t) n_scores) / n_scores;
			probability[2 * i] = 1.0 - probability[2 * i + 1];
		}
		for (int i = 0; i < N; i++)
		{
			for (int j = 0; j < N; j++)
			{
				double		a = probability[2 * i + 1];
				double		b = probability[2 * j + 1];

				if (truth[i] != 1 || truth[j] != 0)
					continue;
				n_pairs++;
				twice_won += a > b ? 2 : a == b;
			}
		}
		assert_int_equal(ai_metrics_classify(&metrics, NULL, truth, predicted, probability,
											 N, 2, ai_malloc_host(), NULL), AI_OK);
		check_value("pairs", "roc_auc", metrics.roc_auc,
					(double) twice_won / (double) (2 * n_pairs));
	}
}

/* scores need not be probabilities: signs, zeros and infinities are ordered */
static void
test_roc_auc_orders_all_scores(void **state)
{
	static const int32_t truth[] = {0, 0, 1, 0, 1, 1};
	static const int32_t predicted[6] = {0};
	static const double score[] = {
		0.0, -INFINITY, 0.0, -1.0, 0.0, -0.0, 0.0, 0.0, 0.0, 5e-324, 0.0, INFINITY
	};
	AiClassMetrics metrics;

	(void) state;
	assert_int_equal(ai_metrics_classify(&metrics, NULL, truth, predicted, score, 6, 2,
										 ai_malloc_host(), NULL), AI_OK);
	/* of nine pairs eight are won and one is tied */
	check_value("signs", "roc_auc", metrics.roc_auc, 8.5 / 9.0);
}

/* many equal rows: no count overflows, and time grows as the rows do */
static void
test_many_rows(void **state)
{
	enum
	{
		N = 1000000
	};
	int32_t    *labels = malloc(sizeof(int32_t) * N);
	double	   *probability = malloc(sizeof(double) * 2 * N);
	AiClassMetrics metrics;

	(void) state;
	assert_non_null(labels);
	assert_non_null(probability);
	for (int i = 0; i < N; i++)
	{
		labels[i] = i % 2;
		probability[2 * i] = 0.5;
		probability[2 * i + 1] = 0.5;
	}
	assert_int_equal(ai_metrics_classify(&metrics, NULL, labels, labels, probability,
										 N, 2, ai_malloc_host(), NULL), AI_OK);
	assert_true(metrics.accuracy == 1.0);
	assert_true(metrics.matthews == 1.0);
	assert_true(metrics.roc_auc == 0.5);
	assert_true(metrics.log_loss == -log(0.5));
	assert_true(metrics.calibration_error == 0.5);
	free(labels);
	free(probability);
}

/* without rows nothing is defined, and nothing fails */
static void
test_no_rows(void **state)
{
	AiClassMetrics metrics;
	int64_t		confusion[6] = {1, 1, 1, 1, 1, 1};
	static const int64_t zeros[6];
	static const int32_t labels[1];
	static const double probability[1];

	(void) state;
	assert_int_equal(ai_metrics_classify(&metrics, confusion, labels, labels, probability,
										 0, 2, ai_malloc_host(), NULL), AI_OK);
	assert_int_equal(metrics.n, 0);
	assert_true(isnan(metrics.accuracy));
	assert_true(isnan(metrics.macro.f1));
	assert_true(isnan(metrics.log_loss));
	assert_true(isnan(metrics.roc_auc));
	assert_memory_equal(confusion, zeros, sizeof(zeros));
}

/* a label number out of range is a bug that is reported, not a wild write */
static void
test_label_out_of_range(void **state)
{
	static const int32_t good[] = {0, 1};
	static const int32_t wrong[][2] = {{0, 2}, {-2, 1}, {0, INT32_MAX}, {INT32_MIN, 0}};
	static const int32_t unknown[] = {-1, 0};
	AiClassMetrics metrics;

	(void) state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
	{
		assert_int_equal(ai_metrics_classify(&metrics, NULL, wrong[i], good, NULL, 2, 2,
											 ai_malloc_host(), NULL), AI_ERR_BUG);
		assert_int_equal(ai_metrics_classify(&metrics, NULL, good, wrong[i], NULL, 2, 2,
											 ai_malloc_host(), NULL), AI_ERR_BUG);
	}
	assert_int_equal(ai_metrics_classify(&metrics, NULL, good, unknown, NULL, 2, 2,
										 ai_malloc_host(), NULL), AI_ERR_BUG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_roc_auc_counts_pairs),
		cmocka_unit_test(test_roc_auc_orders_all_scores),
		cmocka_unit_test(test_many_rows),
		cmocka_unit_test(test_no_rows),
		cmocka_unit_test(test_label_out_of_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
