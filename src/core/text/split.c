/*-------------------------------------------------------------------------
 * split.c
 *		Normalised text into pieces, which become tokens one by one.
 *-------------------------------------------------------------------------
 */
#include "core/text/tokenizer_internal.h"

#include <string.h>

static AiCode
encode_piece(TokenRun *run, size_t start, size_t end)
{
	if (start == end || run->is_full)
		return AI_OK;
	switch ((ModelKind) run->head->model)
	{
		case MODEL_WORDPIECE:
			AI_TRY(wordpiece_encode(run, start, end));
			break;
		case MODEL_BPE:
			AI_TRY(bpe_encode(run, start, end));
			break;
		case MODEL_UNIGRAM:
		case N_MODEL_KINDS:
			AI_TRY(unigram_encode(run, start, end));
			break;
	}
	run->is_full = run->list->n >= run->limit;
	return AI_OK;
}

/*
 * Words between white space, which is left out; a character that is alone stands by itself.
 */
static AiCode
split_bert(TokenRun *run, size_t start, size_t end)
{
	const TextBuf *text = run->text;
	size_t		word = start;

	for (size_t at = start; at < end && !run->is_full;)
	{
		uint32_t	code;
		size_t		len = text_buf_char(text, at, &code);
		uint32_t	flags = ai_tokenizer_char(code)->flags;

		if (flags & (AI_TCHAR_SPACE | AI_TCHAR_PUNCTUATION))
		{
			AI_TRY(encode_piece(run, word, at));
			if (flags & AI_TCHAR_PUNCTUATION)
				AI_TRY(encode_piece(run, at, at + len));
			word = at + len;
		}
		at += len;
	}
	return encode_piece(run, word, end);
}

/* Runs of word characters, and of what is neither they nor white space */
static AiCode
split_words(TokenRun *run, size_t start, size_t end)
{
	size_t		piece = start;
	uint32_t	before = AI_TCHAR_SPACE;

	for (size_t at = start; at < end && !run->is_full;)
	{
		uint32_t	code;
		size_t		len = text_buf_char(run->text, at, &code);
		uint32_t	kind = ai_tokenizer_char(code)->flags & (AI_TCHAR_SPACE | AI_TCHAR_WORD);

		if (kind != before)
		{
			if (before != AI_TCHAR_SPACE)
				AI_TRY(encode_piece(run, piece, at));
			piece = at;
			before = kind;
		}
		at += len;
	}
	return before == AI_TCHAR_SPACE ? AI_OK : encode_piece(run, piece, end);
}

/* Words between white space, each handed on */
static AiCode
split_spaces(TokenRun *run, size_t start, size_t end,
			 AiCode (*hand_on) (TokenRun *run, size_t start, size_t end))
{
	size_t		word = start;

	for (size_t at = start; at < end && !run->is_full;)
	{
		uint32_t	code;
		size_t		len = text_buf_char(run->text, at, &code);

		if (ai_tokenizer_char(code)->flags & AI_TCHAR_SPACE)
		{
			if (word < at)
				AI_TRY(hand_on(run, word, at));
			word = at + len;
		}
		at += len;
	}
	return word == end ? AI_OK : hand_on(run, word, end);
}

/*
 * The text with something before it, which comes from where its first character comes from.
 * run->text is then the text with it.
 */
static AiCode
prepend(TokenRun *run, size_t start, size_t end, const char *prefix, size_t len)
{
	TextBuf    *marked = &run->scratch->marked;
	const TextBuf *text = run->text;
	uint32_t	code;
	size_t		first = text_buf_char(text, start, &code);

	text_buf_clear(marked, 0);
	AI_TRY(text_buf_detach(marked, run->err));
	AI_TRY(text_buf_put_bytes(marked, prefix, len, text_buf_span(text, start, start + first),
							  run->err));
	return text_buf_put_range(marked, text, start, end, run->err);
}

/* The end of 's, 't, 're, 've, 'm, 'll, 'd that begins here; 0: none */
static size_t
contraction_end(const uint8_t *byte, size_t at, size_t end)
{
	if (byte[at] != '\'' || end - at < 2)
		return 0;
	switch (byte[at + 1])
	{
		case 's':
		case 't':
		case 'm':
		case 'd':
			return at + 2;
		case 'r':
		case 'v':
			return end - at > 2 && byte[at + 2] == 'e' ? at + 3 : 0;
		case 'l':
			return end - at > 2 && byte[at + 2] == 'l' ? at + 3 : 0;
		default:
			return 0;
	}
}

#define GPT2_KINDS (AI_TCHAR_SPACE | AI_TCHAR_LETTER | AI_TCHAR_NUMBER)

