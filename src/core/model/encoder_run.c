/*-------------------------------------------------------------------------
 * encoder_run.c
 *		Tokens through an encoder.
 *
 * The vectors of all tokens of all inputs lie in one array without gaps: products go over tokens,
 * attention over inputs and heads.  Each row of a product and each input's attention is computed
 * as if it were alone.  Where one token of an input is all that pooling takes, the last layer goes
 * on with that one as soon as it has seen the others.
 */
#include "core/model/encoder.h"

#include <math.h>
#include <string.h>

#include "core/kernels/attention.h"
#include "core/model/encoder_internal.h"

struct AiEncoderScratch
{
	const AiHost *host;
	const AiEncoder *encoder;
	size_t		max_tokens;		/* room for so many */
	size_t		size;			/* of block, bytes */
	void	   *block;			/* all that follows */
	float	   *vector;			/* [max_tokens, width] */
	float	   *changed;		/* the same, before the norm */
	float	   *heads;			/* [max_tokens, 3 * width]: queries, keys, values */
	float	   *inner;			/* [max_tokens, inner] */
	void	   *rows;			/* of a product, in its precision */
	AiRowScale *scales;			/* [max_tokens] */
	void	   *attention;		/* of one input */
	float	   *by_distance;	/* [n_heads, 2 * longest - 1], from the most negative on */
	float	   *pooled;			/* [2, widest] */
};

/*
 * Memory
 */

/* Where an array begins, after those before it */
static size_t
place(size_t *size, size_t n_items, size_t item_size)
{
	size_t		at = *size;

	*size += (n_items * item_size + AI_ALIGNMENT - 1) / AI_ALIGNMENT * AI_ALIGNMENT;
	return at;
}

static size_t
widest_after(const AiEncoder *e)
{
	size_t		widest = (size_t) e->shape.width;

	for (int i = 0; i < e->n_after; i++)
		widest = (size_t) e->after[i].n > widest ? (size_t) e->after[i].n : widest;
	return widest;
}

static AiCode
make_room(AiEncoderScratch *s, size_t n_tokens, size_t longest, AiError *err)
{
	const AiEncoder *e = s->encoder;
	AiPrecision precision = (AiPrecision) e->shape.precision;
	size_t		width = (size_t) e->shape.width;
	size_t		inner = (size_t) e->shape.inner;
	size_t		n_heads = (size_t) e->shape.n_heads;
	size_t		row = ai_packed_row_size(precision, width > inner ? width : inner);
	size_t		size = 0;
	size_t		at[9];
	char	   *block;

	at[0] = place(&size, n_tokens * width, sizeof(float));
	at[1] = place(&size, n_tokens * width, sizeof(float));
	at[2] = place(&size, n_tokens * 3 * width, sizeof(float));
	at[3] = place(&size, n_tokens * inner, sizeof(float));
	at[4] = place(&size, precision == AI_PRECISION_FP32 ? 0 : n_tokens, row);
	at[5] = place(&size, n_tokens, sizeof(AiRowScale));
	at[6] = place(&size, n_heads > 0 ? ai_attention_scratch(longest, width / n_heads) : 0, 1);
	at[7] = place(&size, e->bias != NULL ? n_heads * (2 * longest - 1) : 0, sizeof(float));
	at[8] = place(&size, 2 * widest_after(e), sizeof(float));
	if (size > s->size)
	{
		ai_host_release(s->host, s->block);
		s->size = 0;
		s->block = ai_host_alloc(s->host, size + AI_ALIGNMENT);
		if (s->block == NULL)
			return ai_out_of_memory(err, size, "the vectors of tokens");
		s->size = size;
	}
	block = (char *) (((uintptr_t) s->block + AI_ALIGNMENT - 1) / AI_ALIGNMENT * AI_ALIGNMENT);
	s->vector = (float *) (block + at[0]);
	s->changed = (float *) (block + at[1]);
	s->heads = (float *) (block + at[2]);
	s->inner = (float *) (block + at[3]);
	s->rows = block + at[4];
	s->scales = (AiRowScale *) (block + at[5]);
	s->attention = block + at[6];
	s->by_distance = (float *) (block + at[7]);
	s->pooled = (float *) (block + at[8]);
	return AI_OK;
}

