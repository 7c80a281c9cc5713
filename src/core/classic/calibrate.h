/*-------------------------------------------------------------------------
 * calibrate.h
 *		Scores into probabilities.
 *
 * A row's logits are its scores divided by a temperature (Guo, Pleiss, Sun,
 * Weinberger: On Calibration of Modern Neural Networks, ICML 2017).  Each column
 * then gets its own scale, near that, and a shift: columns that were learnt one
 * against the rest do not share a scale by themselves, and where one label is
 * rare a strong penalty leaves the intercept too small.  All of it is fitted on
 * rows that were held out.
 *-------------------------------------------------------------------------
 */
#ifndef AI_CALIBRATE_H
#define AI_CALIBRATE_H

#include "core/base/host.h"

/*
 * Scores of rows and their labels.  score:[n, width], of which the first n_cols
 * count; two labels have one column, the score of label 1.
 */
typedef struct AiScoredRows
{
	const float *score;
	const int32_t *label;		/* [n] */
	int64_t		n;
	int			n_labels;
	int			width;
	const double *label_weight; /* [n_labels] what a row of the label counts, or NULL: 1 */
	const AiHost *host;			/* asked whether to stop, or NULL; then results mean nothing */
} AiScoredRows;

/* probability:[n_labels] from logit:[1] for two labels, else [n_labels] */
extern void ai_probabilities(double *probability, const float *logit, int n_labels);

/*
 * The temperature that makes the labels likeliest, 1 when there are no rows.
 * *loss is the (weighted) mean negative log-likelihood at it.  Targets are smoothed by
 * 1 / (n + 2), as Platt does, so that few rows without an error do not make it
 * sure.
 */
extern double ai_calibrate_temperature(double *loss, const AiScoredRows *rows);

/*
 * logit[c] = scale[c] * score[c] + shift[c]; scale:[n_cols], shift:[n_cols].
 * scratch:[5 * n_labels]
 */
extern void ai_calibrate_columns(float *scale, float *shift, const AiScoredRows *rows,
								 double temperature, double *scratch);

#endif							/* AI_CALIBRATE_H */
