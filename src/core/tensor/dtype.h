/*-------------------------------------------------------------------------
 * dtype.h
 *		The types that elements of an array can have.
 *
 * The numbers stand in stored models: they never change, new ones are added
 * at the end.
 *-------------------------------------------------------------------------
 */
#ifndef AI_DTYPE_H
#define AI_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum AiDtype
{
	AI_DTYPE_U8 = 1,
	AI_DTYPE_I32 = 2,
	AI_DTYPE_U32 = 3,
	AI_DTYPE_I64 = 4,
	AI_DTYPE_U64 = 5,
	AI_DTYPE_F32 = 6,
	AI_DTYPE_F64 = 7
} AiDtype;

/* number as found in a file: is it one of the above? */
extern bool ai_dtype_is_valid(uint32_t number);

/* bytes of one element; dtype must be valid */
extern size_t ai_dtype_size(AiDtype dtype);

/* "u8", "i32" ..., for messages and descriptions; dtype must be valid */
extern const char *ai_dtype_name(AiDtype dtype);

#endif							/* AI_DTYPE_H */
