/*-------------------------------------------------------------------------
 * datum.c
 *		SQL values as UTF-8 texts, and back.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/host/datum.h"

#include <math.h>

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "pg/host/compat.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

/*
 * Encodings
 */

/* The database's bytes are UTF-8 already, or of a meaning that nobody knows. */
static bool
is_encoding_passed_through(void)
{
	return GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII;
}

static const char *
server_to_utf8(const char *bytes, size_t n_bytes, size_t *len)
{
	char	   *utf8;

	*len = n_bytes;
	if (is_encoding_passed_through())
		return bytes;
	utf8 = pg_server_to_any(bytes, (int) n_bytes, PG_UTF8);
	if (utf8 != bytes)
		*len = strlen(utf8);
	return utf8;
}

char *
aiaas_utf8_to_cstring(const char *utf8, size_t len)
{
	char	   *copy = pnstrdup(utf8, len);

	if (GetDatabaseEncoding() == PG_SQL_ASCII)
		return copy;
	return pg_any_to_server(copy, (int) len, PG_UTF8);
}

text *
aiaas_utf8_to_text(const char *utf8, size_t len)
{
	if (GetDatabaseEncoding() == PG_SQL_ASCII)
		return cstring_to_text_with_len(utf8, (int) len);
	if (GetDatabaseEncoding() == PG_UTF8)
	{
		pg_verifymbstr(utf8, (int) len, false);
		return cstring_to_text_with_len(utf8, (int) len);
	}
	return cstring_to_text(aiaas_utf8_to_cstring(utf8, len));
}

char *
aiaas_utf8_to_message(const char *utf8)
{
	int			encoding = GetDatabaseEncoding();
	size_t		len = strlen(utf8);
	size_t		room = len * MAX_CONVERSION_GROWTH + 1;
	char	   *message;
	char	   *end;
	Oid			proc;

	if (is_encoding_passed_through())
		return pstrdup(utf8);
	proc = FindDefaultConversionProc(PG_UTF8, encoding);
	message = end = palloc(room);
	*end = '\0';
	while (len > 0)
	{
		int			n_done = 0;

		if (OidIsValid(proc))
			n_done = pg_do_encoding_conversion_buf(proc, PG_UTF8, encoding,
												   (unsigned char *) utf8, (int) len,
												   (unsigned char *) end,
												   (int) (room - (end - message)), true);
		utf8 += n_done;
		len -= n_done;
		end += strlen(end);
		if (len > 0)
		{
			size_t		n_skipped = pg_encoding_mblen(PG_UTF8, utf8);

			/* What has no place here, or, without a conversion, is not ASCII */
			*end = (!OidIsValid(proc) && !IS_HIGHBIT_SET(*utf8)) ? *utf8 : '?';
			*++end = '\0';
			n_skipped = Min(n_skipped, len);
			utf8 += n_skipped;
			len -= n_skipped;
		}
	}
	return message;
}

const char *
aiaas_text_to_utf8(const text *value, size_t *len)
{
	return server_to_utf8(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), len);
}

/*
 * Readers
 */
static AiaasTextForm
text_form_of(Oid base_type, bool is_enum)
{
	char		category;
	bool		is_preferred;

	switch (base_type)
	{
		case TEXTOID:
		case VARCHAROID:
			return AIAAS_FORM_VARLENA;
		case BPCHAROID:
			return AIAAS_FORM_BPCHAR;
		case NAMEOID:
			return AIAAS_FORM_NAME;
		case UNKNOWNOID:
		case CSTRINGOID:
			return AIAAS_FORM_CSTRING;
		case JSONOID:
			return AIAAS_FORM_JSON;
		case JSONBOID:
			return AIAAS_FORM_JSONB;
	}
	if (is_enum)
		return AIAAS_FORM_OUTPUT;
	get_type_category_preferred(base_type, &category, &is_preferred);
	return category == TYPCATEGORY_STRING ? AIAAS_FORM_OUTPUT : AIAAS_FORM_NONE;
}

static AiaasTextForm
label_form_of(Oid base_type, bool is_enum)
{
	switch (base_type)
	{
		case BOOLOID:
			return AIAAS_FORM_BOOL;
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return AIAAS_FORM_OUTPUT;
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			return AIAAS_FORM_NUMBER;
		default:
			return text_form_of(base_type, is_enum);
	}
}

typedef AiaasTextForm (*FormOf) (Oid base_type, bool is_enum);

static bool
reader_init(AiaasTextReader *reader, Oid type, MemoryContext context, FormOf form_of)
{
	memset(reader, 0, sizeof(*reader));
	reader->type = type;
	reader->base_type = getBaseType(type);
	reader->is_enum = type_is_enum(reader->base_type);
	reader->form = form_of(reader->base_type, reader->is_enum);
	if (reader->form == AIAAS_FORM_OUTPUT || reader->form == AIAAS_FORM_NUMBER)
	{
		Oid			output;
		bool		is_varlena;

		getTypeOutputInfo(reader->base_type, &output, &is_varlena);
		fmgr_info_cxt(output, &reader->output, context);
	}
	return reader->form != AIAAS_FORM_NONE;
}

