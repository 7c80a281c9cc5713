/*-------------------------------------------------------------------------
 * row_log.c
 *		Entries of different sizes, in memory and then in a file.
 *-------------------------------------------------------------------------
 */
#include "core/train/row_log.h"

#include <string.h>

void
ai_row_log_init(AiRowLog *log, const AiHost *host, size_t max_memory, const AiSpill *spill)
{
	memset(log, 0, sizeof(*log));
	ai_buf_init(&log->memory, host);
	ai_spill_init(&log->file, host, spill, max_memory);
}

void
ai_row_log_free(AiRowLog *log)
{
	ai_buf_free(&log->memory);
	ai_spill_free(&log->file);
}

/* A buffer that grows is there twice for a moment. */
static bool
fits_memory(const AiRowLog *log, size_t size)
{
	return log->file.n_written == 0 && log->file.piece.len == 0 &&
		(log->memory.len + size <= log->memory.capacity ||
		 2 * (log->memory.len + size) <= log->file.max_memory);
}

AiCode
ai_row_log_append(AiRowLog *log, const void *bytes, size_t size, AiError *err)
{
	void	   *room;

	if (size == 0)
		return AI_OK;
	if (fits_memory(log, size))
		return ai_buf_append(&log->memory, bytes, size, err);
	AI_TRY(ai_spill_add(&log->file, &room, size, err));
	memcpy(room, bytes, size);
	return AI_OK;
}

AiCode
ai_row_log_finish(AiRowLog *log, AiError *err)
{
	return ai_spill_flush(&log->file, err);
}

bool
ai_row_log_is_at_end(const AiRowLog *log)
{
	return log->n_read == log->memory.len + log->file.n_written;
}

/* The piece that went to the file is now one that comes from it. */
static AiCode
read_piece(AiRowLog *log, AiError *err)
{
	uint64_t	at = log->n_read - log->memory.len;
	uint64_t	left = log->file.n_written - at;
	size_t		size = left < AI_SPILL_PIECE ? (size_t) left : AI_SPILL_PIECE;

	AI_TRY(ai_spill_read(&log->file, at, log->file.piece.data, size, err));
	log->file.piece.len = size;
	log->piece_read = 0;
	return AI_OK;
}

AiCode
ai_row_log_read(AiRowLog *log, void *bytes, size_t size, AiError *err)
{
	uint8_t    *to = bytes;

	AI_ASSERT(log->n_read + size <= log->memory.len + log->file.n_written);
	while (size > 0)
	{
		AiBuf	   *from = log->n_read < log->memory.len ? &log->memory : &log->file.piece;
		size_t		at;
		size_t		n;

		if (from == &log->file.piece && log->piece_read == log->file.piece.len)
			AI_TRY(read_piece(log, err));
		at = from == &log->memory ? (size_t) log->n_read : log->piece_read;
		n = from->len - at < size ? from->len - at : size;
		memcpy(to, from->data + at, n);
		log->n_read += n;
		log->piece_read += from == &log->file.piece ? n : 0;
		to += n;
		size -= n;
	}
	return AI_OK;
}
