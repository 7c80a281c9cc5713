/*-------------------------------------------------------------------------
 * trie.c
 *		Making and checking double arrays.
 *
 * A range of sorted keys that begin with the same bytes is a node; its children get a base
 * that no other node has, or they would be the other's children, too, and where all their
 * places are free.  Free places are searched in the youngest blocks only
 * (as darts-clone does), so the time is linear in the number of nodes; a few places stay
 * empty for it.
 *-------------------------------------------------------------------------
 */
#include "core/text/trie.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/sort.h"

#define OPEN_BLOCKS 16			/* in which places are searched */
#define MAX_NODES (UINT32_C(1) << 28)
#define STEPS_PER_ASK 16384		/* whether to stop */

/* Keys [first, end) share their bytes before depth, which led to the node */
typedef struct Range
{
	uint32_t	first;
	uint32_t	end;
	uint32_t	depth;
	uint32_t	node;
} Range;

typedef struct Build
{
	AiBuf	   *nodes;
	size_t		offset;			/* of the array in the buffer, bytes */
	AiBuf		ranges;			/* a stack of Range */
	AiBuf		has_base;		/* uint8_t for each node: it is somebody's base */
	const AiTrieKey *keys;
	uint32_t	first_open;		/* no place before it is searched */
	AiError    *err;
} Build;

static AiTrieNode *
build_nodes(const Build *build)
{
	return (AiTrieNode *) (build->nodes->data + build->offset);
}

static uint32_t
n_nodes(const Build *build)
{
	return (uint32_t) ((build->nodes->len - build->offset) / sizeof(AiTrieNode));
}

static AiCode
add_block(Build *build)
{
	size_t		size = AI_TRIE_BLOCK * sizeof(AiTrieNode);

	if (n_nodes(build) >= MAX_NODES)
		return ai_fail(build->err, AI_ERR_LIMIT, "vocabulary is too large");
	AI_TRY(ai_buf_reserve(build->nodes, size, build->err));
	memset(build->nodes->data + build->nodes->len, 0, size);
	build->nodes->len += size;
	AI_TRY(ai_buf_reserve(&build->has_base, AI_TRIE_BLOCK, build->err));
	memset(build->has_base.data + build->has_base.len, 0, AI_TRIE_BLOCK);
	build->has_base.len += AI_TRIE_BLOCK;
	if (n_nodes(build) > OPEN_BLOCKS * AI_TRIE_BLOCK)
		build->first_open = n_nodes(build) - OPEN_BLOCKS * AI_TRIE_BLOCK;
	return AI_OK;
}

static bool
is_free(const AiTrieNode *nodes, uint32_t base, const uint8_t *byte, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (nodes[base ^ byte[i]].tag & AI_TRIE_IN_USE)
			return false;
	}
	return true;
}

/* A base at which these children have room.  Block 0 is the root's alone. */
static AiCode
find_base(Build *build, uint32_t *base, const uint8_t *byte, int n)
{
	const AiTrieNode *nodes = build_nodes(build);
	uint32_t	from = build->first_open > AI_TRIE_BLOCK ? build->first_open : AI_TRIE_BLOCK;
	uint32_t	n_in_use = 0;

	for (uint32_t place = from; place < n_nodes(build); place++)
	{
		*base = place ^ byte[0];
		if (nodes[place].tag & AI_TRIE_IN_USE)
			n_in_use++;
		else if (!build->has_base.data[*base] && is_free(nodes, *base, byte, n))
		{
			/* what is nearly full is not searched again */
			if (n_in_use > (place - from) / 20 * 19)
				build->first_open = place;
			return AI_OK;
		}
	}
	*base = n_nodes(build) ^ byte[0];
	return add_block(build);
}

static AiCode
push_range(Build *build, Range range)
{
	return ai_buf_append(&build->ranges, &range, sizeof(range), build->err);
}

/* The children of a node, which become ranges */
static AiCode
add_children(Build *build, Range range)
{
	const AiTrieKey *keys = build->keys;
	uint8_t		byte[256];
	uint32_t	first[257];
	uint32_t	base;
	int			n = 0;

	/* keys that end here come first */
	for (; range.first < range.end && keys[range.first].len == range.depth; range.first++)
		build_nodes(build)[range.node].tag =
			(build_nodes(build)[range.node].tag & (AI_TRIE_IN_USE | 0xFF)) |
			keys[range.first].value << AI_TRIE_TAG_BITS;
	for (uint32_t i = range.first; i < range.end; i++)
	{
		uint8_t		c = (uint8_t) keys[i].bytes[range.depth];

		if (n == 0 || byte[n - 1] != c)
		{
			byte[n] = c;
			first[n++] = i;
		}
	}
	if (n == 0)
		return AI_OK;
	first[n] = range.end;
	AI_TRY(find_base(build, &base, byte, n));
	build_nodes(build)[range.node].base = base;
	build->has_base.data[base] = 1;
	for (int i = 0; i < n; i++)
	{
		build_nodes(build)[base ^ byte[i]].tag = AI_TRIE_IN_USE | byte[i];
		AI_TRY(push_range(build, (Range) {
			first[i], first[i + 1], range.depth + 1, base ^ byte[i]
		}));
	}
	return AI_OK;
}

