/*-------------------------------------------------------------------------
 * tally.c
 *		Sums by key in memory that processes share, without a lock.
 *
 * A key may be in any of the WINDOW places that follow from its hash.  Two
 * processes can come to give it two places, when one of them has just become
 * free; so whoever reads adds up all places of a key.
 *
 * An entry is claimed by its state alone, which is then the key's hash; the key
 * is written after that by everybody who finds it missing, all the same.  So a
 * process that dies in between leaves nothing half done.
 *-------------------------------------------------------------------------
 */
#include "core/base/tally.h"

#include <stdatomic.h>

#include "core/base/hash.h"

#define WINDOW 64
#define MAX_ATTEMPTS 8

/* States; all others are hashes. */
enum
{
	STATE_FREE,					/* never used: no key is behind it */
	STATE_REMOVED,				/* may be claimed */
	STATE_EMPTYING,				/* left so by a process that dies, it is lost */
	FIRST_HASH
};

struct AiTallyEntry
{
	atomic_uint_least64_t state;
	atomic_uint_least64_t word[AI_TALLY_KEY_WORDS];
	atomic_int_least64_t since;
	atomic_int_least64_t used;	/* when it was added to last */
	atomic_int_least64_t sum[AI_TALLY_N_SUMS];
	atomic_uint has_key;		/* 0 or not: damage may leave anything here */
} __attribute__((aligned(64)));

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "atomics between processes must need no lock");

size_t
ai_tally_size(int n_entries)
{
	return ((size_t) n_entries + 1) * sizeof(AiTallyEntry);
}

static uint64_t
hash_of(const AiTallyKey *key)
{
	uint64_t	hash = ai_hash64(key, sizeof(AiTallyKey), 0);

	return hash < FIRST_HASH ? hash + FIRST_HASH : hash;
}

static AiTallyEntry *
place_of(const AiTally *tally, uint64_t hash, int i)
{
	return &tally->entries[(hash + (uint64_t) i) % (uint64_t) tally->n_entries];
}

static int
window_of(const AiTally *tally)
{
	return tally->n_entries < WINDOW ? tally->n_entries : WINDOW;
}

static void
write_key(AiTallyEntry *entry, const AiTallyKey *key, int64_t now)
{
	for (int i = 0; i < AI_TALLY_KEY_WORDS; i++)
		atomic_store_explicit(&entry->word[i], key->word[i], memory_order_relaxed);
	atomic_store_explicit(&entry->since, now, memory_order_relaxed);
	atomic_store_explicit(&entry->used, now, memory_order_relaxed);
	atomic_store_explicit(&entry->has_key, 1, memory_order_release);
}

/* Of an entry that has one */
static void
read_key(AiTallyKey *key, AiTallyEntry *entry)
{
	for (int i = 0; i < AI_TALLY_KEY_WORDS; i++)
		key->word[i] = atomic_load_explicit(&entry->word[i], memory_order_relaxed);
}

static bool
is_same_key(const AiTallyKey *a, const AiTallyKey *b)
{
	for (int i = 0; i < AI_TALLY_KEY_WORDS; i++)
	{
		if (a->word[i] != b->word[i])
			return false;
	}
	return true;
}

/* Is it claimed for key? */
static bool
is_place_of(AiTallyEntry *entry, uint64_t hash, const AiTallyKey *key)
{
	AiTallyKey	other;

	if (atomic_load_explicit(&entry->state, memory_order_acquire) != hash ||
		!atomic_load_explicit(&entry->has_key, memory_order_acquire))
		return false;
	read_key(&other, entry);
	return is_same_key(key, &other);
}

static void
add_sums(AiTallyEntry *entry, const int64_t *sum)
{
	for (int i = 0; i < AI_TALLY_N_SUMS; i++)
	{
		if (sum[i] != 0)
			atomic_fetch_add_explicit(&entry->sum[i], sum[i], memory_order_relaxed);
	}
}

/* False: somebody else was faster.  Its sums are added to those of to, or lost without. */
static bool
empty_entry(AiTallyEntry *entry, uint64_t state, AiTallyEntry *to)
{
	int64_t		sum[AI_TALLY_N_SUMS];

	if (!atomic_compare_exchange_strong(&entry->state, &state, STATE_EMPTYING))
		return false;
	for (int i = 0; i < AI_TALLY_N_SUMS; i++)
		sum[i] = atomic_exchange_explicit(&entry->sum[i], 0, memory_order_relaxed);
	if (to != NULL)
		add_sums(to, sum);
	atomic_store_explicit(&entry->has_key, 0, memory_order_relaxed);
	atomic_store_explicit(&entry->state, STATE_REMOVED, memory_order_release);
	return true;
}

