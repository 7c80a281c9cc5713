/*-------------------------------------------------------------------------
 * cells.h
 *		One step of recurrent layers: what follows the products, and the way back.
 *-------------------------------------------------------------------------
 */
#ifndef AI_LOOPS_CELLS_H
#define AI_LOOPS_CELLS_H

#include "core/kernels/loops/functions.h"

static void
lstm_cell(float *gates, float *c_new, float *h_new, const float *c, size_t n_rows, size_t n)
{
	for (size_t r = 0; r < n_rows; r++, gates += 4 * n, c_new += n, h_new += n, c += n)
	{
		AI_LANES
		for (size_t j = 0; j < n; j++)
		{
			float		i = sigmoid_of(gates[j]);
			float		f = sigmoid_of(gates[n + j]);
			float		g = tanh_of(gates[2 * n + j]);
			float		o = sigmoid_of(gates[3 * n + j]);
			float		cell = f * c[j] + i * g;

			gates[j] = i;
			gates[n + j] = f;
			gates[2 * n + j] = g;
			gates[3 * n + j] = o;
			c_new[j] = cell;
			h_new[j] = o * tanh_of(cell);
		}
	}
}

static void
lstm_cell_back(float *d_gates, float *dc, const float *dh, const float *gates, const float *c,
			   const float *c_new, size_t n_rows, size_t n)
{
	for (size_t r = 0; r < n_rows; r++, d_gates += 4 * n, gates += 4 * n, dc += n, dh += n,
		 c += n, c_new += n)
	{
		AI_LANES
		for (size_t j = 0; j < n; j++)
		{
			float		i = gates[j];
			float		f = gates[n + j];
			float		g = gates[2 * n + j];
			float		o = gates[3 * n + j];
			float		t = tanh_of(c_new[j]);
			float		d_cell = dc[j] + dh[j] * o * ((1 - t) * (1 + t));

			d_gates[j] = d_cell * g * (i * (1 - i));
			d_gates[n + j] = d_cell * c[j] * (f * (1 - f));
			d_gates[2 * n + j] = d_cell * i * ((1 - g) * (1 + g));
			d_gates[3 * n + j] = dh[j] * t * (o * (1 - o));
			dc[j] = d_cell * f;
		}
	}
}

static void
gru_cell(float *gates, float *h_new, const float *inner, const float *h, size_t n_rows, size_t n)
{
	for (size_t r = 0; r < n_rows; r++, gates += 3 * n, inner += 3 * n, h_new += n, h += n)
	{
		AI_LANES
		for (size_t j = 0; j < n; j++)
		{
			float		update = sigmoid_of(gates[j] + inner[j]);
			float		reset = sigmoid_of(gates[n + j] + inner[n + j]);
			float		g = tanh_of(gates[2 * n + j] + reset * inner[2 * n + j]);

			gates[j] = update;
			gates[n + j] = reset;
			gates[2 * n + j] = g;
			h_new[j] = update * h[j] + (1 - update) * g;
		}
	}
}

static void
gru_cell_back(float *d_gates, float *d_inner, float *dh, const float *gates, const float *inner,
			  const float *h, size_t n_rows, size_t n)
{
	for (size_t r = 0; r < n_rows; r++, d_gates += 3 * n, d_inner += 3 * n, gates += 3 * n,
		 inner += 3 * n, dh += n, h += n)
	{
		AI_LANES
		for (size_t j = 0; j < n; j++)
		{
			float		update = gates[j];
			float		reset = gates[n + j];
			float		g = gates[2 * n + j];
			float		d_update = dh[j] * (h[j] - g) * (update * (1 - update));
			float		d_g = dh[j] * (1 - update) * ((1 - g) * (1 + g));
			float		d_reset = d_g * inner[2 * n + j] * (reset * (1 - reset));

			d_gates[j] = d_update;
			d_gates[n + j] = d_reset;
			d_gates[2 * n + j] = d_g;
			d_inner[j] = d_update;
			d_inner[n + j] = d_reset;
			d_inner[2 * n + j] = d_g * reset;
			dh[j] *= update;
		}
	}
}

#endif							/* AI_LOOPS_CELLS_H */
