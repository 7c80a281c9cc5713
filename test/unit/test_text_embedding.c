/*-------------------------------------------------------------------------
 * test_text_embedding.c
 *		Text classifiers that learn from embeddings, through their door.
 *
 * An embedding is made here: its direction is that of a text's number of a topic, which no
 * word of the text tells, and some noise that follows from the text.
 *
 *	test_text_embedding --write-models DIRECTORY
 *
 * writes small models for test/fuzz/fuzz_model.c.
 *-------------------------------------------------------------------------
 */
#include "core/model/text_classifier.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/hash.h"
#include "core/format/aim.h"
#include "core/model/text_batch.h"
#include "test_host.h"

#define N_DENSE 13
#define NO_LIMIT SIZE_MAX
#define N_ROWS 60
#define LABEL_SIZE 20

/* Texts "id4f2a about1", whose words say their label where words_tell, and others where not */
typedef struct Data
{
	int			n_labels;
	bool		words_tell;
	bool		embeddings_tell;
	int			first;			/* row that comes first; then the next ones, around */
} Data;

static int
make_row(char *text, size_t size, char *label, const Data *data, int i)
{
	int			k = i % data->n_labels;

	snprintf(label, LABEL_SIZE, "label %d", k);
	if (data->words_tell)
		return snprintf(text, size, "id%x about%d", (unsigned) (i * 7919), k);
	return snprintf(text, size, "id%x a%d b%d c%d d%d", (unsigned) (i * 7919),
					i / data->n_labels % 2, i / data->n_labels % 3, i / 7 % 3, i / 5 % 4);
}

/* of a text that make_row() has made: noise from its bytes, and the label if that is to be seen */
static void
make_embedding(float *x, const Data *data, const char *text, size_t len)
{
	unsigned	id = 0;

	(void) sscanf(text, "id%x", &id);
	for (int j = 0; j < N_DENSE; j++)
		x[j] = (float) (ai_hash64(text, len, (uint64_t) j) % 1000) / 1000 - 0.5f;
	if (data->embeddings_tell)
		x[(int) (id / 7919) % data->n_labels] += 0.9f;
}

static AiTextOptions
options_with(AiTextUse ngrams, AiTextUse embeddings)
{
	AiTextOptions options;

	ai_text_options_default(&options);
	options.validation = 0;
	options.char_ngrams_max = 0;
	options.word_ngrams = 1;
	options.n_dense = N_DENSE;
	options.uses_ngrams = ngrams;
	options.uses_embeddings = embeddings;
	memset(options.embedder, 0xE5, sizeof(options.embedder));
	return options;
}

typedef struct Trained
{
	void	   *bytes;
	size_t		size;
	AiTextReport report;
	int64_t		n_embedded;
} Trained;

static AiCode
add_rows(AiTextTrainer *trainer, const Data *data, int n_rows, AiError *err)
{
	for (int r = 0; r < n_rows; r++)
	{
		char		text[64];
		char		label[LABEL_SIZE];
		bool		is_validation;
		int			len = make_row(text, sizeof(text), label, data, (r + data->first) % n_rows);

		AI_TRY(ai_text_trainer_add(trainer, &is_validation, text, (size_t) len, label,
								   strlen(label), err));
	}
	return AI_OK;
}

static AiCode
embed_rows(AiTextTrainer *trainer, const Data *data, int64_t *n_embedded, AiError *err)
{
	AI_TRY(ai_text_trainer_begin_embedding(trainer, n_embedded, err));
	for (int64_t i = 0; i < *n_embedded; i++)
	{
		size_t		len;
		const char *text = ai_text_trainer_text(trainer, i, &len);
		char		copy[64];
		float		x[N_DENSE];

		memcpy(copy, text, len);
		copy[len] = '\0';
		make_embedding(x, data, copy, len);
		ai_text_trainer_set_embedding(trainer, i, x);
	}
	return AI_OK;
}

