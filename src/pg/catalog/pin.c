/*-------------------------------------------------------------------------
 * pin.c
 *		Pins: contents by their hash, for functions that are IMMUTABLE.
 *
 * A pin stands as a literal in indexes, generated columns and constraints, so
 * what hangs on a content is found by its hexadecimal digits in the definitions
 * of whatever depends on a function that takes a pin.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/catalog/catalog_internal.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#define PIN_DIGITS (2 * AIAAS_PIN_SIZE)
#define MAX_LISTED_HOLDERS 100	/* as DROP lists them */

/* Of the contents from $2 to $3 the oldest version, that user $1 may use unless $4 */
static CatalogQuery select_pinned = {
	"SELECT m.name, v.number"
	" FROM aiaas.version v JOIN aiaas.model m ON m.id OPERATOR(pg_catalog.=) v.model"
	" WHERE v.hash OPERATOR(pg_catalog.>=) $2 AND v.hash OPERATOR(pg_catalog.<=) $3"
	" AND ($4 OR " USABLE_BY_1 ")"
	" ORDER BY v.model, v.number LIMIT 1",
	4, {OIDOID, BYTEAOID, BYTEAOID, BOOLOID}, NULL
};

/* Contents that only version $2 of model $1 has, or only the model when that is NULL */
#define LAST_CONTENTS \
	"SELECT v.hash, pg_catalog.min(v.number) AS number FROM aiaas.version v" \
	" WHERE v.model OPERATOR(pg_catalog.=) $1" \
	" AND ($2 IS NULL OR v.number OPERATOR(pg_catalog.=) $2)" \
	" AND NOT EXISTS (SELECT FROM aiaas.version o" \
	" WHERE o.hash OPERATOR(pg_catalog.=) v.hash" \
	" AND (o.model OPERATOR(pg_catalog.<>) $1 OR o.number OPERATOR(pg_catalog.<>) $2))" \
	" GROUP BY v.hash"

/* What depends on the functions of this extension that take pins */
#define PIN_USERS \
	"SELECT DISTINCT d.classid, d.objid, d.objsubid" \
	" FROM pg_catalog.pg_extension x" \
	" JOIN pg_catalog.pg_depend e ON e.refobjid OPERATOR(pg_catalog.=) x.oid" \
	" AND e.refclassid OPERATOR(pg_catalog.=) x.tableoid" \
	" AND e.deptype OPERATOR(pg_catalog.=) 'e'" \
	" JOIN pg_catalog.pg_proc f ON f.oid OPERATOR(pg_catalog.=) e.objid" \
	" AND f.tableoid OPERATOR(pg_catalog.=) e.classid" \
	" JOIN pg_catalog.pg_depend d ON d.refobjid OPERATOR(pg_catalog.=) f.oid" \
	" AND d.refclassid OPERATOR(pg_catalog.=) f.tableoid" \
	" WHERE x.extname OPERATOR(pg_catalog.=) 'aiaas'" \
	" AND pg_catalog.right(f.proname::pg_catalog.text, 7) OPERATOR(pg_catalog.=) '_pinned'"

/*
 * The definition of u.  Up to PostgreSQL 14 it is the column that depends on
 * what generates it, later its default.
 */
#define DEFINITION_OF_U \
	"COALESCE((SELECT CASE c.relkind WHEN 'p' THEN pg_catalog.pg_get_partkeydef(c.oid)" \
	" ELSE pg_catalog.pg_get_indexdef(c.oid) END FROM pg_catalog.pg_class c" \
	" WHERE c.tableoid OPERATOR(pg_catalog.=) u.classid AND c.oid OPERATOR(pg_catalog.=) u.objid" \
	" AND u.objsubid OPERATOR(pg_catalog.=) 0" \
	" AND c.relkind OPERATOR(pg_catalog.=) ANY ('{i,I,p}'))," \
	" (SELECT pg_catalog.pg_get_expr(a.adbin, a.adrelid) FROM pg_catalog.pg_attrdef a" \
	" WHERE (a.tableoid OPERATOR(pg_catalog.=) u.classid AND a.oid OPERATOR(pg_catalog.=) u.objid)" \
	" OR ('pg_catalog.pg_class'::pg_catalog.regclass OPERATOR(pg_catalog.=) u.classid" \
	" AND a.adrelid OPERATOR(pg_catalog.=) u.objid AND a.adnum OPERATOR(pg_catalog.=) u.objsubid))," \
	" (SELECT pg_catalog.pg_get_constraintdef(k.oid) FROM pg_catalog.pg_constraint k" \
	" WHERE k.tableoid OPERATOR(pg_catalog.=) u.classid AND k.oid OPERATOR(pg_catalog.=) u.objid)," \
	" (SELECT pg_catalog.pg_get_statisticsobjdef(s.oid) FROM pg_catalog.pg_statistic_ext s" \
	" WHERE s.tableoid OPERATOR(pg_catalog.=) u.classid AND s.oid OPERATOR(pg_catalog.=) u.objid))"

