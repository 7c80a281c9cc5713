/*-------------------------------------------------------------------------
 * conv.c
 *		What convolutions along one and two axes share, forward.
 *
 * Of what a kernel sees, the pixels of one of its rows lie side by side in the input: a segment.
 * So the sums of an output pixel are those of a product of matrices with a tap for each row of the
 * kernel, and no input is copied but to put zeros around it.
 *
 * A few small images, or one, are gone through at a time, so that what is made stays in the cache.
 *-------------------------------------------------------------------------
 */
#include "core/layer/conv.h"

#include <string.h>

#include "core/layer/sums.h"

#define GROUP_PIXELS 128		/* of the output, in small images that are taken together */
#define PATCHES_SIZE 32768		/* numbers of patches that are made before they are added */
#define SPARSE_SEGMENT 16		/* shorter ones do not fill vectors */
#define SPARSE_KERNEL 262144	/* larger ones, which are kept twice, do not stay in the cache */

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

/* A second axis is there for sequences, too: they have one row. */
static AiCode
make_windows(AiConvPlan *plan, const AiLayer *layer, int n_axes, AiError *err)
{
	const AiConvConfig *config = layer->config;
	AiWindow	windows[2];

	AI_TRY(ai_prepare_windows(windows, layer, n_axes, &config->kernel_size, "kernel_size", 1,
							  &config->strides, 1, config->padding, err));
	plan->y = n_axes == 2 ? windows[0] :
		(AiWindow) {.input = 1, .output = 1, .size = 1, .stride = 1};
	plan->x = windows[n_axes - 1];
	return AI_OK;
}

/* Places with those that are missing; without signs, as the layer may be refused later */
static size_t
places_seen(const AiWindow *window)
{
	size_t		n = ((size_t) window->output - 1) * (size_t) window->stride + (size_t) window->size;

	return n > (size_t) window->input ? n : (size_t) window->input;
}

static void
complete_plan(AiConvPlan *plan, const AiLayer *layer)
{
	const AiConvConfig *config = layer->config;
	size_t		n_group;
	size_t		n_strips;

	plan->channels = (size_t) ai_shape_last(&layer->input[0]);
	plan->filters = (size_t) config->filters;
	plan->height = places_seen(&plan->y);
	plan->width = places_seen(&plan->x);
	plan->image = plan->height * plan->width * plan->channels;
	plan->is_padded = plan->image != ai_shape_size(&layer->input[0]);
	plan->n_pixels = (size_t) plan->y.output * (size_t) plan->x.output;
	plan->segment = (size_t) plan->x.size * plan->channels;
	plan->patch = (size_t) plan->y.size * plan->segment;
	plan->group = plan->n_pixels < GROUP_PIXELS ?
		ai_conv_least(GROUP_PIXELS / plan->n_pixels, AI_SHARD_ROWS) : 1;
	n_group = plan->group * plan->n_pixels;
	n_strips = (n_group * plan->patch + PATCHES_SIZE - 1) / PATCHES_SIZE;
	n_strips = ai_conv_least(n_strips, n_group);
	plan->n_strip = (n_group + n_strips - 1) / n_strips;
	plan->may_be_sparse = plan->segment >= SPARSE_SEGMENT && plan->image <= UINT32_MAX &&
		plan->patch * plan->filters <= SPARSE_KERNEL;
}

AiConvPlan
ai_conv_plan(const AiLayer *layer)
{
	AiConvPlan	plan;

	(void) make_windows(&plan, layer, layer->input[0].n_dims - 1, NULL);
	complete_plan(&plan, layer);
	return plan;
}

/* Where the next n numbers are; scratch NULL: they are only counted */
static void *
take(float *scratch, size_t *used, size_t n)
{
	size_t		first = *used;

	*used += (n + 15) / 16 * 16;
	return scratch == NULL ? NULL : scratch + first;
}

/* How many numbers it is */
static size_t
place_scratch(AiConvScratch *places, float *scratch, const AiConvPlan *plan)
{
	size_t		used = 0;
	size_t		n_pixels = plan->group * plan->n_pixels;
	size_t		n_padded = plan->is_padded ? plan->group * plan->image : 0;
	size_t		n_patches = plan->n_strip * plan->patch;

	places->rows = take(scratch, &used, n_pixels * (sizeof(ptrdiff_t) / sizeof(float)));
	places->padded = take(scratch, &used, n_padded);
	places->d_padded = take(scratch, &used, n_padded);
	places->d_sums = take(scratch, &used, n_pixels * plan->filters);
	places->patches = take(scratch, &used, n_patches > plan->filters ? n_patches : plan->filters);
	if (!plan->may_be_sparse)
		return used;
	places->pixels = take(scratch, &used, plan->n_pixels);
	places->filters = take(scratch, &used, plan->filters);
	places->turned = take(scratch, &used, plan->n_pixels * plan->filters);
	places->d_kernel = take(scratch, &used, plan->patch * plan->filters);
	return used;
}

