/*-------------------------------------------------------------------------
 * test_tally.c
 *		What processes add up in shared memory is exact, whoever of them dies.
 *-------------------------------------------------------------------------
 */
#include "core/base/tally.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define N_PROCESSES 8
#define N_ADDS 20000

static AiTally
create_tally(int n_entries)
{
	AiTally		tally = {.n_entries = n_entries};

	tally.entries = mmap(NULL, ai_tally_size(n_entries), PROT_READ | PROT_WRITE,
						 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(tally.entries, MAP_FAILED);
	return tally;
}

static void
destroy_tally(AiTally *tally)
{
	munmap(tally->entries, ai_tally_size(tally->n_entries));
}

static AiTallyKey
make_key(uint64_t number)
{
	return (AiTallyKey) {.word = {number, [AI_TALLY_KEY_WORDS - 1] = number * 3}};
}

/* Sum 0 counts, the last one adds up numbers. */
static void
add(const AiTally *tally, uint64_t number, int64_t now)
{
	AiTallyKey	key = make_key(number);
	int64_t		sum[AI_TALLY_N_SUMS] = {1, [AI_TALLY_N_SUMS - 1] = (int64_t) number};

	ai_tally_add(tally, &key, sum, now);
}

/* Sum 0 of a key, -1: there is no such key; -2: it is there twice, or wrong */
static int64_t
count_of(const AiTally *tally, uint64_t number)
{
	int64_t		count = -1;

	for (int i = 0; i < tally->n_entries; i++)
	{
		AiTallyRow	row;

		if (!ai_tally_read(tally, &row, i) || row.key.word[0] != number)
			continue;
		if (count >= 0 || row.key.word[AI_TALLY_KEY_WORDS - 1] != number * 3 ||
			row.sum[AI_TALLY_N_SUMS - 1] != row.sum[0] * (int64_t) number)
			return -2;
		count = row.sum[0];
	}
	return count;
}

static int64_t
count_of_others(const AiTally *tally)
{
	AiTallyRow	row;

	assert_true(ai_tally_read(tally, &row, tally->n_entries));
	return row.sum[0];
}

static bool
is_odd(const void *arg, const AiTallyKey *key)
{
	(void) arg;
	return key->word[0] % 2 == 1;
}

static void
test_add_and_remove(void **state)
{
	AiTally		tally = create_tally(100);
	AiTallyRow	row;

	(void) state;
	for (int i = 0; i < 50; i++)
		add(&tally, (uint64_t) (i % 10), 1000 + i);
	for (uint64_t number = 0; number < 10; number++)
		assert_int_equal(count_of(&tally, number), 5);
	assert_int_equal(count_of(&tally, 10), -1);
	assert_int_equal(count_of_others(&tally), 0);
	for (int i = 0; i < tally.n_entries; i++)
	{
		if (ai_tally_read(&tally, &row, i))
			assert_int_equal(row.since, 1000 + (int) row.key.word[0]);
	}

	ai_tally_remove(&tally, is_odd, NULL);
	for (uint64_t number = 0; number < 10; number++)
		assert_int_equal(count_of(&tally, number), number % 2 == 1 ? -1 : 5);
	add(&tally, 7, 2000);
	assert_int_equal(count_of(&tally, 7), 1);
	destroy_tally(&tally);
}

/* the key that was used longest ago makes room, and what it had is not lost */
static void
test_full(void **state)
{
	AiTally		tally = create_tally(64);
	int64_t		sum = 0;
	int64_t		since = 0;

	(void) state;
	for (uint64_t number = 1; number <= 1000; number++)
	{
		add(&tally, number, ++since);
		add(&tally, 1, ++since);
		assert_int_equal(count_of(&tally, number), number == 1 ? 2 : 1);
		assert_int_equal(count_of(&tally, 1), number + 1);
	}
	for (int i = 0; i <= tally.n_entries; i++)
	{
		AiTallyRow	row;

		if (ai_tally_read(&tally, &row, i))
			sum += row.sum[0];
	}
	assert_int_equal(sum, 2000);
	assert_int_equal(count_of_others(&tally), 2000 - 1001 - 63);
	destroy_tally(&tally);
}

static pid_t
start_adding(const AiTally *tally, int n_keys, int n_adds)
{
	pid_t		process = fork();

	assert_true(process >= 0);
	if (process != 0)
		return process;
	for (int i = 0; i < n_adds; i++)
		add(tally, (uint64_t) (i % n_keys), i);
	_exit(0);
}

static void
wait_for(pid_t process)
{
	int			status;

	assert_int_equal(waitpid(process, &status, 0), process);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
}

/* processes that begin at once, with all keys new, lose nothing and make no key twice */
static void
test_many_processes(void **state)
{
	(void) state;
	for (int n_keys = 1; n_keys <= 1000; n_keys *= 10)
	{
		AiTally		tally = create_tally(4096);
		pid_t		processes[N_PROCESSES];

		for (int i = 0; i < N_PROCESSES; i++)
			processes[i] = start_adding(&tally, n_keys, N_ADDS);
		for (int i = 0; i < N_PROCESSES; i++)
			wait_for(processes[i]);
		for (int number = 0; number < n_keys; number++)
			assert_int_equal(count_of(&tally, (uint64_t) number),
							 N_PROCESSES * N_ADDS / n_keys);
		assert_int_equal(count_of_others(&tally), 0);
		destroy_tally(&tally);
	}
}

/* a process that is killed stops nobody, wherever it was */
static void
test_killed_processes(void **state)
{
	AiTally		tally = create_tally(128);

	(void) state;
	for (int i = 0; i < 100; i++)
	{
		pid_t		victim = start_adding(&tally, 200, INT32_MAX);

		nanosleep(&(struct timespec) {.tv_nsec = 100 * 1000 + i * 10 * 1000}, NULL);
		if (i % 10 == 5)
			ai_tally_remove(&tally, is_odd, NULL);
		assert_int_equal(kill(victim, SIGKILL), 0);
		wait_for(victim);
	}
	wait_for(start_adding(&tally, 200, N_ADDS));
	add(&tally, 1000000, INT32_MAX);
	assert_int_equal(count_of(&tally, 1000000), 1);
	destroy_tally(&tally);
}

/* bytes that somebody wrote over it make wrong sums and nothing worse */
static void
test_damage(void **state)
{
	AiTally		tally = create_tally(100);

	(void) state;
	for (int round = 0; round < 256; round++)
	{
		uint8_t    *bytes = (uint8_t *) tally.entries;

		for (size_t i = 0; i < ai_tally_size(100); i++)
			bytes[i] = (uint8_t) (round < 128 ? (size_t) round :
								  (i * 2654435761u + (size_t) round) >> 7);
		for (int i = 0; i < 200; i++)
		{
			AiTallyRow	row;

			add(&tally, (uint64_t) i, i);
			(void) ai_tally_read(&tally, &row, i % 101);
		}
		ai_tally_remove(&tally, is_odd, NULL);
	}
	destroy_tally(&tally);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_and_remove),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_many_processes),
		cmocka_unit_test(test_killed_processes),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
