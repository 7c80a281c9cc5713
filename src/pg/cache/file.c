/*-------------------------------------------------------------------------
 * file.c
 *		Building, mapping and verifying the file of a content.
 *
 * A file appears under its name only when it is whole: it is built under another
 * name, seen by the check and then renamed.  Its time of modification is set to
 * one that follows from the hash, so whatever writes to it later is found by a
 * look at the time, with no need to read the file.  Reading is what ai_check() does.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/cache/cache_internal.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/hash.h"
#include "pg/host/compat.h"
#include "pg/host/digest.h"
#include "pg/host/guc.h"
#include "pg/stats/stats.h"
#include "storage/fd.h"
#include "storage/lmgr.h"
#include "utils/timestamp.h"

#define MAGIC "AIAASCF\n"
#define PART_SIZE ((size_t) 1024 * 1024)	/* read or written at once */
#define STAMP_EVERY 60			/* seconds */

/* At the start of the file; the content follows at CACHE_HEADER_SIZE. */
typedef struct CacheHeader
{
	char		magic[8];
	uint64		layout;
	uint8		hash[AIAAS_HASH_SIZE];
	int64		n_bytes;		/* of the content */
	TimestampTz built;
	uint64		checksum;		/* XXH3 of what is before it */
} CacheHeader;

struct AiaasCacheFile
{
	uint8		hash[AIAAS_HASH_SIZE];
	char		path[MAXPGPATH];
	struct stat status;			/* of the file that is mapped */
	void	   *address;		/* NULL: not mapped */
	size_t		size;			/* of the mapping */
	bool		is_locked;
	MemoryContextCallback callback;
};

/* Long ago, so that no clock gives it by chance */
static time_t
sealed_time(const uint8 *hash)
{
	uint32		seconds;

	memcpy(&seconds, hash, sizeof(seconds));
	return (time_t) (seconds >> 3);		/* 1970 to 1987 */
}

static uint64
header_checksum(const CacheHeader *header)
{
	return ai_hash64(header, offsetof(CacheHeader, checksum), 0);
}

/* Is it the whole and unaltered file of this content? */
static bool
is_good_file(int fd, const struct stat *status, const uint8 *hash, CacheHeader *header)
{
	return S_ISREG(status->st_mode) && status->st_mtim.tv_sec == sealed_time(hash) &&
		status->st_mtim.tv_nsec == 0 &&
		pg_pread(fd, header, sizeof(CacheHeader), 0) == sizeof(CacheHeader) &&
		memcmp(header->magic, MAGIC, sizeof(header->magic)) == 0 &&
		header->layout == CACHE_LAYOUT &&
		memcmp(header->hash, hash, AIAAS_HASH_SIZE) == 0 &&
		header->checksum == header_checksum(header) &&
		status->st_size == CACHE_HEADER_SIZE + header->n_bytes;
}

/* The file of a content, or -1; one that is not good is as none, and is replaced. */
static int
open_good_file(const char *path, struct stat *status, const uint8 *hash, CacheHeader *header)
{
	int			fd = OpenTransientFile(path, O_RDONLY | PG_BINARY);

	if (fd < 0)
	{
		if (errno != ENOENT)
			aiaas_cache_raise_errno("open", path);
		return -1;
	}
	if (fstat(fd, status) == 0 && is_good_file(fd, status, hash, header))
		return fd;
	CloseTransientFile(fd);
	return -1;
}

/*
 * Building
 */
typedef struct Builder
{
	const AiaasModel *model;
	char		path[MAXPGPATH];	/* while it is built */
	int			fd;
	off_t		offset;			/* of the next byte; 0: no space is reserved */
} Builder;

