/*-------------------------------------------------------------------------
 * text_matrix.h
 *		The rows of a training run as the sparse matrix that is learnt from.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TEXT_MATRIX_H
#define AI_TEXT_MATRIX_H

#include "core/model/labels.h"
#include "core/model/text_model.h"
#include "core/model/text_rows.h"

/* Work that goes over all rows is cut into tasks of so many. */
#define AI_TEXT_ROWS_PER_TASK 256

static inline int64_t
ai_text_n_row_tasks(int64_t n_rows)
{
	return (n_rows + AI_TEXT_ROWS_PER_TASK - 1) / AI_TEXT_ROWS_PER_TASK;
}

typedef struct AiTextMatrix
{
	AiSparseRow *rows;			/* learnt from, then held out; canonical order in each */
	const AiTextRow **text_rows;	/* [n] the same rows */
	uint8_t    *fold;			/* [n] */
	int64_t		n_train;
	int64_t		n;
} AiTextMatrix;

/*
 * All rows in canonical order, those to learn from first, with the numbers that
 * their labels have in the model; fold[i] is 0 .. n_folds - 1.
 */
extern AiCode ai_text_matrix_order(AiTextMatrix *matrix, AiTextRows *rows,
								   const AiLabels *labels, int n_folds,
								   AiArena *arena, AiError *err);

/*
 * to:[matrix->n] = the rows of the matrix with some of their features only: n-grams, and n_dense
 * numbers of the embedding, 0 for none
 */
extern void ai_text_matrix_select(AiSparseRow *to, const AiTextMatrix *matrix, bool has_ngrams,
								  int n_dense);

/* Fill matrix->rows, with n-grams alone.  The numbers of the text rows are overwritten. */
extern AiCode ai_text_matrix_build(AiTextMatrix *matrix, const AiVocabularyOrder *order,
								   const AiTextIdf *idf, AiPool *pool, AiArena *arena,
								   AiError *err);

#endif							/* AI_TEXT_MATRIX_H */
