/*-------------------------------------------------------------------------
 * calibrate.h
 *		Scores into probabilities by one number, the temperature.
 *
 * p = softmax(score / temperature); two labels have one score s, and
 * p(label 1) = 1 / (1 + exp(-s / temperature)).  Guo, Pleiss, Sun, Weinberger:
 * On Calibration of Modern Neural Networks, ICML 2017.
 *-------------------------------------------------------------------------
 */
#ifndef AI_CALIBRATE_H
#define AI_CALIBRATE_H

#include "core/base/status.h"

/* probability:[n_labels]; score:[1] for two labels, else [n_labels] */
extern void ai_calibrated_probabilities(double *probability, const float *score,
										int n_labels, double temperature);

/*
 * The temperature that makes the labels of held-out rows likeliest; 1 when
 * n is 0.  score:[n, n_cols], label:[n].  *loss, unless NULL, is the mean
 * negative log-likelihood at it.  Targets are smoothed by 1 / (n + 2), as
 * Platt does, so that few rows without an error do not make it sure.
 */
extern double ai_calibrate_temperature(double *loss, const float *score,
									   const int32_t *label, int64_t n, int n_labels);

#endif							/* AI_CALIBRATE_H */
