/*-------------------------------------------------------------------------
 * test_pool.c
 *		A pool runs every task once, on any number of threads, and stops when
 *		told.
 *
 * The test's host aborts when it is called from another thread than the main
 * one, so every test here also guards that workers never call it.
 *-------------------------------------------------------------------------
 */
#include "core/base/pool.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "core/base/buf.h"
#include "test_host.h"

#define MAX_TASKS 10000
#define PATIENCE 20.0			/* seconds until a wait counts as a hang */

typedef struct Run
{
	AiPool	   *pool;
	int			n_threads;
	atomic_int	n_times[MAX_TASKS]; /* that each task was run */
	atomic_int	n_running;
	atomic_int	n_started;
	atomic_int	n_wrong_threads;
	atomic_int	n_open_signals;
} Run;

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

static void
sleep_a_millisecond(void)
{
	nanosleep(&(struct timespec) {.tv_nsec = 1000 * 1000}, NULL);
}

static AiPool *
must_create(const AiHost *host, int n_threads)
{
	AiPool	   *pool;
	AiError		err;

	if (ai_pool_create(&pool, host, n_threads, &err) != AI_OK)
		fail_msg("%s", err.message);
	assert_int_equal(ai_pool_n_threads(pool), n_threads);
	return pool;
}

static void
count_task(void *arg, int64_t index, int thread)
{
	Run		   *run = arg;

	atomic_fetch_add(&run->n_times[index], 1);
	if (thread < 0 || thread >= run->n_threads)
		atomic_fetch_add(&run->n_wrong_threads, 1);
}

static void
check_each_once(Run *run, int64_t n_tasks)
{
	for (int i = 0; i < MAX_TASKS; i++)
		assert_int_equal(atomic_exchange(&run->n_times[i], 0), i < n_tasks);
	assert_int_equal(run->n_wrong_threads, 0);
}

/* every task runs exactly once, for any number of threads and tasks, run after run */
static void
test_each_task_once(void **state)
{
	static const int64_t counts[] = {0, 1, 7, MAX_TASKS, 1, 2, 0, 7};

	(void) state;
	for (int n_threads = 1; n_threads <= 4; n_threads++)
	{
		TestHost	test;
		Run			run = {.n_threads = n_threads};

		test_host_init(&test, 0, 0);
		run.pool = must_create(&test.host, n_threads);
		for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		{
			assert_int_equal(ai_pool_run(run.pool, count_task, &run, counts[i], NULL), AI_OK);
			check_each_once(&run, counts[i]);
		}
		ai_pool_destroy(run.pool);
		assert_int_equal(test.n_live, 0);
	}
}

/* a run keeps to the threads that it is given, fewer or more than the one before */
static void
test_fewer_threads(void **state)
{
	static const int wanted[] = {1, 2, 1, 4, 2, 3, 1, 4};
	TestHost	test;
	Run			run = {0};

	(void) state;
	test_host_init(&test, 0, 0);
	run.pool = must_create(&test.host, 4);
	for (int round = 0; round < 50; round++)
	{
		for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		{
			run.n_threads = wanted[i];
			assert_int_equal(ai_pool_run_on(run.pool, wanted[i], count_task, &run, 200, NULL),
							 AI_OK);
			check_each_once(&run, 200);
		}
	}
	ai_pool_destroy(run.pool);
	assert_int_equal(test.n_live, 0);
}

/* A host that gives a run fewer threads than it wants */
typedef struct Gate
{
	TestHost	test;			/* first: its callbacks get the same pointer */
	int			n_given;
	int			n_wanted;		/* by the last run */
	int			n_inside;		/* runs that have begun and not ended */
	int			n_waiting;
} Gate;

static int
begin_run(void *ud, int n_wanted)
{
	Gate	   *gate = ud;

	gate->n_inside++;
	gate->n_wanted = n_wanted;
	return n_wanted < gate->n_given ? n_wanted : gate->n_given;
}

static void
end_run(void *ud)
{
	((Gate *) ud)->n_inside--;
}

