/*-------------------------------------------------------------------------
 * network_rows.c
 *		From rows to samples.
 *-------------------------------------------------------------------------
 */
#include "core/train/network_rows.h"

#include <math.h>
#include <string.h>

#include "core/base/hash.h"
#include "core/base/split.h"
#include "core/kernels/kernels.h"

#define NO_LABEL (-1)
#define ROWS_PER_QUESTION 1024	/* whether to stop */

/* An entry of the log, before its input and its labels or values */
typedef struct Entry
{
	uint64_t	hash;
	uint32_t	n_input;		/* bytes */
	uint32_t	n_target;		/* likewise */
	bool		is_validation;
} Entry;

static bool
is_text(const AiNetworkRows *rows)
{
	return rows->format.input == AI_NETWORK_WORDS;
}

/* Is the size of a record known before all rows are there? */
static bool
is_direct(const AiNetworkRows *rows)
{
	return !is_text(rows) && rows->format.task != AI_NETWORK_LABELS;
}

static size_t
number_size(const AiNetworkRows *rows)
{
	return rows->format.input == AI_NETWORK_PIXELS ? 1 : sizeof(float);
}

AiCode
ai_network_rows_init(AiNetworkRows *rows, const AiHost *host, AiError *err)
{
	rows->host = host;
	rows->labels.arena = rows->arena;
	rows->labels.max = AI_NETWORK_MAX_LABELS;
	ai_buf_init(&rows->entry, host);
	ai_word_counts_init(&rows->counts, host);
	ai_row_log_init(&rows->log, host, rows->max_memory / 2, rows->spills);
	if (!is_text(rows))
		return AI_OK;
	rows->n_of_length = ai_arena_alloc_zero(rows->arena, AI_MAX_SEQUENCE + 1, sizeof(int64_t));
	rows->hashes = ai_arena_alloc(rows->arena, AI_MAX_SEQUENCE * sizeof(uint64_t));
	if (rows->n_of_length == NULL || rows->hashes == NULL)
		return ai_out_of_memory(err, AI_MAX_SEQUENCE * sizeof(uint64_t), "words");
	return ai_word_reader_create(&rows->reader, host, err);
}

void
ai_network_rows_free(AiNetworkRows *rows)
{
	ai_samples_destroy(rows->samples);
	ai_row_log_free(&rows->log);
	ai_word_counts_free(&rows->counts);
	ai_word_reader_destroy(rows->reader);
	ai_buf_free(&rows->entry);
}

/*
 * Does a row fit?
 */
static AiCode
check_input(AiNetworkRows *rows, const AiNetworkRow *input, AiError *err)
{
	bool		is_pixels = rows->format.input == AI_NETWORK_PIXELS;
	size_t		n = input->len / number_size(rows);

	if (is_text(rows))
		return AI_OK;
	if (rows->format.n_inputs == 0 && n > 0)
		rows->format.n_inputs = n;
	if (n != rows->format.n_inputs || n == 0)
		return ai_fail(err, AI_ERR_DATA, "the row has an input of %zu %s instead of %zu", n,
					   is_pixels ? "bytes" : "numbers", rows->format.n_inputs);
	if (is_pixels)
		return AI_OK;
	return ai_network_check_numbers(input->bytes, n, rows->n_tokens, err);
}

static AiCode
check_values(const AiNetworkExample *example, AiError *err)
{
	for (size_t i = 0; i < example->n_values; i++)
	{
		if (!isfinite(example->values[i]))
			return ai_fail(err, AI_ERR_DATA, "the row has the target %g",
						   (double) example->values[i]);
	}
	return AI_OK;
}

static AiCode
check_target(AiNetworkRows *rows, const AiNetworkExample *example, AiError *err)
{
	bool		is_values = rows->format.task == AI_NETWORK_VALUES;
	size_t		n = is_values ? example->n_values : example->n_labels;

	if (rows->format.task == AI_NETWORK_LABELS)
		return AI_OK;
	if (rows->n_targets == 0 && n > 0)
		rows->n_targets = n;
	if (n != rows->n_targets || n == 0)
		return ai_fail(err, AI_ERR_DATA, "the row has a target of %zu %s instead of %zu", n,
					   is_values ? "numbers" : "labels", rows->n_targets);
	return is_values ? check_values(example, err) : AI_OK;
}

