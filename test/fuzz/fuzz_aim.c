/*-------------------------------------------------------------------------
 * fuzz_aim.c
 *		Any bytes at all are refused or read within their bounds.
 *
 * The block is allocated in its exact size, so that one byte too far is seen.
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>

#include "test/unit/aim_walk.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void	   *block;
	AiAim		aim;
	AiError		err;
	volatile uint64_t sum;

	if (posix_memalign(&block, AI_ALIGNMENT, size > 0 ? size : 1) != 0)
		return 0;
	if (size > 0)
		memcpy(block, data, size);
	if (ai_aim_open(&aim, block, size, &err) == AI_OK)
		sum = aim_walk(&aim);
	(void) sum;
	free(block);
	return 0;
}
