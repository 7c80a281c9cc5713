/*-------------------------------------------------------------------------
 * network.h
 *		The door of stored neural networks: from trained weights to a block, and applying it.
 *
 *	entry			type and shape		what
 *	version			i64					AI_NETWORK_VERSION
 *	definition		strings [1]			the layers, see graph/definition.h
 *	input			i64 [n_dims]		shape of one sample
 *	input.kind		i64					AiNetworkInput
 *	task			i64					AiNetworkTask
 *	head			i64					AiActivation behind the last layer
 *	labels			strings [n]			by rising bytes; of tasks with labels
 *	weights			f32 [n_weights]		as the graph lays them out
 *	states			f32 [n_states]
 *	history			f64 [epochs, 6]		loss, score, of validation, rate, seconds
 *
 * Weights are used where the block lies: applying makes no copy of them.
 *-------------------------------------------------------------------------
 */
#ifndef AI_NETWORK_H
#define AI_NETWORK_H

#include "core/graph/run.h"
#include "core/kernels/kernels.h"

#define AI_NETWORK_KIND "network"
#define AI_NETWORK_VERSION 1
#define AI_NETWORK_MAX_LABELS 10000
#define AI_NETWORK_HISTORY 6

typedef enum AiNetworkInput
{
	AI_NETWORK_NUMBERS,
	AI_NETWORK_PIXELS,			/* bytes, each divided by 255 */
	AI_NETWORK_N_INPUTS
} AiNetworkInput;

typedef enum AiNetworkTask
{
	AI_NETWORK_CLASSES,			/* one label; the output is their probabilities */
	AI_NETWORK_LABELS,			/* any of the labels, each with its probability */
	AI_NETWORK_VALUES,			/* numbers */
	AI_NETWORK_N_TASKS
} AiNetworkTask;

/* What is stored, all borrowed */
typedef struct AiNetworkParts
{
	const char *definition;
	AiShape		shape;
	AiNetworkInput input;
	AiNetworkTask task;
	AiActivation head;
	const char *const *labels;	/* [n_labels], by rising bytes */
	const size_t *label_lens;
	int			n_labels;
	const float *weights;
	size_t		n_weights;
	const float *states;
	size_t		n_states;
	const double *history;		/* [n_epochs, AI_NETWORK_HISTORY] */
	int			n_epochs;
} AiNetworkParts;

/* The block, in memory of the host which is the caller's to release */
extern AiCode ai_network_store(void **bytes, size_t *size, const AiHost *host,
							   const AiNetworkParts *parts, AiError *err);

typedef struct AiNetwork AiNetwork;

/*
 * Over bytes that are borrowed, 64-byte aligned and may hold anything.  Any number of
 * threads may use a network, each with a run of its own.
 */
extern AiCode ai_network_open(AiNetwork **network, const AiHost *host, const void *bytes,
							  size_t size, AiError *err);

/* The same for bytes that have been opened before: weights are not looked through again. */
extern AiCode ai_network_open_checked(AiNetwork **network, const AiHost *host, const void *bytes,
									  size_t size, AiError *err);
extern void ai_network_close(AiNetwork *network);

/* What it holds; pointers are the block's and the network's */
extern const AiNetworkParts *ai_network_parts(const AiNetwork *network);
extern const AiGraph *ai_network_graph(const AiNetwork *network);
extern const char *ai_network_label(const AiNetwork *network, int index, size_t *len);
extern int	ai_network_find_label(const AiNetwork *network, const char *label, size_t len);

/* For up to max_rows rows at once; destroyed by ai_run_destroy() */
extern AiCode ai_network_run_create(AiRun **run, const AiHost *host, const AiNetwork *network,
									int max_rows, AiError *err);

/*
 * output:[n_rows, numbers of the last layer]: probabilities or values of the rows of
 * input:[n_rows, shape]
 */
extern void ai_network_apply(const AiNetwork *network, AiRun *run, const float *input, int n_rows,
							 float *output);

/* The activations of a layer, [n_rows, its shape], which are the run's until its next use */
extern const float *ai_network_transform(const AiNetwork *network, AiRun *run, const float *input,
										 int n_rows, int layer);

#endif							/* AI_NETWORK_H */
