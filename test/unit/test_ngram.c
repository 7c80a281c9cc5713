/*-------------------------------------------------------------------------
 * test_ngram.c
 *		The n-grams of a text are those they always were, and stand where they
 *		say.
 *
 * Models keep hashes of n-grams, so test/golden/ngram.txt pins them.
 *
 *	test_ngram --write-golden FILE
 *
 * writes it: once for each AI_NGRAM_VERSION, and never again.  It holds for
 * each case a line "case WORD_MAX CHAR_MIN CHAR_MAX SHAPES FOLD NUMBER HEX" with
 * the text's bytes, and for each of its n-grams a line "HASH START END
 * AT_START AT_END".
 *-------------------------------------------------------------------------
 */
#include "core/text/ngram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "core/base/utf8.h"
#include "core/text/unicode.h"
#include "test_host.h"
#include "test_texts.h"

#define GOLDEN_FILE "test/golden/ngram.txt"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const AiNgramOptions usual = {2, 2, 5, true, true};
static const AiNgramOptions all = {AI_NGRAM_MAX_WORDS, 1, AI_NGRAM_MAX_CHARS, true, true};
static const AiNgramOptions words = {1, 1, 0, false, true};

static size_t
count_kind(const Ngrams *ngrams, AiNgramKind kind)
{
	size_t		n = 0;

	for (size_t i = 0; i < ngrams->n; i++)
		n += AI_NGRAM_KIND(ngrams->hash[i]) == kind;
	return n;
}

/* The n-gram as it stands in the text, with a space for an end of a word */
static void
format_ngram(char *out, const char *text, const AiNgramSpan *span)
{
	sprintf(out, "%s%.*s%s", span->at_start ? "_" : "", (int) (span->end - span->start),
			text + span->start, span->at_end ? "_" : "");
}

/* The n-grams of one kind, each once in the order given, are exactly these. */
static void
check_list(const AiNgramOptions *options, const char *text, AiNgramKind kind,
		   const char *expected)
{
	Ngrams		ngrams = read_ngrams(options, text, strlen(text), true);
	char		list[4096] = "";

	for (size_t i = 0; i < ngrams.n; i++)
	{
		char		one[256];

		if (AI_NGRAM_KIND(ngrams.hash[i]) != kind)
			continue;
		format_ngram(one, text, &ngrams.span[i]);
		if (list[0] != '\0')
			strcat(list, "|");
		strcat(list, one);
	}
	assert_string_equal(list, expected);
	free_ngrams(&ngrams);
}

static void
check_equal(const AiNgramOptions *options, const char *a, const char *b, bool are_equal)
{
	Ngrams		of_a = read_ngrams(options, a, strlen(a), false);
	Ngrams		of_b = read_ngrams(options, b, strlen(b), false);

	assert_int_equal(of_a.n == of_b.n &&
					 memcmp(of_a.hash, of_b.hash, of_a.n * sizeof(uint64_t)) == 0, are_equal);
	free_ngrams(&of_a);
	free_ngrams(&of_b);
}

/* words, runs of words, symbols and ideographs come out as they stand in the text */
static void
test_words(void **state)
{
	(void) state;
	check_list(&words, "Call me,  NOW!", AI_NGRAM_WORD, "Call|me|,|NOW|!");
	check_list(&(AiNgramOptions) {3, 1, 0, false, true}, "a b  c", AI_NGRAM_WORD,
			   "a|b|a b|c|b  c|a b  c");
	check_list(&words, "\xe4\xbd\xa0\xe5\xa5\xbd ok", AI_NGRAM_WORD,
			   "\xe4\xbd\xa0|\xe5\xa5\xbd|ok");
	check_list(&words, "\xf0\x9f\x98\x80\xf0\x9f\x98\x80", AI_NGRAM_WORD,
			   "\xf0\x9f\x98\x80|\xf0\x9f\x98\x80");
	check_list(&words, "http://a.b/c1", AI_NGRAM_WORD, "http|:|/|/|a|.|b|/|c1");
	check_list(&words, " \t\n ", AI_NGRAM_WORD, "");
}

