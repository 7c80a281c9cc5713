/*-------------------------------------------------------------------------
 * labels.c
 *		Labels and their numbers.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/jobs/labels.h"

#include "common/hashfn.h"
#include "utils/hsearch.h"

#define FIRST_CAPACITY 16

typedef struct Label
{
	const char *bytes;
	size_t		len;
} Label;

typedef struct LabelEntry
{
	Label		label;			/* the key */
	int			index;
} LabelEntry;

struct AiaasLabels
{
	MemoryContext context;
	HTAB	   *table;			/* of LabelEntry */
	Label	   *label;			/* [capacity] */
	int			count;
	int			capacity;
};

static uint32
hash_label(const void *key, Size key_size)
{
	const Label *label = key;

	return hash_bytes((const unsigned char *) label->bytes, (int) label->len);
}

/* 0: the same */
static int
match_labels(const void *a, const void *b, Size key_size)
{
	const Label *x = a;
	const Label *y = b;

	return x->len != y->len || memcmp(x->bytes, y->bytes, x->len) != 0;
}

AiaasLabels *
aiaas_labels_create(void)
{
	HASHCTL		settings = {
		.keysize = sizeof(Label),
		.entrysize = sizeof(LabelEntry),
		.hash = hash_label,
		.match = match_labels,
		.hcxt = CurrentMemoryContext
	};
	AiaasLabels *labels = palloc0(sizeof(AiaasLabels));

	labels->context = CurrentMemoryContext;
	labels->table = hash_create("aiaas labels", FIRST_CAPACITY, &settings,
								HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	labels->capacity = FIRST_CAPACITY;
	labels->label = palloc(labels->capacity * sizeof(Label));
	return labels;
}

static Label
copy_label(MemoryContext context, Label label)
{
	char	   *bytes = MemoryContextAlloc(context, label.len + 1);

	memcpy(bytes, label.bytes, label.len);
	return (Label) {bytes, label.len};
}

int
aiaas_labels_add(AiaasLabels *labels, const char *bytes, size_t len)
{
	Label		label = {bytes, len};
	bool		is_known;
	LabelEntry *entry = hash_search(labels->table, &label, HASH_ENTER, &is_known);

	if (is_known)
		return entry->index;

	if (labels->count == labels->capacity)
	{
		labels->capacity *= 2;
		labels->label = repalloc_huge(labels->label, labels->capacity * sizeof(Label));
	}
	/* The key still points to the caller's bytes. */
	entry->label = copy_label(labels->context, label);
	entry->index = labels->count++;
	labels->label[entry->index] = entry->label;
	return entry->index;
}

int
aiaas_labels_count(const AiaasLabels *labels)
{
	return labels->count;
}

const char *
aiaas_labels_get(const AiaasLabels *labels, int index, size_t *len)
{
	*len = labels->label[index].len;
	return labels->label[index].bytes;
}

static int
compare_labels(const void *a, const void *b, void *arg)
{
	const Label *label = arg;
	Label		x = label[*(const int *) a];
	Label		y = label[*(const int *) b];
	int			order = memcmp(x.bytes, y.bytes, Min(x.len, y.len));

	return order != 0 ? order : (x.len > y.len) - (x.len < y.len);
}

void
aiaas_labels_sort(const AiaasLabels *labels, int *order)
{
	for (int i = 0; i < labels->count; i++)
		order[i] = i;
	qsort_arg(order, labels->count, sizeof(int), compare_labels, labels->label);
}
