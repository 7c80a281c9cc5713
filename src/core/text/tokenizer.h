/*-------------------------------------------------------------------------
 * tokenizer.h
 *		Texts into the numbers that a pre-trained model reads, and back.
 *
 * Equal to Hugging Face's tokenizers to the last id and span.  A tokenizer is built once
 * from the files that lie beside a model, into a block without pointers which is stored
 * with the model, and is used where it lies: opening it allocates and copies nothing, and
 * any number of readers may have it open.
 *
 *	text		is UTF-8; a byte that no valid character contains counts as U+FFFD.
 *	spans		are bytes of the text, and always whole characters.
 *	truncation	never changes a token: what is kept is what the whole text would have given.
 *				Text behind it is not read, but where two texts must both be cut to an odd
 *				number of tokens: then it must be known which of them is longer.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TOKENIZER_H
#define AI_TOKENIZER_H

#include "core/base/buf.h"

#define AI_TOKENIZER_VERSION 1
#define AI_TOKENIZER_MAX_IDS (UINT32_C(1) << 22)

/*
 * The texts of files; NULL where there is none.  Needed is json, or vocab_text, or vocab_json
 * and merges.
 */
typedef struct AiTokenizerFile
{
	const char *text;
	size_t		len;
} AiTokenizerFile;

typedef struct AiTokenizerSource
{
	AiTokenizerFile json;		/* tokenizer.json */
	AiTokenizerFile vocab_text; /* vocab.txt, of BERT */
	AiTokenizerFile vocab_json; /* vocab.json and merges.txt, of GPT-2 and RoBERTa */
	AiTokenizerFile merges;
	AiTokenizerFile config;		/* tokenizer_config.json */
	AiTokenizerFile special;	/* special_tokens_map.json */
	bool		lowers;			/* texts are made lower case first, whatever the files say */
} AiTokenizerSource;

/*
 * Append the block, at a multiple of 64 of the buffer.  AI_ERR_FORMAT: a file is damaged;
 * AI_ERR_UNSUPPORTED names the part that is not built; AI_ERR_LIMIT: too large.
 */
extern AiCode ai_tokenizer_build(AiBuf *block, const AiTokenizerSource *source,
								 const AiHost *host, AiError *err);

/* A block from outside, 64-byte aligned: AI_ERR_CORRUPT unless it can be used without harm. */
extern AiCode ai_tokenizer_check(const void *block, size_t size, const AiHost *host,
								 AiError *err);

typedef enum AiSpecialToken
{
	AI_TOKEN_CLS,
	AI_TOKEN_SEP,
	AI_TOKEN_PAD,
	AI_TOKEN_UNK,
	AI_TOKEN_MASK,
	AI_TOKEN_BOS,
	AI_TOKEN_EOS,
	AI_N_SPECIAL_TOKENS
} AiSpecialToken;

typedef struct AiTokenizerHead AiTokenizerHead;

/* An open block; plain, to be copied freely while the block is there */
typedef struct AiTokenizer
{
	const AiTokenizerHead *head;	/* the block's begin */
	uint32_t	n_ids;			/* ids are below */
	int32_t		special[AI_N_SPECIAL_TOKENS];	/* ids; -1: there is none */
	int64_t		model_max_length;	/* tokens that the model was made for; 0: unknown */
} AiTokenizer;

/* The block was checked before, or built here; it stays where it is. */
extern AiCode ai_tokenizer_open(AiTokenizer *tokenizer, const void *block, size_t size,
								AiError *err);

/*
 * Room for the work of one thread, for any tokenizers.  It grows with what is asked of it,
 * and shrinks again when it next begins.
 */
typedef struct AiTokenizerScratch AiTokenizerScratch;

extern AiCode ai_tokenizer_scratch_create(AiTokenizerScratch **scratch, const AiHost *host,
										  AiError *err);
extern void ai_tokenizer_scratch_destroy(AiTokenizerScratch *scratch);	/* NULL is allowed */

typedef enum AiTruncation
{
	AI_TRUNCATE_LONGEST_FIRST,
	AI_TRUNCATE_ONLY_FIRST,
	AI_TRUNCATE_ONLY_SECOND
} AiTruncation;

typedef struct AiTokenizeInput
{
	const char *text;
	size_t		len;			/* less than 2^32 - 1 */
	const char *pair;			/* the second text; NULL: there is none */
	size_t		pair_len;
} AiTokenizeInput;

typedef struct AiTokenizeOptions
{
	bool		adds_special;	/* tokens that the model expects around a text */
	bool		wants_spans;
	bool		counts_only;	/* nothing but n and is_truncated is wanted */
	AiTruncation truncation;
	size_t		max_tokens;		/* with special ones; 0: no limit */
} AiTokenizeOptions;

typedef struct AiTokenSpan
{
	uint32_t	start;			/* bytes of the text or the pair; 0 and 0 of tokens added to them */
	uint32_t	end;
} AiTokenSpan;

/* Valid until the scratch is used again */
typedef struct AiTokens
{
	size_t		n;
	const int32_t *id;
	const uint8_t *type;		/* which segment, as the model was taught: 0 or 1 mostly */
	const AiTokenSpan *span;	/* NULL if not wanted */
	bool		is_truncated;
} AiTokens;

/*
 * AI_ERR_PARAM: max_tokens is less than the special tokens need, or the text that alone may
 * be truncated is too short for it.  AI_ERR_LIMIT: the text is too long.
 */
extern AiCode ai_tokenize(const AiTokenizer *tokenizer, AiTokenizerScratch *scratch,
						  const AiTokenizeInput *input, const AiTokenizeOptions *options,
						  AiTokens *tokens, AiError *err);

/* Append the text; ids that there are not say nothing. */
extern AiCode ai_detokenize(const AiTokenizer *tokenizer, const int32_t *id, size_t n,
							bool skips_special, AiBuf *text, AiError *err);

/* As it stands in the vocabulary, not terminated; NULL: there is no such id. */
extern const char *ai_tokenizer_piece(const AiTokenizer *tokenizer, int32_t id, size_t *len);

/* -1: there is none */
extern int32_t ai_tokenizer_find(const AiTokenizer *tokenizer, const char *piece, size_t len);

#endif							/* AI_TOKENIZER_H */
