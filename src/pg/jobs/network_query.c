/*-------------------------------------------------------------------------
 * network_query.c
 *		What a network learns from: the columns of a user's SELECT, as the core's rows.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/jobs/network_query.h"

#include "catalog/pg_type.h"
#include "core/train/training_options.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "pg/host/host.h"
#include "pg/host/raise.h"
#include "pg/jobs/columns.h"

/*
 * Inputs
 */

static void
init_column(AiaasNetworkColumn *column, const AiaasSelect *select, int index)
{
	column->index = index;
	column->name = aiaas_column_name(select, index);
	column->type = aiaas_column_type(select, index);
	column->n = 0;
	(void) aiaas_number_reader_init(&column->reader, column->type);
}

static bool
holds_numbers(const AiaasNetworkColumn *column)
{
	return column->reader.form != AIAAS_NUMBERS_NONE &&
		column->reader.form != AIAAS_NUMBERS_BYTES;
}

static _Noreturn void
reject_input(const AiaasNetworkColumn *column)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("a network cannot read column \"%s\" of type %s%s", column->name,
					format_type_be(column->type),
					aiaas_is_string_type(column->type) || column->type == BYTEAOID ?
					" beside other columns" : ""),
			 errdetail("A network reads one column of text, or one of bytea, or any number of "
					   "columns that hold numbers: numbers, booleans, arrays of them, "
					   "vectors and half vectors."),
			 errhint("Leave the column out, or make numbers of it.")));
}

static void
find_inputs(AiaasNetworkQuery *query)
{
	int			n = query->select.desc->natts;

	query->columns = palloc0(n * sizeof(AiaasNetworkColumn));
	for (int i = 0; i < n; i++)
	{
		if (i != query->target.index)
			init_column(&query->columns[query->n_columns++], &query->select, i);
	}
	if (query->n_columns == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query has no column besides the target"),
				 errdetail("%s", aiaas_select_columns(&query->select))));

	if (query->n_columns == 1 && query->columns[0].reader.form == AIAAS_NUMBERS_BYTES)
		query->input = AI_NETWORK_PIXELS;
	else if (query->n_columns == 1 &&
			 aiaas_text_reader_init(&query->text, query->columns[0].type, CurrentMemoryContext))
		query->input = AI_NETWORK_WORDS;
	else
	{
		query->input = AI_NETWORK_NUMBERS;
		for (int i = 0; i < query->n_columns; i++)
		{
			if (!holds_numbers(&query->columns[i]))
				reject_input(&query->columns[i]);
		}
	}
}

size_t
aiaas_network_query_n_inputs(const AiaasNetworkQuery *query)
{
	if (query->input != AI_NETWORK_NUMBERS)
		return 0;
	for (int i = 0; i < query->n_columns; i++)
	{
		if (query->columns[i].reader.form != AIAAS_NUMBERS_SCALAR)
			return 0;
	}
	return query->n_columns;
}

/*
 * The target
 */

static bool
is_fractional(Oid type)
{
	return type == FLOAT4OID || type == FLOAT8OID || type == NUMERICOID;
}

static bool
is_loss_of_values(int loss)
{
	return loss == AI_LOSS_MSE || loss == AI_LOSS_MAE || loss == AI_LOSS_HUBER ||
		loss == AI_LOSS_POISSON;
}

static AiNetworkTask
choose_task(const AiaasNetworkQuery *query, int loss)
{
	Oid			type = getBaseType(query->target.type);
	Oid			element = get_element_type(type);

	if (OidIsValid(element))
	{
		if (!holds_numbers(&query->target))
			return AI_NETWORK_LABELS;
		return is_fractional(getBaseType(element)) || is_loss_of_values(loss) ?
			AI_NETWORK_VALUES : AI_NETWORK_STEPS;
	}
	if (!holds_numbers(&query->target))
		return AI_NETWORK_CLASSES;
	if (query->target.reader.form != AIAAS_NUMBERS_SCALAR || is_loss_of_values(loss))
		return AI_NETWORK_VALUES;
	return is_fractional(type) && loss == AI_LOSS_AUTO ? AI_NETWORK_VALUES : AI_NETWORK_CLASSES;
}

