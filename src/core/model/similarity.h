/*-------------------------------------------------------------------------
 * similarity.h
 *		How near two embeddings are, and which of some labels a text has by what an encoder says
 *		of both.
 *-------------------------------------------------------------------------
 */
#ifndef AI_SIMILARITY_H
#define AI_SIMILARITY_H

#include "core/model/encoder.h"

/*
 * The cosine of the angle between x:[n] and y:[n], -1 to 1.  0 where one of them has no direction;
 * NaN where a number is not finite.
 */
extern double ai_cosine(const float *x, const float *y, size_t n);

/*
 * Zero-shot classification: the labels come with the text.
 *
 * An encoder for natural-language inference reads text and hypothesis as a pair, and the numbers
 * of entailment, before the softmax, are compared.  With a single label it is compared with
 * contradiction.  So does the pipeline of transformers, with the same hypothesis.
 *
 * An embedder compares the cosines of the text and each label, times AI_ZERO_SHOT_SCALE: that is
 * the scale that sentence encoders are mostly trained with.
 */
#define AI_HYPOTHESIS_BEGIN "This example is "
#define AI_HYPOTHESIS_END "."
#define AI_ZERO_SHOT_SCALE 20

/* An embedder, or one for natural-language inference */
extern bool ai_zero_shot_can(const AiEncoder *encoder);

/* Does it read pairs of text and hypothesis?  Otherwise texts and labels are embedded. */
extern bool ai_zero_shot_reads_pairs(const AiEncoder *encoder);

/*
 * probability:[n] of the labels, whose sum is 1 where n is more than 1.  answer:[n]: those to the
 * pairs, or to the labels; text: that to the text, where they are embedded.
 */
extern void ai_zero_shot_scores(double *probability, const AiEncoder *encoder, const float *text,
								const float *const *answer, int n);

#endif							/* AI_SIMILARITY_H */
