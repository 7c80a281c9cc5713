/*-------------------------------------------------------------------------
 * test_texts.c
 *		Texts that try whatever reads n-grams, and all n-grams of one.
 *-------------------------------------------------------------------------
 */
#include "test_texts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LONGEST_SHORT_WORD 26	/* from one character on, each length has a word */
#define LONG_TEXT 100000

/* Whole texts, in which the byte 0 may be */
#define TEXT(literal) {literal, sizeof(literal) - 1}
static const TestText literals[] = {
	TEXT(""), TEXT("a"), TEXT("Z"), TEXT("7"), TEXT("!"), TEXT(" "), TEXT("\n\n  "),
	TEXT("\xe4\xbd\xa0"), TEXT("\xf0\x9f\x98\x80"), TEXT("\xff"), TEXT("\0"), TEXT("ab"),
	TEXT("one two"), TEXT("The quick brown fox jumps over the lazy dog."),
	TEXT("Free entry! free FREE fReE FREe, call 08712460324 NOW now Now nOW"),
	TEXT("free"), TEXT("FREE"), TEXT("Free"), TEXT("free Free FREE"),
	TEXT("12 345 6789 1.25 2024-12-31 9x x9 A1b2C3"),
	TEXT("http://a.org/?x=1 me@b.de #tag \xc2\xa3 9.99!!! ... ?"),
	TEXT("\xe0\xb8\xaa\xe0\xb8\xa7\xe0\xb8\xb1\xe0\xb8\xaa\xe0\xb8\x94\xe0\xb8\xb5 ok"),
	TEXT("\xcc\xa7\xe0\xb8\xb8 a\xcc\x8d\xcc\x96\xcc\xa2 cafe\xcc\x81 caf\xc3\xa9"),
	TEXT("\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb\xf0\x9f\x98\x80\xf0\x9f\x98\x80 ok"),
	TEXT("\xc3(\xed\xa0\x80 a\0b \xf0\x9f\x98 caf\xe9 \xef\xb7\xba"),
	TEXT("STRASSE strasz\xc3\x9f \xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2 \xec\x95\x88\xeb\x85\x95"),
	TEXT("ok\xe4\xbd\xa0\xe5\xa5\xbdok \xe4\xbd\xa0 \xe5\xa5\xbd\xef\xbc\x8c\xe4\xbd\xa0")
};
#undef TEXT

/* Strings that are repeated until they fill many portions */
typedef struct Repeated
{
	const char *string;
	size_t		n_times;
} Repeated;

static const Repeated repeated[] = {
	{"again ", 254}, {"again ", 255}, {"again ", 256}, {"again ", 300}, {"Two words ", 3000},
	{"a ", 5000}, {"a b c D e 1 ", 2000}, {"!", 3000}, {"\xf0\x9f\x98\x80", 2500},
	{"\xe0\xb8\xaa\xe0\xb8\xa7\xe0\xb8\xb1", 400}, {"\xe4\xbd\xa0 a ", 2000},
	{"a\xcc\x81\xcc\xa7\xcc\x96", 500}, {"\xff", 2000}, {"xyz", 2000}, {"Xy1 ", 1500}
};

static const size_t long_words[] = {100, 511, 512, 513, 600, 1100};
static const size_t ideographs[] = {1, 2, 3, 4, 5, 7, 8, 9, 17, 100, 511, 512, 513, 1025, 1500};

/*
 * Texts that grow
 */
typedef struct Text
{
	char		bytes[2 * LONG_TEXT];
	size_t		len;
} Text;

static void
append(Text *text, const char *bytes, size_t len)
{
	assert_true(len <= sizeof(text->bytes) - text->len);
	memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
}

/* A word of so many letters that number tells from others; only its end if it is short */
static void
append_word(Text *text, size_t len, uint32_t number, bool is_capital)
{
	for (size_t i = 0; i < len; i++)
	{
		uint32_t	place = (uint32_t) (len - 1 - i);
		char		letter = (char) ('a' + (number >> (4 * (place % 8)) & 15) + place % 11);

		append(text, is_capital && i == 0 ? &(char) {(char) (letter - 'a' + 'A')} : &letter, 1);
	}
}

static void
append_ideographs(Text *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		size_t		last = i * i % 53;	/* of U+4F40 ... U+4F74 */

		append(text, (char[]) {'\xe4', '\xbd', (char) (0x80 + last)}, 3);
	}
}

static TestText
text_of(const char *bytes, size_t len)
{
	TestText	text = {malloc(len + (len == 0)), len};

	memcpy(text.bytes, bytes, len);
	return text;
}

TestText
make_repeated(const char *string, size_t n_times)
{
	size_t		string_len = strlen(string);
	TestText	text = {malloc(string_len * n_times), string_len * n_times};

	for (size_t i = 0; i < n_times; i++)
		memcpy(text.bytes + i * string_len, string, string_len);
	return text;
}

TestText
make_words(uint32_t first, uint32_t n)
{
	static Text text;

	text.len = 0;
	for (uint32_t i = first; i < first + n; i++)
	{
		append_word(&text, 6 + i / 2 % 5, i / 2 * 3, i % 2 == 1);
		append(&text, " ", 1);
	}
	return text_of(text.bytes, text.len);
}

/*
 * The texts
 */
