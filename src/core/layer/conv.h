/*-------------------------------------------------------------------------
 * conv.h
 *		What convolutions along one and two axes share.
 *-------------------------------------------------------------------------
 */
#ifndef AI_CONV_H
#define AI_CONV_H

#include "core/layer/prepare.h"

typedef struct AiConvConfig
{
	int64_t		filters;
	AiSizes		kernel_size;
	AiSizes		strides;
	int			padding;		/* AiPadding */
	int			activation;		/* AiActivation */
	bool		use_bias;
	int			kernel_initializer; /* AiInitialiser */
	double		l1;				/* of the kernel */
	double		l2;
} AiConvConfig;

extern const AiOption ai_conv_options[];

/* windows:[n_axes] */
extern AiCode ai_conv_windows(AiWindow *windows, const AiLayer *layer, int n_axes, AiError *err);

/* The input has n_axes axes and the channels. */
extern AiCode ai_conv_prepare(AiLayer *layer, int n_axes, AiError *err);

#endif							/* AI_CONV_H */
