/*-------------------------------------------------------------------------
 * call.c
 *		Call sites: the resolved model, the input's reader, the last label.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/engine/call.h"

#include "access/detoast.h"
#include "access/htup_details.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "lib/stringinfo.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "pg/engine/features.h"
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
	char	   *reference;		/* as given; [reference_len] and a NUL */
	size_t		reference_len;
	const AiaasModel *model;
	MemoryContext model_context;	/* of model, reset when it is resolved again */

	/* Argument 0, while it is not a text; type is constant for a call site */
	Oid			type;
	bool		is_row;
	bool		is_varlena;		/* what reader reads, which is as short as a name otherwise */
	AiaasTextReader reader;

	/* Of rows: where the model's column is in the row type seen last */
	Oid			row_type;
	int32		row_typmod;
	AttrNumber	column;			/* 0: not looked up for this row type and model */

	/* ai_score: the label asked for last */
	char	   *label;
	size_t		label_len;
	int			label_index;	/* -1: not looked up for this model */
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
	call->column = 0;
	call->label_index = -1;

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
aiaas_call_begin(FunctionCallInfo fcinfo, int model_arg, AiaasCallMode mode)
{
	AiaasCall  *call = fcinfo->flinfo->fn_extra;
	StatementKey key = statement_key();
	const char *reference;
	size_t		len;

	if (unlikely(call == NULL))
		call = create_call(fcinfo->flinfo);

	if (PG_NARGS() > model_arg)
	{
		text	   *argument = PG_GETARG_TEXT_PP(model_arg);

		reference = VARDATA_ANY(argument);
		len = VARSIZE_ANY_EXHDR(argument);
	}
	else
	{
		reference = aiaas_default_classifier_get();
		len = strlen(reference);
	}

	if (unlikely(call->model == NULL || !is_same_statement(&call->key, &key) ||
				 len != call->reference_len ||
				 memcmp(reference, call->reference, len) != 0))
		resolve_model(call, &key, reference, len, mode);
	return call;
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

/* Before the value is unpacked; the limit is the rare case. */
static inline void
check_length(Datum value)
{
	if (unlikely(aiaas_max_input_bytes > 0))
		aiaas_check_input(toast_raw_datum_size(value) - VARHDRSZ);
}

void
aiaas_call_text(FunctionCallInfo fcinfo, const char **utf8, size_t *len)
{
	check_length(PG_GETARG_DATUM(0));
	*utf8 = aiaas_text_to_utf8(PG_GETARG_TEXT_PP(0), len);
}

static void
reject_type(const AiaasCall *call, Oid type)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("model \"%s\" classifies text, not %s", call->model->name,
					format_type_be(type)),
			 errhint("Cast the input to text if its text is what the model should read.")));
}

/* The type of argument 0 is known once, at the first row. */
static void
init_input(AiaasCall *call, FunctionCallInfo fcinfo)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 0);

	if (!OidIsValid(type))
		elog(ERROR, "could not determine the type of the input");

	call->is_row = type_is_rowtype(type);
	if (!call->is_row && !aiaas_text_reader_init(&call->reader, type, call->context))
		reject_type(call, type);
	call->is_varlena = get_typlen(type) == -1;
	call->type = type;
}

/* Find the model's column in a row type, and how to read it. */
static void
find_column(AiaasCall *call, Oid row_type, int32 row_typmod)
{
	TupleDesc	desc = lookup_rowtype_tupdesc(row_type, row_typmod);
	const char *name = aiaas_features_column(call->model);
	AttrNumber	column = 0;
	Oid			type = InvalidOid;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && strcmp(NameStr(att->attname), name) == 0)
		{
			column = att->attnum;
			type = att->atttypid;
		}
	}
	ReleaseTupleDesc(desc);

	if (column == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the row has no column \"%s\"", name),
				 errdetail("Model \"%s\" was trained on that column and finds it by name.",
						   call->model->name)));
	if (!aiaas_text_reader_init(&call->reader, type, call->context))
		reject_type(call, type);
	call->is_varlena = get_typlen(type) == -1;
	call->row_type = row_type;
	call->row_typmod = row_typmod;
	call->column = column;
}

static bool
read_row(AiaasCall *call, HeapTupleHeader row, const char **utf8, size_t *len)
{
	Oid			row_type = HeapTupleHeaderGetTypeId(row);
	int32		row_typmod = HeapTupleHeaderGetTypMod(row);
	Datum		value;
	bool		is_null;

	if (call->column == 0 || row_type != call->row_type || row_typmod != call->row_typmod)
		find_column(call, row_type, row_typmod);
	value = GetAttributeByNum(row, call->column, &is_null);
	if (is_null)
		return false;
	if (call->is_varlena)
		check_length(value);
	aiaas_reader_get(&call->reader, value, utf8, len);
	return true;
}

bool
aiaas_call_any(AiaasCall *call, FunctionCallInfo fcinfo, const char **utf8, size_t *len)
{
	if (unlikely(!OidIsValid(call->type)))
		init_input(call, fcinfo);
	if (call->is_row)
		return read_row(call, PG_GETARG_HEAPTUPLEHEADER(0), utf8, len);
	if (call->is_varlena)
		check_length(PG_GETARG_DATUM(0));
	aiaas_reader_get(&call->reader, PG_GETARG_DATUM(0), utf8, len);
	return true;
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

static void
find_label(AiaasCall *call, text *argument)
{
	size_t		len;
	const char *utf8 = aiaas_text_to_utf8(argument, &len);
	int			index = aiaas_engine_find_label(call->pin.engine, utf8, len);

	if (index < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model \"%s\" has no label \"%s\"", call->model->name,
						text_to_cstring(argument)),
				 errhint("Its labels are %s.", list_labels(call->pin.engine))));

	if (call->label != NULL)
		pfree(call->label);
	call->label_len = VARSIZE_ANY_EXHDR(argument);
	call->label = MemoryContextAlloc(call->context, call->label_len + 1);
	memcpy(call->label, VARDATA_ANY(argument), call->label_len);
	call->label_index = index;
}

int
aiaas_call_label(AiaasCall *call, FunctionCallInfo fcinfo, int label_arg)
{
	text	   *argument = PG_GETARG_TEXT_PP(label_arg);

	if (call->label_index < 0 || VARSIZE_ANY_EXHDR(argument) != call->label_len ||
		memcmp(VARDATA_ANY(argument), call->label, call->label_len) != 0)
		find_label(call, argument);
	return call->label_index;
}
