/*-------------------------------------------------------------------------
 * ref_packed.c
 *		Products with packed weights as plain loops.
 *
 * They say what the other ways compute and run where there is no other.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/packed_internal.h"

#define LANES AI_PANEL_COLUMNS

static size_t
columns_from(const AiPacked *w, size_t first)
{
	return w->n - first < LANES ? w->n - first : LANES;
}

/* What follows the sums of row i, in the columns of a panel from first on */
static void
finish(const AiPackedProduct *product, size_t i, size_t first, const float *sum)
{
	const AiPacked *w = product->weights;
	size_t		n = columns_from(w, first);
	float	   *y = product->y + i * product->y_row + first;

	for (size_t j = 0; j < n; j++)
		y[j] = sum[j] + w->bias[first + j] +
			(product->residual != NULL ? product->residual[i * product->residual_row + first + j]
			 : 0);
	if (product->act != AI_ACT_LINEAR)
		ai_kernels()->activate(y, y, n, product->act);
}

void
ai_packed_fp32_ref(const AiPackedProduct *product)
{
	const AiPacked *w = product->weights;

	for (size_t i = 0; i < product->m; i++)
	{
		const char *row = (const char *) product->x + i * product->x_row;

		for (size_t first = 0; first < w->n; first += LANES)
		{
			const float *b = (const float *) w->words + first * w->n_words;
			float		sum[LANES] = {0};

			for (size_t p = 0; p < w->k; p++, b += LANES)
			{
				float		x;

				memcpy(&x, row + p * sizeof(x), sizeof(x));
				for (size_t j = 0; j < LANES; j++)
					sum[j] += x * b[j];
			}
			finish(product, i, first, sum);
		}
	}
}

void
ai_packed_bf16_ref(const AiPackedProduct *product)
{
	const AiPacked *w = product->weights;

	for (size_t i = 0; i < product->m; i++)
	{
		const char *row = (const char *) product->x + i * product->x_row;

		for (size_t first = 0; first < w->n; first += LANES)
		{
			const uint16_t *b = (const uint16_t *) (w->words + first * w->n_words);
			float		sum[LANES] = {0};

			for (size_t p = 0; p < w->n_words; p++, b += 2 * LANES)
			{
				uint16_t	x[2];

				memcpy(x, row + p * sizeof(x), sizeof(x));
				for (size_t j = 0; j < LANES; j++)
				{
					sum[j] += ai_float_of_bf16(x[0]) * ai_float_of_bf16(b[2 * j]);
					sum[j] += ai_float_of_bf16(x[1]) * ai_float_of_bf16(b[2 * j + 1]);
				}
			}
			finish(product, i, first, sum);
		}
	}
}

void
ai_packed_int8_ref(const AiPackedProduct *product)
{
	const AiPacked *w = product->weights;

	for (size_t i = 0; i < product->m; i++)
	{
		const uint8_t *row = (const uint8_t *) product->x + i * product->x_row;
		AiRowScale	scale = product->x_scales[i];

		for (size_t first = 0; first < w->n; first += LANES)
		{
			const int8_t *b = (const int8_t *) (w->words + first * w->n_words);
			int32_t		sum[LANES] = {0};
			float		scaled[LANES];

			for (size_t p = 0; p < 4 * w->n_words; p += 4, b += 4 * LANES)
			{
				for (size_t j = 0; j < LANES; j++)
					sum[j] += row[p] * b[4 * j] + row[p + 1] * b[4 * j + 1] +
						row[p + 2] * b[4 * j + 2] + row[p + 3] * b[4 * j + 3];
			}
			for (size_t j = 0; j < LANES; j++)
				scaled[j] = (float) (sum[j] - scale.zero * w->sums[first + j]) *
					(w->scales[first + j] * scale.scale);
			finish(product, i, first, scaled);
		}
	}
}
