/*-------------------------------------------------------------------------
 * summary.h
 *		A network's layers as model.summary() of Keras lists them.
 *-------------------------------------------------------------------------
 */
#ifndef AI_SUMMARY_H
#define AI_SUMMARY_H

#include "core/base/buf.h"
#include "core/graph/graph.h"

/* One layer: names are the graph's */
typedef struct AiLayerSummary
{
	const char *name;
	const char *type;
	const AiShape *output;
	int64_t		n_weights;		/* numbers, with states */
	int64_t		n_trained;
} AiLayerSummary;

extern AiLayerSummary ai_layer_summary(const AiGraph *graph, int layer);

/* The table as text, lines ended by '\n' */
extern AiCode ai_summary_write(AiBuf *text, const AiGraph *graph, AiError *err);

#endif							/* AI_SUMMARY_H */
