/*-------------------------------------------------------------------------
 * chunks.c
 *		A long text in chunks that a model can read whole.
 *
 * Where a chunk can end is guessed by tokenizing the text from its start on as far as the
 * limit on tokens; what is then cut is tokenized by itself, since at a begin or end it may
 * have other tokens than within the text.  So the time depends on what comes out.
 *-------------------------------------------------------------------------
 */
#include "core/model/chunks.h"

#include <string.h>

#include "core/base/utf8.h"
#include "core/text/breaks.h"

/* Bytes that are tokenized at first for each token that is wanted */
#define BYTES_OF_TOKEN 8

/* After so many ends that were too far, the next ones are searched in half of the text. */
#define MAX_NEAR_TRIES 4

/* Where a chunk may end, the best first */
typedef enum ChunkLevel
{
	LEVEL_SENTENCE,
	LEVEL_WORD,
	LEVEL_CHARACTER,
	LEVEL_CODE,
	N_LEVELS
} ChunkLevel;

/* How far a chunk from a place on can go, about */
typedef struct Reach
{
	size_t		start;
	size_t		end;			/* behind white space; 0: not known */
} Reach;

struct AiChunker
{
	const AiHost *host;
	const AiTokenizer *tokenizer;
	AiTokenizerScratch *scratch;
	const char *text;
	size_t		len;			/* without white space at the end */
	AiChunkOptions options;
	AiBuf		prompted;		/* the prompt, and a part of the text */

	/* The last chunk, and where the text goes on */
	AiChunk		last;
	AiBuf		token_starts;	/* size_t: of the tokens of its own text */
	AiBuf		next_starts;	/* of the chunk that is tried */
	size_t		done;

	/* Begins of sentences behind the last chunk's start, as far as they are known; len is one */
	AiBuf		sentences;		/* size_t */
	size_t		known;
	Reach		reach[2];		/* with all of the overlap, and without */
};

static size_t
skip_spaces(const char *text, size_t len, size_t at)
{
	uint32_t	code;
	size_t		size;

	while ((size = ai_utf8_at(&code, text, len, at)) > 0 && ai_is_space(code))
		at += size;
	return at;
}

static size_t
trim_spaces(const char *text, size_t start, size_t end)
{
	uint32_t	code;
	size_t		size;

	while (end > start && (size = ai_utf8_before(&code, text, end)) > 0 && ai_is_space(code))
		end -= size;
	return end;
}

/*
 * Tokens
 */

/* Of a part of the text behind the prompt */
static AiCode
tokenize(AiChunker *c, size_t start, size_t end, AiTokens *tokens, AiError *err)
{
	AiTokenizeInput input = {.text = c->text + start, .len = end - start};
	const AiTokenizeOptions options = {
		.adds_special = c->options.adds_special, .wants_spans = true,
		.max_tokens = c->options.max_tokens
	};

	if (c->options.prompt_len > 0)
	{
		c->prompted.len = c->options.prompt_len;
		AI_TRY(ai_buf_append(&c->prompted, input.text, input.len, err));
		input.text = (const char *) c->prompted.data;
		input.len = c->prompted.len;
	}
	return ai_tokenize(c->tokenizer, c->scratch, &input, &options, tokens, err);
}

/* The end of the last token, within the part that was tokenized */
static size_t
end_of_tokens(const AiChunker *c, const AiTokens *tokens)
{
	size_t		end = c->options.prompt_len;

	for (size_t i = 0; i < tokens->n; i++)
	{
		if (tokens->span[i].end > end)
			end = tokens->span[i].end;
	}
	return end - c->options.prompt_len;
}

/* The text from start on as far as its tokens may be needed, and whole characters */
static size_t
window_end(const AiChunker *c, size_t start, size_t size)
{
	size_t		end = start + size;

	if (size >= c->len - start)
		return c->len;
	while (end > start + 1 && ai_utf8_is_tail((unsigned char) c->text[end]))
		end--;
	return end;
}

