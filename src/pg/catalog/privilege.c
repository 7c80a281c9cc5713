/*-------------------------------------------------------------------------
 * privilege.c
 *		Who may do what with a model.
 *
 * The rows of aiaas.privilege hold one owner for each model and one level for
 * each role that was granted any; a level includes those below it.  Rows of
 * roles that are gone count for nobody, and a model whose owner is gone is the
 * superusers'.
 *
 * Rights change only under the lock of the model's row.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/catalog/catalog_internal.h"

#include "catalog/pg_type.h"
#include "pg/host/compat.h"
#include "utils/acl.h"
#include "utils/builtins.h"

static const char *const privilege_names[] = {
	[AIAAS_NO_PRIVILEGE] = NULL,
	[AIAAS_USE] = "use",
	[AIAAS_READ] = "read",
	[AIAAS_TRAIN] = "train",
	[AIAAS_ADMIN] = "admin",
	[AIAAS_OWNER] = "owner"
};

static CatalogQuery insert_privilege = {
	"INSERT INTO aiaas.privilege (model, grantee, privilege, grantor)"
	" VALUES ($1, $2::aiaas.grantee, $3, $4::aiaas.grantee)",
	4, {INT8OID, OIDOID, TEXTOID, OIDOID}, NULL
};

/* The owner keeps his entry, whoever is granted something. */
#define GRANTED_TO_2 \
	" WHERE model OPERATOR(pg_catalog.=) $1" \
	" AND grantee::pg_catalog.oid OPERATOR(pg_catalog.=) $2" \
	" AND privilege OPERATOR(pg_catalog.<>) 'owner'"

static CatalogQuery select_granted = {
	"SELECT privilege FROM aiaas.privilege" GRANTED_TO_2,
	2, {INT8OID, OIDOID}, NULL
};

static CatalogQuery update_granted = {
	"UPDATE aiaas.privilege SET privilege = $3" GRANTED_TO_2,
	3, {INT8OID, OIDOID, TEXTOID}, NULL
};

static CatalogQuery delete_granted = {
	"DELETE FROM aiaas.privilege" GRANTED_TO_2,
	2, {INT8OID, OIDOID}, NULL
};

static CatalogQuery delete_owner = {
	"DELETE FROM aiaas.privilege WHERE model OPERATOR(pg_catalog.=) $1"
	" AND privilege OPERATOR(pg_catalog.=) 'owner'",
	1, {INT8OID}, NULL
};

/* What was granted to roles that are gone */
static CatalogQuery delete_dead = {
	"DELETE FROM aiaas.privilege p WHERE p.model OPERATOR(pg_catalog.=) $1"
	" AND p.privilege OPERATOR(pg_catalog.<>) 'owner'"
	" AND p.grantee::pg_catalog.oid OPERATOR(pg_catalog.<>) 0"
	" AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles r"
	" WHERE r.oid OPERATOR(pg_catalog.=) p.grantee::pg_catalog.oid)",
	1, {INT8OID}, NULL
};

/*
 * Names
 */

/* AIAAS_NO_PRIVILEGE: no such name */
static AiaasPrivilege
privilege_by_name(const char *name)
{
	AiaasPrivilege privilege = AIAAS_OWNER;

	while (privilege > AIAAS_NO_PRIVILEGE && pg_strcasecmp(name, privilege_names[privilege]) != 0)
		privilege--;
	return privilege;
}

static AiaasPrivilege
parse_privilege(const char *name, AiaasPrivilege highest)
{
	AiaasPrivilege privilege = privilege_by_name(name);

	if (privilege == AIAAS_NO_PRIVILEGE || privilege > highest)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized privilege \"%s\"", name),
				 errhint("Privileges are \"use\", \"read\", \"train\" and \"admin\"%s; "
						 "each includes those before it.",
						 highest == AIAAS_OWNER ? ", and \"owner\" to ask for" : "")));
	return privilege;
}

/* "public" is no name of a role, but "Public" can be one. */
static Oid
parse_role(const char *name)
{
	Oid			role = get_role_oid(name, true);

	if (OidIsValid(role))
		return role;
	if (pg_strcasecmp(name, "public") == 0)
		return ACL_ID_PUBLIC;
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("role \"%s\" does not exist", name)));
}

