/*-------------------------------------------------------------------------
 * conv_back.c
 *		What convolutions share on the way back.
 *
 * From d_sums, the gradient by the sums of the output's pixels, in one of two ways for each image.
 * As products of matrices:
 *
 *	- the gradient of the kernel's row t has a tap for each row of the output: A is the input,
 *	  transposed, from row t on;
 *	- the gradient by the input is made as patches, d_sums * kernel transposed, that are added
 *	  where the kernel has been.
 *
 * Where most of d_sums is 0, as it is where max_pool comes after the convolution, both take only
 * what is not 0: such a number times the kernel of its filter goes to the input's gradient at its
 * pixel, and times the input at its pixel to the gradient of its filter's kernel.
 *-------------------------------------------------------------------------
 */
#include "core/layer/conv.h"

#include <string.h>

#include "core/layer/sums.h"

#define STRIP_SIZE 8192			/* numbers of d_sums in a product for the kernel's gradient */
#define MAX_DENSITY 3			/* d_sums is sparse if less than one of so many is not 0 */

/* Some neighbouring images on their way back */
typedef struct Images
{
	const AiPass *pass;
	const AiConvPlan *plan;
	const AiConvScratch *scratch;
	size_t		n;
	const float *input;			/* [n, image], padded; NULL: the kernel is frozen */
	const float *d_sums;		/* [n, n_pixels, filters] */
	const float *derived;
	float	   *d_input;		/* [n, image], padded, to be added to; NULL: nobody asks */
	float	   *d_kernel;
} Images;

/* The kernel transposed: [filters, patch] */
void
ai_conv_derive(const AiLayer *layer, float *derived, const float *const *weight)
{
	size_t		filters = (size_t) ((const AiConvConfig *) layer->config)->filters;
	size_t		patch = layer->weight[AI_CONV_KERNEL].size / filters;

	ai_kernels()->transpose(derived, (ptrdiff_t) patch, weight[AI_CONV_KERNEL],
							(ptrdiff_t) filters, patch, filters);
}

/*
 * As products
 */

/* Of one image; some rows of the output at a time */
static void
add_kernel_gradient(const AiConvPlan *plan, float *d_kernel, const float *input,
					const float *d_sums)
{
	size_t		row = (size_t) plan->x.output * plan->filters;
	size_t		n_together = row < STRIP_SIZE ? STRIP_SIZE / row : 1;
	size_t		input_row = plan->width * plan->channels;
	AiGemm		product = {
		.m = plan->segment,
		.n = plan->filters,
		.k = (size_t) plan->x.output,
		.a_row = 1,
		.a_col = plan->x.stride * (ptrdiff_t) plan->channels,
		.a_tap = plan->y.stride * (ptrdiff_t) input_row,
		.b_row = (ptrdiff_t) plan->filters,
		.b_tap = (ptrdiff_t) row,
		.c_row = (ptrdiff_t) plan->filters,
		.adds = true
	};

	for (size_t y = 0; y < (size_t) plan->y.output; y += product.n_taps)
	{
		product.n_taps = ai_conv_least(n_together, (size_t) plan->y.output - y);
		product.b = d_sums + y * row;
		for (size_t t = 0; t < (size_t) plan->y.size; t++)
		{
			product.a = input + (y * (size_t) plan->y.stride + t) * input_row;
			product.c = d_kernel + t * plan->segment * plan->filters;
			ai_kernels()->gemm(&product);
		}
	}
}

/* Patches of some pixels, from the first one on, to where they belong */
static void
add_patches(const AiConvPlan *plan, float *d_input, const float *patches, size_t first,
			size_t n_pixels)
{
	size_t		width = (size_t) plan->x.output;
	size_t		step = (size_t) plan->x.stride * plan->channels;
	size_t		input_row = plan->width * plan->channels;

	for (size_t p = first; p < first + n_pixels;)
	{
		size_t		x = p % width;
		size_t		y = p % plan->n_pixels / width;
		size_t		n = ai_conv_least(width - x, first + n_pixels - p);
		float	   *to = d_input + p / plan->n_pixels * plan->image +
			y * (size_t) plan->y.stride * input_row + x * step;

		for (size_t t = 0; t < (size_t) plan->y.size; t++)
			ai_kernels()->add_overlapping(to + t * input_row, step,
										  patches + (p - first) * plan->patch + t * plan->segment,
										  plan->patch, n, plan->segment);
		p += n;
	}
}

