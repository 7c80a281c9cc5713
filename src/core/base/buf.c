/*-------------------------------------------------------------------------
 * buf.c
 *		Bytes that grow at their end.
 *-------------------------------------------------------------------------
 */
#include "core/base/buf.h"

#include <string.h>

#define FIRST_CAPACITY ((size_t) 256)

AiCode
ai_buf_reserve(AiBuf *buf, size_t size, AiError *err)
{
	size_t		needed;
	size_t		capacity = buf->capacity + buf->capacity / 2;
	uint8_t    *data;

	if (!ai_add_size(&needed, buf->len, size))
		return ai_out_of_memory(err, SIZE_MAX, "a buffer");
	if (needed <= buf->capacity)
		return AI_OK;

	/* half as much again keeps the cost of a byte constant */
	if (capacity < needed)
		capacity = needed;
	if (capacity < FIRST_CAPACITY)
		capacity = FIRST_CAPACITY;
	data = ai_host_alloc(buf->host, capacity);
	if (data == NULL)
		return ai_out_of_memory(err, capacity, "a buffer");
	if (buf->len > 0)
		memcpy(data, buf->data, buf->len);
	ai_host_release(buf->host, buf->data);
	buf->data = data;
	buf->capacity = capacity;
	return AI_OK;
}

AiCode
ai_buf_append(AiBuf *buf, const void *bytes, size_t size, AiError *err)
{
	AI_TRY(ai_buf_reserve(buf, size, err));
	if (size > 0)
		memcpy(buf->data + buf->len, bytes, size);
	buf->len += size;
	return AI_OK;
}

void
ai_buf_free(AiBuf *buf)
{
	ai_host_release(buf->host, buf->data);
	ai_buf_init(buf, buf->host);
}
