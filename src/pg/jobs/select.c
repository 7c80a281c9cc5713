/*-------------------------------------------------------------------------
 * select.c
 *		Checking and running a SELECT that the user gives as a text.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/jobs/select.h"

#include "access/xact.h"
#include "lib/stringinfo.h"
#include "nodes/nodeFuncs.h"
#include "tcop/dest.h"
#include "utils/memutils.h"
#include "utils/plancache.h"

#include "pg/host/compat.h"

/*
 * What may run
 */

/* Does any part of the query write or lock rows? */
static bool
writes_or_locks(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		Query	   *part = (Query *) node;

		return part->commandType != CMD_SELECT || part->rowMarks != NIL ||
			query_tree_walker(part, writes_or_locks, context, 0);
	}
	return expression_tree_walker(node, writes_or_locks, context);
}

static void
reject_query(const char *message)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("%s", message),
			 errhint("Give one SELECT that only reads; put other commands before the call.")));
}

/* The plan's only source, if it is one SELECT that only reads */
static const CachedPlanSource *
check_query(SPIPlanPtr plan)
{
	List	   *sources = SPI_plan_get_plan_sources(plan);
	CachedPlanSource *source;
	Query	   *query;

	if (list_length(sources) == 0)
		reject_query("the query is empty");
	if (list_length(sources) > 1)
		reject_query("the query is more than one statement");

	/* After rewriting, as in writes_or_locks(), so that views are seen through */
	source = linitial(sources);
	query = list_length(source->query_list) == 1 ?
		linitial_node(Query, source->query_list) : NULL;
	if (query == NULL || query->commandType != CMD_SELECT)
		reject_query("the query is not a SELECT");
	if (writes_or_locks((Node *) query, NULL))
		reject_query("the query writes or locks rows");
	return source;
}

void
aiaas_select_open(AiaasSelect *select, const char *sql)
{
	SPI_connect();
	select->max_rows = 0;
	select->plan = SPI_prepare(sql, 0, NULL);
	if (select->plan == NULL)
		elog(ERROR, "could not prepare the query: %s", SPI_result_code_string(SPI_result));
	select->desc = check_query(select->plan)->resultDesc;
}

char *
aiaas_select_columns(const AiaasSelect *select)
{
	TupleDesc	desc = select->desc;
	StringInfoData list;

	initStringInfo(&list);
	appendStringInfoString(&list, desc->natts > 0 ? "The query has the columns " :
						   "The query has no columns");
	for (int i = 0; i < desc->natts; i++)
		appendStringInfo(&list, "%s\"%s\"", i > 0 ? ", " : "",
						 NameStr(TupleDescAttr(desc, i)->attname));
	appendStringInfoChar(&list, '.');
	return list.data;
}

/* With no parameters it is planned once, and run by this plan. */
double
aiaas_select_n_rows(const AiaasSelect *select)
{
	CachedPlan *plan = SPI_plan_get_cached_plan(select->plan);
	double		n_rows = 0;

	if (plan == NULL)
		return 0;
	if (list_length(plan->stmt_list) == 1)
		n_rows = linitial_node(PlannedStmt, plan->stmt_list)->planTree->plan_rows;
	ReleaseCachedPlan(plan, NULL);
	return n_rows;
}

/*
 * The run
 */
typedef struct RowReceiver
{
	DestReceiver dest;			/* first: what the executor knows */
	AiaasRowHandler handler;
	void	   *ud;
	MemoryContext row_context;	/* reset after every row */
} RowReceiver;

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	RowReceiver *receiver = (RowReceiver *) self;
	MemoryContext old_context = MemoryContextSwitchTo(receiver->row_context);

	receiver->handler(receiver->ud, slot);
	MemoryContextSwitchTo(old_context);
	MemoryContextReset(receiver->row_context);
	return true;
}

static void
start_receiver(DestReceiver *self, int operation, TupleDesc desc)
{
}

static void
end_receiver(DestReceiver *self)
{
}

void
aiaas_select_run(AiaasSelect *select, AiaasRowHandler handler, void *ud)
{
	RowReceiver receiver = {
		.dest = {receive_row, start_receiver, end_receiver, end_receiver, DestNone},
		.handler = handler,
		.ud = ud,
		.row_context = AllocSetContextCreate(CurrentMemoryContext, "aiaas row",
											 ALLOCSET_DEFAULT_SIZES)
	};
	SPIExecuteOptions options = {
		.read_only = true, .tcount = select->max_rows, .dest = &receiver.dest
	};
	bool		was_read_only = XactReadOnly;
	int			code;

	/* After an error the end of the (sub)transaction puts it back. */
	XactReadOnly = true;
	code = SPI_execute_plan_extended(select->plan, &options);
	XactReadOnly = was_read_only;
	if (code < 0)
		elog(ERROR, "could not run the query: %s", SPI_result_code_string(code));
	MemoryContextDelete(receiver.row_context);
}

void
aiaas_select_close(AiaasSelect *select)
{
	select->plan = NULL;
	SPI_finish();
}
