/*-------------------------------------------------------------------------
 * kernels_internal.h
 *		The tables of the levels, and what they take from other files.
 *-------------------------------------------------------------------------
 */
#ifndef AI_KERNELS_INTERNAL_H
#define AI_KERNELS_INTERNAL_H

#include "core/kernels/kernels.h"

/* Kernels with a file of their own; those of loops/ stand in the file of the table. */
#define AI_DECLARE_KERNEL(name, level) \
	extern __typeof__(*((AiKernels *) NULL)->name) ai_##name##_##level
#define AI_DECLARE_KERNELS(level) \
	AI_DECLARE_KERNEL(sparse_dot, level); \
	AI_DECLARE_KERNEL(sparse_axpy, level); \
	AI_DECLARE_KERNEL(sparse_rows_dot, level); \
	AI_DECLARE_KERNEL(sparse_rows_axpy, level); \
	AI_DECLARE_KERNEL(gemm, level)

/* Their places in the table of a level */
#define AI_KERNELS_OF(level) \
	.sparse_dot = ai_sparse_dot_##level, \
	.sparse_axpy = ai_sparse_axpy_##level, \
	.sparse_rows_dot = ai_sparse_rows_dot_##level, \
	.sparse_rows_axpy = ai_sparse_rows_axpy_##level, \
	.gemm = ai_gemm_##level

AI_DECLARE_KERNELS(ref);
AI_DECLARE_KERNEL(transpose, ref);
extern const AiKernels ai_kernels_portable;
#ifdef __x86_64__
AI_DECLARE_KERNELS(avx2);
AI_DECLARE_KERNELS(avx512);
AI_DECLARE_KERNEL(transpose, avx2);
extern const AiKernels ai_kernels_avx2;
extern const AiKernels ai_kernels_avx512;
#endif

#endif							/* AI_KERNELS_INTERNAL_H */
