/*-------------------------------------------------------------------------
 * test_training_options.c
 *		What is given is taken, what is not is Keras's, and what is wrong is said.
 *-------------------------------------------------------------------------
 */
#include "core/train/training_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "test_host.h"

static AiCode
parse(AiTrainingOptions *options, AiArena *arena, const char *json, AiError *err)
{
	return ai_training_options_parse(options, arena, json, strlen(json), err);
}

static void
test_defaults(void **state)
{
	AiTrainingOptions options;
	AiArena		arena;

	(void) state;
	ai_arena_init(&arena, ai_malloc_host());
	assert_int_equal(parse(&options, &arena, "{\"layers\": [1]}", NULL), AI_OK);
	assert_int_equal(options.layers->n, 1);
	assert_int_equal(options.epochs, 5);
	assert_int_equal(options.batch_size, 32);
	assert_true(options.validation == 0.1);
	assert_int_equal(options.seed, 1);
	assert_int_equal(options.loss, AI_LOSS_AUTO);
	assert_int_equal(options.optimiser.kind, AI_OPT_ADAM);
	assert_true(options.optimiser.learning_rate == 0.001);
	assert_true(options.optimiser.epsilon == 1e-7);
	assert_int_equal(options.schedule.kind, AI_SCHEDULE_CONSTANT);
	assert_int_equal(options.stopping.patience, 0);
	assert_false(options.restores_best);
	ai_arena_free(&arena);
}

static void
test_given(void **state)
{
	AiTrainingOptions options;
	AiArena		arena;
	AiError		err;

	(void) state;
	ai_arena_init(&arena, ai_malloc_host());
	if (parse(&options, &arena,
			  "{\"layers\": [], \"epochs\": 3, \"batch_size\": 64, \"input\": [28, 28, 1],"
			  " \"optimizer\": {\"name\": \"sgd\", \"momentum\": 0.9, \"nesterov\": true,"
			  " \"clipnorm\": 1}, \"learning_rate\": 0.05, \"loss\": \"huber\", \"delta\": 2,"
			  " \"schedule\": {\"name\": \"cosine\", \"length\": 10, \"by_epochs\": true,"
			  " \"alpha\": 0.1}, \"early_stopping\": 4,"
			  " \"reduce_on_plateau\": {\"patience\": 2, \"factor\": 0.5}}", &err) != AI_OK)
		fail_msg("%s", err.message);
	assert_int_equal(options.epochs, 3);
	assert_int_equal(options.batch_size, 64);
	assert_int_equal(options.input.n, 3);
	assert_int_equal(options.input.size[1], 28);
	assert_int_equal(options.optimiser.kind, AI_OPT_SGD);
	assert_true(options.optimiser.momentum == 0.9 && options.optimiser.nesterov &&
				options.optimiser.clip_norm == 1 && options.optimiser.learning_rate == 0.05);
	assert_int_equal(options.loss, AI_LOSS_HUBER);
	assert_true(options.delta == 2);
	assert_int_equal(options.schedule.kind, AI_SCHEDULE_COSINE);
	assert_true(options.schedule.by_epochs && options.schedule.length == 10 &&
				options.schedule.alpha == 0.1);
	assert_int_equal(options.stopping.patience, 4);
	assert_true(options.restores_best);
	assert_int_equal(options.stopping.plateau_patience, 2);
	assert_true(options.stopping.factor == 0.5);

	/* a rate in the optimiser's object is the later word; names alone; lists */
	if (parse(&options, &arena,
			  "{\"layers\": [], \"optimizer\": {\"name\": \"adamw\", \"learning_rate\": 0.5},"
			  " \"learning_rate\": 0.1, \"loss\": \"mse\", \"early_stopping\":"
			  " {\"patience\": 1, \"restore_best\": false}, \"schedule\": {\"name\":"
			  " \"piecewise\", \"boundaries\": [1, 5], \"rates\": [1, 0.1, 0.01]}}", &err) != AI_OK)
		fail_msg("%s", err.message);
	assert_int_equal(options.optimiser.kind, AI_OPT_ADAMW);
	assert_true(options.optimiser.learning_rate == 0.5);
	assert_int_equal(options.loss, AI_LOSS_MSE);
	assert_false(options.restores_best);
	assert_int_equal(options.schedule.n_boundaries, 2);
	assert_true(options.schedule.rate[2] == 0.01);
	ai_arena_free(&arena);
}

static void
expect(const char *json, const char *message, const char *hint)
{
	AiTrainingOptions options;
	AiArena		arena;
	AiError		err;

	ai_arena_init(&arena, ai_malloc_host());
	assert_int_not_equal(parse(&options, &arena, json, &err), AI_OK);
	assert_string_equal(err.message, message);
	if (hint != NULL)
		assert_non_null(strstr(err.hint, hint));
	ai_arena_free(&arena);
}

static void
test_errors(void **state)
{
	(void) state;
	expect("[]", "options must be an object, not a list", NULL);
	expect("{\"layers\": [], \"epoch\": 3}", "a network has no option \"epoch\"",
		   "Perhaps you meant \"epochs\".");
	expect("{\"layers\": [], \"name\": \"x\"}", "a network has no option \"name\"", "\"layers\"");
	expect("{\"layers\": [], \"epochs\": 0}",
		   "option \"epochs\" must be between 1 and 1000000, not 0", NULL);
	expect("{\"layers\": [], \"loss\": \"hubber\"}", "there is no loss \"hubber\"",
		   "Perhaps you meant \"huber\".");
	expect("{\"layers\": [], \"optimizer\": 3}",
		   "option \"optimizer\" must be a name or an object with a \"name\"", NULL);
	expect("{\"layers\": [], \"optimizer\": {\"name\": \"sgd\", \"beta_1\": 1}}",
		   "optimizer \"sgd\" has no option \"beta_1\"", "\"momentum\"");
	expect("{\"layers\": [], \"schedule\": \"cosine\"}",
		   "schedule \"cosine\" needs the option \"length\"", NULL);
	expect("{\"layers\": [], \"schedule\": {\"name\": \"piecewise\", \"boundaries\": [1],"
		   " \"rates\": [1]}}", "the schedule has 1 boundaries and 1 rates, not one more", NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_given),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
