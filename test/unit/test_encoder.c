/*-------------------------------------------------------------------------
 * test_encoder.c
 *		Encoders: their answers are those of transformers, at every level and precision, and an
 *		input's has the same bits whatever is computed together with it.
 *-------------------------------------------------------------------------
 */
#include "core/model/encoder_store.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/model/encoder_internal.h"
#include "test_golden.h"
#include "test_host.h"

enum
{
	MAX_INPUTS = 8,
	MAX_TOKENS = 512
};

typedef struct Case
{
	char		name[32];
	AiEncoderPlan plan;
	size_t		n_inputs;
	uint32_t	first[MAX_INPUTS + 1];
	int32_t		id[MAX_TOKENS];
	uint8_t		type[MAX_TOKENS];
	size_t		n_outputs;
	double	   *answer;			/* [n_inputs, n_outputs] */
	AiBuf		tokenizer;
} Case;

/*
 * Reading the file; see make_encoder.py
 */
static double
uniform(uint64_t seed, uint64_t i)
{
	uint64_t	z = seed + (i + 1) * UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return (double) ((z ^ (z >> 31)) >> 40) * 0x1p-24;
}

static int64_t
whole(FILE *file)
{
	return (int64_t) golden_number(file);
}

static void
read_plan(Case *c, FILE *file)
{
	AiEncoderShape *s = &c->plan.shape;

	s->n_words = whole(file);
	s->width = whole(file);
	s->n_layers = whole(file);
	s->n_heads = whole(file);
	s->inner = whole(file);
	s->activation = whole(file);
	s->n_positions = whole(file);
	s->first_position = whole(file);
	s->n_types = whole(file);
	s->pooling = whole(file);
	s->normalizes = whole(file);
	c->plan.epsilon = golden_number(file);
	s->answer = whole(file);
	s->n_buckets = whole(file);
	s->max_tokens = s->n_positions > 0 ? s->n_positions - s->first_position : 512;
	c->plan.n_after = (int) whole(file);
	for (int i = 0; i < c->plan.n_after; i++)
	{
		c->plan.after[i].n = whole(file);
		c->plan.after[i].act = (AiActivation) whole(file);
	}
}

static void
read_inputs(Case *c, FILE *file)
{
	c->n_inputs = (size_t) whole(file);
	for (size_t i = 0; i < c->n_inputs; i++)
	{
		uint32_t	n = (uint32_t) whole(file);
		uint32_t	n_first = (uint32_t) whole(file);

		for (uint32_t t = 0; t < n; t++)
			c->type[c->first[i] + t] = t >= n_first && c->plan.shape.n_types > 1;
		c->first[i + 1] = c->first[i] + n;
	}
}

static void
make_ids(Case *c, uint64_t number)
{
	const AiEncoderShape *s = &c->plan.shape;

	for (uint32_t t = 0; t < c->first[c->n_inputs]; t++)
	{
		c->id[t] = 1 + (int32_t) floor(uniform(1000000 + number, t) * (double) (s->n_words - 1));
		if (s->first_position > 0 && c->id[t] == s->first_position - 1)
			c->id[t] = (int32_t) s->first_position;
	}
}

static const char *const labels[] = {"a", "b", "c", "d", "e"};
static const size_t label_lens[] = {1, 1, 1, 1, 1};

