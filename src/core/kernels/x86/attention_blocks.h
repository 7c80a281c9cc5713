/*-------------------------------------------------------------------------
 * attention_blocks.h
 *		Attention of one head over one text, by blocks of queries, AVX-512.
 *
 * Included once by each file that computes it.  Before, the file defines what a word is, 32 bits of
 * a sum's factors:
 *
 *	PER_WORD					numbers in a word
 *	add_words(sums, x, words)	sums of a vector plus a word of a row times words of columns
 *	lay_out_keys()				keys:[n_keys / 16, d / PER_WORD, 16]
 *	lay_out_values()			values:[steps, d / 16, 16, 16], words of tokens by numbers
 *	lay_out_query()				a query's words, times a factor
 *	store_weights()				a step of weights: 16 words
 *
 * A step is what 16 words of weights hold, 16 * PER_WORD tokens.  A block is up to 12 queries,
 * whose scores and weights stay in the first cache.  Both products are tiles of its rows by two
 * vectors, so that each word that is loaded is used by all rows.  Weights are divided by their sum
 * at the end.  What lies beyond the text is 0.
 *-------------------------------------------------------------------------
 */
#include <math.h>

#include "core/base/host.h"
#include "core/kernels/x86/attention_avx512.h"
#include "core/kernels/x86/tiles.h"

#define BLOCK_ROWS 12
#define ROWS_MULTIPLE 4			/* blocks have 4, 8 or 12 rows */
#define TILE_VECTORS 2
#define TILE_COLUMNS (TILE_VECTORS * LANES)
#define QUERY_ROW AI_ATTENTION_MOST_WORDS

/* Scratch of a text */
typedef struct Work
{
	size_t		n_keys;			/* a multiple of 32 */
	size_t		n_words;		/* of a query */
	uint32_t   *keys;
	uint32_t   *values;
	uint32_t   *queries;		/* [12, QUERY_ROW] */
	float	   *scores;			/* [n_keys / 16, 12, 16], times LOG2_E */
	uint32_t   *weights;		/* [steps, 12, 16] */
} Work;

static inline size_t
scratch_of(size_t n_tokens, size_t d)
{
	size_t		n_keys = n_keys_of(n_tokens);

	return (2 * n_keys * d / PER_WORD + BLOCK_ROWS * (QUERY_ROW + n_keys + n_keys / PER_WORD)) *
		sizeof(uint32_t);
}

static inline Work
make_work(const AiAttention *a)
{
	Work		work = {.n_keys = n_keys_of(a->n_tokens), .n_words = a->d / PER_WORD};

	work.keys = a->scratch;
	work.values = work.keys + work.n_keys * work.n_words;
	work.queries = work.values + work.n_keys * work.n_words;
	work.scores = (float *) (work.queries + BLOCK_ROWS * QUERY_ROW);
	work.weights = (uint32_t *) (work.scores + BLOCK_ROWS * work.n_keys);
	return work;
}

static inline __attribute__((always_inline)) void
compute_scores(const Work *work, int n_rows)
{
	const uint32_t *left = work->keys;

	for (size_t j = 0; j < work->n_keys; j += TILE_COLUMNS)
	{
		const uint32_t *right = left + work->n_words * LANES;
		float	   *scores = work->scores + j * BLOCK_ROWS;
		__m512		sums[BLOCK_ROWS][TILE_VECTORS];

		AI_UNROLL
		for (int r = 0; r < n_rows; r++)
			sums[r][0] = sums[r][1] = _mm512_setzero_ps();
		for (size_t p = 0; p < work->n_words; p++)
		{
			__m512i		words[TILE_VECTORS] = {
				_mm512_load_si512(left + p * LANES), _mm512_load_si512(right + p * LANES)
			};

			AI_UNROLL
			for (int r = 0; r < n_rows; r++)
			{
				__m512i		x = _mm512_set1_epi32((int) work->queries[r * QUERY_ROW + p]);

				sums[r][0] = add_words(sums[r][0], x, words[0]);
				sums[r][1] = add_words(sums[r][1], x, words[1]);
			}
		}
		AI_UNROLL
		for (int r = 0; r < n_rows; r++)
		{
			_mm512_store_ps(scores + r * LANES, sums[r][0]);
			_mm512_store_ps(scores + (BLOCK_ROWS + r) * LANES, sums[r][1]);
		}
		left = right + work->n_words * LANES;
	}
}

