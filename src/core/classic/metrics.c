/*-------------------------------------------------------------------------
 * metrics.c
 *		How good a classifier is.
 *
 * Counts are integers and every sum of fractions is compensated, so that a
 * value is the true one rounded about once: scikit-learn sums pairwise and
 * agrees to a few units in the last place.
 *
 * The ROC area is the share of pairs, one row of the label and one of another,
 * that the score ranks rightly, a tie counting half.  Both sides are sorted by
 * radix and merged, which takes linear time however many ties there are.
 *-------------------------------------------------------------------------
 */
#include "core/classic/metrics.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/classic/sum.h"

#define N_CALIBRATION_BINS 15

/* rows between two questions to the host: below a millisecond of any loop */
#define STOP_INTERVAL 0x10000

#define DIGIT_BITS 8
#define N_DIGIT_VALUES (1 << DIGIT_BITS)
#define N_DIGITS (64 / DIGIT_BITS)

/* What the caller gave */
typedef struct Rows
{
	const int32_t *truth;		/* [n] */
	const int32_t *predicted;	/* [n] */
	const double *probability;	/* [n, n_labels] or NULL */
	int64_t		n;
	int			n_labels;
	const AiHost *host;
} Rows;

typedef struct LabelCount
{
	int64_t		n_true;
	int64_t		n_predicted;
	int64_t		n_correct;
} LabelCount;

static double
ratio(int64_t part, int64_t whole)
{
	return whole == 0 ? 0.0 : (double) part / (double) whole;
}

/* Asked with every row number of a loop */
static bool
is_stopped(const AiHost *host, int64_t row)
{
	return row % STOP_INTERVAL == 0 && ai_host_should_stop(host);
}

static AiCode
cancelled(AiError *err)
{
	return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
}

/*
 * Fill counts:[n_labels + 1], which is zero, and confusion.  The last label is
 * the one the model does not know.
 */
static AiCode
count_labels(LabelCount *counts, int64_t *confusion, const Rows *rows, AiError *err)
{
	int			n_labels = rows->n_labels;

	if (confusion != NULL)
		memset(confusion, 0, sizeof(int64_t) * (size_t) (n_labels + 1) * (size_t) n_labels);
	for (int64_t i = 0; i < rows->n; i++)
	{
		int			predicted = rows->predicted[i];
		int			truth = rows->truth[i];

		if (is_stopped(rows->host, i))
			return cancelled(err);
		if (truth < -1 || truth >= n_labels || predicted < 0 || predicted >= n_labels)
			return ai_fail(err, AI_ERR_BUG, "label number out of range");
		if (truth == -1)
			truth = n_labels;
		counts[truth].n_true++;
		counts[predicted].n_predicted++;
		counts[truth].n_correct += truth == predicted;
		if (confusion != NULL)
			confusion[(int64_t) truth * n_labels + predicted]++;
	}
	return AI_OK;
}

/* Precision, recall and F1 of the labels, macro and weighted */
static void
average_labels(AiClassMetrics *metrics, const LabelCount *counts, int n_counts)
{
	AiSum			macro[3] = {0};
	AiSum			weighted[3] = {0};
	AiSum			recall_of_true = {0};
	int			n_present = 0;
	int			n_true = 0;

	for (int k = 0; k < n_counts; k++)
	{
		const LabelCount *c = &counts[k];
		double		prf[3] = {
			ratio(c->n_correct, c->n_predicted),
			ratio(c->n_correct, c->n_true),
			ratio(2 * c->n_correct, c->n_true + c->n_predicted)
		};

		n_present += c->n_true > 0 || c->n_predicted > 0;
		n_true += c->n_true > 0;
		ai_sum_add(&recall_of_true, prf[1]);
		for (int m = 0; m < 3; m++)
		{
			ai_sum_add(&macro[m], prf[m]);
			ai_sum_add(&weighted[m], prf[m] * (double) c->n_true);
		}
	}

	metrics->balanced_accuracy = ai_sum_value(&recall_of_true) / n_true;
	metrics->macro = (AiPrf) {
		ai_sum_value(&macro[0]) / n_present,
		ai_sum_value(&macro[1]) / n_present,
		ai_sum_value(&macro[2]) / n_present
	};
	metrics->weighted = (AiPrf) {
		ai_sum_value(&weighted[0]) / (double) metrics->n,
		ai_sum_value(&weighted[1]) / (double) metrics->n,
		ai_sum_value(&weighted[2]) / (double) metrics->n
	};
}

