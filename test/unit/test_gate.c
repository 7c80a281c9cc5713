/*-------------------------------------------------------------------------
 * test_gate.c
 *		Processes share the cores evenly and never use more than there are.
 *-------------------------------------------------------------------------
 */
#include "core/base/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define N_PLACES 10
#define N_ROUNDS 20000

/* Process 666 is dead. */
static bool
is_alive(int place, uint32_t process)
{
	(void) place;
	return process != 666;
}

static AiGate
create_gate(void)
{
	AiGate		gate = {.n_places = N_PLACES, .is_alive = is_alive};

	gate.places = mmap(NULL, ai_gate_size(N_PLACES) + sizeof(atomic_int), PROT_READ | PROT_WRITE,
					   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(gate.places, MAP_FAILED);
	return gate;
}

static void
destroy_gate(AiGate *gate)
{
	munmap(gate->places, ai_gate_size(N_PLACES) + sizeof(atomic_int));
}

static int
enter(const AiGate *gate, int place, int n_wanted, int n_cores)
{
	int			n = ai_gate_enter(gate, place, (uint32_t) (1 + place), n_wanted, n_cores);

	assert_int_equal(ai_gate_n_threads(gate, place), n);
	return n;
}

static void
test_alone(void **state)
{
	AiGate		gate = create_gate();

	(void) state;
	for (int n_cores = 1; n_cores <= 8; n_cores++)
	{
		for (int n_wanted = 1; n_wanted <= 10; n_wanted++)
		{
			assert_int_equal(enter(&gate, 3, n_wanted, n_cores),
							 n_wanted < n_cores ? n_wanted : n_cores);
			ai_gate_leave(&gate, 3);
			assert_int_equal(ai_gate_n_threads(&gate, 3), 0);
		}
	}
	destroy_gate(&gate);
}

/* who comes late gets one thread at first, and his share when the others ask again */
static void
test_newcomer(void **state)
{
	AiGate		gate = create_gate();

	(void) state;
	assert_int_equal(enter(&gate, 0, 4, 4), 4);
	assert_int_equal(enter(&gate, 1, 4, 4), 1);
	ai_gate_leave(&gate, 0);
	assert_int_equal(enter(&gate, 0, 4, 4), 2);
	ai_gate_leave(&gate, 1);
	assert_int_equal(enter(&gate, 1, 4, 4), 2);
	assert_int_equal(enter(&gate, 2, 4, 4), 1);
	destroy_gate(&gate);
}

/* who wants less leaves the rest to the others */
static void
test_modest(void **state)
{
	AiGate		gate = create_gate();

	(void) state;
	assert_int_equal(enter(&gate, 0, 1, 8), 1);
	assert_int_equal(enter(&gate, 1, 2, 8), 2);
	assert_int_equal(enter(&gate, 2, 8, 8), 5);
	destroy_gate(&gate);
}

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

/* who has just left keeps his share for a moment, on a machine that does not stop in between */
static void
test_between(void **state)
{
	AiGate		gate = create_gate();
	double		before;
	int			n;

	(void) state;
	do
	{
		before = seconds();
		ai_gate_clear(&gate, 2);
		assert_int_equal(enter(&gate, 1, 4, 4), 4);
		ai_gate_leave(&gate, 1);
		n = enter(&gate, 2, 4, 4);
	} while (seconds() - before > 0.02);
	assert_int_equal(n, 2);

	nanosleep(&(struct timespec) {.tv_nsec = 200 * 1000 * 1000}, NULL);
	assert_int_equal(enter(&gate, 2, 4, 4), 4);
	destroy_gate(&gate);
}

/* what the dead had is free, and what was given back for good */
static void
test_gone(void **state)
{
	AiGate		gate = create_gate();

	(void) state;
	assert_int_equal(ai_gate_enter(&gate, 0, 666, 4, 4), 4);
	assert_int_equal(ai_gate_n_threads(&gate, 0), 0);
	assert_int_equal(enter(&gate, 1, 4, 4), 4);
	ai_gate_leave(&gate, 1);
	ai_gate_clear(&gate, 1);
	assert_int_equal(enter(&gate, 2, 4, 4), 4);
	destroy_gate(&gate);
}

/* The threads beyond the first ones are never more than there are cores besides one. */
static void
enter_again_and_again(const AiGate *gate, int place, int n_cores)
{
	atomic_int *n_extra = (atomic_int *) ((char *) gate->places + ai_gate_size(N_PLACES));

	for (int i = 0; i < N_ROUNDS; i++)
	{
		int			n = ai_gate_enter(gate, place, (uint32_t) (1 + place), 1 + (i + place) % 8,
									  n_cores);

		if (n < 1 || atomic_fetch_add(n_extra, n - 1) + n - 1 > n_cores - 1)
			_exit(1);
		if (i % 64 == place)
			usleep(10);
		atomic_fetch_sub(n_extra, n - 1);
		ai_gate_leave(gate, place);
	}
	_exit(0);
}

static void
test_never_too_many(void **state)
{
	(void) state;
	for (int n_cores = 2; n_cores <= 6; n_cores++)
	{
		AiGate		gate = create_gate();
		pid_t		processes[N_PLACES];

		for (int i = 0; i < N_PLACES; i++)
		{
			processes[i] = fork();
			assert_true(processes[i] >= 0);
			if (processes[i] == 0)
				enter_again_and_again(&gate, i, n_cores);
		}
		for (int i = 0; i < N_PLACES; i++)
		{
			int			status;

			assert_int_equal(waitpid(processes[i], &status, 0), processes[i]);
			assert_int_equal(status, 0);
		}
		destroy_gate(&gate);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_newcomer),
		cmocka_unit_test(test_modest),
		cmocka_unit_test(test_between),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_never_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
