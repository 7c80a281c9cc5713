/*-------------------------------------------------------------------------
 * content.c
 *		The bytes of models: chunks under the hash of the whole.
 *
 * A content is written once and never changed, so equal models share it, and a
 * reader needs no lock: its snapshot sees all chunks or none.
 *
 * A writer inserts the row of aiaas.content or locks it FOR KEY SHARE before it
 * relies on chunks that are there.  The collector locks the row FOR UPDATE,
 * which waits for such writers, and then looks with the latest snapshot
 * whether a version refers to it after all.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/catalog/catalog_internal.h"

#include "catalog/pg_type.h"
#include "pg/host/compat.h"
#include "pg/host/digest.h"
#include "pg/stats/stats.h"
#include "utils/snapmgr.h"

static CatalogQuery insert_content = {
	"INSERT INTO aiaas.content (hash, bytes) VALUES ($1, $2)"
	" ON CONFLICT (hash) DO NOTHING",
	2, {BYTEAOID, INT8OID}, NULL
};

static CatalogQuery share_content = {
	"SELECT c.bytes FROM aiaas.content c WHERE c.hash OPERATOR(pg_catalog.=) $1"
	" FOR KEY SHARE",
	1, {BYTEAOID}, NULL
};

static CatalogQuery lock_content = {
	"SELECT c.bytes FROM aiaas.content c WHERE c.hash OPERATOR(pg_catalog.=) $1"
	" FOR UPDATE",
	1, {BYTEAOID}, NULL
};

static CatalogQuery select_reference = {
	"SELECT v.number FROM aiaas.version v WHERE v.hash OPERATOR(pg_catalog.=) $1"
	" OR v.needs OPERATOR(pg_catalog.=) $1 LIMIT 1",
	1, {BYTEAOID}, NULL
};

static CatalogQuery select_content = {
	"SELECT c.bytes FROM aiaas.content c WHERE c.hash OPERATOR(pg_catalog.=) $1",
	1, {BYTEAOID}, NULL
};

static CatalogQuery delete_content = {
	"WITH chunk AS (DELETE FROM aiaas.chunk k WHERE k.hash OPERATOR(pg_catalog.=) $1)"
	" DELETE FROM aiaas.content c WHERE c.hash OPERATOR(pg_catalog.=) $1",
	1, {BYTEAOID}, NULL
};

static CatalogQuery insert_chunk = {
	"INSERT INTO aiaas.chunk (hash, seq, data, sha256) VALUES ($1, $2, $3, $4)"
	" ON CONFLICT (hash, seq) DO NOTHING",
	4, {BYTEAOID, INT4OID, BYTEAOID, BYTEAOID}, NULL
};

static CatalogQuery count_chunks = {
	"SELECT pg_catalog.count(*) FROM aiaas.chunk k WHERE k.hash OPERATOR(pg_catalog.=) $1",
	1, {BYTEAOID}, NULL
};

static CatalogQuery select_chunks = {
	"SELECT k.seq, k.data, k.sha256 FROM aiaas.chunk k"
	" WHERE k.hash OPERATOR(pg_catalog.=) $1 ORDER BY k.seq",
	1, {BYTEAOID}, NULL
};

static int64
n_chunks_of(size_t n_bytes)
{
	return (int64) ((n_bytes + AIAAS_CHUNK_SIZE - 1) / AIAAS_CHUNK_SIZE);
}

static size_t
chunk_size(size_t n_bytes, int64 seq)
{
	return Min(AIAAS_CHUNK_SIZE, n_bytes - (size_t) seq * AIAAS_CHUNK_SIZE);
}

/*
 * Writing
 */

/* Of the whole, which may take long */
static void
hash_content(uint8 *hash, const char *bytes, size_t n_bytes)
{
	AiaasDigest *digest = aiaas_digest_create();

	for (int64 seq = 0; seq < n_chunks_of(n_bytes); seq++)
	{
		CHECK_FOR_INTERRUPTS();
		aiaas_digest_add(digest, bytes + (size_t) seq * AIAAS_CHUNK_SIZE,
						 chunk_size(n_bytes, seq));
	}
	aiaas_digest_end(digest, hash);
}

