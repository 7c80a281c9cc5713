/*-------------------------------------------------------------------------
 * fit_measure.c
 *		Losses and scores, of batches and of what is held out.
 *
 * A place is a row, or a step of a row that has a target at each.  Places without one (a
 * sequence that is shorter, told by a target that is not a number) count for nothing.
 *-------------------------------------------------------------------------
 */
#include "core/train/fit_internal.h"

#include <math.h>
#include <string.h>

#include "core/model/network_batch.h"

#define TASKS_PER_ROUND 64		/* of validation, between two questions for records of a file */
#define MAX_ROUND_BYTES ((size_t) 4 << 20)	/* of such records, but for one task's */

double
ai_fit_read_target(const AiFit *fit, const void *record, float *target, float *place_weight)
{
	double		n = 0;

	fit->reader.target(fit->reader.ud, record, target);
	for (size_t i = 0; i < fit->n_places; i++, target += fit->target_size)
	{
		bool		is_there = !isnan(target[0]);

		place_weight[i] = !is_there ? 0 :
			fit->reader.weight != NULL ? fit->reader.weight(fit->reader.ud, record, i) : 1;
		for (size_t j = 0; j < fit->target_size && !is_there; j++)
			target[j] = 0;
		n += is_there;
	}
	return n;
}

static double
score_place(const AiFit *fit, const float *output, const float *target)
{
	size_t		n = fit->n_outputs;
	float		limit = fit->options.loss.from_logits ? 0 : 0.5F;
	double		sum = 0;

	if (fit->options.score == AI_SCORE_ACCURACY)
		return ai_network_best(output, n) == (fit->target_size == 1 ? (int) target[0] :
											  ai_network_best(target, n));
	for (size_t i = 0; i < n; i++)
		sum += fit->options.score == AI_SCORE_MAE ? (double) fabsf(output[i] - target[i]) :
			(output[i] > limit) == (target[i] > 0.5F);
	return sum / (double) n;
}

void
ai_fit_measure(const AiFit *fit, AiFitMeasured *measured, const float *output,
			   const float *target, const float *place_weight, int n_rows, float *d_output,
			   double scale)
{
	size_t		n = (size_t) n_rows * fit->n_places;

	measured->loss += ai_loss_run(&fit->options.loss, output, target, place_weight, n,
								  fit->n_outputs, d_output, scale);
	for (size_t i = 0; i < n; i++)
	{
		if (place_weight[i] == 0)
			continue;
		measured->score += score_place(fit, output + i * fit->n_outputs,
									   target + i * fit->target_size);
		measured->n_places++;
	}
}

/*
 * What is held out
 */

static float **
alloc_each(AiFit *fit, int n_threads, size_t n_numbers)
{
	float	  **each = ai_arena_alloc(&fit->arena, (size_t) n_threads * sizeof(float *));

	for (int t = 0; t < n_threads && each != NULL; t++)
	{
		each[t] = ai_arena_alloc(&fit->arena, AI_SHARD_ROWS * n_numbers * sizeof(float));
		if (each[t] == NULL)
			return NULL;
	}
	return each;
}

/* Tasks of a round: records of a file take memory, those that are in memory do not. */
static int64_t
round_tasks(const AiFit *fit)
{
	size_t		most = MAX_ROUND_BYTES / (AI_SHARD_ROWS * ai_samples_record_size(fit->samples));

	if (ai_samples_are_in_memory(fit->samples) || most >= TASKS_PER_ROUND)
		return TASKS_PER_ROUND;
	return most > 0 ? (int64_t) most : 1;
}

