/*-------------------------------------------------------------------------
 * fuzz_encoder.c
 *		Any bytes are refused as an encoder, or used within their bounds.
 *
 * The corpus begins with encoders of every precision and answer:
 *
 *	build/core/test_encoder_batch --write-corpus test/fuzz/corpus/fuzz_encoder
 *
 * Blocks and inputs are allocated in their exact size, so that one byte too far is seen.
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/encoder_batch.h"
#include "core/model/encoder_store.h"

#define MAX_MEMORY ((size_t) 256 << 20)	/* that one encoder may ask for, all in all */
#define N_TEXTS 5

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool claim, const char *what)
{
	if (claim)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

/*
 * A host whose memory comes to an end
 */
static size_t memory_left;

static void *
limited_alloc(void *ud, size_t size)
{
	(void) ud;
	if (size > memory_left)
		return NULL;
	memory_left -= size;
	return ai_host_alloc(ai_malloc_host(), size);
}

static AiHost
limited_host(void)
{
	AiHost		host = *ai_malloc_host();

	memory_left = MAX_MEMORY;
	host.alloc = limited_alloc;
	return host;
}

static void *
exact_copy(const void *bytes, size_t size)
{
	void	   *copy;

	if (posix_memalign(&copy, AI_ALIGNMENT, size > 0 ? size : 1) != 0)
		abort();
	if (size > 0)
		memcpy(copy, bytes, size);
	return copy;
}

/* Read what an encoder says of itself. */
static void
walk(const AiEncoder *encoder)
{
	size_t		len;
	const char *prompt = ai_encoder_prompt(encoder, &len);

	for (size_t i = 0; i < len; i++)
		check(prompt[i] == ((const volatile char *) prompt)[i], "a prompt changes");
	for (int i = 0; i < ai_encoder_n_labels(encoder); i++)
	{
		const char *label = ai_encoder_label(encoder, i, &len);
		int			found = ai_encoder_find_label(encoder, label, len);

		/* two may be equal */
		check(found >= 0 && found <= i, "a label is not found");
	}
	check(ai_encoder_find_entailment(encoder) < ai_encoder_n_labels(encoder), "no such label");
}

/* All texts in one batch, or as many as memory suffices for */
static void
run(const AiEncoder *encoder, const AiHost *host, const AiRequest *request)
{
	static const struct
	{
		const char *bytes;
		size_t		len;
	}			texts[N_TEXTS] = {
		{"", 0}, {"a b [MASK] caf\xc3\xa9 \xff", 17}, {"a b\0c", 5}, {"\0", 1},
		{"a b c a b c a b c a b c a b c a b c\0a b c a b c a b c a b c a b c", 65}
	};
	AiInput		input[N_TEXTS];
	AiInputs	inputs;
	AiEncoderReader *reader;
	AiEncoderCounts counts;
	AiError		err;
	float	   *answers = malloc(N_TEXTS * ai_encoder_n_outputs(encoder) * sizeof(float));

	check(answers != NULL, "no memory");
	for (int i = 0; i < N_TEXTS; i++)
		input[i] = (AiInput) {.bytes = texts[i].bytes, .len = texts[i].len, .best = -1};
	if (ai_encoder_reader_create(&reader, host, encoder, NULL) == AI_OK)
	{
		check(ai_inputs_init(&inputs, input, N_TEXTS, ai_malloc_host(), NULL) == AI_OK, "no memory");
		check(ai_encoder_batch_run(&inputs, encoder, request, &reader, answers, &counts, 1, NULL,
								   &err) == AI_OK, "a batch fails");
		for (int i = 0; i < N_TEXTS; i++)
			check(input[i].code != AI_OK || input[i].best < ai_encoder_n_labels(encoder),
				  "no such label");
		ai_inputs_free(&inputs);
		ai_encoder_reader_destroy(reader);
	}
	free(answers);
}

/* What is stored again can be opened. */
static void
store_again(const AiEncoder *encoder, const AiHost *host)
{
	AiAimWriter writer;
	AiEncoder  *again;
	const void *bytes;
	size_t		size;

	for (int precision = 0; precision < AI_N_PRECISIONS; precision++)
	{
		ai_aim_writer_init(&writer, host, AI_ENCODER_KIND);
		if (ai_encoder_store_again(&writer, &bytes, &size, encoder, (AiPrecision) precision,
								   NULL) == AI_OK &&
			ai_encoder_open(&again, host, bytes, size, NULL) == AI_OK)
			ai_encoder_close(again);
		ai_aim_writer_free(&writer);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const AiRequest requests[] = {
		{0}, {.is_pair = true, .is_raw = true}, {.refuses_long = true}
	};
	AiHost		host = limited_host();
	void	   *block = exact_copy(data, size);
	AiEncoder  *encoder;
	AiEncoder  *again;

	if (ai_encoder_open(&encoder, &host, block, size, NULL) == AI_OK)
	{
		walk(encoder);
		for (int i = 0; i < 3; i++)
			run(encoder, &host, &requests[i]);
		store_again(encoder, &host);
		if (ai_encoder_open_checked(&again, &host, block, size, NULL) == AI_OK)
			ai_encoder_close(again);
		ai_encoder_close(encoder);
	}
	free(block);
	return 0;
}
