/*-------------------------------------------------------------------------
 * tokenizer.c
 *		An open tokenizer: texts, their truncation, and special tokens around them.
 *-------------------------------------------------------------------------
 */
#include "core/text/tokenizer.h"

#include <string.h>

#include "core/text/tokenizer_internal.h"

#define MAX_TEXT ((size_t) UINT32_MAX - 1)
#define MAX_KEPT ((size_t) 4 << 20) /* bytes that a buffer keeps from call to call */

#define SPACE_OF_BYTES 0x120u	/* how vocabularies of bytes write a space */

AiCode
ai_tokenizer_open(AiTokenizer *tokenizer, const void *block, size_t size, AiError *err)
{
	const AiTokenizerHead *head = block;

	if (size < sizeof(*head) || memcmp(head->magic, TOKENIZER_MAGIC, sizeof(head->magic)) != 0)
		return ai_fail(err, AI_ERR_CORRUPT, "stored tokenizer is damaged");
	if (head->version != AI_TOKENIZER_VERSION)
	{
		ai_fail(err, AI_ERR_UNSUPPORTED, "stored tokenizer has version %u", head->version);
		ai_detail(err, "Version %d is read.", AI_TOKENIZER_VERSION);
		return AI_ERR_UNSUPPORTED;
	}
	if (head->size != size)
		return ai_fail(err, AI_ERR_CORRUPT, "stored tokenizer is damaged");
	*tokenizer = (AiTokenizer) {
		.head = head,
		.n_ids = head->n_ids,
		.model_max_length = head->model_max_length,
	};
	memcpy(tokenizer->special, head->special, sizeof(tokenizer->special));
	return AI_OK;
}

static void
for_each_buf(AiTokenizerScratch *scratch, void (*action) (AiBuf *buf))
{
	AiBuf	   *bufs[] = {
		&scratch->text[0].byte, &scratch->text[0].start, &scratch->text[0].end,
		&scratch->text[1].byte, &scratch->text[1].start, &scratch->text[1].end,
		&scratch->marked.byte, &scratch->marked.start, &scratch->marked.end,
		&scratch->list[0].id, &scratch->list[0].span,
		&scratch->list[1].id, &scratch->list[1].span,
		&scratch->id, &scratch->type, &scratch->span,
		&scratch->pending, &scratch->sorted, &scratch->pending_spans,
		&scratch->symbols, &scratch->heap, &scratch->path
	};

	for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
		action(bufs[i]);
}

static void
shrink_buf(AiBuf *buf)
{
	if (buf->capacity > MAX_KEPT)
		ai_buf_free(buf);
	buf->len = 0;
}

AiCode
ai_tokenizer_scratch_create(AiTokenizerScratch **scratch, const AiHost *host, AiError *err)
{
	*scratch = ai_host_alloc(host, sizeof(**scratch));
	if (*scratch == NULL)
		return ai_out_of_memory(err, sizeof(**scratch), "a tokenizer's work");
	memset(*scratch, 0, sizeof(**scratch));
	(*scratch)->host = host;
	for (int i = 0; i < 2; i++)
	{
		text_buf_init(&(*scratch)->text[i], host);
		ai_buf_init(&(*scratch)->list[i].id, host);
		ai_buf_init(&(*scratch)->list[i].span, host);
	}
	text_buf_init(&(*scratch)->marked, host);
	ai_buf_init(&(*scratch)->id, host);
	ai_buf_init(&(*scratch)->type, host);
	ai_buf_init(&(*scratch)->span, host);
	ai_buf_init(&(*scratch)->pending, host);
	ai_buf_init(&(*scratch)->sorted, host);
	ai_buf_init(&(*scratch)->pending_spans, host);
	ai_buf_init(&(*scratch)->symbols, host);
	ai_buf_init(&(*scratch)->heap, host);
	ai_buf_init(&(*scratch)->path, host);
	return AI_OK;
}

void
ai_tokenizer_scratch_destroy(AiTokenizerScratch *scratch)
{
	if (scratch == NULL)
		return;
	for_each_buf(scratch, ai_buf_free);
	ai_host_release(scratch->host, scratch);
}

/* Room for n more tokens */
AiCode
token_reserve(TokenRun *run, size_t n)
{
	TokenList  *list = run->list;

	if (run->counts_only)
		return AI_OK;
	list->id.len = list->n * sizeof(int32_t);
	AI_TRY(ai_buf_reserve(&list->id, n * sizeof(int32_t), run->err));
	if (!run->wants_spans)
		return AI_OK;
	list->span.len = list->n * sizeof(AiTokenSpan);
	return ai_buf_reserve(&list->span, n * sizeof(AiTokenSpan), run->err);
}

