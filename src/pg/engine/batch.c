/*-------------------------------------------------------------------------
 * batch.c
 *		Running a model over many inputs, on as many threads as they are worth.
 *
 * The threads are one pool for all models.  Each needs a scratch for each model that it
 * works with, of some 1.5 MB; the backend keeps few of them, those of the models whose
 * batches were last shared among threads.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/engine/batch.h"

#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/memutils.h"

#include "pg/engine/engine_internal.h"
#include "pg/host/guc.h"
#include "pg/host/host.h"
#include "pg/host/raise.h"

/* Less work than this, in seconds, is not worth waking a thread for. */
#define MIN_THREAD_WORK 1e-3

/* Scratches of further threads that are kept, of all models together */
#define MAX_CREW 8

static AiPool *pool = NULL;		/* its threads sleep until the backend ends */
static dlist_head crews = DLIST_STATIC_INIT(crews); /* engines, the last used first */
static int	n_crew = 0;			/* of all engines */

/*
 * Scratches
 */
static void
drop_scratch(AiaasEngine *engine, int thread)
{
	if (engine->scratch[thread] == NULL)
		return;
	engine->kind->destroy_scratch(engine->scratch[thread]);
	engine->scratch[thread] = NULL;
	if (thread == 0)
		return;
	n_crew--;
	if (--engine->n_crew == 0)
		dlist_delete(&engine->crew_node);
}

void *
aiaas_engine_scratch(AiaasEngine *engine)
{
	AiError		err;

	if (engine->is_scratch_large)
		drop_scratch(engine, 0);
	engine->is_scratch_large = false;
	if (engine->scratch[0] == NULL)
		AIAAS_CHECK(engine->kind->create_scratch(&engine->scratch[0], engine->model,
												 engine->host, &err), &err);
	return engine->scratch[0];
}

static void
dismiss_crew(void *arg)
{
	AiaasEngine *engine = arg;

	for (int t = 1; engine->n_crew > 0; t++)
		drop_scratch(engine, t);
}

/* Further threads' memory is malloc's, so nobody else would give it back with the engine. */
static void
watch_crew(AiaasEngine *engine)
{
	if (engine->dismiss.func != NULL)
		return;
	engine->dismiss.func = dismiss_crew;
	engine->dismiss.arg = engine;
	MemoryContextRegisterResetCallback(engine->context, &engine->dismiss);
}

/* A scratch for one more thread; false: there is no memory for it, so there are fewer threads. */
static bool
hire(AiaasEngine *engine, int thread)
{
	if (engine->scratch[thread] != NULL)
		return true;
	while (n_crew >= MAX_CREW && dlist_tail_element(AiaasEngine, crew_node, &crews) != engine)
		dismiss_crew(dlist_tail_element(AiaasEngine, crew_node, &crews));
	if (engine->kind->create_scratch(&engine->scratch[thread], engine->model,
									 ai_pool_thread_host(pool, thread), NULL) != AI_OK)
		return false;
	if (engine->n_crew++ == 0)
		dlist_push_head(&crews, &engine->crew_node);
	n_crew++;
	return true;
}

/* How many threads, of those that may be, are ready to work on this model */
static int
prepare_threads(AiaasEngine *engine, int n_threads)
{
	int			n = 1;
	AiError		err;

	(void) aiaas_engine_scratch(engine);
	if (n_threads == 1)
		return 1;
	if (pool == NULL)
		AIAAS_CHECK(ai_pool_create(&pool, aiaas_host_create(TopMemoryContext),
								   AI_POOL_MAX_THREADS, &err), &err);
	watch_crew(engine);
	if (engine->n_crew > 0)
		dlist_move_head(&crews, &engine->crew_node);
	while (n < n_threads && hire(engine, n))
		n++;
	return n;
}

/*
 * Running
 */

/* Threads that the batch is worth, and that the other backends leave */
static int
acquire_threads(const AiaasEngine *engine, const AiInputs *batch)
{
	double		work = engine->cost.per_row * batch->n_distinct +
		engine->cost.per_byte * batch->n_bytes;
	int			n = aiaas_n_threads();

	n = Min(n, (int) Min(batch->n_distinct, AI_POOL_MAX_THREADS));
	n = (int) Min(n, work / MIN_THREAD_WORK);
	return aiaas_threads_acquire(Max(n, 1));
}

static void
drop_large(AiaasEngine *engine, int n_threads)
{
	for (int t = 0; t < n_threads; t++)
	{
		if (engine->kind->is_scratch_large(engine->scratch[t]))
			drop_scratch(engine, t);
	}
}

/* The embeddings of a classifier's inputs become their answers, until its next batch. */
static AiCode
embed(AiaasEngine *engine, const AiInputs *batch, AiaasCounts *counts, int n_threads,
	  AiError *err)
{
	static const AiRequest request = {.layer = AI_NETWORK_ANSWER};
	AiaasEngine *embedder = engine->embedder.engine;
	MemoryContext old_context;
	AiCode		code;

	n_threads = prepare_threads(embedder, n_threads);
	MemoryContextReset(engine->embeddings);
	old_context = MemoryContextSwitchTo(engine->embeddings);
	code = embedder->kind->run(batch, embedder->model, embedder->scratch, &request, counts,
							   n_threads, pool, err);
	MemoryContextSwitchTo(old_context);
	drop_large(embedder, n_threads);
	return code;
}

