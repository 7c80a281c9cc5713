/*-------------------------------------------------------------------------
 * encoder.h
 *		Stored encoders of the BERT family, and tables of token vectors: texts to numbers.
 *
 * A text is cut into tokens; each has a vector, which layers of attention change by the vectors
 * of the others; one vector is made of all of them (pooling).  Some dense layers may follow, and
 * what comes out is an embedding, or of classifiers the probabilities of labels, or a value.
 *
 * An aim block (core/format/aim.h) of kind AI_ENCODER_KIND holds all of it.  Weights lie there as
 * products want them (core/kernels/packed.h), so an open encoder has none of its own.
 *
 *	"version"				i64, AI_ENCODER_VERSION
 *	"shape.*", "epsilon"	see encoder_shape.h
 *	"tokenizer"				u8 [n], core/text/tokenizer.h
 *	"words"					f32 [n_words, width]; bf16 as u8 [n_words, 2 * width]
 *	"positions", "types"	f32 [n_positions, width], [n_types, width]; none where n is 0
 *	"norm"					f32 [2, width]: factors, then what is added; none of tables
 *	"bias"					f32 [n_buckets, n_heads]: attention by distance; where n_buckets is not 0
 *	"layer.NNN.attention"	u8: packed [3 * width, width]: queries, keys, values, with their biases
 *	"layer.NNN.output"		u8: packed [width, width]
 *	"layer.NNN.inner"		u8: packed [inner, width]
 *	"layer.NNN.outer"		u8: packed [width, inner]
 *	"layer.NNN.norm"		f32 [4, width]: as "norm", after the attention and at the end
 *	"after.sizes"			i64 [n, 2]: outputs and activation of each dense layer after pooling
 *	"after.NNN"				u8: packed, fp32
 *	"labels"				strings, in the order of the outputs
 *	"prompt"				u8 [n]: what is put before each input; may be absent
 */
#ifndef AI_ENCODER_H
#define AI_ENCODER_H

#include "core/base/arena.h"
#include "core/kernels/packed.h"
#include "core/text/tokenizer.h"

#define AI_ENCODER_KIND "encoder"
#define AI_ENCODER_VERSION 1

#define AI_ENCODER_BUCKETS 32	/* of distances */
#define AI_ENCODER_MAX_AFTER 4
#define AI_ENCODER_MAX_PROMPT 4096	/* bytes */

typedef enum AiPooling
{
	AI_POOL_MEAN,				/* of all tokens */
	AI_POOL_FIRST,				/* [CLS] */
	AI_POOL_LAST,
	AI_POOL_MAX,				/* of each number */
	AI_POOL_MEAN_SQRT,			/* the sum by the square root of their number */
	AI_POOL_WEIGHTED,			/* a mean with weights 1, 2, ... */
	AI_N_POOLINGS
} AiPooling;

typedef enum AiEncoderAnswer
{
	AI_ANSWER_EMBEDDING,
	AI_ANSWER_CLASS,			/* one label: softmax */
	AI_ANSWER_LABELS,			/* any of them: sigmoid of each */
	AI_ANSWER_VALUES,			/* numbers as they come */
	AI_N_ANSWERS
} AiEncoderAnswer;

/* All whole numbers of a stored encoder: "shape." and the field's name */
typedef struct AiEncoderShape
{
	int64_t		precision;		/* AiPrecision, of the layers' weights; bf16 words if not fp32 */
	int64_t		answer;			/* AiEncoderAnswer */
	int64_t		n_words;		/* of the vocabulary */
	int64_t		width;
	int64_t		n_layers;		/* 0: a table of vectors */
	int64_t		n_heads;
	int64_t		inner;			/* width inside of a layer's second half */
	int64_t		activation;		/* AiActivation, there */
	int64_t		n_positions;	/* rows; 0: none */
	int64_t		first_position; /* the row of the first token */
	int64_t		n_types;		/* of tokens: first and second text; 0: none */
	int64_t		n_buckets;		/* AI_ENCODER_BUCKETS, or 0: none */
	int64_t		pooling;		/* AiPooling */
	int64_t		normalizes;		/* 1: to length 1 */
	int64_t		max_tokens;		/* of an input, with the special ones */
	int64_t		skips_unknown;	/* 1, of tables: unknown tokens have no vector */
} AiEncoderShape;

/* A dense layer after pooling */
typedef struct AiEncoderAfter
{
	int64_t		n;				/* outputs */
	AiActivation act;
} AiEncoderAfter;

typedef struct AiEncoder AiEncoder;

/*
 * Over bytes, 64-byte aligned, that must outlive it.  open reads and checks all of them;
 * open_checked only what it needs, of bytes that open has accepted before.
 */
extern AiCode ai_encoder_open(AiEncoder **encoder, const AiHost *host, const void *bytes,
							  size_t size, AiError *err);
extern AiCode ai_encoder_open_checked(AiEncoder **encoder, const AiHost *host, const void *bytes,
									  size_t size, AiError *err);
extern void ai_encoder_close(AiEncoder *encoder);

extern const AiEncoderShape *ai_encoder_shape(const AiEncoder *encoder);
extern const AiTokenizer *ai_encoder_tokenizer(const AiEncoder *encoder);

/* What is put before each input but a pair, not terminated; len 0: nothing */
extern const char *ai_encoder_prompt(const AiEncoder *encoder, size_t *len);

/* Numbers of an answer: the width of an embedding, the labels, the values */
extern size_t ai_encoder_n_outputs(const AiEncoder *encoder);
extern int	ai_encoder_n_labels(const AiEncoder *encoder);
extern const char *ai_encoder_label(const AiEncoder *encoder, int index, size_t *len);

/* All its weights */
extern int64_t ai_encoder_n_parameters(const AiEncoder *encoder);

/* -1: none is called so */
extern int	ai_encoder_find_label(const AiEncoder *encoder, const char *label, size_t len);

/*
 * The label that says that the second of two texts follows from the first.  -1: the labels are
 * not those of natural-language inference.
 */
extern int	ai_encoder_find_entailment(const AiEncoder *encoder);

/*
 * Tokens of some inputs, one after the other: those of input i are first[i] .. first[i + 1] - 1.
 * There is at least one of each, but in tables, and at most max_tokens.
 */
typedef struct AiEncoderTokens
{
	size_t		n_inputs;
	const uint32_t *first;		/* [n_inputs + 1]; first[0] is 0 */
	const int32_t *id;
	const uint8_t *type;		/* NULL: all 0 */
} AiEncoderTokens;

/* Multiplications that a token takes, without attention */
extern double ai_encoder_work(const AiEncoder *encoder);

/* Memory of one thread, which grows with what it has been used for */
typedef struct AiEncoderScratch AiEncoderScratch;

extern AiCode ai_encoder_scratch_create(AiEncoderScratch **scratch, const AiHost *host,
										const AiEncoder *encoder, AiError *err);
extern void ai_encoder_scratch_destroy(AiEncoderScratch *scratch);
extern size_t ai_encoder_scratch_memory(const AiEncoderScratch *scratch);

/*
 * answer:[n_inputs, n_outputs].  An input's has the same bits whatever is computed together with
 * it.  is_raw: a head's numbers without the softmax or sigmoid behind it.  Fails by AI_ERR_NOMEM,
 * AI_ERR_CANCELLED, or AI_ERR_DATA where an id is none of the words.
 */
extern AiCode ai_encoder_run(const AiEncoder *encoder, AiEncoderScratch *scratch,
							 const AiEncoderTokens *tokens, bool is_raw, float *answer,
							 AiError *err);

#endif							/* AI_ENCODER_H */
