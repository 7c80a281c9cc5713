/*-------------------------------------------------------------------------
 * test_linear.c
 *		The linear model is the optimum that scikit-learn finds.
 *
 * test/golden/linear_*.txt hold the problems and the optima; their format is
 * described in their heads.  The objective is strongly convex with constant 1,
 * so the length of its gradient bounds the distance to the optimum, which is
 * how the tests confirm an optimum without scikit-learn.
 *-------------------------------------------------------------------------
 */
#include "core/classic/linear.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_ROWS 256
#define MAX_FEATURES 512
#define MAX_LABELS 3
#define MAX_ENTRIES 8192
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Of margins of 1; the distances from the optimum that it may leave: */
#define TOLERANCE 1e-4
#define OBJECTIVE_TOLERANCE 1e-5	/* relative */
#define WEIGHT_TOLERANCE 2e-3	/* relative to the largest of the vector, and of 1 */

static const char *const files[] = {
	"test/golden/linear_two.txt",
	"test/golden/linear_weighted.txt",
	"test/golden/linear_three.txt"
};

typedef struct Solution
{
	double		cost;
	double		objective;
	double		vector[MAX_LABELS][1 + MAX_FEATURES];	/* the intercept first */
} Solution;

/* A golden file's problem and its solutions of the squared hinge */
typedef struct Golden
{
	int64_t		n_rows;
	int64_t		n_features;
	int			n_labels;
	double		label_cost[MAX_LABELS];
	AiSparseRow rows[MAX_ROWS];
	uint32_t	index[MAX_ENTRIES];
	float		value[MAX_ENTRIES];
	Solution	solutions[4];
	int			n_solutions;
} Golden;

static Golden golden;

static void
read_row(FILE *file, AiSparseRow *row, size_t *used)
{
	int			label;
	unsigned	n;

	assert_int_equal(fscanf(file, " row %d %u", &label, &n), 2);
	*row = (AiSparseRow) {
		.index = golden.index + *used, .value = golden.value + *used, .n = n, .label = label
	};
	for (unsigned i = 0; i < n; i++)
	{
		assert_int_equal(fscanf(file, " %u:%f", &golden.index[*used], &golden.value[*used]), 2);
		*used += 1;
	}
	assert_true(*used < MAX_ENTRIES);
	row->norm = ai_sparse_norm(row->value, n);
}

static void
read_golden(const char *path)
{
	FILE	   *file = fopen(path, "r");
	char		line[256];
	char		loss[32];
	Solution	solution;
	size_t		used = 0;

	assert_non_null(file);
	memset(&golden, 0, sizeof(golden));
	do
		assert_non_null(fgets(line, sizeof(line), file));
	while (line[0] == '#');
	assert_int_equal(sscanf(line, "rows %ld features %ld classes %d", &golden.n_rows,
							&golden.n_features, &golden.n_labels), 3);
	assert_true(golden.n_rows <= MAX_ROWS && golden.n_features <= MAX_FEATURES);
	assert_int_equal(fscanf(file, " class_weight"), 0);
	for (int k = 0; k < golden.n_labels; k++)
		assert_int_equal(fscanf(file, "%lf", &golden.label_cost[k]), 1);
	for (int64_t i = 0; i < golden.n_rows; i++)
		read_row(file, &golden.rows[i], &used);
	while (fscanf(file, " solution %31s %lf objective %lf gradient %*f", loss, &solution.cost,
				  &solution.objective) == 3)
	{
		int			n_cols = strcmp(loss, "multinomial") == 0 ? golden.n_labels :
			ai_linear_n_cols(golden.n_labels);

		for (int c = 0; c < n_cols; c++)
		{
			assert_int_equal(fscanf(file, " w"), 0);
			for (int64_t f = 0; f <= golden.n_features; f++)
				assert_int_equal(fscanf(file, "%lf", &solution.vector[c][f]), 1);
		}
		if (strcmp(loss, "squared_hinge") == 0)
			golden.solutions[golden.n_solutions++] = solution;
	}
	assert_true(feof(file));
	assert_int_equal(golden.n_solutions, 4);
	fclose(file);
}

/*
 * One fit of the golden problem
 */
typedef struct Fit
{
	AiLinearProblem problem;
	AiLinearModel model;
	float	   *alpha;
	void	   *scratch;
	uint32_t	members[MAX_ROWS];
	AiLinearEnd end;
	int			n_passes;
	int			n_asked;		/* whether to stop */
	int			stop_at;
} Fit;