/*
 * Gorodkin's correlation of two labellings: the covariance of truth and
 * prediction over the root of the product of their variances; 0 when either
 * does not vary.
 */
static double
matthews(const LabelCount *counts, int n_counts, int64_t n_correct, int64_t n)
{
	double		n_squared = (double) n * (double) n;
	AiSum			covariance = {(double) n_correct * (double) n, 0.0};
	AiSum			var_true = {n_squared, 0.0};
	AiSum			var_predicted = {n_squared, 0.0};
	double		product;

	for (int k = 0; k < n_counts; k++)
	{
		double		n_true = (double) counts[k].n_true;
		double		n_predicted = (double) counts[k].n_predicted;

		ai_sum_add(&covariance, -n_true * n_predicted);
		ai_sum_add(&var_true, -n_true * n_true);
		ai_sum_add(&var_predicted, -n_predicted * n_predicted);
	}
	product = ai_sum_value(&var_true) * ai_sum_value(&var_predicted);
	return product == 0.0 ? 0.0 : ai_sum_value(&covariance) / sqrt(product);
}

static void
fill_label_metrics(AiClassMetrics *metrics, const LabelCount *counts, int n_counts)
{
	int64_t		n_correct = 0;

	for (int k = 0; k < n_counts; k++)
		n_correct += counts[k].n_correct;
	metrics->accuracy = ratio(n_correct, metrics->n);
	/* every row has one label and one prediction: all three are the accuracy */
	metrics->micro = (AiPrf) {metrics->accuracy, metrics->accuracy, metrics->accuracy};
	average_labels(metrics, counts, n_counts);
	metrics->matthews = matthews(counts, n_counts, n_correct, metrics->n);
}

/* Log loss, as scikit-learn clips it */
static AiCode
fill_log_loss(AiClassMetrics *metrics, const Rows *rows, AiError *err)
{
	AiSum			loss = {0};

	for (int64_t i = 0; i < rows->n; i++)
	{
		int			truth = rows->truth[i];
		double		p = truth < 0 ? 0.0 : rows->probability[i * rows->n_labels + truth];

		if (is_stopped(rows->host, i))
			return cancelled(err);
		if (p < DBL_EPSILON)
			p = DBL_EPSILON;
		else if (p > 1.0 - DBL_EPSILON)
			p = 1.0 - DBL_EPSILON;
		ai_sum_add(&loss, -log(p));
	}
	metrics->log_loss = ai_sum_value(&loss) / (double) rows->n;
	return AI_OK;
}

/* Bin m of 0 .. 14 is (m / 15, (m + 1) / 15]; the first takes 0 as well. */
static int
calibration_bin(double probability)
{
	double		bin = ceil(probability * N_CALIBRATION_BINS) - 1.0;

	if (!(bin > 0.0))
		return 0;
	return bin < N_CALIBRATION_BINS ? (int) bin : N_CALIBRATION_BINS - 1;
}

/*
 * Expected calibration error (Guo et al., 2017): the distance between share of
 * right answers and mean confidence in each bin, averaged over the rows.
 */
