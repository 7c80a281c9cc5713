/*-------------------------------------------------------------------------
 * encoder_internal.h
 *		An open encoder, for the files that open and run it.
 *-------------------------------------------------------------------------
 */
#ifndef AI_ENCODER_INTERNAL_H
#define AI_ENCODER_INTERNAL_H

#include "core/format/aim.h"
#include "core/model/encoder.h"
#include "core/text/tokenizer.h"

/* Factors, and what is added */
typedef struct AiEncoderNorm
{
	const float *gamma;
	const float *beta;
} AiEncoderNorm;

typedef struct AiEncoderLayer
{
	AiPacked	attention;
	AiPacked	output;
	AiPacked	inner;
	AiPacked	outer;
	AiEncoderNorm attention_norm;
	AiEncoderNorm norm;
} AiEncoderLayer;

struct AiEncoder
{
	AiArena		arena;
	AiEncoderShape shape;
	double		epsilon;
	AiTokenizer tokenizer;
	const void *tokenizer_block;
	size_t		tokenizer_size;
	const float *words;			/* one of the two */
	const uint16_t *words_bf16;
	const float *positions;		/* NULL: none, as the next ones */
	const float *types;
	const float *bias;			/* [n_buckets, n_heads] */
	AiEncoderNorm norm;
	AiEncoderLayer *layers;		/* [n_layers] */
	int			n_after;
	AiEncoderAfter after[AI_ENCODER_MAX_AFTER];
	AiPacked	after_weights[AI_ENCODER_MAX_AFTER];
	AiAimStrings labels;
	const char *prompt;			/* not terminated */
	size_t		prompt_len;
};

#define AI_ENCODER_NAME_SIZE 40

/* "layer.003.output": an entry of a layer */
extern const char *ai_encoder_layer_name(char *name, int64_t layer, const char *what);

/* "after.000" */
extern const char *ai_encoder_after_name(char *name, int number);

/* The number of "shape.width" and so on, in order; NULL: there are no more */
extern const char *ai_encoder_field(size_t i, int64_t **value, AiEncoderShape *shape);

/* vector:[width] of a word, from 0 on */
extern void ai_encoder_word(const AiEncoder *encoder, float *vector, size_t word);

/*
 * Which row of the bias a distance has.  Rows are MPNet's: the first half for what stands
 * before, a row for each distance up to 7, then one for each half power of two up to 128.
 */
extern int64_t ai_encoder_bucket(int64_t distance);

/* encoder_pooling.c: answers of inputs, from the vectors of their tokens */
extern void ai_encoder_pool(float *pooled, const AiEncoder *encoder, const float *vector,
							size_t n);

#endif							/* AI_ENCODER_INTERNAL_H */
