/*-------------------------------------------------------------------------
 * encoder_weights.c
 *		The tensors of a checkpoint that an encoder is made of.
 *
 * A table for each family says what its parts are called.  The prefix is what stands before
 * the name of the words' table, which every family has.
 *-------------------------------------------------------------------------
 */
#include "core/model/encoder_weights.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NAME 1024			/* of a tensor that is looked for, bytes */
#define WORDS "embeddings.word_embeddings.weight"
#define MAPPING_PIECE 4096		/* numbers that are checked at once */

/*
 * Sizes of shapes: V words, D width, F inner width, P positions, T types, B buckets, H heads,
 * N outputs of a head; ONE stands for a dimension that is not there.
 */
typedef enum Size
{
	ONE, V, D, F, P, T, B, H, N
} Size;

typedef struct Name
{
	AiEncoderTensor tensor;		/* with %d in the name: of each layer */
	const char *name;
	Size		n_rows;
	Size		width;
} Name;

#define TABLE(array, name, rows, width) {{array, 0, false}, name, rows, width}
#define LINEAR(array, name, rows, width) \
	{{array, 0, false}, name ".weight", rows, width}, {{array, 0, true}, name ".bias", ONE, rows}
#define NORM(array, name) \
	{{array, 0, false}, name ".weight", ONE, D}, {{array, 0, true}, name ".bias", ONE, D}
#define AFTER(number, name, rows) \
	{{AI_ARRAY_AFTER, number, false}, name ".weight", rows, D}, \
	{{AI_ARRAY_AFTER, number, true}, name ".bias", ONE, rows}
#define EMBEDDINGS \
	TABLE(AI_ARRAY_WORDS, WORDS, V, D), \
	TABLE(AI_ARRAY_POSITIONS, "embeddings.position_embeddings.weight", P, D), \
	NORM(AI_ARRAY_NORM, "embeddings.LayerNorm")

/* BERT's, RoBERTa's and XLM-RoBERTa's */
static const Name bert_names[] = {
	EMBEDDINGS,
	TABLE(AI_ARRAY_TYPES, "embeddings.token_type_embeddings.weight", T, D),
	LINEAR(AI_ARRAY_QUERY, "encoder.layer.%d.attention.self.query", D, D),
	LINEAR(AI_ARRAY_KEY, "encoder.layer.%d.attention.self.key", D, D),
	LINEAR(AI_ARRAY_VALUE, "encoder.layer.%d.attention.self.value", D, D),
	LINEAR(AI_ARRAY_OUTPUT, "encoder.layer.%d.attention.output.dense", D, D),
	NORM(AI_ARRAY_ATTENTION_NORM, "encoder.layer.%d.attention.output.LayerNorm"),
	LINEAR(AI_ARRAY_INNER, "encoder.layer.%d.intermediate.dense", F, D),
	LINEAR(AI_ARRAY_OUTER, "encoder.layer.%d.output.dense", D, F),
	NORM(AI_ARRAY_LAYER_NORM, "encoder.layer.%d.output.LayerNorm"),
	{.name = NULL}
};

static const Name distilbert_names[] = {
	EMBEDDINGS,
	LINEAR(AI_ARRAY_QUERY, "transformer.layer.%d.attention.q_lin", D, D),
	LINEAR(AI_ARRAY_KEY, "transformer.layer.%d.attention.k_lin", D, D),
	LINEAR(AI_ARRAY_VALUE, "transformer.layer.%d.attention.v_lin", D, D),
	LINEAR(AI_ARRAY_OUTPUT, "transformer.layer.%d.attention.out_lin", D, D),
	NORM(AI_ARRAY_ATTENTION_NORM, "transformer.layer.%d.sa_layer_norm"),
	LINEAR(AI_ARRAY_INNER, "transformer.layer.%d.ffn.lin1", F, D),
	LINEAR(AI_ARRAY_OUTER, "transformer.layer.%d.ffn.lin2", D, F),
	NORM(AI_ARRAY_LAYER_NORM, "transformer.layer.%d.output_layer_norm"),
	{.name = NULL}
};

