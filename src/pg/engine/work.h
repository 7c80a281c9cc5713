/*-------------------------------------------------------------------------
 * work.h
 *		How long inputs take, for the planner, for batches and for threads.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_WORK_H
#define AIAAS_WORK_H

#include "pg/engine/answer.h"
#include "pg/engine/engine.h"
#include "pg/engine/verb.h"

/* Of labelling a text with a model; NULL: one as they often are */
extern void aiaas_text_cost(const AiaasModel *model, AiaasVerbCost *cost);

/* Of an input through a network, by the multiplications that it takes */
extern void aiaas_network_cost(double work, AiaasVerbCost *cost);

/* Of a text through an encoder, by the multiplications that a token takes */
extern void aiaas_encoder_cost(double work, AiPrecision precision, AiaasVerbCost *cost);

/* Of an input to a version of whichever kind; and of all its probabilities as jsonb */
extern void aiaas_input_cost(const AiaasModel *model, AiaasVerbCost *cost);
extern void aiaas_scores_cost(const AiaasModel *model, AiaasVerbCost *cost);

/*
 * A batch that gives each thread enough to do and lets nobody wait for long.  engine NULL:
 * not known yet.  layer as in network_batch.h
 */
extern void aiaas_batch_size(const AiaasEngine *engine, AiaasAnswer answer, int layer,
							 AiaasBatchSize *size);

#endif							/* AIAAS_WORK_H */
