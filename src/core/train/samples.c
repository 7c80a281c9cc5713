/*-------------------------------------------------------------------------
 * samples.c
 *		Records in memory or in a file, and their order.
 *-------------------------------------------------------------------------
 */
#include "core/train/samples.h"

#include <stdlib.h>
#include <string.h>

#include "core/train/spill.h"

#define CHUNK_SIZE ((size_t) 1 << 20)
#define ITEMS_PER_QUESTION 4096 /* whether to stop */

/* While rows come in; the order needs no more of them than place afterwards */
typedef struct Entry
{
	uint64_t	hash;
	uint64_t	place;			/* number of the record, as it came, and is_validation above it */
} Entry;

#define VALIDATION ((uint64_t) 1 << 63)

/* Of entries that are sorted together, between two questions whether to stop */
#define GROUP_BITS 10
#define N_GROUPS (2 << GROUP_BITS)

struct AiSamples
{
	AiArena		arena;
	size_t		record_size;
	size_t		max_memory;

	/* Records: in chunks, or all in the file behind the first n_in_memory */
	AiBuf		chunks;			/* of uint8_t * */
	size_t		per_chunk;
	uint64_t	n_in_memory;
	AiSpillFile file;
	bool		is_spilling;

	AiBuf		entries;		/* of Entry */
	int64_t		n_train;
	int64_t		n_validation;
	bool		is_finished;
};

static inline Entry *
entries_of(const AiSamples *samples)
{
	return (Entry *) samples->entries.data;
}

static inline uint8_t *
record_in_memory(const AiSamples *samples, uint64_t number)
{
	uint8_t   **chunks = (uint8_t **) samples->chunks.data;

	return chunks[number / samples->per_chunk] +
		number % samples->per_chunk * samples->record_size;
}

AiCode
ai_samples_create(AiSamples **result, const AiHost *host, size_t record_size, size_t max_memory,
				  const AiSpill *spill, AiError *err)
{
	AiSamples  *samples = ai_host_alloc(host, sizeof(AiSamples));

	*result = NULL;
	if (samples == NULL)
		return ai_out_of_memory(err, sizeof(AiSamples), "the rows of a training");
	memset(samples, 0, sizeof(*samples));
	ai_arena_init(&samples->arena, host);
	ai_buf_init(&samples->chunks, host);
	ai_buf_init(&samples->entries, host);
	samples->record_size = record_size;
	samples->per_chunk = CHUNK_SIZE / record_size > 0 ? CHUNK_SIZE / record_size : 1;
	samples->max_memory = max_memory;
	ai_spill_init(&samples->file, host, spill, max_memory);
	*result = samples;
	return AI_OK;
}

void
ai_samples_destroy(AiSamples *samples)
{
	const AiHost *host;

	if (samples == NULL)
		return;
	host = samples->arena.host;
	ai_buf_free(&samples->chunks);
	ai_buf_free(&samples->entries);
	ai_spill_free(&samples->file);
	ai_arena_free(&samples->arena);
	ai_host_release(host, samples);
}

/*
 * Coming in
 */

static size_t
chunk_bytes(const AiSamples *samples)
{
	return samples->per_chunk * samples->record_size;
}

/* Another chunk, or, where memory is used up, the file */
static AiCode
add_chunk(AiSamples *samples, AiError *err)
{
	uint8_t    *chunk;

	if (ai_samples_memory(samples) + chunk_bytes(samples) > samples->max_memory)
	{
		samples->is_spilling = true;
		return AI_OK;
	}
	chunk = ai_arena_alloc(&samples->arena, chunk_bytes(samples));
	if (chunk == NULL)
		return ai_out_of_memory(err, chunk_bytes(samples), "the rows of a training");
	return ai_buf_append(&samples->chunks, &chunk, sizeof(chunk), err);
}

AiCode
ai_samples_add(AiSamples *samples, void **record, uint64_t hash, bool is_validation,
			   AiError *err)
{
	Entry		entry = {.hash = hash};

	if (!samples->is_spilling && samples->n_in_memory % samples->per_chunk == 0)
		AI_TRY(add_chunk(samples, err));
	entry.place = (uint64_t) (samples->n_train + samples->n_validation);
	if (is_validation)
		entry.place |= VALIDATION;
	AI_TRY(ai_buf_append(&samples->entries, &entry, sizeof(entry), err));
	if (samples->is_spilling)
		AI_TRY(ai_spill_add(&samples->file, record, samples->record_size, err));
	else
		*record = record_in_memory(samples, samples->n_in_memory++);
	if (is_validation)
		samples->n_validation++;
	else
		samples->n_train++;
	return AI_OK;
}

/*
 * The order
 */

static AiCode
read_record(const AiSamples *samples, uint64_t number, void *record, AiError *err)
{
	if (number < samples->n_in_memory)
		memcpy(record, record_in_memory(samples, number), samples->record_size);
	else
		AI_TRY(ai_spill_read(&samples->file,
							 (number - samples->n_in_memory) * samples->record_size, record,
							 samples->record_size, err));
	return AI_OK;
}

