/*-------------------------------------------------------------------------
 * fuzz_network.c
 *		Any bytes are refused as a network, or used within their bounds.
 *
 * The corpus begins with networks that have every kind of layer:
 *
 *	build/core/test_network --write-networks test/fuzz/corpus/fuzz_network
 *
 * Blocks, inputs and answers are allocated in their exact size, so that one byte too far is seen.
 * A few bytes may define a network that takes hours or all memory: those are opened only.
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "core/model/network_batch.h"
#include "core/model/network_explain.h"

#define MAX_MEMORY ((size_t) 256 << 20)	/* that one network may ask for, all in all */
#define MAX_WORK 1e5			/* multiplications of an input; an explanation has hundreds */
#define MAX_INPUT ((size_t) 1 << 16)

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * A host whose memory comes to an end
 */
static size_t memory_left;

static void *
limited_alloc(void *ud, size_t size)
{
	(void) ud;
	if (size > memory_left)
		return NULL;
	memory_left -= size;
	return ai_host_alloc(ai_malloc_host(), size);
}

static AiHost
limited_host(void)
{
	AiHost		host = *ai_malloc_host();

	memory_left = MAX_MEMORY;
	host.alloc = limited_alloc;
	return host;
}

static void *
exact_copy(const void *bytes, size_t size)
{
	void	   *copy;

	if (posix_memalign(&copy, AI_ALIGNMENT, size > 0 ? size : 1) != 0)
		abort();
	if (size > 0)
		memcpy(copy, bytes, size);
	return copy;
}

/* Read everything that a network says of itself; the sum keeps the reads alive. */
static double
walk(const AiNetwork *network)
{
	const AiNetworkParts *parts = ai_network_parts(network);
	double		sum = 0;
	size_t		len;

	for (int k = 0; k < parts->n_labels; k++)
	{
		const char *label = ai_network_label(network, k, &len);

		if (ai_network_find_label(network, label, len) != k)
			abort();
	}
	for (int i = 0; i < parts->n_epochs * AI_NETWORK_HISTORY; i++)
		sum += parts->history[i];
	for (size_t i = 0; i < parts->words.n; i++)
		sum += (double) ai_words_find(&parts->words, parts->words.hash[i]);
	return sum;
}

static void
explain(const AiNetwork *network, const AiHost *host, const AiNetworkRow *row)
{
	AiNetworkExplanation explanation;
	AiArena		arena;
	size_t		n_inputs = ai_shape_size(&ai_network_graph(network)->input);
	int			last = (int) ai_network_n_answers(network) - 1;

	ai_arena_init(&arena, host);
	if (ai_network_explain(&explanation, &arena, network, row, last, NULL) == AI_OK)
	{
		for (size_t i = 0; i < explanation.n; i++)
		{
			if (explanation.contributions[i].number >= n_inputs)
				abort();
		}
	}
	ai_arena_free(&arena);
}

/* One input, if the network takes it */
static void
use_row(const AiNetwork *network, AiNetworkScratch *scratch, const AiHost *host,
		const void *bytes, size_t size)
{
	size_t		n = ai_network_n_places(network) * ai_network_n_answers(network);
	void	   *input = exact_copy(bytes, size);
	float	   *answer = malloc(n * sizeof(float));
	AiNetworkRow row = {input, size};

	if (answer != NULL && ai_network_check(network, &row, NULL) == AI_OK)
	{
		ai_network_apply(network, scratch, &row, 1, answer);
		for (int i = 0; i < ai_network_graph(network)->n_layers; i++)
			(void) ai_network_transform(network, scratch, &row, 1, i);
		explain(network, host, &row);
	}
	free(answer);
	free(input);
}

static void
use(const AiNetwork *network, const AiHost *host)
{
	static const char text[] = "one Caf\xc3\xa9 two, \xff 123 one two three four five six";
	size_t		size = ai_network_input_bytes(network);
	AiNetworkScratch *scratch;
	float	   *numbers;

	if (size > MAX_INPUT || ai_network_work(network) > MAX_WORK ||
		ai_network_scratch_create(&scratch, host, network, NULL) != AI_OK)
		return;
	numbers = calloc(size + 1, sizeof(float));
	if (numbers != NULL)
	{
		use_row(network, scratch, host, numbers, size);
		for (size_t i = 0; i < size / sizeof(float); i++)
			numbers[i] = (float) (i % 3);
		use_row(network, scratch, host, numbers, size);
		for (size_t i = 0; i < size / sizeof(float); i++)
			numbers[i] = (float) i - 0.5F;
		use_row(network, scratch, host, numbers, size);
	}
	use_row(network, scratch, host, text, sizeof(text) - 1);
	free(numbers);
	ai_network_scratch_destroy(scratch);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AiHost		host = limited_host();
	void	   *block = exact_copy(data, size);
	AiNetwork  *network;
	AiNetwork  *again;

	if (ai_network_open(&network, &host, block, size, NULL) == AI_OK)
	{
		walk(network);
		use(network, &host);
		if (ai_network_open_checked(&again, &host, block, size, NULL) == AI_OK)
			ai_network_close(again);
		ai_network_close(network);
	}
	free(block);
	return 0;
}
