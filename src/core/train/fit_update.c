/*-------------------------------------------------------------------------
 * fit_update.c
 *		From gradients to new weights.
 *
 * Weights are updated in pieces, each by one task, which sums its gradients over the lanes
 * and uses them while they are in the cache.  Gradients of embeddings are rows.  The other
 * rows have a gradient of zeros, by which most rules still move them, so they are updated
 * too; but not where that changes no bit: with rules that keep no motion, and rows that have
 * had no other gradient ever since.
 *-------------------------------------------------------------------------
 */
#include "core/train/fit_internal.h"

#include <string.h>

#include "core/base/tiny.h"

#define PIECE_SIZE 8192			/* numbers */
#define LATE_ROWS 48			/* or a multiple: products in whole tiles at every level */

static bool
is_trained(const AiGraphLayer *it, const AiWeight *weight)
{
	return !it->is_frozen && !weight->is_state;
}

/* Numbers of a row of an embedding, or of one whose gradient is made by rows; of others, 1 */
static size_t
row_width(const AiWeight *weight)
{
	return weight->is_rows || weight->is_late ? (size_t) weight->dims[1] : 1;
}

/* As many rows as fit in, or as few as can be */
static size_t
piece_size(const AiWeight *weight)
{
	size_t		width = row_width(weight);
	size_t		n_rows = weight->is_late ? LATE_ROWS : 1;
	size_t		n = PIECE_SIZE / (n_rows * width);

	return (n > 1 ? n : 1) * n_rows * width;
}

static int
count_pieces(const AiWeight *weight)
{
	size_t		size = piece_size(weight);

	return (int) ((weight->size + size - 1) / size);
}

static void
count_arrays(AiFit *fit)
{
	for (int i = 0; i < fit->graph->n_layers; i++)
	{
		const AiGraphLayer *it = &fit->graph->layers[i];

		for (int j = 0; j < it->layer.n_weights; j++)
		{
			if (!is_trained(it, &it->layer.weight[j]))
				continue;
			fit->n_arrays++;
			fit->n_pieces += count_pieces(&it->layer.weight[j]);
		}
	}
}

static bool
has_penalty(const AiFitArray *array)
{
	return array->weight->l1 != 0 || array->weight->l2 != 0;
}

/* What is known of each row of an embedding */
static AiCode
add_rows(AiFit *fit, AiFitArray *array, AiError *err)
{
	size_t		n = (size_t) array->weight->dims[0];
	bool		moves = has_penalty(array) || fit->options.optimiser.weight_decay != 0;

	array->place = ai_arena_alloc_zero(&fit->arena, n, sizeof(uint32_t));
	array->is_moving = ai_arena_alloc(&fit->arena, n * sizeof(bool));
	if (array->place == NULL || array->is_moving == NULL)
		return ai_out_of_memory(err, n * sizeof(uint32_t), "the rows of an embedding");
	memset(array->is_moving, moves, n * sizeof(bool));
	if (fit->n_zeros < piece_size(array->weight))
		fit->n_zeros = piece_size(array->weight);
	return AI_OK;
}

static AiCode
add_array(AiFit *fit, int layer, int number, int rows, AiError *err)
{
	const AiWeight *weight = &fit->graph->layers[layer].layer.weight[number];
	AiFitArray *array = &fit->arrays[fit->n_arrays];
	size_t		size = piece_size(weight);

	*array = (AiFitArray) {
		.weight = weight, .layer = layer, .number = number, .rows = rows,
		.width = row_width(weight), .scale = 1
	};
	fit->has_penalty |= has_penalty(array);
	for (size_t first = 0; first < weight->size; first += size)
	{
		size_t		n = weight->size - first;

		fit->pieces[fit->n_pieces++] = (AiFitPiece) {
			.first = weight->offset + first,
			.n = n < size ? n : size,
			.array = fit->n_arrays
		};
	}
	fit->n_arrays++;
	return rows < 0 ? AI_OK : add_rows(fit, array, err);
}

