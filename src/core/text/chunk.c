/*-------------------------------------------------------------------------
 * chunk.c
 *		A text in chunks, and the added tokens in them.
 *
 * Normalising and cutting a text chunk by chunk gives what the whole text gives if chunks
 * end where nothing reaches across: before a single space between letters or numbers which
 * remain such when they are normalised.  No mark of the left one's is behind it, no rule
 * for runs of spaces applies, patterns that split at spaces split there.  BERT's tokenizer
 * also stops before each ideograph, as it puts spaces there.  Added tokens that hold spaces
 * or take those behind them forbid chunks: see can_cut in tokenizer_build.c.
 *-------------------------------------------------------------------------
 */
#include "core/text/tokenizer_internal.h"

#define CHUNK_SIZE 1024			/* bytes, and as many more as it takes */
#define MAX_CHUNK_SIZE ((size_t) 16 << 20)

typedef struct Match
{
	const AddedToken *token;
	size_t		start;			/* with the white space that it takes */
	size_t		end;
} Match;

/* Where added tokens are searched */
typedef struct Search
{
	const char *bytes;
	size_t		len;
	size_t		begin;			/* what is before belongs to another token */
	size_t		at;				/* searched up to here */
} Search;

static bool
has_flag(uint32_t code, uint32_t flag)
{
	return (ai_tokenizer_char(code)->flags & flag) != 0;
}

static bool
is_whole_word(const Search *search, size_t start, size_t end)
{
	uint32_t	code;

	if (ai_utf8_before(&code, search->bytes, start) > 0 && has_flag(code, AI_TCHAR_WORD))
		return false;
	return ai_utf8_at(&code, search->bytes, search->len, end) == 0 ||
		!has_flag(code, AI_TCHAR_WORD);
}

/* The match with the white space that its token takes */
static void
take_spaces(Match *match, const Search *search)
{
	uint32_t	code;
	size_t		len;

	if (match->token->flags & ADDED_LSTRIP)
	{
		while (match->start > search->begin &&
			   (len = ai_utf8_before(&code, search->bytes, match->start)) > 0 &&
			   has_flag(code, AI_TCHAR_SPACE))
			match->start -= len;
		if (match->start < search->begin)
			match->start = search->begin;
	}
	if (match->token->flags & ADDED_RSTRIP)
	{
		while ((len = ai_utf8_at(&code, search->bytes, search->len, match->end)) > 0 &&
			   has_flag(code, AI_TCHAR_SPACE))
			match->end += len;
	}
}

/* The longest pattern that begins at a place; its length, 0: none */
static size_t
longest_pattern(const AiTrieNode *trie, const Search *search, size_t start, uint32_t *value)
{
	uint32_t	node = 0;
	size_t		longest = 0;

	for (size_t at = start; at < search->len; at++)
	{
		if (!ai_trie_step(trie, &node, (uint8_t) search->bytes[at]))
			break;
		if (ai_trie_value(trie, node) != 0)
		{
			*value = ai_trie_value(trie, node);
			longest = at + 1 - start;
		}
	}
	return longest;
}

/* The next added token that begins before a place */
static bool
find_added(const AiTokenizerHead *head, bool is_normalized, Search *search, size_t until,
		   Match *match)
{
	const AiTrieNode *trie =
		block_section(head, is_normalized ? SECTION_ADDED_NORMALIZED : SECTION_ADDED_RAW);
	const uint8_t *first = is_normalized ? head->first_normalized : head->first_raw;
	const AddedToken *added = block_section(head, SECTION_ADDED);

	while (search->at < until)
	{
		size_t		start = search->at;
		uint32_t	value = 0;
		size_t		len;

		if (!first[(uint8_t) search->bytes[start]] ||
			(len = longest_pattern(trie, search, start, &value)) == 0)
		{
			search->at++;
			continue;
		}
		search->at += len;
		*match = (Match) {&added[value - 1], start, start + len};
		if ((match->token->flags & ADDED_SINGLE_WORD) &&
			!is_whole_word(search, match->start, match->end))
			continue;
		take_spaces(match, search);
		return true;
	}
	return false;
}