/* What is in a key's window */
typedef struct Search
{
	AiTallyEntry *found;		/* the key's first place, or NULL: the rest is for that */
	AiTallyEntry *room;			/* first that may be claimed, in this state, or NULL */
	uint64_t	room_state;
	AiTallyEntry *oldest;		/* used longest ago, with this hash, or NULL */
	uint64_t	oldest_hash;
} Search;

static void
search(Search *it, const AiTally *tally, uint64_t hash, const AiTallyKey *key, int64_t now)
{
	int			window = window_of(tally);
	int64_t		oldest = INT64_MAX;

	*it = (Search) {0};
	for (int i = 0; i < window; i++)
	{
		AiTallyEntry *entry = place_of(tally, hash, i);
		uint64_t	state = atomic_load_explicit(&entry->state, memory_order_acquire);
		int64_t		used = atomic_load_explicit(&entry->used, memory_order_relaxed);

		if (state == hash && !atomic_load_explicit(&entry->has_key, memory_order_acquire))
			write_key(entry, key, now);
		if (state == hash && is_place_of(entry, hash, key))
		{
			it->found = entry;
			return;
		}
		if (state <= STATE_REMOVED && it->room == NULL)
		{
			it->room = entry;
			it->room_state = state;
		}
		if (state == STATE_FREE)
			return;
		if (state >= FIRST_HASH && used < oldest)
		{
			it->oldest = entry;
			it->oldest_hash = state;
			oldest = used;
		}
	}
}

static AiTallyEntry *
find_or_claim(const AiTally *tally, const AiTallyKey *key, int64_t now)
{
	AiTallyEntry *others = &tally->entries[tally->n_entries];
	uint64_t	hash = hash_of(key);

	for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++)
	{
		Search		it;

		search(&it, tally, hash, key, now);
		if (it.found != NULL)
			return it.found;
		if (it.room == NULL && it.oldest != NULL)
			(void) empty_entry(it.oldest, it.oldest_hash, others);
		else if (it.room != NULL &&
				 atomic_compare_exchange_strong(&it.room->state, &it.room_state, hash))
		{
			write_key(it.room, key, now);
			return it.room;
		}
	}
	return others;
}

void
ai_tally_add(const AiTally *tally, const AiTallyKey *key, const int64_t *sum, int64_t now)
{
	AiTallyEntry *entry = find_or_claim(tally, key, now);

	atomic_store_explicit(&entry->used, now, memory_order_relaxed);
	add_sums(entry, sum);
}

static void
read_sums(AiTallyRow *row, AiTallyEntry *entry)
{
	int64_t		since = atomic_load_explicit(&entry->since, memory_order_relaxed);

	if (since < row->since)
		row->since = since;
	for (int i = 0; i < AI_TALLY_N_SUMS; i++)
		row->sum[i] = (int64_t) ((uint64_t) row->sum[i] + (uint64_t)
								 atomic_load_explicit(&entry->sum[i], memory_order_relaxed));
}

bool
ai_tally_read(const AiTally *tally, AiTallyRow *row, int index)
{
	AiTallyEntry *entry = &tally->entries[index];
	uint64_t	hash = atomic_load_explicit(&entry->state, memory_order_acquire);
	bool		is_first = true;

	*row = (AiTallyRow) {.since = INT64_MAX};
	if (index == tally->n_entries)
	{
		read_sums(row, entry);
		return true;
	}
	if (hash < FIRST_HASH || !atomic_load_explicit(&entry->has_key, memory_order_acquire))
		return false;
	read_key(&row->key, entry);
	for (int i = 0; i < window_of(tally); i++)
	{
		AiTallyEntry *place = place_of(tally, hash, i);

		if (!is_place_of(place, hash, &row->key))
			continue;
		if (is_first && place != entry)
			return false;
		is_first = false;
		read_sums(row, place);
	}
	return !is_first;
}

void
ai_tally_remove(const AiTally *tally, bool (*matches) (const void *arg, const AiTallyKey *key),
				const void *arg)
{
	for (int i = 0; i < tally->n_entries; i++)
	{
		AiTallyEntry *entry = &tally->entries[i];
		uint64_t	state = atomic_load_explicit(&entry->state, memory_order_acquire);
		AiTallyKey	key;

		if (state < FIRST_HASH || !atomic_load_explicit(&entry->has_key, memory_order_acquire))
			continue;
		read_key(&key, entry);
		if (matches(arg, &key))
			(void) empty_entry(entry, state, NULL);
	}
}
