/*-------------------------------------------------------------------------
 * test_calibrate.c
 *		Calibration finds the best temperature, makes held-out labels likelier
 *		and stays finite.
 *-------------------------------------------------------------------------
 */
#include "core/classic/calibrate.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/rng.h"

#define MAX_LABELS 20
#define MAX_ROWS 3000

static float scores[MAX_ROWS * (MAX_LABELS + 2)];
static int32_t labels[MAX_ROWS];

static int
n_columns(int n_labels)
{
	return n_labels == 2 ? 1 : n_labels;
}

/*
 * Labels drawn from the probabilities of random logits; the scores are these,
 * column c times gain[c] plus shift[c].
 */
static AiScoredRows
make_rows(uint64_t seed, int64_t n, int n_labels, const double *gain, const double *shift)
{
	AiRng		rng = {seed};
	int			n_cols = n_columns(n_labels);
	int			width = n_cols == 1 ? 1 : n_cols + 2;

	for (int64_t i = 0; i < n; i++)
	{
		float		logit[MAX_LABELS];
		double		p[MAX_LABELS];
		double		left = ai_rng_uniform(&rng);

		for (int c = 0; c < n_cols; c++)
			logit[c] = (float) (6 * (ai_rng_uniform(&rng) - 0.5));
		ai_probabilities(p, logit, n_labels);
		labels[i] = 0;
		while (labels[i] < n_labels - 1 && (left -= p[labels[i]]) > 0)
			labels[i]++;
		for (int c = 0; c < width; c++)
			scores[i * width + c] = c < n_cols ? (float) (gain[c] * logit[c] + shift[c]) : NAN;
	}
	return (AiScoredRows) {
		.score = scores, .label = labels, .n = n, .n_labels = n_labels, .width = width
	};
}

/* mean negative log-likelihood of logits scale * score + shift, targets smoothed or not */
static double
loss_of(const AiScoredRows *rows, const float *scale, const float *shift, double smoothing)
{
	int			n_cols = n_columns(rows->n_labels);
	double		sum = 0;

	for (int64_t i = 0; i < rows->n; i++)
	{
		const float *s = rows->score + i * rows->width;
		double		z[MAX_LABELS] = {0};
		double		largest = -INFINITY;
		double		total = 0;
		double		row = 0;

		for (int c = 0; c < n_cols; c++)
			z[n_cols == 1 ? 1 : c] = (double) scale[c] * s[c] + shift[c];
		for (int k = 0; k < rows->n_labels; k++)
			largest = fmax(largest, z[k]);
		for (int k = 0; k < rows->n_labels; k++)
			total += exp(z[k] - largest);
		for (int k = 0; k < rows->n_labels; k++)
		{
			double		target = rows->n_labels == 2 ?
				(k == rows->label[i] ? 1 - smoothing : smoothing) :
				(k == rows->label[i]) * (1 - smoothing) + smoothing / rows->n_labels;

			row -= target * (z[k] - largest - log(total));
		}
		sum += row;
	}
	return sum / (double) rows->n;
}

static double
loss_at(const AiScoredRows *rows, double temperature)
{
	float		scale[MAX_LABELS];
	float		shift[MAX_LABELS] = {0};

	for (int c = 0; c < MAX_LABELS; c++)
		scale[c] = (float) (1 / temperature);
	return loss_of(rows, scale, shift, 1.0 / ((double) rows->n + 2));
}

