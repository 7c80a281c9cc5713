/*-------------------------------------------------------------------------
 * openblas.h
 *		Products of dense matrices by OpenBLAS, for dispatch.c.
 *-------------------------------------------------------------------------
 */
#ifndef AI_OPENBLAS_H
#define AI_OPENBLAS_H

#include "core/kernels/kernels.h"

extern bool ai_openblas_is_loaded(void);

/* AI_ERR_UNSUPPORTED: it is not there, or cannot keep what kernels.h promises */
extern AiCode ai_openblas_load(AiError *err);

/* The kernel gemm, once it is loaded; small products and all but products are the level's */
extern void ai_openblas_gemm(const AiGemm *product, const AiKernels *level);

#endif							/* AI_OPENBLAS_H */
