/*-------------------------------------------------------------------------
 * answer.h
 *		What a model can be asked for.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_ANSWER_H
#define AIAAS_ANSWER_H

#include "pg/engine/engine.h"

typedef enum AiaasAnswer
{
	AIAAS_ANSWER_LABEL,			/* of more than one label, an array of them */
	AIAAS_ANSWER_SCORES,		/* all probabilities */
	AIAAS_ANSWER_SCORE,			/* one of them */
	AIAAS_ANSWER_VALUE,			/* a number */
	AIAAS_ANSWER_NUMBERS,		/* all that a model gives */
	AIAAS_ANSWER_LAYER,			/* what comes out of a layer of a network */
	AIAAS_ANSWER_EMBEDDING
} AiaasAnswer;

/* Does this model give such an answer? */
extern bool aiaas_can_answer(const AiaasEngine *engine, AiaasAnswer answer);

/* Raises where it does not, with a hint at what does. */
extern void aiaas_check_answer(const AiaasEngine *engine, const AiaasModel *model,
							   AiaasAnswer answer);

/*
 * Bytes that an input's answer takes while a batch is computed; layer as in network_batch.h.
 * engine NULL: not known yet, so the largest of a text classifier.
 */
extern double aiaas_answer_bytes(const AiaasEngine *engine, AiaasAnswer answer, int layer);

#endif							/* AIAAS_ANSWER_H */
