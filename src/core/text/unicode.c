/*-------------------------------------------------------------------------
 * unicode.c
 *		Normalisation of text in one pass and constant memory.
 *
 * Nearly all text is nearly normalised already, so there are two ways through.
 *
 * The direct way writes what it reads, folded.  A character may take it when
 * it becomes one character with NFC_Quick_Check = Yes (UAX #15, section 9) and
 * marks stand in canonical order; runs of ASCII go 16 bytes at a time.  When a
 * character may not, the output since the last starter is taken back, and that
 * segment is read again the careful way.  The direct way therefore ends before
 * a character that starts a segment, or at the end, and needs no state but the
 * position; this is also why the result does not depend on how calls are cut.
 *
 * The careful way maps each character to its full decomposition and holds a
 * starter and its marks, in canonical order, until the next starter arrives.
 * Then marks are composed with the starter, and the new starter too if nothing
 * stands between (Hangul, some vowel signs).
 *-------------------------------------------------------------------------
 */
#include "core/text/unicode.h"

#include <string.h>

#include "core/base/status.h"
#include "core/base/utf8.h"
#include "core/text/unicode_tables.h"

/* Hangul syllables are computed: The Unicode Standard, section 3.12 */
#define HANGUL_L 0x1100u
#define HANGUL_V 0x1161u
#define HANGUL_T 0x11A7u		/* before the first trailing consonant */
#define HANGUL_S 0xAC00u
#define HANGUL_N_L 19u
#define HANGUL_N_V 21u
#define HANGUL_N_T 28u

#define ASCII_BLOCK 16

typedef uint8_t ByteVector __attribute__((vector_size(ASCII_BLOCK)));

/* Where the output goes, and how much of it there is */
typedef struct Output
{
	uint32_t   *code;
	uint8_t    *kind;
	uint32_t   *start;			/* or NULL, with end */
	uint32_t   *end;
	size_t		n;
	size_t		max;
} Output;

static const CharRecord *
char_record(uint32_t code)
{
	uint32_t	block = record_blocks[code >> BLOCK_BITS];

	return &char_records[record_numbers[block << BLOCK_BITS | (code & BLOCK_MASK)]];
}

/* The character at pos < len, whatever bytes stand there */
static size_t
read_char(uint32_t *code, const AiNormalizer *n, size_t pos)
{
	size_t		size = ai_utf8_decode(code, n->bytes + pos, n->len - pos);

	if (size > 0)
		return size;
	*code = (unsigned char) n->bytes[pos];
	return 1;
}

static void
write_char(Output *out, uint32_t code, uint8_t kind, size_t start, size_t end)
{
	AI_ASSERT(out->n < out->max);
	out->code[out->n] = code;
	out->kind[out->n] = kind;
	if (out->start != NULL)
	{
		out->start[out->n] = (uint32_t) start;
		out->end[out->n] = (uint32_t) end;
	}
	out->n++;
}

/* True at the end, and before a character that what precedes it cannot touch. */
static bool
segment_ends(const AiNormalizer *n, size_t pos)
{
	uint32_t	code;

	if (pos == n->len)
		return true;
	read_char(&code, n, pos);
	return (char_record(code)->flags & (n->fold_case ? STARTS_FOLD : STARTS_PLAIN)) != 0;
}

/*
 * The direct way
 */

/* How many of the first ASCII_BLOCK bytes come before one that is not ASCII */
static size_t
count_ascii(const unsigned char *bytes)
{
	uint64_t	half[2];
	size_t		count = 0;

	memcpy(half, bytes, sizeof(half));
	if (((half[0] | half[1]) & UINT64_C(0x8080808080808080)) == 0)
		return ASCII_BLOCK;
	while (bytes[count] < 0x80)
		count++;
	return count;
}

/*
 * Write ASCII_BLOCK characters for as many bytes.  Those that are not ASCII
 * give nonsense, which the caller overwrites.  In vectors, because compilers
 * differ much in what they make of the same as a loop.
 */
static void
write_ascii_block(uint32_t *code, uint8_t *kind, const unsigned char *bytes, uint8_t fold_bit)
{
	ByteVector	b;
	ByteVector	k;
	ByteVector	folded;

	memcpy(&b, bytes, sizeof(b));

	ByteVector	is_upper = (ByteVector) (b - 'A' < 26);
	ByteVector	is_letter = (ByteVector) ((b | 0x20) - 'a' < 26);
	ByteVector	is_digit = (ByteVector) (b - '0' < 10);
	ByteVector	is_space = (ByteVector) (b <= ' ') | (ByteVector) (b == 0x7F);

	k = (is_letter & AI_CHAR_LETTER) | (is_digit & AI_CHAR_DIGIT) | (is_upper & AI_CHAR_UPPER) |
		(~(is_letter | is_digit | is_space) & AI_CHAR_SYMBOL);
	folded = b | (is_upper & fold_bit);
	memcpy(kind, &k, sizeof(k));
	for (int i = 0; i < ASCII_BLOCK; i++)
		code[i] = folded[i];
}

