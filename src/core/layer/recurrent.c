/*-------------------------------------------------------------------------
 * recurrent.c
 *		What lstm, gru and simple_rnn share.
 *
 * The sums over the inputs of many steps are one product; then each step adds those over the
 * state before it.  On the way back each step gives the gradient by its sums, which takes
 * their place, and from it that of the state before; products with many steps at once
 * give the gradients of weights and inputs.
 *
 * A direction's arrays are packed (packed.h): step s begins at place p(s), the sum of the rows of
 * the steps before it.  State h before step s stands at p(s), so that h after it stands
 * behind, at p(s + 1); rows that end with step s have theirs where step s + 1 will
 * write, so outputs are taken at once.  What is kept after step s stands at p(s + 1) where
 * p(1) rows of zeros are before the first step, and stays.
 *-------------------------------------------------------------------------
 */
#include "core/layer/recurrent.h"

#include <string.h>

#include "core/layer/packed.h"

const char *const ai_merge_mode_names[] = {"concat", "sum", "mul", "ave", NULL};

static const char *const names[2][3] = {
	{"kernel", "recurrent_kernel", "bias"},
	{"backward_kernel", "backward_recurrent_kernel", "backward_bias"}
};

enum
{
	KERNEL,
	RECURRENT,
	BIAS						/* if there is one */
};

/* Places of one product, while their gates stay in the second cache */
#define BLOCK_PLACES 128

/*
 * Shapes and weights
 */

static int
n_directions(const AiRecurrentConfig *config)
{
	return config->bidirectional ? 2 : 1;
}

static bool
is_merged(const AiRecurrentConfig *config)
{
	return config->bidirectional && config->merge_mode != AI_MERGE_CONCAT;
}

static void
add_direction(AiLayer *layer, int direction, const AiRecurrent *kind,
			  AiInitialiser bias_initialiser)
{
	const AiRecurrentConfig *config = layer->config;
	const char *const *name = names[direction];
	int64_t		n = ai_shape_last(&layer->input[0]);
	int64_t		width = kind->n_gates * config->units;
	AiWeight   *weight;

	weight = ai_prepare_weight(layer, name[KERNEL], config->kernel_initializer, 2,
							   (int64_t[]) {n, width});
	weight->l1 = config->l1;
	weight->l2 = config->l2;
	weight = ai_prepare_weight(layer, name[RECURRENT], config->recurrent_initializer, 2,
							   (int64_t[]) {config->units, width});
	weight->l1 = config->recurrent_l1;
	weight->l2 = config->recurrent_l2;
	if (!config->use_bias)
		return;
	if (kind->has_inner)
		ai_prepare_weight(layer, name[BIAS], bias_initialiser, 2, (int64_t[]) {2, width});
	else
		ai_prepare_weight(layer, name[BIAS], bias_initialiser, 1, &width);
}

/* Numbers of a row that one direction saves, but for its own output */
static size_t
packed_size(const AiLayer *layer, const AiRecurrent *kind)
{
	const AiRecurrentConfig *config = layer->config;
	size_t		n_times = (size_t) layer->input[0].dims[0];
	size_t		n_inputs = (size_t) layer->input[0].dims[1];
	size_t		units = (size_t) config->units;
	size_t		width = (size_t) kind->n_gates * units;

	return n_times * (n_inputs + width * (kind->has_inner ? 2 : 1)) +
		(n_times + 1) * units * (kind->has_kept ? 2 : 1);
}

