/*-------------------------------------------------------------------------
 * raise.c
 *		The only ereport of the core's errors.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/host/raise.h"

#include "pg/host/compat.h"
#include "pg/host/datum.h"
#include "pg/host/host.h"

/* A table, so that a new code without a line here is internal_error and seen. */
static int
sqlstate_of(AiCode code)
{
	static const int sqlstates[] = {
		[AI_ERR_PARAM] = ERRCODE_INVALID_PARAMETER_VALUE,
		[AI_ERR_SHAPE] = ERRCODE_DATA_EXCEPTION,
		[AI_ERR_DATA] = ERRCODE_DATA_EXCEPTION,
		[AI_ERR_FORMAT] = ERRCODE_INVALID_BINARY_REPRESENTATION,
		[AI_ERR_CORRUPT] = ERRCODE_DATA_CORRUPTED,
		[AI_ERR_UNSUPPORTED] = ERRCODE_FEATURE_NOT_SUPPORTED,
		[AI_ERR_LIMIT] = ERRCODE_PROGRAM_LIMIT_EXCEEDED,
		[AI_ERR_NOMEM] = ERRCODE_OUT_OF_MEMORY,
		[AI_ERR_DIVERGED] = ERRCODE_FLOATING_POINT_EXCEPTION,
		[AI_ERR_CANCELLED] = ERRCODE_QUERY_CANCELED,
		[AI_ERR_BUG] = ERRCODE_INTERNAL_ERROR,
	};

	if (code > AI_OK && code < lengthof(sqlstates) && sqlstates[code] != 0)
		return sqlstates[code];
	return ERRCODE_INTERNAL_ERROR;
}

/* The core was stopped by a flag; whoever set it knows the words. */
static _Noreturn void
raise_cancelled(void)
{
	CHECK_FOR_INTERRUPTS();

	/* The flag was set while interrupts are held off, or has been answered. */
	ereport(ERROR,
			(errcode(ERRCODE_QUERY_CANCELED),
			 errmsg("canceling statement due to user request")));
}

void
aiaas_raise(const AiError *err)
{
	aiaas_host_check_all();
	if (err->code == AI_ERR_CANCELLED)
		raise_cancelled();

	ereport(ERROR,
			(errcode(sqlstate_of(err->code)),
			 errmsg_internal("%s", aiaas_utf8_to_message(err->message)),
			 err->detail[0] == '\0' ? 0 :
			 errdetail_internal("%s", aiaas_utf8_to_message(err->detail)),
			 err->hint[0] == '\0' ? 0 :
			 errhint("%s", aiaas_utf8_to_message(err->hint))));
}