static void
write_block_offsets(uint32_t *restrict start, uint32_t *restrict end, uint32_t pos)
{
	for (uint32_t i = 0; i < ASCII_BLOCK; i++)
	{
		start[i] = pos + i;
		end[i] = pos + i + 1;
	}
}

/* Write the ASCII characters that come next, as long as whole blocks fit. */
static void
pass_ascii(AiNormalizer *n, Output *out)
{
	const unsigned char *bytes = (const unsigned char *) n->bytes;
	uint8_t		fold_bit = n->fold_case ? 0x20 : 0;
	size_t		count = ASCII_BLOCK;

	while (count == ASCII_BLOCK && n->len - n->pos >= ASCII_BLOCK &&
		   out->max - out->n >= ASCII_BLOCK)
	{
		count = count_ascii(bytes + n->pos);
		write_ascii_block(out->code + out->n, out->kind + out->n, bytes + n->pos, fold_bit);
		if (out->start != NULL)
			write_block_offsets(out->start + out->n, out->end + out->n, (uint32_t) n->pos);
		n->pos += count;
		out->n += count;
	}
}

/*
 * Write characters that need no care, from n->pos, where a segment starts, to
 * where another does; possibly none.
 */
static void
pass_direct(AiNormalizer *n, Output *out)
{
	uint8_t		direct = n->fold_case ? DIRECT_FOLD : DIRECT_PLAIN;
	size_t		segment_pos = n->pos;
	size_t		segment_out = out->n;
	int			n_marks = 0;
	uint8_t		last_ccc = 0;

	while (out->n < out->max && n->pos < n->len)
	{
		const CharRecord *record;
		uint32_t	code;
		size_t		size;

		if ((unsigned char) n->bytes[n->pos] < 0x80)
		{
			size_t		pos = n->pos;

			pass_ascii(n, out);
			if (n->pos > pos)
			{
				segment_pos = n->pos - 1;
				segment_out = out->n - 1;
				n_marks = 0;
				last_ccc = 0;
				continue;
			}
		}
		size = read_char(&code, n, n->pos);
		record = char_record(code);
		if (!(record->flags & direct))
			break;
		if (record->ccc == 0)
		{
			segment_pos = n->pos;
			segment_out = out->n;
			n_marks = 0;
		}
		else if (record->ccc < last_ccc || ++n_marks > AI_NORMALIZER_MAX_MARKS)
			break;
		last_ccc = record->ccc;
		if (n->fold_case)
			code += (uint32_t) record->delta;
		write_char(out, code, record->kind, n->pos, n->pos + size);
		n->pos += size;
	}

	if (!segment_ends(n, n->pos))
	{
		n->pos = segment_pos;
		out->n = segment_out;
	}
}

/*
 * The careful way
 */

