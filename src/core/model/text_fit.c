/*-------------------------------------------------------------------------
 * text_fit.c
 *		Learning the linear model of a text classifier from sparse rows.
 *
 * Cross-validation goes over a ladder of costs (cost = 1 / l2), three times the
 * last at each step, first up from 0.1, then down, as long as the likelihood of
 * the held-out rows rises.  At each step the folds are fitted at once, beginning
 * from where they stood at the step before.  The final fit begins from the mean
 * of the folds' dual variables at the chosen cost, which leaves it a few passes.
 *
 * A task is one fold and a block of columns, since columns are independent; what
 * stays of it is its dual variables, from which its weights are made again.  So
 * weights are kept once for each thread, not once for each fold, and with many
 * labels rows that no column of a block needs leave that block early.
 *
 * Large sets are held out in part: two of five folds say as much about two
 * numbers as all of them.
 *-------------------------------------------------------------------------
 */
#include "core/model/text_fit.h"

#include <math.h>
#include <string.h>

#include "core/classic/calibrate.h"

#define FIRST_COST 0.1
#define COST_STEP 3.0
#define MAX_COST 100.0
#define MIN_COST 0.001
#define LEAST_GAIN 0.02			/* of the loss, relative, to go on */
#define SEARCH_TOLERANCE 0.1
#define FINAL_TOLERANCE 0.1
#define MAX_SEARCH_PASSES 10
#define MAX_FINAL_PASSES 300
#define CALIBRATION_VALUES (1 << 21)	/* scores looked at for the calibration */

#define VALUES_PER_QUESTION 65536	/* whether to stop: well below a millisecond */

#define BLOCK_COLS 16			/* columns that are fitted together */

typedef struct Fold
{
	float	   *alpha;			/* [n_rows, n_cols] */
	uint32_t   *members;		/* [n_members] rows learnt from */
	int64_t		n_members;
	int64_t		first_held_out;	/* in the arrays of all held-out rows */
	int64_t		n_held_out;
} Fold;

/* What one thread fits with */
typedef struct Workspace
{
	AiLinearModel model;		/* of the block in work */
	void	   *scratch;
} Workspace;

typedef struct AiTextSearch
{
	AiTextFit  *fit;
	int			n_cols;
	int			width;
	int			n_blocks;
	int			n_folds;
	Fold		folds[AI_TEXT_N_FOLDS];
	Workspace  *workspaces;		/* [n_threads] */
	uint32_t   *held_out;		/* [n_held_out] numbers of rows */
	int32_t    *held_out_label;
	int64_t		n_held_out;
	float	   *score;			/* [n_held_out, width] at the cost in work */
	float	   *best_score;		/* likewise, at the best cost */
	float	   *best_alpha;		/* [n_rows, n_cols] means over the folds */
	double		best_loss;
	double		best_cost;
	double		temperature;	/* at the best cost */
	double		cost;			/* in work */

	/* Guesses and what was measured, in seconds */
	double		step_seconds;	/* of the last step */
	double		final_seconds;
} Search;

typedef enum Step
{
	STEP_FIRST,
	STEP_UP,
	STEP_DOWN
} Step;

/* One long task of the pool, asked whether it should stop */
typedef struct StopQuestion
{
	AiTextFit  *fit;
	int			thread;
	double		share;			/* of max_time that the task may reach */
	bool		is_late;
	int			n_passes;		/* that the task has made */
	int			n_counted;		/* those that the tracker knows of */
	int			n_units;		/* the same in units */
} StopQuestion;

/* Cross-validation leaves a third of the time to the final fit. */
#define SEARCH_SHARE (2.0 / 3.0)

static bool
is_late(const AiTextFit *fit, double share)
{
	return fit->max_time > 0 && ai_clock() > fit->tracker->started + share * fit->max_time;
}

/*
 * Progress of a task.  The first passes take longest, since rows that need no more work
 * leave, and so many passes as it may make are seldom needed.
 */
