#include "core/text/tokenizer_internal.h"
AiCode
unigram_encode(TokenRun *run, size_t start, size_t end)
{
	(void) start;
	(void) end;
	return ai_fail(run->err, AI_ERR_BUG, "not built");
}