/* The character that first and second make, or 0 */
static uint32_t
compose_pair(uint32_t first, uint32_t second)
{
	size_t		low = 0;
	size_t		high = sizeof(char_pairs) / sizeof(char_pairs[0]);

	if (first - HANGUL_L < HANGUL_N_L && second - HANGUL_V < HANGUL_N_V)
		return HANGUL_S + ((first - HANGUL_L) * HANGUL_N_V + second - HANGUL_V) * HANGUL_N_T;
	if (first - HANGUL_S < HANGUL_N_L * HANGUL_N_V * HANGUL_N_T &&
		(first - HANGUL_S) % HANGUL_N_T == 0 &&
		second - HANGUL_T - 1 < HANGUL_N_T - 1)
		return first + (second - HANGUL_T);

	while (low < high)
	{
		size_t		middle = (low + high) / 2;
		const CharPair *pair = &char_pairs[middle];

		if (pair->first == first && pair->second == second)
			return pair->composite;
		if (pair->first < first || (pair->first == first && pair->second < second))
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

/* True, and first becomes the composite, when the two make one. */
static bool
compose_held(AiHeldChar *first, const AiHeldChar *second)
{
	uint32_t	composite = compose_pair(first->code, second->code);

	if (composite == 0)
		return false;
	first->code = composite;
	if (first->end < second->end)
		first->end = second->end;
	return true;
}

/* Compose what is held: a mark is kept from the starter by one of its own class. */
static void
compose_marks(AiNormalizer *n)
{
	int			n_kept = 1;

	if (n->n_held == 0 || n->held[0].ccc != 0)
		return;
	for (int i = 1; i < n->n_held; i++)
	{
		bool		is_blocked = n_kept > 1 && n->held[n_kept - 1].ccc == n->held[i].ccc;

		if (is_blocked || !compose_held(&n->held[0], &n->held[i]))
			n->held[n_kept++] = n->held[i];
	}
	n->n_held = n_kept;
}

static void
write_held(AiNormalizer *n, Output *out)
{
	for (int i = 0; i < n->n_held; i++)
	{
		const AiHeldChar *c = &n->held[i];
		uint8_t		kind = char_record(c->code)->kind & AI_CHAR_KIND_MASK;

		write_char(out, c->code, kind | c->upper, c->start, c->end);
	}
	n->n_held = 0;
}

static void
add_starter(AiNormalizer *n, Output *out, const AiHeldChar *c)
{
	compose_marks(n);
	if (n->n_held == 1 && n->held[0].ccc == 0 && compose_held(&n->held[0], c))
		return;
	write_held(n, out);
	n->held[n->n_held++] = *c;
}

static void
add_mark(AiNormalizer *n, Output *out, const AiHeldChar *c)
{
	int			n_starters = n->n_held > 0 && n->held[0].ccc == 0;
	int			place;

	if (n->n_held - n_starters == AI_NORMALIZER_MAX_MARKS)
	{
		compose_marks(n);
		write_held(n, out);
	}
	for (place = n->n_held; place > 0 && n->held[place - 1].ccc > c->ccc; place--)
		n->held[place] = n->held[place - 1];
	n->held[place] = *c;
	n->n_held++;
}

/*
 * Map the next character and hold the result.  Writes at most what was held
 * and, of a mapping's up to 18 characters, all but the last.
 */
static void
pass_char(AiNormalizer *n, Output *out)
{
	const uint8_t *blocks = n->fold_case ? fold_blocks : plain_blocks;
	AiHeldChar	c;
	uint32_t	code;
	size_t		size = read_char(&code, n, n->pos);
	uint32_t	block = blocks[code >> BLOCK_BITS];
	uint32_t	place = sequence_places[block << BLOCK_BITS | (code & BLOCK_MASK)];
	const uint32_t *sequence = place > 0 ? &sequence_words[place] : &code;
	uint32_t	n_codes = place > 0 ? sequence[0] >> 24 : 1;

	c.start = (uint32_t) n->pos;
	c.end = (uint32_t) (n->pos + size);
	c.upper = char_record(code)->kind & AI_CHAR_UPPER;
	for (uint32_t i = 0; i < n_codes; i++)
	{
		c.code = sequence[i] & 0x1FFFFF;
		c.ccc = char_record(c.code)->ccc;
		if (c.ccc == 0)
			add_starter(n, out, &c);
		else
			add_mark(n, out, &c);
	}
	n->pos += size;
}

/* Read to where a segment ends or room may run out. */
static void
pass_segment(AiNormalizer *n, Output *out)
{
	while (out->max - out->n >= AI_NORMALIZER_MIN_OUT)
	{
		if (n->pos < n->len)
			pass_char(n, out);
		if (segment_ends(n, n->pos))
		{
			compose_marks(n);
			write_held(n, out);
			return;
		}
	}
}

void
ai_normalizer_init(AiNormalizer *n, const char *bytes, size_t len, bool fold_case)
{
	AI_ASSERT(len <= UINT32_MAX);
	n->bytes = bytes;
	n->len = len;
	n->fold_case = fold_case;
	n->pos = 0;
	n->n_held = 0;
}

size_t
ai_normalizer_next(AiNormalizer *n, uint32_t *code, uint8_t *kind,
				   uint32_t *start, uint32_t *end, size_t max)
{
	Output		out = {code, kind, start, end, 0, max};

	AI_ASSERT(max >= AI_NORMALIZER_MIN_OUT);
	AI_ASSERT((start == NULL) == (end == NULL));
	while (out.max - out.n >= AI_NORMALIZER_MIN_OUT && (n->pos < n->len || n->n_held > 0))
	{
		if (n->n_held == 0)
			pass_direct(n, &out);
		if (out.max - out.n >= AI_NORMALIZER_MIN_OUT)
			pass_segment(n, &out);
	}
	return out.n;
}