static AiCode
train(Trained *trained, const Data *data, int n_rows, const AiTextOptions *options,
	  int n_threads, size_t max_memory, const AiHost *host, AiError *err)
{
	AiTextTrainer *trainer;
	const void *bytes;
	AiCode		code;

	*trained = (Trained) {0};
	AI_TRY(ai_text_trainer_create(&trainer, host, options, n_threads, max_memory, err));
	code = add_rows(trainer, data, n_rows, err);
	if (code == AI_OK)
		code = embed_rows(trainer, data, &trained->n_embedded, err);
	if (code == AI_OK)
		code = ai_text_trainer_fit(trainer, err);
	if (code == AI_OK)
	{
		bytes = ai_text_trainer_model(trainer, &trained->size);
		assert_int_equal(posix_memalign(&trained->bytes, AI_ALIGNMENT, trained->size), 0);
		memcpy(trained->bytes, bytes, trained->size);
		trained->report = *ai_text_trainer_report(trainer);
	}
	ai_text_trainer_destroy(trainer);
	return code;
}

static Trained
must_train(const Data *data, int n_rows, const AiTextOptions *options, int n_threads)
{
	TestHost	test;
	Trained		trained;
	AiError		err;

	test_host_init(&test, 0, 0);
	if (train(&trained, data, n_rows, options, n_threads, NO_LIMIT, &test.host, &err) != AI_OK)
		fail_msg("%s (%s)", err.message, err.detail);
	assert_int_equal(test.n_live, 0);
	return trained;
}

/* Label a text; the contributions are its score. */
static int
use(const AiTextClassifier *model, const Data *data, const char *text, bool must_have_embedding)
{
	size_t		len = strlen(text);
	AiTextScratch *scratch;
	const AiTextContribution *items;
	int64_t		n_items;
	double		p[AI_TEXT_MAX_LABELS];
	float		x[N_DENSE];
	double		sum = 0;
	int			n_embeddings = 0;
	int			best;

	make_embedding(x, data, text, len);
	assert_int_equal(ai_text_scratch_create(&scratch, model, ai_malloc_host(), NULL), AI_OK);
	assert_int_equal(ai_text_classifier_run(model, scratch, p, &best, text, len, x, NULL), AI_OK);
	assert_int_equal(ai_text_classifier_explain(model, scratch, &items, &n_items, 1, text, len, x,
												NULL), AI_OK);
	for (int64_t i = 0; i < n_items; i++)
	{
		sum += items[i].contribution;
		if (strcmp(items[i].kind, "embedding") == 0)
		{
			n_embeddings++;
			assert_int_equal(items[i].feature_len, 0);
			assert_true(fabs(items[i].value - 1) < 1e-6);
		}
	}
	assert_int_equal(n_embeddings, must_have_embedding);
	if (data->n_labels == 2)
		assert_true(fabs(sum - log(p[1] / p[0])) < 1e-4 * (1 + fabs(sum)));
	ai_text_scratch_destroy(scratch);
	return best;
}

static double
accuracy(const Trained *trained, const Data *data)
{
	bool		has_embeddings = trained->report.uses_embeddings;
	AiTextClassifier *model;
	AiError		err;
	int			n_dense;
	int			n_right = 0;

	if (ai_text_classifier_open(&model, ai_malloc_host(), trained->bytes, trained->size,
								&err) != AI_OK)
		fail_msg("%s", err.message);
	assert_int_equal(ai_text_classifier_embedder(model, &n_dense) != NULL, has_embeddings);
	assert_int_equal(n_dense, has_embeddings ? N_DENSE : 0);
	for (int i = 1000; i < 1100; i++)
	{
		char		text[64];
		char		label[LABEL_SIZE];

		make_row(text, sizeof(text), label, data, i);
		n_right += use(model, data, text, has_embeddings) == i % data->n_labels;
	}
	ai_text_classifier_close(model);
	return n_right / 100.0;
}

