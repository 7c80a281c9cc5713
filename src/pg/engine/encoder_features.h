/*-------------------------------------------------------------------------
 * encoder_features.h
 *		What a version's row says of an encoder, made from the encoder itself.
 *
 *	task		what aiaas_task_name() calls it: 'embedding'
 *	options		{"precision": "int8"}
 *	features	{"columns": [{"name": "text", "type": "text"}], "max_tokens": 256, "width": 384,
 *				"layers": 6, "words": 30522, "parameters": 22713216, "work": 10616832}
 *	labels		in the order of its outputs; NULL: it has none
 *
 * work is multiplications for each token, but for those of attention.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_ENCODER_FEATURES_H
#define AIAAS_ENCODER_FEATURES_H

#include "core/model/encoder.h"
#include "pg/catalog/catalog.h"

/* Fills all of the four, in the current memory context. */
extern void aiaas_encoder_describe(AiaasNewVersion *version, const AiEncoder *encoder);

/* Could these be its features?  Its sizes must be those. */
extern bool aiaas_encoder_are_features(const AiEncoder *encoder, const Jsonb *features);

#endif							/* AIAAS_ENCODER_FEATURES_H */