static const Name mpnet_names[] = {
	EMBEDDINGS,
	TABLE(AI_ARRAY_BIAS, "encoder.relative_attention_bias.weight", B, H),
	LINEAR(AI_ARRAY_QUERY, "encoder.layer.%d.attention.attn.q", D, D),
	LINEAR(AI_ARRAY_KEY, "encoder.layer.%d.attention.attn.k", D, D),
	LINEAR(AI_ARRAY_VALUE, "encoder.layer.%d.attention.attn.v", D, D),
	LINEAR(AI_ARRAY_OUTPUT, "encoder.layer.%d.attention.attn.o", D, D),
	NORM(AI_ARRAY_ATTENTION_NORM, "encoder.layer.%d.attention.LayerNorm"),
	LINEAR(AI_ARRAY_INNER, "encoder.layer.%d.intermediate.dense", F, D),
	LINEAR(AI_ARRAY_OUTER, "encoder.layer.%d.output.dense", D, F),
	NORM(AI_ARRAY_LAYER_NORM, "encoder.layer.%d.output.LayerNorm"),
	{.name = NULL}
};

/* Heads: the first two names of BERT's are the body's, under its prefix; others are not. */
static const Name bert_pooler[] = {AFTER(0, "pooler.dense", D), {.name = NULL}};
static const Name bert_head[] = {AFTER(1, "classifier", N), {.name = NULL}};
static const Name distilbert_head[] = {
	AFTER(0, "pre_classifier", D), AFTER(1, "classifier", N), {.name = NULL}
};
static const Name roberta_head[] = {
	AFTER(0, "classifier.dense", D), AFTER(1, "classifier.out_proj", N), {.name = NULL}
};

typedef struct Names
{
	const Name *body;
	const Name *pooler;			/* NULL: none */
	const Name *head;
} Names;

static const Names names_of[] = {
	[AI_ENCODER_BERT] = {bert_names, bert_pooler, bert_head},
	[AI_ENCODER_DISTILBERT] = {distilbert_names, NULL, distilbert_head},
	[AI_ENCODER_ROBERTA] = {bert_names, NULL, roberta_head},
	[AI_ENCODER_XLM_ROBERTA] = {bert_names, NULL, roberta_head},
	[AI_ENCODER_MPNET] = {mpnet_names, NULL, roberta_head},
};

/* While the list is made */
typedef struct Collect
{
	const AiEncoderConfig *config;
	const AiCheckpointWeights *weights;
	AiHost const *host;
	AiBuf		list;			/* of AiEncoderWeight */
	bool	   *is_used;		/* [weights->n] */
	char		prefix[MAX_NAME];	/* of the body */
	char		head_prefix[MAX_NAME];
	AiError    *err;
} Collect;

/*
 * Shapes
 */
static int64_t
size_of(const AiEncoderConfig *config, Size size)
{
	switch (size)
	{
		case ONE:
			return 1;
		case V:
			return config->n_vocab;
		case D:
			return config->width;
		case F:
			return config->inner_width;
		case P:
			return config->n_positions;
		case T:
			return config->n_types;
		case B:
			return config->n_buckets;
		case H:
			return config->n_heads;
		case N:
			return config->n_out;
	}
	return 0;
}

/* rows 1: a vector */
static AiCode
check_shape(const AiCheckpointWeight *weight, bool is_vector, int64_t n_rows, int64_t width,
			AiError *err)
{
	const AiTensor *tensor = weight->tensor;
	char		found[200];
	int			len = 0;

	if (is_vector ? tensor->n_dims == 1 && tensor->dims[0] == width :
		tensor->n_dims == 2 && tensor->dims[0] == n_rows && tensor->dims[1] == width)
		return AI_OK;
	for (int d = 0; d < tensor->n_dims; d++)
		len += snprintf(found + len, sizeof(found) - (size_t) len, "%s%" PRId64, d > 0 ? ", " : "",
						tensor->dims[d]);
	ai_fail(err, AI_ERR_SHAPE, "tensor \"%s\" of file \"%s\" has the wrong shape", tensor->name,
			weight->file->file);
	if (is_vector)
		ai_detail(err, "The shape is (%.*s), expected (%" PRId64 ").", len, found, width);
	else
		ai_detail(err, "The shape is (%.*s), expected (%" PRId64 ", %" PRId64 ").", len, found,
				  n_rows, width);
	return AI_ERR_SHAPE;
}

static AiCode
add_weight(Collect *collect, AiEncoderTensor tensor, bool is_vector, int64_t n_rows,
		   int64_t width, const AiCheckpointWeight *source)
{
	AiEncoderWeight added = {tensor, n_rows, width, *source};

	AI_TRY(check_shape(source, is_vector, n_rows, width, collect->err));
	return ai_buf_append(&collect->list, &added, sizeof(added), collect->err);
}

/*
 * Names
 */
