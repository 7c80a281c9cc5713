/*-------------------------------------------------------------------------
 * prepare.h
 *		What options and shape inference of several kinds of layers share.
 *-------------------------------------------------------------------------
 */
#ifndef AI_PREPARE_H
#define AI_PREPARE_H

#include "core/graph/layer.h"
#include "core/kernels/kernels.h"

#define AI_MAX_UNITS ((int64_t) 1 << 24)	/* of a layer; the largest whole number of a float */
#define AI_MAX_WINDOW 65536		/* along one axis */

/* Names of AiActivation, AiInitialiser and AiPadding, by their values */
extern const char *const ai_activation_names[];
extern const char *const ai_initialiser_names[];
extern const char *const ai_padding_names[];

typedef enum AiPadding
{
	AI_PADDING_VALID,			/* the window stays inside of the input */
	AI_PADDING_SAME				/* the output has as many places as the input has strides */
} AiPadding;

/* Rows of a table of options; they end with {.name = NULL} */
#define AI_OPTION_UNITS_ROW(config, member) \
	{.name = #member, .kind = AI_OPTION_INT, .offset = offsetof(config, member), \
	 .is_needed = true, .min = 1, .max = AI_MAX_UNITS}
#define AI_OPTION_BOOL_ROW(config, member, value) \
	{.name = #member, .kind = AI_OPTION_BOOL, .offset = offsetof(config, member), .initial = value}
#define AI_OPTION_FLOAT_ROW(config, member, value, least, most) \
	{.name = #member, .kind = AI_OPTION_FLOAT, .offset = offsetof(config, member), \
	 .initial = value, .min = least, .max = most}
#define AI_OPTION_CHOICE_ROW(config, member, value, names) \
	{.name = #member, .kind = AI_OPTION_CHOICE, .offset = offsetof(config, member), \
	 .initial = value, .choices = names}
#define AI_OPTION_SIZES_ROW(config, member, least, most) \
	{.name = #member, .kind = AI_OPTION_SIZES, .offset = offsetof(config, member), .min = least, \
	 .max = most}
/* penalties: l1 and l2 are in one object of Keras */
#define AI_OPTION_PENALTY_ROW(config, member, regularizer) \
	{.name = #member, .kind = AI_OPTION_FLOAT, .offset = offsetof(config, member), .max = 1e6, \
	 .keras_name = regularizer}
/* -1, or the number of the last axis, the batch's being 0: as Keras writes it */
#define AI_OPTION_LAST_AXIS_ROW(config, member) \
	{.name = #member, .kind = AI_OPTION_INT, .offset = offsetof(config, member), .initial = -1, \
	 .min = -1, .max = AI_SHAPE_MAX_DIMS}

/* AI_ERR_SHAPE unless the first input has so many dimensions; what: "[steps, features]" */
extern AiCode ai_prepare_dims(const AiLayer *layer, int min, int max, const char *what,
							  AiError *err);

/* What comes out has the shape and the mask of what goes in. */
extern AiCode ai_prepare_same(AiLayer *layer, AiError *err);

/* The same, of a layer that works along the last axis, which "axis" has to be */
extern AiCode ai_prepare_last_axis(AiLayer *layer, int64_t axis, AiError *err);

/*
 * Declare an array of weights, with fans as Keras counts them: the last two dimensions,
 * times those before.  The layer's, to be completed.
 */
extern AiWeight *ai_prepare_weight(AiLayer *layer, const char *name, int initialiser, int n_dims,
								   const int64_t *dims);

/*
 * A window that moves along an axis: place o of the output sees places
 * o * stride - before + (0 .. size - 1) of the input, those that exist.
 */
typedef struct AiWindow
{
	int64_t		input;			/* places */
	int64_t		output;
	int64_t		size;
	int64_t		stride;
	int64_t		before;			/* places that are missing at the beginning */
} AiWindow;

/*
 * windows:[n_axes], along the first axes of the first input.  Sizes that are not given are
 * initial_size; strides that are not given are 1, or the sizes if initial_stride is 0.
 */
extern AiCode ai_prepare_windows(AiWindow *windows, const AiLayer *layer, int n_axes,
								 const AiSizes *sizes, const char *sizes_name, int64_t initial_size,
								 const AiSizes *strides, int64_t initial_stride, int padding,
								 AiError *err);

#endif							/* AI_PREPARE_H */
