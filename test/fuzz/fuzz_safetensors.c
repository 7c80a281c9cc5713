/*-------------------------------------------------------------------------
 * fuzz_safetensors.c
 *		Any bytes are refused as a file of weights, or read within their bounds.
 *
 * The corpus begins with
 *
 *	build/core/test_safetensors --write-corpus test/fuzz/corpus/fuzz_safetensors
 *
 * Both ways to the bytes are taken, and must find the same.
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/format/safetensors.h"

#define MAX_VALUES 1000

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Bytes
{
	const uint8_t *data;
	size_t		size;
} Bytes;

static void
check(bool claim, const char *what)
{
	if (!claim)
	{
		fprintf(stderr, "%s\n", what);
		abort();
	}
}

static AiCode
read_bytes(void *ud, void *to, uint64_t offset, size_t n, AiError *err)
{
	const Bytes *bytes = ud;

	(void) err;
	check(n > 0 && offset <= bytes->size && n <= bytes->size - offset, "a read out of bounds");
	memcpy(to, bytes->data + offset, n);
	return AI_OK;
}

static void
read_all(const AiSafetensors *opened)
{
	static float values[MAX_VALUES];
	uint64_t	n_bytes = 0;
	AiError		err;

	for (int64_t t = 0; t < opened->n; t++)
	{
		const AiTensor *tensor = &opened->tensors[t];
		int64_t		n = tensor->n_elements < MAX_VALUES ? tensor->n_elements : MAX_VALUES;
		AiCode		code = ai_safetensors_read(opened, tensor, values, tensor->n_elements - n, n,
											   &err);

		check(ai_safetensors_find(opened, tensor->name) == tensor, "a tensor is not found");
		check(tensor->offset <= opened->source.size &&
			  tensor->size <= opened->source.size - tensor->offset, "a tensor out of bounds");
		for (int64_t i = 0; i < n && code == AI_OK; i++)
			check(isfinite(values[i]), "a number that is not finite");
		n_bytes += tensor->size;
	}
	check(n_bytes <= opened->source.size, "more tensors than bytes");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Bytes		bytes = {data, size};
	AiSource	sources[2] = {
		ai_source_of_memory(data, size), {.read = read_bytes, .ud = &bytes, .size = size}
	};
	AiCode		codes[2];

	for (int i = 0; i < 2; i++)
	{
		AiSafetensors opened;
		AiError		err = {.message = ""};

		codes[i] = ai_safetensors_open(&opened, ai_malloc_host(), &sources[i], "fuzz", &err);
		if (codes[i] == AI_OK)
		{
			read_all(&opened);
			ai_safetensors_close(&opened);
		}
		else
			check(err.message[0] != '\0', "an error without a message");
	}
	check(codes[0] == codes[1], "memory and callback differ");
	return 0;
}