bool
aiaas_text_reader_init(AiaasTextReader *reader, Oid type, MemoryContext context)
{
	return reader_init(reader, type, context, text_form_of);
}

bool
aiaas_label_reader_init(AiaasTextReader *reader, Oid type, MemoryContext context)
{
	return reader_init(reader, type, context, label_form_of);
}

static const char *
cstring_to_utf8(const char *value, size_t *len)
{
	return server_to_utf8(value, strlen(value), len);
}

/* The content of a string, the text of any other document */
static const char *
jsonb_to_utf8(Datum value, size_t *len)
{
	Jsonb	   *document = DatumGetJsonbP(value);
	JsonbValue	scalar;

	if (JsonbExtractScalar(&document->root, &scalar) && scalar.type == jbvString)
		return server_to_utf8(scalar.val.string.val, scalar.val.string.len, len);
	return cstring_to_utf8(JsonbToCString(NULL, &document->root, VARSIZE(document)), len);
}

static const char *
json_to_utf8(Datum value, size_t *len)
{
	text	   *document = DatumGetTextPP(value);
	const char *bytes = VARDATA_ANY(document);
	size_t		n_bytes = VARSIZE_ANY_EXHDR(document);
	size_t		start = 0;

	while (start < n_bytes && strchr(" \t\r\n", bytes[start]) != NULL)
		start++;
	if (start == n_bytes || bytes[start] != '"')
		return server_to_utf8(bytes, n_bytes, len);
	return jsonb_to_utf8(DirectFunctionCall1(jsonb_in,
											 CStringGetDatum(text_to_cstring(document))),
						 len);
}

static const char *
bpchar_to_utf8(Datum value, size_t *len)
{
	BpChar	   *padded = DatumGetBpCharPP(value);
	int			n_bytes = bpchartruelen(VARDATA_ANY(padded), VARSIZE_ANY_EXHDR(padded));

	return server_to_utf8(VARDATA_ANY(padded), n_bytes, len);
}

/* 3, 3.0 and 3e0 are one class. */
static bool
numeric_to_utf8(Datum value, const char **utf8, size_t *len)
{
	Numeric		number = DatumGetNumeric(value);
	Datum		whole;

	if (numeric_is_nan(number) || numeric_is_inf(number))
		return false;
	whole = DirectFunctionCall2(numeric_trunc, value, Int32GetDatum(0));
	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, value, whole)))
		return false;
	*utf8 = cstring_to_utf8(DatumGetCString(DirectFunctionCall1(numeric_out, whole)), len);
	return true;
}

static bool
float_to_utf8(const AiaasTextReader *reader, Datum value, const char **utf8, size_t *len)
{
	bool		is_single = reader->base_type == FLOAT4OID;
	double		number = is_single ? DatumGetFloat4(value) : DatumGetFloat8(value);

	if (!isfinite(number) || number != trunc(number))
		return false;
	if (number == 0)			/* -0 as well */
		*utf8 = cstring_to_utf8("0", len);
	else
		*utf8 = cstring_to_utf8(OutputFunctionCall((FmgrInfo *) &reader->output, value), len);
	return true;
}

bool
aiaas_reader_get(const AiaasTextReader *reader, Datum value, const char **utf8, size_t *len)
{
	switch (reader->form)
	{
		case AIAAS_FORM_VARLENA:
			*utf8 = aiaas_text_to_utf8(DatumGetTextPP(value), len);
			break;
		case AIAAS_FORM_BPCHAR:
			*utf8 = bpchar_to_utf8(value, len);
			break;
		case AIAAS_FORM_NAME:
			*utf8 = cstring_to_utf8(NameStr(*DatumGetName(value)), len);
			break;
		case AIAAS_FORM_CSTRING:
			*utf8 = cstring_to_utf8(DatumGetCString(value), len);
			break;
		case AIAAS_FORM_JSON:
			*utf8 = json_to_utf8(value, len);
			break;
		case AIAAS_FORM_JSONB:
			*utf8 = jsonb_to_utf8(value, len);
			break;
		case AIAAS_FORM_BOOL:
			*utf8 = cstring_to_utf8(DatumGetBool(value) ? "true" : "false", len);
			break;
		case AIAAS_FORM_NUMBER:
			if (reader->base_type == NUMERICOID)
				return numeric_to_utf8(value, utf8, len);
			return float_to_utf8(reader, value, utf8, len);
		case AIAAS_FORM_OUTPUT:
			*utf8 = cstring_to_utf8(OutputFunctionCall((FmgrInfo *) &reader->output, value), len);
			break;
		case AIAAS_FORM_NONE:
			elog(ERROR, "type %u has no reader", reader->type);
	}
	return true;
}
