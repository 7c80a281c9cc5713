/*-------------------------------------------------------------------------
 * hash.h
 *		Hashes of bytes that never change: the door to XXH3.
 *
 * Stored models and the split of rows depend on these values; XXH3 is frozen
 * by its specification.  Not for secrets.
 *-------------------------------------------------------------------------
 */
#ifndef AI_HASH_H
#define AI_HASH_H

#include <stddef.h>
#include <stdint.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

typedef struct AiHash128
{
	uint64_t	high;
	uint64_t	low;
} AiHash128;

static inline uint64_t
ai_hash64(const void *bytes, size_t len, uint64_t seed)
{
	return XXH3_64bits_withSeed(bytes, len, seed);
}

static inline AiHash128
ai_hash128(const void *bytes, size_t len)
{
	XXH128_hash_t h = XXH3_128bits(bytes, len);

	return (AiHash128) {h.high64, h.low64};
}

#endif							/* AI_HASH_H */
