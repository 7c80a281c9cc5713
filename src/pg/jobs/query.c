/*-------------------------------------------------------------------------
 * query.c
 *		The columns of the SELECT that brings texts with labels.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/jobs/query.h"

#include "lib/stringinfo.h"
#include "parser/scansup.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "pg/jobs/columns.h"

/* Longer queries are not repeated in a hint. */
#define MAX_REPEATED_QUERY 500

/*
 * Which column is what
 */

static void
init_column(AiaasTextColumn *column, const AiaasSelect *select, int index)
{
	column->index = index;
	column->name = aiaas_column_name(select, index);
	column->type = aiaas_column_type(select, index);
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
		if (aiaas_is_string_type(att->atttypid))
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
find_text(AiaasQuery *query)
{
	TupleDesc	desc = query->select.desc;
	int			n_texts = 0;
	int			found = -1;

	for (int i = 0; i < desc->natts; i++)
		if (i != query->target.index && aiaas_is_string_type(TupleDescAttr(desc, i)->atttypid))
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
		init_column(&query->text, &query->select, found);
	if (found < 0 || !aiaas_text_reader_init(&query->text.reader, query->text.type,
											 CurrentMemoryContext))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query has no column of text to learn from"),
				 errdetail("%s", aiaas_select_columns(&query->select)),
				 errhint("The text classifier needs one column of text besides the target. "
						 "A network, which has the option \"layers\", learns from numbers and "
						 "images, too.")));
}

static void
find_columns(AiaasQuery *query, const char *target)
{
	init_column(&query->target, &query->select, aiaas_find_target(&query->select, target));
	if (!aiaas_label_reader_init(&query->target.reader, query->target.type,
								 CurrentMemoryContext))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("target column \"%s\" is of type %s", query->target.name,
						format_type_be(query->target.type)),
				 errdetail("A class is a text, a boolean, a whole number or an enum value."),
				 errhint("Cast the column to text if each of its values is a class.")));
	find_text(query);
}

void
aiaas_query_open(AiaasQuery *query, const char *sql, const char *target)
{
	MemSet(query, 0, sizeof(AiaasQuery));
	query->sql = sql;
	aiaas_select_open(&query->select, sql);
	find_columns(query, target);
}

/*
 * The run
 */
typedef struct ExampleReceiver
{
	AiaasQuery *query;
	AiaasExampleHandler handler;
	void	   *ud;
} ExampleReceiver;

static void
reject_continuous(const AiaasTextColumn *target, Datum value)
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

static void
receive_row(void *ud, TupleTableSlot *slot)
{
	ExampleReceiver *receiver = ud;
	AiaasExample example;

	if (read_example(&example, receiver->query, slot))
	{
		receiver->query->n_rows++;
		receiver->handler(receiver->ud, &example);
	}
	else
		receiver->query->n_null_rows++;
}

void
aiaas_query_run(AiaasQuery *query, AiaasExampleHandler handler, void *ud)
{
	ExampleReceiver receiver = {query, handler, ud};

	aiaas_select_run(&query->select, receive_row, &receiver);
}

void
aiaas_query_close(AiaasQuery *query)
{
	aiaas_select_close(&query->select);
}
