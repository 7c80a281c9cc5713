/*-------------------------------------------------------------------------
 * definition_internal.h
 *		What reading both forms of a definition shares.
 *-------------------------------------------------------------------------
 */
#ifndef AI_DEFINITION_INTERNAL_H
#define AI_DEFINITION_INTERNAL_H

#include "core/graph/definition.h"
#include "core/graph/options.h"

typedef struct AiDefiner
{
	AiDefinition *definition;
	AiArena    *arena;
	const AiLayerType *const *types;
	AiError    *err;			/* never NULL */
} AiDefiner;

/* Room for so many layers, 1 to AI_MAX_LAYERS */
extern AiCode ai_define_layers(AiDefiner *d, int n);

/* NULL: there is none of this name */
extern const AiLayerType *ai_define_find_type(const AiDefiner *d, const char *name);

/* Which kind a layer is; its options are initial ones */
extern AiCode ai_define_type(AiDefiner *d, int number, const AiLayerType *type);

/* A name that is given: valid, and no other layer has it */
extern AiCode ai_define_name(AiDefiner *d, int number, const char *name);

/* One option; those that are given are bits of given by their place in the table. */
extern AiCode ai_define_option(AiDefiner *d, int number, const AiOption *option,
							   const AiJson *value, uint32_t *given);

/* When all is given: that nothing needed is missing, and how many inputs there are */
extern AiCode ai_define_end_layer(AiDefiner *d, int number, uint32_t given);

/* shape:[n - first] from a list; *is_known is false when a size is null */
extern AiCode ai_define_shape(AiShape *shape, bool *is_known, const AiJson *list, int first,
							  AiError *err);

/* An error, in whichever layer; returns code */
extern AiCode ai_define_say_layer(AiDefiner *d, int number, AiCode code);

extern bool ai_keras_is_model(const AiJson *json);
extern AiCode ai_keras_define(AiDefiner *d, const AiJson *model);

#endif							/* AI_DEFINITION_INTERNAL_H */