static float *
zeros(size_t n)
{
	float	   *array = NULL;

	assert_int_equal(posix_memalign((void **) &array, 64, n * sizeof(float)), 0);
	memset(array, 0, n * sizeof(float));
	return array;
}

static bool
stop_when_told(void *arg)
{
	Fit		   *fit = arg;

	return ++fit->n_asked == fit->stop_at;
}

static void
init_fit(Fit *fit, double cost)
{
	int			width = ai_linear_width(golden.n_labels);

	*fit = (Fit) {
		.problem = {
			.rows = golden.rows, .members = fit->members, .n_members = golden.n_rows,
			.n_features = golden.n_features, .n_labels = golden.n_labels, .cost = cost,
			.label_cost = golden.label_cost, .tolerance = TOLERANCE, .max_passes = 1000000,
			.seed = 1, .should_stop = stop_when_told, .stop_arg = fit
		},
		.model = {.n_cols = ai_linear_n_cols(golden.n_labels), .width = width}
	};
	for (uint32_t i = 0; i < MAX_ROWS; i++)
		fit->members[i] = i;
	fit->model.weight = zeros((size_t) golden.n_features * (size_t) width);
	fit->model.intercept = zeros((size_t) width);
	fit->alpha = zeros((size_t) golden.n_rows * (size_t) fit->model.n_cols);
	fit->scratch = NULL;
	assert_int_equal(posix_memalign(&fit->scratch, 64,
									ai_linear_scratch_size(golden.n_rows, golden.n_labels)), 0);
}

static void
run_fit(Fit *fit)
{
	fit->end = ai_linear_fit(&fit->model, fit->alpha, &fit->n_passes, &fit->problem,
							 fit->scratch);
}

static void
free_fit(Fit *fit)
{
	free(fit->model.weight);
	free(fit->model.intercept);
	free(fit->alpha);
	free(fit->scratch);
}

/* feature -1 is the intercept */
static float *
weight_place(const AiLinearModel *model, int col, int64_t feature)
{
	int64_t		n_sparse = golden.n_features - model->n_dense;

	if (feature >= n_sparse)
		return &model->dense_weight[(feature - n_sparse) * model->width + col];
	return feature < 0 ? &model->intercept[col] : &model->weight[feature * model->width + col];
}

static double
weight_at(const AiLinearModel *model, int col, int64_t feature)
{
	return *weight_place(model, col, feature);
}

/* the objective of one column in double precision, and the length of its gradient */
static double
objective(const Fit *fit, int col, double *gradient_length)
{
	double		gradient[1 + MAX_FEATURES];
	double		value = 0;
	double		length = 0;

	for (int64_t f = -1; f < golden.n_features; f++)
	{
		gradient[f + 1] = weight_at(&fit->model, col, f);
		value += gradient[f + 1] * gradient[f + 1] / 2;
	}
	for (int64_t i = 0; i < golden.n_rows; i++)
	{
		const AiSparseRow *row = &golden.rows[i];
		double		y = row->label == (fit->model.n_cols == 1 ? 1 : col) ? 1 : -1;
		double		cost = fit->problem.cost * golden.label_cost[row->label];
		double		score = fit->model.intercept[col];
		double		slack;

		for (uint32_t j = 0; j < row->n; j++)
			score += row->value[j] * weight_at(&fit->model, col, row->index[j]);
		slack = 1 - y * score;
		if (slack <= 0)
			continue;
		value += cost * slack * slack;
		gradient[0] -= 2 * cost * slack * y;
		for (uint32_t j = 0; j < row->n; j++)
			gradient[row->index[j] + 1] -= 2 * cost * slack * y * row->value[j];
	}
	for (int64_t f = 0; f <= golden.n_features; f++)
		length += gradient[f] * gradient[f];
	*gradient_length = sqrt(length);
	return value;
}

static void
check_solution(const Fit *fit, const Solution *solution)
{
	double		value = 0;

	for (int c = 0; c < fit->model.n_cols; c++)
	{
		double		largest = 1;
		double		gradient_length;
		double		distance = 0;

		for (int64_t f = 0; f <= golden.n_features; f++)
			largest = fmax(largest, fabs(solution->vector[c][f]));
		for (int64_t f = 0; f <= golden.n_features; f++)
		{
			double		off = weight_at(&fit->model, c, f - 1) - solution->vector[c][f];

			distance += off * off;
			if (!(fabs(off) <= WEIGHT_TOLERANCE * largest))
				fail_msg("cost %g, column %d, weight %d: off by %g", solution->cost, c, (int) f,
						 off);
		}
		value += objective(fit, c, &gradient_length);
		assert_true(sqrt(distance) <= gradient_length * 1.001 + 1e-6);
	}
	if (!(fabs(value - solution->objective) <= OBJECTIVE_TOLERANCE * solution->objective))
		fail_msg("cost %g: objective %.9g instead of %.9g", solution->cost, value,
				 solution->objective);
}