/*
 * Deciding
 */
void
aiaas_catalog_read_grants(ModelRow *row, int64 i, int column)
{
	bool		is_null;
	Datum		grantees = aiaas_catalog_value(i, column, OIDARRAYOID, &is_null);
	Datum		privileges = aiaas_catalog_value(i, column + 1, TEXTARRAYOID, &is_null);
	Datum	   *grantee;
	Datum	   *privilege;
	int			n_privileges;

	row->n_grants = 0;
	if (is_null)
		return;
	deconstruct_array(DatumGetArrayTypeP(grantees), OIDOID, sizeof(Oid), true, TYPALIGN_INT,
					  &grantee, NULL, &row->n_grants);
	deconstruct_array(DatumGetArrayTypeP(privileges), TEXTOID, -1, false, TYPALIGN_INT,
					  &privilege, NULL, &n_privileges);
	Assert(row->n_grants == n_privileges);
	row->grantees = palloc(row->n_grants * sizeof(Oid));
	row->privileges = palloc(row->n_grants * sizeof(AiaasPrivilege));
	for (int j = 0; j < row->n_grants; j++)
	{
		row->grantees[j] = DatumGetObjectId(grantee[j]);
		row->privileges[j] = privilege_by_name(TextDatumGetCString(privilege[j]));
	}
}

AiaasPrivilege
aiaas_catalog_privilege(const ModelRow *row, Oid role)
{
	AiaasPrivilege highest = AIAAS_NO_PRIVILEGE;

	if (superuser_arg(role))
		return AIAAS_OWNER;
	for (int i = 0; i < row->n_grants; i++)
		if (row->privileges[i] > highest &&
			(row->grantees[i] == ACL_ID_PUBLIC || has_privs_of_role(role, row->grantees[i])))
			highest = row->privileges[i];
	return highest;
}

bool
aiaas_catalog_allows(const CatalogSession *session, const ModelRow *row,
					 AiaasPrivilege privilege)
{
	return aiaas_catalog_privilege(row, session->user) >= privilege;
}

void
aiaas_catalog_require(const CatalogSession *session, const ModelRow *row,
					  AiaasPrivilege privilege)
{
	const char *name = row->model.name;

	if (aiaas_catalog_allows(session, row, privilege))
		return;
	if (!aiaas_catalog_allows(session, row, AIAAS_USE))
		aiaas_raise_no_model(session, name);
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for model \"%s\"", name),
			 privilege == AIAAS_OWNER ?
			 errdetail("Only its owner and superusers can give it to another owner.") :
			 errdetail("It needs the privilege \"%s\".", privilege_names[privilege]),
			 privilege == AIAAS_OWNER ? 0 :
			 errhint("Its owner can run SELECT ai_grant(%s, %s, '%s').",
					 quote_literal_cstr(name),
					 quote_literal_cstr(GetUserNameFromId(session->user, false)),
					 privilege_names[privilege])));
}

bool
aiaas_model_has_privilege(const char *role, const char *reference, const char *privilege)
{
	AiaasPrivilege wanted = parse_privilege(privilege, AIAAS_OWNER);
	Oid			other = role != NULL ? parse_role(role) : InvalidOid;
	CatalogSession session;
	AiaasModelRef ref;
	ModelRow	row;
	bool		result;

	aiaas_model_ref_parse(&ref, reference);
	aiaas_catalog_begin(&session, CATALOG_READ);
	result = aiaas_catalog_find(&session, &row, &ref) &&
		(row.has_version || ref.version == 0) &&
		aiaas_catalog_allows(&session, &row, AIAAS_USE) &&
		aiaas_catalog_privilege(&row, role != NULL ? other : session.user) >= wanted;
	aiaas_catalog_end(&session);
	return result;
}

/*
 * Changing
 */
static void
insert_row(const CatalogSession *session, int64 model, Oid grantee, AiaasPrivilege privilege)
{
	Datum		values[4] = {
		Int64GetDatum(model),
		ObjectIdGetDatum(grantee),
		CStringGetTextDatum(privilege_names[privilege]),
		ObjectIdGetDatum(session->user)
	};

	aiaas_catalog_run(session, &insert_privilege, values, NULL);
}

