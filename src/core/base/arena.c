/*-------------------------------------------------------------------------
 * arena.c
 *		Memory of one lifetime.
 *-------------------------------------------------------------------------
 */
#include "core/base/arena.h"

#include <string.h>

#define SHARED_BLOCK_SIZE ((size_t) 128 * 1024)

struct AiArenaBlock
{
	AiArenaBlock *next;
	AiArenaBlock *prev;
	size_t		size;			/* with this header, bytes */
	bool		is_shared;
};

#define HEADER_SIZE ((sizeof(AiArenaBlock) + AI_ALIGNMENT - 1) & ~(size_t) (AI_ALIGNMENT - 1))

void
ai_arena_init(AiArena *arena, const AiHost *host)
{
	*arena = (AiArena) {.host = host};
}

/*
 * Put a new block of the given payload into the list.  Only a shared block
 * may become the first: the first is where small requests are served.
 */
static AiArenaBlock *
add_block(AiArena *arena, size_t payload, bool is_shared)
{
	AiArenaBlock *block;
	AiArenaBlock *first = arena->blocks;
	size_t		size;

	if (!ai_add_size(&size, payload, HEADER_SIZE))
		return NULL;
	block = ai_host_alloc(arena->host, size);
	if (block == NULL)
		return NULL;
	*block = (AiArenaBlock) {.size = size, .is_shared = is_shared};
	arena->total += size;

	if (is_shared || first == NULL || !first->is_shared)
	{
		block->next = first;
		if (first != NULL)
			first->prev = block;
		arena->blocks = block;
	}
	else
	{
		block->prev = first;
		block->next = first->next;
		if (first->next != NULL)
			first->next->prev = block;
		first->next = block;
	}
	return block;
}

void *
ai_arena_alloc(AiArena *arena, size_t size)
{
	size_t		padded = ai_align_size(size > 0 ? size : 1);
	AiArenaBlock *block;

	if (padded < size)
		return NULL;
	if (padded >= AI_ARENA_LARGE)
	{
		block = add_block(arena, padded, false);
		return block == NULL ? NULL : (char *) block + HEADER_SIZE;
	}

	block = arena->blocks;
	if (block == NULL || !block->is_shared ||
		arena->used + padded > SHARED_BLOCK_SIZE)
	{
		block = add_block(arena, SHARED_BLOCK_SIZE, true);
		if (block == NULL)
			return NULL;
		arena->used = 0;
	}
	arena->used += padded;
	return (char *) block + HEADER_SIZE + arena->used - padded;
}

void *
ai_arena_alloc_zero(AiArena *arena, size_t n_items, size_t item_size)
{
	size_t		size;
	void	   *ptr;

	if (!ai_mul_size(&size, n_items, item_size))
		return NULL;
	ptr = ai_arena_alloc(arena, size);
	if (ptr != NULL)
		memset(ptr, 0, size);
	return ptr;
}

void
ai_arena_release(AiArena *arena, void *ptr)
{
	AiArenaBlock *block;

	if (ptr == NULL)
		return;
	block = (AiArenaBlock *) ((char *) ptr - HEADER_SIZE);
	AI_ASSERT(!block->is_shared);
	if (block->prev != NULL)
		block->prev->next = block->next;
	else
		arena->blocks = block->next;
	if (block->next != NULL)
		block->next->prev = block->prev;
	arena->total -= block->size;
	ai_host_release(arena->host, block);
}

void
ai_arena_free(AiArena *arena)
{
	AiArenaBlock *block = arena->blocks;

	while (block != NULL)
	{
		AiArenaBlock *next = block->next;

		ai_host_release(arena->host, block);
		block = next;
	}
	ai_arena_init(arena, arena->host);
}