/* columns past the labels' stay zero: the kernels count on it */
static void
check_padding(const AiLinearModel *model)
{
	for (int c = model->n_cols; c < model->width; c++)
	{
		for (int64_t f = -1; f < golden.n_features; f++)
			assert_true(weight_at(model, c, f) == 0);
	}
}

/* two labels, weighted ones and one against the rest: the optimum is scikit-learn's */
static void
test_optimum(void **state)
{
	(void) state;
	for (size_t i = 0; i < COUNT(files); i++)
	{
		read_golden(files[i]);
		for (int level = AI_CPU_PORTABLE; level <= (int) ai_kernels_best_level(); level++)
		{
			assert_int_equal(ai_kernels_select((AiCpuLevel) level, NULL), AI_OK);
			for (int s = 0; s < golden.n_solutions; s++)
			{
				Fit			fit;

				init_fit(&fit, golden.solutions[s].cost);
				run_fit(&fit);
				assert_int_equal(fit.end, AI_LINEAR_CONVERGED);
				check_solution(&fit, &golden.solutions[s]);
				check_padding(&fit.model);
				free_fit(&fit);
			}
		}
	}
}

/* The last n_dense features of the golden rows as dense numbers */
typedef struct Split
{
	AiSparseRow rows[MAX_ROWS];
	uint32_t	index[MAX_ENTRIES];
	float		value[MAX_ENTRIES];
	float	   *dense;
} Split;

static void
split_rows(Split *split, int n_dense)
{
	int64_t		n_sparse = golden.n_features - n_dense;
	size_t		used = 0;

	split->dense = zeros((size_t) golden.n_rows * (size_t) n_dense);
	for (int64_t i = 0; i < golden.n_rows; i++)
	{
		const AiSparseRow *row = &golden.rows[i];
		float	   *dense = split->dense + i * n_dense;
		size_t		first = used;

		for (uint32_t j = 0; j < row->n; j++)
		{
			if (row->index[j] >= n_sparse)
			{
				dense[row->index[j] - n_sparse] = row->value[j];
				continue;
			}
			split->index[used] = row->index[j];
			split->value[used++] = row->value[j];
		}
		split->rows[i] = *row;
		split->rows[i].index = split->index + first;
		split->rows[i].value = split->value + first;
		split->rows[i].n = (uint32_t) (used - first);
		split->rows[i].dense = dense;
	}
}

/* it is the same where features are dense, some or all of them */
static void
test_dense_optimum(void **state)
{
	static Split split;

	(void) state;
	for (size_t i = 0; i < COUNT(files); i++)
	{
		read_golden(files[i]);
		for (int part = 1; part <= 3; part++)
		{
			int			n_dense = (int) (golden.n_features * part / 3);

			split_rows(&split, n_dense);
			for (int level = AI_CPU_PORTABLE; level <= (int) ai_kernels_best_level(); level++)
			{
				Fit			fit;

				assert_int_equal(ai_kernels_select((AiCpuLevel) level, NULL), AI_OK);
				init_fit(&fit, golden.solutions[1].cost);
				fit.problem.rows = split.rows;
				fit.problem.n_features -= n_dense;
				fit.model.n_dense = n_dense;
				fit.model.dense_weight = zeros((size_t) n_dense * (size_t) fit.model.width);
				run_fit(&fit);
				assert_int_equal(fit.end, AI_LINEAR_CONVERGED);
				check_solution(&fit, &golden.solutions[1]);
				check_padding(&fit.model);

				/* and its weights are those of its duals */
				ai_linear_weights(&fit.model, fit.alpha, &fit.problem, fit.scratch);
				check_solution(&fit, &golden.solutions[1]);
				free(fit.model.dense_weight);
				free_fit(&fit);
			}
			free(split.dense);
		}
	}
}

