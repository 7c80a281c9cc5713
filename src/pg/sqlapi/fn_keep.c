/*-------------------------------------------------------------------------
 * fn_keep.c
 *		ai_embed_trigger, ai_keep_embedding, ai_embed_backfill: embeddings that follow texts.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "nodes/parsenodes.h"
#include "utils/tuplestore.h"

#include "pg/jobs/keep.h"
#include "pg/sqlapi/arguments.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_embed_trigger);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_keep_embedding);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_embed_backfill);

static _Noreturn void
reject_trigger(const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("%s", why),
			 errhint("Create the triggers with ai_keep_embedding().")));
}

static void
check_trigger(FunctionCallInfo fcinfo)
{
	const TriggerData *trigger = (const TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		reject_trigger("ai_embed_trigger must be called by a trigger");
	if (!TRIGGER_FIRED_AFTER(trigger->tg_event) || !TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event))
		reject_trigger("ai_embed_trigger must be called after a statement");
	if (!TRIGGER_FIRED_BY_INSERT(trigger->tg_event) && !TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		reject_trigger("ai_embed_trigger must be called for INSERT or UPDATE");
	if (trigger->tg_newtable == NULL)
		reject_trigger("ai_embed_trigger needs REFERENCING NEW TABLE");
	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) && trigger->tg_oldtable == NULL)
		reject_trigger("ai_embed_trigger needs REFERENCING OLD TABLE");
	if (trigger->tg_trigger->tgnargs != 3)
		reject_trigger("ai_embed_trigger needs the text column, the embedding column and the "
					   "model as arguments");
}

Datum
aiaas_embed_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	char	  **args;
	AiaasKept	kept;

	check_trigger(fcinfo);
	if (tuplestore_tuple_count(trigger->tg_newtable) > 0)
	{
		args = trigger->tg_trigger->tgargs;
		aiaas_kept_init(&kept, trigger->tg_relation, args[0], args[1], args[2],
						fcinfo->flinfo->fn_oid);
		aiaas_kept_update(&kept, trigger);
	}
	return PointerGetDatum(NULL);
}

/* Of table, text_column, embedding_column, model */
typedef struct KeepArguments
{
	Oid			table;
	char	   *text_column;
	char	   *embedding_column;
	char	   *model;
} KeepArguments;

static void
open_kept(AiaasKept *kept, KeepArguments *args, FunctionCallInfo fcinfo)
{
	aiaas_require_argument(fcinfo, 0, "table");
	aiaas_require_argument(fcinfo, 1, "text_column");
	aiaas_require_argument(fcinfo, 2, "embedding_column");
	args->table = PG_GETARG_OID(0);
	args->text_column = pstrdup(NameStr(*PG_GETARG_NAME(1)));
	args->embedding_column = pstrdup(NameStr(*PG_GETARG_NAME(2)));
	args->model = aiaas_text_argument(fcinfo, 3, "model");
	aiaas_kept_open(kept, args->table, args->text_column, args->embedding_column, args->model,
					fcinfo->flinfo->fn_oid);
}

Datum
aiaas_keep_embedding(PG_FUNCTION_ARGS)
{
	KeepArguments args;
	AiaasKept	kept;

	open_kept(&kept, &args, fcinfo);
	aiaas_kept_create_triggers(&kept, args.text_column, args.embedding_column);
	PG_RETURN_VOID();
}

static void
check_can_commit(FunctionCallInfo fcinfo)
{
	const CallContext *context = (const CallContext *) fcinfo->context;

	if (context != NULL && IsA(context, CallContext) && !context->atomic)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
			 errmsg("ai_embed_backfill cannot run inside a transaction block"),
			 errdetail("It commits after each batch of rows."),
			 errhint("Run CALL outside of a transaction block, or UPDATE the column with "
					 "ai_embed() to do it in this transaction.")));
}

Datum
aiaas_embed_backfill(PG_FUNCTION_ARGS)
{
	KeepArguments args;
	AiaasKept	kept;
	int32		batch_rows;

	check_can_commit(fcinfo);
	aiaas_require_argument(fcinfo, 4, "batch_rows");
	batch_rows = PG_GETARG_INT32(4);
	if (batch_rows <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("batch_rows must be greater than zero")));

	/* memory that outlives the commits */
	SPI_connect_ext(SPI_OPT_NONATOMIC);
	open_kept(&kept, &args, fcinfo);
	aiaas_backfill(&kept, args.model, batch_rows);
	SPI_finish();
	PG_RETURN_VOID();
}
