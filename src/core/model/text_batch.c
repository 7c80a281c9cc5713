/*-------------------------------------------------------------------------
 * text_batch.c
 *		Many texts through one text classifier.
 *-------------------------------------------------------------------------
 */
#include "core/model/text_batch.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"

struct AiTextTask
{
	uint32_t	number;			/* of the input */
	uint32_t	len;
};

/* Of a hash table of inputs */
typedef struct Slot
{
	uint32_t	hash;
	uint32_t	number;			/* from 1; 0: free */
} Slot;

/* At most half full */
static size_t
n_slots_for(size_t n)
{
	size_t		n_slots = 4;

	while (n_slots < 2 * n)
		n_slots *= 2;
	return n_slots;
}

/* The first input with the bytes of input number, which is itself if there is none before it */
static uint32_t
find_first(Slot *slots, size_t n_slots, const AiTextInput *inputs, uint32_t number)
{
	const AiTextInput *input = &inputs[number];
	uint64_t	hash = ai_hash64(input->text, input->len, 0);
	uint32_t	upper = (uint32_t) (hash >> 32);
	size_t		i = hash & (n_slots - 1);

	for (; slots[i].number != 0; i = (i + 1) & (n_slots - 1))
	{
		const AiTextInput *other = &inputs[slots[i].number - 1];

		if (slots[i].hash == upper && other->len == input->len &&
			memcmp(other->text, input->text, input->len) == 0)
			return slots[i].number - 1;
	}
	slots[i] = (Slot) {upper, number + 1};
	return number;
}

static void
list_distinct(AiTextBatch *batch, Slot *slots, size_t n_slots)
{
	for (uint32_t i = 0; i < batch->n; i++)
	{
		AiTextInput *input = &batch->inputs[i];

		input->same_as = find_first(slots, n_slots, batch->inputs, i);
		if (input->same_as != i)
			continue;
		batch->tasks[batch->n_distinct++] = (AiTextTask) {i, (uint32_t) input->len};
		batch->n_bytes += input->len;
	}
}

AiCode
ai_text_batch_init(AiTextBatch *batch, AiTextInput *inputs, size_t n, const AiHost *host,
				   AiError *err)
{
	size_t		n_slots;
	Slot	   *slots;

	*batch = (AiTextBatch) {.inputs = inputs, .n = n, .host = host};
	n_slots = n_slots_for(n);
	slots = ai_host_alloc(host, n_slots * sizeof(Slot));
	batch->tasks = ai_host_alloc(host, n * sizeof(AiTextTask));
	if (slots == NULL || batch->tasks == NULL)
	{
		ai_host_release(host, slots);
		ai_text_batch_free(batch);
		return ai_out_of_memory(err, n_slots * sizeof(Slot) + n * sizeof(AiTextTask), "a batch");
	}
	memset(slots, 0, n_slots * sizeof(Slot));
	list_distinct(batch, slots, n_slots);
	ai_host_release(host, slots);
	return AI_OK;
}

void
ai_text_batch_free(AiTextBatch *batch)
{
	ai_host_release(batch->host, batch->tasks);
	batch->tasks = NULL;
}

typedef struct Run
{
	const AiTextBatch *batch;
	const AiTextClassifier *model;
	AiTextScratch *const *scratch;
	AiError    *err;
} Run;

static inline AiCode
compute(const Run *run, uint32_t number, int thread)
{
	AiTextInput *input = &run->batch->inputs[number];

	input->code = ai_text_classifier_run(run->model, run->scratch[thread], input->probability,
										 &input->best, input->text, input->len,
										 number == 0 ? run->err : NULL);
	return input->code;
}

static void
compute_task(void *arg, int64_t index, int thread)
{
	const Run  *run = arg;

	(void) compute(run, run->batch->tasks[index].number, thread);
}

static int
compare_lengths(const void *a, const void *b)
{
	const AiTextTask *x = a;
	const AiTextTask *y = b;

	return (x->len < y->len) - (x->len > y->len);
}

/* So that no thread is left with a long one when the others have nothing more to do */
static AiCode
run_on_threads(const Run *run, int n_threads, AiPool *pool)
{
	const AiTextBatch *batch = run->batch;

	qsort(batch->tasks, batch->n_distinct, sizeof(AiTextTask), compare_lengths);
	AI_TRY(ai_pool_run_on(pool, n_threads, compute_task, (void *) run,
						  (int64_t) batch->n_distinct, run->err));
	for (size_t i = 0; i < batch->n_distinct; i++)
	{
		if (batch->inputs[batch->tasks[i].number].code == AI_ERR_CANCELLED)
			return ai_fail(run->err, AI_ERR_CANCELLED, "cancelled");
	}
	return AI_OK;
}

AiCode
ai_text_batch_run(const AiTextBatch *batch, const AiTextClassifier *model,
				  AiTextScratch *const *scratch, int n_threads, AiPool *pool, AiError *err)
{
	const Run	run = {batch, model, scratch, err};

	if (n_threads > 1 && batch->n_distinct > 1)
		return run_on_threads(&run, n_threads, pool);
	for (size_t i = 0; i < batch->n_distinct; i++)
	{
		if (compute(&run, batch->tasks[i].number, 0) == AI_ERR_CANCELLED)
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
	}
	return AI_OK;
}
