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
		case SPLIT_NONE:
		default:
			return encode_piece(run, start, end);
	}
}
