/*-------------------------------------------------------------------------
 * word_counts.c
 *		Counting words, and choosing those that a network knows.
 *-------------------------------------------------------------------------
 */
#include "core/train/word_counts.h"

#include <string.h>

#include "core/base/sort.h"

#define FIRST_SLOTS 4096
#define WORDS_PER_QUESTION 65536	/* whether to stop */
#define COUNT_MASK ((uint64_t) UINT32_MAX << 32)	/* of a tag; below it is the word */

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
check_stop(const AiWordCounts *counts, size_t i, AiError *err)
{
	if (i % WORDS_PER_QUESTION == 0 && ai_host_should_stop(counts->items.host))
		return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
	return AI_OK;
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
	{
		AI_TRY(check_stop(counts, i, err));
		*find_slot(counts, ai_word_count(counts, i)->hash) = (uint32_t) i + 1;
	}
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

/* The most frequent ones first */
static AiCode
order_words(const AiWordCounts *counts, AiSortItem *items, size_t n_items, uint32_t min_count,
			AiError *err)
{
	size_t		n = 0;

	for (size_t i = 0; n < n_items; i++)
	{
		const AiWordCount *word = ai_word_count(counts, i);

		if (word->n >= min_count)
			items[n++] = (AiSortItem) {word->hash, (uint64_t) (UINT32_MAX - word->n) << 32 | i};
	}
	return ai_sort(items, n, COUNT_MASK, counts->items.host, err);
}

/* The first n items get their numbers, and then rise by their hashes. */
static AiCode
number_words(AiWordCounts *counts, AiSortItem *items, size_t n, AiError *err)
{
	for (size_t i = 0; i < n; i++)
	{
		AI_TRY(check_stop(counts, i, err));
		ai_word_count(counts, (uint32_t) items[i].tag)->number = (int32_t) (AI_WORD_FIRST + i);
		items[i].tag = AI_WORD_FIRST + i;
	}
	return ai_sort(items, n, 0, counts->items.host, err);
}

static AiCode
list_words(AiWords *words, const AiSortItem *items, size_t n, AiArena *arena, AiError *err)
{
	uint64_t   *hash = ai_arena_alloc(arena, n * sizeof(uint64_t) + 1);
	int32_t    *number = ai_arena_alloc(arena, n * sizeof(int32_t) + 1);

	if (hash == NULL || number == NULL)
		return ai_out_of_memory(err, n * sizeof(uint64_t), "words");
	for (size_t i = 0; i < n; i++)
	{
		hash[i] = items[i].hash;
		number[i] = (int32_t) items[i].tag;
	}
	*words = (AiWords) {hash, number, n};
	return AI_OK;
}

static size_t
n_at_least(const AiWordCounts *counts, uint32_t min_count)
{
	size_t		n = 0;

	for (size_t i = 0; i < counts->n; i++)
		n += ai_word_count(counts, i)->n >= min_count;
	return n;
}

AiCode
ai_word_counts_choose(AiWordCounts *counts, AiWords *words, AiArena *arena, uint32_t min_count,
					  size_t max, AiError *err)
{
	const AiHost *host = counts->items.host;
	size_t		n = n_at_least(counts, min_count);
	AiSortItem *items = ai_host_alloc(host, n * sizeof(AiSortItem) + 1);
	AiCode		code;

	if (items == NULL)
		return ai_out_of_memory(err, n * sizeof(AiSortItem), "words");
	code = order_words(counts, items, n, min_count, err);
	n = n < max ? n : max;
	if (code == AI_OK)
		code = number_words(counts, items, n, err);
	if (code == AI_OK)
		code = list_words(words, items, n, arena, err);
	ai_host_release(host, items);
	return code;
}

AiCode
ai_word_counts_take(AiWordCounts *counts, const AiWords *words, AiError *err)
{
	for (size_t i = 0; i < counts->n; i++)
	{
		AiWordCount *word = ai_word_count(counts, i);

		AI_TRY(check_stop(counts, i, err));
		word->number = ai_words_find(words, word->hash);
	}
	return AI_OK;
}
