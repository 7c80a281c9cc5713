/*-------------------------------------------------------------------------
 * loss.h
 *		What training makes small: values and gradients as Keras 3 defines them.
 *
 * Cross-entropies take the sums before softmax or sigmoid: the trainer leaves that last
 * activation to them, which is exact where probabilities would be 0 or 1.
 *-------------------------------------------------------------------------
 */
#ifndef AI_LOSS_H
#define AI_LOSS_H

#include "core/base/status.h"

typedef enum AiLossKind
{
	AI_LOSS_MSE,				/* mean_squared_error */
	AI_LOSS_MAE,				/* mean_absolute_error */
	AI_LOSS_HUBER,				/* delta */
	AI_LOSS_POISSON,			/* epsilon 1e-7 inside of the logarithm */
	AI_LOSS_BINARY,				/* binary_crossentropy, of each output */
	AI_LOSS_CATEGORICAL,		/* categorical_crossentropy: target is a distribution */
	AI_LOSS_SPARSE,				/* sparse_categorical_crossentropy: target is a number */
	AI_LOSS_HINGE				/* targets 0 and 1, or -1 and 1 */
} AiLossKind;

typedef struct AiLoss
{
	AiLossKind	kind;
	bool		from_logits;	/* of cross-entropies; else the output holds probabilities */
	double		delta;			/* of Huber */
	double		label_smoothing;
} AiLoss;

extern const char *ai_loss_name(AiLossKind kind);

/* false: there is none of this name; "mse", "mae" are known too */
extern bool ai_loss_find(AiLossKind *kind, const char *name, size_t len);

/* How many numbers of target one place has: n, or 1 for AI_LOSS_SPARSE */
extern size_t ai_loss_target_size(const AiLoss *loss, size_t n);

/*
 * n_places places (rows, or steps of rows) of n outputs each: the sum over places of weight
 * times the loss, which is a mean over the place's outputs.  d_output gets its gradient
 * times scale.  weight:[n_places], NULL: all 1; 0 leaves a place out.  d_output NULL: the
 * value alone.
 */
extern double ai_loss_run(const AiLoss *loss, const float *output, const float *target,
						  const float *weight, size_t n_places, size_t n, float *d_output,
						  double scale);

#endif							/* AI_LOSS_H */
