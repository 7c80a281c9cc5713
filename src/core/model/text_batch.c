/*-------------------------------------------------------------------------
 * text_batch.c
 *		Many texts through one text classifier.
 *-------------------------------------------------------------------------
 */
#include "core/model/text_batch.h"

#include <stdlib.h>

typedef struct Run
{
	const AiInputs *inputs;
	const AiTextClassifier *model;
	AiTextScratch *const *scratch;
	bool		has_embeddings;
	AiError    *err;
} Run;

static inline AiCode
compute(const Run *run, uint32_t number, int thread)
{
	AiInput *input = &run->inputs->input[number];

	/* its embedding may have failed */
	if (run->has_embeddings && input->code != AI_OK)
		return input->code;
	input->code = ai_text_classifier_run(run->model, run->scratch[thread], input->probability,
										 &input->best, input->bytes, input->len, input->answer,
										 number == 0 ? run->err : NULL);
	return input->code;
}

static void
compute_task(void *arg, int64_t index, int thread)
{
	const Run  *run = arg;

	(void) compute(run, run->inputs->tasks[index].number, thread);
}

static int
compare_lengths(const void *a, const void *b)
{
	const AiInputTask *x = a;
	const AiInputTask *y = b;

	return (x->len < y->len) - (x->len > y->len);
}

/* So that no thread is left with a long one when the others have nothing more to do */
static AiCode
run_on_threads(const Run *run, int n_threads, AiPool *pool)
{
	const AiInputs *inputs = run->inputs;

	qsort(inputs->tasks, inputs->n_distinct, sizeof(AiInputTask), compare_lengths);
	AI_TRY(ai_pool_run_on(pool, n_threads, compute_task, (void *) run,
						  (int64_t) inputs->n_distinct, run->err));
	for (size_t i = 0; i < inputs->n_distinct; i++)
	{
		if (inputs->input[inputs->tasks[i].number].code == AI_ERR_CANCELLED)
			return ai_fail(run->err, AI_ERR_CANCELLED, "cancelled");
	}
	return AI_OK;
}

AiCode
ai_text_batch_run(const AiInputs *inputs, const AiTextClassifier *model,
				  AiTextScratch *const *scratch, int n_threads, AiPool *pool, AiError *err)
{
	int			n_dense;
	const Run	run = {
		inputs, model, scratch, ai_text_classifier_embedder(model, &n_dense) != NULL, err
	};

	if (n_threads > 1 && inputs->n_distinct > 1)
		return run_on_threads(&run, n_threads, pool);
	for (size_t i = 0; i < inputs->n_distinct; i++)
	{
		if (compute(&run, inputs->tasks[i].number, 0) == AI_ERR_CANCELLED)
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
	}
	return AI_OK;
}
