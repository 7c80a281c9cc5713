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

/* What a function has done with a model; sums */
typedef struct AiaasCounts
{
	int64		calls;			/* statements' call sites that ran */
	int64		rows;			/* inputs that were not NULL */
	int64		batches;		/* of one row and more */
	int64		distinct;		/* inputs that were computed: equal ones of a batch count once */
	int64		tokens;			/* 0 where a model has none */
	int64		truncated;		/* inputs that were longer than the model takes */
	int64		errors;
	int64		model_time;		/* nanoseconds in the model */
} AiaasCounts;

/* What they are kept by, beside the current database */
typedef struct AiaasStatsKey
{
	int64		model;			/* AiaasModel.id */
	int			version;
	const char *function;		/* 'ai_classify'; at most AIAAS_STATS_FUNCTION_MAX bytes count */
} AiaasStatsKey;

#define AIAAS_STATS_FUNCTION_MAX 31

extern void aiaas_stats_add(const AiaasStatsKey *key, const AiaasCounts *counts);

/*
 * What this backend does now.  A begin inside another is for what it is called
 * by, and changes nothing; an error ends all of them.
 */
extern void aiaas_activity_begin(const char *function, const char *model, int version);
extern void aiaas_activity_rows(int64 n_more);
extern void aiaas_activity_end(void);

/*
 * The gate: threads that compute in all backends are as few as cores.  Ask
 * before a batch or another short piece of work for n_wanted threads, one's own
 * among them; the answer is 1 to n_wanted.  Release after it.  An error
 * releases.
 */
extern int	aiaas_threads_acquire(int n_wanted);
extern void aiaas_threads_release(void);

#endif							/* AIAAS_STATS_H */