/* Every chunk that is not there */
static void
insert_chunks(const CatalogSession *session, const uint8 *hash, const char *bytes, size_t n_bytes)
{
	int64		n_chunks = n_chunks_of(n_bytes);
	bytea	   *data = palloc(VARHDRSZ + AIAAS_CHUNK_SIZE);
	uint8		chunk_hash[AIAAS_HASH_SIZE];

	for (int64 seq = 0; seq < n_chunks; seq++)
	{
		size_t		size = chunk_size(n_bytes, seq);
		Datum		values[4];

		CHECK_FOR_INTERRUPTS();
		memcpy(VARDATA(data), bytes + (size_t) seq * AIAAS_CHUNK_SIZE, size);
		SET_VARSIZE(data, VARHDRSZ + size);
		aiaas_sha256(chunk_hash, VARDATA(data), size);
		values[0] = aiaas_hash_datum(hash);
		values[1] = Int32GetDatum((int32) seq);
		values[2] = PointerGetDatum(data);
		values[3] = aiaas_hash_datum(chunk_hash);
		aiaas_catalog_run(session, &insert_chunk, values, NULL);
		aiaas_activity_bytes(size);
	}
	pfree(data);
}

void
aiaas_content_store(const CatalogSession *session, uint8 *hash,
					const void *bytes, size_t n_bytes)
{
	Datum		values[2];
	bool		is_new;

	hash_content(hash, bytes, n_bytes);
	values[0] = aiaas_hash_datum(hash);
	values[1] = Int64GetDatum((int64) n_bytes);

	/* The loop ends: a row that vanishes between the two is inserted next time. */
	for (;;)
	{
		is_new = aiaas_catalog_run(session, &insert_content, values, NULL) > 0;
		if (is_new || aiaas_catalog_run(session, &share_content, values, NULL) > 0)
			break;
		CHECK_FOR_INTERRUPTS();
	}

	/* A content that has lost chunks is made whole by whoever has them all. */
	if (!is_new)
	{
		aiaas_catalog_run(session, &count_chunks, values, NULL);
		is_new = DatumGetInt64(aiaas_catalog_value(0, 1, INT8OID, NULL)) != n_chunks_of(n_bytes);
	}
	if (is_new)
		insert_chunks(session, hash, bytes, n_bytes);
}

void
aiaas_content_hold(const CatalogSession *session, const uint8 *hash)
{
	Datum		value = aiaas_hash_datum(hash);

	if (aiaas_catalog_run(session, &share_content, &value, NULL) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the embedder of the model does not exist any more"),
				 errdetail("It has been dropped meanwhile.")));
}

static bool
is_referenced(const uint8 *hash)
{
	CatalogSession session;
	Datum		value = aiaas_hash_datum(hash);
	bool		result;

	aiaas_catalog_begin(&session, CATALOG_READ_LATEST);
	result = aiaas_catalog_run(&session, &select_reference, &value, NULL) > 0;
	aiaas_catalog_end(&session);
	return result;
}

void
aiaas_content_collect(const CatalogSession *session, const uint8 *hash)
{
	Datum		value = aiaas_hash_datum(hash);

	if (aiaas_catalog_run(session, &lock_content, &value, NULL) == 0)
		return;
	if (!is_referenced(hash))
		aiaas_catalog_run(session, &delete_content, &value, NULL);
}

/*
 * Reading
 */
static _Noreturn void
raise_damaged(const AiaasModel *model, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("stored weights of model \"%s\" are damaged", model->name),
			 errdetail("Version %d: %s", model->version, detail),
			 errhint("Restore the tables of schema \"aiaas\" from a backup, "
					 "or train the model again.")));
}

/* The first bytes of a checksum, enough to tell two apart */
static char *
short_hex(const uint8 *hash)
{
	return psprintf("%02x%02x%02x%02x", hash[0], hash[1], hash[2], hash[3]);
}

/* All chunks are there, in order: only then is the size to be believed.  NULL: yes */
static char *
find_gap(const AiaasModel *model, int64 n_found)
{
	int64		n_chunks;

	if (model->n_bytes <= 0)
		return "The content has no entry.";
	n_chunks = n_chunks_of(model->n_bytes);
	for (int64 i = 0; i < n_chunks; i++)
	{
		if (i >= n_found || DatumGetInt32(aiaas_catalog_value(i, 1, INT4OID, NULL)) != i)
			return psprintf("Chunk " INT64_FORMAT " of " INT64_FORMAT " is missing.",
							i + 1, n_chunks);
	}
	if (n_found > n_chunks)
		return psprintf("There are " INT64_FORMAT " chunks, expected " INT64_FORMAT ".",
						n_found, n_chunks);
	return NULL;
}

/* A chunk of the last run, to be let go by release_chunk() */
static bytea *
get_chunk(int64 i)
{
	return DatumGetByteaPP(aiaas_catalog_value(i, 2, BYTEAOID, NULL));
}

