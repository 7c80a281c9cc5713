/*-------------------------------------------------------------------------
 * activity.c
 *		What this backend does, and what the others do.
 *
 * A backend writes to its own slot with plain stores.  Whoever reads takes a copy
 * between two looks at a counter that is odd while somebody writes, as the server
 * does for pg_stat_activity.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/stats/stats_internal.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pg/host/compat.h"
#include "storage/proc.h"
#include "utils/timestamp.h"

#define MAX_FRAMES 16			/* deeper ones are as the last */
#define MAX_READS 1000			/* of a slot that is written all the time */

/* A begin without its end; the first is what is shown. */
typedef struct Frame
{
	AiaasStatsKey key;			/* model 0: not known */
	int			level;			/* of transactions */
	const char *phase;			/* that was shown when it began */
} Frame;

/* What the slot says of the first frame, to go on with it */
typedef struct Shown
{
	const char *function;
	TimestampTz statement;
	Oid			user;
	const char *phase;			/* NULL: none */
} Shown;

static Frame frames[MAX_FRAMES];
static int	depth = 0;
static Shown shown;

static Frame *
innermost(void)
{
	return &frames[Min(depth, MAX_FRAMES) - 1];
}

/*
 * The own slot
 */
static StatsSlot *
begin_change(void)
{
	StatsSlot  *slot = aiaas_shared.mine;

	atomic_fetch_add_explicit(&slot->change, 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	return slot;
}

static void
end_change(StatsSlot *slot)
{
	atomic_fetch_add_explicit(&slot->change, 1, memory_order_release);
}

void
aiaas_activity_move(StatsSlot *to, const StatsSlot *from)
{
	if (to == from)
		return;
	atomic_fetch_or(&to->change, 1);	/* whatever a process that was killed has left */
	to->activity = from->activity;
	to->encoding = from->encoding;
	atomic_store(&to->rows, atomic_load(&from->rows));
	atomic_store(&to->bytes, atomic_load(&from->bytes));
	atomic_store(&to->is_active, depth > 0);
	atomic_store(&to->process, MyProcPid);
	atomic_fetch_add(&to->change, 1);
}

static bool
is_shown(const char *function, const char *model, int version)
{
	const AiaasActivity *activity = &aiaas_shared.mine->activity;

	return shown.function == function && shown.phase == NULL &&
		shown.statement == GetCurrentStatementStartTimestamp() &&
		shown.user == GetUserId() && activity->version == version &&
		strncmp(activity->model, model, AIAAS_STATS_MODEL_MAX) == 0;
}

static void
show(const char *function, const char *model, int version)
{
	StatsSlot  *slot = begin_change();
	AiaasActivity *activity = &slot->activity;

	MemSet(activity, 0, sizeof(AiaasActivity));
	activity->database = MyDatabaseId;
	activity->login = GetSessionUserId();
	activity->user = GetUserId();
	strlcpy(activity->function, function, sizeof(activity->function));
	strlcpy(activity->model, model, sizeof(activity->model));
	activity->version = version;
	activity->started = GetCurrentTimestamp();
	activity->share = activity->loss = activity->seconds_left = -1;
	slot->encoding = GetDatabaseEncoding();
	atomic_store_explicit(&slot->rows, 0, memory_order_relaxed);
	atomic_store_explicit(&slot->bytes, 0, memory_order_relaxed);
	end_change(slot);
	shown = (Shown) {function, GetCurrentStatementStartTimestamp(), GetUserId(), NULL};
}

static void
set_active(bool is_active)
{
	atomic_store_explicit(&aiaas_shared.mine->is_active, is_active, memory_order_release);
}

/*
 * Ends of transactions
 */

/* The innermost of those that end is what has failed. */
static void
end_frames(int level, bool is_error)
{
	if (is_error && depth > 0 && innermost()->level >= level && innermost()->key.model != 0)
		aiaas_stats_add(&innermost()->key, &(AiaasCounts) {.errors = 1});
	while (depth > 0 && innermost()->level >= level)
		aiaas_activity_end();
}

static void
end_transaction(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_PREPARE:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PARALLEL_ABORT:
			end_frames(0, event == XACT_EVENT_ABORT || event == XACT_EVENT_PARALLEL_ABORT);
			aiaas_threads_abort(0);
			aiaas_stats_flush();
			break;
		default:
			break;
	}
}

static void
end_subtransaction(SubXactEvent event, SubTransactionId subxact, SubTransactionId parent, void *arg)
{
	int			level = GetCurrentTransactionNestLevel();

	if (event != SUBXACT_EVENT_ABORT_SUB)
		return;
	end_frames(level, true);
	aiaas_threads_abort(level);
}

void
aiaas_activity_watch(void)
{
	static bool is_watching = false;

	if (likely(is_watching))
		return;
	RegisterXactCallback(end_transaction, NULL);
	RegisterSubXactCallback(end_subtransaction, NULL);
	is_watching = true;
}

/*
 * What callers say
 */
