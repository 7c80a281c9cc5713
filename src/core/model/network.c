/*-------------------------------------------------------------------------
 * network.c
 *		Stored neural networks.
 *-------------------------------------------------------------------------
 */
#include "core/model/network.h"

#include <math.h>
#include <string.h>

#include "core/layer/layers.h"
#include "core/model/network_internal.h"

#define ITEMS_PER_QUESTION 65536	/* whether to stop */

/* Numbers within this range have finite products with each other. */
#define MAX_NUMBER 1e18F

/*
 * Storing
 */

static AiCode
add_words(AiAimWriter *w, const AiWords *words, AiError *err)
{
	int64_t		n = (int64_t) words->n;

	AI_TRY(ai_aim_add(w, "words.hash", AI_DTYPE_U64, words->hash, 1, &n, err));
	return ai_aim_add(w, "words.number", AI_DTYPE_I32, words->number, 1, &n, err);
}

static AiCode
add_entries(AiAimWriter *w, const AiNetworkParts *parts, AiError *err)
{
	size_t		len = strlen(parts->definition);

	AI_TRY(ai_aim_add_i64(w, "version", AI_NETWORK_VERSION, err));
	AI_TRY(ai_aim_add_strings(w, "definition", &parts->definition, &len, 1, err));
	AI_TRY(ai_aim_add(w, "input", AI_DTYPE_I64, parts->shape.dims, 1,
					  (int64_t[]) {parts->shape.n_dims}, err));
	AI_TRY(ai_aim_add_i64(w, "input.kind", parts->input, err));
	AI_TRY(ai_aim_add_i64(w, "task", parts->task, err));
	AI_TRY(ai_aim_add_i64(w, "head", parts->head, err));
	AI_TRY(ai_aim_add_strings(w, "labels", parts->labels, parts->label_lens, parts->n_labels, err));
	if (parts->input == AI_NETWORK_WORDS)
		AI_TRY(add_words(w, &parts->words, err));
	AI_TRY(ai_aim_add(w, "weights", AI_DTYPE_F32, parts->weights, 1,
					  (int64_t[]) {(int64_t) parts->n_weights}, err));
	AI_TRY(ai_aim_add(w, "states", AI_DTYPE_F32, parts->states, 1,
					  (int64_t[]) {(int64_t) parts->n_states}, err));
	return ai_aim_add(w, "history", AI_DTYPE_F64, parts->history, 2,
					  (int64_t[]) {parts->n_epochs, AI_NETWORK_HISTORY}, err);
}

AiCode
ai_network_store(void **bytes, size_t *size, const AiHost *host, const AiNetworkParts *parts,
				 AiError *err)
{
	AiAimWriter writer;
	const void *block;
	AiCode		code;

	*bytes = NULL;
	ai_aim_writer_init(&writer, host, AI_NETWORK_KIND);
	code = add_entries(&writer, parts, err);
	if (code == AI_OK)
		code = ai_aim_finish(&writer, &block, size, err);
	if (code == AI_OK)
	{
		*bytes = ai_host_alloc(host, *size);
		if (*bytes != NULL)
			memcpy(*bytes, block, *size);
		else
			code = ai_out_of_memory(err, *size, "a network");
	}
	ai_aim_writer_free(&writer);
	return code;
}

/*
 * Opening
 */

static AiCode
check_numbers(const AiHost *host, const float *x, size_t n, const char *name, AiError *err)
{
	for (size_t i = 0; i < n; i++)
	{
		if (i % ITEMS_PER_QUESTION == 0 && ai_host_should_stop(host))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		if (!(fabsf(x[i]) <= MAX_NUMBER))
			return ai_fail(err, AI_ERR_FORMAT, "invalid network: \"%s\" holds %g", name,
						   (double) x[i]);
	}
	return AI_OK;
}

static AiCode
read_version(const AiAim *aim, AiError *err)
{
	int64_t		version;

	AI_TRY(ai_aim_i64(aim, &version, "version", 1, INT64_MAX, err));
	if (version <= AI_NETWORK_VERSION)
		return AI_OK;
	ai_fail(err, AI_ERR_UNSUPPORTED, "a network of version %lld is newer than this server's (%d)",
			(long long) version, AI_NETWORK_VERSION);
	ai_hint(err, "Update aiaas.");
	return AI_ERR_UNSUPPORTED;
}

static AiCode
read_shape(AiShape *shape, const AiAim *aim, AiError *err)
{
	const void *data;
	int64_t		n_dims;

	AI_TRY(ai_aim_array(aim, &data, &n_dims, "input", AI_DTYPE_I64, 1, err));
	if (n_dims > AI_SHAPE_MAX_DIMS)
		return ai_fail(err, AI_ERR_FORMAT, "invalid network: samples of %lld dimensions",
					   (long long) n_dims);
	shape->n_dims = (int) n_dims;
	memcpy(shape->dims, data, (size_t) n_dims * sizeof(int64_t));
	return AI_OK;
}

