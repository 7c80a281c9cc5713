/*-------------------------------------------------------------------------
 * encoder_store.c
 *		Making stored encoders.
 *-------------------------------------------------------------------------
 */
#include "core/model/encoder_store.h"

#include <string.h>

#include "core/model/encoder_internal.h"

#define ROWS_AT_ONCE 4096		/* of words */

typedef struct Store
{
	AiAimWriter *writer;
	const AiEncoderPlan *plan;
	const AiEncoderSource *source;
	float	   *matrix;			/* the largest array, with its bias behind it */
} Store;

/*
 * Room
 */
static AiCode
reserve(const Store *s, const char *name, AiDtype dtype, int64_t n_rows, int64_t n, AiError *err)
{
	return n_rows == 0 ? AI_OK :
		ai_aim_reserve(s->writer, name, dtype, 2, (int64_t[]) {n_rows, n}, err);
}

static AiCode
reserve_packed(const Store *s, const char *name, AiPrecision precision, int64_t n, int64_t k,
			   AiError *err)
{
	size_t		size;

	AI_TRY(ai_packed_size(&size, precision, (size_t) n, (size_t) k, err));
	return ai_aim_reserve(s->writer, name, AI_DTYPE_U8, 1, (int64_t[]) {(int64_t) size}, err);
}

static AiCode
reserve_layer(const Store *s, int64_t number, AiError *err)
{
	const AiEncoderShape *shape = &s->plan->shape;
	AiPrecision precision = (AiPrecision) shape->precision;
	int64_t		width = shape->width;
	char		name[AI_ENCODER_NAME_SIZE];

	AI_TRY(reserve_packed(s, ai_encoder_layer_name(name, number, "attention"), precision, 3 * width,
						  width, err));
	AI_TRY(reserve_packed(s, ai_encoder_layer_name(name, number, "output"), precision, width, width,
						  err));
	AI_TRY(reserve_packed(s, ai_encoder_layer_name(name, number, "inner"), precision, shape->inner,
						  width, err));
	AI_TRY(reserve_packed(s, ai_encoder_layer_name(name, number, "outer"), precision, width,
						  shape->inner, err));
	return reserve(s, ai_encoder_layer_name(name, number, "norm"), AI_DTYPE_F32, 4, width, err);
}

static AiCode
reserve_after(const Store *s, AiError *err)
{
	const AiEncoderPlan *plan = s->plan;
	int64_t		k = plan->shape.width;

	for (int i = 0; i < plan->n_after; i++)
	{
		char		name[AI_ENCODER_NAME_SIZE];

		AI_TRY(reserve_packed(s, ai_encoder_after_name(name, i), AI_PRECISION_FP32,
							  plan->after[i].n, k, err));
		k = plan->after[i].n;
	}
	return ai_aim_reserve(s->writer, "after.sizes", AI_DTYPE_I64, 2,
						  (int64_t[]) {plan->n_after, 2}, err);
}

static AiCode
reserve_all(const Store *s, AiError *err)
{
	const AiEncoderPlan *plan = s->plan;
	AiEncoderShape shape = plan->shape;
	const char *name;
	int64_t    *value;

	AI_TRY(ai_aim_add_i64(s->writer, "version", AI_ENCODER_VERSION, err));
	for (size_t i = 0; (name = ai_encoder_field(i, &value, &shape)) != NULL; i++)
		AI_TRY(ai_aim_add_i64(s->writer, name, *value, err));
	AI_TRY(ai_aim_add_f64(s->writer, "epsilon", plan->epsilon, err));
	AI_TRY(ai_aim_add(s->writer, "tokenizer", AI_DTYPE_U8, plan->tokenizer, 1,
					  (int64_t[]) {(int64_t) plan->tokenizer_size}, err));
	AI_TRY(ai_aim_add_strings(s->writer, "labels", plan->labels, plan->label_lens, plan->n_labels,
							  err));
	if (plan->prompt_len > 0)
		AI_TRY(ai_aim_add(s->writer, "prompt", AI_DTYPE_U8, plan->prompt, 1,
						  (int64_t[]) {(int64_t) plan->prompt_len}, err));
	if (shape.precision == AI_PRECISION_FP32)
		AI_TRY(reserve(s, "words", AI_DTYPE_F32, shape.n_words, shape.width, err));
	else
		AI_TRY(reserve(s, "words", AI_DTYPE_U8, shape.n_words, 2 * shape.width, err));
	AI_TRY(reserve(s, "positions", AI_DTYPE_F32, shape.n_positions, shape.width, err));
	AI_TRY(reserve(s, "types", AI_DTYPE_F32, shape.n_types, shape.width, err));
	AI_TRY(reserve(s, "bias", AI_DTYPE_F32, shape.n_buckets, shape.n_heads, err));
	AI_TRY(reserve(s, "norm", AI_DTYPE_F32, shape.n_layers > 0 ? 2 : 0, shape.width, err));
	for (int64_t i = 0; i < shape.n_layers; i++)
		AI_TRY(reserve_layer(s, i, err));
	return reserve_after(s, err);
}

