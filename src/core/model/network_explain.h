/*-------------------------------------------------------------------------
 * network_explain.h
 *		Why a network answers as it does: integrated gradients.
 *
 * The input goes on a straight way from a baseline to what it is; what each number contributes
 * is its way times the mean of the score's gradient by it.  The baseline of numbers and pixels is
 * 0 (of numbers that are normalised first, their mean), that of a word is an embedding of zeros.
 * Sundararajan, Taly, Yan: Axiomatic Attribution for Deep Networks, 2017.
 *
 * The score is the network's value, or a label's sum before softmax or sigmoid; of two labels it
 * is the log-odds of one against the other.
 *-------------------------------------------------------------------------
 */
#ifndef AI_NETWORK_EXPLAIN_H
#define AI_NETWORK_EXPLAIN_H

#include "core/model/network.h"

typedef struct AiNetworkContribution
{
	size_t		number;			/* of the input; of a text, the word's place */
	size_t		start;			/* of texts: its bytes, [start, end) */
	size_t		end;
	double		value;			/* of numbers and pixels: what the network reads; else 1 */
	double		contribution;
} AiNetworkContribution;

typedef struct AiNetworkExplanation
{
	double		score;
	double		baseline;		/* the score of the baseline */
	double		gap;			/* score - baseline - all contributions: the steps miss that */
	int			n_steps;
	size_t		n;
	const AiNetworkContribution *contributions; /* [n], by falling size; of the arena */
} AiNetworkExplanation;

/*
 * answer: the label or value that is explained, from 0.  The row has been checked.
 * AI_ERR_UNSUPPORTED: labels of steps.
 */
extern AiCode ai_network_explain(AiNetworkExplanation *explanation, AiArena *arena,
								 const AiNetwork *network, const AiNetworkRow *row, int answer,
								 AiError *err);

#endif							/* AI_NETWORK_EXPLAIN_H */
