/*-------------------------------------------------------------------------
 * test_safetensors.c
 *		Weights are read as they were written, from memory and piece by piece, and every
 *		header that does not describe its file is refused.
 *
 *	test_safetensors --write-corpus DIRECTORY
 *
 * writes the files with which test/fuzz/fuzz_safetensors.c begins.
 *-------------------------------------------------------------------------
 */
#include "core/format/safetensors.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_files.h"
#include "test_host.h"

#define TENSOR(name, type, shape, begin, end) \
	"\"" name "\":{\"dtype\":\"" type "\",\"shape\":[" shape "],\"data_offsets\":[" #begin "," #end "]}"

#define ALL_TYPES \
	"{\"__metadata__\":{\"format\":\"pt\"}," \
	TENSOR("f32", "F32", "2,3", 0, 24) "," TENSOR("f16", "F16", "4", 24, 32) "," \
	TENSOR("bf16", "BF16", "2", 32, 36) "," TENSOR("f64", "F64", "1", 36, 44) "," \
	TENSOR("i8", "I8", "2,2", 44, 48) "," TENSOR("i64", "I64", "2", 48, 64) "," \
	TENSOR("scalar", "F32", "", 64, 68) "," TENSOR("none", "F32", "0,7", 68, 68) "," \
	TENSOR("i32", "I32", "1", 68, 72) "," TENSOR("f8", "F8_E4M3", "2", 72, 74) "}     "


static void
make_all_types(AiBuf *file, const AiHost *host)
{
	static const float f32[] = {1, -2, 3.5f, 0x1p-149f, -0.0f, 1e30f};
	static const uint16_t f16[] = {0x3C00, 0x8001, 0xFBFF, 0x0400};	/* 1, -2^-24, -65504, 2^-14 */
	static const uint16_t bf16[] = {0x3F80, 0xC049};	/* 1, -3.140625 */
	static const double f64[] = {1.0 / 3.0};
	static const int8_t i8[] = {-128, 127, 0, -1};
	static const int64_t i64[] = {INT64_MIN, 1 << 24};
	static const float scalar[] = {42};
	static const int32_t i32[] = {-7};
	uint8_t		data[74] = {0};

	memcpy(data, f32, 24);
	memcpy(data + 24, f16, 8);
	memcpy(data + 32, bf16, 4);
	memcpy(data + 36, f64, 8);
	memcpy(data + 44, i8, 4);
	memcpy(data + 48, i64, 16);
	memcpy(data + 64, scalar, 4);
	memcpy(data + 68, i32, 4);
	ai_buf_init(file, host);
	files_safetensors(file, ALL_TYPES, data, sizeof(data));
}

static void
check_values(const AiSafetensors *opened)
{
	static const struct
	{
		const char *name;
		int			n;
		float		values[6];
	}			expected[] = {
		{"f32", 6, {1, -2, 3.5f, 0x1p-149f, -0.0f, 1e30f}},
		{"f16", 4, {1, -0x1p-24f, -65504, 0x1p-14f}},
		{"bf16", 2, {1, -3.140625f}},
		{"f64", 1, {1.0f / 3.0f}},
		{"i8", 4, {-128, 127, 0, -1}},
		{"i64", 2, {-0x1p63f, 0x1p24f}},
		{"scalar", 1, {42}},
		{"none", 0, {0}},
		{"i32", 1, {-7}},
	};

	for (size_t t = 0; t < sizeof(expected) / sizeof(expected[0]); t++)
	{
		const AiTensor *tensor = ai_safetensors_find(opened, expected[t].name);
		float		values[6];
		AiError		err;

		assert_non_null(tensor);
		assert_int_equal(tensor->n_elements, expected[t].n);
		for (int first = 0; first <= expected[t].n; first++)
		{
			size_t		n = (size_t) (expected[t].n - first);

			assert_int_equal(ai_safetensors_read(opened, tensor, values, first, (int64_t) n, &err),
							 AI_OK);
			assert_memory_equal(values, expected[t].values + first, n * sizeof(float));
		}
	}
}