#define UNITS_PER_TASK 1000
#define UNITS_LEFT_BY_PASS 0.78

static void
count_units(StopQuestion *question, int n_units)
{
	ai_tracker_count(question->fit->tracker, n_units - question->n_units, question->n_passes);
	question->n_units = n_units;
	question->n_counted = question->n_passes;
}

static void
count_passes(StopQuestion *question)
{
	if (question->n_passes > question->n_counted)
		count_units(question, (int) (UNITS_PER_TASK *
									 (1 - pow(UNITS_LEFT_BY_PASS, question->n_passes))));
}

static bool
should_stop(void *arg)
{
	StopQuestion *question = arg;

	count_passes(question);
	question->is_late |= is_late(question->fit, question->share);
	return ai_pool_should_stop(question->fit->pool, question->thread) || question->is_late;
}

/* The same for work that must not be left half done when time is up */
static bool
is_cancelled(void *arg)
{
	StopQuestion *question = arg;

	return ai_pool_should_stop(question->fit->pool, question->thread);
}

int
ai_text_fit_n_folds(int64_t n_rows, bool wants_all_folds)
{
	if (wants_all_folds || n_rows < 1500)
		return AI_TEXT_N_FOLDS;
	return n_rows < 6000 ? 4 : 2;
}

/*
 * Guesses, from trainings of short and long texts with two labels and more.  A task is to
 * fit a block of columns of one fold; threads beyond the tasks are idle.
 */
#define READ_TO_TASK 0.35		/* of one column, to reading all rows, by one thread */
#define TASK_PER_COLUMN 0.6		/* each further column, to the first */
#define TASK_TO_FINAL 0.85		/* the same of all rows, from duals that are nearly right */
#define STEPS_AFTER_FIRST 2.5
#define STEPS_AFTER_UP 1.0
#define STEPS_AFTER_DOWN 0.4
#define UP_TO_DOWN 0.5			/* a step down is easier */

static int
n_blocks_of(int n_labels)
{
	return (ai_linear_n_cols(n_labels) + BLOCK_COLS - 1) / BLOCK_COLS;
}

/* How often all threads together have to take a task, for n_tasks */
static double
n_rounds(int n_tasks, int n_threads)
{
	return n_tasks > n_threads ? (double) n_tasks / n_threads : 1;
}

/* The final fit's time, to that of the first step */
static double
final_to_step(int n_folds, int n_blocks, int n_threads)
{
	return TASK_TO_FINAL * n_rounds(n_blocks, n_threads) /
		n_rounds(n_folds * n_blocks, n_threads);
}

static double
step_seconds(double read_seconds, int n_folds, int n_labels, int n_threads)
{
	int			n_cols = ai_linear_n_cols(n_labels);
	int			n_blocks = n_blocks_of(n_labels);
	double		task = read_seconds * n_threads * READ_TO_TASK *
		(1 + TASK_PER_COLUMN * ((double) n_cols / n_blocks - 1));

	return task * n_rounds(n_folds * n_blocks, n_threads);
}

double
ai_text_fit_seconds(double read_seconds, int64_t n_rows, int n_labels, int n_threads,
					bool wants_all_folds, bool is_given)
{
	int			n_folds = ai_text_fit_n_folds(n_rows, wants_all_folds);

	return step_seconds(read_seconds, n_folds, n_labels, n_threads) *
		(1 + (is_given ? 0 : STEPS_AFTER_FIRST) +
		 final_to_step(n_folds, n_blocks_of(n_labels), n_threads));
}

/* Columns of the widest block */
static int
block_width(int n_labels)
{
	int			width = ai_linear_width(n_labels);

	return width < BLOCK_COLS ? width : BLOCK_COLS;
}