AiCode
ai_encoder_scratch_create(AiEncoderScratch **result, const AiHost *host,
						  const AiEncoder *encoder, AiError *err)
{
	AiEncoderScratch *s = ai_host_alloc(host, sizeof(AiEncoderScratch));

	*result = s;
	if (s == NULL)
		return ai_out_of_memory(err, sizeof(AiEncoderScratch), "an encoder");
	memset(s, 0, sizeof(*s));
	s->host = host;
	s->encoder = encoder;
	return AI_OK;
}

void
ai_encoder_scratch_destroy(AiEncoderScratch *s)
{
	if (s == NULL)
		return;
	ai_host_release(s->host, s->block);
	ai_host_release(s->host, s);
}

size_t
ai_encoder_scratch_memory(const AiEncoderScratch *s)
{
	return s->size;
}

/*
 * Embedding
 */
static AiCode
embed(const AiEncoder *e, float *vector, const AiEncoderTokens *tokens, AiError *err)
{
	size_t		width = (size_t) e->shape.width;

	for (size_t i = 0; i < tokens->n_inputs; i++)
	{
		for (uint32_t t = tokens->first[i]; t < tokens->first[i + 1]; t++)
		{
			float	   *to = vector + t * width;
			int64_t		type = tokens->type != NULL && tokens->type[t] < e->shape.n_types ?
				tokens->type[t] : 0;
			int64_t		position = e->shape.first_position + t - tokens->first[i];

			if (tokens->id[t] < 0 || tokens->id[t] >= e->shape.n_words)
				return ai_fail(err, AI_ERR_DATA, "there is no token %d", (int) tokens->id[t]);
			ai_encoder_word(e, to, (size_t) tokens->id[t]);
			if (e->positions != NULL)
				ai_kernels()->add(to, e->positions + position * e->shape.width, width);
			if (e->types != NULL)
				ai_kernels()->add(to, e->types + type * e->shape.width, width);
		}
	}
	return AI_OK;
}

/*
 * A layer
 */
typedef struct Pass
{
	const AiEncoder *e;
	AiEncoderScratch *s;
	const AiEncoderTokens *tokens;
	size_t		n;				/* tokens that are computed */
	size_t		longest;		/* tokens of an input; at least 1 */
	bool		is_raw;
	bool		takes_one;		/* after the last layer n is the number of inputs */
} Pass;

static void
normalise(const Pass *p, const float *sums, const AiEncoderNorm *norm)
{
	ai_kernels()->layer_norm(p->s->vector, NULL, NULL, sums, norm->gamma, norm->beta, p->n,
							 (size_t) p->e->shape.width, (float) p->e->epsilon);
}

/* y = act(x w + residual); x:[n, k] fp32, of which the rows of the precision are made */
static void
multiply(const Pass *p, float *y, const float *x, const AiPacked *w, const float *residual,
		 AiActivation act)
{
	AiEncoderScratch *s = p->s;
	AiPackedProduct product = {
		.weights = w, .m = p->n, .x = x, .x_row = w->k * sizeof(float), .residual = residual,
		.residual_row = w->n, .y = y, .y_row = w->n, .act = act
	};

	if (w->precision != AI_PRECISION_FP32)
	{
		product.x = s->rows;
		product.x_row = ai_packed_row_size(w->precision, w->k);
		product.x_scales = s->scales;
	}
	if (w->precision == AI_PRECISION_BF16)
		ai_kernels()->round_rows(s->rows, product.x_row / sizeof(uint16_t), x, w->k, p->n, w->k);
	if (w->precision == AI_PRECISION_INT8)
		ai_kernels()->quantise_rows(s->rows, product.x_row, s->scales, x, w->k, p->n, w->k);
	ai_packed_product(&product);
}