/* the gradient of the objective, taken by differences of it, is that which the tests use */
static void
test_gradient(void **state)
{
	Fit			fit;
	double		analytic;
	double		unused;
	double		length = 0;

	(void) state;
	read_golden(files[1]);
	init_fit(&fit, 1);
	fit.problem.max_passes = 1;
	run_fit(&fit);
	objective(&fit, 0, &analytic);
	for (int64_t f = -1; f < golden.n_features; f++)
	{
		float	   *w = f < 0 ? fit.model.intercept : fit.model.weight + f;
		float		was = *w;
		float		up = was + 0x1p-10f;
		float		down = was - 0x1p-10f;
		double		difference;

		*w = up;
		difference = objective(&fit, 0, &unused);
		*w = down;
		difference -= objective(&fit, 0, &unused);
		*w = was;
		length += pow(difference / ((double) up - down), 2);
	}
	assert_true(fabs(sqrt(length) / analytic - 1) < 1e-3);
	free_fit(&fit);
}

/* the tighter the tolerance, the smaller the gradient: convergence means what it says */
static void
test_convergence(void **state)
{
	static const double tolerances[] = {0.1, 0.01, 0.001, 0.0001};
	double		before = INFINITY;
	int			passes_before = 0;

	(void) state;
	read_golden(files[0]);
	for (size_t t = 0; t < COUNT(tolerances); t++)
	{
		Fit			fit;
		double		length;

		init_fit(&fit, 1);
		fit.problem.tolerance = tolerances[t];
		run_fit(&fit);
		assert_int_equal(fit.end, AI_LINEAR_CONVERGED);
		objective(&fit, 0, &length);
		assert_true(length < before);
		assert_true(fit.n_passes > passes_before);
		before = length;
		passes_before = fit.n_passes;
		free_fit(&fit);
	}
	assert_true(before < 0.01);
}

/* the limit of passes is told, and going on from there reaches the optimum */
static void
test_go_on(void **state)
{
	Fit			fit;

	(void) state;
	for (size_t i = 0; i < COUNT(files); i++)
	{
		read_golden(files[i]);
		init_fit(&fit, golden.solutions[2].cost);
		fit.problem.max_passes = 3;
		run_fit(&fit);
		assert_int_equal(fit.end, AI_LINEAR_MAX_PASSES);
		assert_int_equal(fit.n_passes, 3);
		fit.problem.max_passes = 1000000;
		run_fit(&fit);
		assert_int_equal(fit.end, AI_LINEAR_CONVERGED);
		check_solution(&fit, &golden.solutions[2]);

		/* at the optimum there is nothing left to do */
		run_fit(&fit);
		assert_int_equal(fit.end, AI_LINEAR_CONVERGED);
		assert_true(fit.n_passes <= 3);
		free_fit(&fit);
	}
}

/* Weights, made anew from the dual variables, are those that the fit has carried along. */
static void
check_weights_belong(Fit *fit)
{
	size_t		n = (size_t) golden.n_features * (size_t) fit->model.width;
	float	   *carried = zeros(n);

	memcpy(carried, fit->model.weight, n * sizeof(float));
	ai_linear_weights(&fit->model, fit->alpha, &fit->problem, fit->scratch);
	for (size_t i = 0; i < n; i++)
		assert_true(fabsf(carried[i] - fit->model.weight[i]) <= 1e-4f * (1 + fabsf(carried[i])));
	check_padding(&fit->model);
	free(carried);
}

/* a fit that is told to stop leaves a model that is usable, and can be gone on with */
static void
test_stop(void **state)
{
	(void) state;
	for (size_t i = 0; i < COUNT(files); i++)
	{
		Fit			whole;

		read_golden(files[i]);
		init_fit(&whole, 100);
		whole.problem.tolerance = 1e-6;
		whole.problem.max_passes = 3000;
		run_fit(&whole);
		assert_true(whole.n_asked > 3);
		for (int stop_at = 1; stop_at <= 3; stop_at++)
		{
			Fit			fit;

			init_fit(&fit, golden.solutions[3].cost);
			fit.problem.tolerance = 1e-6;
			fit.stop_at = stop_at;
			run_fit(&fit);
			assert_int_equal(fit.end, AI_LINEAR_STOPPED);
			assert_int_equal(fit.n_asked, stop_at);
			check_weights_belong(&fit);
			fit.problem.tolerance = TOLERANCE;
			run_fit(&fit);
			assert_int_equal(fit.end, AI_LINEAR_CONVERGED);
			check_solution(&fit, &golden.solutions[3]);
			free_fit(&fit);
		}
		free_fit(&whole);
	}
}