void
aiaas_catalog_insert_owner(const CatalogSession *session, int64 model, Oid owner)
{
	insert_row(session, model, owner, AIAAS_OWNER);
}

/* What was granted to a role itself; owning the model does not count. */
static AiaasPrivilege
granted_to(const CatalogSession *session, int64 model, Oid grantee)
{
	Datum		values[2] = {Int64GetDatum(model), ObjectIdGetDatum(grantee)};

	if (aiaas_catalog_run(session, &select_granted, values, NULL) == 0)
		return AIAAS_NO_PRIVILEGE;
	return privilege_by_name(TextDatumGetCString(aiaas_catalog_value(0, 1, TEXTOID, NULL)));
}

void
aiaas_model_grant(const char *name, const char *role, const char *privilege)
{
	AiaasPrivilege level = parse_privilege(privilege, AIAAS_ADMIN);
	Oid			grantee;
	CatalogSession session;
	ModelRow	row;
	Datum		values[2];

	aiaas_model_name_check(name);
	grantee = parse_role(role);
	aiaas_catalog_begin(&session, CATALOG_WRITE);
	aiaas_catalog_lock_allowed(&session, &row, name, AIAAS_ADMIN);
	values[0] = Int64GetDatum(row.model.id);
	values[1] = ObjectIdGetDatum(grantee);
	aiaas_catalog_run(&session, &delete_dead, values, NULL);
	if (granted_to(&session, row.model.id, grantee) < level)
	{
		aiaas_catalog_run(&session, &delete_granted, values, NULL);
		insert_row(&session, row.model.id, grantee, level);
	}
	aiaas_catalog_end(&session);
}

void
aiaas_model_revoke(const char *name, const char *role, const char *privilege)
{
	AiaasPrivilege level = parse_privilege(privilege, AIAAS_ADMIN);
	Oid			grantee;
	CatalogSession session;
	ModelRow	row;
	Datum		values[3];

	aiaas_model_name_check(name);
	grantee = parse_role(role);
	aiaas_catalog_begin(&session, CATALOG_WRITE);
	aiaas_catalog_lock_allowed(&session, &row, name, AIAAS_ADMIN);
	values[0] = Int64GetDatum(row.model.id);
	values[1] = ObjectIdGetDatum(grantee);
	if (granted_to(&session, row.model.id, grantee) < level)
		ereport(NOTICE,
				(errcode(ERRCODE_WARNING_PRIVILEGE_NOT_REVOKED),
				 errmsg("role \"%s\" has not been granted \"%s\" on model \"%s\"",
						role, privilege, name),
				 errdetail("What it has as an owner, as a member of other roles or "
						   "through \"public\" stays.")));
	else if (level == AIAAS_USE)
		aiaas_catalog_run(&session, &delete_granted, values, NULL);
	else
	{
		values[2] = CStringGetTextDatum(privilege_names[level - 1]);
		aiaas_catalog_run(&session, &update_granted, values, NULL);
	}
	aiaas_catalog_end(&session);
}

void
aiaas_model_give(const char *name, const char *role)
{
	CatalogSession session;
	ModelRow	row;
	Oid			owner;
	Datum		id;

	aiaas_model_name_check(name);
	owner = parse_role(role);
	if (owner == ACL_ID_PUBLIC)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a model cannot belong to \"public\""),
				 errhint("To let everybody use it, run SELECT ai_grant(%s, 'public', 'use').",
						 quote_literal_cstr(name))));
	aiaas_catalog_begin(&session, CATALOG_WRITE);
	aiaas_catalog_lock_allowed(&session, &row, name, AIAAS_OWNER);
	if (!aiaas_can_set_role(session.user, owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be able to SET ROLE \"%s\"", role),
				 errhint("Let a superuser or a member of both roles run ai_owner().")));
	id = Int64GetDatum(row.model.id);
	aiaas_catalog_run(&session, &delete_owner, &id, NULL);
	aiaas_catalog_insert_owner(&session, row.model.id, owner);
	aiaas_catalog_end(&session);
}
