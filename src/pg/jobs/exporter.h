/*-------------------------------------------------------------------------
 * exporter.h
 *		A stored version as bytes for another server; core/format/export.h.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_EXPORTER_H
#define AIAAS_EXPORTER_H

#include "pg/host/rows.h"

/* Rows (seq integer, data bytea): parts of 1 MiB, from 0, the last one shorter */
extern void aiaas_export(AiaasRows *rows, const char *reference);

#endif							/* AIAAS_EXPORTER_H */