AiCode
ai_recurrent_prepare(AiLayer *layer, const AiRecurrent *kind, AiInitialiser bias_initialiser,
					 AiError *err)
{
	const AiRecurrentConfig *config = layer->config;
	bool		is_double = config->bidirectional && config->merge_mode == AI_MERGE_CONCAT;
	size_t		n_ways = (size_t) n_directions(config);
	size_t		units = (size_t) config->units;
	size_t		n_own;			/* of a direction's output, where it is not the layer's */
	AiShape    *output = &layer->output;

	AI_TRY(ai_prepare_dims(layer, 2, 2, "[steps, features]", err));
	if (config->return_sequences)
		output->dims[output->n_dims++] = layer->input[0].dims[0];
	output->dims[output->n_dims++] = config->units * (is_double ? 2 : 1);
	layer->passes_mask = config->return_sequences;
	add_direction(layer, 0, kind, bias_initialiser);
	if (config->bidirectional)
		add_direction(layer, 1, kind, bias_initialiser);

	n_own = is_merged(config) ? ai_shape_size(output) : 0;
	layer->saved_size = n_ways * (packed_size(layer, kind) + n_own);
	layer->scratch_size = 4 * units + n_own;
	layer->scratch_fixed = (BLOCK_PLACES + AI_SHARD_ROWS) * (size_t) layer->input[0].dims[1];
	layer->derived_size = n_ways * (size_t) kind->n_gates * units *
		(units + (size_t) layer->input[0].dims[1]);
	layer->needs_derived = true;
	return AI_OK;
}

/* Transpose a kernel to derived; where the next one begins */
static float *
derive_kernel(float *derived, const float *kernel, const AiWeight *weight)
{
	size_t		n_rows = (size_t) weight->dims[0];
	size_t		n = (size_t) weight->dims[1];

	ai_kernels()->transpose(derived, (ptrdiff_t) n_rows, kernel, (ptrdiff_t) n, n_rows, n);
	return derived + n_rows * n;
}

void
ai_recurrent_derive(const AiLayer *layer, float *derived, const float *const *weight)
{
	const AiRecurrentConfig *config = layer->config;
	int			n_own = layer->n_weights / n_directions(config);

	for (int first = 0; first < layer->n_weights; first += n_own)
	{
		for (int i = KERNEL; i <= RECURRENT; i++)
			derived = derive_kernel(derived, weight[first + i], &layer->weight[first + i]);
	}
}

/*
 * A direction
 */

typedef struct Direction
{
	const AiPass *pass;
	const AiRecurrent *kind;
	const AiRecurrentConfig *config;
	const AiPacked *packed;
	bool		is_backward;
	size_t		n_inputs;
	size_t		units;
	size_t		width;			/* of the gates of all units */

	/* Packed */
	float	   *x;
	float	   *gates;
	float	   *h;
	float	   *kept;			/* or NULL; no kind has both, so they have one place */
	float	   *inner;

	/* Its output, or gradient: a row's places are out_row apart */
	float	   *output;
	const float *d_output;
	size_t		out_row;

	/* Weights; gradients are NULL where they are not asked for */
	const float *kernel;
	const float *recurrent;
	const float *bias;			/* NULL: none */
	const float *kernel_transposed;
	const float *recurrent_transposed;
	float	   *d_kernel;
	float	   *d_recurrent;
	float	   *d_bias;
} Direction;

static void
take_weights(Direction *it, const AiLayer *layer, const AiPass *pass, int number)
{
	int			first = number * (layer->n_weights / n_directions(it->config));

	it->kernel = pass->weight[first + KERNEL];
	it->recurrent = pass->weight[first + RECURRENT];
	it->bias = it->config->use_bias ? pass->weight[first + BIAS] : NULL;
}

static void
take_gradients(Direction *it, const AiLayer *layer, const AiPass *pass, int number)
{
	int			first = number * (layer->n_weights / n_directions(it->config));
	size_t		n_derived = it->width * (it->n_inputs + it->units);

	it->kernel_transposed = pass->derived + (size_t) number * n_derived;
	it->recurrent_transposed = it->kernel_transposed + it->width * it->n_inputs;
	it->d_kernel = pass->d_weight[first + KERNEL];
	it->d_recurrent = pass->d_weight[first + RECURRENT];
	it->d_bias = it->config->use_bias ? pass->d_weight[first + BIAS] : NULL;
}

/* saved begins with the packed arrays of both directions, then come their own outputs */
static void
take_places(Direction *it, const AiLayer *layer, const AiPass *pass, int number)
{
	size_t		n_rows = (size_t) pass->n_rows;
	size_t		n_places = n_rows * it->packed->n_times;
	size_t		n_packed = n_rows * packed_size(layer, it->kind);
	size_t		n_own = n_rows * ai_shape_size(&layer->output);

	it->gates = pass->saved + (size_t) number * n_packed;
	it->x = it->gates + n_places * it->width;
	it->h = it->x + n_places * it->n_inputs;
	if (it->kind->has_kept)
		it->kept = it->h + (n_places + n_rows) * it->units;
	if (it->kind->has_inner)
		it->inner = it->h + (n_places + n_rows) * it->units;
	it->out_row = (size_t) ai_shape_last(&layer->output);
	if (is_merged(it->config))
		it->output = pass->saved + (size_t) n_directions(it->config) * n_packed +
			(size_t) number * n_own;
	else
		it->output = pass->output + (size_t) number * it->units;
}

