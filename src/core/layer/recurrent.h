/*-------------------------------------------------------------------------
 * recurrent.h
 *		What lstm, gru and simple_rnn share.
 *
 * With return_sequences the output is that of all steps, else that of the last one.  A
 * bidirectional layer has weights for each direction; outputs of both are merged step
 * by step, the backward one turned round.
 *
 * At a masked step the state stays what it is, and the output is the last one again; 0 if
 * there is none, and with return_sequences in a bidirectional layer.
 *-------------------------------------------------------------------------
 */
#ifndef AI_RECURRENT_H
#define AI_RECURRENT_H

#include "core/layer/prepare.h"

typedef enum AiMergeMode
{
	AI_MERGE_CONCAT,
	AI_MERGE_SUM,
	AI_MERGE_MUL,
	AI_MERGE_AVE
} AiMergeMode;

typedef struct AiRecurrentConfig
{
	int64_t		units;
	bool		return_sequences;
	bool		bidirectional;
	int			merge_mode;		/* AiMergeMode */
	int			activation;		/* of simple_rnn only */
	bool		use_bias;
	bool		unit_forget_bias;	/* of lstm only */
	int			kernel_initializer; /* AiInitialiser */
	int			recurrent_initializer;
	double		l1;				/* of the kernel */
	double		l2;
	double		recurrent_l1;	/* of the recurrent kernel */
	double		recurrent_l2;
} AiRecurrentConfig;

extern const char *const ai_merge_mode_names[];

#define AI_RECURRENT_ROWS \
	AI_OPTION_UNITS_ROW(AiRecurrentConfig, units), \
	AI_OPTION_BOOL_ROW(AiRecurrentConfig, return_sequences, false), \
	AI_OPTION_BOOL_ROW(AiRecurrentConfig, bidirectional, false), \
	AI_OPTION_CHOICE_ROW(AiRecurrentConfig, merge_mode, AI_MERGE_CONCAT, ai_merge_mode_names), \
	AI_OPTION_BOOL_ROW(AiRecurrentConfig, use_bias, true), \
	AI_OPTION_CHOICE_ROW(AiRecurrentConfig, kernel_initializer, AI_INIT_GLOROT_UNIFORM, \
						 ai_initialiser_names), \
	AI_OPTION_CHOICE_ROW(AiRecurrentConfig, recurrent_initializer, AI_INIT_ORTHOGONAL, \
						 ai_initialiser_names), \
	AI_OPTION_PENALTY_ROW(AiRecurrentConfig, l1, "kernel_regularizer"), \
	AI_OPTION_PENALTY_ROW(AiRecurrentConfig, l2, "kernel_regularizer"), \
	AI_OPTION_PENALTY_ROW(AiRecurrentConfig, recurrent_l1, "recurrent_regularizer"), \
	AI_OPTION_PENALTY_ROW(AiRecurrentConfig, recurrent_l2, "recurrent_regularizer")

/*
 * What one step of a direction works on: n_rows rows of n units, dense.  gates, and inner if
 * has_inner, hold sums with their biases and get what backward needs; backward puts the
 * gradients by the sums in their places.
 */
typedef struct AiRecurrentStep
{
	size_t		n_rows;
	size_t		n;
	AiActivation activation;	/* of simple_rnn */
	float	   *gates;			/* [n_rows, n_gates * n] */
	float	   *inner;			/* likewise: sums over h alone */
	const float *h;				/* before it */
	float	   *h_new;			/* forward */
	const float *kept;			/* before it, if has_kept: of lstm the cell's state */
	float	   *kept_new;
	float	   *d_h;			/* of h_new; gets what goes to h past the products */
	float	   *d_kept;
} AiRecurrentStep;

/* A kind of recurrent layer */
typedef struct AiRecurrent
{
	int			n_gates;
	bool		has_inner;		/* sums over h have their own bias, and are not added to gates */
	bool		has_kept;
	void		(*forward) (const AiRecurrentStep *step);
	void		(*backward) (const AiRecurrentStep *step);
} AiRecurrent;

/*
 * kernel:[features, n_gates * units], recurrent_kernel:[units, n_gates * units],
 * bias:[n_gates * units], or [2, n_gates * units] with has_inner; then the same of the
 * backward direction
 */
extern AiCode ai_recurrent_prepare(AiLayer *layer, const AiRecurrent *kind,
								   AiInitialiser bias_initialiser, AiError *err);

/* All kernels transposed */
extern void ai_recurrent_derive(const AiLayer *layer, float *derived, const float *const *weight);

extern void ai_recurrent_forward(const AiLayer *layer, const AiPass *pass, const AiRecurrent *kind);
extern void ai_recurrent_backward(const AiLayer *layer, const AiPass *pass,
								  const AiRecurrent *kind);

#endif							/* AI_RECURRENT_H */
