/*-------------------------------------------------------------------------
 * bert_normalizer.c
 *		BERT's normaliser: cleaning, spaces around ideographs, no accents, lower case.
 *
 * The reference makes one pass over the text for each of these; here a character goes
 * through all of them.  Two of them are more than characters: NFD puts marks in order, so
 * marks wait until the next character that is none; and of marks that changed places, the
 * reference takes the span of what stood at the new place.  That is kept: see put_pending().
 *-------------------------------------------------------------------------
 */
#include "core/text/tokenizer_internal.h"

#include <string.h>

#define SHORT_RUN 16			/* marks, that are sorted in place */

/* A part of a decomposed character that is a mark */
typedef struct PendingMark
{
	uint32_t	code;
	uint8_t		combining;
	bool		is_first;		/* of the parts of its character */
} PendingMark;

typedef struct Normalizing
{
	uint32_t	flags;
	AiTokenizerScratch *scratch;
	TextBuf    *to;
	AiTokenSpan span;			/* of the character whose part was put last */
	AiError    *err;
} Normalizing;

/* What becomes of ASCII, which has no accents and no ideographs */
void
bert_ascii_table(uint8_t ascii[128], uint32_t flags)
{
	for (uint32_t c = 0; c < 128; c++)
	{
		uint32_t	kind = ai_tokenizer_char(c)->flags;

		ascii[c] = (uint8_t) c;
		if ((flags & BERT_CLEANS) && (kind & AI_TCHAR_DROPPED))
			ascii[c] = ASCII_DROPPED;
		else if ((flags & BERT_CLEANS) && (kind & AI_TCHAR_SPACE))
			ascii[c] = ' ';
		else if ((flags & BERT_LOWERS) && c >= 'A' && c <= 'Z')
			ascii[c] = (uint8_t) (c - 'A' + 'a');
	}
}

/* The last two steps, for a part of a character */
static AiCode
put_part(Normalizing *n, uint32_t code)
{
	uint32_t	lower[2] = {code, 0};
	size_t		n_lower = 1;

	if ((n->flags & BERT_STRIPS_ACCENTS) && (ai_tokenizer_char(code)->flags & AI_TCHAR_NONSPACING))
		return AI_OK;
	if (n->flags & BERT_LOWERS)
		n_lower = ai_tokenizer_lower(lower, code);
	for (size_t i = 0; i < n_lower; i++)
		AI_TRY(text_buf_put(n->to, lower[i], n->span, n->err));
	return AI_OK;
}

/* Marks by class, and within one as they stood */
static AiCode
sort_marks(Normalizing *n, PendingMark **sorted, size_t count)
{
	PendingMark *mark = (PendingMark *) n->scratch->pending.data;
	PendingMark *to;
	size_t		place[257] = {0};

	*sorted = mark;
	if (count <= SHORT_RUN)
	{
		for (size_t i = 1; i < count; i++)
		{
			PendingMark moved = mark[i];
			size_t		j = i;

			for (; j > 0 && mark[j - 1].combining > moved.combining; j--)
				mark[j] = mark[j - 1];
			mark[j] = moved;
		}
		return AI_OK;
	}
	AI_TRY(ai_buf_reserve(&n->scratch->sorted, count * sizeof(*mark), n->err));
	to = (PendingMark *) n->scratch->sorted.data;
	for (size_t i = 0; i < count; i++)
		place[mark[i].combining + 1]++;
	for (int c = 0; c < 256; c++)
		place[c + 1] += place[c];
	for (size_t i = 0; i < count; i++)
		to[place[mark[i].combining]++] = mark[i];
	*sorted = to;
	return AI_OK;
}

/*
 * The marks that wait, in order.  Spans are given out in the order in which the characters
 * came: the next one to each first part of a character, the same to its other parts.
 */
static AiCode
put_pending(Normalizing *n)
{
	AiTokenizerScratch *scratch = n->scratch;
	size_t		count = scratch->pending.len / sizeof(PendingMark);
	const AiTokenSpan *span = (const AiTokenSpan *) scratch->pending_spans.data;
	PendingMark *mark;

	if (count == 0)
		return AI_OK;
	AI_TRY(sort_marks(n, &mark, count));
	scratch->pending.len = scratch->pending_spans.len = 0;
	for (size_t i = 0; i < count; i++)
	{
		if (mark[i].is_first)
			n->span = *span++;
		AI_TRY(put_part(n, mark[i].code));
	}
	return AI_OK;
}

