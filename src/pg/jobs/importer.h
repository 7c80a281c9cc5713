/*-------------------------------------------------------------------------
 * importer.h
 *		Bytes from elsewhere become a new version of a model.
 *
 * They are what ai_export() has written, or a pre-trained model in Hugging Face's layout: a
 * folder, or a tar archive of it.
 *
 *		importer = aiaas_importer_begin(model, precision);
 *		aiaas_import_bytea(importer, source);		or another source
 *		aiaas_importer_finish(importer, deploy, &result);
 *
 * Nothing about the bytes is trusted.  Sizes are checked as soon as the head has
 * come, before room is made; nothing is written and no model is locked before
 * all is known to be right.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_IMPORTER_H
#define AIAAS_IMPORTER_H

#include "core/kernels/packed.h"
#include "pg/catalog/catalog.h"

typedef struct AiaasImporter AiaasImporter;

/* "int8"; raises with a list of them */
extern AiPrecision aiaas_precision_parse(const char *name);

/*
 * model is NULL for the name that an export has.  precision is NULL for what an export has,
 * and for fp32.  Raises where the user may not import into the model, or nothing may be
 * written.
 */
extern AiaasImporter *aiaas_importer_begin(const char *model, const char *precision);

/* Sources; each is all there is, so use one. */
extern void aiaas_import_bytea(AiaasImporter *importer, Datum source);

/* With the rights of the user, as lo_open() has it */
extern void aiaas_import_large_object(AiaasImporter *importer, Oid source);

/* A file or folder of the server, for those who may read them; relative to the data directory */
extern void aiaas_import_file(AiaasImporter *importer, const char *path);

/* The parts in the order in which a SELECT with one column of bytea brings them */
extern void aiaas_import_query(AiaasImporter *importer, const char *sql);

/* What ai_import() returns */
typedef struct AiaasImportResult
{
	char		model[AIAAS_MODEL_NAME_MAX + 1];
	int			version;
	const char *algorithm;
	const char *task;
	int			n_labels;
	int64		n_bytes;		/* of the stored model */
	bool		is_deployed;
} AiaasImportResult;

/* The first version of a model is deployed, a later one if deploy is true. */
extern void aiaas_importer_finish(AiaasImporter *importer, bool deploy,
								  AiaasImportResult *result);

#endif							/* AIAAS_IMPORTER_H */
