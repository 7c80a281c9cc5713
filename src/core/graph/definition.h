/*-------------------------------------------------------------------------
 * definition.h
 *		A network as a user writes it, in JSON.
 *
 * Either a list of layers, each an object of one key that names the kind and has its
 * first option as the value, with further options beside it:
 *
 *	[{"dense": 64, "activation": "relu"}, {"dropout": 0.2}, {"dense": 10, "name": "out"}]
 *
 * or what Keras writes by model.to_json(): a Sequential model, or a functional one of
 * which each layer is used once.  A layer takes the one before it, or those named by
 * "input" (a name or a list of them).  {"bidirectional": {"lstm": 64}} is
 * {"lstm": 64, "bidirectional": true}.
 *
 * Text is from outside: nothing is believed of it, nesting and sizes are bounded.
 *-------------------------------------------------------------------------
 */
#ifndef AI_DEFINITION_H
#define AI_DEFINITION_H

#include "core/graph/layer.h"

#define AI_MAX_LAYERS 1000
#define AI_LAYER_NAME_MAX 63	/* bytes */
#define AI_INPUT (-1)			/* as the number of a layer: what goes into the network */

typedef struct AiLayerDefinition
{
	const AiLayerType *type;
	const char *name;			/* given, or made as Keras does: "dense", "dense_1" */
	void	   *config;
	bool		is_frozen;		/* "trainable": false */
	int			n_inputs;
	int			input[AI_LAYER_MAX_INPUTS]; /* earlier layers, or AI_INPUT */
} AiLayerDefinition;

typedef struct AiDefinition
{
	int			n_layers;		/* 1 or more; the last one's output is the network's */
	AiLayerDefinition *layers;	/* each after those that it takes */
	bool		has_input;		/* the text says what goes in */
	AiShape		input;
} AiDefinition;

/*
 * types ends with NULL.  All memory is the arena's.  Errors are AI_ERR_PARAM; they name the
 * layer by its number and name, and the hint lists what would fit.
 */
extern AiCode ai_definition_parse(AiDefinition *definition, AiArena *arena,
								  const AiLayerType *const *types, const char *json, size_t len,
								  AiError *err);

/*
 * The list of layers with every option that is not its initial value, and every name:
 * what is stored, and parses to the same definition.  *json is the arena's, NUL-terminated.
 */
extern AiCode ai_definition_write(const char **json, const AiDefinition *definition,
								  AiArena *arena, AiError *err);

#endif							/* AI_DEFINITION_H */
