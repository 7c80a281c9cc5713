/*-------------------------------------------------------------------------
 * network_measure.c
 *		Answers to samples, and metrics of them.
 *
 * Rounds of shards are answered on the pool's threads; what is added up is added by the main
 * thread, row by row in their order.
 *-------------------------------------------------------------------------
 */
#include "core/train/network_measure.h"

#include <math.h>
#include <string.h>

#include "core/graph/run.h"
#include "core/model/network_batch.h"

#define MAX_ROUND_ROWS ((int64_t) 4096)
#define MAX_ROUND_NUMBERS ((size_t) 1 << 20)	/* of answers and of records, but for one shard's */
#define MAX_PROBABILITIES ((size_t) 1 << 23)	/* that are kept for log loss and others */

typedef struct Measuring
{
	AiNetworkMeasure *measure;
	AiArena		arena;
	AiFitReader reader;
	int64_t		n_rows;
	int			n_threads;
	AiRun	  **runs;			/* [n_threads] */
	float	  **inputs;			/* [n_threads][AI_SHARD_ROWS, n_inputs] */
	size_t		n_inputs;
	size_t		n_outputs;		/* numbers of a place */
	size_t		n_places;

	/* A round */
	int64_t		first;
	int64_t		n_round;
	int64_t		max_round;
	uint8_t    *records;		/* from the file; NULL: all are in memory */
	float	   *answers;		/* [max_round, n_places, n_outputs] */

	/* Classes and steps: places with a label */
	int64_t		n;
	int32_t    *truth;
	int32_t    *predicted;
	double	   *probability;	/* [n, n_labels], or NULL */

	/* Sets of labels: [n_labels] */
	int64_t    *n_both;
	int64_t    *n_truth;
	int64_t    *n_predicted;

	/* Values: [n_outputs of all places] */
	float	   *target;
	double	   *mean;
	double	   *squares;		/* of targets, from their mean */
	double	   *errors;			/* squared */
} Measuring;

/*
 * Answers
 */
static const void *
record_of(const Measuring *m, int64_t row)
{
	const AiSamples *samples = m->measure->rows->samples;

	if (m->records != NULL)
		return m->records + (size_t) (row - m->first) * ai_samples_record_size(samples);
	return ai_samples_get(samples, m->measure->is_validation, row);
}

static void
answer_shard(void *arg, int64_t task, int thread)
{
	Measuring  *m = arg;
	const AiNetworkMeasure *measure = m->measure;
	int64_t		from = task * AI_SHARD_ROWS;
	int			n = (int) (m->n_round - from < AI_SHARD_ROWS ? m->n_round - from : AI_SHARD_ROWS);
	size_t		size = m->n_places * m->n_outputs;
	float	   *answers = m->answers + (size_t) from * size;
	const float *output;

	for (int i = 0; i < n; i++)
		m->reader.input(m->reader.ud, record_of(m, m->first + from + i),
						m->inputs[thread] + (size_t) i * m->n_inputs);
	output = ai_run_apply(m->runs[thread], measure->weights, measure->states, m->inputs[thread],
						  n, measure->graph->n_layers - 1);
	if (measure->head->activation == AI_ACT_SOFTMAX)
		ai_kernels()->softmax(answers, output, (size_t) n * m->n_places, m->n_outputs);
	else
		ai_kernels()->activate(answers, output, (size_t) n * size, measure->head->activation);
}

static AiCode
answer_round(Measuring *m, AiError *err)
{
	const AiSamples *samples = m->measure->rows->samples;
	int64_t		left = m->n_rows - m->first;

	m->n_round = left < m->max_round ? left : m->max_round;
	for (int64_t i = 0; i < m->n_round && m->records != NULL; i++)
	{
		int64_t		number = m->first + i;

		AI_TRY(ai_samples_read(samples, m->measure->is_validation, &number, 1, m->records +
							   (size_t) i * ai_samples_record_size(samples), err));
	}
	return ai_pool_run(m->measure->pool, answer_shard, m,
					   (m->n_round + AI_SHARD_ROWS - 1) / AI_SHARD_ROWS, err);
}

/*
 * Adding up
 */
static int
predict(const float *answer, size_t n)
{
	return n == 1 ? answer[0] > 0.5F : ai_network_best(answer, n);
}

static void
keep_probabilities(Measuring *m, const float *answer)
{
	size_t		n_labels = (size_t) m->measure->rows->labels.n;
	double	   *to = m->probability + (size_t) m->n * n_labels;

	if (m->n_outputs == 1)
	{
		to[0] = 1 - (double) answer[0];
		to[1] = (double) answer[0];
		return;
	}
	for (size_t i = 0; i < n_labels; i++)
		to[i] = (double) answer[i];
}

