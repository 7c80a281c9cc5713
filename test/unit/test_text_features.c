/*-------------------------------------------------------------------------
 * test_text_features.c
 *		A text has the same features whatever its reader has read before.
 *
 * What is right is told by the n-grams of core/text/ngram.h, looked up and
 * counted one by one.
 *-------------------------------------------------------------------------
 */
#include "core/model/text_features.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "test_host.h"
#include "test_texts.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const AiNgramOptions usual = {2, 2, 5, true, true};
static const AiNgramOptions all = {AI_NGRAM_MAX_WORDS, 1, AI_NGRAM_MAX_CHARS, true, true};

static TestTexts texts;

static int
set_up(void **state)
{
	(void) state;
	texts = make_texts();
	return 0;
}

static int
tear_down(void **state)
{
	(void) state;
	free_texts(&texts);
	return 0;
}

/*
 * A model
 */
typedef struct Model
{
	AiTextKnown known;
	AiTextBucket *buckets;
	uint8_t    *code;
	float	   *weight;
	float		idf[AI_TEXT_N_IDF];
} Model;

typedef enum Knowledge
{
	KNOWS_TEXTS,				/* all n-grams of every second text */
	KNOWS_HALF					/* one n-gram in two, of all texts */
} Knowledge;

/* Each once */
static Ngrams
choose_ngrams(const AiNgramOptions *options, Knowledge knowledge)
{
	static uint64_t set[1 << 21];	/* by hash, 0: free */
	Ngrams		chosen = {.capacity = COUNT(set) / 2};

	memset(set, 0, sizeof(set));
	chosen.hash = malloc(chosen.capacity * sizeof(uint64_t));
	for (size_t t = 0; t < texts.n; t += knowledge == KNOWS_TEXTS ? 2 : 1)
	{
		Ngrams		ngrams = read_ngrams(options, texts.text[t].bytes, texts.text[t].len, false);

		for (size_t i = 0; i < ngrams.n; i++)
		{
			uint64_t	hash = ngrams.hash[i];
			size_t		slot = hash >> 2 & (COUNT(set) - 1);

			while (set[slot] != 0 && set[slot] != hash)
				slot = (slot + 1) & (COUNT(set) - 1);
			if (set[slot] != 0 || (knowledge == KNOWS_HALF && (hash >> 40 & 1) == 0))
				continue;
			set[slot] = hash;
			assert_true(chosen.n < chosen.capacity);
			chosen.hash[chosen.n++] = hash;
		}
		free_ngrams(&ngrams);
	}
	return chosen;
}

static Model *
make_model(const AiNgramOptions *options, Knowledge knowledge)
{
	Model	   *model = malloc(sizeof(Model));
	Ngrams		ngrams = choose_ngrams(options, knowledge);
	uint32_t	n_buckets = ai_text_n_buckets((uint32_t) ngrams.n);
	AiRng		rng = {8};

	model->buckets = aligned_alloc(64, n_buckets * sizeof(AiTextBucket));
	memset(model->buckets, 0, n_buckets * sizeof(AiTextBucket));
	ai_text_table_fill(model->buckets, n_buckets, ngrams.hash, (uint32_t) ngrams.n);
	model->code = malloc(ngrams.n + 1);
	for (size_t i = 0; i < ngrams.n; i++)
		model->code[i] = (uint8_t) ai_rng_below(&rng, 256);
	model->weight = calloc(ngrams.n + 1, sizeof(float));
	ai_text_idf_fill(model->idf, 1000);
	model->known = (AiTextKnown) {
		.options = *options, .is_closed = knowledge == KNOWS_TEXTS,
		.n_features = (int64_t) ngrams.n, .table = {model->buckets, n_buckets, (uint32_t) ngrams.n},
		.idf = {model->idf, model->code}, .weight = model->weight, .width = 1
	};
	ai_text_damping_init(&model->known.damping);
	free_ngrams(&ngrams);
	return model;
}

static void
free_model(Model *model)
{
	free(model->buckets);
	free(model->code);
	free(model->weight);
	free(model);
}

/*
 * What is right
 */
