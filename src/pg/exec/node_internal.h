/*-------------------------------------------------------------------------
 * node_internal.h
 *		The state of BatchProject, for the files that make up the node.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_NODE_INTERNAL_H
#define AIAAS_NODE_INTERNAL_H

#include "storage/buf.h"

#include "pg/exec/exec_internal.h"

/* A column of the child that is passed on */
typedef struct BatchColumn
{
	AttrNumber	source;			/* of the child */
	AttrNumber	target;			/* of the scan tuple */
	int16		length;
	bool		is_by_value;
} BatchColumn;

typedef struct BatchArgument
{
	AttrNumber	source;			/* of the child; 0: an expression */
	ExprState  *expression;
	bool		is_constant;	/* has one value for a whole batch */
	int16		length;
	bool		is_by_value;
	NullableDatum *values;		/* [capacity], or of a constant one */
} BatchArgument;

typedef struct BatchCall
{
	const AiaasVerb *verb;
	FuncExpr   *expression;
	FmgrInfo	flinfo;
	FunctionCallInfo fcinfo;
	int			n_arguments;
	BatchArgument *arguments;
	AiaasColumn *columns;		/* the same for the verb */
	AttrNumber	target;			/* of the scan tuple */
	NullableDatum *results;		/* [capacity] */
	bool	   *is_done;		/* [capacity] */
	AiaasBatchSize size;
	int64		work;			/* in this batch so far, in the unit of size */
} BatchCall;

/* What a call has done; those of workers are in shared memory */
typedef struct AiaasBatchTotals
{
	int64		largest;		/* batch, in rows */
	AiaasCounts counts;
	int			version;		/* of the model, 0: none yet */
	char		model[AIAAS_MODEL_NAME_MAX + 1];
} AiaasBatchTotals;

struct AiaasBatchState
{
	CustomScanState css;
	int			n_columns;
	BatchColumn *columns;
	int			n_calls;
	BatchCall  *calls;
	AttrNumber	last_source;	/* of the child's columns that are read */
	AiaasBatchState *source;	/* the child, if it is a BatchProject too */

	/* How much to read */
	bool		reads_all;
	bool		defers;			/* calls that fail are NULL */
	AiaasDemand demand;
	int			ramp;			/* rows of the next batch, where nothing else is known */
	int			n_wanted;		/* while a batch is being filled */
	bool		is_ahead;		/* what is asked for now is read ahead by another batch */
	bool		is_held;		/* and stops before a row that has to wait until it is not */
	bool		is_at_end;		/* of the child */
	int64		n_rejected;		/* rows by quals since the one that was emitted last */

	/* The batch */
	int			n_rows;
	int			position;		/* of the next row to emit */
	int			capacity;
	Datum	   *values;			/* [capacity][n_columns] */
	bool	   *nulls;
	TupleTableSlot *table_slot; /* of a scan whose rows are kept track of, or NULL */
	ItemPointerData *tids;		/* [capacity], of these rows */
	MemoryContext batch_context;
	char	   *first_chunk;
	char	   *chunk;			/* that or one of batch_context */
	Size		chunk_size;
	Size		chunk_used;
	Size		n_bytes;		/* that the rows take */

	/* Pages of the child's table that hold values of the batch */
	TupleTableSlot *scan_slot;	/* NULL: there is none */
	Buffer	   *pins;
	int			n_pins;
	int			max_pins;

	/* What has been done */
	AiaasBatchTotals *totals;	/* [n_calls] */
	AiaasBatchTotals *shared;	/* [n_shared][n_calls]; NULL: no workers */
	int			n_shared;
};

extern const CustomExecMethods aiaas_batch_exec_methods;

/*
 * read.c
 */

/* Once, when columns, calls and the child are known */
extern void aiaas_batch_init(AiaasBatchState *state);

/* Let go of the batch, and of what it holds outside of memory */
extern void aiaas_batch_clear(AiaasBatchState *state);

/* The next batch; without rows at the end, or where state->source is held */
extern void aiaas_batch_fill(AiaasBatchState *state);

/* Before the child is read or scanned again: tell it how many rows a LIMIT lets through */
extern void aiaas_batch_pass_bound(AiaasBatchState *state);

#endif							/* AIAAS_NODE_INTERNAL_H */
