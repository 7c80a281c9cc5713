/*-------------------------------------------------------------------------
 * engine_internal.h
 *		An open model, for what keeps it and what runs it.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_ENGINE_INTERNAL_H
#define AIAAS_ENGINE_INTERNAL_H

#include "core/base/pool.h"
#include "lib/ilist.h"
#include "pg/cache/cache.h"
#include "pg/engine/engine.h"
#include "pg/engine/kind.h"
#include "pg/engine/verb.h"

struct AiaasEngine
{
	/* The cache */
	dlist_node	node;			/* in recently_used */
	uint8		hash[AIAAS_HASH_SIZE];
	Size		size;			/* bytes when opened, without the shared file */
	int			n_pins;
	bool		is_retired;		/* no longer in the cache; goes with its last pin */
	MemoryContext context;		/* holds this struct and all that it points to */

	/* The model */
	AiaasCacheFile *file;		/* with the model's bytes */
	const AiHost *host;
	const AiaasKind *kind;
	void	   *model;
	AiTextClassifier *classifier;	/* the same, NULL: of another kind */
	AiNetwork  *network;		/* likewise */
	AiEncoder  *encoder;
	AiaasVerbCost cost;			/* of one input */
	AiaasPin	embedder;		/* of a classifier that learnt from embeddings */
	MemoryContext embeddings;	/* of one batch; NULL: there is no embedder */
	text	  **labels;			/* [n_labels], each NULL until it is asked for */

	/* Running: one for each thread, NULL until it is needed, and after a large text */
	void	   *scratch[AI_POOL_MAX_THREADS];
	bool		is_scratch_large;	/* the first goes when it is asked for again */
	size_t		mean_length;	/* of the inputs of the last run */
	int			n_crew;			/* scratches of further threads */
	dlist_node	crew_node;		/* in crews, while there are some */
	MemoryContextCallback dismiss;
};

/* batch.c: a text's embedding by the classifier's embedder, or NULL; lives until its next call */
extern const float *aiaas_engine_embedding(AiaasEngine *engine, const void *bytes, size_t len);

/* batch.c: the scratch of the backend's own thread */
extern void *aiaas_engine_scratch(AiaasEngine *engine);

#endif							/* AIAAS_ENGINE_INTERNAL_H */
