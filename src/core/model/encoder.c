/*-------------------------------------------------------------------------
 * encoder.c
 *		Opening stored encoders.
 *-------------------------------------------------------------------------
 */
#include "core/model/encoder.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/model/encoder_internal.h"

#define ITEMS_PER_QUESTION 65536	/* whether to stop */

/* Numbers within this range have finite products with each other. */
#define MAX_NUMBER 1e18F

#define MAX_WIDTH 16384
#define MAX_WORDS 4000000

/*
 * Whole numbers
 */
typedef struct Field
{
	const char *name;
	size_t		offset;
	int64_t		min;
	int64_t		max;
} Field;

#define FIELD(name, min, max) {"shape." #name, offsetof(AiEncoderShape, name), min, max}

static const Field fields[] = {
	FIELD(precision, 0, AI_N_PRECISIONS - 1),
	FIELD(answer, 0, AI_N_ANSWERS - 1),
	FIELD(n_words, 1, MAX_WORDS),
	FIELD(width, 1, MAX_WIDTH),
	FIELD(n_layers, 0, 256),
	FIELD(n_heads, 0, 256),
	FIELD(inner, 0, 4 * MAX_WIDTH),
	FIELD(activation, 0, AI_ACT_SOFTMAX - 1),
	FIELD(n_positions, 0, 1 << 20),
	FIELD(first_position, 0, 1 << 20),
	FIELD(n_types, 0, 16),
	FIELD(n_buckets, 0, AI_ENCODER_BUCKETS),
	FIELD(pooling, 0, AI_N_POOLINGS - 1),
	FIELD(normalizes, 0, 1),
	FIELD(max_tokens, 1, 1 << 20),
	FIELD(skips_unknown, 0, 1),
};

#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

const char *
ai_encoder_field(size_t i, int64_t **value, AiEncoderShape *shape)
{
	if (i >= N_FIELDS)
		return NULL;
	*value = (int64_t *) ((char *) shape + fields[i].offset);
	return fields[i].name;
}

static AiCode
invalid(AiError *err, const char *what)
{
	return ai_fail(err, AI_ERR_FORMAT, "invalid encoder: %s", what);
}

static AiCode
check_shape(const AiEncoderShape *s, AiError *err)
{
	if (s->n_layers > 0 && (s->n_heads == 0 || s->inner == 0 || s->width % s->n_heads != 0))
		return invalid(err, "its heads do not share out the width");
	if (s->n_layers == 0 && (s->n_positions > 0 || s->n_types > 0 || s->n_buckets > 0))
		return invalid(err, "a table of vectors has positions");
	if (s->n_buckets != 0 && s->n_buckets != AI_ENCODER_BUCKETS)
		return invalid(err, "its distances have other rows");
	if (s->n_positions > 0 && s->max_tokens > s->n_positions - s->first_position)
		return invalid(err, "it has too few positions for its inputs");
	return AI_OK;
}

static AiCode
read_shape(AiEncoder *encoder, const AiAim *aim, AiError *err)
{
	for (size_t i = 0; i < N_FIELDS; i++)
		AI_TRY(ai_aim_i64(aim, (int64_t *) ((char *) &encoder->shape + fields[i].offset),
						  fields[i].name, fields[i].min, fields[i].max, err));
	AI_TRY(ai_aim_f64(aim, &encoder->epsilon, "epsilon", err));
	if (!(encoder->epsilon >= 0 && encoder->epsilon <= 1))
		return invalid(err, "epsilon is out of its range");
	return check_shape(&encoder->shape, err);
}

/*
 * Arrays
 */
typedef struct Reader
{
	AiEncoder  *encoder;
	const AiAim *aim;
	bool		is_checked;
} Reader;

static AiCode
check_numbers(const Reader *r, const float *x, size_t n, const char *name, AiError *err)
{
	for (size_t i = 0; i < n && !r->is_checked; i++)
	{
		if (i % ITEMS_PER_QUESTION == 0 && ai_host_should_stop(r->encoder->arena.host))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		if (!(fabsf(x[i]) <= MAX_NUMBER))
			return ai_fail(err, AI_ERR_FORMAT, "invalid encoder: \"%s\" holds %g", name,
						   (double) x[i]);
	}
	return AI_OK;
}

/* NULL where there are no rows */
static AiCode
read_numbers(const Reader *r, const float **numbers, const char *name, int64_t n_rows,
			 int64_t n, AiError *err)
{
	const void *data;

	*numbers = NULL;
	if (n_rows == 0)
		return AI_OK;
	AI_TRY(ai_aim_shaped_array(r->aim, &data, name, AI_DTYPE_F32, 2, (int64_t[]) {n_rows, n}, err));
	*numbers = data;
	return check_numbers(r, data, (size_t) (n_rows * n), name, err);
}

