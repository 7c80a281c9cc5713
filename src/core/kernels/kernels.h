/*-------------------------------------------------------------------------
 * kernels.h
 *		The loops that take the time, at the level this machine can run.
 *
 * Sparse and dense products exist as plain loops (ref_*.c, which say what
 * they compute) and as hand-written versions for some machines (x86/).  A
 * level is chosen once; every kernel of a level sums in one fixed order, so
 * an answer changes with the level only, and there within the budget:
 *
 *	|result - exact| <= (n + 2) * 2^-24 * sum |value * w|	for every sum of n terms
 *
 * All other kernels are plain loops (loops/), compiled for each level, which
 * give the same bits at every level, but for which NaN it is.  Sums of a row
 * are within the budget above; of functions the error is at most
 *
 *	exp									2^-23 * exact, down to 2^-149
 *	ELU, SELU, SIGMOID, TANH, SOFTPLUS	2^-21 * |exact|, or 2^-125
 *	GELU, GELU_TANH, SILU				2^-21 * |x|, or 2^-125
 *	what activate_back multiplies by	2^-20
 *	gates and states of cells			2^-20 times the sizes of what is added
 *
 * NaN comes out of NaN, also out of RELU.  test/unit/test_kernels.c,
 * test_gemm.c and test_dense*.c hold every level to all this.
 *-------------------------------------------------------------------------
 */
#ifndef AI_KERNELS_H
#define AI_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

typedef enum AiCpuLevel
{
	AI_CPU_PORTABLE,
	AI_CPU_AVX2,				/* AVX2 and FMA */
	AI_CPU_AVX512,				/* AVX-512 F, BW, DQ, VL, CD */
	AI_CPU_N_LEVELS
} AiCpuLevel;

/*
 * A product of dense matrices, or a sum of several over taps t = 0 .. n_taps - 1, as
 * convolutions are:
 *
 *	c[i, j] = act(c[i, j] if adds + bias[j] + sum over t, then p, of A_t[i, p] * B_t[p, j])
 *
 *	A_t[i, p] = a[t * a_tap + i * a_row + p * a_col], one of a_row and a_col being 1, or
 *				a[t * a_tap + rows[i] + p] where rows is given
 *	B_t[p, j] = b[t * b_tap + p * b_row + j]
 *	C[i, j]   = c[i * c_row + j]
 *
 * The order of the sum is that of t and p, whatever m and n are and whichever rows are
 * computed together: a row's answer does not depend on the others.  By OpenBLAS (see AiBlas) the
 * order may be another one, for other n and k too, but a row's answer still is its own.
 */
typedef enum AiActivation
{
	AI_ACT_LINEAR,
	AI_ACT_RELU,
	AI_ACT_LEAKY_RELU,			/* slope 0.2 below 0 */
	AI_ACT_ELU,
	AI_ACT_SELU,
	AI_ACT_GELU,				/* by the error function */
	AI_ACT_GELU_TANH,			/* its approximation */
	AI_ACT_SILU,
	AI_ACT_SIGMOID,
	AI_ACT_TANH,
	AI_ACT_SOFTPLUS,
	AI_ACT_SOFTMAX,				/* of a row; not for act() above */
	AI_ACT_N
} AiActivation;

typedef struct AiGemm
{
	size_t		m;
	size_t		n;
	size_t		k;				/* of one tap */
	size_t		n_taps;
	const float *a;
	ptrdiff_t	a_row;
	ptrdiff_t	a_col;
	ptrdiff_t	a_tap;
	const ptrdiff_t *rows;		/* [m]; NULL: a_row */
	const float *b;
	ptrdiff_t	b_row;
	ptrdiff_t	b_tap;
	float	   *c;
	ptrdiff_t	c_row;
	const float *bias;			/* [n]; NULL: none */
	bool		adds;
	AiActivation act;
} AiGemm;