size_t
ai_text_fit_memory(int64_t n_rows, int64_t n_features, int n_labels, int n_threads,
				   bool wants_all_folds)
{
	size_t		n_folds = (size_t) ai_text_fit_n_folds(n_rows, wants_all_folds);
	size_t		width = (size_t) ai_linear_width(n_labels);
	size_t		alphas = (size_t) n_rows * width * sizeof(float);
	size_t		workspace = (size_t) n_features * (size_t) block_width(n_labels) *
		sizeof(float) + ai_linear_scratch_size(n_rows, n_labels);

	return (size_t) n_threads * workspace + (size_t) n_features * width * sizeof(float) +
		n_folds * (alphas + (size_t) n_rows * sizeof(uint32_t)) + 3 * alphas +
		(size_t) n_rows * 12;
}

static AiCode
allocate(AiArena *arena, void *ptr, int64_t n, size_t item_size, AiError *err)
{
	void	   *memory = ai_arena_alloc_zero(arena, (size_t) (n > 0 ? n : 1), item_size);

	if (memory == NULL)
		return ai_out_of_memory(err, (size_t) n * item_size, "learning");
	memcpy(ptr, &memory, sizeof(void *));
	return AI_OK;
}

static AiCode
allocate_model(AiTextFit *fit, AiLinearModel *model, int n_cols, int width, AiError *err)
{
	model->n_cols = n_cols;
	model->width = width;
	AI_TRY(allocate(fit->arena, &model->weight, fit->n_features,
					(size_t) width * sizeof(float), err));
	model->n_dense = fit->n_dense;
	if (fit->n_dense > 0)
		AI_TRY(allocate(fit->arena, &model->dense_weight, fit->n_dense,
						(size_t) width * sizeof(float), err));
	return allocate(fit->arena, &model->intercept, width, sizeof(float), err);
}

static AiCode
set_up_workspaces(Search *search, AiError *err)
{
	AiTextFit  *fit = search->fit;
	int			n_threads = ai_pool_n_threads(fit->pool);

	AI_TRY(allocate(fit->arena, &search->workspaces, n_threads, sizeof(Workspace), err));
	for (int t = 0; t < n_threads; t++)
	{
		Workspace  *workspace = &search->workspaces[t];

		AI_TRY(allocate_model(fit, &workspace->model, 0, block_width(fit->n_labels), err));
		AI_TRY(allocate(fit->arena, &workspace->scratch, 1,
						ai_linear_scratch_size(fit->n_rows, fit->n_labels), err));
	}
	return AI_OK;
}

/* Rows of fold number f are held out, the others are learnt from. */
static AiCode
set_up_fold(Search *search, int f, AiError *err)
{
	AiTextFit  *fit = search->fit;
	Fold	   *fold = &search->folds[f];

	AI_TRY(allocate(fit->arena, &fold->alpha, fit->n_rows,
					(size_t) search->n_cols * sizeof(float), err));
	AI_TRY(allocate(fit->arena, &fold->members, fit->n_rows, sizeof(uint32_t), err));
	fold->first_held_out = search->n_held_out;
	for (int64_t i = 0; i < fit->n_rows; i++)
	{
		if (fit->fold[i] != f)
			fold->members[fold->n_members++] = (uint32_t) i;
		else
		{
			search->held_out[search->n_held_out] = (uint32_t) i;
			search->held_out_label[search->n_held_out++] = fit->rows[i].label;
		}
	}
	fold->n_held_out = search->n_held_out - fold->first_held_out;
	return AI_OK;
}