static AiCode
read_bf16(const Reader *r, const uint16_t **numbers, const char *name, int64_t n_rows,
		  int64_t n, AiError *err)
{
	const void *data;

	AI_TRY(ai_aim_shaped_array(r->aim, &data, name, AI_DTYPE_U8, 2, (int64_t[]) {n_rows, 2 * n},
							   err));
	*numbers = data;
	for (int64_t i = 0; i < n_rows * n && !r->is_checked; i++)
	{
		if (i % ITEMS_PER_QUESTION == 0 && ai_host_should_stop(r->encoder->arena.host))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		if (((*numbers)[i] & 0x7F80) == 0x7F80)
			return ai_fail(err, AI_ERR_FORMAT, "invalid encoder: \"%s\" holds no number", name);
	}
	return AI_OK;
}

static AiCode
read_packed(const Reader *r, AiPacked *packed, const char *name, AiPrecision precision,
			int64_t n, int64_t k, AiError *err)
{
	const void *data;
	size_t		size;

	AI_TRY(ai_packed_size(&size, precision, (size_t) n, (size_t) k, err));
	AI_TRY(ai_aim_shaped_array(r->aim, &data, name, AI_DTYPE_U8, 1, (int64_t[]) {(int64_t) size},
							   err));
	*packed = ai_packed_view(data, precision, (size_t) n, (size_t) k);
	if (r->is_checked)
		return AI_OK;
	return ai_packed_check(packed, r->encoder->arena.host, err);
}

static AiCode
read_embeddings(const Reader *r, AiError *err)
{
	AiEncoder  *e = r->encoder;
	const AiEncoderShape *s = &e->shape;
	const float *norm;

	if (s->precision == AI_PRECISION_FP32)
		AI_TRY(read_numbers(r, &e->words, "words", s->n_words, s->width, err));
	else
		AI_TRY(read_bf16(r, &e->words_bf16, "words", s->n_words, s->width, err));
	AI_TRY(read_numbers(r, &e->positions, "positions", s->n_positions, s->width, err));
	AI_TRY(read_numbers(r, &e->types, "types", s->n_types, s->width, err));
	AI_TRY(read_numbers(r, &e->bias, "bias", s->n_buckets, s->n_heads, err));
	if (s->n_layers == 0)
		return AI_OK;
	AI_TRY(read_numbers(r, &norm, "norm", 2, s->width, err));
	e->norm = (AiEncoderNorm) {norm, norm + s->width};
	return AI_OK;
}

const char *
ai_encoder_layer_name(char *name, int64_t layer, const char *what)
{
	snprintf(name, AI_ENCODER_NAME_SIZE, "layer.%03d.%s", (int) layer, what);
	return name;
}

const char *
ai_encoder_after_name(char *name, int number)
{
	snprintf(name, AI_ENCODER_NAME_SIZE, "after.%03d", number);
	return name;
}

static AiCode
read_layer(const Reader *r, int64_t number, AiError *err)
{
	const AiEncoderShape *s = &r->encoder->shape;
	AiEncoderLayer *layer = &r->encoder->layers[number];
	AiPrecision precision = (AiPrecision) s->precision;
	char		name[AI_ENCODER_NAME_SIZE];
	const float *norm;

	AI_TRY(read_packed(r, &layer->attention, ai_encoder_layer_name(name, number, "attention"), precision,
					   3 * s->width, s->width, err));
	AI_TRY(read_packed(r, &layer->output, ai_encoder_layer_name(name, number, "output"), precision, s->width,
					   s->width, err));
	AI_TRY(read_packed(r, &layer->inner, ai_encoder_layer_name(name, number, "inner"), precision, s->inner,
					   s->width, err));
	AI_TRY(read_packed(r, &layer->outer, ai_encoder_layer_name(name, number, "outer"), precision, s->width,
					   s->inner, err));
	AI_TRY(read_numbers(r, &norm, ai_encoder_layer_name(name, number, "norm"), 4, s->width, err));
	layer->attention_norm = (AiEncoderNorm) {norm, norm + s->width};
	layer->norm = (AiEncoderNorm) {norm + 2 * s->width, norm + 3 * s->width};
	return AI_OK;
}

static AiCode
read_layers(const Reader *r, AiError *err)
{
	AiEncoder  *e = r->encoder;

	e->layers = ai_arena_alloc_zero(&e->arena, (size_t) e->shape.n_layers + 1,
									sizeof(AiEncoderLayer));
	if (e->layers == NULL)
		return ai_out_of_memory(err, (size_t) e->shape.n_layers * sizeof(AiEncoderLayer),
								"an encoder");
	for (int64_t i = 0; i < e->shape.n_layers; i++)
		AI_TRY(read_layer(r, i, err));
	return AI_OK;
}

