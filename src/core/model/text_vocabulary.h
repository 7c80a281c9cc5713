/*-------------------------------------------------------------------------
 * text_vocabulary.h
 *		The n-grams that the training rows hold, and how many rows hold each.
 *
 * While rows come in, an n-gram gets the next provisional number; at the end
 * those that are kept are numbered anew, by falling number of rows and then by
 * hash.  So the numbers depend on the set of rows only, and the weights that
 * are used most lie together.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TEXT_VOCABULARY_H
#define AI_TEXT_VOCABULARY_H

#include "core/base/arena.h"

typedef struct VocabularySlot
{
	uint64_t	hash;
	uint32_t	number;			/* provisional, from 1; 0: the slot is free */
	uint32_t	n_rows;
} VocabularySlot;

typedef struct AiVocabulary
{
	AiArena    *arena;			/* borrowed */
	VocabularySlot *slots;		/* [n_slots] */
	size_t		n_slots;		/* a power of two */
	uint32_t	n;				/* provisional numbers given out */
} AiVocabulary;

extern AiCode ai_vocabulary_init(AiVocabulary *vocabulary, AiArena *arena, AiError *err);

/*
 * number:[n], the provisional numbers of hash:[n], from 0; all of one row, so no
 * hash twice.  The row counts if counts is set, else it only looks on.
 */
extern AiCode ai_vocabulary_add_row(AiVocabulary *vocabulary, uint32_t *number,
									const uint64_t *hash, size_t n, bool counts,
									AiError *err);

/* What is kept, in the final order */
typedef struct AiVocabularyOrder
{
	uint32_t	n_features;
	uint64_t   *hash;			/* [n_features] */
	uint32_t   *n_rows;			/* [n_features] */
	uint32_t   *feature;		/* [vocabulary.n] final number, or AI_NO_FEATURE */
	bool		is_complete;	/* all that min_count lets pass are kept */
} AiVocabularyOrder;

#define AI_NO_FEATURE UINT32_MAX

/*
 * What one row holds and no other says little, but in small sets it is most of
 * what there is: so the least number of rows, 1 to 4, by which no more than
 * AI_VOCABULARY_PLENTY n-grams are kept, or 4, or by which any are kept.
 */
#define AI_VOCABULARY_PLENTY 400000

extern AiCode ai_vocabulary_min_count(const AiVocabulary *vocabulary, uint32_t *min_count,
									  AiError *err);

/* Keep what at least min_count rows hold, at most max_features of them. */
extern AiCode ai_vocabulary_order(AiVocabularyOrder *order, const AiVocabulary *vocabulary,
								  uint32_t min_count, int64_t max_features, AiError *err);

#endif							/* AI_TEXT_VOCABULARY_H */
