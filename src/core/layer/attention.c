/*-------------------------------------------------------------------------
 * attention.c
 *		Multi-head attention of a sequence to itself.
 *
 * Weights are Keras's: for query, key and value kernel:[features, heads, dim] and
 * bias:[heads, dim]; output_kernel:[heads, value_dim, features], output_bias:[features].
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include "core/layer/prepare.h"

typedef struct AttentionConfig
{
	int64_t		num_heads;
	int64_t		key_dim;		/* 0: features / heads */
	int64_t		value_dim;		/* 0: the same as key_dim */
	bool		causal;			/* a step sees itself and those before it */
	bool		use_bias;
	int			kernel_initializer; /* AiInitialiser */
	double		l1;				/* of all kernels */
	double		l2;
} AttentionConfig;

static const AiOption options[] = {
	AI_OPTION_UNITS_ROW(AttentionConfig, num_heads),
	{.name = "key_dim", .kind = AI_OPTION_INT, .offset = offsetof(AttentionConfig, key_dim),
	 .min = 1, .max = AI_MAX_UNITS},
	{.name = "value_dim", .kind = AI_OPTION_INT, .offset = offsetof(AttentionConfig, value_dim),
	 .min = 1, .max = AI_MAX_UNITS},
	AI_OPTION_BOOL_ROW(AttentionConfig, causal, false),
	AI_OPTION_BOOL_ROW(AttentionConfig, use_bias, true),
	AI_OPTION_CHOICE_ROW(AttentionConfig, kernel_initializer, AI_INIT_GLOROT_UNIFORM,
						 ai_initialiser_names),
	AI_OPTION_PENALTY_ROW(AttentionConfig, l1, "kernel_regularizer"),
	AI_OPTION_PENALTY_ROW(AttentionConfig, l2, "kernel_regularizer"),
	{.name = NULL}
};

static AiWeight *
add_kernel(AiLayer *layer, const char *name, const int64_t *dims)
{
	const AttentionConfig *config = layer->config;
	AiWeight   *kernel = ai_prepare_weight(layer, name, config->kernel_initializer, 3, dims);

	kernel->l1 = config->l1;
	kernel->l2 = config->l2;
	return kernel;
}

/* One of query, key, value: from features to heads */
static void
add_projection(AiLayer *layer, const char *kernel_name, const char *bias_name, int64_t dim)
{
	const AttentionConfig *config = layer->config;
	int64_t		dims[] = {layer->input[0].dims[1], config->num_heads, dim};
	AiWeight   *kernel = add_kernel(layer, kernel_name, dims);

	kernel->fan_in = dims[0];
	kernel->fan_out = dims[1] * dims[2];
	if (config->use_bias)
		ai_prepare_weight(layer, bias_name, AI_INIT_ZEROS, 2, &dims[1]);
}

static AiCode
find_key_dim(int64_t *dim, const AiLayer *layer, AiError *err)
{
	const AttentionConfig *config = layer->config;
	int64_t		n = layer->input[0].dims[1];

	*dim = config->key_dim;
	if (*dim > 0)
		return AI_OK;
	*dim = n / config->num_heads;
	if (n % config->num_heads == 0)
		return AI_OK;
	ai_fail(err, AI_ERR_SHAPE, "%lld features cannot be shared by %lld heads", (long long) n,
			(long long) config->num_heads);
	ai_hint(err, "Set the option \"key_dim\", the numbers of each head.");
	return AI_ERR_SHAPE;
}

static AiCode
prepare(AiLayer *layer, AiError *err)
{
	const AttentionConfig *config = layer->config;
	int64_t		n = ai_shape_last(&layer->input[0]);
	int64_t		key_dim;
	int64_t		value_dim;
	AiWeight   *kernel;

	AI_TRY(ai_prepare_dims(layer, 2, 2, "[steps, features]", err));
	AI_TRY(find_key_dim(&key_dim, layer, err));
	value_dim = config->value_dim > 0 ? config->value_dim : key_dim;
	layer->output = layer->input[0];
	layer->passes_mask = true;
	add_projection(layer, "query_kernel", "query_bias", key_dim);
	add_projection(layer, "key_kernel", "key_bias", key_dim);
	add_projection(layer, "value_kernel", "value_bias", value_dim);
	kernel = add_kernel(layer, "output_kernel", (int64_t[]) {config->num_heads, value_dim, n});
	kernel->fan_in = config->num_heads * value_dim;
	kernel->fan_out = n;
	if (config->use_bias)
		ai_prepare_weight(layer, "output_bias", AI_INIT_ZEROS, 1, &n);
	return AI_OK;
}

const AiLayerType ai_layer_attention = {
	.name = "attention",
	.keras_name = "MultiHeadAttention",
	.config_size = sizeof(AttentionConfig),
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
};
