/*-------------------------------------------------------------------------
 * initialise.c
 *		Weights before training, by Keras 3's formulas.
 *
 * A seed gives the same weights on every machine: what is drawn goes through nothing but
 * operations that IEEE 754 rounds in one way, which are + - * / and sqrt.
 *
 * Orthogonal: the first columns of a product of Householder reflections, each of a vector of
 * independent normal numbers, one shorter than the one before.  With the signs of what the
 * reflections leave on the diagonal that is the Q of the QR decomposition of a matrix of
 * normal numbers (Stewart: The Efficient Generation of Random Orthogonal Matrices, 1980),
 * without the decomposition.
 *-------------------------------------------------------------------------
 */
#include "core/graph/graph.h"

#include <math.h>
#include <string.h>

/* Keras's: the deviation of a normal distribution that is cut at 2 deviations */
#define TRUNCATED_DEVIATION 0.87962566103423978
#define TRUNCATED_AT 2.0

#define UNIFORM_LIMIT 0.05		/* Keras's RandomUniform */

#define LN_2 0.693147180559945309417
#define SQRT_HALF 0.707106781186547524401
#define N_LOG_TERMS 12

#define BLOCK_COLS 16			/* columns that are reflected together */
#define NUMBERS_PER_QUESTION 65536	/* whether to stop: about a millisecond */

/* Normal numbers come in pairs. */
typedef struct Normal
{
	AiRng		rng;
	bool		has_other;
	double		other;
} Normal;

/*
 * log(x), x > 0.  With x = m * 2^e and t = (m - 1) / (m + 1), log(m) is
 * 2 * (t + t^3 / 3 + t^5 / 5 + ...); |t| < 0.172.
 */
static double
same_log(double x)
{
	int			exponent;
	double		m = frexp(x, &exponent);
	double		t;
	double		square;
	double		sum = 0;

	if (m < SQRT_HALF)
	{
		m *= 2;
		exponent--;
	}
	t = (m - 1) / (m + 1);
	square = t * t;
	for (int k = N_LOG_TERMS; k >= 0; k--)
		sum = sum * square + 1.0 / (2 * k + 1);
	return exponent * LN_2 + 2 * t * sum;
}

/* Marsaglia's polar method: a point of the disk gives two */
static double
next_normal(Normal *normal)
{
	double		x;
	double		y;
	double		square;
	double		factor;

	if (normal->has_other)
	{
		normal->has_other = false;
		return normal->other;
	}
	do
	{
		x = 2 * ai_rng_uniform(&normal->rng) - 1;
		y = 2 * ai_rng_uniform(&normal->rng) - 1;
		square = x * x + y * y;
	} while (square >= 1 || square == 0);
	factor = sqrt(-2 * same_log(square) / square);
	normal->has_other = true;
	normal->other = y * factor;
	return x * factor;
}

static void
fill(float *number, size_t n, float value)
{
	for (size_t i = 0; i < n; i++)
		number[i] = value;
}

/* A uniform distribution up to scale on both sides, or a truncated normal one */
typedef struct Distribution
{
	bool		is_normal;
	double		scale;
	Normal		normal;
} Distribution;

static double
draw(Distribution *from)
{
	double		x;

	if (!from->is_normal)
		return from->scale * (2 * ai_rng_uniform(&from->normal.rng) - 1);
	do
		x = next_normal(&from->normal);
	while (fabs(x) >= TRUNCATED_AT);
	return from->scale * x;
}

static AiCode
cancelled(AiError *err)
{
	return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
}

static AiCode
fill_drawn(float *number, size_t n, Distribution *from, const AiHost *host, AiError *err)
{
	for (size_t i = 0; i < n; i++)
	{
		if (i % NUMBERS_PER_QUESTION == 0 && ai_host_should_stop(host))
			return cancelled(err);
		number[i] = (float) draw(from);
	}
	return AI_OK;
}

/* Rows of four parts: input, forget, cell, output */
static void
fill_lstm_bias(float *number, const AiWeight *weight)
{
	size_t		width = (size_t) weight->dims[weight->n_dims - 1];

	fill(number, weight->size, 0);
	for (size_t i = 0; i + width <= weight->size; i += width)
		fill(number + i + width / 4, width / 4, 1);
}

/* Reflections of the columns of a matrix [n_rows, n_cols], n_cols <= n_rows */
typedef struct Reflections
{
	size_t		n_rows;
	size_t		n_cols;
	double	   *vector;			/* [n_cols, n_rows], of length sqrt(2); the k-th begins at k */
	double	   *sign;			/* [n_cols] of the diagonal */
} Reflections;

/* From x to the vector that reflects it onto the axis, scaled so that H = I - v v' */
static void
make_reflection(Reflections *r, size_t k, Normal *normal)
{
	double	   *v = r->vector + k * r->n_rows;
	double		square = 0;
	double		length;
	double		scale;

	for (size_t i = k; i < r->n_rows; i++)
	{
		v[i] = next_normal(normal);
		square += v[i] * v[i];
	}
	length = sqrt(square);
	r->sign[k] = v[k] > 0 ? -1 : 1;
	scale = 1 / sqrt(square + length * fabs(v[k]));
	v[k] -= r->sign[k] * length;
	for (size_t i = k; i < r->n_rows; i++)
		v[i] *= scale;
}

/* block:[n_rows, BLOCK_COLS] -= v * (v' * block), from row k on */
static void
reflect(double *block, const double *v, size_t k, size_t n_rows)
{
	double		product[BLOCK_COLS] = {0};

	for (size_t i = k; i < n_rows; i++)
		for (size_t j = 0; j < BLOCK_COLS; j++)
			product[j] += v[i] * block[i * BLOCK_COLS + j];
	for (size_t i = k; i < n_rows; i++)
		for (size_t j = 0; j < BLOCK_COLS; j++)
			block[i * BLOCK_COLS + j] -= v[i] * product[j];
}

