/*-------------------------------------------------------------------------
 * tokenizer_internal.h
 *		The stored block of a tokenizer, and what the files of tokenizers share.
 *
 * A text goes through in chunks (chunk.c), each of which gives the tokens that it would
 * give within the whole text:
 *
 *	chunk.c			takes a chunk from the text and finds added tokens in it
 *	normalize.c		changes its characters, keeping where each came from
 *	split.c			cuts it into pieces
 *	wordpiece.c ...	make tokens of a piece
 *	tokenizer.c		puts texts and special tokens together
 *-------------------------------------------------------------------------
 */
#ifndef AI_TOKENIZER_INTERNAL_H
#define AI_TOKENIZER_INTERNAL_H

#include "core/base/utf8.h"
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_chars.h"
#include "core/text/trie.h"

#define TOKENIZER_MAGIC "\x89" "TOK\r\n\x1A\n"

typedef enum ModelKind
{
	MODEL_WORDPIECE,
	MODEL_BPE,					/* over bytes */
	MODEL_UNIGRAM,
	N_MODEL_KINDS
} ModelKind;

typedef enum SplitKind
{
	SPLIT_NONE,
	SPLIT_BERT,
	SPLIT_WORDS,				/* \w+|[^\w\s]+ */
	SPLIT_SPACES,
	SPLIT_BYTES,				/* as GPT-2, RoBERTa */
	SPLIT_META,					/* as SentencePiece */
	N_SPLIT_KINDS
} SplitKind;

typedef enum PrependKind
{
	PREPEND_ALWAYS,
	PREPEND_FIRST,
	PREPEND_NEVER,
	N_PREPEND_KINDS
} PrependKind;

typedef enum StepKind
{
	STEP_BERT,
	STEP_CHARSMAP,
	STEP_LOWER,
	STEP_STRIP_ACCENTS,
	STEP_NMT,
	STEP_STRIP,
	STEP_REPLACE,				/* pattern, or two and more of it in a row */
	STEP_PREPEND,
	N_STEP_KINDS
} StepKind;

typedef enum DecoderKind
{
	DECODER_NONE,				/* pieces with spaces between */
	DECODER_WORDPIECE,
	DECODER_BYTES,
	DECODER_META,
	N_DECODER_KINDS
} DecoderKind;

/* Bytes of SECTION_STRINGS */
typedef struct StoredString
{
	uint32_t	start;
	uint32_t	len;
} StoredString;

#define BERT_CLEANS 1
#define BERT_SPACES_IDEOGRAPHS 2
#define BERT_STRIPS_ACCENTS 4
#define BERT_LOWERS 8
#define STRIP_LEFT 1
#define STRIP_RIGHT 2
#define REPLACE_RUNS 1			/* two and more */

typedef struct NormalizeStep
{
	uint32_t	kind;			/* a StepKind */
	uint32_t	flags;			/* of its kind */
	StoredString pattern;
	StoredString content;
} NormalizeStep;

#define ADDED_SINGLE_WORD 1
#define ADDED_LSTRIP 2
#define ADDED_RSTRIP 4
#define ADDED_NORMALIZED 8
#define ADDED_SPECIAL 16

typedef struct AddedToken
{
	uint32_t	id;
	uint32_t	flags;
	StoredString content;
	StoredString pattern;		/* what is searched: the content as it is normalised, if so said */
} AddedToken;

/* A part of a template: a text, or a token */
#define TEMPLATE_FIRST -1
#define TEMPLATE_SECOND -2

typedef struct TemplatePart
{
	int32_t		id;				/* or one of the above */
	uint32_t	type;
} TemplatePart;

typedef struct MergeRule
{
	uint32_t	left;			/* ids; EMPTY_MERGE: the place is empty */
	uint32_t	right;
	uint32_t	rank;
} MergeRule;

#define EMPTY_MERGE UINT32_MAX

static inline size_t
merge_hash(uint32_t left, uint32_t right)
{
	uint64_t	pair = (uint64_t) left << 32 | right;

	return (size_t) (pair * UINT64_C(0x9E3779B97F4A7C15) >> 32);
}

typedef enum SectionKind
{
	SECTION_STRINGS,			/* bytes */
	SECTION_PIECE_STARTS,		/* u32 [n_ids + 1] */
	SECTION_PIECES,				/* bytes; a piece that is empty is none */
	SECTION_MODEL,				/* AiTrieNode: pieces as the model sees them, to id + 1 */
	SECTION_ADDED,				/* AddedToken, by id */
	SECTION_ADDED_RAW,			/* AiTrieNode: patterns to place in SECTION_ADDED + 1 */
	SECTION_ADDED_NORMALIZED,
	SECTION_TEMPLATE,			/* TemplatePart: for one text, then for two */
	SECTION_SCORES,				/* double [n_ids], of Unigram */
	SECTION_MERGES,				/* MergeRule, a hash table of a power of two places */
	SECTION_MERGED,				/* u32: what the merge of a rank makes */
	SECTION_WHOLE,				/* bits by id: a piece that merges to itself */
	SECTION_CHARSMAP,			/* u32: units of SentencePiece's double array */
	SECTION_CHARSMAP_TEXT,		/* bytes, strings ended by 0 */
	N_SECTIONS
} SectionKind;

