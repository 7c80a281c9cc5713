/*-------------------------------------------------------------------------
 * test_aim.c
 *		What is written is read; what could not have been written is refused.
 *
 *	test_aim --write-golden FILE
 *
 * writes the block that test/golden keeps for the current format version: once,
 * when the version is made, and never again.
 *-------------------------------------------------------------------------
 */
#include "core/format/aim.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aim_walk.h"
#include "test_host.h"

#define GOLDEN_V1 "test/golden/aim_v1.bin"

/* of the layout in aim.h */
#define VERSION_AT 8
#define N_ENTRIES_AT 12
#define SIZE_AT 16
#define KIND_AT 32
#define ENTRY_AT(i) (64 + 128 * (i))
#define DTYPE_AT(i) (ENTRY_AT(i) + 64)
#define N_DIMS_AT(i) (ENTRY_AT(i) + 68)
#define DIM_AT(i, d) (ENTRY_AT(i) + 72 + 8 * (d))
#define OFFSET_AT(i) (ENTRY_AT(i) + 104)
#define PAYLOAD_SIZE_AT(i) (ENTRY_AT(i) + 112)

static const float floats[] = {0.5f, -1.0f, 2.0f, 3.25f, -0.0f, 1e30f};
static const uint8_t bytes[] = {1, 2, 3};
static const int64_t float_dims[] = {2, 3};
static const int64_t byte_dims[] = {1, 3, 1, 1};
static const int64_t none[] = {0, 7};
static const int64_t counts_dims[] = {4};
static const char *const labels[] = {"ham", "", "spam", "na\xc3\xafve\0!"};
static const size_t label_lens[] = {3, 0, 4, 8};

/* A block with entries of every kind; small, for all its bits are tried. */
static AiCode
write_block(AiAimWriter *writer, const void **block, size_t *size, AiError *err)
{
	uint32_t   *counts;

	AI_TRY(ai_aim_add(writer, "weights", AI_DTYPE_F32, floats, 2, float_dims, err));
	AI_TRY(ai_aim_reserve(writer, "counts", AI_DTYPE_U32, 1, counts_dims, err));
	AI_TRY(ai_aim_add_strings(writer, "labels", labels, label_lens, 4, err));
	AI_TRY(ai_aim_add_i64(writer, "n_rows", -5, err));
	AI_TRY(ai_aim_add_f64(writer, "temperature", 1.5, err));
	AI_TRY(ai_aim_add(writer, "bytes", AI_DTYPE_U8, bytes, 4, byte_dims, err));
	AI_TRY(ai_aim_add(writer, "nothing", AI_DTYPE_I32, NULL, 2, none, err));
	AI_TRY(ai_aim_add_strings(writer, "no_strings", NULL, NULL, 0, err));
	AI_TRY(ai_aim_finish(writer, block, size, err));
	counts = ai_aim_reserved(writer, "counts");
	for (uint32_t i = 0; i < 4; i++)
		counts[i] = 10 * i;
	return AI_OK;
}

static void
must_write_block(AiAimWriter *writer, const void **block, size_t *size)
{
	AiError		err;

	ai_aim_writer_init(writer, ai_malloc_host(), "test");
	if (write_block(writer, block, size, &err) != AI_OK)
		fail_msg("%s", err.message);
}

static void
check_strings(const AiAim *aim)
{
	AiAimStrings strings;
	AiError		err;

	assert_int_equal(ai_aim_strings(aim, &strings, "labels", &err), AI_OK);
	assert_int_equal(strings.n, 4);
	for (int i = 0; i < 4; i++)
	{
		size_t		len;
		const char *string = ai_aim_string(&strings, i, &len);

		assert_int_equal(len, label_lens[i]);
		assert_memory_equal(string, labels[i], len);
	}
	assert_int_equal(ai_aim_strings(aim, &strings, "no_strings", &err), AI_OK);
	assert_int_equal(strings.n, 0);
}

