/*-------------------------------------------------------------------------
 * fit_update.c
 *		From gradients to new weights.
 *
 * Weights are updated in pieces, each by one task, which sums its gradients over the lanes
 * and uses them while they are in the cache.  Gradients of embeddings are rows: they are
 * laid into a whole array, and taken out again, so that the rule is the same for all.
 * Pieces whose gradient has been zero ever since are left alone: no rule moves them.
 *-------------------------------------------------------------------------
 */
#include "core/train/fit_internal.h"

#include <string.h>

#include "core/base/tiny.h"

#define PIECE_SIZE 8192			/* numbers */

static bool
is_trained(const AiGraphLayer *it, const AiWeight *weight)
{
	return !it->is_frozen && !weight->is_state;
}

static int
count_pieces(const AiWeight *weight)
{
	return (int) ((weight->size + PIECE_SIZE - 1) / PIECE_SIZE);
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

static void
add_array(AiFit *fit, const AiWeight *weight, int rows)
{
	AiFitArray *array = &fit->arrays[fit->n_arrays];

	*array = (AiFitArray) {.weight = weight, .rows = rows, .scale = 1};
	fit->has_penalty |= weight->l1 != 0 || weight->l2 != 0;
	for (size_t first = 0; first < weight->size; first += PIECE_SIZE)
	{
		size_t		n = weight->size - first;

		fit->pieces[fit->n_pieces++] = (AiFitPiece) {
			.first = weight->offset + first,
			.n = n < PIECE_SIZE ? n : PIECE_SIZE,
			.array = fit->n_arrays,
			.is_moving = rows < 0 || weight->l1 != 0 || weight->l2 != 0 ||
				fit->options.optimiser.weight_decay != 0
		};
	}
	fit->n_arrays++;
}

static void
add_arrays(AiFit *fit)
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
				add_array(fit, weight, weight->is_rows ? n_rows++ : -1);
		}
	}
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
	fit->gradients = ai_arena_alloc_zero(&fit->arena, n + 1, sizeof(float));
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
	add_arrays(fit);
	return AI_OK;
}

/* Gradients of embeddings: into their array, or, with has_ended, out of it */
static void
lay_rows(AiFit *fit, bool has_ended)
{
	for (int i = 0; i < fit->n_pieces; i++)
	{
		AiFitPiece *piece = &fit->pieces[i];
		const AiFitArray *array = &fit->arrays[piece->array];
		AiRunRows	rows;

		if (array->rows < 0 || piece->first != array->weight->offset)
			continue;
		rows = ai_run_rows(fit->run, array->rows);
		for (size_t j = 0; j < rows.n; j++)
		{
			size_t		first = rows.index[j] * rows.width;
			float	   *row = fit->gradients + array->weight->offset + first;

			if (has_ended)
				memset(row, 0, rows.width * sizeof(float));
			else
			{
				memcpy(row, rows.gradient + j * rows.width, rows.width * sizeof(float));
				for (size_t p = first / PIECE_SIZE; p <= (first + rows.width - 1) / PIECE_SIZE; p++)
					piece[p].is_moving = true;
			}
		}
	}
}

static void
take_gradients(AiFit *fit, const AiFitPiece *piece)
{
	if (fit->arrays[piece->array].rows < 0)
		ai_run_gradients(fit->run, fit->gradients + piece->first, piece->first, piece->n);
}

static void
measure_piece(void *arg, int64_t number, int thread)
{
	AiFit	   *fit = arg;
	const AiFitPiece *piece = &fit->pieces[number];
	const AiWeight *weight = fit->arrays[piece->array].weight;

	(void) thread;
	take_gradients(fit, piece);
	fit->piece_sums[number] =
		ai_optimiser_sum_squares(fit->weights + piece->first, fit->gradients + piece->first,
								 piece->n, weight->l1, weight->l2);
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
update_piece(void *arg, int64_t number, int thread)
{
	AiFit	   *fit = arg;
	const AiFitPiece *piece = &fit->pieces[number];
	const AiFitArray *array = &fit->arrays[piece->array];
	float	   *w = fit->weights + piece->first;
	float	   *slot[AI_OPTIMISER_MAX_SLOTS] = {NULL};
	AiUpdate	update = fit->update;
	unsigned	before;

	(void) thread;
	if (!piece->is_moving)
		return;
	before = ai_tiny_begin();
	if (!fit->clips_norms)
		take_gradients(fit, piece);
	for (int s = 0; s < AI_OPTIMISER_MAX_SLOTS; s++)
		slot[s] = fit->slots[s] != NULL ? fit->slots[s] + piece->first : NULL;
	update.l1 = array->weight->l1;
	update.l2 = array->weight->l2;
	update.scale = array->scale;
	if (fit->has_penalty)
		fit->piece_sums[number] = ai_optimiser_penalty(w, piece->n, update.l1, update.l2);
	ai_optimiser_update(&fit->options.optimiser, &update, w, fit->gradients + piece->first, slot,
						piece->n);
	ai_tiny_end(before);
}

AiCode
ai_fit_update(AiFit *fit, double learning_rate, double *penalty, AiError *err)
{
	lay_rows(fit, false);
	if (fit->clips_norms)
		AI_TRY(clip_norms(fit, err));
	ai_optimiser_begin(&fit->options.optimiser, &fit->state, learning_rate, &fit->update);
	AI_TRY(ai_pool_run(fit->pool, update_piece, fit, fit->n_pieces, err));
	lay_rows(fit, true);
	*penalty = 0;
	for (int i = 0; i < fit->n_pieces && fit->has_penalty; i++)
		*penalty += fit->piece_sums[i];
	return AI_OK;
}