static bool
ends_with(const char *string, const char *end)
{
	size_t		len = strlen(string);
	size_t		end_len = strlen(end);

	return len >= end_len && strcmp(string + len - end_len, end) == 0;
}

static AiCode
missing(Collect *collect, const char *name)
{
	ai_fail(collect->err, AI_ERR_FORMAT, "the model has no tensor \"%s\"", name);
	ai_detail(collect->err, "Its config.json needs it.");
	return AI_ERR_FORMAT;
}

/* The prefix of the body, and that of a head beside it: without its last part */
static AiCode
find_prefix(Collect *collect)
{
	const AiCheckpointWeights *weights = collect->weights;
	const char *found = NULL;
	size_t		len;

	for (int64_t i = 0; i < weights->n; i++)
	{
		const char *name = weights->list[i].tensor->name;

		len = strlen(name) - strlen(WORDS);
		if (!ends_with(name, WORDS) || (len > 0 && name[len - 1] != '.'))
			continue;
		if (found != NULL)
			return ai_fail(collect->err, AI_ERR_FORMAT,
						   "the model has more than one table of words: \"%s\" and \"%s\"", found, name);
		found = name;
	}
	if (found == NULL)
		return missing(collect, WORDS);
	len = strlen(found) - strlen(WORDS);
	if (len >= MAX_NAME / 2)
		return ai_fail(collect->err, AI_ERR_LIMIT, "the names of the model's tensors are too long");
	memcpy(collect->prefix, found, len);
	memcpy(collect->head_prefix, found, len);
	if (len > 0)
		len--;					/* the last point */
	while (len > 0 && found[len - 1] != '.')
		len--;
	collect->head_prefix[len] = '\0';
	return AI_OK;
}

/* The tensor of this name, or of the name that it had for a norm in old files */
static const AiCheckpointWeight *
find_weight(Collect *collect, char name[MAX_NAME])
{
	static const char *const olds[][2] = {
		{"LayerNorm.weight", "LayerNorm.gamma"}, {"LayerNorm.bias", "LayerNorm.beta"}
	};
	const AiCheckpointWeight *weight = ai_checkpoint_weights_find(collect->weights, name);

	for (int i = 0; i < 2 && weight == NULL; i++)
	{
		char		old[MAX_NAME];
		size_t		len = strlen(name);

		if (!ends_with(name, olds[i][0]))
			continue;
		len -= strlen(olds[i][0]);
		memcpy(old, name, len);
		strcpy(old + len, olds[i][1]);
		weight = ai_checkpoint_weights_find(collect->weights, old);
	}
	if (weight != NULL)
		collect->is_used[weight - collect->weights->list] = true;
	return weight;
}

static AiCode
collect_name(Collect *collect, const char *prefix, const Name *name, int layer)
{
	const AiEncoderConfig *config = collect->config;
	AiEncoderTensor tensor = name->tensor;
	char		full_name[MAX_NAME];
	size_t		len = strlen(prefix);
	const AiCheckpointWeight *weight;

	memcpy(full_name, prefix, len);
	if (layer >= 0)
	{
		const char *number = strstr(name->name, "%d");

		snprintf(full_name + len, MAX_NAME - len, "%.*s%d%s", (int) (number - name->name),
				 name->name, layer, number + 2);
		tensor.layer = layer;
	}
	else
		snprintf(full_name + len, MAX_NAME - len, "%s", name->name);
	weight = find_weight(collect, full_name);
	if (weight == NULL)
		return missing(collect, full_name);
	return add_weight(collect, tensor, name->n_rows == ONE, size_of(config, name->n_rows),
					  size_of(config, name->width), weight);
}

static AiCode
collect_names(Collect *collect, const char *prefix, const Name *names)
{
	for (const Name *name = names; name->name != NULL; name++)
	{
		bool		is_layered = strstr(name->name, "%d") != NULL;

		if (name->tensor.array == AI_ARRAY_TYPES && collect->config->n_types == 0)
			continue;
		for (int layer = is_layered ? 0 : -1; layer < (is_layered ? collect->config->n_layers : 0);
			 layer++)
			AI_TRY(collect_name(collect, prefix, name, layer));
	}
	return AI_OK;
}

