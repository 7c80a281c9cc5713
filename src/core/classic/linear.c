/*-------------------------------------------------------------------------
 * linear.c
 *		Linear classifiers of sparse rows: squared hinge, dual descent.
 *
 * A pass visits the active rows in a random order that depends on the seed
 * only.  A row leaves the active ones while every column's dual is zero and
 * its margin is beyond the largest violation of the pass before (shrinking);
 * when the active rows are optimal all come back, and the fit ends with a pass
 * over all rows in which none violates the tolerance.
 *-------------------------------------------------------------------------
 */
#include "core/classic/linear.h"

#include <math.h>
#include <string.h>

#include "core/base/rng.h"

/* Terms of sums between two questions whether to stop: about a millisecond */
#define TERMS_PER_QUESTION (1 << 18)

/* Terms of the next row that are fetched in advance: its share of a cache */
#define MAX_PREFETCH 1024

typedef struct Fit
{
	const AiLinearProblem *problem;
	const AiKernels *kernels;
	AiLinearModel *model;
	float	   *alpha;

	/* Scratch */
	uint32_t   *active;			/* [n_members] places in problem->members */
	float	   *score;			/* [width] */
	float	   *step;			/* [width], zero past n_cols */

	int64_t		n_active;
	float		bound;			/* margins beyond it may leave */
	float		violation;		/* the largest of this pass */
	int64_t		n_terms;		/* since the last question */
} Fit;

size_t
ai_linear_scratch_size(int64_t n_members, int n_labels)
{
	return ai_align_size((size_t) n_members * sizeof(uint32_t)) +
		2 * ai_align_size((size_t) ai_linear_width(n_labels) * sizeof(float));
}

static void
lay_out_scratch(Fit *fit, char *scratch)
{
	size_t		n = (size_t) fit->problem->n_members;
	size_t		row_size = ai_align_size((size_t) fit->model->width * sizeof(float));

	fit->active = (uint32_t *) scratch;
	scratch += ai_align_size(n * sizeof(uint32_t));
	fit->score = (float *) scratch;
	fit->step = (float *) (scratch + row_size);
	memset(fit->step, 0, row_size);
}

/* score += dense dense_weight; a single column is summed in double, as kernels have it */
static void
add_dense_scores(float *score, const AiLinearModel *model, const float *dense)
{
	const AiKernels *kernels = ai_kernels();
	size_t		width = (size_t) model->width;
	size_t		n = (size_t) model->n_dense;

	if (width == 1)
		score[0] += (float) kernels->dot(dense, model->dense_weight, n);
	else
		kernels->gemm(&(AiGemm) {
			.m = 1, .n = width, .k = n, .n_taps = 1, .a = dense, .a_row = (ptrdiff_t) n,
			.a_col = 1, .b = model->dense_weight, .b_row = (ptrdiff_t) width, .c = score,
			.c_row = (ptrdiff_t) width, .adds = true
		});
}

/* dense_weight += step x dense */
static void
add_dense(AiLinearModel *model, const float *dense, const float *step)
{
	size_t		width = (size_t) model->width;
	size_t		n = (size_t) model->n_dense;
	AiGemm		product = {
		.m = n, .n = width, .k = 1, .n_taps = 1, .a = dense, .a_row = 1, .a_col = 1,
		.b = step, .b_row = (ptrdiff_t) width, .c = model->dense_weight,
		.c_row = (ptrdiff_t) width, .adds = true
	};

	/* a column is a row of n numbers */
	if (width == 1)
	{
		product.m = 1;
		product.n = n;
		product.a = step;
		product.b = dense;
		product.b_row = product.c_row = (ptrdiff_t) n;
	}
	ai_kernels()->gemm(&product);
}

void
ai_linear_scores(float *score, const AiLinearModel *model, const AiSparseRow *row)
{
	const AiKernels *kernels = ai_kernels();

	if (model->width == 1)
		score[0] = kernels->sparse_dot(row->index, row->value, row->n, model->weight);
	else
		kernels->sparse_rows_dot(score, row->index, row->value, row->n, model->weight,
								 (size_t) model->width);
	if (model->n_dense > 0)
		add_dense_scores(score, model, row->dense);
	for (int c = 0; c < model->width; c++)
		score[c] += model->intercept[c];
}

