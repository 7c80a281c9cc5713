/*-------------------------------------------------------------------------
 * pool.h
 *		A pool of threads that claims tasks by number.
 *
 * The calling thread takes part; with one thread there is no other.  Threads
 * are created at the first run that can use them, with every signal blocked,
 * and never call the host.  Which thread runs a task is not defined, so a
 * task's result may depend on its number only: that is what makes an answer
 * the same for any thread count.
 *
 * Cancel: the main thread asks the host, once per task it claims and wherever
 * a task calls ai_pool_should_stop(); the others see the flag that it sets.
 * ai_pool_run() returns only when no task is running any more.
 *-------------------------------------------------------------------------
 */
#ifndef AI_POOL_H
#define AI_POOL_H

#include "core/base/host.h"

typedef struct AiPool AiPool;

/* thread is 0 (the caller's) to n_threads - 1, for scratch */
typedef void (*AiTask) (void *arg, int64_t index, int thread);

/* n_threads counts the caller's: 1 to AI_POOL_MAX_THREADS */
extern AiCode ai_pool_create(AiPool **pool, const AiHost *host, int n_threads,
							 AiError *err);
extern void ai_pool_destroy(AiPool *pool);
extern int	ai_pool_n_threads(const AiPool *pool);

/*
 * Run tasks 0 .. n_tasks - 1, on as many threads as the host allows.  Fails only by
 * AI_ERR_CANCELLED.
 */
extern AiCode ai_pool_run(AiPool *pool, AiTask task, void *arg, int64_t n_tasks,
						  AiError *err);

/* The same on threads 0 .. n_threads - 1 at most, which the host has allowed before */
extern AiCode ai_pool_run_on(AiPool *pool, int n_threads, AiTask task, void *arg,
							 int64_t n_tasks, AiError *err);

/*
 * For objects that the tasks of one thread use and let grow: memory from malloc, and
 * the pool's answer to whether to stop.  That of thread 0 is the pool's own.
 */
extern const AiHost *ai_pool_thread_host(const AiPool *pool, int thread);

/* For long tasks, about every millisecond: true means return at once. */
extern bool ai_pool_should_stop(AiPool *pool, int thread);

#define AI_POOL_MAX_THREADS 256

#endif							/* AI_POOL_H */
