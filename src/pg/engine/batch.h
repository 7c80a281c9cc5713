/*-------------------------------------------------------------------------
 * batch.h
 *		Running a model over many inputs, on as many threads as they are worth.
 *
 * Threads are the backend's own: they sleep between batches, never call the server,
 * and none of them works when these functions return or raise.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_BATCH_H
#define AIAAS_BATCH_H

#include "core/model/inputs.h"
#include "core/model/network_batch.h"
#include "pg/engine/engine.h"
#include "pg/stats/stats.h"

/*
 * All answers, see text_batch.h: what befalls an input is its code, and err too if it
 * befalls inputs[0].  Inputs of networks have been checked (network.h); their answers live
 * in the current memory context, and request says which ones.  What was done is added to
 * counts.  Raises when it is cancelled, and where there is no memory for the
 * batch itself.
 */
extern void aiaas_engine_run_many(AiaasEngine *engine, AiInput *inputs, size_t n,
								  const AiRequest *request, AiaasCounts *counts,
								  AiError *err);

/*
 * Raises what befell an input of such a run: it runs once more, since errors are told of the first
 * one only.
 */
extern void aiaas_engine_raise(AiaasEngine *engine, const AiInput *input,
							   const AiRequest *request);

/*
 * One input; an error is raised.  probability:[n_labels], of other models all that they answer, and
 * best may be NULL.
 */
extern void aiaas_engine_run(AiaasEngine *engine, double *probability, int *best,
							 const void *bytes, size_t len);

#endif							/* AIAAS_BATCH_H */
