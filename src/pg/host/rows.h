/*-------------------------------------------------------------------------
 * rows.h
 *		Functions that return rows: all at once, into a tuplestore.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_ROWS_H
#define AIAAS_ROWS_H

#include "fmgr.h"
#include "utils/tuplestore.h"

typedef struct AiaasRows
{
	Tuplestorestate *store;		/* owned by the executor */
	TupleDesc	desc;
} AiaasRows;

/* The function returns a set of the type that it was declared with. */
extern void aiaas_rows_begin(AiaasRows *rows, FunctionCallInfo fcinfo);
extern void aiaas_rows_put(AiaasRows *rows, Datum *values, bool *is_null);

#endif							/* AIAAS_ROWS_H */