/*
 * Weights
 */
static AiCode
read(const Store *s, float *to, AiEncoderArray part, int64_t layer, bool is_bias, int64_t first,
	 int64_t n, AiError *err)
{
	AiEncoderTensor tensor = {part, (int) layer, is_bias};

	return s->source->read(s->source->ud, to, &tensor, (size_t) first, (size_t) n, err);
}

static AiCode
fill_words(const Store *s, AiError *err)
{
	const AiEncoderShape *shape = &s->plan->shape;
	size_t		width = (size_t) shape->width;
	void	   *to = ai_aim_reserved(s->writer, "words");

	for (int64_t first = 0; first < shape->n_words; first += ROWS_AT_ONCE)
	{
		int64_t		left = shape->n_words - first;
		int64_t		n = left < ROWS_AT_ONCE ? left : ROWS_AT_ONCE;
		size_t		at = (size_t) first * width;

		if (ai_host_should_stop(s->writer->host))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		if (shape->precision == AI_PRECISION_FP32)
		{
			AI_TRY(read(s, (float *) to + at, AI_ARRAY_WORDS, 0, false, first, n, err));
			continue;
		}
		AI_TRY(read(s, s->matrix, AI_ARRAY_WORDS, 0, false, first, n, err));
		ai_kernels()->round_rows((uint16_t *) to + at, width, s->matrix, width, (size_t) n, width);
	}
	return AI_OK;
}

static AiCode
fill_rows(const Store *s, const char *name, AiEncoderArray part, int64_t n_rows, AiError *err)
{
	return n_rows == 0 ? AI_OK :
		read(s, ai_aim_reserved(s->writer, name), part, 0, false, 0, n_rows, err);
}

static AiCode
fill_norm(const Store *s, float *to, AiEncoderArray part, int64_t layer, AiError *err)
{
	AI_TRY(read(s, to, part, layer, false, 0, 1, err));
	return read(s, to + s->plan->shape.width, part, layer, true, 0, 1, err);
}

/* n_parts matrices [n, k] below each other */
static AiCode
fill_packed(const Store *s, const char *name, AiPrecision precision, AiEncoderArray first_part,
			int n_parts, int64_t layer, int64_t n, int64_t k, AiError *err)
{
	float	   *bias = s->matrix + n_parts * n * k;

	if (ai_host_should_stop(s->writer->host))
		return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
	for (int i = 0; i < n_parts; i++)
	{
		AiEncoderArray part = (AiEncoderArray) ((int) first_part + i);

		AI_TRY(read(s, s->matrix + i * n * k, part, layer, false, 0, n, err));
		AI_TRY(read(s, bias + i * n, part, layer, true, 0, 1, err));
	}
	ai_pack(ai_aim_reserved(s->writer, name), precision, s->matrix, (size_t) k, bias,
			(size_t) (n_parts * n), (size_t) k);
	return AI_OK;
}

static AiCode
fill_layer(const Store *s, int64_t number, AiError *err)
{
	const AiEncoderShape *shape = &s->plan->shape;
	AiPrecision precision = (AiPrecision) shape->precision;
	int64_t		width = shape->width;
	int64_t		inner = shape->inner;
	char		name[AI_ENCODER_NAME_SIZE];
	float	   *norm;

	AI_TRY(fill_packed(s, ai_encoder_layer_name(name, number, "attention"), precision,
					   AI_ARRAY_QUERY, 3, number, width, width, err));
	AI_TRY(fill_packed(s, ai_encoder_layer_name(name, number, "output"), precision, AI_ARRAY_OUTPUT,
					   1, number, width, width, err));
	AI_TRY(fill_packed(s, ai_encoder_layer_name(name, number, "inner"), precision, AI_ARRAY_INNER, 1,
					   number, inner, width, err));
	AI_TRY(fill_packed(s, ai_encoder_layer_name(name, number, "outer"), precision, AI_ARRAY_OUTER, 1,
					   number, width, inner, err));
	norm = ai_aim_reserved(s->writer, ai_encoder_layer_name(name, number, "norm"));
	AI_TRY(fill_norm(s, norm, AI_ARRAY_ATTENTION_NORM, number, err));
	return fill_norm(s, norm + 2 * width, AI_ARRAY_LAYER_NORM, number, err);
}