/* Adds what depends on the distance, if anything does, and fills up rows */
static void
complete_scores(const AiAttention *a, const Work *work, size_t first, size_t n_rows)
{
	size_t		j = a->by_distance != NULL ? 0 : a->n_tokens / LANES * LANES;

	for (; j < work->n_keys; j += LANES)
	{
		size_t		n_there = j < a->n_tokens ? ai_least(LANES, a->n_tokens - j) : 0;
		__mmask16	there = (__mmask16) ((1u << n_there) - 1);

		for (size_t r = 0; r < n_rows; r++)
		{
			float	   *scores = work->scores + j * BLOCK_ROWS + r * LANES;
			__m512		it = _mm512_load_ps(scores);

			if (a->by_distance != NULL)
				it = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(there, a->by_distance + (ptrdiff_t) j -
														   (ptrdiff_t) (first + r)),
									 _mm512_set1_ps(LOG2_E), it);
			_mm512_store_ps(scores, _mm512_mask_blend_ps(there, _mm512_set1_ps(-INFINITY), it));
		}
	}
}

/* Scores to weights; inverse:[n_rows] = 1 / sum of a row's weights */
static inline __attribute__((always_inline)) void
compute_weights(const Work *work, float *inverse, int n_rows)
{
	__m512		max[BLOCK_ROWS];
	__m512		sum[BLOCK_ROWS];

	AI_UNROLL
	for (int r = 0; r < n_rows; r++)
	{
		max[r] = _mm512_set1_ps(-INFINITY);
		sum[r] = _mm512_setzero_ps();
	}
	for (size_t j = 0; j < work->n_keys; j += LANES)
	{
		AI_UNROLL
		for (int r = 0; r < n_rows; r++)
			max[r] = _mm512_max_ps(max[r], _mm512_load_ps(work->scores + j * BLOCK_ROWS +
														  r * LANES));
	}
	AI_UNROLL
	for (int r = 0; r < n_rows; r++)
		max[r] = _mm512_set1_ps(_mm512_reduce_max_ps(max[r]));
	for (size_t j = 0; j < work->n_keys; j += LANES * PER_WORD)
	{
		const float *scores = work->scores + j * BLOCK_ROWS;
		uint32_t   *weights = work->weights + j / PER_WORD * BLOCK_ROWS;

		AI_UNROLL
		for (int r = 0; r < n_rows; r++)
		{
			__m512		powers[PER_WORD];

			for (int i = 0; i < PER_WORD; i++)
			{
				__m512		it = _mm512_load_ps(scores + (i * BLOCK_ROWS + r) * LANES);

				powers[i] = power_of_two(_mm512_sub_ps(it, max[r]));
				sum[r] = _mm512_add_ps(sum[r], powers[i]);
			}
			store_weights(weights + r * LANES, powers);
		}
	}
	AI_UNROLL
	for (int r = 0; r < n_rows; r++)
		inverse[r] = 1 / _mm512_reduce_add_ps(sum[r]);
}

