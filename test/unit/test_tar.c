/*-------------------------------------------------------------------------
 * test_tar.c
 *		Files in an archive are found where they lie, and every archive that lies is refused.
 *
 *	test_tar --write-corpus DIRECTORY
 *
 * writes the archives with which test/fuzz/fuzz_tar.c begins.
 *-------------------------------------------------------------------------
 */
#include "core/format/tar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_files.h"
#include "test_host.h"

#define BLOCK 512
#define SIZE_AT 124				/* in a header */
#define SUM_AT 148
#define PREFIX_AT 345

#define INVALID "invalid tar archive: "

/* Of everything that is read */
static void
make_all(AiBuf *tar)
{
	char		name[300];

	ai_buf_init(tar, ai_malloc_host());
	files_tar_entry(tar, "./", '5', "", 0);
	files_tar_entry(tar, "./config.json", '0', "{}", 2);
	files_tar_entry(tar, "a//./b/", '5', "", 0);
	files_tar_entry(tar, "old", '\0', "12345", 5);

	memset(name, 'n', 150);
	strcpy(name + 150, "/long");
	files_tar_entry(tar, "././@LongLink", 'L', name, strlen(name) + 1);
	files_tar_entry(tar, name, '0', "GNU", 3);

	files_tar_entry(tar, "pax", 'x', "15 path=pax/\xc3\xa9\n", 15);
	files_tar_entry(tar, "short", '0', "pax", 3);
	files_tar_entry(tar, "all", 'g', "19 comment=whatever\n", 20);

	/* the size stands in the record, and in bytes instead of digits */
	files_tar_entry(tar, "size", 'x', "9 size=4\n", 9);
	files_tar_entry(tar, "sized", '0', "1234", 4);
	memset(tar->data + tar->len - 2 * BLOCK + SIZE_AT, 0, 12);
	tar->data[tar->len - 2 * BLOCK + SIZE_AT] = '1';
	files_tar_sum(tar, tar->len - 2 * BLOCK);
	files_tar_entry(tar, "binary", '0', "123456", 6);
	memcpy(tar->data + tar->len - 2 * BLOCK + SIZE_AT, "\x80\0\0\0\0\0\0\0\0\0\0\6", 12);
	files_tar_sum(tar, tar->len - 2 * BLOCK);

	files_tar_entry(tar, "end", '0', "", 0);
	memcpy(tar->data + tar->len - BLOCK + PREFIX_AT, "very/deep", 9);
	files_tar_sum(tar, tar->len - BLOCK);
	files_tar_end(tar);
}

static const struct
{
	const char *name;			/* NULL: the long one */
	const char *content;		/* NULL: a folder */
}			expected[] = {
	{"", NULL}, {"config.json", "{}"}, {"a/b", NULL}, {"old", "12345"}, {NULL, "GNU"},
	{"pax/\xc3\xa9", "pax"}, {"sized", "1234"}, {"binary", "123456"}, {"very/deep/end", ""}
};

#define N_EXPECTED (int) (sizeof(expected) / sizeof(expected[0]))

/* names and contents, from memory and through a callback */
static void
test_entries(void **state)
{
	(void) state;
	for (int is_read = 0; is_read < 2; is_read++)
	{
		AiBuf		bytes;
		AiSource	source;
		AiTar		tar;
		AiTarEntry	entry;
		AiError		err;
		bool		has_entry;
		char		content[8] = {0};

		make_all(&bytes);
		assert_true(ai_tar_is_likely(bytes.data, bytes.len));
		source = is_read ? files_read_source(&bytes) : ai_source_of_memory(bytes.data, bytes.len);
		ai_tar_init(&tar, ai_malloc_host(), &source);
		for (int i = 0; i < N_EXPECTED; i++)
		{
			AiCode		code = ai_tar_next(&tar, &entry, &has_entry, &err);

			if (code != AI_OK)
				fail_msg("%d: %s", i, err.message);
			assert_true(has_entry);
			if (expected[i].name != NULL)
				assert_string_equal(entry.name, expected[i].name);
			else
				assert_int_equal(strlen(entry.name), 155);
			assert_int_equal(entry.is_folder, expected[i].content == NULL);
			if (expected[i].content == NULL)
				continue;
			assert_int_equal(entry.content.size, strlen(expected[i].content));
			assert_int_equal(ai_source_read(&entry.content, content, 0, entry.content.size, &err),
							 AI_OK);
			assert_memory_equal(content, expected[i].content, entry.content.size);
		}
		assert_int_equal(ai_tar_next(&tar, &entry, &has_entry, &err), AI_OK);
		assert_false(has_entry);
		ai_tar_free(&tar);
		ai_buf_free(&bytes);
	}
}

