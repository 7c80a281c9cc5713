/*-------------------------------------------------------------------------
 * engine.h
 *		A model ready to run in this backend.
 *
 * A model is opened once per backend and found again by the hash of its
 * content, so two names with the same content share it and a replaced or
 * rolled-back version can never be mistaken for another.  The least recently
 * used ones go when there are more than AIAAS_ENGINE_MAX_MODELS or more than
 * AIAAS_ENGINE_MAX_BYTES; a pinned one stays.
 *
 * A pin belongs to a memory context and goes with it.  It must never belong to
 * a resource owner: fn_extra outlives the portal that filled it.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_ENGINE_H
#define AIAAS_ENGINE_H

#include "core/model/encoder.h"
#include "core/model/network.h"
#include "core/model/text_classifier.h"
#include "pg/catalog/catalog.h"

#define AIAAS_ENGINE_MAX_MODELS 8
#define AIAAS_ENGINE_MAX_BYTES ((Size) 256 * 1024 * 1024)

typedef struct AiaasEngine AiaasEngine;

typedef struct AiaasPin
{
	AiaasEngine *engine;		/* NULL: none */
	MemoryContextCallback callback;
} AiaasPin;

/* From now on what pin holds is let go when context is reset; pin lives as long. */
extern void aiaas_pin_init(AiaasPin *pin, MemoryContext context);

/* Hold this model, opened if need be, instead of what was held before. */
extern void aiaas_pin_model(AiaasPin *pin, const AiaasModel *model);

/* A pin that lives in the current memory context and holds reference's model */
extern AiaasEngine *aiaas_engine_acquire(const AiaasModel *model);

/* What a model gives for an input */
typedef enum AiaasTask
{
	AIAAS_TASK_CLASSES,			/* one label */
	AIAAS_TASK_LABELS,			/* any of them */
	AIAAS_TASK_VALUES,			/* numbers */
	AIAAS_TASK_STEPS,			/* a label for each step of a sequence */
	AIAAS_TASK_EMBEDDING,
	AIAAS_N_TASKS
} AiaasTask;

/* As the column task of versions has it: 'classification' */
extern const char *aiaas_task_name(AiaasTask task);

extern AiaasTask aiaas_engine_task(const AiaasEngine *engine);

/* Floats of an input's answer; 0 of text classifiers.  layer as in network_batch.h */
extern size_t aiaas_engine_n_numbers(const AiaasEngine *engine, int layer);

/* 0: the model gives numbers */
extern int	aiaas_engine_n_labels(const AiaasEngine *engine);

/* Borrowed from the engine, in UTF-8 */
extern const char *aiaas_engine_utf8_label(const AiaasEngine *engine, int index, size_t *len);

/*
 * Label in the database's encoding, which has its characters: it is stored with the
 * version as well.  Borrowed from the engine
 */
extern text *aiaas_engine_label(AiaasEngine *engine, int index);

/* The index of a label in UTF-8, or -1 */
extern int	aiaas_engine_find_label(const AiaasEngine *engine, const char *label,
									size_t len);

/* Contributions live until the engine's next call.  Raises where it is no text classifier. */
extern void aiaas_engine_explain(AiaasEngine *engine,
								 const AiTextContribution **contributions,
								 int64_t *n_contributions, int label,
								 const char *utf8, size_t len);

/* For what has no memory of its own: importances.  Raises where it is another kind of model. */
extern const AiTextClassifier *aiaas_engine_classifier(const AiaasEngine *engine);

/* Does it give embeddings, of n numbers each, or, where n is 0, any number? */
extern bool aiaas_engine_embeds(const AiaasEngine *engine, size_t n);

/* NULL: it is another kind of model. */
extern const AiNetwork *aiaas_engine_network(const AiaasEngine *engine);
extern const AiEncoder *aiaas_engine_encoder(const AiaasEngine *engine);

#endif							/* AIAAS_ENGINE_H */
