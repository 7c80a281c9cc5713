/*-------------------------------------------------------------------------
 * linear.h
 *		Linear classifiers of sparse rows: squared hinge, dual descent.
 *
 * A row may have dense numbers besides, which are further features of the same model.
 *
 * For each column of weights, with y = +1 for the rows of its label and -1 for
 * all others, and every row given one more feature that is always 1,
 *
 *	min over w   1/2 |w|^2 + sum_i cost_i max(0, 1 - y_i w.x_i)^2
 *
 * by coordinate descent on the dual (Hsieh, Chang, Lin, Keerthi, Sundararajan:
 * A Dual Coordinate Descent Method for Large-scale Linear SVM, ICML 2008).
 * Two labels share one column, y = +1 for label 1; more have one each, and all
 * columns of a row are worked on together.
 *
 * cost is scikit-learn's C.
 *-------------------------------------------------------------------------
 */
#ifndef AI_LINEAR_H
#define AI_LINEAR_H

#include "core/base/host.h"
#include "core/kernels/kernels.h"

typedef struct AiSparseRow
{
	const uint32_t *index;		/* [n], no index twice */
	const float *value;			/* [n] */
	uint32_t	n;
	int32_t		label;
	float		norm;			/* sum of squared values, and of the dense numbers' squares */
	const float *dense;			/* [n_dense of the model]; not looked at where that is 0 */
} AiSparseRow;

extern float ai_sparse_norm(const float *value, size_t n);

/* Asked about every millisecond of work; true stops the fit where it is. */
typedef bool (*AiStopFn) (void *arg);

typedef struct AiLinearProblem
{
	const AiSparseRow *rows;	/* borrowed */
	const uint32_t *members;	/* [n_members] the rows to learn from */
	int64_t		n_members;
	int64_t		n_features;
	int			n_labels;		/* >= 2 */
	int			first_col;		/* of the model, among the columns of all labels */
	double		cost;			/* > 0 */
	const double *label_cost;	/* [n_labels] multiplies cost, or NULL */
	double		tolerance;		/* largest violation of optimality, of margins of 1 */
	int			max_passes;
	uint64_t	seed;			/* of the order of rows */
	AiStopFn	should_stop;
	void	   *stop_arg;
} AiLinearProblem;

/*
 * All columns, ai_linear_n_cols(n_labels) of them, or some that are fitted by
 * themselves.  Columns past n_cols, up to width, hold zeros.
 */
typedef struct AiLinearModel
{
	int			n_cols;
	int			width;			/* 1 for two labels, else ai_kernels_width(n_cols) */
	float	   *weight;			/* [n_features, width], 64-byte aligned */
	float	   *intercept;		/* [width] */
	int			n_dense;
	float	   *dense_weight;	/* [n_dense, width], 64-byte aligned; NULL: n_dense is 0 */
} AiLinearModel;

typedef enum AiLinearEnd
{
	AI_LINEAR_CONVERGED,
	AI_LINEAR_MAX_PASSES,
	AI_LINEAR_STOPPED
} AiLinearEnd;

static inline int
ai_linear_n_cols(int n_labels)
{
	return n_labels == 2 ? 1 : n_labels;
}

static inline int
ai_linear_width(int n_labels)
{
	return n_labels == 2 ? 1 : (int) ai_kernels_width((size_t) n_labels);
}

/* Bytes that ai_linear_fit needs as scratch */
extern size_t ai_linear_scratch_size(int64_t n_members, int n_labels);

/*
 * weight = sum_i alpha_i y_i x_i over the members, for duals from elsewhere.
 * Told to stop it leaves weights that mean nothing.
 */
extern void ai_linear_weights(AiLinearModel *model, const float *alpha,
							  const AiLinearProblem *problem, void *scratch);

/*
 * Go on from model and alpha:[rows, ai_linear_n_cols(n_labels)], its dual
 * variables: all zeros, or those of a like problem.  Whatever the end, the two
 * belong together and are usable.
 */
extern AiLinearEnd ai_linear_fit(AiLinearModel *model, float *alpha, int *n_passes,
								 const AiLinearProblem *problem, void *scratch);

/* score:[width], 16-byte aligned */
extern void ai_linear_scores(float *score, const AiLinearModel *model,
							 const AiSparseRow *row);

/* The label of the largest score; the first where several are equal */
extern int	ai_linear_best(const float *score, int n_labels);

#endif							/* AI_LINEAR_H */
