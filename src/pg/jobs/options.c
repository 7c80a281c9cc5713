/*-------------------------------------------------------------------------
 * options.c
 *		One table row per option: its name and who reads it.
 *
 * Here a value's type is checked; its range belongs to the core, whose
 * ai_text_options_check() names option, value and range.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/jobs/options.h"

#include <limits.h>
#include <math.h>

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "pg/host/datum.h"
#include "pg/host/guc.h"
#include "pg/host/json.h"
#include "pg/host/raise.h"

typedef void (*OptionReader) (AiaasTrainOptions *options, const char *name,
							  const JsonbValue *value);

static const char *
type_of(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			return "null";
		case jbvString:
			return "a string";
		case jbvNumeric:
			return "a number";
		case jbvBool:
			return "a boolean";
		default:
			return JsonContainerIsArray(value->val.binary.data) ? "an array" : "an object";
	}
}

void
aiaas_option_reject(const char *name, const JsonbValue *value, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" must be %s, not %s", name, expected, type_of(value))));
}

bool
aiaas_option_is(const JsonbValue *value, const char *string)
{
	return value->type == jbvString && value->val.string.len == (int) strlen(string) &&
		memcmp(value->val.string.val, string, value->val.string.len) == 0;
}

static double
get_number(const char *name, const JsonbValue *value)
{
	if (value->type != jbvNumeric)
		aiaas_option_reject(name, value, "a number");
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8,
											  NumericGetDatum(value->val.numeric)));
}

static int64
get_whole(const char *name, const JsonbValue *value)
{
	double		number;

	if (value->type != jbvNumeric)
		aiaas_option_reject(name, value, "a whole number");
	number = get_number(name, value);
	if (number != trunc(number) || fabs(number) >= 0x1p63)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must be a whole number, not %g", name, number)));
	return DatumGetInt64(DirectFunctionCall1(numeric_int8,
											 NumericGetDatum(value->val.numeric)));
}

/* Beyond an int is beyond every range: the core rejects the border as well. */
static int
get_int(const char *name, const JsonbValue *value)
{
	return (int) Max(INT_MIN, Min(INT_MAX, get_whole(name, value)));
}

static void
read_validation(AiaasTrainOptions *options, const char *name, const JsonbValue *value)
{
	options->text.validation = get_number(name, value);
}

static void
read_seed(AiaasTrainOptions *options, const char *name, const JsonbValue *value)
{
	options->text.seed = (uint64_t) get_whole(name, value);
}

/* The core's 0 means "choose", which here is written "auto". */
static bool
is_auto(const char *name, const JsonbValue *value)
{
	if (value->type == jbvNumeric && get_number(name, value) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must be greater than 0 or \"auto\"", name)));
	return aiaas_option_is(value, "auto");
}

static void
read_l2(AiaasTrainOptions *options, const char *name, const JsonbValue *value)
{
	options->text.l2 = is_auto(name, value) ? 0 : get_number(name, value);
}

/* [min, max] */
static void
get_range(int *min, int *max, const char *name, const JsonbValue *value)
{
	JsonbContainer *array = value->type == jbvBinary ? value->val.binary.data : NULL;

	if (array == NULL || !JsonContainerIsArray(array) || JsonContainerSize(array) != 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must be a whole number, an array [min, max] or false",
						name)));
	*min = get_int(name, getIthJsonbValueFromContainer(array, 0));
	*max = get_int(name, getIthJsonbValueFromContainer(array, 1));
}

static bool
is_off(const JsonbValue *value)
{
	return value->type == jbvBool && !value->val.boolean;
}

