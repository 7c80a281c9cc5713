/*-------------------------------------------------------------------------
 * aim_walk.h
 *		Touch everything that an open aim block offers.
 *
 * For blocks from anywhere: a sanitizer sees any access outside of them.
 *-------------------------------------------------------------------------
 */
#ifndef AI_AIM_WALK_H
#define AI_AIM_WALK_H

#include <string.h>

#include "core/format/aim.h"

/* Returns a sum, so that no access is optimised away. */
static inline uint64_t
aim_sum(const void *data, size_t size)
{
	const uint8_t *bytes = data;
	uint64_t	sum = 0;

	for (size_t i = 0; i < size; i++)
		sum = sum * 31 + bytes[i];
	return sum;
}

static inline uint64_t
aim_walk_strings(const AiAim *aim, const char *name)
{
	AiAimStrings strings;
	uint64_t	sum = 0;

	if (ai_aim_strings(aim, &strings, name, NULL) != AI_OK)
		return 0;
	for (int64_t i = 0; i < strings.n; i++)
	{
		size_t		len;
		const char *string = ai_aim_string(&strings, i, &len);

		sum += aim_sum(string, len);
	}
	return sum;
}

static inline uint64_t
aim_walk(const AiAim *aim)
{
	static const char suffix[] = ".offsets";
	uint64_t	sum = aim_sum(ai_aim_kind(aim), strlen(ai_aim_kind(aim)));

	for (int64_t i = 0; i < aim->n_entries; i++)
	{
		AiAimEntry	entry = ai_aim_entry(aim, i);
		size_t		len = strlen(entry.name);
		const void *data;
		int64_t		dims[AI_AIM_MAX_DIMS];
		int64_t		integer;
		double		number;

		sum += aim_sum(entry.name, len) + aim_sum(entry.data, entry.size);
		sum += aim_sum(entry.dims, sizeof(entry.dims)) + (uint64_t) entry.n_dims;
		sum += aim_sum(ai_dtype_name(entry.dtype), strlen(ai_dtype_name(entry.dtype)));
		if (ai_aim_array(aim, &data, dims, entry.name, entry.dtype, entry.n_dims, NULL) == AI_OK)
			sum += data == entry.data;
		if (ai_aim_i64(aim, &integer, entry.name, 0, INT64_MAX, NULL) == AI_OK)
			sum += (uint64_t) integer;
		if (ai_aim_f64(aim, &number, entry.name, NULL) == AI_OK)
			sum += number > 0.0;
		if (len >= sizeof(suffix) && strcmp(entry.name + len - strlen(suffix), suffix) == 0)
		{
			char		name[AI_AIM_NAME_SIZE] = {0};

			memcpy(name, entry.name, len - strlen(suffix));
			sum += aim_walk_strings(aim, name);
		}
	}
	return sum;
}

#endif							/* AI_AIM_WALK_H */
