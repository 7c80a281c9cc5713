/*-------------------------------------------------------------------------
 * text_counts.h
 *		How often each feature occurs in the text in work.
 *
 * Features are named by number: 1 + their place in the model; 0 is none.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TEXT_COUNTS_H
#define AI_TEXT_COUNTS_H

#include "core/model/text_model.h"

/*
 * Features up to this number, which are the most frequent ones of the model, have
 * a place each, of two bytes; the others are found by hashing.  So what a session
 * needs for a model is bounded, however large the model.
 */
#define AI_TEXT_N_PLACES 500000

typedef struct AiTextCounts AiTextCounts;

/* known is borrowed.  n_places: as above; fewer in the model need fewer */
extern AiCode ai_text_counts_create(AiTextCounts **counts, const AiTextKnown *known,
									size_t n_places, const AiHost *host, AiError *err);
extern void ai_text_counts_destroy(AiTextCounts *counts);

/*
 * Count numbers:[n].  feature:[n + 1] gets those that are new to the text, as places
 * in the model, *n_new of them.
 */
extern AiCode ai_text_counts_add(AiTextCounts *counts, uint32_t *feature, size_t *n_new,
								 const uint32_t *numbers, size_t n, AiError *err);

/*
 * End a text: times:[n], up to 255, and idf_code:[n] of feature:[n], all that were new
 * to it.  occurrences:[n] may be NULL; it holds the times without a limit if n_places
 * is 0.
 */
extern void ai_text_counts_take(AiTextCounts *counts, uint8_t *times, uint8_t *idf_code,
								uint32_t *occurrences, const uint32_t *feature, size_t n);

/* Give a text up. */
extern void ai_text_counts_clear(AiTextCounts *counts);

#endif							/* AI_TEXT_COUNTS_H */