static Direction
make_direction(const AiLayer *layer, const AiPass *pass, const AiRecurrent *kind,
			   const AiPacked *packed, int number)
{
	const AiRecurrentConfig *config = layer->config;
	Direction	it = {
		.pass = pass,
		.kind = kind,
		.config = config,
		.packed = packed,
		.is_backward = number == 1,
		.n_inputs = (size_t) layer->input[0].dims[1],
		.units = (size_t) config->units,
		.width = (size_t) (kind->n_gates * config->units)
	};

	take_weights(&it, layer, pass, number);
	take_places(&it, layer, pass, number);
	return it;
}

/* With return_sequences: else masked steps put out the last output again. */
static bool
masked_are_zero(const Direction *it)
{
	return it->config->bidirectional;
}

static bool
is_gap(const Direction *it, size_t i, size_t step)
{
	return it->packed->has_gaps &&
		it->packed->mask[ai_packed_place(it->packed, i, step, it->is_backward)] == 0;
}

/* Where the i-th row's step is put out; NOWHERE: it is not */
#define NOWHERE SIZE_MAX

static size_t
place_of_output(const Direction *it, size_t i, size_t step)
{
	const AiPacked *packed = it->packed;

	if (it->config->return_sequences)
		return ai_packed_place(packed, i, step, it->is_backward) * it->out_row;
	return step + 1 == packed->length[i] ? (size_t) packed->row[i] * it->out_row : NOWHERE;
}

/* Is what is put out there 0, with return_sequences? */
static bool
is_zero(const Direction *it, size_t i, size_t step)
{
	return it->config->return_sequences && masked_are_zero(it) && is_gap(it, i, step);
}

/* Do masked steps behind the i-th row repeat its last output? */
static bool
repeats_last(const Direction *it)
{
	return it->config->return_sequences && !it->is_backward && !masked_are_zero(it);
}

/*
 * Forward
 */

static void
multiply(float *c, const float *a, const float *b, const float *bias, size_t m, size_t k, size_t n,
		 bool adds)
{
	AiGemm		product = {
		.m = m,
		.n = n,
		.k = k,
		.n_taps = 1,
		.a = a,
		.a_row = (ptrdiff_t) k,
		.a_col = 1,
		.b = b,
		.b_row = (ptrdiff_t) n,
		.c = c,
		.c_row = (ptrdiff_t) n,
		.bias = bias,
		.adds = adds
	};

	ai_kernels()->gemm(&product);
}

static AiRecurrentStep
make_step(const Direction *it, size_t n_rows, size_t place)
{
	AiRecurrentStep step = {
		.n_rows = n_rows,
		.n = it->units,
		.activation = (AiActivation) it->config->activation,
		.gates = it->gates + place * it->width,
		.h = it->h + place * it->units,
		.h_new = it->h + (place + n_rows) * it->units
	};

	if (it->kind->has_inner)
		step.inner = it->inner + place * it->width;
	if (it->kind->has_kept)
		step.kept_new = it->kept + (place + ai_packed_rows(it->packed, 0)) * it->units;
	return step;
}

static void
put_out(const Direction *it, const AiRecurrentStep *step, size_t number)
{
	size_t		n = it->units;

	for (size_t i = 0; i < step->n_rows; i++)
	{
		size_t		place = place_of_output(it, i, number);

		if (place == NOWHERE)
			continue;
		if (is_zero(it, i, number))
			memset(it->output + place, 0, n * sizeof(float));
		else
			memcpy(it->output + place, step->h_new + i * n, n * sizeof(float));
	}
}