int
ai_linear_best(const float *score, int n_labels)
{
	int			best = 0;

	if (n_labels == 2)
		return score[0] > 0;
	for (int c = 1; c < n_labels; c++)
	{
		if (score[c] > score[best])
			best = c;
	}
	return best;
}

/* Asked once a row; the problem's host only about every millisecond */
static inline bool
should_stop(Fit *fit)
{
	const AiLinearProblem *problem = fit->problem;

	if (fit->n_terms <= TERMS_PER_QUESTION)
		return false;
	fit->n_terms = 0;
	return problem->should_stop != NULL && problem->should_stop(problem->stop_arg);
}

/* weight += step x for one row */
static void
add_row(Fit *fit, const AiSparseRow *row, const float *step)
{
	AiLinearModel *model = fit->model;

	if (model->width == 1)
		fit->kernels->sparse_axpy(model->weight, row->index, row->value, row->n, step[0]);
	else
		fit->kernels->sparse_rows_axpy(model->weight, row->index, row->value, row->n,
									   step, (size_t) model->width);
	if (model->n_dense > 0)
		add_dense(model, row->dense, step);
	for (int c = 0; c < model->n_cols; c++)
		model->intercept[c] += step[c];
}

/* +1 or -1: is the row one of the label of the model's column? */
static inline float
sign_of(const AiLinearProblem *problem, const AiSparseRow *row, int col)
{
	int			label = problem->n_labels == 2 ? 1 : problem->first_col + col;

	return row->label == label ? 1.0f : -1.0f;
}

/* Where the duals of the model's columns begin for a row */
static inline size_t
alpha_place(const AiLinearProblem *problem, uint32_t number)
{
	return (size_t) number * (size_t) ai_linear_n_cols(problem->n_labels) +
		(size_t) problem->first_col;
}

void
ai_linear_weights(AiLinearModel *model, const float *alpha, const AiLinearProblem *problem,
				  void *scratch)
{
	Fit			fit = {.problem = problem, .kernels = ai_kernels(), .model = model};
	int			n_cols = model->n_cols;

	lay_out_scratch(&fit, scratch);
	memset(model->weight, 0, (size_t) problem->n_features * model->width * sizeof(float));
	memset(model->intercept, 0, model->width * sizeof(float));
	if (model->n_dense > 0)
		memset(model->dense_weight, 0,
			   (size_t) model->n_dense * (size_t) model->width * sizeof(float));
	for (int64_t m = 0; m < problem->n_members && !should_stop(&fit); m++)
	{
		const AiSparseRow *row = &problem->rows[problem->members[m]];
		const float *row_alpha = alpha + alpha_place(problem, problem->members[m]);
		bool		any = false;

		for (int c = 0; c < n_cols; c++)
		{
			fit.step[c] = row_alpha[c] * sign_of(problem, row, c);
			any |= row_alpha[c] != 0;
		}
		if (any)
			add_row(&fit, row, fit.step);
		fit.n_terms += ((int64_t) row->n + model->n_dense) * n_cols;
	}
}

float
ai_sparse_norm(const float *value, size_t n)
{
	double		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double) value[i] * value[i];
	return (float) sum;
}

/*
 * One row: the best step of every column by itself.  Its gradient is
 * g = y w.x - 1 + alpha / (2 cost), its curvature |x|^2 + 1 / (2 cost).
 * False when the row may leave the active ones.
 */
