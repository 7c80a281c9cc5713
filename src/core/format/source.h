/*-------------------------------------------------------------------------
 * source.h
 *		Bytes of a file, wherever they are.
 *
 * A block of memory, or a callback that reads: files of gigabytes are not held whole.
 * A part of a source is a source, so a file inside an archive is read like any other.
 *-------------------------------------------------------------------------
 */
#ifndef AI_SOURCE_H
#define AI_SOURCE_H

#include "core/base/status.h"

typedef struct AiSource
{
	/* Exactly n bytes from offset on, which are there; NULL: they lie in memory */
	AiCode		(*read) (void *ud, void *to, uint64_t offset, size_t n, AiError *err);
	void	   *ud;
	const uint8_t *memory;
	uint64_t	start;			/* of this part, in what ud or memory is */
	uint64_t	size;			/* bytes */
} AiSource;

static inline AiSource
ai_source_of_memory(const void *bytes, size_t size)
{
	return (AiSource) {.memory = bytes, .size = size};
}

/* offset + size must not lie beyond the end of whole */
static inline AiSource
ai_source_part(const AiSource *whole, uint64_t offset, uint64_t size)
{
	AiSource	part = *whole;

	part.start += offset;
	part.size = size;
	return part;
}

/* AI_ERR_BUG when so many bytes are not there: ask for the size first. */
extern AiCode ai_source_read(const AiSource *source, void *to, uint64_t offset, size_t n,
							 AiError *err);

/*
 * The same without a copy where they lie in memory: *bytes points there, or to
 * room:[n], into which they are read.
 */
extern AiCode ai_source_view(const AiSource *source, const uint8_t **bytes, void *room,
							 uint64_t offset, size_t n, AiError *err);

#endif							/* AI_SOURCE_H */