static void
alloc_features(AiTextFeatures *f, size_t n)
{
	*f = (AiTextFeatures) {
		.feature = malloc((n + 1) * sizeof(uint32_t)), .times = malloc(n + 1),
		.idf_code = malloc(n + 1), .value = malloc((n + 1) * sizeof(float)),
		.span = malloc((n + 1) * sizeof(AiNgramSpan)),
		.occurrences = malloc((n + 1) * sizeof(uint32_t))
	};
}

static void
free_features(AiTextFeatures *f)
{
	free(f->feature);
	free(f->times);
	free(f->idf_code);
	free(f->value);
	free(f->span);
	free(f->occurrences);
}

/* Those n-grams of one kind that the model knows, with where they are first */
static void
list_kind(AiTextFeatures *f, const AiTextKnown *known, const Ngrams *ngrams, AiNgramKind kind,
		  uint32_t *count)
{
	size_t		first = f->n;

	for (size_t i = 0; i < ngrams->n; i++)
	{
		uint32_t	number = ai_text_table_find(&known->table, ngrams->hash[i]);

		if (AI_NGRAM_KIND(ngrams->hash[i]) != kind || number == 0 || count[number]++ > 0)
			continue;
		f->span[f->n] = ngrams->span[i];
		f->feature[f->n++] = number - 1;
	}
	for (size_t i = first; i < f->n; i++)
	{
		f->occurrences[i] = count[f->feature[i] + 1];
		f->times[i] = (uint8_t) (f->occurrences[i] < 255 ? f->occurrences[i] : 255);
		f->idf_code[i] = known->idf.code[f->feature[i]];
	}
	f->n_of[kind] = f->n - first;
	ai_text_values(f->value + first, kind, f->times + first, f->idf_code + first,
				   f->n_of[kind], known->idf.of, &known->damping);
}

static AiTextFeatures
expect(const AiTextKnown *known, const TestText *text)
{
	Ngrams		ngrams = read_ngrams(&known->options, text->bytes, text->len, true);
	uint32_t   *count = calloc((size_t) known->n_features + 1, sizeof(uint32_t));
	AiTextFeatures f;

	alloc_features(&f, ngrams.n);
	for (int kind = 0; kind < AI_NGRAM_N_KINDS; kind++)
		list_kind(&f, known, &ngrams, kind, count);
	free(count);
	free_ngrams(&ngrams);
	return f;
}

/* of texts */
static AiTextFeatures *
expect_all(const AiTextKnown *known)
{
	AiTextFeatures *expected = malloc(texts.n * sizeof(AiTextFeatures));

	for (size_t t = 0; t < texts.n; t++)
		expected[t] = expect(known, &texts.text[t]);
	return expected;
}

static void
free_all(AiTextFeatures *expected)
{
	for (size_t t = 0; t < texts.n; t++)
		free_features(&expected[t]);
	free(expected);
}

static void
check_same(const AiTextFeatures *f, const AiTextFeatures *expected, bool with_spans)
{
	size_t		n = expected->n;

	assert_int_equal(f->n, n);
	assert_memory_equal(f->n_of, expected->n_of, sizeof(f->n_of));
	assert_memory_equal(f->feature, expected->feature, n * sizeof(uint32_t));
	assert_memory_equal(f->times, expected->times, n);
	assert_memory_equal(f->idf_code, expected->idf_code, n);
	assert_memory_equal(f->value, expected->value, n * sizeof(float));
	if (!with_spans)
		return;
	assert_memory_equal(f->occurrences, expected->occurrences, n * sizeof(uint32_t));
	for (size_t i = 0; i < n; i++)
	{
		assert_true(f->span[i].start < f->span[i].end);
		assert_true(f->span[i].start == expected->span[i].start &&
					f->span[i].end == expected->span[i].end &&
					f->span[i].at_start == expected->span[i].at_start &&
					f->span[i].at_end == expected->span[i].at_end);
	}
}

static AiTextReader *
must_create(const AiTextKnown *known, bool with_spans)
{
	AiTextReader *reader;

	assert_int_equal(ai_text_reader_create(&reader, known, ai_malloc_host(), with_spans, NULL),
					 AI_OK);
	return reader;
}