/* every type, from memory and through a callback */
static void
test_types(void **state)
{
	(void) state;
	for (int is_read = 0; is_read < 2; is_read++)
	{
		AiBuf		file;
		AiSource	source;
		AiSafetensors opened;
		AiError		err;
		int64_t		integers[2];

		make_all_types(&file, ai_malloc_host());
		source = is_read ? files_read_source(&file) : ai_source_of_memory(file.data, file.len);
		assert_int_equal(ai_safetensors_open(&opened, ai_malloc_host(), &source, "a", &err), AI_OK);
		assert_int_equal(opened.n, 10);
		check_values(&opened);
		assert_null(ai_safetensors_find(&opened, "f"));
		assert_int_equal(ai_safetensors_find(&opened, "f32")->n_dims, 2);
		assert_int_equal(ai_safetensors_find(&opened, "none")->dims[1], 7);
		assert_int_equal(ai_safetensors_read_integers(&opened, ai_safetensors_find(&opened, "i64"),
													  integers, 0, 2, &err), AI_OK);
		assert_true(integers[0] == INT64_MIN && integers[1] == 1 << 24);
		ai_safetensors_close(&opened);
		ai_buf_free(&file);
	}
}

/* a tensor that is larger than what is read at once */
static void
test_pieces(void **state)
{
	size_t		n = 100003;
	uint16_t   *halves = malloc(n * sizeof(uint16_t));
	float	   *values = malloc(n * sizeof(float));
	AiBuf		file;
	AiSource	source;
	AiSafetensors opened;
	AiError		err;

	(void) state;
	for (size_t i = 0; i < n; i++)
		halves[i] = (uint16_t) (i % 0x7F80);
	ai_buf_init(&file, ai_malloc_host());
	files_safetensors(&file, "{" TENSOR("x", "BF16", "100003", 0, 200006) "}", halves, 2 * n);
	source = files_read_source(&file);
	assert_int_equal(ai_safetensors_open(&opened, ai_malloc_host(), &source, "a", &err), AI_OK);
	assert_int_equal(ai_safetensors_read(&opened, opened.tensors, values, 0, (int64_t) n, &err),
					 AI_OK);
	for (size_t i = 0; i < n; i++)
	{
		uint32_t	bits;

		memcpy(&bits, &values[i], sizeof(bits));
		assert_int_equal(bits, (uint32_t) halves[i] << 16);
	}
	ai_safetensors_close(&opened);
	ai_buf_free(&file);
	free(halves);
	free(values);
}

/* all halves, against the definition of their value */
static void
test_halves(void **state)
{
	uint16_t   *halves = malloc(65536 * sizeof(uint16_t));
	AiBuf		file;
	AiSource	source;
	AiSafetensors opened;
	AiError		err;

	(void) state;
	for (int i = 0; i < 65536; i++)
		halves[i] = (uint16_t) i;
	ai_buf_init(&file, ai_malloc_host());
	files_safetensors(&file, "{" TENSOR("x", "F16", "65536", 0, 131072) "}", halves, 131072);
	source = ai_source_of_memory(file.data, file.len);
	assert_int_equal(ai_safetensors_open(&opened, ai_malloc_host(), &source, "a", &err), AI_OK);
	for (int i = 0; i < 65536; i++)
	{
		int			exponent = i >> 10 & 31;
		double		expected = ldexp((exponent > 0 ? 1024 : 0) + (i & 1023),
									 (exponent > 0 ? exponent : 1) - 25);
		float		value;
		AiCode		code = ai_safetensors_read(&opened, opened.tensors, &value, i, 1, &err);

		assert_int_equal(code, exponent == 31 ? AI_ERR_FORMAT : AI_OK);
		if (code == AI_OK)
			assert_true(value == (float) (i >= 32768 ? -expected : expected));
	}
	ai_safetensors_close(&opened);
	ai_buf_free(&file);
	free(halves);
}