/*
 * Columns first_col to first_col + BLOCK_COLS of the product: unit vectors, reflected in turn.
 * Reflections behind the last of these columns leave them as they are.
 */
static AiCode
make_columns(const Reflections *r, size_t first_col, double *block, const AiHost *host,
			 AiError *err)
{
	size_t		end = first_col + BLOCK_COLS < r->n_cols ? first_col + BLOCK_COLS : r->n_cols;

	memset(block, 0, r->n_rows * BLOCK_COLS * sizeof(double));
	for (size_t j = first_col; j < end; j++)
		block[j * BLOCK_COLS + j - first_col] = r->sign[j];
	for (size_t k = end; k-- > 0;)
	{
		if (ai_host_should_stop(host))
			return cancelled(err);
		reflect(block, r->vector + k * r->n_rows, k, r->n_rows);
	}
	return AI_OK;
}

/* As Keras has it: all dimensions but the last are rows; of a wide matrix, the transposed */
static AiCode
fill_reflected(float *number, size_t rows, size_t cols, Reflections *r, AiRng stream,
			   double *block, const AiHost *host, AiError *err)
{
	Normal		normal = {.rng = stream};
	bool		is_wide = rows < cols;

	for (size_t k = 0; k < r->n_cols; k++)
	{
		if (ai_host_should_stop(host))
			return cancelled(err);
		make_reflection(r, k, &normal);
	}
	for (size_t first = 0; first < r->n_cols; first += BLOCK_COLS)
	{
		AI_TRY(make_columns(r, first, block, host, err));
		for (size_t i = 0; i < r->n_rows; i++)
			for (size_t j = first; j < r->n_cols && j < first + BLOCK_COLS; j++)
				number[is_wide ? j * cols + i : i * cols + j] =
					(float) block[i * BLOCK_COLS + j - first];
	}
	return AI_OK;
}

static AiCode
fill_orthogonal(float *number, const AiWeight *weight, AiRng stream, const AiHost *host,
				AiError *err)
{
	size_t		cols = (size_t) weight->dims[weight->n_dims - 1];
	size_t		rows = weight->size / cols;
	Reflections r = {.n_rows = rows > cols ? rows : cols, .n_cols = rows > cols ? cols : rows};
	size_t		size = (weight->size + r.n_cols + r.n_rows * BLOCK_COLS) * sizeof(double);
	AiCode		code;

	r.vector = ai_host_alloc(host, size);
	if (r.vector == NULL)
		return ai_out_of_memory(err, size, "an orthogonal matrix");
	r.sign = r.vector + weight->size;
	code = fill_reflected(number, rows, cols, &r, stream, r.sign + r.n_cols, host, err);
	ai_host_release(host, r.vector);
	return code;
}

/* Of the numbers of a weight, for the initialisers that draw each by itself */
static double
variance(const AiWeight *weight)
{
	double		in = (double) weight->fan_in;
	double		mean = (in + (double) weight->fan_out) / 2;

	switch (weight->initialiser)
	{
		case AI_INIT_GLOROT_UNIFORM:
		case AI_INIT_GLOROT_NORMAL:
			return 1 / fmax(mean, 1);
		case AI_INIT_HE_UNIFORM:
		case AI_INIT_HE_NORMAL:
			return 2 / fmax(in, 1);
		default:
			return 1 / fmax(in, 1);
	}
}

AiCode
ai_weight_initialise(const AiWeight *weight, float *number, AiRng stream, const AiHost *host,
					 AiError *err)
{
	Distribution from = {.normal.rng = stream};

	switch (weight->initialiser)
	{
		case AI_INIT_ZEROS:
			fill(number, weight->size, 0);
			return AI_OK;
		case AI_INIT_ONES:
			fill(number, weight->size, 1);
			return AI_OK;
		case AI_INIT_LSTM_BIAS:
			fill_lstm_bias(number, weight);
			return AI_OK;
		case AI_INIT_ORTHOGONAL:
			return fill_orthogonal(number, weight, stream, host, err);
		case AI_INIT_GLOROT_UNIFORM:
		case AI_INIT_HE_UNIFORM:
		case AI_INIT_LECUN_UNIFORM:
			from.scale = sqrt(3 * variance(weight));
			break;
		case AI_INIT_GLOROT_NORMAL:
		case AI_INIT_HE_NORMAL:
		case AI_INIT_LECUN_NORMAL:
			from.is_normal = true;
			from.scale = sqrt(variance(weight)) / TRUNCATED_DEVIATION;
			break;
		case AI_INIT_UNIFORM:
			from.scale = UNIFORM_LIMIT;
			break;
	}
	return fill_drawn(number, weight->size, &from, host, err);
}

AiCode
ai_graph_initialise(const AiGraph *graph, float *weights, float *states, uint64_t seed,
					const AiHost *host, AiError *err)
{
	fill(weights, graph->n_weights, 0);
	fill(states, graph->n_states, 0);
	for (int l = 0; l < graph->n_layers; l++)
	{
		const AiLayer *layer = &graph->layers[l].layer;

		for (int i = 0; i < layer->n_weights; i++)
		{
			const AiWeight *weight = &layer->weight[i];
			float	   *number = (weight->is_state ? states : weights) + weight->offset;
			AiRng		stream = ai_rng_stream(seed, (uint64_t) l, (uint64_t) i);

			AI_TRY(ai_weight_initialise(weight, number, stream, host, err));
		}
	}
	return AI_OK;
}