static AiCode
find_reach(AiChunker *c, Reach *reach, size_t start, AiError *err)
{
	size_t		size = c->options.max_tokens < SIZE_MAX / BYTES_OF_TOKEN ?
		c->options.max_tokens * BYTES_OF_TOKEN : SIZE_MAX;
	size_t		end;
	AiTokens	tokens;

	if (reach->end > 0 && reach->start == start)
		return AI_OK;
	for (;;)
	{
		if (ai_host_should_stop(c->host))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		end = window_end(c, start, size);
		AI_TRY(tokenize(c, start, end, &tokens, err));
		if (tokens.is_truncated || end == c->len)
			break;
		size = size < SIZE_MAX / 2 ? size * 2 : SIZE_MAX;
	}
	if (tokens.is_truncated)
		end = skip_spaces(c->text, c->len, start + end_of_tokens(c, &tokens));
	*reach = (Reach) {start, end};
	return AI_OK;
}

static AiCode
keep_tokens(AiChunker *c, const AiTokens *tokens, size_t start, AiError *err)
{
	size_t		prompt_len = c->options.prompt_len;

	c->next_starts.len = 0;
	for (size_t i = 0; i < tokens->n; i++)
	{
		const AiTokenSpan *span = &tokens->span[i];
		size_t		at = start + span->start - prompt_len;

		if (span->end > span->start && span->start >= prompt_len)
			AI_TRY(ai_buf_append(&c->next_starts, &at, sizeof(at), err));
	}
	return AI_OK;
}

/*
 * Places where a chunk may end, or begin
 */
static AiCode
find_sentences(AiChunker *c, size_t until, AiError *err)
{
	while (c->known < until)
	{
		AI_TRY(ai_sentence_end(&c->known, c->text, c->len, c->known, c->host, err));
		if (c->known == c->len || skip_spaces(c->text, c->len, c->known) == c->known)
			AI_TRY(ai_buf_append(&c->sentences, &c->known, sizeof(c->known), err));
	}
	return AI_OK;
}

/* Those up to the last chunk's start are not needed any more. */
static void
drop_sentences(AiChunker *c)
{
	size_t	   *begin = (size_t *) c->sentences.data;
	size_t		n = c->sentences.len / sizeof(*begin);
	size_t		n_dropped = 0;

	while (n_dropped < n && begin[n_dropped] <= c->last.start)
		n_dropped++;
	if (n_dropped == 0)
		return;
	memmove(begin, begin + n_dropped, (n - n_dropped) * sizeof(*begin));
	c->sentences.len = (n - n_dropped) * sizeof(*begin);
}

static size_t
last_sentence(const AiChunker *c, size_t from, size_t to)
{
	const size_t *begin = (const size_t *) c->sentences.data;
	size_t		n = c->sentences.len / sizeof(*begin);

	while (n > 0 && begin[n - 1] > to)
		n--;
	return n > 0 && begin[n - 1] > from ? begin[n - 1] : from;
}

static size_t
first_sentence(const AiChunker *c, size_t from, size_t to)
{
	const size_t *begin = (const size_t *) c->sentences.data;
	size_t		n = c->sentences.len / sizeof(*begin);

	for (size_t i = 0; i < n && begin[i] < to; i++)
	{
		if (begin[i] >= from)
			return begin[i];
	}
	return to;
}

static bool
is_place(const AiChunker *c, ChunkLevel level, size_t at)
{
	uint32_t	before;
	uint32_t	code;

	if (at == c->len || level == LEVEL_CODE)
		return true;
	if (ai_utf8_before(&before, c->text, at) == 0)
		return true;
	(void) ai_utf8_at(&code, c->text, c->len, at);
	return level == LEVEL_WORD ? ai_begins_word(before, code) : ai_begins_character(before, code);
}

