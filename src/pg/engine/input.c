/*-------------------------------------------------------------------------
 * input.c
 *		The first argument of a call, as the bytes that a model reads.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/engine/input.h"

#include "access/detoast.h"
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "pg/engine/features.h"
#include "pg/host/compat.h"
#include "pg/host/guc.h"
#include "pg/host/raise.h"

static void
reject_type(const AiaasModel *model, Oid type)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("model \"%s\" reads text, not %s", model->name, format_type_be(type)),
			 errhint("Cast the input to text if its text is what the model should read.")));
}

static bool
try_init_reader(AiaasInput *input, Oid type)
{
	input->is_varlena = get_typlen(type) == -1;
	return aiaas_text_reader_init(&input->reader, type, input->context);
}

/* The usual type needs no look at the catalog. */
bool
aiaas_input_try_init(AiaasInput *input, Oid type, const AiNetwork *network,
					 MemoryContext context)
{
	static const AiaasInput text_input = {
		.is_varlena = true, .reader = {TEXTOID, TEXTOID, AIAAS_FORM_VARLENA}
	};

	*input = text_input;
	input->context = context;
	input->network = network;
	if (unlikely(aiaas_reads_numbers(network)))
	{
		input->is_row = type_is_rowtype(type);
		if (!aiaas_input_numbers_init(&input->numbers, network, type) && !input->is_row)
			return false;
	}
	else if (type != TEXTOID)
	{
		input->is_row = type_is_rowtype(type);
		if (!input->is_row && !try_init_reader(input, type))
			return false;
	}
	input->type = type;
	return true;
}

void
aiaas_input_init(AiaasInput *input, Oid type, const AiNetwork *network, const AiaasModel *model,
				 MemoryContext context)
{
	if (aiaas_input_try_init(input, type, network, context))
		return;
	if (aiaas_reads_numbers(network))
		aiaas_reject_numbers(network, model, type, NULL);
	reject_type(model, type);
}

void
aiaas_input_forget_model(AiaasInput *input)
{
	input->type = InvalidOid;
	input->row_type = InvalidOid;
}

void
aiaas_reject_row(const AiaasModel *model, const char *column)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("the row has no column \"%s\"", column),
			 errdetail("Model \"%s\" was trained on that column and finds it by name.",
					   model->name)));
}

static void
find_text_column(AiaasInput *input, const AiaasModel *model, TupleDesc desc)
{
	const char *name = aiaas_features_column(model);
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

	if (column == 0)
		aiaas_reject_row(model, name);
	if (!try_init_reader(input, type))
		reject_type(model, type);
	input->column = column;
}

/* Find what the model reads in a row type, and how to read it. */
static void
find_columns(AiaasInput *input, const AiaasModel *model, HeapTupleHeader row)
{
	Oid			row_type = HeapTupleHeaderGetTypeId(row);
	int32		row_typmod = HeapTupleHeaderGetTypMod(row);
	TupleDesc	desc = lookup_rowtype_tupdesc(row_type, row_typmod);

	if (input->numbers.network != NULL)
		aiaas_input_numbers_find(&input->numbers, model, desc, input->context);
	else
		find_text_column(input, model, desc);
	ReleaseTupleDesc(desc);
	input->row_type = row_type;
	input->row_typmod = row_typmod;
}

/* Are the columns known in this row, as they were in the last one? */
static inline bool
is_same_row_type(const AiaasInput *input, HeapTupleHeader row)
{
	return HeapTupleHeaderGetTypeId(row) == input->row_type &&
		HeapTupleHeaderGetTypMod(row) == input->row_typmod;
}

/* Of a value that is not unpacked yet */
static inline size_t
length_of(const AiaasInput *input, Datum value)
{
	return input->is_varlena ? toast_raw_datum_size(value) - VARHDRSZ : 0;
}

static inline bool
is_too_long(size_t n_bytes)
{
	return aiaas_max_input_bytes > 0 && n_bytes > (size_t) aiaas_max_input_bytes;
}

void
aiaas_check_input(size_t n_bytes, bool is_text)
{
	if (is_too_long(n_bytes))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the input is too long"),
				 errdetail("It has %zu bytes, and aiaas.max_input_bytes is %d.",
						   n_bytes, aiaas_max_input_bytes),
				 is_text ? errhint("Raise aiaas.max_input_bytes, or pass a part of the text, "
								   "for example by left().") :
				 errhint("Raise aiaas.max_input_bytes.")));
}

/*
 * Numbers and pixels
 */
typedef struct Values
{
	const AiaasNumberColumn *columns;	/* [n] */
	const Datum *values;		/* [n] */
	int			n;
} Values;

