/*-------------------------------------------------------------------------
 * dense_avx512.c
 *		The plain loops compiled for AVX-512, and the table of this level.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

#include "core/kernels/loops/loops.h"

const AiKernels ai_kernels_avx512 = {
	AI_KERNELS_OF(avx512),
	.transpose = ai_transpose_avx2,
	AI_LOOPS
};
