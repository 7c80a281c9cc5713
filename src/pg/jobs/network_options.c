/*-------------------------------------------------------------------------
 * network_options.c
 *		The options of training a network: what is the server's, and the rest.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/jobs/network_options.h"

#include "core/train/training_options.h"
#include "utils/builtins.h"

#include "pg/host/datum.h"
#include "pg/host/json.h"

static char *
string_of(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/*
 * What is the server's.  True: the core is not to see it.
 */
typedef bool (*OptionReader) (AiaasNetworkOptions *options, const char *name,
							  const JsonbValue *value);

static bool
read_deploy(AiaasNetworkOptions *options, const char *name, const JsonbValue *value)
{
	options->deploy = aiaas_option_deploy(name, value);
	return true;
}

static bool
read_bad_row(AiaasNetworkOptions *options, const char *name, const JsonbValue *value)
{
	options->skips_bad_rows = aiaas_option_is(value, "skip");
	if (!options->skips_bad_rows && !aiaas_option_is(value, "error"))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must be \"error\" or \"skip\"", name)));
	return true;
}

static bool
read_base(AiaasNetworkOptions *options, const char *name, const JsonbValue *value)
{
	if (value->type != jbvString)
		aiaas_option_reject(name, value, "the name of a model");
	options->base = string_of(value);
	return true;
}

static bool
read_validation(AiaasNetworkOptions *options, const char *name, const JsonbValue *value)
{
	(void) name;
	if (value->type != jbvString)
		return false;
	options->validation = string_of(value);
	return true;
}

static bool
read_max_time(AiaasNetworkOptions *options, const char *name, const JsonbValue *value)
{
	options->max_time = aiaas_option_max_time(name, value);
	return true;
}

/* The core says what is wrong with a name; here it only helps to tell the kind of target. */
static bool
read_loss(AiaasNetworkOptions *options, const char *name, const JsonbValue *value)
{
	AiLossKind	kind;

	(void) name;
	if (value->type == jbvString &&
		ai_loss_find(&kind, value->val.string.val, value->val.string.len))
		options->loss = kind;
	return false;
}

static const struct
{
	const char *name;
	OptionReader read;
}			option_table[] = {
	{"base", read_base},
	{"deploy", read_deploy},
	{"loss", read_loss},
	{"max_time", read_max_time},
	{"on_bad_row", read_bad_row},
	{"validation", read_validation}
};

static bool
is_servers(AiaasNetworkOptions *options, const JsonbValue *key, const JsonbValue *value)
{
	for (int i = 0; i < (int) lengthof(option_table); i++)
	{
		if (aiaas_option_is(key, option_table[i].name))
			return option_table[i].read(options, option_table[i].name, value);
	}
	return false;
}

/*
 * The rest
 */

static void
push_member(AiaasJson *json, const JsonbValue *key, JsonbValue *value)
{
	pushJsonbValue(&json->state, WJB_KEY, (JsonbValue *) key);
	pushJsonbValue(&json->state, WJB_VALUE, value);
}

/* The server has read these, and the core acts by them. */
static void
put_shared(AiaasJson *json, const AiaasNetworkOptions *options)
{
	if (options->max_time > 0)
		aiaas_json_float(json, "max_time", options->max_time);
	if (options->validation != NULL)
		aiaas_json_int(json, "validation", 0);
}

static void
keep_core_json(AiaasNetworkOptions *options, AiaasJson *json)
{
	Jsonb	   *rest = aiaas_json_finish(json);
	char	   *string = JsonbToCString(NULL, &rest->root, VARSIZE(rest));

	options->core = aiaas_text_to_utf8(cstring_to_text(string), &options->core_len);
}

static void
name_layers(void *arg)
{
	(void) arg;
	errcontext("option \"layers\"");
}

/* What model.to_json() of Keras returns is a string. */
static void
unwrap_layers(const JsonbValue *key, JsonbValue *value)
{
	ErrorContextCallback callback = {error_context_stack, name_layers, NULL};
	Jsonb	   *layers;

	if (!aiaas_option_is(key, "layers") || value->type != jbvString)
		return;
	error_context_stack = &callback;
	layers = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(string_of(value))));
	error_context_stack = callback.previous;
	value->type = jbvBinary;
	value->val.binary.data = &layers->root;
	value->val.binary.len = VARSIZE(layers) - VARHDRSZ;
}

void
aiaas_network_options_parse(AiaasNetworkOptions *options, const Jsonb *given)
{
	AiaasJson	json = {0};
	JsonbIterator *iterator;
	JsonbValue	key;
	JsonbValue	value;

	aiaas_options_require_object(given);
	*options = (AiaasNetworkOptions) {.deploy = AIAAS_DEPLOY_BETTER, .loss = AI_LOSS_AUTO};
	aiaas_json_begin(&json, NULL);
	iterator = JsonbIteratorInit((JsonbContainer *) &given->root);
	(void) JsonbIteratorNext(&iterator, &key, true);
	while (JsonbIteratorNext(&iterator, &key, true) == WJB_KEY)
	{
		(void) JsonbIteratorNext(&iterator, &value, true);
		unwrap_layers(&key, &value);
		if (value.type != jbvNull && !is_servers(options, &key, &value))
			push_member(&json, &key, &value);
	}
	put_shared(&json, options);
	aiaas_json_end(&json);
	keep_core_json(options, &json);
}

Jsonb *
aiaas_network_options_to_jsonb(const AiaasNetworkOptions *options, const char *core, size_t len)
{
	char	   *string = aiaas_utf8_to_cstring(core, len);
	Datum		parsed = DirectFunctionCall1(jsonb_in, CStringGetDatum(string));
	AiaasJson	json = {0};
	JsonbIterator *iterator = JsonbIteratorInit(&DatumGetJsonbP(parsed)->root);
	JsonbValue	key;
	JsonbValue	value;

	aiaas_json_begin(&json, NULL);
	(void) JsonbIteratorNext(&iterator, &key, true);
	while (JsonbIteratorNext(&iterator, &key, true) == WJB_KEY)
	{
		(void) JsonbIteratorNext(&iterator, &value, true);
		if (!aiaas_option_is(&key, "max_time"))
			push_member(&json, &key, &value);
	}
	if (options->max_time > 0)
		aiaas_json_float(&json, "max_time", options->max_time);

	/* Of a name that comes twice, the last one counts. */
	aiaas_json_string(&json, "deploy", aiaas_deploy_name(options->deploy));
	aiaas_json_string(&json, "on_bad_row", options->skips_bad_rows ? "skip" : "error");
	if (options->base != NULL)
		aiaas_json_string(&json, "base", options->base);
	if (options->validation != NULL)
		aiaas_json_string(&json, "validation", options->validation);
	aiaas_json_end(&json);
	return aiaas_json_finish(&json);
}
