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

/*
 * Shapes are in brackets: V words, D width, F inner width, P positions, T types, B buckets,
 * H heads, N labels.  A matrix has a row for each output, as torch stores it.
 */
typedef enum AiEncoderPart
{
	AI_PART_WORDS,				/* [V, D]; of a static table [rows, D] */
	AI_PART_POSITIONS,			/* [P, D] */
	AI_PART_TYPES,				/* [T, D] */
	AI_PART_INPUT_SCALE,		/* [D], of the norm of the embeddings */
	AI_PART_INPUT_SHIFT,
	AI_PART_RELATIVE,			/* [B, H], MPNet's bias of relative positions */

	/* of each layer */
	AI_PART_QUERY,				/* [D, D] */
	AI_PART_QUERY_BIAS,			/* [D] */
	AI_PART_KEY,
	AI_PART_KEY_BIAS,
	AI_PART_VALUE,
	AI_PART_VALUE_BIAS,
	AI_PART_MIX,				/* [D, D], of the heads' answers */
	AI_PART_MIX_BIAS,
	AI_PART_MIX_SCALE,			/* [D], of the norm behind */
	AI_PART_MIX_SHIFT,
	AI_PART_INNER,				/* [F, D] */
	AI_PART_INNER_BIAS,			/* [F] */
	AI_PART_OUTER,				/* [D, F] */
	AI_PART_OUTER_BIAS,			/* [D] */
	AI_PART_OUTER_SCALE,		/* [D], of the norm behind */
	AI_PART_OUTER_SHIFT,

	/* of a head: on the first token; the activation between is tanh, DistilBERT's ReLU */
	AI_PART_HEAD,				/* [D, D] */
	AI_PART_HEAD_BIAS,			/* [D] */
	AI_PART_LABELS,				/* [N, D] */
	AI_PART_LABELS_BIAS,		/* [N] */

	/* of each Dense module, instead of a layer */
	AI_PART_DENSE,				/* [n_out, n_in] */
	AI_PART_DENSE_BIAS,			/* [n_out] */

	/* of a static table, where it has them */
	AI_PART_MAPPING,			/* [V], the row of a token; whole numbers */
	AI_PART_TOKEN_WEIGHTS		/* [V], what a token counts */
} AiEncoderPart;

typedef struct AiEncoderWeight
{
	AiEncoderPart part;
	int			layer;			/* or number of the module; -1: of no layer */
	int64_t		n_rows;			/* 1 for a vector */
	int64_t		width;
	AiCheckpointWeight	source;
} AiEncoderWeight;

typedef struct AiEncoderWeights
{
	AiEncoderWeight *list;		/* [n], in the order of the parts, and in it of the layers */
	int			n;
	AiCheckpointWeights	dense[AI_ENCODER_MAX_DENSE];
	int			n_dense;		/* that are open */
} AiEncoderWeights;

/* Borrows weights, which are those that config was read with, and the checkpoint's memory. */
extern AiCode ai_encoder_weights_open(AiEncoderWeights *opened, const AiEncoderConfig *config,
									  AiCheckpoint *checkpoint, const AiCheckpointWeights *weights,
									  AiError *err);

extern void ai_encoder_weights_close(AiEncoderWeights *opened);

/* layer: -1 for parts of no layer.  NULL: the model has none. */
extern const AiEncoderWeight *ai_encoder_weights_find(const AiEncoderWeights *opened,
													  AiEncoderPart part, int layer);

/* Rows first .. first + n - 1 as fp32: values:[n * width] */
extern AiCode ai_encoder_weight_read(const AiEncoderWeight *weight, float *values, int64_t first,
									 int64_t n, AiError *err);

#endif							/* AI_ENCODER_WEIGHTS_H */
