/*-------------------------------------------------------------------------
 * manifest.h
 *		What an exported model says of itself, as JSON.
 *
 *	format				1; rises when older readers would go wrong
 *	name, version		of the model where it was exported
 *	created				when the version was stored there: UTC, ISO 8601
 *	algorithm, kind, task, options, labels, features, metrics, lineage,
 *	train_rows, validation_rows, metric, train_score, validation_score, duration
 *						as in AiaasNewVersion
 *	sha256, bytes		of the content: hexadecimal, and their number
 *	embedder			what the model is applied with, if anything: name, version, sha256
 *
 * It is the text of a jsonb, so equal versions have equal manifests.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_MANIFEST_H
#define AIAAS_MANIFEST_H

#include "pg/catalog/catalog.h"

typedef struct AiaasManifest
{
	char		name[AIAAS_MODEL_NAME_MAX + 1];
	int			version;
	const char *created;
	uint8		hash[AIAAS_HASH_SIZE];
	int64		n_bytes;
	AiaasNewVersion stored;		/* without its bytes */
	const char *embedder;		/* "minilm@1" where it was exported; NULL: none */
} AiaasManifest;

/* Of a resolved version: UTF-8, *len bytes in the current memory context */
extern const char *aiaas_manifest_write(const AiaasModel *model, size_t *len);

/*
 * Any bytes at all.  Raises unless every member is there, has its type and is in
 * a range that the catalog's readers can bear; whether it is true of the content
 * is for the caller to see.  In the current memory context.
 */
extern void aiaas_manifest_read(AiaasManifest *manifest, const char *utf8, size_t len);

#endif							/* AIAAS_MANIFEST_H */
