/*-------------------------------------------------------------------------
 * network_head.h
 *		What follows from a network's target: loss, score, and the activation behind it.
 *
 * Cross-entropies are computed from sums, so a softmax or sigmoid at the end of the definition
 * is taken off and becomes the head; where there is none it is understood.
 *-------------------------------------------------------------------------
 */
#ifndef AI_NETWORK_HEAD_H
#define AI_NETWORK_HEAD_H

#include "core/kernels/kernels.h"
#include "core/model/network.h"
#include "core/train/training_options.h"

typedef struct AiNetworkHead
{
	AiLoss		loss;
	AiScore		score;
	AiActivation activation;	/* AI_ACT_LINEAR: none */
	size_t		place_size;		/* numbers of target at a place; 1 of labels: the label's number */
} AiNetworkHead;

/*
 * n_outputs: of a place.  The definition's last activation changes.  AI_ERR_PARAM tells which
 * option does not fit the target.
 */
extern AiCode ai_network_head_choose(AiNetworkHead *head, AiDefinition *definition,
									 const AiTrainingOptions *options, AiNetworkTask task,
									 int64_t n_outputs, AiError *err);

#endif							/* AI_NETWORK_HEAD_H */