static void
check_read(AiTextReader *reader, const TestText *text, const AiTextFeatures *expected,
		   bool with_spans)
{
	const AiTextFeatures *features;

	assert_int_equal(ai_text_reader_read(reader, &features, text->bytes, text->len, NULL), AI_OK);
	check_same(features, expected, with_spans);
}

/* Read all texts in turn, from which on says first. */
static void
check_texts(AiTextReader *reader, const AiTextFeatures *expected, bool with_spans, size_t first)
{
	for (size_t i = 0; i < texts.n; i++)
	{
		size_t		t = (first + i * 7) % texts.n;

		check_read(reader, &texts.text[t], &expected[t], with_spans);
	}
}

/* A reader of its own for each text */
static void
check_fresh(const AiTextKnown *known, const AiTextFeatures *expected, bool with_spans)
{
	for (size_t t = 0; t < texts.n; t++)
	{
		AiTextReader *reader = must_create(known, with_spans);

		check_read(reader, &texts.text[t], &expected[t], with_spans);
		ai_text_reader_destroy(reader);
	}
}

/* Both ways of reading a text of its own give what is right. */
static void
check_text(const AiTextKnown *known, const TestText *text)
{
	AiTextFeatures expected = expect(known, text);

	for (int with_spans = 0; with_spans < 2; with_spans++)
	{
		AiTextReader *reader = must_create(known, with_spans);

		check_read(reader, text, &expected, with_spans);
		check_read(reader, text, &expected, with_spans);
		ai_text_reader_destroy(reader);
	}
	free_features(&expected);
}

/*
 * Tests
 */
/* words that were met before, and words that were forgotten, change nothing */
static void
test_memo_leaves_no_trace(void **state)
{
	enum
	{
		N_WORDS = 100000,		/* several times as many as are remembered */
		WORDS_PER_TEXT = 4000,
		TEXTS_PER_CHECK = 9
	};

	(void) state;
	for (int k = 0; k < 2; k++)
	{
		Model	   *model = make_model(&usual, k == 0 ? KNOWS_TEXTS : KNOWS_HALF);
		AiTextFeatures *expected = expect_all(&model->known);
		AiTextReader *reader = must_create(&model->known, false);

		check_fresh(&model->known, expected, false);
		check_texts(reader, expected, false, 0);
		for (uint32_t i = 0; i < N_WORDS / WORDS_PER_TEXT; i++)
		{
			TestText	words = make_words(i * WORDS_PER_TEXT, WORDS_PER_TEXT);
			AiTextFeatures of_words = expect(&model->known, &words);

			check_read(reader, &words, &of_words, false);
			if (i % TEXTS_PER_CHECK == 0)
				check_texts(reader, expected, false, i);
			free_features(&of_words);
			free(words.bytes);
		}
		check_texts(reader, expected, false, 1);
		ai_text_reader_destroy(reader);
		free_all(expected);
		free_model(model);
	}
}

/* with places the features are the same, and their places and numbers are right */
static void
test_spans(void **state)
{
	(void) state;
	for (int k = 0; k < 2; k++)
	{
		Model	   *model = make_model(&all, k == 0 ? KNOWS_TEXTS : KNOWS_HALF);
		AiTextFeatures *expected = expect_all(&model->known);

		for (int with_spans = 0; with_spans < 2; with_spans++)
		{
			AiTextReader *reader = must_create(&model->known, with_spans);

			check_texts(reader, expected, with_spans, 0);
			ai_text_reader_destroy(reader);
		}
		free_all(expected);
		free_model(model);
	}
}