static void
note_wait(void *ud, bool begins)
{
	((Gate *) ud)->n_waiting += begins ? 1 : -1;
}

/* a run asks the host for no more threads than it has tasks, and keeps to what it gets */
static void
test_host_gives_threads(void **state)
{
	Gate		gate;
	Run			run = {0};

	(void) state;
	test_host_init(&gate.test, 0, 0);
	gate.test.host.begin_run = begin_run;
	gate.test.host.end_run = end_run;
	gate.test.host.wait = note_wait;
	gate.n_inside = gate.n_waiting = 0;
	run.pool = must_create(&gate.test.host, 4);
	for (int round = 0; round < 100; round++)
	{
		int			n_tasks = 1 + round % 7;

		gate.n_given = run.n_threads = 1 + round % 4;
		assert_int_equal(ai_pool_run(run.pool, count_task, &run, n_tasks, NULL), AI_OK);
		check_each_once(&run, n_tasks);
		assert_int_equal(gate.n_wanted, n_tasks < 4 ? n_tasks : 4);
		assert_int_equal(gate.n_inside, 0);
		assert_int_equal(gate.n_waiting, 0);
	}
	gate.test.stop_at = gate.test.n_asks + 1;
	assert_int_equal(ai_pool_run(run.pool, count_task, &run, 5, NULL), AI_ERR_CANCELLED);
	assert_int_equal(gate.n_inside, 0);
	ai_pool_destroy(run.pool);
	assert_int_equal(gate.test.n_live, 0);
}

/* A block of memory that grows in the tasks of each thread */
typedef struct Growing
{
	AiPool	   *pool;
	AiBuf		bufs[4];
} Growing;

static void
grow(void *arg, int64_t index, int thread)
{
	Growing    *growing = arg;

	(void) index;
	if (ai_host_should_stop(growing->bufs[thread].host) ||
		ai_buf_append(&growing->bufs[thread], "0123456789", 10, NULL) != AI_OK)
		abort();
}

/* what threads let grow with the hosts that the pool has for them does not touch its own */
static void
test_thread_hosts(void **state)
{
	TestHost	test;
	Growing		growing;
	size_t		total = 0;

	(void) state;
	test_host_init(&test, 0, 0);
	growing.pool = must_create(&test.host, 4);
	assert_ptr_equal(ai_pool_thread_host(growing.pool, 0), &test.host);
	for (int i = 0; i < 4; i++)
		ai_buf_init(&growing.bufs[i], ai_pool_thread_host(growing.pool, i));
	assert_int_equal(ai_pool_run(growing.pool, grow, &growing, MAX_TASKS, NULL), AI_OK);
	for (int i = 0; i < 4; i++)
	{
		total += growing.bufs[i].len;
		ai_buf_free(&growing.bufs[i]);
	}
	assert_int_equal(total, 10 * MAX_TASKS);
	ai_pool_destroy(growing.pool);
	assert_int_equal(test.n_live, 0);
}

/* Runs until the pool is told to stop. */
static void
endless_task(void *arg, int64_t index, int thread)
{
	Run		   *run = arg;
	double		start = seconds();

	(void) index;
	atomic_fetch_add(&run->n_started, 1);
	atomic_fetch_add(&run->n_running, 1);
	while (!ai_pool_should_stop(run->pool, thread) && seconds() < start + PATIENCE)
		sleep_a_millisecond();
	atomic_fetch_sub(&run->n_running, 1);
}

/* the host's stop ends long tasks on all threads at once; the pool may be used again */
static void
test_cancel(void **state)
{
	(void) state;
	for (int n_threads = 1; n_threads <= 4; n_threads++)
	{
		TestHost	test;
		Run			run = {.n_threads = n_threads};
		AiError		err;
		double		start = seconds();

		test_host_init(&test, 0, 30);
		run.pool = must_create(&test.host, n_threads);
		assert_int_equal(ai_pool_run(run.pool, endless_task, &run, MAX_TASKS, &err),
						 AI_ERR_CANCELLED);
		assert_int_equal(err.code, AI_ERR_CANCELLED);
		assert_true(seconds() < start + PATIENCE / 2);
		assert_int_equal(run.n_running, 0);
		assert_true(run.n_started >= 1 && run.n_started <= n_threads);

		test.stop_at = 0;
		assert_int_equal(ai_pool_run(run.pool, count_task, &run, 1000, NULL), AI_OK);
		check_each_once(&run, 1000);
		ai_pool_destroy(run.pool);
		assert_int_equal(test.n_live, 0);
	}
}