static void
read_word_ngrams(AiaasTrainOptions *options, const char *name, const JsonbValue *value)
{
	int			min = 1;
	int			max = 0;

	if (value->type == jbvNumeric)
		max = get_int(name, value);
	else if (!is_off(value))
		get_range(&min, &max, name, value);
	if (min != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must begin with 1, not %d", name, min)));
	options->text.word_ngrams = max;
}

static void
read_char_ngrams(AiaasTrainOptions *options, const char *name, const JsonbValue *value)
{
	int			min = options->text.char_ngrams_min;
	int			max = 0;

	if (value->type == jbvNumeric)
	{
		max = get_int(name, value);
		if (max > 0)
			min = Min(min, max);
	}
	else if (!is_off(value))
		get_range(&min, &max, name, value);
	options->text.char_ngrams_min = min;
	options->text.char_ngrams_max = max;
}

static void
read_embedder(AiaasTrainOptions *options, const char *name, const JsonbValue *value)
{
	if (value->type != jbvString && !is_off(value))
		aiaas_option_reject(name, value, "the name of a model, \"auto\" or false");
	options->has_embedder = value->type == jbvString;
	if (!options->has_embedder)
		return;
	if (aiaas_option_is(value, "auto"))
	{
		options->text.uses_embeddings = AI_TEXT_USE_AUTO;
		return;
	}
	options->text.uses_embeddings = AI_TEXT_USE_ALWAYS;
	options->embedder = pnstrdup(value->val.string.val, value->val.string.len);
}

static void
read_ngrams(AiaasTrainOptions *options, const char *name, const JsonbValue *value)
{
	if (aiaas_option_is(value, "auto"))
		options->text.uses_ngrams = AI_TEXT_USE_AUTO;
	else if (value->type == jbvBool)
		options->text.uses_ngrams = value->val.boolean ? AI_TEXT_USE_ALWAYS : AI_TEXT_USE_NEVER;
	else
		aiaas_option_reject(name, value, "true, false or \"auto\"");
}

static void
read_min_count(AiaasTrainOptions *options, const char *name, const JsonbValue *value)
{
	options->text.min_count = is_auto(name, value) ? 0 : get_int(name, value);
}

static void
read_max_features(AiaasTrainOptions *options, const char *name, const JsonbValue *value)
{
	options->text.max_features = get_whole(name, value);
}

static void
read_lowercase(AiaasTrainOptions *options, const char *name, const JsonbValue *value)
{
	if (value->type != jbvBool)
		aiaas_option_reject(name, value, "true or false");
	options->text.lowercase = value->val.boolean;
}

/* {"spam": 5, ...} */
static void
read_weights(AiTextOptions *core, const char *name, JsonbContainer *object)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	AiClassWeight *weights = palloc0((JsonContainerSize(object) + 1) * sizeof(AiClassWeight));
	JsonbValue	token;
	int			n_weights = 0;

	while (true)
	{
		JsonbIteratorToken kind = JsonbIteratorNext(&iterator, &token, true);
		AiClassWeight *weight = &weights[n_weights];

		if (kind == WJB_DONE)
			break;
		if (kind == WJB_KEY)
			weight->label =
				aiaas_text_to_utf8(cstring_to_text_with_len(token.val.string.val,
															token.val.string.len),
								   &weight->label_len);
		if (kind == WJB_VALUE)
		{
			char	   *label = aiaas_utf8_to_cstring(weight->label, weight->label_len);

			weight->weight = get_number(psprintf("%s.%s", name, label), &token);
			n_weights++;
		}
	}
	core->class_weighting = AI_CLASS_WEIGHT_GIVEN;
	core->class_weights = weights;
	core->n_class_weights = n_weights;
}

static void
read_class_weight(AiaasTrainOptions *options, const char *name, const JsonbValue *value)
{
	if (aiaas_option_is(value, "none"))
		options->text.class_weighting = AI_CLASS_WEIGHT_NONE;
	else if (aiaas_option_is(value, "balanced"))
		options->text.class_weighting = AI_CLASS_WEIGHT_BALANCED;
	else if (value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data))
		read_weights(&options->text, name, value->val.binary.data);
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must be \"none\", \"balanced\" or an object of weights",
						name),
				 errhint("For example {\"class_weight\": {\"spam\": 5, \"ham\": 1}}.")));
}

