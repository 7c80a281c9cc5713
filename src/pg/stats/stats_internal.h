/*-------------------------------------------------------------------------
 * stats_internal.h
 *		The shared file, as it lies in memory.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_STATS_INTERNAL_H
#define AIAAS_STATS_INTERNAL_H

#include "pg/stats/stats.h"

#include <stdatomic.h>

#include "access/xact.h"
#include "core/base/gate.h"
#include "core/base/tally.h"

/*
 * A backend's own place, by the number of its PGPROC: nobody else writes to it.  It is
 * valid while that PGPROC is of this process; so what the dead have left needs no
 * clearing.
 */
typedef struct StatsSlot
{
	atomic_uint process;		/* pid, 0: none */
	atomic_uint is_active;		/* 0 or not */
	atomic_int_least64_t rows;
	atomic_int_least64_t bytes;
	atomic_uint change;			/* odd while what follows is written */
	AiaasActivity activity;		/* without pid, leader, threads, rows, bytes; texts as written */
	int			encoding;		/* of its texts */
} __attribute__((aligned(64))) StatsSlot;

typedef struct StatsShared
{
	bool		is_mapped;
	int			n_slots;
	int			my_place;
	StatsSlot  *slots;			/* [n_slots] */
	StatsSlot  *mine;			/* while it is not mapped, one that nobody sees */
	AiGate		gate;
	AiTally		tally;
} StatsShared;

extern StatsShared aiaas_shared;

/* When the file was looked at, by the clock of statements */
extern TimestampTz aiaas_shared_looked;

/* Map the file that is in the directory now, or make one. */
extern void aiaas_shared_look(TimestampTz now);

/* The same, now and then; before whatever is done with the file */
static inline void
aiaas_shared_ready(TimestampTz now)
{
	if (unlikely(now - aiaas_shared_looked >= USECS_PER_SEC))
		aiaas_shared_look(now);
}

/* Is place that of a process of this server that lives? */
extern bool aiaas_shared_is_alive(int place, uint32_t process);

/* The slot of this backend moves to another file. */
extern void aiaas_activity_move(StatsSlot *to, const StatsSlot *from);

/* From now on the end of a transaction is seen; it shares what has been counted. */
extern void aiaas_activity_watch(void);

extern void aiaas_stats_flush(void);

/* Release what was acquired at this level of transactions or deeper. */
extern void aiaas_threads_abort(int aborted_level);

#endif							/* AIAAS_STATS_INTERNAL_H */
