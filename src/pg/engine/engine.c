/*-------------------------------------------------------------------------
 * engine.c
 *		Opening models once, and keeping the recently used.
 *
 * The bytes of a model are shared with all other backends (pg/cache); what this
 * backend has of its own is what running them takes (batch.c).
 *
 * Every engine has a memory context of its own under "aiaas models", named in
 * pg_backend_memory_contexts by what it was opened for.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/engine/engine.h"

#include "utils/memutils.h"

#include "core/model/network_batch.h"
#include "pg/cache/cache.h"
#include "pg/engine/engine_internal.h"
#include "pg/host/datum.h"
#include "pg/host/digest.h"
#include "pg/host/host.h"
#include "pg/host/raise.h"

static MemoryContext cache_context = NULL;
static dlist_head recently_used = DLIST_STATIC_INIT(recently_used);	/* newest first */
static int	n_engines = 0;
static Size cached_bytes = 0;

static AiaasEngine *
find_engine(const uint8 *hash)
{
	dlist_iter	iter;

	dlist_foreach(iter, &recently_used)
	{
		AiaasEngine *engine = dlist_container(AiaasEngine, node, iter.cur);

		if (memcmp(engine->hash, hash, AIAAS_HASH_SIZE) == 0)
			return engine;
	}
	return NULL;
}

/* Out of the cache, and gone when it is not in use */
static void
forget_engine(AiaasEngine *engine)
{
	dlist_delete(&engine->node);
	n_engines--;
	cached_bytes -= engine->size;
	engine->is_retired = true;
	if (engine->n_pins == 0)
		MemoryContextDelete(engine->context);
}

/* Make room for one more of this size; pinned engines may keep us above the limits. */
static void
evict_engines(Size size)
{
	dlist_node *next = NULL;

	if (!dlist_is_empty(&recently_used))
		next = dlist_tail_node(&recently_used);

	while (next != NULL &&
		   (n_engines >= AIAAS_ENGINE_MAX_MODELS || cached_bytes + size > AIAAS_ENGINE_MAX_BYTES))
	{
		AiaasEngine *engine = dlist_container(AiaasEngine, node, next);

		next = dlist_has_prev(&recently_used, next) ?
			dlist_prev_node(&recently_used, next) : NULL;
		if (engine->n_pins == 0)
			forget_engine(engine);
	}
}

/* So that an error about the model's bytes says which model it is */
static void
name_model(void *arg)
{
	const AiaasModel *model = arg;

	errcontext("opening version %d of model \"%s\"", model->version, model->name);
}

static const AiaasKind *
kind_of(const AiaasModel *model)
{
	const AiaasKind *kind = aiaas_kind_find(model->kind);

	if (kind == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("model \"%s\" cannot be applied", model->name),
				 errdetail("Its kind is \"%s\".", model->kind)));
	return kind;
}

/* What is about to be shared by all sessions is sound. */
static void
check_bytes(const AiaasModel *model, const void *bytes, size_t n_bytes)
{
	const AiHost *host = aiaas_host_create(CurrentMemoryContext);
	void	   *opened;
	AiError		err;

	AIAAS_CHECK(kind_of(model)->open(&opened, host, bytes, n_bytes, false, &err), &err);
	MemoryContextDelete(aiaas_host_context(host));
}

/* A file that was damaged and keeps its time shows here, if anywhere, and is built again. */
static void
open_model(AiaasEngine *engine, const AiaasModel *model)
{
	const void *bytes;
	size_t		n_bytes;
	AiCode		code;
	AiError		err;

	for (int attempt = 0;; attempt++)
	{
		engine->file = aiaas_cache_open(model, check_bytes);
		bytes = aiaas_cache_bytes(engine->file, &n_bytes);
		code = engine->kind->open(&engine->model, engine->host, bytes, n_bytes, true, &err);
		if (code == AI_OK)
			break;
		if (attempt > 0 || aiaas_cache_verify(model) != AIAAS_CACHE_REMOVED)
			aiaas_raise(&err);
	}
	if (engine->kind == &aiaas_text_kind)
		engine->classifier = engine->model;
	if (engine->kind == &aiaas_network_kind)
		engine->network = engine->model;
	if (engine->kind == &aiaas_encoder_kind)
		engine->encoder = engine->model;
}

/* Whoever may use a classifier may use it with its embedder. */
static void
open_embedder(AiaasEngine *engine, const AiaasModel *model)
{
	int			n_dense;
	const uint8 *hash = ai_text_classifier_embedder(engine->classifier, &n_dense);
	AiaasModel *embedder;

	if (hash == NULL)
		return;
	embedder = aiaas_model_find_content(hash, AIAAS_NO_PRIVILEGE);
	if (embedder != NULL)
		aiaas_pin_model(&engine->embedder, embedder);
	if (embedder == NULL || !aiaas_engine_embeds(engine->embedder.engine, (size_t) n_dense))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the embedder of model \"%s\" is missing", model->name),
				 errdetail("Version %d learnt from embeddings by the model of content %s.",
						   model->version, aiaas_hash_hex(hash)),
				 errhint("Import that model, or restore the tables of schema \"aiaas\" from a "
						 "backup.")));
	engine->embeddings = AllocSetContextCreate(engine->context, "aiaas embeddings",
											   ALLOCSET_SMALL_SIZES);
}