/* character n-grams stay inside a word, and its ends are marked */
static void
test_characters(void **state)
{
	static const AiNgramOptions pairs = {0, 2, 3, false, true};

	(void) state;
	check_list(&pairs, "abc d", AI_NGRAM_CHARS, "_a|_ab|ab|abc|bc|bc_|c_");
	check_list(&pairs, "\xe4\xbd\xa0\xe5\xa5\xbd", AI_NGRAM_CHARS,
			   "_\xe4\xbd\xa0|_\xe4\xbd\xa0\xe5\xa5\xbd|\xe4\xbd\xa0\xe5\xa5\xbd|"
			   "\xe4\xbd\xa0\xe5\xa5\xbd_|\xe5\xa5\xbd_");
	check_list(&(AiNgramOptions) {0, 1, 1, false, true}, "abc", AI_NGRAM_CHARS, "a|b|c");
}

/* spellings that look alike are the same; capitals differ in their shapes only */
static void
test_equal_spellings(void **state)
{
	AiNgramOptions no_shapes = usual;
	AiNgramOptions unfolded = usual;

	(void) state;
	no_shapes.has_shapes = false;
	unfolded.fold_case = false;
	check_equal(&usual, "caf\xc3\xa9 \xc3\x85", "cafe\xcc\x81 A\xcc\x8a", true);
	check_equal(&usual, "\xea\xb0\x81", "\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8", true);
	check_equal(&usual, "\xef\xbc\xa6\xef\xbd\x92\xef\xbd\x85\xef\xbd\x85", "Free", true);
	check_equal(&usual, "co\xc2\xadop", "coop", true);
	check_equal(&usual, "a b", "a\t\n  b ", true);
	check_equal(&no_shapes, "FREE Entry", "free eNTRY", true);
	check_equal(&usual, "FREE Entry", "free eNTRY", false);
	check_equal(&unfolded, "FREE", "free", false);
	check_equal(&words, "STRASSE", "stra\xc3\x9f" "e", true);
	check_equal(&words, "one two", "two one", false);
	check_equal(&words, "caf\xe9", "caf\xc3\xa9", true);	/* Latin-1 */
}

/* shapes: how a word is written, with numbers by their length */
static void
test_shapes(void **state)
{
	static const AiNgramOptions shapes = {0, 1, 0, true, true};

	(void) state;
	check_equal(&shapes, "Hello", "Goodbye", true);
	check_equal(&shapes, "Hello", "HELLO", false);
	check_equal(&shapes, "08712460324", "07081700101", true);
	check_equal(&shapes, "0871", "08712", false);
	check_equal(&shapes, "!", "?", false);
	check_equal(&shapes, "A1", "Z9", true);
	check_equal(&shapes, "A1", "1A", false);
}

/* options take kinds away and leave the others as they are */
static void
test_options(void **state)
{
	static const char text[] = "The quick brown fox, 12 \xe4\xbd\xa0\xe5\xa5\xbd";
	Ngrams		whole = read_ngrams(&all, text, strlen(text), false);

	(void) state;
	for (int kind = 0; kind < AI_NGRAM_N_KINDS; kind++)
	{
		AiNgramOptions only = {
			kind == AI_NGRAM_WORD ? all.word_max : 0, 1,
			kind == AI_NGRAM_CHARS ? all.char_max : 0, kind == AI_NGRAM_SHAPE, true
		};
		Ngrams		part = read_ngrams(&only, text, strlen(text), false);
		size_t		at = 0;

		assert_true(part.n > 0);
		assert_int_equal(part.n, count_kind(&whole, (AiNgramKind) kind));
		for (size_t i = 0; i < whole.n; i++)
		{
			if (AI_NGRAM_KIND(whole.hash[i]) == (AiNgramKind) kind)
				assert_true(part.hash[at++] == whole.hash[i]);
		}
		free_ngrams(&part);
	}
	free_ngrams(&whole);
}

/*
 * Texts that try the window
 */
