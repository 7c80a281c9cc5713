/*-------------------------------------------------------------------------
 * text_model.h
 *		The text classifier as it lies in its aim block.
 *
 * Shared by the trainer, which writes it, and by what applies it.
 *
 *	entry				type and shape			what
 *	options				i64 [5]					AiNgramOptions, in order
 *	version				i64						AI_NGRAM_VERSION
 *	labels				strings [n_labels]		by rising bytes
 *	table				u32 [n_slots, 2]		fingerprint and number + 1; 0: free
 *	idf					f32 [n_features]		log((1 + n) / (1 + rows)) + 1
 *	weight				f32 [n_features, width]	of logits: calibrated
 *	intercept			f32 [width]
 *	strongest			i32 [n, 3]				label, kind, rows (see importance)
 *	strongest.weight	f64 [n]
 *	strongest.feature	strings [n]
 *
 * An n-gram's slot is found from the upper 32 bits of its hash, by linear
 * probing; the fingerprint is the lower 32, so an n-gram that the model has not
 * seen is taken for another about once in a thousand million times.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TEXT_MODEL_H
#define AI_TEXT_MODEL_H

#include <math.h>

#include "core/classic/linear.h"
#include "core/format/aim.h"
#include "core/model/text_classifier.h"
#include "core/text/ngram.h"

typedef struct AiTextSlot
{
	uint32_t	fingerprint;
	uint32_t	number;			/* of the feature, from 1; 0: the slot is free */
} AiTextSlot;

typedef struct AiTextTable
{
	const AiTextSlot *slots;	/* [n_slots], at least one free */
	uint32_t	n_slots;
} AiTextTable;

static inline uint32_t
ai_text_slot_of(uint64_t hash, uint32_t n_slots)
{
	return (uint32_t) (((hash >> 32) * n_slots) >> 32);
}

/* Slots for so many features: three quarters full, and never quite */
static inline uint32_t
ai_text_n_slots(uint32_t n_features)
{
	return n_features + n_features / 3 + 8;
}

extern void ai_text_table_fill(AiTextSlot *slots, uint32_t n_slots,
							   const uint64_t *hash, uint32_t n_features);

/* The number of the n-gram's feature, from 1, or 0 */
static inline uint32_t
ai_text_table_find(const AiTextTable *table, uint64_t hash)
{
	uint32_t	i = ai_text_slot_of(hash, table->n_slots);

	while (table->slots[i].number != 0 && table->slots[i].fingerprint != (uint32_t) hash)
	{
		if (++i == table->n_slots)
			i = 0;
	}
	return table->slots[i].number;
}

/* log((1 + n_rows) / (1 + n_holding)) + 1, as scikit-learn smooths it */
static inline float
ai_text_idf(int64_t n_rows, uint32_t n_holding)
{
	return (float) (log((1.0 + (double) n_rows) / (1.0 + n_holding)) + 1.0);
}

/*
 * value:[n] = (1 + log count) * idf, and then each kind of n-gram scaled to a
 * length of its own, so that no kind drowns another.  feature:[n] are numbers of features,
 * kind:[n] their kinds, count:[n] their occurrences in the text.
 */
extern void ai_text_values(float *value, const uint32_t *feature, const uint8_t *kind,
						   const uint8_t *count, size_t n, const float *idf);

#endif							/* AI_TEXT_MODEL_H */
