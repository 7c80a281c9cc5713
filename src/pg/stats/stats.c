/*-------------------------------------------------------------------------
 * stats.c
 *		Counting what functions do with models.
 *
 * To add to sums that all backends share costs more than a short text does, so
 * they are added up here first, for the few functions that a statement calls.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/stats/stats.h"

#include "miscadmin.h"
#include "pg/stats/stats_internal.h"
#include "utils/timestamp.h"

#define N_PENDING 4
#define MAX_ADDS 64				/* until they are shared */
#define MAX_MODEL_TIME INT64CONST(50000000) /* nanoseconds; the same */

/* Of AiTallyKey; all its bytes count */
typedef struct StoredKey
{
	uint32		database;
	int32		version;
	int64		model;
	char		function[AIAAS_STATS_FUNCTION_MAX + 1];
} StoredKey;

StaticAssertDecl(sizeof(StoredKey) == sizeof(AiTallyKey), "a key is all of its words");

/* Sums of the tally */
enum
{
	SUM_CALLS, SUM_ROWS, SUM_BATCHES, SUM_DISTINCT, SUM_TOKENS, SUM_TRUNCATED, SUM_ERRORS,
	SUM_MODEL_TIME, SUM_BUILDS, SUM_HITS, N_SUMS
};

StaticAssertDecl(N_SUMS == AI_TALLY_N_SUMS, "each sum has a place");

typedef struct Pending
{
	AiaasStatsKey key;
	AiaasCounts counts;
	int			n_adds;			/* 0: it is free */
} Pending;

static Pending pending[N_PENDING];
static int	next_pending = 0;

/*
 * Sharing
 */
static AiTallyKey
make_key(int64 model, int version, const char *function)
{
	StoredKey	stored = {.database = MyDatabaseId, .version = version, .model = model};
	AiTallyKey	key;

	strlcpy(stored.function, function, sizeof(stored.function));
	memcpy(&key, &stored, sizeof(key));
	return key;
}

static void
share(const AiaasStatsKey *key, const int64 *sum)
{
	TimestampTz now = GetCurrentTimestamp();
	AiTallyKey	stored = make_key(key->model, key->version, key->function);

	aiaas_shared_ready(now);
	if (aiaas_shared.is_mapped)
		ai_tally_add(&aiaas_shared.tally, &stored, sum, now);
}

static void
flush(Pending *it)
{
	const AiaasCounts *counts = &it->counts;
	int64		sum[N_SUMS] = {
		[SUM_CALLS] = counts->calls, [SUM_ROWS] = counts->rows, [SUM_BATCHES] = counts->batches,
		[SUM_DISTINCT] = counts->distinct, [SUM_TOKENS] = counts->tokens,
		[SUM_TRUNCATED] = counts->truncated, [SUM_ERRORS] = counts->errors,
		[SUM_MODEL_TIME] = counts->model_time
	};

	if (it->n_adds == 0)
		return;
	it->n_adds = 0;
	share(&it->key, sum);
}

void
aiaas_stats_flush(void)
{
	for (int i = 0; i < N_PENDING; i++)
		flush(&pending[i]);
}

/*
 * Counting
 */
static Pending *
find_pending(const AiaasStatsKey *key)
{
	Pending    *it;

	for (int i = 0; i < N_PENDING; i++)
	{
		it = &pending[i];
		if (it->n_adds > 0 && it->key.function == key->function &&
			it->key.model == key->model && it->key.version == key->version)
			return it;
	}
	it = &pending[next_pending++ % N_PENDING];
	flush(it);
	it->key = *key;
	MemSet(&it->counts, 0, sizeof(it->counts));
	return it;
}

void
aiaas_stats_add(const AiaasStatsKey *key, const AiaasCounts *counts)
{
	Pending    *it = find_pending(key);

	aiaas_activity_watch();
	it->counts.calls += counts->calls;
	it->counts.rows += counts->rows;
	it->counts.batches += counts->batches;
	it->counts.distinct += counts->distinct;
	it->counts.tokens += counts->tokens;
	it->counts.truncated += counts->truncated;
	it->counts.errors += counts->errors;
	it->counts.model_time += counts->model_time;
	if (++it->n_adds >= MAX_ADDS || it->counts.model_time >= MAX_MODEL_TIME)
		flush(it);
}

void
aiaas_stats_add_open(int64 model, int version, bool is_built)
{
	int64		sum[N_SUMS] = {[SUM_BUILDS] = is_built, [SUM_HITS] = !is_built};

	share(&(AiaasStatsKey) {.model = model, .version = version, .function = ""}, sum);
}

/*
 * Watching
 */
int
aiaas_stats_n_places(void)
{
	aiaas_stats_flush();
	aiaas_shared_look(GetCurrentTimestamp());
	return aiaas_shared.is_mapped ? aiaas_shared.tally.n_entries + 1 : 0;
}

bool
aiaas_stats_read(AiaasStatsRow *row, int place)
{
	AiTallyRow	read;
	StoredKey	key;
	bool		is_named = place < aiaas_shared.tally.n_entries;

	if (!ai_tally_read(&aiaas_shared.tally, &read, place))
		return false;
	memcpy(&key, &read.key, sizeof(key));
	if (is_named && key.database != MyDatabaseId)
		return false;
	*row = (AiaasStatsRow) {
		.model = key.model, .version = key.version, .since = read.since,
		.counts = {
			.calls = read.sum[SUM_CALLS], .rows = read.sum[SUM_ROWS],
			.batches = read.sum[SUM_BATCHES], .distinct = read.sum[SUM_DISTINCT],
			.tokens = read.sum[SUM_TOKENS], .truncated = read.sum[SUM_TRUNCATED],
			.errors = read.sum[SUM_ERRORS], .model_time = read.sum[SUM_MODEL_TIME]
		},
		.builds = read.sum[SUM_BUILDS], .hits = read.sum[SUM_HITS]
	};
	strlcpy(row->function, key.function, sizeof(row->function));
	return true;
}

static bool
is_to_be_reset(const void *arg, const AiTallyKey *key)
{
	const AiaasStatsKey *which = arg;
	StoredKey	stored;

	memcpy(&stored, key, sizeof(stored));
	return stored.database == MyDatabaseId &&
		(which->model == 0 || which->model == stored.model) &&
		(which->version == 0 || which->version == stored.version);
}

void
aiaas_stats_reset(int64 model, int version)
{
	AiaasStatsKey which = {.model = model, .version = version};

	if (aiaas_stats_n_places() > 0)
		ai_tally_remove(&aiaas_shared.tally, is_to_be_reset, &which);
}
