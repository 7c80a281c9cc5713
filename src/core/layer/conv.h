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

/* What goes on along which axis, and in which sizes; a sequence is an image of one row */
typedef struct AiConvPlan
{
	AiWindow	y;
	AiWindow	x;
	size_t		channels;
	size_t		filters;
	bool		is_padded;
	size_t		height;			/* of an input image, padded */
	size_t		width;
	size_t		image;			/* numbers of a padded input image */
	size_t		n_pixels;		/* of an output image */
	size_t		segment;		/* what a row of the kernel sees */
	size_t		patch;			/* all segments */
	size_t		group;			/* images taken together, at most */
	size_t		n_strip;		/* pixels whose patches are made together, at most */
	bool		may_be_sparse;	/* d_sums with many zeros are looked for */
} AiConvPlan;

/* What lies where in scratch */
typedef struct AiConvScratch
{
	ptrdiff_t  *rows;			/* [group * n_pixels]: where the windows begin */
	float	   *padded;			/* [group, image] */

	/* Backward */
	float	   *d_padded;		/* [group, image] */
	float	   *d_sums;			/* [group, n_pixels, filters] */
	float	   *patches;		/* [n_strip, patch], at least filters */

	/* Where there may be many zeros */
	uint32_t   *pixels;			/* [n_pixels]: as rows, of one image */
	uint32_t   *filters;		/* [filters]: multiples of patch */
	float	   *turned;			/* [filters, n_pixels] */
	float	   *d_kernel;		/* [filters, patch] */
} AiConvScratch;

enum
{
	AI_CONV_KERNEL,				/* [kernel height, kernel width, channels, filters] */
	AI_CONV_BIAS				/* [filters] */
};

/* Of a layer that has been prepared */
extern AiConvPlan ai_conv_plan(const AiLayer *layer);
extern AiConvScratch ai_conv_scratch(float *scratch, const AiConvPlan *plan);

/* Images with zeros around them, or as they are if there are none */
extern const float *ai_conv_pad(float *padded, const float *input, size_t n_images,
								const AiConvPlan *plan);

static inline size_t
ai_conv_least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The input has n_axes axes and the channels. */
extern AiCode ai_conv_prepare(AiLayer *layer, int n_axes, AiError *err);

extern void ai_conv_derive(const AiLayer *layer, float *derived, const float *const *weight);
extern void ai_conv_forward(const AiLayer *layer, const AiPass *pass);
extern void ai_conv_backward(const AiLayer *layer, const AiPass *pass);

#endif							/* AI_CONV_H */
