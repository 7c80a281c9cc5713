/*-------------------------------------------------------------------------
 * manifest.c
 *		Writing and reading what an exported model says of itself.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/jobs/manifest.h"

#include <limits.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "pg/engine/kind.h"
#include "pg/host/compat.h"
#include "pg/host/datum.h"
#include "pg/host/digest.h"
#include "pg/host/json.h"

#define FORMAT 1

/* Of any kind of models */
#define MAX_LABELS 10000

/* Numbers up to here are exact in a double, through which they are read. */
#define MAX_COUNT ((double) (INT64CONST(1) << 53))

/* ai_versions makes an interval of it; a century */
#define MAX_DURATION 3155760000.0

/* Of names that are chosen by this program: algorithm, kind, task, metric */
#define MAX_WORD 63

/*
 * Writing
 */
static void
put_labels(AiaasJson *json, ArrayType *labels)
{
	Datum	   *elements;
	int			n_elements;

	if (labels == NULL)
	{
		aiaas_json_object(json, "labels", NULL);
		return;
	}
	deconstruct_array(labels, TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL, &n_elements);
	aiaas_json_begin_array(json, "labels");
	for (int i = 0; i < n_elements; i++)
		aiaas_json_string(json, NULL, TextDatumGetCString(elements[i]));
	aiaas_json_end_array(json);
}

static char *
format_time(TimestampTz time)
{
	const int	utc = 0;

	return JsonEncodeDateTime(NULL, TimestampTzGetDatum(time), TIMESTAMPTZOID, &utc);
}

static void
put_embedder(AiaasJson *json, const uint8 *hash)
{
	const AiaasModel *embedder = aiaas_model_find_content(hash, AIAAS_NO_PRIVILEGE);

	aiaas_json_begin(json, "embedder");
	if (embedder != NULL)
	{
		aiaas_json_string(json, "name", embedder->name);
		aiaas_json_int(json, "version", embedder->version);
	}
	aiaas_json_string(json, "sha256", aiaas_hash_hex(hash));
	aiaas_json_end(json);
}

static Jsonb *
create_manifest(const AiaasModel *model)
{
	AiaasNewVersion stored;
	TimestampTz created;
	AiaasJson	json = {0};

	aiaas_version_read(&stored, &created, model);
	aiaas_json_begin(&json, NULL);
	aiaas_json_int(&json, "format", FORMAT);
	aiaas_json_string(&json, "name", model->name);
	aiaas_json_int(&json, "version", model->version);
	aiaas_json_string(&json, "created", format_time(created));
	aiaas_json_string(&json, "algorithm", stored.algorithm);
	aiaas_json_string(&json, "kind", stored.kind);
	aiaas_json_string(&json, "task", stored.task);
	aiaas_json_object(&json, "options", stored.options);
	put_labels(&json, stored.labels);
	aiaas_json_object(&json, "features", stored.features);
	aiaas_json_object(&json, "metrics", stored.metrics);
	aiaas_json_object(&json, "lineage", stored.lineage);
	aiaas_json_int(&json, "train_rows", stored.n_train_rows);
	aiaas_json_int(&json, "validation_rows", stored.n_validation_rows);
	aiaas_json_string(&json, "metric", stored.metric);
	aiaas_json_float(&json, "train_score", stored.train_score);
	aiaas_json_float(&json, "validation_score", stored.validation_score);
	aiaas_json_float(&json, "duration", stored.duration);
	aiaas_json_string(&json, "sha256", aiaas_hash_hex(model->hash));
	aiaas_json_int(&json, "bytes", model->n_bytes);
	if (stored.needs != NULL)
		put_embedder(&json, stored.needs);
	aiaas_json_end(&json);
	return aiaas_json_finish(&json);
}

