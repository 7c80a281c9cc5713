/*-------------------------------------------------------------------------
 * text_labels.c
 *		The labels of a training run.
 *-------------------------------------------------------------------------
 */
#include "core/model/text_labels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"
#include "core/base/utf8.h"

AiCode
ai_text_labels_add(AiTextLabels *labels, int32_t *number, const char *label, size_t len,
				   AiError *err)
{
	size_t		slot = ai_hash64(label, len, 0) % AI_TEXT_LABEL_SLOTS;
	char	   *copy;

	for (; labels->slots[slot] != 0; slot = (slot + 1) % AI_TEXT_LABEL_SLOTS)
	{
		AiTextLabel *known = &labels->items[labels->slots[slot] - 1];

		if (known->len == len && memcmp(known->bytes, label, len) == 0)
		{
			*number = labels->slots[slot] - 1;
			known->n_rows++;
			return AI_OK;
		}
	}
	if (labels->n == AI_TEXT_MAX_LABELS)
	{
		ai_fail(err, AI_ERR_DATA, "target has more than %d different values",
				AI_TEXT_MAX_LABELS);
		ai_hint(err, "A text classifier learns 2 to %d labels. Group rare values into one "
				"label in the query.", AI_TEXT_MAX_LABELS);
		return AI_ERR_DATA;
	}
	copy = ai_arena_alloc(labels->arena, len);
	if (copy == NULL)
		return ai_out_of_memory(err, len, "a label");
	memcpy(copy, label, len);
	labels->items[labels->n] = (AiTextLabel) {.bytes = copy, .len = len, .n_rows = 1};
	*number = labels->n++;
	labels->slots[slot] = (uint16_t) labels->n;
	return AI_OK;
}

static int
compare_labels(const void *a, const void *b)
{
	const AiTextLabel *x = *(const AiTextLabel *const *) a;
	const AiTextLabel *y = *(const AiTextLabel *const *) b;
	int			order = memcmp(x->bytes, y->bytes, x->len < y->len ? x->len : y->len);

	return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

void
ai_text_labels_sort(AiTextLabels *labels)
{
	for (int i = 0; i < labels->n; i++)
		labels->sorted[i] = &labels->items[i];
	qsort(labels->sorted, (size_t) labels->n, sizeof(AiTextLabel *), compare_labels);
	for (int i = 0; i < labels->n; i++)
		labels->sorted[i]->final = i;
}

int
ai_text_label_shown(const char *label, size_t len, size_t max)
{
	if (len <= max)
		return (int) len;
	while (max > 0 && ai_utf8_is_tail((unsigned char) label[max]))
		max--;
	return (int) max;
}

/* A label with one row cannot be both learnt and measured. */
static AiCode
check_label_rows(const AiTextLabels *labels, AiError *err)
{
	char		list[256] = "";
	size_t		used = 0;
	int			n_single = 0;

	for (int i = 0; i < labels->n; i++)
	{
		const AiTextLabel *label = labels->sorted[i];

		if (label->n_rows > 1)
			continue;
		if (n_single++ < 10 && used < sizeof(list) - 48)
			used += (size_t) snprintf(list + used, sizeof(list) - used, "%s\"%.*s%s\"",
									  used > 0 ? ", " : "",
									  ai_text_label_shown(label->bytes, label->len, 32),
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
ai_text_labels_check(const AiTextLabels *labels, AiError *err)
{
	const AiTextLabel *only = &labels->items[0];

	if (labels->n < 2)
	{
		ai_fail(err, AI_ERR_DATA, "all rows have the same label, \"%.*s\"",
				ai_text_label_shown(only->bytes, only->len, 64), only->bytes);
		ai_hint(err, "A classifier needs rows of at least two labels.");
		return AI_ERR_DATA;
	}
	return check_label_rows(labels, err);
}

int
ai_text_labels_find(const AiTextLabels *labels, const char *label, size_t len)
{
	for (int k = 0; k < labels->n; k++)
	{
		if (labels->sorted[k]->len == len && memcmp(labels->sorted[k]->bytes, label, len) == 0)
			return k;
	}
	return -1;
}
