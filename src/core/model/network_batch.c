/*-------------------------------------------------------------------------
 * network_batch.c
 *		Many inputs through one network.
 *-------------------------------------------------------------------------
 */
#include "core/model/network_batch.h"

#include <string.h>

#include "core/layer/layers.h"

/*
 * Multiplications between two questions whether to stop: some tens of milliseconds.  Not less,
 * since the weights of a large network are read anew for each group.
 */
#define GROUP_WORK 2.5e9

size_t
ai_network_answer_size(const AiNetwork *network, int layer)
{
	if (layer == AI_NETWORK_ANSWER)
		return ai_network_n_places(network) * ai_network_n_answers(network);
	return ai_shape_size(&ai_network_graph(network)->layers[layer].layer.output);
}

/*
 * Work
 */

/* How often a layer uses its weights: at each place of its output, or each step that it reads */
static double
n_places_of(const AiLayer *layer)
{
	const AiShape *shape = layer->output.n_dims < layer->input[0].n_dims ? &layer->input[0] :
		&layer->output;

	return (double) ai_shape_size(shape) / (double) ai_shape_last(shape);
}

static double
layer_work(const AiLayer *layer)
{
	double		n_places = n_places_of(layer);
	double		work = (double) ai_shape_size(&layer->input[0]) +
		(double) ai_shape_size(&layer->output);

	for (int i = 0; i < layer->n_weights; i++)
	{
		if (!layer->weight[i].is_rows && !layer->weight[i].is_state)
			work += (double) layer->weight[i].size * n_places;
	}
	/* Each step with each other one, by as many numbers as its query and its value have */
	if (layer->type == &ai_layer_attention)
		work += 2 * n_places * n_places * (double) layer->weight[0].size /
			(double) ai_shape_last(&layer->input[0]);
	return work;
}

double
ai_network_work(const AiNetwork *network)
{
	const AiGraph *graph = ai_network_graph(network);
	double		work = 0;

	for (int i = 0; i < graph->n_layers; i++)
		work += layer_work(&graph->layers[i].layer);
	return work;
}

/*
 * Groups
 */
typedef struct Run
{
	const AiInputs *inputs;
	const AiNetwork *network;
	AiNetworkScratch *const *scratch;
	int			layer;
	float	   *answers;
	size_t		answer_size;
	size_t		group_rows;
} Run;

int
ai_network_best(const float *probability, size_t n)
{
	size_t		best = 0;
	float		most = probability[0];

	/* without a branch, which could not be foretold */
	for (size_t i = 1; i < n; i++)
	{
		bool		is_more = probability[i] > most;

		best = is_more ? i : best;
		most = is_more ? probability[i] : most;
	}
	return (int) best;
}

static void
take_answer(const Run *run, AiInput *input, const float *answer)
{
	input->code = AI_OK;
	input->answer = answer;
	if (run->layer == AI_NETWORK_ANSWER &&
		ai_network_parts(run->network)->task == AI_NETWORK_CLASSES)
		input->best = ai_network_best(answer, run->answer_size);
}

static void
compute_group(void *arg, int64_t index, int thread)
{
	const Run  *run = arg;
	size_t		first = (size_t) index * run->group_rows;
	size_t		left = run->inputs->n_distinct - first;
	int			n = (int) (left < run->group_rows ? left : run->group_rows);
	const AiInputTask *tasks = run->inputs->tasks + first;
	float	   *answers = run->answers + first * run->answer_size;
	AiNetworkRow rows[AI_SHARD_ROWS];

	for (int i = 0; i < n; i++)
	{
		const AiInput *input = &run->inputs->input[tasks[i].number];

		rows[i] = (AiNetworkRow) {input->bytes, input->len};
	}
	if (run->layer == AI_NETWORK_ANSWER)
		ai_network_apply(run->network, run->scratch[thread], rows, n, answers);
	else
		memcpy(answers, ai_network_transform(run->network, run->scratch[thread], rows, n,
											 run->layer),
			   (size_t) n * run->answer_size * sizeof(float));
	for (int i = 0; i < n; i++)
		take_answer(run, &run->inputs->input[tasks[i].number],
					answers + (size_t) i * run->answer_size);
}

/* As many as are computed best together, less where they take long or there is one more thread */
static size_t
group_rows_for(const AiInputs *inputs, const AiNetwork *network, int n_threads)
{
	double		most = GROUP_WORK / ai_network_work(network);
	size_t		rows = AI_SHARD_ROWS;
	size_t		share = (inputs->n_distinct + (size_t) n_threads - 1) / (size_t) n_threads;

	if (most < (double) rows)
		rows = (size_t) most;
	if (share < rows)
		rows = share;
	return rows > 0 ? rows : 1;
}

AiCode
ai_network_batch_run(const AiInputs *inputs, const AiNetwork *network,
					 AiNetworkScratch *const *scratch, int layer, float *answers, int n_threads,
					 AiPool *pool, AiError *err)
{
	Run			run = {
		.inputs = inputs, .network = network, .scratch = scratch, .layer = layer,
		.answers = answers, .answer_size = ai_network_answer_size(network, layer),
		.group_rows = group_rows_for(inputs, network, n_threads)
	};
	int64_t		n_groups = (int64_t) ((inputs->n_distinct + run.group_rows - 1) / run.group_rows);

	AI_TRY(ai_blas_prepare(err));
	if (n_threads > 1 && n_groups > 1)
		return ai_pool_run_on(pool, n_threads, compute_group, &run, n_groups, err);
	for (int64_t i = 0; i < n_groups; i++)
	{
		if (ai_host_should_stop(inputs->host))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		compute_group(&run, i, 0);
	}
	return AI_OK;
}
