/*-------------------------------------------------------------------------
 * dense_avx2.c
 *		The plain loops compiled for AVX2, and the table of this level.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

#include "core/kernels/loops/loops.h"

const AiKernels ai_kernels_avx2 = {
	AI_KERNELS_OF(avx2),
	.transpose = ai_transpose_avx2,
	AI_LOOPS
};