/* no temperature of a fine grid is better than the one that is found */
static void
test_temperature(void **state)
{
	static const int n_labels[] = {2, 3, MAX_LABELS};
	static const double true_temperatures[] = {0.01, 0.3, 1, 4, 60};

	(void) state;
	for (int l = 0; l < 3; l++)
	{
		for (int t = 0; t < 5; t++)
		{
			double		gain[MAX_LABELS];
			double		shift[MAX_LABELS] = {0};
			double		best = INFINITY;
			double		loss;
			double		found;
			AiScoredRows rows;

			for (int c = 0; c < MAX_LABELS; c++)
				gain[c] = true_temperatures[t];
			rows = make_rows(3, 500, n_labels[l], gain, shift);
			found = ai_calibrate_temperature(&loss, &rows);
			for (double grid = 0.001; grid < 100; grid *= 1.05)
				best = fmin(best, loss_at(&rows, grid));
			assert_true(fabs(loss - loss_at(&rows, found)) < 1e-5);
			assert_true(loss < best + 1e-5);
			assert_true(fabs(log(found / true_temperatures[t])) < 0.25);
		}
	}
}

/* without rows nothing is known; one row, or rows without an error, do not make it sure */
static void
test_few_rows(void **state)
{
	double		gain[MAX_LABELS];
	double		none[MAX_LABELS] = {0};
	double		loss;

	(void) state;
	for (int c = 0; c < MAX_LABELS; c++)
		gain[c] = 1;
	for (int n_labels = 2; n_labels <= 4; n_labels++)
	{
		AiScoredRows rows = make_rows(1, 0, n_labels, gain, none);
		float		scale[MAX_LABELS];
		float		shift[MAX_LABELS];
		double		scratch[5 * MAX_LABELS];
		double		temperature;

		assert_true(ai_calibrate_temperature(&loss, &rows) == 1);
		assert_true(isnan(loss));
		ai_calibrate_columns(scale, shift, &rows, 2, scratch);
		assert_true(scale[0] == 0.5f && shift[0] == 0);

		rows = make_rows(1, 1, n_labels, gain, none);
		for (int c = 0; c < n_columns(n_labels); c++)
			scores[c] = c == 0 ? 1 : -1;
		labels[0] = n_labels == 2 ? 1 : 0;
		temperature = ai_calibrate_temperature(&loss, &rows);
		assert_true(isfinite(loss) && temperature > 0.1);
		ai_calibrate_columns(scale, shift, &rows, temperature, scratch);
		for (int c = 0; c < n_columns(n_labels); c++)
			assert_true(isfinite(scale[c]) && scale[c] > 0 && isfinite(shift[c]));
	}
}

/* columns with scales and shifts of their own get likelier by calibrating each */
static void
test_columns(void **state)
{
	static const int n_labels[] = {2, 3, 5, MAX_LABELS};
	static const int64_t n_rows[] = {30, 300, MAX_ROWS};
	static const double spreads[] = {0, 0.5, 1.5};

	(void) state;
	for (int l = 0; l < 4; l++)
	{
		for (int r = 0; r < 3; r++)
		{
			for (int g = 0; g < 3; g++)
			{
				AiRng		rng = {(uint64_t) (100 * l + 10 * r + g)};
				double		gain[MAX_LABELS];
				double		shifts[MAX_LABELS];
				float		scale[MAX_LABELS];
				float		shift[MAX_LABELS];
				double		scratch[5 * MAX_LABELS];
				double		before;
				double		after;
				double		loss;
				double		temperature;
				AiScoredRows rows;

				for (int c = 0; c < MAX_LABELS; c++)
				{
					gain[c] = exp(spreads[g] * (ai_rng_uniform(&rng) - 0.5));
					shifts[c] = 2 * spreads[g] * (ai_rng_uniform(&rng) - 0.5);
				}
				rows = make_rows(9, n_rows[r], n_labels[l], gain, shifts);
				temperature = ai_calibrate_temperature(&loss, &rows);
				for (int c = 0; c < n_columns(n_labels[l]); c++)
				{
					scale[c] = (float) (1 / temperature);
					shift[c] = 0;
				}
				before = loss_of(&rows, scale, shift, 0);
				ai_calibrate_columns(scale, shift, &rows, temperature, scratch);
				after = loss_of(&rows, scale, shift, 0);
				if (!(after <= before + 1e-6))
					fail_msg("%d labels, %d rows, spread %g: loss %g before, %g after",
							 n_labels[l], (int) n_rows[r], spreads[g], before, after);
				if (n_rows[r] == MAX_ROWS && g == 2)
					assert_true(after < before - 0.005);
				for (int c = 0; c < n_columns(n_labels[l]); c++)
					assert_true(scale[c] > 0 && isfinite(scale[c]) && isfinite(shift[c]));
			}
		}
	}
}