static AiCode
run_one_text(AiaasEngine *engine, AiInput *input, AiError *err)
{
	AiTextScratch *scratch = engine->scratch[0];

	if (unlikely(scratch == NULL || engine->is_scratch_large))
		scratch = aiaas_engine_scratch(engine);
	engine->mean_length = input->len;
	input->same_as = 0;
	input->code = ai_text_classifier_run(engine->classifier, scratch, input->probability,
										 &input->best, input->bytes, input->len, NULL, err);
	if (unlikely(input->len > AIAAS_LARGE_INPUT))
		drop_scratch(engine, 0);
	return input->code == AI_ERR_CANCELLED ? AI_ERR_CANCELLED : AI_OK;
}

/* Of another kind than a text classifier, or one that has an embedder */
static AiCode
run_one_other(AiaasEngine *engine, AiInput *input, const AiRequest *request,
			  AiaasCounts *counts, AiError *err)
{
	AiInputTask task = {0, (uint32_t) input->len};
	AiInputs	batch = {
		.input = input, .n = 1, .n_distinct = 1, .n_bytes = input->len, .host = engine->host,
		.tasks = &task
	};

	engine->mean_length = input->len;
	input->same_as = 0;
	if (engine->embedder.engine != NULL)
		AI_TRY(embed(engine, &batch, counts, 1, err));
	(void) aiaas_engine_scratch(engine);
	return engine->kind->run(&batch, engine->model, engine->scratch, request, counts, 1, NULL,
							 err);
}

static AiCode
run_on_threads(AiaasEngine *engine, const AiInputs *batch, const AiRequest *request,
			   AiaasCounts *counts, AiError *err)
{
	AiaasEngine *embedder = engine->embedder.engine;
	int			n_threads = acquire_threads(engine, batch);
	AiCode		code;

	/* Both keep their crews, so that neither is hired anew for each batch. */
	if (embedder != NULL)
	{
		AI_TRY(embed(engine, batch, counts, n_threads, err));
		n_threads = Min(n_threads, 1 + MAX_CREW - embedder->n_crew);
	}
	n_threads = prepare_threads(engine, n_threads);
	code = engine->kind->run(batch, engine->model, engine->scratch, request, counts, n_threads,
							 pool, err);
	drop_large(engine, n_threads);
	return code;
}

static AiCode
run_many(AiaasEngine *engine, AiInput *inputs, size_t n, const AiRequest *request,
		 AiaasCounts *counts, size_t *n_distinct,
		 AiError *err)
{
	AiInputs	batch;
	AiCode		code;

	AI_TRY(ai_inputs_init(&batch, inputs, n, engine->host, err));
	engine->mean_length = batch.n_bytes / batch.n_distinct;
	code = run_on_threads(engine, &batch, request, counts, err);
	aiaas_threads_release();
	ai_inputs_free(&batch);
	*n_distinct = batch.n_distinct;
	return code;
}

void
aiaas_engine_run_many(AiaasEngine *engine, AiInput *inputs, size_t n,
					  const AiRequest *request, AiaasCounts *counts, AiError *err)
{
	size_t		n_distinct = 1;
	instr_time	start;
	instr_time	end;

	INSTR_TIME_SET_CURRENT(start);
	if (n > 1)
		AIAAS_CHECK(run_many(engine, inputs, n, request, counts, &n_distinct, err), err);
	else if (likely(engine->classifier != NULL && engine->embedder.engine == NULL))
		AIAAS_CHECK(run_one_text(engine, inputs, err), err);
	else
		AIAAS_CHECK(run_one_other(engine, inputs, request, counts, err), err);
	INSTR_TIME_SET_CURRENT(end);
	CHECK_FOR_INTERRUPTS();

	INSTR_TIME_SUBTRACT(end, start);
	counts->rows += n;
	counts->batches++;
	counts->distinct += n_distinct;
	counts->model_time += (int64) (INSTR_TIME_GET_DOUBLE(end) * 1e9);
}

void
aiaas_engine_raise(AiaasEngine *engine, const AiInput *input, const AiRequest *request)
{
	AiInput		alone = {.bytes = input->bytes, .len = input->len};
	AiaasCounts counts = {0};
	AiError		err;

	aiaas_engine_run_many(engine, &alone, 1, request, &counts, &err);
	if (alone.code != AI_OK)
		aiaas_raise(&err);
	elog(ERROR, "an input failed and then did not");
}

const float *
aiaas_engine_embedding(AiaasEngine *engine, const void *bytes, size_t len)
{
	AiInput		input = {.bytes = bytes, .len = len};
	AiInputTask task = {0, (uint32_t) len};
	AiInputs	batch = {
		.input = &input, .n = 1, .n_distinct = 1, .n_bytes = len, .host = engine->host,
		.tasks = &task
	};
	AiaasCounts counts = {0};
	AiError		err;

	if (engine->embedder.engine == NULL)
		return NULL;
	AIAAS_CHECK(embed(engine, &batch, &counts, 1, &err), &err);
	if (input.code != AI_OK)
		aiaas_raise(&err);
	return input.answer;
}

/* What another than a text classifier answers to one input */
static void
copy_answer(const AiaasEngine *engine, double *probability, const float *answer)
{
	size_t		n = aiaas_engine_n_numbers(engine, AI_NETWORK_ANSWER);

	for (size_t i = 0; i < n; i++)
		probability[i] = answer[i];
}

void
aiaas_engine_run(AiaasEngine *engine, double *probability, int *best, const void *bytes,
				 size_t len)
{
	AiInput		input = {.bytes = bytes, .len = len, .probability = probability};
	AiRequest	request = {.layer = AI_NETWORK_ANSWER};
	AiaasCounts counts = {0};
	AiError		err;

	aiaas_engine_run_many(engine, &input, 1, &request, &counts, &err);
	if (input.code != AI_OK)
		aiaas_raise(&err);
	if (engine->classifier == NULL && probability != NULL)
		copy_answer(engine, probability, input.answer);
	if (best != NULL)
		*best = input.best;
}
