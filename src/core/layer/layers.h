/*-------------------------------------------------------------------------
 * layers.h
 *		All kinds of layers.
 *
 * A new one is a file, a line here and a place in the table of layers.c.
 *-------------------------------------------------------------------------
 */
#ifndef AI_LAYERS_H
#define AI_LAYERS_H

#include "core/graph/layer.h"

/* Ends with NULL */
extern const AiLayerType *const ai_layer_types[];

extern const AiLayerType ai_layer_activation;
extern const AiLayerType ai_layer_add;
extern const AiLayerType ai_layer_attention;
extern const AiLayerType ai_layer_avg_pool;
extern const AiLayerType ai_layer_batch_norm;
extern const AiLayerType ai_layer_concatenate;
extern const AiLayerType ai_layer_conv1d;
extern const AiLayerType ai_layer_conv2d;
extern const AiLayerType ai_layer_dense;
extern const AiLayerType ai_layer_dropout;
extern const AiLayerType ai_layer_embedding;
extern const AiLayerType ai_layer_flatten;
extern const AiLayerType ai_layer_global_pool;
extern const AiLayerType ai_layer_gru;
extern const AiLayerType ai_layer_layer_norm;
extern const AiLayerType ai_layer_lstm;
extern const AiLayerType ai_layer_max_pool;
extern const AiLayerType ai_layer_normalize;
extern const AiLayerType ai_layer_positional_embedding;
extern const AiLayerType ai_layer_rescale;
extern const AiLayerType ai_layer_reshape;
extern const AiLayerType ai_layer_simple_rnn;

/* Configs that others look into */
typedef struct AiActivationConfig
{
	int			activation;		/* AiActivation */
} AiActivationConfig;

typedef struct AiDenseConfig
{
	int64_t		units;
	int			activation;		/* AiActivation */
	bool		use_bias;
	int			kernel_initializer; /* AiInitialiser */
	double		l1;				/* of the kernel */
	double		l2;
} AiDenseConfig;

typedef struct AiEmbeddingConfig
{
	int64_t		output_dim;
	int64_t		input_dim;		/* 0: to be set by who knows the words, before shapes */
	bool		mask_zero;
	int			embeddings_initializer; /* AiInitialiser */
} AiEmbeddingConfig;

#endif							/* AI_LAYERS_H */
