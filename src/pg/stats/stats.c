/*-------------------------------------------------------------------------
 * stats.c
 *		The file of counters (not built yet: nothing is counted).
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/stats/stats.h"

void
aiaas_stats_add(const AiaasStatsKey *key, const AiaasCounts *counts)
{
}

void
aiaas_activity_begin(const char *function, const char *model, int version)
{
}

void
aiaas_activity_rows(int64 n_more)
{
}

void
aiaas_activity_end(void)
{
}

int
aiaas_threads_acquire(int n_wanted)
{
	return n_wanted;
}

void
aiaas_threads_release(void)
{
}
