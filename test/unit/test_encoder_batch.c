/*-------------------------------------------------------------------------
 * test_encoder_batch.c
 *		Many texts through one encoder: each has the bits that it has alone.
 *
 *	test_encoder_batch --write-corpus DIRECTORY
 *
 * writes the encoders with which test/fuzz/fuzz_encoder.c begins.
 *-------------------------------------------------------------------------
 */
#include "core/model/encoder_batch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "core/model/encoder_store.h"
#include "test_files.h"
#include "test_host.h"

enum
{
	N = 90,
	WIDTH = 32,
	MAX_LEN = 700,
	MAX_TOKENS = 24,
	MAX_THREADS = 3,
	N_LABELS = 3
};

/* A model of random weights, and texts of random letters */
typedef struct Fixture
{
	AiBuf		tokenizer;
	AiAimWriter writer;
	AiEncoder  *encoder;
	const char *prompt;			/* NULL: none */
	char		text[N][MAX_LEN + 1];
	float		alone[N][WIDTH];
	int64_t		n_tokens;		/* of distinct texts */
	int64_t		n_truncated;
} Fixture;

static AiCode
read_weights(void *ud, float *to, const AiEncoderTensor *tensor, size_t first, size_t n_rows,
			 AiError *err)
{
	bool		is_table = tensor->array == AI_ARRAY_WORDS || tensor->array == AI_ARRAY_POSITIONS;
	AiRng		rng = {
		(uint64_t) (100 * (int) tensor->array + 2 * tensor->layer + tensor->is_bias)
	};
	size_t		width = tensor->array == AI_ARRAY_BIAS ? 4 :
		tensor->array == AI_ARRAY_OUTER && !tensor->is_bias ? 2 * WIDTH :
		tensor->array == AI_ARRAY_INNER && tensor->is_bias ? 2 * WIDTH :
		tensor->array == AI_ARRAY_AFTER && tensor->is_bias ? N_LABELS : WIDTH;

	(void) ud;
	(void) err;
	for (size_t i = 0; i < first * width; i++)
		(void) ai_rng_next(&rng);
	for (size_t i = 0; i < n_rows * width; i++)
		to[i] = (is_table ? 2.0F : 0.5F) * ((float) ai_rng_uniform(&rng) - 0.5F);
	return AI_OK;
}

/* Of embeddings */
static AiEncoderPlan
plan_encoder(AiPrecision precision, int64_t n_layers)
{
	return (AiEncoderPlan) {
		.shape = {
			.precision = precision, .n_words = 12, .width = WIDTH, .n_layers = n_layers,
			.n_heads = 4, .inner = 2 * WIDTH, .activation = AI_ACT_GELU,
			.n_positions = MAX_TOKENS, .normalizes = 1, .max_tokens = MAX_TOKENS
		},
		.epsilon = 1e-12
	};
}

/* lens:[N_LABELS] is filled */
static void
plan_classes(AiEncoderPlan *plan, const char *const *labels, size_t *lens)
{
	for (int i = 0; i < N_LABELS; i++)
		lens[i] = strlen(labels[i]);
	plan->shape.answer = AI_ANSWER_CLASS;
	plan->shape.normalizes = 0;
	plan->shape.n_types = 2;
	plan->n_after = 1;
	plan->after[0] = (AiEncoderAfter) {N_LABELS, AI_ACT_TANH};
	plan->labels = labels;
	plan->label_lens = lens;
	plan->n_labels = N_LABELS;
}

