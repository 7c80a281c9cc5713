/*-------------------------------------------------------------------------
 * text_labels.h
 *		The labels of a training run.
 *
 * While rows come in a label has the number of its first arrival; at the end
 * it gets its number in the model, by rising bytes.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TEXT_LABELS_H
#define AI_TEXT_LABELS_H

#include "core/base/arena.h"
#include "core/model/text_classifier.h"

#define AI_TEXT_LABEL_SLOTS 4096	/* of the hash table of at most AI_TEXT_MAX_LABELS */

typedef struct AiTextLabel
{
	const char *bytes;			/* in the arena */
	size_t		len;
	int64_t		n_rows;
	int			final;			/* its number in the model, after sorting */
} AiTextLabel;

typedef struct AiTextLabels
{
	AiArena    *arena;			/* borrowed */
	AiTextLabel items[AI_TEXT_MAX_LABELS];	/* by first arrival */
	AiTextLabel *sorted[AI_TEXT_MAX_LABELS];	/* by bytes, after sorting */
	int			n;
	uint16_t	slots[AI_TEXT_LABEL_SLOTS]; /* number + 1; 0: free */
} AiTextLabels;

/* Count a row of the label; *number is that of its first arrival. */
extern AiCode ai_text_labels_add(AiTextLabels *labels, int32_t *number,
								 const char *label, size_t len, AiError *err);

extern void ai_text_labels_sort(AiTextLabels *labels);

/* The label's number in the model, or -1; after sorting */
extern int	ai_text_labels_find(const AiTextLabels *labels, const char *label, size_t len);

/* AI_ERR_DATA unless there are two labels or more, each with two rows or more */
extern AiCode ai_text_labels_check(const AiTextLabels *labels, AiError *err);

/* Bytes of a label that a message shows: whole characters, at most max bytes */
extern int	ai_text_label_shown(const char *label, size_t len, size_t max);

#endif							/* AI_TEXT_LABELS_H */