/* The numbers from p on, of the first n_there of n_rows rows */
static inline __attribute__((always_inline)) void
sum_values(const AiAttention *a, const Work *work, const float *inverse, size_t first,
		   size_t n_there, size_t p, int n_rows)
{
	const uint32_t *values = work->values + p * LANES;
	const uint32_t *weights = work->weights;
	__m512		sums[BLOCK_ROWS][TILE_VECTORS];

	AI_UNROLL
	for (int r = 0; r < n_rows; r++)
		sums[r][0] = sums[r][1] = _mm512_setzero_ps();
	for (size_t j = 0; j < work->n_keys; j += LANES * PER_WORD)
	{
		for (size_t i = 0; i < LANES; i++)
		{
			__m512i		words[TILE_VECTORS] = {
				_mm512_load_si512(values + i * LANES),
				_mm512_load_si512(values + PANEL_SIZE + i * LANES)
			};

			AI_UNROLL
			for (int r = 0; r < n_rows; r++)
			{
				__m512i		x = _mm512_set1_epi32((int) weights[r * LANES + i]);

				sums[r][0] = add_words(sums[r][0], x, words[0]);
				sums[r][1] = add_words(sums[r][1], x, words[1]);
			}
		}
		values += a->d * LANES;
		weights += BLOCK_ROWS * LANES;
	}
	AI_UNROLL
	for (int r = 0; r < n_rows; r++)
	{
		__m512		factor = _mm512_set1_ps(inverse[r]);
		float	   *y = a->y + (first + (size_t) r) * a->y_row + p;

		if ((size_t) r < n_there)
		{
			_mm512_storeu_ps(y, _mm512_mul_ps(sums[r][0], factor));
			_mm512_storeu_ps(y + LANES, _mm512_mul_ps(sums[r][1], factor));
		}
	}
}

/* Heads lie side by side: of long texts, the next one's numbers are not in the second cache */
static inline void
fetch_next_head(const AiAttention *a, size_t first, size_t n_rows)
{
	for (size_t r = first; r < first + n_rows; r++)
	{
		for (size_t p = a->d; p < 2 * a->d; p += LANES)
		{
			__builtin_prefetch(a->q + r * a->row + p, 0, 2);
			__builtin_prefetch(a->k + r * a->row + p, 0, 2);
			__builtin_prefetch(a->v + r * a->row + p, 0, 2);
		}
	}
}

static inline __attribute__((always_inline)) void
compute_block(const AiAttention *a, const Work *work, size_t first, size_t n_there, int n_rows)
{
	float		inverse[BLOCK_ROWS];

	for (size_t r = 0; r < (size_t) n_rows; r++)
	{
		if (r < n_there)
			lay_out_query(work->queries + r * QUERY_ROW, a->q + (first + r) * a->row, a->d,
						  a->scale * LOG2_E);
		else
			memset(work->queries + r * QUERY_ROW, 0, work->n_words * sizeof(uint32_t));
	}
	fetch_next_head(a, first, n_there);
	compute_scores(work, n_rows);
	complete_scores(a, work, first, n_there);
	compute_weights(work, inverse, n_rows);
	for (size_t p = 0; p < a->d; p += TILE_COLUMNS)
		sum_values(a, work, inverse, first, n_there, p, n_rows);
}

static inline void
attend_by_blocks(const AiAttention *a)
{
	Work		work = make_work(a);
	size_t		n_parts = (a->n_tokens + ROWS_MULTIPLE - 1) / ROWS_MULTIPLE;
	size_t		n_blocks = (a->n_tokens + BLOCK_ROWS - 1) / BLOCK_ROWS;

	lay_out_keys(a, work.keys, work.n_keys);
	lay_out_values(a, work.values, work.n_keys);
	for (size_t i = 0; i < n_blocks; i++)
	{
		size_t		first = ai_part_begin(n_parts, n_blocks, i) * ROWS_MULTIPLE;
		size_t		end = ai_part_begin(n_parts, n_blocks, i + 1) * ROWS_MULTIPLE;
		size_t		n_there = ai_least(end, a->n_tokens) - first;

		switch (end - first)
		{
			case 4:
				compute_block(a, &work, first, n_there, 4);
				break;
			case 8:
				compute_block(a, &work, first, n_there, 8);
				break;
			default:
				compute_block(a, &work, first, n_there, 12);
		}
	}
}
