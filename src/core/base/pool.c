/*-------------------------------------------------------------------------
 * pool.c
 *		A pool of threads that claims tasks by number.
 *
 * One mutex guards the generation and the count of threads at work; task
 * numbers are claimed with an atomic add.  A run is a generation: workers
 * sleep until it changes, the caller sleeps until the last worker is done.
 * If a thread cannot be created a run goes on with those there are: fewer
 * threads never change an answer.
 *-------------------------------------------------------------------------
 */
#include "core/base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#define WORKER_STACK_SIZE ((size_t) 1024 * 1024)

/*
 * Looks before a thread sleeps, some 0.5 ms: to wake it takes as long as a step of a training.  And
 * threads that sleep between steps seem to be so little to do that the kernel may leave them all on
 * one processor.  Who needs the processor meanwhile gets it.
 */
#define LOOKS 8000
#define LOOKS_PER_YIELD 16

typedef struct Worker
{
	AiPool	   *pool;
	pthread_t	thread;
	int			number;			/* 1 .. n_threads - 1 */
	uint64_t	seen;			/* the last generation that it knows of */
	AiHost		host;			/* for memory that its tasks ask for */
} Worker;

struct AiPool
{
	const AiHost *host;			/* borrowed */
	int			n_threads;
	int			n_started;		/* workers that exist */

	/* Order: this mutex only; nothing is called while it is held. */
	pthread_mutex_t mutex;
	pthread_cond_t work_ready;
	pthread_cond_t work_done;
	atomic_ullong generation;
	int			n_wanted;		/* threads of this generation, the caller's among them */
	atomic_int	n_busy;
	bool		is_closing;

	/* The run in progress */
	AiTask		task;
	void	   *arg;
	int64_t		n_tasks;
	atomic_llong next_task;
	atomic_bool stop;

	Worker		workers[AI_POOL_MAX_THREADS];
};

static bool
worker_should_stop(void *ud)
{
	Worker	   *worker = ud;

	return ai_pool_should_stop(worker->pool, worker->number);
}

static void
init_worker(Worker *worker, AiPool *pool, int number)
{
	*worker = (Worker) {.pool = pool, .number = number, .host = *ai_malloc_host()};
	worker->host.should_stop = worker_should_stop;
	worker->host.ud = worker;
}

AiCode
ai_pool_create(AiPool **pool, const AiHost *host, int n_threads, AiError *err)
{
	AiPool	   *p;

	if (n_threads < 1 || n_threads > AI_POOL_MAX_THREADS)
		return ai_fail(err, AI_ERR_PARAM, "number of threads must be between 1 and %d",
					   AI_POOL_MAX_THREADS);
	p = ai_host_alloc(host, sizeof(AiPool));
	if (p == NULL)
		return ai_out_of_memory(err, sizeof(AiPool), "threads");
	*p = (AiPool) {.host = host, .n_threads = n_threads};
	for (int i = 0; i < n_threads - 1; i++)
		init_worker(&p->workers[i], p, i + 1);
	pthread_mutex_init(&p->mutex, NULL);
	pthread_cond_init(&p->work_ready, NULL);
	pthread_cond_init(&p->work_done, NULL);
	*pool = p;
	return AI_OK;
}

void
ai_pool_destroy(AiPool *pool)
{
	if (pool == NULL)
		return;
	pthread_mutex_lock(&pool->mutex);
	pool->is_closing = true;
	pthread_cond_broadcast(&pool->work_ready);
	pthread_mutex_unlock(&pool->mutex);
	for (int i = 0; i < pool->n_started; i++)
		pthread_join(pool->workers[i].thread, NULL);
	pthread_cond_destroy(&pool->work_done);
	pthread_cond_destroy(&pool->work_ready);
	pthread_mutex_destroy(&pool->mutex);
	ai_host_release(pool->host, pool);
}

int
ai_pool_n_threads(const AiPool *pool)
{
	return pool->n_threads;
}

const AiHost *
ai_pool_thread_host(const AiPool *pool, int thread)
{
	return thread == 0 ? pool->host : &pool->workers[thread - 1].host;
}

bool
ai_pool_should_stop(AiPool *pool, int thread)
{
	if (thread == 0 && ai_host_should_stop(pool->host))
		atomic_store(&pool->stop, true);
	return atomic_load_explicit(&pool->stop, memory_order_relaxed);
}

static void
claim_tasks(AiPool *pool, int thread)
{
	while (!ai_pool_should_stop(pool, thread))
	{
		int64_t		index = atomic_fetch_add(&pool->next_task, 1);

		if (index >= pool->n_tasks)
			break;
		pool->task(pool->arg, index, thread);
	}
}

static inline void
pause_briefly(int look)
{
	if (look % LOOKS_PER_YIELD == 0)
		sched_yield();
#ifdef __x86_64__
	else
		__builtin_ia32_pause();
#endif
}

