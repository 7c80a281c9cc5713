/*-------------------------------------------------------------------------
 * ngram.h
 *		A text as the hashes of its n-grams.
 *
 * The text is normalised (unicode.h) and cut into tokens: a run of letters,
 * digits and marks, one ideograph (so that scripts without spaces give words
 * of one character), or one symbol.  Three kinds of n-grams come out:
 *
 *	words		runs of 1 to word_max tokens
 *	characters	runs of char_min to char_max characters inside a word or inside
 *				a run of ideographs, whose ends count as one character each
 *	shapes		runs of 1 to 2 token shapes: which characters were capitals,
 *				letters, digits (and how many); a symbol is its own shape.  They
 *				keep what folding case takes away, and show one telephone
 *				number to be like another.
 *
 * An n-gram's hash is 64 bits; the lowest two are its kind.  Hashes are stored
 * in models, so they must never change: AI_NGRAM_VERSION would have to rise,
 * and test/golden/ngram.txt pins them.
 *-------------------------------------------------------------------------
 */
#ifndef AI_NGRAM_H
#define AI_NGRAM_H

#include "core/base/host.h"

#define AI_NGRAM_VERSION 1

typedef enum AiNgramKind
{
	AI_NGRAM_WORD,
	AI_NGRAM_CHARS,
	AI_NGRAM_SHAPE,
	AI_NGRAM_N_KINDS
} AiNgramKind;

#define AI_NGRAM_KIND(hash) ((AiNgramKind) ((hash) & 3))

#define AI_NGRAM_MAX_WORDS 5
#define AI_NGRAM_MAX_CHARS 8
#define AI_NGRAM_MAX_TOKEN 512	/* characters; longer ones are cut */

typedef struct AiNgramOptions
{
	int			word_max;		/* 0 (no words) to AI_NGRAM_MAX_WORDS */
	int			char_min;		/* 1 to char_max */
	int			char_max;		/* 0 (no characters) to AI_NGRAM_MAX_CHARS */
	bool		has_shapes;
	bool		fold_case;
} AiNgramOptions;

/* Where an n-gram stands in the source; [start, end) in bytes */
typedef struct AiNgramSpan
{
	uint32_t	start;
	uint32_t	end;
	bool		at_start;		/* characters: includes the start of the word */
	bool		at_end;
} AiNgramSpan;

typedef struct AiNgramReader AiNgramReader;

/* with_spans: keep the places too, for explaining; it costs time */
extern AiCode ai_ngram_reader_create(AiNgramReader **reader, const AiHost *host,
									 const AiNgramOptions *options, bool with_spans,
									 AiError *err);
extern void ai_ngram_reader_destroy(AiNgramReader *reader);

/*
 * From now on, ask this host once in a while whether to stop.  Where it says so the text
 * ends early; the caller, who asks the same host, will find out.
 */
extern void ai_ngram_reader_stop_with(AiNgramReader *reader, const AiHost *host);

/* Begin a text, which is borrowed while it is read; any bytes, at most 1 GB. */
extern void ai_ngram_reader_start(AiNgramReader *reader, const char *text, size_t len);

/*
 * The n-grams of the next portion of the text, every occurrence by itself.  The
 * number, at most AI_NGRAM_MAX_PORTION; 0 at the end.  *hash and *span (NULL
 * without spans) are valid until the next call.
 */
extern size_t ai_ngram_reader_next(AiNgramReader *reader, const uint64_t **hash,
								   const AiNgramSpan **span);

/*
 * The same run by run, for a caller who keeps what he knows of frequent words
 * and so need not hash their characters again.  The n-grams of a run are those of
 * each of its tokens, by itself and with those before it, and those of the run's
 * characters.  Within a kind this is the order of ai_ngram_reader_next().
 */
#define AI_NGRAM_SLACK 16

typedef struct AiNgramRun
{
	const uint32_t *code;		/* [len], normalised; AI_NGRAM_SLACK more may be read */
	const uint8_t *kind;		/* the same, see unicode.h */
	size_t		len;			/* at most AI_NGRAM_MAX_TOKEN */
	bool		is_one_token;	/* else each character is one */
} AiNgramRun;

/* What n-grams are made of: the token's characters, and its shape */
typedef struct AiNgramToken
{
	uint64_t	word;
	uint64_t	shape;
} AiNgramToken;

#define AI_NGRAM_PORTION 2048	/* n-grams; then the last run may add to them */
#define AI_NGRAM_MAX_PORTION (AI_NGRAM_PORTION + AI_NGRAM_MAX_RUN)
#define AI_NGRAM_MAX_RUN_CHARS ((AI_NGRAM_MAX_TOKEN + 2) * AI_NGRAM_MAX_CHARS)
#define AI_NGRAM_MAX_RUN \
	(AI_NGRAM_MAX_TOKEN * (AI_NGRAM_MAX_WORDS + 2) + AI_NGRAM_MAX_RUN_CHARS)

/* The next runs, at most max; 0 at the end.  They are valid until the next call. */
extern size_t ai_ngram_reader_next_runs(AiNgramReader *reader, AiNgramRun *runs, size_t max);

extern AiNgramToken ai_ngram_token(const uint32_t *code, const uint8_t *kind, size_t len);

/* The n-grams of the token by itself */
extern uint64_t ai_ngram_word(const AiNgramToken *token);
extern uint64_t ai_ngram_shape(const AiNgramToken *token);

/* hash:[n] of the k tokens that end with tokens[last[i]]; kind is of words or of shapes */
extern void ai_ngram_of_tokens(uint64_t *hash, AiNgramKind kind, const AiNgramToken *tokens,
							   const uint32_t *last, size_t n, int k);

/* The n-grams of characters into hash:[AI_NGRAM_MAX_RUN_CHARS]; their number */
extern size_t ai_ngram_chars(const AiNgramReader *reader, const AiNgramRun *run,
							 uint64_t *hash);

#endif							/* AI_NGRAM_H */