/* What the definition and the shape say is a graph, or the block is damaged. */
static AiCode
read_graph(AiNetwork *network, const AiAim *aim, AiError *err)
{
	AiAimStrings definition;
	size_t		len;
	const char *json;
	AiError		inner;
	AiCode		code;

	AI_TRY(ai_aim_strings(aim, &definition, "definition", err));
	if (definition.n != 1)
		return ai_fail(err, AI_ERR_FORMAT, "invalid network: %lld definitions",
					   (long long) definition.n);
	json = ai_aim_string(&definition, 0, &len);
	AI_TRY(read_shape(&network->parts.shape, aim, err));
	code = ai_definition_parse(&network->definition, &network->arena, ai_layer_types, json, len,
							   &inner);
	if (code == AI_OK)
		code = ai_graph_create(&network->graph, &network->arena, &network->definition,
							   &network->parts.shape, &inner);
	if (code == AI_ERR_NOMEM || code == AI_ERR_CANCELLED)
		return ai_fail(err, code, "%s", inner.message);
	if (code != AI_OK)
		return ai_fail(err, AI_ERR_FORMAT, "invalid network: %s", inner.message);
	network->parts.definition = json;
	return AI_OK;
}

static AiCode
read_numbers(AiNetwork *network, const AiAim *aim, bool is_checked, AiError *err)
{
	AiNetworkParts *parts = &network->parts;
	const AiHost *host = network->arena.host;
	int64_t		dims[2];
	const void *data;

	parts->n_weights = network->graph.n_weights;
	parts->n_states = network->graph.n_states;
	AI_TRY(ai_aim_shaped_array(aim, &data, "weights", AI_DTYPE_F32, 1,
							   (int64_t[]) {(int64_t) parts->n_weights}, err));
	parts->weights = data;
	AI_TRY(ai_aim_shaped_array(aim, &data, "states", AI_DTYPE_F32, 1,
							   (int64_t[]) {(int64_t) parts->n_states}, err));
	parts->states = data;
	AI_TRY(ai_aim_array(aim, &data, dims, "history", AI_DTYPE_F64, 2, err));
	if (dims[0] > INT32_MAX || dims[1] != AI_NETWORK_HISTORY)
		return ai_fail(err, AI_ERR_FORMAT, "invalid network: a history of %lld by %lld numbers",
					   (long long) dims[0], (long long) dims[1]);
	parts->history = data;
	parts->n_epochs = (int) dims[0];
	if (is_checked)
		return AI_OK;
	AI_TRY(check_numbers(host, parts->weights, parts->n_weights, "weights", err));
	return check_numbers(host, parts->states, parts->n_states, "states", err);
}

/* Labels rise by their bytes, and there is one for each output, or two for one. */
static AiCode
read_labels(AiNetwork *network, const AiAim *aim, AiError *err)
{
	AiAimStrings *labels = &network->labels;
	AiNetworkTask task = network->parts.task;
	int64_t		n_outputs = ai_shape_last(&ai_graph_last(&network->graph)->output);

	AI_TRY(ai_aim_strings(aim, labels, "labels", err));
	network->parts.n_labels = (int) labels->n;
	if (task == AI_NETWORK_VALUES)
		return labels->n == 0 ? AI_OK :
			ai_fail(err, AI_ERR_FORMAT, "invalid network: labels of numbers");
	if (task == AI_NETWORK_CLASSES && n_outputs == 1)
		n_outputs = 2;
	if (labels->n != n_outputs || labels->n > AI_NETWORK_MAX_LABELS)
		return ai_fail(err, AI_ERR_FORMAT, "invalid network: %lld labels for %lld outputs",
					   (long long) labels->n, (long long) n_outputs);
	if (!ai_aim_strings_rise(labels))
		return ai_fail(err, AI_ERR_FORMAT, "invalid network: labels are not in order");
	return AI_OK;
}

/* An answer to a row is one place, but of steps. */
static AiCode
check_output(const AiNetwork *network, AiError *err)
{
	const AiShape *output = &ai_graph_last(&network->graph)->output;
	AiNetworkTask task = network->parts.task;
	char		shape[AI_SHAPE_TEXT_SIZE];

	if (task == AI_NETWORK_VALUES || output->n_dims == (task == AI_NETWORK_STEPS ? 2 : 1))
		return AI_OK;
	return ai_fail(err, AI_ERR_FORMAT, "invalid network: its output has the shape %s",
				   ai_shape_text(shape, output));
}

static AiCode
bad_words(AiError *err)
{
	return ai_fail(err, AI_ERR_FORMAT, "invalid network: its words do not fit");
}

/* Hashes rise, and numbers are those that the embedding has. */
static AiCode
read_words(AiNetwork *network, const AiAim *aim, bool is_checked, AiError *err)
{
	AiWords    *words = &network->parts.words;
	const void *data;
	int64_t		n;

	if (network->parts.input != AI_NETWORK_WORDS)
		return AI_OK;
	AI_TRY(ai_aim_array(aim, &data, &n, "words.hash", AI_DTYPE_U64, 1, err));
	words->hash = data;
	AI_TRY(ai_aim_shaped_array(aim, &data, "words.number", AI_DTYPE_I32, 1, &n, err));
	words->number = data;
	words->n = (size_t) n;
	if (network->parts.shape.n_dims != 1 || n + AI_WORD_FIRST > network->n_tokens)
		return bad_words(err);
	for (int64_t i = 0; i < n && !is_checked; i++)
	{
		if (i % ITEMS_PER_QUESTION == 0 && ai_host_should_stop(network->arena.host))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		if (words->number[i] < AI_WORD_FIRST || words->number[i] >= AI_WORD_FIRST + n ||
			(i > 0 && words->hash[i] <= words->hash[i - 1]))
			return bad_words(err);
	}
	return AI_OK;
}

