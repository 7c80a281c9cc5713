/*-------------------------------------------------------------------------
 * training_options.c
 *		From JSON to how a network is trained, by tables.
 *
 * Options that only some kinds have (of an optimiser, of a schedule) stand in an object
 * that names the kind: its table is made of those that the kind has.
 *-------------------------------------------------------------------------
 */
#include "core/train/training_options.h"

#include <stdio.h>
#include <string.h>

#include "core/graph/options.h"
#include "core/model/network_words.h"

#define MAX_EPOCHS 1000000
#define MAX_BATCH 65536
#define MAX_TOKENS (1 << 24)

#define PLACE(member) .offset = offsetof(AiTrainingOptions, member)
#define HUGE_NUMBER 1e30

static const AiOption general[] = {
	{.name = "epochs", .kind = AI_OPTION_INT, PLACE(epochs), .initial = 5, .min = 1,
	 .max = MAX_EPOCHS},
	{.name = "batch_size", .kind = AI_OPTION_INT, PLACE(batch_size), .initial = 32, .min = 1,
	 .max = MAX_BATCH},
	{.name = "validation", .kind = AI_OPTION_FLOAT, PLACE(validation), .initial = 0.1, .max = 0.5},
	{.name = "seed", .kind = AI_OPTION_INT, PLACE(seed), .initial = 1, .max = 0x1p53},
	{.name = "max_time", .kind = AI_OPTION_FLOAT, PLACE(max_time), .max = 1e9},
	{.name = "input", .kind = AI_OPTION_SIZES, PLACE(input), .min = 1, .max = AI_SHAPE_MAX_SIZE},
	{.name = "label_smoothing", .kind = AI_OPTION_FLOAT, PLACE(label_smoothing), .max = 0.999},
	{.name = "delta", .kind = AI_OPTION_FLOAT, PLACE(delta), .initial = 1, .min = 1e-9,
	 .max = HUGE_NUMBER},
	{.name = "max_tokens", .kind = AI_OPTION_INT, PLACE(max_tokens), .initial = 20000, .min = 1,
	 .max = MAX_TOKENS},
	{.name = "sequence_length", .kind = AI_OPTION_INT, PLACE(sequence_length),
	 .max = AI_MAX_SEQUENCE},
	{.name = NULL}
};

/* Options that are objects, or have names of their own */
static const char *const special[] = {
	"layers", "freeze", "class_weight", "loss", "optimizer", "learning_rate", "schedule", "early_stopping",
	"reduce_on_plateau", NULL
};

static const char *const only_name[] = {"name", NULL};

/*
 * Objects
 */

/* Numbers that a kind has, a table of each */
#define RATE {.name = "learning_rate", .kind = AI_OPTION_FLOAT, \
	PLACE(optimiser.learning_rate), .max = HUGE_NUMBER}
#define NUMBER(given, member, most) \
	{.name = given, .kind = AI_OPTION_FLOAT, PLACE(member), .max = most}
#define COMMON \
	RATE, \
	NUMBER("weight_decay", optimiser.weight_decay, HUGE_NUMBER), \
	NUMBER("clipnorm", optimiser.clip_norm, HUGE_NUMBER), \
	NUMBER("clipvalue", optimiser.clip_value, HUGE_NUMBER), \
	NUMBER("global_clipnorm", optimiser.global_clip_norm, HUGE_NUMBER), \
	{.name = NULL}
#define EPSILON NUMBER("epsilon", optimiser.epsilon, 1)
#define RHO NUMBER("rho", optimiser.rho, 1)
#define BETAS \
	NUMBER("beta_1", optimiser.beta1, 0.9999999), NUMBER("beta_2", optimiser.beta2, 0.9999999)

static const AiOption sgd[] = {
	NUMBER("momentum", optimiser.momentum, 1),
	{.name = "nesterov", .kind = AI_OPTION_BOOL, PLACE(optimiser.nesterov)}, COMMON
};
static const AiOption rmsprop[] = {
	RHO, NUMBER("momentum", optimiser.momentum, 1), EPSILON,
	{.name = "centered", .kind = AI_OPTION_BOOL, PLACE(optimiser.centered)}, COMMON
};
static const AiOption adagrad[] = {
	NUMBER("initial_accumulator_value", optimiser.initial_accumulator, HUGE_NUMBER), EPSILON,
	COMMON
};
static const AiOption adadelta[] = {RHO, EPSILON, COMMON};
static const AiOption adam[] = {BETAS, EPSILON, COMMON};
static const AiOption lion[] = {BETAS, COMMON};