const char *
aiaas_manifest_write(const AiaasModel *model, size_t *len)
{
	Jsonb	   *manifest = create_manifest(model);
	char	   *json = JsonbToCString(NULL, &manifest->root, VARSIZE(manifest));
	const char *utf8 = aiaas_text_to_utf8(cstring_to_text(json), len);

	/* In a SQL_ASCII database it may be anything. */
	if (!pg_verify_mbstr(PG_UTF8, utf8, (int) *len, true))
		ereport(ERROR,
				(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
				 errmsg("model \"%s\" cannot be exported because its texts are not UTF-8",
						model->name),
				 errhint("Its labels, its columns or its query hold bytes of another encoding. "
						 "Train it in a database of that encoding.")));
	return utf8;
}

/*
 * Reading
 */
static _Noreturn void
reject_member(const char *key, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid exported model: \"%s\" of its manifest is not %s", key, expected)));
}

static JsonbValue *
get_member(const Jsonb *json, const char *key)
{
	JsonbValue *value = aiaas_json_member(json, key);

	if (value == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid exported model: its manifest has no \"%s\"", key)));
	return value;
}

static double
get_number(const Jsonb *json, const char *key, double min, double max)
{
	double		number = aiaas_json_number(json, key);

	if (!(number >= min && number <= max))
		reject_member(key, psprintf("a number between %g and %g", min, max));
	return number;
}

/* NaN for null */
static double
get_score(const Jsonb *json, const char *key, double min, double max)
{
	if (get_member(json, key)->type == jbvNull)
		return NAN;
	return get_number(json, key, min, max);
}

static int64
get_integer(const Jsonb *json, const char *key, double min, double max)
{
	double		number;

	(void) get_member(json, key);
	number = get_number(json, key, min, max);
	if (number != trunc(number))
		reject_member(key, "a whole number");
	return (int64) number;
}

static char *
get_string(const Jsonb *json, const char *key, int max_len)
{
	JsonbValue *value = get_member(json, key);

	if (value->type != jbvString || value->val.string.len < 1 ||
		value->val.string.len > max_len)
		reject_member(key, psprintf("a string of 1 to %d bytes", max_len));
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* The same, or NULL for null */
static char *
get_optional_string(const Jsonb *json, const char *key, int max_len)
{
	return get_member(json, key)->type == jbvNull ? NULL : get_string(json, key, max_len);
}

/* NULL for null */
static Jsonb *
get_object(const Jsonb *json, const char *key)
{
	JsonbValue *value = get_member(json, key);

	if (value->type == jbvNull)
		return NULL;
	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		reject_member(key, "an object");
	return JsonbValueToJsonb(value);
}

/* NULL for null */
static ArrayType *
get_labels(const Jsonb *json)
{
	JsonbValue *value = get_member(json, "labels");
	JsonbContainer *list = value->val.binary.data;
	int			n_labels;
	Datum	   *labels;

	if (value->type == jbvNull)
		return NULL;
	if (value->type != jbvBinary || !JsonContainerIsArray(list) ||
		JsonContainerSize(list) > MAX_LABELS)
		reject_member("labels", psprintf("an array of at most %d strings", MAX_LABELS));
	n_labels = (int) JsonContainerSize(list);
	labels = palloc(Max(n_labels, 1) * sizeof(Datum));
	for (int i = 0; i < n_labels; i++)
	{
		JsonbValue *label = getIthJsonbValueFromContainer(list, i);

		if (label->type != jbvString)
			reject_member("labels", "an array of strings");
		labels[i] = PointerGetDatum(cstring_to_text_with_len(label->val.string.val,
															 label->val.string.len));
	}
	return construct_array(labels, n_labels, TEXTOID, -1, false, TYPALIGN_INT);
}

/* A guess for people; what counts is the hash that the content has. */
static const char *
get_embedder(const Jsonb *json)
{
	JsonbValue *value = aiaas_json_member(json, "embedder");
	Jsonb	   *embedder;

	if (value == NULL || value->type == jbvNull)
		return NULL;
	embedder = get_object(json, "embedder");
	if (aiaas_json_member(embedder, "name") == NULL)
		return NULL;
	return psprintf("%s@%d", get_string(embedder, "name", AIAAS_MODEL_NAME_MAX),
					(int) get_integer(embedder, "version", 1, INT_MAX));
}

static void
get_hash(uint8 *hash, const Jsonb *json)
{
	const char *hex = get_string(json, "sha256", 2 * AIAAS_HASH_SIZE);

	if (strlen(hex) != 2 * AIAAS_HASH_SIZE ||
		strspn(hex, "0123456789abcdef") != 2 * AIAAS_HASH_SIZE)
		reject_member("sha256", "64 hexadecimal digits");
	hex_decode(hex, 2 * AIAAS_HASH_SIZE, (char *) hash);
}

/* As we would have written it; words such as "now" have no place here. */
static const char *
get_time(const Jsonb *json, const char *key)
{
	const char *given = get_string(json, key, MAX_WORD);

	if (given[0] < '0' || given[0] > '9')
		reject_member(key, "a time");
	return format_time(DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in,
															   CStringGetDatum(given),
															   ObjectIdGetDatum(InvalidOid),
															   Int32GetDatum(-1))));
}

