/*-------------------------------------------------------------------------
 * text_rows.c
 *		The rows of a training run: texts as they came, and as n-gram counts.
 *
 * Threads cannot ask the host for memory, so each writes what it reads into an
 * output of fixed size.  A row that does not fit any more is left for the next
 * round, which begins with empty outputs; one that does not fit into an empty
 * output makes all of them larger.
 *
 * A round has four steps, each shared by all threads: rows are read; each output
 * is sorted by part of the vocabulary; each part of the vocabulary gives numbers;
 * the rows take them.
 *-------------------------------------------------------------------------
 */
#include "core/model/text_rows.h"

#include <string.h>

#define FLUSH_BYTES ((size_t) 64 * 1024)	/* their n-grams fit into one output */
#define FLUSH_ROWS 4096
#define FIRST_OUTPUT_SIZE ((size_t) 1 << 18)	/* n-grams */
#define SLAB_SIZE ((size_t) 1 << 18)	/* n-grams; larger rows get their own */
#define TEXT_SLAB_SIZE ((size_t) 1 << 20)	/* bytes */
#define NOT_READ UINT32_MAX

/* What one thread reads with */
typedef struct Output
{
	AiNgramReader *reader;
	uint64_t   *hash;			/* [size] */
	uint8_t    *count;			/* [size] */
	uint32_t   *slots;			/* [2 * size] place in hash + 1, of the row in work */
	size_t		used;

	/* After reading, in the memory of slots: by part of the vocabulary */
	uint32_t   *places;			/* [used] see ai_vocabulary_add() */
	uint32_t   *numbers;		/* [used] */
	size_t		first[AI_VOCABULARY_N_PARTS + 1];
	bool		is_full;		/* a row did not fit any more */
	bool		is_too_small;	/* for some row by itself */
} Output;

/* Where a row's n-grams are until the main thread takes them */
typedef struct Pending
{
	int			thread;
	size_t		first;			/* in the output */
} Pending;

/* Memory that is given out in order */
typedef struct Slab
{
	char	   *bytes;
	size_t		used;
	size_t		size;
} Slab;

struct AiTextRows
{
	AiArena    *arena;			/* borrowed */
	AiPool	   *pool;			/* borrowed */
	AiVocabulary *vocabulary;	/* borrowed */
	AiNgramOptions options;
	size_t		max_memory;		/* bytes */

	AiTextRow  *rows;			/* [capacity] */
	int64_t		n_rows;
	int64_t		capacity;
	int64_t		n_entries;

	Slab		texts;
	Slab		numbers;
	Slab		counts;

	/* Reading */
	int64_t		n_read;			/* rows [0, n_read) have their n-grams */
	int64_t		n_waiting;		/* rows that are being read: those after them */
	size_t		waiting_bytes;
	size_t		output_size;	/* n-grams */
	Output	   *outputs;		/* [n_threads] */
	Pending		pending[FLUSH_ROWS];
};

AiCode
ai_text_rows_create(AiTextRows **rows, AiArena *arena, AiPool *pool,
					const AiNgramOptions *options, AiVocabulary *vocabulary,
					size_t max_memory, AiError *err)
{
	int			n_threads = ai_pool_n_threads(pool);
	AiTextRows *r = ai_arena_alloc_zero(arena, 1, sizeof(AiTextRows));

	if (r == NULL)
		return ai_out_of_memory(err, sizeof(AiTextRows), "rows");
	r->arena = arena;
	r->pool = pool;
	r->vocabulary = vocabulary;
	r->max_memory = max_memory;
	r->options = *options;
	r->outputs = ai_arena_alloc_zero(arena, (size_t) n_threads, sizeof(Output));
	if (r->outputs == NULL)
		return ai_out_of_memory(err, (size_t) n_threads * sizeof(Output), "rows");
	*rows = r;
	return AI_OK;
}

void
ai_text_rows_end(AiTextRows *rows)
{
	for (int t = 0; rows != NULL && t < ai_pool_n_threads(rows->pool); t++)
	{
		Output	   *output = &rows->outputs[t];

		ai_ngram_reader_destroy(output->reader);
		ai_arena_release(rows->arena, output->hash);
		ai_arena_release(rows->arena, output->count);
		ai_arena_release(rows->arena, output->slots);
		*output = (Output) {0};
	}
}

/* Bytes of an output for each of its n-grams: hash, count and two slots */
#define OUTPUT_ITEM_SIZE (sizeof(uint64_t) + 1 + 2 * sizeof(uint32_t))