/* By their bytes, and equal ones as they were given */
static int
compare_keys(const void *left, const void *right)
{
	const AiTrieKey *a = left;
	const AiTrieKey *b = right;
	int			order = memcmp(a->bytes, b->bytes, a->len < b->len ? a->len : b->len);

	if (order != 0)
		return order;
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return a->bytes < b->bytes ? -1 : a->bytes > b->bytes;
}

/* The first bytes of a key as a number that rises with them */
static uint64_t
prefix_of(const AiTrieKey *key)
{
	uint64_t	prefix = 0;

	for (uint32_t i = 0; i < sizeof(prefix); i++)
		prefix = prefix << 8 | (i < key->len ? (uint8_t) key->bytes[i] : 0);
	return prefix;
}

static AiCode
should_go_on(const Build *build, size_t step)
{
	if (step % STEPS_PER_ASK == STEPS_PER_ASK - 1 && ai_host_should_stop(build->nodes->host))
		return ai_fail(build->err, AI_ERR_CANCELLED, "cancelled");
	return AI_OK;
}

/* By their prefixes first, in items:[n] with room for them in sorted:[n], which can be stopped */
static AiCode
sort_by_prefix(const Build *build, AiTrieKey *keys, size_t n, AiSortItem *items,
			   AiTrieKey *sorted)
{
	for (size_t i = 0; i < n; i++)
		items[i] = (AiSortItem) {prefix_of(&keys[i]), i};
	AI_TRY(ai_sort(items, n, 0, build->nodes->host, build->err));
	for (size_t i = 0; i < n; i++)
		sorted[i] = keys[items[i].tag];
	memcpy(keys, sorted, n * sizeof(*keys));
	for (size_t first = 0, end, step = 0; first < n; first = end)
	{
		for (end = first + 1; end < n && items[end].hash == items[first].hash;)
			end++;
		if (end - first > 1)
			qsort(keys + first, end - first, sizeof(*keys), compare_keys);
		AI_TRY(should_go_on(build, step++));
	}
	return AI_OK;
}

static AiCode
sort_keys(const Build *build, AiTrieKey *keys, size_t n)
{
	const AiHost *host = build->nodes->host;
	AiSortItem *items = ai_host_alloc(host, n * sizeof(*items));
	AiTrieKey  *sorted = ai_host_alloc(host, n * sizeof(*sorted));
	AiCode		code = AI_OK;

	if (items == NULL || sorted == NULL)
		code = ai_out_of_memory(build->err, n * (sizeof(*items) + sizeof(*sorted)), "a vocabulary");
	else
		code = sort_by_prefix(build, keys, n, items, sorted);
	ai_host_release(host, items);
	ai_host_release(host, sorted);
	return code;
}

AiCode
ai_trie_build(AiBuf *nodes, AiTrieKey *keys, size_t n, AiError *err)
{
	Build		build = {.nodes = nodes, .offset = nodes->len, .keys = keys, .err = err};
	AiCode		code;

	if (n > AI_TRIE_MAX_VALUE)
		return ai_fail(err, AI_ERR_LIMIT, "vocabulary is too large");
	if (n > 0)
		AI_TRY(sort_keys(&build, keys, n));
	ai_buf_init(&build.ranges, nodes->host);
	ai_buf_init(&build.has_base, nodes->host);
	code = add_block(&build);
	if (code == AI_OK)
		code = push_range(&build, (Range) {0, (uint32_t) n, 0, 0});
	for (size_t step = 0; code == AI_OK && build.ranges.len > 0; step++)
	{
		Range		range;

		build.ranges.len -= sizeof(range);
		memcpy(&range, build.ranges.data + build.ranges.len, sizeof(range));
		code = should_go_on(&build, step);
		if (code == AI_OK)
			code = add_children(&build, range);
	}
	ai_buf_free(&build.ranges);
	ai_buf_free(&build.has_base);
	return code;
}

bool
ai_trie_check(const AiTrieNode *nodes, size_t n, uint32_t max_value)
{
	if (n == 0 || n % AI_TRIE_BLOCK != 0)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		if (nodes[i].base >= n || nodes[i].tag >> AI_TRIE_TAG_BITS > max_value)
			return false;
	}
	return true;
}
