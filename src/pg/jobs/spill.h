/*-------------------------------------------------------------------------
 * spill.h
 *		Rows that memory does not hold: temporary files for the core.
 *
 * They lie in temp_tablespaces, count against temp_file_limit, and are gone with the
 * resource owner in which they were made, so after an error too.  What the server says of
 * them is kept by the host and raised once the core has returned.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_SPILL_H
#define AIAAS_SPILL_H

#include "core/base/host.h"
#include "core/train/spill.h"

/* In the current memory context, which lives as long; the file is made when it is needed. */
extern void aiaas_spill_init(AiSpill *spill, const AiHost *host);

/* Bytes in the file */
extern uint64 aiaas_spill_size(const AiSpill *spill);

/* Where no error has come */
extern void aiaas_spill_close(AiSpill *spill);

#endif							/* AIAAS_SPILL_H */