static void
write_part(Builder *builder, const void *bytes, size_t size, off_t offset)
{
	const char *next = bytes;

	while (size > 0)
	{
		ssize_t		n = pg_pwrite(builder->fd, next, size, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
		{
			errno = n == 0 ? ENOSPC : errno;
			aiaas_cache_raise_errno("write", builder->path);
		}
		next += n;
		offset += n;
		size -= n;
	}
}

static void
write_header(Builder *builder)
{
	CacheHeader header = {
		.magic = MAGIC, .layout = CACHE_LAYOUT, .n_bytes = builder->model->n_bytes,
		.built = GetCurrentTimestamp()
	};

	memcpy(header.hash, builder->model->hash, AIAAS_HASH_SIZE);
	header.checksum = header_checksum(&header);
	write_part(builder, &header, sizeof(header), 0);
}

/* Space that a full disk does not have is missed here, not when a page is touched. */
static void
reserve_space(const Builder *builder, int64 size)
{
	LOCKTAG		room = aiaas_cache_locktag(CACHE_LOCK_ROOM, NULL);
	int			result;

	LockAcquire(&room, ExclusiveLock, false, false);
	aiaas_cache_make_room(size);
	do
		result = posix_fallocate(builder->fd, 0, size);
	while (result == EINTR);
	if (result != 0)
	{
		errno = result;
		aiaas_cache_raise_errno("reserve space for", builder->path);
	}
	LockRelease(&room, ExclusiveLock, false);
}

/* The size is to be believed once the first chunk has come. */
static void
receive_chunk(void *arg, const void *bytes, size_t n_bytes)
{
	Builder    *builder = arg;

	if (builder->offset == 0)
	{
		reserve_space(builder, CACHE_HEADER_SIZE + builder->model->n_bytes);
		builder->offset = CACHE_HEADER_SIZE;
	}
	write_part(builder, bytes, n_bytes, builder->offset);
	builder->offset += n_bytes;
}

static void
check_bytes(const Builder *builder, AiaasCacheCheck check)
{
	const AiaasModel *model = builder->model;
	size_t		size = CACHE_HEADER_SIZE + model->n_bytes;
	char	   *address = mmap(NULL, size, PROT_READ, MAP_SHARED, builder->fd, 0);

	if (address == MAP_FAILED)
		aiaas_cache_raise_errno("map", builder->path);
	PG_TRY();
	{
		check(model, address + CACHE_HEADER_SIZE, model->n_bytes);
	}
	PG_FINALLY();
	{
		munmap(address, size);
	}
	PG_END_TRY();
}

static void
fill_file(Builder *builder, AiaasCacheCheck check)
{
	struct timespec times[2] = {
		{.tv_nsec = UTIME_NOW}, {.tv_sec = sealed_time(builder->model->hash)}
	};

	aiaas_content_scan(builder->model, receive_chunk, builder);
	write_header(builder);
	check_bytes(builder, check);

	/* The server removes files of the default place when it starts, and no others. */
	if (aiaas_cache_directory[0] != '\0' && pg_fsync(builder->fd) != 0)
		aiaas_cache_raise_errno("flush", builder->path);
	if (futimens(builder->fd, times) != 0)
		aiaas_cache_raise_errno("seal", builder->path);
}

static void
build_file(const char *path, const AiaasModel *model, AiaasCacheCheck check)
{
	Builder		builder = {.model = model};

	aiaas_cache_make_directory();
	snprintf(builder.path, MAXPGPATH, "%s.%d", path, MyProcPid);
	(void) unlink(builder.path);	/* of a process that had this number and was killed */
	builder.fd = OpenTransientFile(builder.path, O_RDWR | O_CREAT | O_EXCL | PG_BINARY);
	if (builder.fd < 0)
		aiaas_cache_raise_errno("create", builder.path);
	PG_TRY();
	{
		fill_file(&builder, check);
		if (rename(builder.path, path) != 0)
			aiaas_cache_raise_errno("rename", builder.path);
	}
	PG_CATCH();
	{
		(void) unlink(builder.path);
		PG_RE_THROW();
	}
	PG_END_TRY();
	CloseTransientFile(builder.fd);
	ereport(DEBUG1,
			(errmsg_internal("built cache file \"%s\"", path)));
}

/* Its file, which another backend may have built while this one was waiting */
static int
build_and_open_file(AiaasCacheFile *file, const AiaasModel *model, AiaasCacheCheck check,
					CacheHeader *header)
{
	LOCKTAG		build = aiaas_cache_locktag(CACHE_LOCK_BUILD, model->hash);
	bool		is_built;
	int			fd;

	aiaas_activity_begin("", model->name, model->version);
	aiaas_activity_phase("waiting to share");
	LockAcquire(&build, ExclusiveLock, false, false);
	aiaas_activity_phase("sharing");
	fd = open_good_file(file->path, &file->status, file->hash, header);
	is_built = fd < 0;
	if (is_built)
	{
		if (access(file->path, F_OK) == 0)
			ereport(LOG,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("cache file \"%s\" has been altered and is built again",
							file->path)));
		build_file(file->path, model, check);
		fd = open_good_file(file->path, &file->status, file->hash, header);
	}
	LockRelease(&build, ExclusiveLock, false);
	aiaas_activity_end();
	if (fd < 0)
		ereport(ERROR,
				(errcode(ERRCODE_IO_ERROR),
				 errmsg("cache file \"%s\" vanishes as soon as it is built", file->path),
				 errhint("The directory must keep files and their times of modification.")));
	aiaas_stats_add_open(model->id, model->version, is_built);
	return fd;
}

/*
 * Mapping
 */
static void
lock_use(AiaasCacheFile *file)
{
	LOCKTAG		tag = aiaas_cache_locktag(CACHE_LOCK_USE, file->hash);

	if (!aiaas_is_lock_held(&tag, ShareLock))
		(void) LockAcquire(&tag, ShareLock, true, false);
	file->is_locked = true;
}

/*
 * For eviction, once a minute whoever it is: while the disk is busy, this can take
 * longer than all else.
 */
static void
stamp_use(const AiaasCacheFile *file, const struct stat *status)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};

	if (time(NULL) - status->st_atime >= STAMP_EVERY)
		(void) utimensat(AT_FDCWD, file->path, times, 0);
}

