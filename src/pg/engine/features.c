/*-------------------------------------------------------------------------
 * features.c
 *		What a model reads, as it stands in its version's row.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/engine/features.h"

#include <math.h>

#include "core/graph/shape.h"
#include "utils/builtins.h"

#include "pg/host/digest.h"
#include "pg/host/json.h"

static void
put_embedder(AiaasJson *json, const AiaasModel *embedder)
{
	aiaas_json_begin(json, "embedder");
	aiaas_json_string(json, "sha256", aiaas_hash_hex(embedder->hash));
	aiaas_json_float(json, "width", aiaas_json_number(embedder->features, "width"));
	aiaas_json_float(json, "work", aiaas_features_work(embedder));
	aiaas_json_string(json, "precision", ai_precision_name(aiaas_features_precision(embedder)));
	aiaas_json_end(json);
}

Jsonb *
aiaas_features_create(const char *column, Oid type, int64 count, const AiaasModel *embedder)
{
	AiaasJson	json = {0};

	aiaas_json_begin(&json, NULL);
	aiaas_json_begin_array(&json, "columns");
	aiaas_json_begin(&json, NULL);
	aiaas_json_string(&json, "name", column);
	aiaas_json_string(&json, "type", format_type_be(type));
	aiaas_json_end(&json);
	aiaas_json_end_array(&json);
	aiaas_json_int(&json, "count", count);
	if (embedder != NULL)
		put_embedder(&json, embedder);
	aiaas_json_end(&json);
	return aiaas_json_finish(&json);
}

double
aiaas_features_count(const Jsonb *features)
{
	double		count = features != NULL ? aiaas_json_number(features, "count") : 0;

	return isnan(count) ? 0 : count;
}

static char *
copy_string(const JsonbValue *value)
{
	if (value == NULL || value->type != jbvString)
		return NULL;
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* What is said of a column, by its number, or NULL */
static JsonbContainer *
column_object(const Jsonb *features, uint32 number)
{
	JsonbValue *columns = aiaas_json_member(features, "columns");
	JsonbValue *column = NULL;

	if (columns != NULL && columns->type == jbvBinary &&
		JsonContainerIsArray(columns->val.binary.data))
		column = getIthJsonbValueFromContainer(columns->val.binary.data, number);
	if (column == NULL || column->type != jbvBinary ||
		!JsonContainerIsObject(column->val.binary.data))
		return NULL;
	return column->val.binary.data;
}

/* The name of a column, or NULL */
static char *
find_column(const Jsonb *features, uint32 number)
{
	JsonbContainer *column = column_object(features, number);

	return column == NULL ? NULL :
		copy_string(getKeyJsonValueFromContainer(column, "name", 4, NULL));
}

int64 *
aiaas_features_sizes(const AiaasModel *model, int n)
{
	int64	   *sizes = palloc0(n * sizeof(int64));

	for (int i = 0; i < n; i++)
	{
		JsonbContainer *column = column_object(model->features, i);
		double		size = column == NULL ? NAN :
			aiaas_json_value_number(getKeyJsonValueFromContainer(column, "size", 4, NULL));

		sizes[i] = size >= 0 && size <= AI_SHAPE_MAX_SIZE ? (int64) size : 0;
	}
	return sizes;
}

char *
aiaas_features_find_column(const Jsonb *features)
{
	return find_column(features, 0);
}

List *
aiaas_features_columns(const AiaasModel *model)
{
	List	   *names = NIL;
	char	   *name;

	while ((name = find_column(model->features, (uint32) list_length(names))) != NULL)
		names = lappend(names, name);
	if (names == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the features of model \"%s\" are damaged", model->name)));
	return names;
}

char *
aiaas_features_column(const AiaasModel *model)
{
	return linitial(aiaas_features_columns(model));
}

char *
aiaas_features_input(const Jsonb *features)
{
	return copy_string(aiaas_json_member(features, "input"));
}

double
aiaas_features_work(const AiaasModel *model)
{
	double		work = model->features != NULL ? aiaas_json_number(model->features, "work") : NAN;

	return work > 0 && isfinite(work) ? work : Max(model->n_bytes, 0) / (double) sizeof(float);
}

static AiPrecision
precision_of(const JsonbValue *value)
{
	char	   *name = copy_string(value);
	AiPrecision precision = AI_PRECISION_FP32;

	if (name != NULL)
		(void) ai_precision_find(&precision, name);
	return precision;
}

AiPrecision
aiaas_features_precision(const AiaasModel *model)
{
	return precision_of(model->options != NULL ? aiaas_json_member(model->options, "precision") :
						NULL);
}

/* A member of what is said of the embedder, or NULL */
static JsonbValue *
embedder_member(const Jsonb *features, const char *key)
{
	JsonbValue *embedder = features != NULL ? aiaas_json_member(features, "embedder") : NULL;

	if (embedder == NULL || embedder->type != jbvBinary ||
		!JsonContainerIsObject(embedder->val.binary.data))
		return NULL;
	return getKeyJsonValueFromContainer(embedder->val.binary.data, key, strlen(key), NULL);
}

bool
aiaas_features_have_embedder(const Jsonb *features, const uint8 *hash)
{
	char	   *hex = copy_string(embedder_member(features, "sha256"));

	if (hash == NULL || hex == NULL)
		return hash == NULL && hex == NULL;
	return strcmp(hex, aiaas_hash_hex(hash)) == 0;
}

bool
aiaas_features_embedder_work(const AiaasModel *model, double *work, AiPrecision *precision)
{
	*work = aiaas_json_value_number(embedder_member(model->features, "work"));
	*precision = precision_of(embedder_member(model->features, "precision"));
	return *work > 0 && isfinite(*work);
}