static void
check_contents(const void *block, size_t size)
{
	AiAim		aim;
	AiError		err;
	const void *data;
	int64_t		dims[AI_AIM_MAX_DIMS];
	int64_t		n_rows;
	double		temperature;

	assert_int_equal(ai_aim_open(&aim, block, size, &err), AI_OK);
	assert_string_equal(ai_aim_kind(&aim), "test");
	assert_int_equal(ai_aim_check_kind(&aim, "test", &err), AI_OK);

	assert_int_equal(ai_aim_array(&aim, &data, dims, "weights", AI_DTYPE_F32, 2, &err), AI_OK);
	assert_int_equal(dims[0], 2);
	assert_int_equal(dims[1], 3);
	assert_memory_equal(data, floats, sizeof(floats));
	assert_int_equal((uintptr_t) data % AI_ALIGNMENT, 0);
	assert_int_equal(ai_aim_shaped_array(&aim, &data, "bytes", AI_DTYPE_U8, 4, byte_dims, &err),
					 AI_OK);
	assert_memory_equal(data, bytes, sizeof(bytes));
	assert_int_equal(ai_aim_array(&aim, &data, dims, "counts", AI_DTYPE_U32, 1, &err), AI_OK);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(((const uint32_t *) data)[i], 10 * i);
	assert_int_equal(ai_aim_array(&aim, &data, dims, "nothing", AI_DTYPE_I32, 2, &err), AI_OK);
	assert_int_equal(dims[0], 0);
	assert_int_equal(dims[1], 7);
	assert_int_equal(ai_aim_i64(&aim, &n_rows, "n_rows", -5, -5, &err), AI_OK);
	assert_int_equal(n_rows, -5);
	assert_int_equal(ai_aim_f64(&aim, &temperature, "temperature", &err), AI_OK);
	assert_true(temperature == 1.5);
	assert_true(ai_aim_has(&aim, "labels.offsets"));
	assert_false(ai_aim_has(&aim, "labels"));
	check_strings(&aim);
}

/* what is written is read again, and listed by rising name */
static void
test_round_trip(void **state)
{
	static const char *const names[] = {
		"bytes", "counts", "labels.bytes", "labels.offsets", "n_rows", "no_strings.bytes",
		"no_strings.offsets", "nothing", "temperature", "weights"
	};
	AiAimWriter writer;
	const void *block;
	size_t		size;
	AiAim		aim;

	(void) state;
	must_write_block(&writer, &block, &size);
	check_contents(block, size);
	assert_null(ai_aim_reserved(&writer, "weights"));
	assert_null(ai_aim_reserved(&writer, "missing"));

	assert_int_equal(ai_aim_open(&aim, block, size, NULL), AI_OK);
	assert_int_equal(aim.n_entries, sizeof(names) / sizeof(names[0]));
	for (int i = 0; i < aim.n_entries; i++)
		assert_string_equal(ai_aim_entry(&aim, i).name, names[i]);
	ai_aim_writer_free(&writer);
}

/* a block works at any aligned address and needs no writer */
static void
test_is_relocatable(void **state)
{
	AiAimWriter writer;
	const void *block;
	size_t		size;
	uint8_t    *copy;

	(void) state;
	must_write_block(&writer, &block, &size);
	copy = aligned_alloc(AI_ALIGNMENT, size + AI_ALIGNMENT);
	memcpy(copy + AI_ALIGNMENT, block, size);
	ai_aim_writer_free(&writer);
	check_contents(copy + AI_ALIGNMENT, size);
	free(copy);
}

/* the order of adding leaves no trace in the bytes */
static void
test_is_deterministic(void **state)
{
	AiAimWriter one;
	AiAimWriter other;
	const void *block;
	const void *other_block;
	size_t		size;
	size_t		other_size;

	(void) state;
	ai_aim_writer_init(&one, ai_malloc_host(), "test");
	ai_aim_writer_init(&other, ai_malloc_host(), "test");
	assert_int_equal(ai_aim_add_i64(&one, "a", 1, NULL), AI_OK);
	assert_int_equal(ai_aim_add_i64(&one, "b", 2, NULL), AI_OK);
	assert_int_equal(ai_aim_add_i64(&other, "b", 2, NULL), AI_OK);
	assert_int_equal(ai_aim_add_i64(&other, "a", 1, NULL), AI_OK);
	assert_int_equal(ai_aim_finish(&one, &block, &size, NULL), AI_OK);
	assert_int_equal(ai_aim_finish(&other, &other_block, &other_size, NULL), AI_OK);
	assert_int_equal(size, other_size);
	assert_memory_equal(block, other_block, size);
	ai_aim_writer_free(&one);
	ai_aim_writer_free(&other);
}

