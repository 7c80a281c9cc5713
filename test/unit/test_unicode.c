/*-------------------------------------------------------------------------
 * test_unicode.c
 *		Normalised text equals the Unicode standard's, however it is read.
 *
 * test/golden/unicode.txt holds cases in many scripts; its format is described
 * in test/golden/make_unicode.py.  The standard's own files are read too where
 * Debian's package unicode-data is installed.
 *-------------------------------------------------------------------------
 */
#include "core/text/unicode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "core/base/utf8.h"

#define GOLDEN_FILE "test/golden/unicode.txt"
#define STANDARD_DIR "/usr/share/unicode"
#define MAX_LINE 16384
#define MAX_CHARS 65536

/* A text as read: each array has n_chars elements */
typedef struct Text
{
	size_t		n_chars;
	uint32_t	code[MAX_CHARS];
	uint8_t		kind[MAX_CHARS];
	uint32_t	start[MAX_CHARS];
	uint32_t	end[MAX_CHARS];
} Text;

typedef struct GoldenCase
{
	bool		fold_case;
	size_t		len;
	char		bytes[MAX_LINE / 2];
	size_t		n_chars;
	uint32_t	code[MAX_LINE / 6];
	uint32_t	start[MAX_LINE / 6];
	uint32_t	end[MAX_LINE / 6];
} GoldenCase;

static Text text;
static Text other;
static Text whole[2];
static GoldenCase golden;

/* Copies, so that a sanitizer sees a read or write one element too far. */
static void *
copy_of(const void *data, size_t size)
{
	void	   *copy = malloc(size > 0 ? size : 1);

	assert_non_null(copy);
	if (size > 0)
		memcpy(copy, data, size);
	return copy;
}

static void
read_text(Text *out, const char *bytes, size_t len, bool fold_case, size_t max)
{
	char	   *source = copy_of(bytes, len);
	uint32_t   *code = malloc(max * sizeof(*code));
	uint32_t   *start = malloc(max * sizeof(*start));
	uint32_t   *end = malloc(max * sizeof(*end));
	uint8_t    *kind = malloc(max);
	AiNormalizer n;
	size_t		count;

	assert_true(code != NULL && start != NULL && end != NULL && kind != NULL);
	ai_normalizer_init(&n, source, len, fold_case);
	out->n_chars = 0;
	while ((count = ai_normalizer_next(&n, code, kind, start, end, max)) > 0)
	{
		assert_true(count <= max && count <= MAX_CHARS - out->n_chars);
		memcpy(out->code + out->n_chars, code, count * sizeof(*code));
		memcpy(out->kind + out->n_chars, kind, count);
		memcpy(out->start + out->n_chars, start, count * sizeof(*start));
		memcpy(out->end + out->n_chars, end, count * sizeof(*end));
		out->n_chars += count;
	}
	assert_int_equal(ai_normalizer_next(&n, code, kind, NULL, NULL, max), 0);
	free(source);
	free(code);
	free(start);
	free(end);
	free(kind);
}

static void
assert_same_text(const Text *a, const Text *b)
{
	assert_int_equal(a->n_chars, b->n_chars);
	assert_memory_equal(a->code, b->code, a->n_chars * sizeof(a->code[0]));
	assert_memory_equal(a->kind, b->kind, a->n_chars);
	assert_memory_equal(a->start, b->start, a->n_chars * sizeof(a->start[0]));
	assert_memory_equal(a->end, b->end, a->n_chars * sizeof(a->end[0]));
}

/* True at a case, false at the end of the file */
static bool
read_golden(FILE *file)
{
	static char line[MAX_LINE];
	char	   *cursor = line;
	unsigned int byte;
	int			used;

	if (fgets(line, sizeof(line), file) == NULL)
		return false;
	assert_non_null(strchr(line, '\n'));
	golden.fold_case = strncmp(line, "fold ", 5) == 0;
	golden.len = 0;
	golden.n_chars = 0;
	cursor = strchr(line, ' ') + 1;
	while (sscanf(cursor, "%2x", &byte) == 1 && *cursor != ' ' && *cursor != '\n')
	{
		golden.bytes[golden.len++] = (char) byte;
		cursor += 2;
	}
	while (sscanf(cursor, " %x:%u:%u%n", &golden.code[golden.n_chars],
				  &golden.start[golden.n_chars], &golden.end[golden.n_chars], &used) == 3)
	{
		golden.n_chars++;
		cursor += used;
	}
	return true;
}

