/*-------------------------------------------------------------------------
 * test_network_trainer.c
 *		Networks learn from every kind of input and target; the bytes of a model depend on the
 *		set of rows alone; what does not fit is told.
 *-------------------------------------------------------------------------
 */
#include "core/train/network_trainer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/buf.h"
#include "core/base/rng.h"
#include "test_host.h"

enum
{
	MEMORY = 64 << 20,
	MAX_NUMBERS = 16,
	MAX_LABELS = 8
};

/* One row, with what it points to */
typedef struct Row
{
	float		numbers[MAX_NUMBERS];
	uint8_t		pixels[MAX_NUMBERS];
	char		text[200];
	char		names[MAX_LABELS][16];
	AiNetworkLabel labels[MAX_LABELS];
	float		values[MAX_LABELS];
	AiNetworkExample example;
} Row;

typedef struct Task
{
	AiNetworkFormat format;
	const char *options;
	int			n_rows;
	void		(*make) (Row *row, AiRng *rng);
	double		score;			/* at least */
	const AiNetwork *base;
} Task;

/* A file in memory */
typedef struct File
{
	AiBuf		bytes;
	int			n_reads;
} File;

static bool
append(void *ud, const void *bytes, size_t size)
{
	return ai_buf_append(&((File *) ud)->bytes, bytes, size, NULL) == AI_OK;
}

static bool
read_back(void *ud, uint64_t offset, void *bytes, size_t size)
{
	File	   *file = ud;

	file->n_reads++;
	assert_true(offset + size <= file->bytes.len);
	memcpy(bytes, file->bytes.data + offset, size);
	return true;
}

/*
 * Rows
 */
static void
set_label(Row *row, int place, const char *name)
{
	snprintf(row->names[place], sizeof(row->names[place]), "%s", name);
	row->labels[place] = (AiNetworkLabel) {row->names[place], strlen(row->names[place])};
}

static void
set_numbers(Row *row, int n)
{
	row->example.input = (AiNetworkRow) {row->numbers, (size_t) n * sizeof(float)};
	row->example.labels = row->labels;
	row->example.values = row->values;
}

/* Is a point of the plane inside of a circle? */
static void
make_point(Row *row, AiRng *rng)
{
	float		x = (float) (2 * ai_rng_uniform(rng) - 1);
	float		y = (float) (2 * ai_rng_uniform(rng) - 1);

	row->numbers[0] = 10 + 5 * x;
	row->numbers[1] = y / 100;
	set_numbers(row, 2);
	set_label(row, 0, x * x + y * y < 0.5F ? "inside" : "outside");
	row->example.n_labels = 1;
}

/* Which of four pixels is the brightest? */
static void
make_pixels(Row *row, AiRng *rng)
{
	static const char *const names[] = {"nw", "ne", "sw", "se"};
	int			best = 0;

	for (int i = 0; i < 4; i++)
	{
		row->pixels[i] = (uint8_t) ai_rng_below(rng, 256);
		best = row->pixels[i] > row->pixels[best] ? i : best;
	}
	set_numbers(row, 0);
	row->example.input = (AiNetworkRow) {row->pixels, 4};
	set_label(row, 0, names[best]);
	row->example.n_labels = 1;
}

/* "not" turns the word after it round. */
static void
make_text(Row *row, AiRng *rng)
{
	static const char *const fill[] = {"the", "Film", "was", "я", "映画", "it", "much", "too"};
	size_t		len = 0;
	bool		is_good = ai_rng_below(rng, 2);
	bool		is_turned = ai_rng_below(rng, 2);
	int			n = (int) ai_rng_below(rng, 6);

	for (int i = 0; i < n; i++)
		len += (size_t) snprintf(row->text + len, sizeof(row->text) - len, "%s ",
								 fill[ai_rng_below(rng, 8)]);
	len += (size_t) snprintf(row->text + len, sizeof(row->text) - len, "%s%s.",
							 is_turned ? "not " : "", is_good ? "good" : "bad");
	set_numbers(row, 0);
	row->example.input = (AiNetworkRow) {row->text, len};
	set_label(row, 0, is_good != is_turned ? "pos" : "neg");
	row->example.n_labels = 1;
}