/* a block of version 1 reads for ever, and is what we still write */
static void
test_golden_v1(void **state)
{
	AiAimWriter writer;
	const void *block;
	size_t		size;
	FILE	   *file = fopen(GOLDEN_V1, "rb");
	uint8_t    *golden;

	(void) state;
	assert_non_null(file);
	must_write_block(&writer, &block, &size);
	golden = aligned_alloc(AI_ALIGNMENT, size);
	assert_int_equal(fread(golden, 1, size, file), size);
	assert_int_equal(fgetc(file), EOF);
	fclose(file);
	check_contents(golden, size);
	assert_memory_equal(golden, block, size);
	free(golden);
	ai_aim_writer_free(&writer);
}

/* no entry: still a model */
static void
test_empty(void **state)
{
	AiAimWriter writer;
	const void *block;
	size_t		size;
	AiAim		aim;

	(void) state;
	ai_aim_writer_init(&writer, ai_malloc_host(), "empty");
	assert_int_equal(ai_aim_finish(&writer, &block, &size, NULL), AI_OK);
	assert_int_equal(size, 64);
	assert_int_equal(ai_aim_open(&aim, block, size, NULL), AI_OK);
	assert_int_equal(aim.n_entries, 0);
	assert_false(ai_aim_has(&aim, "x"));
	ai_aim_writer_free(&writer);
}

/* many entries, added in no order, are all found */
static void
test_many_entries(void **state)
{
	enum
	{
		N = 1000
	};
	AiAimWriter writer;
	const void *block;
	size_t		size;
	AiAim		aim;
	char		name[AI_AIM_NAME_SIZE];

	(void) state;
	ai_aim_writer_init(&writer, ai_malloc_host(), "many");
	for (int i = 0; i < N; i++)
	{
		snprintf(name, sizeof(name), "layer.%d", i * 7 % N);
		assert_int_equal(ai_aim_add_i64(&writer, name, i * 7 % N, NULL), AI_OK);
	}
	assert_int_equal(ai_aim_finish(&writer, &block, &size, NULL), AI_OK);
	assert_int_equal(ai_aim_open(&aim, block, size, NULL), AI_OK);
	for (int i = 0; i < N; i++)
	{
		int64_t		value;

		snprintf(name, sizeof(name), "layer.%d", i);
		assert_int_equal(ai_aim_i64(&aim, &value, name, i, i, NULL), AI_OK);
	}
	ai_aim_writer_free(&writer);
}

/* a name or kind that the format cannot hold is the program's mistake */
static void
test_writer_refuses(void **state)
{
	static const int64_t huge[] = {INT64_C(1) << 40, INT64_C(1) << 40, 0};
	static const int64_t negative[] = {-1};
	static const char *const wrong_names[] = {
		"", "with space", "umlaut\xc3\xa4",
		"0123456789012345678901234567890123456789012345678901234567890123"
	};
	AiAimWriter writer;
	const void *block;
	size_t		size;

	(void) state;
	ai_aim_writer_init(&writer, ai_malloc_host(), "0123456789012345678901234567890x");
	for (size_t i = 0; i < sizeof(wrong_names) / sizeof(wrong_names[0]); i++)
		assert_int_equal(ai_aim_add_i64(&writer, wrong_names[i], 1, NULL), AI_ERR_BUG);
	assert_int_equal(ai_aim_add_i64(&writer, "twice", 1, NULL), AI_OK);
	assert_int_equal(ai_aim_add_i64(&writer, "twice", 1, NULL), AI_ERR_BUG);
	assert_int_equal(ai_aim_reserve(&writer, "huge", AI_DTYPE_F64, 3, huge, NULL), AI_ERR_LIMIT);
	assert_int_equal(ai_aim_reserve(&writer, "minus", AI_DTYPE_F64, 1, negative, NULL),
					 AI_ERR_LIMIT);
	assert_int_equal(ai_aim_finish(&writer, &block, &size, NULL), AI_ERR_BUG);
	ai_aim_writer_free(&writer);
}

