/*-------------------------------------------------------------------------
 * training_options.h
 *		How a network is to be trained, as a user writes it in JSON.
 *
 *	{"layers": [{"dense": 64, "activation": "relu"}, {"dense": 10}], "epochs": 3,
 *	 "optimizer": {"name": "adam", "beta_1": 0.95}, "learning_rate": 0.002}
 *
 * What is not given is as Keras has it.  "layers" is read by definition.h.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TRAINING_OPTIONS_H
#define AI_TRAINING_OPTIONS_H

#include "core/base/json.h"
#include "core/graph/layer.h"
#include "core/model/labels.h"
#include "core/train/fit.h"

#define AI_LOSS_AUTO (-1)

typedef struct AiTrainingOptions
{
	const AiJson *layers;		/* NULL: not given */
	const AiJson *freeze;		/* names of layers; NULL: not given */
	AiSizes		input;			/* shape of a sample; n 0: not given */
	int64_t		epochs;
	int64_t		batch_size;
	double		validation;		/* share of rows held out, 0 to 0.5 */
	int64_t		seed;
	double		max_time;		/* seconds; 0: none */

	/* AiLossKind, or AI_LOSS_AUTO: what fits the target */
	int			loss;
	double		label_smoothing;
	double		delta;			/* of Huber */
	AiClassWeighting class_weighting;
	AiClassWeight *class_weights;	/* [n_class_weights] */
	int			n_class_weights;

	/* Of texts */
	int64_t		max_tokens;		/* words that get a number of their own, at most */
	int64_t		sequence_length;	/* words that are read; 0: by how long the texts are */

	AiOptimiser optimiser;
	AiSchedule	schedule;		/* as fit.h has it */
	AiStopping	stopping;
	bool		restores_best;
} AiTrainingOptions;

/* All that it points to is the arena's.  AI_ERR_PARAM names the option and what fits. */
extern AiCode ai_training_options_parse(AiTrainingOptions *options, AiArena *arena,
										const char *json, size_t len, AiError *err);

/* All of them but layers and freeze, as the members of an object: "a":1,"b":2 */
extern AiCode ai_training_options_write(AiBuf *buf, const AiTrainingOptions *options,
										AiError *err);

#endif							/* AI_TRAINING_OPTIONS_H */