/* scores as large as they can be, of the right and of the wrong label */
static void
test_extreme_scores(void **state)
{
	static const float sizes[] = {0, 1e-30f, 1e-6f, 1, 1e3f, 1e6f, 1e30f, FLT_MAX};

	(void) state;
	for (int n_labels = 2; n_labels <= 4; n_labels++)
	{
		for (int s = 0; s < 8; s++)
		{
			for (int share_wrong = 0; share_wrong <= 4; share_wrong++)
			{
				int			n_cols = n_columns(n_labels);
				AiScoredRows rows = {scores, labels, 100, n_labels, n_cols, NULL, NULL};
				float		scale[4];
				float		shift[4];
				double		scratch[5 * 4];
				double		loss;
				double		temperature;

				for (int i = 0; i < 100; i++)
				{
					int			told = (i % 4 < share_wrong ? i + 1 : i) % n_labels;

					labels[i] = i % n_labels;
					for (int c = 0; c < n_cols; c++)
						scores[i * n_cols + c] = (n_cols == 1 ? told == 1 : told == c) ?
							sizes[s] : -sizes[s];
				}
				temperature = ai_calibrate_temperature(&loss, &rows);
				assert_true(isfinite(temperature) && temperature > 0);
				assert_true(isfinite(loss) && loss >= 0);
				ai_calibrate_columns(scale, shift, &rows, temperature, scratch);
				for (int c = 0; c < n_cols; c++)
					assert_true(isfinite(scale[c]) && scale[c] > 0 && isfinite(shift[c]));
				if (n_cols > 1)
				{
					double		after = loss_of(&rows, scale, shift, 0);

					if (!(after <= loss_at(&rows, temperature) * 1.02 + 0.02))
						fail_msg("%d labels, scores of %g, %d of 4 wrong: loss %g at temperature "
								 "%g, %g with columns", n_labels, sizes[s], share_wrong,
								 loss_at(&rows, temperature), temperature, after);
				}
			}
		}
	}
}

/* probabilities are numbers from 0 to 1 with the sum 1, and fall with the logits */
static void
test_probabilities(void **state)
{
	static const float logits[] = {0, 1, -1, 30, -30, 800, -800, 1e30f, -FLT_MAX, FLT_MAX};
	double		p[4];

	(void) state;
	for (int a = 0; a < 10; a++)
	{
		ai_probabilities(p, &logits[a], 2);
		assert_true(p[0] >= 0 && p[1] >= 0 && fabs(p[0] + p[1] - 1) < 1e-15);
		assert_true(logits[a] > 0 ? p[1] > p[0] : p[1] <= p[0]);
		for (int b = 0; b < 10; b++)
		{
			float		four[] = {logits[a], logits[b], 0, 2};

			ai_probabilities(p, four, 4);
			assert_true(fabs(p[0] + p[1] + p[2] + p[3] - 1) < 1e-15);
			for (int c = 0; c < 4; c++)
				assert_true(p[c] >= 0 && (four[c] < four[0] ? p[c] <= p[0] : p[c] >= p[0]));
		}
	}
	ai_probabilities(p, (float[]) {1}, 2);
	assert_true(fabs(p[1] - 1 / (1 + exp(-1))) < 1e-15);
	ai_probabilities(p, (float[]) {0, 0, 0}, 3);
	assert_true(fabs(p[1] - 1.0 / 3) < 1e-15);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_temperature),
		cmocka_unit_test(test_few_rows),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_extreme_scores),
		cmocka_unit_test(test_probabilities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
