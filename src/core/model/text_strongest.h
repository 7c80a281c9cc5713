/*-------------------------------------------------------------------------
 * text_strongest.h
 *		The n-grams that a model holds to be the strongest for each label.
 *
 * A model knows n-grams by their hashes.  Those that matter most are kept as
 * text too, so that people can see what it has learnt.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TEXT_STRONGEST_H
#define AI_TEXT_STRONGEST_H

#include "core/model/text_fit.h"
#include "core/model/text_classifier.h"
#include "core/model/text_rows.h"

typedef struct AiTextStrongestInput
{
	const AiSparseRow *matrix_rows; /* [n_rows] */
	const AiTextRow *const *text_rows;	/* [n_rows] the same rows */
	int64_t		n_rows;
	const AiVocabularyOrder *order;
	const AiTextFit *fit;
	const double *mass;			/* [n_features] of ai_text_mass() */
	AiNgramOptions options;
} AiTextStrongestInput;

/*
 * mass:[n_features], zero before: sums of values over all rows.  It needs no weights, so
 * a thread of the pool can do it while they are learnt; when told to stop it returns early.
 */
extern void ai_text_mass(double *mass, const AiSparseRow *rows, int64_t n_rows,
						 AiPool *pool, int thread);

/* Layouts as in text_model.h; by label, then falling weight */
typedef struct AiTextStrongest
{
	int64_t		n;
	int32_t    *item;			/* [n, 3] */
	double	   *weight;			/* [n] */
	const char **feature;		/* [n] */
	size_t	   *feature_len;	/* [n] */
} AiTextStrongest;

/*
 * Chosen by weight times the sum of values over all rows, which is what an
 * n-gram added to all scores together: a strong word that one text holds says
 * less than one that a hundred hold.
 */
extern AiCode ai_text_strongest(AiTextStrongest *strongest, AiArena *arena,
								const AiTextStrongestInput *input, AiError *err);

#endif							/* AI_TEXT_STRONGEST_H */