/* One entry that is refused, and what is said of it */
static const struct
{
	const char *name;
	char		type;
	const char *content;
	AiCode		code;
	const char *message;
}			hostile[] = {
	{"/etc/passwd", '0', "x", AI_ERR_FORMAT, INVALID "entry \"/etc/passwd\" has an absolute name"},
	{"../x", '0', "x", AI_ERR_FORMAT, INVALID "the name of entry \"../x\" leads out of its folder"},
	{"a/../b", '0', "x", AI_ERR_FORMAT, INVALID "the name of entry \"a/../b\" leads out of its folder"},
	{"a/..", '5', "", AI_ERR_FORMAT, INVALID "the name of entry \"a/..\" leads out of its folder"},
	{"", '0', "x", AI_ERR_FORMAT, INVALID "the name of entry 1 is damaged"},
	{"a\nb", '0', "x", AI_ERR_FORMAT, INVALID "the name of entry 1 is damaged"},
	{"a\xff", '0', "x", AI_ERR_FORMAT, INVALID "the name of entry 1 is damaged"},
	{"link", '1', "", AI_ERR_FORMAT, INVALID "entry \"link\" is a link"},
	{"link", '2', "", AI_ERR_FORMAT, INVALID "entry \"link\" is a link"},
	{"tty", '3', "", AI_ERR_FORMAT, INVALID "entry \"tty\" is neither a file nor a folder"},
	{"sda", '4', "", AI_ERR_FORMAT, INVALID "entry \"sda\" is neither a file nor a folder"},
	{"pipe", '6', "", AI_ERR_FORMAT, INVALID "entry \"pipe\" is neither a file nor a folder"},
	{"holes", 'S', "", AI_ERR_UNSUPPORTED, "entry \"holes\" of the tar archive is a sparse file"},
	{"odd", 'Z', "", AI_ERR_FORMAT, INVALID "entry \"odd\" has a type that is not known"},
	{"x", 'x', "", AI_ERR_FORMAT, INVALID "it ends without its end mark"},
	{"x", 'x', "9 path=x", AI_ERR_FORMAT, INVALID "the pax records before entry 1 are damaged"},
	{"x", 'x', "99 path=x\n", AI_ERR_FORMAT, INVALID "the pax records before entry 1 are damaged"},
	{"x", 'x', "1 path=x\n", AI_ERR_FORMAT, INVALID "the pax records before entry 1 are damaged"},
	{"x", 'x', "path=x\n", AI_ERR_FORMAT, INVALID "the pax records before entry 1 are damaged"},
	{"x", 'x', "99999999999999999999999999 path=x\n", AI_ERR_FORMAT,
	INVALID "the pax records before entry 1 are damaged"},
	{"x", 'x', "9 pathxx\n", AI_ERR_FORMAT, INVALID "the pax records before entry 1 are damaged"},
	{"x", 'x', "10 size=-1\n", AI_ERR_FORMAT, INVALID "the pax records before entry 1 are damaged"},
	{"x", 'x', "30 size=99999999999999999999\n", AI_ERR_FORMAT,
	INVALID "the pax records before entry 1 are damaged"},
	{"x", 'x', "22 GNU.sparse.major=1\n", AI_ERR_UNSUPPORTED,
	"sparse files in tar archives are not supported"},
};

#define N_HOSTILE (int) (sizeof(hostile) / sizeof(hostile[0]))

static AiCode
walk(const AiHost *host, const AiSource *source, int *n, AiError *err)
{
	AiTar		tar;
	AiTarEntry	entry;
	bool		has_entry = true;
	AiCode		code = AI_OK;

	*n = 0;
	ai_tar_init(&tar, host, source);
	while (code == AI_OK && has_entry)
	{
		code = ai_tar_next(&tar, &entry, &has_entry, err);
		*n += code == AI_OK && has_entry;
	}
	ai_tar_free(&tar);
	return code;
}