/* how often: up to 255 for the value, and without a limit for explaining */
static void
test_times(void **state)
{
	static const uint32_t n_times[] = {1, 254, 255, 256, 300, 70000};
	Model	   *model = make_model(&(AiNgramOptions) {1, 1, 0, false, true}, KNOWS_TEXTS);

	(void) state;
	for (size_t i = 0; i < COUNT(n_times); i++)
	{
		TestText	text = make_repeated("Free ", n_times[i]);

		for (int with_spans = 0; with_spans < 2; with_spans++)
		{
			AiTextReader *reader = must_create(&model->known, with_spans);
			const AiTextFeatures *f;

			assert_int_equal(ai_text_reader_read(reader, &f, text.bytes, text.len, NULL), AI_OK);
			assert_int_equal(f->n, 1);
			assert_int_equal(f->times[0], n_times[i] < 255 ? n_times[i] : 255);
			if (with_spans)
			{
				assert_int_equal(f->occurrences[0], n_times[i]);
				assert_int_equal(f->span[0].start, 0);
				assert_int_equal(f->span[0].end, 4);
			}
			ai_text_reader_destroy(reader);
		}
		free(text.bytes);
	}
	free_model(model);
}

/* a closed model spares look-ups and nothing else */
static void
test_closed(void **state)
{
	(void) state;
	for (int word_max = 1; word_max <= AI_NGRAM_MAX_WORDS; word_max += 2)
	{
		AiNgramOptions options = {word_max, 3, 3, true, true};
		Model	   *model = make_model(&options, KNOWS_TEXTS);
		AiTextFeatures *expected = expect_all(&model->known);

		for (int is_closed = 0; is_closed < 2; is_closed++)
		{
			AiTextReader *reader;

			model->known.is_closed = is_closed;
			reader = must_create(&model->known, false);
			check_texts(reader, expected, false, 0);
			ai_text_reader_destroy(reader);
		}
		free_all(expected);
		free_model(model);
	}
}

/* The model's own entries, as core/model/text_model.h describes them */
static void
open_known(AiTextKnown *known, const void *bytes, size_t size)
{
	AiAim		aim;
	int64_t		dims[3];
	int64_t		is_closed;
	const void *data;

	assert_int_equal(ai_aim_open(&aim, bytes, size, NULL), AI_OK);
	assert_int_equal(ai_aim_i64(&aim, &is_closed, "is_closed", 0, 1, NULL), AI_OK);
	known->is_closed = is_closed != 0;
	assert_int_equal(ai_aim_array(&aim, &data, dims, "table", AI_DTYPE_U32, 3, NULL), AI_OK);
	known->table = (AiTextTable) {data, (uint32_t) dims[0], 0};
	assert_int_equal(ai_aim_array(&aim, &data, dims, "idf", AI_DTYPE_F32, 1, NULL), AI_OK);
	known->idf.of = data;
	assert_int_equal(ai_aim_array(&aim, &data, dims, "idf.code", AI_DTYPE_U8, 1, NULL), AI_OK);
	known->idf.code = data;
	known->n_features = dims[0];
	known->table.n_features = (uint32_t) dims[0];
	assert_int_equal(ai_aim_array(&aim, &data, dims, "weight", AI_DTYPE_F32, 2, NULL), AI_OK);
	known->weight = data;
	known->width = (size_t) dims[1];
	ai_text_damping_init(&known->damping);
}

/* No search goes far, whichever n-grams were left out. */
static void
check_crowding(const AiTextTable *table)
{
	uint32_t	n_full = 0;

	for (uint32_t b = 0; b < 2 * table->n_buckets; b++)
	{
		const AiTextBucket *bucket = &table->buckets[b % table->n_buckets];

		n_full = bucket->number[AI_TEXT_BUCKET_SIZE - 1] != 0 ? n_full + 1 : 0;
		assert_true(n_full < 40);
	}
}

