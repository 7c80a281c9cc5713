/*-------------------------------------------------------------------------
 * fuzz_checkpoint.c
 *		Any files are refused as an encoder, or are one whose parts have the shapes that it says.
 *
 * An input is files, one behind the other: path, a byte 0, content, a byte 255.  Of a file of
 * weights the content is the header; size and data are added here, or none would be right.
 * The corpus begins with
 *
 *	build/core/test_encoder_import --write-corpus test/fuzz/corpus/fuzz_checkpoint
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/encoder_weights.h"

#define MAX_FILES 20
#define MAX_DATA 65536
#define MAX_ROW 65536
#define MAX_MEMORY ((size_t) 64 << 20)	/* of the checkpoint's arena, whatever the files are */

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool claim, const char *what)
{
	if (!claim)
	{
		fprintf(stderr, "%s\n", what);
		abort();
	}
}

/* The header's largest number, up to MAX_DATA: where its last tensor seems to end */
static size_t
data_size(const uint8_t *header, size_t len)
{
	size_t		largest = 0;
	size_t		number = 0;

	for (size_t i = 0; i < len; i++)
	{
		bool		is_digit = header[i] >= '0' && header[i] <= '9';

		number = is_digit && number <= MAX_DATA ? number * 10 + header[i] - '0' : 0;
		if (number > largest && number <= MAX_DATA)
			largest = number;
	}
	return largest;
}

static AiSource
make_file(AiBuf *file, const char *path, const uint8_t *content, size_t len)
{
	static const uint8_t zeros[MAX_DATA];
	uint64_t	header_size = len;
	bool		is_weights = strstr(path, ".safetensors") != NULL && strstr(path, ".json") == NULL;
	AiCode		code = AI_OK;

	ai_buf_init(file, ai_malloc_host());
	if (is_weights)
		code = ai_buf_append(file, &header_size, sizeof(header_size), NULL);
	if (code == AI_OK)
		code = ai_buf_append(file, content, len, NULL);
	if (code == AI_OK && is_weights)
		code = ai_buf_append(file, zeros, data_size(content, len), NULL);
	check(code == AI_OK, "no memory");
	return ai_source_of_memory(file->data, file->len);
}

/* The files of an input; returns how many.  A zero is in or behind each path. */
static int
add_files(AiCheckpoint *checkpoint, AiBuf *files, const uint8_t *data, size_t size)
{
	int			n = 0;

	while (size > 0 && n < MAX_FILES)
	{
		const uint8_t *end = memchr(data, 0xFF, size);
		size_t		len = end == NULL ? size : (size_t) (end - data);
		const uint8_t *zero = memchr(data, 0, len);

		if (zero != NULL)
		{
			const uint8_t *content = zero + 1;
			AiSource	source = make_file(&files[n++], (const char *) data, content,
										   len - (size_t) (content - data));

			check(ai_checkpoint_add(checkpoint, (const char *) data, &source, NULL) == AI_OK,
				  "a file is not added");
		}
		size -= end == NULL ? size : len + 1;
		data += end == NULL ? 0 : len + 1;
	}
	return n;
}

static void
read_parts(const AiEncoderWeights *parts)
{
	static float row[MAX_ROW];
	AiError		err;

	for (int i = 0; i < parts->n; i++)
	{
		const AiEncoderWeight *weight = &parts->list[i];

		check(weight->n_rows * weight->width == weight->source.tensor->n_elements, "a wrong shape");
		check(ai_encoder_weights_find(parts, &weight->tensor) == weight, "not found");
		if (weight->width <= MAX_ROW && weight->n_rows > 0)
			(void) ai_encoder_weight_read(weight, row, weight->n_rows - 1, 1, &err);
	}
}

static void
check_config(const AiEncoderConfig *config)
{
	size_t		sum = 0;

	check(config->width > 0 && config->n_vocab > 0 && config->n_out > 0, "nothing goes in or out");
	check(config->family == AI_ENCODER_STATIC || config->width % config->n_heads == 0, "heads");
	check(config->family == AI_ENCODER_STATIC || config->max_tokens > 0, "no tokens");
	for (int i = 0; i < config->n_out && config->labels != NULL; i++)
		sum += strlen(config->labels[i]);
	for (int i = 0; i < config->n_prompts; i++)
		sum += strlen(config->prompts[i].name) + strlen(config->prompts[i].text);
	check(sum < MAX_MEMORY, "strings without an end");
}

static AiCode
use(AiCheckpoint *checkpoint, AiError *err)
{
	AiCheckpointLicense license;
	AiCheckpointWeights	weights;
	AiEncoderConfig config;
	AiEncoderWeights parts;
	AiCode		code;

	AI_TRY(ai_checkpoint_open(checkpoint, err));
	AI_TRY(ai_checkpoint_license(checkpoint, &license, err));
	AI_TRY(ai_checkpoint_weights_open(&weights, checkpoint, checkpoint->folder, err));
	code = ai_encoder_config_read(&config, checkpoint, &weights, err);
	if (code == AI_OK)
	{
		check_config(&config);
		code = ai_encoder_weights_open(&parts, &config, checkpoint, &weights, err);
	}
	if (code == AI_OK)
	{
		read_parts(&parts);
		ai_encoder_weights_close(&parts);
	}
	ai_checkpoint_weights_close(&weights);
	return code;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t    *input = calloc(1, size + 1);
	AiCheckpoint checkpoint;
	AiBuf		files[MAX_FILES];
	AiError		err = {.message = ""};
	int			n;

	if (size > 0)
		memcpy(input, data, size);
	ai_checkpoint_init(&checkpoint, ai_malloc_host());
	n = add_files(&checkpoint, files, input, size);
	if (use(&checkpoint, &err) != AI_OK)
		check(err.message[0] != '\0', "an error without a message");
	check(checkpoint.arena.total <= MAX_MEMORY, "too much memory");
	ai_checkpoint_free(&checkpoint);
	for (int i = 0; i < n; i++)
		ai_buf_free(&files[i]);
	free(input);
	return 0;
}
