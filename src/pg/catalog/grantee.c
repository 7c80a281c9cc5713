/*-------------------------------------------------------------------------
 * grantee.c
 *		The type aiaas.grantee: a role in the catalog's tables.
 *
 * As regrole, its text is the role's current name, so that a dump restores
 * rights by name.  Unlike regrole, a role that the new cluster does not have is
 * no error: one lost role must not cost the rights of all others, and COPY has
 * no other way to skip a row.  "public" and "none" cannot be names of roles.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"

/* No role: not PUBLIC's 0, and never given to a real one */
#define NOBODY ((Oid) PG_UINT32_MAX)

PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_grantee_in);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_grantee_out);

Datum
aiaas_grantee_in(PG_FUNCTION_ARGS)
{
	const char *name = PG_GETARG_CSTRING(0);
	Oid			role;

	if (strcmp(name, "public") == 0)
		PG_RETURN_OID(ACL_ID_PUBLIC);
	if (strcmp(name, "none") == 0)
		PG_RETURN_OID(NOBODY);
	role = get_role_oid(name, true);
	if (!OidIsValid(role))
	{
		ereport(WARNING,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\" does not exist", name),
				 errdetail("The models that it owned are left to superusers, "
						   "and those granted to it to nobody.")));
		PG_RETURN_OID(NOBODY);
	}
	PG_RETURN_OID(role);
}

Datum
aiaas_grantee_out(PG_FUNCTION_ARGS)
{
	Oid			role = PG_GETARG_OID(0);
	char	   *name;

	if (role == ACL_ID_PUBLIC)
		PG_RETURN_CSTRING(pstrdup("public"));
	name = GetUserNameFromId(role, true);
	PG_RETURN_CSTRING(name != NULL ? name : pstrdup("none"));
}
