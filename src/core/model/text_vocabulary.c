/*-------------------------------------------------------------------------
 * text_vocabulary.c
 *		The n-grams that the training rows hold, and how many rows hold each.
 *-------------------------------------------------------------------------
 */
#include "core/model/text_vocabulary.h"

#include <string.h>

#define N_PARTS AI_VOCABULARY_N_PARTS
#define FIRST_N_SLOTS ((size_t) 1 << 11)	/* of each part */
#define ITEMS_PER_QUESTION ((size_t) 1 << 16)	/* whether to stop: about a millisecond */
#define PREFETCH_AHEAD 12		/* look-ups in flight: about one memory latency */
#define HIGHEST_AUTO 4			/* min_count */

AiCode
ai_vocabulary_init(AiVocabulary *vocabulary, AiArena *arena, AiPool *pool, AiError *err)
{
	*vocabulary = (AiVocabulary) {.arena = arena, .pool = pool};
	for (int p = 0; p < N_PARTS; p++)
	{
		AiVocabularyPart *part = &vocabulary->parts[p];

		part->n_slots = FIRST_N_SLOTS;
		part->slots = ai_arena_alloc_zero(arena, FIRST_N_SLOTS, sizeof(AiVocabularySlot));
		if (part->slots == NULL)
			return ai_out_of_memory(err, FIRST_N_SLOTS * sizeof(AiVocabularySlot), "n-grams");
	}
	return AI_OK;
}

/* Asked by a thread at step i of a loop over n-grams, of which there may be millions */
static inline bool
should_stop(const AiVocabulary *vocabulary, size_t i, int thread)
{
	return i % ITEMS_PER_QUESTION == 0 && ai_pool_should_stop(vocabulary->pool, thread);
}

/* The same outside of tasks */
static inline AiCode
check_stop(const AiVocabulary *vocabulary, size_t i, AiError *err)
{
	if (i % ITEMS_PER_QUESTION == 0 && ai_host_should_stop(vocabulary->arena->host))
		return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
	return AI_OK;
}

/* The n-gram's slot, or the free one where it belongs */
static inline AiVocabularySlot *
find_slot(const AiVocabularyPart *part, uint64_t hash)
{
	size_t		mask = part->n_slots - 1;
	size_t		i = (hash >> 2) & mask;

	while (part->slots[i].number != 0 && part->slots[i].hash != hash)
		i = (i + 1) & mask;
	return &part->slots[i];
}

/* At least a third of the slots stay free.  What was in them is moved by a thread. */
AiCode
ai_vocabulary_make_room(AiVocabulary *vocabulary, const size_t n_more[N_PARTS], AiError *err)
{
	for (int p = 0; p < N_PARTS; p++)
	{
		AiVocabularyPart *part = &vocabulary->parts[p];
		size_t		n_slots = part->n_slots;
		AiVocabularySlot *slots;

		ai_arena_release(vocabulary->arena, part->old);
		part->old = NULL;
		while ((part->n + n_more[p]) * 3 > n_slots * 2)
			n_slots *= 2;
		if (n_slots == part->n_slots)
			continue;
		slots = ai_arena_alloc(vocabulary->arena, n_slots * sizeof(AiVocabularySlot));
		if (slots == NULL)
			return ai_out_of_memory(err, n_slots * sizeof(AiVocabularySlot), "n-grams");
		part->old = part->slots;
		part->n_old = part->n_slots;
		part->slots = slots;
		part->n_slots = n_slots;
	}
	return AI_OK;
}

/* False when told to stop */
static bool
move_old(const AiVocabulary *vocabulary, AiVocabularyPart *part, int thread)
{
	memset(part->slots, 0, part->n_slots * sizeof(AiVocabularySlot));
	for (size_t i = 0; i < part->n_old; i++)
	{
		if (should_stop(vocabulary, i, thread))
			return false;
		if (part->old[i].number != 0)
			*find_slot(part, part->old[i].hash) = part->old[i];
	}
	part->n_old = 0;
	return true;
}

void
ai_vocabulary_add(AiVocabulary *vocabulary, int p, int thread, uint32_t *number,
				  const uint64_t *hash, const uint32_t *places, size_t n)
{
	AiVocabularyPart *part = &vocabulary->parts[p];
	size_t		mask = part->n_slots - 1;

	if (part->n_old > 0 && !move_old(vocabulary, part, thread))
		return;
	for (size_t i = 0; i < n; i++)
	{
		uint64_t	this = hash[places[i] / 2];
		AiVocabularySlot *slot;

		if (should_stop(vocabulary, i, thread))
			return;
		if (i + PREFETCH_AHEAD < n)
			__builtin_prefetch(&part->slots[(hash[places[i + PREFETCH_AHEAD] / 2] >> 2) & mask], 1);
		slot = find_slot(part, this);
		if (slot->number == 0)
			*slot = (AiVocabularySlot) {.hash = this, .number = ++part->n};
		slot->n_rows += places[i] % 2;
		number[i] = (slot->number - 1) * N_PARTS + (uint32_t) p;
	}
}

