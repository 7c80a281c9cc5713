/*-------------------------------------------------------------------------
 * test_host.h
 *		A host that counts, fails the n-th allocation and stops when told.
 *
 * Blocks have exactly the requested size, so that a sanitizer sees a read
 * one byte past them, and are filled with a pattern, so that no test passes
 * because memory happened to be zero.  A callback from another thread than
 * the one that made the host aborts: the host belongs to the main thread.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TEST_HOST_H
#define AI_TEST_HOST_H

#include <pthread.h>

#include "core/base/host.h"

typedef struct TestHost
{
	AiHost		host;			/* pass &test_host.host */
	int64_t		fail_at;		/* this allocation fails, counted from 1; 0: none */
	int64_t		stop_at;		/* should_stop is true from this call on; 0: never */
	int64_t		n_allocs;		/* requests so far, the failed one included */
	int64_t		n_live;			/* blocks not released */
	size_t		live_bytes;
	size_t		peak_bytes;
	int64_t		n_asks;			/* calls of should_stop */
	int64_t		n_logs;
	AiLogLevel	log_level;		/* of the last line logged */
	char		log_line[256];
	pthread_t	thread;
} TestHost;

extern void test_host_init(TestHost *test, int64_t fail_at, int64_t stop_at);

/*
 * One whole use of what is tested: everything it takes from the host it gives
 * back, on success and on failure.  It fills err when it fails.
 */
typedef AiCode (*TestEntry) (const AiHost *host, void *arg, AiError *err);

/*
 * Run entry once undisturbed, then with its first, second ... last allocation
 * failing.  The first run must succeed, every other must report AI_ERR_NOMEM
 * and none may keep memory.
 */
extern void test_every_failed_alloc(TestEntry entry, void *arg);

/* The same for should_stop and AI_ERR_CANCELLED. */
extern void test_every_stop(TestEntry entry, void *arg);

#endif							/* AI_TEST_HOST_H */