/* What is put out of steps that are not packed, and of rows without any */
static void
put_out_rest(const Direction *it)
{
	const AiPacked *packed = it->packed;
	size_t		n = it->units;
	size_t		n_times = it->config->return_sequences ? packed->n_times : 1;

	for (size_t i = 0; i < packed->n_rows; i++)
	{
		float	   *row = it->output + (size_t) packed->row[i] * n_times * it->out_row;
		size_t		length = packed->length[i];
		const float *last = NULL;

		if (repeats_last(it) && length > 0)
			last = row + (length - 1) * it->out_row;
		for (size_t t = length; t < n_times; t++)
		{
			if (last != NULL)
				memcpy(row + t * it->out_row, last, n * sizeof(float));
			else
				memset(row + t * it->out_row, 0, n * sizeof(float));
		}
	}
}

static void
keep_gaps(const Direction *it, const AiRecurrentStep *step, size_t number)
{
	size_t		n = it->units;

	for (size_t i = 0; i < step->n_rows; i++)
	{
		if (!is_gap(it, i, number))
			continue;
		memcpy(step->h_new + i * n, step->h + i * n, n * sizeof(float));
		if (it->kind->has_kept)
			memcpy(step->kept_new + i * n, step->kept + i * n, n * sizeof(float));
	}
}

/* The sums over the inputs of some steps from this place on; where they end */
static size_t
start_block(const Direction *it, size_t place)
{
	size_t		n = it->packed->n_places - place;

	if (n > BLOCK_PLACES)
		n = BLOCK_PLACES;
	multiply(it->gates + place * it->width, it->x + place * it->n_inputs, it->kernel, it->bias, n,
			 it->n_inputs, it->width, false);
	return place + n;
}

/* The sums over h, which is 0 before the first step */
static void
multiply_state(const Direction *it, const AiRecurrentStep *step, bool is_first)
{
	const float *bias = it->bias != NULL ? it->bias + it->width : NULL;

	if (it->kind->has_inner)
		multiply(step->inner, step->h, it->recurrent, bias, step->n_rows, it->units, it->width,
				 false);
	else if (!is_first)
		multiply(step->gates, step->h, it->recurrent, NULL, step->n_rows, it->units, it->width,
				 true);
}

static void
go_forward(const Direction *it, const float *input)
{
	const AiPacked *packed = it->packed;
	size_t		n_first = ai_packed_rows(packed, 0);
	const float *kept = it->kept;
	size_t		place = 0;
	size_t		end = 0;		/* up to here there are sums over inputs */

	ai_packed_take(it->x, packed, input, it->n_inputs, it->is_backward);
	memset(it->h, 0, n_first * it->units * sizeof(float));
	if (it->kind->has_kept)
		memset(it->kept, 0, n_first * it->units * sizeof(float));
	for (size_t s = 0; s < packed->n_steps && !ai_pass_should_stop(it->pass); s++)
	{
		AiRecurrentStep step = make_step(it, ai_packed_rows(packed, s), place);

		step.kept = kept;
		while (end < place + step.n_rows)
			end = start_block(it, end);
		multiply_state(it, &step, s == 0);
		it->kind->forward(&step);
		if (packed->has_gaps)
			keep_gaps(it, &step, s);
		put_out(it, &step, s);
		kept = step.kept_new;
		place += step.n_rows;
	}
	put_out_rest(it);
}

/*
 * Backward
 */

/* What goes on from step to step, [n_rows, units] each */
typedef struct Carried
{
	float	   *d_h;
	float	   *d_kept;
	float	   *stored_h;		/* of gaps */
	float	   *stored_kept;
} Carried;

/* The gradient of what is put out behind the last step of a row is its last step's. */
static void
add_repeated(const Direction *it, float *d_h, size_t i)
{
	size_t		n_times = it->packed->n_times;
	const float *row = it->d_output + (size_t) it->packed->row[i] * n_times * it->out_row;

	for (size_t t = it->packed->length[i]; t < n_times; t++)
		ai_kernels()->add(d_h, row + t * it->out_row, it->units);
}

static void
take_in(const Direction *it, float *d_h, size_t n_rows, size_t number)
{
	for (size_t i = 0; i < n_rows; i++)
	{
		float	   *row = d_h + i * it->units;
		size_t		place = place_of_output(it, i, number);

		if (place != NOWHERE && !is_zero(it, i, number))
			ai_kernels()->add(row, it->d_output + place, it->units);
		if (repeats_last(it) && number + 1 == it->packed->length[i])
			add_repeated(it, row, i);
	}
}