/* All of three labels whose number is positive */
static void
make_set(Row *row, AiRng *rng)
{
	static const char *const names[] = {"red", "green", "blue"};
	int			n = 0;

	for (int i = 0; i < 3; i++)
	{
		row->numbers[i] = (float) (2 * ai_rng_uniform(rng) - 1);
		if (row->numbers[i] > 0)
			set_label(row, n++, names[i]);
	}
	set_numbers(row, 3);
	row->example.n_labels = (size_t) n;
}

static void
make_values(Row *row, AiRng *rng)
{
	for (int i = 0; i < 3; i++)
		row->numbers[i] = (float) (2 * ai_rng_uniform(rng) - 1);
	row->values[0] = 3 * row->numbers[0] - row->numbers[1] + 7;
	row->values[1] = row->numbers[2] / 2;
	set_numbers(row, 3);
	row->example.n_values = 2;
}

/* A label for each step: does the number fall behind the one before?  The last step has none. */
static void
make_steps(Row *row, AiRng *rng)
{
	for (int i = 0; i < 6; i++)
	{
		row->numbers[i] = (float) ai_rng_below(rng, 9);
		set_label(row, i, i > 0 && row->numbers[i] < row->numbers[i - 1] ? "down" : "up");
	}
	row->labels[5].text = NULL;
	set_numbers(row, 6);
	row->example.n_labels = 6;
}

static const Task points = {
	{AI_NETWORK_NUMBERS, 0, AI_NETWORK_CLASSES},
	"{\"layers\": [\"normalize\", {\"dense\": 16, \"activation\": \"relu\"}, {\"dense\": 2}],"
	" \"epochs\": 30, \"learning_rate\": 0.01, \"validation\": 0.2}",
	600, make_point, 0.9, NULL
};
static const Task pixels = {
	{AI_NETWORK_PIXELS, 0, AI_NETWORK_CLASSES},
	"{\"input\": [2, 2, 1], \"layers\": [\"flatten\", {\"dense\": 32, \"activation\": \"relu\"},"
	" {\"dense\": 4, \"activation\": \"softmax\"}], \"epochs\": 20, \"learning_rate\": 0.01,"
	" \"class_weight\": \"balanced\", \"label_smoothing\": 0.05}",
	1000, make_pixels, 0.9, NULL
};
static const Task texts = {
	{AI_NETWORK_WORDS, 0, AI_NETWORK_CLASSES},
	"{\"layers\": [{\"embedding\": 8}, {\"lstm\": 6}, {\"dense\": 1, \"activation\": \"sigmoid\"}],"
	" \"epochs\": 20, \"learning_rate\": 0.02}",
	400, make_text, 0.9, NULL
};
static const Task sets = {
	{AI_NETWORK_NUMBERS, 3, AI_NETWORK_LABELS},
	"{\"layers\": [{\"dense\": 16, \"activation\": \"tanh\"}, {\"dense\": 3}], \"epochs\": 20,"
	" \"learning_rate\": 0.02}",
	500, make_set, 0.95, NULL
};
static const Task values = {
	{AI_NETWORK_NUMBERS, 3, AI_NETWORK_VALUES},
	"{\"layers\": [{\"dense\": 2}], \"epochs\": 60, \"learning_rate\": 0.05,"
	" \"early_stopping\": 5}",
	500, make_values, 0.99, NULL
};
static const Task steps = {
	{AI_NETWORK_NUMBERS, 6, AI_NETWORK_STEPS},
	"{\"layers\": [{\"embedding\": 4, \"input_dim\": 9}, {\"gru\": 8, \"return_sequences\": true},"
	" {\"dense\": 2}], \"epochs\": 25, \"learning_rate\": 0.02}",
	400, make_steps, 0.9, NULL
};
static const Task *const tasks[] = {&points, &pixels, &texts, &sets, &values, &steps};

#define N_TASKS ((int) (sizeof(tasks) / sizeof(tasks[0])))

/*
 * Running
 */
