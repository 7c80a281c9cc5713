/*-------------------------------------------------------------------------
 * text_buf.c
 *		Characters that remember where they came from.
 *-------------------------------------------------------------------------
 */
#include "core/text/tokenizer_internal.h"

#include <string.h>

void
text_buf_init(TextBuf *text, const AiHost *host)
{
	ai_buf_init(&text->byte, host);
	ai_buf_init(&text->start, host);
	ai_buf_init(&text->end, host);
	text_buf_clear(text, 0);
}

void
text_buf_free(TextBuf *text)
{
	ai_buf_free(&text->byte);
	ai_buf_free(&text->start);
	ai_buf_free(&text->end);
}

/* Room for size more bytes, and for where they come from; also the place to stop long work */
AiCode
text_buf_reserve(TextBuf *text, size_t size, AiError *err)
{
	size_t		len = text->byte.len;

	if (len / STEPS_PER_QUESTION != (len + size) / STEPS_PER_QUESTION)
		AI_TRY(text_check_stop(text->byte.host, err));
	AI_TRY(ai_buf_reserve(&text->byte, size, err));
	if (text->is_direct)
		return AI_OK;
	AI_TRY(ai_buf_reserve(&text->start, size * sizeof(uint32_t), err));
	return ai_buf_reserve(&text->end, size * sizeof(uint32_t), err);
}

/* Where the next n bytes come from */
void
text_buf_put_span(TextBuf *text, AiTokenSpan span, size_t n)
{
	uint32_t   *start = (uint32_t *) (text->start.data + text->start.len);
	uint32_t   *end = (uint32_t *) (text->end.data + text->end.len);

	for (size_t i = 0; i < n; i++)
	{
		start[i] = span.start;
		end[i] = span.end;
	}
	text->start.len += n * sizeof(uint32_t);
	text->end.len += n * sizeof(uint32_t);
}

/* From now on each byte says where it comes from. */
AiCode
text_buf_detach(TextBuf *text, AiError *err)
{
	size_t		n = text->byte.len;

	if (!text->is_direct)
		return AI_OK;
	text->is_direct = false;
	AI_TRY(ai_buf_reserve(&text->start, n * sizeof(uint32_t), err));
	AI_TRY(ai_buf_reserve(&text->end, n * sizeof(uint32_t), err));
	for (size_t at = 0; at < n;)
	{
		uint32_t	code;
		size_t		len = text_buf_char(text, at, &code);
		uint32_t	start = text->origin + (uint32_t) at;

		text_buf_put_span(text, (AiTokenSpan) {start, start + (uint32_t) len}, len);
		at += len;
	}
	return AI_OK;
}

/* One character; the buffer must be detached */
AiCode
text_buf_put(TextBuf *text, uint32_t code, AiTokenSpan span, AiError *err)
{
	size_t		n;

	AI_TRY(text_buf_reserve(text, 4, err));
	n = ai_utf8_encode((char *) text->byte.data + text->byte.len, code);
	text->byte.len += n;
	text_buf_put_span(text, span, n);
	return AI_OK;
}

/* Several that come from the same place; the buffer must be detached */
AiCode
text_buf_put_bytes(TextBuf *text, const char *bytes, size_t len, AiTokenSpan span, AiError *err)
{
	AI_TRY(text_buf_reserve(text, len, err));
	memcpy(text->byte.data + text->byte.len, bytes, len);
	text->byte.len += len;
	text_buf_put_span(text, span, len);
	return AI_OK;
}

/* Bytes [start, end) of another buffer; this one must be detached */
AiCode
text_buf_put_range(TextBuf *text, const TextBuf *from, size_t start, size_t end, AiError *err)
{
	size_t		n = end - start;

	if (from->is_direct)
	{
		while (start < end)
		{
			uint32_t	code;
			size_t		len = text_buf_char(from, start, &code);

			AI_TRY(text_buf_put_bytes(text, (const char *) from->byte.data + start, len,
									  text_buf_span(from, start, start + len), err));
			start += len;
		}
		return AI_OK;
	}
	AI_TRY(text_buf_reserve(text, n, err));
	AI_TRY(ai_buf_append(&text->byte, from->byte.data + start, n, err));
	AI_TRY(ai_buf_append(&text->start, from->start.data + start * sizeof(uint32_t),
						 n * sizeof(uint32_t), err));
	return ai_buf_append(&text->end, from->end.data + start * sizeof(uint32_t),
						 n * sizeof(uint32_t), err);
}

/* The character at a place, and its length; bytes that are none are U+FFFD, one by one */
size_t
text_buf_char(const TextBuf *text, size_t at, uint32_t *code)
{
	size_t		len = ai_utf8_decode(code, (const char *) text->byte.data + at,
									 text->byte.len - at);

	if (len > 0)
		return len;
	*code = AI_REPLACEMENT_CHARACTER;
	return 1;
}

/* Bytes [start, end) of the source, with U+FFFD for what is no character */
AiCode
text_buf_load(TextBuf *text, const char *source, size_t start, size_t end, AiError *err)
{
	size_t		n = end - start;

	text_buf_clear(text, (uint32_t) start);
	AI_TRY(text_buf_reserve(text, n, err));
	for (size_t at = start; at < end;)
	{
		size_t		from = at;
		uint32_t	code;
		size_t		len = 1;

		while (at < end && ((unsigned char) source[at] < 0x80 ||
							(len = ai_utf8_decode(&code, source + at, end - at)) > 0))
			at += (unsigned char) source[at] < 0x80 ? 1 : len;
		if (text->is_direct)
		{
			memcpy(text->byte.data + text->byte.len, source + from, at - from);
			text->byte.len += at - from;
		}
		else
		{
			for (; from < at; from += len)
			{
				len = ai_utf8_decode(&code, source + from, at - from);
				AI_TRY(text_buf_put_bytes(text, source + from, len,
										  (AiTokenSpan) {(uint32_t) from, (uint32_t) (from + len)},
										  err));
			}
		}
		if (at < end)
		{
			AI_TRY(text_buf_detach(text, err));
			AI_TRY(text_buf_put(text, AI_REPLACEMENT_CHARACTER,
								(AiTokenSpan) {(uint32_t) at, (uint32_t) at + 1}, err));
			at++;
		}
	}
	return AI_OK;
}

/* Where bytes [start, end), at least one, come from: whole characters */
AiTokenSpan
text_buf_span(const TextBuf *text, size_t start, size_t end)
{
	const uint8_t *byte = text->byte.data;

	if (!text->is_direct)
		return (AiTokenSpan) {
			((const uint32_t *) text->start.data)[start],
			((const uint32_t *) text->end.data)[end - 1]
		};
	while (start > 0 && ai_utf8_is_tail(byte[start]))
		start--;
	while (end < text->byte.len && ai_utf8_is_tail(byte[end]))
		end++;
	return (AiTokenSpan) {text->origin + (uint32_t) start, text->origin + (uint32_t) end};
}
