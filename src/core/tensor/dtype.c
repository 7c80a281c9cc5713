/*-------------------------------------------------------------------------
 * dtype.c
 *		The types that elements of an array can have.
 *-------------------------------------------------------------------------
 */
#include "core/tensor/dtype.h"

static const struct
{
	const char *name;
	size_t		size;			/* bytes */
}			dtypes[] = {
	[AI_DTYPE_U8] = {"u8", 1},
	[AI_DTYPE_I32] = {"i32", 4},
	[AI_DTYPE_U32] = {"u32", 4},
	[AI_DTYPE_I64] = {"i64", 8},
	[AI_DTYPE_U64] = {"u64", 8},
	[AI_DTYPE_F32] = {"f32", 4},
	[AI_DTYPE_F64] = {"f64", 8},
};

bool
ai_dtype_is_valid(uint32_t number)
{
	return number < sizeof(dtypes) / sizeof(dtypes[0]) && dtypes[number].size > 0;
}

size_t
ai_dtype_size(AiDtype dtype)
{
	return dtypes[dtype].size;
}

const char *
ai_dtype_name(AiDtype dtype)
{
	return dtypes[dtype].name;
}
