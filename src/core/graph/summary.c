/*-------------------------------------------------------------------------
 * summary.c
 *		A network's layers as model.summary() of Keras lists them.
 *-------------------------------------------------------------------------
 */
#include "core/graph/summary.h"

#include <stdio.h>
#include <string.h>

#include "core/base/utf8.h"

#define CELL_SIZE 192			/* bytes: a name and a kind, or a shape */
#define GAP 3					/* columns between columns */

typedef struct Table
{
	size_t		width[3];		/* characters */
} Table;

static const char *const titles[3] = {"Layer (type)", "Output Shape", "Param #"};

AiLayerSummary
ai_layer_summary(const AiGraph *graph, int number)
{
	const AiLayer *layer = &graph->layers[number].layer;
	AiLayerSummary summary = {
		.name = layer->name, .type = layer->type->name, .output = &layer->output
	};

	for (int i = 0; i < layer->n_weights; i++)
	{
		summary.n_weights += (int64_t) layer->weight[i].size;
		if (!layer->weight[i].is_state && !layer->is_frozen)
			summary.n_trained += (int64_t) layer->weight[i].size;
	}
	return summary;
}

/*
 * Cells
 */

/* As Keras calls it, which has a kind of pooling for each number of axes */
static void
name_cell(char *cell, const AiLayer *layer)
{
	const char *type = layer->type->keras_name;
	size_t		len = type != NULL ? strlen(type) : 0;

	if (type == NULL)
		snprintf(cell, CELL_SIZE, "%s (%s)", layer->name, layer->type->name);
	else if (len > 7 && strcmp(type + len - 7, "Pooling") == 0)
		snprintf(cell, CELL_SIZE, "%s (%s%dD)", layer->name, type, layer->input[0].n_dims - 1);
	else
		snprintf(cell, CELL_SIZE, "%s (%s)", layer->name, type);
}

/* "(None, 28, 28, 1)" */
static void
shape_cell(char *cell, const AiShape *shape)
{
	int			len = snprintf(cell, CELL_SIZE, "(None");

	for (int i = 0; i < shape->n_dims; i++)
		len += snprintf(cell + len, CELL_SIZE - (size_t) len, ", %lld",
						(long long) shape->dims[i]);
	snprintf(cell + len, CELL_SIZE - (size_t) len, shape->n_dims > 0 ? ")" : ",)");
}

/* "1,234,567" */
static void
count_cell(char *cell, int64_t count)
{
	char		digits[24];
	int			n = snprintf(digits, sizeof(digits), "%lld", (long long) count);

	for (int i = 0; i < n; i++)
	{
		if (i > 0 && (n - i) % 3 == 0)
			*cell++ = ',';
		*cell++ = digits[i];
	}
	*cell = '\0';
}

static void
fill_cells(char (*cell)[CELL_SIZE], const AiGraph *graph, int number)
{
	AiLayerSummary summary = ai_layer_summary(graph, number);

	name_cell(cell[0], &graph->layers[number].layer);
	shape_cell(cell[1], summary.output);
	count_cell(cell[2], summary.n_weights);
}

/*
 * Lines
 */
static size_t
count_characters(const char *utf8)
{
	size_t		n = 0;

	for (; *utf8 != '\0'; utf8++)
		n += !ai_utf8_is_tail((unsigned char) *utf8);
	return n;
}

static void
measure_cell(Table *table, int column, const char *cell)
{
	size_t		width = count_characters(cell);

	if (width > table->width[column])
		table->width[column] = width;
}

static AiCode
write_string(AiBuf *text, const char *string, AiError *err)
{
	return ai_buf_append(text, string, strlen(string), err);
}

static AiCode
write_repeated(AiBuf *text, char c, size_t n, AiError *err)
{
	for (size_t i = 0; i < n; i++)
		AI_TRY(ai_buf_append(text, &c, 1, err));
	return AI_OK;
}

/* The last column stands at the right. */
static AiCode
write_row(AiBuf *text, const Table *table, const char *a, const char *b, const char *c,
		  AiError *err)
{
	AI_TRY(write_string(text, a, err));
	AI_TRY(write_repeated(text, ' ', table->width[0] - count_characters(a) + GAP, err));
	AI_TRY(write_string(text, b, err));
	AI_TRY(write_repeated(text, ' ', table->width[1] - count_characters(b) + GAP, err));
	AI_TRY(write_repeated(text, ' ', table->width[2] - count_characters(c), err));
	AI_TRY(write_string(text, c, err));
	return write_string(text, "\n", err);
}

static AiCode
write_rule(AiBuf *text, const Table *table, AiError *err)
{
	size_t		width = table->width[0] + table->width[1] + table->width[2] + 2 * GAP;

	AI_TRY(write_repeated(text, '-', width, err));
	return write_string(text, "\n", err);
}

/* "Total params: 54,202 (211.73 KB)" */
static AiCode
write_total(AiBuf *text, const char *what, int64_t count, AiError *err)
{
	static const char *const units[] = {"B", "KB", "MB", "GB"};
	double		size = (double) count * sizeof(float);
	char		cell[CELL_SIZE];
	char		line[CELL_SIZE + 96];
	int			unit = 0;

	while (size >= 1024 && unit < 3)
	{
		size /= 1024;
		unit++;
	}
	count_cell(cell, count);
	snprintf(line, sizeof(line), "%s params: %s (%.2f %s)\n", what, cell, size, units[unit]);
	return write_string(text, line, err);
}

AiCode
ai_summary_write(AiBuf *text, const AiGraph *graph, AiError *err)
{
	Table		table = {{0}};
	char		cell[3][CELL_SIZE];

	for (int c = 0; c < 3; c++)
		measure_cell(&table, c, titles[c]);
	for (int i = 0; i < graph->n_layers; i++)
	{
		fill_cells(cell, graph, i);
		for (int c = 0; c < 3; c++)
			measure_cell(&table, c, cell[c]);
	}

	AI_TRY(write_row(text, &table, titles[0], titles[1], titles[2], err));
	AI_TRY(write_rule(text, &table, err));
	for (int i = 0; i < graph->n_layers; i++)
	{
		fill_cells(cell, graph, i);
		AI_TRY(write_row(text, &table, cell[0], cell[1], cell[2], err));
	}
	AI_TRY(write_rule(text, &table, err));
	AI_TRY(write_total(text, "Total", graph->n_counted, err));
	AI_TRY(write_total(text, "Trainable", graph->n_trained, err));
	return write_total(text, "Non-trainable", graph->n_counted - graph->n_trained, err);
}
