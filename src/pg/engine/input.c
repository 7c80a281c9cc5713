/*-------------------------------------------------------------------------
 * input.c
 *		The first argument of a call, as the text that a model reads.
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

static void
reject_type(const AiaasModel *model, Oid type)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("model \"%s\" classifies text, not %s", model->name, format_type_be(type)),
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
aiaas_input_try_init(AiaasInput *input, Oid type, MemoryContext context)
{
	static const AiaasInput text_input = {
		.is_varlena = true, .reader = {TEXTOID, TEXTOID, AIAAS_FORM_VARLENA}
	};

	*input = text_input;
	input->context = context;
	if (type != TEXTOID)
	{
		input->is_row = type_is_rowtype(type);
		if (!input->is_row && !try_init_reader(input, type))
			return false;
	}
	input->type = type;
	return true;
}

void
aiaas_input_init(AiaasInput *input, Oid type, const AiaasModel *model, MemoryContext context)
{
	if (!aiaas_input_try_init(input, type, context))
		reject_type(model, type);
}

void
aiaas_input_forget_model(AiaasInput *input)
{
	input->column = 0;
}

/* Find the model's column in a row type, and how to read it. */
static void
find_column(AiaasInput *input, const AiaasModel *model, Oid row_type, int32 row_typmod)
{
	TupleDesc	desc = lookup_rowtype_tupdesc(row_type, row_typmod);
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
	ReleaseTupleDesc(desc);

	if (column == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the row has no column \"%s\"", name),
				 errdetail("Model \"%s\" was trained on that column and finds it by name.",
						   model->name)));
	if (!try_init_reader(input, type))
		reject_type(model, type);
	input->row_type = row_type;
	input->row_typmod = row_typmod;
	input->column = column;
}

/* Is the column known in this row, as it was in the last one? */
static inline bool
is_same_row_type(const AiaasInput *input, HeapTupleHeader row)
{
	return input->column != 0 && HeapTupleHeaderGetTypeId(row) == input->row_type &&
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
aiaas_check_input(size_t n_bytes)
{
	if (is_too_long(n_bytes))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the text is too long to be classified"),
				 errdetail("It has %zu bytes, and aiaas.max_input_bytes is %d.",
						   n_bytes, aiaas_max_input_bytes),
				 errhint("Raise aiaas.max_input_bytes, or classify a part of the text, "
						 "for example with left().")));
}

bool
aiaas_input_read(AiaasInput *input, const AiaasModel *model, Datum value,
				 const char **utf8, size_t *len)
{
	if (input->is_row)
	{
		HeapTupleHeader row = DatumGetHeapTupleHeader(value);
		bool		is_null;

		if (!is_same_row_type(input, row))
			find_column(input, model, HeapTupleHeaderGetTypeId(row), HeapTupleHeaderGetTypMod(row));
		value = GetAttributeByNum(row, input->column, &is_null);
		if (is_null)
			return false;
	}
	if (unlikely(aiaas_max_input_bytes > 0))
		aiaas_check_input(length_of(input, value));
	aiaas_reader_get(&input->reader, value, utf8, len);
	return true;
}

AiaasReading
aiaas_input_try_read(const AiaasInput *input, Datum value, const char **utf8, size_t *len)
{
	if (!OidIsValid(input->type))
		return AIAAS_READING_LEFT;
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
		!aiaas_reader_try_get(&input->reader, value, utf8, len))
		return AIAAS_READING_LEFT;
	return AIAAS_READING_DONE;
}
