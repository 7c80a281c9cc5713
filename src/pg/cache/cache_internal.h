/*-------------------------------------------------------------------------
 * cache_internal.h
 *		What the files of this room share: where files are, and their locks.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_CACHE_INTERNAL_H
#define AIAAS_CACHE_INTERNAL_H

#include "pg/cache/cache.h"
#include "storage/lock.h"

/*
 * How the file lays a content out: as it is stored, after a page for the header.
 * Part of the file's name, so that releases that differ do not read each other's.
 */
#define CACHE_LAYOUT 1
#define CACHE_HEADER_SIZE 4096

/*
 * Locks, of the server's own kind, so that waiting can be cancelled and is seen in
 * pg_locks, where they are advisory locks of database 0 with these objsubids.
 */
typedef enum CacheLock
{
	CACHE_LOCK_USE = 0x7A11,	/* shared: mapped, see cache.h; exclusive: being evicted */
	CACHE_LOCK_BUILD,			/* of a content's file */
	CACHE_LOCK_ROOM				/* of the directory's space; hash is NULL */
} CacheLock;

extern LOCKTAG aiaas_cache_locktag(CacheLock lock, const uint8 *hash);

/* Of the content's file */
extern void aiaas_cache_path(char path[MAXPGPATH], const uint8 *hash);

extern void aiaas_cache_make_directory(void);

/*
 * Evict until size bytes more are within aiaas.cache_size; raises when what is in use
 * leaves too little.  The caller holds CACHE_LOCK_ROOM and then takes the space.
 */
extern void aiaas_cache_make_room(int64 size);

/* The hint tells where the setting is. */
extern _Noreturn void aiaas_cache_raise_errno(const char *what, const char *path);

#endif							/* AIAAS_CACHE_INTERNAL_H */
