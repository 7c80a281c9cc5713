/*-------------------------------------------------------------------------
 * encoder_weights.h
 *		The tensors of a checkpoint that an encoder is made of, by what they are for.
 *
 * Exporters put different prefixes before the same names ("bert.", "0.auto_model."), and old
 * ones write gamma and beta for a norm's weight and bias.  What a config needs and is not
 * there, or has another shape, is named; so is a tensor that belongs to nothing, except for
 * those that are known to be left over from training.
 *-------------------------------------------------------------------------
 */
#ifndef AI_ENCODER_WEIGHTS_H
#define AI_ENCODER_WEIGHTS_H

#include "core/model/encoder_config.h"
#include "core/model/encoder_store.h"

typedef struct AiEncoderWeight
{
	AiEncoderTensor tensor;
	int64_t		n_rows;			/* 1 for a vector */
	int64_t		width;
	AiCheckpointWeight	source;
} AiEncoderWeight;

typedef struct AiEncoderWeights
{
	AiEncoderWeight *list;		/* [n], sorted */
	int			n;
	AiCheckpointWeights	dense[AI_ENCODER_MAX_DENSE];
	int			n_dense;		/* that are open */
} AiEncoderWeights;

/* Borrows weights, which are those that config was read with, and the checkpoint's memory. */
extern AiCode ai_encoder_weights_open(AiEncoderWeights *opened, const AiEncoderConfig *config,
									  AiCheckpoint *checkpoint, const AiCheckpointWeights *weights,
									  AiError *err);

extern void ai_encoder_weights_close(AiEncoderWeights *opened);

/* NULL: the model has none. */
extern const AiEncoderWeight *ai_encoder_weights_find(const AiEncoderWeights *opened,
													  const AiEncoderTensor *tensor);

/* Rows first .. first + n - 1 as fp32: values:[n * width] */
extern AiCode ai_encoder_weight_read(const AiEncoderWeight *weight, float *values, int64_t first,
									 int64_t n, AiError *err);

#endif							/* AI_ENCODER_WEIGHTS_H */
