/*-------------------------------------------------------------------------
 * sha256.h
 *		SHA-256 of bytes: the door to libcrypto.
 *-------------------------------------------------------------------------
 */
#ifndef AI_SHA256_H
#define AI_SHA256_H

#include "core/base/status.h"

#define AI_SHA256_SIZE 32		/* bytes of a digest */

/* in one go */
extern AiCode ai_sha256(uint8_t digest[AI_SHA256_SIZE], const void *bytes, size_t size,
						AiError *err);

/*
 * In parts: init, any number of updates, then end, which also releases the
 * state.  Where a part fails or work is given up, free releases it; a free
 * after end, or a second one, does nothing.
 */
typedef struct AiSha256
{
	void	   *state;			/* libcrypto's, allocated by it; NULL: none */
} AiSha256;

extern AiCode ai_sha256_init(AiSha256 *sha, AiError *err);
extern AiCode ai_sha256_update(AiSha256 *sha, const void *bytes, size_t size, AiError *err);
extern AiCode ai_sha256_end(AiSha256 *sha, uint8_t digest[AI_SHA256_SIZE], AiError *err);
extern void ai_sha256_free(AiSha256 *sha);

#endif							/* AI_SHA256_H */
