/*-------------------------------------------------------------------------
 * recurrent.h
 *		What lstm, gru and simple_rnn share.
 *
 * With return_sequences the output is that of all steps, else that of the last one.  A
 * bidirectional layer has weights for each direction; outputs of both are merged step
 * by step, the backward one turned round.
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
 * kernel:[features, n_gates * units], recurrent_kernel:[units, n_gates * units],
 * bias:[n_gates * units], or of n_biases rows; then the same of the backward direction
 */
extern AiCode ai_recurrent_prepare(AiLayer *layer, int n_gates, int n_biases,
								   AiInitialiser bias_initialiser, AiError *err);

#endif							/* AI_RECURRENT_H */
