/*-------------------------------------------------------------------------
 * encoder_import.c
 *		From a checkpoint to a stored encoder.
 *-------------------------------------------------------------------------
 */
#include "core/model/encoder_import.h"

#include <string.h>

#include "core/model/encoder_store.h"
#include "core/model/encoder_weights.h"
#include "core/text/tokenizer.h"

/* Of a table of vectors whose files set no limit */
#define MOST_TOKENS 65536

typedef struct Import
{
	AiCheckpoint *checkpoint;
	AiEncoderConfig config;
	AiEncoderWeights weights;
	AiBuf		tokenizer;
	AiArena		arena;
	AiEncoderPlan plan;
	float	   *row_of;			/* of a table, [n_vocab]; NULL: each token has its own row */
	float	   *counts;			/* of a table, [n_vocab]: what a token counts; NULL: 1 */
} Import;

/*
 * Tokenizer
 */
static AiCode
read_file(Import *import, AiTokenizerFile *file, const char *name, AiError *err)
{
	return ai_checkpoint_text(import->checkpoint, &file->text, &file->len,
							  import->checkpoint->folder, name, err);
}

static AiCode
build_tokenizer(Import *import, AiError *err)
{
	AiTokenizerSource source = {.lowers = import->config.lowers};

	AI_TRY(read_file(import, &source.json, "tokenizer.json", err));
	AI_TRY(read_file(import, &source.config, "tokenizer_config.json", err));
	AI_TRY(read_file(import, &source.special, "special_tokens_map.json", err));
	if (source.json.text == NULL)
	{
		AI_TRY(read_file(import, &source.vocab_text, "vocab.txt", err));
		AI_TRY(read_file(import, &source.vocab_json, "vocab.json", err));
		AI_TRY(read_file(import, &source.merges, "merges.txt", err));
	}
	if (source.json.text == NULL && source.vocab_text.text == NULL &&
		source.vocab_json.text == NULL)
	{
		ai_fail(err, AI_ERR_FORMAT, "the model has no tokenizer");
		ai_hint(err, "It is in tokenizer.json, or vocab.txt, or vocab.json and merges.txt.");
		return AI_ERR_FORMAT;
	}
	return ai_tokenizer_build(&import->tokenizer, &source, import->arena.host, err);
}

/*
 * Plan
 */
static int64_t
max_tokens_of(const AiEncoderConfig *config)
{
	int64_t		most = config->n_layers == 0 ? MOST_TOKENS :
		config->n_positions - config->first_position;

	return config->max_tokens > 0 && config->max_tokens < most ? config->max_tokens : most;
}

static void
plan_shape(Import *import, AiPrecision precision)
{
	const AiEncoderConfig *config = &import->config;

	import->plan.epsilon = config->eps;
	import->plan.shape = (AiEncoderShape) {
		.precision = precision,
		.answer = config->answer,
		.n_words = config->n_vocab,
		.width = config->width,
		.n_layers = config->n_layers,
		.n_heads = config->n_heads,
		.inner = config->inner_width,
		.activation = config->activation,
		.n_positions = config->n_positions,
		.first_position = config->first_position,
		.n_types = config->n_types,
		.n_buckets = config->n_buckets,
		.pooling = config->answer != AI_ANSWER_EMBEDDING ? AI_POOL_FIRST : config->pooling,
		.normalizes = config->answer == AI_ANSWER_EMBEDDING && config->normalises,
		.max_tokens = max_tokens_of(config),
		.skips_unknown = config->skips_unknown
	};
}

static void
add_after(Import *import, int64_t n, AiActivation act)
{
	import->plan.after[import->plan.n_after++] = (AiEncoderAfter) {n, act};
}

static void
plan_after(Import *import)
{
	const AiEncoderConfig *config = &import->config;

	for (int i = 0; i < config->n_dense; i++)
		add_after(import, config->dense[i].n_out, config->dense[i].activation);
	if (config->answer == AI_ANSWER_EMBEDDING)
		return;
	add_after(import, config->width, config->family == AI_ENCODER_DISTILBERT ? AI_ACT_RELU :
			  AI_ACT_TANH);
	add_after(import, config->n_out, config->score_activation);
}

static AiCode
plan_labels(Import *import, AiError *err)
{
	AiEncoderPlan *plan = &import->plan;
	size_t		n = (size_t) import->config.n_out;
	size_t	   *lens;

	if (plan->shape.answer != AI_ANSWER_CLASS && plan->shape.answer != AI_ANSWER_LABELS)
		return AI_OK;
	lens = ai_arena_alloc(&import->arena, n * sizeof(size_t));
	if (lens == NULL)
		return ai_out_of_memory(err, n * sizeof(size_t), "labels");
	for (size_t i = 0; i < n; i++)
		lens[i] = strlen(import->config.labels[i]);
	plan->labels = import->config.labels;
	plan->label_lens = lens;
	plan->n_labels = import->config.n_out;
	return AI_OK;
}

