/*-------------------------------------------------------------------------
 * text_counts.c
 *		How often each feature occurs in the text in work.
 *
 * Frequent features have a place each.  For the others there is a hash table
 * that grows with the text; an entry of an earlier text is a free one, so that
 * nothing has to be cleared between texts.
 *-------------------------------------------------------------------------
 */
#include "core/model/text_counts.h"

#include <string.h>

#define FIRST_N_ENTRIES ((size_t) 1 << 10)
#define MAX_TIMES UINT8_MAX		/* as in training */

/* Of a feature that has a place; a cache line has what is needed together */
typedef struct Place
{
	uint8_t		times;			/* in the text; 0 between texts */
	uint8_t		idf_code;
} Place;

/* Of a feature that has none */
typedef struct Entry
{
	uint32_t	number;
	uint32_t	text;			/* of which text; an earlier one: the entry is free */
	uint32_t	times;
} Entry;

struct AiTextCounts
{
	const AiHost *host;			/* borrowed */
	const AiTextKnown *known;	/* borrowed */
	size_t		n_places;
	Place	   *places;			/* [1 + n_places] by number; [0] is always full */
	bool		has_entries;	/* there are features without a place */
	Entry	   *entries;		/* [n_entries], a power of two; at most half full */
	size_t		n_entries;
	size_t		n_used;			/* by this text */
	uint32_t	text;			/* the one in work, from 1 */
};

static void
clear_places(AiTextCounts *c)
{
	c->places[0] = (Place) {MAX_TIMES, 0};
	for (size_t i = 1; i <= c->n_places; i++)
		c->places[i] = (Place) {0, c->known->idf.code[i - 1]};
}

/* The entries of all texts so far become free. */
static void
next_text(AiTextCounts *c)
{
	c->n_used = 0;
	if (++c->text == 0)
	{
		memset(c->entries, 0, c->n_entries * sizeof(Entry));
		c->text = 1;
	}
}

static AiCode
alloc_entries(AiTextCounts *c, size_t n_entries, AiError *err)
{
	size_t		size = n_entries * sizeof(Entry);
	Entry	   *entries = ai_host_alloc(c->host, size);

	if (entries == NULL)
		return ai_out_of_memory(err, size, "reading texts");
	memset(entries, 0, size);
	c->entries = entries;
	c->n_entries = n_entries;
	return AI_OK;
}

AiCode
ai_text_counts_create(AiTextCounts **counts, const AiTextKnown *known, size_t n_places,
					  const AiHost *host, AiError *err)
{
	AiTextCounts *c = ai_host_alloc(host, sizeof(AiTextCounts));
	size_t		n_features = (size_t) known->n_features;
	size_t		size;
	AiCode		code = AI_OK;

	if (c == NULL)
		return ai_out_of_memory(err, sizeof(AiTextCounts), "reading texts");
	*c = (AiTextCounts) {
		.host = host, .known = known, .n_places = n_places < n_features ? n_places : n_features,
		.has_entries = n_places < n_features, .text = 1
	};
	size = (c->n_places + 1) * sizeof(Place);
	c->places = ai_host_alloc(host, size);
	if (c->places == NULL)
		code = ai_out_of_memory(err, size, "reading texts");
	if (code == AI_OK && c->has_entries)
		code = alloc_entries(c, FIRST_N_ENTRIES, err);
	if (code != AI_OK)
	{
		ai_text_counts_destroy(c);
		return code;
	}
	clear_places(c);
	*counts = c;
	return AI_OK;
}

void
ai_text_counts_destroy(AiTextCounts *c)
{
	if (c == NULL)
		return;
	ai_host_release(c->host, c->places);
	ai_host_release(c->host, c->entries);
	ai_host_release(c->host, c);
}

/* The entry of this number, or the free one where it belongs */
static inline Entry *
find_entry(const AiTextCounts *c, uint32_t number)
{
	size_t		mask = c->n_entries - 1;
	size_t		i = (number * UINT64_C(0x9E3779B97F4A7C15)) >> 32;	/* 2^64 over the golden ratio */

	for (i &= mask; c->entries[i].text == c->text; i = (i + 1) & mask)
	{
		if (c->entries[i].number == number)
			break;
	}
	return &c->entries[i];
}

/* Room for so many more numbers of this text */
static AiCode
reserve_entries(AiTextCounts *c, size_t n_more, AiError *err)
{
	size_t		n_entries = c->n_entries;
	Entry	   *old = c->entries;
	size_t		n_old = c->n_entries;

	while ((c->n_used + n_more) * 2 > n_entries)
		n_entries *= 2;
	if (n_entries == n_old)
		return AI_OK;
	AI_TRY(alloc_entries(c, n_entries, err));
	for (size_t i = 0; i < n_old; i++)
	{
		if (old[i].text == c->text)
			*find_entry(c, old[i].number) = old[i];
	}
	ai_host_release(c->host, old);
	return AI_OK;
}

/* Without a branch, which would be guessed wrong too often: number 0 has always been seen. */
static size_t
count_places(AiTextCounts *c, uint32_t *restrict feature, const uint32_t *numbers, size_t n)
{
	Place	   *restrict places = c->places;
	size_t		n_new = 0;

	for (size_t i = 0; i < n; i++)
	{
		Place	   *place = &places[numbers[i]];
		unsigned	times = place->times;

		place->times = (uint8_t) (times + (times < MAX_TIMES));
		feature[n_new] = numbers[i] - 1;
		n_new += times == 0;
	}
	return n_new;
}

static size_t
count_places_and_entries(AiTextCounts *c, uint32_t *feature, const uint32_t *numbers, size_t n)
{
	size_t		n_new = 0;

	for (size_t i = 0; i < n; i++)
	{
		if (numbers[i] <= c->n_places)
			n_new += count_places(c, feature + n_new, numbers + i, 1);
		else
		{
			Entry	   *entry = find_entry(c, numbers[i]);

			if (entry->text == c->text)
				entry->times++;
			else
			{
				*entry = (Entry) {numbers[i], c->text, 1};
				feature[n_new++] = numbers[i] - 1;
				c->n_used++;
			}
		}
	}
	return n_new;
}

AiCode
ai_text_counts_add(AiTextCounts *c, uint32_t *feature, size_t *n_new, const uint32_t *numbers,
				   size_t n, AiError *err)
{
	if (!c->has_entries)
		*n_new = count_places(c, feature, numbers, n);
	else
	{
		AI_TRY(reserve_entries(c, n, err));
		*n_new = count_places_and_entries(c, feature, numbers, n);
	}
	return AI_OK;
}

void
ai_text_counts_take(AiTextCounts *c, uint8_t *restrict times, uint8_t *restrict idf_code,
					uint32_t *restrict occurrences, const uint32_t *feature, size_t n)
{
	const float *weight = c->known->weight;
	size_t		width = c->known->width;

	for (size_t i = 0; i < n; i++)
	{
		__builtin_prefetch(&weight[feature[i] * width]);
		if (feature[i] < c->n_places)
		{
			Place	   *place = &c->places[feature[i] + 1];

			times[i] = place->times;
			idf_code[i] = place->idf_code;
			place->times = 0;
		}
		else
		{
			uint32_t	all = find_entry(c, feature[i] + 1)->times;

			times[i] = (uint8_t) (all < MAX_TIMES ? all : MAX_TIMES);
			idf_code[i] = c->known->idf.code[feature[i]];
			if (occurrences != NULL)
				occurrences[i] = all;
		}
	}
	next_text(c);
}

void
ai_text_counts_clear(AiTextCounts *c)
{
	clear_places(c);
	next_text(c);
}