static AiCode
read_after(const Reader *r, AiError *err)
{
	AiEncoder  *e = r->encoder;
	int64_t		n_inputs = e->shape.width;
	const int64_t *sizes;
	const void *data;
	int64_t		dims[2];

	AI_TRY(ai_aim_array(r->aim, &data, dims, "after.sizes", AI_DTYPE_I64, 2, err));
	if (dims[0] > AI_ENCODER_MAX_AFTER || (dims[0] > 0 && dims[1] != 2))
		return invalid(err, "too many layers after pooling");
	sizes = data;
	e->n_after = (int) dims[0];
	for (int i = 0; i < e->n_after; i++)
	{
		char		name[AI_ENCODER_NAME_SIZE];

		if (sizes[2 * i] < 1 || sizes[2 * i] > MAX_WIDTH || sizes[2 * i + 1] < 0 ||
			sizes[2 * i + 1] >= AI_ACT_SOFTMAX)
			return invalid(err, "a layer after pooling is out of its range");
		e->after[i] = (AiEncoderAfter) {sizes[2 * i], (AiActivation) sizes[2 * i + 1]};
		AI_TRY(read_packed(r, &e->after_weights[i], ai_encoder_after_name(name, i),
						   AI_PRECISION_FP32, e->after[i].n, n_inputs, err));
		n_inputs = e->after[i].n;
	}
	return AI_OK;
}

/* One for each output of a classifier; two for one, as with networks */
static AiCode
read_labels(const Reader *r, AiError *err)
{
	AiEncoder  *e = r->encoder;
	bool		has_labels = e->shape.answer == AI_ANSWER_CLASS ||
		e->shape.answer == AI_ANSWER_LABELS;

	AI_TRY(ai_aim_strings(r->aim, &e->labels, "labels", err));
	if (e->labels.n != (has_labels ? (int64_t) ai_encoder_n_outputs(e) : 0))
		return ai_fail(err, AI_ERR_FORMAT, "invalid encoder: %lld labels for %zu outputs",
					   (long long) e->labels.n, ai_encoder_n_outputs(e));
	return AI_OK;
}

static AiCode
read_prompt(const Reader *r, AiError *err)
{
	const void *data;
	int64_t		n;

	if (!ai_aim_has(r->aim, "prompt"))
		return AI_OK;
	AI_TRY(ai_aim_array(r->aim, &data, &n, "prompt", AI_DTYPE_U8, 1, err));
	if (n > AI_ENCODER_MAX_PROMPT)
		return invalid(err, "its prompt is too long");
	r->encoder->prompt = data;
	r->encoder->prompt_len = (size_t) n;
	return AI_OK;
}

static AiCode
read_version(const AiAim *aim, AiError *err)
{
	int64_t		version;

	AI_TRY(ai_aim_i64(aim, &version, "version", 1, INT64_MAX, err));
	if (version <= AI_ENCODER_VERSION)
		return AI_OK;
	ai_fail(err, AI_ERR_UNSUPPORTED, "an encoder of version %lld is newer than this server's (%d)",
			(long long) version, AI_ENCODER_VERSION);
	ai_hint(err, "Update aiaas.");
	return AI_ERR_UNSUPPORTED;
}

static AiCode
read_block(AiEncoder *encoder, const void *bytes, size_t size, bool is_checked, AiError *err)
{
	AiAim		aim;
	Reader		reader = {encoder, &aim, is_checked};
	const void *data;
	int64_t		n;

	AI_TRY(ai_aim_open(&aim, bytes, size, err));
	AI_TRY(ai_aim_check_kind(&aim, AI_ENCODER_KIND, err));
	AI_TRY(read_version(&aim, err));
	AI_TRY(read_shape(encoder, &aim, err));
	AI_TRY(ai_aim_array(&aim, &data, &n, "tokenizer", AI_DTYPE_U8, 1, err));
	encoder->tokenizer_block = data;
	encoder->tokenizer_size = (size_t) n;
	if (!is_checked)
		AI_TRY(ai_tokenizer_check(data, (size_t) n, encoder->arena.host, err));
	AI_TRY(ai_tokenizer_open(&encoder->tokenizer, data, (size_t) n, err));
	if (encoder->tokenizer.n_ids > (uint64_t) encoder->shape.n_words)
		return invalid(err, "its tokenizer has more tokens than it has words");
	AI_TRY(read_embeddings(&reader, err));
	AI_TRY(read_layers(&reader, err));
	AI_TRY(read_after(&reader, err));
	AI_TRY(read_prompt(&reader, err));
	return read_labels(&reader, err);
}

static AiCode
open_encoder(AiEncoder **result, const AiHost *host, const void *bytes, size_t size,
			 bool is_checked, AiError *err)
{
	AiEncoder  *encoder = ai_host_alloc(host, sizeof(AiEncoder));
	AiCode		code;

	*result = NULL;
	if (encoder == NULL)
		return ai_out_of_memory(err, sizeof(AiEncoder), "an encoder");
	memset(encoder, 0, sizeof(*encoder));
	ai_arena_init(&encoder->arena, host);
	code = read_block(encoder, bytes, size, is_checked, err);
	if (code == AI_OK)
		*result = encoder;
	else
		ai_encoder_close(encoder);
	return code;
}