/* Those that train first, each part by rising hash */
static int
compare_entries(const void *a, const void *b)
{
	const Entry *x = a;
	const Entry *y = b;

	if ((x->place & VALIDATION) != (y->place & VALIDATION))
		return x->place & VALIDATION ? 1 : -1;
	return (x->hash > y->hash) - (x->hash < y->hash);
}

static inline int
group_of(const Entry *entry)
{
	int			half = entry->place & VALIDATION ? N_GROUPS / 2 : 0;

	return half + (int) (entry->hash >> (64 - GROUP_BITS));
}

/* Different records of one hash, which hardly ever are: by their bytes */
static AiCode
order_equals(AiSamples *samples, Entry *entries, size_t n, AiError *err)
{
	uint8_t    *one = ai_arena_alloc(&samples->arena, 2 * samples->record_size);
	uint8_t    *other;

	if (one == NULL)
		return ai_out_of_memory(err, 2 * samples->record_size, "the rows of a training");
	other = one + samples->record_size;
	for (size_t i = 1; i < n; i++)
	{
		Entry		entry = entries[i];
		size_t		j = i;

		if (i % ITEMS_PER_QUESTION == 0 && ai_host_should_stop(samples->arena.host))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		for (; j > 0 && compare_entries(&entries[j - 1], &entry) == 0; j--)
		{
			AI_TRY(read_record(samples, entries[j - 1].place & ~VALIDATION, one, err));
			AI_TRY(read_record(samples, entry.place & ~VALIDATION, other, err));
			if (memcmp(one, other, samples->record_size) <= 0)
				break;
			entries[j] = entries[j - 1];
		}
		entries[j] = entry;
	}
	return AI_OK;
}

/* By the leading bits of their hashes into groups, which are then sorted one by one */
static AiCode
sort_entries(AiSamples *samples, Entry *entries, size_t n, AiError *err)
{
	Entry	   *sorted = ai_arena_alloc(&samples->arena, n * sizeof(Entry) + 1);
	size_t		end[N_GROUPS + 1] = {0};

	if (sorted == NULL)
		return ai_out_of_memory(err, n * sizeof(Entry), "the order of rows");
	for (size_t i = 0; i < n; i++)
		end[group_of(&entries[i]) + 1]++;
	for (int g = 0; g < N_GROUPS; g++)
		end[g + 1] += end[g];
	for (size_t i = 0; i < n; i++)
		sorted[end[group_of(&entries[i])]++] = entries[i];
	memcpy(entries, sorted, n * sizeof(Entry));
	for (int g = 0; g < N_GROUPS; g++)
	{
		size_t		first = g > 0 ? end[g - 1] : 0;

		if (ai_host_should_stop(samples->arena.host))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		qsort(entries + first, end[g] - first, sizeof(Entry), compare_entries);
	}
	if (n * sizeof(Entry) >= AI_ARENA_LARGE)
		ai_arena_release(&samples->arena, sorted);
	return AI_OK;
}

AiCode
ai_samples_finish(AiSamples *samples, AiError *err)
{
	Entry	   *entries = entries_of(samples);
	size_t		n = samples->entries.len / sizeof(Entry);

	AI_TRY(ai_spill_flush(&samples->file, err));
	ai_spill_free(&samples->file);
	if (n > 0)
	{
		AI_TRY(sort_entries(samples, entries, n, err));
		AI_TRY(order_equals(samples, entries, n, err));
	}
	samples->is_finished = true;
	return AI_OK;
}

int64_t
ai_samples_n(const AiSamples *samples, bool is_validation)
{
	return is_validation ? samples->n_validation : samples->n_train;
}

size_t
ai_samples_record_size(const AiSamples *samples)
{
	return samples->record_size;
}

size_t
ai_samples_memory(const AiSamples *samples)
{
	return samples->arena.total + samples->entries.capacity + samples->chunks.capacity +
		samples->file.piece.capacity;
}

bool
ai_samples_are_in_memory(const AiSamples *samples)
{
	return !samples->is_spilling;
}

static uint64_t
place_of(const AiSamples *samples, bool is_validation, int64_t number)
{
	AI_ASSERT(samples->is_finished);
	return entries_of(samples)[number + (is_validation ? samples->n_train : 0)].place & ~VALIDATION;
}

const void *
ai_samples_get(const AiSamples *samples, bool is_validation, int64_t number)
{
	return record_in_memory(samples, place_of(samples, is_validation, number));
}

AiCode
ai_samples_read(const AiSamples *samples, bool is_validation, const int64_t *numbers, int n,
				void *records, AiError *err)
{
	for (int i = 0; i < n; i++)
		AI_TRY(read_record(samples, place_of(samples, is_validation, numbers[i]),
						   (uint8_t *) records + (size_t) i * samples->record_size, err));
	return AI_OK;
}