/*
 * A product of which A has many zeros, whose terms are left out:
 *
 *	c[c_rows[i] + t * c_tap + j] += sum over p of A[i, p] * b[b_rows[p] + t * b_tap + j]
 *
 * for i < m, t < n_taps, j < n, p < k, in the order of i and of p.  Rows of C may overlap.
 */
typedef struct AiSparseGemm
{
	size_t		m;
	size_t		n;
	size_t		k;
	size_t		n_taps;
	const float *a;				/* [m, k] */
	ptrdiff_t	a_row;
	const float *b;
	const uint32_t *b_rows;		/* [k] */
	ptrdiff_t	b_tap;
	float	   *c;
	const uint32_t *c_rows;		/* [m] */
	ptrdiff_t	c_tap;
} AiSparseGemm;

/*
 * What an update of weights w needs beside its arrays; filled by train/optimiser.c.  All updates
 * begin with
 *
 *	g = (g + l1 * sign(w) + 2 * l2 * w) * scale
 *	g = min(max(g, -clip), clip), if clip > 0
 *	w = w - w * decay
 *
 * and go on as their members below say.  They keep nothing of this g.
 */
typedef struct AiUpdate
{
	double		rate;			/* of this step */
	double		beta1;			/* of the mean of gradients, or momentum */
	double		beta2;			/* of the mean of their squares */
	double		epsilon;
	double		decay;			/* of weights: Keras's weight_decay times its learning rate */
	double		correction1;	/* three factors of Nadam */
	double		correction2;
	double		correction3;
	double		l1;
	double		l2;
	double		scale;			/* of the gradient: clipping by norm; 1: none */
	double		clip;			/* of each gradient; 0: none */
} AiUpdate;

/* A window of an image: n_rows * n_columns places of n channels; its rows are row_step apart */
typedef struct AiImageWindow
{
	size_t		n_rows;
	size_t		n_columns;
	size_t		row_step;
	size_t		n;
} AiImageWindow;

/* What a row of u8 stands for: (q - zero) * scale */
typedef struct AiRowScale
{
	float		scale;
	int32_t		zero;
} AiRowScale;