/* k counts doublings of the distance's square: its half powers of two, without a logarithm */
int64_t
ai_encoder_bucket(int64_t distance)
{
	int64_t		half = AI_ENCODER_BUCKETS / 2;
	int64_t		near = half / 2;
	int64_t		size = distance < 0 ? -distance : distance;
	int64_t		first = distance > 0 ? half : 0;
	int64_t		k = 0;

	if (size < near)
		return first + size;
	while (k < near - 1 && size * size >= near * near << (k + 1))
		k++;
	return first + near + k;
}

static void
lay_out_distances(const Pass *p)
{
	const AiEncoderShape *shape = &p->e->shape;
	int64_t		n = (int64_t) p->longest;

	for (int64_t h = 0; h < shape->n_heads && p->e->bias != NULL; h++)
	{
		for (int64_t d = 1 - n; d < n; d++)
			p->s->by_distance[h * (2 * n - 1) + d + n - 1] =
				p->e->bias[ai_encoder_bucket(d) * shape->n_heads + h];
	}
}

static const float *
distances_of(const Pass *p, size_t head)
{
	return p->e->bias == NULL ? NULL :
		p->s->by_distance + head * (2 * p->longest - 1) + p->longest - 1;
}

/* changed:[n, width] = what the heads take of the values */
static void
attend(const Pass *p)
{
	size_t		width = (size_t) p->e->shape.width;
	size_t		head_width = width / (size_t) p->e->shape.n_heads;

	for (size_t i = 0; i < p->tokens->n_inputs; i++)
	{
		uint32_t	first = p->tokens->first[i];
		const float *heads = p->s->heads + first * 3 * width;

		for (size_t h = 0; h < (size_t) p->e->shape.n_heads; h++)
			ai_attention(&(AiAttention) {
				.precision = (AiPrecision) p->e->shape.precision,
				.n_tokens = p->tokens->first[i + 1] - first,
				.d = head_width,
				.q = heads + h * head_width,
				.k = heads + width + h * head_width,
				.v = heads + 2 * width + h * head_width,
				.row = 3 * width,
				.scale = 1 / sqrtf((float) head_width),
				.by_distance = distances_of(p, h),
				.y = p->s->changed + first * width + h * head_width,
				.y_row = width,
				.scratch = p->s->attention
			});
	}
}

/* Does pooling take one token of each input? */
static bool
takes_one(const Pass *p)
{
	AiPooling	pooling = (AiPooling) p->e->shape.pooling;

	for (size_t i = 0; i < p->tokens->n_inputs; i++)
	{
		if (p->tokens->first[i + 1] == p->tokens->first[i])
			return false;
	}
	return p->e->shape.n_layers > 0 && (pooling == AI_POOL_FIRST || pooling == AI_POOL_LAST);
}

/* Leave of each input the token that pooling takes. */
static void
keep_one(Pass *p)
{
	size_t		width = (size_t) p->e->shape.width;

	for (size_t i = 0; i < p->tokens->n_inputs; i++)
	{
		size_t		t = p->e->shape.pooling == AI_POOL_FIRST ? p->tokens->first[i] :
			p->tokens->first[i + 1] - 1;

		memmove(p->s->vector + i * width, p->s->vector + t * width, width * sizeof(float));
		memmove(p->s->changed + i * width, p->s->changed + t * width, width * sizeof(float));
	}
	p->n = p->tokens->n_inputs;
}

