/*-------------------------------------------------------------------------
 * limits.c
 *		Limits that a superuser sets on training and importing.
 *
 * The time of a run is kept by a timer of the server's.  It sets the flags of
 * a cancel, which the executor, the core and every wait look at anyway, so a
 * query that brings no row for an hour is stopped too.  The error of that
 * cancel is then replaced by one that says what has happened.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/jobs/limits.h"

#include "storage/latch.h"
#include "utils/timeout.h"

#include "pg/host/compat.h"
#include "pg/host/guc.h"

void
aiaas_check_model_size(uint64 n_bytes)
{
	if (aiaas_max_model_bytes == 0 || n_bytes <= (uint64) aiaas_max_model_bytes * 1024)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("the model is too large"),
			 errdetail("It has " UINT64_FORMAT " bytes, and aiaas.max_model_bytes is %d kB.",
					   n_bytes, aiaas_max_model_bytes),
			 errhint("Raise aiaas.max_model_bytes, or train a smaller model: of texts with a higher "
					 "min_count, a lower max_features or shorter n-grams, a network with fewer "
					 "units or max_tokens. Import a pre-trained model with weights => 'int8'.")));
}

static TimeoutId timeout = MAX_TIMEOUTS;	/* not registered */
static volatile sig_atomic_t is_late = false;

/* In a signal handler */
static void
cancel_late_run(void)
{
	is_late = true;
	QueryCancelPending = true;
	InterruptPending = true;
	SetLatch(MyLatch);
}

/* Was the run late?  A cancel of ours that nobody has seen must not hit what comes next. */
static bool
stop_timer(void)
{
	disable_timeout(timeout, false);
	if (is_late)
		QueryCancelPending = false;
	return is_late;
}

static _Noreturn void
raise_late(int limit)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("training took longer than %d s", limit),
			 errhint("Raise aiaas.max_train_time, learn from fewer rows, or set \"max_time\" to "
					 "less, so that learning stops at the best so far.")));
}

void
aiaas_run_in_time(void (*run) (void *arg), void *arg)
{
	MemoryContext caller = CurrentMemoryContext;
	int			limit = aiaas_max_train_time;

	if (limit == 0)
	{
		run(arg);
		return;
	}
	if (timeout == MAX_TIMEOUTS)
		timeout = RegisterTimeout(USER_TIMEOUT, cancel_late_run);
	is_late = false;
	enable_timeout_after(timeout, limit * 1000);
	PG_TRY();
	{
		run(arg);
	}
	PG_CATCH();
	{
		if (stop_timer() && geterrcode() == ERRCODE_QUERY_CANCELED)
		{
			MemoryContextSwitchTo(caller);
			FlushErrorState();
			raise_late(limit);
		}
		PG_RE_THROW();
	}
	PG_END_TRY();
	if (stop_timer())
		raise_late(limit);
}
