/*-------------------------------------------------------------------------
 * verb.h
 *		Functions of SQL that map an input to an output: n inputs in, n outputs out.
 *
 * A verb is the C function behind SQL functions such as ai_classify(text), and
 * the way to compute it for many rows at once.  The tables of all verbs are
 * aiaas_verbs in pg/sqlapi; whoever finds a call in a plan (pg/exec) recognises
 * it by its entry.  A later family of models joins by a row of that table.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_VERB_H
#define AIAAS_VERB_H

#include "fmgr.h"

#include "pg/catalog/catalog.h"
#include "pg/engine/resolved.h"
#include "pg/stats/stats.h"

#define AIAAS_VERB_MAX_ARGS 3

/* One argument of a call: row i has values[i * stride] */
typedef struct AiaasColumn
{
	const NullableDatum *values;
	int			stride;			/* 0: the same for all rows */
} AiaasColumn;

/*
 * Rows of one call.  A row that is done on entry is not looked at: an argument
 * of a strict function is NULL, or an earlier run has computed it.
 */
typedef struct AiaasBatch
{
	int			n_rows;
	const AiaasColumn *args;	/* [nargs of the call]; values live as long as context */
	NullableDatum *results;		/* [n_rows] */
	bool	   *is_done;		/* [n_rows] */
	MemoryContext context;		/* for results by reference */
	AiaasCounts counts;			/* what this run did; EXPLAIN adds them up */
} AiaasBatch;

static inline const NullableDatum *
aiaas_batch_argument(const AiaasBatch *batch, int arg, int row)
{
	return &batch->args[arg].values[(Size) row * batch->args[arg].stride];
}

/* The call of a function of SQL, which is strict, as a batch; it must stay where it is */
typedef struct AiaasOneRow
{
	AiaasBatch	batch;
	AiaasColumn args[AIAAS_VERB_MAX_ARGS];
	NullableDatum result;
	bool		is_done;
} AiaasOneRow;

static inline void
aiaas_one_row_init(AiaasOneRow *row, FunctionCallInfo fcinfo)
{
	row->is_done = false;
	row->batch = (AiaasBatch) {
		.n_rows = 1, .args = row->args, .results = &row->result, .is_done = &row->is_done,
		.context = CurrentMemoryContext
	};
	for (int i = 0; i < fcinfo->nargs; i++)
		row->args[i] = (AiaasColumn) {&fcinfo->args[i], 0};
}

/* How much a batch should hold; the first limit that is reached ends it. */
typedef enum AiaasWorkUnit
{
	AIAAS_WORK_ROWS,
	AIAAS_WORK_BYTES			/* of argument 0 */
} AiaasWorkUnit;

typedef struct AiaasBatchSize
{
	AiaasWorkUnit unit;
	int64		target;
	int			max_rows;
} AiaasBatchSize;

/* How a batch's time is to be told from a row's, for the planner */
typedef struct AiaasVerbCost
{
	double		per_row;		/* seconds */
	double		per_byte;		/* seconds, of argument 0 */
} AiaasVerbCost;

typedef struct AiaasVerb
{
	const char *name;			/* 'ai_classify' */
	PGFunction	entry;
	AiaasModelArg model;		/* arg 0: it uses none */

	/*
	 * Compute row first, which is not done, and as many of the others as can be computed
	 * with it.  May raise what entry would raise for row first, and nothing else: a row
	 * that fails stays undone until it is first itself.  With first -1 nobody has asked for
	 * a row yet: compute what can be without raising anything, but that a stored model
	 * cannot be read.  fcinfo is that of a call of
	 * entry (flinfo with its fn_extra, collation); its args are this function's to set.
	 */
	void		(*run) (FunctionCallInfo fcinfo, AiaasBatch *batch, int first);

	/* For the next batch of this call; before the first run the model is not known. */
	void		(*size) (FunctionCallInfo fcinfo, AiaasBatchSize *size);

	/* Of a model that the planner has found; NULL: not known */
	void		(*cost) (const AiaasModel *model, AiaasVerbCost *cost);
} AiaasVerb;

/* The model that a call has resolved last, or NULL */
extern const AiaasModel *aiaas_call_model(FunctionCallInfo fcinfo);

#endif							/* AIAAS_VERB_H */
