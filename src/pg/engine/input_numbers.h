/*-------------------------------------------------------------------------
 * input_numbers.h
 *		The first argument of a call, as the numbers or pixels that a network reads.
 *
 * A value that holds them, or a row with the columns that the network was trained on,
 * whose numbers follow each other in the order of these columns.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_INPUT_NUMBERS_H
#define AIAAS_INPUT_NUMBERS_H

#include "access/attnum.h"
#include "access/tupdesc.h"

#include "core/model/network.h"
#include "pg/catalog/catalog.h"
#include "pg/host/numbers.h"

typedef struct AiaasNumberColumn
{
	AttrNumber	number;			/* of the row; 0: the value itself is read */
	AiaasNumberReader reader;
} AiaasNumberColumn;

/* network is NULL where the model reads texts. */
typedef struct AiaasInputNumbers
{
	const AiNetwork *network;	/* borrowed from the engine */
	AiaasNumberColumn value;	/* of what is no row */
	AiaasNumberColumn *columns; /* [n_columns], of rows of the type that was seen last */
	int			n_columns;
} AiaasInputNumbers;

/* Does this network, which may be NULL, read them? */
extern bool aiaas_reads_numbers(const AiNetwork *network);

/* False: values of this type are not what the network reads. */
extern bool aiaas_input_numbers_init(AiaasInputNumbers *numbers, const AiNetwork *network,
									 Oid type);

/* Columns of a row type, in context; raises where one is missing or not of a type to be read. */
extern void aiaas_input_numbers_find(AiaasInputNumbers *numbers, const AiaasModel *model,
									 TupleDesc desc, MemoryContext context);

/*
 * columns:[n] and their values.  bytes live as long as these or the current memory context.
 * What does not fit the network is told by err.
 */
extern AiCode aiaas_input_numbers_read(const AiNetwork *network, const AiaasNumberColumn *columns,
									   const Datum *values, int n, const void **bytes,
									   size_t *len, AiError *err);

/* Raises datatype_mismatch; column is NULL where the value itself is what does not fit. */
extern _Noreturn void aiaas_reject_numbers(const AiNetwork *network, const AiaasModel *model,
										   Oid type, const char *column);

#endif							/* AIAAS_INPUT_NUMBERS_H */
