/*-------------------------------------------------------------------------
 * buf.h
 *		Bytes that grow at their end.
 *-------------------------------------------------------------------------
 */
#ifndef AI_BUF_H
#define AI_BUF_H

#include "core/base/host.h"

typedef struct AiBuf
{
	const AiHost *host;			/* borrowed */
	uint8_t    *data;			/* 64-byte aligned; NULL while capacity is 0; moves when it grows */
	size_t		len;			/* bytes in use */
	size_t		capacity;
} AiBuf;

static inline void
ai_buf_init(AiBuf *buf, const AiHost *host)
{
	*buf = (AiBuf) {.host = host};
}

/*
 * Make room for size more bytes after len.  On failure, AI_ERR_NOMEM, the
 * contents are unchanged.
 */
extern AiCode ai_buf_reserve(AiBuf *buf, size_t size, AiError *err);

/* Append size bytes; bytes must not lie in the buffer itself. */
extern AiCode ai_buf_append(AiBuf *buf, const void *bytes, size_t size, AiError *err);

/* Everything goes back to the host; the buffer is empty and may be used again. */
extern void ai_buf_free(AiBuf *buf);

#endif							/* AI_BUF_H */