/*
 * Coming in
 */
static uint64_t
hash_row(const AiNetworkExample *example)
{
	uint64_t	hash = ai_hash64(example->input.bytes, example->input.len, 1);

	if (example->n_values > 0)
		hash = ai_hash64(example->values, example->n_values * sizeof(float), hash);
	for (size_t i = 0; i < example->n_labels; i++)
		hash = ai_hash64(example->labels[i].text, example->labels[i].text == NULL ? 0 :
						 example->labels[i].len, hash + (example->labels[i].text == NULL));
	return hash;
}

/* One label too many is no matter of this row, which could be left out. */
static AiCode
add_label(AiNetworkRows *rows, int32_t *number, const AiNetworkLabel *label, AiError *err)
{
	AiCode		code = ai_labels_add(&rows->labels, number, label->text, label->len, err);

	if (code == AI_ERR_DATA && err != NULL)
		err->code = AI_ERR_LIMIT;
	return code == AI_ERR_DATA ? AI_ERR_LIMIT : code;
}

/* Numbers of the labels, by first arrival, appended to buf */
static AiCode
add_labels(AiNetworkRows *rows, AiBuf *buf, const AiNetworkExample *example, bool is_validation,
		   AiError *err)
{
	for (size_t i = 0; i < example->n_labels; i++)
	{
		const AiNetworkLabel *label = &example->labels[i];
		int32_t		number = NO_LABEL;

		if (label->text != NULL)
			AI_TRY(add_label(rows, &number, label, err));
		if (number >= 0 && !is_validation)
			rows->n_label_train[number]++;
		AI_TRY(ai_buf_append(buf, &number, sizeof(number), err));
	}
	return AI_OK;
}

static AiCode
add_target(AiNetworkRows *rows, AiBuf *buf, const AiNetworkExample *example, bool is_validation,
		   AiError *err)
{
	if (rows->format.task == AI_NETWORK_VALUES)
		return ai_buf_append(buf, example->values, example->n_values * sizeof(float), err);
	return add_labels(rows, buf, example, is_validation, err);
}

static AiCode
add_words(AiNetworkRows *rows, const AiNetworkRow *input, bool is_validation, AiError *err)
{
	size_t		n = ai_word_reader_read(rows->reader, input->bytes, input->len, rows->hashes,
										AI_MAX_SEQUENCE);

	if (!is_validation)
		rows->n_of_length[n]++;
	for (size_t i = 0; i < n; i++)
	{
		uint32_t	word;

		AI_TRY(ai_word_counts_add(&rows->counts, &word, rows->hashes[i], !is_validation, err));
		AI_TRY(ai_buf_append(&rows->entry, &word, sizeof(word), err));
	}
	return AI_OK;
}

static AiCode
add_to_log(AiNetworkRows *rows, const AiNetworkExample *example, uint64_t hash,
		   bool is_validation, AiError *err)
{
	Entry		entry;

	memset(&entry, 0, sizeof(entry));
	entry.hash = hash;
	entry.is_validation = is_validation;
	rows->entry.len = 0;
	if (is_text(rows))
		AI_TRY(add_words(rows, &example->input, is_validation, err));
	else
		AI_TRY(ai_buf_append(&rows->entry, example->input.bytes, example->input.len, err));
	entry.n_input = (uint32_t) rows->entry.len;
	AI_TRY(add_target(rows, &rows->entry, example, is_validation, err));
	entry.n_target = (uint32_t) (rows->entry.len - entry.n_input);
	AI_TRY(ai_row_log_append(&rows->log, &entry, sizeof(entry), err));
	return ai_row_log_append(&rows->log, rows->entry.data, rows->entry.len, err);
}