/* Task 0 returns once another has begun, which then goes on until it is stopped. */
static void
worker_is_left_alone(void *arg, int64_t index, int thread)
{
	Run		   *run = arg;
	double		start = seconds();

	if (thread != 0)
	{
		endless_task(arg, index, thread);
		return;
	}
	while (run->n_started == 0 && seconds() < start + PATIENCE)
		sleep_a_millisecond();
}

/* the host is asked also while the main thread only waits for the others */
static void
test_cancel_while_waiting(void **state)
{
	TestHost	test;
	Run			run = {.n_threads = 2};
	double		start = seconds();

	(void) state;
	test_host_init(&test, 0, 10);
	run.pool = must_create(&test.host, 2);
	assert_int_equal(ai_pool_run(run.pool, worker_is_left_alone, &run, 2, NULL),
					 AI_ERR_CANCELLED);
	assert_true(seconds() < start + PATIENCE / 2);
	assert_int_equal(run.n_running, 0);
	ai_pool_destroy(run.pool);
}

/* Waits until all threads are inside a task, and looks at the signals of its own. */
static void
meet(void *arg, int64_t index, int thread)
{
	static const int wanted[] = {
		SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGALRM, SIGUSR1, SIGUSR2, SIGCHLD, SIGPIPE, SIGURG
	};
	Run		   *run = arg;
	double		start = seconds();
	sigset_t	blocked;

	(void) index;
	atomic_fetch_add(&run->n_started, 1);
	while (run->n_started < run->n_threads && seconds() < start + PATIENCE)
		sleep_a_millisecond();
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
	{
		if (sigismember(&blocked, wanted[i]) != (thread != 0))
			atomic_fetch_add(&run->n_open_signals, 1);
	}
}

/* threads run side by side, with every signal blocked; the main thread's mask stays */
static void
test_signals(void **state)
{
	TestHost	test;
	Run			run = {.n_threads = 3};

	(void) state;
	test_host_init(&test, 0, 0);
	run.pool = must_create(&test.host, 3);
	assert_int_equal(ai_pool_run(run.pool, meet, &run, 3, NULL), AI_OK);
	assert_int_equal(run.n_started, 3);
	assert_int_equal(run.n_open_signals, 0);
	ai_pool_destroy(run.pool);
}

/* a pool that never had work, and none at all, can be destroyed */
static void
test_unused(void **state)
{
	TestHost	test;

	(void) state;
	test_host_init(&test, 0, 0);
	ai_pool_destroy(must_create(&test.host, AI_POOL_MAX_THREADS));
	ai_pool_destroy(NULL);
	assert_int_equal(test.n_live, 0);
}

/* numbers of threads out of range, and no memory, are errors */
static void
test_errors(void **state)
{
	static const int wrong[] = {-1, 0, AI_POOL_MAX_THREADS + 1};
	TestHost	test;
	AiPool	   *pool;
	AiError		err;

	(void) state;
	test_host_init(&test, 1, 0);
	for (int i = 0; i < 3; i++)
	{
		assert_int_equal(ai_pool_create(&pool, &test.host, wrong[i], &err), AI_ERR_PARAM);
		assert_string_equal(err.message, "number of threads must be between 1 and 256");
	}
	assert_int_equal(ai_pool_create(&pool, &test.host, 2, &err), AI_ERR_NOMEM);
	assert_int_equal(test.n_live, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_task_once),
		cmocka_unit_test(test_fewer_threads),
		cmocka_unit_test(test_host_gives_threads),
		cmocka_unit_test(test_thread_hosts),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_cancel_while_waiting),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_unused),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