static const char *const pieces[] = {
	"a", "word", "Capital", "UPPER", "0", "12345", " ", "  ", "\n", ",", "!!", "https://x.org/?q=1",
	"\xe4\xbd\xa0\xe5\xa5\xbd\xe4\xb8\x96\xe7\x95\x8c", "\xe0\xb8\xaa\xe0\xb8\xa7\xe0\xb8\xb1",
	"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb", "e\xcc\x81", "a\xcc\x81\xcc\xa7\xcc\x96",
	"\xef\xb7\xba", "\xff", "\xc3", "\xed\xa0\x80", "\0", "\xd0\x96\xd0\xb8", "\xe2\x80\x8b"
};

/* A text of pieces, with now and then a very long word; the length in bytes */
static size_t
random_text(AiRng *rng, char *out, size_t max)
{
	size_t		len = 0;

	for (;;)
	{
		uint32_t	k = ai_rng_below(rng, COUNT(pieces));
		const char *piece = pieces[k];
		size_t		piece_len = piece[0] == '\0' ? 1 : strlen(piece);
		uint32_t	n_times = ai_rng_below(rng, 40) == 0 ? ai_rng_below(rng, 1500) : 1;

		for (uint32_t i = 0; i < n_times; i++)
		{
			if (len + piece_len > max)
				return len;
			memcpy(out + len, piece, piece_len);
			len += piece_len;
		}
	}
}

/* Spans lie in the text, and only characters touch the ends of words. */
static void
check_spans(const Ngrams *ngrams, size_t len)
{
	for (size_t i = 0; i < ngrams->n; i++)
	{
		const AiNgramSpan *span = &ngrams->span[i];

		assert_true(span->start < span->end && span->end <= len);
		assert_true(AI_NGRAM_KIND(ngrams->hash[i]) < AI_NGRAM_N_KINDS);
		if (AI_NGRAM_KIND(ngrams->hash[i]) != AI_NGRAM_CHARS)
			assert_false(span->at_start || span->at_end);
	}
}

/*
 * b was read from the text of a after so many bytes of spaces, which bring
 * every border of the window to another place.
 */
static void
check_shifted(const Ngrams *a, const Ngrams *b, uint32_t shift)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++)
	{
		assert_true(a->hash[i] == b->hash[i]);
		assert_int_equal(a->span[i].start + shift, b->span[i].start);
		assert_int_equal(a->span[i].end + shift, b->span[i].end);
		assert_int_equal(a->span[i].at_start, b->span[i].at_start);
		assert_int_equal(a->span[i].at_end, b->span[i].at_end);
	}
}

static void
check_text(const AiNgramOptions *options, const char *text, size_t len)
{
	static const uint32_t shifts[] = {1, 2, 63, 511, 1023, 2000};
	char	   *shifted = malloc(len + 2000);
	Ngrams		ngrams = read_ngrams(options, text, len, true);
	Ngrams		without_spans = read_ngrams(options, text, len, false);

	check_spans(&ngrams, len);
	assert_int_equal(ngrams.n, without_spans.n);
	for (size_t i = 0; i < ngrams.n; i++)
		assert_true(ngrams.hash[i] == without_spans.hash[i]);
	for (size_t s = 0; s < COUNT(shifts); s++)
	{
		Ngrams		other;

		memset(shifted, ' ', shifts[s]);
		memcpy(shifted + shifts[s], text, len);
		other = read_ngrams(options, shifted, len + shifts[s], true);
		check_shifted(&ngrams, &other, shifts[s]);
		free_ngrams(&other);
	}
	free_ngrams(&ngrams);
	free_ngrams(&without_spans);
	free(shifted);
}

/* where the window of reading begins and ends leaves no trace */
static void
test_window_leaves_no_trace(void **state)
{
	static const size_t lens[] = {0, 1, 511, 512, 513, 2047, 2048, 2049, 4096, 30000};
	static char text[100000];
	AiRng		rng = {11};

	(void) state;
	for (size_t l = 0; l < COUNT(lens); l++)
	{
		memset(text, 'x', lens[l]);
		check_text(&usual, text, lens[l]);
		check_text(&all, text, random_text(&rng, text, lens[l]));
		for (size_t i = 0; i < lens[l]; i++)
			text[i] = (char) ai_rng_below(&rng, 256);
		check_text(&all, text, lens[l]);
	}
	for (int i = 0; i < 3; i++)
		check_text(&usual, text, random_text(&rng, text, sizeof(text)));
}

