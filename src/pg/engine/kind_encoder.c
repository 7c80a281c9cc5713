/*-------------------------------------------------------------------------
 * kind_encoder.c
 *		The kind of pre-trained encoders: embedders, classifiers of texts, tables of vectors.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/engine/kind.h"

#include "core/model/encoder_batch.h"
#include "utils/memutils.h"

#include "pg/engine/encoder_features.h"
#include "pg/engine/features.h"
#include "pg/engine/work.h"

/* A reader that has grown beyond this is not kept between batches. */
#define LARGE_READER ((size_t) 32 * 1024 * 1024)

static AiCode
open_encoder(void **model, const AiHost *host, const void *bytes, size_t size, bool is_checked,
			 AiError *err)
{
	AiEncoder  *encoder;
	AiCode		code = is_checked ? ai_encoder_open_checked(&encoder, host, bytes, size, err) :
		ai_encoder_open(&encoder, host, bytes, size, err);

	*model = encoder;
	return code;
}

static void
close_encoder(void *model)
{
	ai_encoder_close(model);
}

static int
n_encoder_labels(const void *model)
{
	return ai_encoder_n_labels(model);
}

static const char *
encoder_label(const void *model, int index, size_t *len)
{
	return ai_encoder_label(model, index, len);
}

static int
find_encoder_label(const void *model, const char *label, size_t len)
{
	return ai_encoder_find_label(model, label, len);
}

static AiCode
create_encoder_scratch(void **scratch, const void *model, const AiHost *host, AiError *err)
{
	AiEncoderReader *reader;
	AiCode		code = ai_encoder_reader_create(&reader, host, model, err);

	*scratch = reader;
	return code;
}

static void
destroy_encoder_scratch(void *scratch)
{
	ai_encoder_reader_destroy(scratch);
}

static bool
is_encoder_scratch_large(const void *scratch)
{
	return ai_encoder_reader_memory(scratch) > LARGE_READER;
}

static AiCode
run_encoder(const AiInputs *inputs, const void *model, void *const *scratch,
			const AiRequest *request, AiaasCounts *counts, int n_threads, AiPool *pool,
			AiError *err)
{
	Size		size = inputs->n_distinct * ai_encoder_n_outputs(model) * sizeof(float);
	float	   *answers = MemoryContextAllocHuge(CurrentMemoryContext, Max(size, 1));
	AiEncoderCounts did;
	AiCode		code = ai_encoder_batch_run(inputs, model, request,
											(AiEncoderReader *const *) scratch, answers, &did,
											n_threads, pool, err);

	counts->tokens += did.n_tokens;
	counts->truncated += did.n_truncated;
	return code;
}

static void
encoder_cost(const AiaasModel *version, const void *model, AiaasVerbCost *cost)
{
	if (model != NULL)
		aiaas_encoder_cost(ai_encoder_work(model),
						   (AiPrecision) ai_encoder_shape(model)->precision, cost);
	else
		aiaas_encoder_cost(aiaas_features_work(version), aiaas_features_precision(version), cost);
}

static AiaasTask
encoder_task(const void *model)
{
	static const AiaasTask tasks[AI_N_ANSWERS] = {
		[AI_ANSWER_EMBEDDING] = AIAAS_TASK_EMBEDDING,
		[AI_ANSWER_CLASS] = AIAAS_TASK_CLASSES,
		[AI_ANSWER_LABELS] = AIAAS_TASK_LABELS,
		[AI_ANSWER_VALUES] = AIAAS_TASK_VALUES
	};

	return tasks[ai_encoder_shape(model)->answer];
}

static size_t
n_encoder_numbers(const void *model, int layer)
{
	(void) layer;
	return ai_encoder_n_outputs(model);
}

static bool
are_encoder_features(const void *model, const Jsonb *features)
{
	return aiaas_encoder_are_features(model, features);
}

const AiaasKind aiaas_encoder_kind = {
	.name = AI_ENCODER_KIND,
	.has_numbers = true,
	.open = open_encoder,
	.close = close_encoder,
	.n_labels = n_encoder_labels,
	.label = encoder_label,
	.find_label = find_encoder_label,
	.create_scratch = create_encoder_scratch,
	.destroy_scratch = destroy_encoder_scratch,
	.is_scratch_large = is_encoder_scratch_large,
	.run = run_encoder,
	.cost = encoder_cost,
	.task = encoder_task,
	.n_numbers = n_encoder_numbers,
	.are_features = are_encoder_features
};
