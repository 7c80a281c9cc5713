/*-------------------------------------------------------------------------
 * ref_dense.c
 *		Products of dense matrices as plain loops, and the table of the portable level.
 *
 * They say what the other levels compute and run where there is no other.  Here a product is
 * rounded before it is added; other levels fuse both.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

#include "core/kernels/loops/loops.h"

/* c:[n] of one row of A; the sum of a column grows in c, in the order of t and p */
static void
gemm_row(const AiGemm *g, float *c, const float *a, ptrdiff_t a_col)
{
	for (size_t j = 0; j < g->n; j++)
		c[j] = (g->adds ? c[j] : 0) + (g->bias != NULL ? g->bias[j] : 0);
	for (size_t t = 0; t < g->n_taps; t++)
	{
		for (size_t p = 0; p < g->k; p++)
		{
			float		factor = a[(ptrdiff_t) t * g->a_tap + (ptrdiff_t) p * a_col];
			const float *b = g->b + (ptrdiff_t) t * g->b_tap + (ptrdiff_t) p * g->b_row;

			for (size_t j = 0; j < g->n; j++)
				c[j] += factor * b[j];
		}
	}
	if (g->act != AI_ACT_LINEAR)
		activate(c, c, g->n, g->act);
}

void
ai_gemm_ref(const AiGemm *product)
{
	for (size_t i = 0; i < product->m; i++)
	{
		float	   *c = product->c + (ptrdiff_t) i * product->c_row;

		if (product->rows != NULL)
			gemm_row(product, c, product->a + product->rows[i], 1);
		else
			gemm_row(product, c, product->a + (ptrdiff_t) i * product->a_row, product->a_col);
	}
}

void
ai_transpose_ref(float *to, ptrdiff_t to_row, const float *from, ptrdiff_t from_row,
				 size_t n_rows, size_t n_cols)
{
	for (size_t i = 0; i < n_rows; i++)
	{
		for (size_t j = 0; j < n_cols; j++)
			to[(ptrdiff_t) j * to_row + (ptrdiff_t) i] =
				from[(ptrdiff_t) i * from_row + (ptrdiff_t) j];
	}
}

const AiKernels ai_kernels_portable = {
	AI_KERNELS_OF(ref),
	.transpose = ai_transpose_ref,
	AI_LOOPS
};