/* The last place behind from and not behind to; from: there is none */
static AiCode
last_place(AiChunker *c, ChunkLevel level, size_t from, size_t to, size_t *place, AiError *err)
{
	uint32_t	code;
	size_t		first = from + ai_utf8_at(&code, c->text, c->len, from);

	if (level == LEVEL_SENTENCE)
	{
		AI_TRY(find_sentences(c, to, err));
		*place = last_sentence(c, from, to);
		return AI_OK;
	}
	while (to > first && to < c->len && ai_utf8_is_tail((unsigned char) c->text[to]))
		to--;
	while (to >= first && !is_place(c, level, to))
		to -= ai_utf8_before(&code, c->text, to);
	*place = to >= first ? to : from;
	return AI_OK;
}

/* The first place from a place on, or to */
static size_t
first_place(const AiChunker *c, ChunkLevel level, size_t from, size_t to)
{
	uint32_t	code;

	if (level == LEVEL_SENTENCE)
		return first_sentence(c, from, to);
	while (from < to && !is_place(c, level, from))
		from += ai_utf8_at(&code, c->text, c->len, from);
	return from < to ? from : to;
}

/* Where a chunk begins with at most n tokens of the last one; done: it cannot */
static size_t
overlap_start(const AiChunker *c, size_t n)
{
	const size_t *starts = (const size_t *) c->token_starts.data;
	size_t		n_tokens = c->token_starts.len / sizeof(*starts);
	size_t		from;
	size_t		place;

	if (n == 0 || n_tokens == 0)
		return c->done;
	from = starts[n < n_tokens ? n_tokens - n : 0];
	if (from <= c->last.start)
		from = c->last.start + 1;
	place = first_place(c, LEVEL_SENTENCE, from, c->done);
	return place < c->done ? place : first_place(c, LEVEL_WORD, from, c->done);
}

/*
 * Chunks
 */

/* Try to make a chunk that begins at start and ends behind what is done */
static AiCode
try_chunk(AiChunker *c, ChunkLevel level, size_t start, AiChunk *chunk, size_t *done,
		  AiError *err)
{
	Reach	   *reach = &c->reach[start == c->done];
	size_t		to;

	*done = c->done;
	AI_TRY(find_reach(c, reach, start, err));
	to = reach->end;
	for (int n_tries = 1; to > c->done; n_tries++)
	{
		size_t		place;
		AiTokens	tokens;

		AI_TRY(last_place(c, level, c->done, to, &place, err));
		if (place == c->done)
			break;
		*chunk = (AiChunk) {start, trim_spaces(c->text, start, place), 0};
		AI_TRY(tokenize(c, start, chunk->end, &tokens, err));
		chunk->n_tokens = tokens.n;
		if (!tokens.is_truncated)
		{
			*done = place;
			return keep_tokens(c, &tokens, start, err);
		}
		to = start + end_of_tokens(c, &tokens);
		if (to >= place)
			to = place - 1;
		if (n_tries >= MAX_NEAR_TRIES && to > c->done)
			to = c->done + (to - c->done) / 2;
	}
	return AI_OK;
}

/* Without an overlap it fits: with as much of it as leaves room for the first that is new. */
static AiCode
add_overlap(AiChunker *c, ChunkLevel level, AiChunk *chunk, size_t *done, AiError *err)
{
	size_t		first_end = first_place(c, level, c->done + 1, *done);
	size_t		start = c->done;
	AiTokens	tokens;
	AiChunk		longer;
	size_t		longer_done;

	AI_TRY(tokenize(c, c->done, trim_spaces(c->text, c->done, first_end), &tokens, err));
	if (c->options.max_tokens - tokens.n < c->options.overlap)
		start = overlap_start(c, c->options.max_tokens - tokens.n);
	if (start == c->done)
		return AI_OK;
	AI_TRY(try_chunk(c, level, start, &longer, &longer_done, err));
	if (longer_done > c->done)
	{
		*chunk = longer;
		*done = longer_done;
		return AI_OK;
	}
	return try_chunk(c, level, c->done, chunk, done, err);
}