AiCode
ai_encoder_open(AiEncoder **encoder, const AiHost *host, const void *bytes, size_t size,
				AiError *err)
{
	return open_encoder(encoder, host, bytes, size, false, err);
}

AiCode
ai_encoder_open_checked(AiEncoder **encoder, const AiHost *host, const void *bytes, size_t size,
						AiError *err)
{
	return open_encoder(encoder, host, bytes, size, true, err);
}

void
ai_encoder_close(AiEncoder *encoder)
{
	const AiHost *host;

	if (encoder == NULL)
		return;
	host = encoder->arena.host;
	ai_arena_free(&encoder->arena);
	ai_host_release(host, encoder);
}

/*
 * Asking
 */
const AiTokenizer *
ai_encoder_tokenizer(const AiEncoder *encoder)
{
	return &encoder->tokenizer;
}

const char *
ai_encoder_prompt(const AiEncoder *encoder, size_t *len)
{
	*len = encoder->prompt_len;
	return encoder->prompt;
}

const AiEncoderShape *
ai_encoder_shape(const AiEncoder *encoder)
{
	return &encoder->shape;
}

size_t
ai_encoder_n_outputs(const AiEncoder *encoder)
{
	return (size_t) (encoder->n_after > 0 ? encoder->after[encoder->n_after - 1].n :
					 encoder->shape.width);
}

int64_t
ai_encoder_n_parameters(const AiEncoder *encoder)
{
	const AiEncoderShape *s = &encoder->shape;
	int64_t		n_layer = 4 * s->width * (s->width + 1) + s->inner * (s->width + 1) +
		s->width * (s->inner + 1) + 4 * s->width;
	int64_t		n = (s->n_words + s->n_positions + s->n_types) * s->width +
		s->n_buckets * s->n_heads + (s->n_layers > 0 ? 2 * s->width : 0) + s->n_layers * n_layer;
	int64_t		n_inputs = s->width;

	for (int i = 0; i < encoder->n_after; i++)
	{
		n += encoder->after[i].n * (n_inputs + 1);
		n_inputs = encoder->after[i].n;
	}
	return n;
}

int
ai_encoder_n_labels(const AiEncoder *encoder)
{
	return (int) encoder->labels.n;
}

const char *
ai_encoder_label(const AiEncoder *encoder, int index, size_t *len)
{
	return ai_aim_string(&encoder->labels, index, len);
}

int
ai_encoder_find_label(const AiEncoder *encoder, const char *label, size_t len)
{
	for (int i = 0; i < ai_encoder_n_labels(encoder); i++)
	{
		size_t		other_len;
		const char *other = ai_encoder_label(encoder, i, &other_len);

		if (other_len == len && memcmp(other, label, len) == 0)
			return i;
	}
	return -1;
}

/* Two labels or three, which are these, in any case */
int
ai_encoder_find_entailment(const AiEncoder *encoder)
{
	static const struct
	{
		const char *name;
		int			meaning;
	}			known[] = {
		{"entailment", 0}, {"contradiction", 1}, {"not_entailment", 1}, {"neutral", 2}
	};
	int			found[3] = {-1, -1, -1};
	int			n = ai_encoder_n_labels(encoder);

	if (encoder->shape.answer != AI_ANSWER_CLASS || n < 2 || n > 3)
		return -1;
	for (int i = 0; i < n; i++)
	{
		size_t		len;
		const char *label = ai_encoder_label(encoder, i, &len);

		for (int k = 0; k < 4; k++)
		{
			if (strlen(known[k].name) == len && strncasecmp(known[k].name, label, len) == 0)
				found[known[k].meaning] = i;
		}
	}
	for (int k = 0; k < n; k++)
	{
		if (found[k] < 0)
			return -1;
	}
	return found[0];
}

void
ai_encoder_word(const AiEncoder *e, float *vector, size_t word)
{
	size_t		width = (size_t) e->shape.width;

	if (e->words != NULL)
	{
		memcpy(vector, e->words + word * width, width * sizeof(float));
		return;
	}
	for (size_t i = 0; i < width; i++)
	{
		uint32_t	bits = (uint32_t) e->words_bf16[word * width + i] << 16;

		memcpy(&vector[i], &bits, sizeof(float));
	}
}

double
ai_encoder_work(const AiEncoder *encoder)
{
	double		width = (double) encoder->shape.width;
	double		inner = (double) encoder->shape.inner;

	return (double) encoder->shape.n_layers * width * (4 * width + 2 * inner);
}
