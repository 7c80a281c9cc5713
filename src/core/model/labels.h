/*-------------------------------------------------------------------------
 * labels.h
 *		The labels of a training run.
 *
 * While rows come in a label has the number of its first arrival; at the end
 * it gets its number in the model, by rising bytes.
 *-------------------------------------------------------------------------
 */
#ifndef AI_LABELS_H
#define AI_LABELS_H

#include "core/base/arena.h"

typedef struct AiLabel
{
	const char *bytes;			/* in the arena */
	size_t		len;
	int64_t		n_rows;
	int			final;			/* its number in the model, after sorting */
} AiLabel;

/* All zero but arena and max to begin with */
typedef struct AiLabels
{
	AiArena    *arena;			/* borrowed */
	int			max;
	int			n;
	int			n_room;
	AiLabel    *items;			/* [n], by first arrival */
	AiLabel   **sorted;			/* [n], by bytes, after sorting */
	uint32_t   *slots;			/* [4 * n_room], hashed: number + 1; 0: free */
} AiLabels;

/* Count a row of the label; *number is that of its first arrival. */
extern AiCode ai_labels_add(AiLabels *labels, int32_t *number, const char *label, size_t len,
							AiError *err);

extern AiCode ai_labels_sort(AiLabels *labels, AiError *err);

/* The label's number in the model, or -1; after sorting */
extern int	ai_labels_find(const AiLabels *labels, const char *label, size_t len);

/* AI_ERR_DATA unless there are two labels or more, each with two rows or more */
extern AiCode ai_labels_check(const AiLabels *labels, AiError *err);

/*
 * What a row of each label counts
 */
typedef enum AiClassWeighting
{
	AI_CLASS_WEIGHT_NONE,		/* every row counts 1 */
	AI_CLASS_WEIGHT_BALANCED,	/* n_rows / (n_labels * rows of its label) */
	AI_CLASS_WEIGHT_GIVEN		/* class_weights; labels not named count 1 */
} AiClassWeighting;

typedef struct AiClassWeight
{
	const char *label;			/* borrowed */
	size_t		label_len;
	double		weight;			/* > 0 */
} AiClassWeight;

/*
 * weight:[n], by the labels' numbers in the model; n_rows:[n] of what is learnt from, after
 * sorting.  AI_ERR_PARAM: a label of given does not occur.
 */
extern AiCode ai_labels_weigh(const AiLabels *labels, double *weight, AiClassWeighting weighting,
							  const AiClassWeight *given, int n_given, const int64_t *n_rows,
							  AiError *err);

/* Bytes of a label that a message shows: whole characters, at most max bytes */
extern int	ai_label_shown(const char *label, size_t len, size_t max);

#endif							/* AI_LABELS_H */