static void
release_chunk(bytea *chunk, int64 i)
{
	if ((Pointer) chunk != DatumGetPointer(aiaas_catalog_value(i, 2, BYTEAOID, NULL)))
		pfree(chunk);
}

/* Which chunk it was that gave the content another hash; only it is asked for its own. */
static char *
find_damaged_chunk(int64 n_chunks)
{
	for (int64 i = 0; i < n_chunks; i++)
	{
		bytea	   *expected = DatumGetByteaPP(aiaas_catalog_value(i, 3, BYTEAOID, NULL));
		bytea	   *chunk = get_chunk(i);
		uint8		hash[AIAAS_HASH_SIZE];

		CHECK_FOR_INTERRUPTS();
		aiaas_sha256(hash, VARDATA_ANY(chunk), VARSIZE_ANY_EXHDR(chunk));
		release_chunk(chunk, i);
		if (VARSIZE_ANY_EXHDR(expected) != AIAAS_HASH_SIZE ||
			memcmp(hash, VARDATA_ANY(expected), AIAAS_HASH_SIZE) != 0)
			return psprintf("Chunk " INT64_FORMAT " has checksum %s, expected %s.", i + 1,
							short_hex(hash), VARSIZE_ANY_EXHDR(expected) < 4 ? "none" :
							short_hex((uint8 *) VARDATA_ANY(expected)));
	}
	return NULL;
}

/* Chunks of the last run go to receive() and into the hash.  NULL: all is well */
static char *
pass_chunks(const AiaasModel *model, int64 n_chunks, AiaasChunkReceiver receive, void *arg)
{
	AiaasDigest *digest = aiaas_digest_create();
	uint8		hash[AIAAS_HASH_SIZE];
	char	   *damage;

	for (int64 i = 0; i < n_chunks; i++)
	{
		bytea	   *chunk = get_chunk(i);
		size_t		size = VARSIZE_ANY_EXHDR(chunk);

		CHECK_FOR_INTERRUPTS();
		if (size != chunk_size(model->n_bytes, i))
			return psprintf("Chunk " INT64_FORMAT " has %zu bytes, expected %zu.", i + 1, size,
							chunk_size(model->n_bytes, i));
		aiaas_digest_add(digest, VARDATA_ANY(chunk), size);
		aiaas_activity_bytes(size);
		if (receive != NULL)
			receive(arg, VARDATA_ANY(chunk), size);
		release_chunk(chunk, i);
	}
	aiaas_digest_end(digest, hash);
	if (memcmp(hash, model->hash, AIAAS_HASH_SIZE) == 0)
		return NULL;
	damage = find_damaged_chunk(n_chunks);
	return damage != NULL ? damage : psprintf("The content has checksum %s, expected %s.",
											  short_hex(hash), short_hex(model->hash));
}

/* One hash over the whole finds any damage, so that reading a content costs one pass. */
static char *
pass_content(const AiaasModel *model, AiaasChunkReceiver receive, void *arg)
{
	CatalogSession session;
	Datum		hash;
	int64		n_chunks;
	char	   *damage;

	aiaas_catalog_begin(&session, CATALOG_READ);
	hash = aiaas_hash_datum(model->hash);
	n_chunks = aiaas_catalog_run(&session, &select_chunks, &hash, NULL);
	damage = find_gap(model, n_chunks);
	if (damage == NULL)
		damage = pass_chunks(model, n_chunks, receive, arg);
	if (damage != NULL)
		damage = MemoryContextStrdup(session.caller, damage);
	aiaas_catalog_end(&session);
	return damage;
}

void
aiaas_content_scan(const AiaasModel *model, AiaasChunkReceiver receive, void *arg)
{
	char	   *damage = pass_content(model, receive, arg);

	if (damage != NULL)
		raise_damaged(model, damage);
}

static bool
is_there(const uint8 *hash)
{
	CatalogSession session;
	Datum		value = aiaas_hash_datum(hash);
	bool		result;

	aiaas_catalog_begin(&session, CATALOG_READ);
	result = aiaas_catalog_run(&session, &select_content, &value, NULL) > 0;
	aiaas_catalog_end(&session);
	return result;
}

char *
aiaas_content_damage(const AiaasModel *model)
{
	char	   *damage = pass_content(model, NULL, NULL);

	if (damage == NULL && model->needs != NULL && !is_there(model->needs))
		return psprintf("Its embedder, of content %s, is missing.", short_hex(model->needs));
	return damage;
}
