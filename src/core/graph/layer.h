/*-------------------------------------------------------------------------
 * layer.h
 *		What a kind of layer is: a row of a table.
 *
 * A kind says which options it has, what comes out of what goes in, which weights it
 * needs, and how to go forward and backward over some rows of a batch.  It keeps
 * nothing of its own: options are in its config, everything else is handed in.
 *
 * Rows of a batch are cut into shards, whose number depends on the batch alone.  A
 * layer runs on one shard at a time, several at once on different threads, and sums
 * the gradients of its weights over the shard's rows in their order; shards are then
 * added up in their order.  So an answer never depends on the threads.
 *-------------------------------------------------------------------------
 */
#ifndef AI_LAYER_H
#define AI_LAYER_H

#include "core/base/arena.h"
#include "core/base/pool.h"
#include "core/base/rng.h"
#include "core/graph/shape.h"

/*
 * Options
 */
typedef enum AiOptionKind
{
	AI_OPTION_INT,				/* int64_t */
	AI_OPTION_FLOAT,			/* double */
	AI_OPTION_BOOL,				/* bool */
	AI_OPTION_CHOICE,			/* int, index into choices */
	AI_OPTION_SIZES				/* AiSizes; one number stands for as many as there are axes */
} AiOptionKind;

typedef struct AiSizes
{
	int			n;				/* 0: not given */
	int64_t		size[AI_SHAPE_MAX_DIMS];
} AiSizes;

/* One option; a table ends with name NULL.  The first one is the value of the layer's key. */
typedef struct AiOption
{
	const char *name;			/* "units" */
	AiOptionKind kind;
	size_t		offset;			/* in the config */
	bool		is_needed;
	double		initial;		/* when it is not given; a choice's index */
	double		min;			/* of numbers and each size */
	double		max;
	const char *const *choices; /* ends with NULL; "silu|swish" are two names of one */
	const char *keras_name;		/* NULL: the same */
} AiOption;

/*
 * Weights
 */
typedef enum AiInitialiser
{
	AI_INIT_ZEROS,
	AI_INIT_ONES,
	AI_INIT_GLOROT_UNIFORM,
	AI_INIT_GLOROT_NORMAL,
	AI_INIT_HE_UNIFORM,
	AI_INIT_HE_NORMAL,
	AI_INIT_LECUN_UNIFORM,
	AI_INIT_LECUN_NORMAL,
	AI_INIT_ORTHOGONAL,
	AI_INIT_UNIFORM,			/* -0.05 to 0.05, Keras's for embeddings */
	AI_INIT_LSTM_BIAS			/* zeros, ones for the forget gate: the second quarter */
} AiInitialiser;

/* One array of weights, which a layer type declares */
typedef struct AiWeight
{
	const char *name;			/* "kernel", "bias": a literal */
	int			n_dims;
	int64_t		dims[AI_SHAPE_MAX_DIMS];
	AiInitialiser initialiser;
	int64_t		fan_in;			/* of the initialisers that ask for it */
	int64_t		fan_out;
	bool		is_state;		/* not trained by gradients: moving averages */
	bool		is_rows;		/* an embedding: row r gets d_output where the input is r */
	bool		is_late;		/* [inputs, units], used once a row: see late_gradient */
	double		l1;				/* penalties, as Keras adds them to the loss */
	double		l2;
	size_t		size;			/* numbers: the product of dims; set by the graph */
	size_t		offset;			/* in the flat array of all weights or states; set by the graph */
} AiWeight;

#define AI_LAYER_MAX_WEIGHTS 12
#define AI_LAYER_MAX_INPUTS 16

/* A layer of a network, as its type sees it */
typedef struct AiLayer
{
	const char *name;			/* unique in the network */
	const struct AiLayerType *type;
	void	   *config;			/* type->config_size bytes: the options */
	int			n_inputs;
	AiShape		input[AI_LAYER_MAX_INPUTS];
	bool		has_mask;		/* its first input has one */
	bool		is_frozen;		/* nothing of it is trained, nor states moved on */

	/* Set by type->prepare */
	AiShape		output;
	bool		is_view;		/* the output is the first input, in another shape: nothing runs */
	bool		passes_mask;	/* its output has the mask of its first input */
	bool		makes_mask;		/* or one that this layer makes, [steps] bytes a row */
	int			n_weights;
	AiWeight	weight[AI_LAYER_MAX_WEIGHTS];
	size_t		saved_size;		/* numbers a row, kept from forward to backward */
	size_t		scratch_size;	/* numbers for each row of a shard, while the layer runs */
	size_t		scratch_fixed;	/* and besides */
	size_t		derived_size;	/* numbers that follow from the weights, for training */
	bool		needs_derived;	/* not only for the gradients of inputs */
	int			n_sums;			/* numbers summed over the whole batch in training, each way */
	bool		needs_input;	/* backward reads the inputs */
	bool		needs_output;	/* backward reads the output */
} AiLayer;

