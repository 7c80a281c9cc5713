/*-------------------------------------------------------------------------
 * encoder_batch.c
 *		Many texts through one encoder.
 *
 * Inputs are sorted by their length and cut into groups of so many bytes as have the tokens that
 * products are fast with; a group is a task.
 *-------------------------------------------------------------------------
 */
#include "core/model/encoder_batch.h"

#include <stdlib.h>
#include <string.h>

#include "core/model/encoder_internal.h"
#include "core/model/network_batch.h"

/* Bytes of a group: some 150 tokens, whose vectors stay in the caches */
#define GROUP_BYTES 600

/* A text counts with so many bytes for each token that is read of it, at most. */
#define BYTES_OF_TOKEN 4

struct AiEncoderReader
{
	const AiHost *host;
	const AiEncoder *encoder;
	AiTokenizerScratch *tokenizer;
	AiEncoderScratch *scratch;
	AiBuf		text;			/* prompt and input */
	AiBuf		first;			/* of uint32_t: of the group, as in AiEncoderTokens */
	AiBuf		id;				/* of int32_t */
	AiBuf		type;
	AiBuf		answers;		/* of float */
	AiEncoderCounts counts;
};

AiCode
ai_encoder_reader_create(AiEncoderReader **result, const AiHost *host, const AiEncoder *encoder,
						 AiError *err)
{
	AiEncoderReader *reader = ai_host_alloc(host, sizeof(AiEncoderReader));
	AiCode		code;

	*result = NULL;
	if (reader == NULL)
		return ai_out_of_memory(err, sizeof(AiEncoderReader), "an encoder");
	memset(reader, 0, sizeof(*reader));
	reader->host = host;
	reader->encoder = encoder;
	ai_buf_init(&reader->text, host);
	ai_buf_init(&reader->first, host);
	ai_buf_init(&reader->id, host);
	ai_buf_init(&reader->type, host);
	ai_buf_init(&reader->answers, host);
	code = ai_tokenizer_scratch_create(&reader->tokenizer, host, err);
	if (code == AI_OK)
		code = ai_encoder_scratch_create(&reader->scratch, host, encoder, err);
	if (code == AI_OK)
		*result = reader;
	else
		ai_encoder_reader_destroy(reader);
	return code;
}

void
ai_encoder_reader_destroy(AiEncoderReader *reader)
{
	if (reader == NULL)
		return;
	ai_tokenizer_scratch_destroy(reader->tokenizer);
	ai_encoder_scratch_destroy(reader->scratch);
	ai_buf_free(&reader->text);
	ai_buf_free(&reader->first);
	ai_buf_free(&reader->id);
	ai_buf_free(&reader->type);
	ai_buf_free(&reader->answers);
	ai_host_release(reader->host, reader);
}

size_t
ai_encoder_reader_memory(const AiEncoderReader *reader)
{
	return ai_encoder_scratch_memory(reader->scratch) + reader->text.capacity +
		reader->id.capacity + reader->type.capacity + reader->answers.capacity;
}

/*
 * A group
 */
typedef struct Run
{
	const AiInputs *inputs;
	const AiEncoder *encoder;
	AiRequest	request;
	bool		is_inference;	/* labels are of natural-language inference */
	AiEncoderReader *const *reader;
	float	   *answers;
	const uint32_t *group;		/* [n_groups + 1]: the first task of each */
	AiError    *err;
} Run;

static AiCode
add_tokens(AiEncoderReader *reader, const AiTokens *tokens, AiError *err)
{
	const AiEncoder *e = reader->encoder;
	int32_t		unknown = e->shape.skips_unknown ? e->tokenizer.special[AI_TOKEN_UNK] : -1;

	for (size_t i = 0; i < tokens->n; i++)
	{
		if (tokens->id[i] == unknown)
			continue;
		AI_TRY(ai_buf_append(&reader->id, &tokens->id[i], sizeof(int32_t), err));
		AI_TRY(ai_buf_append(&reader->type, &tokens->type[i], 1, err));
	}
	return AI_OK;
}

/* The two texts of a pair */
static AiCode
split_pair(AiTokenizeInput *text, AiError *err)
{
	const char *zero = text->len == 0 ? NULL : memchr(text->text, 0, text->len);

	if (zero == NULL)
		return ai_fail(err, AI_ERR_DATA, "input is not a pair of texts");
	text->pair = zero + 1;
	text->pair_len = text->len - (size_t) (text->pair - text->text);
	text->len = (size_t) (zero - text->text);
	return AI_OK;
}

