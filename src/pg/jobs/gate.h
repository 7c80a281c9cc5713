/*-------------------------------------------------------------------------
 * gate.h
 *		Which of two versions is deployed: the challenger or the incumbent.
 *
 * Both are measured on the same rows: those that the challenger holds out.
 * That is fair only if the incumbent has not learnt from them.  A row is held
 * out for ever by its content, and a larger share holds out all that a smaller
 * one does, so the incumbent must have held out at least as large a share, or
 * the rows of the same validation query.
 *
 * Where it has not ("validation": 0 holds out nothing), or reads other inputs or has another
 * task, the scores that were stored with the versions are compared instead.  Those of different
 * metrics cannot be compared: then the incumbent stays.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_GATE_H
#define AIAAS_GATE_H

#include "pg/jobs/evaluator.h"
#include "pg/jobs/options.h"

/* What the challenger holds out */
typedef struct AiaasHeldOut
{
	AiNetworkInput input;
	AiNetworkTask task;
	double		share;
	const char *query;			/* NULL: a share of the rows */
} AiaasHeldOut;

typedef struct AiaasGate
{
	AiaasDeploy deploy;
	AiaasModel *incumbent;		/* NULL: there is none, or nobody asks */
	AiaasEvaluation *evaluation;	/* of the incumbent; NULL: stored scores are compared */
} AiaasGate;

/* Before the rows are read; all memory comes from the current context. */
extern void aiaas_gate_open(AiaasGate *gate, const char *model, AiaasDeploy deploy,
							const AiaasHeldOut *held_out);

/* A row that the challenger holds out */
extern void aiaas_gate_add_text(AiaasGate *gate, const AiaasExample *example);
extern void aiaas_gate_add(AiaasGate *gate, const AiNetworkExample *example);

/*
 * With the model's row locked: is the challenger, which has this score on its
 * validation rows, to be deployed?  A NOTICE says why not.
 */
extern bool aiaas_gate_decide(AiaasGate *gate, const AiaasModelLock *lock, const char *metric,
							  double score);

/* A version was "imported", or otherwise made, without asking the gate: how to deploy it */
extern void aiaas_notice_not_deployed(const char *model, int version, const char *made);

#endif							/* AIAAS_GATE_H */
