/*-------------------------------------------------------------------------
 * text_rows.h
 *		The rows of a training run: texts as they came, and as n-gram counts.
 *
 * Texts are copied as they are added; when enough of them wait, the threads of
 * the pool read their n-grams and number them.  All memory is of one arena, so
 * its total is what the rows cost.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TEXT_ROWS_H
#define AI_TEXT_ROWS_H

#include "core/base/arena.h"
#include "core/base/hash.h"
#include "core/base/pool.h"
#include "core/model/text_vocabulary.h"
#include "core/text/ngram.h"

typedef struct AiTextRow
{
	const char *text;
	uint32_t	text_len;
	int32_t		label;			/* the trainer's number */
	AiHash128	key;			/* of the text: its place in the canonical order */
	bool		is_validation;

	/* The n-grams in the order of their first places, each once */
	uint32_t	n;
	uint32_t   *number;			/* [n] provisional, see text_vocabulary.h */
	uint8_t    *count;			/* [n] occurrences, 255 for more */

	const float *dense;			/* of the embedding, at unit length; NULL: there is none */
} AiTextRow;

typedef struct AiTextRows AiTextRows;

/* max_memory: what the arena may reach for one long text, in bytes */
extern AiCode ai_text_rows_create(AiTextRows **rows, AiArena *arena, AiPool *pool,
								  const AiNgramOptions *options, AiVocabulary *vocabulary,
								  size_t max_memory, AiError *err);

/*
 * The text is copied; row->text .. row->is_validation are taken.  AI_ERR_LIMIT
 * when some text is too long for max_memory.
 */
extern AiCode ai_text_rows_add(AiTextRows *rows, const AiTextRow *row, AiError *err);

/* Rows whose n-grams are read; the others wait. */
extern int64_t ai_text_rows_n_read(const AiTextRows *rows);

/* Read the n-grams of all rows that wait. */
extern AiCode ai_text_rows_flush(AiTextRows *rows, AiError *err);

/* Valid until the next add */
extern AiTextRow *ai_text_rows_get(AiTextRows *rows, int64_t *n);

/* n-grams of all rows, after flush */
extern int64_t ai_text_rows_n_entries(const AiTextRows *rows);

/* What only reading needs goes back; no row may be added any more. */
extern void ai_text_rows_end(AiTextRows *rows);

#endif							/* AI_TEXT_ROWS_H */
