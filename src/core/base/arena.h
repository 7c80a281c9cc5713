/*-------------------------------------------------------------------------
 * arena.h
 *		Memory of one lifetime: many allocations, one release.
 *
 * Objects of the core own an arena and everything in it, so an error path is
 * one call.  Small requests share blocks; a large one gets a block of its own
 * and may be given back early.  The arena counts its bytes, which is how
 * limits are kept.
 *-------------------------------------------------------------------------
 */
#ifndef AI_ARENA_H
#define AI_ARENA_H

#include "core/base/host.h"

typedef struct AiArenaBlock AiArenaBlock;

typedef struct AiArena
{
	const AiHost *host;			/* borrowed */
	AiArenaBlock *blocks;		/* newest first */
	size_t		used;			/* of the newest shared block, bytes */
	size_t		total;			/* taken from the host, bytes */
} AiArena;

extern void ai_arena_init(AiArena *arena, const AiHost *host);

/* 64-byte aligned, not zeroed; NULL when the host has no memory */
extern void *ai_arena_alloc(AiArena *arena, size_t size);

/* n_items * item_size, zeroed; NULL also when the product overflows */
extern void *ai_arena_alloc_zero(AiArena *arena, size_t n_items, size_t item_size);

/* Give a request of at least AI_ARENA_LARGE bytes back early; others stay. */
extern void ai_arena_release(AiArena *arena, void *ptr);

/* Everything goes back to the host; the arena may be used again. */
extern void ai_arena_free(AiArena *arena);

#define AI_ARENA_LARGE ((size_t) 32 * 1024)

#endif							/* AI_ARENA_H */
