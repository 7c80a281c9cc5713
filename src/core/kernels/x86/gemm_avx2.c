/*-------------------------------------------------------------------------
 * gemm_avx2.c
 *		Products of dense matrices, AVX2 and FMA.
 *
 * A tile is up to 6 rows of 16 columns: 12 of the 16 registers are sums.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

#include <immintrin.h>

#include "core/kernels/x86/gemm_blocks.h"
#include "core/kernels/x86/lanes_of_eight.h"

static inline __attribute__((always_inline)) void
compute_tile(const AiTile *tile, int n_rows, int n_vectors, bool is_masked)
{
	__m256i		last = lanes_below(tile->n_last);
	__m256		floor = _mm256_set1_ps(tile->floor);
	__m256		sum[AI_TILE_MAX_ROWS][AI_TILE_MAX_VECTORS];
	const float *a[AI_TILE_MAX_ROWS];

	AI_UNROLL
	for (int r = 0; r < n_rows; r++)
	{
		const float *from = tile->from + r * tile->from_row;

		a[r] = tile->a[r];
		AI_UNROLL
		for (int v = 0; v < n_vectors; v++)
			sum[r][v] = is_masked && v == n_vectors - 1
				? _mm256_maskload_ps(from + 8 * v, last)
				: _mm256_loadu_ps(from + 8 * v);
	}
	for (size_t t = 0; t < tile->n_taps; t++)
	{
		const float *b = tile->b + (ptrdiff_t) t * tile->b_tap;
		ptrdiff_t	at = (ptrdiff_t) t * tile->a_tap;

		for (size_t p = tile->k; p > 0; p--)
		{
			__m256		row[AI_TILE_MAX_VECTORS];

			AI_UNROLL
			for (int v = 0; v < n_vectors; v++)
				row[v] = is_masked && v == n_vectors - 1
					? _mm256_maskload_ps(b + 8 * v, last)
					: _mm256_loadu_ps(b + 8 * v);
			AI_UNROLL
			for (int r = 0; r < n_rows; r++)
			{
				__m256		factor = _mm256_set1_ps(a[r][at]);

				AI_UNROLL
				for (int v = 0; v < n_vectors; v++)
					sum[r][v] = _mm256_fmadd_ps(factor, row[v], sum[r][v]);
			}
			at += tile->a_col;
			b += tile->b_row;
		}
	}
	AI_UNROLL
	for (int r = 0; r < n_rows; r++)
	{
		float	   *c = tile->c + r * tile->c_row;

		/* the sum as second operand, so that it stays what it is if it is NaN */
		AI_UNROLL
		for (int v = 0; v < n_vectors; v++)
		{
			if (is_masked && v == n_vectors - 1)
				_mm256_maskstore_ps(c + 8 * v, last, _mm256_max_ps(floor, sum[r][v]));
			else
				_mm256_storeu_ps(c + 8 * v, _mm256_max_ps(floor, sum[r][v]));
		}
	}
}

AI_TILES_OF_8(1)
AI_TILES_OF_6(2)

#define TILE_NAMES(kind) \
	{ \
		{ AI_TILE_NAMES_OF_8(kind, 1) }, \
		{ \
			AI_TILE_NAMES_OF_6(kind, 2) \
		} \
	}

static const AiTiles tiles = {
	.lanes = 8,
	.max_vectors = 2,
	.max_rows = {8, 6},
	.whole = TILE_NAMES(whole),
	.masked = TILE_NAMES(masked),
	.level = &ai_kernels_avx2
};

void
ai_gemm_avx2(const AiGemm *product)
{
	ai_gemm_by_tiles(product, &tiles);
}