/* Outputs of the given size for all threads; what was in them is gone */
static AiCode
size_outputs(AiTextRows *rows, size_t size, AiError *err)
{
	ai_text_rows_end(rows);
	rows->output_size = size;
	for (int t = 0; t < ai_pool_n_threads(rows->pool); t++)
	{
		Output	   *output = &rows->outputs[t];

		AI_TRY(ai_ngram_reader_create(&output->reader, rows->arena->host, &rows->options,
									  false, err));
		ai_ngram_reader_stop_with(output->reader, ai_pool_thread_host(rows->pool, t));
		output->hash = ai_arena_alloc(rows->arena, size * sizeof(uint64_t));
		output->count = ai_arena_alloc(rows->arena, size);
		output->slots = ai_arena_alloc_zero(rows->arena, 2 * size, sizeof(uint32_t));
		if (output->hash == NULL || output->count == NULL || output->slots == NULL)
			return ai_out_of_memory(err, size * OUTPUT_ITEM_SIZE, "reading rows");
		output->places = output->slots;
		output->numbers = output->slots + size;
	}
	return AI_OK;
}

/* Bytes from a slab; a request larger than a new slab gets one of its own. */
static void *
slab_alloc(AiTextRows *rows, Slab *slab, size_t size, size_t slab_size)
{
	void	   *ptr;

	if (size >= slab_size)
		return ai_arena_alloc(rows->arena, size);
	if (slab->bytes == NULL || slab->size - slab->used < size)
	{
		*slab = (Slab) {ai_arena_alloc(rows->arena, slab_size), 0, slab_size};
		if (slab->bytes == NULL)
		{
			*slab = (Slab) {0};
			return NULL;
		}
	}
	ptr = slab->bytes + slab->used;
	slab->used += size;
	return ptr;
}

static AiCode
grow_rows(AiTextRows *rows, AiError *err)
{
	size_t		capacity = rows->capacity > 0 ? (size_t) rows->capacity * 2 : 1024;
	AiTextRow  *grown = ai_arena_alloc(rows->arena, capacity * sizeof(AiTextRow));

	if (grown == NULL)
		return ai_out_of_memory(err, capacity * sizeof(AiTextRow), "rows");
	if (rows->rows != NULL)
	{
		memcpy(grown, rows->rows, (size_t) rows->n_rows * sizeof(AiTextRow));
		ai_arena_release(rows->arena, rows->rows);
	}
	rows->rows = grown;
	rows->capacity = (int64_t) capacity;
	return AI_OK;
}

AiCode
ai_text_rows_add(AiTextRows *rows, const AiTextRow *row, AiError *err)
{
	char	   *text;

	if (rows->n_rows == rows->capacity)
		AI_TRY(grow_rows(rows, err));
	text = slab_alloc(rows, &rows->texts, row->text_len, TEXT_SLAB_SIZE);
	if (text == NULL)
		return ai_out_of_memory(err, row->text_len, "a text");
	memcpy(text, row->text, row->text_len);
	rows->rows[rows->n_rows] = *row;
	rows->rows[rows->n_rows].text = text;
	rows->n_rows++;
	rows->waiting_bytes += row->text_len;
	if (rows->waiting_bytes >= FLUSH_BYTES || rows->n_rows - rows->n_read == FLUSH_ROWS)
		return ai_text_rows_flush(rows, err);
	return AI_OK;
}

/*
 * Add one portion of hashes to the row that begins at first in the output,
 * false when the output is full.  The slots are an open hash table of the row.
 */
static bool
count_hashes(Output *output, size_t size, size_t n_slots, size_t first,
			 const uint64_t *hash, size_t n)
{
	size_t		mask = n_slots - 1;

	for (size_t i = 0; i < n; i++)
	{
		size_t		s = (hash[i] >> 20) & mask;
		size_t		at;

		while (output->slots[s] != 0 && output->hash[output->slots[s] - 1] != hash[i])
			s = (s + 1) & mask;
		if (output->slots[s] != 0)
		{
			at = output->slots[s] - 1;
			output->count[at] += output->count[at] < 255;
			continue;
		}
		at = output->used;
		if (at == size || (at - first) * 2 >= n_slots)
			return false;
		output->slots[s] = (uint32_t) at + 1;
		output->hash[at] = hash[i];
		output->count[at] = 1;
		output->used++;
	}
	return true;
}

/*
 * A table for so long a text, within the memory of the output: small ones are
 * faster to clear.  A text that holds more than is usual has a larger one when
 * the outputs have grown.
 */
