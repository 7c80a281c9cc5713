/*-------------------------------------------------------------------------
 * text_vocabulary.c
 *		The n-grams that the training rows hold, and how many rows hold each.
 *-------------------------------------------------------------------------
 */
#include "core/model/text_vocabulary.h"

#include <string.h>

#define FIRST_N_SLOTS ((size_t) 1 << 14)
#define ITEMS_PER_QUESTION ((size_t) 1 << 18)	/* whether to stop: some milliseconds */
#define PREFETCH_AHEAD 12		/* look-ups in flight: about one memory latency */

AiCode
ai_vocabulary_init(AiVocabulary *vocabulary, AiArena *arena, AiError *err)
{
	*vocabulary = (AiVocabulary) {.arena = arena, .n_slots = FIRST_N_SLOTS};
	vocabulary->slots = ai_arena_alloc_zero(arena, FIRST_N_SLOTS, sizeof(VocabularySlot));
	if (vocabulary->slots == NULL)
		return ai_out_of_memory(err, FIRST_N_SLOTS * sizeof(VocabularySlot), "n-grams");
	return AI_OK;
}

/* Asked at step i of a loop over n-grams, of which there may be tens of millions */
static inline bool
should_stop(const AiVocabulary *vocabulary, size_t i)
{
	return i % ITEMS_PER_QUESTION == 0 && ai_host_should_stop(vocabulary->arena->host);
}

/* The n-gram's slot, or the free one where it belongs */
static inline VocabularySlot *
find_slot(const AiVocabulary *vocabulary, uint64_t hash)
{
	size_t		mask = vocabulary->n_slots - 1;
	size_t		i = (hash >> 2) & mask;

	while (vocabulary->slots[i].number != 0 && vocabulary->slots[i].hash != hash)
		i = (i + 1) & mask;
	return &vocabulary->slots[i];
}

/* Room for n more, with at least a third of the slots free */
static AiCode
make_room(AiVocabulary *vocabulary, size_t n, AiError *err)
{
	VocabularySlot *old = vocabulary->slots;
	size_t		n_old = vocabulary->n_slots;
	size_t		n_slots = n_old;

	while ((vocabulary->n + n) * 3 > n_slots * 2)
		n_slots *= 2;
	if (n_slots == n_old)
		return AI_OK;

	vocabulary->slots = ai_arena_alloc_zero(vocabulary->arena, n_slots,
											sizeof(VocabularySlot));
	if (vocabulary->slots == NULL)
	{
		vocabulary->slots = old;
		return ai_out_of_memory(err, n_slots * sizeof(VocabularySlot), "n-grams");
	}
	vocabulary->n_slots = n_slots;
	for (size_t i = 0; i < n_old; i++)
	{
		if (should_stop(vocabulary, i))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		if (old[i].number != 0)
			*find_slot(vocabulary, old[i].hash) = old[i];
	}
	ai_arena_release(vocabulary->arena, old);
	return AI_OK;
}

AiCode
ai_vocabulary_add_row(AiVocabulary *vocabulary, uint32_t *number, const uint64_t *hash,
					  size_t n, bool counts, AiError *err)
{
	AI_TRY(make_room(vocabulary, n, err));
	for (size_t i = 0; i < n; i++)
	{
		VocabularySlot *slot;

		if (i + PREFETCH_AHEAD < n)
			__builtin_prefetch(&vocabulary->slots[(hash[i + PREFETCH_AHEAD] >> 2) &
												  (vocabulary->n_slots - 1)], 1);
		slot = find_slot(vocabulary, hash[i]);
		if (slot->number == 0)
			*slot = (VocabularySlot) {.hash = hash[i], .number = ++vocabulary->n};
		slot->n_rows += counts;
		number[i] = slot->number - 1;
	}
	return AI_OK;
}

AiCode
ai_vocabulary_min_count(const AiVocabulary *vocabulary, uint32_t *min_count, AiError *err)
{
	enum
	{
		HIGHEST = 4
	};
	size_t		n_of[HIGHEST] = {0};	/* n-grams by number of rows */
	size_t		n_kept = vocabulary->n;

	for (size_t i = 0; i < vocabulary->n_slots; i++)
	{
		const VocabularySlot *slot = &vocabulary->slots[i];

		if (should_stop(vocabulary, i))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		if (slot->number != 0 && slot->n_rows < HIGHEST)
			n_of[slot->n_rows]++;
	}
	n_kept -= n_of[0];
	*min_count = 1;
	while (*min_count < HIGHEST && n_kept > AI_VOCABULARY_PLENTY && n_kept > n_of[*min_count])
		n_kept -= n_of[(*min_count)++];
	return AI_OK;
}

