/*-------------------------------------------------------------------------
 * fuzz_tokenizer.c
 *		Any bytes are refused as a tokenizer, or used within their bounds.
 *
 * The first byte says what the others are: a stored block, tokenizer.json, vocab.txt with
 * its configuration, vocab.json with merges, or a text for a tokenizer of each kind, which
 * are in test/data/tokenizers: fuzzing starts in the top folder.
 */
#include "core/text/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/chunks.h"

#define MAX_FILE ((size_t) 1 << 20)

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char sample[] =
	"Hello [MASK] don't w\xc3\xb6rld  <mask> 1\xe4\xb8\xad\xe6\x96\x87 e\xcc\x81\xcc\xa3 \xff\xef\xac\x81\xc2\xad\r\n x";

static void
check(bool claim, const char *what)
{
	if (claim)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

/* Chunks go on until the text's end. */
static void
cut(const AiTokenizer *tokenizer, const char *text, size_t len, size_t overlap)
{
	AiChunkOptions options = {.max_tokens = 16, .overlap = overlap, .adds_special = true};
	AiChunker  *chunker;
	AiChunk		chunk = {0, 0, 0};
	AiCode		code = ai_chunker_create(&chunker, tokenizer, text, len, &options,
										 ai_malloc_host(), NULL);

	while (code == AI_OK)
	{
		AiChunk		last = chunk;

		code = ai_chunker_next(chunker, &chunk, NULL);
		if (code != AI_OK || chunk.start == chunk.end)
			break;
		check(chunk.start < chunk.end && chunk.end <= len, "a chunk is outside");
		check(chunk.end > last.end && chunk.start >= last.start, "chunks do not go on");
		check(overlap > 0 || chunk.start >= last.end, "chunks overlap");
		check(chunk.n_tokens <= options.max_tokens, "a chunk is too long");
	}
	ai_chunker_destroy(chunker);
}

/* All that can be done with an open tokenizer */
static void
use(const AiTokenizer *tokenizer, const char *text, size_t len)
{
	const AiHost *host = ai_malloc_host();
	AiTokenizeInput input = {text, len, text, len / 2};
	AiTokenizeOptions options = {.adds_special = true, .wants_spans = true};
	AiTokenizerScratch *scratch;
	AiTokens	tokens;
	AiBuf		back;

	check(ai_tokenizer_scratch_create(&scratch, host, NULL) == AI_OK, "no scratch");
	for (size_t limit = 0; limit <= 32; limit += 8)
	{
		options.max_tokens = limit;
		if (ai_tokenize(tokenizer, scratch, &input, &options, &tokens, NULL) != AI_OK)
			continue;
		check(limit == 0 || tokens.n <= limit, "more tokens than the limit");
		for (size_t i = 0; i < tokens.n; i++)
		{
			check(tokens.id[i] >= 0 && (uint32_t) tokens.id[i] < tokenizer->n_ids, "no such id");
			check(tokens.span[i].start <= len && tokens.span[i].end <= len, "a span is outside");
		}
		ai_buf_init(&back, host);
		check(ai_detokenize(tokenizer, tokens.id, tokens.n, limit == 8, &back, NULL) == AI_OK,
			  "ids give no text");
		ai_buf_free(&back);
	}
	ai_tokenizer_find(tokenizer, text, len);
	ai_tokenizer_scratch_destroy(scratch);
	cut(tokenizer, text, len, 0);
	cut(tokenizer, text, len, 5);
}

static void
build(const AiTokenizerSource *source, const char *text, size_t len)
{
	const AiHost *host = ai_malloc_host();
	AiTokenizer tokenizer;
	AiBuf		block;

	ai_buf_init(&block, host);
	if (ai_tokenizer_build(&block, source, host, NULL) == AI_OK)
	{
		check(ai_tokenizer_check(block.data, block.len, host, NULL) == AI_OK &&
			  ai_tokenizer_open(&tokenizer, block.data, block.len, NULL) == AI_OK,
			  "what was built is refused");
		use(&tokenizer, text, len);
	}
	ai_buf_free(&block);
}

static void
use_block(const void *bytes, size_t size)
{
	AiTokenizer tokenizer;
	void	   *block;

	if (posix_memalign(&block, AI_ALIGNMENT, size + 1) != 0)
		abort();
	memcpy(block, bytes, size);
	if (ai_tokenizer_check(block, size, ai_malloc_host(), NULL) == AI_OK &&
		ai_tokenizer_open(&tokenizer, block, size, NULL) == AI_OK)
		use(&tokenizer, sample, sizeof(sample) - 1);
	free(block);
}

/* A text with one of the tokenizers of the tests */
static void
use_text(int which, const char *text, size_t len)
{
	static const char *const names[] = {"bert", "roberta", "xlmr"};
	static AiBuf blocks[3];
	static char json[MAX_FILE];
	AiTokenizer tokenizer;
	AiBuf	   *block = &blocks[which % 3];

	if (block->len == 0)
	{
		char		path[128];
		FILE	   *file;
		AiTokenizerSource source = {.json = {json, 0}};

		snprintf(path, sizeof(path), "test/data/tokenizers/%s.json", names[which % 3]);
		file = fopen(path, "rb");
		check(file != NULL, path);
		source.json.len = fread(json, 1, sizeof(json), file);
		fclose(file);
		ai_buf_init(block, ai_malloc_host());
		check(ai_tokenizer_build(block, &source, ai_malloc_host(), NULL) == AI_OK, path);
	}
	check(ai_tokenizer_open(&tokenizer, block->data, block->len, NULL) == AI_OK, "not opened");
	use(&tokenizer, text, len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *) data + 1;
	AiTokenizerFile all;
	AiTokenizerFile first;
	AiTokenizerFile second = {NULL, 0};
	const char *half;

	if (size == 0)
		return 0;
	size--;
	/* two files are what stands before and behind the first zero byte */
	half = memchr(bytes, 0, size);
	all = (AiTokenizerFile) {bytes, size};
	first = (AiTokenizerFile) {bytes, half == NULL ? size : (size_t) (half - bytes)};
	if (half != NULL)
		second = (AiTokenizerFile) {half + 1, size - first.len - 1};
	switch (data[0] % 7)
	{
		case 0:
			use_block(bytes, size);
			break;
		case 1:
			build(&(AiTokenizerSource) {.json = all}, sample, sizeof(sample) - 1);
			break;
		case 2:
			build(&(AiTokenizerSource) {
				.vocab_text = first, .config = second
			}, sample, sizeof(sample) - 1);
			break;
		case 3:
			build(&(AiTokenizerSource) {
				.vocab_json = first, .merges = second
			}, sample, sizeof(sample) - 1);
			break;
		default:
			use_text(data[0] % 7 - 4, bytes, size);
	}
	return 0;
}
