/*-------------------------------------------------------------------------
 * test_export.c
 *		A model on its way is what the writer of blocks would have made, and
 *		whatever arrives instead is refused.
 *
 *	test_export --write-corpus DIRECTORY
 *
 * writes the exports with which test/fuzz/fuzz_export.c begins.
 *-------------------------------------------------------------------------
 */
#include "core/format/export.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_host.h"

#define INVALID "invalid aim model: "

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

static const char manifest[] = "{\"name\": \"sms\"}";
static const size_t manifest_size = sizeof(manifest) - 1;

/* n bytes, none of them zero */
static uint8_t *
make_content(size_t n)
{
	uint8_t    *content = malloc(n > 0 ? n : 1);

	for (size_t i = 0; i < n; i++)
		content[i] = (uint8_t) (i % 255 + 1);
	return content;
}

static AiCode
write_export(AiBuf *buf, const uint8_t *content, size_t n, AiError *err)
{
	uint8_t		head[AI_EXPORT_HEAD_SIZE];

	AI_TRY(ai_export_head(head, buf->host, n, manifest_size, err));
	AI_TRY(ai_buf_append(buf, head, sizeof(head), err));
	AI_TRY(ai_buf_append(buf, content, n, err));
	return ai_export_tail(buf, n, manifest, manifest_size, err);
}

static void
must_write_export(AiBuf *buf, const uint8_t *content, size_t n)
{
	AiError		err;

	ai_buf_init(buf, ai_malloc_host());
	if (write_export(buf, content, n, &err) != AI_OK)
		fail_msg("%s", err.message);
}

static const size_t sizes[] = {0, 1, 63, 64, 65, 1000, 4096};

#define N_SIZES (int) (sizeof(sizes) / sizeof(sizes[0]))

/* head, content and tail are the block that the writer makes of the two entries */
static void
test_is_a_block(void **state)
{
	(void) state;
	for (int i = 0; i < N_SIZES; i++)
	{
		int64_t		n = (int64_t) sizes[i];
		int64_t		m = (int64_t) manifest_size;
		uint8_t    *content = make_content(sizes[i]);
		AiBuf		buf;
		AiAimWriter writer;
		const void *block;
		size_t		size;

		must_write_export(&buf, content, sizes[i]);
		ai_aim_writer_init(&writer, ai_malloc_host(), AI_EXPORT_KIND);
		assert_int_equal(ai_aim_add(&writer, "manifest", AI_DTYPE_U8, manifest, 1, &m, NULL),
						 AI_OK);
		assert_int_equal(ai_aim_add(&writer, "content", AI_DTYPE_U8, content, 1, &n, NULL),
						 AI_OK);
		assert_int_equal(ai_aim_finish(&writer, &block, &size, NULL), AI_OK);
		assert_int_equal(buf.len, size);
		assert_memory_equal(buf.data, block, size);
		ai_aim_writer_free(&writer);
		ai_buf_free(&buf);
		free(content);
	}
}

/* what is written is read, and the content lies aligned in it */
static void
test_round_trip(void **state)
{
	(void) state;
	for (int i = 0; i < N_SIZES; i++)
	{
		uint8_t    *content = make_content(sizes[i]);
		AiBuf		buf;
		AiExport	opened;
		AiError		err;

		must_write_export(&buf, content, sizes[i]);
		assert_int_equal(ai_export_open(&opened, buf.data, buf.len, &err), AI_OK);
		assert_int_equal(opened.content_size, sizes[i]);
		assert_int_equal((uintptr_t) opened.content % AI_ALIGNMENT, 0);
		assert_memory_equal(opened.content, content, sizes[i]);
		assert_int_equal(opened.manifest_size, manifest_size);
		assert_memory_equal(opened.manifest, manifest, manifest_size);
		ai_buf_free(&buf);
		free(content);
	}
}

/* the head alone tells all sizes, at any address */
static void
test_sizes(void **state)
{
	uint8_t    *content = make_content(1000);
	uint8_t		shifted[AI_EXPORT_HEAD_SIZE + 1];
	AiBuf		buf;
	AiExportSizes found;
	AiError		err;

	(void) state;
	must_write_export(&buf, content, 1000);
	memcpy(shifted + 1, buf.data, AI_EXPORT_HEAD_SIZE);
	assert_int_equal(ai_export_sizes(&found, shifted + 1, AI_EXPORT_HEAD_SIZE, &err), AI_OK);
	assert_int_equal(found.content, 1000);
	assert_int_equal(found.manifest, manifest_size);
	assert_int_equal(found.whole, buf.len);
	assert_int_equal(ai_export_sizes(&found, buf.data, buf.len, &err), AI_OK);

	for (size_t cut = 0; cut < AI_EXPORT_HEAD_SIZE; cut++)
	{
		assert_int_equal(ai_export_sizes(&found, buf.data, cut, &err), AI_ERR_FORMAT);
		assert_string_equal(err.message, cut < 4 ? "the bytes are not a model that aiaas can read" :
							INVALID "it has the wrong size");
		assert_true(err.hint[0] != '\0');
	}
	ai_buf_free(&buf);
	free(content);
}