/* numbers that are not finite, and types that are not read, are named when they are read */
static void
test_unreadable(void **state)
{
	static const double data[] = {1, 1e300, NAN};
	AiBuf		file;
	AiSource	source;
	AiSafetensors opened;
	float		values[3];
	int64_t		integers[1];
	AiError		err;

	(void) state;
	ai_buf_init(&file, ai_malloc_host());
	files_safetensors(&file,
					  "{" TENSOR("x", "F64", "2", 0, 16) "," TENSOR("y", "U64", "1", 16, 24) "}",
					  data, 24);
	source = ai_source_of_memory(file.data, file.len);
	assert_int_equal(ai_safetensors_open(&opened, ai_malloc_host(), &source, "a", &err), AI_OK);
	assert_int_equal(ai_safetensors_read(&opened, opened.tensors, values, 0, 2, &err),
					 AI_ERR_FORMAT);
	assert_string_equal(err.message, "tensor \"x\" of file \"a\" has a number that is not finite");
	assert_string_equal(err.detail, "Element 1 is infinite in single precision.");
	assert_int_equal(ai_safetensors_read(&opened, opened.tensors, values, 0, 3, &err), AI_ERR_BUG);
	assert_int_equal(ai_safetensors_read(&opened, opened.tensors + 1, values, 0, 1, &err),
					 AI_ERR_UNSUPPORTED);
	assert_string_equal(err.message,
						"tensor \"y\" of file \"a\" has elements of type U64, which is not supported");
	assert_int_equal(ai_safetensors_read_integers(&opened, opened.tensors, integers, 0, 1, &err),
					 AI_ERR_UNSUPPORTED);
	ai_safetensors_close(&opened);
	ai_buf_free(&file);
}

/* headers with eight bytes of data behind them, and what is said of them */
#define WRONG "invalid safetensors file \"a\": "