static void
step_back(const Direction *it, const AiRecurrentStep *step, const Carried *carried, size_t number)
{
	size_t		n = it->units;
	size_t		row = n * sizeof(float);

	if (it->packed->has_gaps)
	{
		memcpy(carried->stored_h, step->d_h, step->n_rows * row);
		memcpy(carried->stored_kept, step->d_kept, step->n_rows * row);
	}
	it->kind->backward(step);
	for (size_t i = 0; i < step->n_rows && it->packed->has_gaps; i++)
	{
		if (!is_gap(it, i, number))
			continue;
		memcpy(step->d_h + i * n, carried->stored_h + i * n, row);
		memcpy(step->d_kept + i * n, carried->stored_kept + i * n, row);
		memset(step->gates + i * it->width, 0, it->width * sizeof(float));
		if (it->kind->has_inner)
			memset(step->inner + i * it->width, 0, it->width * sizeof(float));
	}
}

/* d_kernel += a transposed * d_sums */
static void
add_kernel_gradient(const Direction *it, float *d_kernel, const float *a, const float *d_sums,
					size_t n_rows, size_t n_places)
{
	AiGemm		product = {
		.m = n_rows,
		.n = it->width,
		.k = n_places,
		.n_taps = 1,
		.a = a,
		.a_row = 1,
		.a_col = (ptrdiff_t) n_rows,
		.b = d_sums,
		.b_row = (ptrdiff_t) it->width,
		.c = d_kernel,
		.c_row = (ptrdiff_t) it->width,
		.adds = true
	};

	ai_kernels()->gemm(&product);
}

/* Gradients of weights, by some places whose gradients by the sums are known */
static void
add_weight_gradients(const Direction *it, size_t first, size_t n_places)
{
	const float *d_sums = it->gates + first * it->width;
	const float *d_inner = it->kind->has_inner ? it->inner + first * it->width : d_sums;

	if (it->d_kernel != NULL)
		add_kernel_gradient(it, it->d_kernel, it->x + first * it->n_inputs, d_sums, it->n_inputs,
							n_places);
	if (it->d_recurrent != NULL)
		add_kernel_gradient(it, it->d_recurrent, it->h + first * it->units, d_inner, it->units,
							n_places);
	if (it->d_bias == NULL)
		return;
	ai_kernels()->add_rows(it->d_bias, d_sums, n_places, it->width);
	if (it->kind->has_inner)
		ai_kernels()->add_rows(it->d_bias + it->width, d_inner, n_places, it->width);
}

/* Of some steps from number on, whose first place is first; d_x is scratch */
static void
give_input_gradient(const Direction *it, float *d_input, float *d_x, size_t number, size_t first,
				   size_t n_places)
{
	size_t		n = it->n_inputs;

	multiply(d_x, it->gates + first * it->width, it->kernel_transposed, NULL, n_places, it->width,
			 n, false);
	for (size_t end = first + n_places; first < end; number++)
	{
		size_t		n_rows = ai_packed_rows(it->packed, number);

		for (size_t i = 0; i < n_rows; i++, d_x += n)
		{
			float	   *to = d_input + ai_packed_place(it->packed, i, number, it->is_backward) * n;

			if (it->is_backward)
				ai_kernels()->add(to, d_x, n);
			else
				memcpy(to, d_x, n * sizeof(float));
		}
		first += n_rows;
	}
}

