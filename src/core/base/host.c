/*-------------------------------------------------------------------------
 * host.c
 *		The host of a program without a server.
 *-------------------------------------------------------------------------
 */
#include "core/base/host.h"

#include <stdlib.h>

static void *
malloc_alloc(void *ud, size_t size)
{
	size_t		padded = ai_align_size(size > 0 ? size : 1);

	(void) ud;
	return padded < size ? NULL : aligned_alloc(AI_ALIGNMENT, padded);
}

static void
malloc_release(void *ud, void *ptr)
{
	(void) ud;
	free(ptr);
}

static bool
never_stop(void *ud)
{
	(void) ud;
	return false;
}

static void
no_log(void *ud, AiLogLevel level, const char *line)
{
	(void) ud;
	(void) level;
	(void) line;
}

const AiHost *
ai_malloc_host(void)
{
	static const AiHost host = {
		.alloc = malloc_alloc, .release = malloc_release, .should_stop = never_stop,
		.log = no_log
	};

	return &host;
}
