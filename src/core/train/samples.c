/*-------------------------------------------------------------------------
 * samples.c
 *		Records in memory or in a file, and their order.
 *-------------------------------------------------------------------------
 */
#include "core/train/samples.h"

#include <string.h>

#include "core/base/sort.h"

#define CHUNK_SIZE ((size_t) 1 << 20)
#define ITEMS_PER_QUESTION 4096 /* whether to stop */

/* Above the number of the record, as it came, which is an entry's tag */
#define VALIDATION ((uint64_t) 1 << 63)

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

	AiBuf		entries;		/* of AiSortItem, in order: those that train first */
	int64_t		n_train;
	int64_t		n_validation;
	bool		is_finished;
};

static inline AiSortItem *
entries_of(const AiSamples *samples)
{
	return (AiSortItem *) samples->entries.data;
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
	AiSortItem	entry = {.hash = hash};

	if (!samples->is_spilling && samples->n_in_memory % samples->per_chunk == 0)
		AI_TRY(add_chunk(samples, err));
	entry.tag = (uint64_t) (samples->n_train + samples->n_validation);
	if (is_validation)
		entry.tag |= VALIDATION;
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

static inline bool
is_equal(const AiSortItem *a, const AiSortItem *b)
{
	return a->hash == b->hash && (a->tag & VALIDATION) == (b->tag & VALIDATION);
}

/* Different records of one hash, which hardly ever are: by their bytes */
static AiCode
order_equals(AiSamples *samples, AiSortItem *entries, size_t n, AiError *err)
{
	uint8_t    *one = ai_arena_alloc(&samples->arena, 2 * samples->record_size);
	uint8_t    *other;

	if (one == NULL)
		return ai_out_of_memory(err, 2 * samples->record_size, "the rows of a training");
	other = one + samples->record_size;
	for (size_t i = 1; i < n; i++)
	{
		AiSortItem	entry = entries[i];
		size_t		j = i;

		if (i % ITEMS_PER_QUESTION == 0 && ai_host_should_stop(samples->arena.host))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		for (; j > 0 && is_equal(&entries[j - 1], &entry); j--)
		{
			AI_TRY(read_record(samples, entries[j - 1].tag & ~VALIDATION, one, err));
			AI_TRY(read_record(samples, entry.tag & ~VALIDATION, other, err));
			if (memcmp(one, other, samples->record_size) <= 0)
				break;
			entries[j] = entries[j - 1];
		}
		entries[j] = entry;
	}
	return AI_OK;
}

AiCode
ai_samples_finish(AiSamples *samples, AiError *err)
{
	AiSortItem *entries = entries_of(samples);
	size_t		n = samples->entries.len / sizeof(AiSortItem);

	AI_TRY(ai_spill_flush(&samples->file, err));
	ai_spill_free(&samples->file);
	if (n > 0)
	{
		AI_TRY(ai_sort(entries, n, VALIDATION, samples->arena.host, err));
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
	return entries_of(samples)[number + (is_validation ? samples->n_train : 0)].tag & ~VALIDATION;
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
