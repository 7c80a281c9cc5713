/*-------------------------------------------------------------------------
 * labels.h
 *		Labels and their numbers, in the order in which they were met.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_LABELS_H
#define AIAAS_LABELS_H

typedef struct AiaasLabels AiaasLabels;

/* In the current memory context */
extern AiaasLabels *aiaas_labels_create(void);

/* The number of a label, a new one where it is met for the first time */
extern int	aiaas_labels_add(AiaasLabels *labels, const char *label, size_t len);

extern int	aiaas_labels_count(const AiaasLabels *labels);
extern const char *aiaas_labels_get(const AiaasLabels *labels, int index, size_t *len);

/* order:[count] gets the numbers in bytewise order of the labels. */
extern void aiaas_labels_sort(const AiaasLabels *labels, int *order);

#endif							/* AIAAS_LABELS_H */
