/*-------------------------------------------------------------------------
 * test_sha256.c
 *		Digests are those of FIPS 180-4, in one go and in parts.
 *-------------------------------------------------------------------------
 */
#include "core/base/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* of the empty string and of "abc", from the examples of FIPS 180-4 */
static const uint8_t digest_of_nothing[AI_SHA256_SIZE] = {
	0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
	0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55
};
static const uint8_t digest_of_abc[AI_SHA256_SIZE] = {
	0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
	0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad
};

/* known texts have their known digests */
static void
test_one_go(void **state)
{
	uint8_t		digest[AI_SHA256_SIZE];

	(void) state;
	assert_int_equal(ai_sha256(digest, "", 0, NULL), AI_OK);
	assert_memory_equal(digest, digest_of_nothing, sizeof(digest));
	assert_int_equal(ai_sha256(digest, "abc", 3, NULL), AI_OK);
	assert_memory_equal(digest, digest_of_abc, sizeof(digest));
}

/* where the parts are cut does not matter */
static void
test_parts(void **state)
{
	uint8_t		digest[AI_SHA256_SIZE];

	(void) state;
	for (size_t cut = 0; cut <= 3; cut++)
	{
		AiSha256	sha;

		assert_int_equal(ai_sha256_init(&sha, NULL), AI_OK);
		assert_int_equal(ai_sha256_update(&sha, "abc", cut, NULL), AI_OK);
		assert_int_equal(ai_sha256_update(&sha, &"abc"[cut], 3 - cut, NULL), AI_OK);
		assert_int_equal(ai_sha256_end(&sha, digest, NULL), AI_OK);
		assert_memory_equal(digest, digest_of_abc, sizeof(digest));
		ai_sha256_free(&sha);
	}
}

/* work that is given up leaves nothing behind */
static void
test_given_up(void **state)
{
	AiSha256	sha;

	(void) state;
	assert_int_equal(ai_sha256_init(&sha, NULL), AI_OK);
	assert_int_equal(ai_sha256_update(&sha, "abc", 3, NULL), AI_OK);
	ai_sha256_free(&sha);
	ai_sha256_free(&sha);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_go),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
