/*-------------------------------------------------------------------------
 * attention_amx_avx512.c
 *		Attention of one head over one text, in bf16, AMX.
 *
 * Keys and values are laid out in tiles once; then 32 rows of queries at a time get their scores,
 * the exponentials of these as bf16, and the sums of values, which are divided at the end.  What
 * lies beyond the text is 0.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

#include <math.h>

#include "core/base/host.h"
#include "core/kernels/x86/amx_tiles.h"
#include "core/kernels/x86/attention_avx512.h"
#include "core/kernels/x86/tiles.h"

#define BLOCK_ROWS (2 * AMX_ROWS)
#define TILE_SIZE PANEL_SIZE		/* in words */

/* Scratch of a text */
typedef struct Work
{
	size_t		n_keys;			/* a multiple of 32 */
	size_t		d;
	uint32_t   *keys;			/* [n_keys / 16, d / 32] tiles: pairs of numbers by keys */
	uint32_t   *values;			/* [n_keys / 32, d / 16] tiles: pairs of tokens by numbers */
	uint16_t   *queries;		/* [32, d] */
	float	   *scores;			/* [32, n_keys], times LOG2_E */
	uint16_t   *weights;		/* [32, n_keys] */
	float		inverse[BLOCK_ROWS];	/* 1 / sum of a row's weights */
} Work;

size_t
ai_attention_amx_scratch(size_t n_tokens, size_t d)
{
	size_t		n_keys = n_keys_of(n_tokens);

	return 2 * n_keys * d * sizeof(uint16_t) + BLOCK_ROWS * d * sizeof(uint16_t) +
		BLOCK_ROWS * n_keys * (sizeof(float) + sizeof(uint16_t));
}

static Work
make_work(const AiAttention *a)
{
	Work		work = {.n_keys = n_keys_of(a->n_tokens), .d = a->d, .keys = a->scratch};

	work.values = work.keys + work.n_keys * a->d / 2;
	work.scores = (float *) (work.values + work.n_keys * a->d / 2);
	work.weights = (uint16_t *) (work.scores + BLOCK_ROWS * work.n_keys);
	work.queries = work.weights + BLOCK_ROWS * work.n_keys;
	return work;
}

static void
lay_out_queries(const AiAttention *a, const Work *work, size_t first, size_t n_rows)
{
	for (size_t r = 0; r < n_rows; r++)
	{
		for (size_t p = 0; p < a->d; p += STEP)
			_mm512_storeu_si512(work->queries + r * a->d + p,
								round_numbers(a->q + (first + r) * a->row + p,
											  a->scale * LOG2_E));
	}
	memset(work->queries + n_rows * a->d, 0, (BLOCK_ROWS - n_rows) * a->d * sizeof(uint16_t));
}

static void
compute_scores(const Work *work)
{
	size_t		row = work->d * sizeof(uint16_t);
	size_t		scores_row = work->n_keys * sizeof(float);
	const uint32_t *left = work->keys;
	const uint32_t *right = left + work->d / STEP * TILE_SIZE;

	for (size_t j = 0; j < work->n_keys; j += 2 * AMX_ROWS)
	{
		float	   *upper = work->scores + j;
		float	   *lower = upper + AMX_ROWS * work->n_keys;

		clear_sums();
		for (size_t p = 0; p < work->d; p += STEP)
		{
			_tile_loadd(4, work->queries + p, row);
			_tile_loadd(6, left, AMX_BYTES);
			_tile_loadd(7, right, AMX_BYTES);
			_tile_loadd(5, work->queries + AMX_ROWS * work->d + p, row);
			_tile_dpbf16ps(0, 4, 6);
			_tile_dpbf16ps(1, 4, 7);
			_tile_dpbf16ps(2, 5, 6);
			_tile_dpbf16ps(3, 5, 7);
			left += TILE_SIZE;
			right += TILE_SIZE;
		}
		left = right;
		right += work->d / STEP * TILE_SIZE;
		_tile_stored(0, upper, scores_row);
		_tile_stored(1, upper + AMX_WORDS, scores_row);
		_tile_stored(2, lower, scores_row);
		_tile_stored(3, lower + AMX_WORDS, scores_row);
	}
}