static AiCode
add_arrays(AiFit *fit, AiError *err)
{
	int			n_rows = 0;

	fit->n_arrays = fit->n_pieces = 0;
	for (int i = 0; i < fit->graph->n_layers; i++)
	{
		const AiGraphLayer *it = &fit->graph->layers[i];

		for (int j = 0; j < it->layer.n_weights; j++)
		{
			const AiWeight *weight = &it->layer.weight[j];

			if (is_trained(it, weight))
				AI_TRY(add_array(fit, i, j, weight->is_rows ? n_rows++ : -1, err));
		}
	}
	return AI_OK;
}

static void *
alloc_numbers(AiFit *fit, size_t n)
{
	return ai_arena_alloc(&fit->arena, n * sizeof(float) + 1);
}

AiCode
ai_fit_prepare_updates(AiFit *fit, AiError *err)
{
	size_t		n = fit->graph->n_weights;
	int			n_slots = ai_optimiser_n_slots(&fit->options.optimiser);

	fit->clips_norms = fit->options.optimiser.clip_norm > 0 ||
		fit->options.optimiser.global_clip_norm > 0;
	count_arrays(fit);
	fit->arrays = ai_arena_alloc_zero(&fit->arena, (size_t) fit->n_arrays + 1, sizeof(AiFitArray));
	fit->pieces = ai_arena_alloc_zero(&fit->arena, (size_t) fit->n_pieces + 1, sizeof(AiFitPiece));
	fit->piece_sums = ai_arena_alloc_zero(&fit->arena, (size_t) fit->n_pieces + 1, sizeof(double));
	fit->gradients = alloc_numbers(fit, fit->graph->n_dense);
	if (fit->arrays == NULL || fit->pieces == NULL || fit->piece_sums == NULL ||
		fit->gradients == NULL)
		return ai_out_of_memory(err, n * sizeof(float), "the gradients of a network");
	for (int s = 0; s < n_slots; s++)
	{
		float		initial = ai_optimiser_initial(&fit->options.optimiser, s);

		fit->slots[s] = alloc_numbers(fit, n);
		if (fit->slots[s] == NULL)
			return ai_out_of_memory(err, n * sizeof(float), "what the optimiser keeps");
		for (size_t i = 0; i < n; i++)
			fit->slots[s][i] = initial;
	}
	AI_TRY(add_arrays(fit, err));
	fit->zeros = ai_arena_alloc_zero(&fit->arena, fit->n_zeros + 1, sizeof(float));
	return fit->zeros != NULL ? AI_OK :
		ai_out_of_memory(err, fit->n_zeros * sizeof(float), "the gradients of a network");
}

/* Rows that have gradients in this step are found by their places, or, with has_ended, no more. */
static void
place_rows(AiFit *fit, bool has_ended)
{
	for (int i = 0; i < fit->n_arrays; i++)
	{
		AiFitArray *array = &fit->arrays[i];
		bool		moves = has_penalty(array) || !ai_optimiser_rests(&fit->options.optimiser);

		if (array->rows < 0)
			continue;
		array->found = ai_run_rows(fit->run, array->rows);
		for (size_t j = 0; j < array->found.n; j++)
		{
			array->place[array->found.index[j]] = has_ended ? 0 : (uint32_t) j + 1;
			array->is_moving[array->found.index[j]] = !has_ended || moves;
		}
	}
}

/* Weights of a piece that are updated in one go, and their gradients */
typedef struct Stretch
{
	size_t		first;
	size_t		n;				/* 0: there are no more */
	const float *gradient;
} Stretch;

/* The stretch of rows from number row on, before end */
static Stretch
stretch_of_rows(const AiFit *fit, const AiFitArray *array, size_t row, size_t end)
{
	Stretch		it = {0};

	while (row < end && !array->is_moving[row])
		row++;
	it.first = array->weight->offset + row * array->width;
	if (row < end && array->place[row] > 0)
	{
		it.n = array->width;
		it.gradient = array->found.gradient + (array->place[row] - 1) * array->width;
		return it;
	}
	it.gradient = fit->zeros;
	for (; row < end && array->is_moving[row] && array->place[row] == 0; row++)
		it.n += array->width;
	return it;
}

/* The stretch of a piece from this weight on */
static Stretch
find_stretch(const AiFit *fit, const AiFitPiece *piece, size_t first)
{
	const AiFitArray *array = &fit->arrays[piece->array];
	size_t		begin = array->weight->offset;

	if (array->rows < 0)
		return (Stretch) {first, piece->first + piece->n - first, fit->gradients + first};
	return stretch_of_rows(fit, array, (first - begin) / array->width,
						   (piece->first + piece->n - begin) / array->width);
}

