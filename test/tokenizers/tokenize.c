/*-------------------------------------------------------------------------
 * tokenize.c
 *		A tokenizer's answers about a file of texts, for comparing and for measuring.
 *
 * usage: tokenize FOLDER TEXTS ANSWERS
 *        tokenize FOLDER TEXTS PASSES time
 *
 * FOLDER holds the files of a tokenizer, as they lie beside a model.  TEXTS holds for each
 * text, in 32-bit numbers of this machine: its length and bytes, the length (-1: none) and
 * bytes of its pair, the limit of tokens, and flags: 1 special tokens, 2 truncates the first
 * only, 4 the second only.  ANSWERS gets for each: the number of tokens (-1: an error),
 * whether truncated, the number when they are only counted; id, type, start and end of each
 * token; length and bytes of the text that the ids give back, without special tokens.
 * Otherwise the fastest of PASSES passes is printed, in nanoseconds of CPU time per text and
 * per token.
 *-------------------------------------------------------------------------
 */
#include "core/text/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FLAG_SPECIAL 1
#define FLAG_ONLY_FIRST 2
#define FLAG_ONLY_SECOND 4

typedef struct Case
{
	AiTokenizeInput input;
	AiTokenizeOptions options;
} Case;

static void
stop(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

static AiTokenizerFile
read_file(const char *folder, const char *name)
{
	char		path[4096];
	AiTokenizerFile file = {NULL, 0};
	FILE	   *in;
	char	   *text;
	long		size;

	snprintf(path, sizeof(path), "%s%s%s", folder, folder[0] != '\0' ? "/" : "", name);
	in = fopen(path, "rb");
	if (in == NULL)
		return file;
	if (fseek(in, 0, SEEK_END) != 0 || (size = ftell(in)) < 0)
		stop(path, "cannot be read");
	rewind(in);
	text = malloc((size_t) size + 1);
	if (text == NULL || fread(text, 1, (size_t) size, in) != (size_t) size)
		stop(path, "cannot be read");
	fclose(in);
	return (AiTokenizerFile) {text, (size_t) size};
}

static uint32_t
next_number(const char **at)
{
	uint32_t	number;

	memcpy(&number, *at, sizeof(number));
	*at += sizeof(number);
	return number;
}

static Case
next_case(const char **at)
{
	Case		c = {.options = {.wants_spans = true}};
	uint32_t	len = next_number(at);
	uint32_t	flags;

	c.input.text = *at;
	c.input.len = len;
	*at += len;
	len = next_number(at);
	if (len != UINT32_MAX)
	{
		c.input.pair = *at;
		c.input.pair_len = len;
		*at += len;
	}
	c.options.max_tokens = next_number(at);
	flags = next_number(at);
	c.options.adds_special = flags & FLAG_SPECIAL;
	if (flags & FLAG_ONLY_FIRST)
		c.options.truncation = AI_TRUNCATE_ONLY_FIRST;
	if (flags & FLAG_ONLY_SECOND)
		c.options.truncation = AI_TRUNCATE_ONLY_SECOND;
	return c;
}

static void
write_number(FILE *out, size_t number)
{
	uint32_t	small = (uint32_t) number;

	if (fwrite(&small, sizeof(small), 1, out) != 1)
		stop("answers", "cannot be written");
}

static void
write_answer(FILE *out, const AiTokenizer *tokenizer, AiTokenizerScratch *scratch, Case c)
{
	AiTokens	tokens;
	AiTokens	counted;
	AiError		err;
	AiBuf		text;
	AiTokenizeOptions counting = c.options;

	counting.counts_only = true;
	ai_buf_init(&text, ai_malloc_host());
	if (ai_tokenize(tokenizer, scratch, &c.input, &counting, &counted, &err) != AI_OK ||
		ai_tokenize(tokenizer, scratch, &c.input, &c.options, &tokens, &err) != AI_OK)
	{
		write_number(out, UINT32_MAX);
		return;
	}
	write_number(out, tokens.n);
	write_number(out, tokens.is_truncated);
	write_number(out, counted.n);
	for (size_t i = 0; i < tokens.n; i++)
	{
		write_number(out, (size_t) tokens.id[i]);
		write_number(out, tokens.type[i]);
		write_number(out, tokens.span[i].start);
		write_number(out, tokens.span[i].end);
	}
	if (ai_detokenize(tokenizer, tokens.id, tokens.n, true, &text, &err) != AI_OK)
		stop("detokenize", err.message);
	write_number(out, text.len);
	fwrite(text.data, 1, text.len, out);
	ai_buf_free(&text);
}

static double
cpu_nanoseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return 1e9 * (double) t.tv_sec + (double) t.tv_nsec;
}

static void
measure(const AiTokenizer *tokenizer, AiTokenizerScratch *scratch, AiTokenizerFile texts,
		int n_passes)
{
	double		best = 0;
	double		n_texts = 0;
	double		n_tokens = 0;

	for (int pass = 0; pass < n_passes; pass++)
	{
		double		start = cpu_nanoseconds();
		double		time;

		n_texts = n_tokens = 0;
		for (const char *at = texts.text; at < texts.text + texts.len; n_texts++)
		{
			Case		c = next_case(&at);
			AiTokens	tokens;
			AiError		err;

			c.options.wants_spans = false;
			if (ai_tokenize(tokenizer, scratch, &c.input, &c.options, &tokens, &err) != AI_OK)
				stop("tokenize", err.message);
			n_tokens += (double) tokens.n;
		}
		time = cpu_nanoseconds() - start;
		if (pass == 0 || time < best)
			best = time;
	}
	printf("%.0f %.1f\n", best / n_texts, best / n_tokens);
}

int
main(int argc, char **argv)
{
	const AiHost *host = ai_malloc_host();
	AiTokenizerSource source;
	AiTokenizerFile texts;
	AiTokenizer tokenizer;
	AiTokenizerScratch *scratch;
	AiBuf		block;
	AiError		err;

	if (argc < 4)
		stop("usage", "tokenize FOLDER TEXTS ANSWERS");
	source = (AiTokenizerSource) {
		.json = read_file(argv[1], "tokenizer.json"),
		.vocab_text = read_file(argv[1], "vocab.txt"),
		.vocab_json = read_file(argv[1], "vocab.json"),
		.merges = read_file(argv[1], "merges.txt"),
		.config = read_file(argv[1], "tokenizer_config.json"),
		.special = read_file(argv[1], "special_tokens_map.json")
	};
	texts = read_file("", argv[2]);
	ai_buf_init(&block, host);
	if (ai_tokenizer_build(&block, &source, host, &err) != AI_OK ||
		ai_tokenizer_check(block.data, block.len, host, &err) != AI_OK ||
		ai_tokenizer_open(&tokenizer, block.data, block.len, &err) != AI_OK ||
		ai_tokenizer_scratch_create(&scratch, host, &err) != AI_OK)
		stop(argv[1], err.message);
	if (argc > 4)
		measure(&tokenizer, scratch, texts, atoi(argv[3]));
	else
	{
		FILE	   *out = fopen(argv[3], "wb");

		if (out == NULL)
			stop(argv[3], "cannot be written");
		for (const char *at = texts.text; at < texts.text + texts.len;)
			write_answer(out, &tokenizer, scratch, next_case(&at));
		if (fclose(out) != 0)
			stop(argv[3], "cannot be written");
	}
	ai_tokenizer_scratch_destroy(scratch);
	ai_buf_free(&block);
	return 0;
}
