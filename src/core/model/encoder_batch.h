/*-------------------------------------------------------------------------
 * encoder_batch.h
 *		Many texts through one encoder.
 *
 * Texts of about the same length are computed together, and threads share them out.  A text's
 * answer is its own: neither what else is in the batch nor the number of threads changes a bit
 * of it.
 */
#ifndef AI_ENCODER_BATCH_H
#define AI_ENCODER_BATCH_H

#include "core/base/pool.h"
#include "core/model/encoder.h"
#include "core/model/inputs.h"

/* Memory of one thread, from texts to answers */
typedef struct AiEncoderReader AiEncoderReader;

extern AiCode ai_encoder_reader_create(AiEncoderReader **reader, const AiHost *host,
									   const AiEncoder *encoder, AiError *err);
extern void ai_encoder_reader_destroy(AiEncoderReader *reader);
extern size_t ai_encoder_reader_memory(const AiEncoderReader *reader);

/* What a batch was: of the inputs that were computed */
typedef struct AiEncoderCounts
{
	int64_t		n_tokens;
	int64_t		n_truncated;	/* inputs that were longer than the encoder reads */
} AiEncoderCounts;

/*
 * Compute all answers.  answers:[n_distinct, n_outputs], of which each input gets its own.
 * request: NULL asks for nothing special.  The encoder's prompt stands before each input but
 * pairs, and counts with it.  Pairs are cut where they are longer; where the labels
 * are those of natural-language inference only the first text is, as long as there is one left.
 * reader:[n_threads], each made with the pool's host for its thread; with one thread the pool is
 * not used and may be NULL.  Fails by AI_ERR_CANCELLED only: what befalls an input is its code,
 * and err too if it befalls input 0.
 */
extern AiCode ai_encoder_batch_run(const AiInputs *inputs, const AiEncoder *encoder,
								   const AiRequest *request, AiEncoderReader *const *reader,
								   float *answers, AiEncoderCounts *counts, int n_threads,
								   AiPool *pool, AiError *err);

#endif							/* AI_ENCODER_BATCH_H */
