/*-------------------------------------------------------------------------
 * threads.c
 *		The gate: threads of this backend beside those of the others.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/stats/stats_internal.h"

#include "miscadmin.h"
#include "pg/host/cores.h"
#include "pg/host/host.h"

static int	depth = 0;			/* acquired, and not released */
static int	level;				/* of transactions, of the first of them */
static int	n_acquired;			/* by that */

/*
 * An inner piece of work has the threads of the outer one, which waits for it.  May be
 * called from within the core.
 */
static int
acquire(int n_wanted)
{
	int			n_cores = aiaas_n_cores();

	n_wanted = Max(1, Min(n_wanted, n_cores));
	if (depth++ > 0)
		return Min(n_wanted, n_acquired);
	level = GetCurrentTransactionNestLevel();
	n_acquired = n_wanted;
	if (aiaas_shared.is_mapped)
		n_acquired = ai_gate_enter(&aiaas_shared.gate, aiaas_shared.my_place,
								   (uint32_t) MyProcPid, n_wanted, n_cores);
	return n_acquired;
}

int
aiaas_threads_acquire(int n_wanted)
{
	aiaas_activity_watch();
	aiaas_shared_ready(GetCurrentStatementStartTimestamp());
	return acquire(n_wanted);
}

void
aiaas_threads_release(void)
{
	if (depth == 0 || --depth > 0 || !aiaas_shared.is_mapped)
		return;
	ai_gate_leave(&aiaas_shared.gate, aiaas_shared.my_place);
}

void
aiaas_threads_abort(int aborted_level)
{
	if (depth == 0 || level < aborted_level)
		return;
	depth = 1;
	aiaas_threads_release();
}

void
aiaas_stats_init(void)
{
	aiaas_host_set_gate(acquire, aiaas_threads_release);
}