/* sizes that no memory holds are refused when writing, as when reading */
static void
test_too_large(void **state)
{
	uint8_t		head[AI_EXPORT_HEAD_SIZE];
	AiError		err;

	(void) state;
	assert_int_equal(ai_export_head(head, ai_malloc_host(), 10, AI_EXPORT_MAX_MANIFEST, &err),
					 AI_OK);
	assert_int_equal(ai_export_head(head, ai_malloc_host(), 10,
									(size_t) AI_EXPORT_MAX_MANIFEST + 1, &err), AI_ERR_LIMIT);
	assert_string_equal(err.message,
						"what is known of the model takes 16777217 bytes, more than 16777216");
	assert_int_equal(ai_export_head(head, ai_malloc_host(), SIZE_MAX, 10, &err), AI_ERR_LIMIT);
}

/* bytes of other kinds are told from damaged ones */
static void
test_foreign(void **state)
{
	static const char *const foreign[] = {"", "GGUF", "PK\3\4", "\x89PNG\r\n\x1a\n", "\\x8941494d"};
	AiExportSizes found;
	AiError		err;
	AiAimWriter writer;
	const void *block;
	size_t		size;
	AiExport	opened;

	(void) state;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
	{
		assert_int_equal(ai_export_sizes(&found, foreign[i], strlen(foreign[i]), &err),
						 AI_ERR_FORMAT);
		assert_string_equal(err.message, "the bytes are not a model that aiaas can read");
	}

	/* a model's own block */
	ai_aim_writer_init(&writer, ai_malloc_host(), "text_classifier");
	for (int i = 0; i < 10; i++)
	{
		char		name[] = {(char) ('a' + i), '\0'};

		assert_int_equal(ai_aim_add_i64(&writer, name, i, NULL), AI_OK);
	}
	assert_int_equal(ai_aim_finish(&writer, &block, &size, NULL), AI_OK);
	assert_int_equal(ai_export_sizes(&found, block, size, &err), AI_ERR_FORMAT);
	assert_string_equal(err.message,
						"model is of kind \"text_classifier\", expected \"aiaas.export\"");
	assert_true(err.hint[0] != '\0');
	assert_int_equal(ai_export_open(&opened, block, size, &err), AI_ERR_FORMAT);
	ai_aim_writer_free(&writer);
}

static AiCode
write_other(AiAimWriter *writer, const char *content_name, AiDtype content_type,
			int n_dims, bool has_third)
{
	static const int64_t dims[] = {8, 1};
	const void *block;
	size_t		size;

	AI_TRY(ai_aim_reserve(writer, content_name, content_type, n_dims, dims, NULL));
	AI_TRY(ai_aim_reserve(writer, "manifest", AI_DTYPE_U8, 1, dims, NULL));
	if (has_third)
		AI_TRY(ai_aim_reserve(writer, "signature", AI_DTYPE_U8, 1, dims, NULL));
	return ai_aim_finish(writer, &block, &size, NULL);
}

