/*-------------------------------------------------------------------------
 * text_model.h
 *		The text classifier as it lies in its aim block.
 *
 * Shared by the trainer, which writes it, and by what applies it.
 *
 *	entry				type and shape			what
 *	options				i64 [5]					AiNgramOptions, in order
 *	is_closed			i64						1: parts of known n-grams of words are known
 *	version				i64						1, or 2 where a text's embedding is read too
 *	labels				strings [n_labels]		by rising bytes
 *	table				u32 [n_buckets, 2, 8]	fingerprints, then numbers + 1; 0: free
 *	idf					f32 [256]				log((1 + n) / (1 + rows)) + 1, by code
 *	idf.code			u8 [n_features]			of the number of rows, see ai_text_idf_code()
 *	weight				f32 [n_features, width]	of logits: calibrated
 *	intercept			f32 [width]
 *	dense.weight		f32 [n_dense, width]	of the embedding at unit length; version 2
 *	embedder.hash		u8 [32]					SHA-256 of the embedder's content; version 2
 *	strongest			i32 [n, 3]				label, kind, rows (see importance)
 *	strongest.weight	f64 [n]
 *	strongest.feature	strings [n]
 *
 * A bucket is one cache line of eight n-grams, filled from the front; the bucket
 * follows from the upper 32 bits of the hash, and what does not fit goes into the
 * next.  The fingerprint is the lower 32 bits, so an n-gram that the model has
 * not seen is taken for another less than once in a hundred million times.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TEXT_MODEL_H
#define AI_TEXT_MODEL_H

#include <math.h>

#include "core/classic/linear.h"
#include "core/format/aim.h"
#include "core/model/text_classifier.h"
#include "core/text/ngram.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define AI_TEXT_VERSION_NGRAMS AI_NGRAM_VERSION
#define AI_TEXT_VERSION_EMBEDDING 2

#define AI_TEXT_BUCKET_SIZE 8

typedef struct AiTextBucket
{
	uint32_t	fingerprint[AI_TEXT_BUCKET_SIZE];
	uint32_t	number[AI_TEXT_BUCKET_SIZE];	/* of the feature, from 1; 0: free */
} AiTextBucket;

typedef struct AiTextTable
{
	const AiTextBucket *buckets;	/* [n_buckets], not all full */
	uint32_t	n_buckets;
	uint32_t	n_features;
} AiTextTable;

static inline uint32_t
ai_text_bucket_of(uint64_t hash, uint32_t n_buckets)
{
	return (uint32_t) (((hash >> 32) * n_buckets) >> 32);
}

/* Buckets for so many features: four fifths full */
static inline uint32_t
ai_text_n_buckets(uint32_t n_features)
{
	return (uint32_t) (((uint64_t) n_features * 5 / 4) / AI_TEXT_BUCKET_SIZE) + 2;
}

extern void ai_text_table_fill(AiTextBucket *buckets, uint32_t n_buckets,
							   const uint64_t *hash, uint32_t n_features);

/* One bit for each place of the bucket that holds the fingerprint */
static inline unsigned
ai_text_bucket_matches(const AiTextBucket *bucket, uint32_t fingerprint)
{
#ifdef __SSE2__
	const __m128i *four = (const __m128i *) bucket->fingerprint;
	__m128i		wanted = _mm_set1_epi32((int) fingerprint);
	__m128i		low = _mm_cmpeq_epi32(_mm_load_si128(four), wanted);
	__m128i		high = _mm_cmpeq_epi32(_mm_load_si128(four + 1), wanted);

	return (unsigned) (_mm_movemask_ps(_mm_castsi128_ps(low)) |
					   _mm_movemask_ps(_mm_castsi128_ps(high)) << 4);
#else
	unsigned	matches = 0;

	for (int i = 0; i < AI_TEXT_BUCKET_SIZE; i++)
		matches |= (unsigned) (bucket->fingerprint[i] == fingerprint) << i;
	return matches;
#endif
}

/* Ask for the memory of where an n-gram is that will be looked up. */
static inline void
ai_text_table_ask(const AiTextTable *table, uint64_t hash)
{
	__builtin_prefetch(&table->buckets[ai_text_bucket_of(hash, table->n_buckets)]);
}

/*
 * The number of the n-gram's feature, from 1, or 0.  A free place is no match.  The block
 * may have been damaged since it was checked: a number that no feature has is none, and
 * a search ends where every bucket is full.
 */
static inline uint32_t
ai_text_table_find(const AiTextTable *table, uint64_t hash)
{
	uint32_t	b = ai_text_bucket_of(hash, table->n_buckets);
	bool		has_wrapped = false;

	for (;;)
	{
		const AiTextBucket *bucket = &table->buckets[b];
		unsigned	matches = ai_text_bucket_matches(bucket, (uint32_t) hash);

		if (matches != 0)
		{
			uint32_t	number = bucket->number[__builtin_ctz(matches)];

			return number <= table->n_features ? number : 0;
		}
		if (bucket->number[AI_TEXT_BUCKET_SIZE - 1] == 0)
			return 0;
		if (++b == table->n_buckets)
		{
			if (has_wrapped)
				return 0;
			has_wrapped = true;
			b = 0;
		}
	}
}

/* numbers of those of hash:[n] that are found, in their order; how many they are */
extern size_t ai_text_table_find_known(const AiTextTable *table, uint32_t *numbers,
									   const uint64_t *hash, size_t n);

/*
 * Inverse document frequencies.  How many rows hold an n-gram is kept in one
 * byte: exactly up to 64, and then in twelve steps to the octave, the middle of
 * which is within 0.03 of every idf in the step.
 */
#define AI_TEXT_N_IDF 256

typedef struct AiTextIdf
{
	const float *of;			/* [AI_TEXT_N_IDF] by code */
	const uint8_t *code;		/* [n_features] */
} AiTextIdf;

extern uint8_t ai_text_idf_code(uint32_t n_holding);

/* of:[AI_TEXT_N_IDF] for n_rows rows, smoothed as scikit-learn does */
extern void ai_text_idf_fill(float *of, int64_t n_rows);

/* 1 + log(count), for counts of one byte */
typedef struct AiTextDamping
{
	float		of[256];
} AiTextDamping;

extern void ai_text_damping_init(AiTextDamping *damping);

/*
 * The values of a text's n-grams of one kind: (1 + log count) * idf, and then
 * scaled to the length of the kind, so that no kind drowns another.  count:[n] are
 * occurrences in the text, idf_code:[n] the codes of their idf in idf_of.
 */
extern void ai_text_values(float *value, AiNgramKind kind, const uint8_t *count,
						   const uint8_t *idf_code, size_t n, const float *idf_of,
						   const AiTextDamping *damping);

/*
 * to:[n] = x / |x|; zeros where x has no direction: all zeros, or numbers that are not finite.
 * to may be x.
 */
extern void ai_text_unit(float *to, const float *x, size_t n);

/* What applying needs of a model's entries: all borrowed */
typedef struct AiTextKnown
{
	AiNgramOptions options;
	bool		is_closed;		/* it knows the parts of every n-gram of words it knows */
	int64_t		n_features;		/* at most AI_TEXT_MAX_FEATURES */
	AiTextTable table;
	AiTextIdf	idf;
	AiTextDamping damping;
	const float *weight;		/* [n_features, width], to be asked for in advance */
	size_t		width;
} AiTextKnown;

#endif							/* AI_TEXT_MODEL_H */