static const struct
{
	const char *header;
	AiCode		code;
	const char *message;
}			hostile[] = {
	{"[]", AI_ERR_FORMAT, WRONG "its header is no JSON object"},
	{"", AI_ERR_FORMAT, WRONG "its header is no JSON object"},
	{" {}", AI_ERR_FORMAT, WRONG "its header is no JSON object"},
	{"{", AI_ERR_FORMAT, WRONG "its header is invalid JSON: a key is expected"},
	{"{}", AI_ERR_FORMAT, WRONG "8 bytes at its end belong to no tensor"},
	{"{} {}", AI_ERR_FORMAT, WRONG "its header is invalid JSON: something follows its end"},
	{"{\"x\":1}", AI_ERR_FORMAT, WRONG "wrong description of tensor \"x\""},
	{"{\"x\":{\"dtype\":\"F32\",\"shape\":[2]}}", AI_ERR_FORMAT,
	WRONG "missing dtype, shape or data_offsets of tensor \"x\""},
	{"{\"x\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", AI_ERR_FORMAT,
	WRONG "repeated field of tensor \"x\""},
	{"{\"x\":{\"dtype\":32,\"shape\":[2],\"data_offsets\":[0,8]}}", AI_ERR_FORMAT,
	WRONG "wrong dtype of tensor \"x\""},
	{"{" TENSOR("x", "F31", "2", 0, 8) "}", AI_ERR_UNSUPPORTED,
	"tensor \"x\" of file \"a\" has elements of type \"F31\", which is not known"},
	{"{" TENSOR("x", "F32", "-2", 0, 8) "}", AI_ERR_FORMAT, WRONG "wrong shape of tensor \"x\""},
	{"{" TENSOR("x", "F32", "2.0", 0, 8) "}", AI_ERR_FORMAT, WRONG "wrong shape of tensor \"x\""},
	{"{" TENSOR("x", "F32", "[2]", 0, 8) "}", AI_ERR_FORMAT, WRONG "wrong shape of tensor \"x\""},
	{"{" TENSOR("x", "F32", "18446744073709551615", 0, 8) "}", AI_ERR_FORMAT,
	WRONG "wrong shape of tensor \"x\""},
	{"{" TENSOR("x", "F32", "4294967296,4294967296", 0, 8) "}", AI_ERR_FORMAT,
	WRONG "too large a shape of tensor \"x\""},
	{"{" TENSOR("x", "F32", "4611686018427387904,2,2", 0, 8) "}", AI_ERR_FORMAT,
	WRONG "too large a shape of tensor \"x\""},
	{"{" TENSOR("x", "F32", "1,1,1,1,1,1,1,1,2", 0, 8) "}", AI_ERR_LIMIT,
	"tensor \"x\" of file \"a\" has too many dimensions"},
	{"{" TENSOR("x", "F32", "3", 0, 8) "}", AI_ERR_FORMAT,
	WRONG "shape and data_offsets that do not fit of tensor \"x\""},
	{"{" TENSOR("x", "F4", "3", 0, 8) "}", AI_ERR_FORMAT,
	WRONG "shape and data_offsets that do not fit of tensor \"x\""},
	{"{" TENSOR("x", "F32", "2", 8, 0) "}", AI_ERR_FORMAT, WRONG "wrong data_offsets of tensor \"x\""},
	{"{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,9]}}", AI_ERR_FORMAT,
	WRONG "wrong data_offsets of tensor \"x\""},
	{"{" TENSOR("x", "F32", "2", 0, -8) "}", AI_ERR_FORMAT, WRONG "wrong data_offsets of tensor \"x\""},
	{"{" TENSOR("x", "F32", "4", 0, 16) "}", AI_ERR_FORMAT,
	WRONG "tensor \"x\" ends beyond the end of the file"},
	{"{" TENSOR("x", "U8", "9223372036854775807", 0, 9223372036854775807) "}", AI_ERR_FORMAT,
	WRONG "too large a shape of tensor \"x\""},
	{"{" TENSOR("x", "F32", "1", 0, 4) "}", AI_ERR_FORMAT, WRONG "4 bytes at its end belong to no tensor"},
	{"{" TENSOR("x", "F32", "1", 4, 8) "}", AI_ERR_FORMAT,
	WRONG "tensor \"x\" begins at byte 4 instead of 0"},
	{"{" TENSOR("x", "F32", "1", 0, 4) "," TENSOR("y", "F32", "1", 0, 4) "}", AI_ERR_FORMAT,
	WRONG "tensor \"y\" begins at byte 0 instead of 4"},
	{"{" TENSOR("x", "F32", "2", 0, 8) "," TENSOR("y", "F32", "1", 4, 8) "}", AI_ERR_FORMAT,
	WRONG "tensor \"y\" begins at byte 4 instead of 8"},
	{"{" TENSOR("x", "F32", "1", 0, 4) "," TENSOR("x", "F32", "1", 4, 8) "}", AI_ERR_FORMAT,
	WRONG "tensor \"x\" is there twice"},
	{"{\"__metadata__\":{\"a\":1}}", AI_ERR_FORMAT, WRONG "its metadata are no strings"},
	{"{\"__metadata__\":[]}", AI_ERR_FORMAT, WRONG "its metadata are no strings"},
	{"{\"__metadata__\":{},\"__metadata__\":{}}", AI_ERR_FORMAT, WRONG "its metadata are there twice"},
};

#define N_HOSTILE (int) (sizeof(hostile) / sizeof(hostile[0]))