/* Go n characters of the source further, or back; false when there are not so many. */
static bool
move_on(const TokenRun *run, uint32_t *at, size_t n)
{
	size_t		to = *at;

	for (; n > 0 && to < run->len; n--)
	{
		uint32_t	code;
		size_t		len = ai_utf8_decode(&code, run->source + to, run->len - to);

		to += len > 0 ? len : 1;
	}
	*at = (uint32_t) to;
	return n == 0;
}

static bool
move_back(const TokenRun *run, uint32_t *at, size_t n)
{
	size_t		to = *at;

	for (; n > 0 && to > 0; n--)
	{
		uint32_t	code;
		size_t		len = 1;

		while (len <= 4 && len <= to &&
			   ai_utf8_decode(&code, run->source + to - len, len) != len)
			len++;
		to -= len <= 4 && len <= to ? len : 1;
	}
	if (n == 0)
		*at = (uint32_t) to;
	return n == 0;
}

/* Without white space at the ends.  The reference counts characters, not bytes. */
static AiTokenSpan
trim_span(const TokenRun *run, AiTokenSpan span, size_t n_leading, size_t n_trailing)
{
	bool		is_first = run->list->n == 0 || span.start == 0;

	if (is_first && run->head->trim_keeps_prefix && n_leading == 1)
		n_leading = 0;
	move_on(run, &span.start, n_leading);
	if (span.start > span.end)
		span.start = span.end;
	if (n_trailing > 0 && move_back(run, &span.end, n_trailing) && span.end < span.start)
		span.end = span.start;
	return span;
}

static bool
is_space_of_token(uint32_t code)
{
	return code == SPACE_OF_BYTES || (ai_tokenizer_char(code)->flags & AI_TCHAR_SPACE);
}

static AiTokenSpan
trim_text_span(const TokenRun *run, AiTokenSpan span, const char *bytes, size_t len)
{
	size_t		n_chars = 0;
	size_t		n_leading = 0;
	size_t		n_trailing = 0;

	for (size_t at = 0; at < len; n_chars++)
	{
		uint32_t	code = AI_REPLACEMENT_CHARACTER;
		size_t		size = ai_utf8_decode(&code, bytes + at, len - at);
		bool		is_space = is_space_of_token(code);

		n_leading += is_space && n_leading == n_chars;
		n_trailing = is_space ? n_trailing + 1 : 0;
		at += size > 0 ? size : 1;
	}
	return trim_span(run, span, n_leading, n_trailing);
}

static void
put_token(TokenRun *run, uint32_t id, AiTokenSpan span)
{
	TokenList  *list = run->list;

	((int32_t *) list->id.data)[list->n] = (int32_t) id;
	if (run->wants_spans)
		((AiTokenSpan *) list->span.data)[list->n] = span;
	list->n++;
}

void
token_put_span(TokenRun *run, uint32_t id, AiTokenSpan span, const char *bytes, size_t len)
{
	if (run->counts_only)
	{
		run->list->n++;
		return;
	}
	if (run->wants_spans && run->head->trims_spans)
		span = trim_text_span(run, span, bytes, len);
	put_token(run, id, span);
}

/* A token of the model; in those over bytes, a space is the only white space */
void
token_put(TokenRun *run, uint32_t id, size_t start, size_t end)
{
	const uint8_t *byte = run->text->byte.data;
	AiTokenSpan span = {0, 0};
	size_t		n_leading = 0;
	size_t		n_trailing = 0;

	if (run->counts_only)
	{
		run->list->n++;
		return;
	}
	if (run->wants_spans)
		span = text_buf_span(run->text, start, end);
	if (run->wants_spans && run->head->trims_spans && run->head->model == MODEL_BPE)
	{
		while (n_leading < end - start && byte[start + n_leading] == ' ')
			n_leading++;
		while (n_trailing < end - start && byte[end - 1 - n_trailing] == ' ')
			n_trailing++;
		span = trim_span(run, span, n_leading, n_trailing);
	}
	else if (run->wants_spans && run->head->trims_spans)
		span = trim_text_span(run, span, (const char *) byte + start, end - start);
	put_token(run, id, span);
}

/* One of the two texts, as far as the limit */
static AiCode
run_text(const AiTokenizer *tokenizer, AiTokenizerScratch *scratch, const AiTokenizeInput *input,
		 int which, const AiTokenizeOptions *options, size_t limit, AiError *err)
{
	TokenRun	run = {
		.head = tokenizer->head,
		.scratch = scratch,
		.list = &scratch->list[which],
		.source = which == 0 ? input->text : input->pair,
		.len = which == 0 ? input->len : input->pair_len,
		.limit = limit,
		.wants_spans = options->wants_spans,
		.counts_only = options->counts_only,
		.err = err
	};

	run.list->n = 0;
	if (run.len > MAX_TEXT)
		return ai_fail(err, AI_ERR_LIMIT, "text is too long for the tokenizer");
	if (run.source == NULL)
		return AI_OK;
	return tokenize_text(&run);
}

