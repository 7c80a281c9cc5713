/*-------------------------------------------------------------------------
 * inputs.h
 *		Many inputs of one model, of which equal ones are computed once.
 *
 * To a model an input is bytes: a text, the numbers of a row, the pixels of an image.
 *-------------------------------------------------------------------------
 */
#ifndef AI_INPUTS_H
#define AI_INPUTS_H

#include "core/base/host.h"

typedef struct AiInput
{
	const void *bytes;			/* borrowed */
	size_t		len;
	double	   *probability;	/* of texts: [n_labels] to be filled, or NULL */

	/* Where the answer is: in the first input with these bytes, most often this one */
	uint32_t	same_as;

	/* The answer */
	AiCode		code;
	int			best;			/* label; of a network, where it gives one */
	const float *answer;		/* of others than text classifiers */
} AiInput;

/* What is asked of a model: the same for all inputs of a run */
typedef struct AiRequest
{
	int			layer;			/* of networks, see network_batch.h */

	/* Of encoders */
	bool		is_pair;		/* the bytes are two texts with a 0 byte between them */
	bool		is_raw;			/* a head's numbers without the softmax or sigmoid behind it */
	bool		refuses_long;	/* an input that would be truncated fails with AI_ERR_LIMIT */
} AiRequest;

typedef struct AiInputTask
{
	uint32_t	number;			/* of the input */
	uint32_t	len;
} AiInputTask;

typedef struct AiInputs
{
	AiInput    *input;			/* [n], borrowed */
	size_t		n;
	size_t		n_distinct;
	size_t		n_bytes;		/* of the distinct ones */
	const AiHost *host;			/* borrowed */
	AiInputTask *tasks;			/* [n_distinct], in the order of inputs */
} AiInputs;

/* Find equal inputs.  Fails by AI_ERR_NOMEM only, and then needs no free. */
extern AiCode ai_inputs_init(AiInputs *inputs, AiInput *input, size_t n, const AiHost *host,
							 AiError *err);
extern void ai_inputs_free(AiInputs *inputs);

#endif							/* AI_INPUTS_H */
