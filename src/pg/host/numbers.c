/*-------------------------------------------------------------------------
 * numbers.c
 *		SQL values as the core's floats.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/host/numbers.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/tupmacs.h"
#include "catalog/dependency.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "pg/host/compat.h"

/* vector and halfvec: their length, dimensions and two bytes that are unused, then the numbers */
#define VECTOR_HEAD 8

/*
 * Numbers, one after the other
 */
#define DEFINE_CONVERT(type) \
	static void \
	convert_##type(float *to, const void *from, size_t n) \
	{ \
		const type *x = from; \
\
		for (size_t i = 0; i < n; i++) \
			to[i] = (float) x[i]; \
	}

DEFINE_CONVERT(bool)
DEFINE_CONVERT(uint8)
DEFINE_CONVERT(int16)
DEFINE_CONVERT(int32)
DEFINE_CONVERT(int64)
DEFINE_CONVERT(float4)
DEFINE_CONVERT(float8)

/* IEEE's binary16 */
static inline float
half_to_float(uint16 half)
{
	float		sign = (half & 0x8000) != 0 ? -1 : 1;
	int			exponent = (half >> 10) & 0x1f;
	int			fraction = half & 0x3ff;

	if (exponent == 0x1f)
		return fraction == 0 ? sign * INFINITY : NAN;
	if (exponent == 0)
		return sign * ldexpf((float) fraction, -24);
	return sign * ldexpf((float) (fraction + 0x400), exponent - 25);
}

static void
convert_halves(float *to, const void *from, size_t n)
{
	const uint16 *half = from;

	for (size_t i = 0; i < n; i++)
		to[i] = half_to_float(half[i]);
}

struct AiaasNumberKind
{
	Oid			type;
	int16		length;			/* -1: numeric */
	bool		is_by_value;
	char		align;
	void		(*convert) (float *to, const void *from, size_t n);
};

static const AiaasNumberKind kinds[] = {
	{BOOLOID, sizeof(bool), true, TYPALIGN_CHAR, convert_bool},
	{INT2OID, sizeof(int16), true, TYPALIGN_SHORT, convert_int16},
	{INT4OID, sizeof(int32), true, TYPALIGN_INT, convert_int32},
	{INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, convert_int64},
	{FLOAT4OID, sizeof(float4), true, TYPALIGN_INT, convert_float4},
	{FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, convert_float8},
	{NUMERICOID, -1, false, TYPALIGN_INT, NULL}
};

/*
 * Readers
 */
static const AiaasNumberKind *
find_kind(Oid type)
{
	for (size_t i = 0; i < lengthof(kinds); i++)
	{
		if (kinds[i].type == type)
			return &kinds[i];
	}
	return NULL;
}

/* A type that belongs to an extension cannot be made by whoever likes to. */
static AiaasNumberForm
extension_form(Oid type)
{
	AiaasNumberForm form = AIAAS_NUMBERS_NONE;
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));

	if (!HeapTupleIsValid(tuple))
		return AIAAS_NUMBERS_NONE;
	if (((Form_pg_type) GETSTRUCT(tuple))->typtype == TYPTYPE_BASE &&
		((Form_pg_type) GETSTRUCT(tuple))->typlen == -1)
	{
		const char *name = NameStr(((Form_pg_type) GETSTRUCT(tuple))->typname);

		if (strcmp(name, "vector") == 0)
			form = AIAAS_NUMBERS_VECTOR;
		else if (strcmp(name, "halfvec") == 0)
			form = AIAAS_NUMBERS_HALFVEC;
	}
	ReleaseSysCache(tuple);
	if (form != AIAAS_NUMBERS_NONE &&
		!OidIsValid(getExtensionOfObject(TypeRelationId, type)))
		return AIAAS_NUMBERS_NONE;
	return form;
}

bool
aiaas_number_reader_init(AiaasNumberReader *reader, Oid type)
{
	Oid			base_type = getBaseType(type);
	Oid			element = get_element_type(base_type);

	reader->type = type;
	reader->kind = find_kind(OidIsValid(element) ? getBaseType(element) : base_type);
	if (reader->kind != NULL)
		reader->form = OidIsValid(element) ? AIAAS_NUMBERS_ARRAY : AIAAS_NUMBERS_SCALAR;
	else if (base_type == BYTEAOID)
		reader->form = AIAAS_NUMBERS_BYTES;
	else if (!OidIsValid(element))
		reader->form = extension_form(base_type);
	else
		reader->form = AIAAS_NUMBERS_NONE;
	return reader->form != AIAAS_NUMBERS_NONE;
}

/*
 * Unpacking
 */
static void
open_array(AiaasNumbers *numbers)
{
	ArrayType  *array = DatumGetArrayTypeP(numbers->value);

	numbers->value = PointerGetDatum(array);
	numbers->n = (size_t) ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (numbers->reader->kind->convert != NULL && !array_contains_nulls(array))
		numbers->data = ARR_DATA_PTR(array);
	if (numbers->reader->kind->type == FLOAT4OID)
		numbers->floats = numbers->data;
}

