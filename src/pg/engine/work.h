/*-------------------------------------------------------------------------
 * work.h
 *		How long texts take, for the planner, for batches and for threads.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_WORK_H
#define AIAAS_WORK_H

#include "pg/engine/engine.h"
#include "pg/engine/verb.h"

/* Of labelling a text with a model; NULL: one as they often are */
extern void aiaas_text_cost(const AiaasModel *model, AiaasVerbCost *cost);

/* Of all its probabilities as jsonb */
extern void aiaas_scores_cost(const AiaasModel *model, AiaasVerbCost *cost);

/*
 * A batch of texts that gives each thread enough to do and lets nobody wait for long.
 * engine NULL: not known yet.  label_bytes: what a row's answer takes, for each label.
 */
extern void aiaas_text_size(const AiaasEngine *engine, int label_bytes, AiaasBatchSize *size);

#endif							/* AIAAS_WORK_H */
