/*-------------------------------------------------------------------------
 * kernels_internal.h
 *		The tables of the levels, for dispatch.c only.
 *-------------------------------------------------------------------------
 */
#ifndef AI_KERNELS_INTERNAL_H
#define AI_KERNELS_INTERNAL_H

#include "core/kernels/kernels.h"

extern const AiKernels ai_kernels_portable;
#ifdef __x86_64__
extern const AiKernels ai_kernels_avx2;
extern const AiKernels ai_kernels_avx512;
#endif

#endif							/* AI_KERNELS_INTERNAL_H */
