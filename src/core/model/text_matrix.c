/*-------------------------------------------------------------------------
 * text_matrix.c
 *		The rows of a training run as the sparse matrix that is learnt from.
 *-------------------------------------------------------------------------
 */
#include "core/model/text_matrix.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"

/* Fixed for ever: it decides in which fold a text is held out. */
#define FOLD_SALT UINT64_C(0x61696161732D6631)

static int
compare_rows(const void *a, const void *b)
{
	const AiTextRow *x = *(const AiTextRow *const *) a;
	const AiTextRow *y = *(const AiTextRow *const *) b;

	if (x->is_validation != y->is_validation)
		return x->is_validation ? 1 : -1;
	if (x->key.high != y->key.high)
		return x->key.high < y->key.high ? -1 : 1;
	if (x->key.low != y->key.low)
		return x->key.low < y->key.low ? -1 : 1;
	return x->label - y->label;
}

typedef struct MatrixTask
{
	AiTextMatrix *matrix;
	AiPool	   *pool;
	const AiVocabularyOrder *order;
	const AiTextIdf *idf;
	AiTextDamping damping;
	float	   *values;			/* of all rows */
	size_t	   *first_value;	/* [n] of each row */
	uint32_t   *features;		/* [n_threads, N_KINDS, max_n] scratch */
	uint8_t    *counts;			/* the same */
	uint8_t    *codes;			/* the same, of idf */
	size_t		max_n;			/* n-grams of the largest row */
} MatrixTask;

/* The row's numbers become features in place, kind by kind, and its counts values. */
static AiSparseRow
build_row(const MatrixTask *task, const AiTextRow *row, float *value, int thread)
{
	uint32_t   *features = task->features + (size_t) thread * AI_NGRAM_N_KINDS * task->max_n;
	uint8_t    *counts = task->counts + (size_t) thread * AI_NGRAM_N_KINDS * task->max_n;
	uint8_t    *codes = task->codes + (size_t) thread * AI_NGRAM_N_KINDS * task->max_n;
	size_t		n_of[AI_NGRAM_N_KINDS] = {0};
	uint32_t	n = 0;

	for (uint32_t j = 0; j < row->n; j++)
	{
		uint32_t	feature = task->order->feature[row->number[j]];
		AiNgramKind kind;
		size_t		place;

		if (feature == AI_NO_FEATURE)
			continue;
		kind = AI_NGRAM_KIND(task->order->hash[feature]);
		place = kind * task->max_n + n_of[kind]++;
		features[place] = feature;
		counts[place] = row->count[j];
		codes[place] = task->idf->code[feature];
	}
	for (int kind = 0; kind < AI_NGRAM_N_KINDS; kind++)
	{
		size_t		first = (size_t) kind * task->max_n;

		ai_text_values(value + n, kind, counts + first, codes + first, n_of[kind],
					   task->idf->of, &task->damping);
		memcpy(row->number + n, features + first, n_of[kind] * sizeof(uint32_t));
		n += (uint32_t) n_of[kind];
	}
	return (AiSparseRow) {
		.index = row->number, .value = value, .n = n, .label = row->label,
		.norm = ai_sparse_norm(value, n)
	};
}

/* Task: one stretch of rows. */
static void
build_rows(void *arg, int64_t index, int thread)
{
	MatrixTask *task = arg;
	AiTextMatrix *matrix = task->matrix;
	int64_t		last = (index + 1) * AI_TEXT_ROWS_PER_TASK;

	for (int64_t i = index * AI_TEXT_ROWS_PER_TASK; i < last && i < matrix->n; i++)
	{
		if (ai_pool_should_stop(task->pool, thread))
			return;
		matrix->rows[i] = build_row(task, matrix->text_rows[i],
									task->values + task->first_value[i], thread);
	}
}

AiCode
ai_text_matrix_build(AiTextMatrix *matrix, const AiVocabularyOrder *order, const AiTextIdf *idf,
					 AiPool *pool, AiArena *arena, AiError *err)
{
	MatrixTask	task = {.matrix = matrix, .pool = pool, .order = order, .idf = idf};
	size_t		n_values = 0;
	size_t		n_scratch;

	ai_text_damping_init(&task.damping);
	matrix->rows = ai_arena_alloc(arena, (size_t) matrix->n * sizeof(AiSparseRow));
	task.first_value = ai_arena_alloc(arena, (size_t) matrix->n * sizeof(size_t));
	if (matrix->rows == NULL || task.first_value == NULL)
		return ai_out_of_memory(err, (size_t) matrix->n * sizeof(AiSparseRow), "rows");
	for (int64_t i = 0; i < matrix->n; i++)
	{
		uint32_t	n = matrix->text_rows[i]->n;

		task.first_value[i] = n_values;
		n_values += n;
		task.max_n = n > task.max_n ? n : task.max_n;
	}
	task.values = ai_arena_alloc(arena, n_values * sizeof(float));
	n_scratch = (task.max_n + 1) * AI_NGRAM_N_KINDS * (size_t) ai_pool_n_threads(pool);
	task.features = ai_arena_alloc(arena, n_scratch * sizeof(uint32_t));
	task.counts = ai_arena_alloc(arena, n_scratch);
	task.codes = ai_arena_alloc(arena, n_scratch);
	if (task.values == NULL || task.features == NULL || task.counts == NULL ||
		task.codes == NULL)
		return ai_out_of_memory(err, n_values * sizeof(float), "rows");
	return ai_pool_run(pool, build_rows, &task,
					   ai_text_n_row_tasks(matrix->n), err);
}

void
ai_text_matrix_select(AiSparseRow *to, const AiTextMatrix *matrix, bool has_ngrams, int n_dense)
{
	for (int64_t i = 0; i < matrix->n; i++)
	{
		to[i] = matrix->rows[i];
		if (!has_ngrams)
		{
			to[i].n = 0;
			to[i].norm = 0;
		}
		if (n_dense > 0)
		{
			to[i].dense = matrix->text_rows[i]->dense;
			to[i].norm += ai_sparse_norm(to[i].dense, (size_t) n_dense);
		}
	}
}

AiCode
ai_text_matrix_order(AiTextMatrix *matrix, AiTextRows *text_rows, const AiLabels *labels,
					 int n_folds, AiArena *arena, AiError *err)
{
	AiTextRow  *rows = ai_text_rows_get(text_rows, &matrix->n);
	size_t		n = (size_t) matrix->n;

	matrix->text_rows = ai_arena_alloc(arena, n * sizeof(AiTextRow *));
	matrix->fold = ai_arena_alloc(arena, n);
	if (matrix->text_rows == NULL || matrix->fold == NULL)
		return ai_out_of_memory(err, n * sizeof(AiTextRow *), "rows");
	for (size_t i = 0; i < n; i++)
	{
		rows[i].label = labels->items[rows[i].label].final;
		matrix->text_rows[i] = &rows[i];
		matrix->n_train += !rows[i].is_validation;
	}
	qsort(matrix->text_rows, n, sizeof(AiTextRow *), compare_rows);
	for (size_t i = 0; i < n; i++)
	{
		const AiTextRow *row = matrix->text_rows[i];

		matrix->fold[i] = ai_hash64(row->text, row->text_len, FOLD_SALT) % (uint64_t) n_folds;
	}
	return AI_OK;
}