/* Adds what depends on the distance, if anything does, and fills up rows */
static void
complete_scores(const AiAttention *a, const Work *work, size_t first, size_t n_rows)
{
	for (size_t r = 0; r < n_rows; r++)
	{
		float	   *scores = work->scores + r * work->n_keys;

		for (size_t j = 0; a->by_distance != NULL && j < a->n_tokens; j++)
			scores[j] += LOG2_E *
				a->by_distance[(ptrdiff_t) j - (ptrdiff_t) (first + r)];
		for (size_t j = a->n_tokens; j < work->n_keys; j++)
			scores[j] = -INFINITY;
	}
}

/* A row of scores to weights, and the inverse of their sum */
static inline float
compute_weights(uint16_t *weights, const float *scores, size_t n_keys)
{
	__m512		max = _mm512_loadu_ps(scores);
	__m512		sum = _mm512_setzero_ps();

	for (size_t j = 16; j < n_keys; j += 16)
		max = _mm512_max_ps(max, _mm512_loadu_ps(scores + j));
	max = _mm512_set1_ps(_mm512_reduce_max_ps(max));
	for (size_t j = 0; j < n_keys; j += STEP)
	{
		__m512		left = power_of_two(_mm512_sub_ps(_mm512_loadu_ps(scores + j), max));
		__m512		right = power_of_two(_mm512_sub_ps(_mm512_loadu_ps(scores + j + 16), max));

		sum = _mm512_add_ps(sum, _mm512_add_ps(left, right));
		_mm512_storeu_si512(weights + j, (__m512i) _mm512_cvtne2ps_pbh(right, left));
	}
	return 1 / _mm512_reduce_add_ps(sum);
}

static void
sum_values(const AiAttention *a, const Work *work, size_t first, size_t n_rows)
{
	_Alignas(64) float sums[BLOCK_ROWS * STEP];
	size_t		row = work->n_keys * sizeof(uint16_t);
	const size_t sums_row = STEP * sizeof(float);

	for (size_t p = 0; p < a->d; p += STEP)
	{
		const uint32_t *values = work->values + p / AMX_WORDS * TILE_SIZE;

		clear_sums();
		for (size_t j = 0; j < work->n_keys; j += STEP)
		{
			_tile_loadd(4, work->weights + j, row);
			_tile_loadd(6, values, AMX_BYTES);
			_tile_loadd(7, values + TILE_SIZE, AMX_BYTES);
			_tile_loadd(5, work->weights + AMX_ROWS * work->n_keys + j, row);
			_tile_dpbf16ps(0, 4, 6);
			_tile_dpbf16ps(1, 4, 7);
			_tile_dpbf16ps(2, 5, 6);
			_tile_dpbf16ps(3, 5, 7);
			values += a->d / AMX_WORDS * TILE_SIZE;
		}
		_tile_stored(0, sums, sums_row);
		_tile_stored(1, sums + AMX_WORDS, sums_row);
		_tile_stored(2, sums + AMX_ROWS * STEP, sums_row);
		_tile_stored(3, sums + AMX_ROWS * STEP + AMX_WORDS, sums_row);
		for (size_t r = 0; r < n_rows; r++)
		{
			__m512		inverse = _mm512_set1_ps(work->inverse[r]);
			float	   *y = a->y + (first + r) * a->y_row + p;

			_mm512_storeu_ps(y, _mm512_mul_ps(_mm512_load_ps(sums + r * STEP), inverse));
			_mm512_storeu_ps(y + 16, _mm512_mul_ps(_mm512_load_ps(sums + r * STEP + 16), inverse));
		}
	}
}

void
ai_attention_amx(const AiAttention *a)
{
	Work		work = make_work(a);

	lay_out_keys_of_bf16(a, work.keys, work.n_keys);
	lay_out_values_of_bf16(a, work.values, work.n_keys);
	memset(work.weights, 0, BLOCK_ROWS * work.n_keys * sizeof(uint16_t));
	configure_tiles(AMX_ROWS, AMX_ROWS);
	for (size_t first = 0; first < a->n_tokens; first += BLOCK_ROWS)
	{
		size_t		n_rows = ai_least(BLOCK_ROWS, a->n_tokens - first);

		lay_out_queries(a, &work, first, n_rows);
		compute_scores(&work);
		complete_scores(a, &work, first, n_rows);
		for (size_t r = 0; r < n_rows; r++)
			work.inverse[r] = compute_weights(work.weights + r * work.n_keys,
											  work.scores + r * work.n_keys, work.n_keys);
		sum_values(a, &work, first, n_rows);
	}
	_tile_release();
}
