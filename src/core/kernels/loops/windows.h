/*-------------------------------------------------------------------------
 * windows.h
 *		Windows of images, as pooling looks through them.
 *
 * Channels are taken by vectors, which stay in registers while a window is gone through; what is
 * left of them, one by one.
 *-------------------------------------------------------------------------
 */
#ifndef AI_LOOPS_WINDOWS_H
#define AI_LOOPS_WINDOWS_H

#include "core/kernels/kernels.h"
#include "core/kernels/loops/functions.h"
#include "core/kernels/loops/vectors.h"

/* Each place of a window, with at, its number, and here, its first channel's distance */
#define EACH_PLACE(window, at, here) \
	for (size_t r_ = 0, at = 0; r_ < (window)->n_rows; r_++) \
		for (size_t q_ = 0, here = r_ * (window)->row_step; q_ < (window)->n_columns; \
			 q_++, at++, here += (window)->n)

static void
window_max(float *y, int32_t *place, const float *x, const AiImageWindow *window)
{
	size_t		c = 0;

	for (; c + N_FLOATS <= window->n; c += N_FLOATS)
	{
		Floats		best;
		Integers	best_at = {0};

		LOAD(best, x + c);
		EACH_PLACE(window, at, here)
		{
			Floats		it;
			Integers	is_more;

			LOAD(it, x + here + c);
			is_more = (it > best) | (it != it);
			best = (Floats) (((Integers) it & is_more) | ((Integers) best & ~is_more));
			best_at = (is_more & (int32_t) at) | (best_at & ~is_more);
		}
		STORE(y + c, best);
		STORE(place + c, best_at);
	}
	for (; c < window->n; c++)
	{
		y[c] = x[c];
		place[c] = 0;
		EACH_PLACE(window, at, here)
		{
			if (x[here + c] > y[c] || x[here + c] != x[here + c])
			{
				y[c] = x[here + c];
				place[c] = (int32_t) at;
			}
		}
	}
}

static void
window_max_back(float *dx, const float *dy, const int32_t *place, const AiImageWindow *window)
{
	size_t		c = 0;

	for (; c + N_FLOATS <= window->n; c += N_FLOATS)
	{
		Integers	gradient;
		Integers	best_at;

		LOAD(gradient, dy + c);
		LOAD(best_at, place + c);
		EACH_PLACE(window, at, here)
		{
			Floats		it;

			LOAD(it, dx + here + c);
			it += (Floats) (gradient & (best_at == (int32_t) at));
			STORE(dx + here + c, it);
		}
	}
	for (; c < window->n; c++)
		dx[(size_t) place[c] / window->n_columns * window->row_step +
		   (size_t) place[c] % window->n_columns * window->n + c] += dy[c];
}

static void
window_sum(float *y, const float *x, const AiImageWindow *window, float factor)
{
	size_t		c = 0;

	for (; c + N_FLOATS <= window->n; c += N_FLOATS)
	{
		Floats		sum = {0};

		EACH_PLACE(window, at, here)
		{
			Floats		it;

			LOAD(it, x + here + c);
			sum += it;
		}
		sum *= factor;
		STORE(y + c, sum);
	}
	for (; c < window->n; c++)
	{
		float		sum = 0;

		EACH_PLACE(window, at, here)
			sum += x[here + c];
		y[c] = sum * factor;
	}
}

static void
window_sum_back(float *dx, const float *dy, const AiImageWindow *window, float factor)
{
	EACH_PLACE(window, at, here)
	{
		AI_LANES
		for (size_t c = 0; c < window->n; c++)
			dx[here + c] += dy[c] * factor;
	}
}

#endif							/* AI_LOOPS_WINDOWS_H */
