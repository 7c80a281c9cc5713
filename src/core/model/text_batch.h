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
#include "core/model/text_classifier.h"

typedef struct AiTextInput
{
	const char *text;			/* borrowed */
	size_t		len;
	double	   *probability;	/* [n_labels] to be filled, or NULL */

	/* Where the answer is: in the first input with these bytes, most often this one */
	uint32_t	same_as;

	/* The answer */
	AiCode		code;
	int			best;
} AiTextInput;

typedef struct AiTextTask AiTextTask;

typedef struct AiTextBatch
{
	AiTextInput *inputs;		/* [n], borrowed */
	size_t		n;
	size_t		n_distinct;
	size_t		n_bytes;		/* of the distinct ones */
	const AiHost *host;			/* borrowed */
	AiTextTask *tasks;			/* [n_distinct] */
} AiTextBatch;

/* Find equal inputs.  Fails by AI_ERR_NOMEM only, and then needs no free. */
extern AiCode ai_text_batch_init(AiTextBatch *batch, AiTextInput *inputs, size_t n,
								 const AiHost *host, AiError *err);
extern void ai_text_batch_free(AiTextBatch *batch);

/*
 * Compute all answers.  scratch:[n_threads], each made with the pool's host for its
 * thread; with one thread the pool is not used and may be NULL.  Fails by
 * AI_ERR_CANCELLED only: what befalls an input is its code, and err too if it befalls
 * input 0.
 */
extern AiCode ai_text_batch_run(const AiTextBatch *batch, const AiTextClassifier *model,
								AiTextScratch *const *scratch, int n_threads, AiPool *pool,
								AiError *err);

#endif							/* AI_TEXT_BATCH_H */
