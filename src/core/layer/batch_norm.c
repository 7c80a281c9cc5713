/*-------------------------------------------------------------------------
 * batch_norm.c
 *		Each channel with mean 0 and variance 1 over the batch, then scaled and shifted.
 *
 * When a model is applied, or the layer is frozen, mean and variance are moving averages of those
 * in training.  Masked steps do not count in them.
 *
 * On the way back, with e = dy * gamma / deviation and y = (x - mean) / deviation,
 *
 *	dx = e - mean(e) - y * mean(e * y)
 *
 * where only the first term is there if mean and variance are not the batch's, or do not depend on
 * x as it is masked.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include <math.h>
#include <string.h>

#include "core/layer/prepare.h"

typedef struct BatchNormConfig
{
	double		momentum;		/* of the moving averages */
	double		epsilon;
	bool		center;			/* has beta */
	bool		scale;			/* has gamma */
	int64_t		axis;
} BatchNormConfig;

static const AiOption options[] = {
	AI_OPTION_FLOAT_ROW(BatchNormConfig, momentum, 0.99, 0, 1),
	AI_OPTION_FLOAT_ROW(BatchNormConfig, epsilon, 0.001, 1e-12, 1),
	AI_OPTION_BOOL_ROW(BatchNormConfig, center, true),
	AI_OPTION_BOOL_ROW(BatchNormConfig, scale, true),
	AI_OPTION_LAST_AXIS_ROW(BatchNormConfig, axis),
	{.name = NULL}
};

static AiCode
prepare(AiLayer *layer, AiError *err)
{
	const BatchNormConfig *config = layer->config;
	int64_t		n = ai_shape_last(&layer->input[0]);

	AI_TRY(ai_prepare_last_axis(layer, config->axis, err));
	if (config->scale)
		ai_prepare_weight(layer, "gamma", AI_INIT_ONES, 1, &n);
	if (config->center)
		ai_prepare_weight(layer, "beta", AI_INIT_ZEROS, 1, &n);
	ai_prepare_weight(layer, "moving_mean", AI_INIT_ZEROS, 1, &n)->is_state = true;
	ai_prepare_weight(layer, "moving_variance", AI_INIT_ONES, 1, &n)->is_state = true;
	layer->needs_input = true;
	layer->scratch_fixed = 4 * (size_t) n;
	layer->n_sums = layer->is_frozen ? 0 : (int) (2 * n + 1);
	return AI_OK;
}

/* Sums hold those of x, of its squares, and how many there are of each channel. */
static size_t
n_channels(const AiLayer *layer)
{
	return (size_t) ai_shape_last(&layer->input[0]);
}

static size_t
n_places(const AiLayer *layer, const AiPass *pass)
{
	return (size_t) pass->n_rows * ai_shape_size(&layer->input[0]) / n_channels(layer);
}

static bool
is_of_batch(const AiLayer *layer, const AiPass *pass)
{
	return pass->is_training && layer->n_sums > 0;
}

static void
sum_forward(const AiLayer *layer, const AiPass *pass)
{
	size_t		n = n_channels(layer);
	size_t		n_all = n_places(layer, pass);

	ai_kernels()->column_sums(pass->sums, pass->sums + n, pass->input[0], pass->input[0],
							  pass->mask, n_all, n);
	for (size_t i = 0; i < n_all; i++)
		pass->sums[2 * n] += pass->mask == NULL || pass->mask[i] != 0;
}

/* Those of dy, and of dy * x */
static void
sum_backward(const AiLayer *layer, const AiPass *pass)
{
	size_t		n = n_channels(layer);

	ai_kernels()->column_sums(pass->back_sums, pass->back_sums + n, pass->d_output, pass->input[0],
							  NULL, n_places(layer, pass), n);
}

static double
batch_mean(const double *sums, size_t n, size_t j)
{
	return sums[2 * n] > 0 ? sums[j] / sums[2 * n] : 0;
}

/* Of double, the difference keeps enough digits. */
static double
batch_variance(const double *sums, size_t n, size_t j)
{
	double		mean = batch_mean(sums, n, j);
	double		variance = sums[2 * n] > 0 ? sums[n + j] / sums[2 * n] - mean * mean : 0;

	return variance > 0 ? variance : 0;
}

static void
update_state(const AiLayer *layer, float *const *state, const double *sums, int64_t batch_rows)
{
	double		momentum = ((const BatchNormConfig *) layer->config)->momentum;
	size_t		n = n_channels(layer);
	float	   *mean = state[layer->n_weights - 2];
	float	   *variance = state[layer->n_weights - 1];

	(void) batch_rows;
	for (size_t j = 0; j < n; j++)
	{
		mean[j] = (float) ((double) mean[j] * momentum + batch_mean(sums, n, j) * (1 - momentum));
		variance[j] = (float) ((double) variance[j] * momentum +
							   batch_variance(sums, n, j) * (1 - momentum));
	}
}