static _Noreturn void
reject_target(const AiaasNetworkQuery *query, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("target column \"%s\" is of type %s", query->target.name,
					format_type_be(query->target.type)),
			 errdetail("%s", expected)));
}

static void
find_target(AiaasNetworkQuery *query, const char *target, const AiNetworkTask *task, int loss)
{
	Oid			type;

	init_column(&query->target, &query->select, aiaas_find_target(&query->select, target));
	type = query->target.type;
	query->task = task != NULL ? *task : choose_task(query, loss);
	switch (query->task)
	{
		case AI_NETWORK_VALUES:
			if (!holds_numbers(&query->target))
				reject_target(query, "The network gives numbers: the target must hold numbers.");
			return;
		case AI_NETWORK_CLASSES:
			if (!aiaas_label_reader_init(&query->label, type, CurrentMemoryContext))
				reject_target(query, "A target is a text, a boolean, a number, an enum value, "
							  "or an array of one of these.");
			return;
		default:
			query->element = get_element_type(getBaseType(type));
			if (!OidIsValid(query->element) ||
				!aiaas_label_reader_init(&query->label, query->element, CurrentMemoryContext))
				reject_target(query, query->task == AI_NETWORK_LABELS ?
							  "Labels of a row are an array of texts." :
							  "Labels of a sequence are an array of integers.");
	}
}

void
aiaas_network_query_open(AiaasNetworkQuery *query, const char *sql, const char *target,
						 const AiNetworkTask *task, int loss, AiaasBadRows bad_rows)
{
	*query = (AiaasNetworkQuery) {.sql = sql, .name = "", .bad_rows = bad_rows};
	aiaas_select_open(&query->select, sql);
	find_target(query, target, task, loss);
	find_inputs(query);
}

/*
 * A second query with the same columns
 */
static int
find_same(const AiaasSelect *select, const AiaasNetworkColumn *column)
{
	for (int i = 0; i < select->desc->natts; i++)
	{
		char	   *name = aiaas_column_name(select, i);

		if (strcmp(name, column->name) != 0)
			continue;
		if (aiaas_column_type(select, i) == column->type)
			return i;
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of the validation query is of type %s, not %s", name,
						format_type_be(aiaas_column_type(select, i)),
						format_type_be(column->type))));
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("the validation query has no column \"%s\"", column->name),
			 errdetail("%s", aiaas_select_columns(select)),
			 errhint("It needs the same columns as the query to learn from.")));
	return -1;
}

void
aiaas_network_query_open_like(AiaasNetworkQuery *query, const char *sql,
							  const AiaasNetworkQuery *first)
{
	*query = *first;
	query->first = first;
	query->sql = sql;
	query->name = " of the validation query";
	aiaas_select_open(&query->select, sql);
	if (query->select.desc->natts != first->select.desc->natts)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the validation query has %d columns, and the query %d",
						query->select.desc->natts, first->select.desc->natts),
				 errhint("It needs the same columns as the query to learn from.")));
	query->columns = palloc(query->n_columns * sizeof(AiaasNetworkColumn));
	for (int i = 0; i < query->n_columns; i++)
	{
		query->columns[i] = first->columns[i];
		query->columns[i].index = find_same(&query->select, &first->columns[i]);
	}
	query->target.index = find_same(&query->select, &first->target);
}

/*
 * Rows that do not fit
 */
typedef struct NetworkReceiver
{
	AiaasNetworkQuery *query;
	AiaasNetworkHandler handler;
	void	   *ud;
	MemoryContext context;		/* of scratch */
} NetworkReceiver;

/* What is wrong, told of "the row"; it is read before the context of the row is reset. */
typedef struct RowFault
{
	int			sqlstate;
	const char *message;
	const char *detail;			/* NULL: none */
	const char *hint;			/* NULL: how to leave such rows out */
} RowFault;