/* Names that are left over from training, or stand for what is computed */
static bool
is_known_surplus(const char *name)
{
	static const char *const ends[] = {
		"embeddings.position_ids", "embeddings.token_type_ids", "pooler.dense.weight",
		"pooler.dense.bias"
	};
	static const char *const inside[] = {
		"cls.predictions.", "cls.seq_relationship.", "lm_head.", "vocab_transform.",
		"vocab_layer_norm.", "vocab_projector."
	};

	for (int i = 0; i < 4; i++)
	{
		if (ends_with(name, ends[i]))
			return true;
	}
	for (int i = 0; i < 6; i++)
	{
		const char *place = strstr(name, inside[i]);

		if (place != NULL && (place == name || place[-1] == '.'))
			return true;
	}
	return false;
}

static AiCode
check_surplus(Collect *collect)
{
	for (int64_t i = 0; i < collect->weights->n; i++)
	{
		const AiCheckpointWeight *weight = &collect->weights->list[i];

		if (collect->is_used[i] || is_known_surplus(weight->tensor->name))
			continue;
		ai_fail(collect->err, AI_ERR_FORMAT, "tensor \"%s\" of file \"%s\" belongs to no part of the model",
				weight->tensor->name, weight->file->file);
		ai_detail(collect->err, "Its config.json describes a model of family \"%s\" with %d layers.",
				  ai_encoder_family_name(collect->config->family), collect->config->n_layers);
		return AI_ERR_FORMAT;
	}
	return AI_OK;
}

static AiCode
collect_transformer(Collect *collect)
{
	const Names *names = &names_of[collect->config->family];

	AI_TRY(find_prefix(collect));
	AI_TRY(collect_names(collect, collect->prefix, names->body));
	if (collect->config->answer == AI_ANSWER_EMBEDDING)
		return AI_OK;
	if (names->pooler != NULL)
		AI_TRY(collect_names(collect, collect->prefix, names->pooler));
	return collect_names(collect, collect->head_prefix, names->head);
}

/*
 * Static tables
 */

/* Every token's row is one. */
static AiCode
check_mapping(Collect *collect, const AiCheckpointWeight *mapping, int64_t n_rows)
{
	const AiTensor *tensor = mapping->tensor;
	int64_t    *rows = ai_host_alloc(collect->host, MAPPING_PIECE * sizeof(int64_t));
	AiCode		code = AI_OK;

	if (rows == NULL)
		return ai_out_of_memory(collect->err, MAPPING_PIECE * sizeof(int64_t), "a list of rows");
	for (int64_t at = 0; at < tensor->n_elements && code == AI_OK; at += MAPPING_PIECE)
	{
		int64_t		left = tensor->n_elements - at;
		int64_t		n = left < MAPPING_PIECE ? left : MAPPING_PIECE;

		code = ai_safetensors_read_integers(mapping->file, tensor, rows, at, n, collect->err);
		for (int64_t i = 0; i < n && code == AI_OK; i++)
		{
			if (rows[i] < 0 || rows[i] >= n_rows)
				code = ai_fail(collect->err, AI_ERR_FORMAT,
							   "tensor \"%s\" gives token %" PRId64 " row %" PRId64 " of %" PRId64,
							   tensor->name, at + i, rows[i], n_rows);
		}
	}
	ai_host_release(collect->host, rows);
	return code;
}

static AiCode
collect_static(Collect *collect)
{
	const AiEncoderConfig *config = collect->config;
	char		names[4][MAX_NAME] = {"embeddings", "embedding.weight", "mapping", "weights"};
	const AiCheckpointWeight *table = find_weight(collect, names[0]);
	const AiCheckpointWeight *mapping = find_weight(collect, names[2]);
	const AiCheckpointWeight *counts = find_weight(collect, names[3]);
	int64_t		n_rows;

	if (table == NULL)
		table = find_weight(collect, names[1]);
	if (table == NULL)
		return missing(collect, names[0]);
	n_rows = mapping != NULL ? table->tensor->dims[0] : config->n_vocab;
	AI_TRY(add_weight(collect, (AiEncoderTensor) {AI_ARRAY_WORDS, 0, false}, false, n_rows,
					  config->width, table));
	if (mapping != NULL)
	{
		AI_TRY(add_weight(collect, (AiEncoderTensor) {AI_ARRAY_ROWS, 0, false}, true, 1,
						  config->n_vocab, mapping));
		AI_TRY(check_mapping(collect, mapping, n_rows));
	}
	if (counts != NULL)
		AI_TRY(add_weight(collect, (AiEncoderTensor) {AI_ARRAY_COUNTS, 0, false}, true, 1,
						  config->n_vocab, counts));
	return AI_OK;
}

/*
 * Dense modules, each with a file of its own
 */