/* blocks of the right kind with other entries are no exports */
static void
test_other_entries(void **state)
{
	static const struct
	{
		const char *content;
		AiDtype		dtype;
		int			n_dims;
		bool		has_third;
	}			others[] = {
		{"contents", AI_DTYPE_U8, 1, false},
		{"content", AI_DTYPE_I32, 1, false},
		{"content", AI_DTYPE_U8, 2, false},
		{"content", AI_DTYPE_U8, 1, true},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
	{
		AiAimWriter writer;
		AiExportSizes found;
		AiExport	opened;

		ai_aim_writer_init(&writer, ai_malloc_host(), AI_EXPORT_KIND);
		assert_int_equal(write_other(&writer, others[i].content, others[i].dtype,
									 others[i].n_dims, others[i].has_third), AI_OK);
		assert_int_equal(ai_export_sizes(&found, writer.block, writer.size, NULL), AI_ERR_FORMAT);
		assert_int_equal(ai_export_open(&opened, writer.block, writer.size, NULL), AI_ERR_FORMAT);
		ai_aim_writer_free(&writer);
	}
}

/*
 * Damage.  Copies have exactly the size given, so that a sanitizer sees every
 * byte read beyond them.
 */
static uint8_t *
copy_of(const void *block, size_t size)
{
	void	   *copy = NULL;

	assert_int_equal(posix_memalign(&copy, AI_ALIGNMENT, size > 0 ? size : 1), 0);
	memcpy(copy, block, size);
	return copy;
}

/* an export cut at any length is refused */
static void
test_every_truncation(void **state)
{
	uint8_t    *content = make_content(100);
	AiBuf		buf;

	(void) state;
	must_write_export(&buf, content, 100);
	for (size_t cut = 0; cut < buf.len; cut++)
	{
		uint8_t    *copy = copy_of(buf.data, cut);
		AiExport	opened;

		assert_int_equal(ai_export_open(&opened, copy, cut, NULL), AI_ERR_FORMAT);
		free(copy);
	}
	ai_buf_free(&buf);
	free(content);
}

/* no bit is without meaning: it is refused, or it is one of the content or the manifest */
static void
test_every_bit_flip(void **state)
{
	const size_t n = 100;
	const size_t manifest_at = AI_EXPORT_HEAD_SIZE + 128;
	uint8_t    *content = make_content(n);
	AiBuf		buf;

	(void) state;
	must_write_export(&buf, content, n);
	for (size_t bit = 0; bit < buf.len * 8; bit++)
	{
		size_t		at = bit / 8;
		bool		is_payload = (at >= AI_EXPORT_HEAD_SIZE && at < AI_EXPORT_HEAD_SIZE + n) ||
			(at >= manifest_at && at < manifest_at + manifest_size);
		uint8_t    *copy = copy_of(buf.data, buf.len);
		AiExportSizes found;
		AiExport	opened;
		AiError		err;
		AiCode		code;

		copy[at] ^= (uint8_t) (1 << bit % 8);
		code = ai_export_open(&opened, copy, buf.len, &err);
		assert_true(is_payload ? code == AI_OK :
					code == AI_ERR_FORMAT || code == AI_ERR_UNSUPPORTED);
		code = ai_export_sizes(&found, copy, buf.len, &err);
		if (at >= AI_EXPORT_HEAD_SIZE)
			assert_int_equal(code, AI_OK);
		else
			assert_true(code == AI_ERR_FORMAT || code == AI_ERR_UNSUPPORTED);
		free(copy);
	}
	ai_buf_free(&buf);
	free(content);
}

typedef struct Damage
{
	size_t		at;
	int			size;			/* of the number, bytes */
	uint64_t	value;
	AiCode		code;
	const char *message;
} Damage;

/* both readers see it, the one that has the head only too */
static void
check_damage(const AiBuf *buf, const Damage *damage)
{
	uint8_t    *copy = copy_of(buf->data, buf->len);
	AiExportSizes found;
	AiExport	opened;
	AiError		err;

	memcpy(copy + damage->at, &damage->value, (size_t) damage->size);
	assert_int_equal(ai_export_sizes(&found, copy, AI_EXPORT_HEAD_SIZE, &err), damage->code);
	assert_string_equal(err.message, damage->message);
	assert_int_equal(ai_export_open(&opened, copy, buf->len, &err), damage->code);
	free(copy);
}

/* each field at its extremes: overlapping, beyond the end, overflowing */
static void
test_damage_is_named(void **state)
{
	/* content u8 [100] at 320, manifest u8 [15] at 448, 512 bytes in all */
	static const Damage damages[] = {
		{VERSION_AT, 4, 2, AI_ERR_UNSUPPORTED,
		"model format version 2 is newer than this server's (1)"},
		{VERSION_AT, 4, 0, AI_ERR_FORMAT, INVALID "its format version is 0"},
		{N_ENTRIES_AT, 4, 0, AI_ERR_FORMAT, INVALID "it has the wrong size"},
		{N_ENTRIES_AT, 4, UINT32_MAX, AI_ERR_FORMAT, INVALID "its directory ends beyond its end"},
		{SIZE_AT, 8, 0, AI_ERR_FORMAT, INVALID "it has the wrong size"},
		{SIZE_AT, 8, 448, AI_ERR_FORMAT, INVALID "entry \"manifest\" ends beyond its end"},
		{SIZE_AT, 8, UINT64_MAX - 63, AI_ERR_FORMAT, INVALID "it has the wrong size"},
		{KIND_AT, 1, 'b', AI_ERR_FORMAT,
		"model is of kind \"biaas.export\", expected \"aiaas.export\""},
		{KIND_AT, 1, 0, AI_ERR_FORMAT, INVALID "its kind is damaged"},
		{ENTRY_AT(0), 1, 'b', AI_ERR_FORMAT, INVALID "it has no entry \"content\""},
		{ENTRY_AT(0), 1, 'x', AI_ERR_FORMAT,
		INVALID "entries \"xontent\" and \"manifest\" are not in order"},
		{DTYPE_AT(0), 4, UINT32_MAX, AI_ERR_FORMAT,
		INVALID "entry \"content\" has elements of type 4294967295, which does not exist"},
		{N_DIMS_AT(0), 4, 0, AI_ERR_FORMAT, INVALID "entry \"content\" has a stray dimension"},
		{DIM_AT(0, 0), 8, UINT64_MAX, AI_ERR_FORMAT,
		INVALID "the dimensions of entry \"content\" are too large"},
		{DIM_AT(0, 0), 8, 101, AI_ERR_FORMAT,
		INVALID "entry \"content\" has 100 bytes, its dimensions make 101"},
		{OFFSET_AT(0), 8, 0, AI_ERR_FORMAT,
		INVALID "entry \"content\" begins at byte 0 instead of 320"},
		{OFFSET_AT(1), 8, 320, AI_ERR_FORMAT,
		INVALID "entry \"manifest\" begins at byte 320 instead of 448"},
		{OFFSET_AT(1), 8, UINT64_MAX, AI_ERR_FORMAT,
		INVALID "entry \"manifest\" begins at byte 18446744073709551615 instead of 448"},
		{PAYLOAD_SIZE_AT(1), 8, UINT64_MAX, AI_ERR_FORMAT,
		INVALID "entry \"manifest\" has 18446744073709551615 bytes, its dimensions make 15"},
	};
	uint8_t    *content = make_content(100);
	AiBuf		buf;

	(void) state;
	must_write_export(&buf, content, 100);
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++)
		check_damage(&buf, &damages[i]);
	ai_buf_free(&buf);
	free(content);
}

