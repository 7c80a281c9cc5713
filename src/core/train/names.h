/*-------------------------------------------------------------------------
 * names.h
 *		Kinds of things by the names that users write.
 *-------------------------------------------------------------------------
 */
#ifndef AI_NAMES_H
#define AI_NAMES_H

#include <string.h>

/* Its place among n names; -1: there is none of this name */
static inline int
ai_name_find(const char *const *names, int n, const char *name, size_t len)
{
	for (int i = 0; i < n; i++)
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			return i;
	return -1;
}

#endif							/* AI_NAMES_H */