static AiCode
find_chunk(AiChunker *c, AiChunk *chunk, size_t *done, AiError *err)
{
	size_t		start = overlap_start(c, c->options.overlap);

	for (int level = 0; level < N_LEVELS; level++)
	{
		AI_TRY(try_chunk(c, (ChunkLevel) level, start, chunk, done, err));
		if (*done > c->done)
			return AI_OK;
		if (start == c->done)
			continue;
		AI_TRY(try_chunk(c, (ChunkLevel) level, c->done, chunk, done, err));
		if (*done > c->done)
			return add_overlap(c, (ChunkLevel) level, chunk, done, err);
	}
	ai_fail(err, AI_ERR_PARAM, "chunks of %zu tokens have no room for a character of the text",
			c->options.max_tokens);
	ai_detail(err, "The character begins at byte %zu.", c->done + 1);
	ai_hint(err, "Allow more tokens.");
	return AI_ERR_PARAM;
}

AiCode
ai_chunker_next(AiChunker *c, AiChunk *chunk, AiError *err)
{
	size_t		done;
	AiBuf		starts = c->token_starts;

	*chunk = (AiChunk) {c->len, c->len, 0};
	if (c->done >= c->len)
		return AI_OK;
	AI_TRY(find_chunk(c, chunk, &done, err));
	c->token_starts = c->next_starts;
	c->next_starts = starts;
	c->last = *chunk;
	c->done = skip_spaces(c->text, c->len, done);
	drop_sentences(c);
	return AI_OK;
}

static AiCode
check_options(const AiChunkOptions *options, size_t n_around, AiError *err)
{
	if (options->max_tokens <= n_around)
	{
		ai_fail(err, AI_ERR_PARAM, "chunks of %zu tokens have no room for a text",
				options->max_tokens);
		ai_detail(err, "The model reads %zu tokens beside it.", n_around);
		return AI_ERR_PARAM;
	}
	if (options->overlap >= options->max_tokens - n_around)
	{
		ai_fail(err, AI_ERR_PARAM,
				"overlap of %zu tokens leaves no room for more text in chunks of %zu",
				options->overlap, options->max_tokens);
		if (n_around > 0)
			ai_detail(err, "The model reads %zu tokens beside each chunk.", n_around);
		return AI_ERR_PARAM;
	}
	return AI_OK;
}

static AiCode
prepare(AiChunker *c, AiError *err)
{
	const AiTokenizeInput prompt = {
		.text = c->options.prompt_len > 0 ? c->options.prompt : "", .len = c->options.prompt_len
	};
	const AiTokenizeOptions options = {
		.adds_special = c->options.adds_special, .counts_only = true
	};
	AiTokens	tokens;

	AI_TRY(ai_tokenizer_scratch_create(&c->scratch, c->host, err));
	AI_TRY(ai_buf_append(&c->prompted, prompt.text, prompt.len, err));
	AI_TRY(ai_tokenize(c->tokenizer, c->scratch, &prompt, &options, &tokens, err));
	return check_options(&c->options, tokens.n, err);
}

AiCode
ai_chunker_create(AiChunker **result, const AiTokenizer *tokenizer, const char *text, size_t len,
				  const AiChunkOptions *options, const AiHost *host, AiError *err)
{
	AiChunker  *c = ai_host_alloc(host, sizeof(*c));
	AiCode		code;

	*result = NULL;
	if (c == NULL)
		return ai_out_of_memory(err, sizeof(*c), "chunks of a text");
	*c = (AiChunker) {
		.host = host, .tokenizer = tokenizer, .text = text,
		.len = trim_spaces(text, 0, len), .options = *options
	};
	ai_buf_init(&c->prompted, host);
	ai_buf_init(&c->token_starts, host);
	ai_buf_init(&c->next_starts, host);
	ai_buf_init(&c->sentences, host);
	c->done = skip_spaces(text, c->len, 0);
	code = prepare(c, err);
	if (code == AI_OK)
		*result = c;
	else
		ai_chunker_destroy(c);
	return code;
}

void
ai_chunker_destroy(AiChunker *c)
{
	if (c == NULL)
		return;
	ai_tokenizer_scratch_destroy(c->scratch);
	ai_buf_free(&c->prompted);
	ai_buf_free(&c->token_starts);
	ai_buf_free(&c->next_starts);
	ai_buf_free(&c->sentences);
	ai_host_release(c->host, c);
}