static void
close_file(void *arg)
{
	AiaasCacheFile *file = arg;
	LOCKTAG		tag = aiaas_cache_locktag(CACHE_LOCK_USE, file->hash);

	if (file->address != NULL)
		munmap(file->address, file->size);
	file->address = NULL;
	if (file->is_locked && aiaas_is_lock_held(&tag, ShareLock))
		LockRelease(&tag, ShareLock, true);
	file->is_locked = false;
}

AiaasCacheFile *
aiaas_cache_open(const AiaasModel *model, AiaasCacheCheck check)
{
	AiaasCacheFile *file = palloc0(sizeof(AiaasCacheFile));
	CacheHeader header;
	int			fd;

	memcpy(file->hash, model->hash, AIAAS_HASH_SIZE);
	aiaas_cache_path(file->path, file->hash);
	file->callback.func = close_file;
	file->callback.arg = file;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &file->callback);

	/* In this order, so that nobody evicts it between the two */
	lock_use(file);
	fd = open_good_file(file->path, &file->status, file->hash, &header);
	if (fd >= 0)
		aiaas_stats_add_open(model->id, model->version, false);
	else
		fd = build_and_open_file(file, model, check, &header);
	file->size = file->status.st_size;
	file->address = mmap(NULL, file->size, PROT_READ, MAP_SHARED, fd, 0);
	if (file->address == MAP_FAILED)
	{
		file->address = NULL;
		aiaas_cache_raise_errno("map", file->path);
	}
	CloseTransientFile(fd);
	stamp_use(file, &file->status);
	return file;
}

const void *
aiaas_cache_bytes(const AiaasCacheFile *file, size_t *size)
{
	*size = file->size - CACHE_HEADER_SIZE;
	return (char *) file->address + CACHE_HEADER_SIZE;
}

bool
aiaas_cache_is_current(AiaasCacheFile *file)
{
	struct stat status;

	if (stat(file->path, &status) != 0 || status.st_ino != file->status.st_ino ||
		status.st_dev != file->status.st_dev || status.st_size != file->status.st_size ||
		status.st_mtim.tv_sec != file->status.st_mtim.tv_sec ||
		status.st_mtim.tv_nsec != file->status.st_mtim.tv_nsec)
		return false;
	lock_use(file);
	stamp_use(file, &status);
	return true;
}

/*
 * Watching
 */
static int
count_backends(const uint8 *hash)
{
	LOCKTAG		tag = aiaas_cache_locktag(CACHE_LOCK_USE, hash);
	LockData   *locks = GetLockStatusData();
	int			n = 0;

	for (int i = 0; i < locks->nelements; i++)
	{
		const LockInstanceData *lock = &locks->locks[i];

		n += memcmp(&lock->locktag, &tag, sizeof(tag)) == 0 &&
			(lock->holdMask & LOCKBIT_ON(ShareLock)) != 0;
	}
	return n;
}

bool
aiaas_cache_find(AiaasCacheEntry *entry, const uint8 *hash)
{
	char		path[MAXPGPATH];
	struct stat status;
	CacheHeader header;
	int			fd;

	aiaas_cache_path(path, hash);
	fd = open_good_file(path, &status, hash, &header);
	if (fd < 0)
		return false;
	CloseTransientFile(fd);
	*entry = (AiaasCacheEntry) {
		.n_bytes = status.st_size, .n_backends = count_backends(hash),
		.built = header.built, .last_used = time_t_to_timestamptz(status.st_atime)
	};
	return true;
}

/* Read, not mapped: a bad block of the disk is then an error and no signal. */
static bool
has_right_hash(int fd, const struct stat *status, const uint8 *hash)
{
	AiaasDigest *digest = aiaas_digest_create();
	char	   *part = palloc(PART_SIZE);
	uint8		found[AIAAS_HASH_SIZE];
	off_t		offset = CACHE_HEADER_SIZE;
	ssize_t		n;

	while ((n = pg_pread(fd, part, PART_SIZE, offset)) > 0)
	{
		CHECK_FOR_INTERRUPTS();
		aiaas_digest_add(digest, part, n);
		aiaas_activity_bytes(n);
		offset += n;
	}
	aiaas_digest_end(digest, found);
	pfree(part);
	return n == 0 && offset == status->st_size && memcmp(found, hash, AIAAS_HASH_SIZE) == 0;
}

AiaasCacheState
aiaas_cache_verify(const AiaasModel *model)
{
	char		path[MAXPGPATH];
	struct stat status;
	CacheHeader header;
	AiaasCacheState state;
	int			fd;

	aiaas_cache_path(path, model->hash);
	if (stat(path, &status) != 0)
		return AIAAS_CACHE_NONE;
	fd = open_good_file(path, &status, model->hash, &header);
	state = fd >= 0 && has_right_hash(fd, &status, model->hash) ?
		AIAAS_CACHE_GOOD : AIAAS_CACHE_REMOVED;
	if (fd >= 0)
		CloseTransientFile(fd);

	/* Who has it mapped finds that it is gone, and builds it again. */
	if (state == AIAAS_CACHE_REMOVED && unlink(path) != 0 && errno != ENOENT)
		aiaas_cache_raise_errno("remove", path);
	return state;
}
