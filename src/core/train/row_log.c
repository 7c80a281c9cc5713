/*-------------------------------------------------------------------------
 * row_log.c
 *		Entries of different sizes, in memory and then in a file.
 *-------------------------------------------------------------------------
 */
#include "core/train/row_log.h"

#include <string.h>

#define PIECE_SIZE ((size_t) 1 << 20)

void
ai_row_log_init(AiRowLog *log, const AiHost *host, size_t max_memory, const AiSpill *spill)
{
	memset(log, 0, sizeof(*log));
	ai_buf_init(&log->memory, host);
	ai_buf_init(&log->piece, host);
	log->max_memory = max_memory;
	log->spill = spill;
}

void
ai_row_log_free(AiRowLog *log)
{
	ai_buf_free(&log->memory);
	ai_buf_free(&log->piece);
}

static AiCode
file_failed(AiError *err)
{
	return ai_fail(err, AI_ERR_DATA, "rows of the training could not be kept in a temporary file");
}

static AiCode
flush(AiRowLog *log, AiError *err)
{
	if (log->piece.len == 0)
		return AI_OK;
	if (!log->spill->append(log->spill->ud, log->piece.data, log->piece.len))
		return file_failed(err);
	log->n_spilled += log->piece.len;
	log->piece.len = 0;
	return AI_OK;
}

/* A buffer doubles, so at half of the limit it may reach it. */
static bool
fits_memory(const AiRowLog *log, size_t size)
{
	return log->n_spilled == 0 && log->piece.len == 0 &&
		(log->memory.len + size <= log->memory.capacity ||
		 2 * (log->memory.len + size) <= log->max_memory);
}

AiCode
ai_row_log_append(AiRowLog *log, const void *bytes, size_t size, AiError *err)
{
	if (size == 0)
		return AI_OK;
	if (fits_memory(log, size))
		return ai_buf_append(&log->memory, bytes, size, err);
	if (log->spill == NULL)
	{
		ai_fail(err, AI_ERR_LIMIT, "the rows need more memory than the training may use");
		ai_detail(err, "The limit is %zu MB.", log->max_memory >> 20);
		return AI_ERR_LIMIT;
	}
	if (log->piece.len + size > PIECE_SIZE)
		AI_TRY(flush(log, err));
	return ai_buf_append(&log->piece, bytes, size, err);
}

AiCode
ai_row_log_finish(AiRowLog *log, AiError *err)
{
	AI_TRY(flush(log, err));
	return log->n_spilled > 0 ? ai_buf_reserve(&log->piece, PIECE_SIZE, err) : AI_OK;
}

bool
ai_row_log_is_at_end(const AiRowLog *log)
{
	return log->n_read == log->memory.len + log->n_spilled;
}

static AiCode
read_piece(AiRowLog *log, AiError *err)
{
	uint64_t	at = log->n_read - log->memory.len;
	uint64_t	left = log->n_spilled - at;
	size_t		size = left < PIECE_SIZE ? (size_t) left : PIECE_SIZE;

	if (!log->spill->read(log->spill->ud, at, log->piece.data, size))
		return file_failed(err);
	log->piece.len = size;
	log->piece_read = 0;
	return AI_OK;
}

AiCode
ai_row_log_read(AiRowLog *log, void *bytes, size_t size, AiError *err)
{
	uint8_t    *to = bytes;

	AI_ASSERT(log->n_read + size <= log->memory.len + log->n_spilled);
	while (size > 0)
	{
		AiBuf	   *from = log->n_read < log->memory.len ? &log->memory : &log->piece;
		size_t		at;
		size_t		n;

		if (from == &log->piece && log->piece_read == log->piece.len)
			AI_TRY(read_piece(log, err));
		at = from == &log->memory ? (size_t) log->n_read : log->piece_read;
		n = from->len - at < size ? from->len - at : size;
		memcpy(to, from->data + at, n);
		log->n_read += n;
		log->piece_read += from == &log->piece ? n : 0;
		to += n;
		size -= n;
	}
	return AI_OK;
}
