/*-------------------------------------------------------------------------
 * attention.c
 *		Multi-head attention of a sequence to itself.
 *
 * Weights are Keras's: for query, key and value kernel:[features, heads, dim] and
 * bias:[heads, dim]; output_kernel:[heads, value_dim, features], output_bias:[features].
 *
 * What a step takes from the steps is softmax(query * key / sqrt(key_dim)) * value, over those
 * that are not masked and, if it is causal, not behind it; where there are none it is 0.  The
 * shares (what softmax gives) are computed for one row, head and block of steps at a time,
 * and again on the way back: they would be by far the largest arrays.
 *-------------------------------------------------------------------------
 */
#include "core/layer/layers.h"

#include <math.h>
#include <string.h>

#include "core/layer/prepare.h"
#include "core/layer/product.h"

#define BLOCK_STEPS 64			/* steps that take, at a time */

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

/* Projections, and their places among the weights */
enum
{
	QUERY,
	KEY,
	VALUE,
	OUTPUT,
	N_PROJECTIONS
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

/* See take_arrays, attend_back and derive */
static void
set_sizes(AiLayer *layer, size_t key_dim, size_t value_dim)
{
	const AttentionConfig *config = layer->config;
	size_t		steps = (size_t) layer->input[0].dims[0];
	size_t		n = (size_t) layer->input[0].dims[1];
	size_t		width = 2 * (size_t) config->num_heads * (key_dim + value_dim);

	layer->saved_size = steps * width;
	layer->scratch_size = steps * width;
	layer->scratch_fixed = steps * (key_dim + value_dim + 2 * BLOCK_STEPS);
	layer->derived_size = n * width;
	layer->needs_derived = true;
	layer->needs_input = true;
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
	set_sizes(layer, (size_t) key_dim, (size_t) value_dim);
	return AI_OK;
}

/*
 * A pass
 */

/* Sizes, as products take them */
typedef struct Sizes
{
	size_t		n_rows;
	size_t		steps;
	size_t		features;
	size_t		heads;
	size_t		key_dim;
	size_t		value_dim;
	size_t		width[N_PROJECTIONS];	/* of all heads; of the output, of what goes into it */
	bool		has_bias;
	bool		is_causal;
} Sizes;

static Sizes
sizes_of(const AiLayer *layer, const AiPass *pass)
{
	const AttentionConfig *config = layer->config;
	const AiWeight *output = &layer->weight[config->use_bias ? 2 * OUTPUT : OUTPUT];
	size_t		heads = (size_t) config->num_heads;
	size_t		key_dim = (size_t) layer->weight[0].dims[2];
	size_t		value_dim = (size_t) output->dims[1];

	return (Sizes) {
		.n_rows = (size_t) pass->n_rows,
		.steps = (size_t) layer->input[0].dims[0],
		.features = (size_t) layer->input[0].dims[1],
		.heads = heads,
		.key_dim = key_dim,
		.value_dim = value_dim,
		.width = {heads * key_dim, heads * key_dim, heads * value_dim, heads * value_dim},
		.has_bias = config->use_bias,
		.is_causal = config->causal
	};
}

static int
kernel_of(const Sizes *sizes, int projection)
{
	return sizes->has_bias ? 2 * projection : projection;
}

/* For each projection an array [n_rows, steps, its width] from memory on */
static void
take_arrays(float **array, const Sizes *sizes, float *memory)
{
	for (int i = 0; i < N_PROJECTIONS; i++)
	{
		array[i] = memory;
		memory += sizes->n_rows * sizes->steps * sizes->width[i];
	}
}

/* Places that one block of steps of a row looks at */
typedef struct Sight
{
	const uint8_t *mask;		/* [steps] of the row, or NULL */
	bool		is_causal;
	size_t		first_key;		/* none before it is there */
	size_t		n_keys;			/* none from here on is looked at */
	size_t		first;			/* of the block */
	size_t		n;
} Sight;

static Sight
look(const Sizes *sizes, const uint8_t *mask, size_t first)
{
	Sight		sight = {
		.mask = mask, .is_causal = sizes->is_causal, .first = first, .n = sizes->steps - first
	};

	if (sight.n > BLOCK_STEPS)
		sight.n = BLOCK_STEPS;
	sight.n_keys = sizes->is_causal ? first + sight.n : sizes->steps;
	while (mask != NULL && sight.n_keys > 0 && mask[sight.n_keys - 1] == 0)
		sight.n_keys--;
	while (mask != NULL && sight.first_key < sight.n_keys && mask[sight.first_key] == 0)
		sight.first_key++;
	return sight;
}

/* Scores of what is not seen.  Steps that see nothing get no numbers by softmax. */
static void
hide(float *scores, const Sight *sight)
{
	for (size_t i = 0; i < sight->n; i++, scores += sight->n_keys)
	{
		for (size_t j = 0; j < sight->n_keys && sight->mask != NULL; j++)
		{
			if (sight->mask[j] == 0)
				scores[j] = -INFINITY;
		}
		for (size_t j = sight->first + i + 1; j < sight->n_keys && sight->is_causal; j++)
			scores[j] = -INFINITY;
	}
}

/* share:[n, n_keys] of a block, from query:[n, .] of it and keys:[key_dim, steps], transposed */
static void
compute_shares(float *share, const Sizes *sizes, const Sight *sight, const float *query,
			   const float *keys)
{
	AiGemm		product = {
		.m = sight->n,
		.n = sight->n_keys,
		.k = sizes->key_dim,
		.n_taps = 1,
		.a = query,
		.a_row = (ptrdiff_t) sizes->width[QUERY],
		.a_col = 1,
		.b = keys,
		.b_row = (ptrdiff_t) sizes->steps,
		.c = share,
		.c_row = (ptrdiff_t) sight->n_keys
	};

	ai_kernels()->gemm(&product);
	if (sight->mask != NULL || sight->is_causal)
		hide(share, sight);
	ai_kernels()->softmax(share, share, sight->n, sight->n_keys);
	for (size_t i = 0; sight->is_causal && i < sight->n && sight->first + i < sight->first_key; i++)
		memset(share + i * sight->n_keys, 0, sight->n_keys * sizeof(float));
}

/* c:[m, n] = a:[m, k] * b:[k, n], all with rows of some distance; a transposed: a:[k, m] */
static void
multiply(float *c, size_t c_row, const float *a, size_t a_row, bool is_transposed, const float *b,
		 size_t b_row, size_t m, size_t k, size_t n, bool adds)
{
	AiGemm		product = {
		.m = m,
		.n = n,
		.k = k,
		.n_taps = 1,
		.a = a,
		.a_row = is_transposed ? 1 : (ptrdiff_t) a_row,
		.a_col = is_transposed ? (ptrdiff_t) a_row : 1,
		.b = b,
		.b_row = (ptrdiff_t) b_row,
		.c = c,
		.c_row = (ptrdiff_t) c_row,
		.adds = adds
	};

	ai_kernels()->gemm(&product);
}

/* Where a row's and head's part of the arrays begins */
static void
take_head(float **part, float *const *array, const Sizes *sizes, size_t row, size_t head)
{
	for (int i = 0; i < N_PROJECTIONS; i++)
		part[i] = array[i] + row * sizes->steps * sizes->width[i] +
			head * (i == QUERY || i == KEY ? sizes->key_dim : sizes->value_dim);
}

static const uint8_t *
mask_of_row(const AiPass *pass, const Sizes *sizes, size_t row)
{
	return pass->mask != NULL ? pass->mask + row * sizes->steps : NULL;
}

/*
 * Forward
 */

/* From the steps' features to one projection of all heads, or from heads to features */
static void
project(float *to, const Sizes *sizes, const float *from, const AiPass *pass, int projection)
{
	bool		is_output = projection == OUTPUT;
	int			kernel = kernel_of(sizes, projection);
	size_t		k = is_output ? sizes->width[OUTPUT] : sizes->features;
	size_t		n = is_output ? sizes->features : sizes->width[projection];
	AiGemm		product = {
		.m = sizes->n_rows * sizes->steps,
		.n = n,
		.k = k,
		.n_taps = 1,
		.a = from,
		.a_row = (ptrdiff_t) k,
		.a_col = 1,
		.b = pass->weight[kernel],
		.b_row = (ptrdiff_t) n,
		.c = to,
		.c_row = (ptrdiff_t) n,
		.bias = sizes->has_bias ? pass->weight[kernel + 1] : NULL
	};

	ai_product(pass, &product);
}

/* part[OUTPUT] of a row and head, from the other three; scratch: see scratch_fixed */
static void
attend(float *const *part, const Sizes *sizes, const uint8_t *mask, float *scratch)
{
	float	   *keys = scratch;
	float	   *share = scratch + sizes->key_dim * sizes->steps;
	size_t		row = sizes->width[VALUE];

	ai_kernels()->transpose(keys, (ptrdiff_t) sizes->steps, part[KEY],
							(ptrdiff_t) sizes->width[KEY], sizes->steps, sizes->key_dim);
	for (size_t first = 0; first < sizes->steps; first += BLOCK_STEPS)
	{
		Sight		sight = look(sizes, mask, first);

		compute_shares(share, sizes, &sight, part[QUERY] + first * sizes->width[QUERY], keys);
		multiply(part[OUTPUT] + first * row, row, share, sight.n_keys, false, part[VALUE], row,
				 sight.n, sight.n_keys, sizes->value_dim, false);
	}
}

static float
scale_of(const Sizes *sizes)
{
	return (float) (1 / sqrt((double) sizes->key_dim));
}

static void
forward(const AiLayer *layer, const AiPass *pass)
{
	Sizes		sizes = sizes_of(layer, pass);
	float	   *saved[N_PROJECTIONS];
	float	   *part[N_PROJECTIONS];

	take_arrays(saved, &sizes, pass->saved);
	for (int i = QUERY; i <= VALUE; i++)
		project(saved[i], &sizes, pass->input[0], pass, i);
	ai_kernels()->scale(saved[QUERY], saved[QUERY],
						sizes.n_rows * sizes.steps * sizes.width[QUERY], scale_of(&sizes), 0);
	for (size_t r = 0; r < sizes.n_rows && !ai_pass_should_stop(pass); r++)
	{
		for (size_t h = 0; h < sizes.heads; h++)
		{
			take_head(part, saved, &sizes, r, h);
			attend(part, &sizes, mask_of_row(pass, &sizes, r), pass->scratch);
		}
	}
	project(pass->output, &sizes, saved[OUTPUT], pass, OUTPUT);
}

/*
 * Backward
 */

/* d_part of a row and head but for d_part[OUTPUT], which is given */
static void
attend_back(float *const *d_part, float *const *part, const Sizes *sizes, const uint8_t *mask,
			float *scratch)
{
	float	   *keys = scratch;
	float	   *values = keys + sizes->key_dim * sizes->steps;
	float	   *share = values + sizes->value_dim * sizes->steps;
	float	   *d_share = share + BLOCK_STEPS * sizes->steps;
	size_t		key_row = sizes->width[KEY];
	size_t		value_row = sizes->width[VALUE];

	ai_kernels()->transpose(keys, (ptrdiff_t) sizes->steps, part[KEY], (ptrdiff_t) key_row,
							sizes->steps, sizes->key_dim);
	ai_kernels()->transpose(values, (ptrdiff_t) sizes->steps, part[VALUE], (ptrdiff_t) value_row,
							sizes->steps, sizes->value_dim);
	for (size_t first = 0; first < sizes->steps; first += BLOCK_STEPS)
	{
		Sight		sight = look(sizes, mask, first);
		const float *query = part[QUERY] + first * key_row;
		const float *d_taken = d_part[OUTPUT] + first * value_row;

		compute_shares(share, sizes, &sight, query, keys);
		multiply(d_share, sight.n_keys, d_taken, value_row, false, values, sizes->steps, sight.n,
				 sizes->value_dim, sight.n_keys, false);
		multiply(d_part[VALUE], value_row, share, sight.n_keys, true, d_taken, value_row,
				 sight.n_keys, sight.n, sizes->value_dim, true);
		ai_kernels()->softmax_back(d_share, d_share, share, sight.n, sight.n_keys);
		multiply(d_part[QUERY] + first * key_row, key_row, d_share, sight.n_keys, false, part[KEY],
				 key_row, sight.n, sight.n_keys, sizes->key_dim, false);
		multiply(d_part[KEY], key_row, d_share, sight.n_keys, true, query, key_row, sight.n_keys,
				 sight.n, sizes->key_dim, true);
	}
}

/* The gradients of one projection's weights */
static void
add_weight_gradients(const Sizes *sizes, const AiPass *pass, int projection, const float *from,
					 size_t k, const float *d_to, size_t n)
{
	int			kernel = kernel_of(sizes, projection);
	size_t		n_places = sizes->n_rows * sizes->steps;

	if (pass->d_weight[kernel] != NULL)
		multiply(pass->d_weight[kernel], n, from, k, true, d_to, n, k, n_places, n, true);
	if (sizes->has_bias && pass->d_weight[kernel + 1] != NULL)
		ai_kernels()->add_rows(pass->d_weight[kernel + 1], d_to, n_places, n);
}

static void
backward(const AiLayer *layer, const AiPass *pass)
{
	Sizes		sizes = sizes_of(layer, pass);
	size_t		n_places = sizes.n_rows * sizes.steps;
	size_t		n = sizes.features;
	float	   *saved[N_PROJECTIONS];
	float	   *d_saved[N_PROJECTIONS];
	float	   *part[N_PROJECTIONS];
	float	   *d_part[N_PROJECTIONS];
	const float *transposed = pass->derived + n * (2 * sizes.width[KEY] + sizes.width[VALUE]);
	float	   *scratch;

	take_arrays(saved, &sizes, pass->saved);
	take_arrays(d_saved, &sizes, pass->scratch);
	scratch = d_saved[OUTPUT] + n_places * sizes.width[OUTPUT];
	add_weight_gradients(&sizes, pass, OUTPUT, saved[OUTPUT], sizes.width[OUTPUT],
						 pass->d_output, n);
	multiply(d_saved[OUTPUT], sizes.width[OUTPUT], pass->d_output, n, false, transposed,
			 sizes.width[OUTPUT], n_places, n, sizes.width[OUTPUT], false);

	memset(d_saved[KEY], 0, n_places * (sizes.width[KEY] + sizes.width[VALUE]) * sizeof(float));
	for (size_t r = 0; r < sizes.n_rows && !ai_pass_should_stop(pass); r++)
	{
		for (size_t h = 0; h < sizes.heads; h++)
		{
			take_head(part, saved, &sizes, r, h);
			take_head(d_part, d_saved, &sizes, r, h);
			attend_back(d_part, part, &sizes, mask_of_row(pass, &sizes, r), scratch);
		}
	}
	ai_kernels()->scale(d_saved[QUERY], d_saved[QUERY], n_places * sizes.width[QUERY],
						scale_of(&sizes), 0);
	transposed = pass->derived;
	for (int i = QUERY; i <= VALUE; i++)
	{
		add_weight_gradients(&sizes, pass, i, pass->input[0], n, d_saved[i], sizes.width[i]);
		if (pass->d_input[0] != NULL)
			multiply(pass->d_input[0], n, d_saved[i], sizes.width[i], false, transposed, n,
					 n_places, sizes.width[i], n, i != QUERY);
		transposed += sizes.width[i] * n;
	}
}

/* The kernels transposed, in their order */
static void
derive(const AiLayer *layer, float *derived, const float *const *weight)
{
	const AttentionConfig *config = layer->config;

	for (int i = QUERY; i <= OUTPUT; i++)
	{
		int			kernel = config->use_bias ? 2 * i : i;
		const AiWeight *it = &layer->weight[kernel];
		size_t		n_rows = (size_t) (i == OUTPUT ? it->dims[0] * it->dims[1] : it->dims[0]);
		size_t		n = (size_t) (i == OUTPUT ? it->dims[2] : it->dims[1] * it->dims[2]);

		ai_kernels()->transpose(derived, (ptrdiff_t) n_rows, weight[kernel], (ptrdiff_t) n,
								n_rows, n);
		derived += n_rows * n;
	}
}

const AiLayerType ai_layer_attention = {
	.name = "attention",
	.keras_name = "MultiHeadAttention",
	.config_size = sizeof(AttentionConfig),
	.options = options,
	.min_inputs = 1,
	.max_inputs = 1,
	.prepare = prepare,
	.derive = derive,
	.forward = forward,
	.backward = backward
};