static AiCode
write_and_free(const AiHost *host, void *arg, AiError *err)
{
	AiAimWriter writer;
	const void *block;
	size_t		size;
	AiCode		code;

	(void) arg;
	ai_aim_writer_init(&writer, host, "test");
	code = write_block(&writer, &block, &size, err);
	ai_aim_writer_free(&writer);
	return code;
}

/* whichever allocation fails, the writer says so and gives everything back */
static void
test_every_allocation_fails(void **state)
{
	(void) state;
	test_every_failed_alloc(write_and_free, NULL);
}

/* what is asked for and is not there, or is something else, is named */
static void
test_reader_names_what_is_wrong(void **state)
{
	static const int64_t other_dims[] = {2, 4};
	AiAimWriter writer;
	const void *block;
	size_t		size;
	AiAim		aim;
	AiError		err;
	const void *data;
	int64_t		dims[AI_AIM_MAX_DIMS];
	int64_t		value;
	double		number;
	AiAimStrings strings;

	(void) state;
	must_write_block(&writer, &block, &size);
	assert_int_equal(ai_aim_open(&aim, block, size, NULL), AI_OK);

	assert_int_equal(ai_aim_check_kind(&aim, "other", &err), AI_ERR_FORMAT);
	assert_string_equal(err.message, "model is of kind \"test\", expected \"other\"");
	assert_int_equal(ai_aim_array(&aim, &data, dims, "weight", AI_DTYPE_F32, 2, &err),
					 AI_ERR_FORMAT);
	assert_string_equal(err.message, "invalid aim model: it has no entry \"weight\"");
	assert_int_equal(ai_aim_array(&aim, &data, dims, "weights", AI_DTYPE_F64, 2, &err),
					 AI_ERR_FORMAT);
	assert_string_equal(err.message, "invalid aim model: entry \"weights\" has the wrong type");
	assert_string_equal(err.detail, "It is f32 with 2 dimensions, expected f64 with 2.");
	assert_int_equal(ai_aim_array(&aim, &data, dims, "weights", AI_DTYPE_F32, 1, &err),
					 AI_ERR_FORMAT);
	assert_int_equal(ai_aim_shaped_array(&aim, &data, "weights", AI_DTYPE_F32, 2, other_dims,
										 &err), AI_ERR_FORMAT);
	assert_string_equal(err.message,
						"invalid aim model: dimension 2 of entry \"weights\" is 3, expected 4");
	assert_int_equal(ai_aim_i64(&aim, &value, "n_rows", 0, 9, &err), AI_ERR_FORMAT);
	assert_string_equal(err.message,
						"invalid aim model: \"n_rows\" is -5, not between 0 and 9");
	assert_int_equal(ai_aim_f64(&aim, &number, "n_rows", &err), AI_ERR_FORMAT);
	assert_int_equal(ai_aim_strings(&aim, &strings, "weights", &err), AI_ERR_FORMAT);
	assert_string_equal(err.message, "invalid aim model: it has no entry \"weights.offsets\"");
	ai_aim_writer_free(&writer);
}

/*
 * Damage.  The copies have exactly the size given, so that a sanitizer sees
 * every byte read beyond them.
 */

static uint8_t *
copy_of(const void *block, size_t size)
{
	void	   *copy = NULL;

	assert_int_equal(posix_memalign(&copy, AI_ALIGNMENT, size > 0 ? size : 1), 0);
	memcpy(copy, block, size);
	return copy;
}