static void
add_places(Measuring *m, const void *record, const float *answer)
{
	for (size_t i = 0; i < m->n_places; i++, answer += m->n_outputs)
	{
		int			truth = ai_network_rows_label(m->measure->rows, record, i);

		if (truth < 0)
			continue;
		m->truth[m->n] = truth;
		m->predicted[m->n] = predict(answer, m->n_outputs);
		if (m->probability != NULL)
			keep_probabilities(m, answer);
		m->n++;
	}
}

static void
add_labels(Measuring *m, const void *record, const float *answer)
{
	m->reader.target(m->reader.ud, record, m->target);
	for (size_t i = 0; i < m->n_outputs; i++)
	{
		bool		is_there = m->target[i] > 0.5F;
		bool		is_said = answer[i] >= 0.5F;

		m->n_truth[i] += is_there;
		m->n_predicted[i] += is_said;
		m->n_both[i] += is_there && is_said;
	}
}

static void
add_values(Measuring *m, const void *record, const float *answer)
{
	m->reader.target(m->reader.ud, record, m->target);
	for (size_t i = 0; i < m->n_places * m->n_outputs; i++)
	{
		double		from_mean = (double) m->target[i] - m->mean[i];
		double		error = (double) m->target[i] - (double) answer[i];

		m->squares[i] += from_mean * from_mean;
		m->errors[i] += error * error;
	}
}

static void
add_round(Measuring *m)
{
	AiNetworkTask task = m->measure->rows->format.task;

	for (int64_t i = 0; i < m->n_round; i++)
	{
		const void *record = record_of(m, m->first + i);
		const float *answer = m->answers + (size_t) i * m->n_places * m->n_outputs;

		if (task == AI_NETWORK_VALUES)
			add_values(m, record, answer);
		else if (task == AI_NETWORK_LABELS)
			add_labels(m, record, answer);
		else
			add_places(m, record, answer);
	}
}

/* A pass over the targets before the others, since squares are from the mean */
static AiCode
find_means(Measuring *m, AiError *err)
{
	size_t		n = m->n_places * m->n_outputs;
	uint8_t    *record = m->records;
	const AiSamples *samples = m->measure->rows->samples;

	for (int64_t i = 0; i < m->n_rows; i++)
	{
		if (i % MAX_ROUND_ROWS == 0 && ai_host_should_stop(m->arena.host))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		if (record != NULL)
			AI_TRY(ai_samples_read(samples, m->measure->is_validation, &i, 1, record, err));
		m->reader.target(m->reader.ud, record != NULL ? record :
						 ai_samples_get(samples, m->measure->is_validation, i), m->target);
		for (size_t j = 0; j < n; j++)
			m->mean[j] += ((double) m->target[j] - m->mean[j]) / (double) (i + 1);
	}
	return AI_OK;
}

/*
 * Memory
 */
static AiCode
prepare_runs(Measuring *m, AiError *err)
{
	const AiNetworkMeasure *measure = m->measure;
	const AiShape *output = &ai_graph_last(measure->graph)->output;

	m->n_outputs = (size_t) ai_shape_last(output);
	m->n_places = ai_shape_size(output) / m->n_outputs;
	m->n_inputs = ai_shape_size(&measure->graph->input);
	m->n_threads = ai_pool_n_threads(measure->pool);
	m->runs = ai_arena_alloc_zero(&m->arena, (size_t) m->n_threads, sizeof(AiRun *));
	m->inputs = ai_arena_alloc_zero(&m->arena, (size_t) m->n_threads, sizeof(float *));
	if (m->runs == NULL || m->inputs == NULL)
		return ai_out_of_memory(err, 0, "measuring");
	for (int t = 0; t < m->n_threads; t++)
	{
		m->inputs[t] = ai_arena_alloc(&m->arena, AI_SHARD_ROWS * m->n_inputs * sizeof(float));
		if (m->inputs[t] == NULL)
			return ai_out_of_memory(err, AI_SHARD_ROWS * m->n_inputs * sizeof(float), "measuring");
		AI_TRY(ai_run_create(&m->runs[t], m->arena.host, measure->graph, AI_SHARD_ROWS, err));
	}
	return AI_OK;
}

static AiCode
prepare_round(Measuring *m, AiError *err)
{
	const AiSamples *samples = m->measure->rows->samples;
	size_t		row = m->n_places * m->n_outputs;
	size_t		kept = ai_samples_are_in_memory(samples) ? 0 :
		ai_samples_record_size(samples) / sizeof(float);
	size_t		most = MAX_ROUND_NUMBERS / (row + kept) / AI_SHARD_ROWS;

	m->max_round = most < 1 ? AI_SHARD_ROWS : (int64_t) most * AI_SHARD_ROWS;
	m->max_round = m->max_round < MAX_ROUND_ROWS ? m->max_round : MAX_ROUND_ROWS;
	m->answers = ai_arena_alloc(&m->arena, (size_t) m->max_round * row * sizeof(float));
	m->target = ai_arena_alloc(&m->arena, row * sizeof(float));
	if (!ai_samples_are_in_memory(samples))
		m->records = ai_arena_alloc(&m->arena, (size_t) m->max_round *
									ai_samples_record_size(samples));
	if (m->answers == NULL || m->target == NULL ||
		(!ai_samples_are_in_memory(samples) && m->records == NULL))
		return ai_out_of_memory(err, (size_t) m->max_round * row * sizeof(float), "measuring");
	return AI_OK;
}

