/*-------------------------------------------------------------------------
 * word_counts.h
 *		The words that the texts of a training hold, and which of them a network knows.
 *-------------------------------------------------------------------------
 */
#ifndef AI_WORD_COUNTS_H
#define AI_WORD_COUNTS_H

#include "core/base/buf.h"
#include "core/model/network_words.h"

typedef struct AiWordCount
{
	uint64_t	hash;
	uint32_t	n;				/* in texts that are learnt from */
	int32_t		number;			/* after choosing; AI_WORD_UNKNOWN */
} AiWordCount;

typedef struct AiWordCounts
{
	AiBuf		items;			/* of AiWordCount, by first arrival */
	AiBuf		slots;			/* of uint32_t, hashed: place in items + 1; 0: free */
	size_t		n;
	size_t		n_slots;		/* a power of two */
} AiWordCounts;

extern void ai_word_counts_init(AiWordCounts *counts, const AiHost *host);
extern void ai_word_counts_free(AiWordCounts *counts);

/* *word is its place by first arrival; it counts if it is learnt from. */
extern AiCode ai_word_counts_add(AiWordCounts *counts, uint32_t *word, uint64_t hash,
								 bool is_counted, AiError *err);

static inline AiWordCount *
ai_word_count(const AiWordCounts *counts, size_t word)
{
	return &((AiWordCount *) counts->items.data)[word];
}

/*
 * The words that occur min_count times or more, the most frequent ones, at most max of them, get
 * their numbers; *words is of the arena.  The host is asked whether to stop.
 */
extern AiCode ai_word_counts_choose(AiWordCounts *counts, AiWords *words, AiArena *arena,
									uint32_t min_count, size_t max, AiError *err);

/* Or those that are known already */
extern AiCode ai_word_counts_take(AiWordCounts *counts, const AiWords *words, AiError *err);

#endif							/* AI_WORD_COUNTS_H */
