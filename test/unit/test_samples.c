/*-------------------------------------------------------------------------
 * test_samples.c
 *		Rows come back in one order, whatever order they came in and wherever they lie.
 *-------------------------------------------------------------------------
 */
#include "core/train/samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/hash.h"
#include "core/base/rng.h"
#include "test_host.h"

enum
{
	SIZE = 48,
	N_ROWS = 60000,
	MEMORY = 64 << 20,
	LITTLE_MEMORY = 2 << 20
};

/* A file in memory, which fails when it has been asked so often */
typedef struct File
{
	uint8_t    *bytes;
	size_t		size;
	size_t		capacity;
	int			n_calls;
	int			fails_at;		/* 0: never */
} File;

static bool
append(void *ud, const void *bytes, size_t size)
{
	File	   *file = ud;

	if (++file->n_calls == file->fails_at)
		return false;
	if (file->size + size > file->capacity)
	{
		file->capacity = 2 * (file->size + size);
		file->bytes = realloc(file->bytes, file->capacity);
	}
	memcpy(file->bytes + file->size, bytes, size);
	file->size += size;
	return true;
}

static bool
read_file(void *ud, uint64_t offset, void *bytes, size_t size)
{
	File	   *file = ud;

	if (++file->n_calls == file->fails_at || offset + size > file->size)
		return false;
	memcpy(bytes, file->bytes + offset, size);
	return true;
}

/* Row i; one in ten is there twice */
static void
make_row(uint8_t *record, uint32_t i)
{
	AiRng		rng = {i % 10 == 9 ? i - 1 : i};

	for (int j = 0; j < SIZE; j++)
		record[j] = (uint8_t) ai_rng_next(&rng);
}

static bool
is_validation(uint32_t i)
{
	return (i % 10 == 9 ? i - 1 : i) % 7 == 0;
}

/* Of a record that are hashed: with one there are many equal hashes. */
static size_t n_hashed = SIZE;

/* Not inlined: the compiler would warn of lengths that the hash never sees. */
static __attribute__((noinline)) uint64_t
hash_of(const uint8_t *bytes, size_t size)
{
	return ai_hash64(bytes, size, 1);
}

/* Rows 0 .. n - 1 in the order of i * step mod n */
static AiCode
fill(AiSamples **samples, const AiHost *host, size_t max_memory, const AiSpill *spill,
	 uint32_t n, uint32_t step, AiError *err)
{
	AI_TRY(ai_samples_create(samples, host, SIZE, max_memory, spill, err));
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	row = (uint32_t) ((uint64_t) i * step % n);
		uint8_t		bytes[SIZE];
		void	   *record;

		make_row(bytes, row);
		AI_TRY(ai_samples_add(*samples, &record, hash_of(bytes, n_hashed),
							  is_validation(row), err));
		memcpy(record, bytes, SIZE);
	}
	return ai_samples_finish(*samples, err);
}

static void
read_all(uint8_t *records, const AiSamples *samples)
{
	uint8_t    *to = records;

	for (int v = 0; v < 2; v++)
	{
		for (int64_t i = 0; i < ai_samples_n(samples, v); i++, to += SIZE)
			assert_int_equal(ai_samples_read(samples, v, &i, 1, to, NULL), AI_OK);
	}
}

static void
check_order(void)
{
	uint8_t    *expected = malloc((size_t) N_ROWS * SIZE);
	uint8_t    *found = malloc((size_t) N_ROWS * SIZE);
	static const uint32_t steps[] = {1, 7, 59999};
	int64_t		n_validation = 0;

	for (uint32_t i = 0; i < N_ROWS; i++)
		n_validation += is_validation(i);
	for (int s = 0; s < 3; s++)
	{
		for (int in_file = 0; in_file < 2; in_file++)
		{
			File		file = {0};
			AiSpill		spill = {append, read_file, &file};
			AiSamples  *samples;
			AiError		err;

			assert_int_equal(fill(&samples, ai_malloc_host(), in_file ? LITTLE_MEMORY : MEMORY,
								  &spill, N_ROWS, steps[s], &err), AI_OK);
			assert_int_equal(ai_samples_are_in_memory(samples), !in_file);
			assert_int_equal(file.size > 0, in_file);
			assert_int_equal(ai_samples_n(samples, true), n_validation);
			assert_int_equal(ai_samples_n(samples, false), N_ROWS - n_validation);
			read_all(s == 0 && !in_file ? expected : found, samples);
			if (s > 0 || in_file)
				assert_memory_equal(found, expected, (size_t) N_ROWS * SIZE);
			if (!in_file)
				assert_memory_equal(ai_samples_get(samples, true, 0),
									expected + (size_t) ai_samples_n(samples, false) * SIZE, SIZE);
			ai_samples_destroy(samples);
			free(file.bytes);
		}
	}
	free(expected);
	free(found);
}

static void
test_order(void **state)
{
	(void) state;
	check_order();
}

/* different rows may have one hash */
static void
test_equal_hashes(void **state)
{
	(void) state;
	n_hashed = 2;
	check_order();
	n_hashed = SIZE;
}

static void
test_limit(void **state)
{
	AiSamples  *samples;
	AiError		err;

	(void) state;
	assert_int_equal(fill(&samples, ai_malloc_host(), LITTLE_MEMORY, NULL, N_ROWS, 1, &err),
					 AI_ERR_LIMIT);
	assert_string_equal(err.message, "the rows need more memory than the training may use");
	ai_samples_destroy(samples);
	assert_int_equal(fill(&samples, ai_malloc_host(), MEMORY, NULL, 0, 1, &err), AI_OK);
	assert_int_equal(ai_samples_n(samples, false), 0);
	ai_samples_destroy(samples);
}

/* The file may fail at any call. */
static void
test_failing_file(void **state)
{
	(void) state;
	for (int fails_at = 1; fails_at < 3; fails_at++)
	{
		File		file = {.fails_at = fails_at};
		AiSpill		spill = {append, read_file, &file};
		AiSamples  *samples;
		AiError		err;
		AiCode		code = fill(&samples, ai_malloc_host(), 0, &spill, 30000, 1, &err);

		if (code == AI_OK)
		{
			int64_t		number = 0;
			uint8_t		record[SIZE];

			file.fails_at = file.n_calls + 1;
			code = ai_samples_read(samples, false, &number, 1, record, &err);
		}
		assert_int_equal(code, AI_ERR_DATA);
		ai_samples_destroy(samples);
		free(file.bytes);
	}
}

static AiCode
fill_and_free(const AiHost *host, void *arg, AiError *err)
{
	AiSamples  *samples = NULL;
	AiCode		code = fill(&samples, host, MEMORY, NULL, 3000, 1, err);

	(void) arg;
	ai_samples_destroy(samples);
	return code;
}

static void
test_interruptions(void **state)
{
	(void) state;
	test_every_failed_alloc(fill_and_free, NULL);
	test_every_stop(fill_and_free, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_equal_hashes),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_failing_file),
		cmocka_unit_test(test_interruptions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