typedef struct Section
{
	uint64_t	offset;			/* from the block's begin, a multiple of 64 */
	uint64_t	size;			/* bytes */
} Section;

#define MAX_STEPS 8

struct AiTokenizerHead
{
	uint8_t		magic[8];
	uint32_t	version;
	uint32_t	n_ids;
	uint64_t	size;			/* of the block */
	int64_t		model_max_length;
	int32_t		special[8];		/* AI_N_SPECIAL_TOKENS, and zeros */

	uint32_t	n_steps;
	NormalizeStep step[MAX_STEPS];

	uint32_t	split;			/* a SplitKind */
	uint32_t	split_prepends; /* SPLIT_BYTES: a space; SPLIT_META: a PrependKind */
	uint32_t	split_spaces_first; /* SPLIT_META: of words between white space */
	uint32_t	split_cuts;		/* SPLIT_META: at the mark, SPLIT_BYTES: by the pattern */
	StoredString mark;			/* of SPLIT_META, one character */

	uint32_t	model;			/* a ModelKind */
	uint32_t	unk_id;
	uint32_t	max_chars;		/* of a word, WordPiece */
	StoredString prefix;		/* of pieces within words, WordPiece */
	uint32_t	has_unk;		/* else what is unknown is nothing, BPE */
	uint32_t	bpe_fuses_unk;
	uint32_t	bpe_ignores_merges;
	uint32_t	unigram_falls_back; /* to bytes */
	int32_t		byte_id[256];	/* BPE: of a byte, or -1; Unigram: of <0xNN>, or -1 */
	double		unk_score;

	uint32_t	n_single;		/* parts of the template for one text */
	uint32_t	n_pair;
	uint32_t	trims_spans;	/* of white space, as GPT-2, RoBERTa */
	uint32_t	trim_keeps_prefix;

	uint32_t	decoder;		/* a DecoderKind */
	uint32_t	decoder_flag;	/* WordPiece: cleans up; meta: a PrependKind */
	StoredString decoder_string;	/* WordPiece: prefix; meta: the mark */

	uint32_t	can_cut;		/* whether chunks may end at spaces: see chunk.c */
	uint32_t	can_cut_ideographs;
	uint8_t		first_raw[256]; /* whether a pattern that is searched raw begins so */
	uint8_t		first_normalized[256];
	uint8_t		ascii[128];		/* STEP_BERT: what becomes of a character; ASCII_DROPPED */
	uint8_t		charsmap_plain[128];	/* STEP_CHARSMAP: it stays as it is */

	Section		section[N_SECTIONS];
};

#define ASCII_DROPPED 0xFF

static inline const void *
block_section(const AiTokenizerHead *head, SectionKind kind)
{
	return (const uint8_t *) head + head->section[kind].offset;
}

static inline size_t
block_count(const AiTokenizerHead *head, SectionKind kind, size_t item_size)
{
	return (size_t) head->section[kind].size / item_size;
}

static inline const char *
block_string(const AiTokenizerHead *head, StoredString string)
{
	return (const char *) block_section(head, SECTION_STRINGS) + string.start;
}

/*
 * Characters and where in the source each of their bytes comes from.  While nothing has
 * been changed, or only bytes for bytes, is_direct says that byte i stands at origin + i.
 */
typedef struct TextBuf
{
	AiBuf		byte;
	AiBuf		start;			/* u32 for each byte, of the source; empty while is_direct */
	AiBuf		end;
	uint32_t	origin;
	bool		is_direct;
} TextBuf;

/* Tokens of one of the two texts */
typedef struct TokenList
{
	AiBuf		id;				/* int32_t */
	AiBuf		span;			/* AiTokenSpan, if wanted */
	size_t		n;				/* also where only counted */
} TokenList;

struct AiTokenizerScratch
{
	const AiHost *host;
	TextBuf		text[2];		/* a chunk before and after a step */
	TextBuf		marked;			/* what split.c has added a prefix or marks to */
	TokenList	list[2];		/* of the text and of its pair */
	AiBuf		id;				/* of the result */
	AiBuf		type;
	AiBuf		span;
	AiBuf		pending;		/* BERT: marks to be put in order */
	AiBuf		sorted;
	AiBuf		pending_spans;
	AiBuf		symbols;		/* BPE */
	AiBuf		heap;
	AiBuf		path;			/* Unigram */
};

