/*-------------------------------------------------------------------------
 * test_magic.c
 *		What a file is, by the bytes that it begins with.
 *-------------------------------------------------------------------------
 */
#include "core/format/magic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* what is not read is called by its name, and no prefix of it is read beyond its end */
static void
test_others(void **state)
{
	static const struct
	{
		const char *bytes;
		size_t		n;
		const char *detail;
	}			cases[] = {
		{"\x1f\x8b\x08", 3, "They look like a gzip archive."},
		{"\xfd" "7zXZ\0", 6, "They look like an xz archive."},
		{"GGUF\3", 5, "They look like a GGUF model."},
		{"\x80\2}q", 4,
		"They look like a pickle of Python, as which PyTorch stores pytorch_model.bin."},
		{"\0\0\0\0TFL3", 8, "They look like a TensorFlow Lite model."},
		{"\x10\0\0\0\0\0\0\0{\"a\":", 13,
		"They look like weights in the safetensors format alone."},
		{"\x08\x07\x12\x07pytorch", 11, "They look like an ONNX model."},
		{"{\"a\": 1}", 8, "They look like JSON."},
		{"hello", 5, ""},
	};
	AiError		err;

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		assert_int_equal(ai_magic(cases[i].bytes, cases[i].n), AI_MAGIC_OTHER);
		assert_int_equal(ai_magic_refuse(cases[i].bytes, cases[i].n, &err), AI_ERR_FORMAT);
		assert_string_equal(err.detail, cases[i].detail);
		assert_true(err.hint[0] != '\0');
		for (size_t n = 0; n < cases[i].n; n++)
		{
			char	   *exact = malloc(n);

			if (n > 0)
				memcpy(exact, cases[i].bytes, n);
			assert_int_equal(ai_magic_refuse(exact, n, &err), AI_ERR_FORMAT);
			free(exact);
		}
	}
}

/* a block of ours is one whatever its version */
static void
test_ours(void **state)
{
	(void) state;
	assert_int_equal(ai_magic("\x89" "AIM\r\n", 6), AI_MAGIC_AIM);
	assert_int_equal(ai_magic("\x89" "AI", 3), AI_MAGIC_OTHER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
