/*-------------------------------------------------------------------------
 * import_folder.c
 *		A model's folder on the server.
 *
 * Files are opened when they are read, and one is open at a time.  Links to files are
 * followed, since Hugging Face's caches consist of them; links to folders are not, so there
 * are no circles.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/fd.h"

#include "pg/host/compat.h"
#include "pg/host/host.h"
#include "pg/host/raise.h"
#include "pg/jobs/importer_internal.h"
#include "pg/stats/stats.h"

#define MAX_DEPTH 6				/* of folders inside of each other */
#define MAX_ENTRIES 100000		/* of all folders */

/*
 * A file
 */
typedef struct ServerFile
{
	const AiHost *host;
	const char *path;
} ServerFile;

typedef struct PathRead
{
	const char *path;
	char	   *to;
	uint64		offset;
	size_t		n;
} PathRead;

static _Noreturn void
raise_read_error(const char *path, ssize_t n)
{
	if (n < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read file \"%s\": %m", path)));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("file \"%s\" became shorter while it was read", path)));
}

/* Whatever it has become by now, opening it does not wait. */
static void
read_file(void *arg)
{
	PathRead   *r = arg;
	int			fd;

	HOLD_INTERRUPTS();
	fd = OpenTransientFile(r->path, O_RDONLY | O_NONBLOCK | PG_BINARY);
	if (fd < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\": %m", r->path)));
	while (r->n > 0)
	{
		ssize_t		n = pread(fd, r->to, r->n, (off_t) r->offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			raise_read_error(r->path, n);
		r->to += n;
		r->offset += n;
		r->n -= n;
	}
	CloseTransientFile(fd);
	RESUME_INTERRUPTS();
}

static AiCode
read_source(void *ud, void *to, uint64_t offset, size_t n, AiError *err)
{
	const ServerFile *file = ud;
	PathRead	r = {file->path, to, offset, n};

	aiaas_activity_bytes((int64) n);
	return aiaas_host_try(file->host, read_file, &r) ? AI_OK :
		ai_fail(err, AI_ERR_DATA, "could not read a file");
}

AiSource
aiaas_import_file_source(AiaasImporter *importer, const char *path, uint64 size)
{
	ServerFile *file = MemoryContextAlloc(importer->context, sizeof(ServerFile));

	file->host = importer->host;
	file->path = MemoryContextStrdup(importer->context, path);
	return (AiSource) {.read = read_source, .ud = file, .size = size};
}

/*
 * A folder
 */
typedef struct Walk
{
	AiaasImporter *importer;
	AiCheckpoint *checkpoint;
	int			n_entries;
} Walk;

void
aiaas_import_check_regular(const char *path, const struct stat *status)
{
	if (!S_ISREG(status->st_mode))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a regular file", path)));
}

/* name: from the model's folder */
static void
add_file(Walk *walk, const char *path, const char *name)
{
	struct stat status;
	AiSource	source;
	AiError		err;

	if (!ai_checkpoint_wants(name))
		return;
	if (stat(path, &status) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not stat file \"%s\": %m", path)));
	aiaas_import_check_regular(path, &status);
	source = aiaas_import_file_source(walk->importer, path, status.st_size);
	AIAAS_CHECK(ai_checkpoint_add(walk->checkpoint, name, &source, &err), &err);
}

static void
count_entry(Walk *walk)
{
	CHECK_FOR_INTERRUPTS();
	if (++walk->n_entries <= MAX_ENTRIES)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("folder \"%s\" holds more than %d files", walk->importer->path, MAX_ENTRIES),
			 errhint("Name the folder of one model, with its config.json.")));
}

/* prefix: "" or "1_Pooling/" */
static void
walk_folder(Walk *walk, const char *folder, const char *prefix, int depth)
{
	DIR		   *dir = AllocateDir(folder);
	struct dirent *entry;

	/* Hidden ones are those of tools, such as git. */
	while ((entry = ReadDir(dir, folder)) != NULL)
	{
		char	   *path = psprintf("%s/%s", folder, entry->d_name);
		struct stat status;

		count_entry(walk);
		if (entry->d_name[0] != '.' && lstat(path, &status) == 0)
		{
			char	   *name = psprintf("%s%s", prefix, entry->d_name);

			if (!S_ISDIR(status.st_mode))
				add_file(walk, path, name);
			else if (depth < MAX_DEPTH)
				walk_folder(walk, path, psprintf("%s/", name), depth + 1);
			pfree(name);
		}
		pfree(path);
	}
	FreeDir(dir);
}

void
aiaas_import_folder(AiaasImporter *importer, const char *path)
{
	Walk		walk = {.importer = importer};

	walk.checkpoint = aiaas_importer_open_folder(importer);
	walk_folder(&walk, path, "", 1);
}