static const char *const deploy_names[] = {
	[AIAAS_DEPLOY_BETTER] = "better",
	[AIAAS_DEPLOY_ALWAYS] = "always",
	[AIAAS_DEPLOY_NEVER] = "never"
};

AiaasDeploy
aiaas_option_deploy(const char *name, const JsonbValue *value)
{
	for (int i = 0; i < (int) lengthof(deploy_names); i++)
		if (aiaas_option_is(value, deploy_names[i]))
			return (AiaasDeploy) i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" must be \"better\", \"always\" or \"never\"", name)));
	return AIAAS_DEPLOY_BETTER;
}

const char *
aiaas_deploy_name(AiaasDeploy deploy)
{
	return deploy_names[deploy];
}

static void
read_deploy(AiaasTrainOptions *options, const char *name, const JsonbValue *value)
{
	options->deploy = aiaas_option_deploy(name, value);
}

static void
name_option(void *arg)
{
	errcontext("option \"%s\"", (const char *) arg);
}

static double
interval_seconds(const char *name, const JsonbValue *value)
{
	char	   *string = pnstrdup(value->val.string.val, value->val.string.len);
	ErrorContextCallback callback = {error_context_stack, name_option, (void *) name};
	Interval   *interval;

	error_context_stack = &callback;
	interval = DatumGetIntervalP(DirectFunctionCall3(interval_in, CStringGetDatum(string),
													 ObjectIdGetDatum(InvalidOid),
													 Int32GetDatum(-1)));
	error_context_stack = callback.previous;
	return interval->time / (double) USECS_PER_SEC +
		((double) interval->month * DAYS_PER_MONTH + interval->day) * SECS_PER_DAY;
}

/* A run that would be stopped by the limit before it may stop by itself */
static void
check_time_limit(const char *name, double seconds)
{
	if (aiaas_max_train_time > 0 && seconds > aiaas_max_train_time)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must be at most %d, not %g", name, aiaas_max_train_time,
						seconds),
				 errdetail("The limit is set by aiaas.max_train_time.")));
}

double
aiaas_option_max_time(const char *name, const JsonbValue *value)
{
	double		seconds = 0;

	if (value->type == jbvString)
		seconds = interval_seconds(name, value);
	else if (value->type == jbvNumeric)
		seconds = get_number(name, value);
	else
		aiaas_option_reject(name, value, "a number of seconds or an interval");

	if (!(seconds > 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must be greater than 0, not %g", name, seconds)));
	check_time_limit(name, seconds);
	return seconds;
}

static void
read_max_time(AiaasTrainOptions *options, const char *name, const JsonbValue *value)
{
	options->text.max_time = aiaas_option_max_time(name, value);
}

static const struct
{
	const char *name;
	OptionReader read;
}			option_table[] = {
	{"char_ngrams", read_char_ngrams},
	{"class_weight", read_class_weight},
	{"deploy", read_deploy},
	{"embedder", read_embedder},
	{"l2", read_l2},
	{"lowercase", read_lowercase},
	{"max_features", read_max_features},
	{"max_time", read_max_time},
	{"min_count", read_min_count},
	{"ngrams", read_ngrams},
	{"seed", read_seed},
	{"validation", read_validation},
	{"word_ngrams", read_word_ngrams}
};

static _Noreturn void
reject_option(const JsonbValue *key)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < (int) lengthof(option_table); i++)
		appendStringInfo(&list, "%s\"%s\"", i > 0 ? ", " : "", option_table[i].name);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no option \"%s\"",
					pnstrdup(key->val.string.val, key->val.string.len)),
			 errhint("The options are %s.", list.data)));
}

static int
find_option(const JsonbValue *key)
{
	for (int i = 0; i < (int) lengthof(option_table); i++)
		if (aiaas_option_is(key, option_table[i].name))
			return i;
	reject_option(key);
}

void
aiaas_options_require_object(const Jsonb *given)
{
	if (!JB_ROOT_IS_OBJECT(given))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options must be a JSON object"),
				 errhint("For example '{\"validation\": 0.2}'.")));
}

