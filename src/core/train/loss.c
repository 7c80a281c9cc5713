/*-------------------------------------------------------------------------
 * loss.c
 *		What training makes small.
 *
 * Each kind is a function of one place, which computes in double from what float holds; only
 * the probabilities of a softmax come from its kernel where gradients are wanted.
 * Bounds are those of Keras in float: what it clips, and where its gradient ends, does not
 * depend on our having more digits.
 *-------------------------------------------------------------------------
 */
#include "core/train/loss.h"

#include <math.h>

#include "core/kernels/kernels.h"
#include "core/train/names.h"

/* Keras's backend.epsilon(), and 1 - epsilon, as floats */
#define LEAST_PROBABILITY ((double) 1e-7f)
#define MOST_PROBABILITY ((double) (float) (1 - 1e-7))
#define POISSON_EPSILON 1e-7
#define LEAST_NORMAL 1.2e-38f	/* smaller floats have fewer digits */

/*
 * The loss at one place, or the sum of its outputs' losses of which it is the mean; d:[n], unless
 * NULL, gets the gradient times factor.
 */
typedef double (*PlaceLoss) (const AiLoss *loss, const float *y, const float *target, size_t n,
							 float *d, double factor);

static double
mse(const AiLoss *loss, const float *y, const float *target, size_t n, float *d, double factor)
{
	double		sum = 0;

	(void) loss;
	for (size_t j = 0; j < n; j++)
	{
		double		error = (double) y[j] - target[j];

		sum += error * error;
		if (d != NULL)
			d[j] = (float) (factor * 2 * error);
	}
	return sum;
}

static double
mae(const AiLoss *loss, const float *y, const float *target, size_t n, float *d, double factor)
{
	double		sum = 0;

	(void) loss;
	for (size_t j = 0; j < n; j++)
	{
		double		error = (double) y[j] - target[j];

		sum += fabs(error);
		if (d != NULL)
			d[j] = error == 0 ? 0 : (float) copysign(factor, error);
	}
	return sum;
}

/* error^2 / 2 up to delta, and on along the tangent */
static double
huber(const AiLoss *loss, const float *y, const float *target, size_t n, float *d, double factor)
{
	double		delta = loss->delta;
	double		sum = 0;

	for (size_t j = 0; j < n; j++)
	{
		double		error = (double) y[j] - target[j];
		double		size = fabs(error);
		bool		is_small = size <= delta;

		sum += is_small ? 0.5 * error * error : delta * (size - 0.5 * delta);
		if (d != NULL)
			d[j] = (float) (factor * (is_small ? error : copysign(delta, error)));
	}
	return sum;
}

static double
poisson(const AiLoss *loss, const float *y, const float *target, size_t n, float *d,
		double factor)
{
	double		sum = 0;

	(void) loss;
	for (size_t j = 0; j < n; j++)
	{
		double		rate = y[j] + POISSON_EPSILON;

		sum += y[j] - target[j] * log(rate);
		if (d != NULL)
			d[j] = (float) (factor * (1 - target[j] / rate));
	}
	return sum;
}

/* max(0, 1 - target * y); at the corner the gradient is half, as Keras's maximum has it */
static double
hinge(const AiLoss *loss, const float *y, const float *target, size_t n, float *d, double factor)
{
	double		sum = 0;

	(void) loss;
	for (size_t j = 0; j < n; j++)
	{
		double		sign = target[j] == 0 ? -1 : target[j];
		double		miss = 1 - sign * y[j];

		sum += miss < 0 ? 0 : miss;
		if (d != NULL)
			d[j] = miss < 0 ? 0 : (float) (-factor * sign * (miss == 0 ? 0.5 : 1));
	}
	return sum;
}

/* Both parts are exact where one of them is next to nothing: log(1 + e^x), log(1 + e^-x) */
static double
binary_logits(const AiLoss *loss, const float *y, const float *target, size_t n, float *d,
			  double factor)
{
	double		smoothing = loss->label_smoothing;
	double		sum = 0;

	for (size_t j = 0; j < n; j++)
	{
		double		x = y[j];
		double		t = target[j] * (1 - smoothing) + 0.5 * smoothing;
		double		e = exp(-fabs(x));
		double		both = log1p(e);

		sum += (1 - t) * (fmax(x, 0) + both) + t * (fmax(-x, 0) + both);
		if (d != NULL)
		{
			double		p = (x >= 0 ? 1 : e) / (1 + e);
			double		q = (x >= 0 ? e : 1) / (1 + e);

			d[j] = (float) (factor * ((1 - t) * p - t * q));
		}
	}
	return sum;
}

