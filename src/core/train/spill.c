/*-------------------------------------------------------------------------
 * spill.c
 *		What the memory of a training does not hold, in a file of the host's.
 *-------------------------------------------------------------------------
 */
#include "core/train/spill.h"

#include <string.h>

void
ai_spill_init(AiSpillFile *file, const AiHost *host, const AiSpill *spill, size_t max_memory)
{
	memset(file, 0, sizeof(*file));
	if (spill != NULL)
		file->spill = *spill;
	file->max_memory = max_memory;
	ai_buf_init(&file->piece, host);
}

void
ai_spill_free(AiSpillFile *file)
{
	ai_buf_free(&file->piece);
}

static AiCode
file_failed(AiError *err)
{
	return ai_fail(err, AI_ERR_DATA, "rows of the training could not be kept in a temporary file");
}

AiCode
ai_spill_flush(AiSpillFile *file, AiError *err)
{
	if (file->piece.len == 0)
		return AI_OK;
	if (!file->spill.append(file->spill.ud, file->piece.data, file->piece.len))
		return file_failed(err);
	file->n_written += file->piece.len;
	file->piece.len = 0;
	return AI_OK;
}

AiCode
ai_spill_add(AiSpillFile *file, void **room, size_t size, AiError *err)
{
	if (file->spill.append == NULL)
	{
		ai_fail(err, AI_ERR_LIMIT, "the rows need more memory than the training may use");
		ai_detail(err, "The limit is %zu MB.", file->max_memory >> 20);
		return AI_ERR_LIMIT;
	}
	if (file->piece.len + size > AI_SPILL_PIECE)
		AI_TRY(ai_spill_flush(file, err));
	if (file->piece.len == 0)
		AI_TRY(ai_buf_reserve(&file->piece, size > AI_SPILL_PIECE ? size : AI_SPILL_PIECE, err));
	*room = file->piece.data + file->piece.len;
	file->piece.len += size;
	return AI_OK;
}

AiCode
ai_spill_read(const AiSpillFile *file, uint64_t offset, void *bytes, size_t size, AiError *err)
{
	if (!file->spill.read(file->spill.ud, offset, bytes, size))
		return file_failed(err);
	return AI_OK;
}
