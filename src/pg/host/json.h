/*-------------------------------------------------------------------------
 * json.h
 *		Writing and reading jsonb objects, member by member.
 *
 *		AiaasJson	json = {0};
 *		aiaas_json_begin(&json, NULL);
 *		aiaas_json_int(&json, "rows", 12);
 *		aiaas_json_end(&json);
 *		... aiaas_json_finish(&json)
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_JSON_H
#define AIAAS_JSON_H

#include "utils/jsonb.h"

typedef struct AiaasJson
{
	JsonbParseState *state;
	JsonbValue *root;			/* once the outermost object has ended */
} AiaasJson;

/*
 * key is NULL for the outermost object and inside arrays.  Strings are in the
 * server's encoding and copied by finish; a NULL string and a number that is
 * not finite become null.
 */
extern void aiaas_json_begin(AiaasJson *json, const char *key);
extern void aiaas_json_end(AiaasJson *json);
extern void aiaas_json_begin_array(AiaasJson *json, const char *key);
extern void aiaas_json_end_array(AiaasJson *json);
extern void aiaas_json_string(AiaasJson *json, const char *key, const char *value);
extern void aiaas_json_int(AiaasJson *json, const char *key, int64 value);
extern void aiaas_json_bool(AiaasJson *json, const char *key, bool value);

/* With as many digits as give the same number back */
extern void aiaas_json_float(AiaasJson *json, const char *key, double value);

/* An object as it is, or null for NULL; value must outlive finish */
extern void aiaas_json_object(AiaasJson *json, const char *key, const Jsonb *value);
extern Jsonb *aiaas_json_finish(AiaasJson *json);

/* A member of an object, NULL when there is none or object is NULL */
extern JsonbValue *aiaas_json_member(const Jsonb *object, const char *key);

/* A member that is a number, else NaN; infinite when a double cannot hold it */
extern double aiaas_json_number(const Jsonb *object, const char *key);

/* The same of a value; NULL is no number */
extern double aiaas_json_value_number(const JsonbValue *value);

#endif							/* AIAAS_JSON_H */