static AiCode
set_up_search(Search *search, AiTextFit *fit, AiError *err)
{
	size_t		row_size;
	int			n_threads = ai_pool_n_threads(fit->pool);

	*search = (Search) {
		.fit = fit, .n_cols = ai_linear_n_cols(fit->n_labels),
		.width = ai_linear_width(fit->n_labels),
		.n_blocks = n_blocks_of(fit->n_labels),
		.n_folds = ai_text_fit_n_folds(fit->n_rows, fit->wants_all_folds),
		.best_loss = INFINITY
	};
	search->step_seconds = step_seconds(fit->read_seconds, search->n_folds, fit->n_labels,
										n_threads);
	search->final_seconds = search->step_seconds *
		final_to_step(search->n_folds, search->n_blocks, n_threads);
	row_size = (size_t) search->width * sizeof(float);
	AI_TRY(allocate(fit->arena, &search->held_out, fit->n_rows, sizeof(uint32_t), err));
	AI_TRY(allocate(fit->arena, &search->held_out_label, fit->n_rows, sizeof(int32_t), err));
	AI_TRY(allocate(fit->arena, &search->best_alpha, fit->n_rows,
					(size_t) search->n_cols * sizeof(float), err));
	AI_TRY(set_up_workspaces(search, err));
	for (int f = 0; f < search->n_folds; f++)
		AI_TRY(set_up_fold(search, f, err));
	AI_TRY(allocate(fit->arena, &search->score, search->n_held_out, row_size, err));
	return allocate(fit->arena, &search->best_score, search->n_held_out, row_size, err);
}

/* The thread's model becomes that of a block, made from the duals. */
static AiLinearModel *
start_block(Search *search, const AiLinearProblem *problem, const float *alpha, int thread)
{
	Workspace  *workspace = &search->workspaces[thread];
	AiLinearModel *model = &workspace->model;
	AiLinearProblem whole = *problem;
	int			n_left = search->n_cols - problem->first_col;

	model->n_cols = n_left < BLOCK_COLS ? n_left : BLOCK_COLS;
	whole.should_stop = is_cancelled;
	ai_linear_weights(model, alpha, &whole, workspace->scratch);
	return model;
}

/* Task: fit a block of columns of one fold at the cost in work, score its rows. */
static void
fit_fold(void *arg, int64_t index, int thread)
{
	Search	   *search = arg;
	AiTextFit  *fit = search->fit;
	Fold	   *fold = &search->folds[index % search->n_folds];
	StopQuestion question = {.fit = fit, .thread = thread, .share = SEARCH_SHARE};
	AiLinearProblem problem = {
		.rows = fit->rows, .members = fold->members, .n_members = fold->n_members,
		.n_features = fit->n_features, .n_labels = fit->n_labels,
		.first_col = (int) (index / search->n_folds) * BLOCK_COLS, .cost = search->cost,
		.label_cost = fit->label_cost, .tolerance = SEARCH_TOLERANCE,
		.max_passes = MAX_SEARCH_PASSES,
		.seed = fit->seed + (uint64_t) (index % search->n_folds),
		.should_stop = should_stop, .stop_arg = &question
	};
	AiLinearModel *model = start_block(search, &problem, fold->alpha, thread);
	float		score[BLOCK_COLS] __attribute__((aligned(AI_ALIGNMENT)));

	ai_linear_fit(model, fold->alpha, &question.n_passes, &problem,
				  search->workspaces[thread].scratch);
	count_units(&question, UNITS_PER_TASK);
	for (int64_t i = fold->first_held_out; i < fold->first_held_out + fold->n_held_out; i++)
	{
		if (is_cancelled(&question))
			return;
		ai_linear_scores(score, model, &fit->rows[search->held_out[i]]);
		memcpy(search->score + (size_t) i * search->width + problem.first_col, score,
			   (size_t) model->n_cols * sizeof(float));
	}
}

/* The mean of a row's dual variables over the folds that have learnt from it */
static void
average_alphas(Search *search)
{
	AiTextFit  *fit = search->fit;

	/* told to stop, the next step says so */
	for (int64_t i = 0; i < fit->n_rows && !ai_host_should_stop(fit->arena->host); i++)
	{
		float	   *mean = search->best_alpha + (size_t) i * search->n_cols;
		float		n = (float) (search->n_folds - (fit->fold[i] < search->n_folds));

		for (int c = 0; c < search->n_cols; c++)
		{
			float		sum = 0;

			for (int f = 0; f < search->n_folds; f++)
			{
				if (fit->fold[i] != f)
					sum += search->folds[f].alpha[(size_t) i * search->n_cols + c];
			}
			mean[c] = sum / n;
		}
	}
}

