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
 * which each layer is used once.
 *
 * "flatten", {"flatten": true} and {"flatten": {}} are one, and options may stand in the
 * value: {"dense": {"units": 64}}.  {"bidirectional": {"lstm": 64}} is
 * {"lstm": 64, "bidirectional": true}.
 *
 * A layer takes the one before it, or those named by "input" (a name or a list of them);
 * "input" is also the name of what goes into the network.  {"add": "a"} adds the output of
 * "a" to that of the layer before it.  Before the layers may stand {"input": [28, 28, 1]}.
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
 * types ends with NULL.  All memory is the arena's.  Errors name the layer by its number and
 * name, and the hint lists what would fit: mostly AI_ERR_PARAM; AI_ERR_UNSUPPORTED for what
 * Keras can do and we cannot; AI_ERR_FORMAT and AI_ERR_LIMIT of the text as JSON (json.h).
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

/* What a layer's kind has said, said of the layer of this number, from 0; name may be NULL */
extern void ai_layer_error(AiError *err, int number, const char *name);

#endif							/* AI_DEFINITION_H */
