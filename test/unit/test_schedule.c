/*-------------------------------------------------------------------------
 * test_schedule.c
 *		Learning rates, early ends and reductions are those of Keras 3.
 *
 * test/golden/schedules.txt holds schedules, runs and what Keras makes of them; its format
 * is described in test/golden/make_schedules.py.
 *-------------------------------------------------------------------------
 */
#include "core/train/schedule.h"
#include "core/train/stopping.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "test_golden.h"

#define GOLDEN_FILE "test/golden/schedules.txt"
#define ANY_STEPS_PER_EPOCH 7	/* where lengths are steps */

static void
check_rates(FILE *file)
{
	AiSchedule	s = {0};
	char		kind[32];
	double		base;
	int			n_steps;

	assert_int_equal(fscanf(file, "%31s %lf %lf %lf %lf %lf %lf %d %d", kind, &base, &s.length,
							&s.factor, &s.alpha, &s.warmup, &s.warmup_target, &s.n_boundaries,
							&n_steps), 9);
	assert_true(ai_schedule_find(&s.kind, kind, strlen(kind)));
	golden_doubles(file, s.boundary, s.n_boundaries);
	golden_doubles(file, s.rate, s.n_boundaries + 1);
	assert_int_equal(ai_schedule_check(&s, NULL), AI_OK);
	for (int i = 0; i < n_steps; i++)
	{
		int64_t		step = (int64_t) golden_number(file);
		double		expected = golden_number(file);
		double		rate = ai_schedule_rate(&s, base, step, ANY_STEPS_PER_EPOCH);

		/* Keras has floats, and the cosine near its end is as good as they are */
		if (!(fabs(rate - expected) <= 3e-6 * expected + 1e-8))
			fail_msg("%s: rate of step %d is %.9g, not %.9g", kind, (int) step, rate, expected);
	}
}

static void
check_run(FILE *file)
{
	AiStopping	s;
	char		mode[8];
	double		rate;
	int			patience;
	int			plateau_patience;
	int			cooldown;
	int			n_epochs;

	ai_stopping_default(&s);
	assert_int_equal(fscanf(file, "%7s %d %lf %d %lf %lf %lf %d %lf %d", mode, &patience,
							&s.min_delta, &plateau_patience, &s.plateau_min_delta, &s.factor,
							&s.min_rate, &cooldown, &rate, &n_epochs), 10);
	s.is_score = strcmp(mode, "max") == 0;
	s.patience = patience;
	s.plateau_patience = plateau_patience;
	s.cooldown = cooldown;
	for (int i = 0; i < n_epochs; i++)
	{
		double		watched = golden_number(file);
		int			is_best = (int) golden_number(file);
		int			stops = (int) golden_number(file);
		double		expected = golden_number(file);
		double		before = rate;
		int			brought = ai_stopping_epoch(&s, watched, &rate);

		assert_int_equal((brought & AI_EPOCH_IS_BEST) != 0, is_best);
		assert_int_equal((brought & AI_EPOCH_STOPS) != 0, stops);
		assert_int_equal((brought & AI_EPOCH_REDUCED) != 0, rate != before);
		assert_true(fabs(rate - expected) <= 1e-12 * expected);
	}
}

static void
test_keras(void **state)
{
	FILE	   *file = golden_open(GOLDEN_FILE);
	char		what[16];
	int			n_rates = 0;
	int			n_runs = 0;

	(void) state;
	while (fscanf(file, "%15s", what) == 1)
	{
		bool		is_run = strcmp(what, "run") == 0;

		n_runs += is_run;
		n_rates += !is_run;
		(is_run ? check_run : check_rates) (file);
	}
	assert_in_range(n_rates, 16, 100);
	assert_in_range(n_runs, 16, 100);
	fclose(file);
}

/* a length of n epochs is one of n times as many steps as an epoch has */
static void
test_epochs(void **state)
{
	AiSchedule	s = {.length = 20, .factor = 0.5, .alpha = 0.1, .warmup = 10, .warmup_target = 0.5};

	(void) state;
	for (int kind = AI_SCHEDULE_CONSTANT; kind <= AI_SCHEDULE_COSINE; kind++)
	{
		AiSchedule	by_epochs = s;

		s.kind = by_epochs.kind = kind;
		by_epochs.by_epochs = true;
		by_epochs.length = s.length / 5;
		by_epochs.warmup = s.warmup / 5;
		for (int64_t step = 0; step < 100; step++)
			assert_true(ai_schedule_rate(&s, 0.1, step, 3) ==
						ai_schedule_rate(&by_epochs, 0.1, step, 5));
	}
}