static AiCode
add_rows(AiNetworkTrainer *trainer, const Task *task, int step, AiError *err)
{
	Row		   *rows = calloc((size_t) task->n_rows, sizeof(Row));
	AiRng		rng = {7};
	AiCode		code = AI_OK;

	for (int i = 0; i < task->n_rows; i++)
		task->make(&rows[i], &rng);
	for (int i = 0; i < task->n_rows && code == AI_OK; i++)
	{
		bool		is_validation;

		code = ai_network_trainer_add(trainer, &is_validation,
									  &rows[(int64_t) i * step % task->n_rows].example, err);
	}
	free(rows);
	return code;
}

static AiCode
train(AiNetworkTrainer **trainer, const AiHost *host, const Task *task, int step, int n_threads,
	  size_t memory, File *files, AiError *err)
{
	static AiSpill spills[2];
	AiCode		code;

	for (int i = 0; i < 2 && files != NULL; i++)
		spills[i] = (AiSpill) {append, read_back, &files[i]};
	code = ai_network_trainer_create(trainer, host, task->options, strlen(task->options),
									 &task->format, task->base, files != NULL ? spills : NULL,
									 n_threads, memory, err);
	if (code == AI_OK)
		code = add_rows(*trainer, task, step, err);
	return code == AI_OK ? ai_network_trainer_fit(*trainer, err) : code;
}

static void
train_well(AiNetworkTrainer **trainer, const Task *task)
{
	AiError		err;

	if (train(trainer, ai_malloc_host(), task, 1, 1, MEMORY, NULL, &err) != AI_OK)
		fail_msg("%s: %s", task->options, err.message);
}

static void
test_learning(void **state)
{
	(void) state;
	for (int i = 0; i < N_TASKS; i++)
	{
		AiNetworkTrainer *trainer;
		const AiNetworkReport *report;

		train_well(&trainer, tasks[i]);
		report = ai_network_trainer_report(trainer);
		if (!(report->validation_score >= tasks[i]->score && report->train_score <= 1))
			fail_msg("%s: %g, %g", tasks[i]->options, report->validation_score, report->train_score);
		assert_int_equal(report->n_train_rows + report->n_validation_rows, tasks[i]->n_rows);
		assert_true(report->n_validation_rows > tasks[i]->n_rows / 20);
		assert_true(report->n_epochs > 5 && report->best_epoch <= report->n_epochs);
		assert_true(report->n_weights > 0 && report->peak_memory > 1000);
		ai_network_trainer_destroy(trainer);
	}
}

/* Any order of rows, threads, and rows in a file or in memory: the same bytes */
static void
test_same_bytes(void **state)
{
	(void) state;
	for (int i = 0; i < N_TASKS; i++)
	{
		AiNetworkTrainer *one;
		AiNetworkTrainer *other;
		const void *bytes;
		size_t		size;
		size_t		other_size;
		AiError		err;
		File		files[2] = {0};

		for (int f = 0; f < 2; f++)
			ai_buf_init(&files[f].bytes, ai_malloc_host());
		train_well(&one, tasks[i]);
		bytes = ai_network_trainer_model(one, &size);
		/* not even one chunk of records fits into the memory for rows: all go to the file */
		if (train(&other, ai_malloc_host(), tasks[i], 7, 2, 1390000, files, &err) != AI_OK)
			fail_msg("%s: %s", tasks[i]->options, err.message);
		assert_true(files[1].n_reads > 0);
		assert_memory_equal(bytes, ai_network_trainer_model(other, &other_size), size);
		assert_int_equal(size, other_size);
		ai_network_trainer_destroy(one);
		ai_network_trainer_destroy(other);
		for (int f = 0; f < 2; f++)
			ai_buf_free(&files[f].bytes);
	}
}

