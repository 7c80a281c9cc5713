/*-------------------------------------------------------------------------
 * fit.c
 *		Epochs of steps: a batch, its gradients, an update.
 *-------------------------------------------------------------------------
 */
#include "core/train/fit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/train/fit_internal.h"

/* Streams of random numbers that follow from the seed */
#define ORDER_STREAM UINT64_C(0x6F72646572)
#define STEP_STREAM UINT64_C(0x73746570)

#define MAX_AHEAD ((size_t) 256 * 1024)	/* bytes of the next batch that are fetched */
#define CACHE_LINE 64

static uint64_t
stream(const AiFit *fit, uint64_t name, uint64_t number)
{
	AiRng		rng = {fit->options.seed ^ name << 20};

	rng.state = ai_rng_next(&rng) + number;
	return ai_rng_next(&rng);
}

/*
 * Making
 */

static void
take_shapes(AiFit *fit)
{
	const AiShape *output = &ai_graph_last(fit->graph)->output;

	fit->n_outputs = (size_t) ai_shape_last(output);
	fit->n_places = ai_shape_size(output) / fit->n_outputs;
	fit->target_size = ai_loss_target_size(&fit->options.loss, fit->n_outputs);
}

static AiCode
prepare_batches(AiFit *fit, AiError *err)
{
	int64_t		n_rows = ai_samples_n(fit->samples, false);
	size_t		n = (size_t) fit->options.batch_size;
	size_t		n_targets = fit->n_places * fit->target_size;

	if (n_rows == 0)
		return ai_fail(err, AI_ERR_DATA, "there are no rows to learn from");
	if (n_rows > UINT32_MAX)
		return ai_fail(err, AI_ERR_LIMIT, "there are more than %u rows to learn from", UINT32_MAX);
	n = n < (size_t) n_rows ? n : (size_t) n_rows;
	fit->batches = (AiBatches) {
		.n_rows = (uint32_t) n_rows,
		.batch_rows = (uint32_t) n,
		.order = ai_arena_alloc(&fit->arena, (size_t) n_rows * sizeof(uint32_t))
	};
	fit->records = ai_arena_alloc(&fit->arena, n * sizeof(void *));
	fit->targets = ai_arena_alloc(&fit->arena, n * n_targets * sizeof(float));
	fit->place_weights = ai_arena_alloc(&fit->arena, n * fit->n_places * sizeof(float));
	if (!ai_samples_are_in_memory(fit->samples))
		fit->record_buffer = ai_arena_alloc(&fit->arena, n * ai_samples_record_size(fit->samples));
	if (fit->batches.order == NULL || fit->records == NULL || fit->targets == NULL ||
		fit->place_weights == NULL ||
		(!ai_samples_are_in_memory(fit->samples) && fit->record_buffer == NULL))
		return ai_out_of_memory(err, (size_t) n_rows * sizeof(uint32_t), "the order of rows");
	return ai_run_create_training(&fit->run, fit->arena.host, fit->graph, fit->pool, (int64_t) n,
								  err);
}

static AiCode
prepare_history(AiFit *fit, AiError *err)
{
	const AiGraph *graph = fit->graph;

	fit->epochs = ai_arena_alloc_zero(&fit->arena, (size_t) fit->options.epochs, sizeof(AiEpoch));
	if (fit->options.restores_best)
	{
		fit->best_weights = ai_arena_alloc(&fit->arena, graph->n_weights * sizeof(float) + 1);
		fit->best_states = ai_arena_alloc(&fit->arena, graph->n_states * sizeof(float) + 1);
	}
	if (fit->epochs == NULL ||
		(fit->options.restores_best && (fit->best_weights == NULL || fit->best_states == NULL)))
		return ai_out_of_memory(err, graph->n_weights * sizeof(float), "the best weights");
	return AI_OK;
}

size_t
ai_fit_memory(const AiFit *fit)
{
	size_t		used = fit->arena.total + ai_run_memory(fit->run);

	for (int t = 0; fit->applying != NULL && t < ai_pool_n_threads(fit->pool); t++)
		used += ai_run_memory(fit->applying[t]);
	return used;
}

