/*-------------------------------------------------------------------------
 * query.c
 *		Checking and running the SELECT that brings texts with labels.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/jobs/query.h"

#include "access/xact.h"
#include "lib/stringinfo.h"
#include "nodes/nodeFuncs.h"
#include "parser/scansup.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"

#include "pg/host/compat.h"

/* A column of such a name is the target where the caller names none. */
static const char *const target_names[] = {"label", "target", "class", "category"};

/* Longer queries are not repeated in a hint. */
#define MAX_REPEATED_QUERY 500

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

/*
 * Which column is what
 */

/* For the detail of a message */
static char *
list_columns(TupleDesc desc)
{
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

static bool
is_target_name(const char *name)
{
	for (int i = 0; i < (int) lengthof(target_names); i++)
		if (pg_strcasecmp(name, target_names[i]) == 0)
			return true;
	return false;
}

/* The one column called target, or with a telling name when target is NULL */
static int
find_target(TupleDesc desc, const char *target)
{
	int			found = -1;
	int			n_found = 0;

	for (int i = 0; i < desc->natts; i++)
	{
		const char *name = NameStr(TupleDescAttr(desc, i)->attname);

		if (target != NULL ? strcmp(name, target) == 0 : is_target_name(name))
		{
			found = i;
			n_found++;
		}
	}
	if (n_found == 1)
		return found;

	if (target == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the target column is not named"),
				 errdetail("%s", list_columns(desc)),
				 errhint("Name the column to learn, for example target => 'label'.")));
	ereport(ERROR,
			(errcode(n_found == 0 ? ERRCODE_UNDEFINED_COLUMN : ERRCODE_AMBIGUOUS_COLUMN),
			 n_found == 0 ? errmsg("target column \"%s\" is not in the query", target) :
			 errmsg("the query has %d columns \"%s\"", n_found, target),
			 errdetail("%s", list_columns(desc))));
	return -1;
}

static void
init_column(AiaasColumn *column, TupleDesc desc, int index)
{
	Form_pg_attribute att = TupleDescAttr(desc, index);

	column->index = index;
	column->name = pstrdup(NameStr(att->attname));
	column->type = att->atttypid;
}

static bool
is_string_type(Oid type)
{
	char		category;
	bool		is_preferred;

	get_type_category_preferred(getBaseType(type), &category, &is_preferred);
	return category == TYPCATEGORY_STRING;
}

/* The query without what would not stand inside parentheses */
static char *
trim_query(const char *sql)
{
	int			len = strlen(sql);

	while (len > 0 && (scanner_isspace(sql[len - 1]) || sql[len - 1] == ';'))
		len--;
	if (len > MAX_REPEATED_QUERY)
		return pstrdup("...");

	/* A comment at its end would hide the parenthesis. */
	return psprintf("%.*s%s", len, sql, strstr(sql, "--") != NULL ? "\n" : "");
}

/*
 * There are columns besides the text and the target.  Print the query that has
 * none: several texts are joined, what is no text is left out.
 */
static void
reject_extra_columns(const AiaasQuery *query, TupleDesc desc)
{
	const char *target = quote_identifier(query->target.name);
	const char *last_text = NULL;
	int			n_texts = 0;
	StringInfoData texts;
	StringInfoData extra;

	initStringInfo(&texts);
	initStringInfo(&extra);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (i == query->target.index)
			continue;
		if (is_string_type(att->atttypid))
		{
			n_texts++;
			last_text = quote_identifier(NameStr(att->attname));
			appendStringInfo(&texts, ", %s", last_text);
		}
		else
			appendStringInfo(&extra, "%s\"%s\" (%s)", extra.len > 0 ? ", " : "",
							 NameStr(att->attname), format_type_be(att->atttypid));
	}

	if (n_texts == 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query has columns besides the text and the target"),
				 errdetail("A text classifier learns from one column of text; it cannot use %s.",
						   extra.data),
				 errhint("Use the query: SELECT %s, %s FROM (%s) q",
						 last_text, target, trim_query(query->sql))));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the query has %d columns of text", n_texts),
			 extra.len > 0 ?
			 errdetail("A text classifier learns from one column of text; it cannot use %s.",
					   extra.data) :
			 errdetail("A text classifier learns from one column of text."),
			 errhint("Use the query: SELECT concat_ws(' '%s) AS %s, %s FROM (%s) q",
					 texts.data, last_text, target, trim_query(query->sql))));
}

