/*-------------------------------------------------------------------------
 * test_text_batch.c
 *		Many texts at once have the answers that each has by itself.
 *
 * The test's host aborts when a thread of the pool calls it, so every test with
 * threads also guards that they grow nothing of the host's.
 *-------------------------------------------------------------------------
 */
#include "core/model/text_batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "test_host.h"
#include "test_texts.h"

#define N_LABELS 3
#define MAX_THREADS 4
#define N_ROWS 120				/* to learn from */
#define PATIENCE 20.0			/* seconds until a wait counts as a hang */

/*
 * A model
 */
typedef struct Model
{
	void	   *bytes;
	AiTextClassifier *classifier;
	AiTextScratch *scratch;		/* for texts one by one */
} Model;

static void
train_row(AiTextTrainer *trainer, int i)
{
	bool		is_validation;
	char		text[64];
	char		label[16];
	int			len = snprintf(text, sizeof(text), "Topic%d word%d, again %d!", i % N_LABELS,
							   i % 17, i % 5);

	snprintf(label, sizeof(label), "label %d", i % N_LABELS);
	assert_int_equal(ai_text_trainer_add(trainer, &is_validation, text, (size_t) len, label,
										 strlen(label), NULL), AI_OK);
}

static Model
make_model(void)
{
	Model		model;
	AiTextTrainer *trainer;
	AiTextOptions options;
	AiError		err;
	const void *bytes;
	size_t		size;

	ai_text_options_default(&options);
	options.min_count = 1;
	options.l2 = 0.1;
	if (ai_text_trainer_create(&trainer, ai_malloc_host(), &options, 1, SIZE_MAX, &err) != AI_OK)
		fail_msg("%s", err.message);
	for (int i = 0; i < N_ROWS; i++)
		train_row(trainer, i);
	if (ai_text_trainer_fit(trainer, &err) != AI_OK)
		fail_msg("%s", err.message);
	bytes = ai_text_trainer_model(trainer, &size);
	model.bytes = ai_host_alloc(ai_malloc_host(), size);
	memcpy(model.bytes, bytes, size);
	ai_text_trainer_destroy(trainer);
	assert_int_equal(ai_text_classifier_open(&model.classifier, ai_malloc_host(), model.bytes,
											 size, &err), AI_OK);
	assert_int_equal(ai_text_scratch_create(&model.scratch, model.classifier, ai_malloc_host(),
											&err), AI_OK);
	return model;
}

static void
free_model(Model *model)
{
	ai_text_scratch_destroy(model->scratch);
	ai_text_classifier_close(model->classifier);
	free(model->bytes);
}

/*
 * Threads, each with a scratch
 */
typedef struct Threads
{
	TestHost	test;
	AiPool	   *pool;
	AiTextScratch *scratch[MAX_THREADS];
	int			n;
} Threads;

static void
start_threads(Threads *threads, const Model *model, int n)
{
	test_host_init(&threads->test, 0, 0);
	threads->n = n;
	assert_int_equal(ai_pool_create(&threads->pool, &threads->test.host, MAX_THREADS, NULL), AI_OK);
	for (int t = 0; t < n; t++)
		assert_int_equal(ai_text_scratch_create(&threads->scratch[t], model->classifier,
												ai_pool_thread_host(threads->pool, t), NULL),
						 AI_OK);
}

static void
end_threads(Threads *threads)
{
	for (int t = 0; t < threads->n; t++)
		ai_text_scratch_destroy(threads->scratch[t]);
	ai_pool_destroy(threads->pool);
	assert_int_equal(threads->test.n_live, 0);
}

/*
 * Inputs
 */
typedef struct Inputs
{
	TestTexts	texts;
	size_t		n;
	AiInput *input;			/* [n]: each text once, then some of them again */
	double	   *probability;	/* [n, N_LABELS] */
} Inputs;

