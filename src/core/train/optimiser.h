/*-------------------------------------------------------------------------
 * optimiser.h
 *		How gradients change weights: rules and defaults of Keras 3.
 *
 * An optimiser keeps up to AI_OPTIMISER_MAX_SLOTS numbers for each weight, in flat arrays
 * laid out as the weights are.  Each weight's update depends on nothing but its own numbers
 * and the step's, so weights may be updated in any pieces on any threads.
 *-------------------------------------------------------------------------
 */
#ifndef AI_OPTIMISER_H
#define AI_OPTIMISER_H

#include "core/kernels/kernels.h"

typedef enum AiOptimiserKind
{
	AI_OPT_SGD,
	AI_OPT_RMSPROP,
	AI_OPT_ADAGRAD,
	AI_OPT_ADADELTA,
	AI_OPT_ADAM,
	AI_OPT_ADAMW,
	AI_OPT_ADAMAX,
	AI_OPT_NADAM,
	AI_OPT_LION
} AiOptimiserKind;

#define AI_OPTIMISER_MAX_SLOTS 3

typedef struct AiOptimiser
{
	AiOptimiserKind kind;
	double		learning_rate;
	double		momentum;		/* SGD, RMSprop */
	bool		nesterov;
	double		rho;			/* RMSprop, Adadelta */
	bool		centered;		/* RMSprop: by the variance of gradients */
	double		beta1;
	double		beta2;
	double		epsilon;
	double		weight_decay;	/* of weights, apart from the gradient; all kinds */
	double		initial_accumulator;	/* Adagrad */
	double		clip_norm;		/* of each array; 0: none */
	double		clip_value;		/* of each number; 0: none */
	double		global_clip_norm;	/* of all arrays together; 0: none */
} AiOptimiser;

/* All zero before the first step */
typedef struct AiOptimiserState
{
	int64_t		step;			/* that have been made */
	double		product;		/* of Nadam's momenta */
} AiOptimiserState;

/* All that is not given is as Keras has it. */
extern void ai_optimiser_default(AiOptimiser *optimiser, AiOptimiserKind kind);
extern const char *ai_optimiser_name(AiOptimiserKind kind);
extern bool ai_optimiser_find(AiOptimiserKind *kind, const char *name, size_t len);
extern int	ai_optimiser_n_slots(const AiOptimiser *optimiser);

/* What a slot's numbers are before the first step */
extern float ai_optimiser_initial(const AiOptimiser *optimiser, int slot);

/* Does a gradient of 0, without penalties, leave any weights and slots as they are? */
extern bool ai_optimiser_rests(const AiOptimiser *optimiser);

/*
 * Begin a step with this learning rate: what all its updates share.  scale is 1, l1 and l2
 * are 0 until the caller sets them for an array.
 */
extern void ai_optimiser_begin(const AiOptimiser *optimiser, AiOptimiserState *state,
							   double learning_rate, AiUpdate *update);

/*
 * The scale that makes gradients no longer than max_norm, whose squares sum to this: those
 * of one array with clip_norm, of all with global_clip_norm.  NaN where the sum is.
 */
extern double ai_optimiser_scale(double max_norm, double sum_squares);

/* The squares of gradients with what l1 and l2 add to them, which is what is scaled */
extern double ai_optimiser_sum_squares(const float *w, const float *g, size_t n, double l1,
									   double l2);

/* What l1 and l2 add to the loss: l1 * sum |w| + l2 * sum w^2 */
extern double ai_optimiser_penalty(const float *w, size_t n, double l1, double l2);

/* n weights, their gradients and slots, in a step that has begun */
extern void ai_optimiser_update(const AiOptimiser *optimiser, const AiUpdate *update, float *w,
								const float *g, float *const *slot, size_t n);

#endif							/* AI_OPTIMISER_H */
