/*-------------------------------------------------------------------------
 * conv.c
 *		What convolutions along one and two axes share.
 *
 * A sequence is an image of one row.  Of the pixels that a kernel sees, those of one of its rows
 * lie side by side in the input: a segment.  So the sums of an output pixel are those of a product
 * of matrices with a tap for each row of the kernel, and no input is copied but to put zeros around
 * it.  On the way back
 *
 *	- the gradient of the kernel's row t is a product with a tap for each row of the output: A is
 *	  the input, transposed, from row t on;
 *	- the gradient by the input is made as patches, d_sums * kernel transposed, that are added up
 *	  where the kernel has been.
 *
 * A few small images, or one, are gone through at a time, so that what is made stays in the cache.
 *-------------------------------------------------------------------------
 */
#include "core/layer/conv.h"

#include <string.h>

#include "core/layer/sums.h"

#define GROUP_PIXELS 128		/* of the output, in small images that are taken together */
#define STRIP_SIZE 8192			/* numbers of d_sums in a product for the kernel's gradient */
#define PATCHES_SIZE 32768		/* numbers of patches that are made before they are added */

enum
{
	KERNEL,						/* [kernel height, kernel width, channels, filters] */
	BIAS						/* [filters] */
};

/* What goes on along which axis, and in which sizes */
typedef struct Plan
{
	AiWindow	y;
	AiWindow	x;
	size_t		channels;
	size_t		filters;
	bool		is_padded;
	size_t		height;			/* of an input image, padded */
	size_t		width;
	size_t		n_pixels;		/* of an output image */
	size_t		segment;
	size_t		patch;			/* all segments */
	size_t		group;			/* images taken together, at most */
	size_t		n_strip;		/* pixels whose patches are made together, at most */
} Plan;

/* What lies where in scratch */
typedef struct Scratch
{
	ptrdiff_t  *rows;			/* [group * n_pixels] */
	float	   *padded;			/* [group, height, width, channels] */
	float	   *d_sums;			/* [group, n_pixels, filters] */
	float	   *patches;		/* [n_strip, patch] */
} Scratch;

const AiOption ai_conv_options[] = {
	AI_OPTION_UNITS_ROW(AiConvConfig, filters),
	{.name = "kernel_size", .kind = AI_OPTION_SIZES, .is_needed = true,
	 .offset = offsetof(AiConvConfig, kernel_size), .min = 1, .max = AI_MAX_WINDOW},
	AI_OPTION_SIZES_ROW(AiConvConfig, strides, 1, AI_MAX_WINDOW),
	AI_OPTION_CHOICE_ROW(AiConvConfig, padding, AI_PADDING_VALID, ai_padding_names),
	AI_OPTION_CHOICE_ROW(AiConvConfig, activation, AI_ACT_LINEAR, ai_activation_names),
	AI_OPTION_BOOL_ROW(AiConvConfig, use_bias, true),
	AI_OPTION_CHOICE_ROW(AiConvConfig, kernel_initializer, AI_INIT_GLOROT_UNIFORM,
						 ai_initialiser_names),
	AI_OPTION_PENALTY_ROW(AiConvConfig, l1, "kernel_regularizer"),
	AI_OPTION_PENALTY_ROW(AiConvConfig, l2, "kernel_regularizer"),
	{.name = NULL}
};

static AiCode
make_windows(AiWindow *y, AiWindow *x, const AiLayer *layer, int n_axes, AiError *err)
{
	const AiConvConfig *config = layer->config;
	AiWindow	windows[2];

	AI_TRY(ai_prepare_windows(windows, layer, n_axes, &config->kernel_size, "kernel_size", 1,
							  &config->strides, 1, config->padding, err));
	*y = n_axes == 2 ? windows[0] : (AiWindow) {.input = 1, .output = 1, .size = 1, .stride = 1};
	*x = windows[n_axes - 1];
	return AI_OK;
}