/* Not yet in the cache: an error on the way takes the context with it. */
static AiaasEngine *
open_engine(const AiaasModel *model)
{
	const AiaasKind *kind = kind_of(model);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "aiaas model",
												  ALLOCSET_SMALL_SIZES);
	AiaasEngine *engine = MemoryContextAllocZero(context, sizeof(AiaasEngine));
	MemoryContext old_context = MemoryContextSwitchTo(context);
	ErrorContextCallback callback = {error_context_stack, name_model, (void *) model};

	error_context_stack = &callback;
	MemoryContextSetIdentifier(context, psprintf("%s@%d", model->name, model->version));
	memcpy(engine->hash, model->hash, AIAAS_HASH_SIZE);
	engine->context = context;
	engine->host = aiaas_host_create(context);

	engine->kind = kind;
	open_model(engine, model);
	aiaas_pin_init(&engine->embedder, context);
	if (engine->classifier != NULL)
		open_embedder(engine, model);
	(void) aiaas_engine_scratch(engine);
	engine->kind->cost(model, engine->model, &engine->cost);
	engine->labels = palloc0(aiaas_engine_n_labels(engine) * sizeof(text *));
	engine->size = MemoryContextMemAllocated(context, true);
	error_context_stack = callback.previous;
	MemoryContextSwitchTo(old_context);
	return engine;
}

static bool
is_current(AiaasEngine *engine)
{
	return aiaas_cache_is_current(engine->file) &&
		(engine->embedder.engine == NULL ||
		 aiaas_cache_is_current(engine->embedder.engine->file));
}

static AiaasEngine *
find_or_open_engine(const AiaasModel *model)
{
	AiaasEngine *engine = find_engine(model->hash);

	if (engine != NULL && is_current(engine))
	{
		dlist_move_head(&recently_used, &engine->node);
		return engine;
	}
	if (engine != NULL)
		forget_engine(engine);

	engine = open_engine(model);
	if (cache_context == NULL)
		cache_context = AllocSetContextCreate(TopMemoryContext, "aiaas models",
											  ALLOCSET_SMALL_SIZES);
	evict_engines(engine->size);
	MemoryContextSetParent(engine->context, cache_context);
	dlist_push_head(&recently_used, &engine->node);
	n_engines++;
	cached_bytes += engine->size;
	return engine;
}

static void
release_pin(void *arg)
{
	AiaasPin   *pin = arg;

	AiaasEngine *engine = pin->engine;

	pin->engine = NULL;
	if (engine != NULL && --engine->n_pins == 0 && engine->is_retired)
		MemoryContextDelete(engine->context);
}

void
aiaas_pin_init(AiaasPin *pin, MemoryContext context)
{
	pin->engine = NULL;
	pin->callback.func = release_pin;
	pin->callback.arg = pin;
	MemoryContextRegisterResetCallback(context, &pin->callback);
}

void
aiaas_pin_model(AiaasPin *pin, const AiaasModel *model)
{
	AiaasEngine *engine = find_or_open_engine(model);

	engine->n_pins++;
	release_pin(pin);
	pin->engine = engine;
}

AiaasEngine *
aiaas_engine_acquire(const AiaasModel *model)
{
	AiaasPin   *pin = palloc(sizeof(AiaasPin));

	aiaas_pin_init(pin, CurrentMemoryContext);
	aiaas_pin_model(pin, model);
	return pin->engine;
}

AiaasTask
aiaas_engine_task(const AiaasEngine *engine)
{
	return engine->kind->task(engine->model);
}

size_t
aiaas_engine_n_numbers(const AiaasEngine *engine, int layer)
{
	return engine->kind->n_numbers(engine->model, layer);
}

int
aiaas_engine_n_labels(const AiaasEngine *engine)
{
	if (likely(engine->classifier != NULL))
		return ai_text_classifier_n_labels(engine->classifier);
	return engine->kind->n_labels(engine->model);
}

const char *
aiaas_engine_utf8_label(const AiaasEngine *engine, int index, size_t *len)
{
	return engine->kind->label(engine->model, index, len);
}

text *
aiaas_engine_label(AiaasEngine *engine, int index)
{
	if (engine->labels[index] == NULL)
	{
		MemoryContext old_context = MemoryContextSwitchTo(engine->context);
		size_t		len;
		const char *label = aiaas_engine_utf8_label(engine, index, &len);

		engine->labels[index] = aiaas_utf8_to_text(label, len);
		MemoryContextSwitchTo(old_context);
	}
	return engine->labels[index];
}

int
aiaas_engine_find_label(const AiaasEngine *engine, const char *label, size_t len)
{
	return engine->kind->find_label(engine->model, label, len);
}

void
aiaas_engine_explain(AiaasEngine *engine, const AiTextContribution **contributions,
					 int64_t *n_contributions, int label, const char *utf8, size_t len)
{
	const AiTextClassifier *classifier = aiaas_engine_classifier(engine);
	const float *embedding = aiaas_engine_embedding(engine, utf8, len);
	AiTextScratch *scratch = aiaas_engine_scratch(engine);
	AiError		err;

	engine->is_scratch_large = len > AIAAS_LARGE_INPUT;
	AIAAS_CHECK(ai_text_classifier_explain(classifier, scratch, contributions,
										   n_contributions, label, utf8, len, embedding, &err),
				&err);
}

const AiTextClassifier *
aiaas_engine_classifier(const AiaasEngine *engine)
{
	if (engine->classifier == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("model \"%s\" is not a text classifier", engine->context->ident),
				 errdetail("Its kind is \"%s\".", engine->kind->name)));
	return engine->classifier;
}

bool
aiaas_engine_embeds(const AiaasEngine *engine, size_t n)
{
	return engine->encoder != NULL && aiaas_engine_task(engine) == AIAAS_TASK_EMBEDDING &&
		(n == 0 || aiaas_engine_n_numbers(engine, AI_NETWORK_ANSWER) == n);
}

const AiNetwork *
aiaas_engine_network(const AiaasEngine *engine)
{
	return engine->network;
}

const AiEncoder *
aiaas_engine_encoder(const AiaasEngine *engine)
{
	return engine->encoder;
}