/* One channel: what is taken off, what is multiplied by, and without gamma */
typedef struct Channel
{
	double		mean;
	double		inverse;
	double		factor;
} Channel;

static Channel
channel_of(const AiLayer *layer, const AiPass *pass, size_t j)
{
	const BatchNormConfig *config = layer->config;
	size_t		n = n_channels(layer);
	bool		is_batch = is_of_batch(layer, pass);
	double		variance = is_batch ? batch_variance(pass->sums, n, j) :
		(double) pass->weight[layer->n_weights - 1][j];
	Channel		channel = {
		.mean = is_batch ? batch_mean(pass->sums, n, j) :
			(double) pass->weight[layer->n_weights - 2][j],
		.inverse = 1 / sqrt(variance + config->epsilon)
	};

	channel.factor = channel.inverse * (config->scale ? (double) pass->weight[0][j] : 1);
	return channel;
}

static void
forward(const AiLayer *layer, const AiPass *pass)
{
	const BatchNormConfig *config = layer->config;
	size_t		n = n_channels(layer);
	float	   *mean = pass->scratch;
	float	   *factor = mean + n;
	float	   *shift = factor + n;

	for (size_t j = 0; j < n; j++)
	{
		Channel		channel = channel_of(layer, pass, j);
		double		beta = config->center ? (double) pass->weight[config->scale ? 1 : 0][j] : 0;

		mean[j] = (float) channel.mean;
		factor[j] = (float) channel.factor;
		shift[j] = (float) (beta + ((double) mean[j] - channel.mean) * channel.factor);
	}
	ai_kernels()->shift_columns(pass->output, pass->input[0], mean, factor, shift,
								n_places(layer, pass), n);
}

/* The sum of dy * y, y being normalised but without gamma and beta */
static double
sum_of_slopes(const AiPass *pass, const Channel *channel, size_t n, size_t j)
{
	return (pass->back_sums[n + j] - channel->mean * pass->back_sums[j]) * channel->inverse;
}

/* The sums are the whole batch's, so that its first shard tells the gradients for all. */
static void
add_weight_gradients(const AiLayer *layer, const AiPass *pass)
{
	const BatchNormConfig *config = layer->config;
	size_t		n = n_channels(layer);
	float	   *d_gamma = config->scale ? pass->d_weight[0] : NULL;
	float	   *d_beta = config->center ? pass->d_weight[config->scale ? 1 : 0] : NULL;

	for (size_t j = 0; j < n; j++)
	{
		Channel		channel = channel_of(layer, pass, j);

		if (d_gamma != NULL)
			d_gamma[j] += (float) sum_of_slopes(pass, &channel, n, j);
		if (d_beta != NULL)
			d_beta[j] += (float) pass->back_sums[j];
	}
}

/* What comes by mean and variance, of the places that count in them */
static void
write_shared_gradient(const AiLayer *layer, const AiPass *pass, float *mean, float *factor,
					  float *shift)
{
	size_t		n = n_channels(layer);
	size_t		n_all = n_places(layer, pass);
	double		count = pass->sums[2 * n];

	for (size_t j = 0; j < n; j++)
	{
		Channel		channel = channel_of(layer, pass, j);
		double		slope = -channel.factor * channel.inverse *
			sum_of_slopes(pass, &channel, n, j) / count;

		mean[j] = (float) channel.mean;
		factor[j] = (float) slope;
		shift[j] = (float) (((double) mean[j] - channel.mean) * slope -
							channel.factor * pass->back_sums[j] / count);
	}
	ai_kernels()->shift_columns(pass->d_input[0], pass->input[0], mean, factor, shift, n_all, n);
	for (size_t i = 0; i < n_all && pass->mask != NULL; i++)
	{
		if (pass->mask[i] == 0)
			memset(pass->d_input[0] + i * n, 0, n * sizeof(float));
	}
}

static void
backward(const AiLayer *layer, const AiPass *pass)
{
	size_t		n = n_channels(layer);
	size_t		n_all = n_places(layer, pass);
	float	   *factor = pass->scratch;

	if (is_of_batch(layer, pass) && pass->first_row == 0)
		add_weight_gradients(layer, pass);
	if (pass->d_input[0] == NULL)
		return;
	if (is_of_batch(layer, pass))
		write_shared_gradient(layer, pass, factor + n, factor + 2 * n, factor + 3 * n);
	else
		memset(pass->d_input[0], 0, n_all * n * sizeof(float));
	for (size_t j = 0; j < n; j++)
		factor[j] = (float) channel_of(layer, pass, j).factor;
	ai_kernels()->add_columns(pass->d_input[0], pass->d_output, factor, n_all, n);
}

const AiLayerType ai_layer_batch_norm = {
	.name = "batch_norm",
	.keras_name = "BatchNormalization",
	.config_size = sizeof(BatchNormConfig),
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
	.sum_forward = sum_forward,
	.sum_backward = sum_backward,
	.update_state = update_state,
	.forward = forward,
	.backward = backward
};