static void
test_hostile(void **state)
{
	(void) state;
	for (int i = 0; i < N_HOSTILE; i++)
	{
		AiBuf		file;
		AiSource	source;
		AiSafetensors opened;
		AiError		err;
		AiCode		code;

		ai_buf_init(&file, ai_malloc_host());
		files_safetensors(&file, hostile[i].header, "12345678", 8);
		source = ai_source_of_memory(file.data, file.len);
		code = ai_safetensors_open(&opened, ai_malloc_host(), &source, "a", &err);
		if (code != hostile[i].code || strcmp(err.message, hostile[i].message) != 0)
			fail_msg("%s: %d, %s", hostile[i].header, code, code == AI_OK ? "" : err.message);
		ai_buf_free(&file);
	}
}

/* every beginning of a file is refused, whatever its header says of its size */
static void
test_cut(void **state)
{
	AiBuf		file;
	AiSafetensors opened;
	AiError		err;
	uint64_t	claimed[] = {100000001, UINT64_MAX, UINT64_MAX - 7, 100000000};

	(void) state;
	make_all_types(&file, ai_malloc_host());
	for (size_t n = 0; n < file.len; n++)
	{
		uint8_t    *cut = malloc(n > 0 ? n : 1);
		AiSource	source = ai_source_of_memory(cut, n);

		memcpy(cut, file.data, n);
		assert_int_equal(ai_safetensors_open(&opened, ai_malloc_host(), &source, "a", &err),
						 AI_ERR_FORMAT);
		free(cut);
	}
	for (int i = 0; i < 4; i++)
	{
		AiSource	source = ai_source_of_memory(file.data, file.len);

		memcpy(file.data, &claimed[i], sizeof(claimed[i]));
		assert_int_equal(ai_safetensors_open(&opened, ai_malloc_host(), &source, "a", &err),
						 AI_ERR_FORMAT);
	}
	ai_buf_free(&file);
}

/* more tensors than are read */
static void
test_many(void **state)
{
	int			n = AI_SAFETENSORS_MAX_TENSORS + 1;
	char	   *header = malloc((size_t) n * 80);
	char	   *at = header;
	AiBuf		file;
	AiSource	source;
	AiSafetensors opened;
	AiError		err;

	(void) state;
	for (int i = 0; i < n; i++)
		at += sprintf(at, "%c\"%d\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}",
					  i == 0 ? '{' : ',', i);
	strcpy(at, "}");
	ai_buf_init(&file, ai_malloc_host());
	files_safetensors(&file, header, "", 0);
	source = ai_source_of_memory(file.data, file.len);
	assert_int_equal(ai_safetensors_open(&opened, ai_malloc_host(), &source, "a", &err), AI_ERR_LIMIT);
	assert_string_equal(err.message, "file \"a\" has too many tensors");
	ai_buf_free(&file);
	free(header);
}

static AiCode
open_and_read(const AiHost *host, void *arg, AiError *err)
{
	AiSource	source = files_read_source(arg);
	AiSafetensors opened;
	float		values[6];
	AiCode		code = ai_safetensors_open(&opened, host, &source, "a", err);

	if (code != AI_OK)
		return code;
	code = ai_safetensors_read(&opened, ai_safetensors_find(&opened, "f32"), values, 0, 6, err);
	ai_safetensors_close(&opened);
	return code;
}

static void
test_every_allocation_fails(void **state)
{
	AiBuf		file;

	(void) state;
	make_all_types(&file, ai_malloc_host());
	test_every_failed_alloc(open_and_read, &file);
	ai_buf_free(&file);
}

static void
write_corpus(const char *directory)
{
	AiBuf		file;

	make_all_types(&file, ai_malloc_host());
	files_write(directory, "all_types", &file);
	for (int i = 0; i < N_HOSTILE; i++)
	{
		char		name[32];

		file.len = 0;
		files_safetensors(&file, hostile[i].header, "12345678", 8);
		snprintf(name, sizeof(name), "hostile_%02d", i);
		files_write(directory, name, &file);
	}
	ai_buf_free(&file);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_halves),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_every_allocation_fails),
	};

	if (argc == 3 && strcmp(argv[1], "--write-corpus") == 0)
	{
		write_corpus(argv[2]);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
