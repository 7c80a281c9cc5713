/*-------------------------------------------------------------------------
 * importer_internal.h
 *		What the sources of an import call.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_IMPORTER_INTERNAL_H
#define AIAAS_IMPORTER_INTERNAL_H

#include "pg/jobs/importer.h"

/* Before the first byte, where it is known how many there are, at least 1 */
extern void aiaas_importer_expect(AiaasImporter *importer, uint64 n_bytes);

/* The next bytes, in parts of any size */
extern void aiaas_importer_add(AiaasImporter *importer, const void *bytes, size_t n_bytes);

#endif							/* AIAAS_IMPORTER_INTERNAL_H */