static AiCode
put_decomposed(Normalizing *n, uint32_t code, AiTokenSpan span)
{
	AiTokenizerScratch *scratch = n->scratch;
	uint32_t	part[AI_MAX_DECOMPOSITION];
	size_t		n_parts = ai_tokenizer_decompose(part, code);

	for (size_t i = 0; i < n_parts; i++)
	{
		PendingMark mark = {part[i], ai_tokenizer_char(part[i])->combining, i == 0};

		if (mark.combining == 0)
		{
			AI_TRY(put_pending(n));
			n->span = span;
			AI_TRY(put_part(n, part[i]));
			continue;
		}
		AI_TRY(ai_buf_append(&scratch->pending, &mark, sizeof(mark), n->err));
		if (i == 0)
			AI_TRY(ai_buf_append(&scratch->pending_spans, &span, sizeof(span), n->err));
	}
	return AI_OK;
}

static AiCode
put_character(Normalizing *n, uint32_t code, AiTokenSpan span)
{
	if (n->flags & BERT_STRIPS_ACCENTS)
		return put_decomposed(n, code, span);
	n->span = span;
	return put_part(n, code);
}

static AiCode
normalize_character(Normalizing *n, uint32_t code, AiTokenSpan span)
{
	uint32_t	kind = ai_tokenizer_char(code)->flags;
	bool		is_spaced = (n->flags & BERT_SPACES_IDEOGRAPHS) && (kind & AI_TCHAR_IDEOGRAPH);

	if (n->flags & BERT_CLEANS)
	{
		if (kind & AI_TCHAR_DROPPED)
			return AI_OK;
		if (kind & AI_TCHAR_SPACE)
			code = ' ';
	}
	if (is_spaced)
		AI_TRY(put_character(n, ' ', span));
	AI_TRY(put_character(n, code, span));
	if (is_spaced)
		AI_TRY(put_character(n, ' ', span));
	return AI_OK;
}

/* ASCII up to the first character that is none, or that is dropped; its end */
static size_t
copy_ascii(const AiTokenizerHead *head, const TextBuf *from, size_t at, TextBuf *to)
{
	const uint8_t *in = from->byte.data;
	uint8_t    *out = to->byte.data + to->byte.len;
	size_t		first = at;

	for (; at < from->byte.len && in[at] < 0x80 && head->ascii[in[at]] != ASCII_DROPPED; at++)
		*out++ = head->ascii[in[at]];
	to->byte.len += at - first;
	if (!to->is_direct)
	{
		uint32_t   *start = (uint32_t *) (to->start.data + to->start.len);
		uint32_t   *end = (uint32_t *) (to->end.data + to->end.len);

		for (size_t i = first; i < at; i++)
		{
			AiTokenSpan span = text_buf_span(from, i, i + 1);

			*start++ = span.start;
			*end++ = span.end;
		}
		to->start.len += (at - first) * sizeof(uint32_t);
		to->end.len += (at - first) * sizeof(uint32_t);
	}
	return at;
}

AiCode
bert_normalize(const AiTokenizerHead *head, uint32_t flags, AiTokenizerScratch *scratch,
			   const TextBuf *from, TextBuf *to, AiError *err)
{
	Normalizing n = {flags, scratch, to, {0, 0}, err};
	size_t		at = 0;

	text_buf_clear(to, from->origin);
	to->is_direct = from->is_direct;
	scratch->pending.len = scratch->pending_spans.len = 0;
	while (at < from->byte.len)
	{
		uint32_t	code;
		size_t		len;

		if (from->byte.data[at] < 0x80 && head->ascii[from->byte.data[at]] != ASCII_DROPPED)
		{
			AI_TRY(put_pending(&n));
			AI_TRY(text_buf_reserve(to, from->byte.len - at, err));
			at = copy_ascii(head, from, at, to);
			if (at == from->byte.len)
				break;
		}
		AI_TRY(text_buf_detach(to, err));
		len = text_buf_char(from, at, &code);
		AI_TRY(normalize_character(&n, code, text_buf_span(from, at, at + len)));
		at += len;
	}
	return put_pending(&n);
}
