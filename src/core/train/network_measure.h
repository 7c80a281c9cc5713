/*-------------------------------------------------------------------------
 * network_measure.h
 *		How good a trained network is, on its samples.
 *-------------------------------------------------------------------------
 */
#ifndef AI_NETWORK_MEASURE_H
#define AI_NETWORK_MEASURE_H

#include "core/base/pool.h"
#include "core/classic/metrics.h"
#include "core/graph/graph.h"
#include "core/train/network_head.h"
#include "core/train/network_rows.h"

typedef struct AiNetworkMeasure
{
	const AiNetworkRows *rows;
	const AiGraph *graph;
	const AiNetworkHead *head;
	const float *weights;
	const float *states;
	AiPool	   *pool;
	bool		is_validation;	/* of those that are held out */
	int64_t		max_rows;		/* the first ones of the canonical order */

	/* The answer; NaN and no rows where there are none */
	double		score;			/* macro F1, or of values r2, the mean over outputs */
	AiClassMetrics classes;		/* of classes and steps; probabilities count where they fit */
} AiNetworkMeasure;

extern AiCode ai_network_measure(AiNetworkMeasure *measure, const AiHost *host, AiError *err);

#endif							/* AI_NETWORK_MEASURE_H */
