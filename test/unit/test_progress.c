/*-------------------------------------------------------------------------
 * test_progress.c
 *		The share that is done rises whatever the guesses, and follows what is measured.
 *
 * Clocks are real and sleeps may take longer, so limits are wide or one-sided.
 *-------------------------------------------------------------------------
 */
#include "core/base/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

static void
sleep_milliseconds(int n)
{
	nanosleep(&(struct timespec) {.tv_nsec = n * 1000 * 1000}, NULL);
}

static AiProgress
look(AiTracker *tracker)
{
	AiProgress	progress;

	ai_tracker_get(tracker, &progress);
	assert_true(progress.share >= 0 && progress.share <= 1);
	return progress;
}

/* without a guess nothing is claimed */
static void
test_unknown(void **state)
{
	AiTracker	tracker;

	(void) state;
	ai_tracker_init(&tracker);
	ai_tracker_begin(&tracker, &(AiPart) {.phase = "reading", .seconds_after = 1});
	sleep_milliseconds(2);
	assert_string_equal(look(&tracker).phase, "reading");
	assert_true(look(&tracker).share == 0);
	assert_true(look(&tracker).seconds_left < 0);
	assert_true(look(&tracker).loss < 0);
	assert_int_equal(look(&tracker).epoch, 0);
}

/* a guess holds until a part of the units is done, then time is measured */
static void
test_measured(void **state)
{
	AiTracker	tracker;
	AiProgress	progress;
	double		elapsed;

	(void) state;
	ai_tracker_init(&tracker);
	ai_tracker_begin(&tracker, &(AiPart) {
		.phase = "learning", .seconds = 1000, .n_units = 100, .parts_after = 2
	});
	ai_tracker_count(&tracker, 1, 1);
	progress = look(&tracker);
	assert_true(progress.seconds_left > 2990 && progress.seconds_left <= 3000);

	sleep_milliseconds(20);
	ai_tracker_count(&tracker, 49, 3);
	ai_tracker_count(&tracker, 0, 2);
	progress = look(&tracker);
	elapsed = ai_clock() - tracker.part_started;
	assert_int_equal(progress.epoch, 3);
	assert_true(progress.seconds_left > 5 * 0.02);
	assert_true(progress.seconds_left < 5 * elapsed + 1e-9);
	assert_true(progress.share > 0.1 && progress.share < 0.17);
}

/* wrong guesses hold the share, and never let it fall nor come to its end */
static void
test_never_falls(void **state)
{
	static const double guesses[] = {1, 0.001, 100, 0.001, 5, 0};
	AiTracker	tracker;
	double		share = 0;

	(void) state;
	ai_tracker_init(&tracker);
	for (int i = 0; i < 6; i++)
	{
		ai_tracker_begin(&tracker, &(AiPart) {
			.seconds = guesses[i], .n_units = 10, .parts_after = i % 2
		});
		for (int unit = 0; unit < 12; unit++)
		{
			AiProgress	progress = look(&tracker);

			assert_true(progress.share >= share);
			assert_true(progress.share < 1);
			share = progress.share;
			sleep_milliseconds(1);
			ai_tracker_count(&tracker, 1, unit);
		}
	}
	assert_true(share > 0.5);
}

/* what ends by the clock anyway does not take longer than that */
static void
test_deadline(void **state)
{
	AiTracker	tracker;

	(void) state;
	ai_tracker_init(&tracker);
	tracker.max_seconds = 10;
	ai_tracker_begin(&tracker, &(AiPart) {.seconds = 1000});
	assert_true(look(&tracker).seconds_left <= 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_measured),
		cmocka_unit_test(test_never_falls),
		cmocka_unit_test(test_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
