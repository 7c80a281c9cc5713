/*-------------------------------------------------------------------------
 * encoder_store.h
 *		Making stored encoders.
 *
 * Weights come one array after the other from whoever has them: a checkpoint, or an encoder in
 * another precision.  Beside the block itself the largest array is held once.
 *-------------------------------------------------------------------------
 */
#ifndef AI_ENCODER_STORE_H
#define AI_ENCODER_STORE_H

#include "core/format/aim.h"
#include "core/model/encoder.h"

/* D is the width, F the inner one; matrices have a row for each output, as PyTorch has them */
typedef enum AiEncoderArray
{
	AI_ARRAY_WORDS,				/* [words, D] */
	AI_ARRAY_POSITIONS,			/* [positions, D] */
	AI_ARRAY_TYPES,				/* [types, D] */
	AI_ARRAY_BIAS,				/* [buckets, heads], of attention, by distance */
	AI_ARRAY_NORM,				/* [D], of embeddings */
	AI_ARRAY_QUERY,				/* [D, D], of a layer, as all that follow up to its norm */
	AI_ARRAY_KEY,
	AI_ARRAY_VALUE,
	AI_ARRAY_OUTPUT,
	AI_ARRAY_ATTENTION_NORM,	/* [D] */
	AI_ARRAY_INNER,				/* [F, D] */
	AI_ARRAY_OUTER,				/* [D, F] */
	AI_ARRAY_LAYER_NORM,		/* [D] */
	AI_ARRAY_AFTER,				/* [outputs, inputs]; layer: its number behind the pooling */

	/* of checkpoints of tables only, where they are */
	AI_ARRAY_ROWS,				/* [words], the row that a token has; whole numbers */
	AI_ARRAY_COUNTS,			/* [words], what a token counts */
} AiEncoderArray;

typedef struct AiEncoderTensor
{
	AiEncoderArray array;
	int			layer;			/* 0 where there is one only */
	bool		is_bias;		/* what is added: [outputs]; without it of norms the factors */
} AiEncoderTensor;

/* to:[n_rows, k] = some rows of a tensor */
typedef struct AiEncoderSource
{
	AiCode		(*read) (void *ud, float *to, const AiEncoderTensor *tensor, size_t first_row,
						 size_t n_rows, AiError *err);
	void	   *ud;
} AiEncoderSource;

/* What is not weights */
typedef struct AiEncoderPlan
{
	AiEncoderShape shape;
	double		epsilon;
	int			n_after;
	AiEncoderAfter after[AI_ENCODER_MAX_AFTER];
	const char *const *labels;
	const size_t *label_lens;
	int			n_labels;
	const char *prompt;			/* put before each input */
	size_t		prompt_len;		/* 0: nothing is */
	const void *tokenizer;
	size_t		tokenizer_size;
} AiEncoderPlan;

/* writer, which the caller has made for AI_ENCODER_KIND and frees, holds the bytes. */
extern AiCode ai_encoder_store(AiAimWriter *writer, const void **bytes, size_t *size,
							   const AiEncoderPlan *plan, const AiEncoderSource *source,
							   AiError *err);

/* The same encoder in another precision, from the weights that it has */
extern AiCode ai_encoder_store_again(AiAimWriter *writer, const void **bytes, size_t *size,
									 const AiEncoder *encoder, AiPrecision precision,
									 AiError *err);

#endif							/* AI_ENCODER_STORE_H */
