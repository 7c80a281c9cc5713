/*-------------------------------------------------------------------------
 * packed.h
 *		Products with weights that were laid out for them once, in three precisions.
 *
 *	y[i, j] = act(bias[j] + residual[i, j] + sum over p of x[i, p] * w[j, p])
 *
 * Weights are stored with their bias as one block, which is used where it lies and is the same on
 * every machine.  It consists of panels of 16 columns (rows of w); a panel's p-th row holds 32
 * bits of each of its columns: one fp32, two bf16 or four int8 that follow each other in the sum.
 * After all panels come the biases, and of int8 the scale of each column and the sum of its
 * numbers.  Columns are filled up with zeros to a multiple of 64, and sums, but for those of fp32,
 * to 64 bytes.
 *
 * Rows of x are fp32 as they are; bf16, rounded by the kernel round_rows; or u8, made by the
 * kernel quantise_rows, where x is about (q - zero) * scale with a scale and a zero of each row.
 *
 * Of one row and one column there is one order of the sum, whatever is computed together with it.
 * What comes out is, before the activation,
 *
 *	fp32	within (k + 4) * 2^-24 * S of the exact sum
 *	bf16	within (k + 4) * 2^-23 * S, plus (k + 4) * 2^-125, of the exact sum of what the bf16
 *			are: some processors do not know numbers below 2^-126
 *	int8	the same bits at every level: the sum is one of integers, then
 *			(float) (sum of (q - zero) * w) * (scale of the row * scale of the column), rounded
 *			after each operation, + bias, + residual
 *
 * S being the sum of the sizes of all that is added.  Activations follow as kernels.h has them;
 * with AVX-512, GELU is a function of its own within the same budget.  test/unit/test_packed.c
 * holds every way of computing them to all this.
 *-------------------------------------------------------------------------
 */
#ifndef AI_PACKED_H
#define AI_PACKED_H

#include "core/base/host.h"
#include "core/kernels/kernels.h"

typedef enum AiPrecision
{
	AI_PRECISION_FP32,
	AI_PRECISION_BF16,
	AI_PRECISION_INT8,
	AI_N_PRECISIONS
} AiPrecision;

#define AI_PANEL_COLUMNS 16
#define AI_COLUMNS_MULTIPLE 64

/* Terms of a sum at most: those of int8 must not overflow */
#define AI_PACKED_MAX_K ((size_t) 1 << 16)

/* Stored weights w:[n, k] and bias, as ai_packed_view() finds them; borrowed */
typedef struct AiPacked
{
	AiPrecision precision;
	size_t		n;
	size_t		k;
	size_t		n_words;		/* rows of a panel */
	const uint32_t *words;		/* [panels, n_words, 16] */
	const float *bias;			/* of all columns, as what follows */
	const float *scales;		/* int8: of columns */
	const int32_t *sums;		/* int8: of the numbers of a column */
} AiPacked;

typedef struct AiPackedProduct
{
	const AiPacked *weights;
	size_t		m;
	const void *x;				/* m rows */
	size_t		x_row;			/* bytes from row to row, at least ai_packed_row_size() */
	const AiRowScale *x_scales; /* [m], int8 only */
	const float *residual;		/* may be y; NULL: none */
	size_t		residual_row;
	float	   *y;
	size_t		y_row;
	AiActivation act;
} AiPackedProduct;

/* "fp32", "bf16", "int8" */
extern const char *ai_precision_name(AiPrecision precision);

/* false: none is called so */
extern bool ai_precision_find(AiPrecision *precision, const char *name);

/* Rows of a panel, which is also the number of 32 bits of a row of x */
extern size_t ai_packed_n_words(AiPrecision precision, size_t k);

/* Bytes of a row of x; what lies behind its k numbers is 0 */
extern size_t ai_packed_row_size(AiPrecision precision, size_t k);

/* Bytes of the block; AI_ERR_LIMIT if they are too many, or n or k is 0 or too large */
extern AiCode ai_packed_size(size_t *size, AiPrecision precision, size_t n, size_t k,
							 AiError *err);

/* The parts of a block, whose size has been checked; it begins at a multiple of 64 */
extern AiPacked ai_packed_view(const void *block, AiPrecision precision, size_t n, size_t k);

/* Makes the block of w:[n, k], with w_row numbers from row to row, and bias:[n] or NULL */
extern void ai_pack(void *block, AiPrecision precision, const float *w, size_t w_row,
					const float *bias, size_t n, size_t k);

/* The same, of a stored block: w:[n, k] as it counts in products */
extern void ai_unpack(float *w, const AiPacked *packed);

/*
 * Of bytes from elsewhere: are all numbers finite, at most 1e18, and what fills up 0?
 * AI_ERR_FORMAT where they are not; or AI_ERR_CANCELLED.
 */
extern AiCode ai_packed_check(const AiPacked *packed, const AiHost *host, AiError *err);

/* y may not overlap x; of y's rows nothing but n numbers is touched */
extern void ai_packed_product(const AiPackedProduct *product);

/* The ways to compute a product, from the plainest on; for tests and comparisons */
typedef struct AiPackedWay
{
	const char *name;
	AiPrecision precision;
	AiCpuLevel	level;
	bool		(*is_there) (void); /* what it needs beside the level; NULL: nothing */
	void		(*product) (const AiPackedProduct *product);
} AiPackedWay;

/* NULL: there are no more than i; also of other machines, see the next function */
extern const AiPackedWay *ai_packed_way(size_t i);

/* Can it run, at the selected level? */
extern bool ai_packed_way_runs(const AiPackedWay *way);

#endif							/* AI_PACKED_H */
