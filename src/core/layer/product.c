/*-------------------------------------------------------------------------
 * product.c
 *		A product in slices of rows or columns: each number's sum is the same in any of them.
 *-------------------------------------------------------------------------
 */
#include "core/layer/product.h"

#define SLICE_TERMS ((double) (1 << 28))	/* a few milliseconds */
#define SLICE_ROWS ((size_t) 64)	/* at least: those of a shard, which share what is read of b */
#define SLICE_COLUMNS ((size_t) 192)	/* whole tiles at every level */

/* How many of n at a time, in multiples of least */
static size_t
slice(size_t n, double terms_of_one, size_t least)
{
	double		most = SLICE_TERMS / terms_of_one;

	if (most >= (double) n)
		return n;
	return most > (double) least ? (size_t) most / least * least : least;
}

static AiGemm
cut(const AiGemm *gemm, size_t row, size_t n_rows, size_t column, size_t n_columns)
{
	AiGemm		it = *gemm;

	it.m = n_rows < gemm->m - row ? n_rows : gemm->m - row;
	it.n = n_columns < gemm->n - column ? n_columns : gemm->n - column;
	if (gemm->rows != NULL)
		it.rows += row;
	else
		it.a += (ptrdiff_t) row * gemm->a_row;
	it.b += column;
	it.c += (ptrdiff_t) row * gemm->c_row + (ptrdiff_t) column;
	if (gemm->bias != NULL)
		it.bias += column;
	return it;
}

void
ai_product(const AiPass *pass, const AiGemm *gemm)
{
	double		terms = (double) gemm->k * (double) gemm->n_taps;
	size_t		n_rows = slice(gemm->m, terms * (double) gemm->n, SLICE_ROWS);
	size_t		n_columns = slice(gemm->n, terms * (double) n_rows, SLICE_COLUMNS);
	bool		is_long = terms * (double) gemm->m * (double) gemm->n > SLICE_TERMS / 8;

	for (size_t row = 0; row < gemm->m; row += n_rows)
	{
		for (size_t column = 0; column < gemm->n; column += n_columns)
		{
			AiGemm		it = cut(gemm, row, n_rows, column, n_columns);

			if (is_long && ai_pass_should_stop(pass))
				return;
			ai_kernels()->gemm(&it);
		}
	}
}
