/*-------------------------------------------------------------------------
 * row_log.h
 *		Entries of different sizes: written one after the other, then read in the same order.
 *
 * For rows whose record is not known before all rows are: what exceeds the memory goes to a
 * file of the host's.
 *-------------------------------------------------------------------------
 */
#ifndef AI_ROW_LOG_H
#define AI_ROW_LOG_H

#include "core/train/spill.h"

typedef struct AiRowLog
{
	AiBuf		memory;			/* the first bytes of all */
	AiSpillFile file;			/* the others */
	uint64_t	n_read;			/* of all bytes */
	size_t		piece_read;		/* of the file's piece, which it fills again */
} AiRowLog;

extern void ai_row_log_init(AiRowLog *log, const AiHost *host, size_t max_memory,
							const AiSpill *spill);
extern AiCode ai_row_log_append(AiRowLog *log, const void *bytes, size_t size, AiError *err);

/* All is written: from now on it is read, from its beginning. */
extern AiCode ai_row_log_finish(AiRowLog *log, AiError *err);
extern bool ai_row_log_is_at_end(const AiRowLog *log);

/* The next bytes, as many as were written */
extern AiCode ai_row_log_read(AiRowLog *log, void *bytes, size_t size, AiError *err);
extern void ai_row_log_free(AiRowLog *log);

#endif							/* AI_ROW_LOG_H */