static void
add(TestTexts *texts, TestText text)
{
	texts->text = realloc(texts->text, (texts->n + 1) * sizeof(TestText));
	texts->text[texts->n++] = text;
}

static void
add_text(TestTexts *texts, const Text *text)
{
	add(texts, text_of(text->bytes, text->len));
}

/* All short words, each in two spellings that differ in case, and some long ones */
static void
add_words(TestTexts *texts, Text *text)
{
	text->len = 0;
	for (int i = 0; i < 4; i++)
	{
		for (size_t len = 1; len <= LONGEST_SHORT_WORD; len++)
		{
			append_word(text, len, 0x01234567, i % 2 == 1);
			append(text, i < 2 ? " " : ", ", i < 2 ? 1 : 2);
		}
		add_text(texts, text);
	}
	for (size_t i = 0; i < COUNT(long_words); i++)
	{
		text->len = 0;
		append_word(text, long_words[i], 0x89ABCDEF, i % 2 == 1);
		add_text(texts, text);
		append(text, " and ", 5);
		append_word(text, long_words[i], 0x89ABCDEF, false);
		add_text(texts, text);
	}
}

static void
add_ideographs(TestTexts *texts, Text *text)
{
	for (size_t i = 0; i < COUNT(ideographs); i++)
	{
		text->len = 0;
		append_ideographs(text, ideographs[i]);
		add_text(texts, text);
	}

	/* A full portion but for a few n-grams, and then the longest run */
	text->len = 0;
	for (size_t n_before = 250; n_before < 260; n_before++)
	{
		for (size_t i = 0; i < n_before; i++)
			append(text, "A ", 2);
		append_ideographs(text, AI_NGRAM_MAX_TOKEN);
	}
	add_text(texts, text);
}

static void
add_random(TestTexts *texts, Text *text)
{
	AiRng		rng = {3};

	text->len = 0;
	while (text->len < 3000)
		append(text, &(char) {(char) ai_rng_below(&rng, 256)}, 1);
	add_text(texts, text);

	/* n-grams of words that come again, of a few letters, over many portions */
	for (uint32_t n_letters = 2; n_letters < 5; n_letters++)
	{
		text->len = 0;
		while (text->len < 9000)
		{
			append_word(text, 1, ai_rng_below(&rng, n_letters), ai_rng_below(&rng, 9) == 0);
			append(text, " ", 1);
		}
		add_text(texts, text);
	}

	/* as in a language: few words are frequent, many are rare */
	text->len = 0;
	while (text->len < LONG_TEXT)
	{
		uint32_t	word = ai_rng_below(&rng, 1 + ai_rng_below(&rng, 3000));

		append_word(text, 1 + word % 13, word * 977, ai_rng_below(&rng, 10) == 0);
		append(text, ai_rng_below(&rng, 12) == 0 ? ". " : " ", ai_rng_below(&rng, 30) == 0 ? 2 : 1);
	}
	text->len = LONG_TEXT;
	add_text(texts, text);
}

TestTexts
make_texts(void)
{
	static Text text;
	TestTexts	texts = {0};

	for (size_t i = 0; i < COUNT(literals); i++)
		add(&texts, text_of(literals[i].bytes, literals[i].len));
	for (size_t i = 0; i < COUNT(repeated); i++)
		add(&texts, make_repeated(repeated[i].string, repeated[i].n_times));
	add_words(&texts, &text);
	add_ideographs(&texts, &text);
	add_random(&texts, &text);
	return texts;
}

void
free_texts(TestTexts *texts)
{
	for (size_t i = 0; i < texts->n; i++)
		free(texts->text[i].bytes);
	free(texts->text);
}

/*
 * N-grams
 */
void
free_ngrams(Ngrams *ngrams)
{
	free(ngrams->hash);
	free(ngrams->span);
}

Ngrams
read_ngrams(const AiNgramOptions *options, const char *text, size_t len, bool with_spans)
{
	AiNgramReader *reader;
	Ngrams		all_read = {0};
	const uint64_t *hash;
	const AiNgramSpan *span;
	size_t		n;
	char	   *copy = malloc(len + (len == 0));	/* exact, for a sanitizer */

	memcpy(copy, text, len);
	assert_int_equal(ai_ngram_reader_create(&reader, ai_malloc_host(), options, with_spans,
											NULL),
					 AI_OK);
	ai_ngram_reader_start(reader, copy, len);
	while ((n = ai_ngram_reader_next(reader, &hash, &span)) > 0)
	{
		if (all_read.n + n > all_read.capacity)
		{
			all_read.capacity = 2 * (all_read.n + n);
			all_read.hash = realloc(all_read.hash, all_read.capacity * sizeof(uint64_t));
			all_read.span = realloc(all_read.span, all_read.capacity * sizeof(AiNgramSpan));
		}
		memcpy(all_read.hash + all_read.n, hash, n * sizeof(uint64_t));
		assert_true((span != NULL) == with_spans);
		if (with_spans)
			memcpy(all_read.span + all_read.n, span, n * sizeof(AiNgramSpan));
		all_read.n += n;
	}
	assert_int_equal(ai_ngram_reader_next(reader, &hash, &span), 0);
	ai_ngram_reader_destroy(reader);
	free(copy);
	return all_read;
}