static void
add_input_gradient(const Images *it)
{
	const AiConvPlan *plan = it->plan;
	size_t		n_pixels = it->n * plan->n_pixels;
	AiGemm		product = {
		.n = plan->patch,
		.k = plan->filters,
		.n_taps = 1,
		.a_row = (ptrdiff_t) plan->filters,
		.a_col = 1,
		.b = it->derived,
		.b_row = (ptrdiff_t) plan->patch,
		.c = it->scratch->patches,
		.c_row = (ptrdiff_t) plan->patch
	};

	for (size_t first = 0; first < n_pixels && !ai_pass_should_stop(it->pass); first += product.m)
	{
		product.m = ai_conv_least(plan->n_strip, n_pixels - first);
		product.a = it->d_sums + first * plan->filters;
		ai_kernels()->gemm(&product);
		add_patches(plan, it->d_input, it->scratch->patches, first, product.m);
	}
}

static void
go_back(const Images *it)
{
	for (size_t i = 0; i < it->n && it->input != NULL && !ai_pass_should_stop(it->pass); i++)
		add_kernel_gradient(it->plan, it->d_kernel, it->input + i * it->plan->image,
							it->d_sums + i * it->plan->n_pixels * it->plan->filters);
	if (it->d_input != NULL)
		add_input_gradient(it);
}

/*
 * By what is not 0
 */

static void
prepare_sparse(const AiConvPlan *plan, const AiConvScratch *scratch)
{
	size_t		width = (size_t) plan->x.output;

	for (size_t p = 0; p < plan->n_pixels; p++)
		scratch->pixels[p] = (uint32_t) ((p / width * (size_t) plan->y.stride * plan->width +
										  p % width * (size_t) plan->x.stride) * plan->channels);
	for (size_t f = 0; f < plan->filters; f++)
		scratch->filters[f] = (uint32_t) (f * plan->patch);
	memset(scratch->d_kernel, 0, plan->filters * plan->patch * sizeof(float));
}

static void
go_back_sparse(const Images *it)
{
	const AiConvPlan *plan = it->plan;
	const AiConvScratch *scratch = it->scratch;
	AiSparseGemm kernel = {
		.m = plan->filters,
		.n = plan->segment,
		.k = plan->n_pixels,
		.n_taps = (size_t) plan->y.size,
		.a = scratch->turned,
		.a_row = (ptrdiff_t) plan->n_pixels,
		.b_rows = scratch->pixels,
		.b_tap = (ptrdiff_t) (plan->width * plan->channels),
		.c = scratch->d_kernel,
		.c_rows = scratch->filters,
		.c_tap = (ptrdiff_t) plan->segment
	};
	AiSparseGemm input = {
		.m = plan->n_pixels,
		.n = plan->segment,
		.k = plan->filters,
		.n_taps = kernel.n_taps,
		.a_row = (ptrdiff_t) plan->filters,
		.b = it->derived,
		.b_rows = scratch->filters,
		.b_tap = kernel.c_tap,
		.c_rows = scratch->pixels,
		.c_tap = kernel.b_tap
	};

	for (size_t i = 0; i < it->n && !ai_pass_should_stop(it->pass); i++)
	{
		input.a = it->d_sums + i * plan->n_pixels * plan->filters;
		if (it->input != NULL)
		{
			ai_kernels()->transpose(scratch->turned, kernel.a_row, input.a, input.a_row,
									plan->n_pixels, plan->filters);
			kernel.b = it->input + i * plan->image;
			ai_kernels()->gemm_sparse(&kernel);
		}
		if (it->d_input != NULL)
		{
			input.c = it->d_input + i * plan->image;
			ai_kernels()->gemm_sparse(&input);
		}
	}
}

/* The kernel's gradient, which has been summed as [filters, patch] */
static void
add_sparse_kernel(const AiConvPlan *plan, const AiConvScratch *scratch, float *d_kernel)
{
	size_t		n_together = plan->n_strip * plan->patch / plan->filters;

	n_together = n_together > 0 ? n_together : 1;
	for (size_t p = 0; p < plan->patch; p += n_together)
	{
		size_t		n = ai_conv_least(n_together, plan->patch - p);

		ai_kernels()->transpose(scratch->patches, (ptrdiff_t) plan->filters, scratch->d_kernel + p,
								(ptrdiff_t) plan->patch, plan->filters, n);
		ai_kernels()->add(d_kernel + p * plan->filters, scratch->patches, n * plan->filters);
	}
}

