/*-------------------------------------------------------------------------
 * loops.h
 *		The kernels that are plain C at every level.
 *
 * One source, compiled once for each level: the compiler makes vectors of the level's size.  No
 * operation is fused and every sum has its order in the source, so all levels give the same bits.
 *-------------------------------------------------------------------------
 */
#ifndef AI_LOOPS_H
#define AI_LOOPS_H

#include "core/kernels/loops/activate.h"
#include "core/kernels/loops/cells.h"
#include "core/kernels/loops/columns.h"
#include "core/kernels/loops/rounding.h"
#include "core/kernels/loops/rows.h"
#include "core/kernels/loops/update.h"
#include "core/kernels/loops/windows.h"

/* Their places in the table of a level */
#define AI_LOOPS \
	.activate = activate, \
	.activate_back = activate_back, \
	.softmax = softmax, \
	.softmax_back = softmax_back, \
	.add_rows = add_rows, \
	.add = add, \
	.sum_arrays = sum_arrays, \
	.pixels = pixels, \
	.scale = scale, \
	.count_terms = count_terms, \
	.sum_squares = sum_squares, \
	.dot = dot, \
	.layer_norm = layer_norm, \
	.layer_norm_back = layer_norm_back, \
	.lstm_cell = lstm_cell, \
	.lstm_cell_back = lstm_cell_back, \
	.gru_cell = gru_cell, \
	.gru_cell_back = gru_cell_back, \
	.update_sgd = update_sgd, \
	.update_rmsprop = update_rmsprop, \
	.update_adagrad = update_adagrad, \
	.update_adadelta = update_adadelta, \
	.update_adam = update_adam, \
	.update_adamax = update_adamax, \
	.update_nadam = update_nadam, \
	.update_lion = update_lion, \
	.window_max = window_max, \
	.window_max_back = window_max_back, \
	.window_sum = window_sum, \
	.window_sum_back = window_sum_back, \
	.column_sums = column_sums, \
	.shift_columns = shift_columns, \
	.add_columns = add_columns, \
	.add_overlapping = add_overlapping, \
	.quantise_rows = quantise_rows, \
	.round_rows = round_rows, \
	.drop = drop

#endif							/* AI_LOOPS_H */
