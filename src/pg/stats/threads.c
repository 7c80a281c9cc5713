/*-------------------------------------------------------------------------
 * threads.c
 *		The gate: threads of this backend beside those of the others.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/stats/stats_internal.h"

#include "miscadmin.h"
#include "pg/host/cores.h"

static int	depth = 0;			/* acquired, and not released */
static int	level;				/* of transactions, of the first of them */

/* An inner piece of work runs while the outer one, with its threads, waits for it. */
int
aiaas_threads_acquire(int n_wanted)
{
	int			n_cores = aiaas_n_cores();

	if (depth++ > 0)
		return 1;
	level = GetCurrentTransactionNestLevel();
	aiaas_shared_ready(GetCurrentStatementStartTimestamp());
	if (!aiaas_shared.is_mapped)
		return Max(1, Min(n_wanted, n_cores));
	return ai_gate_enter(&aiaas_shared.gate, aiaas_shared.my_place, (uint32_t) MyProcPid,
						 n_wanted, n_cores);
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