/* Whether the first text has more tokens than the second; both have at least limit */
static AiCode
is_first_longer(bool *is_longer, const AiTokenizer *tokenizer, AiTokenizerScratch *scratch,
				const AiTokenizeInput *input, size_t limit, AiError *err)
{
	static const AiTokenizeOptions counting = {.counts_only = true};
	size_t		kept[2] = {scratch->list[0].n, scratch->list[1].n};
	size_t		n[2] = {0, 0};
	AiCode		code = AI_OK;

	do
	{
		limit *= 2;
		for (int i = 0; i < 2 && code == AI_OK; i++)
		{
			code = run_text(tokenizer, scratch, input, i, &counting, limit, err);
			n[i] = scratch->list[i].n;
		}
	} while (code == AI_OK && n[0] >= limit && n[1] >= limit);
	scratch->list[0].n = kept[0];
	scratch->list[1].n = kept[1];
	*is_longer = code == AI_OK && n[0] > n[1];
	return code;
}

/* How many special tokens are put around the texts */
static size_t
count_special(const AiTokenizerHead *head, bool is_pair)
{
	const TemplatePart *part = block_section(head, SECTION_TEMPLATE);
	size_t		n = 0;

	for (uint32_t i = is_pair ? head->n_single : 0;
		 i < head->n_single + (is_pair ? head->n_pair : 0); i++)
		n += part[i].id >= 0;
	return n;
}

static AiCode
too_short(AiError *err, const char *which)
{
	ai_fail(err, AI_ERR_PARAM, "text that may be truncated is too short");
	ai_detail(err, "The limit on tokens leaves no token of the %s text.", which);
	ai_hint(err, "Raise the limit, or let both texts be truncated.");
	return AI_ERR_PARAM;
}

/* Both texts, and the longer one is cut until they fit into room tokens */
static AiCode
truncate_longest(const AiTokenizer *tokenizer, AiTokenizerScratch *scratch,
				 const AiTokenizeInput *input, size_t room, AiError *err)
{
	size_t		n[2] = {scratch->list[0].n, scratch->list[1].n};
	bool		is_longer = n[0] > n[1];
	int			shorter;
	size_t		low;
	size_t		high;

	if (n[0] > room && n[1] > room && room % 2 == 1)
		AI_TRY(is_first_longer(&is_longer, tokenizer, scratch, input, room + 1, err));
	shorter = is_longer ? 1 : 0;
	low = n[shorter];
	high = low > room || low > room - low ? low : room - low;
	if (low + high > room)
	{
		low = room / 2;
		high = low + room % 2;
	}
	scratch->list[shorter].n = low < n[shorter] ? low : n[shorter];
	if (scratch->list[1 - shorter].n > high)
		scratch->list[1 - shorter].n = high;
	return AI_OK;
}

/* The texts' tokens, at most room of them */
static AiCode
run_texts(const AiTokenizer *tokenizer, AiTokenizerScratch *scratch, const AiTokenizeInput *input,
		  const AiTokenizeOptions *options, size_t room, bool *is_truncated, AiError *err)
{
	int			cut = options->truncation == AI_TRUNCATE_ONLY_SECOND ? 1 : 0;
	int			whole = 1 - cut;
	size_t		limit = room < SIZE_MAX ? room + 1 : SIZE_MAX;
	size_t		left;

	if (options->truncation == AI_TRUNCATE_LONGEST_FIRST || input->pair == NULL)
	{
		AI_TRY(run_text(tokenizer, scratch, input, 0, options, limit, err));
		AI_TRY(run_text(tokenizer, scratch, input, 1, options, limit, err));
	}
	else
	{
		AI_TRY(run_text(tokenizer, scratch, input, whole, options, limit, err));
		left = scratch->list[whole].n <= room ? limit - scratch->list[whole].n : 1;
		AI_TRY(run_text(tokenizer, scratch, input, cut, options, left, err));
	}
	*is_truncated = scratch->list[0].n > room || scratch->list[1].n > room - scratch->list[0].n;
	if (!*is_truncated)
		return AI_OK;
	if (room == 0)
	{
		scratch->list[0].n = scratch->list[1].n = 0;
		return AI_OK;
	}
	if (options->truncation == AI_TRUNCATE_LONGEST_FIRST)
		return truncate_longest(tokenizer, scratch, input, room, err);
	if (scratch->list[whole].n >= room)
		return too_short(err, cut == 0 ? "first" : "second");
	scratch->list[cut].n = room - scratch->list[whole].n;
	return AI_OK;
}