static AiCode
plan_prompt(Import *import, AiError *err)
{
	const AiEncoderConfig *config = &import->config;
	const AiEncoderPrompt *prompt;

	if (config->default_prompt < 0 || config->answer != AI_ANSWER_EMBEDDING)
		return AI_OK;
	prompt = &config->prompts[config->default_prompt];
	import->plan.prompt = prompt->text;
	import->plan.prompt_len = strlen(prompt->text);
	if (import->plan.prompt_len > AI_ENCODER_MAX_PROMPT)
		return ai_fail(err, AI_ERR_LIMIT, "prompt \"%s\" of the model has more than %d bytes",
					   prompt->name, AI_ENCODER_MAX_PROMPT);
	return AI_OK;
}

/*
 * Weights
 */

/* A token's row, times what it counts */
static AiCode
read_table(const Import *import, float *to, const AiEncoderWeight *weight, size_t first, size_t n,
		   AiError *err)
{
	size_t		width = (size_t) weight->width;

	if (import->row_of == NULL)
		AI_TRY(ai_encoder_weight_read(weight, to, (int64_t) first, (int64_t) n, err));
	for (size_t i = 0; i < n; i++)
	{
		if (import->row_of != NULL)
			AI_TRY(ai_encoder_weight_read(weight, to + i * width,
										  (int64_t) import->row_of[first + i], 1, err));
		if (import->counts != NULL)
			ai_kernels()->scale(to + i * width, to + i * width, width, import->counts[first + i],
								0);
	}
	return AI_OK;
}

static AiCode
read_weight(void *ud, float *to, const AiEncoderTensor *tensor, size_t first, size_t n_rows,
			AiError *err)
{
	const Import *import = ud;
	const AiEncoderWeight *weight = ai_encoder_weights_find(&import->weights, tensor);

	if (weight == NULL && tensor->is_bias)
	{
		/* a layer without one; only those after pooling may be */
		memset(to, 0, (size_t) import->plan.after[tensor->layer].n * sizeof(float));
		return AI_OK;
	}
	if (weight == NULL)
		return ai_fail(err, AI_ERR_BUG, "weights of an encoder are missing");
	if (tensor->array == AI_ARRAY_WORDS)
		return read_table(import, to, weight, first, n_rows, err);
	return ai_encoder_weight_read(weight, to, (int64_t) first, (int64_t) n_rows, err);
}

/* A number for each token; NULL where the checkpoint has none */
static AiCode
read_of_tokens(Import *import, float **numbers, AiEncoderArray array, AiError *err)
{
	const AiEncoderWeight *weight =
		ai_encoder_weights_find(&import->weights, &(AiEncoderTensor) {array, 0, false});

	*numbers = NULL;
	if (weight == NULL)
		return AI_OK;
	*numbers = ai_arena_alloc(&import->arena, (size_t) weight->width * sizeof(float));
	if (*numbers == NULL)
		return ai_out_of_memory(err, (size_t) weight->width * sizeof(float), "the vocabulary");
	return ai_encoder_weight_read(weight, *numbers, 0, 1, err);
}

/*
 * The whole
 */
static AiCode
store(Import *import, AiAimWriter *writer, const void **bytes, size_t *size, AiError *err)
{
	AiEncoderSource source = {read_weight, import};

	AI_TRY(build_tokenizer(import, err));
	import->plan.tokenizer = import->tokenizer.data;
	import->plan.tokenizer_size = import->tokenizer.len;
	AI_TRY(read_of_tokens(import, &import->row_of, AI_ARRAY_ROWS, err));
	AI_TRY(read_of_tokens(import, &import->counts, AI_ARRAY_COUNTS, err));
	return ai_encoder_store(writer, bytes, size, &import->plan, &source, err);
}

static AiCode
import_weights(Import *import, AiAimWriter *writer, const void **bytes, size_t *size,
			   const AiCheckpointWeights *weights, AiPrecision precision, AiError *err)
{
	AiCode		code;

	AI_TRY(ai_encoder_config_read(&import->config, import->checkpoint, weights, err));
	AI_TRY(ai_encoder_weights_open(&import->weights, &import->config, import->checkpoint, weights,
								   err));
	plan_shape(import, precision);
	plan_after(import);
	code = plan_labels(import, err);
	if (code == AI_OK)
		code = plan_prompt(import, err);
	if (code == AI_OK)
		code = store(import, writer, bytes, size, err);
	ai_encoder_weights_close(&import->weights);
	return code;
}

AiCode
ai_encoder_import(AiAimWriter *writer, const void **bytes, size_t *size,
				  AiCheckpoint *checkpoint, AiPrecision precision, AiError *err)
{
	Import		import = {.checkpoint = checkpoint};
	AiCheckpointWeights	weights;
	AiCode		code;

	AI_TRY(ai_checkpoint_weights_open(&weights, checkpoint, checkpoint->folder, err));
	ai_arena_init(&import.arena, writer->host);
	ai_buf_init(&import.tokenizer, writer->host);
	code = import_weights(&import, writer, bytes, size, &weights, precision, err);
	ai_buf_free(&import.tokenizer);
	ai_arena_free(&import.arena);
	ai_checkpoint_weights_close(&weights);
	return code;
}
