/*-------------------------------------------------------------------------
 * text_model.c
 *		What training and applying a text classifier share.
 *-------------------------------------------------------------------------
 */
#include "core/model/text_model.h"

void
ai_text_table_fill(AiTextBucket *buckets, uint32_t n_buckets, const uint64_t *hash,
				   uint32_t n_features)
{
	for (uint32_t f = 0; f < n_features; f++)
	{
		uint32_t	b = ai_text_bucket_of(hash[f], n_buckets);
		int			i = 0;

		while (buckets[b].number[AI_TEXT_BUCKET_SIZE - 1] != 0)
			b = b + 1 == n_buckets ? 0 : b + 1;
		while (buckets[b].number[i] != 0)
			i++;
		buckets[b].fingerprint[i] = (uint32_t) hash[f];
		buckets[b].number[i] = f + 1;
	}
}

#define EXACT_ROWS 64
#define STEPS_PER_OCTAVE 12

uint8_t
ai_text_idf_code(uint32_t n_holding)
{
	double		step;

	if (n_holding <= EXACT_ROWS)
		return (uint8_t) (n_holding > 0 ? n_holding - 1 : 0);
	step = floor(log2((double) n_holding / EXACT_ROWS) * STEPS_PER_OCTAVE);
	return (uint8_t) (step < AI_TEXT_N_IDF - EXACT_ROWS ? EXACT_ROWS + step : AI_TEXT_N_IDF - 1);
}

void
ai_text_idf_fill(float *of, int64_t n_rows)
{
	for (int code = 0; code < AI_TEXT_N_IDF; code++)
	{
		double		n_holding = code < EXACT_ROWS ? code + 1 :
			EXACT_ROWS * exp2((code - EXACT_ROWS + 0.5) / STEPS_PER_OCTAVE);

		/* never below that of an n-gram that every row holds */
		if (n_holding > (double) n_rows)
			n_holding = (double) n_rows;
		of[code] = (float) (log((1.0 + (double) n_rows) / (1.0 + n_holding)) + 1.0);
	}
}

void
ai_text_damping_init(AiTextDamping *damping)
{
	damping->of[0] = 0;
	for (int count = 1; count < 256; count++)
		damping->of[count] = (float) (1.0 + log(count));
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
			   const uint8_t *count, size_t n, const AiTextIdf *idf,
			   const AiTextDamping *damping)
{
	double		words = 0;
	double		chars = 0;
	double		all = 0;
	double		sum[AI_NGRAM_N_KINDS];
	float		scale[AI_NGRAM_N_KINDS];

	/* sums in registers: one in memory, chosen by kind, would wait for itself */
	for (size_t i = 0; i < n; i++)
	{
		float		x = damping->of[count[i]] * idf->of[idf->code[feature[i]]];
		double		square = (double) x * x;

		value[i] = x;
		all += square;
		words += kind[i] == AI_NGRAM_WORD ? square : 0;
		chars += kind[i] == AI_NGRAM_CHARS ? square : 0;
	}
	sum[AI_NGRAM_WORD] = words;
	sum[AI_NGRAM_CHARS] = chars;
	sum[AI_NGRAM_SHAPE] = all - words - chars;
	for (int k = 0; k < AI_NGRAM_N_KINDS; k++)
		scale[k] = sum[k] > 1e-9 ? (float) (kind_length[k] / sqrt(sum[k])) : 0;
	for (size_t i = 0; i < n; i++)
		value[i] *= scale[kind[i]];
}
