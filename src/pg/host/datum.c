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

/* The same without an error: NULL where something has no place in UTF-8 */
static const char *
try_server_to_utf8(const char *bytes, size_t n_bytes, size_t *len)
{
	int			encoding = GetDatabaseEncoding();
	size_t		room = n_bytes * MAX_CONVERSION_GROWTH + 1;
	Oid			proc;
	char	   *utf8;

	*len = n_bytes;
	if (is_encoding_passed_through())
		return bytes;
	proc = FindDefaultConversionProc(encoding, PG_UTF8);
	if (!OidIsValid(proc) || !AllocSizeIsValid(room))
		return NULL;
	utf8 = palloc(room);
	if (pg_do_encoding_conversion_buf(proc, encoding, PG_UTF8, (unsigned char *) bytes,
									  (int) n_bytes, (unsigned char *) utf8, (int) room,
									  true) < (int) n_bytes)
		return NULL;
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

const char *
aiaas_text_try_to_utf8(const text *value, size_t *len)
{
	return try_server_to_utf8(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), len);
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

/*
 * A value's text in the database's encoding
 */
typedef struct Bytes
{
	const char *data;			/* [len], not terminated */
	size_t		len;
} Bytes;

static Bytes
cstring_bytes(const char *value)
{
	return (Bytes) {value, strlen(value)};
}

static inline Bytes
varlena_bytes(const text *value)
{
	return (Bytes) {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)};
}

/* The content of a string, the text of any other document */
static Bytes
jsonb_bytes(Jsonb *document)
{
	JsonbValue	scalar;

	if (JsonbExtractScalar(&document->root, &scalar) && scalar.type == jbvString)
		return (Bytes) {scalar.val.string.val, scalar.val.string.len};
	return cstring_bytes(JsonbToCString(NULL, &document->root, VARSIZE(document)));
}

static bool
is_json_string(Bytes document)
{
	size_t		start = 0;

	while (start < document.len && strchr(" \t\r\n", document.data[start]) != NULL)
		start++;
	return start < document.len && document.data[start] == '"';
}

static Bytes
json_bytes(const text *document)
{
	Bytes		bytes = varlena_bytes(document);
	Datum		parsed;

	if (!is_json_string(bytes))
		return bytes;
	parsed = DirectFunctionCall1(jsonb_in, CStringGetDatum(text_to_cstring(document)));
	return jsonb_bytes(DatumGetJsonbP(parsed));
}

static Bytes
bpchar_bytes(const BpChar *padded)
{
	return (Bytes) {
		VARDATA_ANY(padded), bpchartruelen(VARDATA_ANY(padded), VARSIZE_ANY_EXHDR(padded))
	};
}

static Bytes
output_bytes(const AiaasTextReader *reader, Datum value)
{
	return cstring_bytes(OutputFunctionCall((FmgrInfo *) &reader->output, value));
}

/* 3, 3.0 and 3e0 are one class. */
static bool
numeric_bytes(Bytes *bytes, Datum value)
{
	Numeric		number = DatumGetNumeric(value);
	Datum		whole;

	if (numeric_is_nan(number) || numeric_is_inf(number))
		return false;
	whole = DirectFunctionCall2(numeric_trunc, value, Int32GetDatum(0));
	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, value, whole)))
		return false;
	*bytes = cstring_bytes(DatumGetCString(DirectFunctionCall1(numeric_out, whole)));
	return true;
}

static bool
float_bytes(Bytes *bytes, const AiaasTextReader *reader, Datum value)
{
	bool		is_single = reader->base_type == FLOAT4OID;
	double		number = is_single ? DatumGetFloat4(value) : DatumGetFloat8(value);

	if (!isfinite(number) || number != trunc(number))
		return false;
	/* -0 as well */
	*bytes = number == 0 ? cstring_bytes("0") : output_bytes(reader, value);
	return true;
}

static bool
get_bytes(Bytes *bytes, const AiaasTextReader *reader, Datum value)
{
	switch (reader->form)
	{
		case AIAAS_FORM_VARLENA:
			*bytes = varlena_bytes(DatumGetTextPP(value));
			break;
		case AIAAS_FORM_BPCHAR:
			*bytes = bpchar_bytes(DatumGetBpCharPP(value));
			break;
		case AIAAS_FORM_NAME:
			*bytes = cstring_bytes(NameStr(*DatumGetName(value)));
			break;
		case AIAAS_FORM_CSTRING:
			*bytes = cstring_bytes(DatumGetCString(value));
			break;
		case AIAAS_FORM_JSON:
			*bytes = json_bytes(DatumGetTextPP(value));
			break;
		case AIAAS_FORM_JSONB:
			*bytes = jsonb_bytes(DatumGetJsonbP(value));
			break;
		case AIAAS_FORM_BOOL:
			*bytes = cstring_bytes(DatumGetBool(value) ? "true" : "false");
			break;
		case AIAAS_FORM_NUMBER:
			if (reader->base_type == NUMERICOID)
				return numeric_bytes(bytes, value);
			return float_bytes(bytes, reader, value);
		case AIAAS_FORM_OUTPUT:
			*bytes = output_bytes(reader, value);
			break;
		case AIAAS_FORM_NONE:
			elog(ERROR, "type %u has no reader", reader->type);
	}
	return true;
}

bool
aiaas_reader_get(const AiaasTextReader *reader, Datum value, const char **utf8, size_t *len)
{
	Bytes		bytes;

	if (likely(reader->form == AIAAS_FORM_VARLENA))
		bytes = varlena_bytes(DatumGetTextPP(value));
	else if (!get_bytes(&bytes, reader, value))
		return false;
	*utf8 = server_to_utf8(bytes.data, bytes.len, len);
	return true;
}

/*
 * Reading without an error
 */

/* A number of some bytes may have 131,072 digits, and a text at most a gigabyte. */
#define MAX_HARMLESS_JSONB (64 * 1024)

/* json allows escapes that jsonb does not take, such as \u0000. */
static bool
is_harmless_json(const text *document)
{
	Bytes		bytes = varlena_bytes(document);

	return !is_json_string(bytes) ||
		(bytes.len <= JENTRY_OFFLENMASK && memchr(bytes.data, '\\', bytes.len) == NULL);
}

/* Is it sure that get_bytes() raises nothing?  A document is unpacked in its place. */
static bool
is_harmless(const AiaasTextReader *reader, Datum *value)
{
	switch (reader->form)
	{
		case AIAAS_FORM_JSON:
			*value = PointerGetDatum(DatumGetTextPP(*value));
			return is_harmless_json((const text *) DatumGetPointer(*value));
		case AIAAS_FORM_JSONB:
			*value = PointerGetDatum(DatumGetJsonbP(*value));
			return JB_ROOT_IS_SCALAR(DatumGetPointer(*value)) ||
				VARSIZE(DatumGetPointer(*value)) <= MAX_HARMLESS_JSONB;
		case AIAAS_FORM_OUTPUT:
			/* Others, such as a user's own type, may have an output function that raises. */
			return reader->is_enum || reader->output.fn_addr == textout;
		default:
			return true;
	}
}

bool
aiaas_reader_try_get(const AiaasTextReader *reader, Datum value, const char **utf8, size_t *len)
{
	Bytes		bytes;

	if (!is_harmless(reader, &value) || !get_bytes(&bytes, reader, value))
		return false;
	*utf8 = try_server_to_utf8(bytes.data, bytes.len, len);
	return *utf8 != NULL;
}