void
aiaas_options_parse(AiaasTrainOptions *options, const Jsonb *given)
{
	JsonbIterator *iterator;
	JsonbValue	token;
	int			option = -1;
	AiError		err;

	aiaas_options_require_object(given);
	options->deploy = AIAAS_DEPLOY_BETTER;
	options->has_embedder = false;
	options->embedder = NULL;
	ai_text_options_default(&options->text);
	iterator = JsonbIteratorInit((JsonbContainer *) &given->root);
	while (true)
	{
		JsonbIteratorToken kind = JsonbIteratorNext(&iterator, &token, true);

		if (kind == WJB_DONE)
			break;
		if (kind == WJB_KEY)
			option = find_option(&token);
		if (kind == WJB_VALUE && token.type != jbvNull)
			option_table[option].read(options, option_table[option].name, &token);
	}
	if (options->has_embedder)
		return;
	if (options->text.uses_ngrams == AI_TEXT_USE_NEVER)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"ngrams\" must not be false without option \"embedder\"")));
	AIAAS_CHECK(ai_text_options_check(&options->text, &err), &err);
}

static void
put_char_ngrams(AiaasJson *json, const AiTextOptions *core)
{
	if (core->char_ngrams_max == 0)
	{
		aiaas_json_bool(json, "char_ngrams", false);
		return;
	}
	aiaas_json_begin_array(json, "char_ngrams");
	aiaas_json_int(json, NULL, core->char_ngrams_min);
	aiaas_json_int(json, NULL, core->char_ngrams_max);
	aiaas_json_end_array(json);
}

static void
put_embedder(AiaasJson *json, const AiaasTrainOptions *options)
{
	if (!options->has_embedder)
		return;
	if (options->text.uses_embeddings == AI_TEXT_USE_NEVER)
		aiaas_json_bool(json, "embedder", false);
	else
		aiaas_json_string(json, "embedder", options->embedder);
	aiaas_json_bool(json, "ngrams", options->text.uses_ngrams != AI_TEXT_USE_NEVER);
}

static void
put_class_weight(AiaasJson *json, const AiTextOptions *core)
{
	switch (core->class_weighting)
	{
		case AI_CLASS_WEIGHT_NONE:
			aiaas_json_string(json, "class_weight", "none");
			break;
		case AI_CLASS_WEIGHT_BALANCED:
			aiaas_json_string(json, "class_weight", "balanced");
			break;
		case AI_CLASS_WEIGHT_GIVEN:
			aiaas_json_begin(json, "class_weight");
			for (int i = 0; i < core->n_class_weights; i++)
				aiaas_json_float(json,
								 aiaas_utf8_to_cstring(core->class_weights[i].label,
													   core->class_weights[i].label_len),
								 core->class_weights[i].weight);
			aiaas_json_end(json);
			break;
	}
}

Jsonb *
aiaas_options_to_jsonb(const AiaasTrainOptions *options)
{
	const AiTextOptions *core = &options->text;
	AiaasJson	json = {0};

	aiaas_json_begin(&json, NULL);
	put_char_ngrams(&json, core);
	put_class_weight(&json, core);
	aiaas_json_string(&json, "deploy", deploy_names[options->deploy]);
	put_embedder(&json, options);
	if (core->l2 > 0)
		aiaas_json_float(&json, "l2", core->l2);
	else
		aiaas_json_string(&json, "l2", "auto");
	aiaas_json_bool(&json, "lowercase", core->lowercase);
	aiaas_json_int(&json, "max_features", core->max_features);
	if (core->max_time > 0)
		aiaas_json_float(&json, "max_time", core->max_time);
	if (core->min_count > 0)
		aiaas_json_int(&json, "min_count", core->min_count);
	else
		aiaas_json_string(&json, "min_count", "auto");
	aiaas_json_int(&json, "seed", (int64) core->seed);
	aiaas_json_float(&json, "validation", core->validation);
	aiaas_json_int(&json, "word_ngrams", core->word_ngrams);
	aiaas_json_end(&json);
	return aiaas_json_finish(&json);
}
