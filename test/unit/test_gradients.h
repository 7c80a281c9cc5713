/*-------------------------------------------------------------------------
 * test_gradients.h
 *		The gradients of a network's weights in one array.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TEST_GRADIENTS_H
#define AI_TEST_GRADIENTS_H

#include <string.h>

#include "core/graph/run.h"

/* gradients:[n_weights], zeros: of the last step.  Those of embeddings come as rows. */
static inline void
take_gradients(float *gradients, const AiGraph *graph, AiRun *run)
{
	for (int i = 0; i < graph->n_layers; i++)
	{
		const AiLayer *layer = &graph->layers[i].layer;

		for (int j = 0; j < layer->n_weights; j++)
		{
			const AiWeight *weight = &layer->weight[j];

			if (!weight->is_state && !weight->is_rows)
				ai_run_gradients(run, gradients + weight->offset, i, j, 0, weight->size, 0);
		}
	}
	for (int r = 0; r < ai_run_n_rows(run); r++)
	{
		AiRunRows	rows = ai_run_rows(run, r);
		float	   *to = gradients + graph->layers[rows.layer].layer.weight[rows.weight].offset;

		for (size_t i = 0; i < rows.n; i++)
			memcpy(to + rows.index[i] * rows.width, rows.gradient + i * rows.width,
				   rows.width * sizeof(float));
	}
}

#endif							/* AI_TEST_GRADIENTS_H */
