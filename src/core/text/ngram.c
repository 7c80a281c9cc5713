/*-------------------------------------------------------------------------
 * ngram.c
 *		A text as the hashes of its n-grams.
 *
 * Characters are read into a window of fixed size; whole tokens are taken from
 * it, and what is left of the last one moves to the front before the next
 * stretch is read.  A token that reaches AI_NGRAM_MAX_TOKEN characters is cut,
 * counted from its start, so that the cut depends on the text only.
 *
 * Character n-grams are hashed as polynomials in an odd number modulo 2^64,
 * one multiplication for each further character, and mixed at the end: every
 * position and length costs about a nanosecond, which a general hash of some
 * bytes does not reach.
 *-------------------------------------------------------------------------
 */
#include "core/text/ngram.h"

#include <string.h>

#include "core/text/unicode.h"

#define WINDOW_SIZE 2048		/* characters; more than AI_NGRAM_MAX_TOKEN */
#define WINDOWS_PER_QUESTION 64 /* whether to stop: about a millisecond */

/* Odd numbers with random bits, from the digits of pi and e */
#define CHAR_FACTOR UINT64_C(0x243F6A8885A308D3)
#define GRAM_FACTOR UINT64_C(0x13198A2E03707345)
#define WORD_FACTOR UINT64_C(0xA4093822299F31D1)
#define SHAPE_FACTOR UINT64_C(0x082EFA98EC4E6C89)
#define MIX_FACTOR UINT64_C(0xB7E151628AED2A6B)

/* The ends of a word, as a character that no text has */
#define BOUNDARY 0x110000

#define N_PAST 8				/* a power of two, at least AI_NGRAM_MAX_WORDS */

struct AiNgramReader
{
	const AiHost *host;			/* borrowed */
	AiNgramOptions options;
	bool		with_spans;
	const AiHost *stop_host;	/* borrowed; NULL: texts are read to their ends */
	unsigned	n_windows;		/* read so far */

	/* The text in progress */
	AiNormalizer normalizer;
	bool		at_end;			/* the normaliser has no more */
	size_t		n_chars;		/* in the window */
	size_t		place;			/* of the next run in it */
	AiNgramToken past[N_PAST];	/* a ring; the newest is at n_tokens - 1 */
	AiNgramSpan past_span[N_PAST];	/* with spans only */
	size_t		n_tokens;		/* since the start of the text */

	/* The window */
	uint32_t	code[WINDOW_SIZE + AI_NGRAM_SLACK];
	uint8_t		kind[WINDOW_SIZE + AI_NGRAM_SLACK];
	uint32_t	start[WINDOW_SIZE]; /* with spans only */
	uint32_t	end[WINDOW_SIZE];

	/* The result of one call */
	size_t		n;
	uint64_t	hash[AI_NGRAM_MAX_PORTION];
	AiNgramSpan span[];			/* [AI_NGRAM_MAX_PORTION], or absent */
};

AiCode
ai_ngram_reader_create(AiNgramReader **reader, const AiHost *host,
					   const AiNgramOptions *options, bool with_spans, AiError *err)
{
	size_t		size = sizeof(AiNgramReader) +
		(with_spans ? AI_NGRAM_MAX_PORTION * sizeof(AiNgramSpan) : 0);
	AiNgramReader *r = ai_host_alloc(host, size);

	if (r == NULL)
		return ai_out_of_memory(err, size, "n-grams");
	r->host = host;
	r->options = *options;
	r->with_spans = with_spans;
	r->stop_host = NULL;
	r->n_windows = 0;
	memset(r->code, 0, sizeof(r->code));
	memset(r->kind, 0, sizeof(r->kind));
	ai_ngram_reader_start(r, "", 0);
	*reader = r;
	return AI_OK;
}

void
ai_ngram_reader_destroy(AiNgramReader *reader)
{
	if (reader != NULL)
		ai_host_release(reader->host, reader);
}

void
ai_ngram_reader_stop_with(AiNgramReader *reader, const AiHost *host)
{
	reader->stop_host = host;
}

void
ai_ngram_reader_start(AiNgramReader *reader, const char *text, size_t len)
{
	ai_normalizer_init(&reader->normalizer, text, len, reader->options.fold_case);
	reader->at_end = false;
	reader->n_chars = 0;
	reader->place = 0;
	reader->n_tokens = 0;
}

/* Murmur-like finish: every bit of x moves every bit of the result */
static inline uint64_t
mix(uint64_t x)
{
	x ^= x >> 32;
	x *= MIX_FACTOR;
	x ^= x >> 29;
	x *= GRAM_FACTOR;
	return x ^ (x >> 32);
}

