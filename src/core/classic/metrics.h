/*-------------------------------------------------------------------------
 * metrics.h
 *		How good a model is: scikit-learn's metrics, to the last digit.
 *-------------------------------------------------------------------------
 */
#ifndef AI_METRICS_H
#define AI_METRICS_H

#include "core/base/host.h"

/* precision, recall and F1 averaged in one way */
typedef struct AiPrf
{
	double		precision;
	double		recall;
	double		f1;
} AiPrf;

/*
 * Values that the rows do not define are NaN: all of them without rows;
 * log_loss, roc_auc and calibration_error without probabilities; roc_auc when
 * a label has no row, or when there is one label only.  A precision or recall
 * without a denominator is 0, as scikit-learn's zero_division default has it.
 * Averages run over the labels that occur among truth and predictions, the
 * balanced accuracy over those among truth.
 *
 * A row whose truth is a label the model does not know counts as a wrong one,
 * of one more label, everywhere but in roc_auc, which leaves it out.  In
 * log_loss the probability of its label is 0, clipped like every other.
 */
typedef struct AiClassMetrics
{
	int64_t		n;
	double		accuracy;
	double		balanced_accuracy;
	AiPrf		macro;
	AiPrf		micro;
	AiPrf		weighted;
	double		matthews;
	double		log_loss;		/* probabilities clipped to [eps, 1 - eps], eps = 2^-52 */
	double		roc_auc;		/* two labels: of the second; more: one against the rest, macro */
	double		calibration_error;	/* expected, of the predicted label, 15 equal bins */
} AiClassMetrics;

/*
 * truth:[n] and predicted:[n] are label numbers 0 .. n_labels - 1; truth may
 * also be -1: a label the model does not know.  A number outside of that is
 * AI_ERR_BUG.  probability:[n, n_labels], not NaN, or NULL.
 * confusion:[n_labels + 1, n_labels] or NULL: rows of truth (the last row is
 * -1), columns of prediction.
 *
 * Takes 16 bytes per row from the host when there are probabilities.
 */
extern AiCode ai_metrics_classify(AiClassMetrics *metrics, int64_t *confusion,
								  const int32_t *truth, const int32_t *predicted,
								  const double *probability,
								  int64_t n, int n_labels,
								  const AiHost *host, AiError *err);

/*
 * Of models that give any number of labels, by probabilities of at least a half.  Labels
 * without a row count in the averages, as in scikit-learn.  Without rows all are NaN.
 */
typedef struct AiLabelsMetrics
{
	int64_t		n;
	double		subset_accuracy;	/* share of rows with all labels right */
	double		accuracy;		/* share of labels that are right */
	AiPrf		macro;
	AiPrf		micro;
} AiLabelsMetrics;

/* truth:[n, width], 0 or 1  probability:[n, width]; of each row the first n_labels count */
extern AiCode ai_metrics_labels(AiLabelsMetrics *metrics, const float *truth,
								const float *probability, int64_t n, int width, int n_labels,
								const AiHost *host, AiError *err);

/*
 * Of models that give numbers: of several outputs the mean of each one's.  Without rows all
 * are NaN; r2 with one row, too.  Where the truth does not vary, r2 and explained_variance are
 * 1 if nothing is wrong, and else 0.
 */
typedef struct AiValueMetrics
{
	int64_t		n;
	double		r2;
	double		mae;
	double		mse;
	double		rmse;
	double		median_absolute_error;
	double		explained_variance;
} AiValueMetrics;

/* truth, predicted: [n, width], finite */
extern AiCode ai_metrics_regress(AiValueMetrics *metrics, const float *truth,
								 const float *predicted, int64_t n, int width,
								 const AiHost *host, AiError *err);

#endif							/* AI_METRICS_H */
