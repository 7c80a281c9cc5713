/*-------------------------------------------------------------------------
 * graph.h
 *		A network whose shapes fit: its layers, their weights, the memory they take.
 *
 * Weights lie in one flat array, states (moving averages) in another; each begins at a
 * multiple of 16 numbers, and those with is_rows come last.  Nothing here holds weights:
 * who trains has his own, who applies has those of a mapped file.
 *-------------------------------------------------------------------------
 */
#ifndef AI_GRAPH_H
#define AI_GRAPH_H

#include "core/graph/definition.h"

#define AI_MAX_WEIGHTS ((size_t) 1 << 31)	/* numbers of a network */

typedef struct AiGraphLayer
{
	AiLayer		layer;
	bool		is_frozen;
	int			input[AI_LAYER_MAX_INPUTS];
	int			mask;			/* the layer whose mask its output has; AI_INPUT: none */
	bool		has_gradient;	/* on the way back: some weight at it or before it is trained */
	size_t		derived;		/* where its derived numbers begin */
} AiGraphLayer;

typedef struct AiGraph
{
	AiShape		input;
	int			n_layers;
	AiGraphLayer *layers;
	size_t		n_weights;		/* numbers in the flat arrays */
	size_t		n_dense;		/* of them before the first one with is_rows */
	size_t		n_states;
	size_t		n_derived;
	int64_t		n_trained;		/* numbers that training changes, as model.summary() counts */
	int64_t		n_counted;		/* all, as it counts */
} AiGraph;

/*
 * Shapes and weights of a definition over samples of this shape.  The graph keeps the
 * definition's memory.  An error names the layer.
 */
extern AiCode ai_graph_create(AiGraph *graph, AiArena *arena, const AiDefinition *definition,
							  const AiShape *input, AiError *err);

static inline const AiLayer *
ai_graph_last(const AiGraph *graph)
{
	return &graph->layers[graph->n_layers - 1].layer;
}

/* Number by name; AI_INPUT: there is none */
extern int	ai_graph_find(const AiGraph *graph, const char *name, size_t len);

/*
 * One array of weights, number:[weight->size], by Keras 3's formulas.  The numbers follow from the
 * stream alone and are the same on every machine.  Fails by AI_ERR_NOMEM and AI_ERR_CANCELLED.
 */
extern AiCode ai_weight_initialise(const AiWeight *weight, float *number, AiRng stream,
								   const AiHost *host, AiError *err);

/*
 * weights:[n_weights] and states:[n_states] from their initialisers and a seed.  Each array has a
 * stream of its own, by the layer's number and its own; what lies between layers is 0.
 */
extern AiCode ai_graph_initialise(const AiGraph *graph, float *weights, float *states,
								  uint64_t seed, const AiHost *host, AiError *err);

#endif							/* AI_GRAPH_H */
