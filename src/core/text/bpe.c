/*-------------------------------------------------------------------------
 * bpe.c
 *		Byte pair encoding over bytes, as of GPT-2 and RoBERTa.
 *
 * A piece begins as one symbol for each byte; of all neighbours that may merge, those with
 * the lowest rank do, the leftmost first, until none may.  What may merge waits in a heap.
 * An entry whose symbols have changed since is passed over, but like the reference only if
 * they would not make the same token: where two merges make the same one, the rank of the
 * older entry can count.
 *
 * Most pieces are a token, and merging would find that: for which pieces it does was found
 * out when the tokenizer was built, so they are looked up.
 */
#include "core/text/tokenizer_internal.h"

#include <string.h>

#define NO_SYMBOL UINT32_MAX

typedef struct Symbol
{
	uint32_t	id;
	uint32_t	prev;			/* symbols left and right of it; NO_SYMBOL */
	uint32_t	next;
	uint32_t	len;			/* bytes; 0: it has been merged into another one */
} Symbol;

typedef struct Merging
{
	const MergeRule *rule;
	size_t		mask;			/* places - 1 */
	const uint32_t *merged;
	Symbol	   *symbol;
	uint32_t	n;
	uint64_t   *heap;			/* rank, then symbol: the least first */
	size_t		n_heap;
} Merging;

/* The rank of a merge; false: these do not merge */
static bool
find_rule(const Merging *m, uint32_t left, uint32_t right, uint32_t *rank)
{
	for (size_t place = merge_hash(left, right) & m->mask; m->rule[place].left != EMPTY_MERGE;
		 place = (place + 1) & m->mask)
	{
		if (m->rule[place].left == left && m->rule[place].right == right)
		{
			*rank = m->rule[place].rank;
			return true;
		}
	}
	return false;
}

static void
push(Merging *m, uint32_t left)
{
	size_t		at = m->n_heap;
	uint64_t	entry;
	uint32_t	rank;

	if (left == NO_SYMBOL || m->symbol[left].next == NO_SYMBOL ||
		!find_rule(m, m->symbol[left].id, m->symbol[m->symbol[left].next].id, &rank))
		return;
	entry = (uint64_t) rank << 32 | left;
	for (m->n_heap++; at > 0 && m->heap[(at - 1) / 2] > entry; at = (at - 1) / 2)
		m->heap[at] = m->heap[(at - 1) / 2];
	m->heap[at] = entry;
}

static uint64_t
pop(Merging *m)
{
	uint64_t	least = m->heap[0];
	uint64_t	moved = m->heap[--m->n_heap];
	size_t		at = 0;

	for (;;)
	{
		size_t		child = 2 * at + 1;

		if (child >= m->n_heap)
			break;
		if (child + 1 < m->n_heap && m->heap[child + 1] < m->heap[child])
			child++;
		if (m->heap[child] >= moved)
			break;
		m->heap[at] = m->heap[child];
		at = child;
	}
	m->heap[at] = moved;
	return least;
}

static AiCode
merge_all(Merging *m, const TokenRun *run)
{
	for (uint32_t i = 0; i + 1 < m->n; i++)
	{
		AI_TRY(token_check_stop(run, i));
		push(m, i);
	}
	for (size_t n_steps = 0; m->n_heap > 0; n_steps++)
	{
		uint64_t	top = pop(m);
		Symbol	   *left = &m->symbol[(uint32_t) top];
		uint32_t	made = m->merged[top >> 32];
		Symbol	   *right;
		uint32_t	rank;

		AI_TRY(token_check_stop(run, n_steps));
		if (left->len == 0 || left->next == NO_SYMBOL)
			continue;
		right = &m->symbol[left->next];
		if (!find_rule(m, left->id, right->id, &rank) || m->merged[rank] != made)
			continue;
		left->id = made;
		left->len += right->len;
		left->next = right->next;
		right->len = 0;
		if (left->next != NO_SYMBOL)
			m->symbol[left->next].prev = (uint32_t) top;
		push(m, left->prev);
		push(m, (uint32_t) top);
	}
	return AI_OK;
}

/* One symbol for each byte; those that have none are unknown, or nothing */
static AiCode
put_symbols(Merging *m, const TokenRun *run, const uint8_t *bytes, size_t len)
{
	const AiTokenizerHead *head = run->head;
	bool		is_unknown = false;

	m->n = 0;
	for (size_t i = 0; i < len; i++)
	{
		bool		was_unknown = is_unknown;
		int32_t		id = head->byte_id[bytes[i]];

		AI_TRY(token_check_stop(run, i));
		is_unknown = id < 0;
		if (is_unknown && !head->has_unk)
			continue;
		if (is_unknown && was_unknown && head->bpe_fuses_unk)
		{
			m->symbol[m->n - 1].len++;
			continue;
		}
		m->symbol[m->n] = (Symbol) {
			is_unknown ? head->unk_id : (uint32_t) id, m->n - 1, m->n + 1, 1
		};
		m->n++;
	}
	if (m->n > 0)
	{
		m->symbol[0].prev = NO_SYMBOL;
		m->symbol[m->n - 1].next = NO_SYMBOL;
	}
	return AI_OK;
}

static AiCode
merge_piece(TokenRun *run, size_t start, size_t end)
{
	const AiTokenizerHead *head = run->head;
	AiTokenizerScratch *scratch = run->scratch;
	size_t		len = end - start;
	Merging		m = {
		.rule = block_section(head, SECTION_MERGES),
		.mask = block_count(head, SECTION_MERGES, sizeof(MergeRule)) - 1,
		.merged = block_section(head, SECTION_MERGED)
	};

	AI_TRY(ai_buf_reserve(&scratch->symbols, len * sizeof(Symbol), run->err));
	/* each merge takes one away, and adds two at most */
	AI_TRY(ai_buf_reserve(&scratch->heap, 3 * len * sizeof(uint64_t), run->err));
	m.symbol = (Symbol *) scratch->symbols.data;
	m.heap = (uint64_t *) scratch->heap.data;
	AI_TRY(put_symbols(&m, run, run->text->byte.data + start, len));
	AI_TRY(merge_all(&m, run));
	for (uint32_t i = 0; i < m.n; i++)
	{
		AI_TRY(token_check_stop(run, i));
		if (m.symbol[i].len == 0)
			continue;
		token_put(run, m.symbol[i].id, start, start + m.symbol[i].len);
		start += m.symbol[i].len;
	}
	return AI_OK;
}

AiCode
bpe_encode(TokenRun *run, size_t start, size_t end)
{
	const AiTokenizerHead *head = run->head;
	const uint8_t *whole = block_section(head, SECTION_WHOLE);
	uint32_t	value = ai_trie_find(block_section(head, SECTION_MODEL),
									 (const char *) run->text->byte.data + start, end - start);

	AI_TRY(token_reserve(run, end - start));
	if (value > 0 && (head->bpe_ignores_merges || (whole[(value - 1) / 8] >> (value - 1) % 8 & 1)))
	{
		token_put(run, value - 1, start, end);
		return AI_OK;
	}
	return merge_piece(run, start, end);
}
