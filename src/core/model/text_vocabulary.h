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
#include "core/base/pool.h"

/* Parts by hash, each filled by one thread at a time */
#define AI_VOCABULARY_N_PARTS 16

static inline int
ai_vocabulary_part(uint64_t hash)
{
	return (int) (hash >> 60);
}

typedef struct AiVocabularySlot
{
	uint64_t	hash;
	uint32_t	number;			/* provisional, from 1; 0: the slot is free */
	uint32_t	n_rows;
} AiVocabularySlot;

typedef struct AiVocabularyPart
{
	AiVocabularySlot *slots;	/* [n_slots] */
	size_t		n_slots;		/* a power of two */
	uint32_t	n;				/* n-grams */
	AiVocabularySlot *old;		/* [n_old] not moved to slots yet; mostly NULL */
	size_t		n_old;
} AiVocabularyPart;

typedef struct AiVocabulary
{
	AiArena    *arena;			/* borrowed */
	AiPool	   *pool;			/* borrowed */
	AiVocabularyPart parts[AI_VOCABULARY_N_PARTS];
} AiVocabulary;

extern AiCode ai_vocabulary_init(AiVocabulary *vocabulary, AiArena *arena, AiPool *pool,
								 AiError *err);

/* Make room for so many more n-grams in each part, before a round of adding. */
extern AiCode ai_vocabulary_make_room(AiVocabulary *vocabulary,
									  const size_t n_more[AI_VOCABULARY_N_PARTS], AiError *err);

/*
 * number:[n], the provisional numbers, from 0, of the n-grams hash[places[i] / 2], all
 * of this part; n-grams of one row, where none occurs twice, whose row counts if
 * places[i] is odd.  Parts may be filled by several threads at once.  Returns early
 * when the pool stops.
 */
extern void ai_vocabulary_add(AiVocabulary *vocabulary, int part, int thread,
							  uint32_t *number, const uint64_t *hash, const uint32_t *places,
							  size_t n);

typedef struct AiVocabularyOrder
{
	uint32_t	min_count;		/* as given or as chosen */
	uint32_t	n_features;
	uint64_t   *hash;			/* [n_features] */
	uint32_t   *n_rows;			/* [n_features] */
	uint32_t   *feature;		/* by provisional number: the final one, or AI_NO_FEATURE */
	bool		is_complete;	/* all that min_count lets pass are kept */
} AiVocabularyOrder;

#define AI_NO_FEATURE UINT32_MAX

/*
 * Keep what at least min_count rows hold, at most max_features of them.
 *
 * What one row holds and no other says little, but in small sets it is most of
 * what there is: so min_count 0 means the least number of rows, 1 to 4, by which no
 * more than AI_VOCABULARY_PLENTY n-grams are kept, or 4, or by which any are kept.
 */
#define AI_VOCABULARY_PLENTY 400000

extern AiCode ai_vocabulary_order(AiVocabularyOrder *order, const AiVocabulary *vocabulary,
								  uint32_t min_count, int64_t max_features, AiError *err);

#endif							/* AI_TEXT_VOCABULARY_H */
