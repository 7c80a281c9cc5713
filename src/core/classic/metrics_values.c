/*-------------------------------------------------------------------------
 * metrics_values.c
 *		How good numbers are that a model gives.
 *
 * Sums are compensated.  The median is found by counting: bits of numbers that are not
 * negative rise with them, so a digit of the median is known after one pass, and the next
 * pass looks only at numbers that begin with it.  That needs no memory and no order.
 *-------------------------------------------------------------------------
 */
#include "core/classic/metrics.h"

#include <math.h>
#include <string.h>

#include "core/classic/sum.h"

/* rows between two questions to the host: below a millisecond of any loop */
#define STOP_INTERVAL 0x10000

#define DIGIT_BITS 11
#define N_DIGIT_VALUES (1 << DIGIT_BITS)

/* One output of all rows */
typedef struct Column
{
	const float *truth;			/* [n, width], from its own number on */
	const float *predicted;
	int64_t		n;
	int			width;
	const AiHost *host;
} Column;

static inline double
truth_of(const Column *column, int64_t row)
{
	return column->truth[row * column->width];
}

/* What is wrong in a row */
static inline double
error_of(const Column *column, int64_t row)
{
	return truth_of(column, row) - (double) column->predicted[row * column->width];
}

static bool
is_stopped(const Column *column, int64_t row)
{
	return row % STOP_INTERVAL == 0 && ai_host_should_stop(column->host);
}

static AiCode
cancelled(AiError *err)
{
	return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
}

/* The part of the variance that is explained, by sums of squares */
static double
explained(double unexplained, double total)
{
	if (total == 0)
		return unexplained == 0 ? 1 : 0;
	return 1 - unexplained / total;
}

static AiCode
find_means(double *truth, double *error, const Column *column, AiError *err)
{
	AiSum		truths = {0};
	AiSum		errors = {0};

	for (int64_t i = 0; i < column->n; i++)
	{
		if (is_stopped(column, i))
			return cancelled(err);
		ai_sum_add(&truths, truth_of(column, i));
		ai_sum_add(&errors, error_of(column, i));
	}
	*truth = ai_sum_value(&truths) / (double) column->n;
	*error = ai_sum_value(&errors) / (double) column->n;
	return AI_OK;
}

static AiCode
add_sums(AiValueMetrics *metrics, const Column *column, AiError *err)
{
	double		n = (double) column->n;
	double		mean_truth = 0;
	double		mean_error = 0;
	AiSum		total = {0};
	AiSum		sizes = {0};
	AiSum		squares = {0};
	AiSum		spread = {0};

	AI_TRY(find_means(&mean_truth, &mean_error, column, err));
	for (int64_t i = 0; i < column->n; i++)
	{
		double		difference = truth_of(column, i) - mean_truth;
		double		error = error_of(column, i);

		if (is_stopped(column, i))
			return cancelled(err);
		ai_sum_add(&total, difference * difference);
		ai_sum_add(&sizes, fabs(error));
		ai_sum_add(&squares, error * error);
		ai_sum_add(&spread, (error - mean_error) * (error - mean_error));
	}
	metrics->mae += ai_sum_value(&sizes) / n;
	metrics->mse += ai_sum_value(&squares) / n;
	metrics->rmse += sqrt(ai_sum_value(&squares) / n);
	metrics->r2 += explained(ai_sum_value(&squares), ai_sum_value(&total));
	metrics->explained_variance += explained(ai_sum_value(&spread), ai_sum_value(&total));
	return AI_OK;
}

/*
 * The median
 */
static inline uint64_t
error_bits(const Column *column, int64_t row)
{
	double		size = fabs(error_of(column, row));
	uint64_t	bits;

	memcpy(&bits, &size, sizeof(bits));
	return bits;
}

/* The error that so many others stand before, by rising size */
static AiCode
select_error(double *error, const Column *column, int64_t rank, AiError *err)
{
	uint64_t	prefix = 0;
	int			shift = 64;

	while (shift > 0)
	{
		int			next = shift > DIGIT_BITS ? shift - DIGIT_BITS : 0;
		uint64_t	n_values = UINT64_C(1) << (shift - next);
		int64_t		count[N_DIGIT_VALUES] = {0};
		uint64_t	digit = 0;

		for (int64_t i = 0; i < column->n; i++)
		{
			uint64_t	bits = error_bits(column, i);

			if (is_stopped(column, i))
				return cancelled(err);
			if (shift == 64 || bits >> shift == prefix)
				count[(bits >> next) & (n_values - 1)]++;
		}
		while (rank >= count[digit])
			rank -= count[digit++];
		prefix = (shift == 64 ? 0 : prefix << (shift - next)) | digit;
		shift = next;
	}
	memcpy(error, &prefix, sizeof(*error));
	return AI_OK;
}

static AiCode
add_median(AiValueMetrics *metrics, const Column *column, AiError *err)
{
	double		low;
	double		high;

	AI_TRY(select_error(&low, column, (column->n - 1) / 2, err));
	AI_TRY(select_error(&high, column, column->n / 2, err));
	metrics->median_absolute_error += (low + high) / 2;
	return AI_OK;
}

AiCode
ai_metrics_regress(AiValueMetrics *metrics, const float *truth, const float *predicted, int64_t n,
				   int width, const AiHost *host, AiError *err)
{
	*metrics = (AiValueMetrics) {n, NAN, NAN, NAN, NAN, NAN, NAN};
	if (n == 0)
		return AI_OK;
	*metrics = (AiValueMetrics) {.n = n};
	for (int i = 0; i < width; i++)
	{
		Column		column = {truth + i, predicted + i, n, width, host};

		AI_TRY(add_sums(metrics, &column, err));
		AI_TRY(add_median(metrics, &column, err));
	}
	metrics->r2 = n < 2 ? NAN : metrics->r2 / width;
	metrics->explained_variance /= width;
	metrics->mae /= width;
	metrics->mse /= width;
	metrics->rmse /= width;
	metrics->median_absolute_error /= width;
	return AI_OK;
}