/* Tokens of one letter each; some ids are no token's. */
static void
make_tokenizer(AiBuf *block)
{
	static const char vocab[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\nd\n##a\n##b\n##c\n##d\n";
	AiTokenizerSource source = {.vocab_text = {vocab, sizeof(vocab) - 1}};
	AiError		err;

	ai_buf_init(block, ai_malloc_host());
	if (ai_tokenizer_build(block, &source, ai_malloc_host(), &err) != AI_OK)
		fail_msg("%s", err.message);
}

static bool
read_case(Case *c, FILE *file, uint64_t number)
{
	memset(c, 0, sizeof(*c));
	if (fscanf(file, " case %31s", c->name) != 1)
		return false;
	make_tokenizer(&c->tokenizer);
	c->plan.tokenizer = c->tokenizer.data;
	c->plan.tokenizer_size = c->tokenizer.len;
	read_plan(c, file);
	read_inputs(c, file);
	make_ids(c, number);
	c->n_outputs = (size_t) (c->plan.n_after > 0 ? c->plan.after[c->plan.n_after - 1].n :
							 c->plan.shape.width);
	if (c->plan.shape.answer == AI_ANSWER_CLASS || c->plan.shape.answer == AI_ANSWER_LABELS)
	{
		c->plan.labels = labels;
		c->plan.label_lens = label_lens;
		c->plan.n_labels = (int) c->n_outputs;
	}
	c->answer = calloc(c->n_inputs * c->n_outputs, sizeof(double));
	golden_doubles(file, c->answer, c->n_inputs * c->n_outputs);
	return true;
}

static void
free_case(Case *c)
{
	free(c->answer);
	ai_buf_free(&c->tokenizer);
}

/*
 * Weights
 */
static size_t
width_of(const AiEncoderPlan *plan, const AiEncoderTensor *t)
{
	if (t->is_bias)
		return (size_t) (t->array == AI_ARRAY_INNER ? plan->shape.inner :
						 t->array == AI_ARRAY_AFTER ? plan->after[t->layer].n : plan->shape.width);
	if (t->array == AI_ARRAY_BIAS)
		return (size_t) plan->shape.n_heads;
	if (t->array == AI_ARRAY_OUTER)
		return (size_t) plan->shape.inner;
	if (t->array == AI_ARRAY_AFTER && t->layer > 0)
		return (size_t) plan->after[t->layer - 1].n;
	return (size_t) plan->shape.width;
}

static AiCode
read_weights(void *ud, float *to, const AiEncoderTensor *t, size_t first, size_t n_rows,
			 AiError *err)
{
	const Case *c = ud;
	size_t		width = width_of(&c->plan, t);
	bool		is_norm = t->array == AI_ARRAY_NORM || t->array == AI_ARRAY_ATTENTION_NORM ||
		t->array == AI_ARRAY_LAYER_NORM;
	bool		is_table = t->array == AI_ARRAY_WORDS || t->array == AI_ARRAY_POSITIONS ||
		t->array == AI_ARRAY_TYPES;
	float		scale = t->is_bias || is_norm ? 0.1F : is_table ? 1 : 0.25F;
	uint64_t	seed = (uint64_t) (4096 * (int) t->array + 2 * t->layer + t->is_bias + 1);

	(void) err;
	for (size_t i = 0; i < n_rows * width; i++)
	{
		float		u = (float) (2 * uniform(seed, first * width + i) - 1);

		to[i] = (is_norm && !t->is_bias ? 1.0F : 0.0F) + scale * u;
	}
	return AI_OK;
}

typedef struct Model
{
	AiAimWriter writer;
	AiEncoder  *encoder;
	AiEncoderScratch *scratch;
} Model;

static Model
make_model(Case *c, AiPrecision precision)
{
	AiEncoderSource source = {read_weights, c};
	Model		model;
	const void *bytes;
	size_t		size;

	c->plan.shape.precision = precision;
	ai_aim_writer_init(&model.writer, ai_malloc_host(), AI_ENCODER_KIND);
	assert_int_equal(ai_encoder_store(&model.writer, &bytes, &size, &c->plan, &source, NULL),
					 AI_OK);
	assert_int_equal(ai_encoder_open(&model.encoder, ai_malloc_host(), bytes, size, NULL), AI_OK);
	assert_int_equal(ai_encoder_n_outputs(model.encoder), c->n_outputs);
	assert_int_equal(ai_encoder_scratch_create(&model.scratch, ai_malloc_host(), model.encoder,
											   NULL), AI_OK);
	return model;
}

static void
free_model(Model *model)
{
	ai_encoder_scratch_destroy(model->scratch);
	ai_encoder_close(model->encoder);
	ai_aim_writer_free(&model->writer);
}

static void
run(const Model *model, const Case *c, size_t first, size_t n, float *answer)
{
	uint32_t	begin[MAX_INPUTS + 1];
	AiEncoderTokens tokens = {
		.n_inputs = n, .first = begin, .id = c->id + c->first[first],
		.type = c->type + c->first[first]
	};

	for (size_t i = 0; i <= n; i++)
		begin[i] = c->first[first + i] - c->first[first];
	assert_int_equal(ai_encoder_run(model->encoder, model->scratch, &tokens, false, answer, NULL),
					 AI_OK);
}

/*
 * Tests
 */
static double
cosine(const float *a, const double *b, size_t n)
{
	double		ab = 0;
	double		aa = 0;
	double		bb = 0;

	for (size_t i = 0; i < n; i++)
	{
		ab += (double) a[i] * b[i];
		aa += (double) a[i] * (double) a[i];
		bb += b[i] * b[i];
	}
	return ab / sqrt(aa * bb);
}

static void
check_answers(const Case *c, AiPrecision precision, const float *answer)
{
	static const double least[] = {0, 0.9999, 0.995};

	for (size_t i = 0; i < c->n_inputs; i++)
	{
		const float *ours = answer + i * c->n_outputs;
		const double *exact = c->answer + i * c->n_outputs;

		for (size_t j = 0; j < c->n_outputs && precision == AI_PRECISION_FP32; j++)
		{
			if (fabs((double) ours[j] - exact[j]) > 2e-6 * (1 + fabs(exact[j])))
				fail_msg("%s, input %zu: %.9g instead of %.9g", c->name, i, (double) ours[j],
						 exact[j]);
		}
		if (precision != AI_PRECISION_FP32 && c->n_outputs > 1 &&
			cosine(ours, exact, c->n_outputs) < least[precision])
			fail_msg("%s, %s, input %zu: cosine %g", c->name, ai_precision_name(precision), i,
					 cosine(ours, exact, c->n_outputs));
	}
}

static void
check_case(Case *c, AiPrecision precision)
{
	Model		model = make_model(c, precision);
	float	   *together = calloc(c->n_inputs * c->n_outputs, sizeof(float));
	float	   *alone = calloc(c->n_outputs, sizeof(float));

	run(&model, c, 0, c->n_inputs, together);
	check_answers(c, precision, together);
	for (size_t i = 0; i < c->n_inputs; i++)
	{
		run(&model, c, i, 1, alone);
		assert_memory_equal(alone, together + i * c->n_outputs, c->n_outputs * sizeof(float));
	}
	free(together);
	free(alone);
	free_model(&model);
}

static void
check_file(AiPrecision precision)
{
	FILE	   *file = golden_open("test/golden/encoder.txt");
	Case		c;
	uint64_t	number = 0;

	for (; read_case(&c, file, number); number++)
	{
		check_case(&c, precision);
		free_case(&c);
	}
	assert_true(number > 10);
	fclose(file);
}

/* answers are those of the reference, alone and together, at every level */
static void
test_golden(void **state)
{
	AiCpuLevel	before = ai_kernels_level();

	(void) state;
	for (int level = 0; level <= (int) before; level++)
	{
		assert_int_equal(ai_kernels_select((AiCpuLevel) level, NULL), AI_OK);
		for (int precision = 0; precision < AI_N_PRECISIONS; precision++)
			check_file((AiPrecision) precision);
	}
	assert_int_equal(ai_kernels_select(before, NULL), AI_OK);
}

/* what is stored again from fp32 has the bytes of what is stored from the weights */
static void
test_again(void **state)
{
	FILE	   *file = golden_open("test/golden/encoder.txt");
	Case		c;

	(void) state;
	for (uint64_t number = 0; read_case(&c, file, number); number++)
	{
		Model		model = make_model(&c, AI_PRECISION_FP32);

		for (int precision = 0; precision < AI_N_PRECISIONS; precision++)
		{
			Model		direct = make_model(&c, (AiPrecision) precision);
			AiAimWriter writer;
			const void *bytes;
			size_t		size;

			ai_aim_writer_init(&writer, ai_malloc_host(), AI_ENCODER_KIND);
			assert_int_equal(ai_encoder_store_again(&writer, &bytes, &size, model.encoder,
													(AiPrecision) precision, NULL), AI_OK);
			assert_int_equal(size, direct.writer.size);
			assert_memory_equal(bytes, direct.writer.block, size);
			ai_aim_writer_free(&writer);
			free_model(&direct);
		}
		free_model(&model);
		free_case(&c);
	}
	fclose(file);
}

/* rows of distances are those of torch in double precision */
static void
test_buckets(void **state)
{
	/* the first distance of each row */
	static const int starts[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91};
	int			row = 0;

	(void) state;
	for (int distance = 0; distance <= 600; distance++)
	{
		while (row < 15 && starts[row + 1] <= distance)
			row++;
		assert_int_equal(ai_encoder_bucket(-distance), row);
		if (distance > 0)
			assert_int_equal(ai_encoder_bucket(distance), 16 + row);
	}
	assert_int_equal(ai_encoder_bucket(1 << 20), 31);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_buckets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
