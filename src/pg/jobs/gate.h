/*-------------------------------------------------------------------------
 * gate.h
 *		Which of two versions is deployed: the challenger or the incumbent.
 *
 * Both are measured on the same rows: those that the challenger holds out.
 * That is fair only if the incumbent has not learnt from them.  A row is held
 * out for ever by its content, and a larger share holds out all that a smaller
 * one does, so the incumbent must have held out at least as large a share.
 * Where it has not ("validation": 0 holds out nothing), the scores that were
 * stored with the versions are compared instead.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_GATE_H
#define AIAAS_GATE_H

#include "pg/engine/engine.h"
#include "pg/jobs/labels.h"
#include "pg/jobs/options.h"
#include "pg/jobs/query.h"

typedef struct AiaasGate
{
	AiaasDeploy deploy;
	AiaasModel *incumbent;		/* NULL: there is none, or nobody asks */
	AiaasEngine *engine;		/* of the incumbent; NULL: stored scores are compared */
	AiaasLabels *labels;		/* of both, numbered for truth and predicted */
	int		   *number_of;		/* [the incumbent's labels], in labels */
	int32	   *truth;			/* [n_rows], capacity */
	int32	   *predicted;		/* the same */
	int64		n_rows;
	int64		capacity;
} AiaasGate;

/* Before the rows are read; all memory comes from the current context. */
extern void aiaas_gate_open(AiaasGate *gate, const char *model,
							const AiaasTrainOptions *options);

/* A row that the challenger holds out */
extern void aiaas_gate_add(AiaasGate *gate, const AiaasExample *example);

/*
 * With the model's row locked: is the challenger, which has this score on its
 * validation rows, to be deployed?  A NOTICE says why not.
 */
extern bool aiaas_gate_decide(AiaasGate *gate, const AiaasModelLock *lock, double score);

#endif							/* AIAAS_GATE_H */
