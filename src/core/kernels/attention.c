/*-------------------------------------------------------------------------
 * attention.c
 *		Attention of one head over one text: in fp32 by the other kernels, and which way of it runs.
 *
 * Here some rows of scores are computed at a time, so that they stay in the second cache.  They are
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

static size_t
scratch_by_kernels(size_t n_tokens, size_t d)
{
	return (d + rows_at_once(n_tokens)) * row_of_scores(n_tokens) * sizeof(float);
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

static void
attend_by_kernels(const AiAttention *a)
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

/*
 * Ways
 */

static const AiAttentionWay ways[] = {
	{"kernels", AI_PRECISION_FP32, AI_CPU_PORTABLE, .multiple = 1, .most = SIZE_MAX,
	.scratch = scratch_by_kernels, .attend = attend_by_kernels},
#ifdef __x86_64__
	{"avx512", AI_PRECISION_FP32, AI_CPU_AVX512, NULL, 32, AI_ATTENTION_MOST_WORDS,
	ai_attention_fp32_avx512_scratch, ai_attention_fp32_avx512},
	{"avx512 bf16", AI_PRECISION_BF16, AI_CPU_AVX512, ai_cpu_has_bf16, 32,
		2 * AI_ATTENTION_MOST_WORDS,
	ai_attention_dpbf16_avx512_scratch, ai_attention_dpbf16_avx512},
	{"amx", AI_PRECISION_BF16, AI_CPU_AVX512, ai_cpu_has_amx, 32, SIZE_MAX,
	ai_attention_amx_scratch, ai_attention_amx},
#endif
};

#define N_WAYS (sizeof(ways) / sizeof(ways[0]))

const AiAttentionWay *
ai_attention_way(size_t i)
{
	return i < N_WAYS ? &ways[i] : NULL;
}

bool
ai_attention_way_takes(const AiAttentionWay *way, const AiAttention *a)
{
	return (way->precision == AI_PRECISION_FP32 || a->precision != AI_PRECISION_FP32) &&
		a->d % way->multiple == 0 && a->d <= way->most && way->level <= ai_kernels_level() &&
		(way->is_there == NULL || way->is_there());
}

size_t
ai_attention_scratch(size_t n_tokens, size_t d)
{
	size_t		most = 0;

	for (size_t i = 0; i < N_WAYS; i++)
	{
		size_t		size = ways[i].scratch(n_tokens, d);

		most = size > most ? size : most;
	}
	return ai_align_size(most);
}

void
ai_attention(const AiAttention *a)
{
	size_t		i = N_WAYS - 1;

	while (!ai_attention_way_takes(&ways[i], a))
		i--;
	ways[i].attend(a);
}
