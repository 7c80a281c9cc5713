/*-------------------------------------------------------------------------
 * digest.h
 *		SHA-256 inside a backend: errors are raised, and leave nothing behind.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_DIGEST_H
#define AIAAS_DIGEST_H

#include "core/base/sha256.h"

/* In one go, so for what takes milliseconds */
extern void aiaas_sha256(uint8_t *digest, const void *bytes, size_t n_bytes);

/* In parts; what it holds goes with the memory context in which it was created. */
typedef struct AiaasDigest AiaasDigest;

extern AiaasDigest *aiaas_digest_create(void);
extern void aiaas_digest_add(AiaasDigest *digest, const void *bytes, size_t n_bytes);
extern void aiaas_digest_end(AiaasDigest *digest, uint8_t *result);

/* In hexadecimal digits, in the current memory context */
extern char *aiaas_hash_hex(const uint8 *hash);

#endif							/* AIAAS_DIGEST_H */
