/*-------------------------------------------------------------------------
 * inputs.c
 *		Many inputs of one model, of which equal ones are computed once.
 *-------------------------------------------------------------------------
 */
#include "core/model/inputs.h"

#include <string.h>

#include "core/base/hash.h"

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
find_first(Slot *slots, size_t n_slots, const AiInput *inputs, uint32_t number)
{
	const AiInput *input = &inputs[number];
	uint64_t	hash = ai_hash64(input->bytes, input->len, 0);
	uint32_t	upper = (uint32_t) (hash >> 32);
	size_t		i = hash & (n_slots - 1);

	for (; slots[i].number != 0; i = (i + 1) & (n_slots - 1))
	{
		const AiInput *other = &inputs[slots[i].number - 1];

		if (slots[i].hash == upper && other->len == input->len &&
			memcmp(other->bytes, input->bytes, input->len) == 0)
			return slots[i].number - 1;
	}
	slots[i] = (Slot) {upper, number + 1};
	return number;
}

static void
list_distinct(AiInputs *inputs, Slot *slots, size_t n_slots)
{
	for (uint32_t i = 0; i < inputs->n; i++)
	{
		AiInput    *input = &inputs->input[i];

		input->same_as = find_first(slots, n_slots, inputs->input, i);
		if (input->same_as != i)
			continue;
		inputs->tasks[inputs->n_distinct++] = (AiInputTask) {i, (uint32_t) input->len};
		inputs->n_bytes += input->len;
	}
}

AiCode
ai_inputs_init(AiInputs *inputs, AiInput *input, size_t n, const AiHost *host, AiError *err)
{
	size_t		n_slots;
	Slot	   *slots;

	*inputs = (AiInputs) {.input = input, .n = n, .host = host};
	n_slots = n_slots_for(n);
	slots = ai_host_alloc(host, n_slots * sizeof(Slot));
	inputs->tasks = ai_host_alloc(host, n * sizeof(AiInputTask));
	if (slots == NULL || inputs->tasks == NULL)
	{
		ai_host_release(host, slots);
		ai_inputs_free(inputs);
		return ai_out_of_memory(err, n_slots * sizeof(Slot) + n * sizeof(AiInputTask), "a batch");
	}
	memset(slots, 0, n_slots * sizeof(Slot));
	list_distinct(inputs, slots, n_slots);
	ai_host_release(host, slots);
	return AI_OK;
}

void
ai_inputs_free(AiInputs *inputs)
{
	ai_host_release(inputs->host, inputs->tasks);
	inputs->tasks = NULL;
}
