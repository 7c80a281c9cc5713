/*-------------------------------------------------------------------------
 * network_query.h
 *		What a network learns from: the columns of a user's SELECT, as the core's rows.
 *
 * All columns but the target are inputs: one of texts, one of bytea, or any number of
 * columns that hold numbers, whose numbers stand one after the other.
 *
 *	type of the target				task
 *	text, enum, boolean, integer	classes
 *	float, numeric					values
 *	array of float or numeric		values, several
 *	array of integer or boolean		a label for each step
 *	array of text					labels, any number of them
 *
 * A loss that is one of values makes integers values, and one of classes makes numbers
 * classes.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_NETWORK_QUERY_H
#define AIAAS_NETWORK_QUERY_H

#include "core/train/network_trainer.h"
#include "pg/host/datum.h"
#include "pg/host/numbers.h"
#include "pg/jobs/select.h"

typedef struct AiaasNetworkColumn
{
	int			index;			/* from 0 */
	char	   *name;
	Oid			type;
	AiaasNumberReader reader;
	size_t		n;				/* numbers of each value, once a row has come; 0: not yet */
} AiaasNetworkColumn;

typedef enum AiaasBadRows
{
	AIAAS_BAD_ROWS_FAIL,
	AIAAS_BAD_ROWS_SKIP,
	AIAAS_BAD_ROWS_SKIP_NULLS	/* input or target is null as a whole; others fail */
} AiaasBadRows;

typedef struct AiaasNetworkQuery
{
	/* Settings */
	const char *sql;			/* borrowed */
	const char *name;			/* of its rows in messages: "" or " of the validation query" */
	AiaasBadRows bad_rows;
	AiaasSelect select;
	const struct AiaasNetworkQuery *first;	/* that it is like, and runs after; or NULL */

	/* Input */
	AiNetworkInput input;
	AiaasNetworkColumn *columns;
	int			n_columns;
	AiaasTextReader text;		/* of words */

	/* Target */
	AiNetworkTask task;
	AiaasNetworkColumn target;	/* its reader is of values */
	AiaasTextReader label;		/* of a label, or of an array's elements */
	Oid			element;		/* of an array of labels; 0: no array */

	/* Rows */
	int64		n_rows;			/* that have come */
	int64		n_skipped;

	/* Scratch of one row */
	float	   *numbers;
	size_t		n_numbers;		/* room */
	float	   *values;
	size_t		n_values;		/* room */
} AiaasNetworkQuery;

/* AI_ERR_DATA: the row does not fit, which err tells of "the row" */
typedef AiCode (*AiaasNetworkHandler) (void *ud, const AiNetworkExample *example, AiError *err);

/*
 * Check sql and find its columns.  SPI is connected from here to close.
 * task: NULL where it follows from the target and the loss (AiLossKind or AI_LOSS_AUTO).
 */
extern void aiaas_network_query_open(AiaasNetworkQuery *query, const char *sql,
									 const char *target, const AiNetworkTask *task, int loss,
									 AiaasBadRows bad_rows);

/* A second query, which has the same columns in any order */
extern void aiaas_network_query_open_like(AiaasNetworkQuery *query, const char *sql,
										  const AiaasNetworkQuery *first);

/* Numbers or pixels of a row; 0: only a row can tell */
extern size_t aiaas_network_query_n_inputs(const AiaasNetworkQuery *query);

/* Once per open */
extern void aiaas_network_query_run(AiaasNetworkQuery *query, AiaasNetworkHandler handler,
									void *ud);
extern void aiaas_network_query_close(AiaasNetworkQuery *query);

#endif							/* AIAAS_NETWORK_QUERY_H */
