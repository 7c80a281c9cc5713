/*-------------------------------------------------------------------------
 * fn_rights.c
 *		ai_grant, ai_revoke, ai_owner, has_model_privilege.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "pg/catalog/catalog.h"
#include "pg/sqlapi/arguments.h"
#include "utils/builtins.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_grant);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_revoke);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_owner);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_has_privilege);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_has_privilege_role);

Datum
aiaas_grant(PG_FUNCTION_ARGS)
{
	aiaas_require_writable("ai_grant()");
	aiaas_model_grant(aiaas_text_argument(fcinfo, 0, "model"),
					  aiaas_text_argument(fcinfo, 1, "role"),
					  aiaas_text_argument(fcinfo, 2, "privilege"));
	PG_RETURN_VOID();
}

Datum
aiaas_revoke(PG_FUNCTION_ARGS)
{
	aiaas_require_writable("ai_revoke()");
	aiaas_model_revoke(aiaas_text_argument(fcinfo, 0, "model"),
					   aiaas_text_argument(fcinfo, 1, "role"),
					   aiaas_text_argument(fcinfo, 2, "privilege"));
	PG_RETURN_VOID();
}

Datum
aiaas_owner(PG_FUNCTION_ARGS)
{
	aiaas_require_writable("ai_owner()");
	aiaas_model_give(aiaas_text_argument(fcinfo, 0, "model"),
					 aiaas_text_argument(fcinfo, 1, "role"));
	PG_RETURN_VOID();
}

Datum
aiaas_has_privilege(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(aiaas_model_has_privilege(NULL, text_to_cstring(PG_GETARG_TEXT_PP(0)),
											 text_to_cstring(PG_GETARG_TEXT_PP(1))));
}

Datum
aiaas_has_privilege_role(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(aiaas_model_has_privilege(text_to_cstring(PG_GETARG_TEXT_PP(0)),
											 text_to_cstring(PG_GETARG_TEXT_PP(1)),
											 text_to_cstring(PG_GETARG_TEXT_PP(2))));
}
