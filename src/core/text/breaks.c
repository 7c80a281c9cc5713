/*-------------------------------------------------------------------------
 * breaks.c
 *		Where a text may be cut: at sentences, words and characters of any script.
 *
 * Names SB1 and so on are those of the rules in UAX #29.
 *-------------------------------------------------------------------------
 */
#include "core/text/breaks.h"

#include "core/base/utf8.h"
#include "core/text/break_tables.h"

/* Sentence_Break, in the order of make_break_tables.py */
typedef enum AiSentenceBreak
{
	BREAK_OTHER,
	BREAK_CR,
	BREAK_LF,
	BREAK_SEP,
	BREAK_SP,
	BREAK_EXTEND,
	BREAK_FORMAT,
	BREAK_UPPER,
	BREAK_LOWER,
	BREAK_OLETTER,
	BREAK_NUMERIC,
	BREAK_ATERM,
	BREAK_STERM,
	BREAK_SCONTINUE,
	BREAK_CLOSE
} AiSentenceBreak;

#define BREAK_BIT(kind) (1u << (kind))
#define CASED (BREAK_BIT(BREAK_UPPER) | BREAK_BIT(BREAK_LOWER))
#define LETTERS (BREAK_BIT(BREAK_OLETTER) | CASED)
#define LINE_ENDS (BREAK_BIT(BREAK_SEP) | BREAK_BIT(BREAK_CR) | BREAK_BIT(BREAK_LF))
#define TERMS (BREAK_BIT(BREAK_ATERM) | BREAK_BIT(BREAK_STERM))
#define IGNORED (BREAK_BIT(BREAK_EXTEND) | BREAK_BIT(BREAK_FORMAT))
#define SPACES (LINE_ENDS | BREAK_BIT(BREAK_SP))
#define CLOSES (TERMS | BREAK_BIT(BREAK_SCONTINUE) | BREAK_BIT(BREAK_CLOSE))

#define ZERO_WIDTH_JOINER 0x200Du
#define CHARS_PER_QUESTION 65536

/* How far the end of a sentence has come: SATerm Close* Sp* */
typedef enum EndPhase
{
	END_NONE,
	END_TERM,
	END_CLOSE,
	END_SPACE
} EndPhase;

typedef struct SentenceReader
{
	const char *text;
	size_t		len;
	const AiHost *host;
	AiError    *err;
	size_t		n_read;			/* characters */

	AiSentenceBreak last;		/* of the character before, marks apart */
	AiSentenceBreak before_term;	/* of that before the full stop */
	EndPhase	phase;
	bool		is_aterm;		/* a full stop, which may be something else */
} SentenceReader;

static inline uint8_t
class_of(uint32_t code)
{
	uint32_t	block = break_blocks[code >> BLOCK_BITS];

	return break_classes[block << BLOCK_BITS | (code & BLOCK_MASK)];
}

static inline AiSentenceBreak
break_of(uint32_t code)
{
	return (AiSentenceBreak) (class_of(code) & ~UNSPACED);
}

static inline bool
is_in(uint32_t code, unsigned set)
{
	return BREAK_BIT(break_of(code)) & set;
}

static inline bool
is_unspaced(uint32_t code)
{
	return class_of(code) & UNSPACED;
}

bool
ai_is_space(uint32_t code)
{
	return is_in(code, SPACES);
}

bool
ai_begins_character(uint32_t before, uint32_t code)
{
	return !is_in(code, IGNORED) && before != ZERO_WIDTH_JOINER &&
		!(before == '\r' && code == '\n');
}

bool
ai_begins_word(uint32_t before, uint32_t code)
{
	if (ai_is_space(code) || !ai_begins_character(before, code))
		return false;
	return ai_is_space(before) || is_unspaced(code) ||
		(is_unspaced(before) && !is_in(code, CLOSES));
}

static AiCode
count_char(SentenceReader *r)
{
	if (++r->n_read % CHARS_PER_QUESTION == 0 && ai_host_should_stop(r->host))
		return ai_fail(r->err, AI_ERR_CANCELLED, "cancelled");
	return AI_OK;
}

/* SB8: whether what decides from here on is a lower-case letter */
static AiCode
is_lower_next(SentenceReader *r, size_t at, bool *is_it)
{
	*is_it = false;
	while (at < r->len)
	{
		uint32_t	code;

		at += ai_utf8_at(&code, r->text, r->len, at);
		if (is_in(code, LETTERS | LINE_ENDS | TERMS))
		{
			*is_it = break_of(code) == BREAK_LOWER;
			return AI_OK;
		}
		AI_TRY(count_char(r));
	}
	return AI_OK;
}

/* Whether a sentence that may be at its end goes on with the character at a place */
static AiCode
is_continued(SentenceReader *r, size_t at, AiSentenceBreak next, bool *is_it)
{
	unsigned	bit = BREAK_BIT(next);

	*is_it = true;
	if (bit & (TERMS | BREAK_BIT(BREAK_SCONTINUE)))	/* SB8a */
		return AI_OK;
	if (bit & SPACES)			/* SB9, SB10 */
		return AI_OK;
	if (next == BREAK_CLOSE && r->phase != END_SPACE)	/* SB9 */
		return AI_OK;
	if (r->is_aterm && r->phase == END_TERM && next == BREAK_NUMERIC)	/* SB6 */
		return AI_OK;
	if (r->is_aterm && r->phase == END_TERM && next == BREAK_UPPER &&
		(BREAK_BIT(r->before_term) & CASED))	/* SB7 */
		return AI_OK;
	if (r->is_aterm)
		return is_lower_next(r, at, is_it);
	*is_it = false;				/* SB11 */
	return AI_OK;
}

static void
take(SentenceReader *r, AiSentenceBreak kind)
{
	if (BREAK_BIT(kind) & TERMS)
	{
		r->phase = END_TERM;
		r->is_aterm = kind == BREAK_ATERM;
		r->before_term = r->last;
	}
	else if (r->phase != END_NONE && kind == BREAK_SP)
		r->phase = END_SPACE;
	else if (r->phase != END_NONE && kind == BREAK_CLOSE && r->phase != END_SPACE)
		r->phase = END_CLOSE;
	else
		r->phase = END_NONE;
	r->last = kind;
}

AiCode
ai_sentence_end(size_t *end, const char *text, size_t len, size_t start, const AiHost *host,
				AiError *err)
{
	SentenceReader r = {.text = text, .len = len, .host = host, .err = err};
	size_t		at = start;

	while (at < len)
	{
		uint32_t	code;
		size_t		size = ai_utf8_at(&code, text, len, at);
		AiSentenceBreak kind = break_of(code);
		bool		goes_on = true;

		AI_TRY(count_char(&r));
		if (at > start && (BREAK_BIT(kind) & IGNORED))	/* SB5 */
		{
			at += size;
			continue;
		}
		if (r.phase != END_NONE)
			AI_TRY(is_continued(&r, at, kind, &goes_on));
		if (!goes_on)
			break;
		at += size;
		if (BREAK_BIT(kind) & LINE_ENDS)	/* SB3, SB4 */
		{
			at += kind == BREAK_CR && at < len && text[at] == '\n';
			break;
		}
		take(&r, kind);
	}
	*end = at;
	return AI_OK;
}
