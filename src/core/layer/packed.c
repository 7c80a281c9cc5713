/*-------------------------------------------------------------------------
 * packed.c
 *		The steps of a shard's sequences, those that are there, for recurrent layers.
 *-------------------------------------------------------------------------
 */
#include "core/layer/packed.h"

#include <string.h>

/* Up to the last step that is not masked */
static size_t
length_of(const uint8_t *mask, size_t n_times)
{
	while (n_times > 0 && mask[n_times - 1] == 0)
		n_times--;
	return n_times;
}

void
ai_packed_init(AiPacked *packed, const uint8_t *mask, size_t n_rows, size_t n_times)
{
	*packed = (AiPacked) {.n_rows = n_rows, .n_times = n_times, .mask = mask};
	for (size_t r = 0; r < n_rows; r++)
	{
		const uint8_t *own = mask != NULL ? mask + r * n_times : NULL;
		size_t		length = own != NULL ? length_of(own, n_times) : n_times;
		size_t		at = r;

		if (own != NULL && memchr(own, 0, length) != NULL)
			packed->has_gaps = true;
		for (; at > 0 && packed->length[at - 1] < length; at--)
		{
			packed->length[at] = packed->length[at - 1];
			packed->row[at] = packed->row[at - 1];
		}
		packed->length[at] = length;
		packed->row[at] = (int) r;
		packed->n_places += length;
	}
	packed->n_steps = packed->length[0];
}

size_t
ai_packed_rows(const AiPacked *packed, size_t step)
{
	size_t		n = 0;

	while (n < packed->n_rows && packed->length[n] > step)
		n++;
	return n;
}

void
ai_packed_take(float *to, const AiPacked *packed, const float *from, size_t n, bool is_backward)
{
	for (size_t step = 0; step < packed->n_steps; step++)
	{
		size_t		n_rows = ai_packed_rows(packed, step);

		for (size_t i = 0; i < n_rows; i++, to += n)
			memcpy(to, from + ai_packed_place(packed, i, step, is_backward) * n, n * sizeof(float));
	}
}
