/*-------------------------------------------------------------------------
 * product.h
 *		A layer's product of matrices, which a cancel can interrupt.
 *-------------------------------------------------------------------------
 */
#ifndef AI_PRODUCT_H
#define AI_PRODUCT_H

#include "core/graph/layer.h"
#include "core/kernels/kernels.h"

/*
 * gemm of the kernels, with the same bits; a long one asks now and then whether to stop, and then
 * leaves the rest of c as it was.
 */
extern void ai_product(const AiPass *pass, const AiGemm *gemm);

#endif							/* AI_PRODUCT_H */
