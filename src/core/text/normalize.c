/*-------------------------------------------------------------------------
 * normalize.c
 *		The steps of a normaliser, one after the other.
 *-------------------------------------------------------------------------
 */
#include "core/text/tokenizer_internal.h"

#include <string.h>

AiCode
normalize_text(const AiTokenizerHead *head, AiTokenizerScratch *scratch, TextBuf **text,
			   bool is_begin, bool is_end, AiError *err)
{
	for (uint32_t i = 0; i < head->n_steps; i++)
	{
		const NormalizeStep *step = &head->step[i];
		TextBuf    *to = *text == &scratch->text[0] ? &scratch->text[1] : &scratch->text[0];

		switch ((StepKind) step->kind)
		{
			case STEP_BERT:
				AI_TRY(bert_normalize(head, step->flags, scratch, *text, to, err));
				break;
			default:
				return ai_fail(err, AI_ERR_BUG, "unknown step of a normalizer");
		}
		*text = to;
	}
	(void) is_begin;
	(void) is_end;
	return AI_OK;
}