/* a run of one script as long as the window several times over */
static void
test_long_runs(void **state)
{
	static char text[60000];

	(void) state;
	for (size_t p = 0; p < COUNT(pieces); p++)
	{
		size_t		piece_len = pieces[p][0] == '\0' ? 1 : strlen(pieces[p]);
		size_t		len = 0;

		for (; len < 9000; len += piece_len)
			memcpy(text + len, pieces[p], piece_len);
		check_text(&all, text, len);
	}
}

/* a word of more than 512 characters is cut there, counted from its start */
static void
test_long_words(void **state)
{
	static const size_t lens[] = {511, 512, 513, 1023, 1024, 1025, 5000};
	static char text[5000];

	(void) state;
	memset(text, 'y', sizeof(text));
	for (size_t l = 0; l < COUNT(lens); l++)
	{
		size_t		len = lens[l];
		Ngrams		ngrams = read_ngrams(&words, text, len, true);

		assert_int_equal(ngrams.n, (len + 511) / 512);
		for (size_t i = 0; i < ngrams.n; i++)
		{
			assert_int_equal(ngrams.span[i].start, 512 * i);
			assert_int_equal(ngrams.span[i].end, 512 * (i + 1) < len ? 512 * (i + 1) : len);
		}
		free_ngrams(&ngrams);
	}
}

/* marks that normalising puts in another order still have spans of the right way round */
static void
test_reordered_marks(void **state)
{
	/* a, then marks above, below and attached: their classes fall */
	static const char text[] = "a\xcc\x8d\xcc\x96\xcc\xa2 \xcc\x8d\xcc\x96\xcc\xa2";

	(void) state;
	check_text(&all, text, strlen(text));
	check_list(&words, text, AI_NGRAM_WORD,
			   "a\xcc\x8d\xcc\x96\xcc\xa2|\xcc\x8d\xcc\x96\xcc\xa2");

	/* a Thai vowel, a word by itself, goes before a mark that stands before it */
	check_list(&(AiNgramOptions) {2, 1, 0, false, true}, "\xcc\xa7\xe0\xb8\xb8", AI_NGRAM_WORD,
			   "\xe0\xb8\xb8|\xcc\xa7|\xcc\xa7\xe0\xb8\xb8");
}

/*
 * One n-gram's text, normalised and without spaces, for comparing; a word's
 * ends count.  The length.
 */
static size_t
normalise(uint32_t *out, size_t max, const char *text, const AiNgramSpan *span)
{
	AiNormalizer normalizer;
	uint32_t	code[AI_NORMALIZER_MIN_OUT];
	uint8_t 	kind[AI_NORMALIZER_MIN_OUT];
	size_t		len = 0;
	size_t		n;

	out[len++] = span->at_start;
	out[len++] = span->at_end;
	ai_normalizer_init(&normalizer, text + span->start, span->end - span->start, true);
	while ((n = ai_normalizer_next(&normalizer, code, kind, NULL, NULL,
								   AI_NORMALIZER_MIN_OUT)) > 0)
	{
		for (size_t i = 0; i < n; i++)
		{
			if ((kind[i] & AI_CHAR_KIND_MASK) == AI_CHAR_SPACE)
				continue;
			assert_true(len < max);
			out[len++] = code[i];
		}
	}
	return len;
}

static int
compare_hashes(const void *a, const void *b)
{
	const uint64_t *x = *(const uint64_t *const *) a;
	const uint64_t *y = *(const uint64_t *const *) b;

	return *x != *y ? (*x > *y) - (*x < *y) : (x > y) - (x < y);
}