static size_t
slots_for(size_t text_len, size_t output_size)
{
	size_t		wanted = text_len * 16 * (output_size / FIRST_OUTPUT_SIZE);
	size_t		n_slots = 1024;

	while (n_slots < wanted && n_slots < 2 * output_size)
		n_slots *= 2;
	return n_slots;
}

static void
read_row(void *arg, int64_t index, int thread)
{
	AiTextRows *rows = arg;
	AiTextRow  *row = &rows->rows[rows->n_read + index];
	Output	   *output = &rows->outputs[thread];
	size_t		n_slots = slots_for(row->text_len, rows->output_size);
	size_t		first = output->used;
	const uint64_t *hash;
	const AiNgramSpan *span;
	size_t		n;
	bool		fits = true;

	if (row->n != NOT_READ || output->is_full)
		return;
	memset(output->slots, 0, n_slots * sizeof(uint32_t));
	ai_ngram_reader_start(output->reader, row->text, row->text_len);
	while (fits && (n = ai_ngram_reader_next(output->reader, &hash, &span)) > 0)
	{
		if (ai_pool_should_stop(rows->pool, thread))
			return;
		fits = count_hashes(output, rows->output_size, n_slots, first, hash, n);
	}
	if (!fits)
	{
		output->is_full = true;
		output->is_too_small = first == 0;
		output->used = first;
		return;
	}
	rows->pending[index] = (Pending) {thread, first};
	row->n = (uint32_t) (output->used - first);
}

/* Row number index of those that wait, if this thread has read it in this round */
static AiTextRow *
row_of_thread(AiTextRows *rows, int64_t index, int thread)
{
	AiTextRow  *row = &rows->rows[rows->n_read + index];

	return rows->pending[index].thread == thread && row->n != NOT_READ ? row : NULL;
}

/* Task: sort the output of a thread by part. */
static void
sort_output(void *arg, int64_t index, int thread)
{
	AiTextRows *rows = arg;
	Output	   *output = &rows->outputs[index];
	size_t	   *first = output->first;
	size_t		next[AI_VOCABULARY_N_PARTS];

	memset(first, 0, sizeof(output->first));
	for (size_t i = 0; i < output->used; i++)
		first[ai_vocabulary_part(output->hash[i]) + 1]++;
	for (int p = 0; p < AI_VOCABULARY_N_PARTS; p++)
		first[p + 1] += first[p];
	memcpy(next, first, sizeof(next));
	for (int64_t i = 0; i < rows->n_waiting; i++)
	{
		const AiTextRow *row = row_of_thread(rows, i, (int) index);
		size_t		place = rows->pending[i].first;

		if (ai_pool_should_stop(rows->pool, thread))
			return;
		for (uint32_t j = 0; row != NULL && j < row->n; j++, place++)
			output->places[next[ai_vocabulary_part(output->hash[place])]++] =
				(uint32_t) (place * 2 + !row->is_validation);
	}
}

/* Task: a part of the vocabulary numbers its n-grams in all outputs. */
static void
number_part(void *arg, int64_t part, int thread)
{
	AiTextRows *rows = arg;

	for (int t = 0; t < ai_pool_n_threads(rows->pool); t++)
	{
		Output	   *output = &rows->outputs[t];
		size_t		first = output->first[part];

		ai_vocabulary_add(rows->vocabulary, (int) part, thread, output->numbers + first,
						  output->hash, output->places + first,
						  output->first[part + 1] - first);
	}
}

/* Task: the rows that a thread has read take their numbers and counts for good. */
static void
take_rows(void *arg, int64_t index, int thread)
{
	AiTextRows *rows = arg;
	const Output *output = &rows->outputs[index];
	size_t		next[AI_VOCABULARY_N_PARTS];

	memcpy(next, output->first, sizeof(next));
	for (int64_t i = 0; i < rows->n_waiting; i++)
	{
		AiTextRow  *row = row_of_thread(rows, i, (int) index);
		size_t		first = rows->pending[i].first;

		if (row == NULL)
			continue;
		if (ai_pool_should_stop(rows->pool, thread))
			return;
		memcpy(row->count, output->count + first, row->n);
		for (uint32_t j = 0; j < row->n; j++)
			row->number[j] = output->numbers[next[ai_vocabulary_part(output->hash[first + j])]++];
	}
}

