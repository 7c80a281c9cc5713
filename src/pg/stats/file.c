/*-------------------------------------------------------------------------
 * file.c
 *		The file of counters that all backends of a server map.
 *
 * It is made under another name and linked to its own when it is whole, so of
 * several makers one wins and the others use his.  A file whose head is not
 * exactly as this server's would be is replaced: damaged, foreign, or left over
 * from an earlier start of the server.  It never changes its size, and its space
 * is reserved when it is made, so touching it cannot fail.
 *
 * Somebody may remove it.  A backend looks for that now and then, and moves to the
 * new file; what had been counted in the old one is lost.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/stats/stats_internal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/hash.h"
#include "miscadmin.h"
#include "pg/host/compat.h"
#include "pg/host/place.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "utils/timestamp.h"

#define MAGIC "AIAASST\n"
#define LAYOUT 1				/* part of the file's name */
#define N_ENTRIES 4096			/* of the tally */
#define HEADER_SIZE 4096
#define MAX_ATTEMPTS 10

/* At the start of the file; it says all that decides how the rest lies. */
typedef struct FileHeader
{
	char		magic[8];
	uint32		layout;
	uint32		n_slots;
	uint32		n_entries;
	uint32		slot_size;
	TimestampTz server_started;
	uint64		size;			/* of the file */
} FileHeader;

typedef struct Mapping
{
	char	   *address;
	size_t		size;
	dev_t		device;			/* which file it is */
	ino_t		inode;
} Mapping;

static StatsSlot nobody;

StatsShared aiaas_shared = {.mine = &nobody};
TimestampTz aiaas_shared_looked = 0;

static Mapping mapping;
static bool is_logged = false;	/* that there is no file */
static bool is_exiting = false;

bool
aiaas_shared_is_alive(int place, uint32_t process)
{
	return (uint32_t) ProcGlobal->allProcs[place].pid == process;
}

/*
 * The file
 */

/* Servers that have been given one directory have files of their own. */
static void
file_path(char path[MAXPGPATH])
{
	snprintf(path, MAXPGPATH, "%s/stats-%d-%016llx", aiaas_place(), LAYOUT,
			 (unsigned long long) ai_hash64(DataDir, strlen(DataDir), 0));
}

static size_t
places_offset(void)
{
	return HEADER_SIZE + (size_t) ProcGlobal->allProcCount * sizeof(StatsSlot);
}

static size_t
tally_offset(void)
{
	return TYPEALIGN(64, places_offset() + ai_gate_size(ProcGlobal->allProcCount));
}

static FileHeader
make_header(void)
{
	return (FileHeader) {
		.magic = MAGIC, .layout = LAYOUT, .n_slots = ProcGlobal->allProcCount,
		.n_entries = N_ENTRIES, .slot_size = sizeof(StatsSlot),
		.server_started = PgStartTime, .size = tally_offset() + ai_tally_size(N_ENTRIES)
	};
}

static bool
is_good_file(int fd, const struct stat *status)
{
	FileHeader	expected = make_header();
	FileHeader	header;

	return S_ISREG(status->st_mode) && status->st_size == (off_t) expected.size &&
		pread(fd, &header, sizeof(header), 0) == sizeof(header) &&
		memcmp(&header, &expected, sizeof(header)) == 0;
}

/* With errno: the space is there, and the header, but nothing else. */
static bool
fill_file(int fd)
{
	FileHeader	header = make_header();

	do
		errno = posix_fallocate(fd, 0, (off_t) header.size);
	while (errno == EINTR);
	return errno == 0 && pwrite(fd, &header, sizeof(header), 0) == sizeof(header);
}

/* False, with errno: it cannot be made.  Else somebody has made it. */
static bool
make_file(const char *path)
{
	char		new_path[MAXPGPATH + 16];
	bool		is_made;
	int			fd;
	int			error;

	if (aiaas_place_make() != NULL)
		return false;
	snprintf(new_path, sizeof(new_path), "%s.%d", path, MyProcPid);
	(void) unlink(new_path);	/* of a process that had this number and was killed */
	fd = BasicOpenFile(new_path, O_RDWR | O_CREAT | O_EXCL | PG_BINARY);
	if (fd < 0)
		return false;
	is_made = fill_file(fd);
	if (is_made && link(new_path, path) != 0 && errno != EEXIST)
		is_made = rename(new_path, path) == 0;	/* where there are no links */
	error = errno;
	(void) unlink(new_path);
	close(fd);
	errno = error;
	return is_made;
}

