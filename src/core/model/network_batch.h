/*-------------------------------------------------------------------------
 * network_batch.h
 *		Many inputs through one network.
 *
 * Inputs that are equal are computed once; the others go through the network in groups,
 * which threads share.  An input's answer is its own: neither what else is in the batch,
 * nor how it is cut into groups, nor the number of threads changes a bit of it.
 *-------------------------------------------------------------------------
 */
#ifndef AI_NETWORK_BATCH_H
#define AI_NETWORK_BATCH_H

#include "core/base/pool.h"
#include "core/model/inputs.h"
#include "core/model/network.h"

/* In the place of a layer's number: not its activations, but what the network answers */
#define AI_NETWORK_ANSWER (-1)

/* Numbers of an input's answer */
extern size_t ai_network_answer_size(const AiNetwork *network, int layer);

/* The first of the largest of n probabilities, 1 or more */
extern int	ai_network_best(const float *probability, size_t n);

/* Multiplications that an input takes, as far as the shapes tell */
extern double ai_network_work(const AiNetwork *network);

/*
 * Compute all answers of inputs that have been checked.  answers:[n_distinct, answer_size]
 * is where they will be.  Of classes each input gets its best label, too.
 * scratch:[n_threads], each made with the pool's host for its thread; with one thread the
 * pool is not used and may be NULL.  Fails by AI_ERR_CANCELLED only.
 */
extern AiCode ai_network_batch_run(const AiInputs *inputs, const AiNetwork *network,
								   AiNetworkScratch *const *scratch, int layer, float *answers,
								   int n_threads, AiPool *pool, AiError *err);

#endif							/* AI_NETWORK_BATCH_H */
