/*-------------------------------------------------------------------------
 * chunks.h
 *		A long text in chunks that a model can read whole.
 *
 * A chunk ends where a sentence does (core/text/breaks.h); in a sentence that is too long for
 * one, between words; in a word that is too long, between characters; and has as many of them
 * as fit.  It is a part of the text without white space around it, and has the number of
 * tokens that it has as a text of its own, with the special ones and a prompt.  Behind white
 * space that was cut off, or at once, follows the next chunk: nothing else of the text is
 * missing.
 *
 * With an overlap a chunk begins with the last sentences of the one before, as many as have no
 * more tokens than that; with its last words where a sentence is too long; and with fewer,
 * or none, where what is new would not fit otherwise.
 */
#ifndef AI_CHUNKS_H
#define AI_CHUNKS_H

#include "core/text/tokenizer.h"

typedef struct AiChunkOptions
{
	size_t		max_tokens;		/* of a chunk, with the special ones and the prompt's */
	size_t		overlap;		/* tokens */
	bool		adds_special;
	const char *prompt;			/* the model reads it before each chunk; borrowed */
	size_t		prompt_len;		/* 0: there is none */
} AiChunkOptions;

typedef struct AiChunk
{
	size_t		start;			/* bytes of the text */
	size_t		end;
	size_t		n_tokens;
} AiChunk;

typedef struct AiChunker AiChunker;

/*
 * Tokenizer and text are borrowed.  AI_ERR_PARAM: there is no room for a text beside the special
 * tokens and the prompt, or the overlap takes it all.
 */
extern AiCode ai_chunker_create(AiChunker **chunker, const AiTokenizer *tokenizer,
								const char *text, size_t len, const AiChunkOptions *options,
								const AiHost *host, AiError *err);
extern void ai_chunker_destroy(AiChunker *chunker); /* NULL is allowed */

/*
 * The next chunk; one that is empty is behind the last.  AI_ERR_PARAM: there is no room for a
 * character of the text.  AI_ERR_LIMIT: a word is too long for the tokenizer.
 */
extern AiCode ai_chunker_next(AiChunker *chunker, AiChunk *chunk, AiError *err);

#endif							/* AI_CHUNKS_H */
