/*-------------------------------------------------------------------------
 * test_breaks.c
 *		Texts are cut where Unicode says that sentences end, and between words.
 */
#include "core/text/breaks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/utf8.h"
#include "test_golden.h"
#include "test_host.h"

#define GOLDEN "test/golden/breaks.txt"
#define MAX_TEXT 4096

static size_t
must_end(const char *text, size_t len, size_t start)
{
	size_t		end;
	AiError		err;

	assert_int_equal(ai_sentence_end(&end, text, len, start, ai_malloc_host(), &err), AI_OK);
	assert_true(end > start && end <= len);
	return end;
}

/* Put "|" where sentences, or words, begin but at the text's begin. */
static const char *
mark_sentences(const char *text)
{
	static char marked[MAX_TEXT];
	size_t		len = strlen(text);
	size_t		n = 0;

	for (size_t start = 0; start < len;)
	{
		size_t		end = must_end(text, len, start);

		if (start > 0)
			marked[n++] = '|';
		memcpy(marked + n, text + start, end - start);
		n += end - start;
		start = end;
	}
	marked[n] = '\0';
	return marked;
}

static const char *
mark_begins(const char *text, bool (*begins) (uint32_t before, uint32_t code))
{
	static char marked[MAX_TEXT];
	size_t		len = strlen(text);
	size_t		n = 0;
	uint32_t	before = 0;

	for (size_t at = 0; at < len;)
	{
		uint32_t	code;
		size_t		size = ai_utf8_at(&code, text, len, at);

		if (at > 0 && begins(before, code))
			marked[n++] = '|';
		memcpy(marked + n, text + at, size);
		n += size;
		at += size;
		before = code;
	}
	marked[n] = '\0';
	return marked;
}

static void
check_golden_line(char *line)
{
	char		text[MAX_TEXT];
	bool		is_break[MAX_TEXT] = {false};
	size_t		len = 0;

	for (char *word = strtok(line, " \n"); word != NULL; word = strtok(NULL, " \n"))
	{
		if (word[0] == '|')
			is_break[len] = true;
		else
			len += ai_utf8_encode(text + len, (uint32_t) strtoul(word, NULL, 16));
	}
	for (size_t start = 0; start < len;)
	{
		size_t		end = must_end(text, len, start);

		for (size_t at = start + 1; at < end; at++)
			assert_false(is_break[at]);
		assert_true(is_break[end]);
		start = end;
	}
}

static void
sentences_end_where_unicode_says(void **state)
{
	FILE	   *file = golden_open(GOLDEN);
	char		line[MAX_TEXT];
	int			n = 0;

	(void) state;
	while (fgets(line, sizeof(line), file) != NULL)
	{
		n += line[0] == '|';
		if (line[0] == '|')
			check_golden_line(line);
	}
	fclose(file);
	assert_int_equal(n, 502);
}

static void
sentences_of_real_texts(void **state)
{
	(void) state;
	assert_string_equal(mark_sentences("He paid 3.50 for it. (Really.) \"Why?\" she asked."),
						"He paid 3.50 for it. |(Really.) |\"Why?\" |she asked.");
	assert_string_equal(mark_sentences("The U.S.A. won, e.g. here. Dr. Who left"),
						"The U.S.A. won, e.g. here. |Dr. |Who left");
	assert_string_equal(mark_sentences("機械学習です。速い！はい"), "機械学習です。|速い！|はい");
	assert_string_equal(mark_sentences("यह है। वह था।"), "यह है। |वह था।");
	assert_string_equal(mark_sentences("one\r\ntwo\n\nthree"), "one\r\n|two\n|\n|three");
	assert_string_equal(mark_sentences("bad \xFF\xC3. Bytes \xE2\x82"),
						"bad \xFF\xC3. |Bytes \xE2\x82");
}

static void
words_begin_behind_spaces_and_at_ideographs(void **state)
{
	(void) state;
	assert_string_equal(mark_begins(" a  bc-d\n\te", ai_begins_word), " |a  |bc-d\n\t|e");
	assert_string_equal(mark_begins("ab日本、語 c。d", ai_begins_word), "ab|日|本、|語 |c。d");
	assert_string_equal(mark_begins("ไทยที่ได้", ai_begins_word), "ไ|ท|ย|ที่|ไ|ด้");
	assert_string_equal(mark_begins("각 \xE1\x84\x80\xCC\x88", ai_begins_word),
						"각 |\xE1\x84\x80\xCC\x88");
}

static void
characters_keep_their_marks(void **state)
{
	(void) state;
	assert_string_equal(mark_begins("ae\xCC\x81z\r\n!", ai_begins_character), "a|e\xCC\x81|z|\r\n|!");
	assert_string_equal(mark_begins("👩\xE2\x80\x8D🚀x", ai_begins_character),
						"👩\xE2\x80\x8D🚀|x");
}

/* Also where a full stop looks far ahead */
static AiCode
find_ends(const AiHost *host, void *arg, AiError *err)
{
	const size_t len = 1000000;
	char	   *text = malloc(len);
	AiCode		code = AI_OK;

	memset(text, *(const char *) arg, len);
	text[5] = '.';
	text[6] = ' ';
	for (size_t at = 0; at < len && code == AI_OK;)
		code = ai_sentence_end(&at, text, len, at, host, err);
	free(text);
	return code;
}

static void
long_sentences_can_be_stopped(void **state)
{
	(void) state;
	test_every_stop(find_ends, "a");
	test_every_stop(find_ends, "1");
	test_every_stop(find_ends, ")");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sentences_end_where_unicode_says),
		cmocka_unit_test(sentences_of_real_texts),
		cmocka_unit_test(words_begin_behind_spaces_and_at_ideographs),
		cmocka_unit_test(characters_keep_their_marks),
		cmocka_unit_test(long_sentences_can_be_stopped)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
