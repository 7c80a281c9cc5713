/*-------------------------------------------------------------------------
 * fn_models.c
 *		ai_deploy, ai_rename, ai_comment, ai_drop, ai_describe, ai_pin.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "pg/catalog/catalog.h"
#include "pg/sqlapi/arguments.h"
#include "utils/builtins.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_deploy);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_rename);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_comment);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_drop);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_drop_version);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_describe);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_pin);

Datum
aiaas_deploy(PG_FUNCTION_ARGS)
{
	aiaas_require_writable("ai_deploy()");
	aiaas_require_argument(fcinfo, 1, "version");
	aiaas_model_deploy(aiaas_text_argument(fcinfo, 0, "model"), PG_GETARG_INT32(1));
	PG_RETURN_VOID();
}

Datum
aiaas_rename(PG_FUNCTION_ARGS)
{
	aiaas_require_writable("ai_rename()");
	aiaas_model_rename(aiaas_text_argument(fcinfo, 0, "model"),
					   aiaas_text_argument(fcinfo, 1, "new name"));
	PG_RETURN_VOID();
}

Datum
aiaas_comment(PG_FUNCTION_ARGS)
{
	aiaas_require_writable("ai_comment()");
	aiaas_model_comment(aiaas_text_argument(fcinfo, 0, "model"),
						PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1)));
	PG_RETURN_VOID();
}

Datum
aiaas_drop(PG_FUNCTION_ARGS)
{
	aiaas_require_writable("ai_drop()");
	aiaas_model_drop(aiaas_text_argument(fcinfo, 0, "model"));
	PG_RETURN_VOID();
}

Datum
aiaas_drop_version(PG_FUNCTION_ARGS)
{
	char	   *name = aiaas_text_argument(fcinfo, 0, "model");

	aiaas_require_writable("ai_drop()");
	aiaas_model_name_check(name);
	aiaas_require_argument(fcinfo, 1, "version");
	aiaas_model_drop(psprintf("%s@%d", name, PG_GETARG_INT32(1)));
	PG_RETURN_VOID();
}

Datum
aiaas_describe(PG_FUNCTION_ARGS)
{
	PG_RETURN_JSONB_P(aiaas_model_describe(text_to_cstring(PG_GETARG_TEXT_PP(0))));
}

Datum
aiaas_pin(PG_FUNCTION_ARGS)
{
	char	   *reference = text_to_cstring(PG_GETARG_TEXT_PP(0));

	PG_RETURN_TEXT_P(cstring_to_text(aiaas_model_pin(reference)));
}
