/*-------------------------------------------------------------------------
 * call.c
 *		Call sites: the resolved model, how the input is read, the last label.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/engine/call.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "pg/engine/verb.h"
#include "pg/host/compat.h"
#include "pg/host/datum.h"
#include "pg/host/guc.h"

/* How many labels a hint lists */
#define MAX_LISTED_LABELS 20

/*
 * Everything that the answer to "which version is it" depends on.  Two
 * snapshots of one transaction may have the same xmin and xmax; what completed
 * in between shows in xcnt.
 */
typedef struct StatementKey
{
	LocalTransactionId lxid;
	SubTransactionId subxid;
	TransactionId xmin;
	TransactionId xmax;
	uint32		xcnt;
	CommandId	curcid;
	Oid			user;
} StatementKey;

struct AiaasCall
{
	MemoryContext context;		/* fn_mcxt, where this struct lives */

	/* The model */
	AiaasPin	pin;
	StatementKey key;
	bool		is_new;			/* not counted since it first ran in this statement */
	char	   *reference;		/* as given; [reference_len] and a NUL */
	size_t		reference_len;
	const AiaasModel *model;
	MemoryContext model_context;	/* of model, reset when it is resolved again */

	AiaasInput	input;

	/* The label or layer that an argument named last; a call has one such argument. */
	char	   *label;
	size_t		label_len;
	int			label_index;	/* -1: not looked up for this model */

	/* What the model answered to one text; in model_context */
	char	   *known_text;		/* NULL: none */
	size_t		known_len;
	float	   *known_answer;
};

/* Without a snapshot, as while an expression is simplified, the transaction has to do. */
static inline StatementKey
statement_key(void)
{
	StatementKey key = {
		.lxid = aiaas_local_transaction_id(),
		.subxid = GetCurrentSubTransactionId(),
		.user = GetUserId()
	};

	if (likely(ActiveSnapshotSet()))
	{
		Snapshot	snapshot = GetActiveSnapshot();

		key.xmin = snapshot->xmin;
		key.xmax = snapshot->xmax;
		key.xcnt = snapshot->xcnt;
		key.curcid = snapshot->curcid;
	}
	return key;
}

static inline bool
is_same_statement(const StatementKey *a, const StatementKey *b)
{
	return a->lxid == b->lxid && a->subxid == b->subxid &&
		a->xmin == b->xmin && a->xmax == b->xmax && a->xcnt == b->xcnt &&
		a->curcid == b->curcid && a->user == b->user;
}

static AiaasCall *
create_call(FmgrInfo *flinfo)
{
	AiaasCall  *call = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(AiaasCall));

	call->context = flinfo->fn_mcxt;
	call->label_index = -1;
	aiaas_pin_init(&call->pin, call->context);
	call->model_context = AllocSetContextCreate(call->context, "aiaas call",
												ALLOCSET_SMALL_SIZES);
	flinfo->fn_extra = call;
	return call;
}

/* Look the reference up and hold its model. */
static void
resolve_model(AiaasCall *call, const StatementKey *key, const char *reference, size_t len,
			  AiaasCallMode mode)
{
	MemoryContext old_context;
	AiaasModel *model;

	/* Until all is well the call remembers nothing. */
	call->model = NULL;
	aiaas_input_forget_model(&call->input);
	call->label_index = -1;
	call->known_text = NULL;
	call->is_new |= !is_same_statement(&call->key, key);

	MemoryContextReset(call->model_context);
	old_context = MemoryContextSwitchTo(call->model_context);
	call->reference = pnstrdup(reference, len);
	call->reference_len = len;
	model = aiaas_resolve(call->reference, mode);
	MemoryContextSwitchTo(old_context);

	aiaas_pin_model(&call->pin, model);
	call->key = *key;
	call->model = model;
}

AiaasCall *
aiaas_call_begin(FunctionCallInfo fcinfo, const AiaasModelArg *model)
{
	AiaasCall  *call = fcinfo->flinfo->fn_extra;
	StatementKey key = statement_key();
	const char *reference;
	size_t		len;

	if (unlikely(call == NULL))
		call = create_call(fcinfo->flinfo);

	if (PG_NARGS() > model->arg && !PG_ARGISNULL(model->arg))
	{
		text	   *argument = PG_GETARG_TEXT_PP(model->arg);

		reference = VARDATA_ANY(argument);
		len = VARSIZE_ANY_EXHDR(argument);
	}
	else
	{
		reference = aiaas_default_model_get(model->setting);
		len = strlen(reference);
	}

	if (unlikely(call->model == NULL || !is_same_statement(&call->key, &key) ||
				 len != call->reference_len ||
				 memcmp(reference, call->reference, len) != 0))
		resolve_model(call, &key, reference, len, model->mode);
	return call;
}