typedef struct AiKernels
{
	/*
	 * sum_i value[i] * w[index[i]]
	 *
	 * index:[n], value:[n], w holds every index
	 */
	float		(*sparse_dot) (const uint32_t *index, const float *value, size_t n,
							   const float *w);

	/*
	 * w[index[i]] += a * value[i]
	 *
	 * No index occurs twice.
	 */
	void		(*sparse_axpy) (float *w, const uint32_t *index, const float *value,
								size_t n, float a);

	/*
	 * y[c] = sum_i value[i] * w[index[i], c]
	 *
	 * w:[., width] row-major, y:[width]; width is 4, 8 or a multiple of 16, see
	 * ai_kernels_width(), and w and y are aligned to 16 bytes
	 */
	void		(*sparse_rows_dot) (float *y, const uint32_t *index, const float *value,
									size_t n, const float *w, size_t width);

	/*
	 * w[index[i], c] += a[c] * value[i]
	 *
	 * No index occurs twice; width as above.
	 */
	void		(*sparse_rows_axpy) (float *w, const uint32_t *index, const float *value,
									 size_t n, const float *a, size_t width);

	/* c may not overlap a, b or bias; nothing else of c's rows is touched. */
	void		(*gemm) (const AiGemm *product);

	/* What is faster than gemm where less than a third of A is not 0 */
	void		(*gemm_sparse) (const AiSparseGemm *product);

	/* to:[n_cols, n_rows] = from:[n_rows, n_cols] transposed; rows are from_row and to_row apart */
	void		(*transpose) (float *to, ptrdiff_t to_row, const float *from,
							  ptrdiff_t from_row, size_t n_rows, size_t n_cols);

	/* y[i] = act(x[i]); y may be x.  This and all that follows is one code for all levels. */
	void		(*activate) (float *y, const float *x, size_t n, AiActivation act);

	/*
	 * dx[i] = dy[i] * act'(x[i]); dx may be dy.  y = act(x); only GELU, GELU_TANH and SILU look
	 * at x, which may be NULL for the others.
	 */
	void		(*activate_back) (float *dx, const float *dy, const float *x, const float *y,
								  size_t n, AiActivation act);

	/* y = softmax(x) of each of n_rows rows of n; y may be x */
	void		(*softmax) (float *y, const float *x, size_t n_rows, size_t n);

	/* dx = y * (dy - sum(dy * y)) of each row; dx may be dy */
	void		(*softmax_back) (float *dx, const float *dy, const float *y, size_t n_rows,
								 size_t n);

	/* sum[j] += x[i, j], over i in order */
	void		(*add_rows) (float *sum, const float *x, size_t n_rows, size_t n);

	/* y[i] += x[i] */
	void		(*add) (float *y, const float *x, size_t n);

	/* sum[i] = x[i] + x[stride + i] + ..., of 1 or more arrays, in their order */
	void		(*sum_arrays) (float *sum, const float *x, size_t stride, size_t n_arrays,
							   size_t n);

	/* y[i] = x[i] / 255 */
	void		(*pixels) (float *y, const uint8_t *x, size_t n);

	/* y[i] = x[i] * a + b */
	void		(*scale) (float *y, const float *x, size_t n, float a, float b);

	/* How many of x are not 0 */
	size_t		(*count_terms) (const float *x, size_t n);

	/* sum of x[i]^2, and of x[i] * y[i], in double */
	double		(*sum_squares) (const float *x, size_t n);
	double		(*dot) (const float *x, const float *y, size_t n);

	/*
	 * y = (x - mean) / sqrt(variance + epsilon) * gamma + beta of each row of n; y is not x.
	 * norm:[n_rows, n] gets the first factor and inverse:[n_rows] 1 / sqrt(...), for the way back;
	 * NULL: not wanted.
	 */
	void		(*layer_norm) (float *y, float *norm, float *inverse, const float *x,
							   const float *gamma, const float *beta, size_t n_rows, size_t n,
							   float epsilon);

	/* dx, and d_gamma[j] += dy * norm, d_beta[j] += dy */
	void		(*layer_norm_back) (float *dx, float *d_gamma, float *d_beta, const float *dy,
									const float *norm, const float *inverse, const float *gamma,
									size_t n_rows, size_t n);

	/*
	 * A step of an LSTM for n_rows rows of n units.  gates:[n_rows, 4n] holds the sums of i, f,
	 * g, o and gets what they are after sigmoid, sigmoid, tanh, sigmoid; c_new = f * c + i * g;
	 * h_new = o * tanh(c_new).  c_new may be c.
	 */
	void		(*lstm_cell) (float *gates, float *c_new, float *h_new, const float *c,
							  size_t n_rows, size_t n);

	/*
	 * From dh and dc (of c_new, which is changed) to d_gates:[n_rows, 4n], by the sums, and dc of
	 * the step before, in place; d_gates may be gates
	 */
	void		(*lstm_cell_back) (float *d_gates, float *dc, const float *dh, const float *gates,
								   const float *c, const float *c_new, size_t n_rows, size_t n);

	/*
	 * A step of a GRU as Keras has it (reset_after), whose gates lie in the order z, r, h:
	 * gates:[n_rows, 3n] holds the sums of the input, inner:[n_rows, 3n] those of the state, each
	 * with its bias.  gates gets z = sigmoid(gates + inner), r likewise and
	 * g = tanh(gates + r * inner); h_new = z * h + (1 - z) * g; h_new may be h.
	 */
	void		(*gru_cell) (float *gates, float *h_new, const float *inner, const float *h,
							 size_t n_rows, size_t n);

	/*
	 * From dh, of h_new, to d_gates and d_inner:[n_rows, 3n], by the sums; dh gets what goes to h
	 * past the products.  gates is what gru_cell made; d_gates may be gates, d_inner inner.
	 */
	void		(*gru_cell_back) (float *d_gates, float *d_inner, float *dh, const float *gates,
								  const float *inner, const float *h, size_t n_rows, size_t n);

	/*
	 * Updates of n weights, Keras 3's rules; lr is its learning rate, t the number of the step from
	 * 1 on.  g is the gradient; the other arrays are what the optimiser keeps.
	 */

	/*
	 * rate: lr; beta1: momentum.  w -= g * rate; with m, if it is not NULL:
	 * m = m * beta1 - g * rate; w += m, or w += m * beta1 - g * rate if is_nesterov
	 */
	void		(*update_sgd) (float *w, float *m, const float *g, size_t n,
							   const AiUpdate *update, bool is_nesterov);

	/*
	 * rate: lr; beta1: momentum; beta2: rho.  v = v * beta2 + g^2 * (1 - beta2);
	 * d = g * rate / sqrt(v + epsilon); w -= d; with m, if it is not NULL: m = m * beta1 + d;
	 * w -= m; with mean, if it is not NULL (centered): mean = mean * beta2 + g * (1 - beta2), and
	 * v - mean^2 stands for v in d
	 */
	void		(*update_rmsprop) (float *w, float *v, float *m, float *mean, const float *g,
								   size_t n, const AiUpdate *update);

	/* rate: lr.  v += g^2; w -= g * rate / sqrt(v + epsilon) */
	void		(*update_adagrad) (float *w, float *v, const float *g, size_t n,
								   const AiUpdate *update);

	/*
	 * rate: lr; beta2: rho.  v = v * beta2 + g^2 * (1 - beta2);
	 * e = g * sqrt(d + epsilon) / sqrt(v + epsilon); d = d * beta2 + e^2 * (1 - beta2);
	 * w -= e * rate
	 */
	void		(*update_adadelta) (float *w, float *v, float *d, const float *g, size_t n,
									const AiUpdate *update);

	/*
	 * rate: lr * sqrt(1 - beta2^t) / (1 - beta1^t).  m += (g - m) * (1 - beta1);
	 * v += (g^2 - v) * (1 - beta2); w -= m * rate / (sqrt(v) + epsilon)
	 */
	void		(*update_adam) (float *w, float *m, float *v, const float *g, size_t n,
								const AiUpdate *update);

	/*
	 * rate: lr / (1 - beta1^t).  m as above; v = max(v * beta2, |g|);
	 * w -= m * rate / (v + epsilon)
	 */
	void		(*update_adamax) (float *w, float *m, float *v, const float *g, size_t n,
								  const AiUpdate *update);

	/*
	 * rate: lr; with u(t) = beta1 * (1 - 0.96^t / 2) and p(t) = u(1) * .. * u(t)
	 * correction1: u(t + 1) / (1 - p(t + 1)); correction2: (1 - u(t)) / (1 - p(t));
	 * correction3: 1 / (1 - beta2^t).  m and v as in update_adam;
	 * w -= (m * correction1 + g * correction2) * rate / (sqrt(v * correction3) + epsilon)
	 */
	void		(*update_nadam) (float *w, float *m, float *v, const float *g, size_t n,
								 const AiUpdate *update);

	/* rate: lr.  w -= rate * sign(m * beta1 + g * (1 - beta1)); m = m * beta2 + g * (1 - beta2) */
	void		(*update_lion) (float *w, float *m, const float *g, size_t n,
								const AiUpdate *update);

	/*
	 * Of each channel the largest number in the window at x and the place where it is first, row by
	 * row from 0 on; NaN is larger than all.  y:[n], place:[n]
	 */
	void		(*window_max) (float *y, int32_t *place, const float *x,
							   const AiImageWindow *window);

	/* dx, at place, += dy */
	void		(*window_max_back) (float *dx, const float *dy, const int32_t *place,
									const AiImageWindow *window);

	/* y = factor * the sum of the window at x, of each channel */
	void		(*window_sum) (float *y, const float *x, const AiImageWindow *window, float factor);

	/* dx, at all places, += dy * factor */
	void		(*window_sum_back) (float *dx, const float *dy, const AiImageWindow *window,
									float factor);

	/*
	 * sum[j] += x[i, j], products[j] += x[i, j] * y[i, j], over i in order, where mask[i] is not 0;
	 * mask NULL: all
	 */
	void		(*column_sums) (double *sum, double *products, const float *x, const float *y,
								const uint8_t *mask, size_t n_rows, size_t n);

	/* y[i, j] = (x[i, j] - mean[j]) * factor[j] + shift[j]; y may be x */
	void		(*shift_columns) (float *y, const float *x, const float *mean, const float *factor,
								  const float *shift, size_t n_rows, size_t n);

	/* y[i, j] += x[i, j] * factor[j] */
	void		(*add_columns) (float *y, const float *x, const float *factor, size_t n_rows,
								size_t n);

	/* y[i * y_row + j] += x[i * x_row + j], j < n, over i in order: rows of y may overlap */
	void		(*add_overlapping) (float *y, size_t y_row, const float *x, size_t x_row,
									size_t n_rows, size_t n);

	/*
	 * q:[n_rows, q_row] = u8 nearest to x, of which the least and the greatest number of a row, or
	 * 0, become 0 and 255; 0 stays 0 exactly.  From n to q_row there are zeros.  Rows whose numbers
	 * are all below 2^-100 are taken as zeros; of one with an infinity or NaN the scale is NaN.
	 */
	void		(*quantise_rows) (uint8_t *q, size_t q_row, AiRowScale *scales, const float *x,
								  size_t x_row, size_t n_rows, size_t n);

	/* y:[n_rows, y_row] = x as bf16, to nearest, even if in the middle; zeros from n to y_row */
	void		(*round_rows) (uint16_t *y, size_t y_row, const float *x, size_t x_row,
							   size_t n_rows, size_t n);

	/* y[i] = 0 with probability rate, else x[i] / (1 - rate); drawn from seed and i alone */
	void		(*drop) (float *y, const float *x, size_t n, uint64_t seed, double rate);
} AiKernels;