static void
assert_golden(const Text *t)
{
	assert_int_equal(t->n_chars, golden.n_chars);
	assert_memory_equal(t->code, golden.code, t->n_chars * sizeof(t->code[0]));
	assert_memory_equal(t->start, golden.start, t->n_chars * sizeof(t->start[0]));
	assert_memory_equal(t->end, golden.end, t->n_chars * sizeof(t->end[0]));
}

/* every golden case has the characters and spans of the reference */
static void
test_golden(void **state)
{
	FILE	   *file = fopen(GOLDEN_FILE, "r");
	int			n_cases = 0;

	(void) state;
	assert_non_null(file);
	while (read_golden(file))
	{
		read_text(&text, golden.bytes, golden.len, golden.fold_case, 64);
		assert_golden(&text);
		read_text(&text, golden.bytes, golden.len, golden.fold_case, 1000);
		assert_golden(&text);
		n_cases++;
	}
	fclose(file);
	assert_true(n_cases > 500);
}

/* the cases in one text, a line each, give the lines of the cases: for any cut */
static void
test_golden_in_one_text(void **state)
{
	static char bytes[2][4 * MAX_CHARS];
	static const size_t max[] = {64, 65, 66, 79, 80, 81, 95, 127, 500, 4096, MAX_CHARS};
	size_t		len[2] = {0, 0};
	FILE	   *file = fopen(GOLDEN_FILE, "r");

	(void) state;
	assert_non_null(file);
	whole[0].n_chars = whole[1].n_chars = 0;
	while (read_golden(file))
	{
		int			mode = golden.fold_case;
		Text	   *t = &whole[mode];
		uint32_t	offset = (uint32_t) len[mode];

		for (size_t i = 0; i < golden.n_chars; i++, t->n_chars++)
		{
			t->code[t->n_chars] = golden.code[i];
			t->start[t->n_chars] = offset + golden.start[i];
			t->end[t->n_chars] = offset + golden.end[i];
		}
		memcpy(bytes[mode] + len[mode], golden.bytes, golden.len);
		len[mode] += golden.len;
		t->code[t->n_chars] = '\n';
		t->start[t->n_chars] = (uint32_t) len[mode];
		bytes[mode][len[mode]++] = '\n';
		t->end[t->n_chars++] = (uint32_t) len[mode];
	}
	fclose(file);
	for (int mode = 0; mode < 2; mode++)
	{
		read_text(&text, bytes[mode], len[mode], mode == 1, MAX_CHARS);
		memcpy(whole[mode].kind, text.kind, text.n_chars);
		for (size_t i = 0; i < sizeof(max) / sizeof(max[0]); i++)
		{
			read_text(&text, bytes[mode], len[mode], mode == 1, max[i]);
			assert_same_text(&text, &whole[mode]);
		}
	}
}

/* kinds, as a string of one letter each, with a capital after it for the flag */
static void
assert_kinds(const char *bytes, const char *kinds)
{
	static const char letters[] = "_ldmis";
	char		found[256];
	size_t		len = 0;

	read_text(&text, bytes, strlen(bytes), true, 64);
	for (size_t i = 0; i < text.n_chars; i++)
	{
		assert_int_equal(text.kind[i] & ~(AI_CHAR_KIND_MASK | AI_CHAR_UPPER), 0);
		found[len++] = letters[text.kind[i] & AI_CHAR_KIND_MASK];
		if (text.kind[i] & AI_CHAR_UPPER)
			found[len++] = '^';
	}
	found[len] = '\0';
	assert_string_equal(found, kinds);
}

