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

/*
 * The length of each kind of n-gram's values.  Words a little longer than the
 * rest were the best over the texts of make bench-text.
 */
static const double kind_length[AI_NGRAM_N_KINDS] = {
	[AI_NGRAM_WORD] = 1.4, [AI_NGRAM_CHARS] = 1.0, [AI_NGRAM_SHAPE] = 1.0
};

void
ai_text_values(float *value, const uint32_t *feature, const uint8_t *kind,
			   const uint8_t *count, size_t n, const float *idf)
{
	double		sum[AI_NGRAM_N_KINDS] = {0};
	float		scale[AI_NGRAM_N_KINDS];

	for (size_t i = 0; i < n; i++)
	{
		value[i] = damped(count[i]) * idf[feature[i]];
		sum[kind[i]] += (double) value[i] * value[i];
	}
	for (int k = 0; k < AI_NGRAM_N_KINDS; k++)
		scale[k] = sum[k] > 0 ? (float) (kind_length[k] / sqrt(sum[k])) : 0;
	for (size_t i = 0; i < n; i++)
		value[i] *= scale[kind[i]];
}