#define AI_SHARD_ROWS 64

/*
 * One shard of a batch at one layer.  Arrays of rows hold the shard's rows only.
 */
typedef struct AiPass
{
	int			n_rows;			/* 1 to AI_SHARD_ROWS */
	int64_t		first_row;		/* of the batch */
	int64_t		batch_rows;
	bool		is_training;
	uint64_t	seed;			/* of step and layer: what is drawn follows from it and the row */
	const float *input[AI_LAYER_MAX_INPUTS];	/* [n_rows, shape of the input] */
	const uint8_t *mask;		/* [n_rows, steps], 0: not there; or NULL */
	uint8_t    *output_mask;	/* to be made, if the layer makes one */
	float	   *output;			/* [n_rows, shape of the output] */
	float	   *saved;			/* [n_rows, saved_size] */
	float	   *scratch;		/* [n_rows * scratch_size + scratch_fixed] */
	const float *const *weight; /* [n_weights], states too */
	const float *derived;		/* [derived_size] */
	double	   *sums;			/* [n_sums]: this shard's in sum_forward, then the batch's */
	double	   *back_sums;		/* [n_sums]: likewise in sum_backward */

	/* Backward */
	const float *d_output;		/* the gradient of the loss by the output */
	float	   *d_input[AI_LAYER_MAX_INPUTS];	/* to be written; NULL: nobody asks */
	float	   *const *d_weight;	/* [n_weights], to be added to; NULL: frozen, state or rows */
	bool		is_first;		/* of those that add to it; see sets_gradients */
	bool		keeps;			/* in saved, what late_gradient needs */

	AiPool	   *pool;			/* whose thread this is; NULL: nobody can stop it */
	int			thread;
} AiPass;

/* In what takes milliseconds: true means return at once, whatever is left undone */
static inline bool
ai_pass_should_stop(const AiPass *pass)
{
	return pass->pool != NULL && ai_pool_should_stop(pass->pool, pass->thread);
}

typedef struct AiLayerType
{
	const char *name;			/* "dense" */
	const char *keras_name;		/* "Dense" */
	size_t		config_size;
	const AiOption *options;
	int			min_inputs;		/* 1, or 2 of layers that merge */
	int			max_inputs;

	/*
	 * From config, inputs and has_mask to all that prepare sets.  An error tells what does
	 * not fit; the graph says in which layer.
	 */
	AiCode		(*prepare) (AiLayer *layer, AiError *err);

	/* Once after each change of the weights, where derived_size is not 0 */
	void		(*derive) (const AiLayer *layer, float *derived, const float *const *weight);

	/* Where n_sums is not 0: over this shard's rows, before forward or backward */
	void		(*sum_forward) (const AiLayer *layer, const AiPass *pass);
	void		(*sum_backward) (const AiLayer *layer, const AiPass *pass);

	/* Once a training batch, with its sums: moving averages */
	void		(*update_state) (const AiLayer *layer, float *const *state, const double *sums,
								 int64_t batch_rows);

	void		(*forward) (const AiLayer *layer, const AiPass *pass);
	void		(*backward) (const AiLayer *layer, const AiPass *pass);

	/* The first pass sets the gradients of weights; else they are zeros before it adds to them. */
	bool		sets_gradients;

	/*
	 * After the last shard, where backward has got keeps instead of a d_weight: what this shard
	 * gives to rows first .. first + n - 1 of the gradient of the weight that is_late.
	 */
	void		(*late_gradient) (const AiLayer *layer, const AiPass *pass, float *gradient,
								  size_t first, size_t n);
} AiLayerType;

#endif							/* AI_LAYER_H */
