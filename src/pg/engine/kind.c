/*-------------------------------------------------------------------------
 * kind.c
 *		Kinds of models.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/engine/kind.h"

#include "core/model/network_batch.h"
#include "core/model/text_batch.h"
#include "utils/memutils.h"

#include "pg/engine/features.h"
#include "pg/engine/work.h"
#include "pg/host/json.h"

static const AiaasKind *const kinds[] = {
	&aiaas_text_kind, &aiaas_network_kind, &aiaas_encoder_kind
};

const AiaasKind *
aiaas_kind_find(const char *name)
{
	for (size_t i = 0; i < lengthof(kinds); i++)
	{
		if (strcmp(kinds[i]->name, name) == 0)
			return kinds[i];
	}
	return NULL;
}

const char *
aiaas_task_name(AiaasTask task)
{
	static const char *const names[AIAAS_N_TASKS] = {
		[AIAAS_TASK_CLASSES] = "classification",
		[AIAAS_TASK_LABELS] = "multilabel",
		[AIAAS_TASK_VALUES] = "regression",
		[AIAAS_TASK_STEPS] = "sequence",
		[AIAAS_TASK_EMBEDDING] = "embedding"
	};

	return names[task];
}

/*
 * Text classifiers
 */
static AiCode
open_text(void **model, const AiHost *host, const void *bytes, size_t size, bool is_checked,
		  AiError *err)
{
	AiTextClassifier *classifier;
	AiCode		code = is_checked ?
		ai_text_classifier_open_checked(&classifier, host, bytes, size, err) :
		ai_text_classifier_open(&classifier, host, bytes, size, err);

	*model = classifier;
	return code;
}

static void
close_text(void *model)
{
	ai_text_classifier_close(model);
}

static int
n_text_labels(const void *model)
{
	return ai_text_classifier_n_labels(model);
}

static const char *
text_label(const void *model, int index, size_t *len)
{
	return ai_text_classifier_label(model, index, len);
}

static int
find_text_label(const void *model, const char *label, size_t len)
{
	return ai_text_classifier_find_label(model, label, len);
}

static AiCode
create_text_scratch(void **scratch, const void *model, const AiHost *host, AiError *err)
{
	AiTextScratch *text_scratch;
	AiCode		code = ai_text_scratch_create(&text_scratch, model, host, err);

	*scratch = text_scratch;
	return code;
}

static void
destroy_text_scratch(void *scratch)
{
	ai_text_scratch_destroy(scratch);
}

static bool
is_text_scratch_large(const void *scratch)
{
	return ai_text_scratch_longest(scratch) > AIAAS_LARGE_INPUT;
}

static AiCode
run_text(const AiInputs *inputs, const void *model, void *const *scratch,
		 const AiRequest *request, AiaasCounts *counts, int n_threads, AiPool *pool, AiError *err)
{
	(void) request;
	(void) counts;
	return ai_text_batch_run(inputs, model, (AiTextScratch *const *) scratch, n_threads, pool,
							 err);
}

static const uint8 *
text_embedder(const void *model)
{
	int			n_dense;

	return ai_text_classifier_embedder(model, &n_dense);
}

static void
text_cost(const AiaasModel *version, const void *model, AiaasVerbCost *cost)
{
	(void) model;
	aiaas_text_cost(version, cost);
}

static AiaasTask
text_task(const void *model)
{
	(void) model;
	return AIAAS_TASK_CLASSES;
}

static size_t
no_numbers(const void *model, int layer)
{
	(void) model;
	(void) layer;
	return 0;
}

/* A whole row is classified by the column that is named here. */
static bool
are_text_features(const void *model, const Jsonb *features)
{
	return aiaas_features_find_column(features) != NULL &&
		aiaas_features_have_embedder(features, text_embedder(model)) &&
		aiaas_json_number(features, "count") == ai_text_classifier_n_features(model);
}

const AiaasKind aiaas_text_kind = {
	.name = AI_TEXT_CLASSIFIER_KIND,
	.open = open_text,
	.close = close_text,
	.n_labels = n_text_labels,
	.label = text_label,
	.find_label = find_text_label,
	.create_scratch = create_text_scratch,
	.destroy_scratch = destroy_text_scratch,
	.is_scratch_large = is_text_scratch_large,
	.run = run_text,
	.cost = text_cost,
	.task = text_task,
	.n_numbers = no_numbers,
	.embedder = text_embedder,
	.are_features = are_text_features
};