/* By AiOptimiserKind */
static const AiOption *const optimiser_options[] = {
	sgd, rmsprop, adagrad, adadelta, adam, adam, adam, adam, lion
};

#define LENGTH \
	{.name = "length", .kind = AI_OPTION_FLOAT, PLACE(schedule.length), .is_needed = true, \
	 .min = 1e-9, .max = HUGE_NUMBER}, \
	BY_EPOCHS
#define BY_EPOCHS \
	{.name = "by_epochs", .kind = AI_OPTION_BOOL, PLACE(schedule.by_epochs)}
#define FACTOR \
	{.name = "factor", .kind = AI_OPTION_FLOAT, PLACE(schedule.factor), .is_needed = true, \
	 .max = HUGE_NUMBER}

static const AiOption constant[] = {{.name = NULL}};
static const AiOption steps[] = {LENGTH, FACTOR, {.name = NULL}};
static const AiOption cosine[] = {
	LENGTH, NUMBER("alpha", schedule.alpha, 1), NUMBER("warmup", schedule.warmup, HUGE_NUMBER),
	NUMBER("warmup_target", schedule.warmup_target, HUGE_NUMBER), {.name = NULL}
};
static const AiOption piecewise[] = {BY_EPOCHS, {.name = NULL}};

/* By AiScheduleKind */
static const AiOption *const schedule_options[] = {constant, steps, steps, cosine, piecewise};

static const AiOption early_stopping[] = {
	{.name = "patience", .kind = AI_OPTION_INT, PLACE(stopping.patience), .is_needed = true,
	 .max = MAX_EPOCHS},
	NUMBER("min_delta", stopping.min_delta, HUGE_NUMBER),
	{.name = "restore_best", .kind = AI_OPTION_BOOL, PLACE(restores_best)},
	{.name = NULL}
};

static const AiOption plateau[] = {
	{.name = "patience", .kind = AI_OPTION_INT, PLACE(stopping.plateau_patience), .is_needed = true,
	 .max = MAX_EPOCHS},
	NUMBER("min_delta", stopping.plateau_min_delta, HUGE_NUMBER),
	NUMBER("factor", stopping.factor, 1),
	NUMBER("min_rate", stopping.min_rate, HUGE_NUMBER),
	{.name = "cooldown", .kind = AI_OPTION_INT, PLACE(stopping.cooldown), .max = MAX_EPOCHS},
	{.name = NULL}
};

static AiCode
reject_name(const char *name, const char *owner, const AiOption *options,
			const char *const *others, AiError *err)
{
	AiGuess		guess;
	AiNameList	list = {.len = 0};
	char		what[96];

	ai_guess_init(&guess, name);
	for (const char *const *o = others; o != NULL && *o != NULL; o++)
	{
		ai_guess_try(&guess, *o, *o);
		ai_name_list_add(&list, *o);
	}
	for (const AiOption *o = options; o->name != NULL; o++)
	{
		ai_guess_try(&guess, o->name, o->name);
		ai_name_list_add(&list, o->name);
	}
	ai_fail(err, AI_ERR_PARAM, "%s has no option \"%s\"", owner, name);
	snprintf(what, sizeof(what), "Options of %s are", owner);
	ai_hint_names(err, &guess, what, &list);
	return AI_ERR_PARAM;
}

/* What is given of these options; others are read elsewhere. */
static AiCode
read_members(AiTrainingOptions *options, const AiOption *table, const AiJson *object,
			 const char *owner, const char *const *others, AiError *err)
{
	for (int i = 0; i < object->n; i++)
	{
		const AiJson *member = &object->items[i];
		const AiOption *option = ai_option_find(table, member->key);
		bool		is_other = false;

		for (const char *const *o = others; o != NULL && *o != NULL; o++)
			is_other |= strcmp(member->key, *o) == 0;
		if (option != NULL)
			AI_TRY(ai_option_set(options, option, member, err));
		else if (!is_other)
			return reject_name(member->key, owner, table, others, err);
	}
	for (const AiOption *o = table; o->name != NULL; o++)
	{
		if (o->is_needed && ai_json_member(object, o->name) == NULL)
			return ai_fail(err, AI_ERR_PARAM, "%s needs the option \"%s\"", owner, o->name);
	}
	return AI_OK;
}

/* A name, alone or in an object; *object is NULL where it is alone */
static AiCode
read_name(const char **name, const AiJson **object, const AiJson *value, const char *what,
		  AiError *err)
{
	const AiJson *member = ai_json_member(value, "name");

	*object = value->kind == AI_JSON_OBJECT ? value : NULL;
	if (value->kind == AI_JSON_STRING)
		member = value;
	if (member == NULL || member->kind != AI_JSON_STRING)
	{
		ai_fail(err, AI_ERR_PARAM, "option \"%s\" must be a name or an object with a \"name\"", what);
		return AI_ERR_PARAM;
	}
	*name = member->string;
	return AI_OK;
}