static void
take_gradients(AiFit *fit, const AiFitPiece *piece, int thread)
{
	const AiFitArray *array = &fit->arrays[piece->array];

	if (array->rows < 0)
		ai_run_gradients(fit->run, fit->gradients + piece->first, array->layer, array->number,
						 piece->first - array->weight->offset, piece->n, thread);
}

static void
measure_piece(void *arg, int64_t number, int thread)
{
	AiFit	   *fit = arg;
	const AiFitPiece *piece = &fit->pieces[number];
	const AiWeight *weight = fit->arrays[piece->array].weight;
	double		sum = 0;
	Stretch		it;

	take_gradients(fit, piece, thread);
	for (size_t first = piece->first; (it = find_stretch(fit, piece, first)).n > 0;
		 first = it.first + it.n)
		sum += ai_optimiser_sum_squares(fit->weights + it.first, it.gradient, it.n, weight->l1,
										weight->l2);
	fit->piece_sums[number] = sum;
}

/* Gradients are made shorter where they are too long, alone or all together. */
static AiCode
clip_norms(AiFit *fit, AiError *err)
{
	const AiOptimiser *optimiser = &fit->options.optimiser;
	double		total = 0;

	AI_TRY(ai_pool_run(fit->pool, measure_piece, fit, fit->n_pieces, err));
	for (int i = 0; i < fit->n_arrays; i++)
		fit->arrays[i].sum_squares = 0;
	for (int i = 0; i < fit->n_pieces; i++)
		fit->arrays[fit->pieces[i].array].sum_squares += fit->piece_sums[i];
	for (int i = 0; i < fit->n_arrays; i++)
		total += fit->arrays[i].sum_squares;
	for (int i = 0; i < fit->n_arrays; i++)
		fit->arrays[i].scale = optimiser->clip_norm > 0 ?
			ai_optimiser_scale(optimiser->clip_norm, fit->arrays[i].sum_squares) :
			ai_optimiser_scale(optimiser->global_clip_norm, total);
	return AI_OK;
}

static void
update_stretch(const AiFit *fit, const AiUpdate *update, const Stretch *it)
{
	float	   *slot[AI_OPTIMISER_MAX_SLOTS] = {NULL};

	for (int s = 0; s < AI_OPTIMISER_MAX_SLOTS; s++)
		slot[s] = fit->slots[s] != NULL ? fit->slots[s] + it->first : NULL;
	ai_optimiser_update(&fit->options.optimiser, update, fit->weights + it->first, it->gradient,
						slot, it->n);
}

static void
update_piece(void *arg, int64_t number, int thread)
{
	AiFit	   *fit = arg;
	const AiFitPiece *piece = &fit->pieces[number];
	const AiFitArray *array = &fit->arrays[piece->array];
	AiUpdate	update = fit->update;
	unsigned	before = ai_tiny_begin();
	Stretch		it;

	if (!fit->clips_norms)
		take_gradients(fit, piece, thread);
	update.l1 = array->weight->l1;
	update.l2 = array->weight->l2;
	update.scale = array->scale;
	if (fit->has_penalty)
		fit->piece_sums[number] = ai_optimiser_penalty(fit->weights + piece->first, piece->n,
													   update.l1, update.l2);
	for (size_t first = piece->first; (it = find_stretch(fit, piece, first)).n > 0;
		 first = it.first + it.n)
		update_stretch(fit, &update, &it);
	ai_tiny_end(before);
}

AiCode
ai_fit_update(AiFit *fit, double learning_rate, double *penalty, AiError *err)
{
	place_rows(fit, false);
	if (fit->clips_norms)
		AI_TRY(clip_norms(fit, err));
	ai_optimiser_begin(&fit->options.optimiser, &fit->state, learning_rate, &fit->update);
	AI_TRY(ai_pool_run(fit->pool, update_piece, fit, fit->n_pieces, err));
	place_rows(fit, true);
	*penalty = 0;
	for (int i = 0; i < fit->n_pieces && fit->has_penalty; i++)
		*penalty += fit->piece_sums[i];
	return AI_OK;
}
