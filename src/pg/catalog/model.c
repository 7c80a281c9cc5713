/*-------------------------------------------------------------------------
 * model.c
 *		Finding models, and storing new versions of them.
 *
 * Two trainers of one model: each inserts or locks the model's row at its end,
 * so the second waits there for the first to commit and gets the next number.
 * Numbers are never given twice, also when the last version was dropped:
 * 'reviews@3' means the same for ever.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/catalog/catalog_internal.h"

#include <math.h>

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "pg/host/compat.h"
#include "pg/host/guc.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

/* Who may do what with model m; one row, of NULLs when nobody may */
#define JOIN_GRANTS \
	" CROSS JOIN LATERAL (SELECT pg_catalog.array_agg(g.grantee::pg_catalog.oid) AS grantees," \
	" pg_catalog.array_agg(g.privilege) AS privileges" \
	" FROM aiaas.privilege g WHERE g.model OPERATOR(pg_catalog.=) m.id) p"

static CatalogQuery select_model = {
	"SELECT m.id, m.deployed, m.last_version, p.grantees, p.privileges,"
	" v.number, v.hash, v.algorithm, v.kind, v.task, c.bytes,"
	" v.options, v.features, v.validation_score, v.needs"
	" FROM aiaas.model m" JOIN_GRANTS
	" LEFT JOIN aiaas.version v ON v.model OPERATOR(pg_catalog.=) m.id"
	" AND v.number OPERATOR(pg_catalog.=) COALESCE($2, m.deployed)"
	" LEFT JOIN aiaas.content c ON c.hash OPERATOR(pg_catalog.=) v.hash"
	" WHERE m.name OPERATOR(pg_catalog.=) $1",
	2, {TEXTOID, INT4OID}, NULL
};

static CatalogQuery lock_model = {
	"SELECT m.id FROM aiaas.model m WHERE m.name OPERATOR(pg_catalog.=) $1 FOR UPDATE",
	1, {TEXTOID}, NULL
};

static CatalogQuery insert_model = {
	"INSERT INTO aiaas.model (name) VALUES ($1) ON CONFLICT (name) DO NOTHING RETURNING id",
	1, {TEXTOID}, NULL
};

static CatalogQuery insert_version = {
	"INSERT INTO aiaas.version (model, number, hash, needs, algorithm, kind, task, options, labels,"
	" features, metrics, lineage, train_rows, validation_rows, metric, train_score,"
	" validation_score, duration)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
	18, {INT8OID, INT4OID, BYTEAOID, BYTEAOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID, TEXTARRAYOID,
		JSONBOID, JSONBOID, JSONBOID, INT8OID, INT8OID, TEXTOID, FLOAT8OID,
		FLOAT8OID, FLOAT8OID}, NULL
};

static CatalogQuery update_numbers = {
	"UPDATE aiaas.model SET last_version = $2, deployed = CASE WHEN $3 THEN $2 ELSE deployed END"
	" WHERE id OPERATOR(pg_catalog.=) $1",
	3, {INT8OID, INT4OID, BOOLOID}, NULL
};

static CatalogQuery select_versions = {
	"SELECT v.number FROM aiaas.version v WHERE v.model OPERATOR(pg_catalog.=) $1"
	" ORDER BY v.number DESC",
	1, {INT8OID}, NULL
};

/* What user $1 may use; of task $2, deployed, when that is not NULL */
static CatalogQuery select_usable = {
	"SELECT m.name FROM aiaas.model m"
	" LEFT JOIN aiaas.version v ON v.model OPERATOR(pg_catalog.=) m.id"
	" AND v.number OPERATOR(pg_catalog.=) m.deployed"
	" WHERE " USABLE_BY_1
	" AND ($2 IS NULL OR v.task OPERATOR(pg_catalog.=) $2)"
	" ORDER BY m.name",
	2, {OIDOID, TEXTOID}, NULL
};

/*
 * Lists in hints
 */
#define MAX_LISTED 10

static char *
listed_value(int64 row)
{
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1);
}

/* Names or numbers in column 1 of the last run: a, b, c and 4 more */
static char *
list_rows(int64 n_rows, bool is_quoted)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int64 i = 0; i < Min(n_rows, MAX_LISTED); i++)
		appendStringInfo(&list, is_quoted ? "%s\"%s\"" : "%s%s", i > 0 ? ", " : "",
						 listed_value(i));
	if (n_rows > MAX_LISTED)
		appendStringInfo(&list, " and " INT64_FORMAT " more", n_rows - MAX_LISTED);
	return list.data;
}