static CatalogQuery select_holders = {
	"SELECT pg_catalog.pg_describe_object(u.classid, u.objid, u.objsubid) COLLATE pg_catalog.\"C\","
	" g.number"
	" FROM (" LAST_CONTENTS ") g, (" PIN_USERS ") u"
	" WHERE pg_catalog.strpos(" DEFINITION_OF_U ", '#' OPERATOR(pg_catalog.||)"
	" pg_catalog.encode(pg_catalog.substring(g.hash, 1, " CppAsString2(AIAAS_PIN_SIZE) "), 'hex'))"
	" OPERATOR(pg_catalog.>) 0"
	" ORDER BY 1, 2",
	2, {INT8OID, INT4OID}, NULL
};

/*
 * What needs a content of LAST_CONTENTS and stays, and which version of it that is; to user $3
 * by its name if he may know of it
 */
static CatalogQuery select_needing = {
	"SELECT DISTINCT CASE WHEN " USABLE_BY("$3")
	" THEN pg_catalog.format('version %s of model \"%s\"', v.number, m.name)"
	" ELSE 'a model of another role' END COLLATE pg_catalog.\"C\", g.number"
	" FROM (" LAST_CONTENTS ") g"
	" JOIN aiaas.version v ON v.needs OPERATOR(pg_catalog.=) g.hash"
	" JOIN aiaas.model m ON m.id OPERATOR(pg_catalog.=) v.model"
	" WHERE NOT (v.model OPERATOR(pg_catalog.=) $1"
	" AND ($2 IS NULL OR v.number OPERATOR(pg_catalog.=) $2))"
	" ORDER BY 1, 2",
	3, {INT8OID, INT4OID, OIDOID}, NULL
};

/* In one order for everybody, as they are collected */
static CatalogQuery lock_last_contents = {
	"SELECT c.hash FROM aiaas.content c WHERE c.hash OPERATOR(pg_catalog.=) ANY"
	" (ARRAY(SELECT g.hash FROM (" LAST_CONTENTS ") g))"
	" ORDER BY c.hash FOR UPDATE OF c",
	2, {INT8OID, INT4OID}, NULL
};

char *
aiaas_model_pin(const char *reference)
{
	AiaasModel *model = aiaas_model_resolve(reference, AIAAS_USE);
	char		digits[PIN_DIGITS + 1];

	hex_encode((char *) model->hash, AIAAS_PIN_SIZE, digits);
	digits[PIN_DIGITS] = '\0';
	return psprintf("%s@%d#%s", model->name, model->version, digits);
}

/* The least hash that begins as the pin says; false: that is not a pin */
static bool
parse_pin(uint8 *hash, const char *pin)
{
	const char *mark = strchr(pin, '#');
	const char *digits = mark != NULL ? mark + 1 : "";

	/* ai_drop() looks for the digits as ai_pin() writes them. */
	if (strlen(digits) != PIN_DIGITS || strspn(digits, "0123456789abcdef") != PIN_DIGITS)
		return false;
	memset(hash, 0, AIAAS_HASH_SIZE);
	hex_decode(digits, PIN_DIGITS, (char *) hash);
	return true;
}

/* Of the contents from first to last; NULL: none */
static AiaasModel *
find_oldest(const uint8 *first, const uint8 *last, AiaasPrivilege privilege)
{
	CatalogSession session;
	Datum		values[4];
	AiaasModelRef ref;
	ModelRow	row;
	bool		is_found;
	AiaasModel *model;

	aiaas_catalog_begin(&session, CATALOG_READ);
	values[0] = ObjectIdGetDatum(session.user);
	values[1] = aiaas_hash_datum(first);
	values[2] = aiaas_hash_datum(last);
	values[3] = BoolGetDatum(privilege == AIAAS_NO_PRIVILEGE);
	is_found = aiaas_catalog_run(&session, &select_pinned, values, NULL) > 0;
	if (is_found)
	{
		strlcpy(ref.name, TextDatumGetCString(aiaas_catalog_value(0, 1, TEXTOID, NULL)),
				sizeof(ref.name));
		ref.version = DatumGetInt32(aiaas_catalog_value(0, 2, INT4OID, NULL));
		if (!aiaas_catalog_find(&session, &row, &ref) || !row.has_version)
			elog(ERROR, "version %d of model %s has vanished", ref.version, ref.name);
	}
	aiaas_catalog_end(&session);
	if (!is_found)
		return NULL;

	model = palloc(sizeof(AiaasModel));
	*model = row.model;
	return model;
}

