/*-------------------------------------------------------------------------
 * gemm_avx512.c
 *		Products of dense matrices, AVX-512.
 *
 * A tile is up to 6 rows of 64 columns or 8 of 48: 24 sums in registers, which is more than
 * the 8 fused operations that are under way at a time, while each loaded number is used 4 or
 * 6 times.  More rows would need more pointers than there are registers.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

#include <immintrin.h>

#include "core/kernels/x86/gemm_blocks.h"

static inline __attribute__((always_inline)) void
compute_tile(const AiTile *tile, int n_rows, int n_vectors, bool is_masked)
{
	__mmask16	last = (__mmask16) ((1u << tile->n_last) - 1);
	__m512		floor = _mm512_set1_ps(tile->floor);
	__m512		sum[AI_TILE_MAX_ROWS][AI_TILE_MAX_VECTORS];
	const float *a[AI_TILE_MAX_ROWS];

	AI_UNROLL
	for (int r = 0; r < n_rows; r++)
	{
		const float *from = tile->from + r * tile->from_row;

		a[r] = tile->a[r];
		AI_UNROLL
		for (int v = 0; v < n_vectors; v++)
			sum[r][v] = is_masked && v == n_vectors - 1
				? _mm512_maskz_loadu_ps(last, from + 16 * v)
				: _mm512_loadu_ps(from + 16 * v);
	}
	for (size_t t = 0; t < tile->n_taps; t++)
	{
		const float *b = tile->b + (ptrdiff_t) t * tile->b_tap;
		ptrdiff_t	at = (ptrdiff_t) t * tile->a_tap;

		for (size_t p = tile->k; p > 0; p--)
		{
			__m512		row[AI_TILE_MAX_VECTORS];

			AI_UNROLL
			for (int v = 0; v < n_vectors; v++)
				row[v] = is_masked && v == n_vectors - 1
					? _mm512_maskz_loadu_ps(last, b + 16 * v)
					: _mm512_loadu_ps(b + 16 * v);
			AI_UNROLL
			for (int r = 0; r < n_rows; r++)
			{
				__m512		factor = _mm512_set1_ps(a[r][at]);

				AI_UNROLL
				for (int v = 0; v < n_vectors; v++)
					sum[r][v] = _mm512_fmadd_ps(factor, row[v], sum[r][v]);
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
				_mm512_mask_storeu_ps(c + 16 * v, last, _mm512_max_ps(floor, sum[r][v]));
			else
				_mm512_storeu_ps(c + 16 * v, _mm512_max_ps(floor, sum[r][v]));
		}
	}
}

AI_TILES_OF_8(1)
AI_TILES_OF_8(2)
AI_TILES_OF_8(3)
AI_TILES_OF_6(4)

#define TILE_NAMES(kind) \
	{ \
		{ AI_TILE_NAMES_OF_8(kind, 1) }, { AI_TILE_NAMES_OF_8(kind, 2) }, \
			{ AI_TILE_NAMES_OF_8(kind, 3) }, \
		{ \
			AI_TILE_NAMES_OF_6(kind, 4) \
		} \
	}

static const AiTiles tiles = {
	.lanes = 16,
	.max_vectors = 4,
	.max_rows = {8, 8, 8, 6},
	.whole = TILE_NAMES(whole),
	.masked = TILE_NAMES(masked),
	.level = &ai_kernels_avx512
};

void
ai_gemm_avx512(const AiGemm *product)
{
	ai_gemm_by_tiles(product, &tiles);
}
