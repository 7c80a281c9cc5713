/*-------------------------------------------------------------------------
 * answers.h
 *		Answers of a model as results of a function.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_ANSWERS_H
#define AIAAS_ANSWERS_H

#include "core/model/inputs.h"
#include "pg/engine/engine.h"

/* While the answers of a run become results */
typedef struct AiaasAnswers
{
	AiaasEngine *engine;
	AiaasTask	task;
	const AiNetwork *network;	/* NULL: another kind of model */
	int			layer;			/* whose numbers they are, see network_batch.h */
	Datum	   *labels;			/* [n_labels] that rows share, 0: not yet; NULL: one row only */
	MemoryContext garbage;		/* emptied now and then; NULL: one row only */
} AiaasAnswers;

/* A result in the current memory context; label: the one that is asked for.  Raises nothing. */
typedef Datum (*AiaasMakeResult) (AiaasAnswers *answers, const AiInput *input, int label);

/* text: the label, or an array of labels as text */
extern Datum aiaas_make_label(AiaasAnswers *answers, const AiInput *input, int label);

/* jsonb: an object of all labels, or an array of such objects */
extern Datum aiaas_make_scores(AiaasAnswers *answers, const AiInput *input, int label);

/* float8 */
extern Datum aiaas_make_score(AiaasAnswers *answers, const AiInput *input, int label);
extern Datum aiaas_make_value(AiaasAnswers *answers, const AiInput *input, int label);

/* real[] of the layer's shape, or all there is */
extern Datum aiaas_make_numbers(AiaasAnswers *answers, const AiInput *input, int label);

#endif							/* AIAAS_ANSWERS_H */
