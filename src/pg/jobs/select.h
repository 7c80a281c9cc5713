/*-------------------------------------------------------------------------
 * select.h
 *		Rows of one SELECT that the user gives as a text.
 *
 * The query is checked before it runs: one SELECT that neither writes nor
 * locks.  It runs as the caller, in a transaction that is read-only meanwhile,
 * so that functions in it cannot write either.  Rows go to the handler one by
 * one as the executor makes them: whatever the size of the result, memory
 * holds one row.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_SELECT_H
#define AIAAS_SELECT_H

#include "executor/spi.h"

typedef struct AiaasSelect
{
	SPIPlanPtr	plan;			/* NULL once closed */
	TupleDesc	desc;			/* of its rows; borrowed from the plan */
	uint64		max_rows;		/* after which it is not run further; 0: all, as open sets it */
} AiaasSelect;

/* Called in a memory context that is reset after every row */
typedef void (*AiaasRowHandler) (void *ud, TupleTableSlot *slot);

/* SPI is connected from here to close. */
extern void aiaas_select_open(AiaasSelect *select, const char *sql);

/* How many rows the planner expects */
extern double aiaas_select_n_rows(const AiaasSelect *select);

/* Once per open */
extern void aiaas_select_run(AiaasSelect *select, AiaasRowHandler handler, void *ud);
extern void aiaas_select_close(AiaasSelect *select);

/* "The query has the columns ...", for the detail of a message */
extern char *aiaas_select_columns(const AiaasSelect *select);

#endif							/* AIAAS_SELECT_H */
