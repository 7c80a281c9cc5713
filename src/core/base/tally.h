/*-------------------------------------------------------------------------
 * tally.h
 *		Sums by key in memory that processes share, without a lock.
 *
 * A process may be killed anywhere: what it was adding is then added in part,
 * and nobody waits for it.  Room is bounded.  Where a key finds none, the key
 * near it that was used longest ago makes room, and its sums go to the sums of
 * all others; nothing is lost but the name.  Only who adds to a key at the very
 * moment at which it is removed may add to the next one instead.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TALLY_H
#define AI_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AI_TALLY_KEY_WORDS 6
#define AI_TALLY_N_SUMS 10

/* All bytes count. */
typedef struct AiTallyKey
{
	uint64_t	word[AI_TALLY_KEY_WORDS];
} AiTallyKey;

typedef struct AiTallyEntry AiTallyEntry;

/* What is in the shared memory decides no index, so damage there harms sums only. */
typedef struct AiTally
{
	AiTallyEntry *entries;		/* [n_entries + 1], in shared memory; the last has no key */
	int			n_entries;
} AiTally;

typedef struct AiTallyRow
{
	AiTallyKey	key;
	int64_t		since;			/* when the key was first added to */
	int64_t		sum[AI_TALLY_N_SUMS];
} AiTallyRow;

/* Bytes of the entries; zeros are an empty table. */
extern size_t ai_tally_size(int n_entries);

/* now, of whichever clock, tells what was used last. */
extern void ai_tally_add(const AiTally *tally, const AiTallyKey *key, const int64_t *sum,
						 int64_t now);

/*
 * For index 0 .. n_entries - 1, each key once; false: there is none.  n_entries
 * itself is what keys had that made room.
 */
extern bool ai_tally_read(const AiTally *tally, AiTallyRow *row, int index);

/* Remove the keys that match, with their sums. */
extern void ai_tally_remove(const AiTally *tally,
							bool (*matches) (const void *arg, const AiTallyKey *key),
							const void *arg);

#endif							/* AI_TALLY_H */