static void
check_trained(int64_t max_features, bool is_closed)
{
	enum
	{
		N_ROWS = 40,
		WORDS_PER_ROW = 30
	};
	AiTextOptions options;
	AiTextTrainer *trainer;
	AiTextKnown known = {.options = usual};
	AiTextFeatures *expected;
	const void *bytes;
	size_t		size;

	ai_text_options_default(&options);
	options.word_ngrams = usual.word_max;
	options.char_ngrams_min = usual.char_min;
	options.char_ngrams_max = usual.char_max;
	options.max_features = max_features;
	options.l2 = 1e-3;
	assert_int_equal(ai_text_trainer_create(&trainer, ai_malloc_host(), &options, 1, SIZE_MAX,
											NULL), AI_OK);
	for (uint32_t i = 0; i < texts.n + N_ROWS; i++)
	{
		bool		is_made = i >= texts.n;
		TestText	text = is_made ? make_words(i % 16 * WORDS_PER_ROW, WORDS_PER_ROW) :
			texts.text[i];
		bool		is_validation;

		assert_int_equal(ai_text_trainer_add(trainer, &is_validation, text.bytes, text.len,
											 i % 2 ? "x" : "y", 1, NULL), AI_OK);
		if (is_made)
			free(text.bytes);
	}
	assert_int_equal(ai_text_trainer_fit(trainer, NULL), AI_OK);
	bytes = ai_text_trainer_model(trainer, &size);
	open_known(&known, bytes, size);
	assert_int_equal(known.is_closed, is_closed);
	assert_int_equal(known.n_features == max_features, !is_closed);
	check_crowding(&known.table);
	expected = expect_all(&known);
	for (int with_spans = 0; with_spans < 2; with_spans++)
		check_fresh(&known, expected, with_spans);
	free_all(expected);
	ai_text_trainer_destroy(trainer);
}

/* a model that was cut has n-grams without their parts, which are found all the same */
static void
test_trained(void **state)
{
	(void) state;
	check_trained(1024, false);
	check_trained(AI_TEXT_MAX_FEATURES, true);
}

/* every choice of kinds, and of the lengths within them */
static void
test_options(void **state)
{
	static const AiNgramOptions options[] = {
		{0, 2, 5, true, true}, {1, 2, 5, true, true}, {3, 2, 5, true, true},
		{4, 2, 5, true, true}, {5, 2, 5, true, true}, {2, 1, 1, true, true},
		{2, 1, 3, true, true}, {2, 2, 8, true, true}, {2, 1, 0, true, true},
		{2, 2, 5, false, true}, {2, 2, 5, true, false}, {5, 3, 4, false, false},
		{0, 1, 3, false, true}, {0, 1, 0, true, true}, {0, 1, 0, false, true}
	};

	(void) state;
	for (size_t o = 0; o < COUNT(options); o++)
	{
		Model	   *model = make_model(&options[o], o % 3 == 0 ? KNOWS_HALF : KNOWS_TEXTS);
		AiTextFeatures *expected = expect_all(&model->known);

		for (int with_spans = 0; with_spans < 2; with_spans++)
		{
			AiTextReader *reader = must_create(&model->known, with_spans);

			check_texts(reader, expected, with_spans, o);
			ai_text_reader_destroy(reader);
		}
		free_all(expected);
		free_model(model);
	}
}

/* tokens that have no n-grams of their own do not gather without end */
static void
test_tokens_without_ngrams(void **state)
{
	static const AiNgramOptions options[] = {
		{0, 2, 5, false, true}, {0, 1, 0, false, true}, {0, 1, 0, true, true},
		{1, 1, 1, false, true}
	};
	static const char *const tokens[] = {"a ", "A b ", "!", "\xe4\xbd\xa0", "ab! "};

	(void) state;
	for (size_t o = 0; o < COUNT(options); o++)
	{
		Model	   *model = make_model(&options[o], KNOWS_TEXTS);

		for (size_t i = 0; i < COUNT(tokens); i++)
		{
			TestText	text = make_repeated(tokens[i], 100000);

			check_text(&model->known, &text);
			free(text.bytes);
		}
		free_model(model);
	}
}

/* a model that knows nothing finds nothing */
static void
test_empty_model(void **state)
{
	static AiTextBucket buckets[2] __attribute__((aligned(64)));
	float		idf[AI_TEXT_N_IDF];
	uint8_t		code = 0;
	float		weight = 0;
	AiTextKnown known = {
		.options = usual, .is_closed = true, .table = {buckets, 2, 0}, .idf = {idf, &code},
		.weight = &weight, .width = 1
	};

	(void) state;
	ai_text_idf_fill(idf, 1);
	ai_text_damping_init(&known.damping);
	for (size_t t = 0; t < texts.n; t++)
		check_text(&known, &texts.text[t]);
}