/* columns that are fitted in blocks of any width are those that are fitted together */
static void
test_blocks(void **state)
{
	(void) state;
	read_golden(files[2]);
	for (int block = 1; block <= 2; block++)
	{
		Fit			whole;

		init_fit(&whole, golden.solutions[1].cost);
		for (int first = 0; first < golden.n_labels; first += block)
		{
			Fit			fit;

			init_fit(&fit, golden.solutions[1].cost);
			free(fit.alpha);
			fit.alpha = whole.alpha;
			fit.problem.first_col = first;
			fit.model.n_cols = golden.n_labels - first < block ? golden.n_labels - first : block;
			run_fit(&fit);
			assert_int_equal(fit.end, AI_LINEAR_CONVERGED);
			check_weights_belong(&fit);
			for (int c = 0; c < fit.model.n_cols; c++)
			{
				for (int64_t f = -1; f < golden.n_features; f++)
					*weight_place(&whole.model, first + c, f) =
						(float) weight_at(&fit.model, c, f);
			}
			fit.alpha = NULL;
			free_fit(&fit);
		}
		check_solution(&whole, &golden.solutions[1]);
		check_weights_belong(&whole);
		free_fit(&whole);
	}
}

/* the same seed gives the same bits; another seed another way to the same optimum */
static void
test_seed(void **state)
{
	Fit			fit;
	Fit			again;
	Fit			other;
	size_t		size;

	(void) state;
	read_golden(files[2]);
	size = (size_t) golden.n_features * (size_t) ai_linear_width(3) * sizeof(float);
	init_fit(&fit, 1);
	init_fit(&again, 1);
	init_fit(&other, 1);
	other.problem.seed = 2;
	run_fit(&fit);
	run_fit(&again);
	run_fit(&other);
	assert_memory_equal(fit.model.weight, again.model.weight, size);
	assert_int_equal(fit.n_passes, again.n_passes);
	assert_true(memcmp(fit.model.weight, other.model.weight, size) != 0);
	check_solution(&other, &golden.solutions[1]);
	free_fit(&fit);
	free_fit(&again);
	free_fit(&other);
}

/* rows outside of the members are not learnt from; no member at all is a model of zeros */
static void
test_members(void **state)
{
	Fit			half;
	Fit			none;

	(void) state;
	read_golden(files[0]);
	init_fit(&half, 1);
	half.problem.n_members = golden.n_rows / 2;
	for (uint32_t i = 0; i < MAX_ROWS; i++)
		half.members[i] = 2 * i;
	run_fit(&half);
	assert_int_equal(half.end, AI_LINEAR_CONVERGED);
	check_weights_belong(&half);
	for (int64_t i = 1; i < golden.n_rows; i += 2)
		assert_true(half.alpha[i] == 0);
	free_fit(&half);

	init_fit(&none, 1);
	none.problem.n_members = 0;
	run_fit(&none);
	assert_int_equal(none.end, AI_LINEAR_CONVERGED);
	for (int64_t f = -1; f < golden.n_features; f++)
		assert_true(weight_at(&none.model, 0, f) == 0);
	free_fit(&none);
}

/* scores are the sums they should be, and the best of equal ones is the first */
static void
test_scores(void **state)
{
	static const float equal[] = {1, 3, 3, 0};
	static const float negative[] = {-1};
	static const float zero[] = {0};
	static const float positive[] = {1e-30f};

	(void) state;
	for (size_t i = 0; i < COUNT(files); i++)
	{
		Fit			fit;
		float	   *score = zeros(16);

		read_golden(files[i]);
		init_fit(&fit, 1);
		run_fit(&fit);
		for (int64_t r = 0; r < golden.n_rows; r++)
		{
			const AiSparseRow *row = &golden.rows[r];

			ai_linear_scores(score, &fit.model, row);
			for (int c = 0; c < fit.model.n_cols; c++)
			{
				double		exact = fit.model.intercept[c];

				for (uint32_t j = 0; j < row->n; j++)
					exact += row->value[j] * weight_at(&fit.model, c, row->index[j]);
				assert_true(fabs(score[c] - exact) < 1e-5);
			}
		}
		free(score);
		free_fit(&fit);
	}
	assert_int_equal(ai_linear_best(equal, 4), 1);
	assert_int_equal(ai_linear_best(negative, 2), 0);
	assert_int_equal(ai_linear_best(zero, 2), 0);
	assert_int_equal(ai_linear_best(positive, 2), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_optimum),
		cmocka_unit_test(test_dense_optimum),
		cmocka_unit_test(test_gradient),
		cmocka_unit_test(test_convergence),
		cmocka_unit_test(test_go_on),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_seed),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_scores),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
