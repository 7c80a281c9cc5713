/*-------------------------------------------------------------------------
 * digest.c
 *		SHA-256 inside a backend: errors are raised, and leave nothing behind.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/host/digest.h"

#include "pg/host/raise.h"
#include "utils/builtins.h"
#include "utils/palloc.h"

struct AiaasDigest
{
	AiSha256	sha;
	MemoryContextCallback callback;
};

void
aiaas_sha256(uint8_t *digest, const void *bytes, size_t n_bytes)
{
	AiError		err;

	AIAAS_CHECK(ai_sha256(digest, bytes, n_bytes, &err), &err);
}

static void
free_sha(void *arg)
{
	ai_sha256_free(arg);
}

AiaasDigest *
aiaas_digest_create(void)
{
	AiaasDigest *digest = palloc0(sizeof(AiaasDigest));
	AiError		err;

	digest->callback.func = free_sha;
	digest->callback.arg = &digest->sha;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &digest->callback);
	AIAAS_CHECK(ai_sha256_init(&digest->sha, &err), &err);
	return digest;
}

void
aiaas_digest_add(AiaasDigest *digest, const void *bytes, size_t n_bytes)
{
	AiError		err;

	AIAAS_CHECK(ai_sha256_update(&digest->sha, bytes, n_bytes, &err), &err);
}

void
aiaas_digest_end(AiaasDigest *digest, uint8_t *result)
{
	AiError		err;

	AIAAS_CHECK(ai_sha256_end(&digest->sha, result, &err), &err);
}

char *
aiaas_hash_hex(const uint8 *hash)
{
	char	   *hex = palloc(2 * AI_SHA256_SIZE + 1);

	hex_encode((const char *) hash, AI_SHA256_SIZE, hex);
	hex[2 * AI_SHA256_SIZE] = '\0';
	return hex;
}