static bool
fail_row(RowFault *fault, int sqlstate, const char *message)
{
	*fault = (RowFault) {.sqlstate = sqlstate, .message = message};
	return false;
}

/* "the row" with its number, where the message begins with it */
static char *
name_row(const AiaasNetworkQuery *query, const char *message)
{
	static const char the_row[] = "the row";
	size_t		len = sizeof(the_row) - 1;

	if (strncmp(message, the_row, len) == 0)
		return psprintf("row %lld%s%s", (long long) query->n_rows, query->name, message + len);
	return psprintf("row %lld%s: %s", (long long) query->n_rows, query->name, message);
}

static const char *
choose_hint(const AiaasNetworkQuery *query, const RowFault *fault)
{
	if (fault->hint != NULL)
		return fault->hint;
	return query->bad_rows == AIAAS_BAD_ROWS_FAIL ?
		"To leave such rows out, set the option \"on_bad_row\" to \"skip\"." :
		"Leave such rows out by a condition in the query.";
}

static void
raise_row(const AiaasNetworkQuery *query, const RowFault *fault)
{
	ereport(ERROR,
			(errcode(fault->sqlstate),
			 errmsg_internal("%s", name_row(query, fault->message)),
			 fault->detail != NULL ? errdetail_internal("%s", fault->detail) : 0,
			 errhint("%s", choose_hint(query, fault))));
}

static void
reject_row(AiaasNetworkQuery *query, const RowFault *fault)
{
	bool		is_null = fault->sqlstate == ERRCODE_NULL_VALUE_NOT_ALLOWED;

	if (query->bad_rows == AIAAS_BAD_ROWS_FAIL ||
		(query->bad_rows == AIAAS_BAD_ROWS_SKIP_NULLS && !is_null))
		raise_row(query, fault);
	query->n_skipped++;
}

/*
 * From a row to the core's
 */

static bool
get_value(const AiaasNetworkColumn *column, TupleTableSlot *slot, Datum *value, RowFault *fault)
{
	bool		is_null;

	*value = slot_getattr(slot, column->index + 1, &is_null);
	if (!is_null)
		return true;
	return fail_row(fault, ERRCODE_NULL_VALUE_NOT_ALLOWED,
					psprintf("the row has a null in column \"%s\"", column->name));
}

/* Room for n numbers; what was there is kept. */
static void
reserve(float **numbers, size_t *room, size_t n, MemoryContext context)
{
	size_t		new_room = Max(n, 2 * *room);

	if (n <= *room)
		return;
	if (*numbers == NULL)
		*numbers = MemoryContextAllocHuge(context, new_room * sizeof(float));
	else
		*numbers = repalloc_huge(*numbers, new_room * sizeof(float));
	*room = new_room;
}

static bool
fail_numbers(RowFault *fault, const AiaasNetworkColumn *column, AiaasNumberFault kind,
			 size_t place)
{
	fail_row(fault, kind == AIAAS_NUMBERS_NULL ? ERRCODE_DATA_EXCEPTION :
			 ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
			 kind == AIAAS_NUMBERS_NULL ?
			 psprintf("the row has a null element in column \"%s\"", column->name) :
			 psprintf("the row has a number in column \"%s\" that is not finite or too large",
					  column->name));
	if (column->reader.form != AIAAS_NUMBERS_SCALAR)
		fault->detail = psprintf("It is element %zu.", place);
	return false;
}

/* All values of a column are as long as its first one. */
static bool
check_length(AiaasNetworkColumn *column, size_t n, RowFault *fault)
{
	if (n == 0)
		return fail_row(fault, ERRCODE_DATA_EXCEPTION,
						psprintf("the row has no number in column \"%s\"", column->name));
	if (column->n != 0 && column->n != n)
		return fail_row(fault, ERRCODE_DATA_EXCEPTION,
						psprintf("the row has a value of length %zu in column \"%s\", "
								 "not %zu as rows before it", n, column->name, column->n));
	return true;
}