/* The end of the run of one kind at a place; last is where its last character begins. */
static size_t
run_end(const TextBuf *text, size_t at, size_t end, uint32_t *kind, size_t *last)
{
	bool		is_first = true;

	while (at < end)
	{
		uint32_t	code;
		size_t		len = text_buf_char(text, at, &code);
		uint32_t	flags = ai_tokenizer_char(code)->flags & GPT2_KINDS;

		if (is_first)
			*kind = flags;
		else if (flags != *kind)
			break;
		is_first = false;
		*last = at;
		at += len;
	}
	return at;
}

/*
 * GPT-2's pattern: 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * A run of white space leaves its last character to what follows.
 */
static AiCode
split_gpt2(TokenRun *run, size_t start, size_t end)
{
	const TextBuf *text = run->text;
	const uint8_t *byte = text->byte.data;

	for (size_t at = start; at < end && !run->is_full;)
	{
		size_t		piece_end = contraction_end(byte, at, end);
		size_t		last = at;
		uint32_t	kind = 0;

		if (piece_end == 0)
		{
			piece_end = run_end(text, at, end, &kind, &last);
			if (kind == AI_TCHAR_SPACE && piece_end < end)
			{
				if (last > at)
					piece_end = last;
				else if (byte[at] == ' ')
					piece_end = run_end(text, at + 1, end, &kind, &last);
			}
		}
		AI_TRY(encode_piece(run, at, piece_end));
		at = piece_end;
	}
	return AI_OK;
}

static AiCode
split_bytes(TokenRun *run, size_t start, size_t end)
{
	TextBuf    *text = run->text;
	AiCode		code;

	if (run->head->split_prepends && text->byte.data[start] != ' ')
	{
		AI_TRY(prepend(run, start, end, " ", 1));
		run->text = &run->scratch->marked;
		start = 0;
		end = run->text->byte.len;
	}
	if (run->head->split_cuts)
		code = split_gpt2(run, start, end);
	else
		code = encode_piece(run, start, end);
	run->text = text;
	return code;
}

static bool
starts_with(const TextBuf *text, size_t at, const char *string, size_t len)
{
	return text->byte.len - at >= len && memcmp(text->byte.data + at, string, len) == 0;
}

/*
 * SentencePiece's way: spaces become marks, one more comes before the text, and each mark
 * begins a piece.
 */
static AiCode
split_meta(TokenRun *run, size_t start, size_t end)
{
	const AiTokenizerHead *head = run->head;
	const char *mark = block_string(head, head->mark);
	size_t		mark_len = head->mark.len;
	TextBuf    *text = run->text;
	TextBuf    *marked = &run->scratch->marked;
	bool		prepends = head->split_prepends == PREPEND_ALWAYS;
	size_t		piece = 0;
	AiCode		code = AI_OK;

	text_buf_clear(marked, 0);
	AI_TRY(text_buf_detach(marked, run->err));
	if (head->split_prepends == PREPEND_FIRST)
		prepends = text_buf_span(text, start, start + 1).start == 0;
	if (prepends && text->byte.data[start] != ' ' && !starts_with(text, start, mark, mark_len))
		AI_TRY(prepend(run, start, start, mark, mark_len));
	for (size_t at = start; at < end;)
	{
		uint32_t	c;
		size_t		len = text_buf_char(text, at, &c);

		if (c == ' ')
			AI_TRY(text_buf_put_bytes(marked, mark, mark_len, text_buf_span(text, at, at + 1),
									  run->err));
		else
			AI_TRY(text_buf_put_range(marked, text, at, at + len, run->err));
		at += len;
	}
	run->text = marked;
	for (size_t at = 0; at < marked->byte.len && head->split_cuts && code == AI_OK;)
	{
		bool		is_mark = starts_with(marked, at, mark, mark_len);
		uint32_t	c;

		if (is_mark)
		{
			code = encode_piece(run, piece, at);
			piece = at;
		}
		at += is_mark ? mark_len : text_buf_char(marked, at, &c);
	}
	if (code == AI_OK)
		code = encode_piece(run, piece, marked->byte.len);
	run->text = text;
	return code;
}

AiCode
split_text(TokenRun *run, size_t start, size_t end)
{
	switch ((SplitKind) run->head->split)
	{
		case SPLIT_BERT:
			return split_bert(run, start, end);
		case SPLIT_WORDS:
			return split_words(run, start, end);
		case SPLIT_SPACES:
			return split_spaces(run, start, end, encode_piece);
		case SPLIT_BYTES:
			return split_bytes(run, start, end);
		case SPLIT_META:
			return run->head->split_spaces_first ? split_spaces(run, start, end, split_meta) :
				split_meta(run, start, end);
		case SPLIT_NONE:
		default:
			return encode_piece(run, start, end);
	}
}
