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

/*
 * Each character of a window begins at most AI_NGRAM_MAX_CHARS n-grams of
 * characters and ends one token.
 */
_Static_assert(WINDOW_SIZE * (AI_NGRAM_MAX_WORDS + AI_NGRAM_MAX_CHARS + 2) == AI_NGRAM_MAX_PORTION,
			   "a portion holds what a window gives rise to");

/* Odd numbers with random bits, from the digits of pi and e */
#define CHAR_FACTOR UINT64_C(0x243F6A8885A308D3)
#define GRAM_FACTOR UINT64_C(0x13198A2E03707345)
#define WORD_FACTOR UINT64_C(0xA4093822299F31D1)
#define SHAPE_FACTOR UINT64_C(0x082EFA98EC4E6C89)
#define MIX_FACTOR UINT64_C(0xB7E151628AED2A6B)

/* The ends of a word, as a character that no text has */
#define BOUNDARY 0x110000

#define N_PAST 8				/* a power of two, at least AI_NGRAM_MAX_WORDS */

/* A token that n-grams may still reach back to */
typedef struct PastToken
{
	uint64_t	word;
	uint64_t	shape;
	AiNgramSpan span;			/* with spans only */
} PastToken;

struct AiNgramReader
{
	const AiHost *host;			/* borrowed */
	AiNgramOptions options;
	bool		with_spans;

	/* The text in progress */
	AiNormalizer normalizer;
	bool		at_end;			/* the normaliser has no more */
	size_t		n_chars;		/* in the window */
	PastToken	past[N_PAST];	/* a ring; the newest is at n_tokens - 1 */
	uint32_t	n_tokens;		/* since the start of the text */

