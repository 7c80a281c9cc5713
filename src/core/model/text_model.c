/*-------------------------------------------------------------------------
 * text_model.c
 *		What training and applying a text classifier share.
 *-------------------------------------------------------------------------
 */
#include "core/model/text_model.h"

#include <string.h>

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

size_t
ai_text_table_find_known(const AiTextTable *table, uint32_t *numbers, const uint64_t *hash,
						 size_t n)
{
	size_t		n_known = 0;

	for (size_t i = 0; i < n; i++)
		ai_text_table_ask(table, hash[i]);
	for (size_t i = 0; i < n; i++)
	{
		numbers[n_known] = ai_text_table_find(table, hash[i]);
		n_known += numbers[n_known] != 0;
	}
	return n_known;
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

typedef float FourFloats __attribute__((vector_size(16)));
typedef double FourDoubles __attribute__((vector_size(32)));

/* In four sums, so that none waits for the term before */
static double
sum_of_squares(const float *value, size_t n)
{
	FourDoubles sum = {0};
	size_t		i = 0;

	for (; i + 4 <= n; i += 4)
	{
		FourFloats	x;
		FourDoubles wide;

		memcpy(&x, value + i, sizeof(x));
		wide = __builtin_convertvector(x, FourDoubles);
		sum += wide * wide;
	}
	for (; i < n; i++)
		sum[0] += (double) value[i] * value[i];
	return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

static void
multiply(float *value, size_t n, float factor)
{
	size_t		i = 0;

	for (; i + 4 <= n; i += 4)
	{
		FourFloats	x;

		memcpy(&x, value + i, sizeof(x));
		x *= factor;
		memcpy(value + i, &x, sizeof(x));
	}
	for (; i < n; i++)
		value[i] *= factor;
}

void
ai_text_values(float *value, AiNgramKind kind, const uint8_t *count, const uint8_t *idf_code,
			   size_t n, const float *idf_of, const AiTextDamping *damping)
{
	double		sum;

	for (size_t i = 0; i < n; i++)
		value[i] = damping->of[count[i]] * idf_of[idf_code[i]];
	sum = sum_of_squares(value, n);
	multiply(value, n, sum > 1e-9 ? (float) (kind_length[kind] / sqrt(sum)) : 0);
}

void
ai_text_unit(float *to, const float *x, size_t n)
{
	double		sum = ai_kernels()->sum_squares(x, n);
	double		inverse = sum > 0 && isfinite(sum) ? 1 / sqrt(sum) : 0;

	for (size_t i = 0; i < n; i++)
		to[i] = inverse > 0 ? (float) (x[i] * inverse) : 0;
}
