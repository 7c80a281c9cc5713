/*-------------------------------------------------------------------------
 * evaluator.h
 *		A model's answers beside the truth, for the rows of a query.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_EVALUATOR_H
#define AIAAS_EVALUATOR_H

#include "core/classic/metrics.h"
#include "pg/engine/engine.h"
#include "pg/jobs/labels.h"
#include "pg/stats/stats.h"

typedef struct AiaasEvaluation
{
	/* The model */
	AiaasEngine *engine;
	int			n_labels;		/* that it knows: the first ones of labels */
	AiaasLabels *labels;		/* then those that only the rows have */

	/* Answers */
	int32	   *truth;			/* [n_rows], numbers in labels */
	int32	   *predicted;		/* [n_rows], below n_labels */
	double	   *probability;	/* [n_rows, n_labels]; NULL: not asked for */
	int64		n_rows;
	int64		capacity;

	/* For ai_stats */
	AiaasStatsKey key;
	int64		model_time;		/* nanoseconds */
} AiaasEvaluation;

/*
 * Run the query and the model, in the current memory context.  The rows, with
 * their probabilities if asked for, must fit into aiaas.max_train_memory.  function is
 * the name of who asks, a literal.
 */
extern void aiaas_evaluate(AiaasEvaluation *evaluation, const char *function,
						   const char *reference, const char *query, const char *target,
						   bool with_probabilities);

/* Of what was evaluated */
extern void aiaas_evaluation_measure(const AiaasEvaluation *evaluation,
									 AiClassMetrics *metrics);

#endif							/* AIAAS_EVALUATOR_H */