AiCode
ai_fit_prepare_validation(AiFit *fit, AiError *err)
{
	int			n_threads = ai_pool_n_threads(fit->pool);
	size_t		n_input = ai_shape_size(&fit->graph->input);
	size_t		n_records = (size_t) round_tasks(fit) * AI_SHARD_ROWS;

	if (ai_samples_n(fit->samples, true) == 0)
		return AI_OK;
	fit->applying = ai_arena_alloc_zero(&fit->arena, (size_t) n_threads, sizeof(AiRun *));
	fit->inputs = alloc_each(fit, n_threads, n_input);
	fit->held_targets = alloc_each(fit, n_threads, fit->n_places * fit->target_size);
	fit->held_weights = alloc_each(fit, n_threads, fit->n_places);
	fit->tasks = ai_arena_alloc(&fit->arena, TASKS_PER_ROUND * sizeof(AiFitMeasured));
	if (!ai_samples_are_in_memory(fit->samples))
		fit->held_records = ai_arena_alloc(&fit->arena,
										   n_records * ai_samples_record_size(fit->samples));
	if (fit->applying == NULL || fit->inputs == NULL || fit->held_targets == NULL ||
		fit->held_weights == NULL || fit->tasks == NULL ||
		(!ai_samples_are_in_memory(fit->samples) && fit->held_records == NULL))
		return ai_out_of_memory(err, AI_SHARD_ROWS * n_input * sizeof(float), "the validation");
	for (int t = 0; t < n_threads; t++)
		AI_TRY(ai_run_create(&fit->applying[t], fit->arena.host, fit->graph, AI_SHARD_ROWS, err));
	return AI_OK;
}

static const void *
held_record(const AiFit *fit, int64_t task, int row)
{
	if (fit->held_records == NULL)
		return ai_samples_get(fit->samples, true, (fit->first_task + task) * AI_SHARD_ROWS + row);
	return fit->held_records +
		(size_t) (task * AI_SHARD_ROWS + row) * ai_samples_record_size(fit->samples);
}

static void
validate_rows(void *arg, int64_t task, int thread)
{
	AiFit	   *fit = arg;
	int64_t		first = (fit->first_task + task) * AI_SHARD_ROWS;
	int64_t		n_left = ai_samples_n(fit->samples, true) - first;
	int			n_rows = (int) (n_left < AI_SHARD_ROWS ? n_left : AI_SHARD_ROWS);
	size_t		n_input = ai_shape_size(&fit->graph->input);
	const float *output;

	for (int i = 0; i < n_rows; i++)
	{
		const void *record = held_record(fit, task, i);

		fit->reader.input(fit->reader.ud, record, fit->inputs[thread] + (size_t) i * n_input);
		(void) ai_fit_read_target(fit, record, fit->held_targets[thread] +
								  (size_t) i * fit->n_places * fit->target_size,
								  fit->held_weights[thread] + (size_t) i * fit->n_places);
	}
	output = ai_run_apply(fit->applying[thread], fit->weights, fit->states, fit->inputs[thread],
						  n_rows, fit->graph->n_layers - 1);
	fit->tasks[task] = (AiFitMeasured) {0};
	ai_fit_measure(fit, &fit->tasks[task], output, fit->held_targets[thread],
				   fit->held_weights[thread], n_rows, NULL, 0);
}

static AiCode
read_round(AiFit *fit, int64_t n_tasks, AiError *err)
{
	int64_t		first = fit->first_task * AI_SHARD_ROWS;
	int64_t		n = ai_samples_n(fit->samples, true) - first;
	size_t		size = ai_samples_record_size(fit->samples);

	n = n < n_tasks * AI_SHARD_ROWS ? n : n_tasks * AI_SHARD_ROWS;
	for (int64_t i = 0; i < n; i++)
	{
		int64_t		number = first + i;

		AI_TRY(ai_samples_read(fit->samples, true, &number, 1,
							   fit->held_records + (size_t) i * size, err));
	}
	return AI_OK;
}

AiCode
ai_fit_validate(AiFit *fit, AiFitMeasured *measured, AiError *err)
{
	int64_t		n_tasks = (ai_samples_n(fit->samples, true) + AI_SHARD_ROWS - 1) / AI_SHARD_ROWS;
	int64_t		n_round = round_tasks(fit);

	*measured = (AiFitMeasured) {0};
	for (fit->first_task = 0; fit->first_task < n_tasks; fit->first_task += n_round)
	{
		int64_t		n = n_tasks - fit->first_task;

		n = n < n_round ? n : n_round;
		if (fit->held_records != NULL)
			AI_TRY(read_round(fit, n, err));
		AI_TRY(ai_pool_run(fit->pool, validate_rows, fit, n, err));
		for (int64_t i = 0; i < n; i++)
		{
			measured->loss += fit->tasks[i].loss;
			measured->score += fit->tasks[i].score;
			measured->n_places += fit->tasks[i].n_places;
		}
	}
	return AI_OK;
}