static void
run_layer(Pass *p, const AiEncoderLayer *layer, bool is_last)
{
	AiEncoderScratch *s = p->s;

	multiply(p, s->heads, s->vector, &layer->attention, NULL, AI_ACT_LINEAR);
	attend(p);
	if (is_last && p->takes_one)
		keep_one(p);

	/* The queries are done with: their memory holds the sums. */
	multiply(p, s->heads, s->changed, &layer->output, s->vector, AI_ACT_LINEAR);
	normalise(p, s->heads, &layer->attention_norm);
	multiply(p, s->inner, s->vector, &layer->inner, NULL, (AiActivation) p->e->shape.activation);
	multiply(p, s->changed, s->inner, &layer->outer, s->vector, AI_ACT_LINEAR);
	normalise(p, s->changed, &layer->norm);
}

/*
 * After the layers
 */
static void
to_length_1(float *x, size_t n)
{
	double		length = sqrt(ai_kernels()->sum_squares(x, n));

	ai_kernels()->scale(x, x, n, (float) (1 / (length > 1e-12 ? length : 1e-12)), 0);
}

static void
finish(const AiEncoder *e, float *answer, size_t n, bool is_raw)
{
	if (e->shape.normalizes)
		to_length_1(answer, n);
	if (e->shape.answer == AI_ANSWER_CLASS && !is_raw)
		ai_kernels()->softmax(answer, answer, 1, n);
	if (e->shape.answer == AI_ANSWER_LABELS && !is_raw)
		ai_kernels()->activate(answer, answer, n, AI_ACT_SIGMOID);
}

static void
answer_input(const Pass *p, size_t input, float *answer)
{
	const AiEncoder *e = p->e;
	size_t		first = p->takes_one ? input : p->tokens->first[input];
	size_t		n = p->takes_one ? 1 : p->tokens->first[input + 1] - first;
	int			last = p->is_raw && e->shape.answer != AI_ANSWER_EMBEDDING ? e->n_after - 1 : -1;
	float	   *x = p->s->pooled;
	float	   *y = x + widest_after(e);

	ai_encoder_pool(x, e, p->s->vector + first * (size_t) e->shape.width, n);
	for (int i = 0; i < e->n_after; i++)
	{
		float	   *before = x;

		ai_packed_product(&(AiPackedProduct) {
			.weights = &e->after_weights[i], .m = 1, .x = x,
			.x_row = e->after_weights[i].k * sizeof(float), .y = y, .y_row = e->after_weights[i].n,
			.act = i == last ? AI_ACT_LINEAR : e->after[i].act
		});
		x = y;
		y = before;
	}
	memcpy(answer, x, ai_encoder_n_outputs(e) * sizeof(float));
	finish(e, answer, ai_encoder_n_outputs(e), p->is_raw);
}

AiCode
ai_encoder_run(const AiEncoder *e, AiEncoderScratch *s, const AiEncoderTokens *tokens,
			   bool is_raw, float *answer, AiError *err)
{
	Pass		pass = {e, s, tokens, tokens->first[tokens->n_inputs], 1, is_raw, false};

	pass.takes_one = takes_one(&pass);
	for (size_t i = 0; i < tokens->n_inputs; i++)
		pass.longest = tokens->first[i + 1] - tokens->first[i] > pass.longest ?
			tokens->first[i + 1] - tokens->first[i] : pass.longest;
	AI_TRY(make_room(s, pass.n, pass.longest, err));
	lay_out_distances(&pass);
	if (e->shape.n_layers == 0)
		AI_TRY(embed(e, s->vector, tokens, err));
	else
	{
		AI_TRY(embed(e, s->changed, tokens, err));
		normalise(&pass, s->changed, &e->norm);
	}
	for (int64_t i = 0; i < e->shape.n_layers; i++)
	{
		if (ai_host_should_stop(s->host))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		run_layer(&pass, &e->layers[i], i == e->shape.n_layers - 1);
	}
	for (size_t i = 0; i < tokens->n_inputs; i++)
		answer_input(&pass, i, answer + i * ai_encoder_n_outputs(e));
	return AI_OK;
}