static bool
is_inside(double p)
{
	return p >= LEAST_PROBABILITY && p <= MOST_PROBABILITY;
}

static double
clip(double p)
{
	return p < LEAST_PROBABILITY ? LEAST_PROBABILITY : p > MOST_PROBABILITY ? MOST_PROBABILITY : p;
}

static double
binary_probabilities(const AiLoss *loss, const float *y, const float *target, size_t n, float *d,
					 double factor)
{
	double		smoothing = loss->label_smoothing;
	double		sum = 0;

	for (size_t j = 0; j < n; j++)
	{
		double		p = clip(y[j]);
		double		t = target[j] * (1 - smoothing) + 0.5 * smoothing;

		sum -= t * log(p) + (1 - t) * log1p(-p);
		if (d != NULL)
			d[j] = !is_inside(y[j]) ? 0 : (float) (factor * (p - t) / (p * (1 - p)));
	}
	return sum;
}

/* What a place of outputs should be: number:[n], or 1 at one of them and 0 elsewhere */
typedef struct Distribution
{
	const float *number;		/* NULL: at */
	size_t		at;
	double		smoothing;
	double		share;			/* that smoothing gives to each */
} Distribution;

static Distribution
make_distribution(const AiLoss *loss, const float *target, size_t n)
{
	Distribution t = {.smoothing = loss->label_smoothing};

	t.share = t.smoothing / (double) n;
	if (loss->kind == AI_LOSS_CATEGORICAL)
		t.number = target;
	else
		t.at = (size_t) *target;
	AI_ASSERT(t.at < n);
	return t;
}

static double
part(const Distribution *t, size_t j)
{
	double		whole = t->number != NULL ? t->number[j] : j == t->at;

	return whole * (1 - t->smoothing) + t->share;
}

/*
 * Sum of part * (log_total - x) where log_total is the logarithm of the sum of e^x, both less
 * the largest x; *parts gets the sum of parts.
 */
static double
sum_parts(const Distribution *t, const float *y, size_t n, double largest, double log_total,
		  double *parts)
{
	double		value = 0;

	*parts = 0;
	for (size_t j = 0; j < n; j++)
	{
		double		p = part(t, j);

		*parts += p;
		if (p != 0)
			value += p * (log_total + (largest - y[j]));
	}
	return value;
}

static size_t
find_largest(const float *y, size_t n)
{
	size_t		best = 0;

	for (size_t j = 1; j < n; j++)
		best = y[j] > y[best] ? j : best;
	return best;
}

static double
softmax_value(const Distribution *t, const float *y, size_t n)
{
	double		largest = y[find_largest(y, n)];
	double		total = 0;
	double		parts;

	for (size_t j = 0; j < n; j++)
		total += exp(y[j] - largest);
	return sum_parts(t, y, n, largest, log(total), &parts);
}

/*
 * d holds softmax(y) and gets softmax(y) * (sum of parts) - part.  A large probability is what the
 * others leave of 1: so where it is next to 1, as it is when much has been learnt, its logarithm
 * and its distance from 1 keep their digits.
 */
static double
distribution_logits(const Distribution *t, const float *y, size_t n, float *d, double factor)
{
	size_t		best = find_largest(y, n);
	double		others = 0;
	bool		is_learnt;
	double		parts;
	double		value;

	for (size_t j = 0; j < n; j++)
		others += j != best ? d[j] : 0;
	is_learnt = others < 0.5;
	value = sum_parts(t, y, n, y[best], is_learnt ? -log1p(-others) : -log(d[best]), &parts);
	for (size_t j = 0; j < n; j++)
	{
		double		p = j == best && is_learnt ? 1 - others : d[j];

		d[j] = (float) (factor * (p * parts - part(t, j)));
	}
	return value;
}