/* By the bytes that are there, whatever the value says of its dimensions */
static void
open_vector(AiaasNumbers *numbers, size_t number_size)
{
	const struct varlena *vector = PG_DETOAST_DATUM(numbers->value);

	numbers->data = (const char *) vector + VECTOR_HEAD;
	if (VARSIZE(vector) > VECTOR_HEAD)
		numbers->n = (VARSIZE(vector) - VECTOR_HEAD) / number_size;
}

static void
open_bytes(AiaasNumbers *numbers)
{
	const struct varlena *bytes = PG_DETOAST_DATUM_PACKED(numbers->value);

	numbers->data = numbers->bytes = (const uint8 *) VARDATA_ANY(bytes);
	numbers->n = VARSIZE_ANY_EXHDR(bytes);
}

void
aiaas_numbers_open(AiaasNumbers *numbers, const AiaasNumberReader *reader, Datum value)
{
	*numbers = (AiaasNumbers) {.reader = reader, .value = value};
	switch (reader->form)
	{
		case AIAAS_NUMBERS_SCALAR:
			numbers->n = 1;
			break;
		case AIAAS_NUMBERS_ARRAY:
			open_array(numbers);
			break;
		case AIAAS_NUMBERS_VECTOR:
			open_vector(numbers, sizeof(float));
			numbers->floats = numbers->data;
			break;
		case AIAAS_NUMBERS_HALFVEC:
			open_vector(numbers, sizeof(uint16));
			break;
		case AIAAS_NUMBERS_BYTES:
			open_bytes(numbers);
			break;
		case AIAAS_NUMBERS_NONE:
			elog(ERROR, "type %u holds no numbers", reader->type);
	}
}

/*
 * Reading
 */

/* An exponent of all ones, and one more, carries; a second look shows whose it is. */
static AiaasNumberFault
check_floats(const float *x, size_t n, size_t *place)
{
	uint32		all = 0;

	for (size_t i = 0; i < n; i++)
	{
		uint32		bits;

		memcpy(&bits, &x[i], sizeof(bits));
		all |= (bits & 0x7f800000) + 0x00800000;
	}
	if ((all & 0x80000000) == 0)
		return AIAAS_NUMBERS_FINE;
	*place = 1;
	while (isfinite(x[*place - 1]))
		(*place)++;
	return AIAAS_NUMBERS_RANGE;
}

static float
read_numeric(Datum value)
{
	return (float) DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
}

static void
read_scalar(const AiaasNumbers *numbers, float *number)
{
	const AiaasNumberKind *kind = numbers->reader->kind;
	Datum		place;

	if (kind->convert == NULL)
		*number = read_numeric(numbers->value);
	else if (kind->is_by_value)
	{
		store_att_byval(&place, numbers->value, kind->length);
		kind->convert(number, &place, 1);
	}
	else
		kind->convert(number, DatumGetPointer(numbers->value), 1);
}

/* An array of numeric, or with an element that is NULL */
static AiaasNumberFault
read_elements(const AiaasNumbers *numbers, float *floats, size_t *place)
{
	const AiaasNumberKind *kind = numbers->reader->kind;
	Datum	   *elements;
	bool	   *is_null;
	int			n;

	deconstruct_array(DatumGetArrayTypeP(numbers->value), kind->type, kind->length,
					  kind->is_by_value, kind->align, &elements, &is_null, &n);
	for (int i = 0; i < n; i++)
	{
		*place = (size_t) i + 1;
		if (is_null[i])
			return AIAAS_NUMBERS_NULL;
		if (kind->convert == NULL)
			floats[i] = read_numeric(elements[i]);
	}
	pfree(elements);
	pfree(is_null);
	return check_floats(floats, numbers->n, place);
}

AiaasNumberFault
aiaas_numbers_read(const AiaasNumbers *numbers, float *floats, size_t *place)
{
	switch (numbers->reader->form)
	{
		case AIAAS_NUMBERS_SCALAR:
			read_scalar(numbers, floats);
			break;
		case AIAAS_NUMBERS_ARRAY:
			if (numbers->data == NULL)
				return read_elements(numbers, floats, place);
			numbers->reader->kind->convert(floats, numbers->data, numbers->n);
			break;
		case AIAAS_NUMBERS_VECTOR:
			convert_float4(floats, numbers->data, numbers->n);
			break;
		case AIAAS_NUMBERS_HALFVEC:
			convert_halves(floats, numbers->data, numbers->n);
			break;
		case AIAAS_NUMBERS_BYTES:
			convert_uint8(floats, numbers->data, numbers->n);
			return AIAAS_NUMBERS_FINE;
		case AIAAS_NUMBERS_NONE:
			break;
	}
	return check_floats(floats, numbers->n, place);
}

AiaasNumberFault
aiaas_numbers_check(const AiaasNumbers *numbers, size_t *place)
{
	return check_floats(numbers->floats, numbers->n, place);
}
