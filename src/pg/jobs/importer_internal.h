/*-------------------------------------------------------------------------
 * importer_internal.h
 *		An import, for its sources and for what the bytes may be.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_IMPORTER_INTERNAL_H
#define AIAAS_IMPORTER_INTERNAL_H

#include <sys/stat.h>

#include "core/format/checkpoint.h"
#include "core/format/export.h"
#include "core/format/magic.h"
#include "core/kernels/packed.h"
#include "pg/jobs/importer.h"
#include "pg/jobs/manifest.h"
#include "pg/jobs/spill.h"

/* What is imported; known when the first bytes have come */
typedef enum AiaasImportForm
{
	AIAAS_IMPORT_UNKNOWN,
	AIAAS_IMPORT_EXPORT,		/* of ours */
	AIAAS_IMPORT_CHECKPOINT		/* a folder of Hugging Face's layout, or a tar of it */
} AiaasImportForm;

struct AiaasImporter
{
	MemoryContext context;		/* of all that an import needs */
	const AiHost *host;
	const char *model;			/* NULL: named by the manifest */
	bool		has_precision;
	AiPrecision precision;
	AiaasImportForm form;
	AiaasNewVersion version;	/* that is to be stored */

	/* Parts of a stream: the first bytes wait until it is known what they are. */
	uint8		begin[AI_MAGIC_SIZE];
	size_t		n_begin;

	/* An export */
	uint8		head[AI_EXPORT_HEAD_SIZE];
	size_t		n_received;
	AiExportSizes sizes;		/* once the head is there */
	char	   *bytes;			/* [sizes.whole], aligned; NULL before */
	AiExport	opened;
	AiaasManifest manifest;

	/* A checkpoint */
	AiCheckpoint checkpoint;
	const char *path;			/* on the server; NULL: it came from elsewhere */
	AiSpill		spill;			/* of a tar that came in parts */
};

/*
 * What sources call, one of these three ways
 */

/* The next bytes of a stream, in parts of any size */
extern void aiaas_importer_add(AiaasImporter *importer, const void *bytes, size_t n_bytes);
extern void aiaas_importer_end(AiaasImporter *importer);

/* A source of all bytes, which is read from here to the end of the import */
extern void aiaas_importer_open(AiaasImporter *importer, const AiSource *source);

/* The checkpoint, to which files are to be added */
extern AiCheckpoint *aiaas_importer_open_folder(AiaasImporter *importer);

/*
 * import_folder.c
 */

/* Raises where it is something else: to open a pipe is to wait. */
extern void aiaas_import_check_regular(const char *path, const struct stat *status);

extern void aiaas_import_folder(AiaasImporter *importer, const char *path);

/* A regular file of the server, of size bytes; lives as long as the importer */
extern AiSource aiaas_import_file_source(AiaasImporter *importer, const char *path, uint64 size);

/* import_encoder.c: from the checkpoint to importer->version, with its bytes */
extern void aiaas_import_encoder(AiaasImporter *importer);

#endif							/* AIAAS_IMPORTER_INTERNAL_H */