/* Places from the first to the last one that a window sees; unsigned, as layers may be refused */
static size_t
places_seen(const AiWindow *window)
{
	size_t		n = ((size_t) window->output - 1) * (size_t) window->stride + (size_t) window->size;

	return window->before > 0 || n > (size_t) window->input ? n : (size_t) window->input;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void
complete_plan(Plan *plan, const AiLayer *layer)
{
	const AiConvConfig *config = layer->config;
	size_t		n_strips;

	plan->channels = (size_t) ai_shape_last(&layer->input[0]);
	plan->filters = (size_t) config->filters;
	plan->height = places_seen(&plan->y);
	plan->width = places_seen(&plan->x);
	plan->is_padded = plan->height != (size_t) plan->y.input || plan->width != (size_t) plan->x.input ||
		plan->y.before > 0 || plan->x.before > 0;
	plan->n_pixels = (size_t) plan->y.output * (size_t) plan->x.output;
	plan->segment = (size_t) plan->x.size * plan->channels;
	plan->patch = (size_t) plan->y.size * plan->segment;
	plan->group = plan->n_pixels < GROUP_PIXELS ? least(GROUP_PIXELS / plan->n_pixels, AI_SHARD_ROWS) : 1;
	n_strips = (plan->group * plan->n_pixels * plan->patch + PATCHES_SIZE - 1) / PATCHES_SIZE;
	plan->n_strip = (plan->group * plan->n_pixels + n_strips - 1) / n_strips;
}

/* Of a layer that has been prepared */
static Plan
plan_of(const AiLayer *layer)
{
	Plan		plan;

	(void) make_windows(&plan.y, &plan.x, layer, layer->input[0].n_dims - 1, NULL);
	complete_plan(&plan, layer);
	return plan;
}

static size_t
align_numbers(size_t n)
{
	return (n + 15) / 16 * 16;
}

/* Take places from scratch on; how many numbers they are */
static size_t
place_scratch(Scratch *places, float *scratch, const Plan *plan)
{
	size_t		n_pixels = plan->group * plan->n_pixels;
	size_t		padded = align_numbers(n_pixels * (sizeof(ptrdiff_t) / sizeof(float)));
	size_t		d_sums = padded + (plan->is_padded ?
								   align_numbers(plan->group * plan->height * plan->width * plan->channels) : 0);
	size_t		patches = d_sums + align_numbers(n_pixels * plan->filters);

	if (scratch != NULL)
		*places = (Scratch) {
			(ptrdiff_t *) scratch, scratch + padded, scratch + d_sums, scratch + patches
		};
	return patches + plan->n_strip * plan->patch;
}

static void
declare_weights(AiLayer *layer, const Plan *plan, int n_axes)
{
	const AiConvConfig *config = layer->config;
	int64_t		dims[] = {plan->y.size, plan->x.size, ai_shape_last(&layer->input[0]), config->filters};
	AiWeight   *kernel = ai_prepare_weight(layer, "kernel", config->kernel_initializer, n_axes + 2,
										   dims + 2 - n_axes);

	kernel->l1 = config->l1;
	kernel->l2 = config->l2;
	if (config->use_bias)
		ai_prepare_weight(layer, "bias", AI_INIT_ZEROS, 1, &config->filters);
}

AiCode
ai_conv_prepare(AiLayer *layer, int n_axes, AiError *err)
{
	const AiConvConfig *config = layer->config;
	Plan		plan;

	AI_TRY(ai_prepare_dims(layer, n_axes + 1, n_axes + 1,
						   n_axes == 1 ? "[steps, channels]" : "[height, width, channels]", err));
	AI_TRY(make_windows(&plan.y, &plan.x, layer, n_axes, err));
	complete_plan(&plan, layer);
	layer->output = n_axes == 1 ? (AiShape) {2, {plan.x.output, config->filters}} :
		(AiShape) {3, {plan.y.output, plan.x.output, config->filters}};
	declare_weights(layer, &plan, n_axes);
	layer->needs_input = true;
	layer->needs_output = config->activation != AI_ACT_LINEAR;
	if (ai_sums_are_needed(config->activation))
		layer->saved_size = plan.n_pixels * plan.filters;
	layer->scratch_fixed = place_scratch(NULL, NULL, &plan);
	layer->derived_size = plan.patch * plan.filters;
	return AI_OK;
}

/*
 * Forward
 */

/* Images with zeros around them */
static const float *
pad(float *padded, const float *input, size_t n_images, const Plan *plan)
{
	size_t		row = (size_t) plan->x.input * plan->channels;
	size_t		padded_row = plan->width * plan->channels;
	size_t		first = (size_t) plan->y.before * padded_row + (size_t) plan->x.before * plan->channels;

	if (!plan->is_padded)
		return input;
	memset(padded, 0, n_images * plan->height * padded_row * sizeof(float));
	for (size_t i = 0; i < n_images; i++, padded += plan->height * padded_row)
	{
		for (int64_t y = 0; y < plan->y.input; y++, input += row)
			memcpy(padded + first + (size_t) y * padded_row, input, row * sizeof(float));
	}
	return padded - n_images * plan->height * padded_row;
}

/* Where the window of each output pixel begins in padded images */
static void
find_rows(ptrdiff_t *rows, size_t n_images, const Plan *plan)
{
	for (size_t i = 0; i < n_images; i++)
	{
		for (size_t y = 0; y < (size_t) plan->y.output; y++)
		{
			size_t		row = i * plan->height + y * (size_t) plan->y.stride;

			for (size_t x = 0; x < (size_t) plan->x.output; x++)
				*rows++ = (ptrdiff_t) ((row * plan->width + x * (size_t) plan->x.stride) * plan->channels);
		}
	}
}

void
ai_conv_forward(const AiLayer *layer, const AiPass *pass)
{
	const AiConvConfig *config = layer->config;
	Plan		plan = plan_of(layer);
	size_t		input_size = ai_shape_size(&layer->input[0]);
	size_t		output_size = plan.n_pixels * plan.filters;
	size_t		n_rows = (size_t) pass->n_rows;
	Scratch		scratch;

	(void) place_scratch(&scratch, pass->scratch, &plan);
	find_rows(scratch.rows, least(plan.group, n_rows), &plan);
	for (size_t first = 0; first < n_rows; first += plan.group)
	{
		size_t		n_images = least(plan.group, n_rows - first);
		AiGemm		product = {
			.m = n_images * plan.n_pixels,
			.n = plan.filters,
			.k = plan.segment,
			.n_taps = (size_t) plan.y.size,
			.a = pad(scratch.padded, pass->input[0] + first * input_size, n_images, &plan),
			.a_tap = (ptrdiff_t) (plan.width * plan.channels),
			.rows = scratch.rows,
			.b = pass->weight[KERNEL],
			.b_row = (ptrdiff_t) plan.filters,
			.b_tap = (ptrdiff_t) (plan.segment * plan.filters),
			.c = pass->output + first * output_size,
			.c_row = (ptrdiff_t) plan.filters,
			.bias = config->use_bias ? pass->weight[BIAS] : NULL
		};

		ai_sums_product(&product, (AiActivation) config->activation,
						layer->saved_size > 0 ? pass->saved + first * output_size : NULL);
	}
}

/*
 * Backward
 */

/* The kernel transposed: [filters, patch] */
void
ai_conv_derive(const AiLayer *layer, float *derived, const float *const *weight)
{
	size_t		filters = (size_t) ((const AiConvConfig *) layer->config)->filters;
	size_t		patch = layer->weight[KERNEL].size / filters;

	ai_kernels()->transpose(derived, (ptrdiff_t) patch, weight[KERNEL], (ptrdiff_t) filters, patch,
							filters);
}

/* kernel += of one padded image and its d_sums; some rows of the output at a time */
static void
add_kernel_gradient(const Plan *plan, float *d_kernel, const float *image, const float *d_sums)
{
	size_t		row = (size_t) plan->x.output * plan->filters;
	size_t		n_together = row < STRIP_SIZE ? STRIP_SIZE / row : 1;
	AiGemm		product = {
		.m = plan->segment,
		.n = plan->filters,
		.k = (size_t) plan->x.output,
		.a_row = 1,
		.a_col = plan->x.stride * (ptrdiff_t) plan->channels,
		.a_tap = plan->y.stride * (ptrdiff_t) (plan->width * plan->channels),
		.b_row = (ptrdiff_t) plan->filters,
		.b_tap = (ptrdiff_t) row,
		.c_row = (ptrdiff_t) plan->filters,
		.adds = true
	};

	for (size_t y = 0; y < (size_t) plan->y.output; y += product.n_taps)
	{
		product.n_taps = least(n_together, (size_t) plan->y.output - y);
		product.b = d_sums + y * row;
		for (size_t t = 0; t < (size_t) plan->y.size; t++)
		{
			product.a = image + (y * (size_t) plan->y.stride + t) * plan->width * plan->channels;
			product.c = d_kernel + t * plan->segment * plan->filters;
			ai_kernels()->gemm(&product);
		}
	}
}

/*
 * A segment of each patch of pixels x to end - 1 of a row of the output is added to the row d_row of
 * the input's gradient; what is beyond its ends is left out.
 */
static void
add_segments(const Plan *plan, float *d_row, const float *segments, int64_t x, int64_t end)
{
	size_t		n = plan->channels;

	while (x < end)
	{
		int64_t		first = x * plan->x.stride - plan->x.before;
		int64_t		last = first + plan->x.size;
		int64_t		n_here = 1;

		if (first >= 0 && last <= plan->x.input)
		{
			n_here += (plan->x.input - last) / plan->x.stride;
			n_here = n_here < end - x ? n_here : end - x;
			ai_kernels()->add_overlapping(d_row + (size_t) first * n, (size_t) plan->x.stride * n,
										  segments, plan->patch, (size_t) n_here, plan->segment);
		}
		else
		{
			int64_t		from = first > 0 ? first : 0;
			int64_t		to = last < plan->x.input ? last : plan->x.input;

			if (from < to)
				ai_kernels()->add(d_row + (size_t) from * n, segments + (size_t) (from - first) * n,
								  (size_t) (to - from) * n);
		}
		x += n_here;
		segments += (size_t) n_here * plan->patch;
	}
}

/* Patches of pixels x to end - 1 of row y of the output */
static void
add_patches(const Plan *plan, float *d_image, const float *patches, int64_t y, int64_t x, int64_t end)
{
	for (int64_t t = 0; t < plan->y.size; t++)
	{
		int64_t		row = y * plan->y.stride - plan->y.before + t;

		if (row >= 0 && row < plan->y.input)
			add_segments(plan, d_image + (size_t) (row * plan->x.input) * plan->channels,
						 patches + (size_t) t * plan->segment, x, end);
	}
}

/* The gradient by some images, from their d_sums */
static void
write_input_gradient(const Plan *plan, float *d_input, size_t image_size, size_t n_images,
					 const float *d_sums, const float *derived, float *patches)
{
	size_t		n_pixels = n_images * plan->n_pixels;
	size_t		width = (size_t) plan->x.output;
	AiGemm		product = {
		.n = plan->patch,
		.k = plan->filters,
		.n_taps = 1,
		.a_row = (ptrdiff_t) plan->filters,
		.a_col = 1,
		.b = derived,
		.b_row = (ptrdiff_t) plan->patch,
		.c = patches,
		.c_row = (ptrdiff_t) plan->patch
	};

	memset(d_input, 0, n_images * image_size * sizeof(float));
	for (size_t first = 0; first < n_pixels; first += product.m)
	{
		product.m = least(plan->n_strip, n_pixels - first);
		product.a = d_sums + first * plan->filters;
		ai_kernels()->gemm(&product);
		for (size_t p = first; p < first + product.m;)
		{
			size_t		image = p / plan->n_pixels;
			size_t		y = p % plan->n_pixels / width;
			size_t		x = p % width;
			size_t		n = least(width - x, first + product.m - p);

			add_patches(plan, d_input + image * image_size, patches + (p - first) * plan->patch,
						(int64_t) y, (int64_t) x, (int64_t) (x + n));
			p += n;
		}
	}
}

void
ai_conv_backward(const AiLayer *layer, const AiPass *pass)
{
	const AiConvConfig *config = layer->config;
	Plan		plan = plan_of(layer);
	size_t		input_size = ai_shape_size(&layer->input[0]);
	size_t		output_size = plan.n_pixels * plan.filters;
	size_t		padded_size = plan.height * plan.width * plan.channels;
	size_t		n_rows = (size_t) pass->n_rows;
	Scratch		scratch;

	(void) place_scratch(&scratch, pass->scratch, &plan);
	for (size_t first = 0; first < n_rows; first += plan.group)
	{
		size_t		n_images = least(plan.group, n_rows - first);
		size_t		n_pixels = n_images * plan.n_pixels;
		size_t		at = first * output_size;
		const float *d_sums = ai_sums_back(scratch.d_sums, pass->d_output + at,
										   layer->saved_size > 0 ? pass->saved + at : NULL,
										   pass->output + at, n_pixels, plan.filters,
										   (AiActivation) config->activation);

		if (pass->d_weight[KERNEL] != NULL)
		{
			const float *images = pad(scratch.padded, pass->input[0] + first * input_size, n_images,
									  &plan);

			for (size_t i = 0; i < n_images; i++)
				add_kernel_gradient(&plan, pass->d_weight[KERNEL], images + i * padded_size,
									d_sums + i * output_size);
		}
		if (config->use_bias && pass->d_weight[BIAS] != NULL)
			ai_kernels()->add_rows(pass->d_weight[BIAS], d_sums, n_pixels, plan.filters);
		if (pass->d_input[0] != NULL)
			write_input_gradient(&plan, pass->d_input[0] + first * input_size, input_size, n_images,
								 d_sums, pass->derived, scratch.patches);
	}
}
