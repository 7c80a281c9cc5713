/*-------------------------------------------------------------------------
 * wordpiece.c
 *		BERT's WordPiece: always the longest piece that matches.
 *
 * Pieces within a word carry a prefix, "##"; their search begins at the trie's node behind
 * it.  A word with a part that no piece matches becomes one unknown token.
 *-------------------------------------------------------------------------
 */
#include "core/text/tokenizer_internal.h"

static size_t
count_chars(const uint8_t *bytes, size_t len)
{
	size_t		n = 0;

	for (size_t i = 0; i < len; i++)
		n += !ai_utf8_is_tail(bytes[i]);
	return n;
}

/* The longest piece at the begin of bytes, from a node; its length, 0: none */
static size_t
longest_piece(const AiTrieNode *trie, uint32_t node, const uint8_t *bytes, size_t len,
			  uint32_t *value)
{
	size_t		longest = 0;

	for (size_t i = 0; i < len && ai_trie_step(trie, &node, bytes[i]); i++)
	{
		if (ai_trie_value(trie, node) != 0)
		{
			*value = ai_trie_value(trie, node);
			longest = i + 1;
		}
	}
	return longest;
}

AiCode
wordpiece_encode(TokenRun *run, size_t start, size_t end)
{
	const AiTokenizerHead *head = run->head;
	const AiTrieNode *trie = block_section(head, SECTION_MODEL);
	const uint8_t *bytes = run->text->byte.data;
	size_t		n_before = run->list->n;
	uint32_t	inner = 0;
	bool		is_bad;

	AI_TRY(token_reserve(run, end - start));
	is_bad = end - start > head->max_chars &&
		count_chars(bytes + start, end - start) > head->max_chars;
	for (size_t at = start; at < end && !is_bad;)
	{
		uint32_t	value = 0;
		size_t		len = longest_piece(trie, at == start ? 0 : inner, bytes + at, end - at,
										&value);

		is_bad = len == 0;
		if (!is_bad)
			token_put(run, value - 1, at, at + len);
		at += len;
		if (inner == 0 && at < end &&
			!ai_trie_walk(trie, &inner, block_string(head, head->prefix), head->prefix.len))
			is_bad = true;
	}
	if (is_bad)
	{
		run->list->n = n_before;
		token_put(run, head->unk_id, start, end);
	}
	return AI_OK;
}
