/*-------------------------------------------------------------------------
 * transpose_avx2.c
 *		Transposing by blocks of 8 rows and 8 columns; for AVX-512 too.
 *
 * Blocks are taken down the columns of the source, so that what is written is contiguous.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

#include <immintrin.h>

/* Pairs of rows, then pairs of pairs, then the halves of registers */
static inline void
transpose_block(float *to, ptrdiff_t to_row, const float *from, ptrdiff_t from_row)
{
	__m256		row[8];
	__m256		pair[8];
	__m256		four[8];

	for (int i = 0; i < 8; i++)
		row[i] = _mm256_loadu_ps(from + i * from_row);
	for (int i = 0; i < 8; i += 2)
	{
		pair[i] = _mm256_unpacklo_ps(row[i], row[i + 1]);
		pair[i + 1] = _mm256_unpackhi_ps(row[i], row[i + 1]);
	}
	for (int i = 0; i < 8; i += 4)
	{
		four[i] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0x44);
		four[i + 1] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0xEE);
		four[i + 2] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0x44);
		four[i + 3] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0xEE);
	}
	for (int i = 0; i < 4; i++)
	{
		_mm256_storeu_ps(to + i * to_row, _mm256_permute2f128_ps(four[i], four[i + 4], 0x20));
		_mm256_storeu_ps(to + (i + 4) * to_row, _mm256_permute2f128_ps(four[i], four[i + 4], 0x31));
	}
}

static inline void
transpose_rest(float *to, ptrdiff_t to_row, const float *from, ptrdiff_t from_row, size_t n_rows,
			   size_t n_cols)
{
	for (size_t j = 0; j < n_cols; j++)
	{
		for (size_t i = 0; i < n_rows; i++)
			to[(ptrdiff_t) j * to_row + (ptrdiff_t) i] =
				from[(ptrdiff_t) i * from_row + (ptrdiff_t) j];
	}
}

void
ai_transpose_avx2(float *to, ptrdiff_t to_row, const float *from, ptrdiff_t from_row,
				  size_t n_rows, size_t n_cols)
{
	size_t		whole_rows = n_rows & ~(size_t) 7;
	size_t		whole_cols = n_cols & ~(size_t) 7;

	for (size_t j = 0; j < whole_cols; j += 8)
	{
		float	   *out = to + (ptrdiff_t) j * to_row;

		for (size_t i = 0; i < whole_rows; i += 8)
			transpose_block(out + i, to_row, from + (ptrdiff_t) i * from_row + j, from_row);
		transpose_rest(out + whole_rows, to_row, from + (ptrdiff_t) whole_rows * from_row + j,
					   from_row, n_rows - whole_rows, 8);
	}
	transpose_rest(to + (ptrdiff_t) whole_cols * to_row, to_row, from + whole_cols, from_row,
				   n_rows, n_cols - whole_cols);
}