static int64
run_select_usable(const CatalogSession *session, const char *task)
{
	Datum		values[2] = {ObjectIdGetDatum(session->user)};
	char		nulls[3] = "  ";

	if (task != NULL)
		values[1] = CStringGetTextDatum(task);
	else
		nulls[1] = 'n';
	return aiaas_catalog_run(session, &select_usable, values, nulls);
}

/* The name in column 1 that takes the fewest edits, if those are few */
static char *
nearest_name(int64 n_rows, const char *name)
{
	int			len = (int) strlen(name);
	int			best_distance = len / 3 + 1;
	char	   *best = NULL;

	for (int64 i = 0; i < n_rows; i++)
	{
		char	   *other = TextDatumGetCString(aiaas_catalog_value(i, 1, TEXTOID, NULL));
		int			distance = varstr_levenshtein_less_equal(name, len, other, (int) strlen(other),
															 1, 1, 1, best_distance, true);

		if (distance < best_distance || (best == NULL && distance == best_distance))
		{
			best_distance = distance;
			best = other;
		}
	}
	return best;
}

void
aiaas_raise_no_model(const CatalogSession *session, const char *name)
{
	int64		n_usable = run_select_usable(session, NULL);
	char	   *nearest = nearest_name(n_usable, name);
	const char *hint;

	if (nearest != NULL)
		hint = psprintf("Perhaps you mean model \"%s\".", nearest);
	else if (n_usable > 0)
		hint = psprintf("Models that you may use: %s.", list_rows(n_usable, true));
	else
		hint = psprintf("Train it: SELECT * FROM ai_train(%s, 'SELECT ...', 'target column'), "
						"or import it with ai_import().", quote_literal_cstr(name));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("model \"%s\" does not exist", name),
			 errhint("%s", hint)));
}

void
aiaas_raise_no_version(const CatalogSession *session, const ModelRow *row, int version)
{
	Datum		id = Int64GetDatum(row->model.id);
	int64		n_versions = aiaas_catalog_run(session, &select_versions, &id, NULL);

	if (version == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" has no deployed version", row->model.name),
				 n_versions == 0 ? errhint("It has no versions at all; train it.") :
				 errhint("Deploy one of its versions with ai_deploy(): %s.",
						 list_rows(n_versions, false))));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("model \"%s\" has no version %d", row->model.name, version),
			 errhint("Its versions are: %s.", list_rows(n_versions, false))));
}

const char *
aiaas_default_model_get(AiaasDefault which)
{
	const char *setting = aiaas_default_name(which);
	CatalogSession session;
	int64		n_usable;
	const char *database;

	if (aiaas_default_find(which)[0] != '\0')
		return aiaas_default_find(which);

	aiaas_catalog_begin(&session, CATALOG_READ);
	n_usable = run_select_usable(&session, which == AIAAS_DEFAULT_CLASSIFIER ? "classification" :
								 "embedding");
	database = quote_identifier(get_database_name(MyDatabaseId));
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("no model was named and %s is not set", setting),
			 n_usable == 0 && which == AIAAS_DEFAULT_CLASSIFIER ?
			 errhint("Train a model with ai_train(), then name it in the call.") :
			 n_usable == 0 ?
			 errhint("Import a model with ai_import_file() or ai_import(), then name it in the "
					 "call.") :
			 errhint("Name one in the call, or run ALTER DATABASE %s SET %s = %s. "
					 "Models that would do: %s.",
					 database, setting,
					 quote_literal_cstr(listed_value(0)),
					 list_rows(n_usable, true))));
}

/*
 * Finding
 */

/* The columns of select_model that are not the version's */
static void
fill_row(ModelRow *row, const char *name)
{
	bool		is_null;
	Datum		value;

	memset(row, 0, sizeof(*row));
	strlcpy(row->model.name, name, sizeof(row->model.name));
	row->model.id = DatumGetInt64(aiaas_catalog_value(0, 1, INT8OID, NULL));
	value = aiaas_catalog_value(0, 2, INT4OID, &is_null);
	row->model.deployed = is_null ? 0 : DatumGetInt32(value);
	row->last_version = DatumGetInt32(aiaas_catalog_value(0, 3, INT4OID, NULL));
	aiaas_catalog_read_grants(row, 0, 4);
}

