/*-------------------------------------------------------------------------
 * encoder_pooling.c
 *		One vector from those of all tokens.
 *-------------------------------------------------------------------------
 */
#include "core/model/encoder.h"

#include <math.h>
#include <string.h>

#include "core/model/encoder_internal.h"

/* Weight of token i in a mean of n */
static float
weight_of(AiPooling pooling, size_t i, size_t n)
{
	switch (pooling)
	{
		case AI_POOL_MEAN_SQRT:
			return 1 / sqrtf((float) n);
		case AI_POOL_WEIGHTED:
			return (float) (2 * (i + 1)) / ((float) n * (float) (n + 1));
		default:
			return 1 / (float) n;
	}
}

static void
add_weighted(float *sum, const float *x, float weight, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum[i] += weight * x[i];
}

static void
take_greatest(float *most, const float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		most[i] = x[i] > most[i] ? x[i] : most[i];
}

void
ai_encoder_pool(float *pooled, const AiEncoder *encoder, const float *vector, size_t n)
{
	AiPooling	pooling = (AiPooling) encoder->shape.pooling;
	size_t		width = (size_t) encoder->shape.width;

	if (n == 0)
		memset(pooled, 0, width * sizeof(float));
	else if (pooling == AI_POOL_FIRST || pooling == AI_POOL_MAX)
		memcpy(pooled, vector, width * sizeof(float));
	else if (pooling == AI_POOL_LAST)
		memcpy(pooled, vector + (n - 1) * width, width * sizeof(float));
	else
		memset(pooled, 0, width * sizeof(float));
	if (pooling == AI_POOL_FIRST || pooling == AI_POOL_LAST)
		return;
	for (size_t i = 0; i < n; i++)
	{
		if (pooling == AI_POOL_MAX)
			take_greatest(pooled, vector + i * width, width);
		else
			add_weighted(pooled, vector + i * width, weight_of(pooling, i, n), width);
	}
}
