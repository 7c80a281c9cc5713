/*-------------------------------------------------------------------------
 * calibrate.c
 *		Scores into probabilities.
 *
 * The loss is convex in the slope, the inverse of the temperature, so Newton's
 * method finds it, held between the slopes that are known to be too small and
 * too large.
 *-------------------------------------------------------------------------
 */
#include "core/classic/calibrate.h"

#include <math.h>

#define MIN_TEMPERATURE 0.001
#define MAX_TEMPERATURE 100.0
#define SCORES_PER_QUESTION 65536
#define PRIOR_ROWS 5.0
#define N_NEWTON_STEPS 12
#define MAX_STEPS 50
#define PRECISION 1e-4		/* of the temperature, relative */

void
ai_probabilities(double *probability, const float *logit, int n_labels)
{
	double		largest;
	double		sum = 0;

	if (n_labels == 2)
	{
		double		e = exp(-fabs((double) logit[0]));

		probability[1] = (logit[0] >= 0 ? 1 : e) / (1 + e);
		probability[0] = (logit[0] >= 0 ? e : 1) / (1 + e);
		return;
	}
	largest = logit[0];
	for (int c = 1; c < n_labels; c++)
		largest = logit[c] > largest ? logit[c] : largest;
	for (int c = 0; c < n_labels; c++)
	{
		probability[c] = exp(logit[c] - largest);
		sum += probability[c];
	}
	for (int c = 0; c < n_labels; c++)
		probability[c] /= sum;
}

static inline double
weight_of(const AiScoredRows *rows, int64_t i)
{
	return rows->label_weight != NULL ? rows->label_weight[rows->label[i]] : 1;
}

/* Asked before row i, about every millisecond */
static inline bool
should_stop(const AiScoredRows *rows, int64_t i)
{
	return rows->host != NULL && i * rows->width % SCORES_PER_QUESTION < rows->width &&
		ai_host_should_stop(rows->host);
}

/* The loss at a slope, the inverse of a temperature, with its derivatives */
typedef struct Loss
{
	double		value;
	double		first;
	double		second;
} Loss;

/* -log p of the smoothed target of one row, which it adds */
static void
add_row_loss(Loss *loss, const AiScoredRows *rows, int64_t i, double slope, double smoothing)
{
	const float *score = rows->score + i * rows->width;
	double		weight = weight_of(rows, i);
	double		largest = score[0];
	double		total = 0;
	double		mean = 0;		/* of the scores, as the model weighs them */
	double		square = 0;
	double		plain_mean = 0;
	double		target;

	if (rows->n_labels == 2)
	{
		double		z = slope * score[0];
		double		p = 1 / (1 + exp(-z));
		double		wanted = rows->label[i] == 1 ? 1 - smoothing : smoothing;

		loss->value += weight * ((z > 0 ? z + log1p(exp(-z)) : log1p(exp(z))) - wanted * z);
		loss->first += weight * score[0] * (p - wanted);
		loss->second += weight * score[0] * score[0] * p * (1 - p);
		return;
	}
	for (int c = 1; c < rows->n_labels; c++)
		largest = score[c] > largest ? score[c] : largest;
	for (int c = 0; c < rows->n_labels; c++)
	{
		double		e = exp(slope * (score[c] - largest));

		total += e;
		mean += e * score[c];
		square += e * score[c] * score[c];
		plain_mean += score[c];
	}
	mean /= total;
	target = (1 - smoothing) * score[rows->label[i]] + smoothing * plain_mean / rows->n_labels;
	loss->value += weight * (slope * largest + log(total) - slope * target);
	loss->first += weight * (mean - target);
	loss->second += weight * (square / total - mean * mean);
}

static Loss
mean_loss(const AiScoredRows *rows, double slope)
{
	double		smoothing = 1.0 / ((double) rows->n + 2);
	Loss		loss = {0};
	double		weight = 0;

	for (int64_t i = 0; i < rows->n && !should_stop(rows, i); i++)
	{
		add_row_loss(&loss, rows, i, slope, smoothing);
		weight += weight_of(rows, i);
	}
	return (Loss) {loss.value / weight, loss.first / weight, loss.second / weight};
}