static Inputs
make_inputs(void)
{
	Inputs		inputs = {.texts = make_texts()};
	AiRng		rng = {7};

	inputs.n = 3 * inputs.texts.n;
	inputs.input = calloc(inputs.n, sizeof(AiInput));
	inputs.probability = calloc(inputs.n * N_LABELS, sizeof(double));
	for (size_t i = 0; i < inputs.n; i++)
	{
		size_t		j = i < inputs.texts.n ? i : ai_rng_below(&rng, (uint32_t) inputs.texts.n);

		inputs.input[i].bytes = inputs.texts.text[j].bytes;
		inputs.input[i].len = inputs.texts.text[j].len;
	}
	return inputs;
}

/* As if they had not been computed; probabilities are wanted of every second one. */
static void
reset_inputs(Inputs *inputs)
{
	for (size_t i = 0; i < inputs->n; i++)
	{
		inputs->input[i].probability =
			i % 2 == 0 ? inputs->probability + i * N_LABELS : NULL;
		inputs->input[i].code = AI_ERR_BUG;
		inputs->input[i].best = -1;
	}
}

static void
free_inputs(Inputs *inputs)
{
	free_texts(&inputs->texts);
	free(inputs->input);
	free(inputs->probability);
}

static void
check_answer(const Model *model, const AiInput *input, const AiInput *first)
{
	double		probability[N_LABELS];
	int			best;

	assert_true(first <= input);
	assert_int_equal(first->len, input->len);
	assert_memory_equal(first->bytes, input->bytes, input->len);
	assert_int_equal(ai_text_classifier_run(model->classifier, model->scratch, probability, &best,
											input->bytes, input->len, NULL, NULL), AI_OK);
	assert_int_equal(first->code, AI_OK);
	assert_int_equal(first->best, best);
	if (first->probability != NULL)
		assert_memory_equal(first->probability, probability, sizeof(probability));
}

static AiCode
run_batch(const Model *model, Threads *threads, AiInput *inputs, size_t n, int n_threads,
		  AiError *err)
{
	AiInputs batch;
	AiCode		code;

	AI_TRY(ai_inputs_init(&batch, inputs, n, &threads->test.host, err));
	code = ai_text_batch_run(&batch, model->classifier, threads->scratch, n_threads,
							 n_threads > 1 ? threads->pool : NULL, err);
	ai_inputs_free(&batch);
	return code;
}

/* any number of texts on any number of threads has the bits that each text has by itself */
static void
test_same_answers(void **state)
{
	static const size_t sizes[] = {1, 2, 3, 7, 64, SIZE_MAX};
	Model		model = make_model();
	Inputs		inputs = make_inputs();
	Threads		threads;

	(void) state;
	start_threads(&threads, &model, MAX_THREADS);
	for (int n_threads = 1; n_threads <= MAX_THREADS; n_threads++)
	{
		for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
		{
			size_t		n = sizes[s] < inputs.n ? sizes[s] : inputs.n;

			reset_inputs(&inputs);
			assert_int_equal(run_batch(&model, &threads, inputs.input, n, n_threads, NULL), AI_OK);
			for (size_t i = 0; i < n; i++)
				check_answer(&model, &inputs.input[i], &inputs.input[inputs.input[i].same_as]);
		}
	}
	end_threads(&threads);
	free_inputs(&inputs);
	free_model(&model);
}

/* equal texts are computed once, wherever they lie */
static void
test_distinct(void **state)
{
	static const char *const texts[] = {"a b", "", "b", "a b", "b", "", "a  b", "a b"};
	static const uint32_t same_as[] = {0, 1, 2, 0, 2, 1, 6, 0};
	enum
	{
		N = sizeof(texts) / sizeof(texts[0])
	};
	char		copies[N][8];
	AiInput inputs[N];
	AiInputs batch;

	(void) state;
	for (int i = 0; i < N; i++)
	{
		strcpy(copies[i], texts[i]);
		inputs[i] = (AiInput) {.bytes = copies[i], .len = strlen(texts[i])};
	}
	assert_int_equal(ai_inputs_init(&batch, inputs, N, ai_malloc_host(), NULL), AI_OK);
	for (int i = 0; i < N; i++)
		assert_int_equal(inputs[i].same_as, same_as[i]);
	assert_int_equal(batch.n_distinct, 4);
	assert_int_equal(batch.n_bytes, 3 + 0 + 1 + 4);
	ai_inputs_free(&batch);

	inputs[5].same_as = 77;
	assert_int_equal(ai_inputs_init(&batch, inputs + 5, 1, ai_malloc_host(), NULL), AI_OK);
	assert_int_equal(inputs[5].same_as, 0);
	assert_int_equal(batch.n_distinct, 1);
	ai_inputs_free(&batch);
}