/* Sizes of a record; targets begin at multiples of 4 bytes. */
static AiCode
create_samples(AiNetworkRows *rows, size_t input_bytes, size_t target_bytes, AiError *err)
{
	rows->target_at = (input_bytes + 3) & ~(size_t) 3;
	rows->record_size = rows->target_at + ((target_bytes + 3) & ~(size_t) 3);
	return ai_samples_create(&rows->samples, rows->host, rows->record_size, rows->max_memory,
							 rows->spills != NULL ? &rows->spills[1] : NULL, err);
}

static AiCode
add_directly(AiNetworkRows *rows, const AiNetworkExample *example, uint64_t hash,
			 bool is_validation, AiError *err)
{
	void	   *record;

	if (rows->samples == NULL)
		AI_TRY(create_samples(rows, example->input.len, rows->n_targets * sizeof(float), err));
	rows->entry.len = 0;
	AI_TRY(add_target(rows, &rows->entry, example, is_validation, err));
	AI_TRY(ai_samples_add(rows->samples, &record, hash, is_validation, err));
	memset(record, 0, rows->record_size);
	memcpy(record, example->input.bytes, example->input.len);
	memcpy((char *) record + rows->target_at, rows->entry.data, rows->entry.len);
	return AI_OK;
}

AiCode
ai_network_rows_add(AiNetworkRows *rows, bool *is_validation, const AiNetworkExample *example,
					AiError *err)
{
	uint64_t	hash;

	if (example->input.len > UINT32_MAX / 8)
		return ai_fail(err, AI_ERR_DATA, "the row has an input of %zu bytes, which is too long",
					   example->input.len);
	AI_TRY(check_input(rows, &example->input, err));
	AI_TRY(check_target(rows, example, err));
	*is_validation = rows->is_held_out ||
		ai_is_held_out(example->input.bytes, example->input.len, rows->validation);
	hash = hash_row(example);
	AI_TRY(is_direct(rows) ? add_directly(rows, example, hash, *is_validation, err) :
		   add_to_log(rows, example, hash, *is_validation, err));
	rows->n_rows[*is_validation]++;
	return AI_OK;
}

/*
 * All are there
 */
size_t
ai_network_rows_length(const AiNetworkRows *rows)
{
	int64_t		n = 0;
	size_t		length = 0;

	while (length < AI_MAX_SEQUENCE)
	{
		n += rows->n_of_length[length];
		if ((double) n >= 0.99 * (double) rows->n_rows[0])
			break;
		length++;
	}
	return length > 0 ? length : 1;
}

static void
put_words(const AiNetworkRows *rows, float *number, const uint32_t *word, size_t n, size_t n_steps)
{
	for (size_t i = 0; i < n_steps; i++)
		number[i] = i < n ? (float) ai_word_count(&rows->counts, word[i])->number : AI_WORD_PADDING;
}

/* An entry of the log becomes a record. */
static AiCode
move_entry(AiNetworkRows *rows, const Entry *entry, size_t n_steps, AiError *err)
{
	const uint8_t *input = rows->entry.data;
	const uint8_t *target = input + entry->n_input;
	void	   *record;
	uint8_t    *target_of;

	AI_TRY(ai_samples_add(rows->samples, &record, entry->hash, entry->is_validation, err));
	memset(record, 0, rows->record_size);
	target_of = (uint8_t *) record + rows->target_at;
	if (is_text(rows))
		put_words(rows, record, (const uint32_t *) input, entry->n_input / sizeof(uint32_t),
				  n_steps);
	else
		memcpy(record, input, entry->n_input);
	if (rows->format.task == AI_NETWORK_LABELS)
	{
		for (size_t i = 0; i < entry->n_target / sizeof(int32_t); i++)
		{
			int32_t		label = ((const int32_t *) target)[i];

			if (label != NO_LABEL)
				target_of[label] = 1;
		}
	}
	else
		memcpy(target_of, target, entry->n_target);
	return AI_OK;
}