static AiScoredRows
scored_rows(const Search *search, const float *score)
{
	int64_t		max = CALIBRATION_VALUES / search->width;

	return (AiScoredRows) {
		.score = score, .label = search->held_out_label,
		.n = search->n_held_out < max ? search->n_held_out : max,
		.n_labels = search->fit->n_labels, .width = search->width,
		.label_weight = search->fit->label_cost, .host = search->fit->arena->host
	};
}

static AiCode
check_stop(const AiTextFit *fit, AiError *err)
{
	if (ai_host_should_stop(fit->arena->host))
		return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
	return AI_OK;
}

static void
begin_step(const Search *search, Step step)
{
	AiTextFit  *fit = search->fit;
	AiPart		part = {
		.phase = "cross-validation",
		.n_units = search->n_folds * search->n_blocks * UNITS_PER_TASK,
		.seconds = search->step_seconds,
		.seconds_after = search->final_seconds + fit->seconds_after
	};

	switch (step)
	{
		case STEP_FIRST:
			part.parts_after = fit->l2 > 0 ? 0 : STEPS_AFTER_FIRST;
			break;
		case STEP_UP:
			part.parts_after = STEPS_AFTER_UP;
			break;
		case STEP_DOWN:
			part.parts_after = STEPS_AFTER_DOWN;
			part.seconds *= UP_TO_DOWN;
			break;
	}
	ai_tracker_begin(fit->tracker, &part);
}

static void
end_step(Search *search, Step step)
{
	AiTextFit  *fit = search->fit;

	search->step_seconds = ai_clock() - fit->tracker->part_started;
	if (step == STEP_FIRST)
		search->final_seconds = search->step_seconds *
			final_to_step(search->n_folds, search->n_blocks, ai_pool_n_threads(fit->pool));
	if (search->n_held_out > 0)
		fit->tracker->loss = search->best_loss;
	fit->progress(fit->progress_arg);
}

/* Fit all folds at a cost; better if the held-out rows are likelier than ever. */
static AiCode
try_cost(Search *search, bool *is_better, double cost, Step step, AiError *err)
{
	AiScoredRows rows = scored_rows(search, search->score);
	double		temperature;
	double		loss;

	*is_better = false;
	begin_step(search, step);
	search->cost = cost;
	AI_TRY(ai_pool_run(search->fit->pool, fit_fold, search,
						(int64_t) search->n_folds * search->n_blocks, err));
	temperature = ai_calibrate_temperature(&loss, &rows);
	AI_TRY(check_stop(search->fit, err));
	if (rows.n > 0 && !isfinite(loss))
		return ai_fail(err, AI_ERR_DIVERGED, "training diverged: the loss is not finite at l2 %g",
					   1 / cost);
	if (rows.n == 0 || loss < search->best_loss * (1 - LEAST_GAIN))
	{
		float	   *swap = search->best_score;

		*is_better = true;
		search->best_score = search->score;
		search->score = swap;
		search->best_loss = loss;
		search->best_cost = cost;
		search->temperature = temperature;
		average_alphas(search);
	}
	end_step(search, step);
	return AI_OK;
}