static bool
visit_row(Fit *fit, uint32_t place)
{
	const AiLinearProblem *problem = fit->problem;
	uint32_t	number = problem->members[place];
	const AiSparseRow *row = &problem->rows[number];
	int			n_cols = fit->model->n_cols;
	float	   *alpha = fit->alpha + alpha_place(problem, number);
	double		cost = problem->cost *
		(problem->label_cost ? problem->label_cost[row->label] : 1.0);
	float		ridge = (float) (0.5 / cost);
	float		inverse = 1.0f / (row->norm + 1.0f + ridge);	/* 1: the constant */
	bool		any = false;
	bool		stays = false;

	ai_linear_scores(fit->score, fit->model, row);
	for (int c = 0; c < n_cols; c++)
	{
		float		y = sign_of(problem, row, c);
		float		old = alpha[c];
		float		g = y * fit->score[c] - 1.0f + old * ridge;
		float		new = old - g * inverse;
		float		violation = old > 0 ? fabsf(g) : -g;

		if (new < 0)
			new = 0;
		if (violation > fit->violation)
			fit->violation = violation;
		stays |= old > 0 || g < fit->bound;
		fit->step[c] = (new - old) * y;
		any |= new != old;
		alpha[c] = new;
	}
	if (any)
		add_row(fit, row, fit->step);
	fit->n_terms += 2 * ((int64_t) row->n + fit->model->n_dense) * n_cols;
	return stays;
}

static void
shuffle(uint32_t *items, int64_t n, AiRng *rng)
{
	for (int64_t i = n - 1; i > 0; i--)
	{
		uint32_t	j = ai_rng_below(rng, (uint32_t) i + 1);
		uint32_t	item = items[i];

		items[i] = items[j];
		items[j] = item;
	}
}

/* Rows are visited in random order, so memory has to be asked in advance. */
static inline void
prefetch_rows(const Fit *fit, int64_t a)
{
	const AiLinearProblem *problem = fit->problem;

	if (a + 8 < fit->n_active)
	{
		uint32_t	far = problem->members[fit->active[a + 8]];

		__builtin_prefetch(&problem->rows[far]);
		__builtin_prefetch(&fit->alpha[alpha_place(problem, far)]);
	}
	if (a + 1 < fit->n_active)
	{
		const AiSparseRow *next = &problem->rows[problem->members[fit->active[a + 1]]];

		for (uint32_t i = 0; i < next->n && i < MAX_PREFETCH; i += 16)
		{
			__builtin_prefetch(next->index + i);
			__builtin_prefetch(next->value + i);
		}
	}
}

/* One pass over the active rows; false when told to stop */
static bool
run_pass(Fit *fit)
{
	int64_t		n_kept = 0;

	fit->violation = 0;
	for (int64_t a = 0; a < fit->n_active; a++)
	{
		uint32_t	place = fit->active[a];

		prefetch_rows(fit, a);
		if (should_stop(fit))
			return false;
		/* a row that leaves changes places with one that stays */
		if (visit_row(fit, place))
		{
			fit->active[a] = fit->active[n_kept];
			fit->active[n_kept++] = place;
		}
	}
	fit->n_active = n_kept;
	return true;
}

AiLinearEnd
ai_linear_fit(AiLinearModel *model, float *alpha, int *n_passes,
			  const AiLinearProblem *problem, void *scratch)
{
	Fit			fit = {
		.problem = problem, .kernels = ai_kernels(), .model = model, .alpha = alpha,
		.bound = INFINITY, .n_active = problem->n_members
	};
	AiRng		rng = {problem->seed};

	lay_out_scratch(&fit, scratch);
	for (int64_t m = 0; m < problem->n_members; m++)
		fit.active[m] = (uint32_t) m;

	for (*n_passes = 0; *n_passes < problem->max_passes; ++*n_passes)
	{
		bool		was_full = fit.n_active == problem->n_members;

		shuffle(fit.active, fit.n_active, &rng);
		if (!run_pass(&fit))
			return AI_LINEAR_STOPPED;
		if (fit.violation > problem->tolerance)
		{
			fit.bound = fit.violation;
			continue;
		}
		if (was_full)
		{
			++*n_passes;
			return AI_LINEAR_CONVERGED;
		}
		fit.n_active = problem->n_members;
		fit.bound = INFINITY;
	}
	return AI_LINEAR_MAX_PASSES;
}