/*
 * Sort items stably by the bytes [first, last) of their 64-bit hash or, where
 * by_rows is set, of their number of rows, largest first.  The result is in
 * items or in spare, as returned; NULL when told to stop.
 */
static VocabularySlot *
radix_sort(VocabularySlot *items, VocabularySlot *spare, size_t n, bool by_rows, int n_bytes,
		   const AiVocabulary *vocabulary)
{
	for (int byte = 0; byte < n_bytes; byte++)
	{
		size_t		place[257] = {0};
		VocabularySlot *swap = items;

#define DIGIT(item) (by_rows ? 255 - (((item).n_rows >> (8 * byte)) & 255) \
					 : ((item).hash >> (8 * byte)) & 255)
		for (size_t i = 0; i < n; i++)
			place[DIGIT(items[i]) + 1]++;
		for (int d = 0; d < 256; d++)
			place[d + 1] += place[d];
		for (size_t i = 0; i < n; i++)
		{
			if (should_stop(vocabulary, i))
				return NULL;
			spare[place[DIGIT(items[i])]++] = items[i];
		}
#undef DIGIT
		items = spare;
		spare = swap;
	}
	return items;
}

AiCode
ai_vocabulary_order(AiVocabularyOrder *order, const AiVocabulary *vocabulary,
					uint32_t min_count, int64_t max_features, AiError *err)
{
	AiArena    *arena = vocabulary->arena;
	size_t		bytes = ((size_t) vocabulary->n + 1) * sizeof(VocabularySlot);
	VocabularySlot *a = ai_arena_alloc(arena, bytes > AI_ARENA_LARGE ? bytes : AI_ARENA_LARGE);
	VocabularySlot *b = ai_arena_alloc(arena, bytes > AI_ARENA_LARGE ? bytes : AI_ARENA_LARGE);
	VocabularySlot *sorted;
	size_t		n = 0;
	int			n_row_bytes = 1;

	order->feature = ai_arena_alloc(arena, ((size_t) vocabulary->n + 1) * sizeof(uint32_t));
	if (a == NULL || b == NULL || order->feature == NULL)
		return ai_out_of_memory(err, 2 * bytes, "the order of n-grams");

	memset(order->feature, 0xFF, (size_t) vocabulary->n * sizeof(uint32_t));
	for (size_t i = 0; i < vocabulary->n_slots; i++)
	{
		const VocabularySlot *slot = &vocabulary->slots[i];

		if (should_stop(vocabulary, i))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		if (slot->number == 0 || slot->n_rows < min_count)
			continue;
		while (n_row_bytes < 4 && slot->n_rows >> (8 * n_row_bytes) != 0)
			n_row_bytes++;
		a[n++] = *slot;
	}
	sorted = radix_sort(a, b, n, false, 8, vocabulary);
	if (sorted != NULL)
		sorted = radix_sort(sorted, sorted == a ? b : a, n, true, n_row_bytes, vocabulary);
	if (sorted == NULL)
		return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
	order->is_complete = (int64_t) n <= max_features;
	if (!order->is_complete)
		n = (size_t) max_features;

	order->n_features = (uint32_t) n;
	order->hash = ai_arena_alloc(arena, (n + 1) * sizeof(uint64_t));
	order->n_rows = ai_arena_alloc(arena, (n + 1) * sizeof(uint32_t));
	if (order->hash == NULL || order->n_rows == NULL)
		return ai_out_of_memory(err, n * sizeof(uint64_t), "the order of n-grams");
	for (size_t i = 0; i < n; i++)
	{
		if (should_stop(vocabulary, i))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		order->hash[i] = sorted[i].hash;
		order->n_rows[i] = sorted[i].n_rows;
		order->feature[sorted[i].number - 1] = (uint32_t) i;
	}
	ai_arena_release(arena, a);
	ai_arena_release(arena, b);
	return AI_OK;
}
