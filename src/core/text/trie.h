/*-------------------------------------------------------------------------
 * trie.h
 *		Strings to numbers, a byte at a time: a double array without pointers.
 *
 * The child of node s for byte c is node base(s) ^ c, if its tag says c.  The array's size
 * is a multiple of 256, so that from a base within it no byte leads out of it: a walk over
 * a checked array stays in it, whatever the array holds.  Node 0 is the root; no node has
 * it for a child.  Nodes without children have base 0, where no child is.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TRIE_H
#define AI_TRIE_H

#include "core/base/buf.h"

typedef struct AiTrieNode
{
	uint32_t	base;
	uint32_t	tag;			/* value above, then whether in use, then the byte */
} AiTrieNode;

#define AI_TRIE_IN_USE 0x100u
#define AI_TRIE_TAG_BITS 9
#define AI_TRIE_MAX_VALUE ((UINT32_C(1) << (32 - AI_TRIE_TAG_BITS)) - 1)
#define AI_TRIE_BLOCK 256

/* A key with its value, 1 to AI_TRIE_MAX_VALUE */
typedef struct AiTrieKey
{
	const char *bytes;			/* borrowed; not empty */
	uint32_t	len;
	uint32_t	value;
} AiTrieKey;

/*
 * Append the array to nodes.  The keys are put in order; of equal ones the value given last
 * counts.  AI_ERR_LIMIT when there are too many.
 */
extern AiCode ai_trie_build(AiBuf *nodes, AiTrieKey *keys, size_t n, AiError *err);

/* Whether a walk and its values stay within bounds */
extern bool ai_trie_check(const AiTrieNode *nodes, size_t n, uint32_t max_value);

/* To the child; false when there is none, and *at is then unchanged */
static inline bool
ai_trie_step(const AiTrieNode *nodes, uint32_t *at, uint8_t byte)
{
	uint32_t	next = nodes[*at].base ^ byte;

	if ((nodes[next].tag & (AI_TRIE_IN_USE | 0xFF)) != (AI_TRIE_IN_USE | byte))
		return false;
	*at = next;
	return true;
}

/* Of the string that leads to the node; 0: it is no key */
static inline uint32_t
ai_trie_value(const AiTrieNode *nodes, uint32_t at)
{
	return nodes[at].tag >> AI_TRIE_TAG_BITS;
}

/* From a node along bytes; false when they lead nowhere, and *at is then undefined */
static inline bool
ai_trie_walk(const AiTrieNode *nodes, uint32_t *at, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		if (!ai_trie_step(nodes, at, (uint8_t) bytes[i]))
			return false;
	}
	return true;
}

/* 0: no key */
static inline uint32_t
ai_trie_find(const AiTrieNode *nodes, const char *bytes, size_t len)
{
	uint32_t	at = 0;

	return ai_trie_walk(nodes, &at, bytes, len) ? ai_trie_value(nodes, at) : 0;
}

#endif							/* AI_TRIE_H */