/* What was learnt is what is stored: rows that it has not seen are answered well. */
static void
test_applying(void **state)
{
	(void) state;
	for (int i = 0; i < N_TASKS; i++)
	{
		const Task *task = tasks[i];
		AiNetworkTrainer *trainer;
		const AiNetwork *network;
		AiNetworkScratch *scratch;
		AiRng		rng = {99};
		int			n_right = 0;
		float		answer[MAX_NUMBERS];

		if (task->format.task != AI_NETWORK_CLASSES)
			continue;
		train_well(&trainer, task);
		network = ai_network_trainer_network(trainer);
		assert_int_equal(ai_network_scratch_create(&scratch, ai_malloc_host(), network, NULL),
						 AI_OK);
		for (int r = 0; r < 500; r++)
		{
			Row			row;
			size_t		len;
			int			best = 0;
			const char *label;

			memset(&row, 0, sizeof(row));
			task->make(&row, &rng);
			assert_int_equal(ai_network_check(network, &row.example.input, NULL), AI_OK);
			ai_network_apply(network, scratch, &row.example.input, 1, answer);
			for (int k = 1; k < (int) ai_network_n_answers(network); k++)
				best = answer[k] > answer[best] ? k : best;
			label = ai_network_label(network, best, &len);
			n_right += len == row.labels[0].len && memcmp(label, row.labels[0].text, len) == 0;
		}
		assert_true(n_right > 430);
		ai_network_scratch_destroy(scratch);
		ai_network_trainer_destroy(trainer);
	}
}

/* A normalize layer has the mean and variance of the rows that are learnt from. */
static void
test_normalize(void **state)
{
	AiNetworkTrainer *trainer;
	const float *states;

	(void) state;
	train_well(&trainer, &points);
	states = ai_network_parts(ai_network_trainer_network(trainer))->states;
	assert_true(fabsf(states[0] - 10) < 0.3F && fabsf(states[1]) < 0.001F);
	assert_true(fabsf(states[16] - 25 / 3.0F) < 0.6F && fabsf(states[17] - 1e-4F / 3) < 1e-5F);
	ai_network_trainer_destroy(trainer);
}

static const float *
weights_of(const AiNetwork *network, const char *layer, size_t *n)
{
	const AiGraph *graph = ai_network_graph(network);
	const AiWeight *weight =
		&graph->layers[ai_graph_find(graph, layer, strlen(layer))].layer.weight[0];

	*n = weight->size;
	return ai_network_parts(network)->weights + weight->offset;
}

/* A new head behind a frozen layer; and going on without new layers */
static void
test_base(void **state)
{
	Task		head = points;
	Task		again = texts;
	AiNetworkTrainer *base;
	AiNetworkTrainer *trainer;
	const float *one;
	const float *other;
	size_t		n;
	AiError		err;

	(void) state;
	train_well(&base, &points);
	head.base = ai_network_trainer_network(base);
	head.options = "{\"layers\": [\"normalize\", {\"dense\": 16, \"activation\": \"relu\"},"
		" {\"dense\": 8, \"name\": \"new\"}, {\"dense\": 2, \"name\": \"head\"}],"
		" \"freeze\": [\"dense\"], \"epochs\": 1}";
	train_well(&trainer, &head);
	one = weights_of(head.base, "dense", &n);
	other = weights_of(ai_network_trainer_network(trainer), "dense", &n);
	assert_int_equal(n, 32);
	assert_memory_equal(one, other, n * sizeof(float));
	ai_network_trainer_destroy(trainer);

	head.options = "{\"layers\": [{\"dense\": 2, \"name\": \"x\"}]}";
	assert_int_equal(train(&trainer, ai_malloc_host(), &head, 1, 1, MEMORY, NULL, &err),
					 AI_ERR_PARAM);
	assert_non_null(strstr(err.message, "no layer has the name"));
	ai_network_trainer_destroy(trainer);
	ai_network_trainer_destroy(base);

	train_well(&base, &texts);
	again.base = ai_network_trainer_network(base);
	again.options = "{\"epochs\": 1, \"learning_rate\": 1e-9, \"freeze\": \"embedding\"}";
	train_well(&trainer, &again);
	assert_true(fabs(ai_network_trainer_report(trainer)->validation_score -
					 ai_network_trainer_report(base)->validation_score) < 1e-9);
	ai_network_trainer_destroy(trainer);
	ai_network_trainer_destroy(base);
}

