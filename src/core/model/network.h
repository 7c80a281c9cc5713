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
 *	words.hash		u64 [n]				of texts alone, see network_words.h
 *	words.number	i32 [n]
 *	weights			f32 [n_weights]		as the graph lays them out
 *	states			f32 [n_states]
 *	history			f64 [epochs, 5]		loss, score, both of validation (or NaN), learning rate
 *
 * Weights are used where the block lies: applying makes no copy of them.
 *-------------------------------------------------------------------------
 */
#ifndef AI_NETWORK_H
#define AI_NETWORK_H

#include "core/graph/run.h"
#include "core/kernels/kernels.h"
#include "core/model/network_words.h"

#define AI_NETWORK_KIND "network"
#define AI_NETWORK_VERSION 1
#define AI_NETWORK_MAX_LABELS 10000
#define AI_NETWORK_HISTORY 5

typedef enum AiNetworkInput
{
	AI_NETWORK_NUMBERS,
	AI_NETWORK_PIXELS,			/* bytes, each divided by 255 */
	AI_NETWORK_WORDS,			/* a text; the shape is [steps] */
	AI_NETWORK_N_INPUTS
} AiNetworkInput;

typedef enum AiNetworkTask
{
	AI_NETWORK_CLASSES,			/* one label; of two, the output may be the second's alone */
	AI_NETWORK_LABELS,			/* any of the labels, each with its probability */
	AI_NETWORK_VALUES,			/* numbers */
	AI_NETWORK_STEPS,			/* a label for each step of a sequence */
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
	AiWords		words;			/* none but of texts */
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

/* Over bytes that are borrowed, 64-byte aligned and may hold anything */
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

/* Places of an answer, 1 but of steps, and numbers of each: the labels' or the values */
extern size_t ai_network_n_places(const AiNetwork *network);
extern size_t ai_network_n_answers(const AiNetwork *network);

/* Bytes that an input takes: of numbers as float, of pixels; 0: a text has any length */
extern size_t ai_network_input_bytes(const AiNetwork *network);

/*
 * What one thread needs to apply a network, to up to AI_SHARD_ROWS rows at once.  Any number of
 * threads may use a network, each with a scratch of its own.
 */
typedef struct AiNetworkScratch AiNetworkScratch;

extern AiCode ai_network_scratch_create(AiNetworkScratch **scratch, const AiHost *host,
										const AiNetwork *network, AiError *err);
extern void ai_network_scratch_destroy(AiNetworkScratch *scratch);
extern size_t ai_network_scratch_memory(const AiNetworkScratch *scratch);

/* One input: its numbers as float (aligned as such), its pixels, or its text in UTF-8 */
typedef struct AiNetworkRow
{
	const void *bytes;
	size_t		len;
} AiNetworkRow;

/* AI_ERR_DATA tells why an input does not fit: its length, or a number that it may not hold. */
extern AiCode ai_network_check(const AiNetwork *network, const AiNetworkRow *row, AiError *err);

/* The same of numbers alone; n_tokens: 0, or the first whole number that an embedding lacks */
extern AiCode ai_network_check_numbers(const float *number, size_t n, int64_t n_tokens,
									   AiError *err);

/* n_tokens of a network's inputs */
extern int64_t ai_network_n_tokens(const AiGraph *graph);

/* input:[shape], one row that has been checked as the network reads it, for once */
extern AiCode ai_network_read_row(const AiNetwork *network, const AiNetworkRow *row, float *input,
								  const AiHost *host, AiError *err);

/*
 * answer:[n_rows, n_places, n_answers], probabilities or values, of up to AI_SHARD_ROWS rows
 * that have been checked.  A row's answer does not depend on the others.
 */
extern void ai_network_apply(const AiNetwork *network, AiNetworkScratch *scratch,
							 const AiNetworkRow *rows, int n_rows, float *answer);

/* The activations of a layer, [n_rows, its shape], which are the scratch's until its next use */
extern const float *ai_network_transform(const AiNetwork *network, AiNetworkScratch *scratch,
										 const AiNetworkRow *rows, int n_rows, int layer);

#endif							/* AI_NETWORK_H */
