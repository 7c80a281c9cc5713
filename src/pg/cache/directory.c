/*-------------------------------------------------------------------------
 * directory.c
 *		Where the cache's files are, and how much they may take.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/cache/cache_internal.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pg/host/compat.h"
#include "pg/host/guc.h"
#include "pg/host/place.h"
#include "storage/fd.h"

#define HEX_SIZE (2 * AIAAS_HASH_SIZE)
#define ABANDONED_AFTER 3600	/* seconds; no file takes so long to build */

void
aiaas_cache_raise_errno(const char *what, const char *path)
{
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not %s cache file \"%s\": %m", what, path),
			 errhint("The setting aiaas.cache_directory says where these files are.")));
}

LOCKTAG
aiaas_cache_locktag(CacheLock lock, const uint8 *hash)
{
	uint32		word[2] = {0};
	LOCKTAG		tag;

	if (hash != NULL)
		memcpy(word, hash, sizeof(word));
	SET_LOCKTAG_ADVISORY(tag, InvalidOid, word[0], word[1], lock);
	return tag;
}

void
aiaas_cache_path(char path[MAXPGPATH], const uint8 *hash)
{
	char		hex[HEX_SIZE + 1];

	for (int i = 0; i < AIAAS_HASH_SIZE; i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	snprintf(path, MAXPGPATH, "%s/%s-%d", aiaas_place(), hex, CACHE_LAYOUT);
}

void
aiaas_cache_make_directory(void)
{
	const char *failed = aiaas_place_make();

	if (failed != NULL)
		aiaas_cache_raise_errno("make the directory of", failed);
}

/*
 * Making room
 */
typedef struct Candidate
{
	char	   *path;
	uint8		hash[AIAAS_HASH_SIZE];
	int64		size;
	time_t		last_used;
} Candidate;

typedef struct Listing
{
	Candidate  *items;			/* [n], whole files */
	int			n;
	int			capacity;
	int64		size;			/* of all files, also of those that are being built */
} Listing;

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Is it one of ours?  *rest is what follows the hash and the layout. */
static bool
parse_name(const char *name, uint8 *hash, const char **rest)
{
	for (int i = 0; i < AIAAS_HASH_SIZE; i++)
	{
		int			high = hex_value(name[2 * i]);
		int			low = high < 0 ? -1 : hex_value(name[2 * i + 1]);

		if (low < 0)
			return false;
		hash[i] = (uint8) (high << 4 | low);
	}
	if (name[HEX_SIZE] != '-')
		return false;
	*rest = name + HEX_SIZE + 1;
	*rest += strspn(*rest, "0123456789");
	return *rest > name + HEX_SIZE + 1;
}

static void
add_candidate(Listing *listing, const Candidate *item)
{
	if (listing->n == listing->capacity)
	{
		listing->capacity = Max(16, 2 * listing->capacity);
		listing->items = listing->items == NULL ?
			palloc(listing->capacity * sizeof(Candidate)) :
			repalloc(listing->items, listing->capacity * sizeof(Candidate));
	}
	listing->items[listing->n++] = *item;
}

/* A builder that was killed has left its file, under a name with a process's number. */
static bool
is_abandoned(const char *rest, const struct stat *status)
{
	return *rest != '\0' && time(NULL) - status->st_mtime > ABANDONED_AFTER;
}

static void
list_files(Listing *listing)
{
	DIR		   *dir = AllocateDir(aiaas_place());
	struct dirent *entry;

	*listing = (Listing) {0};
	while ((entry = ReadDir(dir, aiaas_place())) != NULL)
	{
		Candidate	item;
		const char *rest;
		struct stat status;

		if (!parse_name(entry->d_name, item.hash, &rest))
			continue;
		item.path = psprintf("%s/%s", aiaas_place(), entry->d_name);
		if (stat(item.path, &status) != 0 || !S_ISREG(status.st_mode))
			continue;
		if (is_abandoned(rest, &status))
		{
			(void) unlink(item.path);
			continue;
		}
		item.size = status.st_size;
		item.last_used = status.st_atime;
		listing->size += item.size;
		if (*rest == '\0')
			add_candidate(listing, &item);
	}
	FreeDir(dir);
}

static int
compare_last_used(const void *a, const void *b)
{
	const Candidate *x = a;
	const Candidate *y = b;

	if (x->last_used != y->last_used)
		return x->last_used < y->last_used ? -1 : 1;
	return strcmp(x->path, y->path);
}

/* False: somebody uses it, perhaps this session, which its own lock would not stop. */
static bool
evict(const Candidate *item)
{
	LOCKTAG		tag = aiaas_cache_locktag(CACHE_LOCK_USE, item->hash);
	bool		is_gone;

	if (aiaas_is_lock_held(&tag, ShareLock) ||
		LockAcquire(&tag, ExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
		return false;
	is_gone = unlink(item->path) == 0 || errno == ENOENT;
	LockRelease(&tag, ExclusiveLock, false);
	return is_gone;
}

void
aiaas_cache_make_room(int64 size)
{
	int64		limit = (int64) aiaas_cache_size * 1024 * 1024;
	Listing		listing;

	list_files(&listing);
	if (limit == 0 || listing.size + size <= limit)
		return;
	if (listing.n > 0)
		qsort(listing.items, listing.n, sizeof(Candidate), compare_last_used);
	for (int i = 0; i < listing.n && listing.size + size > limit; i++)
	{
		if (evict(&listing.items[i]))
			listing.size -= listing.items[i].size;
	}
	if (listing.size + size > limit)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("cache of models is full"),
				 errdetail("This one needs " INT64_FORMAT " MB, and models in use have "
						   INT64_FORMAT " MB of %d MB.", size / (1024 * 1024) + 1,
						   listing.size / (1024 * 1024), aiaas_cache_size),
				 errhint("Raise the setting aiaas.cache_size, "
						 "or end sessions that use other models.")));
}