static void
make_hostile(AiBuf *bytes, int i)
{
	bytes->len = 0;
	files_tar_entry(bytes, hostile[i].name, hostile[i].type, hostile[i].content,
					strlen(hostile[i].content));
	/* after a header that speaks of another one, there is none where that is the point */
	if (hostile[i].code == AI_OK || hostile[i].content[0] != '\0' || hostile[i].type != 'x')
		files_tar_end(bytes);
}

static void
test_hostile(void **state)
{
	AiBuf		bytes;
	AiError		err;
	int			n;

	(void) state;
	ai_buf_init(&bytes, ai_malloc_host());
	for (int i = 0; i < N_HOSTILE; i++)
	{
		AiSource	source;
		AiCode		code;

		make_hostile(&bytes, i);
		source = ai_source_of_memory(bytes.data, bytes.len);
		code = walk(ai_malloc_host(), &source, &n, &err);
		if (code != hostile[i].code || strcmp(err.message, hostile[i].message) != 0)
			fail_msg("%d: %d, %s", i, code, code == AI_OK ? "" : err.message);
	}
	ai_buf_free(&bytes);
}

/* sizes beyond the archive, in all their forms, and sums that are wrong */
static void
test_lies(void **state)
{
	static const char *const sizes[] = {
		"00000001001", "77777777777", "7777777777777", "\x80\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		"\x80\0\0\0\0\xff\xff\xff\xff\xff\xff\xff", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		"00000000008", "            ", "-0000000001"
	};
	AiBuf		bytes;
	AiError		err;
	int			n;

	(void) state;
	ai_buf_init(&bytes, ai_malloc_host());
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
	{
		AiSource	source;

		bytes.len = 0;
		files_tar_entry(&bytes, "x", '0', "x", 1);
		memcpy(bytes.data + SIZE_AT, sizes[i], 12);
		files_tar_sum(&bytes, 0);
		source = ai_source_of_memory(bytes.data, bytes.len);
		assert_int_equal(walk(ai_malloc_host(), &source, &n, &err), AI_ERR_FORMAT);
	}
	bytes.len = 0;
	files_tar_entry(&bytes, "x", '0', "x", 1);
	files_tar_end(&bytes);
	for (size_t i = 0; i < BLOCK; i++)
	{
		AiSource	source = ai_source_of_memory(bytes.data, bytes.len);

		/* of the sum's own bytes the last one counts for nothing */
		bytes.data[i] ^= 1;
		assert_int_equal(walk(ai_malloc_host(), &source, &n, &err),
						 i == SUM_AT + 7 ? AI_OK : AI_ERR_FORMAT);
		assert_int_equal(ai_tar_is_likely(bytes.data, bytes.len), i == SUM_AT + 7);
		bytes.data[i] ^= 1;
	}
	ai_buf_free(&bytes);
}

/* every beginning of an archive is refused, up to its end mark */
static void
test_cut(void **state)
{
	AiBuf		bytes;
	AiError		err;
	int			n;

	(void) state;
	make_all(&bytes);
	for (size_t len = 0; len < bytes.len - BLOCK; len++)
	{
		AiSource	source = ai_source_of_memory(bytes.data, len);

		assert_int_equal(walk(ai_malloc_host(), &source, &n, &err), AI_ERR_FORMAT);
		assert_true(n <= N_EXPECTED);
	}
	ai_buf_free(&bytes);
}

static AiCode
walk_all(const AiHost *host, void *arg, AiError *err)
{
	AiSource	source = files_read_source(arg);
	int			n;

	return walk(host, &source, &n, err);
}

static void
test_failures(void **state)
{
	AiBuf		bytes;

	(void) state;
	make_all(&bytes);
	test_every_failed_alloc(walk_all, &bytes);
	test_every_stop(walk_all, &bytes);
	ai_buf_free(&bytes);
}

static void
write_corpus(const char *directory)
{
	AiBuf		bytes;

	make_all(&bytes);
	files_write(directory, "all", &bytes);
	for (int i = 0; i < N_HOSTILE; i++)
	{
		char		name[32];

		make_hostile(&bytes, i);
		snprintf(name, sizeof(name), "hostile_%02d", i);
		files_write(directory, name, &bytes);
	}
	ai_buf_free(&bytes);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_failures),
	};

	if (argc == 3 && strcmp(argv[1], "--write-corpus") == 0)
	{
		write_corpus(argv[2]);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
