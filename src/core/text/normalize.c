/*-------------------------------------------------------------------------
 * normalize.c
 *		The steps of a normaliser, one after the other.
 *-------------------------------------------------------------------------
 */
#include "core/text/tokenizer_internal.h"

#include <string.h>

/* One character for another, or for nothing or two */
typedef size_t (*ChangeChar) (uint32_t out[2], uint32_t code);

static size_t
strip_accent(uint32_t out[2], uint32_t code)
{
	out[0] = code;
	return ai_tokenizer_char(code)->flags & AI_TCHAR_MARK ? 0 : 1;
}

/* SentencePiece's rules for machine translation: controls go, separators are spaces. */
static size_t
change_for_nmt(uint32_t out[2], uint32_t code)
{
	out[0] = code;
	if ((code >= 0x01 && code <= 0x08) || code == 0x0B || (code >= 0x0E && code <= 0x1F) ||
		code == 0x7F || code == 0x8F || code == 0x9F)
		return 0;
	if (code == 0x09 || code == 0x0A || code == 0x0C || code == 0x0D || code == 0x1680 ||
		(code >= 0x200B && code <= 0x200F) || code == 0x2028 || code == 0x2029 ||
		code == 0x2581 || code == 0xFEFF || code == 0xFFFD)
		out[0] = ' ';
	return 1;
}

static AiCode
change_chars(const TextBuf *from, TextBuf *to, ChangeChar change, AiError *err)
{
	AI_TRY(text_buf_detach(to, err));
	for (size_t at = 0; at < from->byte.len;)
	{
		uint32_t	code;
		size_t		len = text_buf_char(from, at, &code);
		uint32_t	changed[2];
		size_t		n = change(changed, code);

		for (size_t i = 0; i < n; i++)
			AI_TRY(text_buf_put(to, changed[i], text_buf_span(from, at, at + len), err));
		at += len;
	}
	return AI_OK;
}

static bool
is_space(const TextBuf *text, size_t at, size_t *len)
{
	uint32_t	code;

	*len = text_buf_char(text, at, &code);
	return (ai_tokenizer_char(code)->flags & AI_TCHAR_SPACE) != 0;
}

static AiCode
strip(const TextBuf *from, TextBuf *to, bool left, bool right, AiError *err)
{
	size_t		start = 0;
	size_t		end = 0;
	size_t		len;

	while (left && start < from->byte.len && is_space(from, start, &len))
		start += len;
	for (size_t at = start; at < from->byte.len; at += len)
	{
		if (!is_space(from, at, &len) || !right)
			end = at + len;
	}
	AI_TRY(text_buf_detach(to, err));
	return start < end ? text_buf_put_range(to, from, start, end, err) : AI_OK;
}

/* The end of the match of the pattern at a place; 0: there is none */
static size_t
match_end(const TextBuf *text, size_t at, const char *pattern, size_t len, bool is_run)
{
	size_t		n = 0;

	for (; text->byte.len - at >= len && memcmp(text->byte.data + at, pattern, len) == 0; n++)
	{
		at += len;
		if (!is_run)
			return at;
	}
	return n >= 2 ? at : 0;
}

/* What replaces a match comes from where its last character comes from. */
static AiCode
replace(const AiTokenizerHead *head, const NormalizeStep *step, const TextBuf *from, TextBuf *to,
		AiError *err)
{
	const char *pattern = block_string(head, step->pattern);
	const char *content = block_string(head, step->content);

	AI_TRY(text_buf_detach(to, err));
	for (size_t at = 0; at < from->byte.len;)
	{
		uint32_t	code;
		size_t		end = step->pattern.len == 0 ? 0 :
			match_end(from, at, pattern, step->pattern.len, step->flags & REPLACE_RUNS);

		if (end > 0)
			AI_TRY(text_buf_put_bytes(to, content, step->content.len,
									  text_buf_span(from, end - 1, end), err));
		else
		{
			end = at + text_buf_char(from, at, &code);
			AI_TRY(text_buf_put_range(to, from, at, end, err));
		}
		at = end;
	}
	return AI_OK;
}

static AiCode
prepend(const AiTokenizerHead *head, const NormalizeStep *step, const TextBuf *from, TextBuf *to,
		bool is_begin, AiError *err)
{
	uint32_t	code;

	AI_TRY(text_buf_detach(to, err));
	if (is_begin && from->byte.len > 0)
		AI_TRY(text_buf_put_bytes(to, block_string(head, step->content), step->content.len,
								  text_buf_span(from, 0, text_buf_char(from, 0, &code)), err));
	return text_buf_put_range(to, from, 0, from->byte.len, err);
}

static AiCode
run_step(const AiTokenizerHead *head, const NormalizeStep *step, AiTokenizerScratch *scratch,
		 const TextBuf *from, TextBuf *to, bool is_begin, bool is_end, AiError *err)
{
	text_buf_clear(to, from->origin);
	switch ((StepKind) step->kind)
	{
		case STEP_BERT:
			return bert_normalize(head, step->flags, scratch, from, to, err);
		case STEP_CHARSMAP:
			return charsmap_normalize(head, from, to, err);
		case STEP_LOWER:
			return change_chars(from, to, ai_tokenizer_lower, err);
		case STEP_STRIP_ACCENTS:
			return change_chars(from, to, strip_accent, err);
		case STEP_NMT:
			return change_chars(from, to, change_for_nmt, err);
		case STEP_STRIP:
			return strip(from, to, is_begin && (step->flags & STRIP_LEFT),
						 is_end && (step->flags & STRIP_RIGHT), err);
		case STEP_REPLACE:
			return replace(head, step, from, to, err);
		case STEP_PREPEND:
		case N_STEP_KINDS:
			break;
	}
	return prepend(head, step, from, to, is_begin, err);
}

AiCode
normalize_text(const AiTokenizerHead *head, AiTokenizerScratch *scratch, TextBuf **text,
			   bool is_begin, bool is_end, AiError *err)
{
	for (uint32_t i = 0; i < head->n_steps; i++)
	{
		TextBuf    *to = *text == &scratch->text[0] ? &scratch->text[1] : &scratch->text[0];

		AI_TRY(run_step(head, &head->step[i], scratch, *text, to, is_begin, is_end, err));
		*text = to;
	}
	return AI_OK;
}