/*
 * Ordering
 */
typedef struct Ordering
{
	const AiVocabulary *vocabulary;
	uint32_t	min_count;
	uint32_t	n_of[N_PARTS][HIGHEST_AUTO];	/* n-grams by number of rows, if that is small */
	uint32_t	n_kept[N_PARTS];	/* n-grams of min_count rows and more */
	AiVocabularySlot *sorted[N_PARTS];	/* [n_kept] by falling number of rows, then by hash */
	AiVocabularySlot *spare[N_PARTS];	/* [n_kept] */
} Ordering;

/* Task: how many n-grams of a part as many rows hold. */
static void
count_part(void *arg, int64_t p, int thread)
{
	Ordering   *o = arg;
	const AiVocabularyPart *part = &o->vocabulary->parts[p];

	for (size_t i = 0; i < part->n_slots; i++)
	{
		const AiVocabularySlot *slot = &part->slots[i];

		if (should_stop(o->vocabulary, i, thread))
			return;
		if (slot->number == 0)
			continue;
		o->n_kept[p] += slot->n_rows >= o->min_count;
		if (slot->n_rows < HIGHEST_AUTO)
			o->n_of[p][slot->n_rows]++;
	}
}

/* See ai_vocabulary_order() on min_count 0. */
static void
choose_min_count(Ordering *o)
{
	uint64_t	n_kept = 0;
	uint64_t	n_leaving;

	for (int p = 0; p < N_PARTS; p++)
		n_kept += o->n_kept[p];
	for (;;)
	{
		n_leaving = 0;
		for (int p = 0; p < N_PARTS; p++)
			n_leaving += o->n_of[p][o->min_count];
		if (n_kept <= AI_VOCABULARY_PLENTY || n_kept == n_leaving)
			return;
		n_kept -= n_leaving;
		for (int p = 0; p < N_PARTS; p++)
			o->n_kept[p] -= o->n_of[p][o->min_count];
		if (++o->min_count == HIGHEST_AUTO)
			return;
	}
}

/* The digit of a pass of the sort: 32 bits of the hash, then falling number of rows */
static inline unsigned
digit(const AiVocabularySlot *item, int pass)
{
	return pass < 4 ? (item->hash >> (28 + 8 * pass)) & 255
		: 255 - ((item->n_rows >> (8 * (pass - 4))) & 255);
}

/* Hashes that agree in those 32 bits stand side by side. */
static void
sort_equals(AiVocabularySlot *items, size_t n)
{
	for (size_t i = 1; i < n; i++)
	{
		AiVocabularySlot item = items[i];
		size_t		j = i;

		for (; j > 0 && items[j - 1].hash > item.hash; j--)
			items[j] = items[j - 1];
		items[j] = item;
	}
}

/* Task: take what is kept of a part, and sort it digit by digit. */
static void
sort_part(void *arg, int64_t p, int thread)
{
	Ordering   *o = arg;
	const AiVocabularyPart *part = &o->vocabulary->parts[p];
	AiVocabularySlot *items = o->sorted[p];
	AiVocabularySlot *spare = o->spare[p];
	uint32_t	max_rows = 0;
	size_t		n = 0;

	for (size_t i = 0; i < part->n_slots; i++)
	{
		const AiVocabularySlot *slot = &part->slots[i];

		if (should_stop(o->vocabulary, i, thread))
			return;
		if (slot->number == 0 || slot->n_rows < o->min_count)
			continue;
		max_rows = slot->n_rows > max_rows ? slot->n_rows : max_rows;
		items[n++] = *slot;
	}
	for (int pass = 0; pass < 4 || (pass < 8 && max_rows >> (8 * (pass - 4)) != 0); pass++)
	{
		size_t		place[257] = {0};
		AiVocabularySlot *swap = items;

		for (size_t i = 0; i < n; i++)
			place[digit(&items[i], pass) + 1]++;
		for (int d = 0; d < 256; d++)
			place[d + 1] += place[d];
		for (size_t i = 0; i < n; i++)
		{
			if (should_stop(o->vocabulary, i, thread))
				return;
			spare[place[digit(&items[i], pass)]++] = items[i];
		}
		items = spare;
		spare = swap;
		if (pass == 3)
			sort_equals(items, n);
	}
	o->sorted[p] = items;
	o->spare[p] = spare;
}

static void *
alloc_large(AiArena *arena, size_t n, size_t item_size)
{
	size_t		size = n * item_size;

	return ai_arena_alloc(arena, size > AI_ARENA_LARGE ? size : AI_ARENA_LARGE);
}