/* each script's characters have the kinds that the header promises */
static void
test_kinds(void **state)
{
	(void) state;
	assert_kinds("Ab 1_\t\x7F.", "l^l_ds__s");
	assert_kinds("ÉéßẞŸﬁ", "l^llll^l^l^ll");
	assert_kinds("Ǆǅǆ", "l^l^l^l^ll");
	assert_kinds("Ѐж Ωω", "l^l_l^l");
	assert_kinds("中々〇ひカーㄅꀀ", "iiiiiiii");
	assert_kinds("ที่๑", "iiid");
	assert_kinds("ກຳភាមြ", "iiiiiii");
	assert_kinds("한국ᄀ", "lll");
	assert_kinds("हिन्", "lmlm");
	assert_kinds("שָׁ", "lmm");
	assert_kinds("x\u0302\u0302", "lmm");
	assert_kinds("༎ཀ", "sl");
	assert_kinds("½Ⅷ①٣", "dsdl^l^l^l^dd");
	assert_kinds("😀👍🏽❤\uFE0F€«", "ssssss");
	assert_kinds("\uE000\U000E0FF0\U0010FFFF\u0378", "sss");
	assert_kinds("a\u200Bb\u00ADc\u200Dd\u3000e\u00A0f\u2028g\xC2\x85", "l_lll_l_l_l_");
	assert_kinds("\u0600\uFFF9Ａ１", "s_l^d");
	assert_kinds("\xFF\x80\xC9", "l_l^");
}

/* without folding, capitals stay and are still flagged */
static void
test_plain_keeps_case(void **state)
{
	static const char source[] = "Ab\xC3\x89\xEF\xBC\xA1, some more so that a block is full";

	(void) state;
	read_text(&text, source, strlen(source), false, 64);
	assert_int_equal(text.code[0], 'A');
	assert_int_equal(text.kind[0], AI_CHAR_LETTER | AI_CHAR_UPPER);
	assert_int_equal(text.code[2], 0xC9);
	assert_int_equal(text.kind[2], AI_CHAR_LETTER | AI_CHAR_UPPER);
	assert_int_equal(text.code[3], 'A');
	assert_int_equal(text.kind[3], AI_CHAR_LETTER | AI_CHAR_UPPER);
}

/* an ASCII character has one result at every place of a block */
static void
test_ascii_everywhere(void **state)
{
	char		bytes[40];

	(void) state;
	for (int c = 0; c < 0x80; c++)
	{
		char		alone = (char) c;

		read_text(&other, &alone, 1, true, 64);
		assert_int_equal(other.n_chars, 1);
		memset(bytes, c, sizeof(bytes));
		read_text(&text, bytes, sizeof(bytes), true, 64);
		assert_int_equal(text.n_chars, sizeof(bytes));
		for (size_t i = 0; i < sizeof(bytes); i++)
		{
			assert_int_equal(text.code[i], other.code[0]);
			assert_int_equal(text.kind[i], other.kind[0]);
			assert_int_equal(text.start[i], i);
			assert_int_equal(text.end[i], i + 1);
		}
	}
}

/* what the standard says of every character: itself where its file is silent */
static void
test_every_character_folds(void **state)
{
	static uint32_t mapped[40000];
	static uint16_t place[0x110000];	/* 0: the character itself */
	static uint8_t n_mapped[0x110000];
	uint32_t	n_used = 1;
	static char line[MAX_LINE];
	FILE	   *file = fopen(STANDARD_DIR "/DerivedNormalizationProps.txt", "r");

	(void) state;
	if (file == NULL)
	{
		print_message("%s is not there\n", STANDARD_DIR);
		skip();
	}
	while (fgets(line, sizeof(line), file) != NULL)
	{
		uint32_t	first;
		uint32_t	last;
		char	   *cursor = strstr(line, "; NFKC_CF;");

		if (line[0] == '#' || cursor == NULL)
			continue;
		if (sscanf(line, "%x..%x", &first, &last) == 1)
			last = first;
		cursor += strlen("; NFKC_CF;");
		for (uint32_t c = first; c <= last; c++)
		{
			char	   *next = cursor;
			int			used;

			place[c] = (uint16_t) n_used;
			while (sscanf(next, " %x%n", &mapped[n_used], &used) == 1)
			{
				n_mapped[c]++;
				n_used++;
				next += used;
			}
		}
	}
	fclose(file);

	for (uint32_t c = 0; c <= AI_MAX_CODE_POINT; c++)
	{
		char		bytes[4];
		uint32_t	n_expected = c == 0x200B || place[c] == 0 ? 1 : n_mapped[c];
		const uint32_t *expected = place[c] == 0 ? &c : &mapped[place[c]];
		static const uint32_t space = ' ';

		if (c >= 0xD800 && c < 0xE000)
			continue;
		if (c == 0x200B)
			expected = &space;
		read_text(&text, bytes, ai_utf8_encode(bytes, c), true, 64);
		assert_int_equal(text.n_chars, n_expected);
		assert_memory_equal(text.code, expected, n_expected * sizeof(uint32_t));
	}
	assert_true(n_used > 8000);
}