static bool
is_sparse(const AiConvPlan *plan, const float *d_sums)
{
	size_t		n = plan->n_pixels * plan->filters;

	return plan->may_be_sparse && ai_kernels()->count_terms(d_sums, n) < n / MAX_DENSITY;
}

/*
 * Both
 */

/* Neighbours of one sort together; true if there are sparse ones */
static bool
go_back_by_sort(const Images *group)
{
	const AiConvPlan *plan = group->plan;
	size_t		d_size = plan->n_pixels * plan->filters;
	bool		any_sparse = false;
	Images		part = *group;

	for (size_t i = 0; i < group->n; i += part.n)
	{
		const float *d_sums = group->d_sums + i * d_size;
		bool		sparse = is_sparse(plan, d_sums);

		part.n = 1;
		while (i + part.n < group->n && is_sparse(plan, d_sums + part.n * d_size) == sparse)
			part.n++;
		part.d_sums = d_sums;
		part.input = group->input != NULL ? group->input + i * plan->image : NULL;
		part.d_input = group->d_input != NULL ? group->d_input + i * plan->image : NULL;
		if (sparse)
			go_back_sparse(&part);
		else
			go_back(&part);
		any_sparse |= sparse;
	}
	return any_sparse;
}

/* What is inside of padded images */
static void
cut_out(float *d_input, const float *padded, size_t n_images, const AiConvPlan *plan)
{
	size_t		row = (size_t) plan->x.input * plan->channels;
	size_t		padded_row = plan->width * plan->channels;

	padded += (size_t) plan->y.before * padded_row + (size_t) plan->x.before * plan->channels;
	for (size_t i = 0; i < n_images; i++, padded += plan->image)
	{
		for (size_t y = 0; y < (size_t) plan->y.input; y++, d_input += row)
			memcpy(d_input, padded + y * padded_row, row * sizeof(float));
	}
}

/* The gradient by the sums of some images, from the first one on */
static const float *
sums_back(const AiLayer *layer, const AiPass *pass, const AiConvPlan *plan, float *d_sums,
		  size_t first, size_t n_images)
{
	AiActivation act = (AiActivation) ((const AiConvConfig *) layer->config)->activation;
	size_t		at = first * plan->n_pixels * plan->filters;

	return ai_sums_back(d_sums, pass->d_output + at,
						layer->saved_size > 0 ? pass->saved + at : NULL, pass->output + at,
						n_images * plan->n_pixels, plan->filters, act);
}

void
ai_conv_backward(const AiLayer *layer, const AiPass *pass)
{
	AiConvPlan	plan = ai_conv_plan(layer);
	AiConvScratch scratch = ai_conv_scratch(pass->scratch, &plan);
	size_t		size = ai_shape_size(&layer->input[0]);
	size_t		n_rows = (size_t) pass->n_rows;
	float	   *d_bias = layer->n_weights > AI_CONV_BIAS ? pass->d_weight[AI_CONV_BIAS] : NULL;
	Images		it = {
		.pass = pass, .plan = &plan, .scratch = &scratch, .derived = pass->derived,
		.d_kernel = pass->d_weight[AI_CONV_KERNEL]
	};
	bool		any_sparse = false;

	if (plan.may_be_sparse)
		prepare_sparse(&plan, &scratch);
	for (size_t first = 0; first < n_rows && !ai_pass_should_stop(pass); first += plan.group)
	{
		float	   *d_input = pass->d_input[0] != NULL ? pass->d_input[0] + first * size : NULL;

		it.n = ai_conv_least(plan.group, n_rows - first);
		it.d_sums = sums_back(layer, pass, &plan, scratch.d_sums, first, it.n);
		if (it.d_kernel != NULL)
			it.input = ai_conv_pad(scratch.padded, pass->input[0] + first * size, it.n, &plan);
		if (d_bias != NULL)
			ai_kernels()->add_rows(d_bias, it.d_sums, it.n * plan.n_pixels, plan.filters);
		it.d_input = d_input != NULL && plan.is_padded ? scratch.d_padded : d_input;
		if (it.d_input != NULL)
			memset(it.d_input, 0, it.n * plan.image * sizeof(float));
		any_sparse |= go_back_by_sort(&it);
		if (d_input != NULL && plan.is_padded)
			cut_out(d_input, scratch.d_padded, it.n, &plan);
	}
	if (any_sparse && it.d_kernel != NULL)
		add_sparse_kernel(&plan, &scratch, it.d_kernel);
}