static void
go_back(const Direction *it, const Carried *carried, float *d_input, float *d_x)
{
	const AiPacked *packed = it->packed;
	size_t		place = packed->n_places;
	size_t		end = place;	/* from here on gradients have been summed */

	memset(carried->d_h, 0, packed->n_rows * it->units * sizeof(float));
	memset(carried->d_kept, 0, packed->n_rows * it->units * sizeof(float));
	for (size_t s = packed->n_steps; s-- > 0 && !ai_pass_should_stop(it->pass);)
	{
		size_t		n_rows = ai_packed_rows(packed, s);
		AiRecurrentStep step = make_step(it, n_rows, place - n_rows);

		place -= n_rows;
		step.kept = it->kept;
		if (it->kind->has_kept && s > 0)
			step.kept = step.kept_new - ai_packed_rows(packed, s - 1) * it->units;
		step.d_h = carried->d_h;
		step.d_kept = carried->d_kept;
		take_in(it, step.d_h, n_rows, s);
		step_back(it, &step, carried, s);
		if (s > 0)
			multiply(step.d_h, it->kind->has_inner ? step.inner : step.gates,
					 it->recurrent_transposed, NULL, n_rows, it->width, it->units, true);
		if (s > 0 && end - place < BLOCK_PLACES)
			continue;
		add_weight_gradients(it, place, end - place);
		if (d_input != NULL)
			give_input_gradient(it, d_input, d_x, s, place, end - place);
		end = place;
	}
}

/*
 * Both directions
 */

/* output = a and b merged, n numbers */
static void
merge(float *output, const float *a, const float *b, size_t n, AiMergeMode mode)
{
	memcpy(output, a, n * sizeof(float));
	if (mode == AI_MERGE_MUL)
	{
		for (size_t i = 0; i < n; i++)
			output[i] *= b[i];
		return;
	}
	ai_kernels()->add(output, b, n);
	if (mode == AI_MERGE_AVE)
		ai_kernels()->scale(output, output, n, 0.5f, 0);
}

/* The gradient of one direction's output, whose other direction put out other; own is scratch */
static const float *
merge_back(float *own, const float *d_output, const float *other, size_t n, AiMergeMode mode)
{
	if (mode == AI_MERGE_SUM)
		return d_output;
	if (mode == AI_MERGE_AVE)
	{
		ai_kernels()->scale(own, d_output, n, 0.5f, 0);
		return own;
	}
	for (size_t i = 0; i < n; i++)
		own[i] = d_output[i] * other[i];
	return own;
}

void
ai_recurrent_forward(const AiLayer *layer, const AiPass *pass, const AiRecurrent *kind)
{
	const AiRecurrentConfig *config = layer->config;
	Direction	it[2];
	AiPacked	packed;

	ai_packed_init(&packed, pass->mask, (size_t) pass->n_rows, (size_t) layer->input[0].dims[0]);
	for (int i = 0; i < n_directions(config); i++)
	{
		it[i] = make_direction(layer, pass, kind, &packed, i);
		go_forward(&it[i], pass->input[0]);
	}
	if (is_merged(config))
		merge(pass->output, it[0].output, it[1].output,
			  packed.n_rows * ai_shape_size(&layer->output), (AiMergeMode) config->merge_mode);
}

void
ai_recurrent_backward(const AiLayer *layer, const AiPass *pass, const AiRecurrent *kind)
{
	const AiRecurrentConfig *config = layer->config;
	size_t		n_rows = (size_t) pass->n_rows;
	size_t		n_state = n_rows * (size_t) config->units;
	size_t		n_output = n_rows * ai_shape_size(&layer->output);
	Carried		carried = {
		pass->scratch, pass->scratch + n_state, pass->scratch + 2 * n_state,
		pass->scratch + 3 * n_state
	};
	float	   *d_own = pass->scratch + 4 * n_state;
	float	   *d_x = d_own + (is_merged(config) ? n_output : 0);
	Direction	it[2];
	AiPacked	packed;

	ai_packed_init(&packed, pass->mask, n_rows, (size_t) layer->input[0].dims[0]);
	if (pass->d_input[0] != NULL && packed.n_places < n_rows * packed.n_times)
		memset(pass->d_input[0], 0, n_rows * ai_shape_size(&layer->input[0]) * sizeof(float));
	for (int i = 0; i < n_directions(config); i++)
	{
		it[i] = make_direction(layer, pass, kind, &packed, i);
		take_gradients(&it[i], layer, pass, i);
	}
	for (int i = 0; i < n_directions(config); i++)
	{
		if (is_merged(config))
			it[i].d_output = merge_back(d_own, pass->d_output, it[1 - i].output, n_output,
										(AiMergeMode) config->merge_mode);
		else
			it[i].d_output = pass->d_output + (size_t) i * it[i].units;
		go_back(&it[i], &carried, pass->d_input[0], d_x);
	}
}