/*
 * Failures
 */
/* One use of a reader that fails once: a reading that did is made again, and is right. */
typedef struct Trouble
{
	const Model *model;
	const AiTextFeatures *expected;
	bool		with_spans;
	TestHost	test;
} Trouble;

static AiCode
read_again(Trouble *trouble, AiTextReader *reader, size_t t)
{
	const AiTextFeatures *features;
	AiError		err = {.code = AI_OK};
	AiCode		code = ai_text_reader_read(reader, &features, texts.text[t].bytes,
									  texts.text[t].len, &err);

	if (code == AI_OK)
		check_same(features, &trouble->expected[t], trouble->with_spans);
	else
	{
		assert_int_equal(err.code, code);
		assert_true(err.message[0] != '\0');
		trouble->test.stop_at = 0;
		check_read(reader, &texts.text[t], &trouble->expected[t], trouble->with_spans);
	}
	return code;
}

/* What failed, or AI_OK when nothing did */
static AiCode
read_with_trouble(Trouble *trouble, int64_t fail_at, int64_t stop_at)
{
	enum
	{
		STEP = 10				/* so many texts are one that is read */
	};
	AiTextReader *reader;
	AiError		err = {.code = AI_OK};
	AiCode		code;

	test_host_init(&trouble->test, fail_at, stop_at);
	code = ai_text_reader_create(&reader, &trouble->model->known, &trouble->test.host,
								 trouble->with_spans, &err);
	assert_int_equal(err.code, code);
	if (code == AI_OK)
	{
		for (size_t t = (texts.n - 2) % STEP; t < texts.n; t += STEP)
		{
			AiCode		of_text = read_again(trouble, reader, t);

			if (of_text != AI_OK)
			{
				assert_int_equal(code, AI_OK);
				code = of_text;
			}
		}
		ai_text_reader_destroy(reader);
	}
	assert_int_equal(trouble->test.n_live, 0);
	return code;
}

/* whichever allocation fails, nothing is kept, and the next reading is right */
static void
test_every_allocation_fails(void **state)
{
	Model	   *model = make_model(&usual, KNOWS_TEXTS);
	AiTextFeatures *expected = expect_all(&model->known);

	(void) state;
	for (int with_spans = 0; with_spans < 2; with_spans++)
	{
		Trouble		trouble = {model, expected, with_spans, .test = {.n_allocs = 0}};
		int64_t		n_allocs;

		assert_int_equal(read_with_trouble(&trouble, 0, 0), AI_OK);
		n_allocs = trouble.test.n_allocs;
		for (int64_t n = 1; n <= n_allocs; n++)
			assert_int_equal(read_with_trouble(&trouble, n, 0), AI_ERR_NOMEM);
	}
	free_all(expected);
	free_model(model);
	ai_text_reader_destroy(NULL);
}

/* told to stop, a reader stops, and reads the next text as if nothing had been */
static void
test_stopped_anywhere(void **state)
{
	Model	   *model = make_model(&usual, KNOWS_HALF);
	AiTextFeatures *expected = expect_all(&model->known);

	(void) state;
	for (int with_spans = 0; with_spans < 2; with_spans++)
	{
		Trouble		trouble = {model, expected, with_spans, .test = {.n_allocs = 0}};
		int64_t		n_asks;

		assert_int_equal(read_with_trouble(&trouble, 0, 0), AI_OK);
		n_asks = trouble.test.n_asks;
		assert_true(n_asks > 20);
		for (int64_t n = 1; n <= n_asks; n += 1 + n_asks / 20)
			assert_int_equal(read_with_trouble(&trouble, 0, n), AI_ERR_CANCELLED);
	}
	free_all(expected);
	free_model(model);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memo_leaves_no_trace),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_trained),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_tokens_without_ngrams),
		cmocka_unit_test(test_empty_model),
		cmocka_unit_test(test_every_allocation_fails),
		cmocka_unit_test(test_stopped_anywhere),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