static AiCode
reject_kind(const char *what, const char *name, const char *(*name_of) (int), int n, AiError *err)
{
	AiGuess		guess;
	AiNameList	list = {.len = 0};
	char		kinds[64];

	ai_guess_init(&guess, name);
	for (int i = 0; i < n; i++)
	{
		ai_guess_try(&guess, name_of(i), name_of(i));
		ai_name_list_add(&list, name_of(i));
	}
	ai_fail(err, AI_ERR_PARAM, "there is no %s \"%s\"", what, name);
	snprintf(kinds, sizeof(kinds), "Kinds of %s are", what);
	ai_hint_names(err, &guess, kinds, &list);
	return AI_ERR_PARAM;
}

static const char *
optimiser_name(int kind)
{
	return ai_optimiser_name((AiOptimiserKind) kind);
}

static const char *
schedule_name(int kind)
{
	return ai_schedule_name((AiScheduleKind) kind);
}

static const char *
loss_name(int kind)
{
	return kind == AI_LOSS_HINGE + 1 ? "auto" : ai_loss_name((AiLossKind) kind);
}

static AiCode
read_loss(AiTrainingOptions *options, const AiJson *value, AiError *err)
{
	AiLossKind	kind;

	options->loss = AI_LOSS_AUTO;
	if (value == NULL || ai_json_is_string(value, "auto"))
		return AI_OK;
	if (value->kind != AI_JSON_STRING)
		return ai_fail(err, AI_ERR_PARAM, "option \"loss\" must be a string, not %s",
					   ai_json_kind_name(value));
	if (!ai_loss_find(&kind, value->string, strlen(value->string)))
		return reject_kind("loss", value->string, loss_name, AI_LOSS_HINGE + 2, err);
	options->loss = kind;
	return AI_OK;
}

static AiCode
read_optimiser(AiTrainingOptions *options, const AiJson *value, const AiJson *rate, AiError *err)
{
	static const AiOption rate_option = RATE;
	const char *name = "adam";
	const AiJson *object = NULL;
	AiOptimiserKind kind;
	char		owner[64];

	if (value != NULL)
		AI_TRY(read_name(&name, &object, value, "optimizer", err));
	if (!ai_optimiser_find(&kind, name, strlen(name)))
		return reject_kind("optimizer", name, optimiser_name, AI_OPT_LION + 1, err);
	ai_optimiser_default(&options->optimiser, kind);
	if (rate != NULL)
		AI_TRY(ai_option_set(options, &rate_option, rate, err));
	if (object == NULL)
		return AI_OK;
	snprintf(owner, sizeof(owner), "optimizer \"%s\"", name);
	return read_members(options, optimiser_options[kind], object, owner, only_name, err);
}

static AiCode
read_numbers(double *numbers, int *n, int max, const AiJson *list, const char *name, AiError *err)
{
	if (list == NULL || list->kind != AI_JSON_ARRAY || list->n > max || list->n == 0)
		return ai_fail(err, AI_ERR_PARAM, "\"%s\" of the schedule must be a list of 1 to %d numbers",
					   name, max);
	for (int i = 0; i < list->n; i++)
	{
		if (list->items[i].kind != AI_JSON_NUMBER)
			return ai_fail(err, AI_ERR_PARAM, "\"%s\" of the schedule holds %s", name,
						   ai_json_kind_name(&list->items[i]));
		numbers[i] = list->items[i].number;
	}
	*n = list->n;
	return AI_OK;
}

static AiCode
read_pieces(AiSchedule *schedule, const AiJson *object, AiError *err)
{
	int			n_rates = 0;

	AI_TRY(read_numbers(schedule->boundary, &schedule->n_boundaries, AI_SCHEDULE_MAX_PIECES,
						ai_json_member(object, "boundaries"), "boundaries", err));
	AI_TRY(read_numbers(schedule->rate, &n_rates, AI_SCHEDULE_MAX_PIECES + 1,
						ai_json_member(object, "rates"), "rates", err));
	if (n_rates == schedule->n_boundaries + 1)
		return AI_OK;
	return ai_fail(err, AI_ERR_PARAM, "the schedule has %d boundaries and %d rates, not one more",
				   schedule->n_boundaries, n_rates);
}

