/*-------------------------------------------------------------------------
 * text_batch.h
 *		Many texts through one text classifier.
 *
 * Texts that are equal are computed once, and threads share the others, the longest
 * first.  A text's answer is its own: neither what else is in the batch nor the number
 * of threads changes a bit of it.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TEXT_BATCH_H
#define AI_TEXT_BATCH_H

#include "core/base/pool.h"
#include "core/model/inputs.h"
#include "core/model/text_classifier.h"

/*
 * Compute all answers.  Of a model that has an embedder, each distinct input has its code and,
 * where that is AI_OK, its embedding as answer.
 * scratch:[n_threads], each made with the pool's host for its thread; with one
 * thread the pool is not used and may be NULL.  Fails by AI_ERR_CANCELLED only: what befalls an
 * input is its code, and err too if it befalls input 0.
 */
extern AiCode ai_text_batch_run(const AiInputs *inputs, const AiTextClassifier *model,
								AiTextScratch *const *scratch, int n_threads, AiPool *pool,
								AiError *err);

#endif							/* AI_TEXT_BATCH_H */
