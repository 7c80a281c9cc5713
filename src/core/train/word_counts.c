/*-------------------------------------------------------------------------
 * word_counts.c
 *		Counting words, and choosing those that a network knows.
 *-------------------------------------------------------------------------
 */
#include "core/train/word_counts.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 4096

void
ai_word_counts_init(AiWordCounts *counts, const AiHost *host)
{
	memset(counts, 0, sizeof(*counts));
	ai_buf_init(&counts->items, host);
	ai_buf_init(&counts->slots, host);
}

void
ai_word_counts_free(AiWordCounts *counts)
{
	ai_buf_free(&counts->items);
	ai_buf_free(&counts->slots);
}

static uint32_t *
find_slot(const AiWordCounts *counts, uint64_t hash)
{
	uint32_t   *slots = (uint32_t *) counts->slots.data;
	size_t		slot = (size_t) (hash >> 2) & (counts->n_slots - 1);

	while (slots[slot] != 0 && ai_word_count(counts, slots[slot] - 1)->hash != hash)
		slot = (slot + 1) & (counts->n_slots - 1);
	return &slots[slot];
}

static AiCode
grow(AiWordCounts *counts, AiError *err)
{
	size_t		n_slots = counts->n_slots > 0 ? 2 * counts->n_slots : FIRST_SLOTS;

	if (n_slots > UINT32_MAX / 2)
		return ai_fail(err, AI_ERR_LIMIT, "the texts have too many different words");
	AI_TRY(ai_buf_reserve(&counts->slots, n_slots * sizeof(uint32_t), err));
	memset(counts->slots.data, 0, n_slots * sizeof(uint32_t));
	counts->n_slots = n_slots;
	for (size_t i = 0; i < counts->n; i++)
		*find_slot(counts, ai_word_count(counts, i)->hash) = (uint32_t) i + 1;
	return AI_OK;
}

AiCode
ai_word_counts_add(AiWordCounts *counts, uint32_t *word, uint64_t hash, bool is_counted,
				   AiError *err)
{
	AiWordCount added = {.hash = hash, .number = AI_WORD_UNKNOWN};
	uint32_t   *slot;

	if (2 * counts->n >= counts->n_slots)
		AI_TRY(grow(counts, err));
	slot = find_slot(counts, hash);
	if (*slot == 0)
	{
		AI_TRY(ai_buf_append(&counts->items, &added, sizeof(added), err));
		*slot = (uint32_t) ++counts->n;
	}
	*word = *slot - 1;
	ai_word_count(counts, *word)->n += is_counted;
	return AI_OK;
}

static int
compare_counts(const void *a, const void *b)
{
	const AiWordCount *x = *(const AiWordCount *const *) a;
	const AiWordCount *y = *(const AiWordCount *const *) b;

	if (x->n != y->n)
		return x->n < y->n ? 1 : -1;
	return (x->hash > y->hash) - (x->hash < y->hash);
}

static int
compare_hashes(const void *a, const void *b)
{
	const AiWordCount *x = *(const AiWordCount *const *) a;
	const AiWordCount *y = *(const AiWordCount *const *) b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

AiCode
ai_word_counts_choose(AiWordCounts *counts, AiWords *words, AiArena *arena, uint32_t min_count,
					  size_t max, AiError *err)
{
	AiWordCount **order = ai_arena_alloc(arena, counts->n * sizeof(AiWordCount *) + 1);
	uint64_t   *hash = ai_arena_alloc(arena, counts->n * sizeof(uint64_t) + 1);
	int32_t    *number = ai_arena_alloc(arena, counts->n * sizeof(int32_t) + 1);
	size_t		n = 0;

	if (order == NULL || hash == NULL || number == NULL)
		return ai_out_of_memory(err, counts->n * sizeof(uint64_t), "words");
	for (size_t i = 0; i < counts->n; i++)
	{
		if (ai_word_count(counts, i)->n >= min_count)
			order[n++] = ai_word_count(counts, i);
	}
	qsort(order, n, sizeof(AiWordCount *), compare_counts);
	n = n < max ? n : max;
	for (size_t i = 0; i < n; i++)
		order[i]->number = (int32_t) (AI_WORD_FIRST + i);
	qsort(order, n, sizeof(AiWordCount *), compare_hashes);
	for (size_t i = 0; i < n; i++)
	{
		hash[i] = order[i]->hash;
		number[i] = order[i]->number;
	}
	*words = (AiWords) {hash, number, n};
	return AI_OK;
}

void
ai_word_counts_take(AiWordCounts *counts, const AiWords *words)
{
	for (size_t i = 0; i < counts->n; i++)
		ai_word_count(counts, i)->number = ai_words_find(words, ai_word_count(counts, i)->hash);
}