static AiCode
read_schedule(AiTrainingOptions *options, const AiJson *value, AiError *err)
{
	static const char *const with_lists[] = {"name", "boundaries", "rates", NULL};
	static const AiJson empty = {.kind = AI_JSON_OBJECT};
	const char *name;
	const AiJson *object;
	AiScheduleKind kind;
	char		owner[64];

	if (value == NULL)
		return AI_OK;
	AI_TRY(read_name(&name, &object, value, "schedule", err));
	if (!ai_schedule_find(&kind, name, strlen(name)))
		return reject_kind("schedule", name, schedule_name, AI_SCHEDULE_PIECEWISE + 1, err);
	options->schedule.kind = kind;
	object = object != NULL ? object : &empty;
	snprintf(owner, sizeof(owner), "schedule \"%s\"", name);
	AI_TRY(read_members(options, schedule_options[kind], object, owner,
						kind == AI_SCHEDULE_PIECEWISE ? with_lists : only_name, err));
	if (kind == AI_SCHEDULE_PIECEWISE)
		AI_TRY(read_pieces(&options->schedule, object, err));
	return ai_schedule_check(&options->schedule, err);
}

static AiCode
read_class_weights(AiTrainingOptions *options, AiArena *arena, const AiJson *object, AiError *err)
{
	size_t		n = (size_t) object->n;

	options->class_weighting = AI_CLASS_WEIGHT_GIVEN;
	options->class_weights = ai_arena_alloc(arena, n * sizeof(AiClassWeight) + 1);
	if (options->class_weights == NULL)
		return ai_out_of_memory(err, n * sizeof(AiClassWeight), "class weights");
	for (size_t i = 0; i < n; i++)
	{
		const AiJson *it = &object->items[i];

		if (it->kind != AI_JSON_NUMBER || !(it->number >= 1e-6 && it->number <= 1e6))
			return ai_fail(err, AI_ERR_PARAM, "weight of the label \"%.*s\" in option "
						   "\"class_weight\" must be a number from 1e-06 to 1e+06",
						   ai_label_shown(it->key, strlen(it->key), 64), it->key);
		options->class_weights[i] = (AiClassWeight) {it->key, strlen(it->key), it->number};
	}
	options->n_class_weights = object->n;
	return AI_OK;
}

static AiCode
read_class_weight(AiTrainingOptions *options, AiArena *arena, const AiJson *value, AiError *err)
{
	if (value == NULL || ai_json_is_string(value, "none"))
		return AI_OK;
	if (value->kind == AI_JSON_OBJECT)
		return read_class_weights(options, arena, value, err);
	options->class_weighting = AI_CLASS_WEIGHT_BALANCED;
	if (ai_json_is_string(value, "balanced"))
		return AI_OK;
	return ai_fail(err, AI_ERR_PARAM, "option \"class_weight\" must be \"none\", \"balanced\" or an "
				   "object of labels and their weights");
}

/* A patience alone, or an object */
static AiCode
read_patience(AiTrainingOptions *options, const AiOption *table, const AiJson *value,
			  const char *name, AiError *err)
{
	if (value == NULL)
		return AI_OK;
	if (value->kind == AI_JSON_OBJECT)
		return read_members(options, table, value, name, NULL, err);
	return ai_option_set(options, &table[0], value, err);
}

AiCode
ai_training_options_parse(AiTrainingOptions *options, AiArena *arena, const char *json, size_t len,
						  AiError *err)
{
	const AiJson *object;

	memset(options, 0, sizeof(*options));
	AI_TRY(ai_json_parse(&object, arena, json, len, err));
	if (object->kind != AI_JSON_OBJECT)
		return ai_fail(err, AI_ERR_PARAM, "options must be an object, not %s",
					   ai_json_kind_name(object));
	ai_options_initialise(options, general);
	ai_stopping_default(&options->stopping);
	options->restores_best = ai_json_member(object, "early_stopping") != NULL;
	AI_TRY(read_members(options, general, object, "a network", special, err));
	options->layers = ai_json_member(object, "layers");
	options->freeze = ai_json_member(object, "freeze");
	AI_TRY(read_class_weight(options, arena, ai_json_member(object, "class_weight"), err));
	AI_TRY(read_loss(options, ai_json_member(object, "loss"), err));
	AI_TRY(read_optimiser(options, ai_json_member(object, "optimizer"),
						  ai_json_member(object, "learning_rate"), err));
	AI_TRY(read_schedule(options, ai_json_member(object, "schedule"), err));
	AI_TRY(read_patience(options, early_stopping, ai_json_member(object, "early_stopping"),
						 "early_stopping", err));
	return read_patience(options, plateau, ai_json_member(object, "reduce_on_plateau"),
						 "reduce_on_plateau", err);
}

