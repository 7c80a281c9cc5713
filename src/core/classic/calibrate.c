/*-------------------------------------------------------------------------
 * calibrate.c
 *		Scores into probabilities by one number, the temperature.
 *
 * The loss is convex in 1 / temperature, so a golden-section search over its
 * logarithm, where it has one minimum, finds the temperature.
 *-------------------------------------------------------------------------
 */
#include "core/classic/calibrate.h"

#include <math.h>

#define MIN_TEMPERATURE 0.001
#define MAX_TEMPERATURE 100.0
#define GOLDEN 0.61803398874989485
#define N_STEPS 20				/* narrows the range of 11.5 of the logarithm to 0.0008 */

void
ai_calibrated_probabilities(double *probability, const float *score, int n_labels,
							double temperature)
{
	double		largest;
	double		sum = 0;

	if (n_labels == 2)
	{
		double		z = score[0] / temperature;
		double		e = exp(-fabs(z));

		probability[1] = (z >= 0 ? 1 : e) / (1 + e);
		probability[0] = (z >= 0 ? e : 1) / (1 + e);
		return;
	}
	largest = score[0];
	for (int c = 1; c < n_labels; c++)
		largest = score[c] > largest ? score[c] : largest;
	for (int c = 0; c < n_labels; c++)
	{
		probability[c] = exp((score[c] - largest) / temperature);
		sum += probability[c];
	}
	for (int c = 0; c < n_labels; c++)
		probability[c] /= sum;
}

/* -log p of the smoothed target of one row */
static double
row_loss(const float *score, int32_t label, int n_labels, double temperature, double smoothing)
{
	double		largest;
	double		sum = 0;
	double		mean = 0;
	double		log_sum;

	if (n_labels == 2)
	{
		double		z = (label == 1 ? score[0] : -score[0]) / temperature;
		double		log_false = -(z > 0 ? z + log1p(exp(-z)) : log1p(exp(z)));

		return -(log_false + (1 - smoothing) * z);
	}
	largest = score[0];
	for (int c = 1; c < n_labels; c++)
		largest = score[c] > largest ? score[c] : largest;
	for (int c = 0; c < n_labels; c++)
	{
		sum += exp((score[c] - largest) / temperature);
		mean += score[c];
	}
	mean /= n_labels;
	log_sum = largest / temperature + log(sum);
	return log_sum - ((1 - smoothing) * score[label] + smoothing * mean) / temperature;
}

static double
mean_loss(const float *score, const int32_t *label, int64_t n, int n_labels,
		  double temperature)
{
	int			n_cols = n_labels == 2 ? 1 : n_labels;
	double		smoothing = 1.0 / ((double) n + 2);
	double		sum = 0;

	for (int64_t i = 0; i < n; i++)
		sum += row_loss(score + (size_t) i * n_cols, label[i], n_labels, temperature, smoothing);
	return sum / (double) n;
}

double
ai_calibrate_temperature(double *loss, const float *score, const int32_t *label,
						 int64_t n, int n_labels)
{
	double		low = log(MIN_TEMPERATURE);
	double		high = log(MAX_TEMPERATURE);
	double		a = high - GOLDEN * (high - low);
	double		b = low + GOLDEN * (high - low);
	double		loss_a;
	double		loss_b;

	if (n == 0)
	{
		if (loss != NULL)
			*loss = NAN;
		return 1;
	}
	loss_a = mean_loss(score, label, n, n_labels, exp(a));
	loss_b = mean_loss(score, label, n, n_labels, exp(b));
	for (int step = 0; step < N_STEPS; step++)
	{
		if (loss_a <= loss_b)
		{
			high = b;
			b = a;
			loss_b = loss_a;
			a = high - GOLDEN * (high - low);
			loss_a = mean_loss(score, label, n, n_labels, exp(a));
		}
		else
		{
			low = a;
			a = b;
			loss_a = loss_b;
			b = low + GOLDEN * (high - low);
			loss_b = mean_loss(score, label, n, n_labels, exp(b));
		}
	}
	if (loss != NULL)
		*loss = loss_a < loss_b ? loss_a : loss_b;
	return exp((low + high) / 2);
}