/* a batch without memory of its own fails; a text without it fails alone */
static void
test_no_memory(void **state)
{
	Model		model = make_model();
	Inputs		inputs = make_inputs();
	Threads		threads;
	AiError		err;

	(void) state;
	for (int fail_at = 1; fail_at <= 12; fail_at++)
	{
		AiCode		code;
		size_t		n_failed = 0;

		start_threads(&threads, &model, 1);
		reset_inputs(&inputs);
		err.code = AI_OK;
		threads.test.fail_at = threads.test.n_allocs + fail_at;
		code = run_batch(&model, &threads, inputs.input, inputs.n, 1, &err);
		assert_int_equal(code, fail_at <= 2 ? AI_ERR_NOMEM : AI_OK);
		for (size_t i = 0; code == AI_OK && i < inputs.n; i++)
		{
			const AiInput *first = &inputs.input[inputs.input[i].same_as];

			n_failed += first == &inputs.input[i] && first->code == AI_ERR_NOMEM;
			if (first->code != AI_ERR_NOMEM)
				check_answer(&model, &inputs.input[i], first);
		}
		assert_int_equal(n_failed, code == AI_OK);
		assert_int_equal(err.code, code == AI_OK && inputs.input[0].code == AI_OK ? AI_OK :
						 AI_ERR_NOMEM);
		end_threads(&threads);
	}
	free_inputs(&inputs);
	free_model(&model);
}

/*
 * whenever the host says stop, the batch is cancelled, and the next one is as if nothing were;
 * with several threads a stop may come too late
 */
static void
test_cancel(void **state)
{
	Model		model = make_model();
	Inputs		inputs = make_inputs();

	(void) state;
	for (int n_threads = 1; n_threads <= MAX_THREADS; n_threads++)
	{
		for (int stop_at = 1; stop_at <= 100; stop_at += 9)
		{
			Threads		threads;
			AiError		err;
			AiCode		code;

			start_threads(&threads, &model, n_threads);
			reset_inputs(&inputs);
			threads.test.stop_at = stop_at;
			code = run_batch(&model, &threads, inputs.input, inputs.n, n_threads, &err);
			if (n_threads == 1 || threads.test.n_asks >= stop_at)
			{
				assert_int_equal(code, AI_ERR_CANCELLED);
				assert_int_equal(err.code, AI_ERR_CANCELLED);
			}
			threads.test.stop_at = 0;
			assert_int_equal(run_batch(&model, &threads, inputs.input, inputs.n, n_threads, &err),
							 AI_OK);
			for (size_t i = 0; i < inputs.n; i++)
				check_answer(&model, &inputs.input[i], &inputs.input[inputs.input[i].same_as]);
			end_threads(&threads);
		}
	}
	free_inputs(&inputs);
	free_model(&model);
}

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

/* a stop ends long texts on all threads, each in its middle */
static void
test_cancel_in_long_texts(void **state)
{
	Model		model = make_model();
	TestText	text = make_repeated("Topic1 word3, again ", 10 * 1000 * 1000);
	AiInput inputs[MAX_THREADS];
	Threads		threads;
	double		start;

	(void) state;
	start_threads(&threads, &model, MAX_THREADS);
	for (int i = 0; i < MAX_THREADS; i++)
		inputs[i] = (AiInput) {.bytes = text.bytes, .len = text.len - (size_t) i};
	threads.test.stop_at = 20;
	start = seconds();
	assert_int_equal(run_batch(&model, &threads, inputs, MAX_THREADS, MAX_THREADS, NULL),
					 AI_ERR_CANCELLED);
	assert_true(seconds() < start + PATIENCE / 4);
	assert_int_equal(ai_text_scratch_longest(threads.scratch[0]) >= text.len - MAX_THREADS, 1);
	end_threads(&threads);
	free(text.bytes);
	free_model(&model);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_answers),
		cmocka_unit_test(test_distinct),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_cancel_in_long_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