double
ai_calibrate_temperature(double *loss, const AiScoredRows *rows)
{
	double		low = 1 / MAX_TEMPERATURE;
	double		high = 1 / MIN_TEMPERATURE;
	double		slope = 1;

	*loss = NAN;
	for (int step = 0; rows->n > 0 && step < MAX_STEPS; step++)
	{
		Loss		here = mean_loss(rows, slope);
		double		next = slope - here.first / here.second;

		*loss = here.value;
		if (here.first > 0)
			high = slope;
		else
			low = slope;
		if (!(next > low && next < high))
			next = sqrt(low * high);
		if (fabs(next - slope) <= PRECISION * slope)
			break;
		slope = next;
	}
	return 1 / slope;
}

/* Sums over all rows for one column: gradient and curvature of its two numbers */
typedef struct Column
{
	double		g_scale;
	double		g_shift;
	double		h_scale;
	double		h_mixed;
	double		h_shift;
} Column;

static void
add_value(Column *column, double s, double p, bool is_label, double weight)
{
	double		error = weight * (p - is_label);
	double		curvature = weight * p * (1 - p);

	column->g_scale += error * s;
	column->g_shift += error;
	column->h_scale += curvature * s * s;
	column->h_mixed += curvature * s;
	column->h_shift += curvature;
}

static void
add_row(Column *columns, const AiScoredRows *rows, int64_t i, const float *scale,
		const float *shift)
{
	const float *score = rows->score + i * rows->width;
	int32_t		label = rows->label[i];
	int			n_labels = rows->n_labels;
	double		weight = weight_of(rows, i);
	double		largest = -INFINITY;
	double		sum = 0;

	if (n_labels == 2)
	{
		double		z = (double) scale[0] * score[0] + shift[0];

		add_value(&columns[0], score[0], 1 / (1 + exp(-z)), label == 1, weight);
		return;
	}
	for (int c = 0; c < n_labels; c++)
	{
		double		z = (double) scale[c] * score[c] + shift[c];

		largest = z > largest ? z : largest;
	}
	for (int c = 0; c < n_labels; c++)
		sum += exp((double) scale[c] * score[c] + shift[c] - largest);
	for (int c = 0; c < n_labels; c++)
	{
		double		p = exp((double) scale[c] * score[c] + shift[c] - largest) / sum;

		add_value(&columns[c], score[c], p, c == label, weight);
	}
}

/*
 * Newton's method on each column's two numbers, half a step at a time because
 * the columns move together.  A prior worth a few rows holds rare labels near
 * the common temperature and no shift.
 */
void
ai_calibrate_columns(float *scale, float *shift, const AiScoredRows *rows,
					 double temperature, double *scratch)
{
	Column	   *columns = (Column *) scratch;
	int			n_cols = rows->n_labels == 2 ? 1 : rows->n_labels;

	for (int c = 0; c < n_cols; c++)
	{
		scale[c] = (float) (1 / temperature);
		shift[c] = 0;
	}
	if (rows->n == 0)
		return;
	for (int step = 0; step < N_NEWTON_STEPS; step++)
	{
		for (int c = 0; c < n_cols; c++)
		{
			double		weight = PRIOR_ROWS * temperature * temperature;

			columns[c] = (Column) {
				.g_scale = weight * (scale[c] - 1 / temperature),
				.g_shift = PRIOR_ROWS * (double) shift[c],
				.h_scale = weight, .h_shift = PRIOR_ROWS
			};
		}
		for (int64_t i = 0; i < rows->n && !should_stop(rows, i); i++)
			add_row(columns, rows, i, scale, shift);
		for (int c = 0; c < n_cols; c++)
		{
			const Column *k = &columns[c];
			double		determinant = k->h_scale * k->h_shift - k->h_mixed * k->h_mixed;

			scale[c] -= (float) (0.5 * (k->h_shift * k->g_scale - k->h_mixed * k->g_shift) /
								 determinant);
			shift[c] -= (float) (0.5 * (k->h_scale * k->g_shift - k->h_mixed * k->g_scale) /
								 determinant);
			/* a column that says nothing must not turn round */
			if (scale[c] < 0.1f / (float) temperature)
				scale[c] = 0.1f / (float) temperature;
		}
	}
}