/* Up the ladder while it helps, else down */
static AiCode
search_cost(Search *search, AiError *err)
{
	AiTextFit  *fit = search->fit;
	bool		is_better;
	double		cost = fit->l2 > 0 ? 1 / fit->l2 : FIRST_COST;

	AI_TRY(try_cost(search, &is_better, cost, STEP_FIRST, err));
	if (fit->l2 > 0 || search->n_held_out == 0)
		return AI_OK;
	for (cost *= COST_STEP; cost <= MAX_COST && !is_late(fit, SEARCH_SHARE); cost *= COST_STEP)
	{
		AI_TRY(try_cost(search, &is_better, cost, STEP_UP, err));
		if (!is_better)
			break;
	}
	if (search->best_cost != FIRST_COST)
		return AI_OK;
	for (cost = FIRST_COST / COST_STEP; cost >= MIN_COST && !is_late(fit, SEARCH_SHARE);
		 cost /= COST_STEP)
	{
		AI_TRY(try_cost(search, &is_better, cost, STEP_DOWN, err));
		if (!is_better)
			break;
	}
	return AI_OK;
}

/* How the final fit of a block ended */
typedef struct BlockEnd
{
	int			n_passes;
	bool		has_converged;
} BlockEnd;

typedef struct FinalFit
{
	Search	   *search;
	const uint32_t *members;	/* all rows */
	BlockEnd   *ends;			/* [n_blocks] */
} FinalFit;

/* Columns from first_col on, of all rows of the weights */
static void
copy_block(AiLinearModel *to, const AiLinearModel *from, int first_col, int64_t n_features)
{
	size_t		row_size = (size_t) from->n_cols * sizeof(float);

	memcpy(to->intercept + first_col, from->intercept, row_size);
	for (int64_t f = 0; f < n_features; f++)
		memcpy(to->weight + f * to->width + first_col, from->weight + f * from->width, row_size);
	for (int64_t f = 0; f < from->n_dense; f++)
		memcpy(to->dense_weight + f * to->width + first_col,
			   from->dense_weight + f * from->width, row_size);
}

/* Task: a block of columns from all rows */
static void
fit_block(FinalFit *final, int64_t index, int thread)
{
	Search	   *search = final->search;
	AiTextFit  *fit = search->fit;
	BlockEnd   *end = &final->ends[index];
	StopQuestion question = {.fit = fit, .thread = thread, .share = 1};
	AiLinearProblem problem = {
		.rows = fit->rows, .members = final->members, .n_members = fit->n_rows,
		.n_features = fit->n_features, .n_labels = fit->n_labels,
		.first_col = (int) index * BLOCK_COLS,
		.cost = search->best_cost, .label_cost = fit->label_cost,
		.tolerance = FINAL_TOLERANCE, .max_passes = MAX_FINAL_PASSES,
		.seed = fit->seed + AI_TEXT_N_FOLDS,
		.should_stop = should_stop, .stop_arg = &question
	};
	AiLinearModel *model = start_block(search, &problem, search->best_alpha, thread);

	end->has_converged = ai_linear_fit(model, search->best_alpha, &question.n_passes, &problem,
									   search->workspaces[thread].scratch) ==
		AI_LINEAR_CONVERGED;
	end->n_passes = question.n_passes;
	count_units(&question, UNITS_PER_TASK);
	copy_block(&fit->model, model, problem.first_col, fit->n_features);
}

/* Task: a block, or after the last what else there is to do: one block leaves threads idle. */
static void
run_final(void *arg, int64_t index, int thread)
{
	FinalFit   *final = arg;
	AiTextFit  *fit = final->search->fit;

	if (index < final->search->n_blocks)
		fit_block(final, index, thread);
	else
		fit->meanwhile(fit->meanwhile_arg, thread);
}

