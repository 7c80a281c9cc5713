/*-------------------------------------------------------------------------
 * status.c
 *		Filling an AiError.
 *-------------------------------------------------------------------------
 */
#include "core/base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* vsnprintf, but a cut never leaves half a UTF-8 character behind */
static void __attribute__((format(printf, 3, 0)))
format_text(char *out, size_t out_size, const char *fmt, va_list args)
{
	int			len = vsnprintf(out, out_size, fmt, args);

	if (len < 0)
		out[0] = '\0';
	else if ((size_t) len >= out_size)
	{
		size_t		end = out_size - 1;

		while (end > 0 && ((unsigned char) out[end - 1] & 0xC0) == 0x80)
			end--;
		if (end > 0 && (unsigned char) out[end - 1] >= 0xC0)
			end--;
		out[end] = '\0';
	}
}

AiCode
ai_fail(AiError *err, AiCode code, const char *fmt, ...)
{
	if (err != NULL)
	{
		va_list		args;

		err->code = code;
		err->detail[0] = '\0';
		err->hint[0] = '\0';
		va_start(args, fmt);
		format_text(err->message, sizeof(err->message), fmt, args);
		va_end(args);
	}
	return code;
}

void
ai_detail(AiError *err, const char *fmt, ...)
{
	if (err != NULL)
	{
		va_list		args;

		va_start(args, fmt);
		format_text(err->detail, sizeof(err->detail), fmt, args);
		va_end(args);
	}
}

void
ai_hint(AiError *err, const char *fmt, ...)
{
	if (err != NULL)
	{
		va_list		args;

		va_start(args, fmt);
		format_text(err->hint, sizeof(err->hint), fmt, args);
		va_end(args);
	}
}

AiCode
ai_out_of_memory(AiError *err, size_t size, const char *what)
{
	ai_fail(err, AI_ERR_NOMEM, "out of memory");
	ai_detail(err, "Failed while reserving %zu bytes for %s.", size, what);
	return AI_ERR_NOMEM;
}
