/*-------------------------------------------------------------------------
 * metrics_labels.c
 *		How good a model is that gives any number of labels.
 *-------------------------------------------------------------------------
 */
#include "core/classic/metrics.h"

#include <math.h>

/* rows between two questions to the host */
#define STOP_INTERVAL 0x1000

typedef struct LabelCount
{
	int64_t		n_true;
	int64_t		n_predicted;
	int64_t		n_both;
	int64_t		n_right;		/* rows that have it rightly, or rightly not */
} LabelCount;

static double
ratio(int64_t part, int64_t whole)
{
	return whole == 0 ? 0 : (double) part / (double) whole;
}

/* F1 by counts is rounded once, as is what it is made of. */
static AiPrf
prf_of(const LabelCount *count)
{
	return (AiPrf) {
		ratio(count->n_both, count->n_predicted), ratio(count->n_both, count->n_true),
		ratio(2 * count->n_both, count->n_predicted + count->n_true)
	};
}

static AiCode
count_label(LabelCount *count, const float *truth, const float *probability, int64_t n,
			int width, const AiHost *host, AiError *err)
{
	for (int64_t i = 0; i < n; i++)
	{
		bool		is_true = truth[i * width] > 0.5f;
		bool		is_predicted = probability[i * width] >= 0.5f;

		if (i % STOP_INTERVAL == 0 && ai_host_should_stop(host))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		count->n_true += is_true;
		count->n_predicted += is_predicted;
		count->n_both += is_true && is_predicted;
		count->n_right += is_true == is_predicted;
	}
	return AI_OK;
}

static AiCode
count_rows(int64_t *n_right, const float *truth, const float *probability, int64_t n,
		   int width, int n_labels, const AiHost *host, AiError *err)
{
	*n_right = 0;
	for (int64_t i = 0; i < n; i++)
	{
		bool		is_right = true;

		if (i % STOP_INTERVAL == 0 && ai_host_should_stop(host))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		for (int64_t j = i * width; j < i * width + n_labels; j++)
			is_right = is_right && (truth[j] > 0.5f) == (probability[j] >= 0.5f);
		*n_right += is_right;
	}
	return AI_OK;
}

AiCode
ai_metrics_labels(AiLabelsMetrics *metrics, const float *truth, const float *probability,
				  int64_t n, int width, int n_labels, const AiHost *host, AiError *err)
{
	LabelCount	all = {0};
	int64_t		n_right;

	*metrics = (AiLabelsMetrics) {
		n, NAN, NAN, {NAN, NAN, NAN}, {NAN, NAN, NAN}
	};
	if (n == 0)
		return AI_OK;
	metrics->macro = (AiPrf) {0};
	for (int i = 0; i < n_labels; i++)
	{
		LabelCount	count = {0};
		AiPrf		prf;

		AI_TRY(count_label(&count, truth + i, probability + i, n, width, host, err));
		prf = prf_of(&count);
		metrics->macro.precision += prf.precision / n_labels;
		metrics->macro.recall += prf.recall / n_labels;
		metrics->macro.f1 += prf.f1 / n_labels;
		all.n_true += count.n_true;
		all.n_predicted += count.n_predicted;
		all.n_both += count.n_both;
		all.n_right += count.n_right;
	}
	AI_TRY(count_rows(&n_right, truth, probability, n, width, n_labels, host, err));
	metrics->micro = prf_of(&all);
	metrics->accuracy = ratio(all.n_right, n * n_labels);
	metrics->subset_accuracy = ratio(n_right, n);
	return AI_OK;
}
