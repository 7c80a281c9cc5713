/*-------------------------------------------------------------------------
 * query.h
 *		Texts with labels, from one SELECT of the user.
 *
 * It has one column of text and the target, which is checked before it runs;
 * select.h says what else holds of it.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_QUERY_H
#define AIAAS_QUERY_H

#include "pg/host/datum.h"
#include "pg/jobs/select.h"

typedef struct AiaasTextColumn
{
	int			index;			/* from 0 */
	char	   *name;
	Oid			type;
	AiaasTextReader reader;
} AiaasTextColumn;

typedef struct AiaasQuery
{
	const char *sql;			/* borrowed */
	AiaasSelect select;
	AiaasTextColumn text;
	AiaasTextColumn target;
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
