/*-------------------------------------------------------------------------
 * features.c
 *		What a model reads, as it stands in its version's row.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/engine/features.h"

#include <math.h>

#include "utils/builtins.h"

#include "pg/host/json.h"

Jsonb *
aiaas_features_create(const char *column, Oid type, int64 count)
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
	aiaas_json_end(&json);
	return aiaas_json_finish(&json);
}

double
aiaas_features_count(const Jsonb *features)
{
	double		count = features != NULL ? aiaas_json_number(features, "count") : 0;

	return isnan(count) ? 0 : count;
}

char *
aiaas_features_find_column(const Jsonb *features)
{
	JsonbValue *columns = aiaas_json_member(features, "columns");
	JsonbValue *column = NULL;
	JsonbValue *name = NULL;

	if (columns != NULL && columns->type == jbvBinary &&
		JsonContainerIsArray(columns->val.binary.data))
		column = getIthJsonbValueFromContainer(columns->val.binary.data, 0);
	if (column != NULL && column->type == jbvBinary)
		name = getKeyJsonValueFromContainer(column->val.binary.data, "name", 4, NULL);
	if (name == NULL || name->type != jbvString)
		return NULL;
	return pnstrdup(name->val.string.val, name->val.string.len);
}

char *
aiaas_features_column(const AiaasModel *model)
{
	char	   *column = aiaas_features_find_column(model->features);

	if (column == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the features of model \"%s\" are damaged", model->name)));
	return column;
}