static AiCode
put_prompt(AiEncoderReader *reader, AiTokenizeInput *text, AiError *err)
{
	const AiEncoder *e = reader->encoder;

	reader->text.len = 0;
	AI_TRY(ai_buf_append(&reader->text, e->prompt, e->prompt_len, err));
	AI_TRY(ai_buf_append(&reader->text, text->text, text->len, err));
	text->text = (const char *) reader->text.data;
	text->len = reader->text.len;
	return AI_OK;
}

static AiCode
refuse_long(AiEncoderReader *reader, const AiTokenizeInput *text,
			const AiTokenizeOptions *options, AiError *err)
{
	AiTokenizeOptions counting = {.adds_special = options->adds_special, .counts_only = true};
	AiTokens	tokens;

	if (err == NULL)
		return AI_ERR_LIMIT;
	AI_TRY(ai_tokenize(&reader->encoder->tokenizer, reader->tokenizer, text, &counting, &tokens,
					   err));
	ai_fail(err, AI_ERR_LIMIT, "input has %zu tokens, and the model reads %zu", tokens.n,
			options->max_tokens);
	ai_hint(err, "Split the text with ai_chunk(), or let it be truncated.");
	return AI_ERR_LIMIT;
}

/* options: as of a text that is not of a pair */
static AiCode
tokenize(const Run *run, AiEncoderReader *reader, const AiTokenizeInput *text,
		 AiTokenizeOptions *options, AiTokens *tokens, AiError *err)
{
	const AiTokenizer *tokenizer = &run->encoder->tokenizer;
	AiCode		code;

	if (run->request.is_pair && run->is_inference)
	{
		options->truncation = AI_TRUNCATE_ONLY_FIRST;
		code = ai_tokenize(tokenizer, reader->tokenizer, text, options, tokens, err);
		/* the second text alone is too long */
		if (code != AI_ERR_PARAM)
			return code;
		options->truncation = AI_TRUNCATE_LONGEST_FIRST;
	}
	return ai_tokenize(tokenizer, reader->tokenizer, text, options, tokens, err);
}

static AiCode
read_input(const Run *run, AiEncoderReader *reader, const AiInput *input, AiError *err)
{
	const AiEncoder *e = reader->encoder;
	AiTokenizeInput text = {.text = input->bytes, .len = input->len};
	AiTokenizeOptions options = {
		.adds_special = e->shape.n_layers > 0, .max_tokens = (size_t) e->shape.max_tokens
	};
	AiTokens	tokens;
	uint32_t	end;

	if (run->request.is_pair)
		AI_TRY(split_pair(&text, err));
	else if (e->prompt_len > 0)
		AI_TRY(put_prompt(reader, &text, err));
	AI_TRY(tokenize(run, reader, &text, &options, &tokens, err));
	if (tokens.is_truncated && run->request.refuses_long)
		return refuse_long(reader, &text, &options, err);
	AI_TRY(add_tokens(reader, &tokens, err));
	end = (uint32_t) (reader->id.len / sizeof(int32_t));
	AI_TRY(ai_buf_append(&reader->first, &end, sizeof(end), err));
	reader->counts.n_tokens += (int64_t) tokens.n;
	reader->counts.n_truncated += tokens.is_truncated;
	return AI_OK;
}

/* Tokens of all inputs of the group that can be read; the others have their codes */
static AiCode
read_group(const Run *run, AiEncoderReader *reader, uint32_t begin, uint32_t end)
{
	const uint32_t zero = 0;

	reader->first.len = reader->id.len = reader->type.len = 0;
	AI_TRY(ai_buf_append(&reader->first, &zero, sizeof(zero), NULL));
	for (uint32_t t = begin; t < end; t++)
	{
		uint32_t	number = run->inputs->tasks[t].number;
		AiInput    *input = &run->inputs->input[number];

		size_t		n = reader->type.len;

		input->code = read_input(run, reader, input, number == 0 ? run->err : NULL);
		if (input->code == AI_ERR_CANCELLED)
			return AI_ERR_CANCELLED;
		if (input->code == AI_OK)
			continue;
		reader->id.len = n * sizeof(int32_t);
		reader->type.len = n;
	}
	return AI_OK;
}

static AiCode
encode_group(AiEncoderReader *reader, bool is_raw, AiError *err)
{
	const AiEncoder *e = reader->encoder;
	AiEncoderTokens tokens = {
		.n_inputs = reader->first.len / sizeof(uint32_t) - 1,
		.first = (const uint32_t *) reader->first.data,
		.id = (const int32_t *) reader->id.data,
		.type = reader->type.data
	};

	reader->answers.len = 0;
	AI_TRY(ai_buf_reserve(&reader->answers,
						  tokens.n_inputs * ai_encoder_n_outputs(e) * sizeof(float), err));
	return ai_encoder_run(e, reader->scratch, &tokens, is_raw, (float *) reader->answers.data,
						  err);
}

