/*-------------------------------------------------------------------------
 * host.h
 *		The server as the core's host: memory contexts, interrupts, NOTICEs.
 *
 * Nothing here longjmps through the core, nor ends the process while threads
 * of a pool may be running.  An error that a callback meets is kept;
 * should_stop then answers true, and aiaas_raise() or aiaas_host_check()
 * raises it once the core has returned.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_HOST_H
#define AIAAS_HOST_H

#include "core/base/host.h"

/*
 * A host whose memory comes from a child of parent, where the host lives too.
 * What the core holds is given back when parent is reset or deleted, so an
 * ERROR leaks nothing.
 */
extern const AiHost *aiaas_host_create(MemoryContext parent);

/*
 * From now on look(arg) is called about twenty times a second while the core works,
 * on the main thread.  It must not longjmp, nor call what may.
 */
extern void aiaas_host_watch(const AiHost *host, void (*look) (void *arg), void *arg);

/* Of all hosts: who is asked for the threads of a pool, and told when it is done */
extern void aiaas_host_set_gate(int (*acquire) (int n_wanted), void (*release) (void));

/* The context that the host allocates from, for its counters or its deletion */
extern MemoryContext aiaas_host_context(const AiHost *host);

/*
 * For callbacks: run(arg), whose error is kept instead of raised; false when there is one.
 * What runs holds interrupts off where it would look at them.
 */
extern bool aiaas_host_try(const AiHost *host, void (*run) (void *arg), void *arg);

/*
 * Raise the error that a callback of this host has met, if there is one: call
 * it where the core has succeeded after it may have logged.
 */
extern void aiaas_host_check(const AiHost *host);

/* As above for whichever host met one; aiaas_raise() does it. */
extern void aiaas_host_check_all(void);

/*
 * size bytes at a 64-byte border, huge sizes allowed; NULL when there is no
 * memory.  Goes with its context, or earlier by aiaas_release_aligned();
 * never by pfree().
 */
extern void *aiaas_alloc_aligned(MemoryContext context, size_t size);
extern void aiaas_release_aligned(void *ptr);

#endif							/* AIAAS_HOST_H */
