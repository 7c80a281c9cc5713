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
	double		beta1;
	double		beta2;
	double		epsilon;
	double		weight_decay;
	double		initial_accumulator;	/* Adagrad */
	double		clip_norm;		/* of each array; 0: none */
	double		clip_value;
	double		global_clip_norm;
} AiOptimiser;

/* Nadam's product of momenta */
typedef struct AiOptimiserState
{
	int64_t		step;			/* that have been made */
	double		product;
} AiOptimiserState;

/* All that is not given is as Keras has it. */
extern void ai_optimiser_default(AiOptimiser *optimiser, AiOptimiserKind kind);
extern const char *ai_optimiser_name(AiOptimiserKind kind);
extern bool ai_optimiser_find(AiOptimiserKind *kind, const char *name, size_t len);
extern int	ai_optimiser_n_slots(const AiOptimiser *optimiser);

/* What a slot's numbers are before the first step */
extern float ai_optimiser_initial(const AiOptimiser *optimiser, int slot);

/* Begin a step with this learning rate: what all its updates share */
extern void ai_optimiser_begin(const AiOptimiser *optimiser, AiOptimiserState *state,
							   double learning_rate, AiUpdate *update);

/* n weights, their gradients and slots, in a step that has begun; update may be given l1, l2, scale */
extern void ai_optimiser_update(const AiOptimiser *optimiser, const AiUpdate *update, float *w,
								const float *g, float *const *slot, size_t n);

#endif							/* AI_OPTIMISER_H */
