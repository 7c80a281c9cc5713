/*-------------------------------------------------------------------------
 * sort.c
 *		Sorting millions of items, which can be stopped.
 *
 * A merge sort: whatever the items, the next question comes after as much work.
 *-------------------------------------------------------------------------
 */
#include "core/base/sort.h"

#include <string.h>

#define FEW 12					/* are sorted by insertion */
#define ITEMS_PER_QUESTION 16384	/* a power of two */

typedef struct Sorting
{
	uint64_t	mask;
	const AiHost *host;
} Sorting;

/* Without branches, which would be guessed wrong as often as right */
static inline bool
is_before(const AiSortItem *a, const AiSortItem *b, uint64_t mask)
{
	uint64_t	x = a->tag & mask;
	uint64_t	y = b->tag & mask;

	return (x < y) | ((x == y) & (a->hash < b->hash));
}

static void
sort_few(AiSortItem *items, size_t n, uint64_t mask)
{
	for (size_t i = 1; i < n; i++)
	{
		AiSortItem	item = items[i];
		size_t		j = i;

		for (; j > 0 && is_before(&item, &items[j - 1], mask); j--)
			items[j] = items[j - 1];
		items[j] = item;
	}
}

/* left:[n_left] and the last of items:[n] into items; false: stopped */
static bool
merge(const Sorting *s, AiSortItem *items, size_t n, const AiSortItem *left, size_t n_left)
{
	const AiSortItem *left_end = left + n_left;
	const AiSortItem *right = items + n_left;
	const AiSortItem *right_end = items + n;

	for (size_t i = 1; left < left_end && right < right_end; i++)
	{
		const AiSortItem *next[2] = {left, right};
		bool		takes_right = is_before(right, left, s->mask);

		*items++ = *next[takes_right];
		right += takes_right;
		left += !takes_right;
		if (i % ITEMS_PER_QUESTION == 0 && ai_host_should_stop(s->host))
			return false;
	}
	memcpy(items, left, (size_t) (left_end - left) * sizeof(AiSortItem));
	return true;
}

static bool
sort(const Sorting *s, AiSortItem *items, AiSortItem *scratch, size_t n)
{
	size_t		half = n / 2;

	if (n <= FEW)
	{
		sort_few(items, n, s->mask);
		return true;
	}
	if (n >= ITEMS_PER_QUESTION && ai_host_should_stop(s->host))
		return false;
	if (!sort(s, items, scratch, half) || !sort(s, items + half, scratch, n - half))
		return false;
	memcpy(scratch, items, half * sizeof(AiSortItem));
	return merge(s, items, n, scratch, half);
}

AiCode
ai_sort(AiSortItem *items, size_t n, uint64_t mask, const AiHost *host, AiError *err)
{
	Sorting		sorting = {mask, host};
	size_t		size = n / 2 * sizeof(AiSortItem) + 1;
	AiSortItem *scratch = ai_host_alloc(host, size);
	bool		is_sorted;

	if (scratch == NULL)
		return ai_out_of_memory(err, size, "sorting");
	is_sorted = sort(&sorting, items, scratch, n);
	ai_host_release(host, scratch);
	return is_sorted ? AI_OK : ai_fail(err, AI_ERR_CANCELLED, "cancelled");
}