/* n-grams of one hash are one text, and their places hold it */
static void
test_hash_is_of_the_text(void **state)
{
	enum
	{
		MAX = 8000
	};
	static char text[40000];
	static uint32_t first[MAX];
	static uint32_t other[MAX];
	AiNgramOptions options = {3, 1, 6, false, true};
	AiRng		rng = {5};
	size_t		len = 0;
	Ngrams		ngrams;
	const uint64_t **order;
	size_t		n_first = 0;
	size_t		n_same = 0;

	(void) state;
	while (len < sizeof(text) - 8)	/* short words of a few letters come again and again */
		len += (size_t) sprintf(text + len, "%s", (const char *[]) {
			"a", "b", "A", "\xc3\xa9", "e\xcc\x81", "\xe4\xbd\xa0", " ", " ", "  ", "7"
		}[ai_rng_below(&rng, 10)]);
	ngrams = read_ngrams(&options, text, len, true);
	order = malloc(ngrams.n * sizeof(order[0]));
	for (size_t i = 0; i < ngrams.n; i++)
		order[i] = &ngrams.hash[i];
	qsort(order, ngrams.n, sizeof(order[0]), compare_hashes);
	for (size_t i = 0; i < ngrams.n; i++)
	{
		const AiNgramSpan *span = &ngrams.span[order[i] - ngrams.hash];

		if (i == 0 || *order[i] != *order[i - 1])
			n_first = normalise(first, MAX, text, span);
		else
		{
			assert_int_equal(normalise(other, MAX, text, span), n_first);
			assert_memory_equal(first, other, n_first * sizeof(uint32_t));
			n_same++;
		}
	}
	assert_true(n_same > 1000);
	free(order);
	free_ngrams(&ngrams);
}

/*
 * Golden file
 */
static const struct
{
	AiNgramOptions options;
	const char *text;
	size_t		len;
}			golden[] =
{
#define CASE(word_max, char_min, char_max, shapes, fold, literal) \
	{{word_max, char_min, char_max, shapes, fold}, literal, sizeof(literal) - 1}
	CASE(2, 2, 5, true, true, ""),
	CASE(2, 2, 5, true, true, "Free entry, call 08712!"),
	CASE(2, 2, 5, true, false, "Free entry"),
	CASE(5, 1, 8, true, true, "one two three four five six"),
	CASE(1, 3, 3, false, true, "x yz abcdefghij"),
	CASE(2, 2, 4, true, true, "caf\xc3\xa9 cafe\xcc\x81 \xef\xbc\xa6 STRASSE \xc3\x9f"),
	CASE(2, 2, 3, true, true, "\xe4\xbd\xa0\xe5\xa5\xbd\xef\xbc\x8c\xe4\xb8\x96\xe7\x95\x8c"),
	CASE(2, 2, 4, true, true, "\xe0\xb8\xaa\xe0\xb8\xa7\xe0\xb8\xb1\xe0\xb8\xaa\xe0\xb8\x94"),
	CASE(2, 2, 4, true, true, "\xe3\x81\x93\xe3\x82\x93\xe3\x81\xab\xe3\x82\xab\xe3\x83\x8a"),
	CASE(2, 2, 4, true, true, "\xec\x95\x88\xeb\x85\x95 \xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2"),
	CASE(2, 2, 4, true, true, "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb ok\xf0\x9f\x98\x80"),
	CASE(2, 2, 4, true, true, "http://a.org/?x=1 me@b.de"),
	CASE(2, 2, 4, true, true, "\xff\xc3(\xed\xa0\x80 a\0b"),
	CASE(2, 1, 3, true, true, "a\xcc\x8d\xcc\x96\xcc\xa2"),
	CASE(0, 1, 0, true, true, "Ab1 2024-12-31 \xc2\xa3" "9.99 aaa BBB"),
#undef CASE
};

static void
print_golden(FILE *file)
{
	for (size_t i = 0; i < COUNT(golden); i++)
	{
		const AiNgramOptions *o = &golden[i].options;
		Ngrams		ngrams = read_ngrams(o, golden[i].text, golden[i].len, true);

		fprintf(file, "case %d %d %d %d %d %zu ", o->word_max, o->char_min, o->char_max,
				o->has_shapes, o->fold_case, ngrams.n);
		for (size_t b = 0; b < golden[i].len; b++)
			fprintf(file, "%02x", (unsigned char) golden[i].text[b]);
		fprintf(file, "\n");
		for (size_t g = 0; g < ngrams.n; g++)
			fprintf(file, "%016llx %u %u %d %d\n", (unsigned long long) ngrams.hash[g],
					ngrams.span[g].start, ngrams.span[g].end, ngrams.span[g].at_start,
					ngrams.span[g].at_end);
		free_ngrams(&ngrams);
	}
}