/* Behind the n numbers that are there */
static bool
append_numbers(NetworkReceiver *receiver, AiaasNetworkColumn *column, TupleTableSlot *slot,
			   float **numbers, size_t *room, size_t *n, RowFault *fault)
{
	AiaasNumbers source;
	AiaasNumberFault kind;
	size_t		place;
	Datum		value;

	if (!get_value(column, slot, &value, fault))
		return false;
	aiaas_numbers_open(&source, &column->reader, value);
	if (!check_length(column, source.n, fault))
		return false;
	reserve(numbers, room, *n + source.n, receiver->context);
	kind = aiaas_numbers_read(&source, *numbers + *n, &place);
	if (kind != AIAAS_NUMBERS_FINE)
		return fail_numbers(fault, column, kind, place);
	*n += source.n;
	return true;
}

/* One column whose numbers are floats already is read where it is. */
static bool
read_in_place(AiaasNetworkColumn *column, Datum value, AiNetworkRow *row, bool *is_read,
			  RowFault *fault)
{
	AiaasNumbers source;
	AiaasNumberFault kind;
	size_t		place;

	*is_read = false;
	aiaas_numbers_open(&source, &column->reader, value);
	if (source.floats == NULL)
		return true;
	if (!check_length(column, source.n, fault))
		return false;
	kind = aiaas_numbers_check(&source, &place);
	if (kind != AIAAS_NUMBERS_FINE)
		return fail_numbers(fault, column, kind, place);
	*row = (AiNetworkRow) {source.floats, source.n * sizeof(float)};
	*is_read = true;
	return true;
}

static bool
read_numbers(NetworkReceiver *receiver, TupleTableSlot *slot, AiNetworkRow *row,
			 RowFault *fault)
{
	AiaasNetworkQuery *query = receiver->query;
	size_t		n = 0;

	if (query->n_columns == 1 && query->columns[0].reader.form != AIAAS_NUMBERS_SCALAR)
	{
		Datum		value;
		bool		is_read;

		if (!get_value(&query->columns[0], slot, &value, fault) ||
			!read_in_place(&query->columns[0], value, row, &is_read, fault))
			return false;
		if (is_read)
			return true;
	}
	for (int i = 0; i < query->n_columns; i++)
	{
		if (!append_numbers(receiver, &query->columns[i], slot, &query->numbers,
							&query->n_numbers, &n, fault))
			return false;
	}
	*row = (AiNetworkRow) {query->numbers, n * sizeof(float)};
	return true;
}

static bool
read_input(NetworkReceiver *receiver, TupleTableSlot *slot, AiNetworkRow *row, RowFault *fault)
{
	AiaasNetworkQuery *query = receiver->query;
	AiaasNumbers source;
	const char *utf8;
	Datum		value;

	if (query->input == AI_NETWORK_NUMBERS)
		return read_numbers(receiver, slot, row, fault);
	if (!get_value(&query->columns[0], slot, &value, fault))
		return false;
	if (query->input == AI_NETWORK_PIXELS)
	{
		aiaas_numbers_open(&source, &query->columns[0].reader, value);
		*row = (AiNetworkRow) {source.bytes, source.n};
		return check_length(&query->columns[0], source.n, fault);
	}
	(void) aiaas_reader_get(&query->text, value, &utf8, &row->len);
	row->bytes = utf8;
	return true;
}

static bool
read_label(const AiaasNetworkQuery *query, Datum value, AiNetworkLabel *label, RowFault *fault)
{
	if (aiaas_reader_get(&query->label, value, &label->text, &label->len))
		return true;
	fail_row(fault, ERRCODE_DATA_EXCEPTION,
			 psprintf("the row has a number in target column \"%s\" that is no class",
					  query->target.name));
	fault->detail = "Numbers of classes are whole.";
	fault->hint = "To learn the numbers themselves, choose a loss of values, such as \"mse\".";
	return false;
}