/* Codes in hex up to a semicolon as UTF-8; *cursor moves behind it. */
static size_t
read_column(char *bytes, char **cursor)
{
	size_t		len = 0;
	uint32_t	code;
	int			used;

	while (sscanf(*cursor, " %x%n", &code, &used) == 1)
	{
		len += ai_utf8_encode(bytes + len, code);
		*cursor += used;
	}
	(*cursor)++;
	return len;
}

static bool
has_removed_character(const char *bytes, size_t len)
{
	size_t		size;
	uint32_t	code = 0;

	for (size_t pos = 0; pos < len; pos += size)
	{
		size = ai_utf8_decode(&code, bytes + pos, len - pos);
		read_text(&other, bytes + pos, size, false, 64);
		if (other.n_chars == 0 || code == 0x200B)
			return true;
	}
	return false;
}

/* all five forms of each line of the standard's test have its NFKC */
static void
test_standard_strings(void **state)
{
	static char line[MAX_LINE];
	FILE	   *file = popen("bzcat " STANDARD_DIR "/NormalizationTest.txt.bz2 2>/dev/null", "r");
	int			n_lines = 0;

	(void) state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL)
	{
		char		bytes[5][512];
		size_t		len[5];
		char	   *cursor = line;

		if (line[0] == '#' || line[0] == '@')
			continue;
		for (int i = 0; i < 5; i++)
			len[i] = read_column(bytes[i], &cursor);
		if (has_removed_character(bytes[0], len[0]))
			continue;
		for (int i = 0; i < 5; i++)
		{
			char		normal[512];
			size_t		normal_len = 0;

			read_text(&text, bytes[i], len[i], false, 64);
			for (size_t j = 0; j < text.n_chars; j++)
				normal_len += ai_utf8_encode(normal + normal_len, text.code[j]);
			assert_int_equal(normal_len, len[3]);
			assert_memory_equal(normal, bytes[3], len[3]);
		}
		n_lines++;
	}
	pclose(file);
	if (n_lines == 0)
	{
		print_message("%s is not there\n", STANDARD_DIR);
		skip();
	}
	assert_true(n_lines > 19000);
}

/* Characters that meet the difficult rules more often than chance would */
static size_t
random_text(char *bytes, size_t max_len, AiRng *rng)
{
	static const uint32_t first[] = {0, ' ', 'A', 0xA0, 0x300, 0x5B0, 0x900, 0xE31, 0x1100,
		0x1161, 0x11A7, 0x200B, 0x3041, 0x4E00, 0xAC00, 0xFB00, 0x1D160, 0x1F600};
	static const uint32_t width[] = {0x110000, 95, 26, 0x250, 0x70, 0x20, 0x80, 0x20, 19,
		21, 28, 5, 0x60, 0x5000, 0x1000, 0x500, 0x20, 0x80};
	uint32_t	n_pools = sizeof(first) / sizeof(first[0]);
	size_t		len = 0;

	while (len + 4 <= max_len)
	{
		uint32_t	pool = ai_rng_below(rng, n_pools);
		uint32_t	run = 1 + ai_rng_below(rng, ai_rng_below(rng, 20) == 0 ? 100 : 6);

		for (; run > 0 && len + 4 <= max_len; run--)
			len += ai_utf8_encode(bytes + len, first[pool] + ai_rng_below(rng, width[pool]));
		if (ai_rng_below(rng, 10) == 0)
			bytes[ai_rng_below(rng, (uint32_t) len)] = (char) ai_rng_next(rng);
	}
	return len;
}

static void
assert_sound(const Text *t, size_t len)
{
	for (size_t i = 0; i < t->n_chars; i++)
	{
		assert_true(t->code[i] <= AI_MAX_CODE_POINT);
		assert_true((t->code[i] & ~0x7FFu) != 0xD800);
		assert_true(t->start[i] < t->end[i] && t->end[i] <= len);
		assert_true((t->kind[i] & AI_CHAR_KIND_MASK) <= AI_CHAR_SYMBOL);
	}
}

