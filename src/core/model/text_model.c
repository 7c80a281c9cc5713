/*-------------------------------------------------------------------------
 * text_model.c
 *		What training and applying a text classifier share.
 *-------------------------------------------------------------------------
 */
#include "core/model/text_model.h"

void
ai_text_table_fill(AiTextSlot *slots, uint32_t n_slots, const uint64_t *hash,
				   uint32_t n_features)
{
	for (uint32_t f = 0; f < n_features; f++)
	{
		uint32_t	i = ai_text_slot_of(hash[f], n_slots);

		while (slots[i].number != 0)
			i = i + 1 == n_slots ? 0 : i + 1;
		slots[i] = (AiTextSlot) {(uint32_t) hash[f], f + 1};
	}
}

/* 1 + log(count), for counts of one byte */
static inline float
damped(uint8_t count)
{
	return count == 1 ? 1.0f : (float) (1.0 + log(count));
}

void
ai_text_values(float *value, const uint32_t *feature, const uint8_t *kind,
			   const uint8_t *count, size_t n, const float *idf)
{
	double		sum[4] = {0};
	float		scale[4];

	for (size_t i = 0; i < n; i++)
	{
		value[i] = damped(count[i]) * idf[feature[i]];
		sum[kind[i]] += (double) value[i] * value[i];
	}
	for (int k = 0; k < 4; k++)
		scale[k] = sum[k] > 0 ? (float) (1.0 / sqrt(sum[k])) : 0;
	for (size_t i = 0; i < n; i++)
		value[i] *= scale[kind[i]];
}
