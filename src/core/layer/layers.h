/*-------------------------------------------------------------------------
 * layers.h
 *		All kinds of layers.
 *
 * A new one is a file, a line here and a place in the table of layers.c.
 *-------------------------------------------------------------------------
 */
#ifndef AI_LAYERS_H
#define AI_LAYERS_H

#include "core/graph/layer.h"

/* Ends with NULL */
extern const AiLayerType *const ai_layer_types[];

extern const AiLayerType ai_layer_activation;
extern const AiLayerType ai_layer_dense;

#endif							/* AI_LAYERS_H */