void
aiaas_activity_begin(const char *function, const char *model, int version)
{
	aiaas_activity_watch();
	depth++;
	if (depth <= MAX_FRAMES)
		*innermost() = (Frame) {
			{0, version, function}, GetCurrentTransactionNestLevel(), depth > 1 ? shown.phase : NULL
		};
	if (depth > 1)
		return;
	aiaas_shared_ready(GetCurrentStatementStartTimestamp());
	if (!is_shown(function, model, version))
		show(function, model, version);
	set_active(true);
}

void
aiaas_activity_end(void)
{
	if (depth > 1)
		aiaas_activity_phase(innermost()->phase);
	else if (depth == 1)
		set_active(false);
	depth -= depth > 0;
}

void
aiaas_activity_model(int64 model)
{
	if (depth > 0)
		innermost()->key.model = model;
}

void
aiaas_activity_rows(int64 n_more)
{
	atomic_int_least64_t *rows = &aiaas_shared.mine->rows;

	if (depth == 1)
		atomic_store_explicit(rows, atomic_load_explicit(rows, memory_order_relaxed) + n_more,
							  memory_order_relaxed);
}

void
aiaas_activity_bytes(int64 n_more)
{
	atomic_int_least64_t *bytes = &aiaas_shared.mine->bytes;

	if (depth > 0)
		atomic_store_explicit(bytes, atomic_load_explicit(bytes, memory_order_relaxed) + n_more,
							  memory_order_relaxed);
}

void
aiaas_activity_phase(const char *phase)
{
	StatsSlot  *slot;

	if (depth == 0 || phase == shown.phase)
		return;
	shown.phase = phase;
	slot = begin_change();
	strlcpy(slot->activity.phase, phase != NULL ? phase : "", sizeof(slot->activity.phase));
	atomic_store_explicit(&slot->bytes, 0, memory_order_relaxed);
	end_change(slot);
}

void
aiaas_activity_progress(const AiProgress *progress)
{
	bool		is_next = progress->phase != shown.phase;
	StatsSlot  *slot;

	if (depth != 1)
		return;
	aiaas_activity_phase(progress->phase);
	slot = begin_change();
	slot->activity.share = progress->share;
	slot->activity.epoch = progress->epoch;
	slot->activity.loss = progress->loss;
	slot->activity.seconds_left = progress->seconds_left;
	if (is_next && slot->activity.rows_until == 0 && atomic_load(&slot->rows) > 0)
		slot->activity.rows_until = GetCurrentTimestamp();
	end_change(slot);
}

/*
 * Watching
 */
int
aiaas_activity_n_places(void)
{
	aiaas_shared_look(GetCurrentTimestamp());
	return aiaas_shared.is_mapped ? aiaas_shared.n_slots : 0;
}

/* A copy that was not written to meanwhile; false: there is nobody, or no end of writing */
static bool
copy_slot(AiaasActivity *activity, int *encoding, StatsSlot *slot, int place)
{
	for (int i = 0; i < MAX_READS; i++)
	{
		uint32		process = atomic_load(&slot->process);
		unsigned	change = atomic_load_explicit(&slot->change, memory_order_acquire);

		if (process == 0 || !aiaas_shared_is_alive(place, process) ||
			!atomic_load(&slot->is_active))
			return false;
		*activity = slot->activity;
		*encoding = slot->encoding;
		activity->pid = (int) process;
		activity->rows = atomic_load_explicit(&slot->rows, memory_order_relaxed);
		activity->bytes = atomic_load_explicit(&slot->bytes, memory_order_relaxed);
		atomic_thread_fence(memory_order_acquire);
		if (change % 2 == 0 &&
			atomic_load_explicit(&slot->change, memory_order_relaxed) == change)
			return true;
		CHECK_FOR_INTERRUPTS();
	}
	return false;
}

/* What came from a database of another encoding, or was cut, keeps its ASCII. */
static void
make_valid(char *text, size_t size, int encoding)
{
	text[size - 1] = '\0';
	if (encoding == GetDatabaseEncoding() && pg_verify_mbstr(encoding, text, strlen(text), true))
		return;
	for (char *c = text; *c != '\0'; c++)
	{
		if (IS_HIGHBIT_SET(*c))
			*c = '?';
	}
}

bool
aiaas_activity_read(AiaasActivity *activity, int place)
{
	PGPROC	   *proc = &ProcGlobal->allProcs[place];
	PGPROC	   *leader;
	int			encoding;

	if (!copy_slot(activity, &encoding, &aiaas_shared.slots[place], place))
		return false;
	make_valid(activity->function, sizeof(activity->function), encoding);
	make_valid(activity->model, sizeof(activity->model), encoding);
	make_valid(activity->phase, sizeof(activity->phase), encoding);
	leader = proc->lockGroupLeader;
	activity->leader = leader != NULL && leader != proc ? leader->pid : 0;
	activity->n_threads = ai_gate_n_threads(&aiaas_shared.gate, place);
	return true;
}