/* hashes and places are those of the day when this version of n-grams was made */
static void
test_golden(void **state)
{
	char	   *text;
	size_t		size;
	FILE	   *memory = open_memstream(&text, &size);
	FILE	   *file = fopen(GOLDEN_FILE, "r");

	(void) state;
	assert_non_null(file);
	assert_int_equal(AI_NGRAM_VERSION, 1);
	print_golden(memory);
	fclose(memory);
	for (char *line = text, *end; line < text + size; line = end + 1)
	{
		char		expected[256] = "";

		end = strchr(line, '\n');
		*end = '\0';
		assert_non_null(fgets(expected, sizeof(expected), file));
		expected[strcspn(expected, "\n")] = '\0';
		assert_string_equal(line, expected);
	}
	assert_int_equal(fgetc(file), EOF);
	fclose(file);
	free(text);
}

/*
 * Run by run
 */
typedef struct TestTokens
{
	size_t		n;
	size_t		capacity;
	AiNgramToken *token;		/* [n] */
} TestTokens;

static void
add_token(TestTokens *tokens, const uint32_t *code, const uint8_t *kind, size_t len)
{
	if (tokens->n == tokens->capacity)
	{
		tokens->capacity = 2 * tokens->capacity + 1000;
		tokens->token = realloc(tokens->token, tokens->capacity * sizeof(AiNgramToken));
	}
	tokens->token[tokens->n++] = ai_ngram_token(code, kind, len);
}

/* All tokens of a text, and its n-grams of characters, max runs at a time */
static TestTokens
read_runs(Ngrams *chars, const AiNgramOptions *options, const TestText *text, size_t max)
{
	enum
	{
		MAX = 32
	};
	AiNgramRun	runs[MAX];
	AiNgramReader *reader;
	TestTokens	tokens = {0};
	size_t		n;

	assert_true(max <= MAX);
	assert_int_equal(ai_ngram_reader_create(&reader, ai_malloc_host(), options, false, NULL),
					 AI_OK);
	ai_ngram_reader_start(reader, text->bytes, text->len);
	while ((n = ai_ngram_reader_next_runs(reader, runs, max)) > 0)
	{
		assert_true(n <= max);
		for (size_t r = 0; r < n; r++)
		{
			size_t		token_len = runs[r].is_one_token ? runs[r].len : 1;

			assert_true(runs[r].len > 0 && runs[r].len <= AI_NGRAM_MAX_TOKEN);
			for (size_t i = 0; i < runs[r].len; i += token_len)
				add_token(&tokens, runs[r].code + i, runs[r].kind + i, token_len);
			if (chars->n + AI_NGRAM_MAX_RUN_CHARS > chars->capacity)
			{
				chars->capacity = 2 * chars->capacity + AI_NGRAM_MAX_RUN_CHARS;
				chars->hash = realloc(chars->hash, chars->capacity * sizeof(uint64_t));
			}
			chars->n += ai_ngram_chars(reader, &runs[r], chars->hash + chars->n);
		}
	}
	assert_int_equal(ai_ngram_reader_next_runs(reader, runs, max), 0);
	ai_ngram_reader_destroy(reader);
	return tokens;
}

/* The n-grams of up to width tokens, in the order of the tokens with which they end */
static Ngrams
ngrams_of_tokens(const TestTokens *tokens, AiNgramKind kind, size_t width)
{
	size_t		n = tokens->n;
	bool		is_word = kind == AI_NGRAM_WORD;
	Ngrams		ngrams = {.hash = malloc((width * n + 1) * sizeof(uint64_t))};
	uint64_t   *hash = malloc((width * n + 1) * sizeof(uint64_t));	/* [width, n] */
	uint32_t   *last = malloc((n + 1) * sizeof(uint32_t));

	for (uint32_t t = 0; t < n; t++)
		last[t] = t;
	for (size_t t = 0; width > 0 && t < n; t++)
		hash[t] = is_word ? ai_ngram_word(&tokens->token[t]) : ai_ngram_shape(&tokens->token[t]);
	for (size_t k = 2; k <= width && k <= n; k++)
	{
		uint64_t   *of_k = hash + (k - 1) * n + k - 1;

		ai_ngram_of_tokens(of_k, is_word ? AI_NGRAM_WORD : AI_NGRAM_SHAPE, tokens->token,
						   last + k - 1, n - k + 1, (int) k);
	}
	for (size_t t = 0; t < n; t++)
	{
		for (size_t k = 1; k <= width && k <= t + 1; k++)
			ngrams.hash[ngrams.n++] = hash[(k - 1) * n + t];
	}
	free(hash);
	free(last);
	return ngrams;
}

