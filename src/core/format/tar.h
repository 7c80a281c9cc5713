/*-------------------------------------------------------------------------
 * tar.h
 *		Files in an uncompressed tar archive, read where they lie.
 *
 * POSIX archives (ustar, with pax headers for long names and large sizes) and GNU's with
 * long names.  Nothing is extracted: an entry is a name and a part of the archive.  What
 * could lead out of a folder or stand for something else (absolute names, "..", links,
 * devices) is an error that names the entry, and so is a header whose sum is wrong.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TAR_H
#define AI_TAR_H

#include "core/base/buf.h"
#include "core/format/source.h"

#define AI_TAR_MAX_NAME 4096	/* bytes */

typedef struct AiTar
{
	const AiHost *host;			/* borrowed; asked to stop */
	AiSource	source;
	uint64_t	at;				/* where the next header is */
	int64_t		n_headers;		/* so far */
	int64_t		n_entries;		/* so far, with the one that is read */
	AiBuf		name;			/* of the last entry, with a 0 behind */
	AiBuf		records;		/* of a pax header */
} AiTar;

typedef struct AiTarEntry
{
	const char *name;			/* valid UTF-8, relative, without "." and ".."; until the next one */
	bool		is_folder;
	AiSource	content;		/* of a file */
} AiTarEntry;

/* Could the file that begins with these bytes be a tar archive? */
extern bool ai_tar_is_likely(const void *bytes, size_t n);

extern void ai_tar_init(AiTar *tar, const AiHost *host, const AiSource *source);

/* *has_entry: false at the end of the archive */
extern AiCode ai_tar_next(AiTar *tar, AiTarEntry *entry, bool *has_entry, AiError *err);

extern void ai_tar_free(AiTar *tar);

#endif							/* AI_TAR_H */
