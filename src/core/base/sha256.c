/*-------------------------------------------------------------------------
 * sha256.c
 *		SHA-256 by libcrypto.
 *
 * What libcrypto notes about a failure is dropped: its queue of errors is
 * shared with the program around us, which would take them for its own.
 *-------------------------------------------------------------------------
 */
#include "core/base/sha256.h"

#include <openssl/err.h>
#include <openssl/evp.h>

static AiCode
hash_failed(AiError *err)
{
	ERR_clear_error();
	return ai_fail(err, AI_ERR_BUG, "could not compute SHA-256 hash");
}

AiCode
ai_sha256(uint8_t digest[AI_SHA256_SIZE], const void *bytes, size_t size, AiError *err)
{
	if (!EVP_Digest(bytes, size, digest, NULL, EVP_sha256(), NULL))
		return hash_failed(err);
	return AI_OK;
}

AiCode
ai_sha256_init(AiSha256 *sha, AiError *err)
{
	sha->state = EVP_MD_CTX_new();
	if (sha->state == NULL || !EVP_DigestInit_ex(sha->state, EVP_sha256(), NULL))
	{
		ai_sha256_free(sha);
		return hash_failed(err);
	}
	return AI_OK;
}

AiCode
ai_sha256_update(AiSha256 *sha, const void *bytes, size_t size, AiError *err)
{
	if (!EVP_DigestUpdate(sha->state, bytes, size))
		return hash_failed(err);
	return AI_OK;
}

AiCode
ai_sha256_end(AiSha256 *sha, uint8_t digest[AI_SHA256_SIZE], AiError *err)
{
	bool		is_done = EVP_DigestFinal_ex(sha->state, digest, NULL);

	ai_sha256_free(sha);
	return is_done ? AI_OK : hash_failed(err);
}

void
ai_sha256_free(AiSha256 *sha)
{
	EVP_MD_CTX_free(sha->state);
	sha->state = NULL;
}