static inline uint64_t
finish(uint64_t x, AiNgramKind kind)
{
	return (mix(x) & ~UINT64_C(3)) | kind;
}

static inline void
widen(AiNgramSpan *span, uint32_t start, uint32_t end)
{
	span->start = start < span->start ? start : span->start;
	span->end = end > span->end ? end : span->end;
}

/*
 * The bytes that the characters [first, last) of the window came from.  Marks
 * were put in order, so the first of them need not stand first in the source.
 */
static AiNgramSpan
span_of(const AiNgramReader *r, size_t first, size_t last)
{
	AiNgramSpan span = {.start = r->start[first], .end = r->end[first]};

	for (size_t i = first + 1; i < last; i++)
		widen(&span, r->start[i], r->end[i]);
	return span;
}

static inline AiCharKind
kind_of(uint8_t kind)
{
	return (AiCharKind) (kind & AI_CHAR_KIND_MASK);
}

/* The class of a character in a shape: 9, X, x, an ideograph's, or itself */
static inline uint32_t
shape_of(uint32_t code, uint8_t kind)
{
	switch (kind_of(kind))
	{
		case AI_CHAR_DIGIT:
			return '9';
		case AI_CHAR_LETTER:
		case AI_CHAR_MARK:
			return (kind & AI_CHAR_UPPER) ? 'X' : 'x';
		case AI_CHAR_IDEOGRAPH:
			return BOUNDARY + 1;
		default:
			return code;
	}
}

/*
 * A run of one class counts as one or as many; digits count each, since the
 * length of a number tells years, prices and telephone numbers apart.
 */
static uint64_t
token_shape(const uint32_t *code, const uint8_t *kind, size_t len)
{
	uint64_t	h = 0;
	uint32_t	last = 0;
	size_t		run = 0;

	for (size_t i = 0; i < len; i++)
	{
		uint32_t	shape = shape_of(code[i], kind[i]);

		run = shape == last ? run + 1 : 1;
		last = shape;
		if (run <= 2 || shape == '9')
			h = (h + shape + (run == 2 ? BOUNDARY : 0) + 1) * SHAPE_FACTOR;
	}
	return h;
}

static uint64_t
token_word(const uint32_t *code, size_t len)
{
	uint64_t	h = 0;

	for (size_t i = 0; i < len; i++)
		h = (h + code[i] + 1) * WORD_FACTOR;
	return mix(h);
}

AiNgramToken
ai_ngram_token(const uint32_t *code, const uint8_t *kind, size_t len)
{
	return (AiNgramToken) {token_word(code, len), token_shape(code, kind, len)};
}

/* An end of a word by itself is no n-gram. */
static inline size_t
shortest_at(size_t p, size_t len, size_t char_min)
{
	return char_min == 1 && (p == 0 || p == len - 1) ? 2 : char_min;
}

/* The places of the n-grams of characters of the run [first, last), into span */
static void
span_chars(const AiNgramReader *r, size_t first, size_t last, AiNgramSpan *span)
{
	size_t		char_min = (size_t) r->options.char_min;
	size_t		char_max = (size_t) r->options.char_max;
	size_t		len = last - first + 2;

	for (size_t p = 0; p + char_min <= len; p++)
	{
		for (size_t n = shortest_at(p, len, char_min); n <= char_max && p + n <= len; n++)
		{
			bool		at_start = p == 0;
			bool		at_end = p + n == len;

			*span = span_of(r, first + p - (at_start ? 0 : 1),
							first + p + n - 1 - (at_end ? 1 : 0));
			span->at_start = at_start;
			span->at_end = at_end;
			span++;
		}
	}
}

/*
 * The value of a character is spread before it enters the polynomial, else short
 * n-grams of small codes would lie close together.  A run of one character has
 * no n-grams: they would say again what the word says.
 */
size_t
ai_ngram_chars(const AiNgramReader *reader, const AiNgramRun *run, uint64_t *hash)
{
	size_t		char_min = (size_t) reader->options.char_min;
	size_t		char_max = (size_t) reader->options.char_max;
	uint64_t	spread[AI_NGRAM_MAX_TOKEN + 2];
	size_t		len = run->len + 2;
	uint64_t   *out = hash;

	if (char_max == 0 || run->len == 1)
		return 0;
	spread[0] = (BOUNDARY + 1) * CHAR_FACTOR;
	for (size_t i = 1; i < len - 1; i++)
		spread[i] = (run->code[i - 1] + UINT64_C(1)) * CHAR_FACTOR;
	spread[len - 1] = spread[0];

	for (size_t p = 0; p + char_min <= len; p++)
	{
		size_t		longest = len - p < char_max ? len - p : char_max;
		uint64_t	h = 0;
		size_t		shortest = shortest_at(p, len, char_min);
		size_t		n = 1;

		for (; n < shortest && n <= longest; n++)
			h = (h + spread[p + n - 1]) * GRAM_FACTOR;
		for (; n <= longest; n++)
		{
			h = (h + spread[p + n - 1]) * GRAM_FACTOR;
			*out++ = finish(h, AI_NGRAM_CHARS);
		}
	}
	return (size_t) (out - hash);
}