AiaasModel *
aiaas_model_find_pin(const char *pin)
{
	uint8		first[AIAAS_HASH_SIZE];
	uint8		last[AIAAS_HASH_SIZE];

	if (!parse_pin(first, pin) || !aiaas_catalog_exists())
		return NULL;
	memcpy(last, first, AIAAS_PIN_SIZE);
	memset(last + AIAAS_PIN_SIZE, 0xFF, AIAAS_HASH_SIZE - AIAAS_PIN_SIZE);
	return find_oldest(first, last, AIAAS_USE);
}

AiaasModel *
aiaas_model_find_content(const uint8 *hash, AiaasPrivilege privilege)
{
	return find_oldest(hash, hash, privilege);
}

AiaasModel *
aiaas_model_resolve_pin(const char *pin)
{
	uint8		hash[AIAAS_HASH_SIZE];
	AiaasModel *model;

	if (!parse_pin(hash, pin))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid pin \"%s\"", pin),
				 errdetail("A pin ends with \"#\" and %d hexadecimal digits.", PIN_DIGITS),
				 errhint("Take what ai_pin() gives for a model.")));
	model = aiaas_model_find_pin(pin);
	if (model == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the model of pin \"%s\" does not exist", pin),
				 errdetail("It was dropped, or is not restored yet, or role \"%s\" may not use it.",
						   GetUserNameFromId(GetUserId(), false)),
				 errhint("Restore or import models before the tables that are pinned to them.")));
	return model;
}

/* One per line, as DROP does it */
static char *
list_holders(const ModelRow *row, int64 n_holders)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int64 i = 0; i < Min(n_holders, MAX_LISTED_HOLDERS); i++)
		appendStringInfo(&list, "%s%s depends on version %d of model \"%s\"", i > 0 ? "\n" : "",
						 TextDatumGetCString(aiaas_catalog_value(i, 1, TEXTOID, NULL)),
						 DatumGetInt32(aiaas_catalog_value(i, 2, INT4OID, NULL)),
						 row->model.name);
	if (n_holders > MAX_LISTED_HOLDERS)
		appendStringInfo(&list, "\nand " INT64_FORMAT " more", n_holders - MAX_LISTED_HOLDERS);
	return list.data;
}

static _Noreturn void
raise_held(const ModelRow *row, int version, int64 n_holders, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 version == 0 ?
			 errmsg("cannot drop model \"%s\" because other objects depend on it",
					row->model.name) :
			 errmsg("cannot drop version %d of model \"%s\" because other objects depend on it",
					version, row->model.name),
			 errdetail_internal("%s", list_holders(row, n_holders)),
			 errhint("%s", hint)));
}

void
aiaas_catalog_check_not_pinned(const CatalogSession *session, const ModelRow *row, int version)
{
	Datum		values[2] = {Int64GetDatum(row->model.id), Int32GetDatum(version)};
	int64		n_holders = aiaas_catalog_run(session, &select_holders, values,
											  version == 0 ? " n" : NULL);

	if (n_holders > 0)
		raise_held(row, version, n_holders,
				   "Drop them first, or pin them to a version that stays.");
}

void
aiaas_catalog_check_not_needed(const CatalogSession *session, const ModelRow *row, int version)
{
	Datum		values[3] = {Int64GetDatum(row->model.id), Int32GetDatum(version)};
	CatalogSession latest;
	int64		n_holders;

	/* Who has begun to need one since our snapshot was taken holds its row until he commits. */
	aiaas_catalog_run(session, &lock_last_contents, values, version == 0 ? " n" : NULL);
	aiaas_catalog_begin(&latest, CATALOG_READ_LATEST);
	values[2] = ObjectIdGetDatum(session->user);
	n_holders = aiaas_catalog_run(&latest, &select_needing, values, version == 0 ? " n " : NULL);
	if (n_holders > 0)
		raise_held(row, version, n_holders,
				   "Drop them first, or keep a copy of the embedder by another name.");
	aiaas_catalog_end(&latest);
}
