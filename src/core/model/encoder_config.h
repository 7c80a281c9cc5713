/*-------------------------------------------------------------------------
 * encoder_config.h
 *		What a checkpoint says of an encoder: its family, sizes, pooling and head.
 *
 * Read from config.json and from what sentence-transformers and model2vec put beside it.
 * What is not built is refused by its name; what is not said has the default that the
 * reference, transformers, gives it.
 *-------------------------------------------------------------------------
 */
#ifndef AI_ENCODER_CONFIG_H
#define AI_ENCODER_CONFIG_H

#include "core/format/checkpoint.h"
#include "core/model/encoder.h"

#define AI_ENCODER_MAX_DENSE 4
#define AI_ENCODER_MAX_LABELS 10000
#define AI_ENCODER_MAX_PROMPTS 100

typedef enum AiEncoderFamily
{
	AI_ENCODER_BERT,
	AI_ENCODER_DISTILBERT,
	AI_ENCODER_ROBERTA,
	AI_ENCODER_XLM_ROBERTA,
	AI_ENCODER_MPNET,
	AI_ENCODER_STATIC			/* a table of embeddings: model2vec's */
} AiEncoderFamily;

/* A product behind the pooling */
typedef struct AiEncoderDense
{
	const char *folder;			/* of its weights */
	int			n_in;
	int			n_out;
	bool		has_bias;
	AiActivation activation;
} AiEncoderDense;

typedef struct AiEncoderPrompt
{
	const char *name;
	const char *text;			/* put before an input */
} AiEncoderPrompt;

/* Strings are the checkpoint's, and live as long. */
typedef struct AiEncoderConfig
{
	AiEncoderFamily family;

	/* The transformer; of a static table only width and n_vocab */
	int			width;			/* of a token's state */
	int			n_layers;
	int			n_heads;		/* divides width */
	int			inner_width;	/* between the two products of a layer */
	int			n_vocab;
	int			n_positions;	/* rows of the table of positions */
	int			first_position; /* row of the first token: 0, or 2 in families of RoBERTa */
	int			n_types;		/* 0: no token types */
	int			n_buckets;		/* of relative positions, MPNet's; else 0 */
	int			pad_id;
	AiActivation activation;
	double		eps;			/* of the norms */

	/* What goes in */
	int			max_tokens;		/* with the special ones; 0: no limit */
	bool		lowers;			/* the text is lowercased before the tokenizer sees it */
	int			n_prompts;
	const AiEncoderPrompt *prompts;
	int			default_prompt; /* -1: none */

	/* What comes out */
	AiEncoderAnswer answer;		/* but of embeddings there is a head */
	AiPooling pooling;	/* of an embedding */
	int			n_dense;
	AiEncoderDense dense[AI_ENCODER_MAX_DENSE];
	bool		normalises;
	int			n_out;			/* numbers of an embedding, or labels */
	const char *similarity;		/* "cosine", "dot" ...; NULL: not said */

	/* of a head */
	const char *const *labels;	/* [n_out] */
	AiActivation score_activation;	/* linear, but of a score for pairs of texts */

	/* of a static table */
	bool		skips_unknown;	/* the tokenizer's unk_token, if it has one, does not count */
} AiEncoderConfig;

/* weights: those in checkpoint->folder */
extern AiCode ai_encoder_config_read(AiEncoderConfig *config, AiCheckpoint *checkpoint,
									 const AiCheckpointWeights *weights, AiError *err);

/* "bert", "roberta" ... */
extern const char *ai_encoder_family_name(AiEncoderFamily family);

#endif							/* AI_ENCODER_CONFIG_H */
