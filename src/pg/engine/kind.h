/*-------------------------------------------------------------------------
 * kind.h
 *		Kinds of models: what differs between them for who opens, keeps and moves them.
 *
 * A kind is a row of the table in kind.c; aiaas_version's column kind has its name.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_KIND_H
#define AIAAS_KIND_H

#include "core/base/pool.h"
#include "core/model/inputs.h"
#include "core/model/network.h"
#include "pg/catalog/catalog.h"
#include "pg/engine/engine.h"
#include "pg/engine/verb.h"
#include "pg/stats/stats.h"

typedef struct AiaasKind
{
	const char *name;
	bool		has_numbers;	/* what comes out are numbers, which may be had as they are */

	/* Over bytes that are borrowed; is_checked: they have been opened before */
	AiCode		(*open) (void **model, const AiHost *host, const void *bytes, size_t size,
						 bool is_checked, AiError *err);
	void		(*close) (void *model);

	/* Labels in UTF-8, in the order of the answers; none of a model that has no labels */
	int			(*n_labels) (const void *model);
	const char *(*label) (const void *model, int index, size_t *len);
	int			(*find_label) (const void *model, const char *label, size_t len);

	/* Running: a scratch for each thread; some grow with the inputs they were used for. */
	AiCode		(*create_scratch) (void **scratch, const void *model, const AiHost *host,
								   AiError *err);
	void		(*destroy_scratch) (void *scratch);
	bool		(*is_scratch_large) (const void *scratch);

	/* All answers, which live in the current memory context; counts gets what only it knows */
	AiCode		(*run) (const AiInputs *inputs, const void *model, void *const *scratch,
						const AiRequest *request, AiaasCounts *counts, int n_threads, AiPool *pool,
						AiError *err);

	/* How long an input takes, by what is known of the version, or better by the open model */
	void		(*cost) (const AiaasModel *version, const void *model, AiaasVerbCost *cost);

	/* What comes out, and how many floats of an input that are; 0: its probabilities are doubles */
	AiaasTask	(*task) (const void *model);
	size_t		(*n_numbers) (const void *model, int layer);

	/* The hash of the embedder that a model learnt from, or NULL; NULL: none has one */
	const uint8 *(*embedder) (const void *model);

	/* What an export says of a model: are these its own? */
	bool		(*are_features) (const void *model, const Jsonb *features);
} AiaasKind;

extern const AiaasKind aiaas_text_kind;
extern const AiaasKind aiaas_network_kind;
extern const AiaasKind aiaas_encoder_kind;

/* By name; NULL: there is none */
extern const AiaasKind *aiaas_kind_find(const char *name);

/* A longer text makes a scratch large. */
#define AIAAS_LARGE_INPUT ((size_t) 1024 * 1024)

/* Of networks */
extern AiaasTask aiaas_network_task(AiNetworkTask task);

/* "input" of their features: 'pixels' */
extern const char *aiaas_network_input_name(AiNetworkInput input);

#endif							/* AIAAS_KIND_H */