static inline uint64_t
word_gram(uint64_t h, uint64_t word)
{
	return (h + word + 1) * WORD_FACTOR;
}

static inline uint64_t
shape_gram(uint64_t h, uint64_t shape)
{
	return (h + shape + 1) * SHAPE_FACTOR;
}

uint64_t
ai_ngram_word(const AiNgramToken *token)
{
	return finish(word_gram(0, token->word), AI_NGRAM_WORD);
}

uint64_t
ai_ngram_shape(const AiNgramToken *token)
{
	return finish(shape_gram(0, token->shape), AI_NGRAM_SHAPE);
}

void
ai_ngram_of_tokens(uint64_t *hash, AiNgramKind kind, const AiNgramToken *tokens,
				   const uint32_t *last, size_t n, int k)
{
	for (size_t i = 0; i < n; i++)
	{
		const AiNgramToken *token = tokens + last[i];
		uint64_t	h = 0;

		for (int j = 0; j < k; j++)
			h = kind == AI_NGRAM_WORD ? word_gram(h, token[-j].word)
				: shape_gram(h, token[-j].shape);
		hash[i] = finish(h, kind);
	}
}

/* Where the token k before the newest is in the ring */
static inline size_t
past(const AiNgramReader *r, size_t k)
{
	return (r->n_tokens - 1 - k) % N_PAST;
}

/* The bytes of the newest token and the k before it, one of which may be a mark out of order */
static AiNgramSpan
span_of_tokens(const AiNgramReader *r, size_t k)
{
	AiNgramSpan span = r->past_span[past(r, 0)];

	for (size_t i = 1; i <= k; i++)
		widen(&span, r->past_span[past(r, i)].start, r->past_span[past(r, i)].end);
	return span;
}

/* The n-grams of the token [first, last) of the window and of those before it */
static void
emit_token(AiNgramReader *r, size_t first, size_t last)
{
	size_t		n_words = (size_t) r->options.word_max;
	size_t		n_shapes = r->options.has_shapes ? 2 : 0;
	uint64_t   *hash = r->hash + r->n;
	uint64_t	h = 0;

	r->n_tokens++;
	r->past[past(r, 0)] = ai_ngram_token(r->code + first, r->kind + first, last - first);
	n_words = n_words < r->n_tokens ? n_words : r->n_tokens;
	n_shapes = n_shapes < r->n_tokens ? n_shapes : r->n_tokens;
	for (size_t k = 0; k < n_words; k++)
	{
		h = word_gram(h, r->past[past(r, k)].word);
		*hash++ = finish(h, AI_NGRAM_WORD);
	}
	h = 0;
	for (size_t k = 0; k < n_shapes; k++)
	{
		h = shape_gram(h, r->past[past(r, k)].shape);
		*hash++ = finish(h, AI_NGRAM_SHAPE);
	}
	if (r->with_spans)
	{
		AiNgramSpan *span = r->span + r->n;

		r->past_span[past(r, 0)] = span_of(r, first, last);
		for (size_t k = 0; k < n_words; k++)
			*span++ = span_of_tokens(r, k);
		for (size_t k = 0; k < n_shapes; k++)
			*span++ = span_of_tokens(r, k);
	}
	r->n += n_words + n_shapes;
}

typedef uint8_t Kinds __attribute__((vector_size(AI_NGRAM_SLACK)));

/* Which byte of x, as it lies in memory, is the first that is not 0 */
static inline size_t
first_byte(uint64_t x)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return (size_t) __builtin_clzll(x) / 8;
#else
	return (size_t) __builtin_ctzll(x) / 8;
#endif
}

/* How many of the next AI_NGRAM_SLACK characters are, from the first on, of a run */
static inline size_t
n_in_run(const uint8_t *kind, bool of_ideographs)
{
	Kinds		k;
	Kinds		ends;
	uint64_t	half[2];

	memcpy(&k, kind, sizeof(k));
	k &= AI_CHAR_KIND_MASK;
	if (of_ideographs)
		ends = (Kinds) (k != AI_CHAR_IDEOGRAPH);
	else
		ends = (Kinds) (k != AI_CHAR_LETTER) & (Kinds) (k != AI_CHAR_DIGIT) &
			(Kinds) (k != AI_CHAR_MARK);
	memcpy(half, &ends, sizeof(half));
	if (half[0] != 0)
		return first_byte(half[0]);
	return half[1] != 0 ? 8 + first_byte(half[1]) : sizeof(Kinds);
}