static bool
read_labels(const AiaasNetworkQuery *query, Datum value, AiNetworkExample *example,
			RowFault *fault)
{
	int16		length;
	bool		is_by_value;
	char		align;
	Datum	   *elements;
	bool	   *is_null;
	int			n;
	AiNetworkLabel *labels;

	get_typlenbyvalalign(query->element, &length, &is_by_value, &align);
	deconstruct_array(DatumGetArrayTypeP(value), query->element, length, is_by_value, align,
					  &elements, &is_null, &n);
	labels = palloc0((n + 1) * sizeof(AiNetworkLabel));
	for (int i = 0; i < n; i++)
	{
		/* A step may have no label, which then is not learnt from. */
		if (is_null[i] && query->task == AI_NETWORK_STEPS)
			continue;
		if (is_null[i])
			return fail_numbers(fault, &query->target, AIAAS_NUMBERS_NULL, (size_t) i + 1);
		if (!read_label(query, elements[i], &labels[i], fault))
			return false;
	}
	example->labels = labels;
	example->n_labels = (size_t) n;
	return true;
}

static bool
read_target(NetworkReceiver *receiver, TupleTableSlot *slot, AiNetworkExample *example,
			RowFault *fault)
{
	AiaasNetworkQuery *query = receiver->query;
	AiNetworkLabel *label;
	Datum		value;

	if (query->task == AI_NETWORK_VALUES)
	{
		example->n_values = 0;
		if (!append_numbers(receiver, &query->target, slot, &query->values, &query->n_values,
							&example->n_values, fault))
			return false;
		example->values = query->values;
		return true;
	}
	if (!get_value(&query->target, slot, &value, fault))
		return false;
	if (query->task != AI_NETWORK_CLASSES)
		return read_labels(query, value, example, fault);
	label = palloc(sizeof(AiNetworkLabel));
	example->labels = label;
	example->n_labels = 1;
	return read_label(query, value, label, fault);
}

/* How long the values of the first row that fits are */
static void
keep_lengths(AiaasNetworkQuery *query, const AiNetworkExample *example, TupleTableSlot *slot)
{
	if (query->task == AI_NETWORK_VALUES)
		query->target.n = example->n_values;
	if (query->input == AI_NETWORK_PIXELS)
		query->columns[0].n = example->input.len;
	if (query->input != AI_NETWORK_NUMBERS)
		return;
	for (int i = 0; i < query->n_columns; i++)
	{
		AiaasNumbers numbers;
		bool		is_null;

		aiaas_numbers_open(&numbers, &query->columns[i].reader,
						   slot_getattr(slot, query->columns[i].index + 1, &is_null));
		query->columns[i].n = numbers.n;
	}
}

static void
receive_row(void *ud, TupleTableSlot *slot)
{
	NetworkReceiver *receiver = ud;
	AiaasNetworkQuery *query = receiver->query;
	AiNetworkExample example = {0};
	RowFault	fault = {0};
	AiError		err;
	AiCode		code;

	query->n_rows++;
	if (!read_input(receiver, slot, &example.input, &fault) ||
		!read_target(receiver, slot, &example, &fault))
	{
		reject_row(query, &fault);
		return;
	}
	code = receiver->handler(receiver->ud, &example, &err);
	if (code == AI_ERR_DATA)
	{
		aiaas_host_check_all();
		fail_row(&fault, ERRCODE_DATA_EXCEPTION, aiaas_utf8_to_message(err.message));
		fault.detail = err.detail[0] != '\0' ? aiaas_utf8_to_message(err.detail) : NULL;
		reject_row(query, &fault);
	}
	else if (code != AI_OK)
		aiaas_raise(&err);
	else if (query->columns[0].n == 0)
		keep_lengths(query, &example, slot);
}

void
aiaas_network_query_run(AiaasNetworkQuery *query, AiaasNetworkHandler handler, void *ud)
{
	NetworkReceiver receiver = {query, handler, ud, CurrentMemoryContext};

	for (int i = 0; query->first != NULL && i < query->n_columns; i++)
		query->columns[i].n = query->first->columns[i].n;
	if (query->first != NULL)
		query->target.n = query->first->target.n;
	aiaas_select_run(&query->select, receive_row, &receiver);
}

void
aiaas_network_query_close(AiaasNetworkQuery *query)
{
	aiaas_select_close(&query->select);
}