static void
find_text(AiaasQuery *query, TupleDesc desc)
{
	int			n_texts = 0;
	int			found = -1;

	for (int i = 0; i < desc->natts; i++)
		if (i != query->target.index && is_string_type(TupleDescAttr(desc, i)->atttypid))
		{
			found = i;
			n_texts++;
		}

	/* Alone, it may be any type that can be read as text */
	if (n_texts == 0 && desc->natts == 2)
		found = 1 - query->target.index;
	if (n_texts > 0 && desc->natts > 2)
		reject_extra_columns(query, desc);

	if (found >= 0)
		init_column(&query->text, desc, found);
	if (found < 0 || !aiaas_text_reader_init(&query->text.reader, query->text.type,
											 CurrentMemoryContext))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query has no column of text to learn from"),
				 errdetail("%s", list_columns(desc)),
				 errhint("The text classifier needs one column of text besides the target.")));
}

static void
find_columns(AiaasQuery *query, TupleDesc desc, const char *target)
{
	init_column(&query->target, desc, find_target(desc, target));
	if (!aiaas_label_reader_init(&query->target.reader, query->target.type,
								 CurrentMemoryContext))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("target column \"%s\" is of type %s", query->target.name,
						format_type_be(query->target.type)),
				 errdetail("A class is a text, a boolean, a whole number or an enum value."),
				 errhint("Cast the column to text if each of its values is a class.")));
	find_text(query, desc);
}

void
aiaas_query_open(AiaasQuery *query, const char *sql, const char *target)
{
	MemSet(query, 0, sizeof(AiaasQuery));
	query->sql = sql;
	SPI_connect();
	query->plan = SPI_prepare(sql, 0, NULL);
	if (query->plan == NULL)
		elog(ERROR, "could not prepare the query: %s", SPI_result_code_string(SPI_result));
	find_columns(query, check_query(query->plan)->resultDesc, target);
}

/*
 * The run
 */
typedef struct ExampleReceiver
{
	DestReceiver dest;			/* first: what the executor knows */
	AiaasQuery *query;
	AiaasExampleHandler handler;
	void	   *ud;
	MemoryContext row_context;	/* reset after every row */
} ExampleReceiver;

static void
reject_continuous(const AiaasColumn *target, Datum value)
{
	Oid			output;
	bool		is_varlena;

	getTypeOutputInfo(target->type, &output, &is_varlena);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("target column \"%s\" is continuous", target->name),
			 errdetail("It has the value %s.", OidOutputFunctionCall(output, value)),
			 errhint("A classifier learns classes: texts, booleans or whole numbers. "
					 "Divide the values into ranges, for example with width_bucket().")));
}

/* false: a null, so there is nothing to learn */
static bool
read_example(AiaasExample *example, const AiaasQuery *query, TupleTableSlot *slot)
{
	bool		is_text_null;
	bool		is_label_null;
	Datum		text_value = slot_getattr(slot, query->text.index + 1, &is_text_null);
	Datum		label_value = slot_getattr(slot, query->target.index + 1, &is_label_null);

	if (is_text_null || is_label_null)
		return false;
	aiaas_reader_get(&query->text.reader, text_value, &example->text, &example->text_len);
	if (!aiaas_reader_get(&query->target.reader, label_value, &example->label,
						  &example->label_len))
		reject_continuous(&query->target, label_value);
	return true;
}

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	ExampleReceiver *receiver = (ExampleReceiver *) self;
	MemoryContext old_context = MemoryContextSwitchTo(receiver->row_context);
	AiaasExample example;

	if (read_example(&example, receiver->query, slot))
	{
		receiver->query->n_rows++;
		receiver->handler(receiver->ud, &example);
	}
	else
		receiver->query->n_null_rows++;
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
aiaas_query_run(AiaasQuery *query, AiaasExampleHandler handler, void *ud)
{
	ExampleReceiver receiver = {
		.dest = {receive_row, start_receiver, end_receiver, end_receiver, DestNone},
		.query = query,
		.handler = handler,
		.ud = ud,
		.row_context = AllocSetContextCreate(CurrentMemoryContext, "aiaas row",
											 ALLOCSET_DEFAULT_SIZES)
	};
	SPIExecuteOptions options = {.read_only = true, .dest = &receiver.dest};
	bool		was_read_only = XactReadOnly;
	int			code;

	/* After an error the end of the (sub)transaction puts it back. */
	XactReadOnly = true;
	code = SPI_execute_plan_extended(query->plan, &options);
	XactReadOnly = was_read_only;
	if (code < 0)
		elog(ERROR, "could not run the query: %s", SPI_result_code_string(code));
	MemoryContextDelete(receiver.row_context);
}

void
aiaas_query_close(AiaasQuery *query)
{
	query->plan = NULL;
	SPI_finish();
}
