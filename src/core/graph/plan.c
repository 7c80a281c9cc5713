/*-------------------------------------------------------------------------
 * plan.c
 *		Places in memory, by first fit.
 *-------------------------------------------------------------------------
 */
#include "core/graph/plan.h"

#include <stdbool.h>

#define STEP 16

static bool
are_together(const AiPlanned *a, const AiPlanned *b)
{
	return a->from <= b->to && b->from <= a->to;
}

static size_t
end_of(const AiPlanned *it)
{
	return (it->offset + it->size + STEP - 1) / STEP * STEP;
}

/* placed:[n] are by rising offset. */
static size_t
lowest_place(const AiPlanned *arrays, const int *placed, int n, const AiPlanned *it)
{
	size_t		place = 0;

	for (int i = 0; i < n; i++)
	{
		const AiPlanned *other = &arrays[placed[i]];

		if (!are_together(it, other))
			continue;
		if (place + it->size <= other->offset)
			break;
		place = end_of(other) > place ? end_of(other) : place;
	}
	return place;
}

static void
insert(const AiPlanned *arrays, int *placed, int n, int number)
{
	for (; n > 0 && arrays[placed[n - 1]].offset > arrays[number].offset; n--)
		placed[n] = placed[n - 1];
	placed[n] = number;
}

/* By falling size; equal ones in their order */
static void
sort_by_size(const AiPlanned *arrays, int *order, int n)
{
	for (int i = 0; i < n; i++)
	{
		int			j = i;

		for (; j > 0 && arrays[order[j - 1]].size < arrays[i].size; j--)
			order[j] = order[j - 1];
		order[j] = i;
	}
}

size_t
ai_plan(AiPlanned *arrays, int n_arrays, int *scratch)
{
	int		   *order = scratch;
	int		   *placed = scratch + n_arrays;
	int			n_placed = 0;
	size_t		total = 0;

	sort_by_size(arrays, order, n_arrays);
	for (int i = 0; i < n_arrays; i++)
	{
		AiPlanned  *it = &arrays[order[i]];

		it->offset = 0;
		if (it->size == 0)
			continue;
		it->offset = lowest_place(arrays, placed, n_placed, it);
		insert(arrays, placed, n_placed++, order[i]);
		total = end_of(it) > total ? end_of(it) : total;
	}
	return total;
}
