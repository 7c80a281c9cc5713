/*-------------------------------------------------------------------------
 * fn_models.c
 *		ai_deploy, ai_rename, ai_comment, ai_drop, ai_describe.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "pg/catalog/catalog.h"
#include "utils/builtins.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_deploy);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_rename);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_comment);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_drop);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_drop_version);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_describe);

/*
 * These functions are not STRICT: a NULL that came by mistake must not look as
 * if the work had been done.
 */
static void
check_not_null(FunctionCallInfo fcinfo, int arg, const char *name)
{
	if (PG_ARGISNULL(arg))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
}

static char *
text_arg(FunctionCallInfo fcinfo, int arg, const char *name)
{
	check_not_null(fcinfo, arg, name);
	return text_to_cstring(PG_GETARG_TEXT_PP(arg));
}

Datum
aiaas_deploy(PG_FUNCTION_ARGS)
{
	aiaas_require_writable("ai_deploy()");
	check_not_null(fcinfo, 1, "version");
	aiaas_model_deploy(text_arg(fcinfo, 0, "model"), PG_GETARG_INT32(1));
	PG_RETURN_VOID();
}

Datum
aiaas_rename(PG_FUNCTION_ARGS)
{
	aiaas_require_writable("ai_rename()");
	aiaas_model_rename(text_arg(fcinfo, 0, "model"), text_arg(fcinfo, 1, "new name"));
	PG_RETURN_VOID();
}

Datum
aiaas_comment(PG_FUNCTION_ARGS)
{
	aiaas_require_writable("ai_comment()");
	aiaas_model_comment(text_arg(fcinfo, 0, "model"),
						PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1)));
	PG_RETURN_VOID();
}

Datum
aiaas_drop(PG_FUNCTION_ARGS)
{
	aiaas_require_writable("ai_drop()");
	aiaas_model_drop(text_arg(fcinfo, 0, "model"));
	PG_RETURN_VOID();
}

Datum
aiaas_drop_version(PG_FUNCTION_ARGS)
{
	char	   *name = text_arg(fcinfo, 0, "model");

	aiaas_require_writable("ai_drop()");
	aiaas_model_name_check(name);
	check_not_null(fcinfo, 1, "version");
	aiaas_model_drop(psprintf("%s@%d", name, PG_GETARG_INT32(1)));
	PG_RETURN_VOID();
}

Datum
aiaas_describe(PG_FUNCTION_ARGS)
{
	PG_RETURN_JSONB_P(aiaas_model_describe(text_to_cstring(PG_GETARG_TEXT_PP(0))));
}