AiaasCall *
aiaas_call_find(FunctionCallInfo fcinfo)
{
	AiaasCall  *call = fcinfo->flinfo->fn_extra;
	StatementKey key;

	if (call == NULL || call->model == NULL)
		return NULL;
	key = statement_key();
	return is_same_statement(&call->key, &key) ? call : NULL;
}

/* A value that is out of line or compressed is no name: to unpack it might raise an error. */
static inline bool
is_plain_text(Datum value)
{
	const struct varlena *text = (const struct varlena *) DatumGetPointer(value);

	return !VARATT_IS_EXTERNAL(text) && !VARATT_IS_COMPRESSED(text);
}

static bool
is_equal_text(Datum value, const char *bytes, size_t len)
{
	const struct varlena *text = (const struct varlena *) DatumGetPointer(value);

	return is_plain_text(value) &&
		VARSIZE_ANY_EXHDR(text) == len && memcmp(VARDATA_ANY(text), bytes, len) == 0;
}

static bool
is_model_usable(FunctionCallInfo fcinfo, const AiaasModelArg *model)
{
	const char *setting = aiaas_default_find(model->setting);

	if (PG_NARGS() <= model->arg)
		return setting[0] != '\0' && aiaas_try_resolve(setting, model->mode) != NULL;
	return is_plain_text(PG_GETARG_DATUM(model->arg)) &&
		aiaas_try_resolve(text_to_cstring(PG_GETARG_TEXT_PP(model->arg)), model->mode) != NULL;
}

static Oid
input_type(FunctionCallInfo fcinfo, Oid type)
{
	return OidIsValid(type) ? type : get_fn_expr_argtype(fcinfo->flinfo, 0);
}

AiaasCall *
aiaas_call_try_begin(FunctionCallInfo fcinfo, const AiaasModelArg *model, Oid type)
{
	AiaasCall  *call;

	type = input_type(fcinfo, type);
	if (!OidIsValid(type) || !is_model_usable(fcinfo, model))
		return NULL;
	call = aiaas_call_begin(fcinfo, model);
	if (!OidIsValid(call->input.type) &&
		!aiaas_input_try_init(&call->input, type, aiaas_engine_network(call->pin.engine),
							  call->model_context))
		return NULL;
	return call;
}

bool
aiaas_call_is_for(const AiaasCall *call, const AiaasModelArg *model,
				  const NullableDatum *reference)
{
	if (reference != NULL)
		return is_equal_text(reference->value, call->reference, call->reference_len);
	return strcmp(aiaas_default_find(model->setting), call->reference) == 0;
}

AiaasEngine *
aiaas_call_engine(const AiaasCall *call)
{
	return call->pin.engine;
}

const AiaasModel *
aiaas_call_model(FunctionCallInfo fcinfo)
{
	const AiaasCall *call = fcinfo->flinfo->fn_extra;

	return call != NULL ? call->model : NULL;
}

/*
 * What the server counts and shows
 */
void
aiaas_call_start_work(const AiaasCall *call, const char *function)
{
	aiaas_activity_begin(function, call->model->name, call->model->version);
	aiaas_activity_model(call->model->id);
}

void
aiaas_call_end_work(AiaasCall *call, const char *function, AiaasCounts *counts)
{
	AiaasStatsKey key = {call->model->id, call->model->version, function};

	counts->calls = call->is_new;
	call->is_new = false;
	aiaas_stats_add(&key, counts);
	aiaas_activity_rows(counts->rows);
	aiaas_activity_end();
}

/*
 * Arguments
 */
bool
aiaas_call_input(AiaasCall *call, FunctionCallInfo fcinfo, Oid type, const void **bytes,
				 size_t *len)
{
	if (unlikely(!OidIsValid(call->input.type)))
	{
		type = input_type(fcinfo, type);
		if (!OidIsValid(type))
			elog(ERROR, "could not determine the type of the input");
		aiaas_input_init(&call->input, type, aiaas_engine_network(call->pin.engine), call->model,
						 call->model_context);
	}
	return aiaas_input_read(&call->input, call->model, PG_GETARG_DATUM(0), bytes, len);
}

AiaasReading
aiaas_call_try_input(const AiaasCall *call, Datum value, const void **bytes, size_t *len)
{
	return aiaas_input_try_read(&call->input, value, bytes, len);
}

void
aiaas_call_text(AiaasCall *call, Datum value, const char **utf8, size_t *len)
{
	const void *bytes;

	if (!OidIsValid(call->input.type))
		aiaas_input_init(&call->input, TEXTOID, NULL, call->model, call->model_context);
	(void) aiaas_input_read(&call->input, call->model, value, &bytes, len);
	*utf8 = bytes;
}

const float *
aiaas_call_recall(const AiaasCall *call, const void *utf8, size_t len)
{
	if (call->known_text != NULL && call->known_len == len &&
		memcmp(call->known_text, utf8, len) == 0)
		return call->known_answer;
	return NULL;
}

