/*-------------------------------------------------------------------------
 * evaluator.h
 *		A model's answers beside the truth.
 *
 * aiaas_evaluate() does it for the rows of a query; open, add and finish for rows that
 * somebody else reads.  Rows of networks and encoders wait until there are some to compute
 * together.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_EVALUATOR_H
#define AIAAS_EVALUATOR_H

#include "core/classic/metrics.h"
#include "core/model/inputs.h"
#include "pg/engine/engine.h"
#include "pg/jobs/labels.h"
#include "pg/jobs/network_query.h"
#include "pg/jobs/query.h"
#include "pg/stats/stats.h"

/* The truth of a row that waits */
typedef struct AiaasTruth
{
	size_t		n;
	const int32 *labels;		/* [n], numbers; -1: this step has none */
	const float *numbers;		/* [n], of labels (0 or 1) and values */
} AiaasTruth;

typedef struct AiaasEvaluation
{
	/* The model */
	AiaasEngine *engine;
	const AiNetwork *network;	/* NULL: another kind of model */
	bool		waits;			/* rows are computed together; not those of a text classifier */
	AiNetworkTask task;
	int			n_labels;		/* that it knows: the first ones of labels; 0: none */
	AiaasLabels *labels;		/* then those that only the rows have */
	int			width;			/* of given and answered */

	/* Answers; a step of a sequence is one by itself */
	int64		n;
	int64		capacity;
	int32	   *truth;			/* [n], numbers in labels; of classes and steps */
	int32	   *predicted;		/* [n], below n_labels */
	double	   *probability;	/* [n, n_labels]; NULL: not asked for */
	float	   *given;			/* [n, width]: 0 or 1, or the value; of labels and values */
	float	   *answered;		/* [n, width] */

	/* Rows, the last of which wait */
	int64		n_rows;
	MemoryContext waiting;		/* of what they hold; reset when they have been computed */
	AiInput    *inputs;
	AiaasTruth *truths;
	size_t		n_waiting;
	size_t		n_waiting_bytes;

	/* For ai_stats */
	AiaasStatsKey key;
	AiaasCounts counts;
} AiaasEvaluation;

typedef enum AiaasEvaluationUse
{
	AIAAS_FOR_METRICS,
	AIAAS_FOR_CONFUSION			/* without probabilities; raises where the model gives no label */
} AiaasEvaluationUse;

/*
 * Run the query and the model, in the current memory context.  The answers, with
 * their probabilities, must fit into aiaas.max_train_memory.  function is the name of
 * who asks, a literal.
 */
extern void aiaas_evaluate(AiaasEvaluation *evaluation, const char *function,
						   const char *reference, const char *query, const char *target,
						   AiaasEvaluationUse use);

/* All memory comes from the current context. */
extern void aiaas_evaluation_open(AiaasEvaluation *evaluation, const AiaasModel *model,
								  bool with_probabilities);
extern void aiaas_evaluation_add_text(AiaasEvaluation *evaluation, const AiaasExample *example);

/* A text classifier's is a text with one label.  AI_ERR_DATA: it does not fit, as err says */
extern AiCode aiaas_evaluation_add(AiaasEvaluation *evaluation, const AiNetworkExample *example,
								   AiError *err);
extern void aiaas_evaluation_finish(AiaasEvaluation *evaluation);

/* Of classes and steps, of labels, of values */
extern void aiaas_evaluation_measure(const AiaasEvaluation *evaluation,
									 AiClassMetrics *metrics);
extern void aiaas_evaluation_measure_labels(const AiaasEvaluation *evaluation,
											AiLabelsMetrics *metrics);
extern void aiaas_evaluation_measure_values(const AiaasEvaluation *evaluation,
											AiValueMetrics *metrics);

/*
 * What versions are compared by: macro F1, where each label that the model does not know
 * counts as one, or R2
 */
extern double aiaas_evaluation_score(const AiaasEvaluation *evaluation);

#endif							/* AIAAS_EVALUATOR_H */