static bool
is_cut(const TokenRun *run, size_t at)
{
	uint32_t	code;

	if (run->source[at] == ' ')
		return ai_utf8_before(&code, run->source, at) > 0 && has_flag(code, AI_TCHAR_CUT) &&
			ai_utf8_at(&code, run->source, run->len, at + 1) > 0 && has_flag(code, AI_TCHAR_CUT);
	return run->head->can_cut_ideographs && (uint8_t) run->source[at] >= 0xE3 &&
		ai_utf8_at(&code, run->source, run->len, at) > 0 && has_flag(code, AI_TCHAR_IDEOGRAPH);
}

/* The end of the chunk that begins at a place */
static size_t
chunk_end(const TokenRun *run, size_t at)
{
	if (!run->head->can_cut || run->len - at <= CHUNK_SIZE)
		return run->len;
	for (at += CHUNK_SIZE; at < run->len; at++)
	{
		if (is_cut(run, at))
			break;
	}
	return at;
}

static AiCode
tokenize_chunk(TokenRun *run, size_t start, size_t end, bool is_begin, bool is_end)
{
	TextBuf    *text = &run->scratch->text[0];
	Search		search;
	Match		match;
	bool		is_found;

	if (end - start > MAX_CHUNK_SIZE)
	{
		ai_fail(run->err, AI_ERR_LIMIT, "text is too long for the tokenizer");
		ai_detail(run->err, "It has %zu bytes without a space between two words.", end - start);
		return AI_ERR_LIMIT;
	}
	AI_TRY(text_buf_load(text, run->source, start, end, run->err));
	AI_TRY(normalize_text(run->head, run->scratch, &text, is_begin, is_end, run->err));
	run->text = text;
	search = (Search) {(const char *) text->byte.data, text->byte.len, 0, 0};
	do
	{
		size_t		rest_end = search.len;

		is_found = find_added(run->head, true, &search, search.len, &match);
		if (is_found)
			rest_end = match.start;
		if (search.begin < rest_end)
			AI_TRY(split_text(run, search.begin, rest_end));
		if (is_found && !run->is_full)
		{
			AI_TRY(token_reserve(run, 1));
			token_put_span(run, match.token->id, text_buf_span(text, match.start, match.end),
						   search.bytes + match.start, match.end - match.start);
			search.begin = match.end;
		}
	} while (is_found && !run->is_full);
	return AI_OK;
}

/* Whether the text from here on has to stay in one chunk, as all its spans are shifted */
static AiCode
is_shifted(TokenRun *run, size_t at, size_t end, bool *is_it)
{
	const AiTokenizerHead *head = run->head;
	TextBuf    *text = &run->scratch->text[0];
	uint32_t	i = head->n_steps > 0 && head->step[0].kind == STEP_LOWER;

	*is_it = false;
	if (head->n_steps <= i || head->step[i].kind != STEP_CHARSMAP || end == run->len)
		return AI_OK;
	AI_TRY(text_buf_load(text, run->source, at, end, run->err));
	*is_it = charsmap_removes_first(head, text);
	return AI_OK;
}

AiCode
tokenize_text(TokenRun *run)
{
	Search		search = {run->source, run->len, 0, 0};
	size_t		at = 0;
	size_t		cut = 0;
	size_t		asked = 0;

	while ((at < run->len || search.at < run->len) && !run->is_full)
	{
		Match		match;
		bool		is_found;
		bool		is_shifted_text;
		size_t		end;

		if (at - asked >= STEPS_PER_QUESTION)
		{
			AI_TRY(text_check_stop(run->scratch->host, run->err));
			asked = at;
		}
		if (cut <= at)
			cut = chunk_end(run, at);
		if (at == search.begin)
		{
			AI_TRY(is_shifted(run, at, cut, &is_shifted_text));
			if (is_shifted_text)
				cut = run->len;
		}
		is_found = find_added(run->head, false, &search, cut, &match);
		end = is_found ? match.start : cut;
		if (at < end)
			AI_TRY(tokenize_chunk(run, at, end, at == search.begin, is_found || end == run->len));
		at = end;
		if (is_found && !run->is_full)
		{
			AI_TRY(token_reserve(run, 1));
			token_put_span(run, match.token->id,
						   (AiTokenSpan) {(uint32_t) match.start, (uint32_t) match.end},
						   run->source + match.start, match.end - match.start);
			at = search.begin = match.end;
		}
	}
	return AI_OK;
}