/* All rows that come from now on are held out. */
static void
test_hold_out(void **state)
{
	AiNetworkTrainer *trainer;
	Task		task = values;

	(void) state;
	task.options = "{\"layers\": [{\"dense\": 2}], \"epochs\": 1, \"validation\": 0}";
	task.n_rows = 50;
	assert_int_equal(ai_network_trainer_create(&trainer, ai_malloc_host(), task.options,
											   strlen(task.options), &task.format, NULL, NULL, 1,
											   MEMORY, NULL), AI_OK);
	assert_int_equal(add_rows(trainer, &task, 1, NULL), AI_OK);
	ai_network_trainer_hold_out(trainer);
	task.n_rows = 20;
	assert_int_equal(add_rows(trainer, &task, 1, NULL), AI_OK);
	assert_int_equal(ai_network_trainer_fit(trainer, NULL), AI_OK);
	assert_int_equal(ai_network_trainer_report(trainer)->n_train_rows, 50);
	assert_int_equal(ai_network_trainer_report(trainer)->n_validation_rows, 20);
	ai_network_trainer_destroy(trainer);
}

/* Options that have been written give the same training. */
static void
test_options(void **state)
{
	(void) state;
	for (int i = 0; i < N_TASKS; i++)
	{
		Task		task = *tasks[i];
		AiNetworkTrainer *one;
		AiNetworkTrainer *other;
		char		options[8192];
		const char *written;
		const void *bytes;
		size_t		size;
		size_t		len;

		train_well(&one, &task);
		written = ai_network_trainer_options(one, &len);
		assert_true(len < sizeof(options));
		memcpy(options, written, len);
		options[len] = '\0';
		task.options = options;
		train_well(&other, &task);
		bytes = ai_network_trainer_model(one, &size);
		assert_memory_equal(bytes, ai_network_trainer_model(other, &len), size);
		ai_network_trainer_destroy(one);
		ai_network_trainer_destroy(other);
	}
}

/*
 * Errors
 */
static void
expect_error(const Task *like, const char *options, AiCode expected, const char *message)
{
	Task		task = *like;
	AiNetworkTrainer *trainer;
	AiError		err;

	task.options = options;
	task.n_rows = 40;
	assert_int_equal(train(&trainer, ai_malloc_host(), &task, 1, 1, MEMORY, NULL, &err), expected);
	if (strstr(err.message, message) == NULL)
		fail_msg("\"%s\" instead of \"%s\"", err.message, message);
	ai_network_trainer_destroy(trainer);
}

static void
test_errors(void **state)
{
	(void) state;
	expect_error(&points, "{}", AI_ERR_PARAM, "a network needs the option \"layers\"");
	expect_error(&points, "{\"layers\": [{\"dense\": 3}]}", AI_ERR_PARAM,
				 "the shape [3], and the target 2 labels");
	expect_error(&points, "{\"layers\": [{\"dense\": 2}], \"input\": [3]}", AI_ERR_PARAM,
				 "rows have 2 numbers, and the shape of the input is [3]");
	expect_error(&points, "{\"layers\": [{\"dense\": 2, \"activation\": \"relu\"}]}", AI_ERR_PARAM,
				 "the activation of the last layer, \"dense\", does not fit the loss");
	expect_error(&points, "{\"layers\": [{\"dense\": 1}],"
				 " \"loss\": \"sparse_categorical_crossentropy\"}", AI_ERR_PARAM,
				 "needs an output for each label");
	expect_error(&points, "{\"layers\": [{\"dense\": 2}], \"freeze\": [\"x\"]}", AI_ERR_PARAM,
				 "names the layer \"x\"");
	expect_error(&points, "{\"layers\": [{\"dense\": 2}, \"normalize\"]}", AI_ERR_PARAM,
				 "cannot be adapted to the data");
	expect_error(&points, "{\"layers\": [{\"dense\": 2}], \"class_weight\": {\"x\": 2}}",
				 AI_ERR_PARAM, "names the label \"x\", which no row has");
	expect_error(&values, "{\"layers\": [{\"dense\": 1}]}", AI_ERR_PARAM, "the target 2 numbers");
	expect_error(&values, "{\"layers\": [{\"dense\": 2}], \"class_weight\": \"balanced\"}",
				 AI_ERR_PARAM, "is for targets of one label");
	expect_error(&values, "{\"layers\": [{\"dense\": 2}],"
				 " \"loss\": \"sparse_categorical_crossentropy\"}", AI_ERR_PARAM,
				 "is for targets of one label");
	expect_error(&texts, "{\"layers\": [{\"dense\": 2}]}", AI_ERR_PARAM, "needs an embedding");
	expect_error(&steps, "{\"layers\": [{\"embedding\": 2, \"input_dim\": 5}, {\"dense\": 2}]}",
				 AI_ERR_DATA, "of the input is");
	expect_error(&values, "{\"layers\": [{\"dense\": 2}], \"optimizer\": \"sgd\","
				 " \"learning_rate\": 1e9, \"epochs\": 50}", AI_ERR_DIVERGED, "");
}