/* it learns from embeddings alone, or with n-grams, whichever is told */
static void
test_learns(void **state)
{
	(void) state;
	for (int n_labels = 2; n_labels <= 5; n_labels++)
	{
		for (int ngrams = 0; ngrams < 2; ngrams++)
		{
			Data		data = {.n_labels = n_labels, .embeddings_tell = true};
			AiTextOptions options = options_with(ngrams ? AI_TEXT_USE_ALWAYS : AI_TEXT_USE_NEVER,
												 AI_TEXT_USE_ALWAYS);
			Trained		trained = must_train(&data, N_ROWS, &options, 1);

			assert_true(trained.report.uses_embeddings);
			assert_int_equal(trained.report.uses_ngrams, ngrams);
			assert_int_equal(trained.report.n_features > 0, ngrams);
			assert_true(accuracy(&trained, &data) > 0.85);
			free(trained.bytes);
		}
	}
}

/* what is left to choose becomes what the data say */
static void
test_chooses(void **state)
{
	static const struct
	{
		Data		data;
		AiTextUse	ngrams;
		AiTextUse	embeddings;
		bool		wants_ngrams;
		bool		wants_embeddings;
	}			cases[] = {
		{{2, true, true, 0}, AI_TEXT_USE_AUTO, AI_TEXT_USE_AUTO, true, false},
		{{3, true, false, 0}, AI_TEXT_USE_ALWAYS, AI_TEXT_USE_NEVER, true, false},
		{{2, false, true, 0}, AI_TEXT_USE_AUTO, AI_TEXT_USE_AUTO, false, true},
		{{3, false, true, 0}, AI_TEXT_USE_AUTO, AI_TEXT_USE_ALWAYS, false, true},
		{{3, true, true, 0}, AI_TEXT_USE_AUTO, AI_TEXT_USE_ALWAYS, true, true},
		{{3, true, false, 0}, AI_TEXT_USE_NEVER, AI_TEXT_USE_ALWAYS, false, true},
		{{3, false, true, 0}, AI_TEXT_USE_ALWAYS, AI_TEXT_USE_AUTO, true, true}
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		AiTextOptions options = options_with(cases[i].ngrams, cases[i].embeddings);
		Trained		trained = must_train(&cases[i].data, N_ROWS, &options, 2);

		assert_int_equal(trained.n_embedded, cases[i].embeddings == AI_TEXT_USE_NEVER ? 0 : N_ROWS);
		if (trained.report.uses_ngrams != cases[i].wants_ngrams ||
			trained.report.uses_embeddings != cases[i].wants_embeddings)
			fail_msg("case %zu: ngrams %d, embeddings %d", i, trained.report.uses_ngrams,
					 trained.report.uses_embeddings);
		if (i != 5)
			assert_true(accuracy(&trained, &cases[i].data) > 0.85);
		free(trained.bytes);
	}
}

/* with many rows for each label, embeddings that were left to choice are not asked for */
static void
test_many_rows(void **state)
{
	Data		data = {.n_labels = 2, .words_tell = true, .embeddings_tell = true};
	AiTextOptions options = options_with(AI_TEXT_USE_AUTO, AI_TEXT_USE_AUTO);
	Trained		trained = must_train(&data, 2100, &options, 2);

	(void) state;
	assert_int_equal(trained.n_embedded, 0);
	assert_true(trained.report.uses_ngrams && !trained.report.uses_embeddings);
	free(trained.bytes);
	options.uses_embeddings = AI_TEXT_USE_ALWAYS;
	trained = must_train(&data, 2100, &options, 2);
	assert_int_equal(trained.n_embedded, 2100);
	free(trained.bytes);
}

/* neither the order of rows nor the number of threads leaves a trace */
static void
test_same_bytes(void **state)
{
	(void) state;
	for (int n_labels = 2; n_labels <= 3; n_labels++)
	{
		Data		data = {.n_labels = n_labels, .words_tell = true, .embeddings_tell = true};
		AiTextOptions options = options_with(AI_TEXT_USE_AUTO, AI_TEXT_USE_AUTO);
		Trained		first = must_train(&data, N_ROWS, &options, 1);

		for (int n_threads = 1; n_threads <= 3; n_threads++)
		{
			Trained		other;

			data.first = 17 * n_threads;
			other = must_train(&data, N_ROWS, &options, n_threads);
			assert_int_equal(first.size, other.size);
			assert_memory_equal(first.bytes, other.bytes, first.size);
			free(other.bytes);
		}
		free(first.bytes);
	}
}