/* These are the n-grams of one kind of the text, in order. */
static void
check_kind(Ngrams *ngrams, const Ngrams *whole, AiNgramKind kind)
{
	size_t		n = 0;

	for (size_t i = 0; i < whole->n; i++)
	{
		if (AI_NGRAM_KIND(whole->hash[i]) == kind)
			assert_true(n < ngrams->n && ngrams->hash[n++] == whole->hash[i]);
	}
	assert_int_equal(n, ngrams->n);
	free_ngrams(ngrams);
}

/* a text read run by run has the same n-grams of each kind, in the same order */
static void
test_run_by_run(void **state)
{
	static const AiNgramOptions options[] = {
		{2, 2, 5, true, true}, {AI_NGRAM_MAX_WORDS, 1, AI_NGRAM_MAX_CHARS, true, true},
		{0, 3, 3, false, false}, {3, 1, 0, true, false}
	};
	static const size_t max[] = {1, 7, 32};
	TestTexts	texts = make_texts();

	(void) state;
	for (size_t t = 0; t < texts.n * COUNT(options); t++)
	{
		const TestText *text = &texts.text[t / COUNT(options)];
		const AiNgramOptions *o = &options[t % COUNT(options)];
		Ngrams		whole = read_ngrams(o, text->bytes, text->len, false);

		for (size_t m = 0; m < COUNT(max); m++)
		{
			Ngrams		chars = {0};
			TestTokens	tokens = read_runs(&chars, o, text, max[m]);
			Ngrams		word = ngrams_of_tokens(&tokens, AI_NGRAM_WORD, (size_t) o->word_max);
			Ngrams		shape = ngrams_of_tokens(&tokens, AI_NGRAM_SHAPE, o->has_shapes ? 2 : 0);

			check_kind(&word, &whole, AI_NGRAM_WORD);
			check_kind(&chars, &whole, AI_NGRAM_CHARS);
			check_kind(&shape, &whole, AI_NGRAM_SHAPE);
			free(tokens.token);
		}
		free_ngrams(&whole);
	}
	free_texts(&texts);
}

static AiCode
create_and_destroy(const AiHost *host, void *arg, AiError *err)
{
	AiNgramReader *reader;

	AI_TRY(ai_ngram_reader_create(&reader, host, &usual, *(bool *) arg, err));
	ai_ngram_reader_destroy(reader);
	return AI_OK;
}

/* without memory there is no reader, and none is needed to destroy one */
static void
test_every_allocation_fails(void **state)
{
	bool		with_spans = true;

	(void) state;
	test_every_failed_alloc(create_and_destroy, &with_spans);
	with_spans = false;
	test_every_failed_alloc(create_and_destroy, &with_spans);
	ai_ngram_reader_destroy(NULL);
}

static int
write_golden(const char *path)
{
	FILE	   *file = fopen(path, "w");

	if (file == NULL)
		return EXIT_FAILURE;
	print_golden(file);
	return fclose(file) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_equal_spellings),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_window_leaves_no_trace),
		cmocka_unit_test(test_long_runs),
		cmocka_unit_test(test_long_words),
		cmocka_unit_test(test_reordered_marks),
		cmocka_unit_test(test_hash_is_of_the_text),
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_run_by_run),
		cmocka_unit_test(test_every_allocation_fails),
	};

	if (argc == 3 && strcmp(argv[1], "--write-golden") == 0)
		return write_golden(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