static AiCode
read_block(AiNetwork *network, const void *bytes, size_t size, bool is_checked, AiError *err)
{
	AiNetworkParts *parts = &network->parts;
	AiAim		aim;
	int64_t		number;

	AI_TRY(ai_aim_open(&aim, bytes, size, err));
	AI_TRY(ai_aim_check_kind(&aim, AI_NETWORK_KIND, err));
	AI_TRY(read_version(&aim, err));
	AI_TRY(ai_aim_i64(&aim, &number, "input.kind", 0, AI_NETWORK_N_INPUTS - 1, err));
	parts->input = (AiNetworkInput) number;
	AI_TRY(ai_aim_i64(&aim, &number, "task", 0, AI_NETWORK_N_TASKS - 1, err));
	parts->task = (AiNetworkTask) number;
	AI_TRY(ai_aim_i64(&aim, &number, "head", 0, AI_ACT_N - 1, err));
	parts->head = (AiActivation) number;
	AI_TRY(read_graph(network, &aim, err));
	network->n_tokens = ai_network_n_tokens(&network->graph);
	AI_TRY(check_output(network, err));
	AI_TRY(read_labels(network, &aim, err));
	AI_TRY(read_words(network, &aim, is_checked, err));
	return read_numbers(network, &aim, is_checked, err);
}

static AiCode
open_network(AiNetwork **result, const AiHost *host, const void *bytes, size_t size,
			 bool is_checked, AiError *err)
{
	AiNetwork  *network = ai_host_alloc(host, sizeof(AiNetwork));
	AiCode		code;

	*result = NULL;
	if (network == NULL)
		return ai_out_of_memory(err, sizeof(AiNetwork), "a network");
	memset(network, 0, sizeof(*network));
	ai_arena_init(&network->arena, host);
	code = read_block(network, bytes, size, is_checked, err);
	if (code == AI_OK)
		*result = network;
	else
		ai_network_close(network);
	return code;
}

AiCode
ai_network_open(AiNetwork **network, const AiHost *host, const void *bytes, size_t size,
				AiError *err)
{
	return open_network(network, host, bytes, size, false, err);
}

AiCode
ai_network_open_checked(AiNetwork **network, const AiHost *host, const void *bytes, size_t size,
						AiError *err)
{
	return open_network(network, host, bytes, size, true, err);
}

void
ai_network_close(AiNetwork *network)
{
	const AiHost *host;

	if (network == NULL)
		return;
	host = network->arena.host;
	ai_arena_free(&network->arena);
	ai_host_release(host, network);
}

/*
 * Using
 */

const AiNetworkParts *
ai_network_parts(const AiNetwork *network)
{
	return &network->parts;
}

const AiGraph *
ai_network_graph(const AiNetwork *network)
{
	return &network->graph;
}

const char *
ai_network_label(const AiNetwork *network, int index, size_t *len)
{
	return ai_aim_string(&network->labels, index, len);
}

int
ai_network_find_label(const AiNetwork *network, const char *label, size_t len)
{
	return (int) ai_aim_find_string(&network->labels, label, len);
}

/*
 * Numbers of an input
 */

/* Rows of the smallest embedding: all of them look up what goes into the network (graph.c). */
int64_t
ai_network_n_tokens(const AiGraph *graph)
{
	int64_t		n = 0;

	for (int i = 0; i < graph->n_layers; i++)
	{
		const AiLayer *layer = &graph->layers[i].layer;

		for (int j = 0; j < layer->n_weights; j++)
		{
			if (layer->weight[j].is_rows && (n == 0 || layer->weight[j].dims[0] < n))
				n = layer->weight[j].dims[0];
		}
	}
	return n;
}

AiCode
ai_network_check_numbers(const float *number, size_t n, int64_t n_tokens, AiError *err)
{
	for (size_t i = 0; i < n; i++)
	{
		if (!(fabsf(number[i]) <= MAX_NUMBER))
			return ai_fail(err, AI_ERR_DATA, "number %zu of the input is %g", i + 1,
						   (double) number[i]);
		if (n_tokens > 0 && (number[i] < 0 || number[i] >= (float) n_tokens ||
							 number[i] != truncf(number[i])))
		{
			ai_fail(err, AI_ERR_DATA, "number %zu of the input is %g", i + 1, (double) number[i]);
			ai_detail(err, "The embedding takes whole numbers from 0 to %lld.",
					  (long long) n_tokens - 1);
			return AI_ERR_DATA;
		}
	}
	return AI_OK;
}
