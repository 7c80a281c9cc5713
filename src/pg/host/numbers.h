/*-------------------------------------------------------------------------
 * numbers.h
 *		SQL values as the core's floats.
 *
 * A reader is made once per column or call site and then used for every value: a number
 * or boolean, an array of these of any dimensions, row by row, pgvector's vector and
 * halfvec, and the bytes of a bytea.  Of pgvector nothing is needed but the names of its
 * types; their layout is as it was in all of its versions.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_NUMBERS_H
#define AIAAS_NUMBERS_H

#include "fmgr.h"

typedef enum AiaasNumberForm
{
	AIAAS_NUMBERS_NONE,			/* not a type that holds numbers */
	AIAAS_NUMBERS_SCALAR,		/* one number, or true and false as 1 and 0 */
	AIAAS_NUMBERS_ARRAY,
	AIAAS_NUMBERS_VECTOR,
	AIAAS_NUMBERS_HALFVEC,
	AIAAS_NUMBERS_BYTES			/* bytea: each byte is a number from 0 to 255 */
} AiaasNumberForm;

typedef struct AiaasNumberKind AiaasNumberKind;

typedef struct AiaasNumberReader
{
	Oid			type;			/* as given */
	AiaasNumberForm form;
	const AiaasNumberKind *kind;	/* of a scalar, or of an array's elements */
} AiaasNumberReader;

/* False for other types.  Domains are what they are over.  Raises nothing. */
extern bool aiaas_number_reader_init(AiaasNumberReader *reader, Oid type);

typedef enum AiaasNumberFault
{
	AIAAS_NUMBERS_FINE,
	AIAAS_NUMBERS_NULL,			/* an element is NULL */
	AIAAS_NUMBERS_RANGE			/* one is NaN, infinite or beyond the range of float4 */
} AiaasNumberFault;

/* A value that is not NULL, unpacked; it lives as long as the datum or the current context. */
typedef struct AiaasNumbers
{
	const AiaasNumberReader *reader;
	Datum		value;
	size_t		n;
	const void *data;			/* where they lie one after the other; else NULL */
	const float *floats;		/* [n] where the value holds them as they are; NULL elsewhere */
	const uint8 *bytes;			/* [n] of bytea; NULL elsewhere */
} AiaasNumbers;

extern void aiaas_numbers_open(AiaasNumbers *numbers, const AiaasNumberReader *reader,
							   Datum value);

/* floats:[n].  Where there is a fault, place is that of the first in the value, from 1. */
extern AiaasNumberFault aiaas_numbers_read(const AiaasNumbers *numbers, float *floats,
										   size_t *place);

/* The same without a copy, where numbers->floats is not NULL */
extern AiaasNumberFault aiaas_numbers_check(const AiaasNumbers *numbers, size_t *place);

#endif							/* AIAAS_NUMBERS_H */