/* the first epoch counts as 0, and a boundary lies before its epoch */
static void
test_boundaries_of_epochs(void **state)
{
	AiSchedule	s = {.kind = AI_SCHEDULE_PIECEWISE, .by_epochs = true, .n_boundaries = 2,
		.boundary = {1, 3}, .rate = {1, 2, 3}};

	(void) state;
	assert_true(ai_schedule_rate(&s, 9, 0, 10) == 1);
	assert_true(ai_schedule_rate(&s, 9, 9, 10) == 1);
	assert_true(ai_schedule_rate(&s, 9, 10, 10) == 2);
	assert_true(ai_schedule_rate(&s, 9, 29, 10) == 2);
	assert_true(ai_schedule_rate(&s, 9, 30, 10) == 3);
	assert_true(ai_schedule_rate(&s, 9, INT64_C(1) << 60, 10) == 3);
}

static void
test_out_of_range(void **state)
{
	const AiSchedule good[] = {
		{.kind = AI_SCHEDULE_STEP, .length = 1, .factor = 0.5},
		{.kind = AI_SCHEDULE_EXPONENTIAL, .length = 0.5, .factor = 1},
		{.kind = AI_SCHEDULE_COSINE, .length = 10, .alpha = 1, .warmup = 3, .warmup_target = 1},
		{.kind = AI_SCHEDULE_PIECEWISE, .n_boundaries = 2, .boundary = {1, 2}, .rate = {1, 1, 0}},
	};
	const AiSchedule wrong[] = {
		{.kind = AI_SCHEDULE_STEP, .length = 0, .factor = 0.5},
		{.kind = AI_SCHEDULE_STEP, .length = NAN, .factor = 0.5},
		{.kind = AI_SCHEDULE_EXPONENTIAL, .length = INFINITY, .factor = 0.5},
		{.kind = AI_SCHEDULE_EXPONENTIAL, .length = 1, .factor = 0},
		{.kind = AI_SCHEDULE_EXPONENTIAL, .length = 1, .factor = 1.5},
		{.kind = AI_SCHEDULE_EXPONENTIAL, .length = 1, .factor = NAN},
		{.kind = AI_SCHEDULE_COSINE, .length = -1},
		{.kind = AI_SCHEDULE_COSINE, .length = 1, .alpha = -0.1},
		{.kind = AI_SCHEDULE_COSINE, .length = 1, .warmup = -1},
		{.kind = AI_SCHEDULE_COSINE, .length = 1, .warmup_target = NAN},
		{.kind = AI_SCHEDULE_PIECEWISE},
		{.kind = AI_SCHEDULE_PIECEWISE, .n_boundaries = AI_SCHEDULE_MAX_PIECES + 1},
		{.kind = AI_SCHEDULE_PIECEWISE, .n_boundaries = 1, .boundary = {0}},
		{.kind = AI_SCHEDULE_PIECEWISE, .n_boundaries = 2, .boundary = {2, 2}},
		{.kind = AI_SCHEDULE_PIECEWISE, .n_boundaries = 2, .boundary = {2, NAN}},
		{.kind = AI_SCHEDULE_PIECEWISE, .n_boundaries = 1, .boundary = {2}, .rate = {1, -1}},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(ai_schedule_check(&good[i], NULL), AI_OK);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
	{
		AiError		err = {0};

		assert_int_equal(ai_schedule_check(&wrong[i], &err), AI_ERR_PARAM);
		assert_true(err.message[0] != '\0');
	}
}

/* what is not a number is never the best, and waits like any other */
static void
test_not_a_number(void **state)
{
	AiStopping	s;
	double		rate = 1;

	(void) state;
	ai_stopping_default(&s);
	s.patience = 2;
	assert_int_equal(ai_stopping_epoch(&s, NAN, &rate), 0);
	assert_int_equal(ai_stopping_epoch(&s, 3, &rate), AI_EPOCH_IS_BEST);
	assert_int_equal(ai_stopping_epoch(&s, NAN, &rate), 0);
	assert_int_equal(ai_stopping_epoch(&s, NAN, &rate), AI_EPOCH_STOPS);
	assert_true(rate == 1);
}

/* by default the best is known, and nothing else happens */
static void
test_nothing_asked(void **state)
{
	AiStopping	s;
	double		rate = 1;

	(void) state;
	ai_stopping_default(&s);
	assert_int_equal(ai_stopping_epoch(&s, 1, &rate), AI_EPOCH_IS_BEST);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(ai_stopping_epoch(&s, 1, &rate), 0);
	assert_int_equal(ai_stopping_epoch(&s, 0.5, &rate), AI_EPOCH_IS_BEST);
	assert_true(rate == 1);
}

static void
test_names(void **state)
{
	AiScheduleKind kind;

	(void) state;
	for (int k = AI_SCHEDULE_CONSTANT; k <= AI_SCHEDULE_PIECEWISE; k++)
	{
		const char *name = ai_schedule_name(k);

		assert_true(ai_schedule_find(&kind, name, strlen(name)));
		assert_int_equal(kind, k);
	}
	assert_false(ai_schedule_find(&kind, "linear", 6));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keras),
		cmocka_unit_test(test_epochs),
		cmocka_unit_test(test_boundaries_of_epochs),
		cmocka_unit_test(test_out_of_range),
		cmocka_unit_test(test_not_a_number),
		cmocka_unit_test(test_nothing_asked),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
