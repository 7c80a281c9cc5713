/*-------------------------------------------------------------------------
 * labels.c
 *		The labels of a training run.
 *-------------------------------------------------------------------------
 */
#include "core/model/labels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"
#include "core/base/utf8.h"

#define FIRST_ROOM 64
#define SLOTS_PER_LABEL 4

/* Where the label is, or would be */
static uint32_t *
find_slot(const AiLabels *labels, const char *label, size_t len)
{
	size_t		n_slots = (size_t) labels->n_room * SLOTS_PER_LABEL;
	size_t		slot = ai_hash64(label, len, 0) % n_slots;

	for (; labels->slots[slot] != 0; slot = (slot + 1) % n_slots)
	{
		const AiLabel *known = &labels->items[labels->slots[slot] - 1];

		if (known->len == len && memcmp(known->bytes, label, len) == 0)
			break;
	}
	return &labels->slots[slot];
}

/* What was there before stays in the arena: all of it together is less than what comes. */
static AiCode
make_room(AiLabels *labels, AiError *err)
{
	int			n_room = labels->n_room > 0 ? 2 * labels->n_room : FIRST_ROOM;
	AiLabel    *items = ai_arena_alloc(labels->arena, (size_t) n_room * sizeof(AiLabel));
	uint32_t   *slots = ai_arena_alloc_zero(labels->arena, (size_t) n_room * SLOTS_PER_LABEL,
											sizeof(uint32_t));

	if (items == NULL || slots == NULL)
		return ai_out_of_memory(err, (size_t) n_room * sizeof(AiLabel), "labels");
	if (labels->n > 0)
		memcpy(items, labels->items, (size_t) labels->n * sizeof(AiLabel));
	labels->items = items;
	labels->slots = slots;
	labels->n_room = n_room;
	for (int i = 0; i < labels->n; i++)
		*find_slot(labels, items[i].bytes, items[i].len) = (uint32_t) i + 1;
	return AI_OK;
}

AiCode
ai_labels_add(AiLabels *labels, int32_t *number, const char *label, size_t len, AiError *err)
{
	uint32_t   *slot;
	char	   *copy;

	if (labels->n == labels->n_room)
		AI_TRY(make_room(labels, err));
	slot = find_slot(labels, label, len);
	if (*slot != 0)
	{
		*number = (int32_t) *slot - 1;
		labels->items[*number].n_rows++;
		return AI_OK;
	}
	if (labels->n == labels->max)
	{
		ai_fail(err, AI_ERR_DATA, "target has more than %d different values", labels->max);
		ai_hint(err, "A classifier learns 2 to %d labels. Group rare values into one label in "
				"the query.", labels->max);
		return AI_ERR_DATA;
	}
	copy = ai_arena_alloc(labels->arena, len);
	if (copy == NULL)
		return ai_out_of_memory(err, len, "a label");
	memcpy(copy, label, len);
	labels->items[labels->n] = (AiLabel) {.bytes = copy, .len = len, .n_rows = 1};
	*number = labels->n++;
	*slot = (uint32_t) labels->n;
	return AI_OK;
}

static int
compare_labels(const void *a, const void *b)
{
	const AiLabel *x = *(const AiLabel *const *) a;
	const AiLabel *y = *(const AiLabel *const *) b;
	int			order = memcmp(x->bytes, y->bytes, x->len < y->len ? x->len : y->len);

	return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

AiCode
ai_labels_sort(AiLabels *labels, AiError *err)
{
	size_t		size = (size_t) labels->n * sizeof(AiLabel *);

	labels->sorted = ai_arena_alloc(labels->arena, size + 1);
	if (labels->sorted == NULL)
		return ai_out_of_memory(err, size, "labels");
	for (int i = 0; i < labels->n; i++)
		labels->sorted[i] = &labels->items[i];
	qsort(labels->sorted, (size_t) labels->n, sizeof(AiLabel *), compare_labels);
	for (int i = 0; i < labels->n; i++)
		labels->sorted[i]->final = i;
	return AI_OK;
}

int
ai_label_shown(const char *label, size_t len, size_t max)
{
	if (len <= max)
		return (int) len;
	while (max > 0 && ai_utf8_is_tail((unsigned char) label[max]))
		max--;
	return (int) max;
}

/* A label with one row cannot be both learnt and measured. */
static AiCode
check_label_rows(const AiLabels *labels, AiError *err)
{
	char		list[256] = "";
	size_t		used = 0;
	int			n_single = 0;

	for (int i = 0; i < labels->n; i++)
	{
		const AiLabel *label = labels->sorted[i];

		if (label->n_rows > 1)
			continue;
		if (n_single++ < 10 && used < sizeof(list) - 48)
			used += (size_t) snprintf(list + used, sizeof(list) - used, "%s\"%.*s%s\"",
									  used > 0 ? ", " : "",
									  ai_label_shown(label->bytes, label->len, 32),
									  label->bytes, label->len <= 32 ? "" : "...");
	}
	if (n_single == 0)
		return AI_OK;
	ai_fail(err, AI_ERR_DATA, n_single == 1 ? "one label has only one row" :
			"%d labels have only one row", n_single);
	ai_detail(err, n_single > 10 ? "The first are: %s." : "Only one row: %s.", list);
	ai_hint(err, "Add rows, group rare labels into one, or leave them out of the query.");
	return AI_ERR_DATA;
}

AiCode
ai_labels_check(const AiLabels *labels, AiError *err)
{
	const AiLabel *only = &labels->items[0];

	if (labels->n < 2)
	{
		ai_fail(err, AI_ERR_DATA, "all rows have the same label, \"%.*s\"",
				ai_label_shown(only->bytes, only->len, 64), only->bytes);
		ai_hint(err, "A classifier needs rows of at least two labels.");
		return AI_ERR_DATA;
	}
	return check_label_rows(labels, err);
}

int
ai_labels_find(const AiLabels *labels, const char *label, size_t len)
{
	const uint32_t *slot;

	if (labels->n == 0)
		return -1;
	slot = find_slot(labels, label, len);
	return *slot != 0 ? labels->items[*slot - 1].final : -1;
}

AiCode
ai_labels_weigh(const AiLabels *labels, double *weight, AiClassWeighting weighting,
				const AiClassWeight *given, int n_given, const int64_t *n_rows, AiError *err)
{
	int64_t		n = 0;

	for (int k = 0; k < labels->n; k++)
		n += n_rows[k];
	for (int k = 0; k < labels->n; k++)
		weight[k] = weighting == AI_CLASS_WEIGHT_BALANCED && n_rows[k] > 0 ?
			(double) n / ((double) labels->n * (double) n_rows[k]) : 1;
	for (int w = 0; w < n_given && weighting == AI_CLASS_WEIGHT_GIVEN; w++)
	{
		int			k = ai_labels_find(labels, given[w].label, given[w].label_len);

		if (k < 0)
			return ai_fail(err, AI_ERR_PARAM,
						   "option \"class_weight\" names the label \"%.*s\", which no row has",
						   ai_label_shown(given[w].label, given[w].label_len, 64), given[w].label);
		weight[k] = given[w].weight;
	}
	return AI_OK;
}