/* the block cut at any length is refused */
static void
test_every_truncation(void **state)
{
	AiAimWriter writer;
	const void *block;
	size_t		size;

	(void) state;
	must_write_block(&writer, &block, &size);
	for (size_t cut = 0; cut < size; cut++)
	{
		uint8_t    *copy = copy_of(block, cut);
		AiAim		aim;
		AiError		err;

		assert_int_equal(ai_aim_open(&aim, copy, cut, &err), AI_ERR_FORMAT);
		assert_string_equal(err.message, "invalid aim model: it has the wrong size");
		free(copy);
	}
	ai_aim_writer_free(&writer);
}

/* no bit is without meaning: it is refused, or changes a name, a type or a value */
static void
test_every_bit_flip(void **state)
{
	AiAimWriter writer;
	const void *block;
	size_t		size;
	AiAim		aim;
	uint64_t	intact;
	size_t		n_refused = 0;

	(void) state;
	must_write_block(&writer, &block, &size);
	assert_int_equal(ai_aim_open(&aim, block, size, NULL), AI_OK);
	intact = aim_walk(&aim);
	for (size_t bit = 0; bit < size * 8; bit++)
	{
		uint8_t    *copy = copy_of(block, size);
		AiError		err;
		AiCode		code;

		copy[bit / 8] ^= (uint8_t) (1 << bit % 8);
		code = ai_aim_open(&aim, copy, size, &err);
		if (code == AI_OK)
			assert_true(aim_walk(&aim) != intact);
		else
		{
			n_refused++;
			assert_true(code == AI_ERR_FORMAT || code == AI_ERR_UNSUPPORTED);
			assert_true(err.message[0] != '\0');
		}
		free(copy);
	}
	assert_true(n_refused > size * 4);
	ai_aim_writer_free(&writer);
}

/* a block that differs from a good one in one number */
typedef struct Damage
{
	size_t		at;
	int			size;			/* of the number, bytes */
	uint64_t	value;
	AiCode		code;
	const char *message;
} Damage;

static void
check_damage(const void *block, size_t size, const Damage *damage)
{
	uint8_t    *copy = copy_of(block, size);
	AiAim		aim;
	AiError		err;

	memcpy(copy + damage->at, &damage->value, (size_t) damage->size);
	assert_int_equal(ai_aim_open(&aim, copy, size, &err), damage->code);
	assert_string_equal(err.message, damage->message);
	free(copy);
}

