/*-------------------------------------------------------------------------
 * query.h
 *		Texts with labels, from one SELECT of the user.
 *
 * The query is checked before it runs: one SELECT that neither writes nor
 * locks, with one column of text and the target.  It runs as the caller, in a
 * transaction that is read-only meanwhile, so that functions in it cannot write
 * either.  Rows go to the handler one by one as the executor makes them:
 * whatever the size of the result, memory holds one row.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_QUERY_H
#define AIAAS_QUERY_H

#include "executor/spi.h"

#include "pg/host/datum.h"

typedef struct AiaasColumn
{
	int			index;			/* from 0 */
	char	   *name;
	Oid			type;
	AiaasTextReader reader;
} AiaasColumn;

typedef struct AiaasQuery
{
	const char *sql;			/* borrowed */
	SPIPlanPtr	plan;			/* NULL once closed */
	AiaasColumn text;
	AiaasColumn target;
	int64		n_rows;			/* that the handler got */
	int64		n_null_rows;	/* left out because text or target is null */
} AiaasQuery;

/* UTF-8; valid until the handler returns */
typedef struct AiaasExample
{
	const char *text;
	size_t		text_len;
	const char *label;
	size_t		label_len;
} AiaasExample;

typedef void (*AiaasExampleHandler) (void *ud, const AiaasExample *example);

/*
 * Check sql and find its columns.  target may be NULL where one column has a
 * name that says it.  SPI is connected from here to close.
 */
extern void aiaas_query_open(AiaasQuery *query, const char *sql, const char *target);

/* Once per open */
extern void aiaas_query_run(AiaasQuery *query, AiaasExampleHandler handler, void *ud);
extern void aiaas_query_close(AiaasQuery *query);

#endif							/* AIAAS_QUERY_H */