static AiCode
fit_final(Search *search, AiError *err)
{
	AiTextFit  *fit = search->fit;
	FinalFit	final = {.search = search};
	uint32_t   *members = NULL;

	AI_TRY(allocate_model(fit, &fit->model, search->n_cols, search->width, err));
	AI_TRY(allocate(fit->arena, &final.ends, search->n_blocks, sizeof(BlockEnd), err));
	AI_TRY(allocate(fit->arena, &members, fit->n_rows, sizeof(uint32_t), err));
	for (int64_t i = 0; i < fit->n_rows; i++)
		members[i] = (uint32_t) i;
	final.members = members;
	ai_tracker_begin(fit->tracker, &(AiPart) {
		.phase = "learning", .n_units = search->n_blocks * UNITS_PER_TASK,
		.seconds = search->final_seconds, .seconds_after = fit->seconds_after
	});
	AI_TRY(ai_pool_run(fit->pool, run_final, &final,
					   search->n_blocks + (fit->meanwhile != NULL ? 1 : 0), err));

	fit->n_passes = 0;
	fit->has_converged = true;
	for (int b = 0; b < search->n_blocks; b++)
	{
		if (final.ends[b].n_passes > fit->n_passes)
			fit->n_passes = final.ends[b].n_passes;
		fit->has_converged &= final.ends[b].has_converged;
	}
	return AI_OK;
}

/* row[c] = row[c] * scale[c] + shift[c] for all rows, which must be finite */
static AiCode
calibrate_rows(AiTextFit *fit, float *rows, int64_t n, int width, const float *scale,
			   const float *shift, AiError *err)
{
	for (int64_t i = 0; i < n; i++)
	{
		float	   *row = rows + i * width;

		if (i * width % VALUES_PER_QUESTION < width)
			AI_TRY(check_stop(fit, err));
		for (int c = 0; c < width; c++)
		{
			row[c] = row[c] * scale[c] + shift[c];
			if (!isfinite(row[c]))
				return ai_fail(err, AI_ERR_DIVERGED,
							   "training diverged: a number is not finite at l2 %g",
							   fit->chosen_l2);
		}
	}
	return AI_OK;
}

/*
 * Scores become logits: the weights of the final model take the calibration in,
 * and so do the held-out scores.
 */
static AiCode
calibrate(Search *search, AiError *err)
{
	AiTextFit  *fit = search->fit;
	AiScoredRows rows = scored_rows(search, search->best_score);
	float	   *scale = NULL;
	float	   *shift = NULL;
	float	   *none = NULL;		/* zeros: the shift of a weight */
	double	   *scratch = NULL;

	AI_TRY(allocate(fit->arena, &scale, search->width, sizeof(float), err));
	AI_TRY(allocate(fit->arena, &shift, search->width, sizeof(float), err));
	AI_TRY(allocate(fit->arena, &none, search->width, sizeof(float), err));
	AI_TRY(allocate(fit->arena, &scratch, 5 * (int64_t) fit->n_labels, sizeof(double), err));
	ai_calibrate_columns(scale, shift, &rows, search->temperature, scratch);
	AI_TRY(check_stop(fit, err));
	AI_TRY(calibrate_rows(fit, fit->model.weight, fit->n_features, search->width, scale, none,
						  err));
	AI_TRY(calibrate_rows(fit, fit->model.dense_weight, fit->n_dense, search->width, scale, none,
						  err));
	AI_TRY(calibrate_rows(fit, fit->model.intercept, 1, search->width, scale, shift, err));
	AI_TRY(calibrate_rows(fit, search->best_score, search->n_held_out, search->width, scale,
						  shift, err));
	fit->temperature = search->temperature;
	fit->n_held_out = search->n_held_out;
	fit->held_out = search->held_out;
	fit->held_out_logit = search->best_score;
	return AI_OK;
}

AiCode
ai_text_fit_search(AiTextFit *fit, AiError *err)
{
	AI_TRY(allocate(fit->arena, &fit->search, 1, sizeof(Search), err));
	AI_TRY(set_up_search(fit->search, fit, err));
	AI_TRY(search_cost(fit->search, err));
	fit->loss = fit->search->best_loss;
	fit->chosen_l2 = 1 / fit->search->best_cost;
	return AI_OK;
}

AiCode
ai_text_fit_finish(AiTextFit *fit, AiError *err)
{
	AI_TRY(fit_final(fit->search, err));
	return calibrate(fit->search, err);
}