static AiCode
collect_dense(Collect *collect, AiEncoderWeights *opened, AiCheckpoint *checkpoint)
{
	for (int i = 0; i < collect->config->n_dense; i++)
	{
		const AiEncoderDense *dense = &collect->config->dense[i];
		AiCheckpointWeights  *weights = &opened->dense[i];
		const AiCheckpointWeight *matrix;
		const AiCheckpointWeight *bias;

		AI_TRY(ai_checkpoint_weights_open(weights, checkpoint, dense->folder, collect->err));
		opened->n_dense++;
		matrix = ai_checkpoint_weights_find(weights, "linear.weight");
		bias = ai_checkpoint_weights_find(weights, "linear.bias");
		if (matrix == NULL)
			return missing(collect, "linear.weight");
		AI_TRY(add_weight(collect, (AiEncoderTensor) {AI_ARRAY_AFTER, i, false}, false,
						  dense->n_out, dense->n_in, matrix));
		if (!dense->has_bias)
			continue;
		if (bias == NULL)
			return missing(collect, "linear.bias");
		AI_TRY(add_weight(collect, (AiEncoderTensor) {AI_ARRAY_AFTER, i, true}, true, 1,
						  dense->n_out, bias));
	}
	return AI_OK;
}

static int
compare_tensors(const void *a, const void *b)
{
	const AiEncoderTensor *x = &((const AiEncoderWeight *) a)->tensor;
	const AiEncoderTensor *y = &((const AiEncoderWeight *) b)->tensor;

	if (x->array != y->array)
		return (int) x->array - (int) y->array;
	return x->is_bias != y->is_bias ? x->is_bias - y->is_bias : x->layer - y->layer;
}

static AiCode
keep_list(Collect *collect, AiEncoderWeights *opened, AiCheckpoint *checkpoint)
{
	size_t		size = collect->list.len;

	opened->list = ai_arena_alloc(&checkpoint->arena, size);
	if (opened->list == NULL)
		return ai_out_of_memory(collect->err, size, "the list of tensors");
	memcpy(opened->list, collect->list.data, size);
	opened->n = (int) (size / sizeof(AiEncoderWeight));
	qsort(opened->list, (size_t) opened->n, sizeof(AiEncoderWeight), compare_tensors);
	return AI_OK;
}

AiCode
ai_encoder_weights_open(AiEncoderWeights *opened, const AiEncoderConfig *config,
						AiCheckpoint *checkpoint, const AiCheckpointWeights *weights, AiError *err)
{
	Collect		collect = {
		.config = config, .weights = weights, .host = checkpoint->arena.host, .err = err
	};
	AiCode		code;

	*opened = (AiEncoderWeights) {.n = 0};
	collect.is_used = ai_arena_alloc_zero(&checkpoint->arena, (size_t) weights->n, sizeof(bool));
	if (collect.is_used == NULL)
		return ai_out_of_memory(err, (size_t) weights->n, "the list of tensors");
	ai_buf_init(&collect.list, collect.host);
	code = config->family == AI_ENCODER_STATIC ? collect_static(&collect) :
		collect_transformer(&collect);
	if (code == AI_OK)
		code = check_surplus(&collect);
	if (code == AI_OK)
		code = collect_dense(&collect, opened, checkpoint);
	if (code == AI_OK)
		code = keep_list(&collect, opened, checkpoint);
	ai_buf_free(&collect.list);
	if (code != AI_OK)
		ai_encoder_weights_close(opened);
	return code;
}

void
ai_encoder_weights_close(AiEncoderWeights *opened)
{
	for (int i = 0; i < opened->n_dense; i++)
		ai_checkpoint_weights_close(&opened->dense[i]);
	opened->n_dense = 0;
	opened->n = 0;
}

const AiEncoderWeight *
ai_encoder_weights_find(const AiEncoderWeights *opened, const AiEncoderTensor *tensor)
{
	AiEncoderWeight wanted = {.tensor = *tensor};

	if (opened->n == 0)
		return NULL;
	return bsearch(&wanted, opened->list, (size_t) opened->n, sizeof(wanted), compare_tensors);
}

AiCode
ai_encoder_weight_read(const AiEncoderWeight *weight, float *values, int64_t first, int64_t n,
					   AiError *err)
{
	if (first < 0 || n < 0 || first > weight->n_rows || n > weight->n_rows - first)
		return ai_fail(err, AI_ERR_BUG, "rows beyond the end of tensor \"%s\" are asked for",
					   weight->source.tensor->name);
	return ai_safetensors_read(weight->source.file, weight->source.tensor, values,
							   first * weight->width, n * weight->width, err);
}
