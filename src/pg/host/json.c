/*-------------------------------------------------------------------------
 * json.c
 *		Writing and reading jsonb objects, member by member.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/host/json.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "pg/host/compat.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

static void
push_key(AiaasJson *json, const char *key)
{
	JsonbValue	value = {.type = jbvString};

	if (key == NULL)
		return;
	value.val.string.val = (char *) key;
	value.val.string.len = strlen(key);
	pushJsonbValue(&json->state, WJB_KEY, &value);
}

/* A member, or an element where key is NULL */
static void
push_value(AiaasJson *json, const char *key, JsonbValue *value)
{
	push_key(json, key);
	pushJsonbValue(&json->state, key != NULL ? WJB_VALUE : WJB_ELEM, value);
}

void
aiaas_json_begin(AiaasJson *json, const char *key)
{
	push_key(json, key);
	pushJsonbValue(&json->state, WJB_BEGIN_OBJECT, NULL);
}

void
aiaas_json_end(AiaasJson *json)
{
	json->root = pushJsonbValue(&json->state, WJB_END_OBJECT, NULL);
}

void
aiaas_json_begin_array(AiaasJson *json, const char *key)
{
	push_key(json, key);
	pushJsonbValue(&json->state, WJB_BEGIN_ARRAY, NULL);
}

void
aiaas_json_end_array(AiaasJson *json)
{
	json->root = pushJsonbValue(&json->state, WJB_END_ARRAY, NULL);
}

void
aiaas_json_string(AiaasJson *json, const char *key, const char *value)
{
	JsonbValue	string = {.type = jbvNull};

	if (value != NULL)
	{
		string.type = jbvString;
		string.val.string.val = (char *) value;
		string.val.string.len = strlen(value);
	}
	push_value(json, key, &string);
}

void
aiaas_json_int(AiaasJson *json, const char *key, int64 value)
{
	JsonbValue	number = {.type = jbvNumeric};

	number.val.numeric = int64_to_numeric(value);
	push_value(json, key, &number);
}

void
aiaas_json_bool(AiaasJson *json, const char *key, bool value)
{
	JsonbValue	boolean = {.type = jbvBool};

	boolean.val.boolean = value;
	push_value(json, key, &boolean);
}

void
aiaas_json_float(AiaasJson *json, const char *key, double value)
{
	JsonbValue	number = {.type = jbvNull};

	if (isfinite(value))
	{
		/* not float8out, whose digits depend on a setting of the session */
		char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

		double_to_shortest_decimal_buf(value, digits);
		number.type = jbvNumeric;
		number.val.numeric =
			DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(digits),
												ObjectIdGetDatum(InvalidOid),
												Int32GetDatum(-1)));
	}
	push_value(json, key, &number);
}

void
aiaas_json_object(AiaasJson *json, const char *key, const Jsonb *value)
{
	JsonbValue	object = {.type = jbvNull};

	if (value != NULL)
	{
		object.type = jbvBinary;
		object.val.binary.data = (JsonbContainer *) &value->root;
		object.val.binary.len = VARSIZE(value) - VARHDRSZ;
	}
	push_value(json, key, &object);
}

Jsonb *
aiaas_json_finish(AiaasJson *json)
{
	return JsonbValueToJsonb(json->root);
}

JsonbValue *
aiaas_json_member(const Jsonb *object, const char *key)
{
	if (object == NULL || !JB_ROOT_IS_OBJECT(object))
		return NULL;
	return getKeyJsonValueFromContainer((JsonbContainer *) &object->root, key, strlen(key),
										NULL);
}

double
aiaas_json_number(const Jsonb *object, const char *key)
{
	return aiaas_json_value_number(aiaas_json_member(object, key));
}

double
aiaas_json_value_number(const JsonbValue *value)
{
	if (value == NULL || value->type != jbvNumeric)
		return NAN;
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
											  NumericGetDatum(value->val.numeric)));
}
