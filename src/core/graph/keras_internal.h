/*-------------------------------------------------------------------------
 * keras_internal.h
 *		What reading models of Keras shares.
 *-------------------------------------------------------------------------
 */
#ifndef AI_KERAS_INTERNAL_H
#define AI_KERAS_INTERNAL_H

#include <math.h>

#include "core/graph/definition_internal.h"

/*
 * A layer's kind and options from its class and config, and how it is called; those that are
 * given are bits of given.
 */
extern AiCode ai_keras_read_layer(AiDefiner *d, int number, const char *class_name,
								  const AiJson *config, bool is_causal, uint32_t *given);

/* One argument of a config; the layer's kind is known. */
extern AiCode ai_keras_read_argument(AiDefiner *d, int number, const char *class_name,
									 const AiJson *value, uint32_t *given);

/* The error that an argument cannot be done; hint may be NULL. */
extern AiCode ai_keras_unsupported(AiDefiner *d, const char *class_name, const char *key,
								   const char *hint);

static inline const char *
ai_keras_string(const AiJson *value)
{
	return value != NULL && value->kind == AI_JSON_STRING ? value->string : NULL;
}

static inline bool
ai_keras_is_true(const AiJson *value)
{
	return value != NULL && value->kind == AI_JSON_BOOL && value->truth;
}

static inline bool
ai_keras_is_false(const AiJson *value)
{
	return value != NULL && value->kind == AI_JSON_BOOL && !value->truth;
}

/* Keras 2 writes what was a float: 0.2 is 0.20000000298023224. */
static inline bool
ai_keras_is_number(const AiJson *value, double number)
{
	return value->kind == AI_JSON_NUMBER && fabs(value->number - number) <= 1e-7;
}

#endif							/* AI_KERAS_INTERNAL_H */