/* an embedding's length says nothing, and one without a direction is like none */
static void
test_unit_length(void **state)
{
	Data		data = {.n_labels = 2, .words_tell = true, .embeddings_tell = true};
	AiTextOptions options = options_with(AI_TEXT_USE_ALWAYS, AI_TEXT_USE_ALWAYS);
	Trained		trained = must_train(&data, N_ROWS, &options, 1);
	float		x[N_DENSE];
	double		p[4][2];
	AiTextClassifier *model;
	AiTextScratch *scratch;

	(void) state;
	assert_int_equal(ai_text_classifier_open(&model, ai_malloc_host(), trained.bytes,
											 trained.size, NULL), AI_OK);
	assert_int_equal(ai_text_scratch_create(&scratch, model, ai_malloc_host(), NULL), AI_OK);
	for (int i = 0; i < 4; i++)
	{
		float		factor[4] = {1, 1024, 0, INFINITY};

		make_embedding(x, &data, "id1 about0", 10);
		for (int j = 0; j < N_DENSE; j++)
			x[j] *= factor[i];
		assert_int_equal(ai_text_classifier_run(model, scratch, p[i], NULL, "id1 about0", 10, x,
												NULL), AI_OK);
		assert_true(fabs(p[i][0] + p[i][1] - 1) < 1e-12);
	}
	assert_true(p[0][0] == p[1][0] && p[2][0] == p[3][0] && p[0][0] != p[2][0]);
	ai_text_scratch_destroy(scratch);
	ai_text_classifier_close(model);
	free(trained.bytes);
}

/* of a batch, an input whose embedding failed keeps its error, and the others have theirs */
static void
test_batch(void **state)
{
	Data		data = {.n_labels = 3, .embeddings_tell = true};
	AiTextOptions options = options_with(AI_TEXT_USE_NEVER, AI_TEXT_USE_ALWAYS);
	Trained		trained = must_train(&data, N_ROWS, &options, 1);
	char		text[8][64];
	float		x[8][N_DENSE];
	AiInput		input[8] = {0};
	AiInputs	inputs;
	AiTextClassifier *model;
	AiTextScratch *scratch;

	(void) state;
	assert_int_equal(ai_text_classifier_open(&model, ai_malloc_host(), trained.bytes,
											 trained.size, NULL), AI_OK);
	assert_int_equal(ai_text_scratch_create(&scratch, model, ai_malloc_host(), NULL), AI_OK);
	for (int i = 0; i < 8; i++)
	{
		char		label[LABEL_SIZE];

		input[i].bytes = text[i];
		input[i].len = (size_t) make_row(text[i], sizeof(text[i]), label, &data, 2000 + i);
		make_embedding(x[i], &data, text[i], input[i].len);
		input[i].answer = x[i];
	}
	input[5].code = AI_ERR_NOMEM;
	input[5].best = -1;
	assert_int_equal(ai_inputs_init(&inputs, input, 8, ai_malloc_host(), NULL), AI_OK);
	assert_int_equal(ai_text_batch_run(&inputs, model, &scratch, 1, NULL, NULL), AI_OK);
	for (int i = 0; i < 8; i++)
	{
		assert_int_equal(input[i].code, i == 5 ? AI_ERR_NOMEM : AI_OK);
		assert_int_equal(input[i].best, i == 5 ? -1 : use(model, &data, text[i], true));
	}
	ai_inputs_free(&inputs);
	ai_text_scratch_destroy(scratch);
	ai_text_classifier_close(model);
	free(trained.bytes);
}

