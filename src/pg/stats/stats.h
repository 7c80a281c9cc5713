/*-------------------------------------------------------------------------
 * stats.h
 *		What runs now, what has been done, and how many threads compute.
 *
 * All backends of a server share one small file of counters in the directory of
 * the cache, so nothing has to be preloaded and nothing is written to tables.
 * Nothing here raises: where the file cannot be had, nothing is counted, and a
 * backend computes as if it were alone.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_STATS_H
#define AIAAS_STATS_H

#include "core/base/progress.h"
#include "datatype/timestamp.h"

/* Called once from _PG_init() */
extern void aiaas_stats_init(void);

#define AIAAS_STATS_FUNCTION_MAX 31
#define AIAAS_STATS_MODEL_MAX 63

/*
 * Counting
 */

/* What a function has done with a model; sums */
typedef struct AiaasCounts
{
	int64		calls;			/* statements' call sites that ran */
	int64		rows;			/* inputs that were not NULL */
	int64		batches;		/* of one row and more */
	int64		distinct;		/* inputs that were computed: equal ones of a batch count once */
	int64		tokens;			/* 0 where a model has none */
	int64		truncated;		/* inputs that were longer than the model takes */
	int64		errors;			/* counted here, not by callers */
	int64		model_time;		/* nanoseconds in the model */
} AiaasCounts;

/* What they are kept by, beside the current database */
typedef struct AiaasStatsKey
{
	int64		model;			/* AiaasModel.id */
	int			version;
	const char *function;		/* 'ai_classify', a literal; AIAAS_STATS_FUNCTION_MAX bytes count */
} AiaasStatsKey;

/*
 * Cheap enough for every row: others see it after some rows, or some time in the
 * model, and at the end of the transaction at last.
 */
extern void aiaas_stats_add(const AiaasStatsKey *key, const AiaasCounts *counts);

/* A model was opened from the file that sessions share, or that file was built. */
extern void aiaas_stats_add_open(int64 model, int version, bool is_built);

/*
 * What this backend does now.  Literals are kept by their address.
 *
 * Begins and ends are nested: a begin inside another is for what it is called by, and
 * shows nothing.  An error ends those that began in its (sub)transaction, and is counted
 * for the innermost, if its model is known.  A begin that equals the last one of the
 * same statement goes on with it, so a function may begin and end for every row.
 */
extern void aiaas_activity_begin(const char *function, const char *model, int version);
extern void aiaas_activity_end(void);

/* AiaasModel.id of the model that the innermost was begun with */
extern void aiaas_activity_model(int64 model);

/* These do nothing inside of an inner one, which is not shown. */
extern void aiaas_activity_rows(int64 n_more);

/* Of long work */
extern void aiaas_activity_progress(const AiProgress *progress);

/*
 * These are shown with whatever is.  A phase, which is a literal, lasts until another
 * is set, or the one that set it ends.
 */
extern void aiaas_activity_phase(const char *phase);
extern void aiaas_activity_bytes(int64 n_more);	/* in this phase */

/*
 * The gate: threads that compute in all backends are as few as cores.  Ask
 * before a batch or another short piece of work for n_wanted threads, one's own
 * among them; the answer is 1 to n_wanted.  Release after it.  An error
 * releases.  ai_pool_run() asks by itself.
 */
extern int	aiaas_threads_acquire(int n_wanted);
extern void aiaas_threads_release(void);

/*
 * Watching
 */

/* A backend that does something; strings are in this database's encoding */
typedef struct AiaasActivity
{
	int			pid;
	int			leader;			/* pid of the backend that a parallel worker works for, or 0 */
	Oid			database;
	Oid			login;			/* who has logged in */
	Oid			user;			/* with whose rights the function runs */
	char		function[AIAAS_STATS_FUNCTION_MAX + 1];
	char		model[AIAAS_STATS_MODEL_MAX + 1];
	int			version;		/* 0: not known yet */
	char		phase[AIAAS_STATS_FUNCTION_MAX + 1];	/* empty: there are none */
	int			n_threads;		/* that the gate knows of */
	TimestampTz started;
	TimestampTz rows_until;		/* when rows had come to their end, or 0 */
	int64		rows;
	int64		bytes;
	double		share;			/* this and the next as in AiProgress */
	int			epoch;
	double		loss;
	double		seconds_left;
} AiaasActivity;

extern int	aiaas_activity_n_places(void);

/* False: there is nobody in this place. */
extern bool aiaas_activity_read(AiaasActivity *activity, int place);

typedef struct AiaasStatsRow
{
	int64		model;			/* 0: of models and functions for which there was no room */
	int			version;
	char		function[AIAAS_STATS_FUNCTION_MAX + 1]; /* empty: whichever it was */
	TimestampTz since;
	AiaasCounts counts;
	int64		builds;
	int64		hits;
} AiaasStatsRow;

extern int	aiaas_stats_n_places(void);

/* False: there is nothing in this place, or it is another database's. */
extern bool aiaas_stats_read(AiaasStatsRow *row, int place);

/* Forget what was counted for a version of this database; 0: for all versions, all models */
extern void aiaas_stats_reset(int64 model, int version);

#endif							/* AIAAS_STATS_H */