AiConvScratch
ai_conv_scratch(float *scratch, const AiConvPlan *plan)
{
	AiConvScratch places;

	(void) place_scratch(&places, scratch, plan);
	return places;
}

static void
declare_weights(AiLayer *layer, const AiConvPlan *plan, int n_axes)
{
	const AiConvConfig *config = layer->config;
	int64_t		dims[] = {
		plan->y.size, plan->x.size, ai_shape_last(&layer->input[0]), config->filters
	};
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
	AiConvPlan	plan;
	AiConvScratch scratch;

	AI_TRY(ai_prepare_dims(layer, n_axes + 1, n_axes + 1,
						   n_axes == 1 ? "[steps, channels]" : "[height, width, channels]", err));
	AI_TRY(make_windows(&plan, layer, n_axes, err));
	complete_plan(&plan, layer);
	layer->output = n_axes == 1 ? (AiShape) {2, {plan.x.output, config->filters}} :
		(AiShape) {3, {plan.y.output, plan.x.output, config->filters}};
	declare_weights(layer, &plan, n_axes);
	layer->needs_input = true;
	layer->needs_output = config->activation != AI_ACT_LINEAR;
	if (ai_sums_are_needed(config->activation))
		layer->saved_size = plan.n_pixels * plan.filters;
	layer->scratch_fixed = place_scratch(&scratch, NULL, &plan);
	layer->derived_size = plan.patch * plan.filters;
	return AI_OK;
}

const float *
ai_conv_pad(float *padded, const float *input, size_t n_images, const AiConvPlan *plan)
{
	size_t		row = (size_t) plan->x.input * plan->channels;
	size_t		padded_row = plan->width * plan->channels;
	float	   *to = padded + (size_t) plan->y.before * padded_row +
		(size_t) plan->x.before * plan->channels;

	if (!plan->is_padded)
		return input;
	memset(padded, 0, n_images * plan->image * sizeof(float));
	for (size_t i = 0; i < n_images; i++, to += plan->image)
	{
		for (size_t y = 0; y < (size_t) plan->y.input; y++, input += row)
			memcpy(to + y * padded_row, input, row * sizeof(float));
	}
	return padded;
}

/* Where the window of each output pixel begins in padded images */
static void
find_rows(ptrdiff_t *rows, size_t n_images, const AiConvPlan *plan)
{
	size_t		step = (size_t) plan->x.stride * plan->channels;
	size_t		row_step = (size_t) plan->y.stride * plan->width * plan->channels;

	for (size_t i = 0; i < n_images; i++)
	{
		for (size_t y = 0; y < (size_t) plan->y.output; y++)
		{
			size_t		row = i * plan->image + y * row_step;

			for (size_t x = 0; x < (size_t) plan->x.output; x++)
				*rows++ = (ptrdiff_t) (row + x * step);
		}
	}
}

void
ai_conv_forward(const AiLayer *layer, const AiPass *pass)
{
	const AiConvConfig *config = layer->config;
	AiConvPlan	plan = ai_conv_plan(layer);
	AiConvScratch scratch = ai_conv_scratch(pass->scratch, &plan);
	size_t		input_size = ai_shape_size(&layer->input[0]);
	size_t		output_size = plan.n_pixels * plan.filters;
	size_t		n_rows = (size_t) pass->n_rows;

	find_rows(scratch.rows, ai_conv_least(plan.group, n_rows), &plan);
	for (size_t first = 0; first < n_rows && !ai_pass_should_stop(pass); first += plan.group)
	{
		size_t		n_images = ai_conv_least(plan.group, n_rows - first);
		AiGemm		product = {
			.m = n_images * plan.n_pixels,
			.n = plan.filters,
			.k = plan.segment,
			.n_taps = (size_t) plan.y.size,
			.a = ai_conv_pad(scratch.padded, pass->input[0] + first * input_size, n_images, &plan),
			.a_tap = (ptrdiff_t) (plan.width * plan.channels),
			.rows = scratch.rows,
			.b = pass->weight[AI_CONV_KERNEL],
			.b_row = (ptrdiff_t) plan.filters,
			.b_tap = (ptrdiff_t) (plan.segment * plan.filters),
			.c = pass->output + first * output_size,
			.c_row = (ptrdiff_t) plan.filters,
			.bias = config->use_bias ? pass->weight[AI_CONV_BIAS] : NULL
		};

		ai_sums_product(pass, &product, (AiActivation) config->activation,
						layer->saved_size > 0 ? pass->saved + first * output_size : NULL);
	}
}