	/* The window */
	uint32_t	code[WINDOW_SIZE];
	uint8_t		kind[WINDOW_SIZE];
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
ai_ngram_reader_start(AiNgramReader *reader, const char *text, size_t len)
{
	ai_normalizer_init(&reader->normalizer, text, len, reader->options.fold_case);
	reader->at_end = false;
	reader->n_chars = 0;
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

static inline bool
is_word_char(AiCharKind kind)
{
	return kind == AI_CHAR_LETTER || kind == AI_CHAR_DIGIT || kind == AI_CHAR_MARK;
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

/* An end of a word by itself is no n-gram. */
static inline size_t
shortest_at(size_t p, size_t len, size_t char_min)
{
	return char_min == 1 && (p == 0 || p == len - 1) ? 2 : char_min;
}

/* The places of the n-grams that emit_chars() is about to emit, in its order */
static void
span_chars(AiNgramReader *r, size_t first, size_t last)
{
	size_t		char_min = (size_t) r->options.char_min;
	size_t		char_max = (size_t) r->options.char_max;
	size_t		len = last - first + 2;
	AiNgramSpan *span = r->span + r->n;

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
 * N-grams of characters of the run [first, last) between its two ends.  The
 * value of a character is spread before it enters the polynomial, else short
 * n-grams of small codes would lie close together.  A run of one character
 * has none: they would say again what the word says.
 */
static void
emit_chars(AiNgramReader *r, size_t first, size_t last)
{
	size_t		char_min = (size_t) r->options.char_min;
	size_t		char_max = (size_t) r->options.char_max;
	uint64_t	spread[AI_NGRAM_MAX_TOKEN + 2];
	size_t		len = last - first + 2;
	uint64_t   *out = r->hash + r->n;

	spread[0] = (BOUNDARY + 1) * CHAR_FACTOR;
	for (size_t i = 1; i < len - 1; i++)
		spread[i] = (r->code[first + i - 1] + UINT64_C(1)) * CHAR_FACTOR;
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
	r->n = (size_t) (out - r->hash);
}

/* The token k before the newest */
static inline const PastToken *
past_token(const AiNgramReader *r, uint32_t k)
{
	return &r->past[(r->n_tokens - 1 - k) % N_PAST];
}

/* The bytes of the newest token and the k before it, one of which may be a mark out of order */
static AiNgramSpan
span_of_tokens(const AiNgramReader *r, uint32_t k)
{
	AiNgramSpan span = past_token(r, 0)->span;

	for (uint32_t i = 1; i <= k; i++)
		widen(&span, past_token(r, i)->span.start, past_token(r, i)->span.end);
	return span;
}

/* N-grams of words and shapes that end with this token */
static void
emit_token(AiNgramReader *r, size_t first, size_t last)
{
	uint32_t	n_tokens = r->n_tokens + 1;
	uint32_t	n_words = (uint32_t) r->options.word_max;
	uint32_t	n_shapes = r->options.has_shapes ? 2 : 0;
	size_t		n = r->n;
	uint64_t	h = 0;

	r->past[r->n_tokens % N_PAST] = (PastToken) {
		.word = token_word(r->code + first, last - first),
		.shape = token_shape(r->code + first, r->kind + first, last - first),
		.span = r->with_spans ? span_of(r, first, last) : (AiNgramSpan) {0}
	};
	r->n_tokens = n_tokens;
	n_words = n_words < n_tokens ? n_words : n_tokens;
	n_shapes = n_shapes < n_tokens ? n_shapes : n_tokens;

	for (uint32_t k = 0; k < n_words; k++)
	{
		h = (h + past_token(r, k)->word + 1) * WORD_FACTOR;
		r->hash[n++] = finish(h, AI_NGRAM_WORD);
	}
	h = 0;
	for (uint32_t k = 0; k < n_shapes; k++)
	{
		h = (h + past_token(r, k)->shape + 1) * SHAPE_FACTOR;
		r->hash[n++] = finish(h, AI_NGRAM_SHAPE);
	}
	for (uint32_t k = 0; r->with_spans && k < n_words + n_shapes; k++)
		r->span[r->n + k] = span_of_tokens(r, k < n_words ? k : k - n_words);
	r->n = n;
}

/* The end of the run that begins at first, within the window and the limit */
static size_t
run_end(const AiNgramReader *r, size_t first, bool of_ideographs)
{
	size_t		limit = first + AI_NGRAM_MAX_TOKEN;
	size_t		i = first + 1;

	if (limit > r->n_chars)
		limit = r->n_chars;
	while (i < limit &&
		   (of_ideographs ? kind_of(r->kind[i]) == AI_CHAR_IDEOGRAPH
			: is_word_char(kind_of(r->kind[i]))))
		i++;
	return i;
}

/*
 * Take the token or run that begins at first.  Its end, or first when more of
 * the text has to be read to know it.
 */
static size_t
take_run(AiNgramReader *r, size_t first)
{
	AiCharKind	kind = kind_of(r->kind[first]);
	size_t		last;

	if (kind == AI_CHAR_SYMBOL)
	{
		emit_token(r, first, first + 1);
		return first + 1;
	}
	last = run_end(r, first, kind == AI_CHAR_IDEOGRAPH);
	if (last == r->n_chars && last - first < AI_NGRAM_MAX_TOKEN && !r->at_end)
		return first;
	if (kind == AI_CHAR_IDEOGRAPH)
	{
		for (size_t i = first; i < last; i++)
			emit_token(r, i, i + 1);
	}
	else
		emit_token(r, first, last);
	if (r->options.char_max > 0 && last - first > 1)
	{
		if (r->with_spans)
			span_chars(r, first, last);
		emit_chars(r, first, last);
	}
	return last;
}

size_t
ai_ngram_reader_next(AiNgramReader *r, const uint64_t **hash, const AiNgramSpan **span)
{
	r->n = 0;
	while (r->n == 0 && !(r->at_end && r->n_chars == 0))
	{
		size_t		i = 0;

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
		while (i < r->n_chars)
		{
			size_t		next;

			if (kind_of(r->kind[i]) == AI_CHAR_SPACE)
			{
				i++;
				continue;
			}
			next = take_run(r, i);
			if (next == i)
				break;
			i = next;
		}
		r->n_chars -= i;
		memmove(r->code, r->code + i, r->n_chars * sizeof(r->code[0]));
		memmove(r->kind, r->kind + i, r->n_chars * sizeof(r->kind[0]));
		if (r->with_spans)
		{
			memmove(r->start, r->start + i, r->n_chars * sizeof(r->start[0]));
			memmove(r->end, r->end + i, r->n_chars * sizeof(r->end[0]));
		}
	}
	*hash = r->hash;
	*span = r->with_spans ? r->span : NULL;
	return r->n;
}