static AiCode
fill_after(const Store *s, AiError *err)
{
	const AiEncoderPlan *plan = s->plan;
	int64_t    *sizes = ai_aim_reserved(s->writer, "after.sizes");
	int64_t		k = plan->shape.width;

	for (int i = 0; i < plan->n_after; i++)
	{
		char		name[AI_ENCODER_NAME_SIZE];

		sizes[2 * i] = plan->after[i].n;
		sizes[2 * i + 1] = plan->after[i].act;
		AI_TRY(fill_packed(s, ai_encoder_after_name(name, i), AI_PRECISION_FP32, AI_ARRAY_AFTER, 1,
						   i, plan->after[i].n, k, err));
		k = plan->after[i].n;
	}
	return AI_OK;
}

static AiCode
fill_all(const Store *s, AiError *err)
{
	const AiEncoderShape *shape = &s->plan->shape;

	AI_TRY(fill_words(s, err));
	AI_TRY(fill_rows(s, "positions", AI_ARRAY_POSITIONS, shape->n_positions, err));
	AI_TRY(fill_rows(s, "types", AI_ARRAY_TYPES, shape->n_types, err));
	AI_TRY(fill_rows(s, "bias", AI_ARRAY_BIAS, shape->n_buckets, err));
	if (shape->n_layers > 0)
		AI_TRY(fill_norm(s, ai_aim_reserved(s->writer, "norm"), AI_ARRAY_NORM, 0, err));
	for (int64_t i = 0; i < shape->n_layers; i++)
		AI_TRY(fill_layer(s, i, err));
	return fill_after(s, err);
}

/*
 * The whole
 */
static size_t
largest_matrix(const AiEncoderPlan *plan)
{
	size_t		width = (size_t) plan->shape.width;
	size_t		inner = (size_t) plan->shape.inner;
	size_t		largest = ROWS_AT_ONCE * width;
	size_t		k = width;

	largest = 3 * width * (width + 1) > largest ? 3 * width * (width + 1) : largest;
	largest = inner * (width + 1) > largest ? inner * (width + 1) : largest;
	largest = width * (inner + 1) > largest ? width * (inner + 1) : largest;
	for (int i = 0; i < plan->n_after; i++)
	{
		size_t		n = (size_t) plan->after[i].n;

		largest = n * (k + 1) > largest ? n * (k + 1) : largest;
		k = n;
	}
	return largest;
}

AiCode
ai_encoder_store(AiAimWriter *writer, const void **bytes, size_t *size,
				 const AiEncoderPlan *plan, const AiEncoderSource *source, AiError *err)
{
	size_t		n = largest_matrix(plan);
	Store		store = {writer, plan, source, NULL};
	AiCode		code;

	AI_TRY(reserve_all(&store, err));
	AI_TRY(ai_aim_finish(writer, bytes, size, err));
	store.matrix = ai_host_alloc(writer->host, n * sizeof(float));
	if (store.matrix == NULL)
		return ai_out_of_memory(err, n * sizeof(float), "the weights of an encoder");
	code = fill_all(&store, err);
	ai_host_release(writer->host, store.matrix);
	return code;
}

/*
 * From an encoder
 */
typedef struct Again
{
	const AiEncoder *encoder;
	float	   *matrix;			/* room for the largest one */
} Again;

static void
copy_rows(float *to, const float *from, size_t first, size_t n_rows, size_t width)
{
	memcpy(to, from + first * width, n_rows * width * sizeof(float));
}

/* Rows of matrix number of those that lie below each other in packed, or its bias */
static void
copy_packed(const Again *again, float *to, const AiPacked *packed, size_t number, size_t n,
			bool is_bias, size_t first, size_t n_rows)
{
	if (is_bias)
	{
		memcpy(to, packed->bias + number * n, n * sizeof(float));
		return;
	}
	ai_unpack(again->matrix, packed);
	copy_rows(to, again->matrix, number * n + first, n_rows, packed->k);
}

static void
copy_words(const AiEncoder *e, float *to, size_t first, size_t n_rows)
{
	size_t		width = (size_t) e->shape.width;

	for (size_t i = 0; i < n_rows; i++)
		ai_encoder_word(e, to + i * width, first + i);
}

