/*-------------------------------------------------------------------------
 * attention.c
 *		Attention of one head over one text, in fp32 by the other kernels.
 *
 * Some rows of scores are computed at a time, so that they stay in the second cache.  They are
 * filled up with minus infinity to whole vectors.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/attention.h"

#include <math.h>

#include "core/base/host.h"
#include "core/kernels/attention_internal.h"

#define ROW_MULTIPLE 16
#define SCORES ((size_t) 64 * 1024) /* that are computed at a time, or those of a row */

static size_t
row_of_scores(size_t n_tokens)
{
	return (n_tokens + ROW_MULTIPLE - 1) / ROW_MULTIPLE * ROW_MULTIPLE;
}

static size_t
rows_at_once(size_t n_tokens)
{
	size_t		rows = SCORES / row_of_scores(n_tokens);

	return rows == 0 ? 1 : rows < n_tokens ? rows : n_tokens;
}

size_t
ai_attention_scratch(size_t n_tokens, size_t d)
{
	size_t		row = row_of_scores(n_tokens);
	size_t		size = (d + rows_at_once(n_tokens)) * row * sizeof(float);
#ifdef __x86_64__
	size_t		amx_size = ai_attention_amx_scratch(n_tokens, d);

	size = size > amx_size ? size : amx_size;
#endif
	return ai_align_size(size);
}

/* scores:[n_rows, row] of the rows from first on; transposed:[d, row] is k */
static void
compute_scores(const AiAttention *a, float *scores, const float *transposed, size_t first,
			   size_t n_rows)
{
	size_t		row = row_of_scores(a->n_tokens);

	ai_kernels()->gemm(&(AiGemm) {
		.m = n_rows, .n = row, .k = a->d, .n_taps = 1,
		.a = a->q + first * a->row, .a_row = (ptrdiff_t) a->row, .a_col = 1,
		.b = transposed, .b_row = (ptrdiff_t) row,
		.c = scores, .c_row = (ptrdiff_t) row
	});
	if (a->scale != 1)
		ai_kernels()->scale(scores, scores, n_rows * row, a->scale, 0);
	for (size_t i = 0; i < n_rows; i++)
	{
		if (a->by_distance != NULL)
			ai_kernels()->add(scores + i * row, a->by_distance - (first + i), a->n_tokens);
		for (size_t j = a->n_tokens; j < row; j++)
			scores[i * row + j] = -INFINITY;
	}
}

void
ai_attention_fp32(const AiAttention *a)
{
	size_t		row = row_of_scores(a->n_tokens);
	size_t		at_once = rows_at_once(a->n_tokens);
	float	   *transposed = a->scratch;
	float	   *scores = transposed + a->d * row;

	memset(transposed, 0, a->d * row * sizeof(float));
	ai_kernels()->transpose(transposed, (ptrdiff_t) row, a->k, (ptrdiff_t) a->row, a->n_tokens,
							a->d);
	for (size_t first = 0; first < a->n_tokens; first += at_once)
	{
		size_t		n_rows = a->n_tokens - first < at_once ? a->n_tokens - first : at_once;

		compute_scores(a, scores, transposed, first, n_rows);
		ai_kernels()->softmax(scores, scores, n_rows, row);
		ai_kernels()->gemm(&(AiGemm) {
			.m = n_rows, .n = a->d, .k = a->n_tokens, .n_taps = 1,
			.a = scores, .a_row = (ptrdiff_t) row, .a_col = 1,
			.b = a->v, .b_row = (ptrdiff_t) a->row,
			.c = a->y + first * a->y_row, .c_row = (ptrdiff_t) a->y_row
		});
	}
}

void
ai_attention(const AiAttention *a)
{
#ifdef __x86_64__
	if (a->precision != AI_PRECISION_FP32 && ai_attention_amx_takes(a->d))
	{
		ai_attention_amx(a);
		return;
	}
#endif
	ai_attention_fp32(a);
}
