/*-------------------------------------------------------------------------
 * cache.h
 *		One copy of each content for all backends: files that are mapped.
 *
 * A content is written to a file once, by the first backend that needs it, and
 * mapped for reading by all.  The file's name is the content's hash, so a session
 * can only reach what its snapshot sees, and nobody can mistake one content for
 * another.  The files are a cache: the server deletes those in the default place
 * when it starts, a base backup leaves them out, a standby builds its own.
 *
 * While a backend has a file mapped it holds a shared lock of the session on the
 * content, which is what keeps the file from being evicted, and what ai_loaded counts.
 * DISCARD ALL lets it go; the next statement takes it again.
 */
#ifndef AIAAS_CACHE_H
#define AIAAS_CACHE_H

#include "pg/catalog/catalog.h"

typedef struct AiaasCacheFile AiaasCacheFile;

/* Raises what is wrong with bytes that are to be trusted from then on. */
typedef void (*AiaasCacheCheck) (const AiaasModel *model, const void *bytes, size_t size);

/*
 * Map the content of a resolved version, for the life of the current memory context.
 * If there is no file, or one that was altered, it is built: check() then sees the
 * bytes once.
 */
extern AiaasCacheFile *aiaas_cache_open(const AiaasModel *model, AiaasCacheCheck check);

/* 64-byte aligned */
extern const void *aiaas_cache_bytes(const AiaasCacheFile *file, size_t *size);

/*
 * To be asked once in a statement before the bytes are used: false if the file has been
 * altered or removed, and should be opened again.
 */
extern bool aiaas_cache_is_current(AiaasCacheFile *file);

/*
 * Watching
 */
typedef struct AiaasCacheEntry
{
	int64		n_bytes;		/* of the file */
	int			n_backends;		/* that have it mapped */
	TimestampTz built;
	TimestampTz last_used;		/* to the minute */
} AiaasCacheEntry;

/* False: there is no whole file for this content. */
extern bool aiaas_cache_find(AiaasCacheEntry *entry, const uint8 *hash);

typedef enum AiaasCacheState
{
	AIAAS_CACHE_NONE,			/* there is no file */
	AIAAS_CACHE_GOOD,
	AIAAS_CACHE_REMOVED			/* it was damaged; the next use builds it again */
} AiaasCacheState;

/* Read the whole file and compare it with the content's hash. */
extern AiaasCacheState aiaas_cache_verify(const AiaasModel *model);

#endif							/* AIAAS_CACHE_H */
