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
	 * w:[., n_cols] row-major, y:[n_cols], n_cols >= 1
	 */
	void		(*sparse_rows_dot) (float *y, const uint32_t *index, const float *value,
									size_t n, const float *w, size_t n_cols);

	/*
	 * w[index[i], c] += a[c] * value[i]
	 *
	 * No index occurs twice.
	 */
	void		(*sparse_rows_axpy) (float *w, const uint32_t *index, const float *value,
									 size_t n, const float *a, size_t n_cols);
} AiKernels;

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