static void
fill_version(const CatalogSession *session, AiaasModel *model)
{
	bytea	   *hash = DatumGetByteaPP(aiaas_catalog_value(0, 7, BYTEAOID, NULL));
	bool		is_null;
	Datum		value;

	if (VARSIZE_ANY_EXHDR(hash) != AIAAS_HASH_SIZE)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("entry of model \"%s\" in aiaas.version is damaged", model->name),
				 errdetail("Version %d has a hash of %d bytes.", model->version,
						   (int) VARSIZE_ANY_EXHDR(hash))));
	memcpy(model->hash, VARDATA_ANY(hash), AIAAS_HASH_SIZE);
	model->algorithm = aiaas_catalog_text(session, 0, 8);
	model->kind = aiaas_catalog_text(session, 0, 9);
	model->task = aiaas_catalog_text(session, 0, 10);
	value = aiaas_catalog_value(0, 11, INT8OID, &is_null);
	model->n_bytes = is_null ? -1 : DatumGetInt64(value);
	model->options = aiaas_catalog_jsonb(session, 0, 12);
	model->features = aiaas_catalog_jsonb(session, 0, 13);
	value = aiaas_catalog_value(0, 14, FLOAT8OID, &is_null);
	model->validation_score = is_null ? NAN : DatumGetFloat8(value);
	model->needs = aiaas_catalog_hash(session, 0, 15);
}

/* version 0: the deployed one; false: no such model */
static bool
run_select_model(const CatalogSession *session, const char *name, int version)
{
	Datum		values[2] = {CStringGetTextDatum(name), Int32GetDatum(version)};

	return aiaas_catalog_run(session, &select_model, values, version == 0 ? " n" : NULL) > 0;
}

bool
aiaas_catalog_find(const CatalogSession *session, ModelRow *row, const AiaasModelRef *ref)
{
	bool		is_null;
	Datum		number;

	if (!run_select_model(session, ref->name, ref->version))
		return false;
	fill_row(row, ref->name);
	number = aiaas_catalog_value(0, 6, INT4OID, &is_null);
	row->has_version = !is_null;
	if (row->has_version)
	{
		row->model.version = DatumGetInt32(number);
		fill_version(session, &row->model);
	}
	return true;
}

/* Read after the lock: whoever held it may have changed the rights. */
bool
aiaas_catalog_lock(const CatalogSession *session, ModelRow *row, const char *name)
{
	Datum		value = CStringGetTextDatum(name);

	if (aiaas_catalog_run(session, &lock_model, &value, NULL) == 0 ||
		!run_select_model(session, name, 0))
		return false;
	fill_row(row, name);
	return true;
}

void
aiaas_catalog_lock_allowed(const CatalogSession *session, ModelRow *row, const char *name,
						   AiaasPrivilege privilege)
{
	if (!aiaas_catalog_lock(session, row, name))
		aiaas_raise_no_model(session, name);
	aiaas_catalog_require(session, row, privilege);
}

AiaasModel *
aiaas_model_resolve(const char *reference, AiaasPrivilege privilege)
{
	CatalogSession session;
	AiaasModelRef ref;
	ModelRow	row;
	AiaasModel *model;

	aiaas_model_ref_parse(&ref, reference);
	aiaas_catalog_begin(&session, CATALOG_READ);
	if (!aiaas_catalog_find(&session, &row, &ref))
		aiaas_raise_no_model(&session, ref.name);
	aiaas_catalog_require(&session, &row, privilege);
	if (!row.has_version)
		aiaas_raise_no_version(&session, &row, ref.version);
	aiaas_catalog_end(&session);

	model = palloc(sizeof(AiaasModel));
	*model = row.model;
	return model;
}

/* NULL: there is none, or the user does not have this privilege on it */
static AiaasModel *
find_model(CatalogMode mode, const AiaasModelRef *ref, AiaasPrivilege privilege)
{
	CatalogSession session;
	ModelRow	row;
	bool		is_found;
	AiaasModel *model;

	aiaas_catalog_begin(&session, mode);
	is_found = aiaas_catalog_find(&session, &row, ref) && row.has_version &&
		aiaas_catalog_allows(&session, &row, privilege);
	aiaas_catalog_end(&session);
	if (!is_found)
		return NULL;

	model = palloc(sizeof(AiaasModel));
	*model = row.model;
	return model;
}

AiaasModel *
aiaas_model_find(const char *reference, AiaasPrivilege privilege)
{
	AiaasModelRef ref;

	if (!aiaas_model_ref_try_parse(&ref, reference) || !aiaas_catalog_exists())
		return NULL;
	return find_model(CATALOG_READ, &ref, privilege);
}

AiaasModel *
aiaas_model_incumbent(const char *name)
{
	AiaasModelRef ref;

	aiaas_model_ref_parse(&ref, name);
	return find_model(CATALOG_READ_LATEST, &ref, AIAAS_NO_PRIVILEGE);
}

/*
 * Training
 */
void
aiaas_require_writable(const char *command)
{
	PreventCommandDuringRecovery(command);
	PreventCommandIfReadOnly(command);
	PreventCommandIfParallelMode(command);
}