/*
 * Remove the file that is open, unless somebody has.  The lock, which goes with its
 * holder, keeps two from removing each the file that the other has made.
 */
static void
remove_file(const char *path, int fd, const struct stat *opened)
{
	struct stat status;

	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		pg_usleep(1000);
	else if (stat(path, &status) == 0 && status.st_ino == opened->st_ino &&
			 status.st_dev == opened->st_dev)
		(void) unlink(path);
}

/* -1, with errno: there is none and none can be made. */
static int
open_file(const char *path, struct stat *status)
{
	for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++)
	{
		int			fd = BasicOpenFile(path, O_RDWR | PG_BINARY);

		if (fd >= 0 && fstat(fd, status) == 0)
		{
			if (is_good_file(fd, status))
				return fd;
			remove_file(path, fd, status);
		}
		if (fd >= 0)
			close(fd);
		else if (errno != ENOENT || !make_file(path))
			return -1;
	}
	errno = EEXIST;
	return -1;
}

/*
 * Mapping
 */
static bool
map_file(Mapping *new, const char *path)
{
	struct stat status;
	int			fd = open_file(path, &status);
	void	   *address;
	int			error;

	if (fd < 0)
		return false;
	address = mmap(NULL, status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	error = errno;
	close(fd);
	errno = error;
	if (address == MAP_FAILED)
		return false;
	*new = (Mapping) {address, status.st_size, status.st_dev, status.st_ino};
	return true;
}

static bool
is_current(const char *path)
{
	struct stat status;

	return mapping.address != NULL && stat(path, &status) == 0 &&
		status.st_ino == mapping.inode && status.st_dev == mapping.device;
}

/* The place of this backend is as it was, in another file. */
static void
use_mapping(const Mapping *new)
{
	StatsShared next = {.mine = &nobody};

	if (new->address != NULL)
	{
		next.is_mapped = true;
		next.n_slots = ProcGlobal->allProcCount;
		next.my_place = (int) (MyProc - ProcGlobal->allProcs);
		next.slots = (StatsSlot *) (new->address + HEADER_SIZE);
		next.mine = &next.slots[next.my_place];
		next.gate = (AiGate) {
			(AiGatePlace *) (new->address + places_offset()), next.n_slots, aiaas_shared_is_alive
		};
		next.tally = (AiTally) {(AiTallyEntry *) (new->address + tally_offset()), N_ENTRIES};
		ai_gate_clear(&next.gate, next.my_place);
	}
	aiaas_activity_move(next.mine, aiaas_shared.mine);
	aiaas_shared = next;
	if (mapping.address != NULL)
		munmap(mapping.address, mapping.size);
	mapping = *new;
}

/* After the last transaction has ended, and while nobody else can have this place */
static void
leave_file(int code, Datum arg)
{
	aiaas_stats_flush();
	is_exiting = true;
	if (!aiaas_shared.is_mapped)
		return;
	ai_gate_clear(&aiaas_shared.gate, aiaas_shared.my_place);
	atomic_store(&aiaas_shared.mine->is_active, false);
	atomic_store(&aiaas_shared.mine->process, 0);
	use_mapping(&(Mapping) {0});
}

void
aiaas_shared_look(TimestampTz now)
{
	static bool is_registered = false;
	char		path[MAXPGPATH];
	Mapping		new = {0};

	aiaas_shared_looked = now;
	if (MyProc == NULL || is_exiting)
		return;
	file_path(path);
	if (is_current(path))
		return;
	if (!map_file(&new, path) && !is_logged)
	{
		is_logged = true;
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not share counters in file \"%s\": %m", path),
				 errdetail("What this session does is not in ai_activity and ai_stats.")));
	}
	use_mapping(&new);
	if (!is_registered)
		on_shmem_exit(leave_file, (Datum) 0);
	is_registered = true;
}
