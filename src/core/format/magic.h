/*-------------------------------------------------------------------------
 * magic.h
 *		What a file is, by the bytes that it begins with.
 *-------------------------------------------------------------------------
 */
#ifndef AI_MAGIC_H
#define AI_MAGIC_H

#include "core/base/status.h"

#define AI_MAGIC_SIZE 512		/* bytes that are looked at, if there are so many */

typedef enum AiMagic
{
	AI_MAGIC_AIM,				/* ours: an export, perhaps of a later version */
	AI_MAGIC_TAR,
	AI_MAGIC_OTHER				/* not read */
} AiMagic;

extern AiMagic ai_magic(const void *bytes, size_t n);

/* AI_ERR_FORMAT that says what it looks like, and a hint at what to do */
extern AiCode ai_magic_refuse(const void *bytes, size_t n, AiError *err);

#endif							/* AI_MAGIC_H */