/* each rule of the layout has its own message */
static void
test_damage_is_named(void **state)
{
	/* entries 0 "bytes" u8 [1, 3, 1, 1], 1 "counts" u32 [4], 9 "weights" f32 [2, 3] */
#define INVALID "invalid aim model: "
	const uint64_t first = 64 + 128 * 10;
	const Damage damages[] = {
		{0, 1, 'a', AI_ERR_FORMAT, INVALID "it does not begin as one"},
		{VERSION_AT, 4, 2, AI_ERR_UNSUPPORTED,
		"model format version 2 is newer than this server's (1)"},
		{VERSION_AT, 4, UINT32_MAX, AI_ERR_UNSUPPORTED,
		"model format version 4294967295 is newer than this server's (1)"},
		{VERSION_AT, 4, 0, AI_ERR_FORMAT, INVALID "its format version is 0"},
		{N_ENTRIES_AT, 4, UINT32_MAX, AI_ERR_FORMAT, INVALID "its directory ends beyond its end"},
		{N_ENTRIES_AT, 4, 9, AI_ERR_FORMAT,
		INVALID "entry \"bytes\" begins at byte 1344 instead of 1216"},
		{N_ENTRIES_AT, 4, 0, AI_ERR_FORMAT, INVALID "it has the wrong size"},
		{SIZE_AT, 8, 64, AI_ERR_FORMAT, INVALID "it has the wrong size"},
		{SIZE_AT, 8, UINT64_MAX, AI_ERR_FORMAT, INVALID "it has the wrong size"},
		{SIZE_AT + 8, 1, 1, AI_ERR_FORMAT, INVALID "its header is damaged"},
		{KIND_AT, 1, 0, AI_ERR_FORMAT, INVALID "its kind is damaged"},
		{KIND_AT + 31, 1, 'x', AI_ERR_FORMAT, INVALID "its kind is damaged"},
		{ENTRY_AT(0), 1, 0, AI_ERR_FORMAT, INVALID "the name of entry 0 is damaged"},
		{ENTRY_AT(0), 1, '\n', AI_ERR_FORMAT, INVALID "the name of entry 0 is damaged"},
		{ENTRY_AT(0), 1, 'x', AI_ERR_FORMAT,
		INVALID "entries \"xytes\" and \"counts\" are not in order"},
		{DTYPE_AT(0), 4, 0, AI_ERR_FORMAT,
		INVALID "entry \"bytes\" has elements of type 0, which does not exist"},
		{DTYPE_AT(0), 4, UINT32_MAX, AI_ERR_FORMAT,
		INVALID "entry \"bytes\" has elements of type 4294967295, which does not exist"},
		{N_DIMS_AT(0), 4, 5, AI_ERR_FORMAT,
		INVALID "entry \"bytes\" has 5 dimensions, more than 4"},
		{N_DIMS_AT(0), 4, 3, AI_ERR_FORMAT, INVALID "entry \"bytes\" has a stray dimension"},
		{DIM_AT(0, 0), 8, 2, AI_ERR_FORMAT,
		INVALID "entry \"bytes\" has 3 bytes, its dimensions make 6"},
		{DIM_AT(0, 0), 8, UINT64_MAX, AI_ERR_FORMAT,
		INVALID "the dimensions of entry \"bytes\" are too large"},
		{DIM_AT(1, 0), 8, UINT64_C(1) << 62, AI_ERR_FORMAT,
		INVALID "the dimensions of entry \"counts\" are too large"},
		{OFFSET_AT(0), 8, first + 1, AI_ERR_FORMAT,
		INVALID "entry \"bytes\" begins at byte 1345 instead of 1344"},
		{OFFSET_AT(1), 8, first, AI_ERR_FORMAT,
		INVALID "entry \"counts\" begins at byte 1344 instead of 1408"},
		{OFFSET_AT(1), 8, UINT64_MAX, AI_ERR_FORMAT,
		INVALID "entry \"counts\" begins at byte 18446744073709551615 instead of 1408"},
		{PAYLOAD_SIZE_AT(1), 8, 17, AI_ERR_FORMAT,
		INVALID "entry \"counts\" has 17 bytes, its dimensions make 16"},
		{ENTRY_AT(0) + 120, 1, 1, AI_ERR_FORMAT, INVALID "entry \"bytes\" is damaged"},
		{first + 3, 1, 1, AI_ERR_FORMAT, INVALID "entry \"bytes\" is followed by stray bytes"},
	};
	AiAimWriter writer;
	const void *block;
	size_t		size;
	AiError		err;
	AiAim		aim;

	(void) state;
	must_write_block(&writer, &block, &size);
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++)
		check_damage(block, size, &damages[i]);

	assert_int_equal(ai_aim_open(&aim, (const char *) block + 8, size - 8, &err), AI_ERR_BUG);
	ai_aim_writer_free(&writer);
}

/* an entry that is consistent but longer than the block is refused */
static void
test_entry_beyond_the_end(void **state)
{
	const uint64_t n_elements = UINT64_C(1) << 40;
	const uint64_t n_bytes = n_elements * 4;
	AiAimWriter writer;
	const void *block;
	size_t		size;
	uint8_t    *copy;
	AiAim		aim;
	AiError		err;

	(void) state;
	must_write_block(&writer, &block, &size);
	copy = copy_of(block, size);
	memcpy(copy + DIM_AT(1, 0), &n_elements, sizeof(n_elements));
	memcpy(copy + PAYLOAD_SIZE_AT(1), &n_bytes, sizeof(n_bytes));
	assert_int_equal(ai_aim_open(&aim, copy, size, &err), AI_ERR_FORMAT);
	assert_string_equal(err.message, INVALID "entry \"counts\" ends beyond its end");
	free(copy);
	ai_aim_writer_free(&writer);
}