/* A name is taken or free for everybody, so that it is taken is no secret. */
static void
check_trainable(const CatalogSession *session, const ModelRow *row)
{
	if (!aiaas_catalog_allows(session, row, AIAAS_USE))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for model \"%s\"", row->model.name),
				 errdetail("A model of this name belongs to another role."),
				 errhint("Choose another name.")));
	aiaas_catalog_require(session, row, AIAAS_TRAIN);
}

void
aiaas_model_check_trainable(const char *name)
{
	CatalogSession session;
	AiaasModelRef ref = {.version = 0};
	ModelRow	row;

	aiaas_model_name_check(name);
	strlcpy(ref.name, name, sizeof(ref.name));
	aiaas_catalog_begin(&session, CATALOG_READ_LATEST);
	if (aiaas_catalog_find(&session, &row, &ref))
		check_trainable(&session, &row);
	aiaas_catalog_end(&session);
}

/* Unless another transaction has just created a model of this name */
static void
create_model(const CatalogSession *session, const char *name)
{
	Datum		value = CStringGetTextDatum(name);

	if (aiaas_catalog_run(session, &insert_model, &value, NULL) > 0)
		aiaas_catalog_insert_owner(session,
								   DatumGetInt64(aiaas_catalog_value(0, 1, INT8OID, NULL)),
								   session->user);
}

void
aiaas_model_lock(AiaasModelLock *lock, const char *name)
{
	CatalogSession session;
	ModelRow	row;

	aiaas_model_name_check(name);
	aiaas_catalog_begin(&session, CATALOG_WRITE);
	while (!aiaas_catalog_lock(&session, &row, name))
	{
		CHECK_FOR_INTERRUPTS();
		create_model(&session, name);
	}
	check_trainable(&session, &row);
	aiaas_catalog_end(&session);

	lock->id = row.model.id;
	lock->version = row.last_version + 1;
	lock->deployed = row.model.deployed;
	strlcpy(lock->name, name, sizeof(lock->name));
}

/* Parameters of insert_version, in its order */
typedef struct Params
{
	Datum		values[CATALOG_MAX_PARAMS];
	char		nulls[CATALOG_MAX_PARAMS];
	int			n;
} Params;

static void
add_param(Params *params, Datum value, bool is_null)
{
	params->values[params->n] = value;
	params->nulls[params->n++] = is_null ? 'n' : ' ';
}

static void
add_pointer(Params *params, const void *value)
{
	add_param(params, PointerGetDatum(value), value == NULL);
}

static void
add_text(Params *params, const char *value)
{
	add_pointer(params, value != NULL ? cstring_to_text(value) : NULL);
}

static void
add_score(Params *params, double value)
{
	add_param(params, Float8GetDatum(value), isnan(value));
}

void
aiaas_version_store(const AiaasModelLock *lock, const AiaasNewVersion *version, bool deploy)
{
	CatalogSession session;
	uint8		hash[AIAAS_HASH_SIZE];
	Params		params = {.n = 0};
	Datum		numbers[3];

	aiaas_catalog_begin(&session, CATALOG_WRITE);
	if (version->needs != NULL)
		aiaas_content_hold(&session, version->needs);
	aiaas_content_store(&session, hash, version->bytes, version->n_bytes);

	add_param(&params, Int64GetDatum(lock->id), false);
	add_param(&params, Int32GetDatum(lock->version), false);
	add_param(&params, aiaas_hash_datum(hash), false);
	add_param(&params, version->needs != NULL ? aiaas_hash_datum(version->needs) : (Datum) 0,
			  version->needs == NULL);
	add_text(&params, version->algorithm);
	add_text(&params, version->kind);
	add_text(&params, version->task);
	add_pointer(&params, version->options);
	add_pointer(&params, version->labels);
	add_pointer(&params, version->features);
	add_pointer(&params, version->metrics);
	add_pointer(&params, version->lineage);
	add_param(&params, Int64GetDatum(version->n_train_rows), false);
	add_param(&params, Int64GetDatum(version->n_validation_rows), false);
	add_text(&params, version->metric);
	add_score(&params, version->train_score);
	add_score(&params, version->validation_score);
	add_score(&params, version->duration);
	aiaas_catalog_run(&session, &insert_version, params.values, params.nulls);

	numbers[0] = Int64GetDatum(lock->id);
	numbers[1] = Int32GetDatum(lock->version);
	numbers[2] = BoolGetDatum(deploy);
	aiaas_catalog_run(&session, &update_numbers, numbers, NULL);
	aiaas_catalog_end(&session);
}