static AiCode
prepare_sums(Measuring *m, AiError *err)
{
	AiNetworkTask task = m->measure->rows->format.task;
	size_t		n_labels = (size_t) m->measure->rows->labels.n;
	size_t		n = (size_t) m->n_rows * m->n_places;
	size_t		row = m->n_places * m->n_outputs;

	if (task == AI_NETWORK_VALUES)
	{
		m->mean = ai_arena_alloc_zero(&m->arena, row, sizeof(double));
		m->squares = ai_arena_alloc_zero(&m->arena, row, sizeof(double));
		m->errors = ai_arena_alloc_zero(&m->arena, row, sizeof(double));
		if (m->mean == NULL || m->squares == NULL || m->errors == NULL)
			return ai_out_of_memory(err, row * sizeof(double), "measuring");
		return AI_OK;
	}
	m->n_both = ai_arena_alloc_zero(&m->arena, n_labels, sizeof(int64_t));
	m->n_truth = ai_arena_alloc_zero(&m->arena, n_labels, sizeof(int64_t));
	m->n_predicted = ai_arena_alloc_zero(&m->arena, n_labels, sizeof(int64_t));
	m->truth = ai_arena_alloc(&m->arena, n * sizeof(int32_t));
	m->predicted = ai_arena_alloc(&m->arena, n * sizeof(int32_t));
	if (m->n_both == NULL || m->n_truth == NULL || m->n_predicted == NULL || m->truth == NULL ||
		m->predicted == NULL)
		return ai_out_of_memory(err, n * sizeof(int32_t), "measuring");
	if (m->measure->head->activation == AI_ACT_LINEAR || n * n_labels > MAX_PROBABILITIES)
		return AI_OK;
	m->probability = ai_arena_alloc(&m->arena, n * n_labels * sizeof(double));
	return m->probability != NULL ? AI_OK :
		ai_out_of_memory(err, n * n_labels * sizeof(double), "measuring");
}

/*
 * The score
 */
static double
macro_f1(const Measuring *m)
{
	double		sum = 0;

	for (size_t i = 0; i < m->n_outputs; i++)
	{
		int64_t		n = m->n_truth[i] + m->n_predicted[i];

		sum += n > 0 ? 2 * (double) m->n_both[i] / (double) n : 0;
	}
	return sum / (double) m->n_outputs;
}

/* Of an output that is always the same: 1 if every answer is right, as scikit-learn has it */
static double
r2(const Measuring *m)
{
	size_t		n = m->n_places * m->n_outputs;
	double		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += m->squares[i] > 0 ? 1 - m->errors[i] / m->squares[i] : m->errors[i] == 0;
	return sum / (double) n;
}

static AiCode
finish(Measuring *m, AiError *err)
{
	AiNetworkMeasure *measure = m->measure;
	AiNetworkTask task = measure->rows->format.task;

	if (task == AI_NETWORK_VALUES)
		measure->score = m->n_rows > 1 ? r2(m) : (double) NAN;
	else if (task == AI_NETWORK_LABELS)
		measure->score = macro_f1(m);
	else
	{
		AI_TRY(ai_metrics_classify(&measure->classes, NULL, m->truth, m->predicted, m->probability,
								   m->n, measure->rows->labels.n, m->arena.host, err));
		measure->score = measure->classes.macro.f1;
	}
	return AI_OK;
}

static AiCode
run(Measuring *m, AiError *err)
{
	AI_TRY(prepare_runs(m, err));
	AI_TRY(prepare_round(m, err));
	AI_TRY(prepare_sums(m, err));
	if (m->mean != NULL)
		AI_TRY(find_means(m, err));
	for (m->first = 0; m->first < m->n_rows; m->first += m->n_round)
	{
		AI_TRY(answer_round(m, err));
		add_round(m);
	}
	return finish(m, err);
}

AiCode
ai_network_measure(AiNetworkMeasure *measure, const AiHost *host, AiError *err)
{
	Measuring	m = {.measure = measure, .reader = ai_network_rows_reader(measure->rows)};
	AiCode		code;

	measure->score = (double) NAN;
	measure->classes = (AiClassMetrics) {0};
	m.n_rows = ai_samples_n(measure->rows->samples, measure->is_validation);
	m.n_rows = m.n_rows < measure->max_rows ? m.n_rows : measure->max_rows;
	if (m.n_rows == 0)
		return AI_OK;
	ai_arena_init(&m.arena, host);
	code = run(&m, err);
	for (int t = 0; m.runs != NULL && t < m.n_threads; t++)
		ai_run_destroy(m.runs[t]);
	ai_arena_free(&m.arena);
	return code;
}