static AiCode
check_memory(const AiFit *fit, size_t max_memory, AiError *err)
{
	size_t		used = ai_fit_memory(fit);

	if (used <= max_memory)
		return AI_OK;
	ai_fail(err, AI_ERR_LIMIT, "training this network needs %zu MB", (used >> 20) + 1);
	ai_detail(err, "%zu MB are left beside the rows.", max_memory >> 20);
	ai_hint(err, "Raise aiaas.max_train_memory, or make the network or the batches smaller.");
	return AI_ERR_LIMIT;
}

static AiCode
prepare(AiFit *fit, size_t max_memory, AiError *err)
{
	take_shapes(fit);
	AI_TRY(prepare_batches(fit, err));
	AI_TRY(ai_fit_prepare_updates(fit, err));
	AI_TRY(ai_fit_prepare_validation(fit, err));
	AI_TRY(prepare_history(fit, err));
	return check_memory(fit, max_memory, err);
}

AiCode
ai_fit_create(AiFit **result, const AiHost *host, AiPool *pool, const AiGraph *graph,
			  const AiFitOptions *options, const AiSamples *samples, const AiFitReader *reader,
			  float *weights, float *states, size_t max_memory, AiError *err)
{
	AiFit	   *fit = ai_host_alloc(host, sizeof(AiFit));
	AiCode		code;

	*result = NULL;
	if (fit == NULL)
		return ai_out_of_memory(err, sizeof(AiFit), "a training");
	memset(fit, 0, sizeof(*fit));
	ai_arena_init(&fit->arena, host);
	ai_tracker_init(&fit->tracker);
	fit->graph = graph;
	fit->pool = pool;
	fit->options = *options;
	fit->samples = samples;
	fit->reader = *reader;
	fit->weights = weights;
	fit->states = states;
	fit->rate = options->optimiser.learning_rate;
	code = prepare(fit, max_memory, err);
	if (code == AI_OK)
		*result = fit;
	else
		ai_fit_destroy(fit);
	return code;
}

void
ai_fit_destroy(AiFit *fit)
{
	const AiHost *host;

	if (fit == NULL)
		return;
	host = fit->arena.host;
	ai_run_destroy(fit->run);
	for (int t = 0; fit->applying != NULL && t < ai_pool_n_threads(fit->pool); t++)
		ai_run_destroy(fit->applying[t]);
	ai_arena_free(&fit->arena);
	ai_host_release(host, fit);
}

/*
 * A step
 */

static AiCode
find_records(AiFit *fit, int64_t batch, AiError *err)
{
	uint32_t	n = ai_batch_rows(&fit->batches, batch);
	size_t		size = ai_samples_record_size(fit->samples);

	fit->batch_places = 0;
	for (uint32_t i = 0; i < n; i++)
	{
		int64_t		number = ai_batch_row(&fit->batches, batch, i);

		if (fit->record_buffer == NULL)
			fit->records[i] = ai_samples_get(fit->samples, false, number);
		else
		{
			fit->records[i] = fit->record_buffer + i * size;
			AI_TRY(ai_samples_read(fit->samples, false, &number, 1, fit->record_buffer + i * size,
								   err));
		}
		fit->batch_places += ai_fit_read_target(fit, fit->records[i],
												fit->targets + i * fit->n_places * fit->target_size,
												fit->place_weights + i * fit->n_places);
	}
	return AI_OK;
}

/* Rows of a batch lie anywhere in memory; what is asked for now is there when it is needed. */
static void
fetch_ahead(const AiFit *fit, int64_t batch)
{
	size_t		size = ai_samples_record_size(fit->samples);
	uint32_t	n = ai_batch_rows(&fit->batches, batch);

	if (fit->record_buffer != NULL || size * n > MAX_AHEAD)
		return;
	for (uint32_t i = 0; i < n; i++)
	{
		const char *record = ai_samples_get(fit->samples, false,
											ai_batch_row(&fit->batches, batch, i));

		for (size_t at = 0; at < size; at += CACHE_LINE)
			__builtin_prefetch(record + at, 0, 2);
		__builtin_prefetch(record + size - 1, 0, 2);
	}
}

static void
load_rows(void *arg, int lane, int64_t first_row, int n_rows, float *input)
{
	const AiFit *fit = arg;
	size_t		n = ai_shape_size(&fit->graph->input);

	(void) lane;
	for (int i = 0; i < n_rows; i++)
		fit->reader.input(fit->reader.ud, fit->records[first_row + i], input + (size_t) i * n);
}