static AiCode
sort_parts(Ordering *o, AiError *err)
{
	const AiVocabulary *vocabulary = o->vocabulary;

	for (int p = 0; p < N_PARTS; p++)
	{
		o->sorted[p] = alloc_large(vocabulary->arena, o->n_kept[p], sizeof(AiVocabularySlot));
		o->spare[p] = alloc_large(vocabulary->arena, o->n_kept[p], sizeof(AiVocabularySlot));
		if (o->sorted[p] == NULL || o->spare[p] == NULL)
			return ai_out_of_memory(err, o->n_kept[p] * sizeof(AiVocabularySlot),
									"the order of n-grams");
	}
	return ai_pool_run(vocabulary->pool, sort_part, o, N_PARTS, err);
}

/* How far in part p those go, from next, that n_rows rows hold */
static AiCode
end_of_equals(size_t *end, const Ordering *o, int p, size_t next, uint32_t n_rows, AiError *err)
{
	while (next < o->n_kept[p] && o->sorted[p][next].n_rows == n_rows)
	{
		AI_TRY(check_stop(o->vocabulary, next, err));
		next++;
	}
	*end = next;
	return AI_OK;
}

/*
 * The parts are ranges of hashes, so of n-grams that as many rows hold those of part
 * 0 come first, then those of part 1, and so on.  If there is no room for all of them,
 * as many are left out of every range: the model's table needs hashes that are spread.
 */
static AiCode
merge_parts(AiVocabularyOrder *order, const Ordering *o, AiError *err)
{
	size_t		next[N_PARTS] = {0};
	uint32_t	n = 0;

	while (n < order->n_features)
	{
		size_t		end[N_PARTS];
		uint32_t	n_rows = 0;
		uint64_t	n_equal = 0;
		uint64_t	n_room = order->n_features - n;
		uint64_t	i = 0;

		for (int p = 0; p < N_PARTS; p++)
		{
			if (next[p] < o->n_kept[p] && o->sorted[p][next[p]].n_rows > n_rows)
				n_rows = o->sorted[p][next[p]].n_rows;
		}
		for (int p = 0; p < N_PARTS; p++)
		{
			AI_TRY(end_of_equals(&end[p], o, p, next[p], n_rows, err));
			n_equal += end[p] - next[p];
		}
		n_room = n_room < n_equal ? n_room : n_equal;
		for (int p = 0; p < N_PARTS; p++)
		{
			for (; next[p] < end[p]; next[p]++, i++)
			{
				const AiVocabularySlot *slot = &o->sorted[p][next[p]];

				AI_TRY(check_stop(o->vocabulary, i, err));
				if ((i + 1) * n_room / n_equal == i * n_room / n_equal)
					continue;
				order->hash[n] = slot->hash;
				order->n_rows[n] = n_rows;
				order->feature[(slot->number - 1) * N_PARTS + (uint32_t) p] = n;
				n++;
			}
		}
	}
	return AI_OK;
}

AiCode
ai_vocabulary_order(AiVocabularyOrder *order, const AiVocabulary *vocabulary,
					uint32_t min_count, int64_t max_features, AiError *err)
{
	AiArena    *arena = vocabulary->arena;
	Ordering	o = {.vocabulary = vocabulary, .min_count = min_count > 0 ? min_count : 1};
	size_t		n_kept = 0;
	size_t		n_numbers = 0;

	AI_TRY(ai_pool_run(vocabulary->pool, count_part, &o, N_PARTS, err));
	if (min_count == 0)
		choose_min_count(&o);
	for (int p = 0; p < N_PARTS; p++)
	{
		n_kept += o.n_kept[p];
		if ((size_t) vocabulary->parts[p].n * N_PARTS > n_numbers)
			n_numbers = (size_t) vocabulary->parts[p].n * N_PARTS;
	}
	order->min_count = o.min_count;
	order->is_complete = (int64_t) n_kept <= max_features;
	order->n_features = order->is_complete ? (uint32_t) n_kept : (uint32_t) max_features;
	order->hash = ai_arena_alloc(arena, (n_kept + 1) * sizeof(uint64_t));
	order->n_rows = ai_arena_alloc(arena, (n_kept + 1) * sizeof(uint32_t));
	order->feature = ai_arena_alloc(arena, (n_numbers + 1) * sizeof(uint32_t));
	if (order->hash == NULL || order->n_rows == NULL || order->feature == NULL)
		return ai_out_of_memory(err, n_numbers * sizeof(uint32_t), "the order of n-grams");
	memset(order->feature, 0xFF, n_numbers * sizeof(uint32_t));

	AI_TRY(sort_parts(&o, err));
	AI_TRY(merge_parts(order, &o, err));
	for (int p = 0; p < N_PARTS; p++)
	{
		ai_arena_release(arena, o.sorted[p]);
		ai_arena_release(arena, o.spare[p]);
	}
	return AI_OK;
}