static void
check_format(const Jsonb *json)
{
	int64		format = get_integer(json, "format", 1, MAX_COUNT);

	if (format > FORMAT)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("export format " INT64_FORMAT " is newer than this server's (%d)",
						format, FORMAT),
				 errhint("Update aiaas on this server.")));
}

static void
check_kind(const AiaasNewVersion *stored)
{
	if (aiaas_kind_find(stored->kind) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("models of kind \"%s\" are not supported", stored->kind),
				 errhint("Update aiaas on this server.")));
}

/* The bytes, which may be anything, as jsonb */
static Jsonb *
parse_json(const char *utf8, size_t len)
{
	char	   *json;

	pg_verify_mbstr(PG_UTF8, utf8, (int) len, false);
	json = aiaas_utf8_to_cstring(utf8, len);
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json)));
}

static void
name_manifest(void *arg)
{
	errcontext("manifest of an exported model");
}

void
aiaas_manifest_read(AiaasManifest *manifest, const char *utf8, size_t len)
{
	ErrorContextCallback callback = {error_context_stack, name_manifest, NULL};
	AiaasNewVersion *stored = &manifest->stored;
	Jsonb	   *json;
	char	   *name;

	error_context_stack = &callback;
	json = parse_json(utf8, len);
	check_format(json);
	name = get_string(json, "name", AIAAS_MODEL_NAME_MAX);
	aiaas_model_name_check(name);
	strlcpy(manifest->name, name, sizeof(manifest->name));
	manifest->version = (int) get_integer(json, "version", 1, INT_MAX);
	manifest->created = get_time(json, "created");
	get_hash(manifest->hash, json);
	manifest->n_bytes = get_integer(json, "bytes", 1, MAX_COUNT);
	manifest->embedder = get_embedder(json);

	*stored = (AiaasNewVersion) {
		.algorithm = get_string(json, "algorithm", MAX_WORD),
		.kind = get_string(json, "kind", MAX_WORD),
		.task = get_string(json, "task", MAX_WORD),
		.options = get_object(json, "options"),
		.features = get_object(json, "features"),
		.metrics = get_object(json, "metrics"),
		.lineage = get_object(json, "lineage"),
		.n_train_rows = get_integer(json, "train_rows", 0, MAX_COUNT),
		.n_validation_rows = get_integer(json, "validation_rows", 0, MAX_COUNT),
		.metric = get_optional_string(json, "metric", MAX_WORD),
		.train_score = get_score(json, "train_score", -1e100, 1e100),
		.validation_score = get_score(json, "validation_score", -1e100, 1e100),
		.duration = get_score(json, "duration", 0, MAX_DURATION)
	};
	check_kind(stored);
	stored->labels = get_labels(json);
	error_context_stack = callback.previous;
}