static double
measure_rows(void *arg, int lane, int64_t first_row, int n_rows, const float *output,
			 const uint8_t *mask, float *d_output)
{
	AiFit	   *fit = arg;
	AiFitMeasured *measured = &fit->lanes[lane];
	size_t		first = (size_t) first_row * fit->n_places;
	double		before = measured->loss;

	(void) mask;
	ai_fit_measure(fit, measured, output, fit->targets + first * fit->target_size,
				   fit->place_weights + first, n_rows, d_output,
				   fit->batch_places > 0 ? 1 / fit->batch_places : 0);
	return measured->loss - before;
}

static AiCode
diverged(int epoch, int64_t step, double loss, AiError *err)
{
	ai_fail(err, AI_ERR_DIVERGED, "training has left the finite numbers");
	ai_detail(err, "The loss is %g in step %lld of epoch %d.", loss, (long long) step + 1, epoch + 1);
	ai_hint(err, "Take a smaller \"learning_rate\", set \"clip_norm\", or normalise the input.");
	return AI_ERR_DIVERGED;
}

/* One batch; what it measured is added to the epoch's. */
static AiCode
make_step(AiFit *fit, int epoch, int64_t batch, AiFitMeasured *measured, double *penalties,
		  AiError *err)
{
	int64_t		n_batches = ai_batches_count(&fit->batches);
	int64_t		step = epoch * n_batches + batch;
	AiRunBatch	it = {
		.n_rows = ai_batch_rows(&fit->batches, batch),
		.seed = stream(fit, STEP_STREAM, (uint64_t) step),
		.arg = fit,
		.load = load_rows,
		.loss = measure_rows
	};
	double		rate = ai_schedule_rate(&fit->options.schedule, fit->rate, step, n_batches);
	double		loss;
	double		penalty;

	AI_TRY(find_records(fit, batch, err));
	if (batch + 1 < n_batches)
		fetch_ahead(fit, batch + 1);
	memset(fit->lanes, 0, sizeof(fit->lanes));
	AI_TRY(ai_run_step(fit->run, fit->weights, fit->states, &it, &loss, err));
	if (!isfinite(loss))
		return diverged(epoch, batch, loss, err);
	AI_TRY(ai_fit_update(fit, rate, &penalty, err));
	for (int i = 0; i < AI_MAX_LANES; i++)
	{
		measured->loss += fit->lanes[i].loss;
		measured->score += fit->lanes[i].score;
		measured->n_places += fit->lanes[i].n_places;
	}
	*penalties += penalty * fit->batch_places;
	fit->epochs[epoch].learning_rate = rate;
	ai_tracker_count(&fit->tracker, 1, epoch);
	fit->tracker.loss = measured->loss / (measured->n_places > 0 ? measured->n_places : 1);
	return AI_OK;
}

/*
 * Epochs
 */

static bool
is_late(const AiFit *fit)
{
	return fit->options.max_time > 0 && ai_clock() - fit->started >= fit->options.max_time;
}

static double
mean(double sum, double n)
{
	return n > 0 ? sum / n : (double) NAN;
}

static AiCode
validate(AiFit *fit, AiEpoch *epoch, AiError *err)
{
	AiFitMeasured measured;

	epoch->validation_loss = epoch->validation_score = (double) NAN;
	if (fit->applying == NULL)
		return AI_OK;
	AI_TRY(ai_fit_validate(fit, &measured, err));
	epoch->validation_loss = mean(measured.loss, measured.n_places);
	epoch->validation_score = mean(measured.score, measured.n_places);
	return AI_OK;
}

static const char *
score_name(AiScore score)
{
	return score == AI_SCORE_MAE ? "mean absolute error" : "accuracy";
}

/* While too little is done to tell, the other epochs are taken to be like the last one. */
static double
seconds_left(AiFit *fit)
{
	int			n_left = fit->options.epochs - fit->n_epochs;
	double		left = fit->epochs[fit->n_epochs - 1].seconds * n_left;
	double		max = fit->options.max_time - (ai_clock() - fit->started);
	AiProgress	progress;

	if (n_left == 0)
		return 0;
	ai_tracker_get(&fit->tracker, &progress);
	if (progress.seconds_left >= 0)
		return progress.seconds_left;
	return fit->options.max_time > 0 && left > max ? (max > 0 ? max : 0) : left;
}