/* The same where all is asked of one output; its probability may be too small for a float */
static double
one_hot_logits(const Distribution *t, const float *y, size_t n, float *d, double factor)
{
	float		p = d[t->at];
	double		others = 0;

	d[t->at] = 0;
	for (size_t j = 0; j < n; j++)
	{
		others += d[j];
		d[j] *= (float) factor;
	}
	d[t->at] = (float) (factor * -others);
	if (others < 0.5)
		return -log1p(-others);
	return p > LEAST_NORMAL ? -log(p) : softmax_value(t, y, n);
}

static double
softmax_logits(const AiLoss *loss, const float *y, const float *target, size_t n, float *d,
			   double factor)
{
	Distribution t = make_distribution(loss, target, n);

	if (d == NULL)
		return softmax_value(&t, y, n);
	if (t.number == NULL && t.smoothing == 0)
		return one_hot_logits(&t, y, n, d, factor);
	return distribution_logits(&t, y, n, d, factor);
}

/* Outputs are divided by their sum, then clipped, then - sum of part * log(p) */
static double
softmax_probabilities(const AiLoss *loss, const float *y, const float *target, size_t n, float *d,
					  double factor)
{
	Distribution t = make_distribution(loss, target, n);
	double		total = 0;
	double		value = 0;
	double		inside = 0;		/* parts that have a gradient */

	for (size_t j = 0; j < n; j++)
		total += y[j];
	for (size_t j = 0; j < n; j++)
	{
		value -= part(&t, j) * log(clip(y[j] / total));
		inside += is_inside(y[j] / total) ? part(&t, j) : 0;
	}
	for (size_t j = 0; d != NULL && j < n; j++)
	{
		double		slope = is_inside(y[j] / total) ? part(&t, j) / y[j] : 0;

		d[j] = (float) (factor * (inside / total - slope));
	}
	return value;
}

/* In the order of AiLossKind, then what else they are called */
static const char *const names[] = {
	"mean_squared_error", "mean_absolute_error", "huber", "poisson", "binary_crossentropy",
	"categorical_crossentropy", "sparse_categorical_crossentropy", "hinge", "mse", "mae"
};

#define N_NAMES ((int) (sizeof(names) / sizeof(names[0])))
#define N_KINDS ((int) AI_LOSS_HINGE + 1)

static const PlaceLoss place_losses[N_KINDS] = {
	mse, mae, huber, poisson, binary_probabilities, softmax_probabilities, softmax_probabilities,
	hinge
};

static PlaceLoss
find_place_loss(const AiLoss *loss)
{
	if (loss->from_logits && loss->kind == AI_LOSS_BINARY)
		return binary_logits;
	if (loss->from_logits && (loss->kind == AI_LOSS_CATEGORICAL || loss->kind == AI_LOSS_SPARSE))
		return softmax_logits;
	return place_losses[loss->kind];
}

static bool
is_mean(AiLossKind kind)
{
	return kind != AI_LOSS_CATEGORICAL && kind != AI_LOSS_SPARSE;
}

const char *
ai_loss_name(AiLossKind kind)
{
	return names[kind];
}

bool
ai_loss_find(AiLossKind *kind, const char *name, size_t len)
{
	int			found = ai_name_find(names, N_NAMES, name, len);

	if (found >= 0)
		*kind = (AiLossKind) (found % N_KINDS);
	return found >= 0;
}

size_t
ai_loss_target_size(const AiLoss *loss, size_t n)
{
	return loss->kind == AI_LOSS_SPARSE ? 1 : n;
}

double
ai_loss_run(const AiLoss *loss, const float *output, const float *target, const float *weight,
			size_t n_places, size_t n, float *d_output, double scale)
{
	PlaceLoss	place_loss = find_place_loss(loss);
	size_t		n_target = ai_loss_target_size(loss, n);
	double		n_means = is_mean(loss->kind) ? (double) n : 1;
	double		sum = 0;

	if (place_loss == softmax_logits && d_output != NULL)
		ai_kernels()->softmax(d_output, output, n_places, n);
	for (size_t i = 0; i < n_places; i++)
	{
		float	   *d = d_output != NULL ? d_output + i * n : NULL;
		double		w = weight != NULL ? weight[i] : 1;

		if (w != 0)
			sum += w / n_means * place_loss(loss, output + i * n, target + i * n_target, n, d,
											w / n_means * scale);
		else if (d != NULL)
			memset(d, 0, n * sizeof(float));
	}
	return sum;
}
