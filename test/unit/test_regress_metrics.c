/*-------------------------------------------------------------------------
 * test_regress_metrics.c
 *		Metrics of numbers and of sets of labels equal scikit-learn's.
 *
 * test/golden/make_regress_metrics.py describes its file.
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

#include "test_host.h"

#define GOLDEN_FILE "test/golden/regress_metrics.txt"
#define MAX_NUMBERS 2000
#define MAX_METRICS 8

typedef struct Case
{
	char		kind[16];
	char		name[64];
	int			n;
	int			width;
	float		truth[MAX_NUMBERS];
	float		predicted[MAX_NUMBERS];
} Case;

static void
read_numbers(FILE *file, float *numbers, int n, double unit)
{
	assert_in_range(n, 1, MAX_NUMBERS);
	for (int i = 0; i < n; i++)
	{
		int			number;

		assert_int_equal(fscanf(file, "%d", &number), 1);
		numbers[i] = (float) (number / unit);
	}
}

static void
check_next(FILE *file, const Case *c, double value)
{
	char		word[64];
	double		expected;

	assert_int_equal(fscanf(file, "%63s", word), 1);
	expected = strtod(word, NULL);
	if (isnan(expected) ? !isnan(value) : fabs(value - expected) > 1e-13 * fabs(expected))
		fail_msg("%s: %.17g, not %.17g", c->name, value, expected);
}

static void
check_values(FILE *file, const Case *c)
{
	AiValueMetrics m;

	assert_int_equal(ai_metrics_regress(&m, c->truth, c->predicted, c->n, c->width,
										ai_malloc_host(), NULL), AI_OK);
	assert_int_equal(m.n, c->n);
	check_next(file, c, m.r2);
	check_next(file, c, m.mae);
	check_next(file, c, m.mse);
	check_next(file, c, m.rmse);
	check_next(file, c, m.median_absolute_error);
	check_next(file, c, m.explained_variance);
}

static void
check_prf(FILE *file, const Case *c, const AiPrf *prf)
{
	check_next(file, c, prf->precision);
	check_next(file, c, prf->recall);
	check_next(file, c, prf->f1);
}

static void
check_labels(FILE *file, const Case *c)
{
	AiLabelsMetrics m;

	assert_int_equal(ai_metrics_labels(&m, c->truth, c->predicted, c->n, c->width, c->width,
									   ai_malloc_host(), NULL), AI_OK);
	assert_int_equal(m.n, c->n);
	check_next(file, c, m.subset_accuracy);
	check_next(file, c, m.accuracy);
	check_prf(file, c, &m.macro);
	check_prf(file, c, &m.micro);
}

static void
test_golden(void **state)
{
	static Case c;
	FILE	   *file = fopen(GOLDEN_FILE, "r");
	int			n_cases = 0;

	(void) state;
	assert_non_null(file);
	assert_int_equal(fscanf(file, "#%*[^\n]"), 0);
	while (fscanf(file, " %15s %63s %d %d", c.kind, c.name, &c.n, &c.width) == 4)
	{
		bool		are_values = strcmp(c.kind, "values") == 0;

		read_numbers(file, c.truth, c.n * c.width, are_values ? 64 : 1);
		read_numbers(file, c.predicted, c.n * c.width, are_values ? 64 : 100);
		if (are_values)
			check_values(file, &c);
		else
			check_labels(file, &c);
		n_cases++;
	}
	assert_true(feof(file));
	fclose(file);
	assert_int_equal(n_cases, 16);
}

/* Without rows nothing is known. */
static void
test_no_rows(void **state)
{
	AiValueMetrics values;
	AiLabelsMetrics labels;

	(void) state;
	assert_int_equal(ai_metrics_regress(&values, NULL, NULL, 0, 1, ai_malloc_host(), NULL), AI_OK);
	assert_int_equal(ai_metrics_labels(&labels, NULL, NULL, 0, 1, 1, ai_malloc_host(), NULL),
					 AI_OK);
	assert_true(isnan(values.r2) && isnan(values.median_absolute_error));
	assert_true(isnan(labels.subset_accuracy) && isnan(labels.macro.f1));
}

static AiCode
measure(const AiHost *host, void *arg, AiError *err)
{
	static const float numbers[] = {1, 0, 1, 0};
	AiValueMetrics values;
	AiLabelsMetrics labels;

	(void) arg;
	AI_TRY(ai_metrics_labels(&labels, numbers, numbers, 2, 2, 2, host, err));
	return ai_metrics_regress(&values, numbers, numbers, 4, 1, host, err);
}

static void
test_stop(void **state)
{
	(void) state;
	test_every_stop(measure, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_no_rows),
		cmocka_unit_test(test_stop)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