/*
 * Networks
 */
AiaasTask
aiaas_network_task(AiNetworkTask task)
{
	static const AiaasTask tasks[AI_NETWORK_N_TASKS] = {
		[AI_NETWORK_CLASSES] = AIAAS_TASK_CLASSES,
		[AI_NETWORK_LABELS] = AIAAS_TASK_LABELS,
		[AI_NETWORK_VALUES] = AIAAS_TASK_VALUES,
		[AI_NETWORK_STEPS] = AIAAS_TASK_STEPS
	};

	return tasks[task];
}

const char *
aiaas_network_input_name(AiNetworkInput input)
{
	static const char *const names[AI_NETWORK_N_INPUTS] = {
		[AI_NETWORK_NUMBERS] = "numbers",
		[AI_NETWORK_PIXELS] = "pixels",
		[AI_NETWORK_WORDS] = "words"
	};

	return names[input];
}

static AiCode
open_network(void **model, const AiHost *host, const void *bytes, size_t size, bool is_checked,
			 AiError *err)
{
	AiNetwork  *network;
	AiCode		code = is_checked ? ai_network_open_checked(&network, host, bytes, size, err) :
		ai_network_open(&network, host, bytes, size, err);

	*model = network;
	return code;
}

static void
close_network(void *model)
{
	ai_network_close(model);
}

static int
n_network_labels(const void *model)
{
	return ai_network_parts(model)->n_labels;
}

static const char *
network_label(const void *model, int index, size_t *len)
{
	return ai_network_label(model, index, len);
}

static int
find_network_label(const void *model, const char *label, size_t len)
{
	return ai_network_find_label(model, label, len);
}

static AiCode
create_network_scratch(void **scratch, const void *model, const AiHost *host, AiError *err)
{
	AiNetworkScratch *network_scratch;
	AiCode		code = ai_network_scratch_create(&network_scratch, host, model, err);

	*scratch = network_scratch;
	return code;
}

static void
destroy_network_scratch(void *scratch)
{
	ai_network_scratch_destroy(scratch);
}

static bool
is_network_scratch_large(const void *scratch)
{
	(void) scratch;
	return false;
}

static AiCode
run_network(const AiInputs *inputs, const void *model, void *const *scratch,
			const AiRequest *request, AiaasCounts *counts, int n_threads, AiPool *pool,
			AiError *err)
{
	Size		size = inputs->n_distinct * ai_network_answer_size(model, request->layer) *
		sizeof(float);
	float	   *answers = MemoryContextAllocHuge(CurrentMemoryContext, Max(size, 1));

	(void) counts;
	return ai_network_batch_run(inputs, model, (AiNetworkScratch *const *) scratch,
								request->layer, answers, n_threads, pool, err);
}

static void
network_cost(const AiaasModel *version, const void *model, AiaasVerbCost *cost)
{
	if (model != NULL)
		aiaas_network_cost(ai_network_work(model), cost);
	else
		aiaas_network_cost(aiaas_features_work(version), cost);
}

static AiaasTask
network_task(const void *model)
{
	return aiaas_network_task(ai_network_parts(model)->task);
}

static size_t
n_network_numbers(const void *model, int layer)
{
	return ai_network_answer_size(model, layer);
}

/* The columns of a whole row are those that are named here. */
static bool
are_network_features(const void *model, const Jsonb *features)
{
	const char *input = aiaas_features_input(features);

	return aiaas_features_find_column(features) != NULL && input != NULL &&
		strcmp(input, aiaas_network_input_name(ai_network_parts(model)->input)) == 0;
}

const AiaasKind aiaas_network_kind = {
	.name = AI_NETWORK_KIND,
	.has_numbers = true,
	.open = open_network,
	.close = close_network,
	.n_labels = n_network_labels,
	.label = network_label,
	.find_label = find_network_label,
	.create_scratch = create_network_scratch,
	.destroy_scratch = destroy_network_scratch,
	.is_scratch_large = is_network_scratch_large,
	.run = run_network,
	.cost = network_cost,
	.task = network_task,
	.n_numbers = n_network_numbers,
	.are_features = are_network_features
};