/* A row that does not fit leaves nothing behind. */
static void
test_bad_rows(void **state)
{
	AiNetworkTrainer *trainer;
	AiNetworkTrainer *plain;
	Task		task = values;
	AiRng		rng = {3};
	Row			row;
	bool		is_validation;
	AiError		err;
	const void *bytes;
	size_t		size;

	(void) state;
	assert_int_equal(ai_network_trainer_create(&trainer, ai_malloc_host(), task.options,
											   strlen(task.options), &task.format, NULL, NULL, 1,
											   MEMORY, NULL), AI_OK);
	memset(&row, 0, sizeof(row));
	make_values(&row, &rng);
	row.example.input.len -= sizeof(float);
	assert_int_equal(ai_network_trainer_add(trainer, &is_validation, &row.example, &err),
					 AI_ERR_DATA);
	assert_string_equal(err.message, "the row has an input of 2 numbers instead of 3");
	make_values(&row, &rng);
	row.numbers[1] = NAN;
	assert_int_equal(ai_network_trainer_add(trainer, &is_validation, &row.example, &err),
					 AI_ERR_DATA);
	make_values(&row, &rng);
	row.values[1] = INFINITY;
	assert_int_equal(ai_network_trainer_add(trainer, &is_validation, &row.example, &err),
					 AI_ERR_DATA);
	assert_int_equal(add_rows(trainer, &task, 1, NULL), AI_OK);
	make_values(&row, &rng);
	row.example.n_values = 1;
	assert_int_equal(ai_network_trainer_add(trainer, &is_validation, &row.example, &err),
					 AI_ERR_DATA);
	assert_int_equal(ai_network_trainer_fit(trainer, NULL), AI_OK);
	train_well(&plain, &task);
	bytes = ai_network_trainer_model(trainer, &size);
	assert_memory_equal(bytes, ai_network_trainer_model(plain, &size), size);
	ai_network_trainer_destroy(plain);
	ai_network_trainer_destroy(trainer);
}

/* A whole training, for hosts that fail or stop */
static AiCode
train_little(const AiHost *host, void *arg, AiError *err)
{
	Task		task = *(const Task *) arg;
	AiNetworkTrainer *trainer;
	AiCode		code;

	task.n_rows = 30;
	code = train(&trainer, host, &task, 1, 1, MEMORY, NULL, err);
	ai_network_trainer_destroy(trainer);
	return code;
}

static void
test_interruptions(void **state)
{
	Task		task = texts;

	(void) state;
	task.options = "{\"layers\": [{\"embedding\": 4}, {\"gru\": 4}, {\"dense\": 2}], \"epochs\": 1}";
	test_every_failed_alloc(train_little, &task);
	test_every_stop(train_little, &task);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_learning),
		cmocka_unit_test(test_same_bytes),
		cmocka_unit_test(test_applying),
		cmocka_unit_test(test_normalize),
		cmocka_unit_test(test_base),
		cmocka_unit_test(test_hold_out),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_bad_rows),
		cmocka_unit_test(test_interruptions)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
