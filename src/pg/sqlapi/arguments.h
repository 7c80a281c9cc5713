/*-------------------------------------------------------------------------
 * arguments.h
 *		Arguments of functions that are not STRICT.
 *
 * Where a function does something, a NULL that came by mistake must not look as
 * if it had been done.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_ARGUMENTS_H
#define AIAAS_ARGUMENTS_H

#include "fmgr.h"
#include "utils/builtins.h"

static inline void
aiaas_require_argument(FunctionCallInfo fcinfo, int arg, const char *name)
{
	if (PG_ARGISNULL(arg))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
}

static inline char *
aiaas_text_argument(FunctionCallInfo fcinfo, int arg, const char *name)
{
	aiaas_require_argument(fcinfo, arg, name);
	return text_to_cstring(PG_GETARG_TEXT_PP(arg));
}

#endif							/* AIAAS_ARGUMENTS_H */
