/*-------------------------------------------------------------------------
 * network_rows.h
 *		Rows of a network's training: from what the host brings to samples that a fit can read.
 *
 * A record is the input as it came (numbers, pixels, or numbers of words) and then the target,
 * with labels by their first arrival.  What a record looks like is mostly known from the first
 * row on; texts and sets of labels wait in a log until all rows are there.
 *-------------------------------------------------------------------------
 */
#ifndef AI_NETWORK_ROWS_H
#define AI_NETWORK_ROWS_H

#include "core/model/labels.h"
#include "core/train/fit.h"
#include "core/train/network_trainer.h"
#include "core/train/row_log.h"
#include "core/train/word_counts.h"

typedef struct AiNetworkRows
{
	const AiHost *host;			/* borrowed */
	AiArena    *arena;			/* borrowed */
	const AiSpill *spills;		/* [2], or NULL */
	size_t		max_memory;
	double		validation;		/* share that is held out */
	bool		is_held_out;	/* all that come now */

	AiNetworkFormat format;		/* n_inputs as soon as it is known */
	int64_t		n_tokens;		/* 0: inputs are any numbers; see ai_network_check_numbers() */
	size_t		n_targets;		/* of a row: values or steps; 0: not known yet */
	int64_t		n_rows[2];		/* learnt from, held out */
	AiLabels	labels;
	int64_t		n_label_train[AI_NETWORK_MAX_LABELS];	/* rows, or steps, that are learnt from */

	/* Texts */
	AiWordReader *reader;
	AiWordCounts counts;
	int64_t    *n_of_length;	/* [AI_MAX_SEQUENCE + 1] texts with so many words */
	uint64_t   *hashes;			/* [AI_MAX_SEQUENCE] */

	AiRowLog	log;
	AiBuf		entry;			/* of the log, being made */
	AiSamples  *samples;

	/* Records */
	size_t		target_at;		/* bytes of the input */
	size_t		record_size;

	/* Set by the trainer before a fit reads */
	size_t		place_size;		/* numbers of a place of the target; 1: the label's number */
	double	   *label_weights;	/* [n_labels], by number in the model; NULL: all 1 */
} AiNetworkRows;

/* arena, spills, max_memory, validation and format are set, all else is zero. */
extern AiCode ai_network_rows_init(AiNetworkRows *rows, const AiHost *host, AiError *err);
extern void ai_network_rows_free(AiNetworkRows *rows);

/* See ai_network_trainer_add() */
extern AiCode ai_network_rows_add(AiNetworkRows *rows, bool *is_validation,
								  const AiNetworkExample *example, AiError *err);

/* How many words most texts have at most: 99 of 100 that are learnt from, 1 or more */
extern size_t ai_network_rows_length(const AiNetworkRows *rows);

/* All are there, labels are sorted, words chosen; n_steps: words that are read */
extern AiCode ai_network_rows_finish(AiNetworkRows *rows, size_t n_steps, AiError *err);

/* How a fit reads the records */
extern AiFitReader ai_network_rows_reader(const AiNetworkRows *rows);

/* The number of the label in the model at a place of a record, -1: there is none */
extern int	ai_network_rows_label(const AiNetworkRows *rows, const void *record, size_t place);

#endif							/* AI_NETWORK_ROWS_H */
