/*-------------------------------------------------------------------------
 * unigram.c
 *		SentencePiece's Unigram: the pieces whose scores have the largest sum.
 *
 * The best way to each place of the piece of text is found from left to right.  A character
 * that is no piece by itself may also be unknown, at a score below all others.  As in the
 * reference, an equal score does not displace an earlier one, sums are of doubles from the
 * left, and neighbours that are the unknown token become one token.
 *-------------------------------------------------------------------------
 */
#include "core/text/tokenizer_internal.h"

#include <string.h>

#define NOWHERE UINT32_MAX

/* The best way to a place */
typedef struct Place
{
	double		score;
	uint32_t	id;				/* of the last piece on it */
	uint32_t	start;			/* of it, later the end of the next one; NOWHERE: no way */
} Place;

static size_t
char_length(const uint8_t *bytes, size_t len)
{
	uint32_t	code;
	size_t		n = ai_utf8_decode(&code, (const char *) bytes, len);

	return n > 0 ? n : 1;
}

static void
offer(Place *place, double score, uint32_t id, size_t start)
{
	if (place->start == NOWHERE || score > place->score)
		*place = (Place) {score, id, (uint32_t) start};
}

/* All pieces that begin at a place; whether one is just the character there */
static bool
offer_pieces(const AiTokenizerHead *head, Place *place, const uint8_t *bytes, size_t start,
			 size_t len, size_t char_len)
{
	const AiTrieNode *trie = block_section(head, SECTION_MODEL);
	const double *score = block_section(head, SECTION_SCORES);
	double		before = place[start].score;
	bool		has_char = false;
	uint32_t	node = 0;

	for (size_t at = start; at < len && ai_trie_step(trie, &node, bytes[at]); at++)
	{
		uint32_t	value = ai_trie_value(trie, node);

		if (value == 0)
			continue;
		offer(&place[at + 1], score[value - 1] + before, value - 1, start);
		has_char |= at + 1 - start == char_len;
	}
	return has_char;
}

static AiCode
find_path(TokenRun *run, Place *place, const uint8_t *bytes, size_t len)
{
	const AiTokenizerHead *head = run->head;
	size_t		char_len;
	size_t		n_chars = 0;

	for (size_t i = 1; i <= len; i++)
	{
		AI_TRY(token_check_stop(run, i));
		place[i].start = NOWHERE;
	}
	place[0] = (Place) {0, 0, 0};
	for (size_t start = 0; start < len; start += char_len)
	{
		char_len = char_length(bytes + start, len - start);
		AI_TRY(token_check_stop(run, n_chars++));
		if (offer_pieces(head, place, bytes, start, len, char_len))
			continue;
		if (!head->has_unk)
			return ai_fail(run->err, AI_ERR_UNSUPPORTED,
						   "text has a character that the tokenizer does not know");
		offer(&place[start + char_len], head->unk_score + place[start].score, head->unk_id, start);
	}
	return AI_OK;
}

/* A string that is unknown, unless it is a piece by chance; or its bytes */
static void
put_unknown(TokenRun *run, size_t start, size_t end)
{
	const AiTokenizerHead *head = run->head;
	const uint8_t *byte = run->text->byte.data;
	uint32_t	value = ai_trie_find(block_section(head, SECTION_MODEL),
									 (const char *) byte + start, end - start);
	bool		has_bytes = head->unigram_falls_back;

	for (size_t i = start; i < end && has_bytes; i++)
		has_bytes = head->byte_id[byte[i]] >= 0;
	if (value > 0)
		token_put(run, value - 1, start, end);
	else if (!has_bytes)
		token_put(run, head->unk_id, start, end);
	else
	{
		for (size_t i = start; i < end; i++)
			token_put(run, (uint32_t) head->byte_id[byte[i]], start, end);
	}
}

/* Turn the links around, so that place i says where the piece from it ends. */
static void
reverse_path(Place *place, size_t len)
{
	uint32_t	end = (uint32_t) len;
	uint32_t	next = NOWHERE;
	uint32_t	next_id = 0;

	while (end > 0)
	{
		uint32_t	start = place[end].start;
		uint32_t	id = place[end].id;

		place[end].start = next;
		place[end].id = next_id;
		next = end;
		next_id = id;
		end = start;
	}
	place[0].start = next;
	place[0].id = next_id;
}

AiCode
unigram_encode(TokenRun *run, size_t start, size_t end)
{
	const AiTokenizerHead *head = run->head;
	size_t		len = end - start;
	Place	   *place;

	AI_TRY(token_reserve(run, len));
	AI_TRY(ai_buf_reserve(&run->scratch->path, (len + 1) * sizeof(Place), run->err));
	place = (Place *) run->scratch->path.data;
	AI_TRY(find_path(run, place, run->text->byte.data + start, len));
	if (place[len].start == NOWHERE)
		return AI_OK;			/* only bytes that are no UTF-8 can do this */
	reverse_path(place, len);
	for (size_t at = 0, n = 0; at < len; n++)
	{
		size_t		next = place[at].start;

		AI_TRY(token_check_stop(run, n));
		if (head->has_unk && place[at].id == head->unk_id)
		{
			while (next < len && place[next].id == head->unk_id)
				next = place[next].start;
			put_unknown(run, start + at, start + next);
		}
		else
			token_put(run, place[at].id, start + at, start + next);
		at = next;
	}
	return AI_OK;
}