/* embeddings count where memory is limited, and before they are made */
static void
test_memory(void **state)
{
	Data		data = {.n_labels = 2, .embeddings_tell = true};
	AiTextOptions options = options_with(AI_TEXT_USE_NEVER, AI_TEXT_USE_ALWAYS);
	Trained		trained = must_train(&data, 3000, &options, 1);
	size_t		peak = trained.report.peak_memory;
	TestHost	test;
	AiError		err;

	(void) state;
	free(trained.bytes);
	test_host_init(&test, 0, 0);
	for (int part = 1; part < 10; part++)
	{
		assert_int_equal(train(&trained, &data, 3000, &options, 1, peak * (size_t) part / 10,
							   &test.host, &err), AI_ERR_LIMIT);
		assert_non_null(strstr(err.hint, "aiaas.max_train_memory"));
	}
	assert_int_equal(test.n_live, 0);
}

/* whichever allocation fails, it is an error and nothing is lost */
static void
test_every_allocation_fails(void **state)
{
	Data		data = {.n_labels = 3, .words_tell = true, .embeddings_tell = true};
	AiTextOptions options = options_with(AI_TEXT_USE_AUTO, AI_TEXT_USE_AUTO);
	AiCode		code = AI_ERR_NOMEM;

	(void) state;
	for (int n = 1; code != AI_OK; n++)
	{
		TestHost	test;
		Trained		trained;
		AiError		err;

		test_host_init(&test, n, 0);
		code = train(&trained, &data, N_ROWS, &options, 1, NO_LIMIT, &test.host, &err);
		assert_int_equal(test.n_live, 0);
		if (code == AI_OK)
			free(trained.bytes);
		else
			assert_int_equal(code, AI_ERR_NOMEM);
	}
}

/*
 * Hostile blocks
 */
static Trained
small_model(int n_labels, bool has_ngrams)
{
	Data		data = {.n_labels = n_labels, .words_tell = true, .embeddings_tell = true};
	AiTextOptions options = options_with(has_ngrams ? AI_TEXT_USE_ALWAYS : AI_TEXT_USE_NEVER,
										 AI_TEXT_USE_ALWAYS);

	return must_train(&data, 4 * n_labels, &options, 1);
}

/* Use a block as far as it lets itself be used. */
static AiCode
use_block(const void *bytes, size_t size, AiError *err)
{
	AiTextClassifier *model;
	AiTextScratch *scratch;
	const AiTextContribution *items;
	int64_t		n_items;
	double		p[AI_TEXT_MAX_LABELS];
	float	   *x;
	int			n_dense;
	int			best;

	AI_TRY(ai_text_classifier_open(&model, ai_malloc_host(), bytes, size, err));
	(void) ai_text_classifier_embedder(model, &n_dense);
	x = calloc((size_t) n_dense + 1, sizeof(float));
	x[0] = 1;
	assert_int_equal(ai_text_scratch_create(&scratch, model, ai_malloc_host(), NULL), AI_OK);
	assert_int_equal(ai_text_classifier_run(model, scratch, p, &best, "about0 id1", 10, x, NULL),
					 AI_OK);
	assert_int_equal(ai_text_classifier_explain(model, scratch, &items, &n_items, best,
												"about0 id1", 10, x, NULL), AI_OK);
	ai_text_scratch_destroy(scratch);
	ai_text_classifier_close(model);
	free(x);
	return AI_OK;
}

/* a model with a wrong bit is refused or used within its bounds */
static void
test_bit_flips(void **state)
{
	(void) state;
	for (int has_ngrams = 0; has_ngrams < 2; has_ngrams++)
	{
		Trained		trained = small_model(3, has_ngrams);
		uint8_t    *bytes = trained.bytes;
		int			n_refused = 0;

		for (size_t bit = 0; bit < 8 * trained.size; bit += bit < 8 * 2048 ? 3 : 29)
		{
			AiError		err;

			bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
			n_refused += use_block(bytes, trained.size, &err) != AI_OK;
			bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
		}
		assert_true(n_refused > 100);
		free(trained.bytes);
	}
}