/* offsets of strings that fall, or leave their bytes, are refused */
static void
test_damaged_strings(void **state)
{
	static const uint64_t wrong[][5] = {
		{1, 3, 3, 7, 15},
		{0, 4, 3, 7, 15},
		{0, 3, 3, 16, 15},
		{0, 3, 3, 7, 14},
		{0, 3, 3, 7, UINT64_MAX},
		{0, UINT64_MAX, 3, 7, 15},
	};
	static const int64_t n_offsets[] = {5};
	static const int64_t n_bytes[] = {15};
	static const int64_t zero[] = {0};

	(void) state;
	for (size_t i = 0; i <= sizeof(wrong) / sizeof(wrong[0]); i++)
	{
		bool		is_last = i == sizeof(wrong) / sizeof(wrong[0]);
		AiAimWriter writer;
		const void *block;
		size_t		size;
		AiAim		aim;
		AiAimStrings strings;
		AiError		err;

		ai_aim_writer_init(&writer, ai_malloc_host(), "test");
		assert_int_equal(ai_aim_add(&writer, "x.offsets", AI_DTYPE_U64,
									is_last ? NULL : wrong[i], 1,
									is_last ? zero : n_offsets, NULL), AI_OK);
		assert_int_equal(ai_aim_reserve(&writer, "x.bytes", AI_DTYPE_U8, 1, n_bytes, NULL),
						 AI_OK);
		assert_int_equal(ai_aim_finish(&writer, &block, &size, NULL), AI_OK);
		assert_int_equal(ai_aim_open(&aim, block, size, NULL), AI_OK);
		assert_int_equal(ai_aim_strings(&aim, &strings, "x", &err), AI_ERR_FORMAT);
		assert_string_equal(err.message, INVALID "the offsets of strings \"x\" are damaged");
		ai_aim_writer_free(&writer);
	}
}

/* numbers that are not finite do not leave the reader */
static void
test_not_finite(void **state)
{
	static const double wrong[] = {NAN, INFINITY, -INFINITY};

	(void) state;
	for (int i = 0; i < 3; i++)
	{
		AiAimWriter writer;
		const void *block;
		size_t		size;
		AiAim		aim;
		double		value;

		ai_aim_writer_init(&writer, ai_malloc_host(), "test");
		assert_int_equal(ai_aim_add_f64(&writer, "x", wrong[i], NULL), AI_OK);
		assert_int_equal(ai_aim_finish(&writer, &block, &size, NULL), AI_OK);
		assert_int_equal(ai_aim_open(&aim, block, size, NULL), AI_OK);
		assert_int_equal(ai_aim_f64(&aim, &value, "x", NULL), AI_ERR_FORMAT);
		ai_aim_writer_free(&writer);
	}
}

static int
write_golden(const char *path)
{
	AiAimWriter writer;
	const void *block;
	size_t		size;
	FILE	   *file = fopen(path, "wb");
	bool		is_written;

	ai_aim_writer_init(&writer, ai_malloc_host(), "test");
	is_written = file != NULL &&
		write_block(&writer, &block, &size, NULL) == AI_OK &&
		fwrite(block, 1, size, file) == size;
	if (file != NULL && fclose(file) != 0)
		is_written = false;
	ai_aim_writer_free(&writer);
	return is_written ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_is_relocatable),
		cmocka_unit_test(test_is_deterministic),
		cmocka_unit_test(test_golden_v1),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_many_entries),
		cmocka_unit_test(test_writer_refuses),
		cmocka_unit_test(test_every_allocation_fails),
		cmocka_unit_test(test_reader_names_what_is_wrong),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_every_bit_flip),
		cmocka_unit_test(test_damage_is_named),
		cmocka_unit_test(test_entry_beyond_the_end),
		cmocka_unit_test(test_damaged_strings),
		cmocka_unit_test(test_not_finite),
	};

	if (argc == 3 && strcmp(argv[1], "--write-golden") == 0)
		return write_golden(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
