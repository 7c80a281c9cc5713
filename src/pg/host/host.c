/*-------------------------------------------------------------------------
 * host.c
 *		The core's host inside a backend.
 *
 * While the core runs, threads of its pool may be using memory of the backend.
 * Two things must therefore not happen in a callback: a longjmp, and the exit
 * of the process, whose clean-up would free that memory under the threads.
 * So should_stop only reads the flags that ProcessInterrupts() would act on,
 * and log holds interrupts off while it talks to the client.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/host/host.h"

#include "pg/host/compat.h"
#include "pg/host/datum.h"
#include "portability/instr_time.h"
#include "storage/proc.h"
#include "storage/procsignal.h"
#include "utils/memutils.h"

typedef struct ServerHost
{
	AiHost		host;			/* first: the core's pointer is ours */
	MemoryContext context;		/* of all allocations, and of this struct */
	ErrorData  *error;			/* met by a callback and not raised yet, or NULL */
	MemoryContextCallback forget;
	void		(*look) (void *arg);	/* NULL: nobody watches */
	void	   *look_arg;
	instr_time	looked;
} ServerHost;

#define LOOK_EVERY 50			/* milliseconds */

/* The host that met an error last, while it lives */
static ServerHost *failed_host = NULL;

static int	(*gate_acquire) (int n_wanted) = NULL;
static void (*gate_release) (void) = NULL;
static uint32 wait_event = 0;

void *
aiaas_alloc_aligned(MemoryContext context, size_t size)
{
	const size_t extra = AI_ALIGNMENT + sizeof(void *);
	void	   *raw;
	uintptr_t	aligned;

	/* With MCXT_ALLOC_NO_OOM the server still throws above this size. */
	if (size > MaxAllocHugeSize - extra)
		return NULL;
	raw = MemoryContextAllocExtended(context, size + extra,
									 MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
	if (raw == NULL)
		return NULL;

	/* What pfree() wants is kept just below the border. */
	aligned = ((uintptr_t) raw + extra) & ~(uintptr_t) (AI_ALIGNMENT - 1);
	((void **) aligned)[-1] = raw;
	return (void *) aligned;
}

void
aiaas_release_aligned(void *ptr)
{
	if (ptr != NULL)
		pfree(((void **) ptr)[-1]);
}

static void *
host_alloc(void *ud, size_t size)
{
	return aiaas_alloc_aligned(((ServerHost *) ud)->context, size);
}

static void
host_release(void *ud, void *ptr)
{
	(void) ud;
	aiaas_release_aligned(ptr);
}

bool
aiaas_host_try(const AiHost *host, void (*run) (void *arg), void *arg)
{
	ServerHost *state = host->ud;
	MemoryContext caller = CurrentMemoryContext;
	uint32		holdoff_count = InterruptHoldoffCount;

	PG_TRY();
	{
		run(arg);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(state->context);
		state->error = CopyErrorData();
		FlushErrorState();
		failed_host = state;
		InterruptHoldoffCount = holdoff_count;	/* an ERROR has set it to 0 */
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	return state->error == NULL;
}

/*
 * Others wait for every backend to answer a barrier, DROP DATABASE for one, so
 * a long training must not keep them waiting.
 */
static void
answer_barrier(void *arg)
{
	(void) arg;
	ProcessProcSignalBarrier();
}

static void
look(ServerHost *state)
{
	instr_time	now;
	instr_time	since;

	INSTR_TIME_SET_CURRENT(now);
	since = now;
	INSTR_TIME_SUBTRACT(since, state->looked);
	if (INSTR_TIME_GET_MILLISEC(since) < LOOK_EVERY)
		return;
	state->looked = now;
	state->look(state->look_arg);
}

/*
 * MyProc->recoveryConflictPending is what all versions set when replay on a
 * standby cancels a query; the flags behind it are private since 16.
 */
static bool
host_should_stop(void *ud)
{
	ServerHost *state = ud;

	if (state->look != NULL)
		look(state);
	if (state->error != NULL)
		return true;
	if (!InterruptPending)
		return false;
	if (QueryCancelPending || ProcDiePending || ClientConnectionLost ||
		aiaas_is_transaction_timed_out() || MyProc->recoveryConflictPending)
		return true;
	if (ProcSignalBarrierPending && InterruptHoldoffCount == 0 && CritSectionCount == 0)
		return !aiaas_host_try(&state->host, answer_barrier, NULL);
	return false;
}

static int
elevel_of(AiLogLevel level)
{
	switch (level)
	{
		case AI_LOG_DEBUG:
			return DEBUG1;
		case AI_LOG_NOTICE:
			return NOTICE;
		case AI_LOG_WARNING:
			return WARNING;
	}
	return LOG;
}

typedef struct LogLine
{
	AiLogLevel	level;
	const char *line;
} LogLine;

static void
send_line(void *arg)
{
	const LogLine *line = arg;

	HOLD_INTERRUPTS();
	ereport(elevel_of(line->level), errmsg_internal("%s", aiaas_utf8_to_message(line->line)));
	RESUME_INTERRUPTS();
}

static void
host_log(void *ud, AiLogLevel level, const char *line)
{
	ServerHost *state = ud;

	if (state->error == NULL)
		aiaas_host_try(&state->host, send_line, &(LogLine) {level, line});
}

/*
 * Threads of pools
 */
static int
host_begin_run(void *ud, int n_wanted)
{
	(void) ud;
	return gate_acquire != NULL ? gate_acquire(n_wanted) : n_wanted;
}

static void
host_end_run(void *ud)
{
	(void) ud;
	if (gate_release != NULL)
		gate_release();
}

static void
host_wait(void *ud, bool begins)
{
	(void) ud;
	if (begins)
		pgstat_report_wait_start(wait_event);
	else
		pgstat_report_wait_end();
}

void
aiaas_host_set_gate(int (*acquire) (int n_wanted), void (*release) (void))
{
	gate_acquire = acquire;
	gate_release = release;
}

/*
 * Hosts
 */
static void
forget_host(void *arg)
{
	if (failed_host == arg)
		failed_host = NULL;
}

const AiHost *
aiaas_host_create(MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "aiaas core",
												  ALLOCSET_DEFAULT_SIZES);
	ServerHost *state = MemoryContextAllocZero(context, sizeof(ServerHost));

	if (wait_event == 0)
		wait_event = aiaas_wait_event("AiaasThreads");
	state->host = (AiHost) {
		host_alloc, host_release, host_should_stop, host_log, state,
		host_begin_run, host_end_run, host_wait
	};
	state->context = context;
	state->forget.func = forget_host;
	state->forget.arg = state;
	MemoryContextRegisterResetCallback(context, &state->forget);
	return &state->host;
}

void
aiaas_host_watch(const AiHost *host, void (*watch) (void *arg), void *arg)
{
	ServerHost *state = host->ud;

	state->look = watch;
	state->look_arg = arg;
	INSTR_TIME_SET_CURRENT(state->looked);
}

MemoryContext
aiaas_host_context(const AiHost *host)
{
	return ((ServerHost *) host->ud)->context;
}

void
aiaas_host_check(const AiHost *host)
{
	ServerHost *state = host->ud;
	ErrorData  *error = state->error;

	if (error == NULL)
		return;
	state->error = NULL;
	forget_host(state);
	ReThrowError(error);
}

void
aiaas_host_check_all(void)
{
	if (failed_host != NULL)
		aiaas_host_check(&failed_host->host);
}