static AiCode
fill_calibration_error(AiClassMetrics *metrics, const Rows *rows, AiError *err)
{
	AiSum			excess[N_CALIBRATION_BINS] = {{0}}; /* confidence less right answers */
	AiSum			total = {0};

	for (int64_t i = 0; i < rows->n; i++)
	{
		int			predicted = rows->predicted[i];
		double		p = rows->probability[i * rows->n_labels + predicted];
		AiSum		   *bin = &excess[calibration_bin(p)];

		if (is_stopped(rows->host, i))
			return cancelled(err);
		ai_sum_add(bin, p);
		if (rows->truth[i] == predicted)
			ai_sum_add(bin, -1.0);
	}
	for (int m = 0; m < N_CALIBRATION_BINS; m++)
		ai_sum_add(&total, fabs(ai_sum_value(&excess[m])));
	metrics->calibration_error = ai_sum_value(&total) / (double) rows->n;
	return AI_OK;
}

/* A number that is ordered as the score is, equal for equal scores */
static uint64_t
sort_key(double score)
{
	uint64_t	bits;

	score += 0.0;				/* -0 equals 0 */
	memcpy(&bits, &score, sizeof(bits));
	return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

/*
 * Sort keys:[n] by radix, lowest digit first.  Digits that all keys share,
 * which are many among probabilities, cost nothing but the counting.
 */
static AiCode
sort_keys(uint64_t *keys, uint64_t *scratch, int64_t n, const AiHost *host, AiError *err)
{
	int64_t		places[N_DIGITS][N_DIGIT_VALUES] = {{0}};
	uint64_t   *from = keys;
	uint64_t   *to = scratch;

	for (int64_t i = 0; i < n; i++)
	{
		if (is_stopped(host, i))
			return cancelled(err);
		for (int d = 0; d < N_DIGITS; d++)
			places[d][keys[i] >> (d * DIGIT_BITS) & (N_DIGIT_VALUES - 1)]++;
	}

	for (int d = 0; d < N_DIGITS && n > 0; d++)
	{
		int64_t		place = 0;
		uint64_t   *swap = from;

		if (places[d][keys[0] >> (d * DIGIT_BITS) & (N_DIGIT_VALUES - 1)] == n)
			continue;
		for (int v = 0; v < N_DIGIT_VALUES; v++)
		{
			int64_t		n_keys = places[d][v];

			places[d][v] = place;
			place += n_keys;
		}
		for (int64_t i = 0; i < n; i++)
		{
			if (is_stopped(host, i))
				return cancelled(err);
			to[places[d][from[i] >> (d * DIGIT_BITS) & (N_DIGIT_VALUES - 1)]++] = from[i];
		}
		from = to;
		to = swap;
	}
	if (from != keys)
		memcpy(keys, from, sizeof(uint64_t) * (size_t) n);
	return AI_OK;
}

/* Keys from start on that equal the one at start */
static int64_t
count_ties(const uint64_t *keys, int64_t start, int64_t n)
{
	int64_t		end = start;

	while (end < n && keys[end] == keys[start])
		end++;
	return end - start;
}

/*
 * The share of pairs of a positive and a negative key in which the positive
 * is the larger one; both are sorted and neither is empty.  The sum is taken
 * in floating point since the number of pairs may exceed 64 bits.
 */
static double
ranked_share(const uint64_t *positive, int64_t n_positive,
			 const uint64_t *negative, int64_t n_negative)
{
	AiSum			twice_won = {0};	/* a tie is half a win */
	int64_t		n_below = 0;	/* negatives below the current positive */
	int64_t		i = 0;

	while (i < n_positive)
	{
		int64_t		n_equal = count_ties(positive, i, n_positive);
		int64_t		n_tied = 0;

		while (n_below < n_negative && negative[n_below] < positive[i])
			n_below++;
		if (n_below < n_negative && negative[n_below] == positive[i])
			n_tied = count_ties(negative, n_below, n_negative);
		ai_sum_add(&twice_won, (double) n_equal * (double) (2 * n_below + n_tied));
		i += n_equal;
	}
	return ai_sum_value(&twice_won) / (2.0 * (double) n_positive * (double) n_negative);
}

/* *auc of one label against the rest; keys and scratch:[n] */
static AiCode
label_auc(double *auc, uint64_t *keys, uint64_t *scratch, const Rows *rows, int label,
		  int64_t n_positive, AiError *err)
{
	uint64_t   *positive = keys;
	uint64_t   *negative = keys + n_positive;
	int64_t		n_negative = 0;

	for (int64_t i = 0; i < rows->n; i++)
	{
		uint64_t	key = sort_key(rows->probability[i * rows->n_labels + label]);

		if (is_stopped(rows->host, i))
			return cancelled(err);
		if (rows->truth[i] == label)
			*positive++ = key;
		else if (rows->truth[i] >= 0)
			negative[n_negative++] = key;
	}
	AI_TRY(sort_keys(keys, scratch, n_positive, rows->host, err));
	AI_TRY(sort_keys(negative, scratch, n_negative, rows->host, err));
	*auc = ranked_share(keys, n_positive, negative, n_negative);
	return AI_OK;
}

static AiCode
fill_roc_auc(AiClassMetrics *metrics, const Rows *rows, const LabelCount *counts,
			 AiArena *arena, AiError *err)
{
	/* The first of two labels would say the same as the second. */
	int			first = rows->n_labels == 2 ? 1 : 0;
	size_t		size = sizeof(uint64_t) * (size_t) rows->n;
	uint64_t   *keys;
	uint64_t   *scratch;
	AiSum			areas = {0};

	for (int k = 0; k < rows->n_labels; k++)
	{
		if (counts[k].n_true == 0 || rows->n_labels == 1)
			return AI_OK;
	}
	keys = ai_arena_alloc(arena, size);
	scratch = ai_arena_alloc(arena, size);
	if (keys == NULL || scratch == NULL)
		return ai_out_of_memory(err, 2 * size, "the area under the ROC curve");

	for (int k = first; k < rows->n_labels; k++)
	{
		double		auc = 0.0;

		AI_TRY(label_auc(&auc, keys, scratch, rows, k, counts[k].n_true, err));
		ai_sum_add(&areas, auc);
	}
	metrics->roc_auc = ai_sum_value(&areas) / (rows->n_labels - first);
	return AI_OK;
}

static AiCode
fill_metrics(AiClassMetrics *metrics, int64_t *confusion, const Rows *rows,
			 AiArena *arena, AiError *err)
{
	int			n_counts = rows->n_labels + 1;
	LabelCount *counts = ai_arena_alloc_zero(arena, (size_t) n_counts, sizeof(LabelCount));

	if (counts == NULL)
		return ai_out_of_memory(err, sizeof(LabelCount) * (size_t) n_counts,
								"the counts of labels");
	AI_TRY(count_labels(counts, confusion, rows, err));
	if (rows->n == 0)
		return AI_OK;
	fill_label_metrics(metrics, counts, n_counts);
	if (rows->probability == NULL)
		return AI_OK;
	AI_TRY(fill_log_loss(metrics, rows, err));
	AI_TRY(fill_calibration_error(metrics, rows, err));
	return fill_roc_auc(metrics, rows, counts, arena, err);
}

AiCode
ai_metrics_classify(AiClassMetrics *metrics, int64_t *confusion,
					const int32_t *truth, const int32_t *predicted,
					const double *probability,
					int64_t n, int n_labels,
					const AiHost *host, AiError *err)
{
	Rows		rows = {truth, predicted, probability, n, n_labels, host};
	AiArena		arena;
	AiCode		code;

	*metrics = (AiClassMetrics) {
		.n = n,
		.accuracy = NAN,
		.balanced_accuracy = NAN,
		.macro = {NAN, NAN, NAN},
		.micro = {NAN, NAN, NAN},
		.weighted = {NAN, NAN, NAN},
		.matthews = NAN,
		.log_loss = NAN,
		.roc_auc = NAN,
		.calibration_error = NAN
	};
	ai_arena_init(&arena, host);
	code = fill_metrics(metrics, confusion, &rows, &arena, err);
	ai_arena_free(&arena);
	return code;
}