/* The rows that were read in this round get their numbers; how many they were */
static AiCode
keep_rows(AiTextRows *rows, int64_t *n_kept, AiError *err)
{
	int			n_threads = ai_pool_n_threads(rows->pool);
	size_t		n_more[AI_VOCABULARY_N_PARTS] = {0};

	*n_kept = 0;
	for (int64_t i = 0; i < rows->n_waiting; i++)
	{
		AiTextRow  *row = &rows->rows[rows->n_read + i];

		if (rows->pending[i].thread < 0 || row->n == NOT_READ)
			continue;
		row->number = slab_alloc(rows, &rows->numbers, row->n * sizeof(uint32_t),
								 SLAB_SIZE * sizeof(uint32_t));
		row->count = slab_alloc(rows, &rows->counts, row->n, SLAB_SIZE);
		if (row->number == NULL || row->count == NULL)
			return ai_out_of_memory(err, row->n * 5, "the n-grams of a row");
		rows->n_entries += row->n;
		++*n_kept;
	}
	AI_TRY(ai_pool_run(rows->pool, sort_output, rows, n_threads, err));
	for (int t = 0; t < n_threads; t++)
	{
		for (int p = 0; p < AI_VOCABULARY_N_PARTS; p++)
			n_more[p] += rows->outputs[t].first[p + 1] - rows->outputs[t].first[p];
	}
	AI_TRY(ai_vocabulary_make_room(rows->vocabulary, n_more, err));
	AI_TRY(ai_pool_run(rows->pool, number_part, rows, AI_VOCABULARY_N_PARTS, err));
	AI_TRY(ai_pool_run(rows->pool, take_rows, rows, n_threads, err));
	for (int64_t i = 0; i < rows->n_waiting; i++)
	{
		if (rows->rows[rows->n_read + i].n != NOT_READ)
			rows->pending[i].thread = -1;
	}
	return AI_OK;
}

/* Larger outputs, for a text that does not fit into an empty one */
static AiCode
grow_outputs(AiTextRows *rows, AiError *err)
{
	size_t		size = rows->output_size * 4;
	size_t		need = rows->arena->total +
		size * OUTPUT_ITEM_SIZE * (size_t) ai_pool_n_threads(rows->pool);
	size_t		longest = 0;

	if (need <= rows->max_memory)
		return size_outputs(rows, size, err);
	for (int64_t i = rows->n_read; i < rows->n_rows; i++)
		longest = rows->rows[i].text_len > longest ? rows->rows[i].text_len : longest;
	ai_fail(err, AI_ERR_LIMIT, "training needs about %.0f MB, more than the limit of %.0f MB",
			(double) need / 1048576 + 1, (double) rows->max_memory / 1048576);
	ai_detail(err, "One text has %.1f MB.", (double) longest / 1048576);
	ai_hint(err, "Raise aiaas.max_train_memory, or cut long texts in the query, for example "
			"with left(body, 20000).");
	return AI_ERR_LIMIT;
}

AiCode
ai_text_rows_flush(AiTextRows *rows, AiError *err)
{
	int64_t		n_left = rows->n_rows - rows->n_read;

	rows->n_waiting = n_left;
	if (n_left > 0 && rows->output_size == 0)
		AI_TRY(size_outputs(rows, FIRST_OUTPUT_SIZE, err));
	for (int64_t i = 0; i < rows->n_waiting; i++)
	{
		rows->rows[rows->n_read + i].n = NOT_READ;
		rows->pending[i].thread = -1;
	}
	while (n_left > 0)
	{
		bool		is_too_small = false;
		int64_t		n_kept;

		for (int t = 0; t < ai_pool_n_threads(rows->pool); t++)
		{
			rows->outputs[t].used = 0;
			rows->outputs[t].is_full = false;
			rows->outputs[t].is_too_small = false;
		}
		AI_TRY(ai_pool_run(rows->pool, read_row, rows, rows->n_waiting, err));
		AI_TRY(keep_rows(rows, &n_kept, err));
		n_left -= n_kept;
		for (int t = 0; t < ai_pool_n_threads(rows->pool); t++)
			is_too_small |= rows->outputs[t].is_too_small;
		if (is_too_small)
			AI_TRY(grow_outputs(rows, err));
	}
	rows->n_read = rows->n_rows;
	rows->waiting_bytes = 0;
	return AI_OK;
}

AiTextRow *
ai_text_rows_get(AiTextRows *rows, int64_t *n)
{
	*n = rows->n_rows;
	return rows->rows;
}

int64_t
ai_text_rows_n_read(const AiTextRows *rows)
{
	return rows->n_read;
}

int64_t
ai_text_rows_n_entries(const AiTextRows *rows)
{
	return rows->n_entries;
}