static void
copy_norm(const AiEncoder *e, float *to, const AiEncoderNorm *norm, bool is_bias)
{
	memcpy(to, is_bias ? norm->beta : norm->gamma, (size_t) e->shape.width * sizeof(float));
}

static AiCode
read_again(void *ud, float *to, const AiEncoderTensor *tensor, size_t first, size_t n_rows,
		   AiError *err)
{
	const Again *again = ud;
	const AiEncoder *e = again->encoder;
	const AiEncoderLayer *layer = &e->layers[tensor->layer];
	size_t		width = (size_t) e->shape.width;
	size_t		inner = (size_t) e->shape.inner;
	bool		is_bias = tensor->is_bias;

	(void) err;
	switch (tensor->array)
	{
		case AI_ARRAY_WORDS:
			copy_words(e, to, first, n_rows);
			break;
		case AI_ARRAY_POSITIONS:
			copy_rows(to, e->positions, first, n_rows, width);
			break;
		case AI_ARRAY_TYPES:
			copy_rows(to, e->types, first, n_rows, width);
			break;
		case AI_ARRAY_BIAS:
			copy_rows(to, e->bias, first, n_rows, (size_t) e->shape.n_heads);
			break;
		case AI_ARRAY_NORM:
			copy_norm(e, to, &e->norm, is_bias);
			break;
		case AI_ARRAY_QUERY:
		case AI_ARRAY_KEY:
		case AI_ARRAY_VALUE:
			copy_packed(again, to, &layer->attention, (size_t) (tensor->array - AI_ARRAY_QUERY),
						width, is_bias, first, n_rows);
			break;
		case AI_ARRAY_OUTPUT:
			copy_packed(again, to, &layer->output, 0, width, is_bias, first, n_rows);
			break;
		case AI_ARRAY_ATTENTION_NORM:
			copy_norm(e, to, &layer->attention_norm, is_bias);
			break;
		case AI_ARRAY_INNER:
			copy_packed(again, to, &layer->inner, 0, inner, is_bias, first, n_rows);
			break;
		case AI_ARRAY_OUTER:
			copy_packed(again, to, &layer->outer, 0, width, is_bias, first, n_rows);
			break;
		case AI_ARRAY_LAYER_NORM:
			copy_norm(e, to, &layer->norm, is_bias);
			break;
		case AI_ARRAY_AFTER:
		case AI_ARRAY_ROWS:
		case AI_ARRAY_COUNTS:
			copy_packed(again, to, &e->after_weights[tensor->layer], 0,
						(size_t) e->after[tensor->layer].n, is_bias, first, n_rows);
			break;
	}
	return AI_OK;
}

static AiCode
take_labels(AiEncoderPlan *plan, const AiEncoder *e, AiArena *arena, AiError *err)
{
	int			n = ai_encoder_n_labels(e);
	const char **labels = ai_arena_alloc(arena, ((size_t) n + 1) * sizeof(char *));
	size_t	   *lens = ai_arena_alloc(arena, ((size_t) n + 1) * sizeof(size_t));

	if (labels == NULL || lens == NULL)
		return ai_out_of_memory(err, (size_t) n * sizeof(char *), "labels");
	for (int i = 0; i < n; i++)
		labels[i] = ai_encoder_label(e, i, &lens[i]);
	plan->labels = labels;
	plan->label_lens = lens;
	plan->n_labels = n;
	return AI_OK;
}

AiCode
ai_encoder_store_again(AiAimWriter *writer, const void **bytes, size_t *size,
					   const AiEncoder *e, AiPrecision precision, AiError *err)
{
	AiEncoderPlan plan = {
		.shape = e->shape, .epsilon = e->epsilon, .n_after = e->n_after,
		.prompt = e->prompt, .prompt_len = e->prompt_len, .tokenizer = e->tokenizer_block,
		.tokenizer_size = e->tokenizer_size
	};
	Again		again = {e, NULL};
	AiEncoderSource source = {read_again, &again};
	AiArena		arena;
	AiCode		code;

	plan.shape.precision = precision;
	memcpy(plan.after, e->after, sizeof(plan.after));
	again.matrix = ai_host_alloc(writer->host, largest_matrix(&plan) * sizeof(float));
	if (again.matrix == NULL)
		return ai_out_of_memory(err, largest_matrix(&plan) * sizeof(float),
								"the weights of an encoder");
	ai_arena_init(&arena, writer->host);
	code = take_labels(&plan, e, &arena, err);
	if (code == AI_OK)
		code = ai_encoder_store(writer, bytes, size, &plan, &source, err);
	ai_arena_free(&arena);
	ai_host_release(writer->host, again.matrix);
	return code;
}