/* The work on one text */
typedef struct TokenRun
{
	const AiTokenizerHead *head;
	AiTokenizerScratch *scratch;
	TokenList  *list;
	const char *source;
	size_t		len;
	TextBuf    *text;			/* what pieces are cut from */
	size_t		limit;			/* tokens, behind which it may end */
	bool		wants_spans;
	bool		counts_only;
	bool		is_full;		/* the limit is reached */
	AiError    *err;
} TokenRun;

/* Asked after so many bytes or steps, which take a millisecond */
#define STEPS_PER_QUESTION 65536

static inline AiCode
text_check_stop(const AiHost *host, AiError *err)
{
	if (ai_host_should_stop(host))
		return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
	return AI_OK;
}

/* In a loop over one piece, with what is counted */
static inline AiCode
token_check_stop(const TokenRun *run, size_t i)
{
	if ((i + 1) % STEPS_PER_QUESTION == 0)
		return text_check_stop(run->scratch->host, run->err);
	return AI_OK;
}

/* byte_chars.c: the characters that vocabularies over bytes write for bytes */
extern uint32_t char_of_byte(uint8_t byte);
extern int	byte_of_char(uint32_t code);	/* -1: none */

/* text_buf.c */
extern void text_buf_init(TextBuf *text, const AiHost *host);
extern void text_buf_free(TextBuf *text);
extern AiCode text_buf_load(TextBuf *text, const char *source, size_t start, size_t end,
							AiError *err);
extern AiCode text_buf_reserve(TextBuf *text, size_t size, AiError *err);
extern AiCode text_buf_detach(TextBuf *text, AiError *err);
extern void text_buf_put_span(TextBuf *text, AiTokenSpan span, size_t n);
extern AiCode text_buf_put(TextBuf *text, uint32_t code, AiTokenSpan span, AiError *err);
extern AiCode text_buf_put_bytes(TextBuf *text, const char *bytes, size_t len, AiTokenSpan span,
								 AiError *err);
extern AiCode text_buf_put_range(TextBuf *text, const TextBuf *from, size_t start, size_t end,
								 AiError *err);
extern AiTokenSpan text_buf_span(const TextBuf *text, size_t start, size_t end);
extern size_t text_buf_char(const TextBuf *text, size_t at, uint32_t *code);

static inline void
text_buf_clear(TextBuf *text, uint32_t origin)
{
	text->byte.len = text->start.len = text->end.len = 0;
	text->is_direct = true;
	text->origin = origin;
}

/* normalize.c: all steps; what comes out is run->text, or one buffer or the other */
extern AiCode normalize_text(const AiTokenizerHead *head, AiTokenizerScratch *scratch,
							 TextBuf **text, bool is_begin, bool is_end, AiError *err);

/* bert_normalizer.c, charsmap.c: one step */
extern void bert_ascii_table(uint8_t ascii[128], uint32_t flags);
extern AiCode bert_normalize(const AiTokenizerHead *head, uint32_t flags,
							 AiTokenizerScratch *scratch, const TextBuf *from, TextBuf *to,
							 AiError *err);
extern void charsmap_ascii_table(const AiTokenizerHead *head, uint8_t is_plain[128]);

/* Whether nothing becomes of how the text begins: then spans of all of it are shifted. */
extern bool charsmap_removes_first(const AiTokenizerHead *head, const TextBuf *text);
extern AiCode charsmap_normalize(const AiTokenizerHead *head, const TextBuf *from, TextBuf *to,
								 AiError *err);

/* chunk.c: a text to tokens, as far as the limit */
extern AiCode tokenize_text(TokenRun *run);

/* split.c: bytes [start, end) of run->text to pieces, and pieces to tokens */
extern AiCode split_text(TokenRun *run, size_t start, size_t end);

/* tokenizer.c: a token of bytes [start, end) of run->text; room for it is reserved */
extern AiCode token_reserve(TokenRun *run, size_t n);
extern void token_put(TokenRun *run, uint32_t id, size_t start, size_t end);

/* The same of a token whose bytes are not in run->text */
extern void token_put_span(TokenRun *run, uint32_t id, AiTokenSpan span, const char *bytes,
						   size_t len);

/* wordpiece.c, bpe.c, unigram.c: bytes [start, end) of run->text are a piece */
extern AiCode wordpiece_encode(TokenRun *run, size_t start, size_t end);
extern AiCode bpe_encode(TokenRun *run, size_t start, size_t end);
extern AiCode unigram_encode(TokenRun *run, size_t start, size_t end);

#endif							/* AI_TOKENIZER_INTERNAL_H */