/* The columns of a row; false: one is NULL. */
static bool
take_columns(Values *values, const AiaasInputNumbers *numbers, HeapTupleHeader row)
{
	TupleDesc	desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row),
											  HeapTupleHeaderGetTypMod(row));
	HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(row), .t_data = row};
	Datum	   *all = palloc(desc->natts * sizeof(Datum));
	bool	   *is_null = palloc(desc->natts * sizeof(bool));
	Datum	   *taken = palloc(numbers->n_columns * sizeof(Datum));
	bool		has_null = false;

	heap_deform_tuple(&tuple, desc, all, is_null);
	ReleaseTupleDesc(desc);
	for (int i = 0; i < numbers->n_columns; i++)
	{
		taken[i] = all[numbers->columns[i].number - 1];
		has_null |= is_null[numbers->columns[i].number - 1];
	}
	*values = (Values) {numbers->columns, taken, numbers->n_columns};
	pfree(all);
	pfree(is_null);
	return !has_null;
}

/* Of values that are not unpacked yet */
static size_t
length_of_all(const Values *values)
{
	size_t		n_bytes = 0;

	for (int i = 0; i < values->n; i++)
	{
		if (values->columns[i].reader.form != AIAAS_NUMBERS_SCALAR)
			n_bytes += toast_raw_datum_size(values->values[i]) - VARHDRSZ;
	}
	return n_bytes;
}

static void
name_model(void *arg)
{
	errcontext("input of model \"%s\"", ((const AiaasModel *) arg)->name);
}

static _Noreturn void
reject_input(const AiaasModel *model, const AiError *err)
{
	ErrorContextCallback callback = {error_context_stack, name_model, (void *) model};

	error_context_stack = &callback;
	aiaas_raise(err);
}

static bool
read_numbers(AiaasInput *input, const AiaasModel *model, Datum value, const void **bytes,
			 size_t *len)
{
	Values		values = {&input->numbers.value, &value, 1};
	AiError		err;

	if (input->is_row)
	{
		HeapTupleHeader row = DatumGetHeapTupleHeader(value);

		if (!is_same_row_type(input, row))
			find_columns(input, model, row);
		if (!take_columns(&values, &input->numbers, row))
			return false;
	}
	if (aiaas_max_input_bytes > 0)
		aiaas_check_input(length_of_all(&values), false);
	if (aiaas_input_numbers_read(input->numbers.network, values.columns, values.values, values.n,
								 bytes, len, &err) != AI_OK)
		reject_input(model, &err);
	return true;
}

static AiaasReading
try_read_numbers(const AiaasInput *input, Datum value, const void **bytes, size_t *len)
{
	Values		values = {&input->numbers.value, &value, 1};

	if (input->is_row)
	{
		HeapTupleHeader row = DatumGetHeapTupleHeader(value);

		if (!is_same_row_type(input, row))
			return AIAAS_READING_LEFT;
		if (!take_columns(&values, &input->numbers, row))
			return AIAAS_READING_NULL;
	}
	if ((aiaas_max_input_bytes > 0 && is_too_long(length_of_all(&values))) ||
		aiaas_input_numbers_read(input->numbers.network, values.columns, values.values, values.n,
								 bytes, len, NULL) != AI_OK)
		return AIAAS_READING_LEFT;
	return AIAAS_READING_DONE;
}

/*
 * All
 */
bool
aiaas_input_read(AiaasInput *input, const AiaasModel *model, Datum value, const void **bytes,
				 size_t *len)
{
	const char *utf8;

	if (unlikely(input->numbers.network != NULL))
		return read_numbers(input, model, value, bytes, len);
	if (input->is_row)
	{
		HeapTupleHeader row = DatumGetHeapTupleHeader(value);
		bool		is_null;

		if (!is_same_row_type(input, row))
			find_columns(input, model, row);
		value = GetAttributeByNum(row, input->column, &is_null);
		if (is_null)
			return false;
	}
	if (unlikely(aiaas_max_input_bytes > 0))
		aiaas_check_input(length_of(input, value), true);
	aiaas_reader_get(&input->reader, value, &utf8, len);
	*bytes = utf8;
	return true;
}

AiaasReading
aiaas_input_try_read(const AiaasInput *input, Datum value, const void **bytes, size_t *len)
{
	const char *utf8;

	if (!OidIsValid(input->type))
		return AIAAS_READING_LEFT;
	if (unlikely(input->numbers.network != NULL))
		return try_read_numbers(input, value, bytes, len);
	if (input->is_row)
	{
		HeapTupleHeader row = DatumGetHeapTupleHeader(value);
		bool		is_null;

		if (!is_same_row_type(input, row))
			return AIAAS_READING_LEFT;
		value = GetAttributeByNum(row, input->column, &is_null);
		if (is_null)
			return AIAAS_READING_NULL;
	}
	if (is_too_long(length_of(input, value)) ||
		!aiaas_reader_try_get(&input->reader, value, &utf8, len))
		return AIAAS_READING_LEFT;
	*bytes = utf8;
	return AIAAS_READING_DONE;
}
