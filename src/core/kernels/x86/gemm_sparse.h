/*-------------------------------------------------------------------------
 * gemm_sparse.h
 *		A product whose first matrix has many zeros, the same from AVX2 on.
 *
 * A row's terms that are not 0 are listed, some at a time; then the sums of a few vectors of
 * columns grow in registers while the list is gone through, for one tap after the other.  A level
 * brings list_terms() and add_terms().
 *-------------------------------------------------------------------------
 */
#ifndef AI_GEMM_SPARSE_H
#define AI_GEMM_SPARSE_H

#include "core/kernels/kernels.h"

#define LIST_TERMS 256
#define PANEL_VECTORS 8

typedef struct AiTerms
{
	size_t		n;
	float		value[LIST_TERMS + 16];	/* lists are written by vectors */
	uint32_t	row[LIST_TERMS + 16];
} AiTerms;

/* terms: those of n numbers of a that are not 0, n at most LIST_TERMS */
static inline void list_terms(AiTerms *terms, const float *a, const uint32_t *rows, size_t n);

/* c[j] += the sum of value * b[row + j], of n_vectors vectors, the last one of n_last numbers */
static inline __attribute__((always_inline)) void add_terms(float *c, const AiTerms *terms,
															const float *b, int n_vectors,
															size_t n_last);

static inline __attribute__((always_inline)) void
add_panel(float *c, const AiTerms *terms, const float *b, size_t n_vectors, size_t n_last)
{
	switch (n_vectors)
	{
		case 1:
			add_terms(c, terms, b, 1, n_last);
			break;
		case 2:
			add_terms(c, terms, b, 2, n_last);
			break;
		case 3:
			add_terms(c, terms, b, 3, n_last);
			break;
		case 4:
			add_terms(c, terms, b, 4, n_last);
			break;
		case 5:
			add_terms(c, terms, b, 5, n_last);
			break;
		case 6:
			add_terms(c, terms, b, 6, n_last);
			break;
		case 7:
			add_terms(c, terms, b, 7, n_last);
			break;
		default:
			add_terms(c, terms, b, PANEL_VECTORS, n_last);
			break;
	}
}

static inline __attribute__((always_inline)) void
add_row(const AiSparseGemm *g, float *c, const AiTerms *terms, size_t lanes)
{
	for (size_t t = 0; t < g->n_taps; t++)
	{
		for (size_t j = 0; j < g->n; j += PANEL_VECTORS * lanes)
		{
			size_t		n_left = g->n - j;
			size_t		n_vectors = n_left < PANEL_VECTORS * lanes ? (n_left + lanes - 1) / lanes :
				PANEL_VECTORS;
			size_t		n_last = n_left - (n_vectors - 1) * lanes;

			add_panel(c + (ptrdiff_t) t * g->c_tap + j, terms, g->b + (ptrdiff_t) t * g->b_tap + j,
					  n_vectors, n_last < lanes ? n_last : lanes);
		}
	}
}

/* The kernel */
static inline __attribute__((always_inline)) void
ai_gemm_of_terms(const AiSparseGemm *g, size_t lanes)
{
	AiTerms		terms;

	for (size_t i = 0; i < g->m; i++)
	{
		for (size_t p = 0; p < g->k; p += LIST_TERMS)
		{
			size_t		n = g->k - p < LIST_TERMS ? g->k - p : LIST_TERMS;

			list_terms(&terms, g->a + (ptrdiff_t) i * g->a_row + p, g->b_rows + p, n);
			if (terms.n > 0)
				add_row(g, g->c + g->c_rows[i], &terms, lanes);
		}
	}
}

#endif							/* AI_GEMM_SPARSE_H */
