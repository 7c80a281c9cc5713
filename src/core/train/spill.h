/*-------------------------------------------------------------------------
 * spill.h
 *		What the memory of a training does not hold, in a file of the host's.
 *
 * Bytes are added at its end and wait in a piece until that is full.  They are read after a
 * flush.
 *-------------------------------------------------------------------------
 */
#ifndef AI_SPILL_H
#define AI_SPILL_H

#include "core/base/buf.h"

#define AI_SPILL_PIECE ((size_t) 1 << 20)

/* A file of the host, of the main thread; false: it has failed, and the host knows why. */
typedef struct AiSpill
{
	bool		(*append) (void *ud, const void *bytes, size_t size);
	bool		(*read) (void *ud, uint64_t offset, void *bytes, size_t size);
	void	   *ud;
} AiSpill;

typedef struct AiSpillFile
{
	AiSpill		spill;			/* all zero: there is none */
	size_t		max_memory;		/* that is used up, which is then an error, bytes */
	AiBuf		piece;			/* the last bytes */
	uint64_t	n_written;		/* those before them */
} AiSpillFile;

/* spill may be NULL. */
extern void ai_spill_init(AiSpillFile *file, const AiHost *host, const AiSpill *spill,
						  size_t max_memory);
extern void ai_spill_free(AiSpillFile *file);

/* Room for size bytes more, to be filled before the next call.  AI_ERR_LIMIT: there is no file */
extern AiCode ai_spill_add(AiSpillFile *file, void **room, size_t size, AiError *err);
extern AiCode ai_spill_flush(AiSpillFile *file, AiError *err);
extern AiCode ai_spill_read(const AiSpillFile *file, uint64_t offset, void *bytes, size_t size,
							AiError *err);

#endif							/* AI_SPILL_H */
