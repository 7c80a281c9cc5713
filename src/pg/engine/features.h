/*-------------------------------------------------------------------------
 * features.h
 *		What a model reads: the part of a version's row that applying it needs.
 *
 *		{"columns": [{"name": "body", "type": "text"}], "count": 48211}
 *
 * Of models that learn from embeddings too, what they cost besides:
 *
 *		{..., "embedder": {"sha256": "1f0c...", "width": 384, "work": 10618880, "precision": "int8"}}
 *
 * Of networks, which read several columns one after the other:
 *
 *		{"columns": [{"name": "age", "type": "integer", "size": 1}, ...], "input": "numbers", "work": 54912}
 *
 * The size of a column is how many numbers each of its values has.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_FEATURES_H
#define AIAAS_FEATURES_H

#include "core/kernels/packed.h"
#include "pg/catalog/catalog.h"

/* count: n-grams that the model weighs; embedder: NULL: none */
extern Jsonb *aiaas_features_create(const char *column, Oid type, int64 count,
									const AiaasModel *embedder);

/* 0: not known */
extern double aiaas_features_count(const Jsonb *features);

/* The name of the text column in them, or NULL */
extern char *aiaas_features_find_column(const Jsonb *features);

/* That of the column that the model was trained on, or of all of them in their order */
extern char *aiaas_features_column(const AiaasModel *model);
extern List *aiaas_features_columns(const AiaasModel *model);

/* Numbers that each value of the n columns has; 0: not known */
extern int64 *aiaas_features_sizes(const AiaasModel *model, int n);

/* "input" of a network's features, or NULL */
extern char *aiaas_features_input(const Jsonb *features);

/* "precision" of an encoder's options; fp32 where nothing is said */
extern AiPrecision aiaas_features_precision(const AiaasModel *model);

/* Do they include the embedding by the content with this hash?  NULL: by none */
extern bool aiaas_features_have_embedder(const Jsonb *features, const uint8 *hash);

/* Multiplications that a token of the embedder takes, and how precise; false: there is none */
extern bool aiaas_features_embedder_work(const AiaasModel *model, double *work,
										 AiPrecision *precision);

/*
 * Multiplications that a network's input takes, or a token of an encoder: as the features say,
 * or else by its size
 */
extern double aiaas_features_work(const AiaasModel *model);

#endif							/* AIAAS_FEATURES_H */