/* a copy of the block without, or with other, entries of the embedding */
static AiCode
use_changed(const Trained *trained, const char *name, AiDtype dtype, int n_dims,
			const int64_t *dims, const void *data, AiError *err)
{
	AiAimWriter writer;
	AiAim		aim;
	const void *bytes;
	size_t		size;
	AiCode		code;

	assert_int_equal(ai_aim_open(&aim, trained->bytes, trained->size, NULL), AI_OK);
	ai_aim_writer_init(&writer, ai_malloc_host(), AI_TEXT_CLASSIFIER_KIND);
	for (int64_t i = 0; i < aim.n_entries; i++)
	{
		AiAimEntry	entry = ai_aim_entry(&aim, i);

		if (strcmp(entry.name, name) != 0)
			assert_int_equal(ai_aim_add(&writer, entry.name, entry.dtype, entry.data,
										entry.n_dims, entry.dims, NULL), AI_OK);
		else if (data != NULL)
			assert_int_equal(ai_aim_add(&writer, name, dtype, data, n_dims, dims, NULL), AI_OK);
	}
	assert_int_equal(ai_aim_finish(&writer, &bytes, &size, NULL), AI_OK);
	code = use_block(bytes, size, err);
	ai_aim_writer_free(&writer);
	return code;
}

/* what says nothing of an embedder, or another thing than it must, is refused */
static void
test_wrong_entries(void **state)
{
	Trained		trained = small_model(2, true);
	float		numbers[64] = {0};
	AiError		err;

	(void) state;
	assert_int_equal(use_changed(&trained, "none", AI_DTYPE_U8, 0, NULL, NULL, &err), AI_OK);
	assert_int_equal(use_changed(&trained, "embedder.hash", AI_DTYPE_U8, 0, NULL, NULL, &err),
					 AI_ERR_FORMAT);
	assert_int_equal(use_changed(&trained, "embedder.hash", AI_DTYPE_U8, 1, (int64_t[]) {31},
								 numbers, &err), AI_ERR_FORMAT);
	assert_int_equal(use_changed(&trained, "dense.weight", AI_DTYPE_F32, 0, NULL, NULL, &err),
					 AI_ERR_FORMAT);
	assert_int_equal(use_changed(&trained, "dense.weight", AI_DTYPE_F32, 2, (int64_t[]) {5, 1},
								 numbers, &err), AI_OK);
	assert_int_equal(use_changed(&trained, "dense.weight", AI_DTYPE_F32, 2, (int64_t[]) {5, 2},
								 numbers, &err), AI_ERR_FORMAT);
	assert_int_equal(use_changed(&trained, "dense.weight", AI_DTYPE_F32, 2, (int64_t[]) {0, 1},
								 numbers, &err), AI_ERR_FORMAT);
	assert_string_equal(err.message, "invalid text model: \"dense.weight\" has a wrong size");
	numbers[3] = INFINITY;
	assert_int_equal(use_changed(&trained, "dense.weight", AI_DTYPE_F32, 2, (int64_t[]) {5, 1},
								 numbers, &err), AI_ERR_FORMAT);
	free(trained.bytes);
}

static int
write_models(const char *directory)
{
	bool		is_written = true;

	for (int has_ngrams = 0; has_ngrams < 2; has_ngrams++)
	{
		Trained		trained = small_model(2 + has_ngrams, has_ngrams);
		char		path[1024];
		FILE	   *file;

		snprintf(path, sizeof(path), "%s/embedding_%d", directory, has_ngrams);
		file = fopen(path, "wb");
		is_written = is_written && file != NULL &&
			fwrite(trained.bytes, 1, trained.size, file) == trained.size;
		if (file != NULL && fclose(file) != 0)
			is_written = false;
		free(trained.bytes);
	}
	return is_written ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_learns),
		cmocka_unit_test(test_chooses),
		cmocka_unit_test(test_many_rows),
		cmocka_unit_test(test_same_bytes),
		cmocka_unit_test(test_unit_length),
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_every_allocation_fails),
		cmocka_unit_test(test_bit_flips),
		cmocka_unit_test(test_wrong_entries)
	};

	if (argc == 3 && strcmp(argv[1], "--write-models") == 0)
		return write_models(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