static void
store_encoder(Fixture *f, AiEncoderPlan *plan, const void **bytes, size_t *size)
{
	static const char vocab[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\n##a\n##b\n##c\n";
	AiTokenizerSource source = {.vocab_text = {vocab, sizeof(vocab) - 1}};
	AiEncoderSource weights = {read_weights, NULL};

	plan->prompt = f->prompt;
	plan->prompt_len = f->prompt == NULL ? 0 : strlen(f->prompt);
	ai_buf_init(&f->tokenizer, ai_malloc_host());
	assert_int_equal(ai_tokenizer_build(&f->tokenizer, &source, ai_malloc_host(), NULL), AI_OK);
	plan->tokenizer = f->tokenizer.data;
	plan->tokenizer_size = f->tokenizer.len;
	ai_aim_writer_init(&f->writer, ai_malloc_host(), AI_ENCODER_KIND);
	assert_int_equal(ai_encoder_store(&f->writer, bytes, size, plan, &weights, NULL), AI_OK);
	assert_int_equal(ai_encoder_open(&f->encoder, ai_malloc_host(), *bytes, *size, NULL), AI_OK);
}

/* labels:[N_LABELS]; NULL: texts to embeddings */
static void
make_encoder(Fixture *f, const char *const *labels)
{
	AiEncoderPlan plan = plan_encoder(AI_PRECISION_INT8, 2);
	size_t		lens[N_LABELS];
	const void *bytes;
	size_t		size;

	if (labels != NULL)
		plan_classes(&plan, labels, lens);
	store_encoder(f, &plan, &bytes, &size);
}

/* Every seventh is equal to the first one. */
static void
make_texts(Fixture *f)
{
	AiRng		rng = {7};

	for (int i = 0; i < N; i++)
	{
		size_t		len = i % 10 == 3 ? MAX_LEN : ai_rng_below(&rng, 60);

		for (size_t j = 0; j < len; j++)
			f->text[i][j] = "abc   "[ai_rng_below(&rng, 6)];
		if (i % 7 == 6)
			strcpy(f->text[i], f->text[0]);
	}
}

static bool
is_new(const Fixture *f, int i)
{
	for (int j = 0; j < i; j++)
	{
		if (strcmp(f->text[j], f->text[i]) == 0)
			return false;
	}
	return true;
}

/* What tokens and encoder say of each text, without a batch */
static void
make_alone(Fixture *f)
{
	AiTokenizerScratch *reading;
	AiEncoderScratch *scratch;

	assert_int_equal(ai_tokenizer_scratch_create(&reading, ai_malloc_host(), NULL), AI_OK);
	assert_int_equal(ai_encoder_scratch_create(&scratch, ai_malloc_host(), f->encoder, NULL),
					 AI_OK);
	for (int i = 0; i < N; i++)
	{
		AiTokenizeInput input = {.text = f->text[i], .len = strlen(f->text[i])};
		AiTokenizeOptions options = {.adds_special = true, .max_tokens = MAX_TOKENS};
		AiTokens	tokens;
		uint32_t	first[2] = {0};
		AiEncoderTokens one = {.n_inputs = 1, .first = first};

		assert_int_equal(ai_tokenize(ai_encoder_tokenizer(f->encoder), reading, &input, &options,
									 &tokens, NULL), AI_OK);
		first[1] = (uint32_t) tokens.n;
		one.id = tokens.id;
		one.type = tokens.type;
		assert_int_equal(ai_encoder_run(f->encoder, scratch, &one, false, f->alone[i], NULL),
						 AI_OK);
		if (is_new(f, i))
		{
			f->n_tokens += (int64_t) tokens.n;
			f->n_truncated += tokens.is_truncated;
		}
	}
	ai_encoder_scratch_destroy(scratch);
	ai_tokenizer_scratch_destroy(reading);
}

static Fixture *
make_fixture(void)
{
	Fixture    *f = calloc(1, sizeof(Fixture));

	make_encoder(f, NULL);
	make_texts(f);
	make_alone(f);
	assert_true(f->n_truncated > 5);
	return f;
}

static void
free_fixture(Fixture *f)
{
	ai_encoder_close(f->encoder);
	ai_aim_writer_free(&f->writer);
	ai_buf_free(&f->tokenizer);
	free(f);
}

/* All texts at once; answers:[N, WIDTH] */
static AiCode
run(const Fixture *f, AiInput *input, float *answers, const AiHost *host, int n_threads,
	AiError *err)
{
	AiEncoderReader *reader[MAX_THREADS] = {NULL};
	AiPool	   *pool = NULL;
	AiInputs	inputs;
	AiEncoderCounts counts;
	AiCode		code = AI_OK;

	for (int i = 0; i < N; i++)
		input[i] = (AiInput) {.bytes = f->text[i], .len = strlen(f->text[i]), .code = AI_ERR_BUG};
	if (n_threads > 1)
		assert_int_equal(ai_pool_create(&pool, host, n_threads, NULL), AI_OK);
	for (int t = 0; t < n_threads && code == AI_OK; t++)
		code = ai_encoder_reader_create(&reader[t], pool == NULL ? host :
										ai_pool_thread_host(pool, t), f->encoder, err);
	if (code == AI_OK)
		code = ai_inputs_init(&inputs, input, N, host, err);
	if (code == AI_OK)
	{
		code = ai_encoder_batch_run(&inputs, f->encoder, NULL, reader, answers, &counts, n_threads,
									pool, err);
		ai_inputs_free(&inputs);
	}
	if (code == AI_OK && input[0].code == AI_OK)
	{
		assert_int_equal(counts.n_tokens, f->n_tokens);
		assert_int_equal(counts.n_truncated, f->n_truncated);
	}
	for (int t = 0; t < n_threads; t++)
		ai_encoder_reader_destroy(reader[t]);
	ai_pool_destroy(pool);
	return code == AI_OK ? input[0].code : code;
}

/* any number of threads gives each text the bits that it has alone */
static void
test_same_answers(void **state)
{
	Fixture    *f = make_fixture();
	AiInput		input[N];
	float	   *answers = calloc(N * WIDTH, sizeof(float));

	(void) state;
	for (int n_threads = 1; n_threads <= MAX_THREADS; n_threads++)
	{
		assert_int_equal(run(f, input, answers, ai_malloc_host(), n_threads, NULL), AI_OK);
		for (int i = 0; i < N; i++)
		{
			const AiInput *first = &input[input[i].same_as];

			assert_int_equal(first->code, AI_OK);
			assert_memory_equal(first->answer, f->alone[i], WIDTH * sizeof(float));
		}
	}
	free(answers);
	free_fixture(f);
}

static AiCode
run_on_host(const AiHost *host, void *arg, AiError *err)
{
	AiInput		input[N];
	float	   *answers = calloc(N * WIDTH, sizeof(float));
	AiCode		code = run(arg, input, answers, host, 1, err);

	free(answers);
	return code;
}

/* a batch that is told to stop does */
static void
test_stop(void **state)
{
	Fixture    *f = make_fixture();

	(void) state;
	test_every_stop(run_on_host, f);
	free_fixture(f);
}

/*
 * Requests
 */
#define LONG_TEXT "a b c a b c a b c a b c a b c a b c a b c a b c a b c a b c"

typedef struct Request
{
	const char *text;
	const char *pair;			/* NULL: no pair */
	AiTruncation truncation;	/* that is expected */
} Request;

/* One thread, n inputs; the error is that of the first. */
static void
run_inputs(const Fixture *f, const AiRequest *request, AiInput *input, size_t n, float *answers,
		   AiEncoderCounts *counts, AiError *err)
{
	AiEncoderReader *reader;
	AiInputs	inputs;

	assert_int_equal(ai_encoder_reader_create(&reader, ai_malloc_host(), f->encoder, NULL), AI_OK);
	assert_int_equal(ai_inputs_init(&inputs, input, n, ai_malloc_host(), NULL), AI_OK);
	assert_int_equal(ai_encoder_batch_run(&inputs, f->encoder, request, &reader, answers, counts, 1,
										  NULL, err), AI_OK);
	ai_inputs_free(&inputs);
	ai_encoder_reader_destroy(reader);
}

/* The bytes of an input */
static AiInput
join_pair(char *bytes, const Request *request)
{
	size_t		len = strlen(request->text);

	strcpy(bytes, request->text);
	if (request->pair != NULL)
		len += 1 + strlen(strcpy(bytes + len + 1, request->pair));
	return (AiInput) {.bytes = bytes, .len = len};
}

/* What tokens and encoder say, without a batch */
static void
answer_alone(const Fixture *f, float *answer, const Request *request, bool is_raw)
{
	AiTokenizerScratch *reading;
	AiEncoderScratch *scratch;
	AiTokenizeInput input = {
		request->text, strlen(request->text), request->pair,
		request->pair == NULL ? 0 : strlen(request->pair)
	};
	AiTokenizeOptions options = {
		.adds_special = true, .max_tokens = MAX_TOKENS, .truncation = request->truncation
	};
	AiTokens	tokens;
	uint32_t	first[2] = {0};

	ai_tokenizer_scratch_create(&reading, ai_malloc_host(), NULL);
	ai_encoder_scratch_create(&scratch, ai_malloc_host(), f->encoder, NULL);
	assert_int_equal(ai_tokenize(ai_encoder_tokenizer(f->encoder), reading, &input, &options,
								 &tokens, NULL), AI_OK);
	first[1] = (uint32_t) tokens.n;
	assert_int_equal(ai_encoder_run(f->encoder, scratch,
									&(AiEncoderTokens) {1, first, tokens.id, tokens.type}, is_raw,
									answer, NULL), AI_OK);
	ai_encoder_scratch_destroy(scratch);
	ai_tokenizer_scratch_destroy(reading);
}

static void
check_best(const AiInput *input)
{
	for (int i = 0; i < N_LABELS; i++)
		assert_true(input->answer[i] <= input->answer[input->best]);
}

static void
check_pairs(const char *const *labels, const Request *requests, size_t n)
{
	Fixture    *f = calloc(1, sizeof(Fixture));
	char		bytes[5][300];
	AiInput		input[5];
	float		answers[5 * N_LABELS];
	float		alone[N_LABELS];
	AiEncoderCounts counts;

	make_encoder(f, labels);
	for (int is_raw = 0; is_raw < 2; is_raw++)
	{
		AiRequest	request = {.is_pair = true, .is_raw = is_raw};

		for (size_t i = 0; i < n; i++)
			input[i] = join_pair(bytes[i], &requests[i]);
		run_inputs(f, &request, input, n, answers, &counts, NULL);
		for (size_t i = 0; i < n; i++)
		{
			if (requests[i].pair == NULL)
			{
				assert_int_equal(input[i].code, AI_ERR_DATA);
				continue;
			}
			assert_int_equal(input[i].code, AI_OK);
			answer_alone(f, alone, &requests[i], is_raw);
			assert_memory_equal(input[i].answer, alone, sizeof(alone));
			check_best(&input[i]);
		}
		assert_int_equal(counts.n_truncated, 3);
	}
	free_fixture(f);
}

/* pairs are cut where they are longer, of inference the first text while there is one */
static void
test_pairs(void **state)
{
	static const char *const colours[] = {"red", "green", "blue"};
	static const char *const inference[] = {"Contradiction", "neutral", "ENTAILMENT"};
	static const Request plain[] = {
		{"a b", "c", AI_TRUNCATE_LONGEST_FIRST}, {LONG_TEXT, "a b c", AI_TRUNCATE_LONGEST_FIRST},
		{"no pair", NULL, AI_TRUNCATE_LONGEST_FIRST},
		{"a b c", LONG_TEXT, AI_TRUNCATE_LONGEST_FIRST},
		{"c " LONG_TEXT, "a a a b b b c c c a a a", AI_TRUNCATE_LONGEST_FIRST}
	};
	static const Request cut[] = {
		{"a b", "c", AI_TRUNCATE_LONGEST_FIRST}, {LONG_TEXT, "a b c", AI_TRUNCATE_ONLY_FIRST},
		{"no pair", NULL, AI_TRUNCATE_LONGEST_FIRST},
		{"a b c", LONG_TEXT, AI_TRUNCATE_LONGEST_FIRST},
		{"c " LONG_TEXT, "a a a b b b c c c a a a", AI_TRUNCATE_ONLY_FIRST}
	};

	(void) state;
	check_pairs(colours, plain, 5);
	check_pairs(inference, cut, 5);
}

/* a batch of nothing but an empty text has its answer */
static void
test_empty(void **state)
{
	static const Request request = {"", NULL, AI_TRUNCATE_LONGEST_FIRST};
	Fixture    *f = calloc(1, sizeof(Fixture));
	AiInput		input = {.bytes = "", .len = 0, .code = AI_ERR_BUG};
	float		answer[WIDTH];
	float		alone[WIDTH];
	AiEncoderCounts counts;

	(void) state;
	make_encoder(f, NULL);
	run_inputs(f, NULL, &input, 1, answer, &counts, NULL);
	assert_int_equal(input.code, AI_OK);
	answer_alone(f, alone, &request, false);
	assert_memory_equal(input.answer, alone, sizeof(alone));
	free_fixture(f);
}

/* raw numbers are those before the last activation and the softmax */
static void
test_raw(void **state)
{
	static const char *const labels[] = {"red", "green", "blue"};
	static const Request request = {"a b c", NULL, AI_TRUNCATE_LONGEST_FIRST};
	Fixture    *f = calloc(1, sizeof(Fixture));
	float		raw[N_LABELS];
	float		answer[N_LABELS];
	double		sum = 0;

	(void) state;
	make_encoder(f, labels);
	answer_alone(f, raw, &request, true);
	answer_alone(f, answer, &request, false);
	for (int i = 0; i < N_LABELS; i++)
		sum += exp(tanh((double) raw[i]));
	for (int i = 0; i < N_LABELS; i++)
		assert_true(fabs(exp(tanh((double) raw[i])) / sum - (double) answer[i]) < 1e-6);
	free_fixture(f);
}

/* a prompt stands before each text, is counted with it, and is kept by another precision */
static void
test_prompt(void **state)
{
	static const AiRequest refusing = {.refuses_long = true};
	static const Request requests[] = {
		{"a b a b a b a b a b a b a b a b a b a b a b", NULL, 0}, {"b a", NULL, 0}, {"", NULL, 0}
	};
	static const Request whole[] = {
		{"c a a b a b a b a b a b a b a b a b a b a b a b", NULL, 0}, {"c a b a", NULL, 0},
		{"c a ", NULL, 0}
	};
	Fixture    *f = calloc(1, sizeof(Fixture));
	AiAimWriter again;
	const void *bytes;
	size_t		size;
	AiInput		input[3];
	float		answers[3 * WIDTH];
	float		alone[WIDTH];
	AiEncoderCounts counts;
	AiError		err;

	(void) state;
	f->prompt = "c a ";
	make_encoder(f, NULL);
	ai_aim_writer_init(&again, ai_malloc_host(), AI_ENCODER_KIND);
	assert_int_equal(ai_encoder_store_again(&again, &bytes, &size, f->encoder, AI_PRECISION_INT8,
											NULL), AI_OK);
	ai_encoder_close(f->encoder);
	assert_int_equal(ai_encoder_open(&f->encoder, ai_malloc_host(), bytes, size, NULL), AI_OK);
	for (int i = 0; i < 3; i++)
		input[i] = (AiInput) {.bytes = requests[i].text, .len = strlen(requests[i].text)};
	run_inputs(f, NULL, input, 3, answers, &counts, NULL);
	for (int i = 0; i < 3; i++)
	{
		answer_alone(f, alone, &whole[i], false);
		assert_int_equal(input[i].code, AI_OK);
		assert_memory_equal(input[i].answer, alone, sizeof(alone));
	}
	assert_int_equal(counts.n_truncated, 1);
	run_inputs(f, &refusing, input, 3, answers, &counts, &err);
	assert_int_equal(input[0].code, AI_ERR_LIMIT);
	assert_string_equal(err.message, "input has 26 tokens, and the model reads 24");
	ai_aim_writer_free(&again);
	free_fixture(f);
}

/* a long input is refused by the number of its tokens, and the others are computed */
static void
test_refused(void **state)
{
	static const AiRequest request = {.refuses_long = true};
	static const Request requests[] = {{LONG_TEXT, NULL, 0}, {"a b", NULL, 0}, {"c " LONG_TEXT, NULL, 0}};
	Fixture    *f = calloc(1, sizeof(Fixture));
	char		bytes[3][300];
	AiInput		input[3];
	float		answers[3 * WIDTH];
	float		alone[WIDTH];
	AiEncoderCounts counts;
	AiError		err;

	(void) state;
	make_encoder(f, NULL);
	for (int i = 0; i < 3; i++)
		input[i] = join_pair(bytes[i], &requests[i]);
	run_inputs(f, &request, input, 3, answers, &counts, &err);
	assert_int_equal(input[0].code, AI_ERR_LIMIT);
	assert_string_equal(err.message, "input has 32 tokens, and the model reads 24");
	assert_int_equal(input[2].code, AI_ERR_LIMIT);
	assert_int_equal(input[1].code, AI_OK);
	answer_alone(f, alone, &requests[1], false);
	assert_memory_equal(input[1].answer, alone, sizeof(alone));
	assert_int_equal(counts.n_truncated, 0);
	assert_int_equal(counts.n_tokens, 4);
	free_fixture(f);
}

/* the label of entailment, where labels are those of natural-language inference */
static void
test_entailment(void **state)
{
	static const struct
	{
		const char *labels[N_LABELS];
		int			found;
	}			cases[] = {
		{{"entailment", "neutral", "contradiction"}, 0},
		{{"CONTRADICTION", "ENTAILMENT", "NEUTRAL"}, 1},
		{{"not_entailment", "neutral", "entailment"}, 2},
		{{"entailment", "neutral", "other"}, -1},
		{{"entailment", "contradiction", "not_entailment"}, -1},
		{{"entailments", "neutral", "contradiction"}, -1},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		Fixture    *f = calloc(1, sizeof(Fixture));

		make_encoder(f, cases[i].labels);
		assert_int_equal(ai_encoder_find_entailment(f->encoder), cases[i].found);
		free_fixture(f);
	}
}

/*
 * The corpus of the fuzzer
 */
static void
write_encoder(const char *directory, const char *name, AiEncoderPlan *plan, const char *prompt)
{
	Fixture    *f = calloc(1, sizeof(Fixture));
	const void *bytes;
	size_t		size;
	AiBuf		file;

	f->prompt = prompt;
	store_encoder(f, plan, &bytes, &size);
	file = (AiBuf) {.data = (uint8_t *) bytes, .len = size};
	files_write(directory, name, &file);
	free_fixture(f);
}

static int
write_corpus(const char *directory)
{
	static const char *const labels[] = {"contradiction", "neutral", "entailment"};
	AiEncoderPlan plan;
	size_t		lens[N_LABELS];

	plan = plan_encoder(AI_PRECISION_INT8, 1);
	write_encoder(directory, "int8", &plan, "c a ");
	plan = plan_encoder(AI_PRECISION_BF16, 1);
	plan_classes(&plan, labels, lens);
	write_encoder(directory, "classes", &plan, NULL);
	plan = plan_encoder(AI_PRECISION_FP32, 1);
	plan.shape.n_buckets = AI_ENCODER_BUCKETS;
	plan.shape.pooling = AI_POOL_WEIGHTED;
	write_encoder(directory, "distances", &plan, NULL);
	plan = plan_encoder(AI_PRECISION_FP32, 0);
	plan.shape.n_positions = 0;
	plan.shape.skips_unknown = 1;
	write_encoder(directory, "table", &plan, NULL);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_answers),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_prompt),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_entailment),
	};

	if (argc == 3 && strcmp(argv[1], "--write-corpus") == 0)
		return write_corpus(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
