/*-------------------------------------------------------------------------
 * network_apply.c
 *		Inputs through a stored network.
 *-------------------------------------------------------------------------
 */
#include "core/model/network.h"

#include <math.h>
#include <string.h>

#include "core/kernels/kernels.h"
#include "core/model/network_internal.h"

struct AiNetworkScratch
{
	const AiHost *host;
	AiRun	   *run;
	AiWordReader *words;		/* of texts */
	float	   *input;			/* [AI_SHARD_ROWS, shape] */
	size_t		n_inputs;		/* numbers of a row */
};

size_t
ai_network_n_places(const AiNetwork *network)
{
	const AiShape *output = &ai_graph_last(&network->graph)->output;

	if (network->parts.task != AI_NETWORK_STEPS)
		return 1;
	return ai_shape_size(output) / (size_t) ai_shape_last(output);
}

size_t
ai_network_n_answers(const AiNetwork *network)
{
	if (network->parts.task == AI_NETWORK_VALUES)
		return ai_shape_size(&ai_graph_last(&network->graph)->output);
	return (size_t) network->parts.n_labels;
}

size_t
ai_network_input_bytes(const AiNetwork *network)
{
	size_t		n = ai_shape_size(&network->parts.shape);

	switch (network->parts.input)
	{
		case AI_NETWORK_NUMBERS:
			return n * sizeof(float);
		case AI_NETWORK_PIXELS:
			return n;
		case AI_NETWORK_WORDS:
		case AI_NETWORK_N_INPUTS:
			break;
	}
	return 0;
}

/*
 * Inputs
 */
static AiCode
check_length(const AiNetwork *network, const AiNetworkRow *row, AiError *err)
{
	bool		is_pixels = network->parts.input == AI_NETWORK_PIXELS;
	size_t		need = ai_network_input_bytes(network);
	size_t		size = is_pixels ? 1 : sizeof(float);
	char		shape[AI_SHAPE_TEXT_SIZE];

	if (row->len == need)
		return AI_OK;
	ai_fail(err, AI_ERR_DATA, "the input has %zu %s instead of %zu", row->len / size,
			is_pixels ? "bytes" : "numbers", need / size);
	ai_detail(err, "The network takes an input of the shape %s.",
			  ai_shape_text(shape, &network->parts.shape));
	return AI_ERR_DATA;
}

AiCode
ai_network_check(const AiNetwork *network, const AiNetworkRow *row, AiError *err)
{
	const float *number = row->bytes;

	if (network->parts.input == AI_NETWORK_WORDS)
		return AI_OK;
	AI_TRY(check_length(network, row, err));
	if (network->parts.input == AI_NETWORK_PIXELS)
		return AI_OK;
	return ai_network_check_numbers(number, row->len / sizeof(float), network->n_tokens, err);
}

/* reader: of texts */
static void
load_row(const AiNetwork *network, AiWordReader *reader, const AiNetworkRow *row, float *input,
		 size_t n_inputs)
{
	switch (network->parts.input)
	{
		case AI_NETWORK_NUMBERS:
			memcpy(input, row->bytes, n_inputs * sizeof(float));
			break;
		case AI_NETWORK_PIXELS:
			ai_kernels()->pixels(input, row->bytes, n_inputs);
			break;
		case AI_NETWORK_WORDS:
		case AI_NETWORK_N_INPUTS:
			ai_words_read(&network->parts.words, reader, row->bytes, row->len, input, n_inputs);
			break;
	}
}

AiCode
ai_network_read_row(const AiNetwork *network, const AiNetworkRow *row, float *input,
					const AiHost *host, AiError *err)
{
	AiWordReader *reader = NULL;

	if (network->parts.input == AI_NETWORK_WORDS)
		AI_TRY(ai_word_reader_create(&reader, host, err));
	load_row(network, reader, row, input, ai_shape_size(&network->parts.shape));
	ai_word_reader_destroy(reader);
	return AI_OK;
}

/*
 * Scratch
 */
static AiCode
init_scratch(AiNetworkScratch *scratch, const AiNetwork *network, AiError *err)
{
	size_t		size = AI_SHARD_ROWS * ai_shape_size(&network->parts.shape) * sizeof(float);

	scratch->n_inputs = ai_shape_size(&network->parts.shape);
	scratch->input = ai_host_alloc(scratch->host, size);
	if (scratch->input == NULL)
		return ai_out_of_memory(err, size, "the inputs of a network");
	if (network->parts.input == AI_NETWORK_WORDS)
		AI_TRY(ai_word_reader_create(&scratch->words, scratch->host, err));
	return ai_run_create(&scratch->run, scratch->host, &network->graph, AI_SHARD_ROWS, err);
}

AiCode
ai_network_scratch_create(AiNetworkScratch **result, const AiHost *host,
						  const AiNetwork *network, AiError *err)
{
	AiNetworkScratch *scratch = ai_host_alloc(host, sizeof(AiNetworkScratch));
	AiCode		code;

	*result = NULL;
	if (scratch == NULL)
		return ai_out_of_memory(err, sizeof(AiNetworkScratch), "the inputs of a network");
	memset(scratch, 0, sizeof(*scratch));
	scratch->host = host;
	code = init_scratch(scratch, network, err);
	if (code == AI_OK)
		*result = scratch;
	else
		ai_network_scratch_destroy(scratch);
	return code;
}

void
ai_network_scratch_destroy(AiNetworkScratch *scratch)
{
	if (scratch == NULL)
		return;
	ai_run_destroy(scratch->run);
	ai_word_reader_destroy(scratch->words);
	ai_host_release(scratch->host, scratch->input);
	ai_host_release(scratch->host, scratch);
}

size_t
ai_network_scratch_memory(const AiNetworkScratch *scratch)
{
	return ai_run_memory(scratch->run) + AI_SHARD_ROWS * scratch->n_inputs * sizeof(float);
}

/*
 * Answers
 */
const float *
ai_network_transform(const AiNetwork *network, AiNetworkScratch *scratch,
					 const AiNetworkRow *rows, int n_rows, int layer)
{
	for (int i = 0; i < n_rows; i++)
		load_row(network, scratch->words, &rows[i],
				 scratch->input + (size_t) i * scratch->n_inputs, scratch->n_inputs);
	return ai_run_apply(scratch->run, network->parts.weights, network->parts.states,
						scratch->input, n_rows, layer);
}

/* The one output is the second label's. */
static void
split_in_two(float *answer, int n_rows)
{
	for (int i = n_rows - 1; i >= 0; i--)
	{
		float		second = answer[i];

		answer[2 * i] = 1 - second;
		answer[2 * i + 1] = second;
	}
}

void
ai_network_apply(const AiNetwork *network, AiNetworkScratch *scratch, const AiNetworkRow *rows,
				 int n_rows, float *answer)
{
	const AiShape *shape = &ai_graph_last(&network->graph)->output;
	size_t		last = (size_t) ai_shape_last(shape);
	size_t		n = ai_shape_size(shape) * (size_t) n_rows;
	const float *sums = ai_network_transform(network, scratch, rows, n_rows,
											 network->graph.n_layers - 1);

	if (network->parts.head == AI_ACT_SOFTMAX)
		ai_kernels()->softmax(answer, sums, n / last, last);
	else
		ai_kernels()->activate(answer, sums, n, network->parts.head);
	if (network->parts.task == AI_NETWORK_CLASSES && last == 1)
		split_in_two(answer, n_rows);
}