/* Where what befalls a group is told: it is, where input 0 is in it. */
static AiError *
error_of(const Run *run, uint32_t begin, uint32_t end)
{
	for (uint32_t t = begin; t < end; t++)
	{
		if (run->inputs->tasks[t].number == 0)
			return run->err;
	}
	return NULL;
}

static void
compute_group(void *arg, int64_t index, int thread)
{
	const Run  *run = arg;
	AiEncoderReader *reader = run->reader[thread];
	size_t		n = ai_encoder_n_outputs(run->encoder);
	uint32_t	begin = run->group[index];
	uint32_t	end = run->group[index + 1];
	AiCode		code = read_group(run, reader, begin, end);
	const float *answer;

	if (code == AI_OK)
		code = encode_group(reader, run->request.is_raw, error_of(run, begin, end));
	answer = (const float *) reader->answers.data;
	for (uint32_t t = begin; t < end; t++)
	{
		AiInput    *input = &run->inputs->input[run->inputs->tasks[t].number];
		float	   *to = run->answers + (size_t) t * n;

		if (code != AI_OK)
			input->code = code;
		if (input->code != AI_OK)
			continue;
		memcpy(to, answer, n * sizeof(float));
		answer += n;
		input->answer = to;
		if (run->encoder->shape.answer == AI_ANSWER_CLASS)
			input->best = ai_network_best(to, n);
	}
}

/*
 * Groups
 */
static int
compare_lengths(const void *a, const void *b)
{
	const AiInputTask *x = a;
	const AiInputTask *y = b;

	if (x->len != y->len)
		return x->len < y->len ? 1 : -1;
	return (x->number > y->number) - (x->number < y->number);
}

static size_t
cut_into_groups(uint32_t *group, const AiInputs *inputs, const AiEncoder *encoder)
{
	size_t		most = (size_t) encoder->shape.max_tokens * BYTES_OF_TOKEN;
	size_t		n_bytes = 0;
	size_t		n_groups = 0;

	for (uint32_t t = 0; t < inputs->n_distinct; t++)
	{
		size_t		len = inputs->tasks[t].len < most ? inputs->tasks[t].len : most;

		if (t == 0 || n_bytes + len > GROUP_BYTES)
		{
			group[n_groups++] = t;
			n_bytes = 0;
		}
		n_bytes += len + BYTES_OF_TOKEN;
	}
	group[n_groups] = (uint32_t) inputs->n_distinct;
	return n_groups;
}

static AiCode
run_groups(const Run *run, size_t n_groups, int n_threads, AiPool *pool)
{
	if (n_threads > 1 && n_groups > 1)
		return ai_pool_run_on(pool, n_threads, compute_group, (void *) run, (int64_t) n_groups,
							  run->err);
	for (size_t i = 0; i < n_groups; i++)
	{
		if (ai_host_should_stop(run->inputs->host))
			return ai_fail(run->err, AI_ERR_CANCELLED, "cancelled");
		compute_group((void *) run, (int64_t) i, 0);
	}
	return AI_OK;
}

static AiCode
find_cancelled(const AiInputs *inputs, AiError *err)
{
	for (size_t t = 0; t < inputs->n_distinct; t++)
	{
		if (inputs->input[inputs->tasks[t].number].code == AI_ERR_CANCELLED)
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
	}
	return AI_OK;
}

AiCode
ai_encoder_batch_run(const AiInputs *inputs, const AiEncoder *encoder,
					 const AiRequest *request, AiEncoderReader *const *reader, float *answers,
					 AiEncoderCounts *counts, int n_threads, AiPool *pool, AiError *err)
{
	size_t		size = (inputs->n_distinct + 1) * sizeof(uint32_t);
	uint32_t   *group = ai_host_alloc(inputs->host, size);
	Run			run = {
		.inputs = inputs, .encoder = encoder,
		.request = request == NULL ? (AiRequest) {0} : *request,
		.is_inference = ai_encoder_find_entailment(encoder) >= 0, .reader = reader,
		.answers = answers, .group = group, .err = err
	};
	AiCode		code;

	if (group == NULL)
		return ai_out_of_memory(err, size, "a batch");
	for (int t = 0; t < n_threads; t++)
		reader[t]->counts = (AiEncoderCounts) {0};
	qsort(inputs->tasks, inputs->n_distinct, sizeof(AiInputTask), compare_lengths);
	code = run_groups(&run, cut_into_groups(group, inputs, encoder), n_threads, pool);
	if (code == AI_OK)
		code = find_cancelled(inputs, err);
	ai_host_release(inputs->host, group);
	*counts = (AiEncoderCounts) {0};
	for (int t = 0; t < n_threads; t++)
	{
		counts->n_tokens += reader[t]->counts.n_tokens;
		counts->n_truncated += reader[t]->counts.n_truncated;
	}
	return code;
}
