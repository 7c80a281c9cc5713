/*-------------------------------------------------------------------------
 * fuzz_export.c
 *		Any bytes at all are refused as an exported model, or read within bounds.
 *
 * The corpus begins with
 *
 *	build/core/test_export --write-corpus test/fuzz/corpus/fuzz_export
 *
 * The block is allocated in its exact size, so that one byte too far is seen.
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "core/format/export.h"
#include "test/unit/aim_walk.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the head says and what the whole is are the same, or one is refused. */
static void
check(const AiExport *opened, const AiExportSizes *sizes, bool has_sizes, size_t size)
{
	volatile uint64_t sum;

	if (!has_sizes || sizes->whole != size || sizes->content != opened->content_size ||
		sizes->manifest != opened->manifest_size ||
		(uintptr_t) opened->content % AI_ALIGNMENT != 0)
		abort();
	sum = aim_sum(opened->content, opened->content_size) +
		aim_sum(opened->manifest, opened->manifest_size);
	(void) sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void	   *block;
	AiExportSizes sizes;
	AiExport	opened;
	AiError		err;
	bool		has_sizes;

	if (posix_memalign(&block, AI_ALIGNMENT, size > 0 ? size : 1) != 0)
		return 0;
	if (size > 0)
		memcpy(block, data, size);
	has_sizes = ai_export_sizes(&sizes, data, size, &err) == AI_OK;
	if (ai_export_open(&opened, block, size, &err) == AI_OK)
		check(&opened, &sizes, has_sizes, size);
	free(block);
	return 0;
}