/* Entry i has n bytes from now on, and the block so many as that makes. */
static void
set_entry_size(uint8_t *head, int i, uint64_t n, uint64_t size)
{
	memcpy(head + DIM_AT(i, 0), &n, sizeof(n));
	memcpy(head + PAYLOAD_SIZE_AT(i), &n, sizeof(n));
	memcpy(head + SIZE_AT, &size, sizeof(size));
}

/* a head that is consistent is believed in what it claims, except for the manifest */
static void
test_huge_claims(void **state)
{
	const uint64_t petabyte = UINT64_C(1) << 50;
	const uint64_t too_long = AI_EXPORT_MAX_MANIFEST + 64;
	uint8_t    *content = make_content(64);
	uint8_t		head[AI_EXPORT_HEAD_SIZE];
	uint64_t	offset = 320 + petabyte;
	AiBuf		buf;
	AiExportSizes found;
	AiError		err;

	(void) state;
	must_write_export(&buf, content, 64);
	memcpy(head, buf.data, sizeof(head));
	set_entry_size(head, 0, petabyte, offset + 64);
	memcpy(head + OFFSET_AT(1), &offset, sizeof(offset));
	assert_int_equal(ai_export_sizes(&found, head, sizeof(head), &err), AI_OK);
	assert_true(found.content == petabyte);

	memcpy(head, buf.data, sizeof(head));
	set_entry_size(head, 1, too_long, 384 + too_long);
	assert_int_equal(ai_export_sizes(&found, head, sizeof(head), &err), AI_ERR_FORMAT);
	assert_string_equal(err.message, "invalid exported model: its manifest has 16777280 bytes, "
						"more than 16777216");
	ai_buf_free(&buf);
	free(content);
}

static AiCode
write_and_free(const AiHost *host, void *arg, AiError *err)
{
	AiBuf		buf;
	AiCode		code;

	ai_buf_init(&buf, host);
	code = write_export(&buf, arg, 100, err);
	ai_buf_free(&buf);
	return code;
}

/* whichever allocation fails, writing says so and gives everything back */
static void
test_every_allocation_fails(void **state)
{
	uint8_t    *content = make_content(100);

	(void) state;
	test_every_failed_alloc(write_and_free, content);
	free(content);
}

static int
write_corpus(const char *directory)
{
	bool		is_written = true;

	for (int i = 0; i < 3; i++)
	{
		uint8_t    *content = make_content(sizes[i]);
		AiBuf		buf;
		AiError		err;
		char		path[1024];
		FILE	   *file;

		ai_buf_init(&buf, ai_malloc_host());
		snprintf(path, sizeof(path), "%s/content_%zu", directory, sizes[i]);
		file = fopen(path, "wb");
		is_written &= file != NULL && write_export(&buf, content, sizes[i], &err) == AI_OK &&
			fwrite(buf.data, 1, buf.len, file) == buf.len;
		if (file != NULL && fclose(file) != 0)
			is_written = false;
		ai_buf_free(&buf);
		free(content);
	}
	return is_written ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_a_block),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_other_entries),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_every_bit_flip),
		cmocka_unit_test(test_damage_is_named),
		cmocka_unit_test(test_huge_claims),
		cmocka_unit_test(test_every_allocation_fails),
	};

	if (argc == 3 && strcmp(argv[1], "--write-corpus") == 0)
		return write_corpus(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
