/*-------------------------------------------------------------------------
 * source.c
 *		Bytes of a file, wherever they are.
 *-------------------------------------------------------------------------
 */
#include "core/format/source.h"

#include <string.h>

AiCode
ai_source_view(const AiSource *source, const uint8_t **bytes, void *room,
			   uint64_t offset, size_t n, AiError *err)
{
	if (offset > source->size || n > source->size - offset)
		return ai_fail(err, AI_ERR_BUG, "bytes beyond the end of a file are asked for");
	*bytes = room;
	if (n == 0)
		return AI_OK;			/* of an empty file there may be no memory */
	if (source->read != NULL)
		return source->read(source->ud, room, source->start + offset, n, err);
	*bytes = source->memory + source->start + offset;
	return AI_OK;
}

AiCode
ai_source_read(const AiSource *source, void *to, uint64_t offset, size_t n, AiError *err)
{
	const uint8_t *bytes = to;

	AI_TRY(ai_source_view(source, &bytes, to, offset, n, err));
	if (n > 0 && bytes != to)
		memcpy(to, bytes, n);
	return AI_OK;
}