static void *
worker_main(void *arg)
{
	Worker	   *worker = arg;
	AiPool	   *pool = worker->pool;

	for (;;)
	{
		bool		is_wanted;

		for (int i = 0; i < LOOKS && atomic_load(&pool->generation) == worker->seen; i++)
			pause_briefly(i);
		pthread_mutex_lock(&pool->mutex);
		while (pool->generation == worker->seen && !pool->is_closing)
			pthread_cond_wait(&pool->work_ready, &pool->mutex);
		if (pool->is_closing)
			break;
		worker->seen = pool->generation;
		is_wanted = worker->number < pool->n_wanted;
		pthread_mutex_unlock(&pool->mutex);
		if (!is_wanted)
			continue;
		claim_tasks(pool, worker->number);
		pthread_mutex_lock(&pool->mutex);
		if (--pool->n_busy == 0)
			pthread_cond_signal(&pool->work_done);
		pthread_mutex_unlock(&pool->mutex);
	}
	pthread_mutex_unlock(&pool->mutex);
	return NULL;
}

/* Signals belong to the main thread: the server's handlers must run there. */
static void
start_workers(AiPool *pool, int n_threads)
{
	sigset_t	all;
	sigset_t	before;
	pthread_attr_t attr;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, WORKER_STACK_SIZE);
	while (pool->n_started < n_threads - 1)
	{
		Worker	   *worker = &pool->workers[pool->n_started];

		worker->seen = pool->generation;
		if (pthread_create(&worker->thread, &attr, worker_main, worker) != 0)
			break;
		pool->n_started++;
	}
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* A new generation, for so many threads */
static void
wake_workers(AiPool *pool, int n_threads)
{
	if (pool->n_started < n_threads - 1)
		start_workers(pool, n_threads);
	if (pool->n_started == 0)
		return;
	pthread_mutex_lock(&pool->mutex);
	pool->n_wanted = n_threads;
	pool->n_busy = n_threads - 1 < pool->n_started ? n_threads - 1 : pool->n_started;
	pool->generation++;
	pthread_cond_broadcast(&pool->work_ready);
	pthread_mutex_unlock(&pool->mutex);
}

/* They may be inside a task: keep asking the host while they finish. */
static void
wait_for_workers(AiPool *pool)
{
	const AiHost *host = pool->host;

	for (int i = 0; i < LOOKS && atomic_load(&pool->n_busy) > 0; i++)
		pause_briefly(i);
	if (atomic_load(&pool->n_busy) == 0)
		return;
	if (host->wait != NULL)
		host->wait(host->ud, true);
	pthread_mutex_lock(&pool->mutex);
	while (pool->n_busy > 0)
	{
		struct timespec until;

		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 5 * 1000 * 1000;
		if (until.tv_nsec >= 1000 * 1000 * 1000)
		{
			until.tv_sec++;
			until.tv_nsec -= 1000 * 1000 * 1000;
		}
		pthread_cond_timedwait(&pool->work_done, &pool->mutex, &until);
		if (pool->n_busy > 0)
		{
			pthread_mutex_unlock(&pool->mutex);
			ai_pool_should_stop(pool, 0);
			pthread_mutex_lock(&pool->mutex);
		}
	}
	pthread_mutex_unlock(&pool->mutex);
	if (host->wait != NULL)
		host->wait(host->ud, false);
}

AiCode
ai_pool_run_on(AiPool *pool, int n_threads, AiTask task, void *arg, int64_t n_tasks,
			   AiError *err)
{
	bool		stopped;

	AI_ASSERT(n_threads >= 1 && n_threads <= pool->n_threads);
	pool->task = task;
	pool->arg = arg;
	pool->n_tasks = n_tasks;
	atomic_store(&pool->next_task, 0);
	atomic_store(&pool->stop, false);
	if (n_threads > 1 && n_tasks > 1)
		wake_workers(pool, n_threads);

	claim_tasks(pool, 0);
	if (n_threads > 1 && n_tasks > 1)
		wait_for_workers(pool);

	stopped = atomic_load(&pool->stop);
	if (stopped)
		return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
	return AI_OK;
}

AiCode
ai_pool_run(AiPool *pool, AiTask task, void *arg, int64_t n_tasks, AiError *err)
{
	const AiHost *host = pool->host;
	int			n_threads = n_tasks < pool->n_threads ? (int) n_tasks : pool->n_threads;
	AiCode		code;

	n_threads = n_threads > 1 ? n_threads : 1;
	if (host->begin_run != NULL)
		n_threads = host->begin_run(host->ud, n_threads);
	code = ai_pool_run_on(pool, n_threads, task, arg, n_tasks, err);
	if (host->end_run != NULL)
		host->end_run(host->ud);
	return code;
}