/* The least width of rows for so many columns */
static inline size_t
ai_kernels_width(size_t n_cols)
{
	return n_cols <= 4 ? 4 : n_cols <= 8 ? 8 : (n_cols + 15) / 16 * 16;
}

/* The level in use: the best of this machine until another is selected. */
extern const AiKernels *ai_kernels(void);
extern AiCpuLevel ai_kernels_level(void);
extern AiCpuLevel ai_kernels_best_level(void);

/* "portable", "avx2", "avx512" */
extern const char *ai_cpu_level_name(AiCpuLevel level);

/*
 * For tests and for comparing machines: take a level up to the best one, else
 * AI_ERR_PARAM.  Not while another thread is inside a kernel.
 */
extern AiCode ai_kernels_select(AiCpuLevel level, AiError *err);

/* Whose products of dense matrices are used, of those that are not small */
typedef enum AiBlas
{
	AI_BLAS_AUTO,				/* OpenBLAS's where the machine's best level is portable */
	AI_BLAS_OWN,
	AI_BLAS_OPENBLAS
} AiBlas;

/* Not while another thread is inside a kernel, either of both */
extern void ai_blas_select(AiBlas choice);

/*
 * Before products are made, on the main thread: loads OpenBLAS if it is wanted.
 * AI_ERR_UNSUPPORTED: it was selected and cannot be used.
 */
extern AiCode ai_blas_prepare(AiError *err);

#endif							/* AI_KERNELS_H */