/*
 * Writing
 */
static AiCode
write_key(AiBuf *buf, const char *key, AiError *err)
{
	if (buf->len > 0 && buf->data[buf->len - 1] != '{')
		AI_TRY(ai_json_write(buf, ",", err));
	AI_TRY(ai_json_write_string(buf, key, err));
	return ai_json_write(buf, ":", err);
}

static AiCode
write_members(AiBuf *buf, const AiTrainingOptions *options, const AiOption *table, AiError *err)
{
	for (const AiOption *o = table; o->name != NULL; o++)
	{
		if (o->kind == AI_OPTION_SIZES && options->input.n == 0)
			continue;
		AI_TRY(write_key(buf, o->name, err));
		AI_TRY(ai_option_write(buf, options, o, err));
	}
	return AI_OK;
}

/* An object: its name, if it has one, and its options */
static AiCode
write_object(AiBuf *buf, const AiTrainingOptions *options, const char *key, const char *name,
			 const AiOption *table, AiError *err)
{
	AI_TRY(write_key(buf, key, err));
	AI_TRY(ai_json_write(buf, "{", err));
	if (name != NULL)
	{
		AI_TRY(write_key(buf, "name", err));
		AI_TRY(ai_json_write_string(buf, name, err));
	}
	AI_TRY(write_members(buf, options, table, err));
	return ai_json_write(buf, "}", err);
}

static AiCode
write_list(AiBuf *buf, const char *key, const double *numbers, int n, AiError *err)
{
	AI_TRY(write_key(buf, key, err));
	for (int i = 0; i < n; i++)
	{
		AI_TRY(ai_json_write(buf, i == 0 ? "[" : ",", err));
		AI_TRY(ai_json_write_number(buf, numbers[i], err));
	}
	return ai_json_write(buf, "]", err);
}

static AiCode
write_pieces(AiBuf *buf, const AiTrainingOptions *options, AiError *err)
{
	const AiSchedule *schedule = &options->schedule;

	AI_TRY(write_key(buf, "schedule", err));
	AI_TRY(ai_json_write(buf, "{\"name\":\"piecewise\"", err));
	AI_TRY(write_members(buf, options, piecewise, err));
	AI_TRY(write_list(buf, "boundaries", schedule->boundary, schedule->n_boundaries, err));
	AI_TRY(write_list(buf, "rates", schedule->rate, schedule->n_boundaries + 1, err));
	return ai_json_write(buf, "}", err);
}

static AiCode
write_class_weight(AiBuf *buf, const AiTrainingOptions *options, AiError *err)
{
	AI_TRY(write_key(buf, "class_weight", err));
	if (options->class_weighting == AI_CLASS_WEIGHT_NONE)
		return ai_json_write_string(buf, "none", err);
	if (options->class_weighting == AI_CLASS_WEIGHT_BALANCED)
		return ai_json_write_string(buf, "balanced", err);
	AI_TRY(ai_json_write(buf, "{", err));
	for (int i = 0; i < options->n_class_weights; i++)
	{
		AI_TRY(write_key(buf, options->class_weights[i].label, err));
		AI_TRY(ai_json_write_number(buf, options->class_weights[i].weight, err));
	}
	return ai_json_write(buf, "}", err);
}

AiCode
ai_training_options_write(AiBuf *buf, const AiTrainingOptions *options, AiError *err)
{
	AiOptimiserKind optimiser = options->optimiser.kind;
	AiScheduleKind schedule = options->schedule.kind;

	AI_TRY(write_members(buf, options, general, err));
	AI_TRY(write_class_weight(buf, options, err));
	AI_TRY(write_key(buf, "loss", err));
	AI_TRY(ai_json_write_string(buf, options->loss == AI_LOSS_AUTO ? "auto" :
								loss_name(options->loss), err));
	AI_TRY(write_object(buf, options, "optimizer", optimiser_name(optimiser),
						optimiser_options[optimiser], err));
	if (schedule == AI_SCHEDULE_PIECEWISE)
		AI_TRY(write_pieces(buf, options, err));
	else if (schedule != AI_SCHEDULE_CONSTANT)
		AI_TRY(write_object(buf, options, "schedule", schedule_name(schedule),
							schedule_options[schedule], err));
	if (options->stopping.patience > 0)
		AI_TRY(write_object(buf, options, "early_stopping", NULL, early_stopping, err));
	if (options->stopping.plateau_patience > 0)
		AI_TRY(write_object(buf, options, "reduce_on_plateau", NULL, plateau, err));
	return AI_OK;
}
