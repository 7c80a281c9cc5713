/*-------------------------------------------------------------------------
 * activate.h
 *		Activations of arrays, and the way back.
 *-------------------------------------------------------------------------
 */
#ifndef AI_LOOPS_ACTIVATE_H
#define AI_LOOPS_ACTIVATE_H

#include "core/kernels/kernels.h"
#include "core/kernels/loops/functions.h"

#define LEAKY_SLOPE 0.2f
#define SELU_SCALE 1.0507009873554805f
#define SELU_SLOPE 1.7580993408473766f	/* at 0 from below: scale times alpha */

#define EACH(array, value) \
	do \
	{ \
		AI_LANES \
		for (size_t i = 0; i < n; i++) \
			array[i] = (value); \
	} while (0)

static void
activate(float *y, const float *x, size_t n, AiActivation act)
{
	switch (act)
	{
		case AI_ACT_RELU:
			EACH(y, at_least(x[i], 0));
			break;
		case AI_ACT_LEAKY_RELU:
			EACH(y, x[i] < 0 ? LEAKY_SLOPE * x[i] : x[i]);
			break;
		case AI_ACT_ELU:
			EACH(y, x[i] > 0 ? x[i] : expm1_of(at_most(x[i], 0)));
			break;
		case AI_ACT_SELU:
			EACH(y, x[i] > 0 ? SELU_SCALE * x[i] : SELU_SLOPE * expm1_of(at_most(x[i], 0)));
			break;
		case AI_ACT_GELU:
			EACH(y, gelu_of(x[i]));
			break;
		case AI_ACT_GELU_TANH:
			EACH(y, gelu_tanh_of(x[i]));
			break;
		case AI_ACT_SILU:
			EACH(y, silu_of(x[i]));
			break;
		case AI_ACT_SIGMOID:
			EACH(y, sigmoid_of(x[i]));
			break;
		case AI_ACT_TANH:
			EACH(y, tanh_of(x[i]));
			break;
		case AI_ACT_SOFTPLUS:
			EACH(y, softplus_of(x[i]));
			break;
		case AI_ACT_LINEAR:
		case AI_ACT_SOFTMAX:
		case AI_ACT_N:
			AI_ASSERT(act == AI_ACT_LINEAR);
			EACH(y, x[i]);
			break;
	}
}

static void
activate_back(float *dx, const float *dy, const float *x, const float *y, size_t n,
			  AiActivation act)
{
	switch (act)
	{
		case AI_ACT_RELU:
			EACH(dx, y[i] <= 0 ? 0 : dy[i]);
			break;
		case AI_ACT_LEAKY_RELU:
			EACH(dx, y[i] <= 0 ? LEAKY_SLOPE * dy[i] : dy[i]);
			break;
		case AI_ACT_ELU:
			EACH(dx, y[i] > 0 ? dy[i] : dy[i] * (y[i] + 1));
			break;
		case AI_ACT_SELU:
			EACH(dx, dy[i] * (y[i] > 0 ? SELU_SCALE : y[i] + SELU_SLOPE));
			break;
		case AI_ACT_GELU:
			EACH(dx, dy[i] * gelu_slope(x[i]));
			break;
		case AI_ACT_GELU_TANH:
			EACH(dx, dy[i] * gelu_tanh_slope(x[i]));
			break;
		case AI_ACT_SILU:
			EACH(dx, dy[i] * silu_slope(x[i]));
			break;
		case AI_ACT_SIGMOID:
			EACH(dx, dy[i] * (y[i] * (1 - y[i])));
			break;
		case AI_ACT_TANH:
			EACH(dx, dy[i] * ((1 - y[i]) * (1 + y[i])));
			break;
		case AI_ACT_SOFTPLUS:
			EACH(dx, dy[i] * -expm1_of(-y[i]));
			break;
		case AI_ACT_LINEAR:
		case AI_ACT_SOFTMAX:
		case AI_ACT_N:
			AI_ASSERT(act == AI_ACT_LINEAR);
			EACH(dx, dy[i]);
			break;
	}
}

#endif							/* AI_LOOPS_ACTIVATE_H */