void
aiaas_call_remember(AiaasCall *call, const void *utf8, size_t len, const float *answer, size_t n)
{
	if (call->known_text != NULL)
	{
		pfree(call->known_text);
		pfree(call->known_answer);
		call->known_text = NULL;
	}
	call->known_answer = MemoryContextAlloc(call->model_context, n * sizeof(float));
	call->known_text = MemoryContextAlloc(call->model_context, Max(len, 1));
	memcpy(call->known_answer, answer, n * sizeof(float));
	memcpy(call->known_text, utf8, len);
	call->known_len = len;
}

/* 'ham', 'spam', ... */
static char *
list_labels(AiaasEngine *engine)
{
	int			n_labels = aiaas_engine_n_labels(engine);
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < n_labels && i < MAX_LISTED_LABELS; i++)
		appendStringInfo(&list, "%s\"%s\"", i > 0 ? ", " : "",
						 text_to_cstring(aiaas_engine_label(engine, i)));
	if (n_labels > MAX_LISTED_LABELS)
		appendStringInfo(&list, " and %d more", n_labels - MAX_LISTED_LABELS);
	return list.data;
}

/* 'conv2d', 'dense', ... */
static char *
list_layers(const AiGraph *graph)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < graph->n_layers && i < MAX_LISTED_LABELS; i++)
		appendStringInfo(&list, "%s\"%s\"", i > 0 ? ", " : "",
						 aiaas_utf8_to_message(graph->layers[i].layer.name));
	if (graph->n_layers > MAX_LISTED_LABELS)
		appendStringInfo(&list, " and %d more", graph->n_layers - MAX_LISTED_LABELS);
	return list.data;
}

/* By a name that is a label's or a layer's; -1: there is none */
typedef int (*FindName) (const AiaasEngine *engine, const char *utf8, size_t len);

static int
find_layer(const AiaasEngine *engine, const char *utf8, size_t len)
{
	int			layer = ai_graph_find(ai_network_graph(aiaas_engine_network(engine)), utf8, len);

	return layer == AI_INPUT ? -1 : layer;
}

static _Noreturn void
reject_label(const AiaasCall *call, const text *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("model \"%s\" has no label \"%s\"", call->model->name,
					text_to_cstring(name)),
			 errhint("Its labels are %s.", list_labels(call->pin.engine))));
}

static _Noreturn void
reject_layer(const AiaasCall *call, const text *name)
{
	const AiGraph *graph = ai_network_graph(aiaas_engine_network(call->pin.engine));

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("model \"%s\" has no layer \"%s\"", call->model->name,
					text_to_cstring(name)),
			 errhint("Its layers are %s.", list_layers(graph))));
}

static void
find_name(AiaasCall *call, text *argument, FindName find)
{
	size_t		len;
	const char *utf8 = aiaas_text_to_utf8(argument, &len);
	int			index = find(call->pin.engine, utf8, len);

	if (index < 0 && find == find_layer)
		reject_layer(call, argument);
	if (index < 0)
		reject_label(call, argument);

	if (call->label != NULL)
		pfree(call->label);
	call->label_len = VARSIZE_ANY_EXHDR(argument);
	call->label = MemoryContextAlloc(call->context, call->label_len + 1);
	memcpy(call->label, VARDATA_ANY(argument), call->label_len);
	call->label_index = index;
}

static inline int
call_name(AiaasCall *call, text *argument, FindName find)
{
	if (call->label_index < 0 || VARSIZE_ANY_EXHDR(argument) != call->label_len ||
		memcmp(VARDATA_ANY(argument), call->label, call->label_len) != 0)
		find_name(call, argument, find);
	return call->label_index;
}

int
aiaas_call_label(AiaasCall *call, FunctionCallInfo fcinfo, int label_arg)
{
	return call_name(call, PG_GETARG_TEXT_PP(label_arg), aiaas_engine_find_label);
}

int
aiaas_call_layer(AiaasCall *call, FunctionCallInfo fcinfo, int layer_arg)
{
	return call_name(call, PG_GETARG_TEXT_PP(layer_arg), find_layer);
}

int
aiaas_call_named(const AiaasCall *call)
{
	return call->label_index;
}

static int
call_try_name(const AiaasCall *call, Datum value, FindName find)
{
	const char *utf8;
	size_t		len;

	if (call->label_index >= 0 && is_equal_text(value, call->label, call->label_len))
		return call->label_index;
	utf8 = aiaas_text_try_to_utf8((const text *) PG_DETOAST_DATUM_PACKED(value), &len);
	return utf8 != NULL ? find(call->pin.engine, utf8, len) : -1;
}

int
aiaas_call_try_label(const AiaasCall *call, Datum value)
{
	return call_try_name(call, value, aiaas_engine_find_label);
}

int
aiaas_call_try_layer(const AiaasCall *call, Datum value)
{
	return call_try_name(call, value, find_layer);
}
