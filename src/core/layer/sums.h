/*-------------------------------------------------------------------------
 * sums.h
 *		What comes behind a layer's sums: its activation, forward and backward.
 *
 * A layer with an activation computes sums and puts out act(sums).  Most activations find
 * their way back from the output; others need the sums, which the layer then saves.
 *-------------------------------------------------------------------------
 */
#ifndef AI_SUMS_H
#define AI_SUMS_H

#include "core/layer/product.h"

/* Does the way back need the sums? */
static inline bool
ai_sums_are_needed(AiActivation act)
{
	return act == AI_ACT_GELU || act == AI_ACT_GELU_TANH || act == AI_ACT_SILU;
}

/* Can a product do it as it writes? */
static inline bool
ai_sums_are_fused(AiActivation act)
{
	return act != AI_ACT_SOFTMAX && !ai_sums_are_needed(act);
}

/*
 * product, which has c, c_row, bias and all else but act, into output:[m, n], dense.  saved:[m, n]
 * gets the sums if they are needed in training; NULL: they are not.
 */
extern void ai_sums_product(const AiPass *pass, const AiGemm *product, AiActivation act,
							float *saved);

/*
 * The gradient by the sums, [n_rows, n]: d_output itself where nothing is behind them,
 * else d_sums, which it is written to
 */
extern const float *ai_sums_back(float *d_sums, const float *d_output, const float *saved,
								 const float *output, size_t n_rows, size_t n, AiActivation act);

#endif							/* AI_SUMS_H */
