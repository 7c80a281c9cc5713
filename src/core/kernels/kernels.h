/*-------------------------------------------------------------------------
 * kernels.h
 *		The loops that take the time, at the level this machine can run.
 *
 * Each kernel exists as a plain loop (ref_*.c, which says what it computes)
 * and as hand-written versions for some machines (x86/).  A level is chosen
 * once; every kernel of a level sums in one fixed order, so an answer changes
 * with the level only, and there within the budget:
 *
 *	|result - exact| <= (n + 2) * 2^-24 * sum |value * w|	for every sum of n terms
 *
 * test/unit/test_kernels.c holds every level to it.
 *-------------------------------------------------------------------------
 */
#ifndef AI_KERNELS_H
#define AI_KERNELS_H

#include "core/base/status.h"

typedef enum AiCpuLevel
{
	AI_CPU_PORTABLE,
	AI_CPU_AVX2,				/* AVX2 and FMA */
	AI_CPU_AVX512,				/* AVX-512 F, BW, DQ, VL, CD */
	AI_CPU_N_LEVELS
} AiCpuLevel;

typedef struct AiKernels
{
	/*
	 * sum_i value[i] * w[index[i]]
	 *
	 * index:[n], value:[n], w holds every index
	 */
	float		(*sparse_dot) (const uint32_t *index, const float *value, size_t n,
							   const float *w);

	/*
	 * w[index[i]] += a * value[i]
	 *
	 * No index occurs twice.
	 */
	void		(*sparse_axpy) (float *w, const uint32_t *index, const float *value,
								size_t n, float a);

	/*
	 * y[c] = sum_i value[i] * w[index[i], c]
	 *
	 * w:[., width] row-major, y:[width]; width is 4, 8 or a multiple of 16, see
	 * ai_kernels_width(), and w and y are aligned to 16 bytes
	 */
	void		(*sparse_rows_dot) (float *y, const uint32_t *index, const float *value,
									size_t n, const float *w, size_t width);

	/*
	 * w[index[i], c] += a[c] * value[i]
	 *
	 * No index occurs twice; width as above.
	 */
	void		(*sparse_rows_axpy) (float *w, const uint32_t *index, const float *value,
									 size_t n, const float *a, size_t width);
} AiKernels;

/* The least width of rows for so many columns */
static inline size_t
ai_kernels_width(size_t n_cols)
{
	return n_cols <= 4 ? 4 : n_cols <= 8 ? 8 : (n_cols + 15) / 16 * 16;
}

/* The level in use: the best of this machine until another is selected. */
extern const AiKernels *ai_kernels(void);
extern AiCpuLevel ai_kernels_level(void);
extern AiCpuLevel ai_kernels_best_level(void);

/* "portable", "avx2", "avx512" */
extern const char *ai_cpu_level_name(AiCpuLevel level);

/*
 * For tests and for comparing machines: take a level up to the best one, else
 * AI_ERR_PARAM.  Not while another thread is inside a kernel.
 */
extern AiCode ai_kernels_select(AiCpuLevel level, AiError *err);

#endif							/* AI_KERNELS_H */
