/*-------------------------------------------------------------------------
 * pool.c
 *		What pooling along one and two axes shares.
 *-------------------------------------------------------------------------
 */
#include "core/layer/pool.h"

#include <string.h>

const AiOption ai_pool_options[] = {
	AI_OPTION_SIZES_ROW(AiPoolConfig, pool_size, 1, AI_MAX_WINDOW),
	AI_OPTION_SIZES_ROW(AiPoolConfig, strides, 1, AI_MAX_WINDOW),
	AI_OPTION_CHOICE_ROW(AiPoolConfig, padding, AI_PADDING_VALID, ai_padding_names),
	{.name = NULL}
};

static AiCode
make_windows(AiWindow *y, AiWindow *x, const AiLayer *layer, AiError *err)
{
	const AiPoolConfig *config = layer->config;
	int			n_axes = layer->input[0].n_dims - 1;
	AiWindow	windows[2];

	AI_TRY(ai_prepare_windows(windows, layer, n_axes, &config->pool_size, "pool_size", 2,
							  &config->strides, 0, config->padding, err));
	*y = n_axes == 2 ? windows[0] : (AiWindow) {.input = 1, .output = 1, .size = 1, .stride = 1};
	*x = windows[n_axes - 1];
	return AI_OK;
}

AiCode
ai_pool_prepare(AiLayer *layer, AiError *err)
{
	AiWindow	y;
	AiWindow	x;

	AI_TRY(ai_prepare_dims(layer, 2, 3, "[steps, channels] or [height, width, channels]", err));
	AI_TRY(make_windows(&y, &x, layer, err));
	layer->output = layer->input[0];
	layer->output.dims[layer->output.n_dims - 2] = x.output;
	if (layer->output.n_dims == 3)
		layer->output.dims[0] = y.output;
	return AI_OK;
}

/* Where place o's window begins, and how many places it has */
static size_t
cut(size_t *n, const AiWindow *window, int64_t o)
{
	int64_t		first = o * window->stride - window->before;
	int64_t		end = first + window->size;

	first = first > 0 ? first : 0;
	end = end < window->input ? end : window->input;
	*n = (size_t) (end - first);
	return (size_t) first;
}

static void
look(AiPoolCursor *cursor)
{
	AiImageWindow *window = &cursor->window;
	size_t		y = cut(&window->n_rows, &cursor->y, cursor->row);
	size_t		x = cut(&window->n_columns, &cursor->x, cursor->column);

	cursor->from = cursor->image + y * window->row_step + x * window->n;
}

AiPoolCursor
ai_pool_begin(const AiLayer *layer, const AiPass *pass)
{
	AiPoolCursor cursor = {.n_left = pass->n_rows};

	(void) make_windows(&cursor.y, &cursor.x, layer, NULL);
	cursor.window.n = (size_t) ai_shape_last(&layer->input[0]);
	cursor.window.row_step = (size_t) cursor.x.input * cursor.window.n;
	look(&cursor);
	return cursor;
}

void
ai_pool_next(AiPoolCursor *cursor)
{
	cursor->to += cursor->window.n;
	cursor->column++;
	if (cursor->column == cursor->x.output)
	{
		cursor->column = 0;
		cursor->row++;
	}
	if (cursor->row == cursor->y.output)
	{
		cursor->row = 0;
		cursor->image += (size_t) cursor->y.input * cursor->window.row_step;
		cursor->n_left--;
	}
	if (cursor->n_left > 0)
		look(cursor);
}

size_t
ai_pool_zero(float *d_input, size_t n_zeroed, const AiPoolCursor *cursor)
{
	const AiImageWindow *window = &cursor->window;
	size_t		row = cursor->from / window->row_step;
	size_t		end = (row + window->n_rows) * window->row_step;

	if (end <= n_zeroed)
		return n_zeroed;
	memset(d_input + n_zeroed, 0, (end - n_zeroed) * sizeof(float));
	return end;
}