/* Around the texts what the template says */
static AiCode
fill_template(const AiTokenizerHead *head, AiTokenizerScratch *scratch, bool is_pair,
			  const AiTokenizeOptions *options, AiTokens *tokens, AiError *err)
{
	const TemplatePart *part = block_section(head, SECTION_TEMPLATE);
	uint32_t	n_parts = is_pair ? head->n_pair : head->n_single;

	if (is_pair)
		part += head->n_single;
	scratch->id.len = scratch->type.len = scratch->span.len = 0;
	tokens->n = 0;
	for (uint32_t i = 0; i < n_parts; i++)
	{
		static const AiTokenSpan nowhere = {0, 0};
		const int32_t *id = &part[i].id;
		const AiTokenSpan *span = &nowhere;
		size_t		n = options->adds_special;

		if (part[i].id < 0)
		{
			const TokenList *list = &scratch->list[part[i].id == TEMPLATE_SECOND];

			id = (const int32_t *) list->id.data;
			span = (const AiTokenSpan *) list->span.data;
			n = list->n;
		}
		tokens->n += n;
		if (options->counts_only)
			continue;
		AI_TRY(ai_buf_append(&scratch->id, id, n * sizeof(*id), err));
		AI_TRY(ai_buf_reserve(&scratch->type, n, err));
		if (n > 0)
			memset(scratch->type.data + scratch->type.len, (int) part[i].type, n);
		scratch->type.len += n;
		if (options->wants_spans)
			AI_TRY(ai_buf_append(&scratch->span, span, n * sizeof(*span), err));
	}
	tokens->id = (const int32_t *) scratch->id.data;
	tokens->type = scratch->type.data;
	tokens->span = options->wants_spans ? (const AiTokenSpan *) scratch->span.data : NULL;
	return AI_OK;
}

AiCode
ai_tokenize(const AiTokenizer *tokenizer, AiTokenizerScratch *scratch,
			const AiTokenizeInput *input, const AiTokenizeOptions *options, AiTokens *tokens,
			AiError *err)
{
	bool		is_pair = input->pair != NULL;
	size_t		n_special = options->adds_special ? count_special(tokenizer->head, is_pair) : 0;
	size_t		room = SIZE_MAX;

	*tokens = (AiTokens) {0};
	for_each_buf(scratch, shrink_buf);
	if (options->max_tokens > 0)
	{
		if (options->max_tokens < n_special)
		{
			ai_fail(err, AI_ERR_PARAM, "limit of %zu tokens has no room for a text",
					options->max_tokens);
			ai_detail(err, "There are %zu special tokens around it.", n_special);
			return AI_ERR_PARAM;
		}
		room = options->max_tokens - n_special;
	}
	AI_TRY(run_texts(tokenizer, scratch, input, options, room, &tokens->is_truncated, err));
	return fill_template(tokenizer->head, scratch, is_pair, options, tokens, err);
}

const char *
ai_tokenizer_piece(const AiTokenizer *tokenizer, int32_t id, size_t *len)
{
	const uint32_t *start = block_section(tokenizer->head, SECTION_PIECE_STARTS);
	const char *pieces = block_section(tokenizer->head, SECTION_PIECES);

	*len = 0;
	if (id < 0 || (uint32_t) id >= tokenizer->n_ids || start[id] == start[id + 1])
		return NULL;
	*len = start[id + 1] - start[id];
	return pieces + start[id];
}

static int32_t
find_added_token(const AiTokenizerHead *head, const char *piece, size_t len)
{
	const AddedToken *added = block_section(head, SECTION_ADDED);

	for (size_t i = 0; i < block_count(head, SECTION_ADDED, sizeof(*added)); i++)
	{
		if (added[i].content.len == len &&
			memcmp(block_string(head, added[i].content), piece, len) == 0)
			return (int32_t) added[i].id;
	}
	return -1;
}

int32_t
ai_tokenizer_find(const AiTokenizer *tokenizer, const char *piece, size_t len)
{
	const AiTokenizerHead *head = tokenizer->head;
	const AiTrieNode *trie = block_section(head, SECTION_MODEL);
	int32_t		id = find_added_token(head, piece, len);
	uint32_t	node = 0;

	if (id >= 0 || len == 0)
		return id;
	if (head->model != MODEL_BPE)
		return (int32_t) ai_trie_find(trie, piece, len) - 1;
	for (size_t at = 0; at < len;)
	{
		uint32_t	code = AI_REPLACEMENT_CHARACTER;
		size_t		size = ai_utf8_decode(&code, piece + at, len - at);
		int			byte = byte_of_char(code);

		if (byte < 0 || !ai_trie_step(trie, &node, (uint8_t) byte))
			return -1;
		at += size;
	}
	return (int32_t) ai_trie_value(trie, node) - 1;
}