/* The end of the run that begins at first, within the window and the limit */
static size_t
run_end(const AiNgramReader *r, size_t first, bool of_ideographs)
{
	size_t		limit = first + AI_NGRAM_MAX_TOKEN;
	size_t		i = first;
	size_t		n = sizeof(Kinds);

	if (limit > r->n_chars)
		limit = r->n_chars;
	while (i < limit && n == sizeof(Kinds))
	{
		n = n_in_run(r->kind + i, of_ideographs);
		i += n;
	}
	return i < limit ? i : limit;
}

/* Move what is left of the window to its front and read on. */
static void
fill_window(AiNgramReader *r)
{
	size_t		place = r->place;

	r->n_chars -= place;
	r->place = 0;
	memmove(r->code, r->code + place, r->n_chars * sizeof(r->code[0]));
	memmove(r->kind, r->kind + place, r->n_chars * sizeof(r->kind[0]));
	if (r->with_spans)
	{
		memmove(r->start, r->start + place, r->n_chars * sizeof(r->start[0]));
		memmove(r->end, r->end + place, r->n_chars * sizeof(r->end[0]));
	}
	while (!r->at_end && r->n_chars + AI_NORMALIZER_MIN_OUT <= WINDOW_SIZE)
	{
		size_t		n = r->n_chars;
		size_t		n_read = ai_normalizer_next(&r->normalizer, r->code + n, r->kind + n,
												r->with_spans ? r->start + n : NULL,
												r->with_spans ? r->end + n : NULL,
												WINDOW_SIZE - n);

		r->n_chars += n_read;
		r->at_end = n_read == 0;
	}
}

/* A caller asks by himself as n-grams come, but some texts have none for a long time. */
static bool
should_stop(AiNgramReader *r)
{
	return r->stop_host != NULL && ++r->n_windows % WINDOWS_PER_QUESTION == 0 &&
		ai_host_should_stop(r->stop_host);
}

/* The run that comes next in the window, false when more has to be read first */
static bool
next_run(AiNgramReader *r, AiNgramRun *run)
{
	size_t		first = r->place;
	size_t		last;
	AiCharKind	kind;

	while (first < r->n_chars && kind_of(r->kind[first]) == AI_CHAR_SPACE)
		first++;
	r->place = first;
	if (first == r->n_chars)
		return false;
	kind = kind_of(r->kind[first]);
	last = kind == AI_CHAR_SYMBOL ? first + 1 : run_end(r, first, kind == AI_CHAR_IDEOGRAPH);
	if (last == r->n_chars && !r->at_end && kind != AI_CHAR_SYMBOL &&
		last - first < AI_NGRAM_MAX_TOKEN)
		return false;
	*run = (AiNgramRun) {
		r->code + first, r->kind + first, last - first, kind != AI_CHAR_IDEOGRAPH
	};
	r->place = last;
	return true;
}

size_t
ai_ngram_reader_next_runs(AiNgramReader *r, AiNgramRun *runs, size_t max)
{
	size_t		n = 0;

	for (;;)
	{
		while (n < max && next_run(r, &runs[n]))
			n++;
		if (n > 0 || (r->at_end && r->place == r->n_chars))
			return n;
		if (should_stop(r))
			return 0;
		fill_window(r);
	}
}

size_t
ai_ngram_reader_next(AiNgramReader *r, const uint64_t **hash, const AiNgramSpan **span)
{
	AiNgramRun	run;

	r->n = 0;
	while (r->n < AI_NGRAM_PORTION && ai_ngram_reader_next_runs(r, &run, 1) > 0)
	{
		size_t		first = (size_t) (run.code - r->code);
		size_t		last = first + run.len;
		size_t		n_chars;

		if (run.is_one_token)
			emit_token(r, first, last);
		else
		{
			for (size_t i = first; i < last; i++)
				emit_token(r, i, i + 1);
		}
		n_chars = ai_ngram_chars(r, &run, r->hash + r->n);
		if (r->with_spans && n_chars > 0)
			span_chars(r, first, last, r->span + r->n);
		r->n += n_chars;
	}
	*hash = r->hash;
	*span = r->with_spans ? r->span : NULL;
	return r->n;
}