static AiCode
move_entries(AiNetworkRows *rows, size_t n_steps, AiError *err)
{
	size_t		input_bytes = is_text(rows) ? n_steps * sizeof(float) :
		rows->format.n_inputs * number_size(rows);

	AI_TRY(ai_row_log_finish(&rows->log, err));
	AI_TRY(create_samples(rows, input_bytes, rows->format.task == AI_NETWORK_LABELS ?
						  (size_t) rows->labels.n : rows->n_targets * sizeof(float), err));
	for (int64_t i = 0; !ai_row_log_is_at_end(&rows->log); i++)
	{
		Entry		entry;
		size_t		size;

		if (i % ROWS_PER_QUESTION == 0 && ai_host_should_stop(rows->host))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		AI_TRY(ai_row_log_read(&rows->log, &entry, sizeof(entry), err));
		size = (size_t) entry.n_input + entry.n_target;
		rows->entry.len = 0;
		AI_TRY(ai_buf_reserve(&rows->entry, size, err));
		AI_TRY(ai_row_log_read(&rows->log, rows->entry.data, size, err));
		AI_TRY(move_entry(rows, &entry, n_steps, err));
	}
	ai_row_log_free(&rows->log);
	return AI_OK;
}

AiCode
ai_network_rows_finish(AiNetworkRows *rows, size_t n_steps, AiError *err)
{
	if (!is_direct(rows))
		AI_TRY(move_entries(rows, n_steps, err));
	if (is_text(rows))
		rows->format.n_inputs = n_steps;
	return ai_samples_finish(rows->samples, err);
}

/*
 * Reading records
 */
static inline const int32_t *
labels_of(const AiNetworkRows *rows, const void *record)
{
	return (const int32_t *) ((const char *) record + rows->target_at);
}

int
ai_network_rows_label(const AiNetworkRows *rows, const void *record, size_t place)
{
	int32_t		label = labels_of(rows, record)[place];

	return label == NO_LABEL ? -1 : rows->labels.items[label].final;
}

static void
read_input(const void *ud, const void *record, float *input)
{
	const AiNetworkRows *rows = ud;

	if (rows->format.input == AI_NETWORK_PIXELS)
		ai_kernels()->pixels(input, record, rows->format.n_inputs);
	else
		memcpy(input, record, rows->format.n_inputs * sizeof(float));
}

/* One number, or 1 at its place among zeros; a step without a label has no number. */
static void
put_label(const AiNetworkRows *rows, float *target, int label)
{
	if (rows->place_size == 1)
	{
		target[0] = label >= 0 ? (float) label : NAN;
		return;
	}
	memset(target, 0, rows->place_size * sizeof(float));
	if (label >= 0)
		target[label] = 1;
	else
		target[0] = NAN;
}

static void
read_target(const void *ud, const void *record, float *target)
{
	const AiNetworkRows *rows = ud;
	const char *bytes = (const char *) record + rows->target_at;

	switch (rows->format.task)
	{
		case AI_NETWORK_VALUES:
			memcpy(target, bytes, rows->n_targets * sizeof(float));
			break;
		case AI_NETWORK_LABELS:
			for (int i = 0; i < rows->labels.n; i++)
				target[rows->labels.items[i].final] = (float) bytes[i];
			break;
		case AI_NETWORK_CLASSES:
		case AI_NETWORK_STEPS:
		case AI_NETWORK_N_TASKS:
			for (size_t i = 0; i < rows->n_targets; i++)
				put_label(rows, target + i * rows->place_size,
						  ai_network_rows_label(rows, record, i));
			break;
	}
}

static float
read_weight(const void *ud, const void *record, size_t place)
{
	const AiNetworkRows *rows = ud;
	int			label = ai_network_rows_label(rows, record, place);

	return label >= 0 ? (float) rows->label_weights[label] : 0;
}

AiFitReader
ai_network_rows_reader(const AiNetworkRows *rows)
{
	return (AiFitReader) {
		.input = read_input, .target = read_target,
		.weight = rows->label_weights != NULL ? read_weight : NULL, .ud = rows
	};
}