/* any bytes have one sound result, whatever the cut */
static void
test_random_bytes(void **state)
{
	AiRng		rng = {3};
	char		bytes[2048];

	(void) state;
	for (int round = 0; round < 4000; round++)
	{
		size_t		len = ai_rng_below(&rng, sizeof(bytes));
		bool		fold_case = round & 1;

		if (round % 4 < 2)
			for (size_t i = 0; i < len; i++)
				bytes[i] = (char) ai_rng_next(&rng);
		else
			len = random_text(bytes, len, &rng);
		read_text(&text, bytes, len, fold_case, 64);
		assert_sound(&text, len);
		read_text(&other, bytes, len, fold_case, 65 + ai_rng_below(&rng, 200));
		assert_same_text(&text, &other);
		read_text(&other, bytes, len, fold_case, MAX_CHARS);
		assert_same_text(&text, &other);
	}
}

/* a text is the sum of its parts where it is cut before an ASCII letter */
static void
test_parts(void **state)
{
	AiRng		rng = {4};
	char		bytes[600];

	(void) state;
	for (int round = 0; round < 4000; round++)
	{
		size_t		len = random_text(bytes, ai_rng_below(&rng, 300), &rng);
		size_t		first_chars;
		size_t		total;

		bytes[len] = 'A';
		total = len + 1 + random_text(bytes + len + 1, ai_rng_below(&rng, 300), &rng);
		read_text(&whole[0], bytes, total, true, 100);
		read_text(&text, bytes, len, true, 64);
		read_text(&other, bytes + len, total - len, true, 64);
		first_chars = text.n_chars;
		assert_int_equal(whole[0].n_chars, first_chars + other.n_chars);
		assert_memory_equal(whole[0].code, text.code, first_chars * sizeof(uint32_t));
		assert_memory_equal(whole[0].code + first_chars, other.code,
							other.n_chars * sizeof(uint32_t));
	}
}

/* a mark may come any time: the text after 'a' decides what becomes of it */
static void
test_mark_after_any_length(void **state)
{
	char		bytes[300];

	(void) state;
	for (size_t n = 1; n < 200; n++)
	{
		memset(bytes, 'A', n);
		memcpy(bytes + n, "\xCC\x81z", 3);
		for (size_t max = 64; max < 70; max++)
		{
			read_text(&text, bytes, n + 3, true, max);
			assert_int_equal(text.n_chars, n + 1);
			assert_int_equal(text.code[n - 1], 0xE1);
			assert_int_equal(text.start[n - 1], n - 1);
			assert_int_equal(text.end[n - 1], n + 2);
			assert_int_equal(text.kind[n - 1], AI_CHAR_LETTER | AI_CHAR_UPPER);
		}
	}
}

/* no bytes, and bytes that leave nothing, give nothing */
static void
test_empty(void **state)
{
	(void) state;
	read_text(&text, "", 0, true, 64);
	assert_int_equal(text.n_chars, 0);
	read_text(&text, "\xC2\xAD\xE2\x80\x8D", 5, true, 64);
	assert_int_equal(text.n_chars, 0);
}

/* UTF-8 in and out is the identity, and no other form is accepted */
static void
test_utf8(void **state)
{
	static const char *const wrong[] = {"", "\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC3",
		"\xC3(", "\xE0\x9F\xBF", "\xE4\xB8", "\xE4\xB8(", "\xED\xA0\x80", "\xED\xBF\xBF",
		"\xF0\x8F\xBF\xBF", "\xF0\x9F\x98", "\xF0\x9F\x98(", "\xF4\x90\x80\x80",
		"\xF5\x80\x80\x80", "\xFE", "\xFF"};
	char		bytes[4];

	(void) state;
	for (uint32_t c = 0; c <= AI_MAX_CODE_POINT; c++)
	{
		size_t		len;
		uint32_t	code = 0;

		if (c >= 0xD800 && c < 0xE000)
			continue;
		len = ai_utf8_encode(bytes, c);
		assert_int_equal(ai_utf8_decode(&code, bytes, len), len);
		assert_int_equal(code, c);
		assert_int_equal(ai_utf8_decode(&code, bytes, len - 1), 0);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
	{
		uint32_t	code = 42;

		assert_int_equal(ai_utf8_decode(&code, wrong[i], strlen(wrong[i])), 0);
		assert_int_equal(code, 42);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_golden_in_one_text),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_plain_keeps_case),
		cmocka_unit_test(test_ascii_everywhere),
		cmocka_unit_test(test_mark_after_any_length),
		cmocka_unit_test(test_every_character_folds),
		cmocka_unit_test(test_standard_strings),
		cmocka_unit_test(test_random_bytes),
		cmocka_unit_test(test_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