/* As Keras prints it */
static void
tell_epoch(AiFit *fit)
{
	const AiHost *host = fit->arena.host;
	const AiEpoch *epoch = &fit->epochs[fit->n_epochs - 1];
	const char *score = score_name(fit->options.score);
	char		held_out[128] = "";
	char		line[384];

	if (fit->applying != NULL)
		snprintf(held_out, sizeof(held_out), ", validation loss %.4f, validation %s %.4f",
				 epoch->validation_loss, score, epoch->validation_score);
	snprintf(line, sizeof(line), "epoch %d of %d: loss %.4f, %s %.4f%s, %.1f s, %.0f s left",
			 fit->n_epochs, fit->options.epochs, epoch->loss, score, epoch->score, held_out,
			 epoch->seconds, seconds_left(fit));
	host->log(host->ud, AI_LOG_NOTICE, line);
}

static void
keep_best(AiFit *fit)
{
	fit->best = fit->n_epochs - 1;
	if (fit->best_weights == NULL)
		return;
	memcpy(fit->best_weights, fit->weights, fit->graph->n_weights * sizeof(float));
	memcpy(fit->best_states, fit->states, fit->graph->n_states * sizeof(float));
}

static void
restore_best(AiFit *fit)
{
	if (fit->best_weights == NULL)
		fit->best = fit->n_epochs - 1;
	else if (fit->best < fit->n_epochs - 1)
	{
		memcpy(fit->weights, fit->best_weights, fit->graph->n_weights * sizeof(float));
		memcpy(fit->states, fit->best_states, fit->graph->n_states * sizeof(float));
	}
}

static AiCode
run_epoch(AiFit *fit, AiError *err)
{
	int			number = fit->n_epochs;
	AiEpoch    *epoch = &fit->epochs[number];
	AiFitMeasured measured = {0};
	double		penalties = 0;
	double		start = ai_clock();

	AI_TRY(ai_batches_shuffle(&fit->batches, stream(fit, ORDER_STREAM, 0), (uint64_t) number,
							  fit->arena.host, err));
	for (int64_t batch = 0; batch < ai_batches_count(&fit->batches) && !is_late(fit); batch++)
		AI_TRY(make_step(fit, number, batch, &measured, &penalties, err));
	epoch->loss = mean(measured.loss + penalties, measured.n_places);
	epoch->score = mean(measured.score, measured.n_places);
	AI_TRY(validate(fit, epoch, err));
	epoch->seconds = ai_clock() - start;
	fit->n_epochs++;
	return AI_OK;
}

static void
begin_progress(AiFit *fit)
{
	int64_t		n = fit->options.epochs * ai_batches_count(&fit->batches);
	AiPart		part = {
		.phase = "training",
		.seconds = -1,
		.n_units = n < INT32_MAX ? (int) n : INT32_MAX
	};

	ai_tracker_begin(&fit->tracker, &part);
	fit->tracker.max_seconds = fit->options.max_time;
}

AiCode
ai_fit_run(AiFit *fit, AiError *err)
{
	int			outcome = 0;

	fit->started = ai_clock();
	begin_progress(fit);
	while (fit->n_epochs < fit->options.epochs && !is_late(fit) && !(outcome & AI_EPOCH_STOPS))
	{
		const AiEpoch *epoch = &fit->epochs[fit->n_epochs];

		AI_TRY(run_epoch(fit, err));
		tell_epoch(fit);
		outcome = ai_stopping_epoch(&fit->options.stopping, fit->applying != NULL ?
									epoch->validation_loss : epoch->loss, &fit->rate);
		if (outcome & AI_EPOCH_IS_BEST)
			keep_best(fit);
	}
	fit->is_complete = fit->n_epochs == fit->options.epochs || (outcome & AI_EPOCH_STOPS) != 0;
	restore_best(fit);
	return AI_OK;
}

/*
 * What came of it
 */

int
ai_fit_n_epochs(const AiFit *fit)
{
	return fit->n_epochs;
}

const AiEpoch *
ai_fit_epoch(const AiFit *fit, int number)
{
	return &fit->epochs[number];
}

int
ai_fit_best(const AiFit *fit)
{
	return fit->best;
}

bool
ai_fit_is_complete(const AiFit *fit)
{
	return fit->is_complete;
}

void
ai_fit_progress(AiFit *fit, AiProgress *progress)
{
	ai_tracker_get(&fit->tracker, progress);
}
